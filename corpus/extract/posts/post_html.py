"""Convert the HTML of posts (Stack Exchange, forums: what Markdown renders to) to text with its code, lists and tables.

Not for web pages: everything in a post is its text, nothing has to be located. One pass over the tags, about 60 MB/s
where lxml takes 20 and BeautifulSoup 1.
"""

from __future__ import annotations

import html
import re
from itertools import takewhile

from corpus.extract.html.wrapped_lines import SHARED_SIGNS
from corpus.extract.raised_text import write_script
from corpus.extract.reflow import UNSPACED_LETTERS

POST_TAG = re.compile(
    r"<(/?[a-zA-Z][a-zA-Z0-9]*+)((?:\s(?>(?:[^<>\"']+|\"[^<\"]*\"|'[^<']*')*))?|(?:\s[^<>]*+)?)/?>"
)
"""A tag; `>` in the quotes of an attribute does not end it, unless they are never closed."""
CODE_LANGUAGE = re.compile(r"\blang(?:uage)?-([\w+#.-]+)")
LIST_START = re.compile(r"\bstart\s*=\s*[\"']?(\d{1,6})")
FENCES = re.compile(r"`{3,}")
LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
ITEM_VALUE = re.compile(r"\bvalue\s*=\s*[\"']?(\d{1,6})")
HEADING_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "summary"}
TABLE_TAGS = {"table", "thead", "tbody", "tr", "dl", "dt", "dd"}
POST_BLOCK_TAGS = (
    HEADING_TAGS
    | TABLE_TAGS
    | {
        "p",
        "div",
        "section",
        "center",
        "details",
        "address",
        "article",
        "aside",
        "caption",
        "fieldset",
        "figcaption",
    }
    | {"figure", "footer", "form", "header", "hgroup", "legend", "main", "nav"}
)
LINES_OF_CODE = {"/div", "/li", "/p", "/tr"}
"""Tags that end a line of code."""
EMPHASIS_TAGS = {"em", "strong", "b", "i", "u", "s", "del", "strike", "font", "small"}
INLINE_TAGS = {
    f"{slash}{name}" for slash in ("", "/") for name in EMPHASIS_TAGS | {"a", "span", "kbd", "img"}
}
MAX_BLANK_PIECES = 64
"""Pieces of a line without text, such as tags stand between, that code without text may have."""
LINE_BREAK = "\x00"
"""A line end that is kept, while the others are white space."""
QUOTE_START, QUOTE_END = "\x01", "\x02"
"""Where `<q>` begins and ends in a line, until it is known which marks stand there already."""
QUOTE_SIGNS = re.compile(f"([{QUOTE_START}{QUOTE_END}])")
QUOTATION_MARKS = (("“", "”"), ("‘", "’"))
MARKED_BEFORE = re.compile(r"(?:[“„‟‘‚「『《〈]|(?<!\w)[\"'»›”’]|[«‹]\s?)$")
MARKED_WITHIN = re.compile(r"\s*[“„‟‘‚「『《〈«‹»›”’\"'].*[”“’‘」』》〉»›«‹\"']\s*", re.DOTALL)
UNSPACED_LINE_END = re.compile(
    rf"(?:(?<=[{UNSPACED_LETTERS}])[ \t\r]*\n\s*(?=[{UNSPACED_LETTERS}{SHARED_SIGNS}{QUOTE_START}{QUOTE_END}]))"
    rf"|(?<=[{SHARED_SIGNS}{QUOTE_START}{QUOTE_END}])[ \t\r]*\n\s*(?=[{UNSPACED_LETTERS}])"
)
"""A line end between letters of a script that sets no spaces: no space either."""
MAX_BASE_PIECES = 16
"""Pieces of a line in which that is looked for which a superscript stands at."""
MAX_INDENT_LEVELS = 16
"""Levels of lists and quotations that are indented; deeper ones have the indent of this one."""


def to_text(source: str) -> str:
    """Return the text of a post.

    Paragraphs are separated by a blank line, items begin with `- ` or their number, quotations with `> `;
    blocks of code stand between fences with the language if one is named, code in a line between back
    quotes; table rows are `a | b`; x<sup>2</sup> is x². Readings above characters are left out; emphasis, links
    and pictures leave their text. MathJax (`$x$`, `$$...$$`) is text already and is kept, line ends inside
    `$$` included. Never raises; linear time.
    """
    pieces = POST_TAG.split(_strip_comments(source) if "<!--" in source else source)
    if len(pieces) == 1:
        return _unescape(_collapse_spaces(pieces[0]))
    layout = _Layout()
    text = layout.line
    add = text.append
    add(pieces[0])
    for at in range(1, len(pieces), 3):
        name = pieces[at].lower()
        if layout.pre is not None and name != "/pre":
            if name == "br" or (name in LINES_OF_CODE and not (text and text[-1].endswith("\n"))):
                add("\n")
        elif name == "p" or name == "/p":
            layout.end_line()
        elif name == "code":
            add("`")
        elif name == "/code":
            _close_code(text)
        elif name == "br":
            add(LINE_BREAK)
        elif name not in INLINE_TAGS:
            layout.add_tag(name, pieces[at + 1])
        add(pieces[at + 2])
    layout.end_line()
    return "".join(layout.out)


class _Layout:
    """Hold the lines laid out so far, and the lists and quotations that are open."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.line: list[str] = []
        self.prefixes: list[str] = []
        self.lists: list[tuple[int | None, int]] = []
        """The next number of each open list (None: bullets), and how many prefixes stand before it."""
        self.before: list[str] = []
        self.marker = ""
        self.joined = False
        self.pre: str | None = None
        self.raised: list[int] = []
        self.cells = 0
        """Cells begun in the line."""
        self.is_behind_row = False
        """Whether the last line laid out is a row of the table that is open."""
        self.reading: int | None = None
        """Where the reading of characters (`<rt>`) begins that is being left out."""

    def add_tag(self, name: str, attributes: str) -> None:
        """Handle any tag except those inside a line and those that `to_text` handles."""
        if name.removeprefix("/") in POST_BLOCK_TAGS:
            self.end_line()
            if name == "table":
                self.is_behind_row = False
        elif name == "q" or name == "/q":
            self.line.append(QUOTE_START if name == "q" else QUOTE_END)
        elif name == "pre":
            self.end_line()
            language = CODE_LANGUAGE.search(attributes)
            self.pre = language[1] if language else ""
        elif name == "/pre":
            self._put_code()
        elif name == "li":
            self.end_line()
            value = ITEM_VALUE.search(attributes)
            self._open_item(int(value[1]) if value else None)
        elif name == "/li":
            self.end_line()
            if self.lists:
                self._close(self.lists[-1][1])
        elif name in ("ul", "ol"):
            self.end_line()
            start = LIST_START.search(attributes)
            number = None if name == "ul" else int(start[1]) if start else 1
            self.lists.append((number, len(self.prefixes)))
            self.joined = len(self.lists) > 1
        elif name in ("/ul", "/ol"):
            self.end_line()
            if self.lists:
                self._close(self.lists.pop()[1])
            self.joined = False
        elif name == "blockquote":
            self.end_line()
            self.prefixes.append("> ")
        elif name == "/blockquote":
            self.end_line()
            if "> " in self.prefixes:
                depth = len(self.prefixes) - 1 - self.prefixes[::-1].index("> ")
                while self.lists and self.lists[-1][1] > depth:
                    self.lists.pop()
                self._close(depth)
        elif name in ("td", "th"):
            if self.cells or any(map(str.strip, self.line)):
                self.line.append(" | ")
            self.cells += 1
        elif name == "hr":
            self.end_line()
            self.line.append("---")
            self.end_line()
        elif name in ("sup", "sub"):
            self.raised.append(len(self.line))
        elif name in ("/sup", "/sub") and self.raised:
            self._raise(self.raised.pop(), name == "/sup")
        elif name in ("rt", "rp", "rtc", "/rt", "/rp", "/rtc", "/ruby"):
            if self.reading is not None:
                del self.line[self.reading :]
            self.reading = None if name.startswith("/") else len(self.line)

    def _close(self, depth: int) -> None:
        """Remove what is indented deeper than `depth` prefixes."""
        del self.prefixes[depth:]
        self.marker = ""

    def _open_item(self, value: int | None) -> None:
        number, depth = self.lists[-1] if self.lists else (None, 0)
        number = value if number is not None and value is not None else number
        self._close(depth)
        self.marker = "- " if number is None else f"{number}. "
        if number is not None:
            self.lists[-1] = (number + 1, depth)
        self.prefixes.append(" " * len(self.marker))

    def _raise(self, start: int, up: bool) -> None:
        content = "".join(self.line[start:])
        base = next(filter(None, reversed(self.line[max(0, start - MAX_BASE_PIECES) : start])), "")
        del self.line[start:]
        written = write_script(_unescape(content), "sup" if up else "sub", base, "")
        self.line.append(written.replace("&", "&amp;") if "&" in content else written)

    def _put_code(self) -> None:
        code = _unescape("".join(self.line).replace(LINE_BREAK, "\n")).replace("\r", "").strip("\n")
        language, self.pre = self.pre or "", None
        self.line.clear()
        if code.strip():
            longest = max(map(len, FENCES.findall(code)), default=2)
            fence = "`" * max(3, longest + 1)
            lines = [line.rstrip() for line in code.split("\n")]
            self.is_behind_row = False
            self._put([f"{fence}{'' if language == 'none' else language}", *lines, fence])

    def end_line(self) -> None:
        """End the line, if there is one."""
        if self.pre is not None:
            self._put_code()
            return
        text = "".join(self.line if self.reading is None else self.line[: self.reading])
        self.line.clear()
        cells, self.cells, self.reading = self.cells, 0, None
        if not text or text.isspace() or (cells > 1 and not text.strip(" |\t\r\n")):
            return
        if self.raised:
            self.raised.clear()
        if "$$" in text or "\\begin{" in text:
            text = text.strip(" \t\r\n").replace("\n", LINE_BREAK)
        text = _unescape(_collapse_spaces(text))
        if QUOTE_START in text or QUOTE_END in text:
            text = _collapse_spaces(_write_quotation_marks(text))
            if not text:
                return
        is_next_row = cells > 0 and self.is_behind_row
        if LINE_BREAK in text:
            lines = [line.strip() for line in text.strip(f"{LINE_BREAK} ").split(LINE_BREAK)]
            self._put(lines, is_next_row)
        elif self.prefixes or is_next_row:
            self._put([text], is_next_row)
        else:
            if self.out:
                self.out.append("\n\n")
            self.out.append(text)
            self.before = []
        self.is_behind_row = cells > 0

    def _put(self, lines: list[str], is_next_row: bool = False) -> None:
        prefixes = self.prefixes[:MAX_INDENT_LEVELS]
        rest = "".join(prefixes)
        first = rest
        if self.marker:
            first = "".join(prefixes[:-1]) + self.marker
        if self.out:
            if is_next_row or (self.marker and self.joined):
                self.out.append("\n")
            else:
                shared = takewhile(lambda pair: pair[0] == pair[1], zip(self.before, prefixes, strict=False))
                self.out.append(f"\n{''.join(prefix for prefix, _ in shared).rstrip()}\n")
        self.before = prefixes
        if self.marker:
            self.joined, self.marker = True, ""
        body = [(first if at == 0 else rest) + line for at, line in enumerate(lines)]
        self.out.append("\n".join(line.rstrip() for line in body))


def _strip_comments(source: str) -> str:
    kept, at = [], 0
    while (start := source.find("<!--", at)) >= 0 and (end := source.find("-->", start)) >= 0:
        kept.append(source[at:start])
        at = end + 3
    return "".join([*kept, source[at:]])


def _close_code(line: list[str]) -> None:
    """Add the back quote that ends code in a line; take away the one that begins it if nothing stands between, in
    `MAX_BLANK_PIECES` pieces of the line at most."""
    at = len(line)
    least = max(0, at - MAX_BLANK_PIECES - 1)
    while at > least and (not line[at - 1] or line[at - 1].isspace()):
        at -= 1
    if at > least and line[at - 1] == "`":
        line[at - 1 :] = [" "] if any(line[at:]) else []
    else:
        line.append("`")


def _write_quotation_marks(text: str) -> str:
    """Return a line with marks where quotations begin and end, but where there are some, or one side is missing."""
    pieces = QUOTE_SIGNS.split(text)
    opened: list[tuple[int, str]] = []
    for at in range(1, len(pieces), 2):
        if pieces[at] == QUOTE_START:
            opened.append(
                (at, "" if MARKED_BEFORE.search(pieces[at - 1]) else QUOTATION_MARKS[len(opened) % 2][0])
            )
            pieces[at] = ""
        elif opened:
            start, mark = opened.pop()
            pieces[start], pieces[at] = mark, QUOTATION_MARKS[len(opened) % 2][1] if mark else ""
            if mark and start + 2 == at and MARKED_WITHIN.fullmatch(pieces[at - 1]):
                pieces[start] = pieces[at] = ""
        else:
            pieces[at] = ""
    return "".join(pieces)


def _collapse_spaces(text: str) -> str:
    """Return the text without white space at its ends and with one space for every other run of it; U+3000 is kept."""
    if text.isascii():
        return " ".join(text.split())
    if "\n" in text or "\t" in text or "\r" in text:
        text = UNSPACED_LINE_END.sub("", text)
        text = text.replace("\n", " ").replace("\t", " ").replace("\r", " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    return html.unescape(LONG_REFERENCE.sub("\ufffd", text) if "&#" in text else text)
