"""Remove Markdown as people write it in posts: marks of emphasis, links and escapes go, their words and all code stay.

Blocks are told by their lines, as a browser's script for Markdown tells them; what stands in the lines of a paragraph
is for `markdown_marks`.
"""

from __future__ import annotations

import re
from itertools import groupby

from corpus.extract.posts.markdown_marks import fold_label, strip_marks

SIGN = re.compile(r"[\\`*_~\[^<&]")
OTHER_SIGNS = (">!", "    ", "\t")
"""One of all these any text with marks or code has."""
BLANK_LINES = re.compile(r"\n[\s\u200b\ufeff]*\n")
QUOTATION = re.compile(r"(?: {0,3}+>(?!!) ?)*+")
FENCE = re.compile(r" {0,12}(`{3,}(?=[^`]*$)|~{3}(?!~))")
CLOSING_FENCE = re.compile(r" {0,12}(`{3,}|~{3,})\s*")
MAX_CLOSING_FENCES = 64
"""Fences among which the one that closes a block is looked for: bounds the work on hostile posts."""
LIST_ITEM = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]+(?=\S)")
INDENT = re.compile(r"[ \t]*")
CODE_COLUMNS = 4
"""Columns by which a line of code is indented, beyond the text of the item that it stands in."""
BLANK_LINE = re.compile(r"[\s\u200b\ufeff]*")
REFERENCE_LINE = re.compile(
    r" {0,3}\[([^\[\]\n]{1,200})\]:\s*<?(?:[a-zA-Z][\w+.-]{1,15}:|/|#|www\.)[^\s<>]*>?"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*"
)
"""`[name]: address "title"`: where the links of that name lead to. Nobody sees it."""


def strip_markdown(text: str) -> str:
    """Return a post without marks of emphasis, links, spoilers and escapes, and with the characters of its entities.

    Code, in blocks or between back quotes, stays to the letter. Quotations, lists, titles and tables keep their marks;
    lines that say where named links lead to are dropped, and of several blank lines one is kept. Linear time.
    """
    if not SIGN.search(text) and not any(sign in text for sign in OTHER_SIGNS):
        return BLANK_LINES.sub("\n\n", text).strip()
    quoted = [(QUOTATION.match(line)[0], line) for line in text.split("\n")]  # type: ignore[index]
    labels = _list_labels(quoted) if "]:" in text else frozenset()
    out: list[str] = []
    is_blank = is_text = True
    for _, group in groupby(quoted, key=lambda pair: pair[0].count(">")):
        pairs = list(group)
        lines = [line[len(prefix) :] for prefix, line in pairs]
        is_code = _find_code(lines)
        for (prefix, _), line, code in zip(
            pairs, _strip_paragraphs(lines, is_code, labels), is_code, strict=True
        ):
            if line is None or (is_blank and not line and not prefix and not code):
                continue
            if not out:
                is_text = not code
            out.append(prefix + line)
            is_blank = not line and not prefix and not code
    text = "\n".join(out).rstrip()
    return text.lstrip() if is_text else text


def _list_labels(quoted: list[tuple[str, str]]) -> frozenset[str]:
    matches = (REFERENCE_LINE.fullmatch(line, len(prefix)) for prefix, line in quoted)
    return frozenset(fold_label(match[1]) for match in matches if match is not None)


def _strip_paragraphs(lines: list[str], is_code: list[bool], labels: frozenset[str]) -> list[str | None]:
    """Return the lines of a post, or of a quotation in it, without marks; None for those that are dropped."""
    out: list[str | None] = []
    paragraph: list[str] = []
    for line, code in zip(lines, is_code, strict=True):
        blank = not code and BLANK_LINE.fullmatch(line) is not None
        is_reference = labels and not code and REFERENCE_LINE.fullmatch(line) is not None
        if paragraph and (code or blank or is_reference or LIST_ITEM.match(line)):
            out += _strip_paragraph(paragraph, labels)
            paragraph = []
        if code:
            out.append(line)
        elif blank:
            out.append("")
        elif is_reference:
            out.append(None)
        else:
            paragraph.append(line)
    return [*out, *_strip_paragraph(paragraph, labels)] if paragraph else out


def _strip_paragraph(lines: list[str], labels: frozenset[str]) -> list[str]:
    stripped = strip_marks("\n".join(lines), labels).split("\n")
    return ["" if BLANK_LINE.fullmatch(line) else line for line in stripped]


def _find_code(lines: list[str]) -> list[bool]:
    """Return for each line whether it is one of a block of code: between fences, or indented behind a blank line.

    Fences that are never closed are none: many a writer has `~~~` or back quotes for something else.
    """
    is_code = [False] * len(lines)
    closings = [(at, match[1]) for at, line in enumerate(lines) if (match := CLOSING_FENCE.fullmatch(line))][
        ::-1
    ]
    item = 0
    """Column in which the text of the last item of a list begins; 0 outside of lists."""
    last = -1
    """The last line so far that is not blank."""
    for at, line in enumerate(lines):
        if is_code[at]:
            last = at
            continue
        if BLANK_LINE.fullmatch(line):
            continue
        is_behind_blank, is_behind_code = last < at - 1 or at == 0, last >= 0 and is_code[last]
        columns = len(line[: INDENT.match(line).end()].expandtabs(CODE_COLUMNS))  # type: ignore[union-attr]
        is_item = LIST_ITEM.match(line)
        if (fence := FENCE.match(line)) is not None:
            end = _find_closing_fence(closings, fence[1], at)
            is_code[at : end + 1] = [True] * (end + 1 - at)
        elif (
            columns >= item + CODE_COLUMNS and (is_behind_blank or is_behind_code) and not (item and is_item)
        ):
            begin = last + 1 if is_behind_code else at
            is_code[begin : at + 1] = [True] * (at + 1 - begin)
        elif is_item is not None:
            item = len(is_item[0].expandtabs(CODE_COLUMNS))
        elif is_behind_blank and columns == 0:
            item = 0
        last = at
    return is_code


def _find_closing_fence(closings: list[tuple[int, str]], fence: str, start: int) -> int:
    """Return the line of the fence that closes a block, of `closings` from the last to the first, of which those before
    it are removed; the line before the block if there is none."""
    while closings and closings[-1][0] <= start:
        closings.pop()
    following = reversed(closings[-MAX_CLOSING_FENCES:])
    return next((at for at, closing in following if closing.startswith(fence)), start - 1)
