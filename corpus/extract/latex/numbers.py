"""Compute the numbers that a paper prints on sections, theorems, equations, floats and items, and refers to them by.

They are counted as LaTeX counts, from the paper's own definitions. What cannot be known here has no number: theorems
that only the class defines, lines of algorithms, what is in another paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from corpus.extract.latex import commands as known
from corpus.extract.latex.label_counters import FORMAT, ITEM_COUNTERS, SECTION_LEVELS, LabelCounters
from corpus.extract.latex.lists import NUMBER_STYLES, ListLabel, read_list_label, write_in_style
from corpus.extract.latex.macros import Braces, Definitions
from corpus.extract.latex.marks import OPTION, OPTIONAL_SPACES
from corpus.extract.latex.references import REFERENCE, LabelTarget, ReferenceWriter

NUMBER_MARK = "\x0f"
"""Around the number of a theorem, behind its `\\begin{...}`."""
RESTATED = "restated:"
"""Before the name of a restatable theorem in its label."""
MAX_EQUATION_CHARACTERS = 200_000
MAX_OPEN_SCOPES = 400
"""Environments in each other that are looked through; TeX has 255 groups in each other."""
MAX_FRAMES_BACK = 20
"""Environments that may be left open and are closed with the one around them."""

_ROWS = (
    "align|alignat|flalign|xalignat|xxalignat|gather|eqnarray|subeqnarray|IEEEeqnarray|numcases|subnumcases|dgroup"
    "|empheq"
)
"""Environments of which each row is an equation with a number."""
_EQUATIONS = "equation|multline|dmath|math|displaymath"
_TELLING = ("\\label", "\\tag", "\\no")
"""Commands without one of which an equation has a number and no label."""
_UNNUMBERED = ("math", "displaymath")
_FLOATS = {
    **dict.fromkeys(
        ("figure", "SCfigure", "floatingfigure", "longfigure", "psfigure", "sidewaysfigure", "teaserfigure",
         "wrapfigure", "marginfigure"), "figure"),
    **dict.fromkeys(
        ("table", "SCtable", "longtable", "longtabu", "xltabular", "supertabular", "mpsupertabular", "xtabular",
         "mpxtabular", "sidewaystable", "wraptable", "margintable", "deluxetable", "floatingtable"), "table"),
    **dict.fromkeys(("algorithm", "algorithm2e", "listing", "scheme", "chart", "plate", "program"), ""),
}  # fmt: skip
"""Environment -> the counter of its caption, where that is another one."""
_PARTS = ("subfigure", "subtable")
_UNKNOWN = ("algorithmic", "thebibliography", "lstlisting")
"""Environments with numbers that are not counted here."""
_TOKEN = re.compile(
    r"\\(?:\\|(?P<display>\[)"
    r"|(?P<heading>part|chapter|(?:sub){0,2}section|(?:sub)?paragraph)(?![A-Za-z@])(?!\s*\*)"
    r"|(?P<appendix>appendix|appendices)(?![A-Za-z])"
    r"|(?P<side>begin|end)\s*\{(?P<environment>[^{}\\\n]{1,60})\}"
    r"|label\s*\{(?P<label>[^{}]{1,200})\}"
    r"|(?P<caption>(?:table|top|bottom)?caption|captionof(?:\s*\{(?P<captioned>\w+)\})?)(?![A-Za-z@])(?!\s*\*)"
    r"|(?P<part>subfloat|subfigure|subtable|subbottom|subcaptionbox|subcaption)(?![A-Za-z@])(?!\s*\*)"
    r"|(?P<item>item)(?![A-Za-z@])|(?P<note>footnote)(?![A-Za-z@])|(?P<continued>ContinuedFloat)(?![A-Za-z@])"
    r"|(?P<stepped>(?:ref)?stepcounter)\s*\{(?P<counter>\w+)\}"
    r"|(?P<changed>setcounter|addtocounter|numberwithin|counterwithin|counterwithout|(?:re)?newcommand|[gx]?def)"
    r"(?![A-Za-z@]))"
)
_EQUATION_TOKEN = re.compile(
    r"\\(?:(?P<row>\\|tabularnewline(?![A-Za-z])|cr(?![A-Za-z]))|(?P<side>begin|end)\s*\{[^{}]*\}"
    r"|s?label\s*\{(?P<label>[^{}]{1,200})\}|(?P<tag>tag)(?P<star>\*?)\s*(?=\{)"
    r"|(?P<bare>nonumber|notag|IEEEnonumber)(?![A-Za-z])|(?P<shown>IEEEyesnumber|yesnumber)(?![A-Za-z])|.)|[{}]",
    re.DOTALL,
)
_OWN = re.compile(rf"(?:my|narrow)?({_ROWS}|{_EQUATIONS})(\*?)")
_INNER = re.compile(r"\s*(?:\[[^\]]*\])?\s*\{(\w+?)(\*?)[=\d]*\}")
"""The environment that `empheq` takes as its argument."""
_FORMULA = re.compile(r"\$([^$]*)\$")
_ENUMITEM = re.compile(r"\{(?:[^{}]*,)?\s*enumitem\s*[,}]")
_ITEM_PARTS = ("{0}", "{0}{1}", "{0}({1}){2}", "{0}({1}){2}{3}")
"""How LaTeX refers to an item at each depth, by its number and those of the items around it."""
_LABELS = re.compile(r"\\label\s*\{[^{}]*\}")


@dataclass(slots=True)
class _Scope:
    """Hold an environment, or the argument of a command, that is open."""

    name: str
    outer: LabelTarget | None
    """What a label means behind its end."""
    end: int = -1
    """Of an argument."""
    counter: str = ""
    """Of a float, that of its caption."""
    parts: int = 0
    is_captioned: bool = False
    label: ListLabel | None = None
    """Of a list with numbers."""
    count: int = 0
    number: str = ""
    """Of its last item."""
    saved: tuple[int, str] | None = None
    """Of subequations, the number and the format of equations outside."""


_RESTATABLE = re.compile(
    r"\\begin\s*\{restatable\*?\}\s*(?:\[([^\]]*)\])?\s*\{([^{}]{1,60})\}\s*\{([A-Za-z@]{1,60})\}"
)
_RESTATABLE_END = re.compile(r"\\end\s*\{restatable\*?\}")


def write_out_restatements(text: str) -> str:
    """Return a text with thm-restate's theorems as ordinary ones; `\\name*` repeats one, under the number it has."""
    begin = _RESTATABLE.search(text)
    if begin is None:
        return text
    stated: dict[str, tuple[str, str, str]] = {}
    pieces: list[str] = []
    at = 0
    while begin is not None:
        end = _RESTATABLE_END.search(text, begin.end())
        if end is None:
            break
        note, environment, name = begin[1], begin[2], begin[3]
        content = text[begin.end() : end.start()]
        stated[name] = (environment, note or "", content)
        option = f"[{note}]" if note else ""
        label = f"\\label{{{RESTATED}{name}}}"
        pieces += [
            text[at : begin.start()],
            f"\\begin{{{environment}}}{option}{label}{content}\\end{{{environment}}}",
        ]
        at = end.end()
        begin = _RESTATABLE.search(text, at)
    pieces.append(text[at:])
    text = "".join(pieces)
    names = "|".join(map(re.escape, stated))
    return re.sub(rf"\\(?:restate)?({names})\*(?![A-Za-z@])", lambda use: _restate(stated, use[1]), text)


def _restate(stated: dict[str, tuple[str, str, str]], name: str) -> str:
    """Return a theorem once more: its environment without a number of its own, and a reference to the one it has."""
    environment, note, content = stated[name]
    content = re.sub(r"\\label\s*\{[^{}]*\}", "", content)
    title = f"\\Autoref{{{RESTATED}{name}}}" + (f" ({note})" if note else "")
    return f"\n\n{title}. {content.strip()}\n\n" if environment else content


def insert_numbers(text: str, definitions: Definitions, head: str, language: str | None = None) -> str:
    """Return the text with numbers in its references, marked behind theorems' beginnings, and in equations referred to.

    `head` is the preamble with the packages of the paper. References to what has no number here are left as they are.
    """
    numbering = _Numbering(text, definitions, head)
    numbered = numbering.run()
    if not numbering.targets:
        return numbered
    return ReferenceWriter(numbering.targets, head, language).write_all(numbered)


class _Numbering:
    """Go through a paper once, counting, and note what each label stands for."""

    def __init__(self, text: str, definitions: Definitions, head: str) -> None:
        self.text, self.definitions = text, definitions
        within = {root: outer for root, outer in definitions.counters.values() if outer}
        self.counters = LabelCounters(head, "\\chapter" in text, within.items())
        self.has_own_items = _ENUMITEM.search(head) is not None
        self.targets: dict[str, LabelTarget] = {}
        self.wanted = {
            key.strip()
            for match in REFERENCE.finditer(text)
            for group in (match[2], match[4], match[5])
            if group
            for key in group.split(",")
        }
        self.current: LabelTarget | None = None
        self.title = ""
        self.scopes: list[_Scope] = []
        self.last_items: dict[int, int] = {}
        """Depth of a list -> the number of its last item."""
        self.braces = Braces(text)
        self.missing: dict[str, int] = {}
        self.pieces: list[str] = []
        self.at = 0

    def run(self) -> str:
        """Return the text with numbers of theorems and equations."""
        at = 0
        while match := _TOKEN.search(self.text, at):
            start, at = match.span()
            while self.scopes and 0 <= self.scopes[-1].end <= start:
                self.current = self.scopes.pop().outer
            if match["label"] is not None:
                self.add_label(match["label"])
            elif match["side"] == "begin":
                at = self.open_environment(match["environment"].strip(), at)
            elif match["side"]:
                self.close_environment(match["environment"].strip())
            elif match["heading"]:
                self.start_section(match["heading"], at)
            elif match["display"] is not None:
                at = self.number_equation("displaymath", "\\]", at)
            elif match["appendix"]:
                self.counters.start_appendix()
            elif match["caption"]:
                self.add_caption(match["captioned"], at)
            elif match["part"]:
                self.start_part(match["part"], at)
            elif match["item"]:
                self.add_item(at)
            elif match["note"]:
                if (end := self.find_argument_end(at)) >= 0:
                    self.scopes.append(_Scope("", self.current, end=end))
                    self.current = LabelTarget("footnote", self.counters.step("footnote"), title=self.title)
            elif match["continued"]:
                self.continue_float()
            elif match["stepped"]:
                number = self.counters.step(match["counter"])
                if match["stepped"].startswith("ref"):
                    self.current = LabelTarget(match["counter"], number, title=self.title)
            elif match["changed"]:
                at = self.change_counter(start, at)
        self.pieces.append(self.text[self.at :])
        return "".join(self.pieces)

    def add_label(self, key: str) -> None:
        if self.current is not None:
            self.targets.setdefault(key.strip(), self.current)

    def insert(self, at: int, what: str) -> None:
        """Put something into the text, behind what was put in before."""
        self.pieces += [self.text[self.at : at], what]
        self.at = at

    def find_argument_end(self, at: int) -> int:
        """Return where the argument behind a command closes, options before it skipped; -1 if there is none."""
        while option := OPTION.match(self.text, at):
            at = option.end()
        space = OPTIONAL_SPACES.match(self.text, at)
        close = self.braces.find_close(space.end() if space else at)
        return close if close is not None else -1

    def read_argument(self, at: int) -> str:
        """Return the argument behind a command, without labels."""
        end = self.find_argument_end(at)
        return _LABELS.sub("", self.text[self.text.find("{", at, end) + 1 : end]).strip() if end >= 0 else ""

    def change_counter(self, start: int, at: int) -> int:
        """Do what a command of the body says of counters, and return where the text goes on; formats are left out."""
        self.counters.change(self.text, start)
        form = FORMAT.match(self.text, start)
        if form is None:
            return at
        self.insert(start, "")
        self.at = form.end()
        return form.end()

    def start_section(self, level: str, at: int) -> None:
        if SECTION_LEVELS.index(level) - 1 > self.counters.depth:
            return
        self.title = self.read_argument(at)
        kind = level if level in ("part", "chapter") else "section"
        if self.counters.in_appendix and kind != "part":
            kind = "appendix"
        self.current = LabelTarget(kind, self.counters.step(level), title=self.title)

    # Environments.

    def open_environment(self, name: str, at: int) -> int:
        """Note what begins, and return where the text goes on: behind it, if it is an equation."""
        own = _OWN.fullmatch(name)
        if own is not None:
            return self.number_equation(own[1] + own[2], f"\\end{{{name}}}", at)
        scope = _Scope(name, self.current)
        self.scopes.append(scope)
        base = name.rstrip("*")
        counter = self.definitions.counters.get(name)
        if counter is not None:
            number = self.counters.step(counter[0])
            option = OPTION.match(self.text, at)
            title = option[1].strip() if option is not None else self.title
            self.current = LabelTarget(name, number, self.definitions.theorems.get(name, ""), title)
            self.insert(at, f"{NUMBER_MARK}{number}{NUMBER_MARK}")
        elif base in _FLOATS:
            scope.counter = _FLOATS[base] or base.removesuffix("2e")
        elif base in _PARTS:
            scope.counter = base
        elif base in known.NUMBERED:
            depth = sum(each.label is not None for each in self.list_open())
            option = OPTION.match(self.text, at)
            written = option[1] if option is not None else self.counters.write_item_label(depth)
            if option is None and written:
                self.insert(at, f"[{written}]")
            scope.label = read_list_label(written, depth)
            scope.count = self.last_items.get(depth + 1, 0) if scope.label.resumes else scope.label.start - 1
        elif base == "subequations":
            number = self.counters.step("equation")
            self.current = LabelTarget("equation", number, title=self.title)
            owner = self.counters.owner("equation")
            scope.saved = (self.counters.values[owner], self.counters.format_of("equation"))
            self.counters.values[owner] = 0
            self.counters.formats["equation"] = f"{number}\\alph{{{owner}}}"
        elif base in ("appendix", "appendices"):
            self.counters.start_appendix()
        elif base in _UNKNOWN or (
            (base in self.definitions.theorems or base in known.THEOREMS)
            and known.THEOREMS.get(base) != "Proof"
        ):
            self.current = None
        return at

    def close_environment(self, name: str) -> None:
        for place in range(len(self.scopes) - 1, max(-1, len(self.scopes) - MAX_FRAMES_BACK), -1):
            scope = self.scopes[place]
            if scope.name == name:
                if scope.saved is not None:
                    self.counters.values[self.counters.owner("equation")] = scope.saved[0]
                    self.counters.formats["equation"] = scope.saved[1]
                self.current = scope.outer
                del self.scopes[place:]
                break

    # Floats.

    def list_open(self) -> Iterator[_Scope]:
        """Yield the environments around what is being read, the innermost first."""
        return islice(reversed(self.scopes), MAX_OPEN_SCOPES)

    def find_float(self) -> _Scope | None:
        return next(
            (scope for scope in self.list_open() if scope.counter and scope.counter not in _PARTS), None
        )

    def add_caption(self, captioned: str | None, at: int) -> None:
        """Count a caption: that of the float it is in, or of a part of it."""
        holder = self.find_float()
        inner = next((scope for scope in self.list_open() if scope.counter), None)
        if captioned is None and inner is None:
            return
        title = self.read_argument(at)
        if captioned is None and inner is not None and inner.counter in _PARTS and holder is not None:
            self.number_part(holder, "{}{}", title)
            return
        counter = captioned or (holder.counter if holder is not None else "figure")
        self.current = LabelTarget(counter, self.counters.step(counter), title=title)
        if holder is not None and captioned is None:
            holder.is_captioned = True

    def start_part(self, command: str, at: int) -> None:
        """Count a part of a figure that a command makes; labels in its arguments mean it."""
        holder = self.find_float()
        if holder is None:
            return
        outer = self.current
        self.number_part(holder, "{}{}" if command.startswith("subcaption") else "{}({})", self.title)
        end = self.find_argument_end(at)
        if command == "subcaptionbox" and end >= 0:
            end = max(end, self.find_argument_end(end + 1))
        if end >= 0 and command != "subcaption":
            self.scopes.append(_Scope("", outer, end=end))

    def number_part(self, holder: _Scope, form: str, title: str) -> None:
        """Make the next part of a float what a label means: `2a`, `2(a)`."""
        holder.parts += 1
        counter = self.counters.owner(holder.counter)
        ahead = 0 if holder.is_captioned else 1
        self.counters.values[counter] = self.counters.count(counter) + ahead
        number = self.counters.write(holder.counter)
        self.counters.values[counter] -= ahead
        part = form.format(number, write_in_style(holder.parts, NUMBER_STYLES["alph"]))
        self.current = LabelTarget(holder.counter, part, title=title)

    def continue_float(self) -> None:
        """Give the next caption the number of the last one."""
        if (holder := self.find_float()) is not None:
            counter = self.counters.owner(holder.counter)
            self.counters.values[counter] = self.counters.count(counter) - 1

    # Items.

    def add_item(self, at: int) -> None:
        """Count an item of a list with numbers; one with a mark of its own has none."""
        scope = next((each for each in self.list_open() if each.name in known.LISTS), None)
        if scope is None or scope.label is None or OPTION.match(self.text, at):
            return
        scope.count += 1
        lists = [each for each in self.list_open() if each.label is not None][::-1]
        depth = len(lists)
        self.last_items[depth] = scope.count
        is_own = scope.label.is_own and self.has_own_items
        style = scope.label.style or "1"
        counter = ITEM_COUNTERS[min(depth, len(ITEM_COUNTERS)) - 1]
        if is_own:
            scope.number = number = scope.label.write(scope.count)
        else:
            self.counters.values[counter] = scope.count
            written = write_in_style(scope.count, style)
            is_set = counter in self.counters.formats
            scope.number = self.counters.write(counter) if is_set else written
            form = _ITEM_PARTS[min(depth, len(_ITEM_PARTS)) - 1]
            number = form.format(*(each.number for each in lists), *("" for _ in _ITEM_PARTS))
        self.current = LabelTarget("item", number, title=self.title)

    # Equations.

    def number_equation(self, name: str, closing: str, at: int) -> int:
        """Count the equations of an environment, and write the numbers of those that are referred to into it."""
        if self.missing.get(closing, -1) >= at:
            return at
        end = self.text.find(closing, at, at + MAX_EQUATION_CHARACTERS)
        if end < 0:
            self.missing[closing] = at + MAX_EQUATION_CHARACTERS
            return at
        if name.startswith("empheq"):
            inner = _INNER.match(self.text, at, end)
            name = f"{inner[1]}{inner[2]}" if inner is not None else name
        base = name.rstrip("*")
        has_rows, is_numbered = base in _ROWS.split("|"), not name.endswith("*") and base not in _UNNUMBERED
        if not has_rows and not any(command in self.text[at:end] for command in _TELLING):
            if is_numbered:
                self.counters.step("equation")
            return end + len(closing)
        outer = self.current
        row = _EquationRow(is_numbered)
        depth = 0
        place = at
        while place < end and (match := _EQUATION_TOKEN.search(self.text, place, end)):
            start, place = match.span()
            if match[0] in "{}":
                depth += 1 if match[0] == "{" else -1
            elif match["side"]:
                depth += 1 if match["side"] == "begin" else -1
            elif match["label"] is not None:
                row.labels.append(match["label"].strip())
                row.last_label = match.span()
            elif match["tag"]:
                close = self.braces.find_close(place)
                if close is not None and close < end:
                    row.tag = _FORMULA.sub(r"\\ensuremath{\1}", self.text[place + 1 : close].strip())
                    place = close + 1
            elif match["bare"] or match["shown"]:
                row.is_numbered = match["shown"] is not None
            elif match["row"] and has_rows and depth <= 0:
                self.end_row(row, start, outer)
                row = _EquationRow(is_numbered)
        self.end_row(row, end, outer)
        self.current = outer
        return end + len(closing)

    def end_row(self, row: _EquationRow, at: int, outer: LabelTarget | None) -> None:
        """Count an equation, note what its labels stand for, and write its number where one is referred to."""
        if row.tag is not None:
            target: LabelTarget | None = LabelTarget("equation", row.tag, title=self.title)
        elif row.is_numbered:
            target = LabelTarget("equation", self.counters.step("equation"), title=self.title)
        else:
            target = outer
        if target is None:
            return
        for key in row.labels:
            self.targets.setdefault(key, target)
        if row.tag is None and row.is_numbered and not self.wanted.isdisjoint(row.labels):
            while at > self.at and self.text[at - 1] in " \t\n":
                at -= 1
            is_spaced = row.last_label[1] == at and self.text[row.last_label[0] - 1] in " \t\n"
            self.insert(at, f"{'' if is_spaced else ' '}\\tag{{{target.number}}}")


@dataclass(slots=True)
class _EquationRow:
    """Hold what was read of an equation."""

    is_numbered: bool
    labels: list[str] = field(default_factory=list)
    last_label: tuple[int, int] = (0, 0)
    """Where the last of them stands."""
    tag: str | None = None
    """A number that the paper writes itself."""
