"""Tell the versions that a build's bytes depend on: of Python, its Unicode tables, libraries, and corpus itself."""

from __future__ import annotations

import hashlib
import os
import platform
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARIES = (
    "babel",
    "corpusmill",
    "datasketch",
    "dulwich",
    "fasttext-community",
    "fastwarc",
    "faust-cchardet",
    "icu4py",
    "identify",
    "licenseclassifier",
    "lxml",
    "magika",
    "numpy",
    "pyarrow",
    "pycld2",
    "resiliparse",
    "scipy",
    "selectolax",
    "tiktoken",
    "tldextract",
    "tokenizers",
    "trafilatura",
    "w3lib",
    "warcio",
    "xxhash",
    "zstandard",
)
"""Packages that texts, signals, signatures, tokens or the bytes of their files depend on; some are extras."""


CODE_SUFFIXES = (".py", ".ftz", ".npz")
"""Files of the package that results depend on: its modules and the models beside them."""
DATA_SUFFIXES = (".yaml", ".txt")
"""Of its data, rules and languages."""


@cache
def _versions() -> Mapping[str, str]:
    versions = {
        "Python": platform.python_version(),
        "Unicode": unicodedata.unidata_version,
        "machine": platform.machine(),
    }
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # an extra that is not installed
            continue
    return versions


def list_versions() -> dict[str, str]:
    """Return name -> version of this environment, of what is installed; Python first."""
    return dict(_versions())


@cache
def hash_package(data: Path) -> str:
    """Return 16 hex digits of the modules and models of this package, and of its data files, which are in `data`.

    The same for a wheel and for the checkout that it was built from. Takes some 20 ms, once per process.
    """
    digest = hashlib.sha256()
    for root, suffixes in ((Path(__file__).parent, CODE_SUFFIXES), (data, DATA_SUFFIXES)):
        for path in sorted(
            _list_files(root, suffixes, data.name), key=lambda path: path.relative_to(root).as_posix()
        ):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _list_files(root: Path, suffixes: tuple[str, ...], left_out: str) -> Iterator[Path]:
    """Yield the files below a folder with one of some suffixes, but for those of its own folder `left_out`."""
    for base, folders, names in os.walk(root, followlinks=True):
        if base == str(root) and left_out in folders:
            folders.remove(left_out)
        yield from (Path(base) / name for name in names if name.endswith(suffixes))


def describe_changes(before: Mapping[str, Sequence[str]]) -> str:
    """Say in which versions this environment differs from those that something was made with; "" if in none.

    `before` has, for each name, the versions that took part, usually one. Extras that are missing on one side made
    nothing on either, and are not named.
    """
    here = _versions()
    changed = [name for name in before if name in here and set(before[name]) != {here[name]}]
    if not changed:
        return ""
    then = ", ".join(f"{name} {' and '.join(before[name])}" for name in changed)
    now = ", ".join(f"{name} {here[name]}" for name in changed)
    return f"built with {then}; here: {now}"
