"""Convert wikitext to clean text: what a reader of a wiki page sees of its prose, titles and lists.

This is a linear scanner and not a parser: one pass for each kind of markup, outermost first, so that no
input makes it slow (100,000 unclosed braces included). In this order: comments and extension tags (references
and galleries are dropped; formulas, code and <nowiki> are put aside untouched), templates, tables, script
variants, links, inline markup, entities; then the holes are mended and the lines are laid out.
Dropped: templates that carry no text, tables, references, files, categories, links between languages, magic
words, empty sections, and sections of references or links that are only lists.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from importlib import metadata

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.holes import HOLE, mend_holes
from corpus.extract.plain_text import clean_text
from corpus.extract.raised_text import SUBSCRIPTS, SUPERSCRIPTS
from corpus.extract.wikitext.names import data_identity, load_wiki_names
from corpus.extract.wikitext.templates import WIKI_DATABASE, expand_templates, load_templates
from corpus.extract.wikitext.variants import show_variants
from corpus.extract.wikitext.wiki_lines import lay_out

VERSION = 6
"""Raised when the text of some page changes."""

ASIDE_MARK = "\x00"
"""Around the number of a piece of text that was put aside."""

MAX_LINK_DEPTH = 8

DROPPED_TAGS = (
    "ref|references|gallery|timeline|imagemap|graph|mapframe|maplink|score|hiero|templatestyles|templatedata|indicator"
    "|inputbox|categorytree|charinsert|includeonly|section|dynamicpagelist|rss|phonos|chart|ddiagram|quiz|abc"
)
FORMULA_TAGS = "math|chem|ce"
LITERAL_TAGS = "nowiki|pre|syntaxhighlight|source"
EXTENSION_TAG = re.compile(rf"<(?:!--|({DROPPED_TAGS}|{FORMULA_TAGS}|{LITERAL_TAGS})(\s[^<>]*+|/)?>)", re.I)
EXTENSION_NAMES = f"{DROPPED_TAGS}|{FORMULA_TAGS}|{LITERAL_TAGS}".split("|")
DROPPED_NAMES, FORMULA_NAMES = frozenset(DROPPED_TAGS.split("|")), frozenset(FORMULA_TAGS.split("|"))
BEFORE_HOLE = ("(", "（", " ")
"""Behind these a dropped reference leaves a hole to be mended."""
CLOSING_TAGS = {name: re.compile(rf"</{name}\s*>", re.I) for name in EXTENSION_NAMES}
TABLE_LINE = re.compile(r"\n[ \t:*#;]*(?:\{\||\|\})")
LOOSE_TABLE_LINE = re.compile(r"\n[ \t:*#;]*(?:\{\||\|[-}+])[^\n]*")
LOOSE_ROWS = re.compile(r"(?:\n[ \t]*[|!][^\n]*){2,}|\n[ \t]*![^\n]*(?:!!|\|)[^\n]*")
"""Rows and headers of a table that a template opens."""
HTML_TABLE = re.compile(r"<(/?)table\b[^<>]*>", re.I)
MEDIA_FILE_NAME = re.compile(
    r"\.(?:jpe?g|png|gif|svg|tiff?|webp|xcf|bmp|djvu|pdf|og[agv]|opus|webm|mp[34g]|mpeg|wav|flac|midi?|stl)\s*$",
    re.I,
)
QUALIFIER = re.compile(r"\s*[(（][^()（）]*[)）]$|, .*$")
"""What [[Paris (Texas)|]] and [[Paris, Texas|]] leave out."""
EXTERNAL_LINK = re.compile(
    r"\[(?:(?:https?|ftps?|irc|news|gopher|git|svn|nntp)://|//|mailto:|tel:)[^\s\[\]<>\"|]*+([^\[\]\n]*+)\]"
)
HTML_NAMES = (
    "abbr|b|bdi|bdo|big|blockquote|caption|center|cite|code|data|dd|del|dfn|div|dl|dt|em|font|h[1-6]|i|ins|kbd|li|link|mark|meta"
    "|ol|p|q|rb|rp|rt|rtc|ruby|s|samp|small|span|strike|strong|sub|sup|tbody|td|tfoot|th|thead|time|tr|tt|u|ul|var|wbr"
    "|poem|noinclude|onlyinclude|gallery|table|includeonly|translate|languages|tvar|syntaxhighlight"
)
WIKI_TAG = re.compile(
    rf"</?(?:{HTML_NAMES}|{DROPPED_TAGS}|{FORMULA_TAGS}|{LITERAL_TAGS})(?:\s[^<>]*+|/)?>", re.I
)
BLOCK_TAG = re.compile(
    r"</?(?:br|p|div|blockquote|center|dl|dd|dt|ul|ol|tr|caption|h[1-6]|poem)(?:\s[^<>]*+|/)?>", re.I
)
LIST_ITEM = re.compile(r"<li(?:\s[^<>]*+)?>\s*", re.I)
SCRIPT_TAGS = re.compile(r"<(su[pb])(?:\s[^<>]*+)?>([^<>\n]{1,40})</\1\s*>", re.I)
SHOWN_SCRIPTS = {
    "sup": re.compile(r"[-+−=() 0-9]{1,12}|n|[+−-]?\d?n(?:[+−-]\d)?|\d{1,3}(?:, ?\d{1,3}){1,9}", re.A),
    "sub": re.compile(r"[-+−=() 0-9]{1,12}|\d{1,3}(?:[.,]\d{1,3}){1,9}", re.A),
}
"""What there are characters for, and digits with a comma or point between them."""
MARKED_SCRIPTS = {
    "sup": re.compile(
        r"[+−–-]?\d+(?:[./]\d+)?|[ijklmpquvwxyzB-DF-NP-QS-Z\u0391-\u03c9]|(?=.*[+−–=/\d-])(?=.*[a-z\u0391-\u03c9]$|.*\d$)"
        r"[+−–-]?\d{0,3}[A-Za-z\u0391-\u03c9]{0,3}(?:[+−–=/-]?[A-Za-z\u0391-\u03c9\d]{1,3}){0,2}"
    ),
    "sub": re.compile(
        r"(?!.*[\u0e00-\u0eff\u3040-\u9fff\uac00-\ud7af])[+−–-]?[^\W_]{1,8}(?:[,+−–=/-][^\W_]{1,8}){0,3}[+−–-]?"
    ),
}
"""What is an exponent or index, and neither the end of a word (`1st`, `Mme`) nor the mark of a note."""
SCRIPT_BASE = re.compile(
    r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff)\]}⟩|'′″’]|</(?:i|b|em|var|span|big|small)>|&(?!nbsp)[A-Za-z]{2,8};)\Z",
    re.I,
)
PLAIN_SCRIPT = re.compile(r"\d+(?:\.\d+)?|[^\W_]+")
READING_START, READING_END = (
    re.compile(r"(?<!</rp>)<rt(?:\s[^<>]*+)?>", re.I),
    re.compile(r"</rt>(?!<rp>)", re.I),
)
"""Readings above Japanese and Chinese words, where the page gives no parentheses for them."""
MAGIC_WORD = re.compile(r"__((?:[^\W_]|_(?!_))+)__")
BOLD_QUOTES = re.compile(r"'''(?=[^\W\d_])")
BOLD_TITLE = re.compile(
    rf"\n[:; \t]*'''[^'\n]{{1,100}}'''[ \t:]*(?=\n([\s*#:;.,{HOLE}]*+)(?:==|'''[^'\n]{{1,100}}'''[ \t:]*\n|\Z))"
)
"""A line in bold before the next title, with what was dropped between them."""
QUOTE_RUNS = re.compile(r"'{2,}")
SPACE_RUNS = re.compile(r"  +")
LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
ASIDE_REFERENCE = re.compile(rf"{ASIDE_MARK}(\d+){ASIDE_MARK}")
INVISIBLE_CHARACTERS = {"\u00a0": " ", "\u200b": "", "\u00ad": "", "\u2060": "", "\ufeff": ""}
HIDDEN_LINE = re.compile(
    r"\n[ \t]*(?:\[\[[^\W_][^:\[\]|\n]{0,40}:[^\s\[\]|][^\[\]|\n]*(?:\|[^\[\]\n]*)?\]\][ \t]*)+(?=\n)"
)


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the text of a page of a wiki, cleaned; its title is in the record's metadata."""
    assert isinstance(record.body, str)
    text = to_text(record.body, record.metadata.get("title"), wiki=wiki_of(record))
    return ExtractedText(text=clean_text(text))


def wiki_of(record: Record) -> str | None:
    """Return the database name of the wiki that a page is from; None where nothing gives it."""
    place = record.native_id.partition(":")[0]
    return place if WIKI_DATABASE.fullmatch(place) else None


def to_text(
    wikitext: str, title: str | None = None, *, language: str | None = None, wiki: str | None = None
) -> str:
    """Return the text of a page; empty if it holds nothing but markup.

    Blocks (titles, paragraphs, lists) are separated by a blank line; line breaks inside a paragraph are kept.
    List items begin with "- " or their number. Formulas are `$...$` in LaTeX, superscripts and subscripts x², x^k and
    v_max; code keeps its lines.
    `title`, if given, is the first line. `wiki`, a database name (`dewiki`, `enwikivoyage`), says which templates carry
    text and which script variants there are; by default those of all languages. `language` (`cmn_Hans`, `srp_Latn`)
    chooses between the variants that pages spell out; by default the page's own script does. Never raises; time is
    linear in the length of the page, about 30 million characters a second.
    """
    text = f"\n{wikitext}\n"
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if ASIDE_MARK in text or HOLE in text:
        text = text.replace(ASIDE_MARK, "").replace(HOLE, "")
    if title and "{{PAGENAME}}" in text:
        text = text.replace("{{PAGENAME}}", title)
    aside: list[str] = []
    text = _take_extensions(text, aside)
    text = expand_templates(text, load_templates(wiki))
    text = _drop_tables(text)
    if "-{" in text:
        text = show_variants(text, wiki, language)
    if "[" in text:
        text = _resolve_links(HIDDEN_LINE.sub(HOLE, text))
        text = EXTERNAL_LINK.sub(_show_external_link, text)
    if HOLE in text and "'''" in text:
        text = BOLD_TITLE.sub(lambda match: match[0] if HOLE not in match[1] else "", text)
    text = _strip_inline_markup(text)
    text = lay_out(mend_holes(text), load_wiki_names().back_matter)
    if aside:
        text = ASIDE_REFERENCE.sub(lambda match: aside[int(match[1])], text)
    return f"{title}\n\n{text}" if title and text else text


def _take_extensions(text: str, aside: list[str]) -> str:
    """Return the text without comments, references and the like; formulas, code and literal text become marks."""
    if "<" not in text:
        return text
    pieces: list[str] = []
    closers: dict[str, tuple[int, int]] = {}
    at, before = 0, ""
    while match := EXTENSION_TAG.search(text, at):
        start, end = match.span()
        if start > at:
            pieces.append(text[at:start])
            before = text[start - 1]
        name = match[1].lower() if match[1] else "!--"
        stop = -1
        if name == "!--":
            comment_end = text.find("-->", end)
            end = len(text) if comment_end < 0 else comment_end + 3
            if text[start - 1] == "\n" == text[end : end + 1]:
                end += 1
        elif not (match[2] or "").endswith("/"):
            stop, after = closers.get(name, (-1, -1))
            if stop < end:
                close = CLOSING_TAGS[name].search(text, end)
                stop, after = closers[name] = close.span() if close else (len(text) + 1, 0)
            if not after or (name == "ref" and _is_reopened(text, end, stop)):
                stop = -1
            else:
                content, end = text[end:stop], after
        if name == "ref":
            if before in BEFORE_HOLE or before == text[end : end + 1]:
                pieces.append(HOLE)
        elif stop >= 0:
            pieces.append(_show_extension(name, content, aside))
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _is_reopened(text: str, start: int, stop: int) -> bool:
    """Return whether another reference opens before this one is closed: its own end is missing then."""
    at = text.find("<ref", start, stop)
    return at >= 0 and text[at + 4 : at + 5] in (" ", ">") and text[text.find(">", at) - 1] != "/"


def _show_extension(name: str, content: str, aside: list[str]) -> str:
    if name in DROPPED_NAMES:
        return HOLE
    if name in FORMULA_NAMES:
        content = " ".join(unescape_entities(content).split())
        if content:
            content = f"${content}$" if name == "math" else f"$\\ce{{{content}}}$"
    elif name == "nowiki":
        content = "" if not content.strip("'") else unescape_entities(content)
    elif name == "pre":
        content = unescape_entities(re.sub(r"</?nowiki\s*/?>", "", content))
    if not content.strip():
        return content if name == "nowiki" else HOLE
    if "\n" in content.strip():
        lines = [line.rstrip() for line in content.strip("\n").split("\n")]
        aside.append("\n".join(lines))
        return f"\n{ASIDE_MARK}{len(aside) - 1}{ASIDE_MARK}\n"
    aside.append(content.strip() if name != "nowiki" else content)
    return f"{ASIDE_MARK}{len(aside) - 1}{ASIDE_MARK}"


def _drop_tables(text: str) -> str:
    if "{|" in text:
        text = _drop_nested(text, TABLE_LINE, lambda match: match.group().endswith("{|"))
        if "{|" in text:
            text = _drop_unclosed_tables(text)
    if "{|" in text or "|-" in text or "|}" in text:
        text = LOOSE_ROWS.sub("\n" + HOLE, LOOSE_TABLE_LINE.sub(HOLE, text))
    if "<table" in text or "<TABLE" in text:
        text = _drop_nested(text, HTML_TABLE, lambda match: not match[1])
    return text


def _drop_unclosed_tables(text: str) -> str:
    """Return the text without the rows of tables that nothing closes: up to an empty line with prose behind it.

    MediaWiki would put the rest of the page into the table; its writer left the end to a template.
    """
    kept: list[str] = []
    open_table = in_cell = False
    waiting: list[str] = []
    for line in text.split("\n"):
        start = line.lstrip(" \t:*#;")
        if start.startswith("{|"):
            open_table = in_cell = True
            waiting.clear()
            kept.append(HOLE)
        elif not open_table or start.startswith("=="):
            open_table = False
            kept.append(line)
        elif start[:1] in ("|", "!"):
            in_cell = True
            waiting.clear()
        elif not start.strip(HOLE):
            if HOLE in line:
                waiting.clear()
            in_cell = False
            waiting.append(line)
        elif in_cell:
            waiting.append(line)
        else:
            kept += [*waiting, line]
            waiting.clear()
    return "\n".join([*kept, *waiting])


def _drop_nested(text: str, token: re.Pattern[str], opens: Callable[[re.Match[str]], bool]) -> str:
    """Return the text without the outermost balanced regions between opening and closing tokens."""
    stack: list[int] = []
    regions: list[tuple[int, int]] = []
    for match in token.finditer(text):
        if opens(match):
            stack.append(match.start())
        elif stack:
            start = stack.pop()
            while regions and regions[-1][0] > start:
                regions.pop()
            regions.append((start, match.end()))
    pieces: list[str] = []
    at = 0
    for start, end in regions:
        pieces += [text[at:start], "\n", HOLE, "\n"]
        at = end
    return "".join([*pieces, text[at:]])


def _resolve_links(text: str) -> str:
    """Replace `[[target|label]]` by its label; files, categories and links to other languages by holes."""
    pieces = text.split("[[")
    out = [pieces[0]]
    opened: list[int] = []
    ignored = 0
    for piece in pieces[1:]:
        body, closed, rest = piece.partition("]]")
        if closed and "]" not in rest:
            target, pipe, label = body.partition("|")
            if ":" in target or (pipe and not label) or (not pipe and "#" in target):
                label = _show_link(body)
            out.append((label or target) + rest)
            continue
        if len(opened) < MAX_LINK_DEPTH:
            opened.append(len(out))
        else:
            ignored += 1
        segments = piece.split("]]")
        out.append(segments[0])
        for segment in segments[1:]:
            if ignored:
                ignored -= 1
            elif opened:
                start = opened.pop()
                body = out[start] if start == len(out) - 1 else "".join(out[start:])
                del out[start:]
                if segment[:1] == "]" and body.count("[") > body.count("]"):
                    body, segment = body + "]", segment[1:]
                out.append(_show_link(body))
            out.append(segment)
    for start in opened:
        if _is_hidden(out[start].split("|")[0]):
            out[start] = HOLE + out[start].partition("\n")[2]
    return "".join(out)


def _show_link(body: str) -> str:
    target, pipe, label = body.partition("|")
    if ":" in target:
        if _is_hidden(target):
            return HOLE
        target = target.lstrip(": ")
        prefix, _, rest = target.partition(":")
        while rest and prefix.strip().lower() in load_wiki_names().elsewhere:
            target = rest
            prefix, _, rest = target.partition(":")
    if label:
        return label
    if pipe:
        return QUALIFIER.sub("", target)
    return target.lstrip("#").replace("_", " ") if "#" in target else target


def _is_hidden(target: str) -> bool:
    """Return whether a link's target is a file, a category or a page in another language, and shows nothing."""
    prefix, colon, _ = target.partition(":")
    if not colon or not prefix or prefix.isspace():
        return False
    prefix = prefix.strip().replace("_", " ").lower()
    return prefix in load_wiki_names().hidden or MEDIA_FILE_NAME.search(target) is not None


def _show_external_link(match: re.Match[str]) -> str:
    return match[1].strip(" \t") or HOLE


def _strip_inline_markup(text: str) -> str:
    """Return the text without quotes for bold and italics, HTML tags, magic words and entities."""
    if "''" in text:
        if "'''" in text:
            text = _keep_apostrophes(text)
            text = text.replace("'''''", "").replace("'''", "")
        text = text.replace("''", "")
    if "<" in text:
        if "<s" in text:
            text = SCRIPT_TAGS.sub(_show_script, text)
        if "<rt" in text:
            text = READING_END.sub("）", READING_START.sub("（", text))
        text = LIST_ITEM.sub("\n* ", text)
        text = BLOCK_TAG.sub("\n", text)
        text = WIKI_TAG.sub("", text)
    if "__" in text:
        text = MAGIC_WORD.sub(lambda match: match[0] if match[1] != match[1].upper() else HOLE, text)
    text = unescape_entities(text)
    for character, instead in INVISIBLE_CHARACTERS.items():
        text = text.replace(character, instead)
    return SPACE_RUNS.sub(lambda match: " " if text[match.start() - 1] != "\n" else match[0], text)


def identity() -> dict[str, str | int]:
    """Return what the text depends on besides the page, for fingerprints: the version, the data files, and the library
    that names countries."""
    return {"wikitext": VERSION, "names": data_identity(), "babel": metadata.version("babel")}


def unescape_entities(text: str) -> str:
    """Return the text with entities as characters, absurdly long numbers too, on which `html.unescape` fails."""
    return html.unescape(LONG_REFERENCE.sub("\ufffd", text)) if "&" in text else text


def _keep_apostrophes(text: str) -> str:
    """Keep the first quote of l'''Iliade'' as an apostrophe: likewise wherever bold and italics are odd on a line."""
    pieces: list[str] = []
    at = 0
    for match in BOLD_QUOTES.finditer(text):
        start = match.start()
        if start < at or not text[start - 1].isalnum():
            continue
        begin, end = text.rfind("\n", at, start) + 1, text.find("\n", start)
        runs = [len(run) for run in QUOTE_RUNS.findall(text, begin, end)]
        bold, italic = sum(run != 2 for run in runs), sum(run == 2 or run > 4 for run in runs)
        if bold % 2 and italic % 2:
            pieces += [text[at:start], "'", text[start + 3 : end]]
        else:
            pieces.append(text[at:end])
        at = end
    return "".join([*pieces, text[at:]])


def _show_script(match: re.Match[str]) -> str:
    """Show digits and signs as characters, other exponents and indices behind a mark: x², x^k, ১০^৬, v_max."""
    text, name = match[2], match[1].lower()
    if "&" in text:
        text = unescape_entities(text)
    plain = text.strip()
    if SHOWN_SCRIPTS[name].fullmatch(plain):
        return text.translate(SUPERSCRIPTS if name == "sup" else SUBSCRIPTS)
    if name == "sup" and plain == "TM":
        return "™"
    start = match.start()
    if (
        plain == "o"
        and match.string[start - 1].isdecimal()
        and match.string.startswith(("C", "F"), match.end())
    ):
        return "°"
    if MARKED_SCRIPTS[name].fullmatch(plain) is None or not SCRIPT_BASE.search(
        match.string, max(0, start - 12), start
    ):
        return text
    mark = "^" if name == "sup" else "_"
    return mark + (plain if PLAIN_SCRIPT.fullmatch(plain) else f"({plain})")
