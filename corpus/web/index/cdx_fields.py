"""Tell how the lines of a CDX or CDXJ file are laid out, and parse them.

The legend of a CDX file names its fields by letters in any order: https://iipc.github.io/warc-specifications/
specifications/cdx-format/cdx-2015/. Indexes that can be searched begin each line with the SURT of the page
(`org,example)/path`); those of `wget --warc-cdx` and of older tools begin with its plain URL, in no order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from corpus.web.index.capture import Capture

LEGENDS = {
    9: tuple("NbamskrVg"),
    10: tuple("NbamskrMVg"),
    11: tuple("NbamskrMSVg"),
}
"""Legends of files without one, by the number of their fields."""
CDX_MARKS = (b"CDX ", b"CDX\t")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
KEYS = ("N", "A")
"""Fields that hold a page's key: massaged or canonical, in SURT or not."""
SEARCHABLE_KEY = re.compile(
    rb"(?![^)]*,www\d{0,2}\))[!-\'*-@\[-~]*[!-\'*+\--@\[-~]\)[!-@\[-~]* |(?:dns|urn|metadata|warcinfo|whois|filedesc):"
)
"""How a line begins that a search finds: with a SURT in lower case and ASCII, without www, and one space; or with the
address of what is no page."""
TIME_DIGITS = 14


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are laid out: the letters of a CDX file's fields (None: each line has JSON).

    `is_by_surt` tells whether each line begins with a SURT, so that a page has its place in a sorted file. `others` are
    legends of joined files, by the number of their fields.
    """

    legend: tuple[str, ...] | None
    is_by_surt: bool = True
    others: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def parse(self, line: bytes) -> Capture | None:
        """Parse a line; None for a line that holds no capture. Raises ValueError where it is damaged."""
        if is_header(line):
            return None
        return _parse_json(line) if self.legend is None else self._parse_cdx(self.legend, line)

    def _parse_cdx(self, legend: tuple[str, ...], line: bytes) -> Capture:
        text = line.decode("utf-8-sig", "replace").strip()
        if self.others:
            legend = self.others.get(len(text.split()), legend)
        is_by_tabs = text.count("\t") >= len(legend) - 1
        fields = text.split("\t") if is_by_tabs else text.split(None, len(legend) - 1)
        if len(fields) < len(legend):
            raise ValueError(f"{len(fields)} fields, not {len(legend)}")
        named = dict(zip(legend, fields, strict=False))
        return Capture(
            url=named["a"] if "a" in named else _to_url(next(named[key] for key in KEYS if key in named)),
            time=_to_digits(named["b"]),
            status=named.get("s", ""),
            mime=named.get("m", ""),
            file=named["g"],
            offset=int(named["V"] if named.get("V", "-") != "-" else named.get("v", "-")),
            length=_to_length(named.get("S")),
        )


def is_header(line: bytes) -> bool:
    """Return whether a line is no capture: empty, the legend of a CDX file, or about a CDXJ file itself."""
    first = line[:1]
    if first.isalnum() and first != b"C":
        return False
    bare = line.removeprefix(BYTE_ORDER_MARK).lstrip()
    return not bare or first in (b"!", b"@", b"#") or bare[:4] in CDX_MARKS


def is_searchable(line: bytes) -> bool:
    """Return whether a search finds a line where it stands: its key is spelled as the keys that are looked up are."""
    return SEARCHABLE_KEY.match(line) is not None


def _parse_json(line: bytes) -> Capture:
    key, time, data = _split_json(line)
    row: Any = orjson.loads(data)
    if not isinstance(row, dict) or not _has_place(row) or not (key or row.get("url")):
        raise ValueError("no url, offset or filename")
    return Capture(
        url=str(row.get("url") or _to_url(key)),
        time=_to_digits(time or str(row.get("timestamp") or "")),
        status=str(row.get("status") or ""),
        mime=str(row.get("mime") or ""),
        file=str(row["filename"]),
        offset=int(row["offset"]),
        length=_to_length(row.get("length")),
    )


def _split_json(line: bytes) -> tuple[str, str, bytes]:
    """Return the key, the time and the object of a line. Raises ValueError where it has none."""
    bare = line.removeprefix(BYTE_ORDER_MARK).strip()
    at = bare.find(b"{")
    before = bare[: max(at, 0)].decode("utf-8", "replace").split()
    if at < 0 or len(before) not in (0, 2):
        raise ValueError("no key, time and object")
    key, time = before or ("", "")
    return key, time, bare[at:]


def _has_place(row: dict[str, Any]) -> bool:
    return {"offset", "filename"} <= row.keys()


def _to_digits(time: str) -> str:
    """Return YYYYMMDDhhmmss of a time, which may have marks between its parts, and fractions of seconds."""
    return time[:TIME_DIGITS] if time.isdecimal() else re.sub(r"\D", "", time)[:TIME_DIGITS]


def _to_length(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() else 0


def _to_url(key: str) -> str:
    """Return an address for the key of a page, which is a SURT (`org,example)/path`) or lacks the scheme only."""
    if "://" in key and ")" not in key.partition("://")[2].partition("/")[0]:
        return key
    host, bracket, path = key.partition("://(")[2].partition(")") if "://(" in key else key.partition(")")
    if not bracket or "/" in host:
        return f"http://{key}"
    name, colon, port = host.partition(":")
    return f"http://{'.'.join(reversed(name.strip(',').split(',')))}{colon}{port}{path}"


def read_layout(lines: Sequence[bytes]) -> Layout:
    """Return the layout of a file by its first lines. Raises ValueError where it is none, or lacks what is needed."""
    captures = [line for line in lines if not is_header(line)]
    is_by_surt = not captures or any(map(is_surt, captures))
    bare = [line.removeprefix(BYTE_ORDER_MARK).strip() for line in lines]
    legends = [_read_legend(line) for line in bare if line[:4] in CDX_MARKS]
    if legends:
        others = {len(legend): legend for legend in legends} if len(set(legends)) > 1 else {}
        return Layout(legends[0], is_by_surt and legends[0][0] in KEYS, others)
    for line in captures:
        fields = line.split()
        at = line.find(b"{")
        if at >= 0 and len(line[:at].split()) in (0, 2):
            if all(map(_lacks_place, captures)):
                raise ValueError("CDXJ without url, offset and filename")
            return Layout(None, is_by_surt)
        if len(fields) in LEGENDS and fields[1].isdigit():
            return Layout(LEGENDS[len(fields)], is_by_surt)
    raise ValueError("neither CDX nor CDXJ")


def _read_legend(line: bytes) -> tuple[str, ...]:
    legend = tuple(line.decode("ascii", "replace").split()[1:])
    missing = [
        name
        for name, letters in (("URL", "aNA"), ("date", "b"), ("offset", "Vv"), ("file", "g"))
        if not any(letter in legend for letter in letters)
    ]
    if missing:
        raise ValueError(f"its legend {' '.join(legend)} has no field for {', '.join(missing)}")
    return legend


def _lacks_place(line: bytes) -> bool:
    """Return whether a line with JSON is whole and does not say where its capture is."""
    try:
        row = orjson.loads(_split_json(line)[2])
    except ValueError:
        return False
    return isinstance(row, dict) and not _has_place(row)


def is_surt(line: bytes) -> bool:
    """Return whether a line begins with a SURT key, as opposed to a plain address."""
    key = (line.split(None, 1) or [b""])[0]
    host, bracket, _ = key.partition(b")")
    return bool(bracket) and b"/" not in host
