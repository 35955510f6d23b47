"""What is said of a file: the source kind that reads it, with options, or why none does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Recognized:
    """A file that a source of `kind` reads with `options`.

    `what` names such files for people, in the plural; `notes` are comments for a manifest. `rules` are presets, None
    those of the kind; `is_short` says that the texts are sentences, which presets for documents would drop. Of the
    `rows` of a table that were looked at, `filled` have a text, by field: that of texts, and others that might be it.
    Files of one `key` can be in one source.
    """

    kind: str
    what: str
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rules: tuple[str, ...] | None = None
    is_short: bool = False
    rows: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return json.dumps([self.kind, self.options], ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class Unread:
    """A file that no source reads; `why` names such files in the plural and says what could be done about it."""

    why: str


Verdict = Recognized | Unread


def describe_filled(verdicts: Iterable[Recognized]) -> list[str]:
    """Return a line for each field of texts of tables that many rows have nothing in."""
    rows: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    text = ""
    for verdict in verdicts:
        text = next(iter(verdict.filled), text)
        filled.update(verdict.filled)
        rows.update(dict.fromkeys(verdict.filled, verdict.rows))
    lines = []
    for name, count in filled.items():
        share = f"only {count:,} of the {rows[name]:,} rows looked at"
        if name != text:
            lines.append(f"`{name}` has longer texts, but in {share}: `text: {name}` would read these alone")
        elif count < USUAL_FILLED_SHARE * rows[name]:
            lines.append(f"`{name}` has a text in {share}: the others are not read")
    return lines


def merge_verdicts(one: Recognized, other: Recognized) -> Recognized | None:
    """Return the verdict on two files that may be in one source, though a field of rows is missing in either; None
    where they differ."""
    if one.kind != other.kind:
        return None
    mine, theirs = one.options.get("fields"), other.options.get("fields")
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        return one if one.key == other.key else None
    rest = [{key: value for key, value in each.options.items() if key != "fields"} for each in (one, other)]
    if rest[0] != rest[1] or any(
        mine[key] != theirs[key] for key in mine.keys() & theirs.keys() - {"metadata"}
    ):
        return None
    fields = {**mine, **theirs}
    if "metadata" in fields:
        used = [value for key, value in fields.items() if key != "metadata"]
        kept = [*mine.get("metadata", []), *theirs.get("metadata", [])]
        fields["metadata"] = [name for name in dict.fromkeys(kept) if name not in used]
    return replace(
        one,
        options={**one.options, "fields": fields},
        notes=tuple(dict.fromkeys([*one.notes, *other.notes])),
        rules=max(one.rules or (), other.rules or (), key=len),
        is_short=one.is_short and other.is_short,
    )


USUAL_FILLED_SHARE = 0.9
"""Share of rows with a text under which a line says so."""
EMPTY = Unread("empty files")
MISNAMED = Unread("files that are not what their names say: a download that failed, or damage")
LZ4_FILES = Unread(
    "files compressed with lz4, in which web archives alone are read: decompress them, or use zstd"
)
NOT_TEXT = Unread("files that are no text, and in no format known here")
SIDECARS = Unread("indexes and lists that come with data")
ABOUT = Unread("files about the data (README, LICENSE and the like)")
HTML_PAGES = Recognized("html", "HTML pages")
PICTURES = Unread("pictures, sound and video")
DATA_TABLES = Unread("spreadsheets: save them as CSV, or convert them to JSON Lines or Parquet")
BARE_TABLES = Unread(
    "tables (CSV) without names of columns in their first row: `columns: [...]` of a source of kind csv gives them"
)
DATA_FILES = Unread("settings and data (YAML, TOML and the like)")
SUBTITLES = Unread("subtitles (SubRip, WebVTT): write what is said into text files or JSON Lines")
LARGE_WIDE_TEXTS = Unread("large texts in UTF-16, which cannot be divided: convert them to UTF-8")
DOCUMENTS = Unread("PDF and office documents: convert them to text")
JSON_DOCUMENTS = Unread("JSON that is not one object a line: `jq -c '.[]'` makes JSON Lines of an array")
REDDIT_SUBMISSIONS = Unread("Reddit submissions: `corpus urls` makes a list of the pages that they link to")
