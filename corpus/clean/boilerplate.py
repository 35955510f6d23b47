"""Find whole lines that the lists of a language name: menus, consent, sharing, filings and the like."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, takewhile, zip_longest

from corpus.clean.boilerplate_lists import (
    DECORATION,
    MAX_LINE_CHARACTERS,
    MAX_UNFOLDED_CHARACTERS,
    LineLists,
    fold_text,
    lists_of,
)

MIN_NEAR = 3
"""Different lines in a row that each need others beside them: so many are enough for each other."""
MIN_SENTENCE = 40
"""Characters of a line that could be a sentence."""
MIN_LONG = 60
"""Characters of a line that is longer than those of menus, and than most of verse."""
MAX_END_LINES = 8
MIN_PAGE_LINES = 10
"""Lines of a text that has an edge where menus stand: a shorter one is a poem, or a note."""
EDGE_LINES = 4
"""Lines at each end of such a text."""
_FENCE = "```"
_SPEECH = re.compile('\\s*[-–—]?\\s*[„“"«「『‘‚]')
_ARROWS = frozenset("›»→≫❯➔➤>")
_LINK = re.compile(
    r"\s*(?![-–•*] .{25})(?:[^«»‹“\"<>|{}=;#$\n]{2,40}\s[›»→≫❯➔➤]|[\u3040-\u9fff\uac00-\ud7af]{2,16}\s?>>)\s*"
)
"""A line with an arrow behind it, and no other sign of a quotation in it."""
_OPENED, _CLOSED = re.compile("[«‹]"), re.compile("[»›]")
MAX_QUOTED_LINES = 8
"""Lines above one with an arrow in which a quotation may have been opened."""
_COUNT = re.compile(r" ?[(\[（【]? ?0 ?[)\]）】]?$")
_PARTS = re.compile(r"\s*[|｜¦•·・»›>→]\s*|\s+[-–/]\s+|\s{2,}")
_JOINTS = re.compile("[|｜¦•·・»›>→/–-]")
_HEAD = re.compile("([^:：»>|]{4,60})[:：»>|](?! ?[»›”])(?=.{4})")
_HEAD_END = re.compile("[:：»>|]")
_SENTENCE_ENDS = (".", "。")
_UNSPACED = re.compile("[\u3040-\u9fff] [\u3040-\u9fff]")
_ITEM_ENDS = frozenset(";；؛,，、،")
_CLAUSE_ENDS = frozenset(".:")
_NO_LABEL = re.compile(
    r" *(?:\||/\w|//|/\*|#[# !]|>>> |\*\w|<\w|[，。、；：）]|['\"][^'\"]*['\"] ?:"
    r"|(?:[-•*] *)?\d{1,2}(?:\.\d{1,2})+ +(?!out|of|stars?|von|sur|de)[^\W\d])"
)
"""What lines begin with, or are, that are of code, tables or numbered headings, or go on from a line above."""
_ROW = re.compile(r"[^|]*\w {2,}\|")
_COUNT_ENDS = frozenset("0)]）】")
_RIGHTS = re.compile(
    r"copyright|reserved|rights?\b|rechte?\b|vorbehalten|droits|derechos|direitos|diritti|riservata|prawa|прав|حقوق|अधिकार|δικαιώμ|ophavsret"
    r"|版权|版權|权利|權利|著作権|転載|저작권|무단|สงวน|bản quyền|hakları|hak cipta"
)
"""Words of a notice of rights, folded."""
_PICTURE = re.compile(
    r"\b(?:fotos?|photos?|photograph(?:er|y|s)?|fotograf\w*|bild(?:er|nachweis|quelle)?|imagen?|images?|pictures?|ảnh|fotoğraf\w*)\b"
    r"|pixabay|pexels|unsplash|shutterstock|istock|alamy|ullstein|wikimedia|getty"
    r"|\b(?:afp|ap|dpa|epa|epd|kna|efe|ansa|apa|keystone|reuters|tass|xinhua|yonhap|kyodo|zuma)\b"
    r"|фото|тасс|риа новости|图片|圖片|图源|圖源|[图圖] ?[:：/／|]|摄影|攝影|[/／| ][摄攝]|写真|撮影|新华社"
    r"|사진|صورة|तस्वीर|फोटो|ภาพ"
)
"""What the credit of a picture has, folded: a word for it, or who sells them."""
_LICENCE = re.compile(
    r"permission is (?:hereby )?granted|redistribution and use|redistribute it"
    r"|without (?:(?:any|even)? ?(?:the )?(?:implied )?)?warranty|gnu (?:general|lesser|affero|free)"
    r"|free software|free documentation licen[cs]e|freie software|logiciel libre|software (?:libre|livre)"
    r"|свободн\w+ программ|自由软件|自由軟體|フリーソフトウェア|자유 소프트웨어|البرمجيات الحرة|मुक्त सॉफ्टवेयर"
    r"|ซอฟต์แวร์เสรี|phần mềm tự do|özgür yazılım|perangkat lunak bebas"
)
"""What texts of licences say in the lines around the notice of rights that is a part of them, folded."""
LICENCE_LINES = 6
"""Lines below and above such a notice in which they say it."""


def find_boilerplate(
    text: str, language: str | None, classes: Collection[str]
) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, class) of lines that a language's lists name, in characters, without blanks at their ends.

    A line is named by itself, as words that all are named with marks between them, as made of the words of interfaces,
    with an arrow at its end, as a listed heading of other pages with one of them behind it, or, if it is named for its
    neighbourhood, beside another such line. Rows of tables, code, paths, and lines that go on are none. Cost: .4 ms for
    a page of 5 KB.
    """
    lines = text.split("\n")
    folded = _fold_short_lines(lines)
    for at in _list_fenced(lines) if _FENCE in text else ():
        folded[at] = None
    classes_of = _find_classes(lines, folded, lists_of(language))
    if not classes_of:
        return
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for at, kind in sorted(classes_of.items()):
        if kind in classes:
            line = lines[at]
            first = starts[at] + len(line) - len(line.lstrip())
            yield first, first + len(line.strip()), kind


def _fold_short_lines(lines: Sequence[str]) -> list[str | None]:
    """Return lines folded, without decoration; None for those that are too long to be in a list, or are no labels."""
    short = [at for at, line in enumerate(lines) if len(line) <= MAX_UNFOLDED_CHARACTERS]
    folded: list[str | None] = [None] * len(lines)
    joined = fold_text("\n".join(map(lines.__getitem__, short)))
    for at, line in zip(short, joined.split("\n"), strict=False):
        bare = line.strip(DECORATION)
        folded[at] = None if bare and _is_no_label(lines[at]) else bare
    return folded


def _list_fenced(lines: Sequence[str]) -> Iterator[int]:
    """Yield the places of lines between fences of code."""
    fences = [at for at, line in enumerate(lines) if line.lstrip().startswith(_FENCE)]
    for first, last in zip_longest(fences[::2], fences[1::2], fillvalue=len(lines) - 1):
        yield from range(first, last + 1)


def _is_no_label(line: str) -> bool:
    """Return whether a line is the row of a table, one of a sentence over several lines, code, or a path."""
    line = line.strip()
    if line[-1:] in _ITEM_ENDS or _NO_LABEL.match(line) is not None:
        return True
    if "|" in line and _ROW.match(line) is not None:
        return True
    return line[:1].islower() and line[-1:] in _CLAUSE_ENDS and line[-2:] != ".."


def _find_classes(lines: Sequence[str], folded: Sequence[str | None], lists: LineLists) -> dict[int, str]:
    """Return the classes of the lines that are boilerplate, by their places; `folded` are the same lines."""
    strong: dict[int, str] = {}
    weak: dict[int, str] = {}
    seen: dict[str, tuple[str | None, str | None]] = {}
    for at, line in enumerate(folded):
        if not line or len(line) > MAX_LINE_CHARACTERS:
            continue
        written = lines[at]
        if written not in seen:
            seen[written] = _judge_line(line, written, lists)
        kind, near = seen[written]
        if kind is not None:
            strong[at] = kind
        elif near is not None:
            if _SPEECH.match(lines[at]) is None:
                weak[at] = near
        elif lines[at].rstrip()[-1:] in _ARROWS and _is_link(lines, at):
            strong[at] = "read_more"
        elif _heads_other_page(line, lists) and not lines[at].rstrip().endswith(_SENTENCE_ENDS):
            strong[at] = "related"
    for at in [at for at, kind in strong.items() if kind == "copyright" and _is_in_licence(lines, at)]:
        del strong[at]
    if weak:
        strong |= _find_supported(lines, folded, strong, weak)
    return strong


def _judge_line(line: str, written: str, lists: LineLists) -> tuple[str | None, str | None]:
    """Return the class of a folded line by itself, or else that which it has beside others; None for neither."""
    kind = lists.find_class(line)
    if kind is None and not line.isascii() and _UNSPACED.search(line):
        kind = lists.find_class(line.replace(" ", ""))
    if kind is None and line[-1] in _COUNT_ENDS:
        line = _COUNT.sub("", line).strip(DECORATION)
        kind = lists.find_class(line) if line else None
    if kind is None and _JOINTS.search(line):
        parts = [part.strip(DECORATION) for part in _PARTS.split(line)]
        parts = [part for part in parts if part and part != "0"]
        kinds = [lists.lines.get(part) or lists.near.get(part) for part in parts]
        if len(kinds) > 1 and all(kinds):
            return kinds[0], None
    if kind == "copyright" and "©" in line and _RIGHTS.search(line) is None:
        if _PICTURE.search(line) is not None:
            return None, None
        if "0" not in line:
            return None, kind
    near = lists.near.get(line) if kind is None else None
    if kind is None and near is None:
        kind = lists.words.find_class(line, written)
    return kind, near


def _is_in_licence(lines: Sequence[str], at: int) -> bool:
    """Return whether the lines around one are of the text of a licence, or of a program's or manual's terms."""
    around = lines[max(0, at - LICENCE_LINES) : at + LICENCE_LINES + 1]
    return _LICENCE.search(" ".join(around).casefold()) is not None


def _is_link(lines: Sequence[str], at: int) -> bool:
    """Return whether a line is one with an arrow behind it, and not a step that leads to the next line."""
    if _LINK.fullmatch(lines[at]) is None:
        return False
    beside = (*lines[max(0, at - 2) : at], *lines[at + 1 : at + 3])
    if any(each.rstrip().endswith("→") for each in beside):
        return False
    line = lines[at].rstrip()
    if line.endswith("→"):
        below = lines[at + 1].strip() if at + 1 < len(lines) else ""
        return not below or len(below) >= MIN_SENTENCE
    if line.endswith(("»", "›")):
        above = "\n".join(lines[max(0, at - MAX_QUOTED_LINES) : at])
        return len(_OPENED.findall(above)) <= len(_CLOSED.findall(above))
    return True


def _heads_other_page(line: str, lists: LineLists) -> bool:
    """Return whether a line is a listed heading of other pages, and behind it what could be the title of one."""
    match = _HEAD.match(line) if _HEAD_END.search(line, 4) is not None else None
    return match is not None and lists.lines.get(match[1].strip(DECORATION)) == "related"


def _find_supported(
    lines: Sequence[str], folded: Sequence[str | None], strong: dict[int, str], weak: dict[int, str]
) -> Iterator[tuple[int, str]]:
    """Yield those of the `weak` lines that stand in a row with a strong one, or with enough of their kind.

    Empty lines do not end a row. The last line of two with a sentence right below it is the heading of that; one at the
    end of a text is the heading of nothing, and so are others among the short lines there with a strong one, and those
    at both edges of a longer text that have no sentence below them.
    """
    yield from _find_at_end(lines, strong, weak)
    yield from _find_at_edges(lines, weak)
    row: list[int] = []
    rows = [row]
    for at, line in enumerate(folded):
        if at in strong or at in weak:
            row.append(at)
        elif line != "":
            row = []
            rows.append(row)
    for row in rows:
        different = len({folded[at] for at in row})
        if different < MIN_NEAR and row and _heads_text(lines, row[-1]):
            row = row[:-1]
        if different >= MIN_NEAR or any(at in strong for at in row):
            yield from ((at, weak[at]) for at in row if at in weak)


def _find_at_end(
    lines: Sequence[str], strong: dict[int, str], weak: dict[int, str]
) -> Iterator[tuple[int, str]]:
    """Yield those of the `weak` lines that stand below the last long line, with a strong one or as the last."""
    written = [at for at in range(len(lines) - 1, -1, -1) if lines[at].strip()][: MAX_END_LINES + 1]
    end = list(takewhile(lambda at: len(lines[at]) < MIN_LONG, written))
    if not end or len(end) == len(written):
        return
    if any(at in strong for at in end):
        yield from ((at, weak[at]) for at in end if at in weak and not _heads_text(lines, at))
    elif end[0] in weak and len(end) == 1:
        yield end[0], weak[end[0]]


def _find_at_edges(lines: Sequence[str], weak: dict[int, str]) -> Iterator[tuple[int, str]]:
    """Yield those of the `weak` lines that are among the first or last of a text, and have no sentence below them."""
    written = [at for at, line in enumerate(lines) if line.strip()]
    if len(written) < MIN_PAGE_LINES:
        return
    lengths = [*(len(lines[at]) for at in written[1:]), 0]
    pairs = list(zip(written, lengths, strict=True))
    for at, length_below in (*pairs[:EDGE_LINES], *pairs[-EDGE_LINES:]):
        if at in weak and length_below < MIN_SENTENCE:
            yield at, weak[at]


def _heads_text(lines: Sequence[str], at: int) -> bool:
    """Return whether what could be a sentence stands right below a line."""
    return at + 1 < len(lines) and len(lines[at + 1]) >= MIN_SENTENCE
