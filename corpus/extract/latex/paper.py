"""Convert LaTeX, plain TeX and AMS-TeX papers to text: what their reader reads, with formulas as they are written.

In this order: collect the submission's files; put the others into the main one in their places, without comments;
expand macros; put formulas aside; convert commands and environments in one pass; lay out paragraphs. Kept: title,
abstract, sections, theorems, lists, captions, footnotes, tables as lines of `a | b`, formulas as LaTeX (`$...$`,
`$$...$$`, `\\begin{align}`), references by their numbers. Dropped: preamble, bibliography, citations, figures, authors.
"""

from __future__ import annotations

import re

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.latex import commands as known
from corpus.extract.latex.babel import find_proof_word, find_theorem_names, language_of, replace_shorthands
from corpus.extract.latex.body import Converter
from corpus.extract.latex.comparisons import Comparisons
from corpus.extract.latex.conditions import decide_conditions, find_defined, read_switches
from corpus.extract.latex.glossaries import write_out_glossaries
from corpus.extract.latex.label_counters import find_class_theorems
from corpus.extract.latex.layout import lay_out, lay_out_title
from corpus.extract.latex.macros import (
    Braces,
    Definitions,
    Expander,
    define_by_macros,
    name_alphabets,
    take_definitions,
)
from corpus.extract.latex.math import put_formulas_aside
from corpus.extract.latex.numbers import insert_numbers, write_out_restatements
from corpus.extract.latex.source import PaperSource, assemble_source
from corpus.extract.latex.submission import read_tex_files
from corpus.extract.plain_text import clean_text

VERSION = 8
"""Raised when the text of some paper changes."""
MAX_HEAD_CHARACTERS = 200_000
"""Of a paper without a preamble, in which its settings are looked for."""

MAX_TITLE_SEARCH_CHARACTERS = 3_000
"""Of a body, in which a title that is set by hand begins."""
MAX_TITLE_CHARACTERS = 300
MIN_TITLE_WORDS = 2

_CENTERED = re.compile(
    r"(?:\\centerline\s*\{|\\begin\s*\{(?:center|titlepage)\})[\s{]*"
    r"(?:\\(?:bf|bfseries|textbf|boldmath|[lL]arge|LARGE|[hH]uge)(?![A-Za-z])[\s{]*)+"
)
"""The beginning of a line in the middle, in large or bold type."""
_COMMAND = re.compile(r"\\[A-Za-z@]+")
_FORMULA = re.compile(r"\$[^$]*\$")
_WORD = re.compile(r"[^\W\d_]+")
_BEGIN = re.compile(r"\\begin\s*\{document\}")
_END = re.compile(r"\\end\s*\{document\}")
_FRONT = re.compile(r"\\(title|icmltitle|papertitle|abstract)(?![A-Za-z])\*?\s*(?:\[[^\[\]]*\]\s*)?(?=\{)")
_FRONT_ENVIRONMENT = re.compile(r"\\begin\s*\{(abstract|frontmatter)\}")


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the text of a submission; None if nothing in it is TeX.

    Raises SubmissionError if the submission is damaged or exceeds a limit.
    """
    assert isinstance(record.body, bytes)
    sources = assemble_source(read_tex_files(record.body))
    if not sources:
        return None
    parts = [source_to_text(source) for source in sources]
    title, text = parts[0][0], "\n\n".join(text for _, text in parts if text)
    return ExtractedText(text=clean_paper_text(text), metadata={"title": title} if title else {})


def tex_to_text(tex: str) -> str:
    """Return the text of one TeX file."""
    sources = assemble_source({"": tex.encode()})
    return clean_paper_text(source_to_text(sources[0])[1]) if sources else ""


def clean_paper_text(text: str) -> str:
    """Apply `clean_text` to the parts with more than ASCII; ASCII comes clean out of the layout."""
    return "\n\n".join(part if part.isascii() else clean_text(part) for part in text.split("\n\n")).strip(
        "\n"
    )


def source_to_text(source: PaperSource) -> tuple[str, str]:
    """Return (title, the whole text with the title first). Linear in the length of the paper and its macros."""
    definitions = Definitions()
    language = language_of(source.text)
    whole = decide_conditions(source.text)
    for style in source.styles:
        take_definitions(
            name_alphabets(style), definitions, known.PROTECTED | known.split_names(" ".join(known.SYMBOLS))
        )
    text = take_definitions(name_alphabets(whole), definitions, known.PROTECTED)
    definitions.theorems.setdefault("proof", find_proof_word(language))
    for environment, name in find_theorem_names(language).items():
        definitions.theorems.setdefault(environment, name)
    preamble, body = _split_document(text)
    preamble = define_by_macros(preamble, definitions, known.PROTECTED)
    head = "\n".join([*source.styles, _split_document(whole)[0] or whole[:MAX_HEAD_CHARACTERS], preamble])
    for environment, counter in find_class_theorems(head).items():
        if environment not in definitions.theorems or environment in find_theorem_names(language):
            definitions.counters.setdefault(environment, counter)
            definitions.theorems.setdefault(environment, environment.capitalize())
    expander = Expander(definitions, len(text))
    aside = source.aside
    converter = Converter(definitions.theorems, language)
    converter.code_count, converter.switches = len(aside), read_switches(whole)
    front = _write_front_matter(preamble, expander) if preamble else ""
    body = Comparisons(definitions.macros, find_defined(whole)).decide_all(body)
    body = write_out_glossaries(expander.expand(body), lambda: expander.expand(source.text))
    body = write_out_restatements(body)
    body = insert_numbers(f"{front}\n\n{body}", definitions, head, language)
    body = replace_shorthands(put_formulas_aside(body, aside), language)
    content = lay_out(converter.convert(body), converter.notes, aside, converter.code_count)
    if not converter.title:
        return _find_centered_title(body, content), content
    title = lay_out_title(converter.title, aside)
    return title, f"{title}\n\n{content}" if title and content else content


def _find_centered_title(body: str, content: str) -> str:
    """Return the title of a paper that sets it by hand: its first line, if that is centered and large or bold."""
    first = content.partition("\n\n")[0]
    centered = _CENTERED.search(body, 0, MAX_TITLE_SEARCH_CHARACTERS)
    if centered is None or not first or len(first) > MAX_TITLE_CHARACTERS or "\n" in first:
        return ""
    words = _WORD.findall(_FORMULA.sub(" ", first))[:3]
    begin = centered.end()
    written = _WORD.findall(_COMMAND.sub(" ", body[begin : begin + MAX_TITLE_CHARACTERS]))
    return first if len(words) >= MIN_TITLE_WORDS and words == written[: len(words)] else ""


def _split_document(text: str) -> tuple[str, str]:
    """Split a text into (preamble, body); all of a text without `\\begin{document}` is body."""
    begin = _BEGIN.search(text)
    if begin is None:
        return "", text
    end = _END.search(text, begin.end())
    return text[: begin.start()], text[begin.end() : end.start() if end else len(text)]


def _write_front_matter(preamble: str, expander: Expander) -> str:
    """Return what some classes expect in the preamble of a paper: its title, its abstract."""
    braces = Braces(preamble)
    pieces = []
    for match in _FRONT.finditer(preamble):
        close = braces.find_close(match.end())
        if close is not None:
            name = "title" if match[1] != "abstract" else "abstract"
            pieces.append(f"\\{name}{expander.expand(preamble[match.end() : close + 1])}")
    for match in _FRONT_ENVIRONMENT.finditer(preamble):
        closing = f"\\end{{{match[1]}}}"
        end = preamble.find(closing, match.end())
        if end >= 0:
            pieces.append(expander.expand(preamble[match.start() : end + len(closing)]))
    return "\n\n".join(pieces)
