"""Read what a page states of itself for machines: its kind, how its text begins, and its text, if it is given whole.

These are `og:type`, the description, and the types and `articleBody` of JSON-LD. They are looked for in the whole page,
since authors put them also below the head.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any, NamedTuple

MIN_BEGINNING_BYTES = 24
"""Bytes of a description's beginning that is looked for in blocks."""
MAX_BEGINNING = 40
"""Characters of it that are."""
MAX_METAS = 300
"""Names of contents that are looked at."""
MAX_SCRIPTS = 6
MAX_SCRIPT_CHARACTERS = 1 << 20
"""Characters of a script of data that are looked at."""
STATEMENTS = 'meta, script[type*="ld+json"]'
"""The elements that state it. All `meta` are found faster than those of some names."""

FoundElement = tuple[Any, str, dict[str, str | None]]
"""An element of lexbor's, its tag and its attributes, which are made anew whenever they are asked for."""

KINDS = ("article", "website", "product", "Article", "Product", "Forum", "List")
"""Kinds of page that are told apart: three of Open Graph, then four of schema.org."""
_GRAPH_KINDS = {
    "article": 0, "blog": 0, "news": 0, "website": 1, "product": 2, "og:product": 2, "product.item": 2,
}  # fmt: skip
_SCHEMA_KINDS = {
    3: ("Article", "Posting", "Recipe", "Review"),
    4: ("Product", "ProductGroup", "Offer"),
    5: ("DiscussionForumPosting", "QAPage", "Question", "Answer"),
    6: ("CollectionPage", "ItemList", "SearchResultsPage", "OfferCatalog"),
}
_DESCRIPTIONS = ("description", "og:description", "twitter:description")
_NAMES = {
    "property": ("og:type", *_DESCRIPTIONS),
    "name": ("og:type", *_DESCRIPTIONS),
    "itemprop": ("description",),
}
"""What is read of a `meta` element, by the attribute that names it."""
_TYPES = re.compile(r'"@type"\s*:\s*(?:"(\w+)"|\[([^\]]{0,200})\])')
_WORD = re.compile(r"\w+")
_BODY = re.compile(r'"(?:articleBody|reviewBody)"\s*:\s*("(?:[^"\\]|\\.)*")')


class PageHead(NamedTuple):
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


def read_head(elements: Sequence[FoundElement]) -> PageHead:
    """Return what a page states of itself, by elements of it: those of `STATEMENTS` and, as it comes, others."""
    kinds = [False] * len(KINDS)
    metas, scripts = _gather(elements)
    kind = _GRAPH_KINDS.get(
        next((content for name, content in metas if name == "og:type"), "").strip().lower()
    )
    if kind is not None:
        kinds[kind] = True
    beginnings = dict.fromkeys(
        beginning
        for name, content in metas
        if name in _DESCRIPTIONS and (beginning := _begin(content)) is not None
    )
    body = ""
    for script in scripts:
        for match in _TYPES.finditer(script):
            types = _WORD.findall(match[1] or match[2])
            for kind, endings in _SCHEMA_KINDS.items():
                if any(name in endings or (kind == 3 and name.endswith(endings[:2])) for name in types):
                    kinds[kind] = True
        if not body and (match_body := _BODY.search(script)):
            body = _read_string(match_body[1])
    return PageHead(tuple(kinds), tuple(beginnings), body)


def _gather(elements: Sequence[FoundElement]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the names and contents of `meta` elements that are read, and the scripts of JSON-LD."""
    metas: list[tuple[str, str]] = []
    scripts: list[str] = []
    for element, tag, attributes in elements:
        if tag == "script":
            if len(scripts) < MAX_SCRIPTS and "ld+json" in (attributes.get("type") or ""):
                scripts.append(element.text()[:MAX_SCRIPT_CHARACTERS])
        elif tag == "meta" and len(metas) < MAX_METAS:
            metas += list_contents(attributes)
    return metas, scripts


def list_contents(attributes: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Return (name, content) of each name by which a `meta` element of these attributes is read."""
    content = attributes.get("content")
    if not content:
        return []
    return [
        (stated, content)
        for name, names in _NAMES.items()
        if (written := attributes.get(name)) and (stated := written.strip().lower()) in names
    ]


def _begin(content: str) -> str | None:
    """Return the beginning of a description, with spaces as blocks have them; None if it is too short to tell."""
    beginning = " ".join(unescape(content[: 8 * MAX_BEGINNING]).split())[:MAX_BEGINNING]
    if len(beginning) < MAX_BEGINNING:
        beginning = beginning.rstrip(".…")
    return beginning if len(beginning.encode("utf-8", "replace")) >= MIN_BEGINNING_BYTES else None


def _read_string(written: str) -> str:
    """Return a string of JSON with its spaces as blocks have them; nothing if it is none."""
    try:
        return " ".join(str(json.loads(written, strict=False)).split())
    except ValueError:
        return ""
