"""Choose the blocks of a page that are its main text, and write them down.

The cut that promises the best F1 is taken: blocks in the order of their probabilities, as many as make twice the
expected right bytes over the bytes taken and those expected in all largest. So a page of which little is sure, such as
a list of products, loses less than by a fixed threshold. Pages with a clear main text are read strictly, and a heading
of what is left out goes with it; others, such as lists, are read generously. Pages that state that they are articles
are read more strictly. What is held back before that is in `held_back.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import compress, takewhile
from operator import itemgetter

import numpy as np

from corpus.errors import UserError
from corpus.extract.html.blocks.block_model import BlockModel, Ints, read_model, squash
from corpus.extract.html.blocks.features import find_runs, measure_sizes
from corpus.extract.html.blocks.held_back import hold_back
from corpus.extract.html.blocks.page_blocks import UNMARKED, BlockKind, PageBlocks, fence_code, read_blocks
from corpus.extract.html.blocks.page_group import PageGroup
from corpus.extract.html.blocks.second_look import CERTAIN, expect
from corpus.extract.html.blocks.weights import MODEL_FILE
from corpus.extract.plain_text import clean_text
from corpus.garbage_collection import without_collection

MIN_TEXT_BYTES = 100
"""Bytes of text below which a page that states its article for machines is read by another extractor."""
MIN_CONFIDENCE = 0
"""Expected F1, in 1,024ths, below which a page is one that another extractor reads."""
MIN_BEGINNING = 24
"""Characters by which a long block is compared with what is written already."""
MAX_COMPARED = 64
"""Blocks before a long one that are looked for in it."""
MIN_REPEATED_BYTES = 400
"""Bytes of a block that is written once, though a page has it again: for a smaller screen, or for robots."""
MIN_TWIN_BYTES = 100
"""Bytes of a block that is written once, though a page has it again in elements of another path, as for a smaller
screen or in a quotation. In elements of the same path it may be the same step, question or warning once more."""
STRICTNESS, ARTICLE_STRICTNESS, CODE_STRICTNESS = 40, 56, -20
"""What is taken off logits, in 64ths, as long as the page has a clear main text; if it states that it is an article;
and of a page with code that does not: documentation, of which little is beside its text."""
MIN_CODE_BLOCKS = 3
"""Blocks of code from which a page has some."""
MAX_BETWEEN_CODE, MAX_BETWEEN = 10, 20
"""Blocks of code in a row, and any blocks in a row, that may stay because those before and behind them do."""
UNLIKELY_CODE, UNLIKELY_BETWEEN = -200, -60
"""Logits, in 64ths, up to which a block of code, and any other, does not stay so."""
UNLIKELY_SIBLING, UNLIKELY_ARTICLE_SIBLING = 0, -25
"""Logits, in 64ths, up to which a block does not stay with those beside it that it is like; on a page that states that
it is an article. Measured on sites not seen."""
MIN_SIBLINGS = 2
"""Blocks that stay, of those that are alike in an element, from which one beside them does."""
SOFT_BELOW, SOFTENED = 850, 54
"""Expected F1, in 1,024ths, below which a page has no clear main text, and how many 64ths of its logits are then taken.
Both, the strictness and the next were measured on sites not seen."""
ARTICLE_SOFT_BELOW, ARTICLE_SOFTENED = 670, 44
"""The same of a page that is stated to be an article."""
LONG_BYTES, FEW_LONG, GENEROSITY = 200, 137, 24
"""Bytes from which a block is long; share, in 1,024ths, of expected bytes in such blocks below which a page is one of
names and short lines; and what then is added to its logits, in 64ths."""
SURE_HEADING = 100
"""Logit, in 64ths, above which a heading stays though what follows it is left out."""
UNLIKELY_HEADING = -100
"""Logit, in 64ths, up to which a heading between two blocks that stay does not stay with them."""
LIKELY_HEADING, MAX_HEADING_GAP = 30, 3
"""Logit, in 64ths, above which a heading stays that has blocks which stay so near before it and behind it: a picture or
a link to another page may stand between. Of 700 in WCXB that were left out, six in seven are of the text."""
CODE_BONUS, ROW_BONUS = 256, 256
"""What is added to the logits, in 64ths, of code that says that it is code and of formulas, and of rows of tables
that are not mostly links. Pages with gold lose nothing by it."""
MIN_ROW = -140
"""Logit, in 64ths, below which rows are left where they are."""
_HEADING, _CODE, _ROW = int(BlockKind.HEADING), int(BlockKind.CODE), int(BlockKind.ROW)
_PROSE = (int(BlockKind.TEXT), int(BlockKind.ITEM))
"""As whole numbers, which are compared four times as fast."""
_CAPTION = "<caption"
_STATED = ("articleBody", "reviewBody")
_FIRST = itemgetter(0)
_BULLET = re.compile(r"\A(?:[•▪‣◦]\s*|[●■○➢➤➔❖·]\s+)(?=\S)")
"""A sign that the author of an item has set as well, where `- ` stands for it."""


@dataclass(frozen=True)
class BlocksText:
    """The text of a page (None if it has none), how sure it is, the expected F1 in 1,024ths, and the licences that the
    page states."""

    text: str | None
    confidence: int
    licenses: Sequence[str] = ()

    @property
    def is_sure(self) -> bool:
        """Return whether the text is good enough to stand; else another extractor is asked."""
        return self.confidence >= MIN_CONFIDENCE


@dataclass(slots=True)
class WalkedPage:
    """The blocks of a page, their bytes, and how likely each is main text, as logits in 64ths: None until asked for."""

    page: PageBlocks
    sizes: Ints
    logits: Ints | None = None


def extract_blocks_text(html: str, model: BlockModel | None = None, data: bytes | None = None) -> BlocksText:
    """Return the main text of a page; `data` is it in UTF-8, if that is at hand."""
    return write_page(html, walk_page(html, data), model)


def walk_page(html: str, data: bytes | None = None) -> WalkedPage:
    """Return the blocks of a page."""
    with without_collection():
        page = read_blocks(html, data)
        return WalkedPage(page, measure_sizes(page))


def estimate_pages(walked: Iterable[WalkedPage], model: BlockModel | None = None) -> None:
    """Estimate the blocks of pages at once: the same numbers as of each alone.

    Small pages take a third of the time.
    """
    pages = [each for each in walked if each.page.texts]
    if pages:
        group = PageGroup([each.page for each in pages], [each.sizes for each in pages])
        for each, logits in zip(pages, group.split((model or load_model()).estimate(group)), strict=True):
            each.logits = logits


def write_page(html: str, walked: WalkedPage, model: BlockModel | None = None) -> BlocksText:
    """Return the main text of a page of which the blocks are known."""
    page, sizes = walked.page, walked.sizes
    if not page.texts:
        return BlocksText(None, CERTAIN if len(html) < 1000 else 0, page.licenses)
    with without_collection():
        if walked.logits is None:
            estimate_pages([walked], model)
        assert walked.logits is not None
        joined = join_structures(page, walked.logits, sizes)
        logits = hold_back(page, joined, sizes)
        headings = find_headings(page)
        kept, confidence = choose_blocks(
            logits, sizes, headings, is_article=page.head.is_article, has_code=has_code(page)
        )
        kept = keep_siblings(page, keep_between(page, kept, logits), joined, joined - logits, sizes)
        kept = keep_likely_headings(keep_terms(page, kept), headings, logits)
        return BlocksText(clean_text(write_blocks(page, kept)) or None, confidence, page.licenses)


def is_stated_elsewhere(html: str, text: str | None) -> bool:
    """Return whether a page without text in its elements has it in its data for machines, which trafilatura reads."""
    return (text is None or len(text) < MIN_TEXT_BYTES) and any(name in html for name in _STATED)


def join_structures(page: PageBlocks, logits: Ints, sizes: Ints) -> Ints:
    """Return logits by which the rows of a table stand or fall together, with its caption, and code and formulas are
    nearer to what is around them.

    Little gold has code or tables of data: by itself, the network keeps the first rows of a table.
    """
    has_rows, has_code = _ROW in page.kinds, _CODE in page.kinds
    raised: list[int] = []
    if "$" in map(_FIRST, page.texts):
        raised = [at for at, text in enumerate(page.texts) if text[0] == "$" == text[-1] and len(text) > 2]
    if has_code:
        raised += [at for at, kind in enumerate(page.kinds) if kind == _CODE and page.marks[at] != " "]
    if not (has_rows or raised):
        return logits
    joined: Ints = logits.copy()
    for at in raised:
        joined[at] = logits[at] + CODE_BONUS
    if not has_rows:
        return joined
    for begin, end in find_runs(page.get_array("kinds") == _ROW):
        mean = (logits[begin:end] @ sizes[begin:end]) // sizes[begin:end].sum()
        unlinked = 4 * sum(page.linked[begin:end]) < sum(map(len, page.texts[begin:end]))
        joined[begin:end] = mean + ROW_BONUS * (unlinked and mean > MIN_ROW)
        for at in range(begin - 1, -1, -1):
            if not _is_in_caption(page, at):
                break
            joined[at] = max(joined[at], joined[begin])
    return joined


def _is_in_caption(page: PageBlocks, at: int) -> bool:
    """Return whether a block is the caption of a table, or a paragraph of one."""
    path = page.paths[at]
    around = page.path_parents[path]
    return page.path_tokens[path][0] == _CAPTION or (around >= 0 and page.path_tokens[around][0] == _CAPTION)


def find_headings(page: PageBlocks) -> list[bool]:
    """Return which blocks are headings of parts of a page: all but `h1`."""
    tokens = page.path_tokens
    return [
        kind == _HEADING and tokens[path][0] != "<h1"
        for kind, path in zip(page.kinds, page.paths, strict=True)
    ]


def has_code(page: PageBlocks) -> bool:
    """Return whether a page has code, or other text in `pre`, here and there."""
    return page.kinds.count(_CODE) >= MIN_CODE_BLOCKS


def choose_blocks(
    logits: Ints,
    sizes: Ints,
    headings: Sequence[bool] | None = None,
    *,
    is_article: bool = False,
    has_code: bool = False,
) -> tuple[list[int], int]:
    """Return the blocks to keep, in order, and the expected F1 in 1,024ths, by logits in 64ths.

    Where little can be expected, as of a list of products, the network is surer than it is right: then its logits are
    taken at `SOFTENED` of their size. Divisions of whole numbers below 2**53 are the same on every processor.
    """
    strictness = ARTICLE_STRICTNESS if is_article else CODE_STRICTNESS if has_code else STRICTNESS
    kept, score = _choose(logits, sizes, headings, is_article, strictness)
    return (keep_inner_headings(kept, headings, logits) if headings is not None else kept), score


def _choose(
    logits: Ints, sizes: Ints, headings: Sequence[bool] | None, is_article: bool, strictness: int
) -> tuple[list[int], int]:
    kept, score = _cut(squash(logits - strictness), sizes)
    if score >= (ARTICLE_SOFT_BELOW if is_article else SOFT_BELOW):
        return drop_bare_headings(kept, headings, logits) if headings is not None else kept, score
    if is_article:
        return _cut(squash(logits * ARTICLE_SOFTENED // 64), sizes)
    expected = squash(logits) * sizes
    soft = logits * SOFTENED // 64
    if CERTAIN * int(expected[sizes > LONG_BYTES].sum()) < FEW_LONG * int(expected.sum()):
        soft += GENEROSITY
    return _cut(squash(soft), sizes)


def keep_between(page: PageBlocks, kept: list[int], logits: Ints) -> list[int]:
    """Return blocks with what stands between two of them: code, and on pages that do not state that they are articles
    blocks of the same elements of which most stay, if they are not unlikely."""
    stays = np.zeros(len(page.texts), bool)
    stays[kept] = True
    code = (page.get_array("kinds") == _CODE) & (logits > UNLIKELY_CODE)
    if page.head.is_article:
        fits = np.zeros(len(stays), bool)
    else:
        paths = page.get_array("paths")
        count = len(page.path_tokens)
        chosen, every = np.bincount(paths[kept], minlength=count), np.bincount(paths, minlength=count)
        fits = (logits > UNLIKELY_BETWEEN) & ((chosen > 1) & (2 * chosen >= every))[paths]
    for begin, end in find_runs(~stays):
        if begin == 0 or end == len(stays):
            continue
        is_code = end - begin <= MAX_BETWEEN_CODE and code[begin:end].all()
        if is_code or (end - begin <= MAX_BETWEEN and fits[begin:end].all()):
            stays[begin:end] = True
    result: list[int] = stays.nonzero()[0].tolist()
    return result


def keep_siblings(page: PageBlocks, kept: list[int], logits: Ints, held: Ints, sizes: Ints) -> list[int]:
    """Return blocks with the paragraphs and items right beside them that are like them: in the same element, of the
    same path, not unlikely, no links, and as much held back (`held`).

    What mostly stands behind the last paragraphs of an article is about its author, so the network is less sure of
    these. At least `MIN_SIBLINGS` of those that are alike stay already, and half of their bytes.
    """
    stays = np.zeros(len(page.texts), bool)
    stays[kept] = True
    least = UNLIKELY_ARTICLE_SIBLING if page.head.is_article else UNLIKELY_SIBLING
    paths, kinds, elements, parents = page.paths, page.kinds, page.elements, page.parents

    def is_like(at: int, beside: int) -> bool:
        return (
            paths[at] == paths[beside]
            and kinds[at] in _PROSE
            and parents[elements[at]] == parents[elements[beside]]
            and logits[at] > least
            and held[at] == held[beside]
            and 10 * page.linked[at] < 3 * len(page.texts[at])
        )

    @cache
    def sort_paths() -> tuple[Ints, Ints, Ints]:
        order = np.argsort(page.get_array("paths"), kind="stable")
        sums = np.zeros((3, len(order) + 1), np.int64)
        np.cumsum([stays[order], (stays * sizes)[order], sizes[order]], axis=1, out=sums[:, 1:])
        return order, page.get_array("paths")[order], sums

    @cache
    def are_kept(path: int, around: int) -> bool:
        order, in_order, sums = sort_paths()
        first, last = np.searchsorted(in_order, [path, path + 1])
        inside = (page.begins[around], page.ends[around]) if around >= 0 else (0, len(order))
        begin, end = first + np.searchsorted(order[first:last], inside)
        count, chosen, alike = sums[:, end] - sums[:, begin]
        return bool(count >= MIN_SIBLINGS and 2 * chosen >= alike)

    added: list[int] = []
    for begin, end in find_runs(~stays):
        for beside, run in ((begin - 1, range(begin, end)), (end, range(end - 1, begin - 1, -1))):
            if 0 <= beside < len(stays):
                alike = list(takewhile(partial(is_like, beside=beside), run))
                if alike and are_kept(paths[beside], parents[elements[beside]]):
                    added += alike
    return sorted({*kept, *added}) if added else kept


def keep_terms(page: PageBlocks, kept: list[int]) -> list[int]:
    """Return blocks with the terms before definitions that stay, without which nobody knows what is defined.

    A link is no term.
    """
    tags = [tokens[0] for tokens in page.path_tokens]
    if "<dt" not in tags or "<dd" not in tags:
        return kept
    parts: list[str] = []  # of lists of definitions, by paths
    for tag, parent in zip(tags, page.path_parents, strict=True):
        parts.append(tag if tag in ("<dt", "<dd", "<dl") or parent < 0 else parts[parent])
    part_of = [parts[path] for path in page.paths]
    stays = set(kept)
    for at in kept:
        before = at - 1
        while part_of[at] == "<dd" and before >= 0 and part_of[before] == "<dt" and before not in stays:
            if 2 * page.linked[before] < len(page.texts[before]):
                stays.add(before)
            before -= 1
    return sorted(stays)


def keep_inner_headings(kept: list[int], headings: Sequence[bool], logits: Ints) -> list[int]:
    """Return blocks with the headings between two of them, if these are not quite unlikely."""
    chosen = set(kept)
    inner = [
        at + 1
        for at in kept
        if at + 2 in chosen
        and at + 1 not in chosen
        and headings[at + 1]
        and logits[at + 1] > UNLIKELY_HEADING
    ]
    return sorted([*kept, *inner]) if inner else kept


def keep_likely_headings(kept: list[int], headings: Sequence[bool], logits: Ints) -> list[int]:
    """Return blocks with the likely headings that have some of them near before and near behind them."""
    chosen = set(kept)
    added = [
        at
        for at in compress(range(len(headings)), headings)
        if at not in chosen
        and logits[at] > LIKELY_HEADING
        and not chosen.isdisjoint(range(at - MAX_HEADING_GAP, at))
        and not chosen.isdisjoint(range(at + 1, at + 1 + MAX_HEADING_GAP))
    ]
    return sorted([*kept, *added]) if added else kept


def drop_bare_headings(kept: list[int], headings: Sequence[bool], logits: Ints) -> list[int]:
    """Return blocks without the headings, not quite sure ones, of what is not among them: `See also`, a menu's name."""
    chosen = set(kept)
    for at in reversed(kept):
        if headings[at] and at + 1 not in chosen and logits[at] <= SURE_HEADING:
            chosen.discard(at)
    return sorted(chosen) or kept


def _cut(estimates: Ints, sizes: Ints) -> tuple[list[int], int]:
    return expect(estimates, sizes)


def write_blocks(page: PageBlocks, kept: list[int]) -> str:
    """Return blocks as lines: items of lists with `- `, but for definitions in prose; rows of tables between bars, code
    between fences. What a page has twice, as for a smaller screen, is written once."""
    lines: list[str] = []
    written: list[str] = []
    beginnings: dict[str, int] = {}
    firsts: dict[str, int] = {}
    before = -1
    for at in kept:
        text, mark = page.texts[at], page.marks[at]
        if len(text) >= MIN_BEGINNING:
            first = firsts.setdefault(text, at)
            if first != at and _is_twin(page, first, before, at):
                continue
            if _has_bytes(text, MIN_REPEATED_BYTES) and _is_written(text, written, beginnings):
                continue
            beginnings.setdefault(text[:MIN_BEGINNING], len(written))
            written.append(text)
        if page.kinds[at] == _CODE:
            lines.append(text if mark == " " else fence_code(text, mark))
        else:
            lines.append(text if not mark or mark == UNMARKED else mark + _BULLET.sub("", text))
        before = at
    return "\n".join(lines)


def _is_twin(page: PageBlocks, first: int, before: int, at: int) -> bool:
    """Return whether a block is one that is written already once more: right behind it, or in elements of another path.

    Code and rows may say the same twice, and a heading the same as an item of a list of contents.
    """
    text, kind = page.texts[at], page.kinds[at]
    if kind in (_CODE, _ROW):
        return False
    others = [before] if page.texts[before] == text else []
    if page.paths[first] != page.paths[at] and _has_bytes(text, MIN_TWIN_BYTES):
        others.append(first)
    return any((page.kinds[other] == _HEADING) == (kind == _HEADING) for other in others)


def _has_bytes(text: str, count: int) -> bool:
    """Return whether a text has so many bytes, or more."""
    return len(text) >= count or (4 * len(text) >= count and len(text.encode("utf-8", "replace")) >= count)


def _is_written(text: str, written: list[str], beginnings: dict[str, int]) -> bool:
    """Return whether most of a long block is in the blocks before it: the same once more, or all of them in one."""
    first = beginnings.get(text[:MIN_BEGINNING])
    if first is None:
        return False
    earlier = dict.fromkeys(written[first : first + MAX_COMPARED])
    return 4 * sum(len(block) for block in earlier if block in text) >= 3 * len(text)


@cache
def load_model() -> BlockModel:
    """Return the model of this package, read once. Raises UserError if the package lacks it."""
    if not MODEL_FILE.exists():
        raise UserError(f"{MODEL_FILE}: no weights: `corpus model train extractor` makes them")
    return read_model(MODEL_FILE.read_bytes(), str(MODEL_FILE))
