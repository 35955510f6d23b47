"""Assemble a paper's TeX as one text: find the main file, insert the others where it includes them, remove comments.

Only files of the submission are read, by name; cycles, depth and length are bounded. Bytes are decoded by
what the paper declares (`inputenc`, `CJK`) and what they look like; a file that cannot be read costs only itself.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

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
TEXT_CHECK_BYTES = 4096
_BINARY = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1a\x1b")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NEWLINE = re.compile(r"\r\n?")

_LITERAL = "verbatim|Verbatim|lstlisting|minted|alltt|BVerbatim|LVerbatim|spverbatim|listing"
_HIDDEN = "comment|filecontents"
_COMMENT = re.compile(
    r"\\[\\%]|%[^\n]*(?:\n[ \t]*)?|\\verb(?![A-Za-z])\*?([^A-Za-z\s*])"
    rf"|\\begin\s*\{{({_LITERAL}|{_HIDDEN})(\*?)\}}|\\(iffalse|if0)(?![A-Za-z])|\\(endinput)(?![A-Za-z])"
)
_LITERAL_NAMES = frozenset(_LITERAL.split("|"))
MAX_CONDITION_CHARACTERS = 500_000
"""Characters that a condition may hide."""
_CONDITION = re.compile(r"\\(if(?:[A-Za-z@]*)|fi|else)(?![A-Za-z@])")
_LITERAL_OPTIONS = re.compile(r"[ \t]*(?:\[[^\]\n]*\])?[ \t]*(?:\{[\w+#-]*\})?[ \t]*\n?")
_INPUT = re.compile(
    r"\\(?:input|include|subfile|subfileinclude|InputIfFileExists|import|subimport|inputfrom|includefrom)(?![A-Za-z@])\*?"
    r"(?:\s*\{([^{}\n]{1,200})\}(?:[ \t]*\{([^{}\n]{1,200})\})?|[ \t]+([^\s\\{}%]{1,200}))"
)
_TWO_PARTS = ("\\import", "\\subimport", "\\inputfrom", "\\includefrom")
_CLASS = re.compile(r"\\document(?:class|style)(?![A-Za-z])")
_BEGIN = re.compile(r"\\begin\s*\{document\}")
_PLAIN = re.compile(
    r"\\(?:bye|magnification|documentstyle|topmatter|beginsection|centerline|section|hsize|nopagenumbers|title|chapter)"
    r"(?![A-Za-z])|\\input\s+(?:amstex|harvmac|phyzzx|lanlmac|amsppt|jnl|mssymb|epsf)|\\begin\s*\{"
)
_NO_MAIN = (".sty", ".cls", ".bbl", ".bst", ".clo", ".def", ".fd", ".cfg", ".ind", ".gls", ".txt", ".md")


@dataclass(slots=True)
class PaperSource:
    """Hold a paper's TeX: its text with marks, and what the marks stand for."""

    text: str
    aside: list[str]
    styles: list[str] = field(default_factory=list)
    """Texts of the packages that come with it."""


def assemble_source(files: dict[str, bytes]) -> PaperSource | None:
    """Return the text of the paper in these files; None if nothing looks like TeX.

    Raises SubmissionError if it is longer than `MAX_PAPER_CHARACTERS`.
    """
    declared = find_declared_encoding(files)
    aside: list[str] = []
    texts = {
        name: strip_comments(decode_tex(data, declared), aside)
        for name, data in sorted(files.items())
        if is_text(data)
    }
    text = _choose_main_text(texts)
    if text is None:
        return None
    if len(text) >= MAX_PAPER_CHARACTERS:
        raise SubmissionError(
            f"{MAX_PAPER_CHARACTERS} characters of TeX or more, with everything that is included"
        )
    styles = [
        texts[name]
        for name in texts
        if name.endswith(".sty") and len(texts[name]) < 200_000 and _uses(text, name)
    ]
    return PaperSource(text, aside, styles)


def find_declared_encoding(files: dict[str, bytes]) -> str | None:
    """Return what the first declaration in any file names, as a charset label of the web."""
    for _, data in sorted(files.items()):
        for match in _DECLARED.finditer(data[: 1 << 20]):
            name = next(group for group in match.groups() if group).decode("ascii", "replace").lower()
            return _ENCODINGS.get(name, name)
    return None


def decode_tex(data: bytes, declared: str | None) -> str:
    """Return the text of a file, with `\\n` for every line end and without control characters."""
    text = decode(data, declared, html=False)[0]
    if "\r" in text:
        text = _NEWLINE.sub("\n", text)
    return _CONTROLS.sub("", text)


def strip_comments(text: str, aside: list[str]) -> str:
    """Return TeX without comments and what conditions hide; verbatim text becomes numbered marks.

    Only the comment itself is removed: the character before `%` is kept, and so is `\\%`.
    """
    pieces: list[str] = []
    at, in_vain = 0, -1
    while match := _COMMENT.search(text, at):
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
            aside.append(text[end:close])
            pieces.append(f"{INLINE_MARK}{len(aside) - 1}{INLINE_MARK}")
            end = close + 1
        elif match[2]:
            closing = f"\\end{{{match[2]}{match[3]}}}"
            close = text.find(closing, end)
            if close < 0:
                at = end
                continue
            if match[2] in _LITERAL_NAMES:
                options = _LITERAL_OPTIONS.match(text, end)
                begin = min(options.end() if options else end, close)
                aside.append("\n".join(line.rstrip() for line in text[begin:close].strip("\n").split("\n")))
                pieces.append(f"\n{BLOCK_MARK}{len(aside) - 1}{BLOCK_MARK}\n")
            end = close + len(closing)
        elif match[4]:
            close = _find_condition_end(text, end) if end > in_vain else -1
            in_vain = max(in_vain, end + MAX_CONDITION_CHARACTERS) if close < 0 else in_vain
            end = max(end, close)
        else:
            return "".join(pieces)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _find_condition_end(text: str, at: int) -> int:
    """Return where the text that `\\iffalse` hides ends: behind its `\\fi` or `\\else`; -1 if neither follows."""
    depth = 0
    for match in _CONDITION.finditer(text, at, at + MAX_CONDITION_CHARACTERS):
        if match[1] == "fi":
            if depth == 0:
                return match.end()
            depth -= 1
        elif match[1] == "else":
            if depth == 0:
                return match.end()
        else:
            depth += 1
    return -1


def is_text(data: bytes) -> bool:
    """Return whether bytes can be TeX: hardly any control characters at their beginning."""
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

    def add(name: str, active: tuple[str, ...]) -> None:
        nonlocal room
        text = texts[name]
        at = 0
        for match in _INPUT.finditer(text):
            target = _resolve_input(match, name, texts)
            pieces.append(text[at : match.start()])
            room -= match.start() - at
            at = match.end()
            if room <= 0:
                return
            if target is not None and target not in active and len(active) < MAX_INPUT_DEPTH:
                pieces.append("\n")
                add(target, (*active, target))
                pieces.append("\n")
        pieces.append(text[at:])
        room -= len(text) - at

    add(main, (main,))
    return "".join(pieces)[:MAX_PAPER_CHARACTERS]


def _uses(text: str, style: str) -> bool:
    name = posixpath.basename(style).removesuffix(".sty")
    return re.search(rf"\\usepackage\s*(?:\[[^\]]*\])?\s*\{{[^{{}}]*\b{re.escape(name)}\b", text) is not None
