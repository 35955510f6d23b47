"""Extract the JATS (and NLM) full text of an article as its reader sees it, without its references.

Title, abstract, body, appendices and sections behind it; lists, boxes, captions, formulas as LaTeX, tables as lines
of `a | b`, footnotes of a paragraph behind it. Left out: the list of references, citations (names, years and numbers
that are part of a sentence are kept, in brackets of their own they are dropped), authors, affiliations, thanks and
declarations, notes behind the article and below tables, peer review (`sub-article`, unless it is a translation: that
is a document of its own). Licence, date, language, journal and kind of article come from the file.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.creative_commons import find_cc_license
from corpus.extract.dates import iso_date
from corpus.extract.pubmed.jats_body import (
    Walker,
    find_first,
    is_not_available,
    join_blocks,
    read_labels,
    read_title,
    split_names,
    text_at,
)
from corpus.formats.xml import XmlError, parse_tree

VERSION = 6
"""Raised when the text of some article changes."""

_OPENED = (
    b'<!DOCTYPE x SYSTEM "unread"><x xmlns:xlink="http://www.w3.org/1999/xlink"'
    b' xmlns:mml="http://www.w3.org/1998/Math/MathML" xmlns:ali="http://www.niso.org/schemas/ali/1.0/"'
    b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:oasis="http://docs.oasis-open.org/ns/table">'
)


SIDE_ABSTRACTS = split_names("graphical toc key-image short teaser web-summary video")

OWN_META = ("front-stub", "front/article-meta")
"""Where a sub-article says what it is."""

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

DECLARATION_TYPES = split_names(
    "supplementary-material supplementary-materials additional-information coi-statement coi author-contribution"
    " author-contributions funding funding-information financial-disclosure ethics-statement acknowledgement"
    " acknowledgements acknowledgments ref-list"
)
"""Kinds of sections behind an article that are about its making."""
_DECLARATION = re.compile(
    r"[\W\d]*(?:(?:declarations?|statements?|disclosures?) of |declara(?:ción|ção) de |déclaration (?:de|des) )?"
    r"(?:(?:potential |author(?:s)?['’]?s?['’]? |autoren)?(?:contribution|beitr[aä]g)|contributors|credit author"
    r"|acknowledge?ment|funding|financial|grant support|(?:competing|conflicts? of|duality of|declarations? of) "
    r"|interests?\b|disclosures?\b|(?:electronic )?supplement(?:ary|al) (?!(?:figure|table|note|method|text|result))"
    r"|supporting information|additional (?:information|files?)|danksagung|interessenkonflikt|förderung|finanzierung"
    r"|remerciement|financement|conflits? d|contributions? des auteurs|agradecimient|agradeciment"
    r"|financia(?:ción|mento)"
    r"|conflictos? de|conflitos? de|contribu(?:ción|ciones|ição|ições) d|ringraziament|благодарност|финансирован"
    r"|конфликт интерес|вклад автор|致谢|致謝|基金|利益冲突|利益衝突|作者贡献|作者貢獻|謝辞|利益相反|감사|이해\s?상충)"
)
"""The same by their titles, folded."""

_EMPTY_REFERENCE = re.compile(rb"<xref\b[^<>]*(?:/>|>\s*</xref>)")

_RETRACTED = re.compile(r"^\W*(?:RETRACTED|Retracted(?: article)?\s*:|WITHDRAWN)")


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the text of one article and what it states about itself. Raises XmlError if it is not an article.

    `translation` in the record's metadata requests that translated abstract (from 0) with its title instead,
    `translated_article` that translation of the whole article.
    """
    assert isinstance(record.body, bytes)
    root = _find_article(record.body)
    meta = find_first(root, "front/article-meta")
    if meta is None:
        meta = find_first(root, "front-stub")
    place = record.metadata.get("translation")
    if place is not None:
        return _extract_translation(root, meta, int(place))
    whole = record.metadata.get("translated_article")
    if whole is not None:
        return _extract_translated_article(root, meta, int(whole))
    article = ExtractedText(text="", license=_find_license(meta), metadata=_describe_article(root, meta))
    article.language = _read_language(root) or "en"
    if meta is not None:
        article.date = _find_publication_date(meta)
    labels = read_labels(root) if _EMPTY_REFERENCE.search(record.body) else {}
    article.text = _read_article(root, meta, labels)
    return article


def _read_article(root: Any, meta: Any, labels: dict[str, str]) -> str:
    """Return title, abstract, body and what goes on behind it, of an article or a sub-article.

    `labels` holds what references without text print.
    """
    walker = Walker(labels)
    if meta is not None:
        for title in meta.iterfind("title-group/*"):
            if title.tag in ("article-title", "subtitle") and not is_not_available("".join(title.itertext())):
                walker.add_block(title)
        for abstract in meta.iterfind("abstract"):
            if abstract.get("abstract-type") not in SIDE_ABSTRACTS and not is_not_available(
                "".join(abstract.itertext())
            ):
                walker.add_block(abstract)
    for part in root.iterfind("body"):
        _drop_declarations(part)
        walker.add_block(part)
    for part in root.iterfind("back/*"):
        if part.tag in ("app-group", "app") or (part.tag == "sec" and not _is_declaration(part)):
            walker.add_block(part)
        elif part.tag == "sec":
            for shown in part.iter("fig", "table-wrap"):
                walker.add_labelled(shown, shown.tag)
    for part in root.iterfind("floats-group"):
        walker.add_block(part)
    return join_blocks(walker.finish())


def _drop_declarations(body: Any) -> None:
    """Take the declarations that a body ends with out, but for their figures and tables."""
    for section in reversed(list(body.iterchildren("*"))):
        if section.tag != "sec" or not _is_declaration(section):
            return
        shown = list(section.iter("fig", "table-wrap"))
        body.remove(section)
        body.extend(shown)


def _is_declaration(section: Any) -> bool:
    """Return whether a section at the end thanks, funds, declares or lists files, as journals demand it."""
    kind = (section.get("sec-type") or "").casefold()
    title = (text_at(section, "title") or "").casefold()
    return kind in DECLARATION_TYPES or _DECLARATION.match(title) is not None


def _read_language(element: Any) -> str | None:
    """Return the language of an element; `EN` is `en`."""
    language: str | None = element.get(_LANGUAGE)
    return language.lower() if language and language.isupper() else language


def _extract_translated_article(root: Any, meta: Any, place: int) -> ExtractedText | None:
    """Return a translation of the whole article; what it does not say of itself is the article's, but for the title."""
    translations = root.findall(".//sub-article[@article-type='translation']")
    if place >= len(translations):
        return None
    translation = translations[place]
    own = next((part for path in OWN_META if (part := find_first(translation, path)) is not None), None)
    text = _read_article(translation, own, read_labels(translation))
    license = (_find_license(own) if own is not None else None) or _find_license(meta)
    date = _find_publication_date(meta) if meta is not None else None
    metadata = _describe_article(root, meta) | _read_identifiers(own)
    _set_title(metadata, _read_article_title(own))
    return ExtractedText(
        text=text, language=_read_language(translation), license=license, date=date, metadata=metadata
    )


def _find_article(body: bytes) -> Any:
    root = parse_record(body)
    article = next(root.iter("{*}article"), None)
    if article is None:
        raise XmlError(f"not an article but <{root.tag}>")
    namespace, _, _ = article.tag.rpartition("}")
    if namespace:
        for element in article.iter(f"{namespace}}}*"):
            element.tag = element.tag[len(namespace) + 1 :]
    return article


def parse_record(body: bytes) -> Any:
    """Return the tree of a record cut out of its document, with the entities and prefixes that are usual there."""
    if body.startswith((b"<?xml", b"<!DOCTYPE")):
        return parse_tree(body)
    wrapper = parse_tree(b"".join([_OPENED, body, b"</x>"]))
    if len(wrapper) == 0:
        raise XmlError("no element in it")
    return wrapper[0]


def _describe_article(root: Any, meta: Any) -> dict[str, str]:
    """Return journal, kind of article, identifiers, and whether it is retracted."""
    kind = root.get("article-type")
    journal = text_at(root, "front/journal-meta//journal-title")
    metadata = {"article_type": kind, "journal": journal, "title": _read_article_title(meta)}
    metadata |= _read_identifiers(meta)
    if meta is not None:
        for related in meta.iterfind("related-article"):
            if related.get("related-article-type") in ("retraction-forward", "retracted", "retraction"):
                metadata["retracted"] = "yes"
        if _RETRACTED.match(metadata["title"] or "") or kind == "retracted-article":
            metadata["retracted"] = "yes"
    return {name: value for name, value in metadata.items() if value}


def _read_identifiers(meta: Any) -> dict[str, str]:
    identifiers: dict[str, str] = {}
    for number in meta.iterfind("article-id") if meta is not None else ():
        name = {"pmc": "pmcid", "pmcid": "pmcid"}.get(
            number.get("pub-id-type") or "", number.get("pub-id-type")
        )
        if name in ("doi", "pmid", "pmcid") and (text := (number.text or "").strip()):
            identifiers[name] = text if name != "pmcid" or text.startswith("PMC") else f"PMC{text}"
    return identifiers


def _set_title(metadata: dict[str, str], title: str | None) -> None:
    """Put a translated title for that of the article; without one there is none."""
    metadata.pop("title", None)
    if title:
        metadata["title"] = title


def _read_article_title(meta: Any) -> str | None:
    title = find_first(meta, "title-group/article-title")
    return read_title(title) if title is not None else None


def _find_license(meta: Any) -> str | None:
    """Return the licence that an article states, in its permissions or, in NLM's older form, beside them."""
    stated = meta.xpath("permissions | copyright-statement | license") if meta is not None else []
    statements = " ".join(etree.tostring(element, encoding="unicode", with_tail=False) for element in stated)
    return find_cc_license(statements) if statements else None


def _find_publication_date(meta: Any) -> str | None:
    """Return the day of publication: on line first, then whatever is given, the most exact first."""
    dates: list[tuple[int, int, str]] = []
    for pub_date in meta.iterfind("pub-date"):
        kind = pub_date.get("date-type") or pub_date.get("pub-type") or ""
        parts = [text_at(pub_date, name) or "" for name in ("year", "month", "day")]
        if (date := iso_date(*parts)) is not None:
            rank = (
                0
                if kind in ("epub", "pub", "epreprint") or pub_date.get("publication-format") == "electronic"
                else 1
            )
            dates.append((rank, -len(date), date))
    return min(dates)[2] if dates else None


def _extract_translation(root: Any, meta: Any, place: int) -> ExtractedText | None:
    """Return a translated abstract, below the translated title of its language if there is one.

    Licence, date and identifiers are the article's.
    """
    abstracts = meta.findall("trans-abstract") if meta is not None else []
    if place >= len(abstracts):
        return None
    language = _read_language(abstracts[place])
    walker = Walker()
    translated: str | None = None
    for group in meta.iterfind("title-group/trans-title-group"):
        title = group.find("trans-title")
        if title is not None and language in (_read_language(group), _read_language(title)) and language:
            translated = translated or read_title(title)
            for part in group.iterfind("*"):
                walker.add_block(part)
    walker.add_block(abstracts[place])
    metadata = _describe_article(root, meta)
    _set_title(metadata, translated)
    return ExtractedText(
        text=join_blocks(walker.finish()),
        language=language,
        license=_find_license(meta),
        date=_find_publication_date(meta),
        metadata=metadata,
    )
