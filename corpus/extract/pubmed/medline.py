"""Extract MEDLINE citations: title and abstract of a paper, with what PubMed states about it.

The title and the abstract are in English whatever the paper is in (`language_of_paper`); an abstract in
another language, with the title as the journal printed it, is a document of its own.
"""

from __future__ import annotations

from typing import Any

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.creative_commons import find_cc_license
from corpus.extract.dates import first_date, iso_date
from corpus.extract.mathml import to_latex
from corpus.extract.pubmed.jats import parse_record
from corpus.extract.pubmed.jats_body import is_not_available, join_blocks, join_lines
from corpus.extract.raised_text import write_script
from corpus.formats.xml import XmlError

VERSION = 4
"""Raised when the text of some citation changes."""

_NO_LABEL = frozenset({"", "UNLABELLED", "UNASSIGNED"})
_NOTICE = " (ABSTRACT TRUNCATED AT "


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the text of one citation. Raises XmlError if it is not a citation.

    `translation` in the record's metadata requests that abstract in another language (from 0) instead.
    """
    assert isinstance(record.body, bytes)
    root = parse_record(record.body)
    citation = root if root.tag == "MedlineCitation" else root.find("MedlineCitation")
    article = citation.find("Article") if citation is not None else None
    if article is None:
        raise XmlError(f"no citation of an article in <{root.tag}>")
    place = record.metadata.get("translation")
    if place is not None:
        return _extract_translation(root, citation, article, int(place))
    title = text_of(article.find("ArticleTitle"))
    if title.startswith("[") and title.rstrip(".").endswith("]"):
        title = title.rstrip(".")[1:-1]
    if is_not_available(title):
        title = ""
    abstract = article.find("Abstract")
    text = join_blocks([title, *_read_abstract(abstract)])
    note = _read_copyright(abstract)
    return ExtractedText(
        text=text,
        license=find_cc_license(note) if note else None,
        date=_find_publication_date(article),
        language="eng",
        metadata=_describe_citation(root, citation, article, title, note),
    )


def _read_copyright(abstract: Any) -> str:
    return text_of(abstract.find("CopyrightInformation")) if abstract is not None else ""


def _read_abstract(abstract: Any) -> list[str]:
    """Return its paragraphs, each behind its label: `METHODS: ...`."""
    paragraphs: list[str] = []
    for part in abstract.iterfind("AbstractText") if abstract is not None else ():
        text = text_of(part)
        if (cut := text.find(_NOTICE)) > 0:
            text = text[:cut]
        label = (part.get("Label") or "").strip()
        if text and not is_not_available(text):
            paragraphs.append(text if label.upper() in _NO_LABEL else f"{label}: {text}")
    return paragraphs


def _extract_translation(root: Any, citation: Any, article: Any, place: int) -> ExtractedText | None:
    """Return an abstract in another language, below the title if it is in that language.

    Its licence is that of the citation's abstract if it states none.
    """
    others = citation.findall("OtherAbstract")
    if place >= len(others):
        return None
    language = others[place].get("Language") or None
    blocks = _read_abstract(others[place])
    spoken = {(element.text or "").strip() for element in article.iterfind("Language")}
    vernacular = text_of(article.find("VernacularTitle"))
    title = vernacular if language in spoken and len(spoken) == 1 else ""
    note = _read_copyright(others[place]) or _read_copyright(article.find("Abstract"))
    return ExtractedText(
        text=join_blocks([title, *blocks]),
        license=find_cc_license(note) if note else None,
        date=_find_publication_date(article),
        language=language,
        metadata=_describe_citation(root, citation, article, title, note),
    )


def _describe_citation(root: Any, citation: Any, article: Any, title: str, note: str) -> dict[str, str]:
    kinds = [text_of(kind) for kind in article.iterfind("PublicationTypeList/PublicationType")]
    related = {
        correction.get("RefType")
        for correction in citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
    }
    metadata = {
        "title": title,
        "pmid": text_of(citation.find("PMID")),
        "journal": text_of(article.find("Journal/Title")),
        "article_type": "; ".join(kind for kind in kinds if not kind.startswith("Research Support")),
        "language_of_paper": " ".join(text_of(spoken) for spoken in article.iterfind("Language")),
        "copyright": note,
    }
    for number in [*article.iterfind("ELocationID"), *root.iterfind("PubmedData/ArticleIdList/ArticleId")]:
        name = {"pmc": "pmcid"}.get(number.get("IdType"), number.get("EIdType") or number.get("IdType"))
        if name in ("doi", "pmcid") and number.get("ValidYN") != "N":
            metadata.setdefault(name, text_of(number))
    if "Retracted Publication" in kinds or "RetractionIn" in related:
        metadata["retracted"] = "yes"
    if "ExpressionOfConcernIn" in related:
        metadata["concern"] = "yes"
    return {name: value for name, value in metadata.items() if value}


def _find_publication_date(article: Any) -> str | None:
    """Return the day it appeared on line, else in print, as precise as it is given."""
    for date_element in (article.find("ArticleDate"), article.find("Journal/JournalIssue/PubDate")):
        if date_element is None:
            continue
        date = iso_date(*(date_element.findtext(name) or "" for name in ("Year", "Month", "Day")))
        if date is None:
            date = first_date(date_element.findtext("MedlineDate") or "")
        if date is not None:
            return date
    return None


def text_of(element: Any) -> str:
    """Return the text of an element on one line; superscripts as `write_script` writes them, formulas as `$...$`."""
    return join_lines(_read_text(element)) if element is not None else ""


def _read_text(element: Any) -> str:
    if len(element) == 0:
        return element.text or ""
    pieces = [element.text or ""]
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "math":
            pieces.append(f"${' '.join(to_latex(child).split())}$")
        elif name in ("sup", "sub"):
            base = next((piece for piece in reversed(pieces) if piece), "")
            pieces.append(write_script(_read_text(child), name, base, child.tail or ""))
        else:
            pieces.append(_read_text(child))
        pieces.append(child.tail or "")
    return "".join(pieces)
