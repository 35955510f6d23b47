"""Limit what one document may cost: by a linear scan before it is parsed, and by the operating system meanwhile."""

from __future__ import annotations

import re
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

_TAG = re.compile(rb"<(?:!--.*?(?:-->|\Z)|(/?)([A-Za-z][A-Za-z0-9:_-]{0,40})[^<>]*+(>?))", re.DOTALL)
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

    One pass at memory speed; pages with more tags than `max_depth` (few) take one more. 40 us a page of 150 KB.
    """
    body = record.body
    if len(body) > budgets.max_bytes:
        unit = "bytes" if isinstance(body, bytes) else "characters"
        return "bytes", f"{len(body):,} {unit}, over max_bytes, {budgets.max_bytes:,}"
    if MARKUP_MEDIA_TYPES.fullmatch(record.media_type) is None:
        return None
    page = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    opening = np.frombuffer(page, np.uint8) == ord("<")
    tags = int(np.count_nonzero(opening))  # 6 times as fast as count()
    attributes = count_most_attributes(page, opening) if len(page) > LONG_TAG_BYTES else 0
    if attributes > MAX_TAG_ATTRIBUTES:
        return "tags", f"a tag of {attributes:,} attributes, over {MAX_TAG_ATTRIBUTES:,}"
    if tags > budgets.max_tags:
        return "tags", f"{tags:,} tags, over max_tags, {budgets.max_tags:,}"
    if tags > budgets.max_depth:
        depth = measure_nesting(page)
        if depth > budgets.max_depth:
            return "depth", f"tags nested {depth:,} deep, over max_depth, {budgets.max_depth:,}"
    return None


def count_most_attributes(page: bytes, opening: npt.NDArray[np.bool_]) -> int:
    """Return the most attributes of any tag of more than `LONG_TAG_BYTES` bytes; `opening` is where `<` is.

    An image in an attribute makes such a tag: linear, whatever it contains.
    """
    places = np.append(np.flatnonzero(opening), len(page))
    most = 0
    for at in np.flatnonzero(np.diff(places) > LONG_TAG_BYTES):
        begin, end = int(places[at]), int(places[at + 1])
        if sum(page.count(separator, begin, end) for separator in _BETWEEN) <= MAX_TAG_ATTRIBUTES:
            continue
        tag = _ATTRIBUTES.match(page, begin, end)
        most = max(most, len(_EACH.findall(tag[1])) if tag else 0)
    return most


def measure_nesting(page: bytes) -> int:
    """Return how deep tags are nested, about: comments, void elements and those that the next one closes do not count.

    An end tag closes a tag of its name alone, as it does for the parser. 1.3 ms for 57 KB of XML.
    """
    if b"\0" in page[:1024]:  # UTF-16 and UTF-32, near enough
        page = page.replace(b"\0", b"")
    open_tags: dict[bytes, int] = {}
    depth = deepest = 0
    for end, name, _ in _TAG.findall(page):
        tag = name.lower()
        if not tag or tag in _VOID or tag in _CLOSED_BY_THE_NEXT:
            continue
        if not end:
            open_tags[tag] = open_tags.get(tag, 0) + 1
            depth += 1
            deepest = max(deepest, depth)
        elif open_tags.get(tag, 0) > 0:
            open_tags[tag] -= 1
            depth -= 1
    return deepest
