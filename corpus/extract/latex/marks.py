"""Define the marks that stand in TeX during conversion, the patterns of its tokens, and the text of closed groups."""

from __future__ import annotations

import re

HEADING_MARK, ITEM_MARK, NOTE_MARK, CELL_MARK, ROW_MARK, CITE_MARK = (
    "\x02",
    "\x03",
    "\x04",
    "\x05",
    "\x06",
    "\x07",
)
"""Before a title; before an item, once for each list that it is in; around the number of a footnote or float; between
cells; between rows; around the numbers of what is cited."""

TABLE_MARK = "\x1b"
"""Before a row of a table."""
LINE_MARK = "\x19"
"""Where a line of a poem or a quotation ends."""
REFERENCE_MARK = "\x08"
"""Stands for a number that is referred to and not known."""
MIN_FLOAT_ROWS = 2
MIN_FLOAT_LETTERS = 30
"""Of the rows of a table inside a figure, to be told from rows of pictures."""
MIN_FLOAT_PROSE_CHARACTERS = 80
_FLOAT_PROSE_END = tuple(".!?。！？।؟:：")
_FLOAT_CODE = re.compile("\x0e(\\d+)\x0e")
_LETTER = re.compile(r"[^\W_]")
TOKEN = re.compile(r"\\([A-Za-z@]+)|\\([^A-Za-z@])|[{}&]")
WORD_SPACE = re.compile(r"[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?")
OPTION = re.compile(
    r"[ \t]*\n?[ \t]*\[((?>(?:[^\[\]{}]+|\{(?>(?:[^{}]+|\{(?>(?:[^{}]+|\{[^{}]*\})*)\})*)\}|\[[^\[\]]*\])*))\]"
)
_EASTERN = r"[\u3040-\u9fff\uac00-\ud7af]"
TITLE_OPTION = re.compile(
    rf"(?=[^=]*+$)(?=.*(?:[^\W\d_]{{4}}|{_EASTERN}{{2}}))"
    rf"\s*(?:[^\W\d_a-z].*\s.*|[^\W\d_a-z][^\W\d_]{{5,}}.*|.*{_EASTERN}{{2}}.*)",
    re.DOTALL,
)
"""An option that is a title: it begins with a capital letter, and has several words or a long one; no settings."""
OPTIONAL_SPACES = re.compile(r"[ \t]*\n?[ \t]*")
ENVIRONMENT_NAME = re.compile(r"\s*\{([^{}\\\n]{1,60})\}")
ACCENTED_LETTER = re.compile(
    r"\s*(?:\{\s*(?:\\([ijoOlL]|ae|AE|oe|OE|aa|AA|[ou]horn|[OU]HORN)(?![A-Za-z])\s*|(\w\w?))?\s*\}"
    r"|\\([ijoOlL]|ae|AE|oe|OE|aa|AA|[ou]horn|[OU]HORN)(?![A-Za-z])[ \t]*|(\w))"
)
MAX_ACCENTED_CHARACTERS = 40
"""Characters of a group with a letter that has an accent already."""
TWO_COLUMNS = re.compile(rf"\\twocolumn(?=\s*\[){OPTION.pattern}")
NUMBER_UNIT = re.compile(r"[ \t]*\[([^\[\]{}]{1,40})\]")
ADJACENT_OPTION = re.compile(r"\[[^\[\]{}\n]{0,80}\](?=\{)")
"""An option of a command that nobody knows."""
HEXADECIMAL = re.compile(r"\s*[0-9A-Fa-f]{2,6}\s*")
UNKNOWN_CHARACTER = "\u3013"
"""The geta mark, for a character of a font that has no code here."""
SPACE_WIDTH = re.compile(r"[\s{=]*([-+]?)([\d.]*)[ \t]*(?:true[ \t]*)?(\\[A-Za-z]+|[a-z]{2})")
POINTS = {"pt": 1.0, "bp": 1.0, "mm": 2.85, "cm": 28.5, "in": 72.0, "pc": 12.0, "em": 10.0, "ex": 4.5}
MIN_SPACE_POINTS = 2.0
"""Width from which a space parts two words."""
OVERLAY = re.compile(r"<[\d,+|.\- a-z:@]{0,40}>")
TABU_WIDTH = re.compile(r"[ \t]*(?:to|spread)[ \t]*[^{}\[\]\n]{1,60}(?=[\[{])")
_BRACED = r"\{(?>(?:[^{}]+|\{(?>(?:[^{}]+|\{[^{}]*\})*)\})*)\}"
BOX_TITLE = re.compile(rf"(?:^|,)\s*(?:frame)?title\s*=\s*((?>(?:[^,{{}}]+|{_BRACED})*))")
"""The title among the options of a box."""
_UNIT = r"(?:pt|cm|mm|in|em|ex|pc|bp|sp|mu|fill?l?)(?![A-Za-z])"
_LENGTH = rf"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)[ \t]*(?:true[ \t]*)?(?:pt|cm|mm|in|em|ex|pc|bp|sp)|{_UNIT})"
DIMENSION = re.compile(
    rf"[ \t]*(?:=[ \t]*)?(?:to[ \t]*)?(?:{_LENGTH}|[-+]?(?:\d+(?:\.\d*)?|\.\d+)?[ \t]*(?:true[ \t]*)?"
    rf"(?:{_UNIT}|\\[A-Za-z]+))"
    rf"(?:[ \t]*(?:plus|minus)[ \t]*[-+]?(?:\d+(?:\.\d*)?|\.\d+)?[ \t]*{_UNIT})*"
)
"""A length behind a command that takes one."""
BOX_WIDTH = re.compile(rf"[ \t]*(?:to|spread)[ \t]*(?:{_LENGTH}|[-+]?[\d.]*\\[A-Za-z]+)[ \t]*(?=\{{)")
STYLE_VALUE = re.compile(rf"\s*\+?=(?:{OPTION.pattern})")
CHARACTER_CODE = re.compile(
    r"[ \t]*\{?[ \t]*(?:\"([0-9A-F]{1,6})|(\d{1,7})|`\\?(?![ \t\n])(.)|'([0-7]{1,7}))[ \t]?"
    r"(?:(?<=\w|[^\w ])[ \t]*\})?"
)
"""A character by its number, hexadecimal, decimal or octal, or behind a grave accent."""
COUNT_VALUE = re.compile(r"[ \t]*=?[ \t]*[-+]?[\d'\"]?\d*")
ASSIGNED_VALUE = re.compile(
    rf"[ \t]*=[ \t]*(?:[-+]?[\d.]+[ \t]*{_UNIT}|[-+]?[\d.]+(?:\\[A-Za-z]+)?|\\[A-Za-z]+[ \t]*\d*)"
)
"""A value given to any command."""
LAYOUT_ARGUMENT = re.compile(
    rf"(?:[ \t]*\[[^\[\]{{}}=]*=[^\[\]]*\])?[ \t]*\{{[ \t]*[-+]?[\d.]+[ \t]*{_UNIT}[ \t]*\}}"
    rf"|[ \t]*\[[^\[\]{{}}=]*=[^\[\]]*\]|[ \t]*\[[ \t]*[-+]?[\d.]+[ \t]*{_UNIT}[ \t]*\]"
)
"""Of a command that nobody knows: a length or options, which are no text."""
RULE_OPTIONS = re.compile(r"[ \t]*(?:\[[^\[\]]*\])?[ \t]*(?:\([lr]+\))?[ \t]*(?:\[[^\[\]]*\])?")
"""Options of a rule in a table."""
SPANNED_CELLS = re.compile(r"[ \t]*(?:\{[^{}]*\}|\d)")
RULE_SIZES = re.compile(
    rf"(?:[ \t]*(?:height|width|depth)[ \t]*=?[ \t]*(?:{_LENGTH}|[-+]?[\d.]*\\[A-Za-z]+))*"
)
"""Sizes behind a rule of plain TeX."""
ALIGNMENT_BEGINNING = re.compile(r"[ \t]*(?:(?:to|spread)[ \t]*[^{}\n]{1,40})?\s*(?=\{)")
TEMPLATE_END = re.compile(r"\\cr(?![A-Za-z])")
TAB_SAMPLE = re.compile(r"[ \t]*(?:\\\+[^\n]{0,500}?\\cr(?![A-Za-z])|\d*[ \t]*\\columns(?![A-Za-z]))")
THEOREM_NUMBER = re.compile("\x0f([^\x0f]*)\x0f")
THEOREM_BEGINNING = re.compile(
    r"(?>(?:\s|\\label\s*\{[^{}]*\}|\\(?:mbox|hspace\*?|hskip)\s*\{\}|\\(?:rm|em|it|normalfont|upshape)(?![A-Za-z]))*)"
)
"""What may stand between the name of a theorem and its first word."""
FONT_ASSIGNMENT = re.compile(
    r"\s*\\[A-Za-z]+\s*=?\s*[\w-]+(?:[ \t]+(?:scaled|at)[ \t]*(?:\\?\w+)(?:[ \t]*\w+)?)?"
)
FOOTNOTE_SIGN = re.compile(
    r"\s*(?:\{(?:[*†‡§¶\s\d()^]|\\(?:d?dag|S|P)(?![A-Za-z])|\x00\d+\x00|\\textsuperscript\{[^{}]{0,8}\}){0,8}\}"
    r"|\x00\d+\x00)\s*(?=\{)"
)
"""The first argument of plain TeX's `\\footnote{*}{text}`."""
LINE_SKIP = re.compile(r"\*?[ \t]*(?:\[[^\]\n]{0,40}\])?")
STANZA_END = re.compile(r"!(?:[ \t]*\[[^\]\n]{0,40}\])?|>(?:\[[^\]\n]{0,40}\])?")
"""What may follow a line break in a poem: the sign that its stanza ends, or that the next line is indented."""
PARAGRAPH_END = re.compile(r"\\par(?![A-Za-z])|\n[ \t]*\n")


def format_heading(content: str) -> str:
    """Return a title as a marked paragraph of its own."""
    return f"\n\n{HEADING_MARK}{' '.join(content.split())}\n\n"


def format_block(content: str) -> str:
    """Return the text as a paragraph of its own."""
    return f"\n\n{content.strip()}\n\n"


def format_run_in(content: str) -> str:
    """Return a title that is followed on its line, with a full stop."""
    content = content.strip()
    return f"{content}{'' if content[-1:] in '.:。：' else '.'} " if content else ""


def format_table(content: str) -> str:
    """Return rows as lines of `a | b`; empty cells at a line's end and empty rows are dropped."""
    rows = []
    for row in content.split(ROW_MARK):
        cells = [" ".join(cell.replace(LINE_MARK, " ").split()) for cell in row.split(CELL_MARK)]
        if any(cell.strip("-–—| ") for cell in cells):
            rows.append(f"{TABLE_MARK}" + " | ".join(cells).rstrip(" |"))
    return "\n\n".join(["", *rows, ""])


def is_wide(length: str) -> bool:
    """Return whether a space of such a length parts two words: 1em does, a hair or a negative one does not."""
    match = SPACE_WIDTH.match(length)
    if match is None or match[1] == "-":
        return False
    if match[3].startswith("\\"):
        return True
    return (
        float(match[2] if match[2].replace(".", "", 1).isdecimal() else "0") * POINTS.get(match[3], 0)
        >= MIN_SPACE_POINTS
    )


def format_tabbed(content: str) -> str:
    """Return the lines of a `tabbing`, with a space for every stop."""
    lines = [" ".join(row.replace(CELL_MARK, " ").split()) for row in content.split(ROW_MARK)]
    return "\n\n".join(["", *(f"{TABLE_MARK}{line}" for line in lines if line), ""])


def take_float_text(content: str, code_count: int) -> str:
    """Return what a figure holds besides pictures and labels: tables, listings, sentences; empty if nothing.

    `code_count` is how many of the pieces put aside are listings: the first ones.
    """
    if not _LETTER.search(content):
        return ""
    kept: list[str] = []
    rows: list[str] = []
    for part in [*re.split(r"\n[ \t]*\n\s*", content), ""]:
        part = part.strip()
        if part.startswith(TABLE_MARK) and " | " in part:
            rows.append(part)
            continue
        if len(rows) >= MIN_FLOAT_ROWS and len(_LETTER.findall("".join(rows))) >= MIN_FLOAT_LETTERS:
            kept += rows
        rows = []
        code = _FLOAT_CODE.search(part)
        is_code = code is not None and int(code[1]) < code_count
        is_prose = (
            len(part) >= MIN_FLOAT_PROSE_CHARACTERS and part.endswith(_FLOAT_PROSE_END) and "&" not in part
        )
        if is_code or is_prose:
            kept.append(part)
    return "\n\n".join(kept)
