"""Read texts to train models on: from files, folders, and workspaces.

```
texts.txt                            a text a line, plain or compressed
texts.jsonl  texts.parquet           their columns `text` and, where there is one, `language`
folder                               all such files in it
DIR:source=wikipedia                 what a workspace keeps for training, of one source
DIR:source=web,language=eng_Latn     and in one language
DIR:language=zh                      of all sources, in a language in whatever script
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import numpy as np
import pyarrow.parquet as pq

from corpus import storage
from corpus.edits.applied import read_applied, read_applied_edits
from corpus.errors import UserError
from corpus.holding import SIGNALS_FOLDER, read_holding
from corpus.languages.labels import parse_label
from corpus.languages.names import normalize_label
from corpus.storage import DAMAGE
from corpus.workspace import Workspace

_WORKSPACE = re.compile(r"(?P<root>.+?):(?P<wanted>[a-z]+=[^/\\:]*)")
_KEYS = ("source", "language")
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst)$")
MAX_NAMED_SOURCES = 4
_FORMATS = (".txt", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and its language, if known: a label (`eng_Latn`), a code or tag (`en`), or None."""

    text: str
    language: str | None = None


def read_texts(place: str) -> Iterator[LabelledText]:
    """Yield the texts at a place, written as at the top of this module, in a fixed order. Memory: a row group.

    Raises UserError: at the call if nothing is there, and while reading, with file and line, for damaged input.
    """
    match = _WORKSPACE.fullmatch(place)
    if match is not None:
        return _read_workspace(match["root"], match["wanted"])
    return _read_files(place, _list_files(place))


def _read_workspace(root: str, wanted: str) -> Iterator[LabelledText]:
    workspace = Workspace.open(root)
    filters: dict[str, str] = {}
    for pair in wanted.split(","):
        key, _, value = pair.partition("=")
        if key not in _KEYS or not value:
            raise UserError(
                f"{root}:{wanted}: expected source=NAME or language=LABEL after the workspace, not {pair!r}"
            )
        filters[key] = value
    if "language" in filters:
        try:
            filters["language"] = normalize_label(filters["language"])
        except ValueError as error:
            raise UserError(f"{root}:{wanted}: {error}") from None
    sources = sorted({source for source, _ in workspace.splits()})
    if filters.get("source", sources[0]) not in sources:
        raise UserError(f"{root} has no source {filters['source']!r}: it has {', '.join(sources)}")
    return _read_kept(workspace, filters)


def _read_kept(workspace: Workspace, filters: dict[str, str]) -> Iterator[LabelledText]:
    """Yield the kept training documents of a workspace with the edits that are applied, in the order of its input
    splits.

    Validation is left out, and so are documents that hold items of evaluation sets.
    """
    applied = read_applied(workspace)
    for source, split in workspace.splits():
        if source != filters.get("source", source):
            continue
        paths = [workspace.part(folder, source, split) for folder in ("documents", "decisions")]
        if not all(map(storage.exists, paths)):
            raise UserError(f"{workspace.root} is not a finished build: resume it with `corpus build`")
        edits = read_applied_edits(workspace, source, split, applied)
        documents, decisions = (pq.ParquetFile(storage.open_input(path)) for path in paths)
        holding, first = read_holding(workspace.part(SIGNALS_FOLDER, source, split)), 0
        with closing(documents), closing(decisions):
            for group in range(documents.num_row_groups):
                rows = documents.read_row_group(group, columns=["text", "language"])
                if edits is not None:
                    numbers = np.arange(first, first + len(rows))
                    rows = rows.set_column(0, "text", edits.apply_to(rows["text"], numbers)[0])
                verdicts = decisions.read_row_group(group, columns=["kept", "split"])
                columns = [*rows.columns, *verdicts.columns]
                none = np.zeros(len(rows), np.bool_)
                flags = none if holding is None else holding[first : first + len(rows)]
                first += len(rows)
                for text, language, kept, part, holds in zip(
                    *(column.to_pylist() for column in columns), flags.tolist(), strict=True
                ):
                    trains = kept and not holds and part == "train" and text and text.strip()
                    if trains and _is_language(language, filters.get("language")):
                        yield LabelledText(text, language)


def _is_language(language: str | None, wanted: str | None) -> bool:
    """Return whether a label is the wanted language, or has it as its code: `cmn` matches both scripts."""
    return wanted is None or (language is not None and wanted in (language, language.partition("_")[0]))


def _list_files(place: str) -> list[str]:
    """Return the files at a place that hold texts."""
    if storage.expand_pattern(place) == [place] and storage.exists(place) and _find_format(place):
        return [place]
    root = place.partition(":")[0] if not storage.exists(place) and not storage.is_remote(place) else place
    if storage.exists(storage.join(root, "workspace.json")):
        sources = sorted({source for source, _ in Workspace.open(root).splits()})
        raise UserError(
            f"{place + ': ' if place != root else ''}{root} is a workspace: say which of its texts: "
            f"{' or '.join(f'{root}:source={source}' for source in sources[:MAX_NAMED_SOURCES])}, "
            f"{root}:language=LABEL, or both: {root}:source=NAME,language=LABEL"
        )
    paths = (
        [path for path in storage.list_files(place) if _find_format(path)] if storage.exists(place) else []
    )
    if not paths:
        known = ", ".join(_FORMATS)
        raise UserError(
            f"{place}: no texts found: name a file ({known}), a folder of such files, or WORKSPACE:source=NAME"
        )
    return paths


def _find_format(path: str) -> str | None:
    name = _COMPRESSED.sub("", path.lower())
    return next((ending for ending in _FORMATS if name.endswith(ending)), None)


def _read_files(place: str, paths: list[str]) -> Iterator[LabelledText]:
    for path in paths:
        kind = _find_format(path)
        if kind == ".parquet":
            yield from _read_parquet(path)
        elif kind == ".txt":
            yield from (LabelledText(line) for _, line in _read_lines(path))
        else:
            yield from _read_jsonl(path)


def _read_lines(path: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line that is not blank."""
    with closing(storage.open_decompressed(path)) as stream:
        rest, number = b"", 0
        while block := _read_block(path, stream):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                number += 1
                if line.strip():
                    yield number, line.decode("utf-8", "replace").strip()
        if rest.strip():
            yield number + 1, rest.decode("utf-8", "replace").strip()


def _read_block(path: str, stream: IO[bytes]) -> bytes:
    try:
        return stream.read(1 << 20)
    except DAMAGE as error:
        raise UserError(f"{path}: cannot be read to its end: {error or type(error).__name__}") from None


def _read_jsonl(path: str) -> Iterator[LabelledText]:
    for number, line in _read_lines(path):
        try:
            row = json.loads(line)
            text = row["text"]
        except (json.JSONDecodeError, KeyError, TypeError):
            raise UserError(f"{path}:{number}: not a JSON object with a key `text`") from None
        if not isinstance(text, str):
            raise UserError(f"{path}:{number}: `text` is not a string")
        yield LabelledText(text, _known_language(row.get("language")))


def _read_parquet(path: str) -> Iterator[LabelledText]:
    with closing(storage.open_input(path)) as stream:
        file = pq.ParquetFile(stream)
        columns = [name for name in ("text", "language") if name in file.schema_arrow.names]
        if "text" not in columns:
            raise UserError(f"{path}: no column `text`, only {', '.join(file.schema_arrow.names)}")
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group, columns=columns).to_pylist():
                if row["text"]:
                    yield LabelledText(row["text"], _known_language(row.get("language")))


def _known_language(language: object) -> str | None:
    return language if isinstance(language, str) and parse_label(language) is not None else None
