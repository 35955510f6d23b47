"""Turn gold pages into examples to learn from: features, tokens, labels and weights of every block."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_diag, csr_matrix, hstack, vstack

from corpus.extract.html.blocks.block_model import BlockModel, Floats, squash
from corpus.extract.html.blocks.element_tokens import Tokens
from corpus.extract.html.blocks.features import (
    CASE_FEATURES,
    END_FEATURES,
    HEAD_FEATURES,
    PLACE_FEATURES,
    TOP,
    measure_blocks,
    measure_sizes,
)
from corpus.extract.html.blocks.page_blocks import PageBlocks, read_blocks
from corpus.extract.html.blocks.page_group import PageGroup
from corpus.extract.html.blocks.second_look import expect_each, measure_expectation
from corpus.extract.html.blocks.training.block_labels import label_by_pieces, label_by_text
from corpus.extract.html.blocks.training.gold_pages import GoldPage
from corpus.extract.html.blocks.training.network import TOKENS_LEFT_OUT, Batch

ReadText = Callable[[str], str | None]

MIN_SITES = 8
"""Sites on which a token is, so that it is in the lexicon; a quarter of them, if they are few."""
MAX_LEXICON = 1200
PIECES_SHARE = 0.35
"""Share of the weight of a page with known pieces that these have, each as much as any other: most that must not
appear are short, such as the heading of what to read next."""
BARE_SHARE = 0.15
"""Share of pages that are seen once more without what is around their main text."""
FORGET_CASE, FORGET_ENDS = 0.3, 0.08
"""Shares of steps in which a page is in another script."""
FORGET_HEAD = 0.15
"""Share of steps in which a page states nothing of itself."""


@dataclass
class Example:
    """A gold page, its blocks, their features, sizes, labels and weights (1 together)."""

    gold: GoldPage
    page: PageBlocks
    features: Floats
    sizes: npt.NDArray[np.int64]
    labels: Floats
    weights: Floats


def make_example(gold: GoldPage, read_other: ReadText) -> Example | None:
    """Return the example of a page; None if it has no blocks, or no gold.

    `read_other` is another extractor, whose text stands in for the gold of pages of which only pieces are known.
    """
    page = read_blocks(gold.html)
    if not page.texts or (gold.text == "" and not gold.wanted):
        return None
    sizes = measure_sizes(page)
    if gold.text:
        labels = label_by_text(page.texts, gold.text)
        sure = np.ones(len(labels), np.float32)
        if not labels.any():
            return None
    else:
        other = read_other(gold.html) or ""
        labels, sure = label_by_pieces(page.texts, gold.wanted, gold.unwanted, other)
    weights = (sizes / sizes.sum() + sizes**0.5 / (sizes**0.5).sum()) * sure
    weights /= weights.sum()
    known = sure == 1
    if not gold.text and known.any():
        weights = (1 - PIECES_SHARE) * weights + PIECES_SHARE * known / known.sum()
    return Example(
        gold,
        page,
        measure_blocks(PageGroup([page], [sizes])) / np.float32(TOP),
        sizes,
        labels,
        weights.astype(np.float32),
    )


@dataclass
class SeenExample:
    """An example and what a first look at it lets expect, (blocks, ESTIMATE_FEATURES)."""

    example: Example
    expectation: npt.NDArray[np.uint8]


def look_at(example: Example, model: BlockModel) -> SeenExample:
    """Return an example with what the first look of a model lets expect."""
    features = np.round(example.features * TOP)
    group = PageGroup([example.page], [example.sizes])
    logits = model.estimate_first(group, features)
    seen = expect_each(group, squash(logits))
    return SeenExample(example, measure_expectation(group, logits, seen))


def make_bare(example: Example, random: np.random.Generator) -> Example | None:
    """Return an example of some of a page's main text alone, as small pages have it; None if it has too little."""
    kept = np.flatnonzero(example.labels > 0.5)
    if example.gold.text is None or len(kept) < 3:
        return None
    size = int(random.integers(2, min(40, len(kept)) + 1))
    start = int(random.integers(0, len(kept) - size + 1))
    chosen = kept[start : start + size]
    page = copy.deepcopy(example.page)
    page.drop(set(range(len(page.texts))) - set(chosen.tolist()))
    sizes = example.sizes[chosen]
    weights = (sizes / sizes.sum()).astype(np.float32)
    features = measure_blocks(PageGroup([page], [sizes])) / np.float32(TOP)
    return Example(example.gold, page, features, sizes, np.ones(size, np.float32), weights)


def forget_script(features: Floats, random: np.random.Generator) -> Floats:
    """Return the features of a batch as a script without capitals, or without signs of ends, has them, now and then:
    most gold is in Latin script."""
    draw = random.random()
    if draw < FORGET_CASE:
        features = features.copy()
        features[:, CASE_FEATURES] = 0
        if draw < FORGET_ENDS:
            features[:, END_FEATURES] = 0
    return features


def forget_head(features: Floats, random: np.random.Generator) -> Floats:
    """Return the features of a page as one that states nothing of itself has them, now and then."""
    if random.random() < FORGET_HEAD:
        features = features.copy()
        features[:, -HEAD_FEATURES:-PLACE_FEATURES] = 0
        features[:, -PLACE_FEATURES:] = 1
    return features


def make_lexicon(examples: Iterable[Example]) -> dict[str, int]:
    """Return the tokens of most sites, with their numbers."""
    sites: dict[str, set[str]] = {}
    for example in examples:
        for tokens in (*example.page.path_tokens, *set(example.page.inner)):
            for token in tokens:
                sites.setdefault(token, set()).add(example.gold.site)
    needed = min(MIN_SITES, -(-len(set().union(*sites.values())) // 4))
    counts = Counter({token: len(among) for token, among in sites.items() if len(among) >= needed})
    chosen = sorted(counts, key=lambda token: (-counts[token], token))[:MAX_LEXICON]
    return {token: at for at, token in enumerate(sorted(chosen))}


@dataclass(frozen=True)
class PageTokens:
    """The tokens of a page: of its paths, (paths, 3 * tokens): their own, their parents', all around; of the inline
    elements of its blocks, (blocks, tokens); and which path each block has, (blocks, paths)."""

    around: csr_matrix
    inner: csr_matrix
    paths: csr_matrix


def gather_tokens(page: PageBlocks, lexicon: dict[str, int]) -> PageTokens:
    """Return the tokens of a page that are in the lexicon."""
    own = _count(page.path_tokens, lexicon)
    parents = np.array(page.path_parents)
    inside = np.flatnonzero(parents >= 0)
    count = len(parents)
    up = csr_matrix((np.ones(len(inside), np.float32), (inside, parents[inside])), shape=(count, count))
    beside, every = up @ own, own
    while up.nnz:  # each round doubles how far up the sums reach
        every = every + up @ every
        up = up @ up
    blocks = len(page.paths)
    paths = csr_matrix(
        (np.ones(blocks, np.float32), page.paths, np.arange(blocks + 1)), shape=(blocks, count)
    )
    return PageTokens(hstack([own, beside, every], format="csr"), _count(page.inner, lexicon), paths)


def _count(rows: Sequence[Tokens], lexicon: dict[str, int]) -> csr_matrix:
    """Return how often each token is in each row, (rows, tokens)."""
    numbers = [[lexicon[token] for token in tokens if token in lexicon] for tokens in rows]
    starts = np.cumsum([0, *map(len, numbers)])
    flat = np.fromiter(chain.from_iterable(numbers), np.int64, int(starts[-1]))
    return csr_matrix((np.ones(len(flat), np.float32), flat, starts), shape=(len(rows), len(lexicon)))


def join_batch(
    examples: Sequence[Example], tokens: Sequence[PageTokens], random: np.random.Generator | None = None
) -> Batch:
    """Return some pages as one batch; the loss is the mean over pages. `random` changes the script of some."""
    features = [example.features for example in examples]
    around = vstack([page.around for page in tokens], format="csr")
    inner = vstack([page.inner for page in tokens], format="csr")
    if random is not None:
        features = [forget_head(forget_script(one, random), random) for one in features]
        for matrix in (around, inner):
            kept = random.random(matrix.nnz, np.float32) >= TOKENS_LEFT_OUT
            matrix.data *= kept / np.float32(1 - TOKENS_LEFT_OUT)
    return Batch(
        dense=np.vstack(features),
        around=around,
        inner=inner,
        paths=block_diag([page.paths for page in tokens], format="csr"),
        labels=np.concatenate([example.labels for example in examples]),
        weights=np.concatenate([example.weights / np.float32(len(examples)) for example in examples]).astype(
            np.float32
        ),
        sizes=np.concatenate([example.sizes for example in examples]),
        lengths=[len(example.labels) for example in examples],
    )


def join_seen(seen: Sequence[SeenExample], random: np.random.Generator) -> Batch:
    """Return some pages as one batch for the second look, which sees no tokens."""
    dense = np.vstack(
        [
            np.hstack(
                [
                    one.expectation / np.float32(TOP),
                    forget_head(forget_script(one.example.features, random), random),
                ]
            )
            for one in seen
        ]
    )
    none = csr_matrix((len(dense), 0), dtype=np.float32)
    return Batch(
        dense=dense,
        around=none[:1],
        inner=none,
        paths=csr_matrix((len(dense), 1), dtype=np.float32),
        labels=np.concatenate([one.example.labels for one in seen]),
        weights=np.concatenate([one.example.weights / np.float32(len(seen)) for one in seen]),
        sizes=np.concatenate([one.example.sizes for one in seen]),
        lengths=[len(one.example.labels) for one in seen],
    )
