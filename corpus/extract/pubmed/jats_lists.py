"""Write the marks of items in lists of JATS: their labels, `- `, or the number that the type of the list asks for."""

from __future__ import annotations

import re
from typing import Any

from corpus.extract.latex.lists import ListLabel

_STYLES = {
    "order": "1", "ordered": "1", "number": "1", "numbered": "1", "arabic": "1", "decimal": "1", "alpha": "a",
    "alpha-lower": "a", "lower-alpha": "a", "alpha-upper": "A", "upper-alpha": "A", "roman": "i", "roman-lower": "i",
    "lower-roman": "i", "roman-upper": "I", "upper-roman": "I", "1": "1", "a": "a", "A": "A", "i": "i", "I": "I",
}  # fmt: skip
"""Types of lists, with names that JATS gives and those that publishers write, and the style of their numbers."""
_OWN_NUMBER = re.compile(r"(?:[(（]?(\w{1,6})[)）、]|(\d{1,3}|[a-z]{1,5})[.．])(?!\w)")
"""What a paragraph begins with that has the number of its item in its text; `B. subtilis` is a name."""


def read_numbering(element: Any) -> ListLabel | None:
    """Return how the items of a list are numbered; None for one that has bullets or no marks."""
    kind = element.get("list-type") or ""
    style = _STYLES.get(kind) or _STYLES.get(kind.lower())
    word = (element.get("prefix-word") or "").strip()
    return ListLabel(f"{word} " if word else "", style, ".") if style is not None else None


def write_item(
    blocks: list[str], label: str | None, numbering: ListLabel | None, count: int, indent: str
) -> str:
    """Return the blocks of an item, the first behind the mark of the item, the others below it behind `indent`."""
    below = "\n".join(blocks[1:])
    lines = [f"{_choose_mark(blocks[0], label, numbering, count)}{blocks[0]}"]
    if below:
        lines += [f"{indent}{line}" if line else "" for line in below.split("\n")]
    return "\n".join(lines)


def _choose_mark(text: str, label: str | None, numbering: ListLabel | None, count: int) -> str:
    """Return what stands before the text of an item: nothing if the number is in the text already."""
    if label is not None and (len(label) > 1 or label.isalnum()):
        return f"{label} "
    if numbering is None or label is not None:
        return "- "
    own = _OWN_NUMBER.match(text)
    if own is not None and any(ListLabel("", style, "").write(count) in own.groups() for style in "1aAiI"):
        return ""
    return f"{numbering.write(count)} "
