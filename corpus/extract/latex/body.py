"""Convert TeX without comments, macros and formulas to text: one pass over commands, braces and environments.

Every token is read once and every group is closed once, so time is linear and no input makes it slow or
fails: unbalanced groups are accepted as they come, unknown commands are dropped and leave their text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from corpus.extract.holes import HOLE
from corpus.extract.latex import commands as known
from corpus.extract.latex import siunitx
from corpus.extract.latex.conditions import choose_branch
from corpus.extract.latex.lists import ListLabel, read_list_label
from corpus.extract.latex.macros import Braces, Macro, read_arguments
from corpus.extract.latex.marks import (
    ACCENTED_LETTER,
    ADJACENT_OPTION,
    ALIGNMENT_BEGINNING,
    ASSIGNED_VALUE,
    BOX_TITLE,
    BOX_WIDTH,
    CELL_MARK,
    CHARACTER_CODE,
    CITE_MARK,
    COUNT_VALUE,
    DIMENSION,
    ENVIRONMENT_NAME,
    FONT_ASSIGNMENT,
    FOOTNOTE_SIGN,
    HEADING_MARK,
    HEXADECIMAL,
    ITEM_MARK,
    LAYOUT_ARGUMENT,
    LINE_MARK,
    LINE_SKIP,
    MAX_ACCENTED_CHARACTERS,
    NOTE_MARK,
    NUMBER_UNIT,
    OPTION,
    OPTIONAL_SPACES,
    OVERLAY,
    PARAGRAPH_END,
    REFERENCE_MARK,
    ROW_MARK,
    RULE_OPTIONS,
    RULE_SIZES,
    SPANNED_CELLS,
    STANZA_END,
    STYLE_VALUE,
    TAB_SAMPLE,
    TABU_WIDTH,
    TEMPLATE_END,
    THEOREM_BEGINNING,
    THEOREM_NUMBER,
    TITLE_OPTION,
    TOKEN,
    TWO_COLUMNS,
    UNKNOWN_CHARACTER,
    WORD_SPACE,
    format_block,
    format_heading,
    format_run_in,
    format_tabbed,
    format_table,
    is_wide,
    take_float_text,
)
from corpus.extract.raised_text import write_script

MAX_OPEN_FRAMES = 400
"""Groups and environments in each other that are kept, but for floats, and frames that are looked through; TeX has 255
groups in each other."""
MAX_ITEM_LISTS = 16
"""Lists in each other by which an item is indented; LaTeX has six."""
MAX_PARTS_APART = 20
"""Depth to which parts are converted by themselves; what is deeper loses its commands."""
MAX_ROW_CHARACTERS = 1_000
MAX_BASE_PIECES = 16
"""Pieces of text in which that is looked for which a subscript stands at."""


def raise_text(content: str) -> str:
    """Return a superscript in text: m², 10⁻³; letters stay as they are, as most of them are the ends of ordinals."""
    return write_script(content, "sup", "", "")


@dataclass(slots=True)
class Frame:
    """Hold an open group or environment: where its output began, and what to do when it ends."""

    name: str
    start: int
    close: Callable[[str], str] | None = None
    count: int = 0
    label: ListLabel | None = None
    """Of a list with numbers."""
    captions: list[str] = field(default_factory=list)
    part_start: int = 0
    """Of a long table, where the part that is read begins: its first head, the head of its other pages."""
    head: slice | None = None
    """The part that is its head, once one is read."""


class Converter:
    """Convert the text of one paper; `notes` collects footnotes and floats, `title` its title."""

    def __init__(self, theorems: dict[str, str], language: str | None = None) -> None:
        self.theorems = theorems
        self.language = language
        self.notes: list[str] = []
        self.title: str | None = None
        self.cited: dict[str, int] = {}
        self.depth = 0
        """How many parts that are converted apart this one is inside."""
        self.switches: dict[str, bool] = {}
        """What the paper sets its booleans to."""
        self.code_count = 0
        """Pieces put aside that are verbatim text: those before the formulas."""
        self.last_counts: dict[int, int] = {}
        """Depth of a list -> the number of its last item."""

    def convert(self, text: str) -> str:
        """Return text with `HEADING_MARK`, `ITEM_MARK` and `NOTE_MARK`, paragraphs separated by blank lines."""
        if "\\twocolumn" in text:
            text = TWO_COLUMNS.sub(r"\n\n\1\n\n", text)
        self.text, self.braces = text, Braces(text)
        self.out: list[str] = []
        self.stack: list[Frame] = []
        self.pending: tuple[str, Callable[[str], str]] | None = None
        self.missing: dict[str, int] = {}
        self.marker_end = 0
        self.has_tabs = f"\\begin{{{known.TABBED}}}" in text
        self.behind = at = 0
        search = TOKEN.search
        while match := search(text, at):
            start, after = match.span()
            if start > at:
                self.out.append(text[at:start])
            at = after
            if match[1] is not None:
                at = self.convert_command(match[1], start, at)
            elif match[2] is not None:
                at = self.convert_sign(match[2], at)
            elif text[start] == "{":
                self.open_frame("{")
            elif text[start] == "}":
                self.behind = at
                self.close_group()
            else:
                self.out.append(CELL_MARK if self.is_in_table() else "&")
            if at < 0:
                break
        else:
            self.out.append(text[at:])
        while self.stack:
            self.close_frame()
        return "".join(self.out)

    # Groups and environments.

    def open_frame(self, name: str, close: Callable[[str], str] | None = None) -> None:
        if self.pending is not None and name == "{":
            name, close = self.pending
            self.pending = None
        if len(self.stack) < MAX_OPEN_FRAMES:
            self.stack.append(Frame(name, len(self.out), close))

    def list_open(self) -> Iterator[Frame]:
        """Yield the frames around what is being read, the innermost first."""
        return islice(reversed(self.stack), MAX_OPEN_FRAMES)

    def close_group(self) -> None:
        if self.stack and self.stack[-1].name.startswith("{"):
            self.close_frame()

    def close_frame(self) -> None:
        frame = self.stack.pop()
        if frame.close is not None:
            content = "".join(self.out[frame.start :])
            del self.out[frame.start :]
            self.out.append(frame.close(content))

    def is_in_table(self) -> bool:
        """Return whether what comes next is a table's own, and not inside a group in one of its cells."""
        return bool(self.stack) and (
            self.stack[-1].name in known.TABULARS
            or self.stack[-1].name in (known.TABLE_HEAD, known.ALIGNMENT)
        )

    def is_in_tabbing(self) -> bool:
        """Return whether a `tabbing` is open, in which `\\=` and `\\>` are stops and no accents."""
        return self.has_tabs and any(frame.name == known.TABBED for frame in self.list_open())

    def is_in_verse(self) -> bool:
        """Return whether the innermost environment is one whose lines are lines: a poem, a quotation."""
        inner = next((frame for frame in self.list_open() if not frame.name.startswith("{")), None)
        return inner is not None and inner.name in known.VERSES

    def end_row(self) -> None:
        is_row = self.is_in_table() or (self.stack and self.stack[-1].name == known.TABBED)
        self.out.append(ROW_MARK if is_row else LINE_MARK if self.is_in_verse() else " ")

    def open_argument(self, at: int, close: Callable[[str], str]) -> int:
        """Make the next group an argument: its text is passed to `close`. Options before it are skipped."""
        at = self.skip_options(at)
        space = OPTIONAL_SPACES.match(self.text, at)
        begin = space.end() if space else at
        if self.braces.find_close(begin) is not None:
            self.pending = ("{", close)
            return begin
        return at

    def skip_options(self, at: int) -> int:
        if self.text.startswith("*", at):
            at += 1
        while option := OPTION.match(self.text, at):
            at = option.end()
        return at

    def skip_arguments(self, at: int, count: int) -> int:
        """Return the position behind `count` groups, each with options before it."""
        for _ in range(count):
            begin = self.skip_options(at)
            space = OPTIONAL_SPACES.match(self.text, begin)
            begin = space.end() if space else begin
            close = self.braces.find_close(begin)
            if close is None:
                return self.skip_options(at)
            at = close + 1
        return at

    def find_next(self, what: str, at: int) -> int:
        """Return the next position of `what`, -1 if there is none; a failed search is not repeated."""
        if self.missing.get(what, len(self.text)) <= at:
            return -1
        place = self.text.find(what, at)
        if place < 0:
            self.missing[what] = at
        return place

    # Commands.

    def convert_sign(self, sign: str, at: int) -> int:
        if sign == "\\":
            skip = LINE_SKIP.match(self.text, at)
            at = skip.end() if skip else at
            self.end_row()
            if self.out[-1] == LINE_MARK and (stanza := STANZA_END.match(self.text, at)) is not None:
                self.out.append("\n\n" if stanza[0].startswith("!") else "")
                return stanza.end()
            return at
        if sign in "=><+-'`" and self.is_in_tabbing():
            self.out.append(CELL_MARK if sign in "=>" else " ")
            return at
        if sign in known.ACCENTS:
            return self.convert_accent(sign, at)
        if sign == "+":
            return self.convert_tabbed_row(at)
        self.out.append(known.LITERALS.get(sign, ""))
        return at

    def convert_accent(self, name: str, at: int) -> int:
        """Write a letter with its accent, as one character if there is one."""
        match = ACCENTED_LETTER.match(self.text, at)
        combining = known.ACCENTS[name]
        if match is None:
            return self.add_second_accent(combining, at)
        letters = match[2] or match[4] or match[1] or match[3] or ""
        if (match[1] or match[3]) and letters not in "ij":
            letters = known.SYMBOLS[letters]
        elif name == "t" and len(letters) == 2:
            letters, combining = letters[0] + combining + letters[1], ""
        if letters:
            self.out.append(unicodedata.normalize("NFC", letters[0] + combining + letters[1:]))
        return match.end()

    def add_second_accent(self, combining: str, at: int) -> int:
        """Write a letter in braces that has an accent already with one more, as Vietnamese and Pinyin have them."""
        space = OPTIONAL_SPACES.match(self.text, at)
        begin = space.end() if space else at
        if not self.text.startswith("{\\", begin):
            return at
        close = self.braces.find_close(begin)
        if close is None or close - begin > MAX_ACCENTED_CHARACTERS:
            return at
        letters = self.convert_apart(self.text[begin + 1 : close]).strip()
        if not letters[:1].isalpha():
            return at
        width = next((end for end in range(1, len(letters)) if not unicodedata.combining(letters[end])), None)
        width = width or len(letters)
        self.out.append(unicodedata.normalize("NFC", letters[:width] + combining + letters[width:]))
        return close + 1

    def convert_command(self, name: str, start: int, at: int) -> int:
        text = self.text
        if name == "@":
            return at
        if name in known.OVERLAID and (overlay := OVERLAY.match(text, at)) is not None:
            at = overlay.end()
        if name in known.ACCENTS and name not in known.SYMBOLS:
            return self.convert_accent(name, at) if text[at : at + 1] in (" ", "\t", "\n", "\\", "{") else at
        symbol = known.SYMBOLS.get(name)
        if symbol is not None:
            self.out.append(symbol)
            if text.startswith("{}", at):
                return at + 2
            return self.skip_word_space(at)
        if name == "begin" or name == "end":
            return self.convert_environment(name, at)
        if name in known.RULES:
            rule = RULE_OPTIONS.match(text, at)
            return self.skip_arguments(rule.end() if rule else at, known.RULES[name])
        if name in known.CITES:
            return self.convert_citation(name, at)
        if name in known.ROW_ENDS:
            self.end_row()
            skip = LINE_SKIP.match(text, at)
            return self.skip_word_space(skip.end() if skip else at)
        if name == "halign" or name == "ialign":
            return self.open_alignment(at)
        if name == "multispan" and (cells := SPANNED_CELLS.match(text, at)) is not None:
            return cells.end()
        if name == "settabs" and (sample := TAB_SAMPLE.match(text, at)) is not None:
            return sample.end()
        if (name == "vrule" or name == "hrule") and (sizes := RULE_SIZES.match(text, at)) is not None:
            return self.skip_word_space(sizes.end())
        if name in known.LONGTABLE_PARTS and self.is_in_table():
            self.end_table_part(name)
            return self.skip_word_space(at)
        if name == "kill" and self.is_in_tabbing():
            self.drop_line()
            return at
        if name in known.DIAGONALS:
            groups, behind = self.read_groups(at, 2)
            self.out.append(" / ".join(self.convert_apart(group).strip() for group in groups))
            return behind
        if name in ("numprint", "np") and (unit := NUMBER_UNIT.match(text, at)) is not None:
            return self.open_argument(at, lambda content: f"{content} {unit[1]}")
        if name == "flagverse":
            return self.open_argument(at, lambda content: f"{content} ")
        if name in known.LINE_FILLERS:
            self.out.append(LINE_MARK if name == "newline" and self.is_in_verse() else " ")
        if name in known.UNKNOWN_VALUES:
            self.out.append(HOLE)
            return at
        if name in known.SPACES:
            return self.convert_space(name, at)
        if name in known.BOXES and (width := BOX_WIDTH.match(text, at)) is not None:
            return width.end()
        if name in ("UTF", "CID"):
            return self.convert_glyph(name, at)
        if name in known.FRACTIONS:
            return self.convert_fraction(at)
        if name in ("textsuperscript", "textsubscript"):
            return self.open_argument(at, raise_text if name == "textsuperscript" else self.lower_text)
        if name == "texttt":
            return self.open_argument(at, lambda content: content.translate(known.LITERAL_TYPE))
        if name in known.READINGS:
            return self.convert_first_of_two(self.skip_options(at))
        if name == "ding":
            return self.convert_dingbat(at)
        if name in ("ifthenelse", "ifbool", "iftoggle"):
            return self.convert_choice(name, at)
        if name == "epigraph" or name == "qitem":
            return self.convert_blocks(at, 2, format_block)
        if name in ("frametitle", "framesubtitle"):
            return self.open_argument(at, format_heading)
        if name in known.QUANTITIES:
            return self.convert_quantity(name, at)
        if name in known.QUOTES:
            return self.convert_quote(name, at)
        if name == "hyperref" and (option := OPTION.match(text, at)) is not None:
            return option.end()
        if name == "replaced":
            return self.convert_first_of_two(self.skip_options(at))
        if name == "tikzstyle":
            style = STYLE_VALUE.match(text, self.skip_arguments(at, 1))
            return style.end() if style is not None else self.skip_arguments(at, 1)
        if name == "setcounter":
            return self.set_list_number(at)
        if name == "char" or name == "symbol":
            return self.convert_character(at)
        if name in known.DELETION_ENDS:
            end = self.find_next(known.DELETION_ENDS[name], at)
            return end + len(known.DELETION_ENDS[name]) if end >= 0 else at
        if name in known.REFS:
            self.out.append(f"({REFERENCE_MARK})" if name == "eqref" else REFERENCE_MARK)
            return self.skip_arguments(at, 2 if name.endswith("range") else 1)
        if name in known.HEADINGS:
            if name.endswith("head") or name.endswith("heading"):
                self.out.append(f"\n\n{HEADING_MARK}")
                return self.skip_word_space(at)
            return self.open_argument(at, format_heading)
        if name in known.TITLES:
            return self.take_title(at)
        if name in ("tablecaption", "tablehead", "cutinhead", "sidehead") and self.is_in_table():
            return self.open_table_line(name, at)
        if name in known.TABLE_NOTES:
            return self.open_argument(self.skip_arguments(at, known.TABLE_NOTES[name]), self.add_note)
        if name in known.CAPTIONS:
            return self.open_argument(
                self.skip_arguments(at, 1) if name == "captionof" else at, self.add_caption
            )
        if name in known.NOTES:
            mark = FOOTNOTE_SIGN.match(text, at)
            return self.open_argument(mark.end() if mark else at, self.add_note)
        if name == "item":
            return self.convert_item(at)
        if name in ("url", "path", "nolinkurl"):
            return self.convert_address(at)
        if name in known.PLAIN_DROPPED and (behind := self.skip_plain_dropped(name, at)) >= 0:
            return behind
        if name in known.ENDS:
            return -1 if name != "endinput" else at
        if name in known.DROPPED_COMMANDS:
            return self.skip_arguments(at, known.DROPPED_COMMANDS[name])
        if name in known.PARTS_OF_FLOATS and (options := OPTION.match(text, at)) is not None:
            second = OPTION.match(text, options.end())
            inner = Converter(self.theorems, self.language)
            self.out.append(self.add_caption(inner.convert((second or options)[1]).strip()))
            return self.skip_options(at)
        if name in known.FIRST_ARGUMENT_DROPPED:
            return self.skip_options(self.skip_arguments(at, known.FIRST_ARGUMENT_DROPPED[name]))
        if name in (
            "abstract",
            "dedication",
            "proclaim",
            "demo",
            "definition",
            "remark",
            "example",
            "beginsection",
        ):
            return self.convert_plain_block(name, at)
        if name == "texorpdfstring":
            return self.convert_first_of_two(at)
        if name == "xspace":
            return at
        if name in ("onedot", "@onedot"):
            self.out.append("" if text.startswith(".", at) else ".")
            return at
        if name in known.PARAGRAPHS or name.startswith("end"):
            self.out.append("\n\n")
        if name == "font":
            font = FONT_ASSIGNMENT.match(text, at)
            return font.end() if font else at
        if name in known.LENGTHS and (length := DIMENSION.match(text, at)):
            return length.end()
        if name in known.COUNTS and (count := COUNT_VALUE.match(text, at)):
            return count.end()
        if assigned := ASSIGNED_VALUE.match(text, at):
            return assigned.end()
        if name in known.KEPT_OPTION_DROPPED:
            return self.skip_options(at)
        if not name.startswith("text") and (layout := LAYOUT_ARGUMENT.match(text, at)):
            return layout.end()
        if name not in known.SWITCHES_OF_FONTS and (option := ADJACENT_OPTION.match(text, at)):
            return option.end()
        return self.skip_word_space(at)

    def skip_word_space(self, at: int) -> int:
        space = WORD_SPACE.match(self.text, at)
        return space.end() if space else at

    def take_title(self, at: int) -> int:
        behind = self.open_argument(at, self.set_title)
        if self.pending is None and (end := self.find_next("\\endtitle", at)) >= 0:
            inner = Converter(self.theorems)
            self.set_title(inner.convert(self.text[at:end]))
            return end + len("\\endtitle")
        return behind

    def set_title(self, content: str) -> str:
        if self.title is None:
            self.title = content
            return ""
        return ""

    def add_caption(self, content: str) -> str:
        for frame in self.list_open():
            if frame.name in known.FLOATS:
                frame.captions.append(content)
                return ""
        return self.add_note(content) if content.strip() else ""

    def add_note(self, content: str) -> str:
        if not content.strip():
            return ""
        self.notes.append(content)
        return f"{NOTE_MARK}{len(self.notes) - 1}{NOTE_MARK}"

    def convert_first_of_two(self, at: int) -> int:
        """Write the first of two arguments; the second repeats it for those who cannot read the first."""
        first = self.braces.find_close(at)
        second = self.braces.find_close(first + 1) if first is not None else None
        if first is None or second is None:
            return at
        self.out.append(self.convert_apart(self.text[at + 1 : first]))
        return second + 1

    def read_groups(self, at: int, count: int) -> tuple[list[str], int]:
        """Return the contents of the next groups, options before them skipped, and where they end."""
        groups: list[str] = []
        for _ in range(count):
            begin = self.skip_options(at)
            space = OPTIONAL_SPACES.match(self.text, begin)
            begin = space.end() if space else begin
            close = self.braces.find_close(begin)
            if close is None:
                break
            groups.append(self.text[begin + 1 : close])
            at = close + 1
        return groups, at

    def convert_quantity(self, name: str, at: int) -> int:
        """Write a number, a unit, or both, as siunitx does."""
        groups, behind = self.read_groups(at, known.QUANTITIES[name])
        if len(groups) < known.QUANTITIES[name]:
            return at
        low = name.lower()
        joint = known.LIST_WORDS.get(self.language or "", known.LIST_WORDS[""])
        range_word = known.RANGE_WORDS.get(self.language or "", known.RANGE_WORDS[""])
        unit = (
            siunitx.write_unit(groups[-1])
            if low not in ("num", "ang", "numrange", "numlist", "complexnum")
            else ""
        )
        if low in ("si", "unit") and len(groups) == 1:
            written = unit
        elif low == "ang":
            written = siunitx.write_angle(groups[0])
        elif low.endswith("range"):
            ends = f"{siunitx.write_number(groups[0])}{range_word}{siunitx.write_number(groups[1])}"
            written = siunitx.join_quantity(ends, unit)
        elif low.endswith("list"):
            written = siunitx.write_list(groups[0].split(";"), unit, joint)
        else:
            written = siunitx.join_quantity(siunitx.write_number(groups[0]), unit)
        self.out.append(written.replace("\\", "").replace("%", "%"))
        return behind

    def convert_fraction(self, at: int) -> int:
        """Write a fraction in a line of text: 1/2."""
        values: list[str] = []
        behind = read_arguments(self.text, self.skip_options(at), Macro(2, ""), self.braces, values)
        above, below = (self.convert_apart(value).strip() for value in values)
        if not above or not below:
            return at
        follows_number = bool(self.out) and self.out[-1][-1:].isdecimal()
        self.out.append(f"{' ' if follows_number else ''}{above}/{below}")
        return behind

    def convert_space(self, name: str, at: int) -> int:
        """Write a space where one as wide as a space is set: `\\hspace{1cm}`, `\\hskip 1em`."""
        if name.startswith("hspace"):
            behind = self.skip_arguments(at + self.text.startswith("*", at), 1)
        else:
            length = DIMENSION.match(self.text, at)
            behind = length.end() if length else self.skip_word_space(at)
        self.out.append(" " if is_wide(self.text[at + self.text.startswith("*", at) : behind]) else "")
        return behind

    def convert_glyph(self, name: str, at: int) -> int:
        """Write a character by its code (`\\UTF{9DD7}`); one by its number in a font is the mark of a missing one."""
        groups, behind = self.read_groups(at, 1)
        if not groups:
            return at
        code = int(groups[0], 16) if HEXADECIMAL.fullmatch(groups[0]) else 0
        is_character = name == "UTF" and 32 <= code < 0x110000 and not 0xD800 <= code < 0xE000
        self.out.append(chr(code) if is_character else UNKNOWN_CHARACTER)
        return behind

    def convert_dingbat(self, at: int) -> int:
        """Write a sign by its number in Zapf Dingbats: `\\ding{51}` is a check mark."""
        groups, behind = self.read_groups(at, 1)
        number = groups[0].strip() if groups else ""
        self.out.append(known.find_dingbat(int(number)) if number.isdecimal() and len(number) < 4 else "")
        return behind

    def convert_blocks(self, at: int, count: int, write: Callable[[str], str]) -> int:
        """Write up to `count` groups as blocks of their own."""
        groups, behind = self.read_groups(at, count)
        for group in groups:
            content = self.convert_apart(group).strip()
            self.out.append(write(content) if content else "")
        return behind

    def convert_apart(self, tex: str) -> str:
        """Return a part of the paper as text by itself; notes and citations go on counting."""
        if self.depth >= MAX_PARTS_APART:
            return TOKEN.sub(" ", tex)
        inner = Converter(self.theorems, self.language)
        inner.notes, inner.cited, inner.switches = self.notes, self.cited, self.switches
        inner.depth = self.depth + 1
        return inner.convert(tex)

    def convert_choice(self, name: str, at: int) -> int:
        """Write the branch of a condition that the paper's own settings choose."""
        groups, behind = self.read_groups(at, 3)
        if len(groups) == 3:
            test, first, second = groups
            self.out.append(self.convert_apart(first if choose_branch(name, test, self.switches) else second))
            return behind
        return at

    def lower_text(self, content: str) -> str:
        """Return a subscript in text: H₂O, T_max."""
        base = next(filter(None, reversed(self.out[-MAX_BASE_PIECES:])), "")
        return write_script(content, "sub", base, self.text[self.behind : self.behind + 1])

    # Long tables, and lines with stops.

    def open_table_line(self, name: str, at: int) -> int:
        """Make the next group a line, or the first lines, of a table of the AAS."""
        if name == "tablecaption":
            return self.open_argument(at, lambda content: f"{self.add_caption(content)}{ROW_MARK}")
        behind = self.open_argument(at, lambda content: f"{ROW_MARK}{content}{ROW_MARK}")
        if self.pending is not None and name == "tablehead":
            self.pending = (known.TABLE_HEAD, self.pending[1])
        return behind

    def open_alignment(self, at: int) -> int:
        """Make the next group rows of a table; the template of its columns, up to its first `\\cr`, is dropped."""
        beginning = ALIGNMENT_BEGINNING.match(self.text, at)
        close = self.braces.find_close(beginning.end()) if beginning is not None else None
        if beginning is None or close is None:
            return self.skip_word_space(at)
        template = TEMPLATE_END.search(self.text, beginning.end(), close)
        self.pending = (known.ALIGNMENT, format_table)
        self.out.append("\n\n")
        self.open_frame("{")
        return template.end() if template is not None else beginning.end() + 1

    def convert_tabbed_row(self, at: int) -> int:
        """Write a row of plain TeX's tabs: `\\+ a & b \\cr`."""
        end = TEMPLATE_END.search(self.text, at, at + MAX_ROW_CHARACTERS)
        if end is None:
            return at
        row = f"\\begin{{tabular}}{{l}}{self.text[at : end.start()]}\\end{{tabular}}"
        self.out.append(self.convert_apart(row))
        return end.end()

    def end_table_part(self, name: str) -> None:
        """End a head or foot of a long table: of those that repeat on each page, the first head is kept."""
        frame = self.stack[-1]
        begin = max(frame.part_start, frame.start)
        if name == "endfoot" or (name == "endhead" and frame.head is not None):
            del self.out[begin:]
        elif name == "endfirsthead" and frame.head is not None:
            self.out[frame.head] = [""] * (frame.head.stop - frame.head.start)
        self.out.append(ROW_MARK)
        if name in ("endhead", "endfirsthead"):
            frame.head = slice(begin, len(self.out))
        frame.part_start = len(self.out)

    def drop_line(self) -> None:
        """Take back a line that only sets stops."""
        while len(self.out) > self.stack[-1].start and self.out[-1] != ROW_MARK:
            self.out.pop()

    def convert_quote(self, name: str, at: int) -> int:
        """Write a quotation in the quotes of its language; what is cited with it is dropped."""
        language = self.language
        if name.startswith(("foreign", "hyphen")):
            named, at = self.read_groups(at, 1)
            language = named[0].strip() if named else language
        if name == "uv":
            language = "czech"
        if name in ("textcquote", "blockcquote", "foreigntextcquote", "foreignblockcquote"):
            at = self.skip_arguments(at, 1)
        opening, closing = known.QUOTATION_MARKS.get(language or "", known.QUOTATION_MARKS[""])
        return self.open_argument(at, lambda content: f"{opening}{content.strip()}{closing}")

    def convert_citation(self, name: str, at: int) -> int:
        """Write a citation, by the numbers of what it cites: their order of appearance in the paper."""
        behind = self.skip_arguments(at, 1)
        begin = self.text.rfind("{", at, behind)
        keys = self.text[begin + 1 : behind - 1].split(",") if begin >= 0 and name != "nocite" else []
        numbers = [self.cited.setdefault(key.strip(), len(self.cited) + 1) for key in keys if key.strip()]
        if numbers:
            self.out.append(f"{CITE_MARK}{', '.join(map(str, numbers))}{CITE_MARK}")
        return behind

    def convert_item(self, at: int) -> int:
        frame = next((frame for frame in self.list_open() if frame.name in known.LISTS), None)
        option = OPTION.match(self.text, at)
        if option is not None:
            self.out.append(f"\n\n{self.write_indent()}")
            if not option[1].strip():
                self.out.append("- ")
                return option.end()
            if "\\" not in option[1] and "{" not in option[1]:
                self.out.append(f"{option[1].strip()} ")
                return option.end()
            bracket = self.text.index("[", at)
            self.out.append("")
            close = option.end() - 1
            inner = Converter(self.theorems)
            self.out.append(f"{inner.convert(self.text[bracket + 1 : close]).strip()} ")
            return option.end()
        if frame is None:
            self.out.append("\n\n")
            return self.open_argument(at, lambda content: f"{content.strip()} ")
        frame.count += 1
        marker = "-"
        if frame.label is not None:
            marker = frame.label.write(frame.count)
            self.last_counts[self.list_depth()] = frame.count
        is_first_inside = frame.count == (frame.label.start if frame.label is not None else 1)
        if (
            is_first_inside
            and 0 < self.marker_end <= frame.start
            and not "".join(self.out[self.marker_end :]).strip()
        ):
            self.out[self.marker_end :] = [""] * (len(self.out) - self.marker_end)
            self.out.append(f"{marker} ")
        else:
            self.out.append(f"\n\n{self.write_indent()}{marker} ")
        self.marker_end = len(self.out)
        return self.skip_word_space(at)

    def write_indent(self) -> str:
        """Return the marks of an item: one for each list that it is in, up to the note that these are in."""
        depth = 0
        for frame in self.list_open():
            if frame.close == self.add_note or depth == MAX_ITEM_LISTS:
                break
            depth += frame.name in known.LISTS
        return ITEM_MARK * max(1, depth)

    def list_depth(self) -> int:
        """Return how many lists with numbers are open."""
        return sum(frame.label is not None for frame in self.list_open())

    def convert_address(self, at: int) -> int:
        """Write an address as it is, except for escapes."""
        begin = self.skip_word_space(at)
        close = self.braces.find_close(begin)
        if close is None:
            return begin
        address = self.text[begin + 1 : close].replace("\\_", "_").replace("\\%", "%").replace("\\#", "#")
        address = (
            address.replace("\\&", "&").replace("\\~{}", "\x11").replace("\\~", "\x11").replace("~", "\x11")
        )
        self.out.append(address.replace("{", "").replace("}", "").replace("\\", "").replace("--", "-\u2060-"))
        return close + 1

    def skip_plain_dropped(self, name: str, at: int) -> int:
        """Return the position behind what AMS-TeX ends by `\\endauthor` and the like; -1 if this is LaTeX's command."""
        space = OPTIONAL_SPACES.match(self.text, at)
        begin = space.end() if space else at
        if self.text.startswith(("{", "[", "*"), begin) and name != "Refs":
            return -1
        closing = known.PLAIN_DROPPED[name]
        end = self.find_next(closing, at)
        if end < 0:
            return -1 if name != "Refs" else len(self.text)
        return end + len(closing)

    def convert_plain_block(self, name: str, at: int) -> int:
        """Convert `\\proclaim{Theorem 1} ...`, `\\demo{Proof} ...`, `\\abstract ...`, `\\beginsection ...\\par`."""
        self.out.append("\n\n")
        if name == "beginsection":
            self.out.append(HEADING_MARK)
            end = PARAGRAPH_END.search(self.text, at, at + 500)
            if end is not None:
                inner = Converter(self.theorems)
                self.out.append(f"{' '.join(inner.convert(self.text[at : end.start()]).split())}\n\n")
                return end.end()
            return at
        if name == "abstract":
            if len(self.read_groups(at, 5)[0]) == 5:  # A&A's: context, aims, methods, results, conclusions
                return self.convert_blocks(at, 5, format_block)
            return self.open_argument(at, format_block)
        return self.open_argument(self.skip_word_space(at), format_run_in)

    # Environments.

    def convert_environment(self, which: str, at: int) -> int:
        match = ENVIRONMENT_NAME.match(self.text, at)
        if match is None:
            return self.skip_word_space(at)
        name, at = match[1].strip(), match.end()
        if which == "end":
            for depth in range(1, min(len(self.stack), 60) + 1):
                if self.stack[-depth].name == name:
                    for _ in range(depth):
                        self.close_frame()
                    break
            if name not in known.FLOATS and name not in known.INLINE_ENVIRONMENTS:
                self.out.append("\n\n")
            return at if name != "document" else -1
        if name in known.SKIPPED_ENVIRONMENTS:
            closing = f"\\end{{{name}}}"
            end = self.find_next(closing, at)
            if end >= 0:
                return end + len(closing)
            return len(self.text) if name == "thebibliography" else at
        base = name.rstrip("*")
        theorem = self.theorems.get(name) or self.theorems.get(base)
        if theorem is None and name in self.theorems:
            theorem = ""
        if theorem is None:
            theorem = known.THEOREMS.get(name)
        if theorem is not None:
            return self.open_theorem(name, theorem, at)
        if name in known.FLOATS:
            at = self.skip_options(at)
            at = self.skip_arguments(at, known.ENVIRONMENT_ARGUMENTS.get(name, 0))
            self.stack.append(Frame(name, len(self.out)))
            self.stack[-1].close = self.make_float_closer(self.stack[-1])
            return at
        if name in known.TABULARS:
            width = TABU_WIDTH.match(self.text, at)
            at = width.end() if width else at
            at = self.skip_arguments(at, known.ENVIRONMENT_ARGUMENTS.get(name, 0))
            self.out.append("\n\n")
            self.open_frame(name, format_table)
            return self.skip_options(at)
        if name not in known.INLINE_ENVIRONMENTS:
            self.out.append("\n\n")
        self.open_frame(name, format_tabbed if name == known.TABBED else None)
        if name in known.NUMBERED and self.stack and self.stack[-1].name == name:
            self.number_list(at)
        count = known.ENVIRONMENT_ARGUMENTS.get(name)
        option = OPTION.match(self.text, at) if name not in known.OPTIONED else None
        if option is not None and TITLE_OPTION.fullmatch(option[1]):
            title = Converter(self.theorems, self.language).convert(option[1]).strip()
            self.out.append(format_run_in(title))
        elif (boxed := OPTION.match(self.text, at)) and (heading := BOX_TITLE.search(boxed[1])):
            title = Converter(self.theorems, self.language).convert(heading[1]).strip()
            self.out.append(format_block(title))
        overlay = OVERLAY.match(self.text, at)
        at = self.skip_options(overlay.end() if overlay else at)
        if name in known.TITLED:
            return self.convert_blocks(at, known.TITLED[name], format_heading)
        return self.skip_arguments(at, count) if count else at

    def number_list(self, at: int) -> None:
        """Set how the items of the list that was opened last are numbered, by the option at `at`."""
        option = OPTION.match(self.text, at)
        depth = self.list_depth()
        label = read_list_label(option[1] if option is not None else "", depth)
        self.stack[-1].label = label
        self.stack[-1].count = self.last_counts.get(depth + 1, 0) if label.resumes else label.start - 1

    def set_list_number(self, at: int) -> int:
        """Set the number of the last item by `\\setcounter{enumi}{3}`; other counters print nothing."""
        groups, behind = self.read_groups(at, 2)
        if len(groups) == 2 and groups[0].strip().startswith("enum") and groups[1].strip().isdecimal():
            for frame in self.list_open():
                if frame.label is not None:
                    frame.count = int(groups[1].strip()[:6])
                    break
        return behind

    def convert_character(self, at: int) -> int:
        """Write a character given by its number or by a sign: `\\char92`, `\\symbol{"5C}`."""
        code = CHARACTER_CODE.match(self.text, at)
        if code is None:
            return at
        if code[3]:
            number = ord(code[3])
        else:
            number = int(code[1], 16) if code[1] else int(code[4], 8) if code[4] else int(code[2])
        letter = chr(number) if 32 <= number < 0x110000 and not 0xD800 <= number < 0xE000 else ""
        self.out.append(known.HELD_LETTERS.get(letter, letter))
        return code.end()

    def open_theorem(self, name: str, title: str, at: int) -> int:
        self.out.append("\n\n")
        self.open_frame(name)
        number = THEOREM_NUMBER.match(self.text, at)
        at = number.end() if number else at
        option = OPTION.match(self.text, at)
        inner = Converter(self.theorems)
        if "\\" in title or "{" in title:
            title = inner.convert(title).strip()
        if option is not None:
            note = inner.convert(option[1]).strip()
            at = option.end()
            if note and name.startswith(("proof", "pf")):
                title = f"{title} {note}" if note[0].islower() else note
            elif note:
                title = f"{title} ({note})" if title else note
        if number is not None and title:
            plain, bracket, rest = title.partition(" (")
            title = f"{plain} {number[1]}{bracket}{rest}"
        self.out.append(f"{title.rstrip('. ')}. " if title else "")
        begins = THEOREM_BEGINNING.match(self.text, at)
        return begins.end() if begins else at

    def make_float_closer(self, frame: Frame) -> Callable[[str], str]:
        def close(content: str) -> str:
            shown = (
                "" if frame.name.startswith(known.ALGORITHMS) else take_float_text(content, self.code_count)
            )
            texts = [shown, *frame.captions] if shown else frame.captions
            outer = next((each for each in self.list_open() if each.name in known.FLOATS), None)
            if outer is None:
                return "".join(map(self.add_note, texts))
            outer.captions += texts
            return ""

        return close
