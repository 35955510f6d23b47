"""Lay out converted TeX as readable text: paragraphs on one line each, titles and lists, notes behind them."""

from __future__ import annotations

import re

from corpus.extract.holes import HOLE, mend_holes
from corpus.extract.latex import commands as known
from corpus.extract.latex.marks import (
    CELL_MARK,
    CITE_MARK,
    HEADING_MARK,
    ITEM_MARK,
    LINE_MARK,
    NOTE_MARK,
    REFERENCE_MARK,
    ROW_MARK,
    TABLE_MARK,
)
from corpus.extract.latex.source import BLOCK_MARK, INLINE_MARK

_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_EAST = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_EAST_BREAK = re.compile(rf"(?<=[{_EAST}])[ \t]*\n\s*(?=[{_EAST}])")
_DISPLAY = re.compile(rf"[ \n]?({BLOCK_MARK}\d+{BLOCK_MARK})[ \n]?")
_ITEM = re.compile(rf"\s*({ITEM_MARK}+)")
ITEM_INDENT = "  "
"""Before items of lists in lists, for each list around theirs."""
_LINES = re.compile(rf"(?: ?{LINE_MARK} ?)+")
_NOTE = re.compile(rf"{NOTE_MARK}(\d+){NOTE_MARK}")
_SEE = r"(?:see|cf\.?|e\.g\.,?|i\.e\.,?|see also|eq\.|eqs\.|siehe|voir|см\.|见|參見)"
_AND = r"(?:and|or|und|et|y|и|или|和|或|及|と|또는|و|और|และ)[ ~]{0,3}"
_HOLES = re.compile(rf"{HOLE}(?:[ ,;~–-]{{0,6}}(?:to[ ~]{{0,3}}|{_AND})?{HOLE})+")
_CITES = re.compile(
    rf"{CITE_MARK}[\d, ]+{CITE_MARK}(?:[ ,;~–-]{{0,6}}(?:{_AND})?{CITE_MARK}[\d, ]+{CITE_MARK})+"
)
_NUMBERS = re.compile(r"\d+")
_BEFORE_SPOKEN = (
    r"(?:(?:^|[\s(~—–“])(?:in|by|from|of|to|with|and|following|per|via|than|see|on|for|e\.g\.,?|cf\.?|also|auch|aussi|также"
    r"|refs?\.?|references?|papers?|as|dans|de|par|voir|selon|von|aus|siehe|nach|bei|durch|en|por|según|в|из|см\.|по"
    r"|работ[аеуы]?|и|文献|文獻|参见|参考|見|见|在|由|据|文|論文)|文献|文獻|论文|論文|参见)[ ~]*"
)
_SPOKEN = re.compile(rf"({_BEFORE_SPOKEN}){CITE_MARK}([\d, ]+){CITE_MARK}", re.IGNORECASE)
"""A citation behind such a word is part of the sentence."""
_SUBJECT = re.compile(rf"(^|[.!?。！？] ){CITE_MARK}([\d, ]+){CITE_MARK}(?= [a-zа-я])")
_UNKNOWN_REFERENCES = rf"{REFERENCE_MARK}|\({REFERENCE_MARK}\)"
_UNKNOWN_ALONE = re.compile(
    rf"[(\[（](?:{_SEE}[ ~]*)?(?:{_UNKNOWN_REFERENCES})"
    rf"(?:[ ,;~–-]{{1,6}}(?:{_AND})?(?:{_UNKNOWN_REFERENCES}))*[)\]）]"
)
"""Brackets that hold nothing but references of which nobody can know the number."""
_PAGES = r"(?:pages?|pp?\.|Seiten?|S\.|стр\.|с\.|página|pagina|strona)"
_PAGE = re.compile(
    rf"[ ~](?:on|at|auf|à la|sur la|на|en la|na|op)[ ~]{_PAGES}[ ~]*{REFERENCE_MARK}"
    rf"|,[ ~]*{_PAGES}[ ~]*{REFERENCE_MARK}"
    rf"|(?<=[(\[])(?:{_SEE}[ ~]*)?{_PAGES}[ ~]*{REFERENCE_MARK}(?=[)\]])"
)
"""What names a page beside what is on it: a text has no pages."""
_EQUATION_NAMES = (
    r"\b(?:eqs?\.?|eqns?\.?|equations?|gleichung(?:en)?|gln?\.|équations?|ecuaci(?:ón|ones)|equaç(?:ão|ões)|equazion[ei]"
    r"|уравнени\w*|формул\w*|समीकरण|สมการ|معادلة|المعادلة)[ ~]*"
)
_SPOKEN_BEFORE = re.compile(
    rf"(?:{_BEFORE_SPOKEN}|{_EQUATION_NAMES}|[由据據从從在见見式][ ~]*|(?:^|[.!?。！？] ))\Z", re.IGNORECASE
)
MAX_SPOKEN_CHARACTERS = 20
UNKNOWN_NUMBER = "??"
"""What LaTeX prints for a number that it does not know."""
_CITE = re.compile(rf"{CITE_MARK}[\d, ]*{CITE_MARK}")
_ONLY_HOLES = re.compile(rf"[(\[](?:{_SEE}[ ~]*)?{HOLE}[)\]]")
_STRAY = re.compile(rf"[{CELL_MARK}{ROW_MARK}]")
_QUOTED = re.compile(r"(?<![\w`])`([^`'\n]{1,80})'")
_CLOSED_STRAIGHT = re.compile(r'“([^“”"\n]{1,500})"')
_LOW_QUOTE = re.compile(r"(?<![\w,]),,(?=\w)")
_ASIDE = re.compile(rf"[{INLINE_MARK}{BLOCK_MARK}](\d+)[{INLINE_MARK}{BLOCK_MARK}]")
_ADJACENT = re.compile(rf"{INLINE_MARK}\d+{INLINE_MARK}(?:{INLINE_MARK}\d+{INLINE_MARK})+")
_FORMULA = re.compile(r"\$(?:[^$\\]|\\.)+\$", re.DOTALL)
_COMMAND_END = re.compile(r"\\[A-Za-z]+\Z")
_SCRIPT_END = re.compile(r"[\^_](?:\{[^{}]*\}|\\[A-Za-z]+|[^\s\\{}])\s*\Z|'\Z")
"""What a formula may end with so that another script cannot follow."""
_ANYTHING = re.compile(r"[^\s.,;:!?()\[\]{}|–—-]")


def lay_out(text: str, notes: list[str], aside: list[str], code_count: int = 0) -> str:
    """Return the text of a paper: blocks separated by a blank line, items and rows together, formulas restored.

    `code_count` is how many of the pieces put aside are verbatim text: the first ones.
    """
    blocks: list[list[str]] = []
    was_line = ""
    dropping = False
    pieces = _PARAGRAPHS.split(text)
    for place, piece in enumerate(pieces):
        is_heading, line = HEADING_MARK in piece[:3], _find_line_mark(piece)
        paragraph, behind = _lay_out_paragraph(piece, notes)
        named = paragraph.strip(" .:：*").casefold() if len(paragraph) < 60 else ""
        if _is_bibliography(named) and (is_heading or place > 0.4 * len(pieces)):
            dropping = True
            continue
        if dropping:
            if not is_heading:
                continue
            dropping = False
        if paragraph and _ANYTHING.search(paragraph):
            if line and line == was_line and blocks:
                blocks[-1].append(paragraph)
            else:
                blocks.append([paragraph])
            was_line = line
        for note in behind:
            blocks.append([note])
            was_line = ""
    text = "\n\n".join(map("\n".join, blocks))
    joined = _ADJACENT.sub(lambda marks: _join_formulas(marks, aside, code_count), text)
    return _put_back(_set_typography(joined), aside)


def lay_out_title(text: str, aside: list[str]) -> str:
    """Return a title on one line, without footnotes and citations."""
    paragraph, _ = _lay_out_paragraph(_PARAGRAPHS.sub(" ", text), [])
    return _put_back(_set_typography(paragraph.replace("\n", " ")), aside)


def _lay_out_paragraph(piece: str, notes: list[str], depth: int = 0) -> tuple[str, list[str]]:
    """Return a paragraph on one line, displayed formulas on lines of their own, and the notes that stand behind it."""
    behind: list[list[str]] = []  # notes by their lines
    if NOTE_MARK in piece:
        for match in _NOTE.finditer(piece):
            if depth < 3 and int(match[1]) < len(notes):
                parts = _PARAGRAPHS.split(notes[int(match[1])])
                was_line = ""
                for part in parts:
                    inner, more = _lay_out_paragraph(part, notes, depth + 1)
                    mark = _find_line_mark(part)
                    if mark and mark == was_line and _ANYTHING.search(inner):
                        behind[-1].append(inner)
                    elif _ANYTHING.search(inner):
                        behind.append([inner])
                    was_line = mark if not more and behind else ""
                    behind += [[note] for note in more]
        piece = _NOTE.sub("", piece)
    if "\n" in piece and not piece.isascii():
        piece = _EAST_BREAK.sub("", piece)
    lists = _ITEM.match(piece)
    indent = ITEM_INDENT * (len(lists[1]) - 1) if lists is not None else ""
    for mark in (HEADING_MARK, ITEM_MARK, TABLE_MARK):
        piece = piece.replace(mark, "")
    piece = piece.replace("~", " ")
    line = " ".join(piece.split())
    if CELL_MARK in line or ROW_MARK in line:
        line = _STRAY.sub(" ", line)
    if CITE_MARK in line:
        line = _CITES.sub(
            lambda match: f"{CITE_MARK}{', '.join(_NUMBERS.findall(match[0]))}{CITE_MARK}", line
        )
        line = _SUBJECT.sub(r"\1[\2]", _SPOKEN.sub(r"\1[\2]", line))
        line = _CITE.sub(HOLE, line)
    if REFERENCE_MARK in line:
        line = _UNKNOWN_ALONE.sub(_keep_spoken, _PAGE.sub(HOLE, line)).replace(REFERENCE_MARK, UNKNOWN_NUMBER)
    if HOLE in line:
        line = _ONLY_HOLES.sub(HOLE, _HOLES.sub(HOLE, _ONLY_HOLES.sub(HOLE, line)))
        line = mend_holes(line)
    if LINE_MARK in line:
        line = _LINES.sub(r"\n", line).strip()
    if BLOCK_MARK in line:
        line = _DISPLAY.sub(r"\n\1\n", line).strip()
    return (f"{indent}{line}" if line else line), list(map("\n".join, behind))


def _find_line_mark(piece: str) -> str:
    """Return the mark of what stands on lines without blank ones between them: items, rows; empty for paragraphs."""
    first = piece.lstrip()[:1]
    return first if first in (ITEM_MARK, TABLE_MARK) else ""


def _keep_spoken(brackets: re.Match[str]) -> str:
    """Return brackets of references that are part of the sentence; a hole in the place of others."""
    start = brackets.start()
    before = brackets.string[max(0, start - MAX_SPOKEN_CHARACTERS) : start]
    return brackets[0] if _SPOKEN_BEFORE.search(before) else HOLE


def _is_bibliography(named: str) -> bool:
    return named in known.BIBLIOGRAPHY or named in (
        "список литературы",
        "literature cited",
        "references and notes",
    )


def _set_typography(text: str) -> str:
    """Write dashes and quotes as TeX sets them; single quotes only if they are a pair."""
    if "--" in text:
        text = text.replace("---", "—").replace("--", "–")
    if "`" in text:
        text = text.replace("?`", "¿").replace("!`", "¡")
        text = text.replace("``", "“")
        if "`" in text:
            text = _QUOTED.sub(r"‘\1’", text)
    if ",," in text:
        text = _LOW_QUOTE.sub("„", text)
    if "''" in text:
        text = text.replace("''", "”")
    if "“" in text:
        text = _CLOSED_STRAIGHT.sub(r"“\1”", text)
    if "<<" in text:
        text = text.replace("<<", "«").replace(">>", "»")
    for held, character in known.HELD_CHARACTERS.items():
        if held in text:
            text = text.replace(held, character)
    return text


def _join_formulas(marks: re.Match[str], aside: list[str], code_count: int) -> str:
    """Return formulas beside each other in one pair of dollars: two would read as the beginning of a display."""
    numbers = [int(number) for number in _NUMBERS.findall(marks[0])]
    formulas = [aside[number] if code_count <= number < len(aside) else "" for number in numbers]
    if not all(_FORMULA.fullmatch(formula) for formula in formulas):
        return marks[0]
    pieces: list[str] = []
    before = ""
    for formula in formulas:
        content = formula[1:-1]
        if content[:1].isalpha() and _COMMAND_END.search(before):
            pieces.append(" ")
        elif content[:1] in "^_'" and _SCRIPT_END.search(before):
            pieces.append("{}")
        pieces.append(content)
        before = content
    return f"${''.join(pieces)}$"


def _put_back(text: str, aside: list[str]) -> str:
    """Replace marks by their formulas and verbatim text, which may hold marks themselves, once."""
    for _ in range(3):
        if INLINE_MARK not in text and BLOCK_MARK not in text:
            break
        text = _ASIDE.sub(lambda match: aside[int(match[1])] if int(match[1]) < len(aside) else "", text)
    return text
