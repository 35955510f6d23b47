"""Write the numbers of list items as LaTeX, enumitem and enumerate print them: `1.`, `(a)`, `iv)`, `Step 2:`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DEFAULTS = (("", "1", "."), ("(", "a", ")"), ("", "i", "."), ("", "A", "."))
"""What stands before, the style, and what stands behind the number, by depth."""
NUMBER_STYLES = {
    "arabic": "1", "alph": "a", "Alph": "A", "roman": "i", "Roman": "I", "asbuk": "а", "Asbuk": "А", "chinese": "一",
    "zhnum": "一", "Chinese": "一", "kansuji": "一",
}  # fmt: skip
"""Command that prints a counter -> the style of its number."""
_COUNTER = re.compile(rf"\\({'|'.join(NUMBER_STYLES)})\s*(?:\*|\{{\s*(?:enum\w+|\*)\s*\}})")
_LABEL = re.compile(
    r"(?:^|,)\s*label\s*=\s*(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}|(?:[^,{}]|\{(?:[^{}]|\{[^{}]*\})*\})+)"
)
_START = re.compile(r"(?:^|,)\s*start\s*=\s*\{?\s*(\d{1,6})")
_RESUMES = re.compile(r"(?:^|,)\s*resume\*?\s*(?:=|,|$)")
_MARKUP = re.compile(r"\\[A-Za-z]+\s*|[{}$]")
_PUT_ASIDE = re.compile(r"\{[^{}]*\}|\\[A-Za-z]+")
_LETTERS = re.compile(r"[^\W_]")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_CYRILLIC = "абвгдежзиклмнопрстуфхцчшщэюя"
_CHINESE = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class ListLabel:
    """Hold how the items of a list are numbered; a list without a `style` has the same mark on all of them."""

    before: str
    style: str
    behind: str
    start: int = 1
    resumes: bool = False
    is_own: bool = False
    """Whether the paper says how it looks."""

    def write(self, count: int) -> str:
        """Return the mark of an item."""
        return f"{self.before}{write_in_style(count, self.style)}{self.behind}" if self.style else "-"


def read_list_label(option: str, depth: int) -> ListLabel:
    """Return the label that an option of an environment asks for, else that of the depth, from 0."""
    start, resumes = _START.search(option), _RESUMES.search(option) is not None
    own = _read_template(option)
    before, style, behind = own or _DEFAULTS[min(depth, len(_DEFAULTS) - 1)]
    first = int(start[1]) if start is not None else 1
    return ListLabel(before, style, behind, first, resumes, own is not None)


def _read_template(option: str) -> tuple[str, str, str] | None:
    named = _LABEL.search(option)
    if named is not None:
        template = named[1].strip()
        counter = _COUNTER.search(template)
        if counter is None:
            return None if "\\the" in template or _LETTERS.search(_MARKUP.sub("", template)) else ("", "", "")
        if "\\the" in template[: counter.start()]:
            return None
        before, behind = template[: counter.start()], template[counter.end() :]
        return _MARKUP.sub("", before).lstrip(), NUMBER_STYLES[counter[1]], _MARKUP.sub("", behind).rstrip()
    if "=" in option:
        return None
    bare = _PUT_ASIDE.sub(lambda aside: " " * len(aside[0]), option)
    letters = _LETTERS.findall(bare)
    style = letters[0] if len(letters) == 1 else "1"
    if style not in "AaIi1" or style not in bare:
        return None
    at = bare.index(style)
    return _MARKUP.sub("", option[:at]).lstrip(), style, _MARKUP.sub("", option[at + 1 :]).rstrip()


def write_in_style(count: int, style: str) -> str:
    """Return a number in a style of `NUMBER_STYLES`; in digits where that has none so high."""
    if style in "aA" and 0 < count <= 26:
        letter = chr(96 + count)
    elif style in "iI" and 0 < count < 4000:
        letter = _write_roman(count)
    elif style in "аА" and 0 < count <= len(_CYRILLIC):
        letter = _CYRILLIC[count - 1]
    elif style == "一" and 0 < count < 100:
        tens, ones = divmod(count, 10)
        letter = (
            (_CHINESE[tens] if tens > 1 else "") + ("十" if tens else "") + (_CHINESE[ones] if ones else "")
        )
    else:
        return str(count)
    return letter.upper() if style in "AIА" else letter


def _write_roman(count: int) -> str:
    written = ""
    for value, letters in _ROMAN:
        written += letters * (count // value)
        count %= value
    return written
