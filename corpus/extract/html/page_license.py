"""Find the licence that a web page states for itself."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from corpus.extract.creative_commons import find_cc_license

CREATIVE_COMMONS_HOST = "creativecommons.org"
"""A page without it states no Creative Commons licence in a form that can be distinguished from text about one."""

_META = re.compile(
    r"(?:dc(?:terms)?[.:])?(?:rights|license|licence|rights\.license)|cc:license|copyright", re.IGNORECASE
)
_JSON = re.compile(
    r'"licen[cs]e"\s*:\s*(?:"([^"]{1,300})"|\{[^{}]{0,400}?"(?:@id|url)"\s*:\s*"([^"]{1,300})")'
)
_FOOT = re.compile(
    r"(?:^|[\s_-])(?:foot(?:er)?|colophon|copyright|licen[cs]e|legal)(?:$|[\s_-])", re.IGNORECASE
)
_PICTURE = re.compile(r"caption|credit|photo|image|figure|gallery|thumb", re.IGNORECASE)
MAX_EXAMINED_ELEMENTS = 200
"""Links, and meta elements, that are examined."""


def find_page_licenses(tree: HtmlElement) -> list[str]:
    """Return the different Creative Commons licences of a page, by their SPDX names, sorted; one alone is its licence.

    A statement is a link with `rel=license`, a `license` of JSON-LD, microdata or a meta element; if there is
    none, a link to a licence in what looks like the page's footer. Licences of pictures are not the page's.
    """
    strong: set[str | None] = set()
    links = tree.xpath(
        "(//a | //link | //area)[contains(translate(@href, 'CO', 'co'), 'creativecommons.org/')]"
    )
    for link in links[:MAX_EXAMINED_ELEMENTS]:
        rel = str(link.get("rel") or "").lower().split()
        marked = "license" in rel or "license" in str(link.get("itemprop") or "").lower()
        if marked and not _is_of_picture(link):
            strong.add(find_cc_license(str(link.get("href"))))
    for meta in tree.xpath("//meta[@content]")[:MAX_EXAMINED_ELEMENTS]:
        name = str(meta.get("name") or meta.get("property") or meta.get("itemprop") or "")
        if _META.fullmatch(name) and CREATIVE_COMMONS_HOST in str(meta.get("content")):
            strong.add(find_cc_license(str(meta.get("content"))))
    for script in tree.xpath("//script[contains(@type, 'ld+json')]")[:20]:
        for match in _JSON.finditer(str(script.text or "").replace("\\/", "/")):
            strong.add(find_cc_license(match[1] or match[2]))
    licenses = strong - {None} or {
        find_cc_license(str(link.get("href"))) for link in links[:MAX_EXAMINED_ELEMENTS] if _is_in_foot(link)
    } - {None}
    return sorted(name for name in licenses if name is not None)


def _list_ancestors(element: HtmlElement) -> list[tuple[str, str]]:
    """Return (tag, class and id) of an element and its ancestors, the nearest first, without html and body."""
    around = [element, *element.iterancestors()]
    return [
        (str(node.tag), f"{node.get('class') or ''} {node.get('id') or ''}")
        for node in around
        if node.tag not in ("html", "body", "main", "article")
    ]


def _is_of_picture(link: HtmlElement) -> bool:
    return any(
        tag in ("figure", "figcaption") or _PICTURE.search(names) for tag, names in _list_ancestors(link)[:4]
    )


def _is_in_foot(link: HtmlElement) -> bool:
    return not _is_of_picture(link) and any(
        tag == "footer" or _FOOT.search(names) for tag, names in _list_ancestors(link)
    )
