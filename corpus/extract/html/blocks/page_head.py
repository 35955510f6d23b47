"""Read what a page states of itself for machines: its kind, how its text begins, and its text, if it is given whole.

These are `og:type`, the description, and the types and `articleBody` of JSON-LD. They are looked for in the bytes of
the page, wherever they stand, since authors put them also below the head: a search for a name costs next to nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

MIN_BEGINNING_BYTES = 24
"""Bytes of a description's beginning that is looked for in blocks."""
MAX_BEGINNING = 40
"""Characters of it that are."""
MAX_TRIED = 12
"""Places of a name that are looked at: scripts may have it a thousand times."""
MAX_META_BYTES = 1 << 18
"""Bytes of a page in which its `meta` elements are looked for."""
MAX_SCRIPTS = 6
MAX_SCRIPT_BYTES = 1 << 20
"""Bytes of a script of data that are looked at."""

KINDS = ("article", "website", "product", "Article", "Product", "Forum", "List")
"""Kinds of page that are told apart: three of Open Graph, then four of schema.org."""
_GRAPH_KINDS = {
    b"article": 0, b"blog": 0, b"news": 0, b"website": 1, b"product": 2, b"og:product": 2, b"product.item": 2,
}  # fmt: skip
_SCHEMA_KINDS = {
    3: (b"Article", b"Posting", b"Recipe", b"Review"),
    4: (b"Product", b"ProductGroup", b"Offer"),
    5: (b"DiscussionForumPosting", b"QAPage", b"Question", b"Answer"),
    6: (b"CollectionPage", b"ItemList", b"SearchResultsPage", b"OfferCatalog"),
}
_META = re.compile(rb"""<meta\b((?:[^>"']|"[^"]*"|'[^']*')*)>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"""\b(name|property|itemprop|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_TYPES = re.compile(rb'"@type"\s*:\s*(?:"(\w+)"|\[([^\]]{0,200})\])')
_WORD = re.compile(rb"\w+")
_BODY = re.compile(rb'"(?:articleBody|reviewBody)"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class PageHead:
    """What a page states of itself: which of `KINDS` it is, how its descriptions begin, and its text, if given."""

    kinds: tuple[bool, ...] = (False,) * len(KINDS)
    beginnings: tuple[str, ...] = ()
    body: str = ""

    @property
    def is_article(self) -> bool:
        """Return whether the page states that it is an article, and nothing else but a web site."""
        graph, _, product, *schema = self.kinds
        return (graph or schema[0]) and not (product or any(schema[1:]))


NO_HEAD = PageHead()


def read_head(data: bytes) -> PageHead:
    """Return what a page, in UTF-8, states of itself."""
    kinds = [False] * len(KINDS)
    stated = next(_find_contents(data, b"og:type", (b"og:type",)), b"").strip().lower()
    kind = _GRAPH_KINDS.get(stated)
    if kind is not None:
        kinds[kind] = True
    names = (b"description", b"og:description", b"twitter:description")
    beginnings = dict.fromkeys(
        beginning
        for content in _find_contents(data, b"escription", names)
        if (beginning := _begin(content)) is not None
    )
    body = ""
    for script in _find_scripts(data):
        for match in _TYPES.finditer(script):
            types = _WORD.findall(match[1] or match[2])
            for kind, endings in _SCHEMA_KINDS.items():
                if any(name in endings or (kind == 3 and name.endswith(endings[:2])) for name in types):
                    kinds[kind] = True
        if not body and (match_body := _BODY.search(script)):
            body = _read_string(match_body[1])
    return PageHead(tuple(kinds), tuple(beginnings), body)


def _find_contents(data: bytes, word: bytes, names: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield the contents of `meta` elements of some names, which have a word in common."""
    at = -1
    for _ in range(MAX_TRIED):
        at = data.find(word, at + 1, MAX_META_BYTES)
        if at < 0:
            return
        begin = data.rfind(b"<", max(0, at - 1000), at)
        match = _META.match(data, begin, begin + 10_000) if begin >= 0 else None
        if match is None:
            continue
        is_named, content = False, b""
        for key, *values in _ATTRIBUTE.findall(match[1]):
            value = b"".join(values)
            if key.lower() == b"content":
                content = value
            else:
                is_named = is_named or value.strip().lower() in names
        if is_named:
            yield content


def _begin(content: bytes) -> str | None:
    """Return the beginning of a description, with spaces as blocks have them; None if it is too short to tell."""
    text = content[: 8 * MAX_BEGINNING].decode("utf-8", "ignore")
    beginning = " ".join(unescape(text).split())[:MAX_BEGINNING]
    if len(beginning) < MAX_BEGINNING:
        beginning = beginning.rstrip(".…")
    return beginning if len(beginning.encode("utf-8", "replace")) >= MIN_BEGINNING_BYTES else None


def _find_scripts(data: bytes) -> Iterator[bytes]:
    """Yield the scripts of JSON-LD."""
    at = 0
    for _ in range(MAX_SCRIPTS):
        at = data.find(b"ld+json", at)
        if at < 0:
            return
        end = data.find(b"</script", at)
        end = len(data) if end < 0 else end
        yield data[at : min(end, at + MAX_SCRIPT_BYTES)]
        at = end


def _read_string(written: bytes) -> str:
    """Return a string of JSON with its spaces as blocks have them; nothing if it is none."""
    try:
        return " ".join(str(json.loads(written, strict=False)).split())
    except ValueError:
        return ""
