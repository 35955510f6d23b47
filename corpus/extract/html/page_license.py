"""Find the licence that a web page states for itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from corpus.extract.creative_commons import CREATIVE_COMMONS_HOST, find_cc_license, is_denied, is_of_part
from corpus.extract.html.page_depth import is_too_deep

_META = re.compile(
    r"(?:dc(?:terms)?[.:])?(?:rights|license|licence|rights\.license)|cc:license|copyright", re.IGNORECASE
)
_JSON = re.compile(
    r'"licen[cs]e"\s*:\s*(?:"([^"]{1,300})"|\{[^{}]{0,400}?"(?:@id|url)"\s*:\s*"([^"]{1,300})")'
)
_MEDIA_TYPES = frozenset(
    {"ImageObject", "Photograph", "VideoObject", "AudioObject", "MusicRecording", "Dataset", "MediaObject"}
)
"""Types of linked data that are a part of a page."""
MAX_LINKED_DATA_DEPTH = 20
MAX_SCRIPTS = 20
MAX_SENTENCE_CHARACTERS = 300
_FOOT = re.compile(
    r"(?:^|[\s_-])(?:foot(?:er)?|colophon|copyright|licen[cs]e|legal)(?:$|[\s_-])", re.IGNORECASE
)
_PICTURE = re.compile(r"caption|credit|photo|image|figure|gallery|thumb", re.IGNORECASE)
MAX_EXAMINED_ELEMENTS = 200
"""Links, and meta elements, that are examined."""


_LINKS = ", ".join(f'{name}[href*="{CREATIVE_COMMONS_HOST}/" i]' for name in ("a", "link", "area"))
_NAMES = ("name", "property", "itemprop")
_SENTENCE_BLOCKS = ("p", "div", "footer", "li", "td", "section", "small", "aside")


def parse_page_licenses(html: str) -> list[str]:
    """Return the licences of a page: see `find_page_licenses`. One that nests too deep for lexbor states none."""
    data = html.encode("utf-8", "replace")
    return [] if is_too_deep(data) else find_page_licenses(LexborHTMLParser(data))


def find_page_licenses(tree: Any) -> list[str]:
    """Return the different Creative Commons licences of a page, a tree of lexbor's, by their SPDX names, sorted; one
    alone is its licence.

    A statement is a link with `rel=license`, a `license` of JSON-LD, microdata or a meta element; if there is
    none, a link to a licence in what looks like the page's footer. Licences of pictures are not the page's, and a link
    in a sentence that denies the licence, or reserves all rights, states none.
    """
    strong: set[str | None] = set()
    links = tree.css(_LINKS)[:MAX_EXAMINED_ELEMENTS]
    for link in links:
        attributes = link.attributes
        rel = (attributes.get("rel") or "").lower().split()
        marked = "license" in rel or "license" in (attributes.get("itemprop") or "").lower()
        if marked and not _is_of_picture(link) and not _is_refused(link):
            strong.add(find_cc_license(attributes["href"]))
    for meta in tree.css("meta[content]")[:MAX_EXAMINED_ELEMENTS]:
        attributes = meta.attributes
        name = next(filter(None, map(attributes.get, _NAMES)), "")
        content = attributes["content"] or ""
        if CREATIVE_COMMONS_HOST in content and _META.fullmatch(name):
            strong.add(find_cc_license(content))
    for script in tree.css('script[type*="ld+json" i]')[:MAX_SCRIPTS]:
        strong.update(map(find_cc_license, _read_linked_data(script.text())))
    licenses = strong - {None} or {
        find_cc_license(link.attributes["href"]) for link in links if _is_in_foot(link)
    } - {None}
    return sorted(name for name in licenses if name is not None)


def _read_linked_data(text: str) -> list[str]:
    """Return the values of `license` in JSON-LD, without those of pictures and other media."""
    if "license" not in text and "licence" not in text:
        return []
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        if any(name in text for name in _MEDIA_TYPES):
            return []
        return [match[1] or match[2] for match in _JSON.finditer(text.replace("\\/", "/"))]
    return _collect_licenses(data, 0)


def _collect_licenses(data: Any, depth: int) -> list[str]:
    if depth > MAX_LINKED_DATA_DEPTH:
        return []
    if isinstance(data, list):
        return [license for entry in data for license in _collect_licenses(entry, depth + 1)]
    if not isinstance(data, dict):
        return []
    types = data.get("@type")
    if _MEDIA_TYPES.intersection(map(str, types if isinstance(types, list) else [types])):
        return []
    licenses: list[str] = []
    for name, value in data.items():
        if name in ("license", "licence"):
            for one in value if isinstance(value, list) else [value]:
                stated = one.get("@id") or one.get("url") if isinstance(one, dict) else one
                if isinstance(stated, str):
                    licenses.append(stated)
        else:
            licenses += _collect_licenses(value, depth + 1)
    return licenses


def _is_refused(link: Any) -> bool:
    """Return whether the sentence around a link denies the licence, reserves all rights, or is about a part."""
    block = next((node for node in _iter_ancestors(link) if node.tag in _SENTENCE_BLOCKS), None)
    if block is None:
        *_, block = (link, *_iter_ancestors(link))
        if block is link:
            return False
    pieces: list[str] = []
    before = ""
    for node in block.traverse(include_text=True):
        if node.mem_id == link.mem_id:
            before = "".join(pieces)
        elif node.tag == "-text":
            pieces.append(node.text())
    text = "".join(pieces)
    if len(text) > 10 * MAX_SENTENCE_CHARACTERS:
        return False
    after = text[len(before) + len(link.text()) :]
    sentence = re.split(r"(?<=[.!?])\s|[\u3002|\u00b7\u2022]", before)[-1]
    return (
        is_denied(sentence, after[:MAX_SENTENCE_CHARACTERS]) or is_denied("", before) or is_of_part(sentence)
    )


def _iter_ancestors(element: Any) -> Iterator[Any]:
    """Yield what is around an element, the nearest first, without html and body."""
    while (element := element.parent) is not None and element.tag not in ("html", "body"):
        yield element


def _list_names(link: Any) -> list[tuple[str, str]]:
    """Return (tag, class and id) of a link and of what is around it, the nearest first."""
    around = [node for node in (link, *_iter_ancestors(link)) if node.tag not in ("main", "article")]
    return [
        (node.tag, f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}")
        for node in around
    ]


def _is_of_picture(link: Any) -> bool:
    return any(
        tag in ("figure", "figcaption") or _PICTURE.search(names) for tag, names in _list_names(link)[:4]
    )


def _is_in_foot(link: Any) -> bool:
    return (
        not _is_of_picture(link)
        and not _is_refused(link)
        and any(tag == "footer" or _FOOT.search(names) for tag, names in _list_names(link))
    )
