"""Remove the marks of Markdown in the lines of a paragraph: emphasis, links, escapes, spoilers, raised words.

A pattern for each mark would change code, and what an escape protects, so the text is read once, from left to right.
Libraries make HTML of it, at a third of the speed, and know nothing of Reddit's own marks. Where Markdown takes a sign
for a mark that its writer meant as it is (`2*3*4`, `x**2 + y**2`, `f*ck`, `x^2`), it stays.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from dataclasses import dataclass

from corpus.extract.reflow import UNSPACED_LETTERS

LINK_MARKS = re.compile(r"``*|\*\**|__*|!\[|\[|\]|https?://")
ALL_MARKS = re.compile(r"\\|&(?=[#\w])|``*|\*\**|__*|~~*|!\[|\[|\]|\^\^*|<(?=\w)|>!|!<|https?://")
"""Each begins with a sign that is there: where every alternative does, a search is three times as fast."""
ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!:|&<>/^~-])")
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
"""With its semicolon: `&copy=` is a part of many an address."""
BARE_ADDRESS = re.compile(r"https?://(?:[^\s<>\[\]()*^`\\|&_]|_+(?=[^\W_]|[/.?&=%#+(-])|&(?!#|\w{1,31};))*+")
AUTOLINK = re.compile(r"<((?:[a-zA-Z][a-zA-Z0-9+.-]{1,31}:|[\w.+-]{1,64}@)[^\s<>]*)>")
_SPACES = r"[^\S\n]"
_TITLE = rf"(?:{_SPACES}+(?:\"([^\"\n]*)\"|'([^'\n]*)'|\(([^()\n]*)\)))?{_SPACES}*"
DESTINATION = re.compile(
    rf"(?: ?\((?=https?:)|\(){_SPACES}*(<[^<>\n]*>|(?:[^()\s\\]|\\.|\((?:[^()\s\\]|\\.)*+\))*+){_TITLE}\)"
)
UNBALANCED_DESTINATION = re.compile(rf"\(((?:[^)\s\\]|\\.){{0,2000}}+){_TITLE}\)")
r"""`(https://x.example/a_(b\))`: an address with a bracket in it, as people escape it."""
LINK_NAME = re.compile(r" ?\[([^\[\]\n]{0,200})\]")
PICTURE_WORDS = frozenset({"img", "gif", "image", "video"})
"""What Reddit's editor writes for a picture without words: `![gif](giphy|abc)`."""
SPOILER_ADDRESSES = frozenset({"/s", "#s", "/spoiler", "#spoiler"})
"""Where a link leads whose title is a sentence that is shown to those who point at it."""
RAISED_GROUP = re.compile(r"\^+\(((?:[^()\n]|\([^()\n]*\))*+)\)")
RAISED_WORD = re.compile(r"\^+([^\W_][^\s^]*)(?!\^)")
NEXT_RAISED_WORD = re.compile(r" \^+[^\W_]")
TWO_LETTERS = re.compile(r"[^\W_]['’]?[^\W_]")
ONE_WORD = re.compile(r"[^\W\d_][\w'’-]+[^\W\d_]")
WORD_CHARACTER = re.compile(rf"(?![{UNSPACED_LETTERS}])[^\W_]")
"""A letter or digit of a script that sets spaces between words: beside others, emphasis begins anywhere."""
ENDING_SIGNS = frozenset(",.;:!?)]}…")
QUOTES = re.compile(r"`+")
SPOILER_OF_LINE = re.compile(r"(?!.*!<)")
"""Behind the `>!` of a line that is a spoiler to its end."""
MAX_MARGIN = 64
"""Spaces before a spoiler that lasts to the end of its line."""
MAX_LABEL_CHARACTERS = 200
MAX_EMPHASIS_MARKS = 3
"""Asterisks or underscores beyond which a run is a rule or a blank to fill in."""
MAX_OPEN_MARKS = 64
"""Open marks among which that of an end is looked for: bounds the work on hostile posts."""


def strip_marks(text: str, labels: frozenset[str] = frozenset()) -> str:
    """Return a paragraph of a post without its marks, in as many lines; `labels` are names that lead somewhere."""
    return _Paragraph(text, labels).strip(ALL_MARKS) if ALL_MARKS.search(text) else text


def strip_links(text: str) -> str:
    """Return a paragraph without marks of emphasis and links; code and all other signs stay."""
    return _Paragraph(text, frozenset()).strip(LINK_MARKS) if LINK_MARKS.search(text) else text


def fold_label(label: str) -> str:
    """Return the name of a link as it is compared."""
    return " ".join(label.split()).casefold()


@dataclass(slots=True)
class _Mark:
    """Hold a run of signs that may begin emphasis: which piece of the text it is, its sign and how many are left."""

    piece: int
    sign: str
    left: int
    can_close: bool
    is_touched: bool
    """Whether a word stands right before it."""


class _Paragraph:
    """Read a paragraph from mark to mark: its pieces are text and signs, and signs that are marks become empty."""

    def __init__(self, text: str, labels: frozenset[str]) -> None:
        self.text, self.labels = text, labels
        self.pieces: list[str] = []
        self.marks: list[_Mark] = []
        self.brackets: list[tuple[int, int]] = []
        """Which pieces are `[` or `![` that are not closed yet, and where the text behind them begins."""
        self.spoilers: list[int] = []
        """Which pieces are `>!` that are not closed yet."""
        self.runs: dict[str, int] = {}
        """Which piece is the last run of each sign of emphasis."""
        self.raised = -1
        """Where the last raised word ends."""
        self.quotes: dict[int, list[int]] | None = None
        """Where the runs of so many back quotes begin."""

    def strip(self, pattern: re.Pattern[str]) -> str:
        """Return the paragraph without those signs that `pattern` finds and that are marks."""
        text, pieces, at = self.text, self.pieces, 0
        while (match := pattern.search(text, at)) is not None:
            pieces.append(text[at : match.start()])
            at = self._read_sign(match[0], match.start(), match.end())
        pieces.append(text[at:])
        return "".join(pieces)

    def _read_sign(self, sign: str, start: int, end: int) -> int:
        """Add what stands for a sign and what belongs to it, and return where the text goes on."""
        text, first = self.text, sign[0]
        if first in "*_~":
            self._read_emphasis(start, end)
            return end
        if first == "]":
            return self._close_bracket(end)
        if first == "^":
            return self._read_raised(start, end)
        if first == "`":
            end = self._find_closing_quotes(end - start, end)
        elif first == "h" and (address := BARE_ADDRESS.match(text, start)):
            end = address.end()
        elif sign in ("[", "!["):
            self.brackets.append((len(self.pieces), end))
        elif first == "\\" and (escaped := ESCAPED.match(text, start)):
            self.pieces.append(escaped[1])
            return escaped.end()
        elif first == "&" and (entity := ENTITY.match(text, start)):
            self.pieces.append(html.unescape(entity[0]).replace("\n", " "))
            return entity.end()
        elif first == "<" and (link := AUTOLINK.match(text, start)):
            self.pieces.append(link[1])
            return link.end()
        elif sign == ">!":
            if self._is_first_in_line(start) and SPOILER_OF_LINE.match(text, end):
                return end + (text[end : end + 1] == " ")
            self.spoilers.append(len(self.pieces))
        elif sign == "!<" and self.spoilers:
            self.pieces[self.spoilers.pop()] = ""
            return end
        self.pieces.append(text[start:end])
        return end

    def _is_first_in_line(self, start: int) -> bool:
        """Return whether nothing but spaces, `MAX_MARGIN` at most, stands before a sign in its line."""
        before = self.text[max(0, start - MAX_MARGIN - 1) : start]
        line_end = before.rfind("\n")
        return (line_end >= 0 or start <= MAX_MARGIN) and not before[line_end + 1 :].strip()

    def _read_emphasis(self, start: int, end: int) -> None:
        """Add a run of signs of emphasis, less those that end what an earlier one begins; the rest may begin some."""
        text, sign, left = self.text, self.text[start], end - start
        before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
        is_touched = WORD_CHARACTER.match(before) is not None
        can_open = not after.isspace() and before != "/" and not (is_touched and after in ENDING_SIGNS)
        can_close = not before.isspace() and before != "/" and after != "/"
        if sign == "_":
            is_face = before == after or (before, after) == (">", "<")
            can_open = can_open and not is_face and not before.isalnum()
            can_close = can_close and not is_face and not after.isalnum()
        if left > MAX_EMPHASIS_MARKS or (sign == "~" and left != 2):
            can_open = can_close = False
        if can_close and (not can_open or before.isalnum() or self._is_last_run(sign)):
            left = self._end_emphasis(sign, left, can_open)
        self.runs[sign] = len(self.pieces)
        if can_open and left:
            self.marks.append(_Mark(len(self.pieces), sign, left, can_close, is_touched))
        self.pieces.append(sign * left)

    def _end_emphasis(self, sign: str, left: int, can_open: bool) -> int:
        """Remove the marks that `left` signs end, and return how many of these end none."""
        at = len(self.marks) - 1
        while left and at >= max(0, len(self.marks) - MAX_OPEN_MARKS):
            mark = self.marks[at]
            is_odd = (can_open or mark.can_close) and (mark.left + left) % 3 == 0 and left % 3 != 0
            if mark.sign != sign or is_odd:
                at -= 1
                continue
            if mark.is_touched and not self._is_word(mark.piece + 1):
                break
            used = min(2, left, mark.left)
            left -= used
            mark.left -= used
            self.pieces[mark.piece] = sign * mark.left
            del self.marks[at + 1 if mark.left else at :]
            at = len(self.marks) - 1
        return left

    def _is_last_run(self, sign: str) -> bool:
        """Return whether no run of a sign has been read behind the mark that may begin emphasis: a run behind which a
        word goes on (`**Edit:**text`) ends only what that began, else it begins some (`**a ** b (c:**d**)`)."""
        return bool(self.marks) and self.marks[-1].piece == self.runs.get(sign)

    def _is_word(self, piece: int) -> bool:
        """Return whether one word is all that stands behind a mark within a word: `un*believ*able`, but not `2*3*4`."""
        return len(self.pieces) == piece + 1 and ONE_WORD.fullmatch(self.pieces[piece]) is not None

    def _close_bracket(self, end: int) -> int:
        """Add the end of the words of a link, or a bracket, and return where the text goes on."""
        text, pieces = self.text, self.pieces
        if not self.brackets:
            pieces.append("]")
            return end
        piece, start = self.brackets.pop()
        link = DESTINATION.match(text, end) or UNBALANCED_DESTINATION.match(text, end)
        if link is not None:
            title = link[2] or link[3] or link[4] or ""
            if pieces[piece] == "![" and text[start : end - 1].lower() in PICTURE_WORDS:
                pieces[piece:] = [title]
            elif link[1].lower() in SPOILER_ADDRESSES and title:
                pieces[piece] = ""
                pieces.append(f" {title}" if end - 1 > start else title)
            else:
                pieces[piece] = ""
            return link.end()
        if self.labels:
            words = text[start : min(end - 1, start + MAX_LABEL_CHARACTERS)]
            name = LINK_NAME.match(text, end)
            if name is not None and fold_label(name[1] or words) in self.labels:
                pieces[piece] = ""
                return name.end()
            if fold_label(words) in self.labels and not words.isdecimal():
                pieces[piece] = ""
                return end
        pieces.append("]")
        return end

    def _read_raised(self, start: int, end: int) -> int:
        """Add a circumflex, or nothing for one that raises words and no exponent, and return where the text goes on."""
        text = self.text
        before = text[start - 1 : start]
        if not before or before.isspace() or before in "([>*_~\"'":
            if (group := RAISED_GROUP.match(text, start)) is not None:
                self.pieces.append(strip_marks(group[1], self.labels))
                return group.end()
            if (word := RAISED_WORD.match(text, start)) is not None and (
                TWO_LETTERS.match(word[1])
                or self.raised == start - 1
                or NEXT_RAISED_WORD.match(text, word.end())
            ):
                self.raised = word.end()
                return end
        self.pieces.append(text[start:end])
        return end

    def _find_closing_quotes(self, length: int, end: int) -> int:
        """Return where code between back quotes ends; where the quotes themselves end if nothing closes it."""
        if self.quotes is None:
            self.quotes = {}
            for run in QUOTES.finditer(self.text):
                self.quotes.setdefault(len(run[0]), []).append(run.start())
        runs = self.quotes.get(length, [])
        at = bisect_left(runs, end)
        return runs[at] + length if at < len(runs) else end
