"""Data files: rules, languages, fields, mixtures, word lists; those of corpus, and a user's own in the same folders.
The pages of the documentation lie beside them.

A user's own files lie beside the manifest, or in a folder of `--plugins`: `rules/mine.yaml` there is a preset called
`mine`. They are read once, as a manifest is loaded; workers and parsers are sent their text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from corpus.errors import UserError

OWN_FOLDERS = ("rules", "languages", "fields", "mixtures")
"""Folders of which a user may have files of their own."""

_own_files: dict[str, str] = {}
"""`rules/mine.yaml` -> its text."""
_reads: set[str] = set()
"""Which of them were read since they are in use."""
_caches: list[Any] = []

Function = TypeVar("Function", bound=Callable[..., Any])


@cache
def _root() -> Path:
    package = Path(__file__).parent
    installed = package / "_manifests"
    return installed if installed.is_dir() else package.parent / "manifests"


def data_path(*names: str) -> Path:
    """Return a path below the data files: `corpus/_manifests` in a wheel, `manifests/` in a checkout."""
    return _root().joinpath(*names)


def list_pages() -> dict[str, Path]:
    """Return the pages of the documentation, in Markdown, by name: `readme`, `manifest`, `sources/warc`; sorted.

    They lie in `corpus/_docs` in a wheel, and where they are written in a checkout.
    """
    installed = Path(__file__).parent / "_docs"
    root = installed if installed.is_dir() else Path(__file__).parents[1]
    top = {path.stem.lower(): path for path in root.glob("*.md")}
    docs = root / "docs"
    inner = {path.relative_to(docs).with_suffix("").as_posix(): path for path in docs.rglob("*.md")}
    return dict(sorted({**top, **inner}.items()))


def list_data(folder: str) -> list[str]:
    """Return the names in one of `OWN_FOLDERS`, without `.yaml`, sorted: those of corpus and the user's own."""
    own = [name for name in _own_files if name.startswith(f"{folder}/")]
    return sorted(
        {path.stem for path in data_path(folder).glob("*.yaml")} | {Path(name).stem for name in own}
    )


def read_data(folder: str, name: str) -> tuple[str, str]:
    """Return the text of a file in one of `OWN_FOLDERS`, and its path for messages. The user's own comes first."""
    own = _own_files.get(f"{folder}/{name}.yaml")
    if own is not None:
        _reads.add(f"{folder}/{name}.yaml")
        return own, f"{folder}/{name}.yaml"
    path = data_path(folder, f"{name}.yaml")
    return path.read_text(encoding="utf-8"), str(path)


def find_own_files(folders: Iterable[str]) -> dict[str, str]:
    """Return the data files of users in these folders, by name; the first folder that has a file gives it.

    Files that are the same as those of corpus are left out. Raises UserError for one that is not UTF-8.
    """
    files: dict[str, str] = {}
    for folder in folders:
        for kind in OWN_FOLDERS:
            for path in sorted(Path(folder, kind).glob("*.yaml")):
                name = f"{kind}/{path.name}"
                try:
                    text = path.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    raise UserError(f"{path}: cannot read this file: {error}") from None
                shipped = data_path(kind, path.name)
                if name not in files and not (
                    shipped.is_file() and shipped.read_text(encoding="utf-8") == text
                ):
                    files[name] = text
    return files


def own_files() -> dict[str, str]:
    """Return the user's own files that are in use, by name."""
    return dict(_own_files)


def list_read_files() -> set[str]:
    """Return which of the user's own files were read since `use_own_files`, but for what was cached before."""
    return set(_reads)


def list_replaced_files(files: Iterable[str]) -> list[str]:
    """Return those of a user's own files whose names one of corpus has, which they take the place of; sorted."""
    return sorted(name for name in files if data_path(*name.split("/")).is_file())


def use_own_files(files: Mapping[str, str]) -> None:
    """Use these files beside those of corpus, and no others. What was read before is forgotten if they differ."""
    _reads.clear()
    if files != _own_files:
        _own_files.clear()
        _own_files.update(sorted(files.items()))
        for cached in _caches:
            cached.cache_clear()


def cache_data(function: Function) -> Function:
    """Cache a function of data files until the user's own files change."""
    cached = cache(function)
    _caches.append(cached)
    return cached  # type: ignore[return-value]
