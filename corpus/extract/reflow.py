"""Join hard-wrapped plain text into paragraphs of one line each; verse, tables and lists keep their lines.

A line of prose ends where the next word did not fit. A block of lines most of which do end there is joined; in
verse, addresses and title pages the next word would have fitted. For indented blocks their own
longest line is the measure, so that quotations are joined too; lines that all begin with a capital and are short are
verse. About 12 MB/s.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import quantiles

EARLY_BREAK_COLUMNS = 6
"""Columns by which proof-readers break a line early."""
UNWRAPPED_COLUMNS = 130
"""A text with lines this wide was not wrapped: a line is a paragraph."""
MIN_LINES_FOR_WIDTH = 20
"""Lines of prose from which a width can be told; with fewer, `DEFAULT_WIDTH_COLUMNS`."""
DEFAULT_WIDTH_COLUMNS = 72

_BLANKS = re.compile(r"\n(?:[ \t\u3000]*\n)+")
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]"
)
UNSPACED_LETTERS = (
    "\u2e80-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u0e00-\u0eff\u1000-\u109f"
    "\u1780-\u17ff\U00020000-\U0003ffff"
)
"""Han, kana, their punctuation, Thai, Lao, Burmese, Khmer: scripts that have no spaces where a line ends."""
_UNSPACED = re.compile(f"[{UNSPACED_LETTERS}]")
_RULE = re.compile(r"[+=|\u2500-\u257f -]{4,}$")
_ITEM = re.compile(r"\s*(?:[-*\u2022]|\(?\d{1,3}[.)]|\[\d+\]|\{\d+\})\s+\S")
_CAPITAL = re.compile(r"[\s\"'\u2018-\u201f\u00ab\u00bb_(\[*-]*[^\W\d_a-z]")
_WORD = re.compile(r"\S+")
_HYPHENATED = re.compile(r"([^\W\d_]+)-$")
_LETTERS = re.compile(r"[^\W\d_]+")
_MARKS = ".,;:!?\"'()[]_*-\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_SUSPENDING = {
    "deu": ("und", "oder", "bzw", "sowie", "als", "noch"),
    "nld": ("en", "of"),
    "swe": ("och", "eller"),
    "dan": ("og", "eller"),
    "nob": ("og", "eller"),
    "fin": ("ja", "tai"),
}
"""Languages that write `Haus- und Hoftür`: before these words a hyphen stands for what follows later."""
SOFT_HYPHEN_LANGUAGES = frozenset(
    {"deu", "nld", "swe", "dan", "nob", "fin", "hun", "ces", "pol", "rus", "ukr"}
)
"""Languages that hardly ever write a compound of two small words with a hyphen: at a line's end it divides one."""


def reflow(text: str, language: str = "") -> str:
    """Return the text with one line a paragraph, blank lines between them.

    `language` is a code (`deu`), for hyphens at line ends: if the book writes the word without
    it elsewhere, or the language has few hyphens, it is removed; else (`well-\\nknown`, `peut-\\nêtre`) it is kept.
    Linear time.
    """
    blocks = [
        block for block in _BLANKS.split(text.replace("\r\n", "\n").replace("\r", "\n")) if block.strip()
    ]
    lines = [[line.rstrip() for line in block.expandtabs(8).split("\n") if line.strip()] for block in blocks]
    wide = _WIDE.search(text) is not None
    measure: Callable[[str], int] = _count_columns if wide else len
    width = _detect_width(lines, measure)
    if width is None:
        return "\n\n".join(line.strip() for block in lines for line in block)
    joiner = Joiner(text, language)
    return "\n\n".join(_reflow_block(block, width, measure, joiner) for block in lines)


def _count_columns(line: str) -> int:
    """Return the width of a line in which Chinese characters take two columns."""
    return len(line) + len(_WIDE.findall(line))


def _detect_width(blocks: list[list[str]], measure: Callable[[str], int]) -> int | None:
    """Return the column at which the text was wrapped; None if it was not."""
    inner = sorted(measure(line) for block in blocks if len(block) > 2 for line in block[:-1])
    every = sorted(measure(line) for block in blocks for line in block)
    if every and every[len(every) * 9 // 10] > UNWRAPPED_COLUMNS:
        return None
    if len(inner) < MIN_LINES_FOR_WIDTH:
        return DEFAULT_WIDTH_COLUMNS
    return min(UNWRAPPED_COLUMNS, round(quantiles(inner, n=20)[-1]))


def _count_indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _split_segments(block: list[str], width: int, measure: Callable[[str], int]) -> list[list[str]]:
    """Split a block where an indented line begins a paragraph, and where indented lines begin and end."""
    if len(block) == 1:
        return [block]
    indents = [_count_indent(line) for line in block]
    if not any(indents):
        return [block]
    margin = min(indents)
    hanging = indents[0] == margin and min(indents[1:]) >= margin + 2
    if hanging and (_ITEM.match(block[0]) or measure(block[0]) >= width - EARLY_BREAK_COLUMNS - 4):
        return [block]
    segments: list[list[str]] = [[block[0]]]
    for at in range(1, len(block)):
        inside, before = indents[at] >= margin + 2, indents[at - 1] >= margin + 2
        following = indents[at + 1] >= margin + 2 if at + 1 < len(block) else inside
        full = measure(block[at]) >= width - EARLY_BREAK_COLUMNS - 4
        new_paragraph = block[at].startswith("\u3000") or (inside and not following and (full or not before))
        ends = before and not inside and len(segments[-1]) > 1
        if new_paragraph or (inside and not before) or ends:
            segments.append([])
        segments[-1].append(block[at])
    return segments


def _reflow_block(block: list[str], width: int, measure: Callable[[str], int], joiner: Joiner) -> str:
    """Return a block as paragraphs; as its lines if none of it is prose."""
    segments = _split_segments(block, width, measure)
    paragraphs = [_join_paragraph(segment, width, measure, joiner) for segment in segments]
    if len(segments) > 1 and all(paragraph is None for paragraph in paragraphs):
        return _keep_lines(block)
    return "\n\n".join(
        _keep_lines(lines) if paragraph is None else paragraph
        for lines, paragraph in zip(segments, paragraphs, strict=True)
    )


def _join_paragraph(
    lines: list[str], width: int, measure: Callable[[str], int], joiner: Joiner
) -> str | None:
    """Join lines of prose; None for lines that are kept as they are."""
    if len(lines) == 1:
        return lines[0].strip() if measure(lines[0]) > width - EARLY_BREAK_COLUMNS - 4 else None
    if sum(map(_is_tabular, lines)) * 2 >= len(lines):
        return None
    if _is_prose(lines, min(map(_count_indent, lines)), width, measure):
        return joiner.join_lines([line.strip() for line in lines]).replace("  ", " ")
    return None


def _keep_lines(lines: list[str]) -> str:
    if len(lines) == 1 and not _is_tabular(lines[0]):
        return lines[0].strip().replace("  ", " ")
    margin = min(map(_count_indent, lines))
    if sum(1 for line in lines if _ITEM.match(line)) * 2 > len(lines):
        margin = 80
    return "\n".join(line[min(margin, _count_indent(line)) :] for line in lines)


def _is_tabular(line: str) -> bool:
    """Return whether a line belongs to a table or a table of contents: columns, leaders, braces, rules."""
    line = line.strip()
    wide = "   " in line or "...." in line or ". . . ." in line or line.count("|") > 1
    return wide or (line[0] in "|}{" and line[1:2] in ("", " ")) or _RULE.match(line) is not None


def _is_prose(lines: list[str], margin: int, width: int, measure: Callable[[str], int]) -> bool:
    """Return whether lines end where the next word did not fit."""
    sizes = [measure(line) for line in lines]
    longest = max(sizes)
    stands_in = margin >= 2 and not lines[0].startswith("\u3000")
    within = longest if stands_in else max(width, min(longest, width + EARLY_BREAK_COLUMNS))
    early = 0
    for at in range(len(lines) - 1):
        following = lines[at + 1].lstrip()
        first = 2 if _UNSPACED.match(following) else _first_word_length(following)
        early += sizes[at] + 1 + first <= within - EARLY_BREAK_COLUMNS
    breaks = len(lines) - 1
    capitals = sum(1 for line in lines[1:] if _CAPITAL.match(line)) == breaks
    if stands_in:
        if capitals and (longest < width - 8 or breaks == 1):
            return False
        return early * 4 <= breaks and (longest > width * 0.6 or not capitals)
    if capitals and breaks > 1 and early:
        return False
    return early * 3 <= breaks


def _first_word_length(line: str) -> int:
    match = _WORD.match(line)
    return match.end() if match else 0


class Joiner:
    """Join the lines of a paragraph; the words of the book are collected at the first hyphen that needs them.

    `typeset`: the lines are as a printer broke them, so a hyphen before a small letter divides a word unless
    the book has the compound elsewhere. Plain text mostly lost such hyphens when it was made.
    """

    def __init__(self, text: str, language: str, typeset: bool = False) -> None:
        self._text, self._language = text, language
        self._soft = typeset or language in SOFT_HYPHEN_LANGUAGES
        self._words: set[str] | None = None
        self._compounds: set[str] = set()

    def join_lines(self, lines: list[str]) -> str:
        """Return the lines of a paragraph as one line."""
        pieces = [lines[0]]
        for line in lines[1:]:
            before = pieces[-1]
            last, first = before[-1:], line[:1]
            if last == "-":
                pieces[-1:] = self._join_at_hyphen(before, line)
                continue
            if last in "—–" or line.startswith(("--", "—")):
                spaced = before[-2:-1] == " " or (line[:1] in "—–-" and line.lstrip("-—–")[:1] == " ")
                pieces.append(f" {line}" if spaced else line)
                continue
            unspaced = _UNSPACED.match(first) and _UNSPACED.match(last)
            pieces.append(line if unspaced else f" {line}")
        return "".join(pieces)

    def _join_at_hyphen(self, before: str, line: str) -> list[str]:
        """Return the end of a paragraph so far and the line that follows a hyphen, as pieces to join."""
        if before.endswith("--"):
            return [before, f" {line}" if before[-3:-2] == " " else line]
        head, tail = _HYPHENATED.search(before), _LETTERS.match(line)
        if head is None or tail is None:
            return [before, f" {line}" if before.endswith(" -") else line]
        start, end = head[1], tail[0]
        if end.lower() in _SUSPENDING.get(self._language, ()):
            return [before, f" {line}"]
        words = self._known_words()
        whole = (start + end).lower()
        if f"{start}-{end}".lower() in self._compounds:
            return [before, line]
        if whole in words or (self._soft and end[0].islower()):
            return [before[:-1], line]
        return [before, line]

    def _known_words(self) -> set[str]:
        if self._words is None:
            tokens = {token.strip(_MARKS) for token in set(self._text.lower().split())}
            self._words = tokens
            self._compounds = {token for token in tokens if "-" in token}
        return self._words
