"""Remove Markdown as people write it in comments: links and emphasis leave their words, everything else is kept."""

from __future__ import annotations

import re

MARKDOWN_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\((?:[^()\s]|\([^()\s]*\))*(?:\s\"[^\"\n]*\")?\)")
STAR_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*\n]+?)(?<=[^\s*])\1(?![\w*])")
UNDERSCORE_EMPHASIS = re.compile(r"(?<![\w_/])(_{1,2})(?=[^\s_])([^_\n]+?)(?<=[^\s_])\1(?![\w_/])")


def strip_markdown(text: str) -> str:
    """Return the text without marks of links and emphasis; code in back quotes, quotations and lists keep theirs.

    Linear time: a link or an emphasis does not extend beyond its line.
    """
    if "](" in text:
        text = MARKDOWN_LINK.sub(r"\1", text)
    if "*" in text:
        text = STAR_EMPHASIS.sub(r"\2", text)
    if "_" in text:
        text = UNDERSCORE_EMPHASIS.sub(r"\2", text)
    return text
