"""Choose the blocks of a page that are its main text, and write them down.

The cut that promises the best F1 is taken: blocks in the order of their probabilities, as many as make twice the
expected right bytes over the bytes taken and those expected in all largest. So a page of which little is sure, such as
a list of products, loses less than by a fixed threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpus.errors import UserError
from corpus.extract.html.blocks.block_model import CERTAIN, BlockModel, Ints, read_model, squash
from corpus.extract.html.blocks.features import measure_sizes
from corpus.extract.html.blocks.page_blocks import BlockKind, PageBlocks, fence_code, read_blocks
from corpus.extract.plain_text import clean_text
from corpus.extract.process.budgets import measure_nesting

MODEL_FILE = Path(__file__).with_name("extractor.npz")
MAX_DEPTH = 1_000
"""Levels of tags that lexbor is given: its time grows with their square, 2 ms for these, 4 s for 50,000."""
MAX_OPEN_TAGS = 3_000
"""Tags up to which a page is parsed without a look at how deep they are."""
MIN_TEXT_BYTES = 100
"""Bytes of text below which a page that states its article for machines is read by another extractor."""
MIN_CONFIDENCE = 0
"""Expected F1, in 1,024ths, below which a page is one that another extractor reads."""
MIN_REPEATED_CHARACTERS = 400
"""Characters of a block that is written once, though a page has it again: for a smaller screen, or for robots."""
SOFT_BELOW, SOFTENED = 870, 45
"""Expected F1, in 1,024ths, below which logits are softened, and by how many 64ths: measured on sites not seen, this
costs pages with known pieces .004 and gives lists, collections and services .01 to .02."""
MENU_PENALTY = 192
"""What is taken off the logits, in 64ths, of links in a `nav`."""
_NAVIGATION = frozenset(("<nav", "=navigation"))
_STATED = ("articleBody", "reviewBody")


@dataclass(frozen=True)
class BlocksText:
    """The text of a page (None if it has none), and how sure it is: the expected F1 in 1,024ths."""

    text: str | None
    confidence: int

    @property
    def is_sure(self) -> bool:
        """Return whether the text is good enough to stand; else another extractor is asked."""
        return self.confidence >= MIN_CONFIDENCE


def is_too_deep(html: str) -> bool:
    """Return whether a page nests deeper than lexbor is fast. Pages of few tags cost two looks at the source."""
    if html.count("<") - html.count("</") <= MAX_OPEN_TAGS:
        return False
    data = html.encode("utf-8", "replace")
    codes = np.frombuffer(data, np.uint8)
    following = codes[np.flatnonzero(codes[:-1] == ord("<")) + 1]
    steps = np.where(
        following == ord("/"), -1, (following | 0x20 >= ord("a")) & (following | 0x20 <= ord("z"))
    )
    depths = np.cumsum(steps)
    # How far it climbs above where it has been: end tags without a beginning lower it for nothing.
    climbed = int((depths - np.minimum.accumulate(np.minimum(depths, 0))).max(initial=0))
    return climbed > MAX_DEPTH and measure_nesting(data) > MAX_DEPTH


def extract_blocks_text(html: str, model: BlockModel | None = None) -> BlocksText:
    """Return the main text of a page."""
    page = read_blocks(html)
    if not page.texts:
        return BlocksText(None, CERTAIN if len(html) < 1000 else 0)
    sizes = measure_sizes(page)
    logits = (model or load_model()).estimate(page, sizes) - MENU_PENALTY * find_menus(page)
    kept, confidence = choose_blocks(logits, sizes)
    return BlocksText(clean_text(write_blocks(page, kept)) or None, confidence)


def is_stated_elsewhere(html: str, text: str | None) -> bool:
    """Return whether a page without text in its elements has it in its data for machines, which trafilatura reads."""
    return (text is None or len(text) < MIN_TEXT_BYTES) and any(name in html for name in _STATED)


def find_menus(page: PageBlocks) -> npt.NDArray[np.bool_]:
    """Return which blocks are links in a `nav`, or what says that it is one: on small pages little else tells them."""
    inside: list[bool] = []
    for tokens, parent in zip(page.path_tokens, page.path_parents, strict=True):
        inside.append((parent >= 0 and inside[parent]) or not _NAVIGATION.isdisjoint(tokens))
    linked, lengths = np.array(page.linked), np.fromiter(map(len, page.texts), np.int64, len(page.texts))
    menus: npt.NDArray[np.bool_] = np.array(inside)[page.paths] & (10 * linked >= 7 * lengths)
    return menus


def choose_blocks(logits: Ints, sizes: Ints) -> tuple[list[int], int]:
    """Return the blocks to keep, in order, and the expected F1 in 1,024ths, by logits in 64ths.

    Where little can be expected, as of a list of products, the network is surer than it is right: then its logits are
    taken at `SOFTENED` of their size. Divisions of whole numbers below 2**53 are the same on every processor.
    """
    kept, score = _cut(squash(logits), sizes)
    if score < SOFT_BELOW:
        kept, score = _cut(squash(logits * SOFTENED // 64), sizes)
    return kept, score


def _cut(estimates: Ints, sizes: Ints) -> tuple[list[int], int]:
    order = np.argsort(-estimates, kind="stable")
    right = np.cumsum((estimates * sizes)[order])
    scores = 2 * right / (CERTAIN * np.cumsum(sizes[order]) + max(1, right[-1]))
    best = int(np.argmax(scores))
    return sorted(order[: best + 1].tolist()), int(scores[best] * CERTAIN)


def write_blocks(page: PageBlocks, kept: list[int]) -> str:
    """Return blocks as lines: items of lists with `- `, rows of tables between bars, code between fences."""
    lines = []
    long: set[str] = set()
    for at in kept:
        text, mark = page.texts[at], page.marks[at]
        if len(text) >= MIN_REPEATED_CHARACTERS:
            if text in long:
                continue
            long.add(text)
        if page.kinds[at] == BlockKind.CODE:
            lines.append(text if mark == " " else fence_code(text, mark))
        else:
            lines.append(mark + text if mark else text)
    return "\n".join(lines)


@cache
def load_model() -> BlockModel:
    """Return the model of this package, read once. Raises UserError if the package lacks it."""
    if not MODEL_FILE.exists():
        raise UserError(f"{MODEL_FILE}: no weights: `corpus model train extractor` makes them")
    return read_model(MODEL_FILE.read_bytes(), str(MODEL_FILE))
