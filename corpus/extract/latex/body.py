"""TeX without comments, macros and formulas -> text: one pass over commands, braces and environments.

Every token is looked at once and every group is closed once, so time is linear and no input makes it slow or
fails: what is not balanced is taken as it comes, commands that nobody knows vanish and leave their text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from corpus.extract.holes import HOLE
from corpus.extract.latex import commands as known
from corpus.extract.latex.macros import Braces
from corpus.extract.latex.marks import (
    ACCENTED,
    AFTER_WORD,
    ASSIGNED,
    BEGINNING,
    CELL,
    CITE,
    COUNT,
    DIMENSION,
    FONT,
    HEADING,
    ITEM,
    LAYOUT_ARGUMENT,
    LINE_SKIP,
    NAME,
    NOTE,
    OPTION,
    PLAIN_END,
    ROW,
    RULE,
    SPACES,
    THEOREM_NUMBER,
    TOKEN,
    block,
    heading,
    run_in,
    table,
)

MAX_STACK = 400


@dataclass(slots=True)
class Frame:
    """A group or environment that is open: where its output began, and what to do when it ends."""

    name: str
    start: int
    close: Callable[[str], str] | None = None
    count: int = 0
    captions: list[str] = field(default_factory=list)


class Converter:
    """The text of one paper; `notes` takes footnotes and floats, `title` its title."""

    def __init__(self, theorems: dict[str, str]) -> None:
        self.theorems = theorems
        self.notes: list[str] = []
        self.title: str | None = None
        self.cited: dict[str, int] = {}

    def convert(self, text: str) -> str:
        """Text with `HEADING`, `ITEM` and `NOTE` marks, paragraphs apart by blank lines."""
        self.text, self.braces = text, Braces(text)
        self.out: list[str] = []
        self.stack: list[Frame] = []
        self.pending: tuple[str, Callable[[str], str]] | None = None
        self.missing: dict[str, int] = {}
        at = 0
        search = TOKEN.search
        while match := search(text, at):
            start, after = match.span()
            if start > at:
                self.out.append(text[at:start])
            at = after
            if match[1] is not None:
                at = self.command(match[1], start, at)
            elif match[2] is not None:
                at = self.sign(match[2], at)
            elif text[start] == "{":
                self.open("{")
            elif text[start] == "}":
                self.close_group()
            else:
                self.out.append(CELL if self.in_table() else "&")
            if at < 0:
                break
        else:
            self.out.append(text[at:])
        while self.stack:
            self.close_frame()
        return "".join(self.out)

    # Groups and environments.

    def open(self, name: str, close: Callable[[str], str] | None = None) -> None:
        if self.pending is not None and name == "{":
            name, close = self.pending
            self.pending = None
        if len(self.stack) < MAX_STACK:
            self.stack.append(Frame(name, len(self.out), close))

    def close_group(self) -> None:
        if self.stack and self.stack[-1].name.startswith("{"):
            self.close_frame()

    def close_frame(self) -> None:
        frame = self.stack.pop()
        if frame.close is not None:
            content = "".join(self.out[frame.start :])
            del self.out[frame.start :]
            self.out.append(frame.close(content))

    def in_table(self) -> bool:
        """Whether what comes next is a table's own, and not inside a group in one of its cells."""
        return bool(self.stack) and self.stack[-1].name in known.TABULARS

    def argument(self, at: int, close: Callable[[str], str]) -> int:
        """The next group becomes an argument: its text goes through `close`. Options before it are skipped."""
        at = self.skip_options(at)
        space = SPACES.match(self.text, at)
        begin = space.end() if space else at
        if self.braces.close(begin) is not None:
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
        """Behind `count` groups, each with options before it."""
        for _ in range(count):
            begin = self.skip_options(at)
            space = SPACES.match(self.text, begin)
            begin = space.end() if space else begin
            close = self.braces.close(begin)
            if close is None:
                return self.skip_options(at)
            at = close + 1
        return at

    def find(self, what: str, at: int) -> int:
        """Where `what` stands next, -1 where it does not; a search in vain is not made twice."""
        if self.missing.get(what, len(self.text)) <= at:
            return -1
        found = self.text.find(what, at)
        if found < 0:
            self.missing[what] = at
        return found

    # Commands.

    def sign(self, sign: str, at: int) -> int:
        if sign == "\\":
            skip = LINE_SKIP.match(self.text, at)
            at = skip.end() if skip else at
            self.out.append(ROW if self.in_table() else " ")
            return at
        if sign in known.ACCENTS:
            return self.accent(sign, at)
        self.out.append(known.LITERALS.get(sign, ""))
        return at

    def accent(self, name: str, at: int) -> int:
        """A letter with its accent, as one character where there is one."""
        match = ACCENTED.match(self.text, at)
        if match is None:
            return at
        letters = match[2] or match[4] or match[1] or match[3] or ""
        combining = known.ACCENTS[name]
        if (match[1] or match[3]) and letters not in "ij":
            letters = known.SYMBOLS[letters]
        elif name == "t" and len(letters) == 2:
            letters, combining = letters[0] + combining + letters[1], ""
        if letters:
            self.out.append(unicodedata.normalize("NFC", letters[0] + combining + letters[1:]))
        return match.end()

    def command(self, name: str, start: int, at: int) -> int:
        text = self.text
        if name in known.ACCENTS and name not in known.SYMBOLS:
            return self.accent(name, at) if text[at : at + 1] in (" ", "\t", "\n", "\\", "{") else at
        symbol = known.SYMBOLS.get(name)
        if symbol is not None:
            self.out.append(symbol)
            if text.startswith("{}", at):
                return at + 2
            return self.after_word(at)
        if name == "begin" or name == "end":
            return self.environment(name, at)
        if name in known.RULES:
            rule = RULE.match(text, at)
            return self.skip_arguments(rule.end() if rule else at, known.RULES[name])
        if name in known.CITES:
            return self.cite(name, at)
        if name in known.REFS:
            self.out.append(HOLE)
            return self.skip_arguments(at, 2 if name.endswith("range") else 1)
        if name in known.HEADINGS:
            if name.endswith("head") or name.endswith("heading"):
                self.out.append(f"\n\n{HEADING}")
                return self.after_word(at)
            return self.argument(at, heading)
        if name in known.TITLES:
            return self.take_title(at)
        if name == "caption" or name == "captionof":
            return self.argument(self.skip_arguments(at, 1) if name == "captionof" else at, self.caption)
        if name in ("footnote", "footnotetext"):
            return self.argument(at, self.note)
        if name == "item":
            return self.item(at)
        if name in ("url", "path", "nolinkurl"):
            return self.verbatim(at)
        if name in known.PLAIN_DROPPED and (behind := self.plain_dropped(name, at)) >= 0:
            return behind
        if name in known.ENDS:
            return -1 if name != "endinput" else at
        if name in known.DROPPED:
            return self.skip_arguments(at, known.DROPPED[name])
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
            return self.plain_block(name, at)
        if name == "texorpdfstring":
            return self.first_of_two(at)
        if name == "xspace":
            return at
        if name in known.PARAGRAPHS or name.startswith("end"):
            self.out.append("\n\n")
        if name == "font":
            font = FONT.match(text, at)
            return font.end() if font else at
        if name in known.LENGTHS and (length := DIMENSION.match(text, at)):
            return length.end()
        if name in known.COUNTS and (count := COUNT.match(text, at)):
            return count.end()
        if assigned := ASSIGNED.match(text, at):
            return assigned.end()
        if name in known.KEPT_OPTION_DROPPED:
            return self.skip_options(at)
        if not name.startswith("text") and (layout := LAYOUT_ARGUMENT.match(text, at)):
            return layout.end()
        return self.after_word(at)

    def after_word(self, at: int) -> int:
        space = AFTER_WORD.match(self.text, at)
        return space.end() if space else at

    def take_title(self, at: int) -> int:
        behind = self.argument(at, self.set_title)
        if self.pending is None and (end := self.find("\\endtitle", at)) >= 0:
            inner = Converter(self.theorems)
            self.set_title(inner.convert(self.text[at:end]))
            return end + len("\\endtitle")
        return behind

    def set_title(self, content: str) -> str:
        if self.title is None:
            self.title = content
            return ""
        return ""

    def caption(self, content: str) -> str:
        for frame in reversed(self.stack):
            if frame.name in known.FLOATS:
                frame.captions.append(content)
                return ""
        return self.note(content) if content.strip() else ""

    def note(self, content: str) -> str:
        if not content.strip():
            return ""
        self.notes.append(content)
        return f"{NOTE}{len(self.notes) - 1}{NOTE}"

    def first_of_two(self, at: int) -> int:
        """The first of two arguments, the second being the same for those who cannot read the first."""
        first = self.braces.close(at)
        second = self.braces.close(first + 1) if first is not None else None
        if first is None or second is None:
            return at
        self.out.append(Converter(self.theorems).convert(self.text[at + 1 : first]))
        return second + 1

    def cite(self, name: str, at: int) -> int:
        """A citation, by the numbers of what it cites: their order of appearance in the paper."""
        behind = self.skip_arguments(at, 1)
        begin = self.text.rfind("{", at, behind)
        keys = self.text[begin + 1 : behind - 1].split(",") if begin >= 0 and name != "nocite" else []
        numbers = [self.cited.setdefault(key.strip(), len(self.cited) + 1) for key in keys if key.strip()]
        if numbers:
            self.out.append(f"{CITE}{', '.join(map(str, numbers))}{CITE}")
        return behind

    def item(self, at: int) -> int:
        frame = next((frame for frame in reversed(self.stack) if frame.name in known.LISTS), None)
        option = OPTION.match(self.text, at)
        if option is not None:
            self.out.append(f"\n\n{ITEM}")
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
            return self.argument(at, lambda content: f"{content.strip()} ")
        frame.count += 1
        marker = f"{frame.count}. " if frame.name in known.NUMBERED else "- "
        self.out.append(f"\n\n{ITEM}{marker}")
        return self.after_word(at)

    def verbatim(self, at: int) -> int:
        """An address: as it stands, but for escapes."""
        begin = self.after_word(at)
        close = self.braces.close(begin)
        if close is None:
            return begin
        address = self.text[begin + 1 : close].replace("\\_", "_").replace("\\%", "%").replace("\\#", "#")
        address = (
            address.replace("\\&", "&").replace("\\~{}", "\x11").replace("\\~", "\x11").replace("~", "\x11")
        )
        self.out.append(address.replace("{", "").replace("}", "").replace("\\", "").replace("--", "-\u2060-"))
        return close + 1

    def plain_dropped(self, name: str, at: int) -> int:
        """Behind what AMS-TeX ends by `\\endauthor` and the like; -1 where this is LaTeX's command."""
        space = SPACES.match(self.text, at)
        begin = space.end() if space else at
        if self.text.startswith(("{", "[", "*"), begin) and name != "Refs":
            return -1
        closing = known.PLAIN_DROPPED[name]
        end = self.find(closing, at)
        if end < 0:
            return -1 if name != "Refs" else len(self.text)
        return end + len(closing)

    def plain_block(self, name: str, at: int) -> int:
        """`\\proclaim{Theorem 1} ...`, `\\demo{Proof} ...`, `\\abstract ...`, `\\beginsection ...\\par`."""
        self.out.append("\n\n")
        if name == "beginsection":
            self.out.append(HEADING)
            end = PLAIN_END.search(self.text, at, at + 500)
            if end is not None:
                inner = Converter(self.theorems)
                self.out.append(f"{' '.join(inner.convert(self.text[at : end.start()]).split())}\n\n")
                return end.end()
            return at
        if name == "abstract":
            return self.argument(at, block)
        return self.argument(self.after_word(at), run_in)

    # Environments.

    def environment(self, which: str, at: int) -> int:
        match = NAME.match(self.text, at)
        if match is None:
            return self.after_word(at)
        name, at = match[1].strip(), match.end()
        if which == "end":
            for depth in range(1, min(len(self.stack), 60) + 1):
                if self.stack[-depth].name == name:
                    for _ in range(depth):
                        self.close_frame()
                    break
            if name not in known.FLOATS:
                self.out.append("\n\n")
            return at if name != "document" else -1
        if name in known.SKIPPED_ENVIRONMENTS:
            closing = f"\\end{{{name}}}"
            end = self.find(closing, at)
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
            return self.theorem(name, theorem, at)
        if name in known.FLOATS:
            at = self.skip_options(at)
            at = self.skip_arguments(at, known.ENVIRONMENT_ARGUMENTS.get(name, 0))
            self.stack.append(Frame(name, len(self.out)))
            self.stack[-1].close = self.float_closer(self.stack[-1])
            return at
        if name in known.TABULARS:
            at = self.skip_arguments(at, known.ENVIRONMENT_ARGUMENTS.get(name, 0))
            self.out.append("\n\n")
            self.open(name, table)
            return self.skip_options(at)
        self.out.append("\n\n")
        self.open(name)
        count = known.ENVIRONMENT_ARGUMENTS.get(name)
        at = self.skip_options(at)
        return self.skip_arguments(at, count) if count else at

    def theorem(self, name: str, title: str, at: int) -> int:
        self.out.append("\n\n")
        self.open(name)
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
        begins = BEGINNING.match(self.text, at)
        return begins.end() if begins else at

    def float_closer(self, frame: Frame) -> Callable[[str], str]:
        def close(content: str) -> str:
            return "".join(self.note(caption) for caption in frame.captions)

        return close
