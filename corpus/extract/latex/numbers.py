"""Compute the numbers that a paper prints on its sections and theorems, and in its references to them.

They are counted as LaTeX counts, from the paper's own `\\newtheorem`s. What cannot be known here has no number:
equations and floats (theirs are printed by the style), items, theorems that only the class defines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from corpus.extract.latex.macros import Definitions

NUMBER_MARK = "\x0f"
"""Around the number of a theorem, behind its `\\begin{...}`."""

_LEVELS = ("chapter", "section", "subsection", "subsubsection")
_TOKEN = re.compile(
    r"\\(?:(chapter|section|subsection|subsubsection)(?![A-Za-z*])|(appendix)(?![A-Za-z])"
    r"|(begin|end)\s*\{([^{}\\\n]{1,60})\}|(label)\s*\{([^{}]{1,200})\})"
)
_REFERENCE = re.compile(r"\\(ref|[cC]ref|autoref|Autoref|thmref|lemref|secref)\*?\s*\{([^{}]{1,400})\}")
_NAMED = ("cref", "Cref", "autoref", "Autoref")
RESTATED = "restated:"
"""Before the name of a restatable theorem in its label."""
_WITHIN = re.compile(r"\\(?:numberwithin|counterwithin)\*?\s*\{(\w+)\}\s*\{(\w+)\}")
_OPAQUE = frozenset(
    (
        *(
            "itemize",
            "enumerate",
            "description",
            "list",
            "equation",
            "eqnarray",
            "align",
            "gather",
            "multline",
        ),
        *(
            "alignat",
            "flalign",
            "figure",
            "table",
            "wrapfigure",
            "algorithm",
            "displaymath",
            "subequations",
            "split",
        ),
    )
)
"""Environments with numbers of their own: a label inside means those."""


@dataclass(slots=True)
class _Counters:
    """Hold LaTeX's counters at a position in the paper."""

    has_chapters: bool
    sections: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    theorems: dict[str, tuple[str, int]] = field(default_factory=dict)
    in_appendix: bool = False

    def step(self, level: int) -> None:
        self.sections[level] += 1
        self.sections[level + 1 :] = [0] * (3 - level)

    def start_appendix(self) -> None:
        self.in_appendix = True
        self.sections = [0, 0, 0, 0]

    def section(self, level: int) -> str:
        """Return the number of the current section down to `level`."""
        top = 0 if self.has_chapters else 1
        numbers = self.sections[top : level + 1]
        if not numbers:
            return ""
        first = chr(64 + min(numbers[0], 26)) if self.in_appendix and numbers[0] else str(numbers[0])
        return ".".join([first, *map(str, numbers[1:])])

    def theorem(self, counter: str, within: str | None) -> str:
        prefix = self.section(_LEVELS.index(within)) if within in _LEVELS else ""
        before, count = self.theorems.get(counter, (prefix, 0))
        count = count + 1 if before == prefix else 1
        self.theorems[counter] = (prefix, count)
        return f"{prefix}.{count}" if prefix else str(count)


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


def insert_numbers(text: str, definitions: Definitions, preamble: str) -> str:
    """Return the text with numbers in its references to sections and theorems, and marked behind theorems' beginnings.

    Other references are left as they are.
    """
    within = dict(_WITHIN.findall(preamble))
    counters = _Counters("\\chapter" in text)
    labels: dict[str, tuple[str, str]] = {}
    current: tuple[str, str] | None = None
    stack: list[tuple[str, tuple[str, str] | None]] = []
    pieces: list[str] = []
    at = 0
    for match in _TOKEN.finditer(text):
        heading, appendix, side, environment, _, label = match.groups()
        if heading is not None:
            level = _LEVELS.index(heading)
            counters.step(level)
            current = ("Chapter" if level == 0 else "Section", counters.section(level))
        elif appendix is not None:
            counters.start_appendix()
        elif label is not None:
            if current is not None:
                labels.setdefault(label.strip(), current)
        elif side == "begin":
            counter = definitions.counters.get(environment)
            if counter is not None:
                stack.append((environment, current))
                root, inside = counter
                number = counters.theorem(root, within.get(root, inside or ""))
                current = (definitions.theorems.get(environment, ""), number)
                pieces += [text[at : match.end()], f"{NUMBER_MARK}{number}{NUMBER_MARK}"]
                at = match.end()
            elif environment.rstrip("*") in _OPAQUE:
                stack.append((environment, current))
                current = None
        else:
            for place in range(len(stack) - 1, max(-1, len(stack) - 20), -1):
                if stack[place][0] == environment:
                    current = stack[place][1]
                    del stack[place:]
                    break
    pieces.append(text[at:])
    return (
        _REFERENCE.sub(lambda match: _resolve_reference(match, labels), "".join(pieces))
        if labels
        else "".join(pieces)
    )


def _resolve_reference(match: re.Match[str], labels: dict[str, tuple[str, str]]) -> str:
    """Return the numbers of a reference, with their names if its command prints these; unchanged if one is unknown."""
    targets = [labels.get(key.strip()) for key in match[2].split(",")]
    known = [label for label in targets if label is not None]
    if len(known) < len(targets):
        return match[0]
    numbers = ", ".join(number for _, number in known)
    name = known[0][0]
    return f"{name} {numbers}" if match[1] in _NAMED and name else numbers
