"""Read texts that people have called good or bad, in the schemes that such files have.

```
{"text": ..., "label": "good"}       or "bad"; keep, drop; 1, 0; true, false
{"text": ..., "bad": true}           or "good"
{"text": ..., "lang": "zho_Hans", "porn": 0, "unnatural": 1, "lang_correct": 1}      HPLT's inspection of its release 2
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import UserError, shorten_line
from corpus.languages.labels import parse_label
from corpus.storage import DAMAGE

GOOD_WORDS = frozenset({"good", "keep", "kept", "clean", "1", "true", "yes", "high", "pos", "positive"})
BAD_WORDS = frozenset(
    {"bad", "drop", "dropped", "dirty", "0", "false", "no", "low", "neg", "negative", "spam"}
)
FAULT_KEYS = ("porn", "unnatural")
"""Keys of HPLT's scheme that are 1 for a bad text; `lang_correct` is 0 for one."""
LABEL_KEYS = ("label", "quality", "verdict")


@dataclass(frozen=True, slots=True)
class JudgedText:
    """A text, its language as the file states it (a label of ours or None), and whether people call it bad."""

    text: str
    language: str | None
    is_bad: bool


def read_labels(path: str) -> list[JudgedText]:
    """Return every labelled text of a JSON Lines or Parquet file, plain or compressed.

    Raises UserError, with the line, for what is no such file, and for labels that are neither good nor bad.
    """
    if not storage.exists(path):
        raise UserError(f"--labels {path}: no such file")
    rows = _read_rows(path)
    judged = [_read_row(row, f"--labels {path}:{number}") for number, row in rows]
    if not judged:
        raise UserError(f"--labels {path}: no labelled text in it")
    return judged


def _read_rows(path: str) -> list[tuple[int, Mapping[str, Any]]]:
    try:
        if path.lower().endswith(".parquet"):
            with closing(storage.open_input(path)) as stream:
                return list(enumerate(pq.ParquetFile(stream).read().to_pylist(), 1))
        with closing(storage.open_decompressed(path)) as stream:
            lines = stream.read().decode("utf-8", "replace").split("\n")
    except (*DAMAGE, ValueError) as error:
        reason = shorten_line(str(error)) or type(error).__name__
        raise UserError(f"--labels {path}: cannot be read: {reason}") from None
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise UserError(f"--labels {path}:{number}: not a JSON object with a text and a label")
        rows.append((number, row))
    return rows


def _read_row(row: Mapping[str, Any], place: str) -> JudgedText:
    text = row.get("text")
    if not isinstance(text, str):
        raise UserError(f"{place}: no key `text` with a text, only {', '.join(row) or 'nothing'}")
    stated = next((row[key] for key in ("language", "lang") if isinstance(row.get(key), str)), None)
    parsed = parse_label(stated) if stated else None
    language = None if parsed is None else "_".join(filter(None, parsed))
    return JudgedText(text, language, _is_bad(row, place))


def _is_bad(row: Mapping[str, Any], place: str) -> bool:
    if any(key in row for key in FAULT_KEYS):
        faults = [_read_flag(row[key], f"{place}: {key}") for key in FAULT_KEYS if key in row]
        return any(faults) or not _read_flag(row.get("lang_correct", 1), f"{place}: lang_correct")
    for key, means_bad in (("bad", True), ("good", False)):
        if key in row:
            return _read_flag(row[key], f"{place}: {key}") == means_bad
    named = next((key for key in LABEL_KEYS if key in row), None)
    if named is None:
        known = ", ".join((*LABEL_KEYS, "good", "bad", *FAULT_KEYS))
        raise UserError(f"{place}: no label: expected one of the keys {known}, found {', '.join(row)}")
    return not _read_flag(row[named], f"{place}: {named}")


def _read_flag(value: Any, place: str) -> bool:
    """Return True for 1, true, good and the like. Raises UserError for what is neither that nor the contrary."""
    word = str(int(value)) if isinstance(value, bool | float) and value in (0, 1) else str(value).lower()
    if word not in GOOD_WORDS | BAD_WORDS:
        raise UserError(f"{place}: {value!r} is no label: expected good or bad, or 1 or 0")
    return word in GOOD_WORDS
