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

VERSION = 3
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

_MARK = re.compile(
    r"^[ \t>]*+(?=[*EeFfSsTt])(?:"
    r"(?P<start>\*{2,}[ \t]*START OF (?:TH(?:E|IS) )?PROJECT GUTENBERG"
    r"(?:[^\n]*(?:\n[^\n*]{1,200}){0,3}?\*{3}[ \t]*$|[^\n]*$))"
    r"|(?P<print>\*[ \t*]*+START[ \t*:]+(?:OF[ \t]+)?THE SMALL PRINT[^\n]*$)"
    r"|(?P<printed>\*+[ \t]?END[ \t*]+(?:OF[ \t]+)?THE SMALL PRINT[^\n]*$)"
    r"|(?P<end>\*{2,}[ \t]*END OF (?:TH(?:E|IS) )?PROJECT GUTENBERG"
    r"|\**[ \t]*(?-i:(?:THE )?END OF|(?:The )?End of)(?: TH(?:E|IS))? (?:PROJECT GUTENBERG"
    r"|GUTENBERG E-?(?:TEXT|BOOK))\b"
    r"|(?:Ende?(?: dieses)?|Fin(?:e)? (?:del?|du)|Fim d[eo]|Einde van|Slut på)[^\n]{0,40} Pro[jyg]\w{2,6} Gutenberg"
    r"|\*{3}[ \t]*START:? FULL LICENSE"
    r"|\**[ \t]*This file should be named [^\n]{1,80}\.(?:txt|zip|htm)))",
    re.MULTILINE | re.IGNORECASE,
)
"""The marks around a book: its start and end, the start and end of the small print, which stands at either end."""
MIN_STRETCH_CHARACTERS = 200
"""Characters between two marks below which there is no book, if any other stretch has more."""
_HEADER_BLOCK = re.compile(
    r"Project Gutenberg|\[\s*E-?(?:Book|Text)\s*#|small print|^(?:Title|Author|Release Date|Language|Translator|Editor"
    r"|Illustrator|Character set encoding):|Copyright laws are changing|Please take a look at"
    r"|re[- ]?use it under the terms",
    re.MULTILINE | re.IGNORECASE,
)
"""What a block of a header without start mark has."""
_HEADER_GAP_BLOCKS = 2
_FIELD = re.compile(
    r"^(Title|Author|Release Date|Language|Translator|Editor|Illustrator|Character set encoding):(.*)$"
)
_TITLE_LINE = re.compile(
    r"^\W*(?:The )?Project Gutenberg(?:['’]s)? (?:E-?text|E-?book) (?:of|for)[ \t]+([^\n#*(\[]{2,200})",
    re.MULTILINE | re.IGNORECASE,
)
"""The first line of headers without `Title:`."""
_SERIES_AUTHOR = re.compile(
    r"\s*#\d+ in (?:our|the) series (?:of \w+ )?by[ \t]+([^\n\[(]{2,80})", re.IGNORECASE
)
_CHARSET = re.compile(rb"^Character set encoding:\s*([A-Za-z0-9_.:-]+)", re.MULTILINE)
_NUMBER = re.compile(r"\[\s*(?:E-?Book|E-?Text)\s*#?\s*(\d+)\s*\]|gutenberg\.org/(?:ebooks/)?(\d+)", re.I)
_RELEASED = re.compile(r"(?:Release|Posting) Date:\s*([^\[\n]+)", re.IGNORECASE)
_RELEASED_BARE = re.compile(
    r"^[ \t]*([^\W\d_]{3,9}\.?,?[ \t]+(?:\d{1,2},?[ \t]+)?\d{4})[ \t]*\[\s*E-?(?:Text|Book)\b", re.I | re.M
)
"""`July, 1994 [Etext #150]`, as headers before 2002 have it."""
_DAY = re.compile(
    r"(?P<year>\d{4})-(?P<number>\d\d)(?:-(?P<date>\d\d))?(?!\d)"
    r"|(?:(?P<first>\d{1,2})(?:st|nd|rd|th)?[ \t]+)?(?P<month>[^\W\d_]{3,9})\.?,?\s+"
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+)?(?P<in>\d{4})(?!\d)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_COPYRIGHTED = re.compile(
    r"\bcopyrighted\W{1,3}Project Gutenberg|SMALL PRINT\W*FOR COPYRIGHT"
    r"|Please follow the copyright guidelines in this file",
    re.IGNORECASE,
)
_OTHER_PROJECT = re.compile(
    r"Project Gutenberg(?: of)? (?:Australia|Canada|Europe|Taiwan|Philippines)|Projekt Gutenberg-DE",
    re.IGNORECASE,
)
"""Projects whose books may be in copyright in the United States."""

MIN_LICENSE_WORDS = 2
_LICENSE_WORDS = re.compile(
    r"use of anyone anywhere|General Terms of Use and Redistributing|Full Project Gutenberg(?:-tm|\u2122)? License"
    r"|Project Gutenberg Literary Archive Foundation|Updated editions will replace",
    re.IGNORECASE,
)
"""Of these a part of the licence that stands alone in a document has several."""
_GAP = re.compile(r"(\n[ \t]*+\n(?:\s*[^\S \t])?+(?=[ \t]*+\S))")
"""Blank lines before text, without the spaces that it is indented by."""
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
    rf"(?:first\s+)?(?:{_MADE})|Entered by\b|(?:{_MADE}|digitized)\b[^\n]{{0,20}}\b(?:by|from)\b"
    r"|Updated editions will replace|HTML version (?:by|prepared)|Note: (?:Project Gutenberg|Images of the original)"
    r"|Project Gutenberg also has|(?:Distributed|Online) Proofread"
    r"|Images? (?:generously )?(?:made available|provided))",
    re.IGNORECASE,
)
_CREDIT_PARAGRAPHS = re.compile(rf"\A\s*(?:{_CREDIT.pattern})(?:[^\n]+\n?)*", re.IGNORECASE)
_NOTE_NAMES = "|".join(
    [
        r"(?:typographical )?err(?:ors|ata)(?: and inconsistencies)? (?:noted|corrected|found|listed)"
        r" by (?:the )?transcri(?:ber|ptor)s?",
        r"(?:list of\s+)?transcri(?:ber|ption|ptor)(?:['’]?s?['’]?)?\s+(?:end\s*)?"
        r"(?:note|comment|remark|amendment|correction)s?",
        r"notes? (?:by|of|from) the transcriber|errata and transcription notes|note (?:by |from )?project gutenberg",
        r"notes? (?:du|de la) transcri(?:pteur|ption)s?|note sulla trascrizione|nota del trascrittore",
        r"anmerkung(?:en)? (?:zur|der|des) (?:transkription|transkribient\w*|bearbeiters?)",
        r"transkriptionsanmerkung(?:en)?|bemerkungen zur textgestalt",
        r"notas? d[eo]l? transcri(?:ptor|tor)(?:a|es)?|opmerkingen? van de bewerkers?",
    ]
)
_READER_NOTE = re.compile(
    r"\s*\[?(?:This (?:e-?)?(?:text|book|file)\b[^.]{0,80}\b(?:file encoding|character set"
    r"|intended for (?:users|readers) whose)"
    r"|(?:Au lecteur|An den Leser|To the reader|Al lector|Aan de lezer)\W*\n\s*(?:[^\n]+\n)*?[^\n]*"
    r"(?:livre électronique|version électronique|dans l['’]original|elektronische|im Original|\be-?text|\be-?book))",
    re.IGNORECASE,
)
"""A note to the readers of a file; a preface may have the same title, but not these words."""
_READER_NOTE_STARTS = (
    "this ",
    "[this ",
    "au lecteur",
    "an den leser",
    "to the reader",
    "al lector",
    "aan de lezer",
)
_NOTE = re.compile(rf"[\s|+*_\[(=~-]*(?:{_NOTE_NAMES})\b", re.IGNORECASE)
_INLINE_NOTE = re.compile(rf"\[\s*_?(?:{_NOTE_NAMES})\b[^\]]{{0,4000}}\]", re.IGNORECASE)
_ILLUSTRATION = re.compile(
    r"\[(?:Illustration|Ilustraci[oó]n|Illustratie|Abbildung|Ill\.|Decoration|Ornament|Vignette|Tailpiece|Headpiece)"
    r"(?:\s*:?\s*\]|:\s*([^\[\]]{1,2000}?)\s*\])"
)
_PAGE_NAMES = (
    r"Pg|Pgs?\.|Page|pp?\.|P\.|S\.|Seite|Blz\.?|Bladz\.?|Pág\.?|Pag\.?|Página|Pagina|Sida|Side|Sivu|str\.|Strona|стр\."
    r"|σελ\.|第|頁|页"
)
_PAGE = re.compile(
    rf"(?:\[(?:{_PAGE_NAMES}) ?[ivxlcdm\d]{{1,6}} ?[a-d頁页]?\]|\{{(?:{_PAGE_NAMES}) ?[ivxlcdm\d]{{1,6}}\}}"
    r"|\{(?<![_^]\{)\d{1,4}\}(?=[a-z\u00e0-\u00ff]))(\s?)",
    re.IGNORECASE,
)
_PAGE_ALONE = re.compile(
    rf"(?:\[(?:{_PAGE_NAMES}) ?[ivxlcdm\d]{{1,6}}\]|\{{(?:(?:{_PAGE_NAMES}) ?[ivxlcdm\d]{{1,6}}|\d{{1,4}})\}})"
    r"[ \t]*\n\s*\n[ \t]*(?=(\S))",
    re.IGNORECASE,
)
"""A mark of a page before a blank line. Both begin with a bracket, for which a text is searched in no time."""
_BLANK_LINE = re.compile(r"[ \t]*\n\s*\n[ \t]*")
_EMPHASIS = re.compile(r"([_=])(?<![^\W_][_=])(?=[^\s_=])([^_=]{1,2000}?)(?<=\S)\1(?![^\W_])")
_RAISED_LETTERS = re.compile(r"(?<=\d)_([^\W\d_]{1,4}\.?)_(?![^\W_])")
"""Emphasis that a number has before it: `4_s._ 6_d._`, `10_th_`."""
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
    marks = list(_MARK.finditer(text))
    is_gutenberg = "project gutenberg" in text[:limit].lower()
    if not marks or not (is_gutenberg or any(mark.lastgroup != "end" for mark in marks)):
        return GutenbergBook(text, {})
    begin, end = _find_body(text, marks)
    header = text[:begin]
    fields = _parse_fields(header)
    license: str | None = PUBLIC_DOMAIN
    if _COPYRIGHTED.search(header) or _COPYRIGHTED.search(text, end):
        license = find_cc_license(text[end:]) or find_cc_license(header)
        fields["rights"] = "copyrighted"
    elif _OTHER_PROJECT.search(header):
        license = None
    return GutenbergBook(text[begin:end], fields, license, _find_release_date(header))


def _find_body(text: str, marks: list[re.Match[str]]) -> tuple[int, int]:
    """Return where a book begins and ends: the longest stretch that begins at a start mark, else behind the header.

    The small print may stand at either end, so its end is the start of the book only where the book follows.
    """
    stops = [*(mark.start() for mark in marks[1:]), len(text)]
    stretches = [
        (len(text[mark.end() : stop].strip()), -mark.end(), stop)
        for mark, stop in zip(marks, stops, strict=True)
        if mark.lastgroup in ("start", "printed")
    ]
    longest = max(stretches, default=None)
    first = marks[0]
    if first.lastgroup in ("start", "printed") and longest is not None:
        return -longest[1], longest[2]
    begin = _find_header_end(text, first.start())
    before = len(text[begin : first.start()].strip())
    if longest is None or (longest[0] < MIN_STRETCH_CHARACTERS and before > longest[0]):
        return begin, first.start()
    return -longest[1], longest[2]


def _find_header_end(text: str, limit: int) -> int:
    """Return where a header without start mark ends: behind the last of its blocks, which follow one another."""
    end = at = gap = 0
    for block in _split_blocks(text[: min(limit, _offset_after_lines(text, MAX_HEADER_LINES))]):
        at += len(block)
        if not block.strip():
            continue
        if _HEADER_BLOCK.search(block):
            end, gap = at, 0
        else:
            gap += 1
            if gap > _HEADER_GAP_BLOCKS:
                break
    return end


def _split_blocks(text: str) -> list[str]:
    """Return the blocks of a text and the gaps between them, in turn; spaces at its end belong to the last block."""
    written = text.rstrip()
    blocks = _GAP.split(written)
    blocks[-1] += text[len(written) :]
    return blocks


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
    if "title" not in fields and (named := _TITLE_LINE.search(header)):
        title, *author = re.split(r",?\s+by\s+(?=[^\W\d_a-z])(?!.*\s+by\s+[^\W\d_a-z])", named[1], maxsplit=1)
        series = _SERIES_AUTHOR.search(header, named.end())
        fields["title"] = " ".join(title.split())
        fields.setdefault("author", " ".join((series[1] if series else author[0] if author else "").split()))
    number = _NUMBER.search(header)
    if number:
        fields["gutenberg"] = next(filter(None, number.groups()))
    return {name: value for name, value in fields.items() if value and name in KEPT_FIELDS}


def _find_release_date(header: str) -> str | None:
    """Return the day, or the month, on which Project Gutenberg released the book."""
    stated = _RELEASED.search(header) or _RELEASED_BARE.search(header)
    match = _DAY.search(stated[1]) if stated else None
    if match is None:
        return None
    if match["year"]:
        return match[0]
    name = match["month"].lower()
    if name[:3] not in _MONTHS:
        return None
    month = f"{match['in']}-{_MONTHS.index(name[:3]) + 1:02}"
    day = match["day"] or match["first"]
    return f"{month}-{int(day):02}" if day else month


def drop_page_marks(text: str) -> str:
    """Return the text without marks of pages such as `[Pg 12]`; a sentence that one interrupts goes on."""
    return _drop_inner_marks(_drop_lone_marks(text))


def _drop_lone_marks(text: str) -> str:
    """Return the text without marks of pages between two blank lines, perhaps in the middle of a sentence."""
    pieces: list[str] = []
    at = 0
    for match in _PAGE_ALONE.finditer(text):
        end = match.start()
        while end > at and text[end - 1].isspace():
            end -= 1
        if end == at or not _BLANK_LINE.fullmatch(text, end, match.start()):
            continue
        goes_on = match[1].islower() and text[end - 1] not in ".!?:;"
        pieces += (text[at:end], " " if goes_on else "\n\n")
        at = match.end()
    return "".join([*pieces, text[at:]]) if at else text


def _drop_inner_marks(text: str) -> str:
    """Return the text without the other marks of pages, and with one of the spaces around each."""
    pieces: list[str] = []
    at = 0
    for match in _PAGE.finditer(text):
        start = match.start()
        spaced = start > at and text[start - 1] in " \t" and match[1]
        pieces += (text[at : start - 1 if spaced else start], match[1])
        at = match.end()
    return "".join([*pieces, text[at:]]) if at else text


def cut_license(text: str) -> str:
    """Return a document of an EPUB without header and licence of Project Gutenberg; any other text as it is."""
    if "GUTENBERG" not in text and "Gutenberg" not in text:
        return text
    marks = list(_MARK.finditer(text))
    begin = max((mark.end() for mark in marks if mark.lastgroup == "start"), default=0)
    ends = [mark.start() for mark in marks if mark.lastgroup in ("end", "print") and mark.start() >= begin]
    kept = text[begin : min(ends, default=len(text))]
    if begin:
        kept = _CREDIT_PARAGRAPHS.sub("", kept, count=2)
    if kept.count("```") % 2:
        kept = kept.strip()
        kept = kept.removeprefix("```") if kept.startswith("```") else kept.removesuffix("```")
    return "" if len(_LICENSE_WORDS.findall(kept)) >= MIN_LICENSE_WORDS else kept.strip()


def to_text(body: str, language: str = "") -> str:
    """Return the text of a book: notes and credits of its transcribers removed, paragraphs of one line each.

    `_Italics_` and `=bold=` are plain; captions of pictures are kept, their brackets and marks of pages are dropped.
    Breaks between scenes are `* * *`.
    """
    if "[" in body:
        body = _INLINE_NOTE.sub("", body)
        body = _ILLUSTRATION.sub(lambda match: match[1] or "", body)
    if "[" in body or "{" in body:
        body = drop_page_marks(body)
    body = _BREAK.sub("* * *", _strip_notes(body))
    text = reflow(body, language)
    if "_" not in text and "=" not in text:
        return text
    return _RAISED_LETTERS.sub(r"\1", _EMPHASIS.sub(r"\2", text))


def _strip_notes(body: str) -> str:
    """Return the text without the credits at the beginning, and transcriber's notes at either end or between chapters.

    A note ends where its section does: at two blank lines or more behind its text, at the end of its frame, or
    at the end of the book.
    """
    blocks = _split_blocks(body)
    texts, gaps = blocks[::2], blocks[1::2]
    kept: list[str] = []
    at = 0
    while at < len(texts):
        block = texts[at]
        gap = gaps[at] if at < len(gaps) else ""
        near_start = at < CREDIT_BLOCKS
        if _NOTE.match(block) or ((near_start or at > len(texts) * 9 // 10) and _is_reader_note(texts, at)):
            at = _find_note_end(texts, gaps, at)
            continue
        if _CREDIT.match(block) and (near_start or at >= len(texts) - CREDIT_BLOCKS):
            at += 1
            continue
        kept += [block, gap]
        at += 1
    return "".join(kept)


def _is_reader_note(texts: list[str], at: int) -> bool:
    """Return whether a block, or the title that it is with the block behind it, is a note to the readers of a file."""
    if not texts[at][:80].lstrip().lower().startswith(_READER_NOTE_STARTS):
        return False
    following = texts[at + 1] if at + 1 < len(texts) else ""
    return _READER_NOTE.match(f"{texts[at].strip()}\n{following}") is not None


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
