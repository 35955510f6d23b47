"""Put the blocks of some pages one after another, to measure them at once: a call of numpy costs as much as a page.

What is measured of a page depends on that page alone: numbers that add up over a page are taken from where it begins,
and neighbours end where it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks.page_blocks import MAX_FRAMES, BlockKind, PageBlocks

Ints = npt.NDArray[np.int64]

_HEADING = int(BlockKind.HEADING)


class PageGroup:
    """The blocks of pages, none of them without any.

    `counts`, `starts` and `stops` are those of the blocks of each page, (pages,); `begin_of`, `end_of` the same of the
    page of each block, (blocks,). Blocks, elements and paths have numbers that go on from page to page; `sizes` are the
    bytes of blocks, `path_starts` and `element_starts` the first of each page.
    """

    def __init__(self, pages: Sequence[PageBlocks], sizes: Sequence[Ints]) -> None:
        self.pages = pages
        self.sizes = sizes[0] if len(sizes) == 1 else np.concatenate(sizes)
        counts = [len(page.texts) for page in pages]
        starts = [0, *accumulate(counts)]
        self.bounds = list(pairwise(starts))
        self.counts, self.starts, self.stops = np.array([counts, starts[:-1], starts[1:]], np.int64)
        self.begin_of, self.end_of = self.spread(self.starts), self.spread(self.stops)
        self.blocks: Ints = np.arange(starts[-1])
        self.linked, self.links, self.kinds = (self._join(name) for name in ("linked", "links", "kinds"))
        for page, (start, stop) in zip(pages, self.bounds, strict=True):
            page.keep_arrays(linked=self.linked[start:stop], kinds=self.kinds[start:stop])
        self.element_starts, self.element_counts = _number([len(page.parents) for page in pages])
        self.path_starts, self.path_counts = _number([len(page.path_tokens) for page in pages])
        self.paths = self._join("paths") + self.spread(self.path_starts)
        offsets = self.starts.repeat(self.element_counts)
        self.begins, self.ends = self._join("begins") + offsets, self._join("ends") + offsets
        self.frames = self._find_frames()

    @property
    def texts(self) -> list[str]:
        return self.pages[0].texts if len(self.pages) == 1 else self._chain("texts")

    @cached_property
    def headlines(self) -> Ints:
        """The first block of an `h1` of each page, -1 where it has none, (pages,)."""
        headlines = [_find_headline(page) for page in self.pages]
        return np.array(
            [start + at if at >= 0 else -1 for at, (start, _) in zip(headlines, self.bounds, strict=True)],
            np.int64,
        )

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a value of each page, of the last axis, for each of its blocks."""
        return values.repeat(self.counts, axis=-1)

    def split(self, values: Ints) -> list[Ints]:
        """Return values of blocks by pages."""
        return [values[start:stop] for start, stop in self.bounds]

    def add_up(self, values: Ints) -> Ints:
        """Return the sums of values before each block, and of all, (..., blocks + 1)."""
        sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1), np.int64)
        values.cumsum(-1, out=sums[..., 1:])
        return sums

    def sum_pages(self, sums: Ints) -> Ints:
        """Return the sums over each page, (..., pages), of what `add_up` has returned."""
        totals: Ints = sums.take(self.stops, -1) - sums.take(self.starts, -1)
        return totals

    def pad(self, rows: npt.NDArray[Any], reach: int) -> tuple[npt.NDArray[Any], Ints]:
        """Return rows of blocks, (blocks, ...), with `reach` rows of zeros before, between and behind pages, and where
        each block is there."""
        padded = np.zeros((len(rows) + reach * (len(self.pages) + 1), *rows.shape[1:]), rows.dtype)
        places = self.blocks + self.spread(reach * np.arange(1, len(self.pages) + 1))
        padded[places] = rows
        return padded, places

    def _chain(self, name: str) -> list[Any]:
        return list(chain.from_iterable(getattr(page, name) for page in self.pages))

    def _join(self, name: str) -> Ints:
        lists = getattr(self.pages[0], name) if len(self.pages) == 1 else self._chain(name)
        return np.array(lists, np.int64)

    def _find_frames(self) -> Ints:
        """Return the elements around each block, the innermost and from each the next with more blocks, (MAX_FRAMES,
        blocks)."""
        begins, ends = self.begins, self.ends
        parents = self._join("parents") + self.element_starts.repeat(self.element_counts)
        parents[self.element_starts] = self.element_starts
        alone = (begins == begins.take(parents)) & (ends == ends.take(parents))
        wider = parents.tolist()
        for at in alone.nonzero()[0].tolist():  # those around come first
            wider[at] = wider[wider[at]]
        nexts = np.array(wider, np.int64)
        around = np.empty((MAX_FRAMES, len(self.blocks)), np.int64)
        np.add(self._join("elements"), self.spread(self.element_starts), out=around[0])
        for level in range(1, MAX_FRAMES):
            nexts.take(around[level - 1], out=around[level])
        return around


def _find_headline(page: PageBlocks) -> int:
    paths = {path for path, tokens in enumerate(page.path_tokens) if tokens[0] == "<h1"}
    if not paths:
        return -1
    blocks = zip(page.paths, page.kinds, strict=True)
    return next((at for at, (path, kind) in enumerate(blocks) if kind == _HEADING and path in paths), -1)


def _number(counts: list[int]) -> tuple[Ints, Ints]:
    """Return where each page's begin if they are numbered on, and their counts."""
    return np.array([0, *accumulate(counts[:-1])], np.int64), np.array(counts, np.int64)
