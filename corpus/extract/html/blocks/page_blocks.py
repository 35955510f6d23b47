"""Parse a page with lexbor and walk it once, into blocks: units of text such as paragraphs, items, rows and code.

What a browser does not show (`hidden`, closed dialogs, templates, ruby readings) is not among them. Tables that lay out
a page give the blocks of their cells, tables of data a block for each row. Linear in the nodes of the tree; the tree
itself takes lexbor quadratic time in its depth: see `page_depth.is_too_deep`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from itertools import accumulate, compress
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from selectolax.lexbor import LexborHTMLParser

from corpus.extract.creative_commons import CREATIVE_COMMONS_HOST
from corpus.extract.html.blocks.element_tokens import Tokens, name_element
from corpus.extract.html.blocks.formulas import frame_tex, read_math_element, read_math_script
from corpus.extract.html.blocks.odd_elements import ODD, note_odd_elements
from corpus.extract.html.blocks.page_head import (
    NO_HEAD,
    STATEMENTS,
    FoundElement,
    PageHead,
    list_contents,
    read_head,
)
from corpus.extract.html.blocks.walked_tables import OpenTable, join_cells
from corpus.extract.html.div_paragraphs import MIN_PARAGRAPH_BYTES
from corpus.extract.html.hidden_elements import MAX_LARGE_HIDDEN
from corpus.extract.html.layout_tables import MAX_EXAMINED_CELLS
from corpus.extract.html.list_items import MIN_DEFINITIONS
from corpus.extract.html.page_license import find_page_licenses
from corpus.extract.html.wrapped_lines import CJK, SHARED_SIGNS
from corpus.extract.opt_outs import list_statements
from corpus.extract.raised_text import write_script


class BlockKind(IntEnum):
    """What a block is."""

    TEXT = 0
    HEADING = 1
    ITEM = 2
    CODE = 3
    ROW = 4
    FORMULA = 5


MAX_FRAMES = 5
"""Elements around a block, each with more blocks than the one before, that are known of it."""
MIN_UNFRAMED_BYTES = 250
"""Bytes of text of a page outside menus, heads and feet up to which these are walked as well."""
UNMARKED = "\0"
"""The mark of a term or definition in prose: an item as others are, before which no reader sees a sign."""
MAX_INDENT: Final = 20
"""Levels of lists by which items are indented."""
MAX_SHADOW_ROOTS = 100
"""Shadow roots in each other that are walked: by recursion, which compiled code does not end by itself."""
MAX_INNER: Final = 3
"""Inline elements of one block that are looked at."""
_TEXT: Final = 0
_BREAK: Final = 1
_SKIP: Final = 2
_PLAIN: Final = 3
_INLINE: Final = 4
_LINK: Final = 5
_LINE: Final = 6
_RAISED: Final = 7
_QUOTED: Final = 8
_BLOCK: Final = 9
_LIST: Final = 10
_ITEM: Final = 11
_CODE: Final = 12
_TABLE: Final = 13
_PART: Final = 14
_OWN: Final = 15
_SCRIPT: Final = 16
_MATH: Final = 17
_PICTURE: Final = 18
_TEMPLATE: Final = 19
_DIALOG: Final = 20
_FRAME: Final = 21
"""What the walk does with an element: from `_RAISED` on its text is rewritten in the end, from `_BLOCK` on it has
blocks of its own, from `_OWN` on it is looked at."""
_TAGS = {
    _TEXT: "-text",
    _BREAK: "br",
    _SKIP: """style svg iframe select option textarea input video audio canvas map object embed head rt rp rtc
    title datalist col colgroup applet frame frameset link meta base source track param area -comment""",
    _PLAIN: "b i em strong u s small big tt wbr font cite var samp kbd ins mark rb ruby nobr",
    _INLINE: "span code abbr acronym time label del dfn bdi bdo data output meter progress strike slot",
    _LINK: "a",
    _RAISED: "sup sub",
    _QUOTED: "q",
    _BLOCK: """address article aside blockquote body button caption center details div fieldset figcaption figure
    form h1 h2 h3 h4 h5 h6 hgroup hr legend main noscript p search section
    summary plaintext""",
    _LIST: "ul ol dl menu dir",
    _ITEM: "li dd dt",
    _CODE: "pre listing xmp",
    _TABLE: "table",
    _PART: "td th tr tbody thead tfoot",
    _SCRIPT: "script",
    _MATH: "math",
    _PICTURE: "img",
    _TEMPLATE: "template",
    _DIALOG: "dialog",
    _FRAME: "nav footer header",
}
_ROLES: Final = {tag: role for role, tags in _TAGS.items() for tag in tags.split()}
_KINDS: Final = dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), int(BlockKind.HEADING)) | dict.fromkeys(
    ("li", "dd", "dt"), int(BlockKind.ITEM)
)


@cache
def _list_roles() -> list[int]:
    """Return the roles by lexbor's number of each tag, which is faster to ask for than its name. Tags that HTML does
    not have get numbers beyond any list."""
    tree: Any = LexborHTMLParser("<body><!--a-->b</body>")
    roles = {node.tag_id: _ROLES[node.tag] for node in tree.body.traverse(include_text=True)}
    for tag, role in _ROLES.items():
        if tag[0] != "-":
            roles[tree.create_node(tag).tag_id] = role
    return [roles.get(number, _OWN) for number in range(max(roles) + 1)]


_FRAMES: Final = ("nav", "footer", "header")
_MAIN_TAGS: Final = ("main", "article", "h1")
"""What shows that a menu, head or foot around it, perhaps one of which the end is missing, is around a page's text."""
_LOOKED_AT = ", ".join((STATEMENTS, *_MAIN_TAGS, ODD))
"""All that is looked for in a tree, at once: to go through it takes as long as a fourth of the parse."""
_TEXTS = frozenset(("article", "main", "blockquote"))
_FRAMED: Final = {
    "nav": frozenset[str](),
    "footer": _TEXTS,
    "header": _TEXTS | {"section", "aside", "details", "figure", "li", "td"},
}
"""Elements whose menus, feet and heads belong to a text."""
_CODE_KIND: Final = int(BlockKind.CODE)
_ROW_KIND: Final = int(BlockKind.ROW)
_CODE_TABLES = re.compile(
    r"\b(?:syntaxhighlighter|crayon-table|js-file-line-container|blob-code)", re.IGNORECASE
)
"""Names by which highlighters call a table of code without `pre`, or the element around it."""
_PICTURE_NAMES: Final = re.compile(r"(?P<formula>math|latex)|emoji|smil(?:ie|ey)")
"""Names of pictures that stand for text: of formulas, and of signs such as 👍 and `:)`."""
_EMOTICON = re.compile(r"[^\w\s]{1,12}|[:;=][-^']?[DdPpOoSsXx3]")
_QUOTES = tuple("“”‘’\"'„‚«»‹›「」『』《》〈〉")
"""The first four are put around quotations."""
_CLOSING = "):?!…"
"""What ends a word or a sentence, beside the full stop."""
MIN_TWIN: Final = 4
"""Characters of a text that an element has once more right behind it."""
_OUTER_SPACES: Final = " \t\n\r"
_BLANK_ENDS: Final = "\n\xa0 "
_SPACES: Final = "\t\n\r\f"
_AROUND_BREAK = re.compile(r" ?\x0b ?")
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_WRAPPED = re.compile(
    rf"(?<=[{CJK}])[ \t]*[\r\n][ \t\r\n\f]*(?=[{CJK}{SHARED_SIGNS}])"
    rf"|(?<=[{SHARED_SIGNS}])[ \t]*[\r\n][ \t\r\n\f]*(?=[{CJK}])"
)
_ANCHOR_SIGNS: Final = frozenset(
    ("¶", "#", "§", "🔗", "⚓", "↩", "↩\ufe0e", "↩\ufe0f", "↵", "⤴", "⤴\ufe0e", "⤴\ufe0f", "⏎", "↑", "^")
)
"""What links to the part of a page that they stand in, or back to where a note is called, have for text."""
MAX_SIGN: Final = 4
"""Characters of such a text, with a space before it."""
_LINE_NUMBERS = re.compile(r"(?:\s*\d+\s*\n){1,}\s*\d+\s*")
_NUMBER_WORDS: Final = re.compile(
    r"line-?_?num|lineno|line-?_?nr|gutter|linenodiv|hljs-ln-n|react-line-number|crayon-num|blob-num"
    r"|^(?:toolbar|bar|lnt)$",
    re.IGNORECASE,
)
_CODE_WORDS = re.compile(
    r"\bcode|code\b|highlight|brush|prettyprint|language-|\blang-|hljs|syntax|source|sourceCode|crayon|prism|shiki",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"(?:\blanguage-|\blang-|highlight-source-|brush:\s*)([A-Za-z][\w+#-]{0,20})")
_NO_LANGUAGE = ("text", "none", "plain", "plaintext", "txt", "js-")
_FENCES = re.compile(r"^\s*(`{3,})", re.MULTILINE)


@dataclass(slots=True)
class PageBlocks:
    """The blocks of a page, in order, as parallel lists, and the elements around them.

    `elements` has the index of each block's innermost block element, `paths` that of the way to it: elements of the
    same tokens all the way share a path. `path_tokens` are those of the last element of each path, `path_parents` the
    paths to the elements around. `inner` has the tokens of inline elements. `parents`, `begins` and `ends` are those
    of elements: of each its parent and the range of its blocks. `statements` are what may be opt-outs.
    """

    title: str = ""
    head: PageHead = NO_HEAD
    licenses: list[str] = field(default_factory=list)
    statements: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    elements: list[int] = field(default_factory=list)
    paths: list[int] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    inner: list[Tokens] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    path_tokens: list[Tokens] = field(default_factory=list)
    path_parents: list[int] = field(default_factory=list)
    _arrays: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict, repr=False, compare=False)
    _beginnings: list[int] | None = field(default=None, repr=False, compare=False)

    def get_array(self, name: str) -> npt.NDArray[np.int64]:
        """Return a list of whole numbers of a finished page as an array, which is kept."""
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = np.array(getattr(self, name), np.int64)
        return array

    def find_beginnings(self) -> list[int]:
        """Return the blocks of a finished page that it describes itself with, which are kept."""
        if self._beginnings is None:
            whole = "\n".join(self.texts) if self.head.beginnings else ""
            stated = [beginning for beginning in self.head.beginnings if beginning in whole]
            self._beginnings = [
                at for at, text in enumerate(self.texts) if stated and any(map(text.__contains__, stated))
            ]
        return self._beginnings

    def keep_arrays(self, **arrays: npt.NDArray[np.int64]) -> None:
        """Keep what `get_array` would make of lists of a finished page."""
        self._arrays.update(arrays)

    def drop(self, dropped: set[int]) -> None:
        """Take some blocks out."""
        self._arrays.clear()
        self._beginnings = None
        kept = bytearray(b"\1" * len(self.texts))
        for at in dropped:
            kept[at] = 0
        before = [0, *accumulate(kept)]
        for name in ("texts", "kinds", "marks", "elements", "paths", "linked", "links", "inner"):
            setattr(self, name, list(compress(getattr(self, name), kept)))
        self.begins = list(map(before.__getitem__, self.begins))
        self.ends = list(map(before.__getitem__, self.ends))


def read_blocks(html: str, data: bytes | None = None) -> PageBlocks:
    """Return the blocks of a page; `data` is it in UTF-8, if that is at hand."""
    return _Walk().read(html.encode("utf-8", "replace") if data is None else data)


class _Walk:
    """One walk through one page."""

    def __init__(self) -> None:
        self.page = PageBlocks()
        self.pieces: list[str] = []
        self.joints: list[int] = []
        self.linked = 0
        self.links = 0
        self.inner: list[Any] = []
        self.in_code = 0
        self.opened: list[Any] = []
        self.registered: list[tuple[int, int, int]] = []
        self.path_of: dict[tuple[int, Tokens], int] = {}
        self.mark = ""
        self.list_depth = 0
        self.definitions: list[int] = []
        self.fence = ""
        self.tables: list[OpenTable] = []
        self.odd: dict[int, list[int] | None]
        self.hidden: list[list[int]] = []
        self.named: dict[int, str]
        self.dropped: set[int] = set()
        self.begun: list[tuple[int, int]] = []
        self.frames: set[int] | None = set()
        self.left_out = False
        self.shadow_roots = 0

    def read(self, data: bytes) -> PageBlocks:
        """Return the blocks of a page."""
        page = self._read(data)
        if (
            self.left_out
            and len("".join(page.texts)[:MIN_UNFRAMED_BYTES].encode("utf-8", "replace")) < MIN_UNFRAMED_BYTES
        ):
            whole = _Walk()
            whole.frames = None
            return whole._read(data)
        return page

    def _read(self, data: bytes) -> PageBlocks:
        page = self.page
        tree = LexborHTMLParser(data)
        body = tree.body
        if body is None:
            return page
        page.title = _read_title(tree.head)
        elements, page.statements = _find_elements(tree)
        page.head = read_head(elements)
        if CREATIVE_COMMONS_HOST.encode() in data:
            page.licenses = find_page_licenses(tree)
        self.odd, self.named = note_odd_elements(tree, data, elements)
        if self.frames is not None:
            self.frames = _find_outer_frames(elements)
        self.opened.append(body)
        self._register()
        self._walk(body)
        self._flush()
        page.ends[0] = len(page.texts)
        self._judge_hidden()
        if self.dropped:
            page.drop(self.dropped)
        return page

    def _walk(self, root: Any) -> None:
        """Walk through the content of an element, without recursion: pages nest thousands of levels deep."""
        stack: list[tuple[Any, int]] = []
        push, pop, roles = stack.append, stack.pop, _list_roles()
        text_number = roles.index(_TEXT)
        odd, opened, registered, pieces, inner = (
            self.odd,
            self.opened,
            self.registered,
            self.pieces,
            self.inner,
        )
        texts, ends = self.page.texts, self.page.ends
        add_piece, add_joint = pieces.append, self.joints.append
        in_link = 0
        ended = 0  # pieces at the end of the last inline element
        node = root.first_child
        while True:
            if node is None:
                if not stack:
                    return
                node, role = pop()
                if role >= _BLOCK:
                    if pieces:
                        self._flush()
                    if role > _BLOCK:
                        self._leave(node, role)
                    if odd and (range_of := odd.get(node.mem_id)) is not None:
                        range_of[1] = len(texts)
                    if len(registered) == len(opened):
                        ends[registered.pop()[0]] = len(texts)
                    opened.pop()
                    ended = 0
                elif role == _LINK:
                    in_link -= 1
                    if pieces and len(pieces[-1]) <= MAX_SIGN:
                        self._drop_sign(node)
                    ended = len(pieces)
                elif role >= _RAISED:
                    self._rewrite(node, role)
                elif role == _LINE:
                    self._end_line()
                else:
                    ended = len(pieces)
                node = node.next
                continue
            try:
                role = roles[node.tag_id]
            except IndexError:
                role = _OWN
            if role == _TEXT:
                text = node.text_content
                if text:
                    if not text.isspace():
                        add_piece(text)
                        if in_link:
                            self.linked += len(text)
                    elif pieces:
                        add_piece(text)
                node = node.next
                continue
            if role > _SKIP:
                if role >= _OWN or (self.in_code and role > _PLAIN):
                    if role == _TEMPLATE and "shadowrootmode" in node.attributes:
                        ended = 0  # its content is walked
                    role = self._enter_odd(node, role)
                if odd and role != _SKIP and node.mem_id in odd:
                    role = self._enter_hidden(node, role)
                if role >= _BLOCK:
                    if pieces:
                        self._flush()
                    ended = 0
                    child = node.first_child
                    if child is not None or role > _BLOCK:
                        opened.append(node)
                        if role > _BLOCK:
                            self._enter(node, role)
                        push((node, role))
                        node = child
                        continue
                elif role != _SKIP:
                    child = node.first_child
                    if child is not None:
                        if ended and ended == len(pieces):
                            add_joint(ended)
                        if role == _LINK:
                            inner.append(node)
                            self.links += 1
                            in_link += 1
                        elif role == _INLINE:
                            inner.append(node)
                        elif role >= _RAISED:
                            self.begun.append((len(texts), len(pieces)))
                        if child.tag_id == text_number and role < _LINE and child.next is None:
                            # Most are text alone: no need to go down and up again.
                            text = child.text_content
                            if text:
                                if not text.isspace():
                                    add_piece(text)
                                    if in_link:
                                        self.linked += len(text)
                                elif pieces:
                                    add_piece(text)
                            if role == _LINK:
                                in_link -= 1
                                if text and len(text) <= MAX_SIGN:
                                    self._drop_sign(node)
                            ended = len(pieces)
                            node = node.next
                            continue
                        push((node, role))
                        node = child
                        continue
            elif role == _BREAK:
                self._break_line()
                ended = 0
            node = node.next

    def _enter_hidden(self, node: Any, role: int) -> int:
        """Return the role of an odd element: it is left out at once, or its range of blocks is judged in the end."""
        range_of = self.odd[node.mem_id]
        if range_of is not None and (tag := self.named.get(node.mem_id)) is not None:
            return self._enter_named(role, tag)
        if range_of is None or role < _BLOCK:
            return _SKIP
        self._flush()
        range_of[0] = range_of[1] = len(self.page.texts)
        self.hidden.append(range_of)
        return role

    def _enter_named(self, role: int, tag: str) -> int:
        """Return the role of an element that is walked as one of another tag."""
        if self.in_code or role in (_SKIP, _OWN):
            return role
        return _ROLES[tag]

    def _enter_odd(self, node: Any, role: int) -> int:
        """Return the role of an element that is more than its tag; what stands in its place is put there."""
        if role == _OWN:
            tag = node.tag
            if tag is None or tag[0] in "-!" or tag == "mjx-math":
                return _SKIP
            if tag.startswith("mjx-"):
                return _INLINE
            if self.in_code:
                return _LINE
            return _INLINE if any(not piece.isspace() for piece in self.pieces[-4:]) else _BLOCK
        if role == _SCRIPT:
            kind = node.attributes.get("type") or ""
            if kind.startswith("math/tex"):
                self._put(read_math_script(kind, node.text()))
            return _SKIP
        if role == _MATH:
            self._put(read_math_element(node))
            return _SKIP
        if role == _PICTURE:
            attributes = node.attributes
            named = _PICTURE_NAMES.search(attributes.get("class") or "")
            if named or "latex" in (attributes.get("src") or ""):
                alt = attributes.get("alt") or ""
                if named is None or named["formula"]:
                    alt = frame_tex(alt, display=False)
                elif not _EMOTICON.fullmatch(alt):
                    alt = ""
                self._put(alt)
            return _SKIP
        if role == _TEMPLATE:
            if "shadowrootmode" in node.attributes:
                self.shadow_roots += 1
                if self.shadow_roots > MAX_SHADOW_ROOTS:
                    raise RecursionError(f"more than {MAX_SHADOW_ROOTS} shadow roots in each other")
                for fragment in node.template_fragments()[:1]:
                    self._walk(fragment)
                self.shadow_roots -= 1
            return _SKIP
        if role == _DIALOG:
            return _BLOCK if "open" in node.attributes else _SKIP
        if role == _FRAME and not self.in_code:
            return self._enter_frame(node)
        if self.in_code:
            if _NUMBER_WORDS.search(node.attributes.get("class") or ""):
                return _SKIP
            if role >= _BLOCK and role != _CODE:
                self._end_line()
                return _LINE
            if role >= _RAISED:
                return _PLAIN
        return role

    def _enter_frame(self, node: Any) -> int:
        """Return the role of a menu, head or foot: that of a page is not walked, as nearly none has main text."""
        if self.frames is None or node.mem_id in self.frames:
            return _BLOCK
        framed = _FRAMED[node.tag]
        if framed and not framed.isdisjoint([around.tag for around in self.opened]):
            return _BLOCK
        self.left_out = True
        return _SKIP

    def _enter(self, node: Any, role: int) -> None:
        """Begin an element that is more than a block."""
        if role == _LIST:
            self.list_depth += 1
            self.mark = ""
            if node.tag == "dl":
                self.definitions.append(len(self.page.texts))
        elif role == _ITEM:
            self.mark = "  " * min(MAX_INDENT, max(0, self.list_depth - 1)) + "- "
        elif role == _CODE:
            self.in_code += 1
            self.fence = self._find_fence(node)
        elif role == _TABLE:
            table = OpenTable(len(self.page.texts), node.attributes)
            self.tables.append(table)
            names = f"{node.attributes.get('class')} {self.opened[-2].attributes.get('class')}"
            if not self.in_code and _CODE_TABLES.search(names):
                table.is_code = True
                self.in_code += 1
                self.fence = self._find_fence(node)
        elif self.tables:
            tag = self.named.get(node.mem_id) or node.tag if self.named else node.tag
            if tag == "td" or tag == "th":
                self.tables[-1].open_cell(len(self.page.texts), tag == "th", node.attributes)
            elif tag == "tr":
                self.tables[-1].open_row()
            else:
                self.tables[-1].note_part(tag)

    def _leave(self, node: Any, role: int) -> None:
        if role == _LIST:
            self.list_depth -= 1
            if node.tag == "dl":
                start = self.definitions.pop()
                if not self.list_depth:
                    self._unmark_definitions(start)
        elif role == _ITEM:
            self.mark = ""
        elif role == _CODE:
            self.in_code -= 1
        elif role == _TABLE:
            table = self.tables.pop()
            self.in_code -= table.is_code
            self._close_table(table)
        elif self.tables:
            tag = self.named.get(node.mem_id) or node.tag if self.named else node.tag
            if tag == "td" or tag == "th":
                self.tables[-1].close_cell(len(self.page.texts))
            elif tag == "tr" and len(self.registered) == len(self.opened):
                self.tables[-1].close_row(*self.registered[-1][:2])

    def _unmark_definitions(self, start: int) -> None:
        """Take the marks from a list of definitions in no other list, from block `start` on, if half of them are prose:
        see `list_items.unwrap_definitions`."""
        page = self.page
        items = [at for at in range(start, len(page.texts)) if page.marks[at] == "- "]
        prose = sum(
            len(page.texts[at].encode("utf-8", "replace")) - page.linked[at] >= MIN_PARAGRAPH_BYTES
            for at in items
        )
        if prose < MIN_DEFINITIONS or 4 * prose < len(items):  # half of them are terms
            return
        for at in range(start, len(page.texts)):
            if page.kinds[at] != _CODE_KIND:
                mark = page.marks[at]
                page.marks[at] = UNMARKED if mark == "- " else mark.removeprefix("  ")

    def _rewrite(self, node: Any, role: int) -> None:
        """Write what an element has put into the open block as text: raised, lowered or between quotation marks."""
        block, begin = self.begun.pop()
        pieces = self.pieces
        if block != len(self.page.texts) or begin >= len(pieces):
            return
        self._part(begin)
        text = "".join(pieces[begin:])
        before = pieces[begin - 1].rstrip("\x0b") if begin else ""
        if role == _QUOTED:
            if text.isspace() or text.lstrip().startswith(_QUOTES) or before.endswith(_QUOTES):
                return  # its author has written the marks
            opening, closing = _QUOTES[2:4] if len(self.begun) % 2 else _QUOTES[:2]
            text = f"{opening}{text.strip()}{closing}"
        elif text.lstrip()[:1] != "[":  # a note
            following = node.next
            is_text = following is not None and following.tag == "-text"
            text = write_script(text, node.tag, before, following.text_content or "" if is_text else "")
        pieces[begin:] = [text]

    def _drop_sign(self, link: Any) -> None:
        """Take out what a link has put last into the open block if it is a sign for a place on the page and no text:
        `Heading¶`, `the end of a note ↩`. One before a number stays: § 5, #3."""
        put = self.pieces[-1] if self.pieces else ""
        sign = put.strip()
        if sign not in _ANCHOR_SIGNS or self.in_code or "#" not in (link.attributes.get("href") or ""):
            return
        behind = link.next
        following = (behind.text_content or "") if behind is not None and behind.tag == "-text" else ""
        if link.text().strip() == sign and not (sign in "#§" and following.lstrip()[:1].isdecimal()):
            self.pieces.pop()
            self.linked -= len(put)

    def _end_line(self) -> None:
        """End a line of code."""
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")

    def _break_line(self) -> None:
        pieces = self.pieces
        if self.in_code:
            pieces.append("\n")
        elif pieces:
            at = len(pieces) - 1
            while at > 0 and pieces[at].isspace() and pieces[at] != "\x0b":
                at -= 1
            if pieces[at] == "\x0b":
                self._flush()
            else:
                pieces.append("\x0b")

    def _put(self, text: str) -> None:
        if text:
            self.pieces.append(text)

    def _find_fence(self, node: Any) -> str:
        """Return what is behind the fence of a code block: its language, if named; a space if it is no code."""
        child = node.first_child
        while child is not None and child.tag == "-text" and (child.text_content or "").isspace():
            child = child.next
        inside = (child.attributes.get("class") or "") if child is not None and child.tag == "code" else None
        names = [around.attributes.get("class") or "" for around in self.opened[-3:]]
        named = " ".join((inside or "", *names))
        language = _LANGUAGE.search(named)
        if language and language[1].lower() not in _NO_LANGUAGE:
            return language[1].lower()
        return "" if inside is not None or _CODE_WORDS.search(named) else " "

    def _register(self) -> None:
        """Give the open elements their places in the page: those around a block alone, most elements have no text."""
        page, registered, path_of = self.page, self.registered, self.path_of
        parents = page.parents
        block = len(page.texts)
        index, path, kind = registered[-1] if registered else (-1, -1, int(BlockKind.TEXT))
        for node in self.opened[len(registered) :]:
            tag = node.tag
            tokens = name_element(tag, node.attributes)
            number = path_of.get((path, tokens))
            if number is None:
                number = path_of[(path, tokens)] = len(path_of)
                page.path_tokens.append(tokens)
                page.path_parents.append(path)
            parents.append(index)
            page.begins.append(block)
            page.ends.append(block + 1)
            index, path, kind = len(parents) - 1, number, _KINDS.get(tag, kind)
            registered.append((index, path, kind))

    def _flush(self) -> None:
        """End the block that has been collected."""
        pieces, inner = self.pieces, self.inner
        if self.joints:
            self._part()
        if not pieces:
            self.linked = self.links = 0
            inner.clear()
            return
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        pieces.clear()
        code = self.in_code
        if code:
            text = text.replace("\x0b", "\n").replace("\r", "").replace("\xa0", " ").strip("\n").rstrip()
            written = bool(text) and not _LINE_NUMBERS.fullmatch(text)
        else:
            text = self._collapse(text)
            written = bool(text) and not text.isspace()
        if written:
            if len(self.registered) < len(self.opened):
                self._register()
            page = self.page
            element, path, kind = self.registered[-1]
            page.texts.append(text)
            page.elements.append(element)
            page.paths.append(path)
            page.linked.append(self.linked)
            page.links.append(self.links)
            if not inner:
                page.inner.append(())
            elif len(inner) == 1:
                page.inner.append(name_element(inner[0].tag, inner[0].attributes))
            else:
                page.inner.append(_name_elements(inner[:MAX_INNER]))
            if code:
                page.kinds.append(_CODE_KIND)
                page.marks.append(self.fence)
            else:
                page.kinds.append(kind)
                page.marks.append(self.mark)
                self.mark = ""
        self.linked = self.links = 0
        inner.clear()

    def _part(self, begin: int = 0) -> None:
        """Set spaces between words of inline elements that touch in the source, behind piece `begin` of the open block:
        style sheets set them apart. The second of two that are the same, one of which is for the eye, is taken out."""
        pieces, joints = self.pieces, self.joints
        while joints and joints[-1] > begin:
            at = joints.pop()
            if self.in_code or at >= len(pieces):
                continue
            before, after = pieces[at - 1], pieces[at]
            if before == after and len(after) >= MIN_TWIN and any(map(str.isalpha, after)):
                del pieces[at]
            elif len(before) > 1 and len(after) > 1 and _are_words(before, after):
                pieces[at] = " " + after

    def _collapse(self, text: str) -> str:
        """Return a text with one space where HTML has several, and a line end for each `br`."""
        if "\f" not in text:
            text = text.strip(_OUTER_SPACES)
        if "  " not in text and text.isprintable():
            return text  # most are
        if text.isascii() and "\x0b" not in text:
            return " ".join(text.split())
        if "\n" in text or "  " in text or "\t" in text or "\r" in text:
            if "\n" in text and _CJK_CHARACTER.search(text) is not None:
                text = _WRAPPED.sub("", text)
            for space in _SPACES:
                if space in text:
                    text = text.replace(space, " ")
            while "  " in text:  # ten times as fast as a pattern
                text = text.replace("  ", " ")
        if "\x0b" in text:
            text = _AROUND_BREAK.sub("\n", text).lstrip("\n").rstrip(_BLANK_ENDS)
        return text.strip(" ")

    def _close_table(self, table: OpenTable) -> None:
        """Make the cells of each row one block, if the table is one of data; else drop menus beside text.

        Where no row has text in two cells, such as a note with an icon and its name, the blocks stay what they are.
        """
        page = self.page
        if self.tables:
            self.tables[-1].nested = True
        if len(page.texts) == table.begin:
            return
        if not table.is_data(page.texts, page.linked, page.kinds, BlockKind.CODE):
            if len(table.rows) <= MAX_EXAMINED_CELLS:
                self.dropped.update(table.list_menus(page.texts, page.linked))
            return
        has_bars = table.has_cells_beside()
        for row, cells in table.list_rows():
            inside = [block for begin, end in cells for block in range(begin, end)]
            for block in inside:
                page.kinds[block] = _ROW_KIND
                page.elements[block], page.paths[block] = row.element, row.path
            if has_bars and inside:
                at, *others = inside
                page.texts[at] = join_cells(
                    [" ".join(page.texts[begin:end]).replace("\n", " ") for begin, end in cells]
                )
                page.marks[at] = ""
                page.linked[at] = sum(page.linked[block] for block in inside)
                page.links[at] = sum(page.links[block] for block in inside)
                self.dropped.update(others)

    def _judge_hidden(self) -> None:
        """Drop the blocks of hidden elements, but for those that hold most of the page's text: scripts show them."""
        if not self.hidden:
            return
        page = self.page
        sizes = [0, *accumulate(map(len, page.texts))]
        kept, passed = 0, 0
        for begin, end in self.hidden:
            if begin < passed or begin >= end:
                continue
            if kept < MAX_LARGE_HIDDEN and 2 * (sizes[end] - sizes[begin]) > sizes[-1]:
                kept += 1
                continue
            self.dropped.update(range(begin, end))
            passed = end


def _find_elements(tree: Any) -> tuple[list[FoundElement], list[tuple[str, str]]]:
    """Return what is looked for in a tree, of `meta` elements those that are read alone, and what may be opt-outs."""
    elements: list[FoundElement] = []
    statements: list[tuple[str, str]] = []
    for element in tree.css(_LOOKED_AT):
        tag, attributes = element.tag or "", element.attributes
        if tag == "meta":
            statements += list_statements((attributes,))
            if not list_contents(attributes):
                continue
        elements.append((element, tag, attributes))
    return elements, statements


def _find_outer_frames(elements: Sequence[FoundElement]) -> set[int]:
    """Return the menus, heads and feet that are around a page's text, by lexbor's numbers."""
    frames: set[int] = set()
    climbed: set[int] = set()
    for element in [element for element, tag, _ in elements if tag in _MAIN_TAGS]:
        while (element := element.parent) is not None and element.mem_id not in climbed:
            climbed.add(element.mem_id)
            if element.tag in _FRAMES:
                frames.add(element.mem_id)
    return frames


def _are_words(before: str, after: str) -> bool:
    """Return whether a word ends with one text and another surely begins with the next: `aB`, `a1`, `1A`, `:A`, `.A`.

    Editors split words anywhere, so this is not known of `ab`, of two figures, and of scripts without case. A full stop
    may stand in the name of a program, which has no space.
    """
    last, first = before[-1], after[0]
    if not first.isupper():
        return first.isdecimal() and (last.islower() or last.isupper())
    if last == ".":
        return " " in before and " " in after
    return last.islower() or last.isupper() or last.isdecimal() or last in _CLOSING


def _name_elements(nodes: list[Any]) -> Tokens:
    """Return the tokens of elements in each other or in a row."""
    tokens: Tokens = ()
    for node in nodes:
        tokens += name_element(node.tag, node.attributes)
    return tokens


def _read_title(head: Any) -> str:
    """Return the title of a page, without line breaks."""
    node = head.first_child if head is not None else None
    while node is not None:
        if node.tag == "title":
            return " ".join(node.text().split())
        node = node.next
    return ""


def fence_code(code: str, language: str) -> str:
    """Return code between fences, longer than any that are in it."""
    longest = max(map(len, _FENCES.findall(code)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"
