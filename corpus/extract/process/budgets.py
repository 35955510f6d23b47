"""Limit what one document may cost: by a linear scan before it is parsed, and by the operating system meanwhile."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.document import Record

MARKUP_MEDIA_TYPES = re.compile(
    r"text/html|text/x-news|application/xhtml\+xml|(?:application|text)/(?:[\w.-]+\+)?xml"
)
"""Media types whose tags are counted."""

RETRY_BUDGET_FACTOR = 4
"""What budgets are multiplied by each time that quarantine is tried again."""

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9:_-]{0,40}")
_NAME_BYTES = np.zeros(256, np.uint8)
"""Bytes of names -> the same in lower case, all others -> 0."""
for _byte in b"abcdefghijklmnopqrstuvwxyz0123456789:_-":
    _NAME_BYTES[_byte] = _byte
    _NAME_BYTES[ord(chr(_byte).upper())] = _byte
_PACKED = 8
"""Bytes of a name that are packed into a number."""
_EACH_BYTE = np.uint64(0x0101010101010101)
_SCRIPT, _SCRIPT_BYTES = (np.uint64(int.from_bytes(name, "little")) for name in (b"script", b"\xff" * 6))
MAX_TAG_ATTRIBUTES = 10_000
"""Of one tag. libxml2 compares each with all before it: 10,000 take .2 s, 200,000 take minutes."""
LONG_TAG_BYTES = 2 * MAX_TAG_ATTRIBUTES
_ATTRIBUTE = rb"""[^\s=>/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']*+))?+"""
_ATTRIBUTES = re.compile(rb"<[A-Za-z][^\s>/]*+((?:[\s/=]++|" + _ATTRIBUTE + rb")*+)")
_BETWEEN = [b" ", b"\n", b"\t", b"\r", b"\f", b"/", b"="]
"""What stands between two attributes, or in each."""
_EACH = re.compile(_ATTRIBUTE)
_VOID = frozenset(
    b"area base br col embed frame hr img input link meta param source track wbr basefont isindex keygen".split()
)
_CLOSED_BY_THE_NEXT = frozenset(
    b"p li dt dd option optgroup tr td th thead tbody tfoot colgroup rp rt".split()
)
"""An unclosed one nests no deeper: libxml2 closes it before its like, or before a block."""
_CLOSED_INSIDE = ((b"ruby", (b"rp", b"rt")), (b"select", (b"optgroup",)))
"""Those of them that the next one closes inside of an element alone: without one they nest."""


def _pack(name: bytes) -> int:
    return int.from_bytes(name.ljust(_PACKED, b"\0"), "little")


_UNNESTED = np.array(sorted(map(_pack, _VOID | _CLOSED_BY_THE_NEXT)), np.int64)


@dataclass(frozen=True, kw_only=True)
class Budgets:
    """Hold the limits of one document.

    `max_bytes` of it (archives may hold large pictures; sources have limits of their own), `max_text` in characters of
    its text, `max_tags`, `max_depth` of tags open at the same time, `memory` in bytes beyond what the parser holds
    before it, `seconds` of processor time.
    """

    max_bytes: int = 256 << 20
    max_text: int = 32 << 20
    max_tags: int = 1_000_000
    max_depth: int = 2_000
    memory: int = 1 << 30
    seconds: float = 30.0

    @property
    def wall_seconds(self) -> float:
        """Seconds after which a document that takes no processor time either is abandoned."""
        return 5 * self.seconds

    def multiply_by(self, factor: int) -> Budgets:
        """Multiply every budget, except `max_depth`: libxml2 silently loses what is deeper than 2,048."""
        return Budgets(
            max_bytes=self.max_bytes * factor,
            max_text=self.max_text * factor,
            max_tags=self.max_tags * factor,
            max_depth=self.max_depth,
            memory=self.memory * factor,
            seconds=self.seconds * factor,
        )


def find_exceeded_budget(record: Record, budgets: Budgets) -> tuple[str, str] | None:
    """Return (reason, error) of a record over a budget that is visible before parsing, else None.

    One pass at memory speed; pages that open more tags than `max_depth` (few) take one more. 0.1 ms a page of 150 KB.
    """
    body = record.body
    if len(body) > budgets.max_bytes:
        unit = "bytes" if isinstance(body, bytes) else "characters"
        return "bytes", f"{len(body):,} {unit}, over max_bytes, {budgets.max_bytes:,}"
    if MARKUP_MEDIA_TYPES.fullmatch(record.media_type) is None:
        return None
    page = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    codes = np.frombuffer(page, np.uint8)
    places = np.flatnonzero(codes == ord("<"))  # half the time of count()
    tags = len(places)
    attributes = count_most_attributes(page, places) if len(page) > LONG_TAG_BYTES else 0
    if attributes > MAX_TAG_ATTRIBUTES:
        return "tags", f"a tag of {attributes:,} attributes, over {MAX_TAG_ATTRIBUTES:,}"
    if tags > budgets.max_tags:
        return "tags", f"{tags:,} tags, over max_tags, {budgets.max_tags:,}"
    if tags > budgets.max_depth:
        ends = np.count_nonzero(codes.take(places + 1, mode="clip") == ord("/"))
        depth = measure_nesting(page, places) if tags - ends > budgets.max_depth else 0
        if depth > budgets.max_depth:
            return "depth", f"tags nested {depth:,} deep, over max_depth, {budgets.max_depth:,}"
    return None


def count_most_attributes(page: bytes, places: npt.NDArray[np.intp]) -> int:
    """Return the most attributes of any tag, if these are more than `MAX_TAG_ATTRIBUTES`; `places` is where `<` is.

    An image in an attribute makes a long tag, too: linear, whatever it contains.
    """
    bounds = np.append(places, len(page))
    most = 0
    for at in np.flatnonzero(np.diff(bounds) > LONG_TAG_BYTES):
        tag = _ATTRIBUTES.match(page, int(bounds[at]), int(bounds[at + 1]))
        if tag is None or len(tag[1]) <= LONG_TAG_BYTES:  # most are scripts, short tags before long texts
            continue
        if sum(map(tag[1].count, _BETWEEN)) > MAX_TAG_ATTRIBUTES:
            most = max(most, len(_EACH.findall(tag[1])))
    return most


def measure_nesting(page: bytes, places: npt.NDArray[np.intp] | None = None) -> int:
    """Return how deep tags are nested, about: comments, void elements and those that the next one closes do not count.

    An end tag closes a tag of its name alone, as it does for the parser. `places` is where `<` is, if that is known.
    .6 ms for 500 KB of HTML.
    """
    if b"\0" in page[:1024]:  # UTF-16 and UTF-32, near enough
        page, places = page.replace(b"\0", b""), None
    if places is None:
        places = np.flatnonzero(np.frombuffer(page, np.uint8) == ord("<"))
    names, are_ends = _list_tags(page, places)
    # A sixth of the time of `isin`.
    nested = _UNNESTED.take(_UNNESTED.searchsorted(names), mode="clip") != names
    for around, inside in _CLOSED_INSIDE:
        if not (names == _pack(around)).any():
            nested |= np.isin(names, list(map(_pack, inside)))
    names, are_ends = names[nested], are_ends[nested]
    if not len(names):
        return 0
    order = np.argsort(names, kind="stable")  # tags of a name together
    begins = np.flatnonzero(np.diff(names[order], prepend=~names[order[0]]))
    group = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(names)))
    steps = 1 - 2 * are_ends[order].astype(np.int64)
    sums = np.cumsum(steps)
    opened = sums - (sums - steps)[begins][group]
    # The least of each name until then: those of the next begin below all of the one before.
    below = group * (2 * len(names))
    least = np.minimum.accumulate(opened - below) + below
    opened -= np.minimum(least, 0)  # ends of what nothing has opened
    steps[1:] = np.diff(opened)
    steps[begins] = opened[begins]
    in_place = np.empty_like(steps)
    in_place[order] = steps
    return int(np.cumsum(in_place).max(initial=0))


def _list_tags(
    page: bytes, places: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the names of the tags of a page that are not in comments, as numbers, and which are end tags. Names of up
    to `_PACKED` bytes are packed in theirs, longer ones have negative numbers."""
    codes = np.frombuffer(page, np.uint8)
    seconds = codes.take(places + 1, mode="clip")
    are_ends = seconds == ord("/")
    begins = places + 1 + are_ends
    first_letters = codes.take(begins, mode="clip") | 0x20
    are_tags = (first_letters >= ord("a")) & (first_letters <= ord("z"))
    declared = places[seconds == ord("!")].tolist()
    begins, are_ends = begins[are_tags], are_ends[are_tags]
    packed = _pack_names(page, begins)
    # The lowest byte that is 0 gets its highest bit; all below it are of the name.
    ends = (packed - _EACH_BYTE) & ~packed & (_EACH_BYTE << np.uint64(7))
    names = (packed & (ends & (~ends + np.uint64(1))) - np.uint64(1)).view(np.int64)
    behind = begins + _PACKED
    are_long = (ends == 0) & (behind < len(page)) & (_NAME_BYTES.take(codes.take(behind, mode="clip")) > 0)
    numbers: dict[bytes, int] = {}
    for at in np.flatnonzero(are_long):
        name = _NAME.match(page, begins[at])
        assert name is not None
        names[at] = numbers.setdefault(name[0].lower(), -1 - len(numbers))
    if declared:
        scripts = (packed & _SCRIPT_BYTES) == _SCRIPT
        opened, closed = begins[scripts & ~are_ends].tolist(), begins[scripts & are_ends].tolist()
        if comments := list(_iter_comments(page, declared, opened, closed)):
            starts, stops = np.array(comments).T
            before = np.searchsorted(starts, begins, side="right") - 1
            shown = (before < 0) | (begins >= stops[before])
            names, are_ends = names[shown], are_ends[shown]
    return names, are_ends


def _pack_names(page: bytes, begins: npt.NDArray[np.intp]) -> npt.NDArray[np.uint64]:
    """Return the `_PACKED` bytes from each of some places on as a number: letters small, what is in no name 0."""
    inside = int(np.searchsorted(begins, len(page) - _PACKED, side="right"))
    packed = np.zeros(len(begins), np.uint64)
    if inside:
        windows = np.ndarray((len(page) - _PACKED + 1,), np.uint64, page, strides=(1,))
        packed[:inside] = windows[begins[:inside]]
    for at in range(inside, len(begins)):  # those that the page ends within
        packed[at] = int.from_bytes(page[begins[at] :].ljust(_PACKED, b"\0"), sys.byteorder)
    return _NAME_BYTES.take(packed.view(np.uint8)).view("<u8")


def _iter_comments(
    page: bytes, declared: list[int], opened: list[int], closed: list[int]
) -> Iterator[tuple[int, int]]:
    """Yield where comments begin and end, by where `<!` is and the names of scripts' start and end tags. One that is
    not closed ends with the page, one in a script with the script.

    `<!-->` and `<!--->` are whole.
    """
    passed = 0
    for begin in declared:
        if begin < passed or not page.startswith(b"<!--", begin):
            continue
        last, following = bisect_left(opened, begin) - 1, bisect_left(closed, begin)
        if last >= 0 and opened[last] > passed and (not following or closed[following - 1] < opened[last]):
            end = closed[following] - len("</") if following < len(closed) else len(page)
        else:
            end = page.find(b"-->", begin + 2)
            end = end + len("-->") if end >= 0 else len(page)
        yield begin, end
        passed = end
