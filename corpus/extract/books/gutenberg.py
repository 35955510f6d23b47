"""Extract books of Project Gutenberg in plain text: header, licence and transcriber's notes removed, lines joined.

A text without Project Gutenberg's marks is a plain book: its lines are joined and nothing is cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.creative_commons import find_cc_license
from corpus.extract.plain_text import clean_text
from corpus.extract.reflow import reflow
from corpus.formats.encodings import decode

VERSION = 1
"""Raised when the text of some book changes."""

PUBLIC_DOMAIN = "LicenseRef-Public-Domain-US"
"""What most of Project Gutenberg is: no licence, out of copyright in the United States."""

KEPT_FIELDS = ("title", "author", "translator", "editor", "illustrator", "language", "gutenberg")
LANGUAGE_CODES = {
    **{
        "english": "eng",
        "french": "fra",
        "finnish": "fin",
        "german": "deu",
        "dutch": "nld",
        "italian": "ita",
    },
    **{
        "spanish": "spa",
        "portuguese": "por",
        "hungarian": "hun",
        "chinese": "cmn",
        "greek": "ell",
        "latin": "lat",
    },
    **{
        "swedish": "swe",
        "esperanto": "epo",
        "danish": "dan",
        "tagalog": "tgl",
        "catalan": "cat",
        "japanese": "jpn",
    },
    **{
        "polish": "pol",
        "norwegian": "nob",
        "welsh": "cym",
        "czech": "ces",
        "russian": "rus",
        "icelandic": "isl",
    },
    **{
        "bulgarian": "bul",
        "serbian": "srp",
        "hebrew": "heb",
        "ukrainian": "ukr",
        "arabic": "arb",
        "korean": "kor",
    },
    **{
        "romanian": "ron",
        "estonian": "est",
        "afrikaans": "afr",
        "irish": "gle",
        "persian": "fas",
        "turkish": "tur",
    },
}
"""The languages of all but a hundred of Project Gutenberg's books."""

HEADER_SEARCH_BYTES = 20_000
MAX_HEADER_LINES = 600
"""Lines in which a header ends: the longest, of the 1990s, have some 400."""

_START = re.compile(
    r"^[ \t]*\*{2,}[ \t]*START OF TH(?:E|IS) PROJECT GUTENBERG[^\n]*(?:\n[^\n*]{1,200}){0,3}?\*{3}[ \t]*$"
    r"|^[ \t]*\*{2,}[ \t]*START OF TH(?:E|IS) PROJECT GUTENBERG[^\n]*$"
    r"|^[ \t]*\*+[ \t]?END[ \t*]+THE SMALL PRINT[^\n]*$",
    re.MULTILINE | re.IGNORECASE,
)
_END = re.compile(
    r"^[ \t]*\*{2,}[ \t]*END OF TH(?:E|IS) PROJECT GUTENBERG"
    r"|^[ \t]*\**[ \t]*(?:THE )?END OF (?:TH(?:E|IS) )?(?:PROJECT )?GUTENBERG(?:'S|’S| E-?(?:TEXT|BOOK))?\b"
    r"|^[ \t]*(?:Ende? dieses|Fin (?:de|du)|Einde van)[^\n]{0,40} Proje[ck]t Gutenberg"
    r"|^[ \t]*\*{3,}[ \t]*This file should be named"
    r"|^[ \t]*\*{3}[ \t]*START: FULL LICENSE",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD = re.compile(
    r"^(Title|Author|Release Date|Language|Translator|Editor|Illustrator|Character set encoding):(.*)$"
)
_CHARSET = re.compile(rb"^Character set encoding:\s*([A-Za-z0-9_.:-]+)", re.MULTILINE)
_NUMBER = re.compile(r"\[\s*(?:E-?Book|E-?Text)\s*#?\s*(\d+)\s*\]|gutenberg\.org/(?:ebooks/)?(\d+)", re.I)
_RELEASED = re.compile(r"(?:Release|Posting) Date:\s*([^\[\n]+)", re.IGNORECASE)
_DAY = re.compile(r"([A-Z][a-z]+)\s+(?:(\d{1,2}),?\s+)?(\d{4})")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_COPYRIGHTED = re.compile(r"\bCOPYRIGHTED Project Gutenberg")

_BLOCK = re.compile(r"(\n[ \t]*\n\s*?(?=[ \t]*\S))")
_HEADING = re.compile(r"[^a-zà-ÿ\n]{3,80}$")
_TITLES = (
    "CHAPTER|BOOK|PART|ACT|SCENE|LETTER|CANTO|STAVE|KAPITEL|BUCH|CHAPITRE|LIVRE|PARTIE|CAP[IÍ]TULO|LIBRO|PARTE|CAPITOLO"
    "|HOOFDSTUK|ГЛАВА|ЧАСТЬ|ROZDZIAŁ|KAPITOLA|FEJEZET|LUKU|APPENDIX|PREFACE|PROLOGUE|EPILOGUE"
)
_CHAPTER = re.compile(
    r"\n[ \t]*\n[ \t]*\n(?:[ \t]*\n)*([ \t\u3000]*(?:"
    rf"(?:{_TITLES})[ \t]+[IVXLC\d]{{1,8}}\b[^\n]{{0,100}}(?=\n|$)"
    rf"|(?:{_TITLES})\b[^\n]{{0,100}}(?=\n[ \t]*\n|$)|(?:{_TITLES})\b[^\n]{{0,30}}(?=\n[^\n]{{1,80}}\n[ \t]*\n)"
    r"|[IVXLC]{1,8}\.?[ \t]*(?=\n|$)|第[〇零一二三四五六七八九十百千\d]{1,6}[章回卷節节篇部][^\n]{0,60}(?=\n|$)))",
    re.IGNORECASE,
)
"""A title behind two blank lines: with a number, alone, or short before a line of its own; not `Part of the crew`."""
SECTION_LINE_ENDS = 3
"""Line ends between sections: two blank lines or more."""
CREDIT_BLOCKS = 12
"""Blocks at either end of a book in which its makers name themselves."""

_MADE = "prepared|produced|created|scanned|converted|transcribed|typed|proofread"
_CREDIT = re.compile(
    rf"\s*[\[(]?(?:(?:E-?text|HTML version|This (?:e-?(?:text|book)|file|electronic text|etext))\s+(?:was\s+)?"
    rf"(?:first\s+)?(?:{_MADE})|(?:{_MADE}|digitized)\b[^\n]{{0,20}}\b(?:by|from)\b"
    r"|Updated editions will replace|HTML version (?:by|prepared)|Note: (?:Project Gutenberg|Images of the original)"
    r"|Project Gutenberg also has|(?:Distributed|Online) Proofread"
    r"|Images? (?:generously )?(?:made available|provided))",
    re.IGNORECASE,
)
_NOTE_NAMES = "|".join(
    [
        r"(?:list of\s+)?transcri(?:ber|ption|ptor)(?:['’]?s?['’]?)?\s+(?:end\s*)?"
        r"(?:note|comment|remark|amendment|correction)s?",
        r"notes? (?:by|of|from) the transcriber|errata and transcription notes|note (?:by |from )?project gutenberg",
        r"notes? (?:du|de la) transcri(?:pteur|ption)s?|note sulla trascrizione|nota del trascrittore",
        r"anmerkung(?:en)? (?:zur|der|des) (?:transkription|transkribient\w*|bearbeiters?)",
        r"transkriptionsanmerkung(?:en)?|bemerkungen zur textgestalt",
        r"notas? d[eo]l? transcri(?:ptor|tor)(?:a|es)?|opmerkingen? van de bewerkers?",
    ]
)
_NOTE = re.compile(rf"[\s|+*_\[(=~-]*(?:{_NOTE_NAMES})\b", re.IGNORECASE)
_INLINE_NOTE = re.compile(rf"\[\s*_?(?:{_NOTE_NAMES})\b[^\]]{{0,4000}}\]", re.IGNORECASE)
_ILLUSTRATION = re.compile(
    r"\[(?:Illustration|Ilustraci[oó]n|Illustratie|Abbildung|Ill\.)(?:\s*:?\s*\]|:\s*([^\[\]]{1,2000}?)\s*\])"
)
_PAGE = re.compile(
    r"\[(?:Pg|Page|p\.|S\.|Seite|Blz\.?) ?[ivxlcdm\d]{1,6}\]\s?|\{(?:p\. ?)?\d{1,4}\}(?=[a-zà-ÿ])",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"(?<![^\W_])([_=])(?=[^\s_=])([^_=]{1,2000}?)(?<=\S)\1(?![^\W_])")
_BREAK = re.compile(r"^[ \t]*(?:[*•·.][ \t]*){3,}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GutenbergBook:
    """Hold a book without what Project Gutenberg put around it, and what its header states."""

    body: str
    fields: dict[str, str]
    license: str | None = None
    date: str | None = None

    @property
    def language(self) -> str | None:
        """The code of the language that the header names."""
        names = re.split(r"[,;/]| and ", self.fields.get("language", ""))
        return LANGUAGE_CODES.get(names[0].strip().lower())

    def describe(self) -> dict[str, str]:
        """Return the fields of the header that belong to a document's metadata."""
        return {name: value for name, value in self.fields.items() if name != "language"}


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the book; title, author, number and translator of its header as metadata, its licence, date, language."""
    body = record.body
    if isinstance(body, bytes):
        body = decode(body, record.charset or find_declared_charset(body), html=False)[0]
    book = split_book(body)
    text = clean_text(to_text(book.body, book.language or record.language or ""))
    return ExtractedText(
        text=text, license=book.license, date=book.date, language=book.language, metadata=book.describe()
    )


def find_declared_charset(body: bytes) -> str | None:
    """Return the charset that a header names."""
    match = _CHARSET.search(body[:HEADER_SEARCH_BYTES])
    return match[1].decode("ascii") if match else None


def find_book_number(body: bytes) -> str | None:
    """Return Project Gutenberg's number of a book, from its header."""
    head = body[:HEADER_SEARCH_BYTES].decode("latin-1")
    match = _NUMBER.search(head) if "Gutenberg" in head else None
    return next(filter(None, match.groups())) if match else None


def split_chapters(body: str) -> list[str]:
    """Return the chapters of a book: split before titles that stand behind two blank lines or more.

    What precedes the first (title page, preface) is a part of its own. A title is a line such as `CHAPTER IV`,
    `Kapitel 3`, `第三回`, or a Roman number alone; titles in a table of contents do not stand apart.
    """
    cuts = [0, *(match.start(1) for match in _CHAPTER.finditer(body)), len(body)]
    parts = [body[begin:end] for begin, end in pairwise(cuts)]
    return [part for part in parts if part.strip()]


def split_book(text: str) -> GutenbergBook:
    """Return a file of Project Gutenberg without header and licence; any other text as it is."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    limit = _offset_after_lines(text, MAX_HEADER_LINES)
    starts = list(_START.finditer(text, 0, limit))
    first_end = _END.search(text, starts[-1].end() if starts else max(limit, len(text) // 2))
    if not starts and (first_end is None or "Project Gutenberg" not in text[:limit]):
        return GutenbergBook(text, {})
    begin = starts[-1].end() if starts else 0
    end = first_end.start() if first_end else len(text)
    header = text[:begin] if starts else text[:limit]
    fields = _parse_fields(header)
    if _COPYRIGHTED.search(header):
        license = find_cc_license(text[end:]) or find_cc_license(header)
        fields["rights"] = "copyrighted"
    else:
        license = PUBLIC_DOMAIN
    return GutenbergBook(text[begin:end], fields, license, _find_release_date(header))


def _offset_after_lines(text: str, lines: int) -> int:
    at = 0
    for _ in range(lines):
        at = text.find("\n", at) + 1
        if not at:
            return len(text)
    return at


def _parse_fields(header: str) -> dict[str, str]:
    """Return `title`, `author`, `translator`, `language` ... of a header; continued lines are joined."""
    fields: dict[str, str] = {}
    name = ""
    for line in header.split("\n"):
        match = _FIELD.match(line)
        if match:
            name = match[1].lower()
            if name not in fields:
                fields[name] = match[2].strip()
        elif name and line[:1] in " \t" and line.strip():
            fields[name] = f"{fields[name]} {line.strip()}".strip()
        else:
            name = ""
    number = _NUMBER.search(header)
    if number:
        fields["gutenberg"] = next(filter(None, number.groups()))
    return {name: value for name, value in fields.items() if value and name in KEPT_FIELDS}


def _find_release_date(header: str) -> str | None:
    """Return the day, or the month, on which Project Gutenberg released the book."""
    stated = _RELEASED.search(header)
    day = _DAY.search(stated[1]) if stated else None
    if day is None or day[1].lower() not in _MONTHS:
        return None
    month = f"{day[3]}-{_MONTHS.index(day[1].lower()) + 1:02}"
    return f"{month}-{int(day[2]):02}" if day[2] else month


def to_text(body: str, language: str = "") -> str:
    """Return the text of a book: notes and credits of its transcribers removed, paragraphs of one line each.

    `_Italics_` and `=bold=` are plain; captions of pictures are kept, their brackets and marks of pages are dropped.
    Breaks between scenes are `* * *`.
    """
    if "[" in body:
        body = _INLINE_NOTE.sub("", body)
        body = _PAGE.sub("", _ILLUSTRATION.sub(lambda match: match[1] or "", body))
    if "{" in body:
        body = _PAGE.sub("", body)
    body = _BREAK.sub("* * *", _strip_notes(body))
    text = reflow(body, language)
    return _EMPHASIS.sub(r"\2", text) if "_" in text or "=" in text else text


def _strip_notes(body: str) -> str:
    """Return the text without the credits at the beginning, and transcriber's notes at either end or between chapters.

    A note ends where its section does: at two blank lines or more behind its text, at the end of its frame, or
    at the end of the book.
    """
    blocks = _BLOCK.split(body)
    texts, gaps = blocks[::2], blocks[1::2]
    kept: list[str] = []
    at = 0
    while at < len(texts):
        block = texts[at]
        gap = gaps[at] if at < len(gaps) else ""
        near_start = at < CREDIT_BLOCKS
        if _NOTE.match(block):
            at = _find_note_end(texts, gaps, at)
            continue
        if _CREDIT.match(block) and (near_start or at >= len(texts) - CREDIT_BLOCKS):
            at += 1
            continue
        kept += [block, gap]
        at += 1
    return "".join(kept)


def _find_note_end(texts: list[str], gaps: list[str], at: int) -> int:
    """Return the index of the block behind a transcriber's note that begins at block `at`."""
    framed = texts[at].lstrip().startswith(("+", "|"))
    bracketed = texts[at].lstrip().startswith("[") and "]" not in texts[at]
    title_only = len(texts[at].strip().split("\n")) == 1 and len(texts[at].strip()) < 60
    late = at > len(texts) * 9 // 10
    while True:
        gap = gaps[at].count("\n") if at < len(gaps) else 9
        following = texts[at + 1] if at + 1 < len(texts) else ""
        ended = texts[at].rstrip().endswith(("]", "+", "|"))
        at += 1
        if at >= len(texts):
            return at
        if framed:
            if not following.lstrip().startswith(("|", "+")):
                return at
        elif bracketed:
            if ended:
                return at
        elif gap > SECTION_LINE_ENDS and not title_only and (not late or _HEADING.match(following)):
            return at
        title_only = False
