"""Find whole lines that the lists of a language name: menus, consent, sharing, filings and the like."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate

from corpus.clean.boilerplate_lists import DECORATION, MAX_LINE_CHARACTERS, LineLists, fold_text, lists_of

MIN_NEAR = 3
"""Lines in a row that each need others beside them: so many are enough for each other."""
_COUNT = re.compile(r" ?[(\[（【]? ?0 ?[)\]）】]?$")
_PARTS = re.compile(r"\s*[|｜¦•·・»›>→]\s*|\s+[-–/]\s+|\s{2,}")
_JOINTS = frozenset("|｜¦•·・»›>→/-–")
_ITEM_ENDS = frozenset(";；؛")
_COUNT_ENDS = frozenset("0)]）】")


def find_boilerplate(
    text: str, language: str | None, classes: Collection[str]
) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, class) of lines that a language's lists name, in characters, without blanks at their ends.

    A line is named by itself, as words that all are named with marks between them, or, if it is named for its
    neighbourhood, beside another such line. Rows of tables and items that end in a semicolon are none.
    Cost: .2 ms for a page of 5 KB.
    """
    folded = ["" if _is_of_list(line) else line.strip(DECORATION) for line in fold_text(text).split("\n")]
    classes_of = _find_classes(folded, lists_of(language))
    if not classes_of:
        return
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for at, kind in sorted(classes_of.items()):
        if kind in classes:
            line = lines[at]
            first = starts[at] + len(line) - len(line.lstrip())
            yield first, first + len(line.strip()), kind


def _is_of_list(line: str) -> bool:
    """Return whether a line is the row of a table, or an item of an enumeration."""
    return line[:1] == "|" or line.rstrip()[-1:] in _ITEM_ENDS


def _find_classes(folded: Sequence[str], lists: LineLists) -> dict[int, str]:
    """Return the classes of the folded lines that are boilerplate, by their places."""
    strong: dict[int, str] = {}
    weak: dict[int, str] = {}
    seen: dict[str, tuple[str | None, str | None]] = {}
    for at, line in enumerate(folded):
        if not line or len(line) > MAX_LINE_CHARACTERS:
            continue
        if line not in seen:
            seen[line] = _judge_line(line, lists)
        kind, near = seen[line]
        if kind is not None:
            strong[at] = kind
        elif near is not None:
            weak[at] = near
    if weak:
        strong |= _find_supported(folded, strong, weak)
    return strong


def _judge_line(line: str, lists: LineLists) -> tuple[str | None, str | None]:
    """Return the class of a line by itself, or else the class that it has beside others; None for neither."""
    kind = lists.find_class(line)
    if kind is None and line[-1] in _COUNT_ENDS:
        line = _COUNT.sub("", line).strip(DECORATION)
        kind = lists.find_class(line) if line else None
    if kind is None and not _JOINTS.isdisjoint(line):
        parts = [part.strip(DECORATION) for part in _PARTS.split(line)]
        parts = [part for part in parts if part and part != "0"]
        kinds = [lists.lines.get(part) or lists.near.get(part) for part in parts]
        if len(kinds) > 1 and all(kinds):
            return kinds[0], None
    return kind, lists.near.get(line) if kind is None else None


def _find_supported(
    folded: Sequence[str], strong: dict[int, str], weak: dict[int, str]
) -> Iterator[tuple[int, str]]:
    """Yield those of the `weak` lines that stand in a row with a strong one, or with enough of their kind.

    Empty lines do not end a row.
    """
    row: list[int] = []
    rows = [row]
    for at, line in enumerate(folded):
        if at in strong or at in weak:
            row.append(at)
        elif line:
            row = []
            rows.append(row)
    for row in rows:
        if len(row) >= MIN_NEAR or any(at in strong for at in row):
            yield from ((at, weak[at]) for at in row if at in weak)
