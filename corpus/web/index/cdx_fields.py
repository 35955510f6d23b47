"""Tell how the lines of a CDX or CDXJ file are laid out, and parse them.

The legend of a CDX file names its fields by letters in any order: https://iipc.github.io/warc-specifications/
specifications/cdx-format/cdx-2015/. Indexes that can be searched begin each line with the SURT of the page
(`org,example)/path`); those of `wget --warc-cdx` and of older tools begin with its plain URL, in no order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from corpus.web.index.capture import Capture

LEGENDS = {
    9: tuple("NbamskrVg"),
    10: tuple("NbamskrMVg"),
    11: tuple("NbamskrMSVg"),
}
"""Legends of files without one, by the number of their fields."""
CDX_MARKS = (b"CDX ", b"CDX\t")
KEYS = ("N", "A")
"""Fields that hold a page's key: massaged or canonical, in SURT or not."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are laid out: the letters of a CDX file's fields (None: CDXJ), what is between them, what comes first.

    `is_by_surt` tells whether each line begins with a SURT, so that a page has its place in a sorted file.
    """

    legend: tuple[str, ...] | None
    delimiter: str = " "
    is_by_surt: bool = True

    def parse(self, line: bytes) -> Capture | None:
        """Parse a line; None for a line that holds no capture. Raises ValueError where it is damaged."""
        if is_header(line):
            return None
        return _parse_cdxj(line) if self.legend is None else self._parse_cdx(self.legend, line)

    def _parse_cdx(self, legend: tuple[str, ...], line: bytes) -> Capture:
        fields = line.decode("utf-8", "replace").rstrip("\r\n").split(self.delimiter)
        if len(fields) < len(legend):
            raise ValueError(f"{len(fields)} fields, not {len(legend)}")
        named = dict(zip(legend, fields, strict=False))
        length = named.get("S", "-")
        return Capture(
            url=named["a"] if "a" in named else _to_url(next(named[key] for key in KEYS if key in named)),
            time=named["b"],
            status=named.get("s", ""),
            mime=named.get("m", ""),
            file=named["g"],
            offset=int(named["V"] if named.get("V", "-") != "-" else named.get("v", "-")),
            length=int(length) if length.isdecimal() else 0,
        )


def is_header(line: bytes) -> bool:
    """Return whether a line is no capture: empty, the legend of a CDX file, or about a CDXJ file itself."""
    return not line.strip() or line[:1] in (b"!", b"@") or line.lstrip()[:4] in CDX_MARKS


def _parse_cdxj(line: bytes) -> Capture:
    _, time, data = line.split(b" ", 2)
    row = orjson.loads(data)
    if not isinstance(row, dict) or not {"url", "offset", "filename"} <= row.keys():
        raise ValueError("no url, offset or filename")
    return Capture(
        url=str(row["url"]),
        time=time.decode(),
        status=str(row.get("status", "")),
        mime=str(row.get("mime", "")),
        file=str(row["filename"]),
        offset=int(row["offset"]),
        length=int(row.get("length") or 0),
    )


def _to_url(key: str) -> str:
    """Return an address for the key of a page, which is a SURT (`org,example)/path`) or lacks the scheme only."""
    if "://" in key:
        return key
    host, bracket, path = key.partition(")")
    if not bracket or "/" in host:
        return f"http://{key}"
    name, colon, port = host.partition(":")
    return f"http://{'.'.join(reversed(name.strip(',').split(',')))}{colon}{port}{path}"


def read_layout(lines: Sequence[bytes]) -> Layout:
    """Return the layout of a file by its first lines. Raises ValueError where it is none, or lacks what is needed."""
    first = lines[0] if lines else b""
    captures = [line for line in lines if not is_header(line)]
    is_by_surt = not captures or any(map(is_surt, captures))
    if first.lstrip()[:4] in CDX_MARKS:
        delimiter = first[3:4] if first.startswith(b"CDX") else first[:1]
        legend = tuple(first.decode("ascii", "replace").split()[1:])
        missing = [
            name
            for name, letters in (("URL", "aNA"), ("date", "b"), ("offset", "Vv"), ("file", "g"))
            if not any(letter in legend for letter in letters)
        ]
        if missing:
            raise ValueError(f"its legend {' '.join(legend)} has no field for {', '.join(missing)}")
        return Layout(legend, delimiter.decode(), is_by_surt and legend[0] in KEYS)
    for line in captures:
        fields = line.rstrip(b"\r\n").split(b" ")
        if len(fields) > 2 and fields[2].startswith(b"{"):
            if all(map(_lacks_place, captures)):
                raise ValueError("CDXJ without url, offset and filename")
            return Layout(None, is_by_surt=is_by_surt)
        if len(fields) in LEGENDS and fields[1].isdigit():
            return Layout(LEGENDS[len(fields)], is_by_surt=is_by_surt)
    raise ValueError("neither CDX nor CDXJ")


def _lacks_place(line: bytes) -> bool:
    """Return whether a line of CDXJ is whole and does not say where its capture is."""
    try:
        row = orjson.loads(line.split(b" ", 2)[-1])
    except orjson.JSONDecodeError:
        return False
    return isinstance(row, dict) and not row.keys() >= {"url", "offset", "filename"}


def is_surt(line: bytes) -> bool:
    """Return whether a line begins with a SURT key, as opposed to a plain address."""
    key = line.split(b" ", 1)[0].split(b"\t", 1)[0]
    host, bracket, _ = key.partition(b")")
    return bool(bracket) and b"/" not in host
