"""Decide the conditions of a body that compare: numbers (`\\ifnum`), and what commands mean (`\\ifx`).

Of those that nobody can know here the first branch is read: never both. A text whose conditions do not close is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpus.extract.latex import commands as known
from corpus.extract.latex.conditions import ENGINES, WITHOUT_END, skip_space
from corpus.extract.latex.macros import Macro

MAX_BRANCH_CHARACTERS = 500_000
"""Characters of a branch that is left out."""
_TOKEN = re.compile(
    rf"\\(?:{WITHOUT_END}(?![A-Za-z@])|newif\s*\\if[A-Za-z@]*|let\s*\\if[A-Za-z@]*\s*=?\s*\\if[A-Za-z@]*"
    r"|(?P<kind>if[A-Za-z@]*)(?![A-Za-z@])|(?P<part>else|or|fi|repeat)(?![A-Za-z@])|[^A-Za-z@])"
)
_VALUE = r"(?:[-+]?\d+|\\[A-Za-z@]+(?:[ \t]*\{[^{}\n]{0,60}\})?)"
_LENGTH = r"(?:[-+]?[\d.]*(?:\\[A-Za-z@]+(?:[ \t]*\{[^{}\n]{0,60}\}|\d+)?|[ \t]*(?:true[ \t]*)?[a-z]{2}))"
_COMMAND_OR_SIGN = r"(?:\\[A-Za-z@]+|\\?[^\s\\])"
_TESTS = {
    "ifnum": rf"\s*({_VALUE})\s*([<>=])\s*({_VALUE})",
    "ifdim": rf"\s*{_LENGTH}\s*[<>=]\s*{_LENGTH}",
    "ifodd": rf"\s*({_VALUE})",
    "ifcase": rf"\s*({_VALUE})",
    "ifx": rf"\s*({_COMMAND_OR_SIGN})[ \t]*({_COMMAND_OR_SIGN})",
    "if": rf"\s*({_COMMAND_OR_SIGN})[ \t]*({_COMMAND_OR_SIGN})",
    "ifcat": rf"\s*{_COMMAND_OR_SIGN}[ \t]*{_COMMAND_OR_SIGN}",
    "ifdefined": r"\s*\\[A-Za-z@]+",
    "ifcsname": r"[^\\]{0,80}\\endcsname",
    "ifvoid": r"\s*(?:\d+|\\[A-Za-z@]+)",
    "ifeof": r"\s*(?:\d+|\\[A-Za-z@]+)",
}
_COMPARISONS = {kind: re.compile(pattern) for kind, pattern in _TESTS.items()}
"""Condition -> what it compares, behind it; others compare nothing."""
MAX_NAME_CHARACTERS = 40
_COMMAND_END = re.compile(r"\\[A-Za-z@]+\Z")
"""What must not be joined with the letters of a branch."""
_UNDEFINED = ("undefined", "@undefined", "UnDeFiNeD", "unknown")
_OF_LATEX = known.PROTECTED.union(known.SYMBOLS, known.DROPPED_COMMANDS)
_EMPTY = Macro(0, "")


@dataclass(slots=True)
class _Branches:
    """Hold a condition that is open: which of its branches is read, the first one being 0, and which one this is."""

    chosen: int | None
    """None: the one behind `\\else`."""
    place: int = 0
    is_last: bool = False

    def is_read(self) -> bool:
        return self.is_last if self.chosen is None else not self.is_last and self.place == self.chosen


class Comparisons:
    """Know what a paper defines, and decide by it."""

    def __init__(self, macros: dict[str, Macro], defined: set[str]) -> None:
        """Take the macros of a paper, and the names of all commands that it defines, also those that compute."""
        self.macros, self.defined = macros, defined

    def decide_all(self, text: str) -> str:
        """Return a text with one branch of each condition in it; unchanged if they do not close."""
        if "\\if" not in text:
            return text
        pieces: list[str] = []
        opened: list[_Branches] = []
        at, hidden = 0, 0
        for token in _TOKEN.finditer(text):
            if token.start() < at or not (token["kind"] or token["part"]):
                continue
            if not hidden:
                pieces.append(text[at : token.start()])
                if _COMMAND_END.search(text, max(at, token.start() - MAX_NAME_CHARACTERS), token.start()):
                    pieces.append(" ")
            elif token.start() - at > MAX_BRANCH_CHARACTERS:
                return text
            at, part = token.end(), token["part"]
            if token["kind"]:
                compared = _COMPARISONS.get(token["kind"])
                test = compared.match(text, at) if compared is not None else None
                at = test.end() if test is not None else at
                opened.append(_Branches(self.choose(token["kind"], test)))
            elif not opened:
                if part not in ("or", "repeat"):
                    return text
                pieces.append(token[0])
                continue
            else:
                last = opened[-1]
                hidden -= not last.is_read()
                if part in ("fi", "repeat"):
                    opened.pop()
                    at = skip_space(text, at)
                    continue
                last.place += 1
                last.is_last = part == "else"
            hidden += not opened[-1].is_read()
            at = skip_space(text, at)
        return "".join([*pieces, text[at:]]) if not opened else text

    def choose(self, kind: str, test: re.Match[str] | None) -> int | None:
        """Return the branch that is read: the first, 0, if nobody can know; None for the one behind `\\else`."""
        holds: bool | None = None
        if kind == "iffalse":
            holds = False
        elif test is not None and kind == "ifnum":
            first, last = _read_count(test[1]), _read_count(test[3])
            if first is not None and last is not None:
                holds = {"<": first < last, ">": first > last, "=": first == last}[test[2]]
        elif test is not None and kind in ("ifodd", "ifcase"):
            count = _read_count(test[1])
            if kind == "ifcase":
                return count if count is not None and count >= 0 else 0
            holds = count % 2 == 1 if count is not None else None
        elif test is not None and kind in ("ifx", "if"):
            holds = self.compare(test[1], test[2], is_meaning=kind == "ifx")
        return None if holds is False else 0

    def compare(self, first: str, last: str, is_meaning: bool) -> bool | None:
        """Return whether two tokens are the same; None if nobody can know."""
        if not first.startswith("\\") and not last.startswith("\\"):
            return first == last
        if not is_meaning or not (first.startswith("\\") and last.startswith("\\")):
            return None
        if first == last:
            return True
        one, other = first[1:], last[1:]
        if other in _UNDEFINED or one in _UNDEFINED:
            name = one if other in _UNDEFINED else other
            is_defined = name in self.defined or name in _OF_LATEX
            return False if is_defined else None if name.startswith(ENGINES) else True
        if self.macros.get(one) == Macro(0, last) or self.macros.get(other) == Macro(0, first):
            return True
        meanings = [self.find_meaning(name) for name in (one, other)]
        if None not in meanings:
            return meanings[0] == meanings[1]
        return False if (one in self.defined) != (other in self.defined) else None

    def find_meaning(self, name: str) -> Macro | None:
        return _EMPTY if name in ("empty", "@empty") else self.macros.get(name)


def _read_count(value: str) -> int | None:
    return int(value) if value.lstrip("+-").isdecimal() and len(value) < 12 else None
