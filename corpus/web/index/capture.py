"""Describe a capture, and choose which one of several to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Choice = Literal["newest", "nearest"]
REVISIT_MEDIA_TYPE = "warc/revisit"
OFFSET_LIMIT = 1 << 62
"""No file has an offset or a record of as many bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One capture of a page: `length` bytes (0: not known) at `offset` of `file`; `time` is YYYYMMDDhhmmss.

    `metadata` goes to the document. Raises ValueError for a place that cannot be: an index may be damaged or hostile.
    """

    url: str
    time: str
    status: str
    mime: str
    file: str
    offset: int
    length: int
    metadata: dict[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        check_place(self.file, self.offset, self.length)

    @property
    def is_page(self) -> bool:
        """Whether it holds a page: status 2xx, or none given, and not only a mark that nothing changed."""
        return self.mime != REVISIT_MEDIA_TYPE and (self.status[:1] == "2" or self.status in ("", "-"))


def check_place(file: str, offset: int, length: int) -> None:
    """Raise ValueError where an index names what is no file below a folder, or no range of bytes."""
    if not 0 <= offset < OFFSET_LIMIT or not 0 <= length < OFFSET_LIMIT:
        raise ValueError("no range of bytes")
    if not file or file.startswith("/") or "\0" in file or "://" in file or ".." in file.split("/"):
        raise ValueError(f"not the name of a file in an archive: {file[:200]!r}")


def choose_capture(captures: Iterable[Capture], choice: Choice, submitted: datetime | None) -> Capture:
    """Return the newest capture, or the one nearest to `submitted` (the newest where that is not known).

    Those that hold no page come last. Ties are decided for the later one, then for the first by file and offset, so the
    order of `captures` changes nothing.
    """

    def rank(capture: Capture) -> tuple[object, ...]:
        at = to_seconds(capture.time)
        place = (capture.file, capture.offset)
        if choice == "nearest" and submitted is not None:
            return (not capture.is_page, abs(at - submitted.timestamp()), -at, *place)
        return (not capture.is_page, -at, *place)

    return min(captures, key=rank)


def to_seconds(time: str) -> float:
    """Return the seconds since 1970 of YYYYMMDDhhmmss, or of its beginning; 0 for what is no time."""
    digits = (time + "00000101000000"[len(time) :])[:14] if len(time) >= 4 else ""
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
