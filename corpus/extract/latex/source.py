"""Assemble a paper's TeX as one text: find the main file, insert the others where it includes them, remove comments.

Only files of the submission are read, by name; cycles, depth and length are bounded. Bytes are decoded by
what the paper declares (`inputenc`, `CJK`) and what they look like; a file that cannot be read costs only itself.
"""

from __future__ import annotations

import codecs
import json
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from corpus.extract.latex.conditions import WITHOUT_END
from corpus.extract.latex.submission import SubmissionError
from corpus.formats.encodings import decode

INLINE_MARK = "\x00"
"""Around the number of a piece put aside: verbatim text, a formula."""
BLOCK_MARK = "\x0e"
"""Around the number of a piece that stands on lines of its own."""

MAX_INPUT_DEPTH = 12
MAX_PAPER_CHARACTERS = 8 << 20
"""Of a paper with everything it includes."""
MAX_MAIN_CANDIDATES = 24
"""Files that may be the main one and are tried."""

_ENCODINGS = {
    "latin1": "iso-8859-1", "latin2": "iso-8859-2", "latin3": "iso-8859-3", "latin4": "iso-8859-4",
    "latin5": "iso-8859-9", "latin9": "iso-8859-15", "latin10": "iso-8859-16", "ansinew": "windows-1252",
    "applemac": "macintosh", "maccyr": "x-mac-cyrillic", "utf8": "utf-8", "utf8x": "utf-8", "gbk": "gbk", "gb": "gbk",
    "bg5": "big5", "big5": "big5", "sjis": "shift_jis", "jis": "shift_jis", "ks": "euc-kr", "koi8-ru": "koi8-u",
}  # fmt: skip
"""Names of inputenc and CJK that are no labels of the web's."""
_DECLARED = re.compile(
    rb"\\usepackage\s*\[([\w-]+)\]\s*\{inputenc\}|\\inputencoding\s*\{([\w-]+)\}"
    rb"|\\begin\s*\{CJK\*?\}\s*(?:\[[^\]]*\])?\{([\w-]+)\}|%\s*!TEX\s+encoding\s*=\s*([\w-]+)",
)
_DECLARATION_HINTS = (b"inputenc", b"CJK", b"!TEX")
TEXT_CHECK_BYTES = 4096
_BINARY = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1a\x1b")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NEWLINE = re.compile(r"\r\n?")

_LITERAL = "verbatim|Verbatim|lstlisting|minted|alltt|BVerbatim|LVerbatim|spverbatim|listing"
_HIDDEN = "comment|filecontents"
_COMMENT_PATTERN = (
    r"\\[\\%]|%[^\n]*(?:\n[ \t]*)?|\\(?:verb\*?|(?:nolinkurl|url|path)(?=[|!+\"])|Verb\*?(?=[^{A-Za-z\s])"
    r"|lstinline\*?(?:\[[^\]\n]*\])?(?=[^\[{A-Za-z\s])"
    r"|mintinline(?:\[[^\]\n]*\])?[ \t]*\{[\w+#-]+\}(?=[^{A-Za-z\s]))(?![A-Za-z])([^A-Za-z\s*{])"
    rf"|\\begin\s*\{{({_LITERAL}|LITERAL|{_HIDDEN})(\*?)\}}|\\(iffalse|if0)(?![A-Za-z])|\\(endinput)(?![A-Za-z])"
    r"|\\(?:Verb|lstinline|mintinline(?:\[[^\]\n]*\])?[ \t]*\{[\w+#-]+\})\*?(?:\[[^\]\n]*\])?(\{)"
    r"|\\(?:url|nolinkurl|burl|path|href|doi)(?![A-Za-z@])[ \t]*(\{)"
)
_HIDDEN_NAMES = frozenset(_HIDDEN.split("|"))
_OWN_LITERALS = re.compile(
    r"\\(?:lstnewenvironment|DefineVerbatimEnvironment|CustomVerbatimEnvironment|RecustomVerbatimEnvironment"
    r"|newtcblisting|NewTCBListing|DeclareTCBListing|newtcbinputlisting)\s*(?:\[[^\]\n]*\])*\s*\{([\w-]{1,40})\}"
    r"|\\newminted\s*(?:\[([\w-]{1,40})\])?\s*\{([\w+#-]{1,40})\}"
)
"""Definitions of environments whose content is printed as it is."""
_OWN_LITERAL = ("lstnewenvironment", "VerbatimEnvironment", "listing", "Listing", "newminted")
_LINE_COMMENT = re.compile(r"(?<!\\)%.*")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_PARAMETER = re.compile(r"(?<!\\)#[1-9]")
MAX_INLINE_CODE_CHARACTERS = 2_000
_BRACES = re.compile(r"[{}]")
MAX_CONDITION_CHARACTERS = 500_000
"""Characters that a condition may hide."""
_ASSIGNMENT = re.compile(r"\\let\s*\\[A-Za-z@]+\s*=?\s*\Z")
_CONDITION = re.compile(
    rf"\\(?:newif\s*\\if[A-Za-z@]*|{WITHOUT_END}(?![A-Za-z@])"
    r"|(if[A-Za-z@]*|fi|else|repeat)(?![A-Za-z@]))"
)
"""What opens and closes conditions; what only looks like it has no group. A `\\repeat` ends that of its loop."""
_OPTION_TEXT = r"(?>(?:[^\[\]{}]+|\{(?>(?:[^{}]+|\{(?>(?:[^{}]+|\{[^{}]*\})*)\})*)\}|\[[^\[\]]*\])*)"
_LITERAL_OPTIONS = re.compile(r"[ \t]*(?:\[[^\]\n]*\])?[ \t]*(?:\{[\w+#-]*\})?[ \t]*\n?")
_LISTING_OPTIONS = re.compile(rf"[ \t]*(?:\[({_OPTION_TEXT})\])?[ \t]*(?:\{{[\w+#-]*\}})?[ \t]*\n?")
_VERBATIM = ("verbatim", "alltt", "spverbatim")
"""Environments without options."""
_LISTING_CAPTION = re.compile(
    r"(?:^|,)\s*caption\s*=\s*(\{(?>(?:[^{}]+|\{(?>(?:[^{}]+|\{[^{}]*\})*)\})*)\}|[^,\[\]{}]+)"
)
_LISTING_LABEL = re.compile(r"(?:^|,)\s*label\s*=\s*\{?([^,{}\[\]]{1,200})")
_FLOAT_OF_LISTINGS = re.compile(
    r"\\(?:begin\s*\{|caption\s*[\[{]|(?:lst|verbatim)?input(?:minted|listing)?\b)"
)
"""What a `listing` holds that is no code itself but the float around it."""
_INPUT = re.compile(
    r"\\(?:input|include|subfile|subfileinclude|includestandalone|InputIfFileExists|import|subimport|inputfrom|includefrom"
    r"|loadglsentries)"
    r"(?![A-Za-z@])\*?(?:\[[^\]\n]*\])?"
    r"(?:\s*\{([^{}\n]{1,200})\}(?:[ \t]*\{([^{}\n]{1,200})\})?|[ \t]+([^\s\\{}%]{1,200}))"
)
_TWO_PARTS = ("\\import", "\\subimport", "\\inputfrom", "\\includefrom")
_TITLE = re.compile(r"\\(?:title|icmltitle)\s*(?:\[[^\]]*\])?\s*\{([^{}]{0,300})")
_CLASS = re.compile(r"\\document(?:class|style)(?![A-Za-z])")
_BEGIN = re.compile(r"\\begin\s*\{document\}")
_PLAIN = re.compile(
    r"\\(?:bye|magnification|documentstyle|topmatter|beginsection|centerline|section|hsize|nopagenumbers|title|chapter)"
    r"(?![A-Za-z])|\\input\s+(?:amstex|harvmac|phyzzx|lanlmac|amsppt|jnl|mssymb|epsf)|\\begin\s*\{"
)
_END_DOCUMENT = re.compile(r"\\end\s*\{document\}")
_YAML_SOURCE = re.compile(
    r"^[ \t]*(?:-[ \t]+)?filename[ \t]*:[ \t]*(\S+)[ \t]*\n[ \t]+usage[ \t]*:[ \t]*[\"']?(\w+)", re.MULTILINE
)
_OLD_SOURCE = re.compile(r"^[ \t]*(\S+)[ \t]+(toplevelfile|ignore|include)\b", re.MULTILINE | re.IGNORECASE)
_SUPPLEMENT = re.compile(
    r"suppl|appendi|(?:^|[^a-z])s[im](?:$|[^a-z])|supporting|additional|online|补充|補充|附录|附錄|補遺|дополн|приложен",
    re.IGNORECASE,
)
"""In the name or the title of a file that belongs to the paper beside the main one."""
MAX_SHARED_LINES = 0.2
"""Share of the lines of a supplement that the paper may have too: more, and it is another version of it."""
_NO_MAIN = (".sty", ".cls", ".bbl", ".bst", ".clo", ".def", ".fd", ".cfg", ".ind", ".gls", ".txt", ".md")


@dataclass(slots=True)
class PaperSource:
    """Hold a paper's TeX: its text with marks, and what the marks stand for."""

    text: str
    aside: list[str]
    styles: list[str] = field(default_factory=list)
    """Texts of the packages that come with it."""


def assemble_source(files: dict[str, bytes]) -> list[PaperSource]:
    """Return the texts of the paper in these files, of each of its top-level files; empty if nothing looks like TeX.

    Raises SubmissionError if it is longer than `MAX_PAPER_CHARACTERS`.
    """
    declared = find_declared_encoding(files)
    aside: list[str] = []
    decoded = {name: decode_tex(data, declared) for name, data in sorted(files.items()) if is_text(data)}
    literals = find_own_literals(decoded.values())
    texts = {name: strip_comments(text, aside, literals) for name, text in decoded.items()}
    tops, ignored = read_listing(files)
    texts = {name: text for name, text in texts.items() if name not in ignored and not is_listing(name)}
    mains = [_inline_inputs(name, texts) for name in tops if name in texts]
    if not mains and (text := _choose_main_text(texts)) is not None:
        mains = [text, *_choose_supplements(texts, text)]
    if sum(map(len, mains)) >= MAX_PAPER_CHARACTERS:
        raise SubmissionError(
            f"{MAX_PAPER_CHARACTERS} characters of TeX or more, with everything that is included"
        )
    sources = []
    for text in mains:
        sources.append(PaperSource(text, aside, _find_styles(text, texts)))
    return sources


def is_listing(name: str) -> bool:
    """Return whether a file is the one that tells arXiv how to process the others."""
    return posixpath.basename(name).lower().startswith("00readme")


def read_listing(files: dict[str, bytes]) -> tuple[list[str], set[str]]:
    """Return the top-level files that a submission's `00README` names, in its order, and those to be ignored.

    In JSON or YAML it has a `usage` for each source, toplevel, include or ignore; in the older form lines such as
    `paper.tex toplevelfile`.
    """
    tops: list[str] = []
    ignored: set[str] = set()
    for listing in sorted(name for name in files if is_listing(name)):
        text = files[listing].decode("utf-8", "replace")
        for name, usage in _read_usages(text):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(listing), name))
            if usage.startswith("toplevel") and path not in tops:
                tops.append(path)
            elif usage == "ignore":
                ignored.add(path)
    return tops, ignored


def _read_usages(text: str) -> list[tuple[str, str]]:
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if isinstance(listed, dict):
        sources = listed.get("sources")
        rows = [row for row in sources if isinstance(row, dict)] if isinstance(sources, list) else []
        return [
            (str(row.get("filename") or ""), str(row.get("usage") or ""))
            for row in rows
            if row.get("filename")
        ]
    if _YAML_SOURCE.search(text):
        return [(match[1].strip("\"'"), match[2]) for match in _YAML_SOURCE.finditer(text)]
    return [(match[1], match[2].lower()) for match in _OLD_SOURCE.finditer(text)]


def find_declared_encoding(files: dict[str, bytes]) -> str | None:
    """Return what the first declaration in any file names, as a charset label of the web."""
    for _, data in sorted(files.items()):
        if not any(hint in data for hint in _DECLARATION_HINTS):
            continue
        for match in _DECLARED.finditer(data[: 1 << 20]):
            name = next(group for group in match.groups() if group).decode("ascii", "replace").lower()
            return _ENCODINGS.get(name, name)
    return None


def decode_tex(data: bytes, declared: str | None) -> str:
    """Return the text of a file, with `\\n` for every line end and without control characters."""
    wide = find_utf16(data)
    text = (
        data.decode(wide, "replace").removeprefix("\ufeff") if wide else decode(data, declared, html=False)[0]
    )
    if "\r" in text:
        text = _NEWLINE.sub("\n", text)
    return _CONTROLS.sub("", text)


def find_own_literals(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the environments that a paper defines for text to be printed as it is: listings, code."""
    names: set[str] = set()
    for text in texts:
        if any(hint in text for hint in _OWN_LITERAL):
            for match in _OWN_LITERALS.finditer(_LINE_COMMENT.sub("", text)):
                names.add(match[1] or match[2] or f"{match[3]}code")
    return tuple(sorted(names))


@lru_cache(maxsize=64)
def _compile_comments(literals: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, literals)) or "verbatim"
    return re.compile(_COMMENT_PATTERN.replace("LITERAL", names))


def strip_comments(text: str, aside: list[str], literals: tuple[str, ...] = ()) -> str:
    """Return TeX without comments and what conditions hide; verbatim text becomes numbered marks.

    `literals` are environments of verbatim text besides the known ones. What a macro prints as code is left to it.

    Only the comment itself is removed: the character before `%` is kept, and so is `\\%`. In an address it is none.
    """
    pieces: list[str] = []
    at, in_vain = 0, -1
    search = _compile_comments(literals).search
    while match := search(text, at):
        start, end = match.span()
        first = text[start]
        if first == "\\" and text[start + 1] in "\\%":
            pieces.append(text[at:end])
            at = end
            continue
        pieces.append(text[at:start])
        if first == "%":
            if text.startswith("\n", end):
                pieces.append("\n")
        elif match[1]:
            close = text.find(match[1], end)
            line_end = text.find("\n", end)
            if close < 0 or 0 <= line_end < close:
                at = end
                continue
            pieces.append(_set_code_aside(text[end:close], aside))
            end = close + 1
        elif match[2]:
            closing = f"\\end{{{match[2]}{match[3]}}}"
            close = text.find(closing, end)
            if close < 0:
                at = end
                continue
            if match[2] == "listing" and _FLOAT_OF_LISTINGS.search(text, end, close):
                pieces.append(text[start:end])
                at = end
                continue
            if match[2] not in _HIDDEN_NAMES:
                options = (_LITERAL_OPTIONS if match[2] in _VERBATIM else _LISTING_OPTIONS).match(
                    text, end, close
                )
                begin = min(options.end() if options else end, close)
                if match[2] not in _VERBATIM and options is not None and options[1]:
                    caption = _LISTING_CAPTION.search(options[1])
                    pieces.append(
                        _write_listing_caption(caption[1], options[1]) if caption is not None else ""
                    )
                aside.append("\n".join(line.rstrip() for line in text[begin:close].strip("\n").split("\n")))
                pieces.append(f"\n{BLOCK_MARK}{len(aside) - 1}{BLOCK_MARK}\n")
            end = close + len(closing)
        elif match[6]:
            close = _find_brace_end(text, end)
            if close < 0:
                at = end
                continue
            pieces.append(_set_code_aside(text[end:close], aside))
            end = close + 1
        elif match[7]:
            close = _find_brace_end(text, end)
            if close < 0 or "\n" in text[end:close]:  # there it ends a line of a long address
                pieces.append(text[start:end])
                at = end
                continue
            pieces.append(_BARE_PERCENT.sub(r"\\%", text[start : close + 1]))
            end = close + 1
        elif match[4]:
            if _ASSIGNMENT.search(text, max(0, start - 80), start):
                pieces.append(text[start:end])
                at = end
                continue
            close = _find_condition_end(text, end) if end > in_vain else -1
            in_vain = max(in_vain, end + MAX_CONDITION_CHARACTERS) if close < 0 else in_vain
            end = max(end, close)
        else:
            return "".join(pieces)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _write_listing_caption(caption: str, options: str) -> str:
    """Return the caption of a listing as a paragraph, with its number and the label among its options."""
    label = _LISTING_LABEL.search(options)
    labelled = f"\\label{{{label[1].strip()}}}" if label is not None else ""
    return f"\n\n\\refstepcounter{{lstlisting}}{labelled}{caption}\n\n"


def _set_code_aside(code: str, aside: list[str]) -> str:
    """Return a mark for code in a line; in a macro, where it is what the macro is given, the code itself."""
    if _PARAMETER.search(code) and "\\" not in code:
        return f"\\texttt{{{code}}}"
    aside.append(code)
    return f"{INLINE_MARK}{len(aside) - 1}{INLINE_MARK}"


def _find_brace_end(text: str, at: int) -> int:
    """Return where code in braces ends, inner braces counted; -1 if it does not on its line or the next few."""
    depth = 1
    for match in _BRACES.finditer(text, at, at + MAX_INLINE_CODE_CHARACTERS):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return -1


def _find_condition_end(text: str, at: int) -> int:
    """Return where the text that `\\iffalse` hides ends: behind its `\\fi` or `\\else`; -1 if neither follows."""
    depth = 0
    for match in _CONDITION.finditer(text, at, at + MAX_CONDITION_CHARACTERS):
        if match[1] == "fi":
            if depth == 0:
                return match.end()
            depth -= 1
        elif match[1] == "repeat":
            depth = max(0, depth - 1)
        elif match[1] == "else":
            if depth == 0:
                return match.end()
        elif match[1]:
            depth += 1
    return -1


def find_utf16(data: bytes) -> str | None:
    """Return the codec of a file in UTF-16, by its mark or by the zeros in every other byte; None for others."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[: TEXT_CHECK_BYTES & ~1]
    if len(head) < 8 or b"\0" not in head:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < 0.4 * (len(head) // 2) or min(even, odd) > 0.02 * len(head):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def is_text(data: bytes) -> bool:
    """Return whether bytes can be TeX: hardly any control characters at their beginning."""
    if find_utf16(data) is not None:
        return True
    head = data[:TEXT_CHECK_BYTES]
    return len(head.translate(None, _BINARY)) > 0.98 * len(head)


def _choose_main_text(texts: dict[str, str]) -> str | None:
    """Return the whole text of the paper: of its main file, with the others in their places.

    Of the files that no other includes, it is one that gives a class and a body; of several that which gives the
    longest text, as covers, posters and replies are short. For papers in plain TeX likewise, of all that
    look like TeX.
    """
    candidates = [name for name in texts if not name.lower().endswith(_NO_MAIN)]
    included = {
        _resolve_input(match, name, texts) for name in candidates for match in _INPUT.finditer(texts[name])
    }
    roots = [name for name in candidates if name not in included] or candidates
    roots = sorted(roots, key=lambda name: (-len(texts[name]), name))[:MAX_MAIN_CANDIDATES]
    whole = {name: _inline_inputs(name, texts) for name in roots}
    for looks in (
        lambda text: _CLASS.search(text) and _BEGIN.search(text),
        lambda text: _CLASS.search(text) or _PLAIN.search(text),
        lambda text: "\\" in text,
    ):
        mains = [name for name in roots if looks(whole[name])]
        if mains:
            return whole[min(mains, key=lambda name: (-len(whole[name]), len(name), name))]
    return None


def _choose_supplements(texts: dict[str, str], main: str) -> list[str]:
    """Return the whole texts of the other complete documents of a submission that call themselves supplements."""
    candidates = [
        name for name in texts if not name.lower().endswith(_NO_MAIN) and _BEGIN.search(texts[name])
    ]
    included = {
        _resolve_input(match, name, texts) for name in candidates for match in _INPUT.finditer(texts[name])
    }
    lines: set[str] | None = None
    chosen = []
    for name in sorted(candidates):
        title = _TITLE.search(texts[name])
        named = posixpath.basename(name) + " " + (title[1] if title else "")
        if name in included or not _SUPPLEMENT.search(named) or not _CLASS.search(texts[name]):
            continue
        whole = _inline_inputs(name, texts)
        if whole == main:
            continue
        if lines is None:
            lines = {line.strip() for line in main.split("\n") if len(line.strip()) > 30}
        own = [line.strip() for line in whole.split("\n") if len(line.strip()) > 30]
        shared = sum(line in lines for line in own) / (len(own) or 1)
        if shared <= MAX_SHARED_LINES:
            chosen.append(whole)
    return chosen


def _resolve_input(match: re.Match[str], name: str, texts: dict[str, str]) -> str | None:
    """Return the file of the submission that an `\\input` in the file `name` refers to, None if it is missing."""
    wanted = (match[1] or match[3] or "").strip().strip('"')
    if match[2] and match[0].startswith(_TWO_PARTS):
        wanted = posixpath.join(wanted, match[2].strip())
    folder = posixpath.dirname(name)
    for base in dict.fromkeys((folder, "")):
        path = posixpath.normpath(posixpath.join(base, wanted))
        for candidate in (path, f"{path}.tex", f"{path}.TEX", f"{path}.ltx"):
            if candidate in texts and candidate != name:
                return candidate
    return None


def _inline_inputs(main: str, texts: dict[str, str]) -> str:
    """Return the text of a file with every file it includes in its place; packages (.sty) are left out."""
    pieces: list[str] = []
    room = MAX_PAPER_CHARACTERS
    has_begun = False
    """Whether the body has: a document that is included there adds its own body only."""

    def add(name: str, active: tuple[str, ...]) -> None:
        nonlocal room, has_begun
        text = _take_body(texts[name]) if has_begun else texts[name]
        at = 0
        for match in _INPUT.finditer(text):
            target = _resolve_input(match, name, texts)
            pieces.append(text[at : match.start()])
            has_begun = has_begun or _BEGIN.search(pieces[-1]) is not None
            room -= match.start() - at
            at = match.end()
            if room <= 0:
                return
            if target is not None and target not in active and len(active) < MAX_INPUT_DEPTH:
                pieces.append("\n")
                add(target, (*active, target))
                pieces.append("\n")
        pieces.append(text[at:])
        has_begun = has_begun or _BEGIN.search(pieces[-1]) is not None
        room -= len(text) - at

    add(main, (main,))
    return "".join(pieces)[:MAX_PAPER_CHARACTERS]


def _take_body(text: str) -> str:
    """Return what a file adds that is included inside a body: of one that is a document itself, its body."""
    begin = _BEGIN.search(text)
    if begin is None:
        return text
    end = _END_DOCUMENT.search(text, begin.end())
    return text[begin.end() : end.start() if end is not None else len(text)]


def _find_styles(text: str, texts: dict[str, str]) -> list[str]:
    """Return the texts of the packages that a paper uses, and of those that these use, in this order."""
    left = [name for name in texts if name.endswith(".sty") and len(texts[name]) < 200_000]
    used: list[str] = []
    users = [text]
    while users and left:
        user = users.pop()
        for name in [name for name in left if _uses(user, name)]:
            left.remove(name)
            used.append(texts[name])
            users.append(texts[name])
    return used


def _uses(text: str, style: str) -> bool:
    name = re.escape(posixpath.basename(style).removesuffix(".sty"))
    pattern = rf"\\(?:usepackage|RequirePackage|input)\s*(?:\[[^\]]*\])?\s*\{{[^{{}}]*\b{name}\b"
    return re.search(pattern, text) is not None
