"""Count as LaTeX counts: counters, what they begin anew with, and how each is printed, by what a paper sets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from corpus.extract.latex.lists import NUMBER_STYLES, write_in_style

SECTION_LEVELS = (
    "part",
    "chapter",
    "section",
    "subsection",
    "subsubsection",
    "paragraph",
    "subparagraph",
)
ITEM_COUNTERS = ("enumi", "enumii", "enumiii", "enumiv")
"""Counters of lists with numbers, by depth."""
_ITEM_FORMATS = ("\\arabic", "\\alph", "\\roman", "\\Alph")
MAX_OWNERS = 8
"""Counters that count for one another, in a row."""
MAX_PRINTED_PARTS = 40
"""Counters that a printed number may be made of."""
MAX_PRINTED_CHARACTERS = 200
MAX_COUNT = 1_000_000
_CHAPTER = "\\ofchapter"
"""Before a number that stands in a chapter, if there is one."""
_FORMATS = {
    "part": "\\Roman{part}",
    "chapter": "\\arabic{chapter}",
    "section": "\\arabic{section}",
    "subsection": "\\thesection.\\arabic{subsection}",
    "subsubsection": "\\thesubsection.\\arabic{subsubsection}",
    "paragraph": "\\thesubsubsection.\\arabic{paragraph}",
    "subparagraph": "\\theparagraph.\\arabic{subparagraph}",
}
_CLASS_FORMATS = {
    "IEEEtran": {
        "section": "\\Roman{section}",
        "subsection": "\\thesection-\\Alph{subsection}",
        "subsubsection": "\\thesubsection\\arabic{subsubsection}",
        "table": "\\Roman{table}",
    },
    "revtex": {
        "section": "\\Roman{section}",
        "subsection": "\\thesection~\\Alph{subsection}",
        "subsubsection": "\\thesubsection~\\arabic{subsubsection}",
        "table": "\\Roman{table}",
    },
}
"""Beginning of a class -> how it prints numbers."""
_THEOREMS = (
    "theorem lemma proposition corollary definition example remark conjecture problem question exercise note "
    "property"
)
_CLASS_THEOREMS = {
    "llncs": "",
    "svjour": "",
    "svproc": "",
    "lipics": "theorem",
    "acmart": "theorem",
}
"""Beginning of a class that defines theorems itself -> the counter that they share, if they do."""
_OPTIONS = re.compile(r"\\documentclass\s*\[([^\]]*)\]\s*\{")
_BY_SECTION = ("siam", "JHEP", "jhep")
"""Beginnings of classes, and packages, that number equations within sections."""
_CLASS = re.compile(
    r"\\document(?:class|style)\s*(?:\[[^\]]*\])?\s*\{([\w-]+)|\\usepackage\s*(?:\[[^\]]*\])?\s*\{(jheppub)\}"
)
_PRINTED = re.compile(
    rf"\\({'|'.join(NUMBER_STYLES)})\s*\{{\s*(\w+)\s*\}}"
    r"|\\the(?!ta\b)([A-Za-z]+)(?![A-Za-z@])[ \t]*(?:\{\})?|\\ofchapter"
)
_SETTING = re.compile(
    r"\\(?:(?P<within>numberwithin|counterwithin)\s*(?P<star>\*?)\s*(?:\[[^\]]*\])?|(?P<without>counterwithout)\*?"
    r"|(?P<reset>@addtoreset)|(?P<alias>newaliascnt))\s*\{(?P<counter>\w+)\}\s*\{(?P<other>\w+)\}"
    r"|\\let\s*\\c@(?P<shared>\w+)\s*=?\s*\\c@(?P<owner>\w+)"
    r"|\\(?P<set>setcounter|addtocounter)\s*\{(?P<named>\w+)\}\s*\{\s*(?P<value>-?\d{1,6})\s*\}"
)
FORMAT = re.compile(
    r"\\(?:(?:re)?newcommand\s*\*?\s*\{?\s*|[gx]?def\s*)\\(the(?!ta\b)[A-Za-z]+|labelenum(?:i{1,3}|iv))\s*\}?\s*"
    r"\{((?:[^{}]|\{[^{}]{0,200}\}){0,400})\}"
)
"""A definition of how a counter is printed."""


def find_class_theorems(head: str) -> dict[str, tuple[str, str | None]]:
    """Return the counters of the theorems that the class of a paper defines: of each, what it begins anew with."""
    named = _CLASS.search(head)
    name = named[1] or "" if named is not None else ""
    shared = next(
        (of_all for beginning, of_all in _CLASS_THEOREMS.items() if name.startswith(beginning)), None
    )
    if shared is None:
        return {}
    options = _OPTIONS.search(head)
    settings = options[1] if options is not None else ""
    shared = "theorem" if "envcountsame" in settings else shared
    within = "section" if "envcountsect" in settings or name.startswith("acmart") else None
    return {theorem: (shared or theorem, within) for theorem in _THEOREMS.split()}


class LabelCounters:
    """Hold LaTeX's counters at a position in a paper."""

    def __init__(self, head: str, has_chapters: bool, within: Iterable[tuple[str, str]]) -> None:
        """Begin with the counters of theorems `within` others, and what a paper's `head` sets: preamble, packages."""
        self.values: dict[str, int] = {}
        self.formats = dict(_FORMATS)
        self.resets: dict[str, set[str]] = {}
        self.owners: dict[str, str] = {}
        """Counter -> the one that counts for it."""
        self.has_chapters = has_chapters
        self.in_appendix = False
        self.depth = 2 if has_chapters else 3
        """`secnumdepth`: the deepest level of sections with numbers."""
        for outer, inner in pairwise(SECTION_LEVELS[1:]):
            self.resets[outer] = {inner}
        if has_chapters:
            self.formats["section"] = "\\thechapter.\\arabic{section}"
            for name in ("equation", "figure", "table", "algorithm", "lstlisting"):
                self.resets["chapter"].add(name)
                self.formats[name] = f"{_CHAPTER}\\arabic{{{name}}}"
        for counter, outer in within:
            if has_chapters or outer != "chapter":
                self.number_within(counter, outer)
        for match in _CLASS.finditer(head):
            name = match[1] or match[2]
            for beginning, formats in _CLASS_FORMATS.items():
                if name.startswith(beginning):
                    self.formats |= formats
            if name.startswith(_BY_SECTION):
                self.number_within("equation", "section")
        settings = [*_SETTING.finditer(head), *FORMAT.finditer(head)]
        for setting in sorted(settings, key=lambda match: match.start()):
            self.change(head, setting.start())

    def apply(self, setting: re.Match[str]) -> None:
        """Do what a command for counters says."""
        counter, other = setting["counter"], setting["other"]
        if setting["within"]:
            self.number_within(counter, other, keeps_format=bool(setting["star"]))
        elif setting["without"]:
            self.resets.get(other, set()).discard(counter)
            self.formats.pop(counter, None)
        elif setting["reset"]:
            self.resets.setdefault(other, set()).add(counter)
        elif setting["alias"]:
            self.owners[counter] = other
        elif setting["shared"]:
            self.owners[setting["shared"]] = setting["owner"]
        elif setting["named"] == "secnumdepth" and setting["set"] == "setcounter":
            self.depth = int(setting["value"])
        else:
            base = self.count(setting["named"]) if setting["set"] == "addtocounter" else 0
            self.values[self.owner(setting["named"])] = base + int(setting["value"])

    def change(self, text: str, at: int) -> None:
        """Do what a command at `at` says of counters and how they are printed, if it does."""
        if (form := FORMAT.match(text, at)) is not None:
            self.set_format(form[1].removeprefix("the"), form[2])
        elif (setting := _SETTING.match(text, at)) is not None:
            self.apply(setting)

    def number_within(self, counter: str, outer: str, keeps_format: bool = False) -> None:
        """Begin a counter anew with another, whose number it stands behind."""
        self.resets.setdefault(outer, set()).add(counter)
        if not keeps_format:
            self.formats[counter] = f"\\the{outer}.\\arabic{{{counter}}}"

    def set_format(self, counter: str, template: str) -> None:
        """Print a counter as a definition of the paper says, unless that computes."""
        if "\\if" not in template and "@" not in template and "#" not in template:
            self.formats[counter] = template

    def owner(self, counter: str) -> str:
        """Return the counter that counts for one."""
        for _ in range(MAX_OWNERS):
            if counter not in self.owners:
                break
            counter = self.owners[counter]
        return counter

    def count(self, counter: str) -> int:
        return self.values.get(self.owner(counter), 0)

    def step(self, counter: str) -> str:
        """Count one on, begin anew what depends on it, and return the number as it is printed."""
        owner = self.owner(counter)
        self.values[owner] = min(self.values.get(owner, 0) + 1, MAX_COUNT)
        self.reset_below(owner)
        return self.write(counter)

    def reset_below(self, counter: str) -> None:
        """Set the counters that begin anew with one, and those that begin anew with these, to nothing."""
        reset: set[str] = {counter}
        left = [*self.resets.get(counter, ())]
        while left:
            inner = left.pop()
            if inner not in reset:
                reset.add(inner)
                self.values[self.owner(inner)] = 0
                left += self.resets.get(inner, ())

    def start_appendix(self) -> None:
        """Number what follows by letters."""
        self.in_appendix = True
        top = "chapter" if self.has_chapters else "section"
        self.formats[top] = f"\\Alph{{{top}}}"
        self.values[top] = 0
        self.reset_below(top)

    def write(self, counter: str) -> str:
        """Return the number of a counter as it is printed."""
        room = MAX_PRINTED_PARTS

        def fill(template: str) -> str:
            return _PRINTED.sub(write_part, template)

        def write_part(part: re.Match[str]) -> str:
            nonlocal room
            room -= 1
            if room < 0:
                return ""
            if part[1]:
                return write_in_style(self.count(part[2]), NUMBER_STYLES[part[1]])
            if part[3]:
                return fill(self.format_of(part[3]))
            return f"{fill(self.format_of('chapter'))}." if self.count("chapter") else ""

        return fill(self.format_of(counter)).strip()[:MAX_PRINTED_CHARACTERS]

    def format_of(self, counter: str) -> str:
        """Return how a counter is printed, as TeX."""
        own = self.formats.get(counter)
        if own is None and counter in self.owners:
            counter = self.owner(counter)
            own = self.formats.get(counter)
        return own if own is not None else f"\\arabic{{{counter}}}"

    def write_item_label(self, depth: int) -> str:
        """Return how the items of a list at a depth look, as an option; empty if the paper does not say."""
        counter = ITEM_COUNTERS[min(depth, len(ITEM_COUNTERS) - 1)]
        own, label = self.formats.get(counter), self.formats.get(f"label{counter}")
        if own is None and label is None:
            return ""
        own = own or f"{_ITEM_FORMATS[ITEM_COUNTERS.index(counter)]}{{{counter}}}"
        label = label or ("(\\theenumii)" if depth == 1 else f"\\the{counter}.")
        named = f"\\the{counter}"
        return f"label={{{label.replace(named, own)}}}"
