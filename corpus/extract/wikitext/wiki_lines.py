"""Lay out the lines of a cleaned wikitext as readable text: sections, lists and paragraphs, without holes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from corpus.extract.wikitext.names import Names, fold_name

WORD_CHARACTER = re.compile(r"[^\W_]")
LOOSE_PUNCTUATION = re.compile(r"(?:[ ,;、，；：。．।۔،؛]|[.:](?=\s)(?!\s*[.:]))+")
"""What may be left at the beginning of a line whose first words were dropped; `...`, `.eu` and `?` are text."""
RUN_ON_TITLE = re.compile(r"(={2,6})[ \t]*([^=]+?)[ \t]*\1(?!=)[ \t]*")
"""A title with text behind it on its line, which MediaWiki takes for no title but its writer did."""

PROSE_LINE_CHARACTERS = 100
"""Characters of a line that make it prose, not a caption, inside a section of lists."""


@dataclass(slots=True)
class _Page:
    """Hold the output under construction. Headings wait until there is text below them."""

    back_matter: Names
    out: list[str] = field(default_factory=list)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    held: list[str] | None = None
    held_level: int = 0
    last_kind: str = ""

    def heading(self, level: int, title: str) -> None:
        if self.held is not None:
            if level > self.held_level:
                self.held.append(f"={title}")
                return
            self.release()
        while self.waiting and self.waiting[-1][0] >= level:
            self.waiting.pop()
        self.waiting.append((level, title))
        if fold_name(title).rstrip(" :：.") in self.back_matter:
            self.held, self.held_level = [], level

    def line(self, kind: str, text: str, apart: bool) -> None:
        """Add a line: kind "item" or "text"; `apart` if a blank line stands before it."""
        if self.held is not None:
            self.held.append(("*" if kind == "item" else "\n" if apart else " ") + text)
            return
        for _, title in self.waiting:
            self.out += ["\n\n", title]
            self.last_kind = "heading"
        self.waiting.clear()
        together = kind == self.last_kind == "item" or (self.last_kind != "heading" and not apart)
        self.out += ["\n" if together else "\n\n", text]
        self.last_kind = kind

    def release(self) -> None:
        """End a section of sources or links: it is dropped unless it holds prose."""
        lines, self.held = self.held or [], None
        items = sum(line[0] in "*=" for line in lines)
        prose = any(line[0] not in "*=" and len(line) > PROSE_LINE_CHARACTERS for line in lines)
        if not lines or (items * 2 >= len(lines) and not prose):
            self.waiting.pop()
            return
        level = self.held_level
        for line in lines:
            if line[0] == "=":
                self.waiting = [entry for entry in self.waiting if entry[0] <= level]
                self.waiting.append((level + 1, line[1:]))
            else:
                self.line("item" if line[0] == "*" else "text", line[1:], line[0] == "\n")


def lay_out(text: str, back_matter: Names) -> str:
    """Return lines of wikitext without inline markup, as text.

    Titles stand on a line of their own between blank ones, list items after "- " or their number (two
    spaces deeper per level), paragraphs and lists are separated by blank lines, single line breaks are kept.
    Sections without content are dropped, as are those titled by a name in `back_matter` that hold only lists.
    """
    page = _Page(back_matter)
    apart = True
    numbers: list[int] = []
    preformatted = False
    lines = text.split("\n")
    if "\n;" in text:
        _drop_empty_titles(lines)
    for line in lines:
        content = line.strip()
        if not content or content[0] == "|":
            apart = apart or not content
            continue
        first = content[0]
        if first == "=" and content[-1] == "=" and len(content) > 2:
            level = min(len(content) - len(content.lstrip("=")), len(content) - len(content.rstrip("=")), 6)
            title = content[level:-level].strip()
            if title:
                page.heading(level, title)
                apart, numbers = True, []
                continue
        elif first == "=" and content.startswith("=="):
            title_match = RUN_ON_TITLE.match(content)
            if title_match:
                page.heading(len(title_match[1]), title_match[2])
                apart, content = True, content[title_match.end() :]
            content = content.lstrip("= ")
        if first in "*#:;" and line[0] == first:
            body = content.lstrip("*#:;")
            marks, body = content[: len(content) - len(body)], body.strip()
            if not WORD_CHARACTER.search(body):
                continue
            if loose := LOOSE_PUNCTUATION.match(body):
                body = body[loose.end() :]
            if marks[-1] in "*#":
                page.line("item", _format_bullet(marks, numbers) + body, apart)
            else:
                numbers = []
                page.line("text", body, apart)
            apart = False
            continue
        numbers = []
        if first == "-" and content.startswith("----"):
            content = content.lstrip("-").strip()
            apart = True
            if not content:
                continue
        indented = line[0] == " "
        if not indented:
            if not WORD_CHARACTER.search(content):
                continue
            if loose := LOOSE_PUNCTUATION.match(content):
                content = content[loose.end() :]
        page.line("text", line[1:].rstrip() if indented and preformatted else content, apart)
        preformatted = indented
        apart = False
    if page.held is not None:
        page.release()
    return "".join(page.out).strip("\n")


def _drop_empty_titles(lines: list[str]) -> None:
    """Empty the lines `;Title` that nothing follows but the next title, as what stood there was dropped.

    Several of them line by line are a list, and so kept; and so is a title with its text on its line.
    """
    title = -1
    for at, line in enumerate([*lines, "=="]):
        content = line.strip()
        if content.startswith(";") and line[0] == ";" and ":" not in content:
            is_next = at > 0 and lines[at - 1].startswith(";")
            if title >= 0 and not is_next:
                lines[title] = ""
            title = -1 if is_next else at
        elif content.startswith("=="):
            if title >= 0:
                lines[title] = ""
            title = -1
        elif not content.startswith("|") and WORD_CHARACTER.search(content):
            title = -1


def _format_bullet(marks: str, numbers: list[int]) -> str:
    """Return what stands before a list item; `numbers` holds the last number at each depth."""
    depth = len(marks)
    del numbers[depth:]
    numbers.extend([0] * (depth - len(numbers)))
    numbers[-1] = numbers[-1] + 1 if marks[-1] == "#" else 0
    return "  " * min(depth - 1, 8) + (f"{numbers[-1]}. " if marks[-1] == "#" else "- ")
