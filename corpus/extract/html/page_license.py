"""Find the licence that a web page states for itself."""

from __future__ import annotations

import json
import re
from typing import Any

from lxml import etree
from lxml.html import HtmlElement

from corpus.extract.creative_commons import find_cc_license, is_denied, is_of_part

CREATIVE_COMMONS_HOST = "creativecommons.org"
"""A page without it states no Creative Commons licence in a form that can be distinguished from text about one."""

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
MAX_SENTENCE_CHARACTERS = 300
_FOOT = re.compile(
    r"(?:^|[\s_-])(?:foot(?:er)?|colophon|copyright|licen[cs]e|legal)(?:$|[\s_-])", re.IGNORECASE
)
_PICTURE = re.compile(r"caption|credit|photo|image|figure|gallery|thumb", re.IGNORECASE)
MAX_EXAMINED_ELEMENTS = 200
"""Links, and meta elements, that are examined."""


def find_page_licenses(tree: HtmlElement) -> list[str]:
    """Return the different Creative Commons licences of a page, by their SPDX names, sorted; one alone is its licence.

    A statement is a link with `rel=license`, a `license` of JSON-LD, microdata or a meta element; if there is
    none, a link to a licence in what looks like the page's footer. Licences of pictures are not the page's, and a link
    in a sentence that denies the licence, or reserves all rights, states none.
    """
    strong: set[str | None] = set()
    links = tree.xpath(
        "(//a | //link | //area)[contains(translate(@href, 'CO', 'co'), 'creativecommons.org/')]"
    )
    for link in links[:MAX_EXAMINED_ELEMENTS]:
        rel = str(link.get("rel") or "").lower().split()
        marked = "license" in rel or "license" in str(link.get("itemprop") or "").lower()
        if marked and not _is_of_picture(link) and not _is_refused(link):
            strong.add(find_cc_license(str(link.get("href"))))
    for meta in tree.xpath("//meta[@content]")[:MAX_EXAMINED_ELEMENTS]:
        name = str(meta.get("name") or meta.get("property") or meta.get("itemprop") or "")
        if _META.fullmatch(name) and CREATIVE_COMMONS_HOST in str(meta.get("content")):
            strong.add(find_cc_license(str(meta.get("content"))))
    for script in tree.xpath("//script[contains(@type, 'ld+json')]")[:20]:
        strong.update(map(find_cc_license, _read_linked_data(str(script.text or ""))))
    licenses = strong - {None} or {
        find_cc_license(str(link.get("href"))) for link in links[:MAX_EXAMINED_ELEMENTS] if _is_in_foot(link)
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


def _is_refused(link: HtmlElement) -> bool:
    """Return whether the sentence around a link denies the licence, reserves all rights, or is about a part."""
    block = link
    while (parent := block.getparent()) is not None and parent.tag not in ("body", "html"):
        block = parent
        if block.tag in ("p", "div", "footer", "li", "td", "section", "small", "aside"):
            break
    if block is link:
        return False
    pieces: list[str] = []
    before = ""
    for event, node in _walk(block):
        if node is link and event == "start":
            before = "".join(pieces)
        if event == "start":
            pieces.append(str(node.text or "") if isinstance(node.tag, str) else "")
        elif node is not block:
            pieces.append(str(node.tail or ""))
    text = "".join(pieces)
    if len(text) > 10 * MAX_SENTENCE_CHARACTERS:
        return False
    after = text[len(before) + len(str(link.text_content())) :]
    sentence = re.split(r"(?<=[.!?])\s|[\u3002|\u00b7\u2022]", before)[-1]
    return (
        is_denied(sentence, after[:MAX_SENTENCE_CHARACTERS]) or is_denied("", before) or is_of_part(sentence)
    )


def _walk(block: HtmlElement) -> Any:
    return etree.iterwalk(block, events=("start", "end"))


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
    return (
        not _is_of_picture(link)
        and not _is_refused(link)
        and any(tag == "footer" or _FOOT.search(names) for tag, names in _list_ancestors(link))
    )
