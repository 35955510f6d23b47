"""Measure the blocks of a page, in whole numbers from 0 to 127, without a word of any language.

Lengths are bytes of UTF-8, so that a Chinese sentence is about as long as an English one of the same content. Every
number is made by integer arithmetic, so that it is the same on every processor.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from math import isqrt

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks.page_blocks import MAX_FRAMES, BlockKind, PageBlocks
from corpus.extract.html.blocks.page_group import PageGroup
from corpus.extract.html.blocks.page_head import KINDS as PAGE_KINDS
from corpus.extract.html.blocks.page_head import MAX_BEGINNING
from corpus.unicode_ranges import list_categories

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TOP = 127
"""The largest value of a feature."""
LEVELS = MAX_FRAMES
"""Elements around a block that are measured, each with more blocks than the one before."""
LONG_BYTES = 120
"""Bytes from which a block is long."""
MEAN_BYTES = 512
"""Bytes from which the blocks of an element are as long as can be told."""
MIN_TITLE_CHARACTERS = 8
"""Characters of a block that can be the page's title."""
MIN_BODY_CHARACTERS = 20
"""Characters of a block that is looked for in the text that a page states."""

_LOGS, _PAIRS = 15 + 3 * LEVELS, 15 + 5 * LEVELS
PLACE_FEATURES = 4
"""Features of how far away is what the page begins with, and its title: `TOP` where there is none."""
HEAD_FEATURES = len(PAGE_KINDS) + 4 + PLACE_FEATURES
"""Features of what the page states of itself: they come last, `PLACE_FEATURES` last of all."""
_BLOCK_FEATURES = _LOGS + _PAIRS + 17
FEATURES = _BLOCK_FEATURES + HEAD_FEATURES
CASE_FEATURES = (_LOGS + 1, _LOGS + 4, _LOGS + _PAIRS + 11)
"""Features that a script without capitals and spaces has not: shares of both, a capital at the beginning."""
END_FEATURES = (
    2, _LOGS + 6, _LOGS + 12, _LOGS + 14, *(_LOGS + 17 + 5 * level for level in range(LEVELS)), _LOGS + _PAIRS + 9,
)  # fmt: skip
"""Features that a script without signs of a sentence's end has not."""

_LETTER, _END, _COMMA, _MONEY, _UPPER, _DIGIT, _MARK, _SPACE, _OTHER = range(9)
_CLASSES = 9
_ENDS = ".!?。！？｡؟۔।॥…።፧‼⁇⁈⁉．။៕᠃\u0e2f"
_COMMAS = ",，、､،;；:：؛፣၊᠂·"
_CATEGORIES = {"Lu": _UPPER, "Lt": _UPPER, "Nd": _DIGIT, "No": _DIGIT, "Nl": _DIGIT, "Sc": _MONEY}


@cache
def _classify_characters() -> npt.NDArray[np.uint8]:
    """Return the class of each character of the Basic Multilingual Plane."""
    classes = np.full(1 << 16, _OTHER, np.uint8)
    categories = list_categories(0, 1 << 16)
    for letter, kind in (("L", _LETTER), ("M", _LETTER), ("P", _MARK), ("S", _MARK), ("Z", _SPACE)):
        classes[categories[:, 0] == ord(letter)] = kind
    for category, kind in _CATEGORIES.items():
        classes[(categories == list(category.encode())).all(1)] = kind
    for characters, kind in ((_ENDS, _END), (_COMMAS, _COMMA), ("\n\t\r", _SPACE)):
        for character in characters:
            classes[ord(character)] = kind
    return classes


@cache
def _classify_ascii() -> bytes:
    """Return the class of each byte of ASCII, for `bytes.translate`."""
    return _classify_characters()[:256].tobytes()


@cache
def _logarithms() -> npt.NDArray[np.float32]:
    """Return eight times the binary logarithm, rounded up, of every number below 2**16."""
    largest = [isqrt(isqrt(isqrt(1 << power))) for power in range(TOP)]  # the largest number of each value
    return np.searchsorted(largest, np.arange(1 << 16)).astype(np.float32)


def share(parts: Floats, wholes: Floats) -> Floats:
    """Return `TOP` times a part over its whole, rounded down: exact, since whole numbers below 2**53 are divided. Both
    are used up."""
    parts *= TOP
    parts /= np.maximum(wholes, 1, out=wholes)
    np.floor(parts, out=parts)
    return np.minimum(parts, TOP, out=parts)


def compute_logarithms(counts: Ints) -> npt.NDArray[np.uint8]:
    """Return eight times the binary logarithms, rounded up, at most `TOP`."""
    return _small_logarithms().take(counts, mode="clip")


@cache
def _small_logarithms() -> npt.NDArray[np.uint8]:
    return _logarithms().astype(np.uint8)


def count_logarithms(count: int) -> npt.NDArray[np.uint8]:
    """Return eight times the binary logarithms, rounded up, at most `TOP`, of 0 to at least a count."""
    known = _small_logarithms()
    return known if count < len(known) else np.pad(known, (0, count + 1 - len(known)), mode="edge")


def find_runs(marked: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Return where each run of marked blocks begins and ends."""
    padded = np.zeros(len(marked) + 2, bool)
    padded[1:-1] = marked
    runs: list[list[int]] = (padded[1:] != padded[:-1]).nonzero()[0].reshape(-1, 2).tolist()
    return runs


def measure_sizes(page: PageBlocks) -> Ints:
    """Return the bytes of each block."""
    sizes = [len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in page.texts]
    return np.array(sizes, np.int64)


def measure_blocks(group: PageGroup) -> npt.NDArray[np.float32]:
    """Return the features of each block, (blocks, FEATURES), whole numbers as floats for the matrix product."""
    sizes, linked, paths = group.sizes, group.linked, group.paths
    count = len(sizes)
    texts = group.texts
    counts, characters, first, last = _count_characters(texts, group)
    ends, commas = counts[_END], counts[_COMMA]
    places: Ints = group.blocks - group.begin_of
    on_page: Ints = group.end_of - group.begin_of
    measured = np.empty((4, count), np.int64)
    measured[0] = sizes
    measured[1] = sizes * np.minimum(linked * TOP // characters, TOP) // TOP
    measured[2] = ends
    measured[3] = sizes > LONG_BYTES
    sums = group.add_up(measured)
    total, total_linked, total_ends, _ = group.spread(group.sum_pages(sums))
    bytes_before = sums[0, :-1] - sums[0].take(group.begin_of)
    path_counts = np.bincount(paths).take(paths)
    path_bytes, path_linked, path_ends = (np.bincount(paths, row).take(paths) for row in measured[:3])
    repeats = _count_repeats(group)
    headlines = group.headlines
    headline = group.spread(headlines)
    logs = np.empty((_LOGS, count), np.int64)
    parts = np.empty((_PAIRS, count))
    wholes = np.empty((_PAIRS, count))
    for at, row in enumerate(
        (sizes, group.links, ends, commas, counts[_DIGIT], path_counts, path_bytes, path_bytes // path_counts,
         repeats, places, on_page - places, on_page, total)
    ):  # fmt: skip
        logs[at] = row
    behind = np.where(headline >= 0, sums[0, :-1] - sums[0].take(headline), 0)
    np.maximum(behind, 0, out=logs[13])
    np.maximum(np.negative(behind), 0, out=logs[14])
    parts[0] = linked
    parts[1:6] = counts[_UPPER:]
    wholes[:6] = characters
    for at, (part, whole) in enumerate(
        ((ends * 100, sizes), (commas * 50, sizes), (places, on_page), (bytes_before, total),
         (path_linked, path_bytes), (path_bytes, total), (path_ends * 100, path_bytes), (total_linked, total),
         (total_ends * 100, total)),
        6,
    ):  # fmt: skip
        parts[at], wholes[at] = part, whole
    _measure_frames(group, sums, total, logs[15:], parts[15:], wholes[15:])
    table = np.empty((FEATURES, count), np.float32)
    _logarithms().take(logs, mode="clip", out=table[:_LOGS])
    table[_LOGS : _LOGS + _PAIRS] = share(parts, wholes)
    are_titles = _find_titles(group, texts, characters)
    table[_BLOCK_FEATURES:] = measure_heads(group, sums[0], are_titles)
    flags = table[_LOGS + _PAIRS : _BLOCK_FEATURES]
    np.equal(group.kinds, _KINDS, out=flags[:_KIND_COUNT])
    for at, row in enumerate(
        (are_titles, repeats > 1, counts[_MONEY] > 0, last == _END, last == _COMMA, first == _UPPER,
         first == _DIGIT, first == _MARK, headline >= 0, group.blocks == headline,
         [bool(mark) for page in group.pages for mark in page.marks]),
        _KIND_COUNT,
    ):  # fmt: skip
        flags[at] = row
    flags *= TOP
    return table.T


def _find_titles(group: PageGroup, texts: list[str], characters: Ints) -> npt.NDArray[np.bool_]:
    """Return which blocks, of so many characters, stand in the title of their page."""
    titles = [page.title for page in group.pages]
    longest = group.spread(np.array(list(map(len, titles))))
    are_titles: npt.NDArray[np.bool_] = (characters >= MIN_TITLE_CHARACTERS) & (characters <= longest)
    places = are_titles.nonzero()[0]
    pages = group.stops.searchsorted(places, side="right")
    for at, page in zip(places.tolist(), pages.tolist(), strict=True):
        are_titles[at] = texts[at] in titles[page]
    return are_titles


_HEADING, _KIND_COUNT = int(BlockKind.HEADING), len(BlockKind)
_KINDS = np.arange(_KIND_COUNT)[:, None]


def measure_heads(group: PageGroup, sums: Ints, are_titles: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return what blocks have to do with what their page states of itself, (HEAD_FEATURES, blocks): its kind, blocks
    that it begins with, and how far away these are, and the headings that are its title; `sums` has the bytes before
    each block."""
    table = np.zeros((HEAD_FEATURES, len(group.blocks)), np.uint8)
    heads = [page.head for page in group.pages]
    stated = [(*head.kinds, bool(head.beginnings), bool(head.body)) for head in heads]
    of_pages = len(PAGE_KINDS) + 2
    table[:of_pages] = group.spread(np.array(stated, np.uint8).T)
    begun: list[int] = []
    rows = table[len(PAGE_KINDS) :]
    for page, (start, stop) in zip(group.pages, group.bounds, strict=True):
        body = page.head.body
        begun += [start + at for at in page.find_beginnings()]
        if body:
            rows[3, start:stop] = [
                len(text) >= MIN_BODY_CHARACTERS and text[:MAX_BEGINNING] in body for text in page.texts
            ]
    rows[2, begun] = 1
    table *= TOP
    rows[4:6] = _measure_distances(group, sums, np.array(begun, np.int64))
    rows[6:8] = _measure_distances(group, sums, (are_titles & (group.kinds == _HEADING)).nonzero()[0])
    return table


def _measure_distances(group: PageGroup, sums: Ints, places: Ints) -> npt.NDArray[np.uint8]:
    """Return how many bytes each block is behind the nearest of some on its page before it or itself, and before the
    nearest behind it, (2, blocks), as logarithms; `TOP` where there is none."""
    result = np.full((2, len(group.blocks)), TOP, np.uint8)
    if len(places):
        before, behind = find_nearest(group, places)
        after = (before >= 0).nonzero()[0]
        result[0, after] = compute_logarithms(sums.take(after) - sums.take(before.take(after)))
        ahead = (behind >= 0).nonzero()[0]
        result[1, ahead] = compute_logarithms(sums.take(behind.take(ahead)) - sums.take(ahead))
    return result


def find_nearest(group: PageGroup, marks: Ints) -> tuple[Ints, Ints]:
    """Return of each block the nearest of some sorted ones on its page before it, or itself, and the nearest behind it,
    or itself; -1 where there is none."""
    ends = np.concatenate([[-1], marks, [len(group.blocks)]])
    before = ends.take(marks.searchsorted(group.blocks, side="right"))
    behind = ends.take(marks.searchsorted(group.blocks) + 1)
    before[before < group.begin_of] = -1
    behind[behind >= group.end_of] = -1
    return before, behind


def _measure_frames(
    group: PageGroup, sums: Ints, total: Ints, logs: Ints, parts: Floats, wholes: Floats
) -> None:
    """Measure the elements around each block: counts (3 * LEVELS, blocks), parts of wholes (5 * LEVELS, blocks)."""
    begins, ends, elements = group.begins, group.ends, group.frames
    count = logs.shape[1]
    inside_of = sums.take(ends, 1) - sums.take(begins, 1)
    begin, blocks = begins.take(elements), (ends - begins).take(elements)
    inside = inside_of.take(elements, 1)
    logs = logs.reshape(LEVELS, 3, count)
    logs[:, 0], logs[:, 1] = blocks, inside[0]
    np.subtract(group.blocks, begin, out=logs[:, 2])
    parts, wholes = parts.reshape(LEVELS, 5, count), wholes.reshape(LEVELS, 5, count)
    parts[:, 0], parts[:, 1], parts[:, 3] = inside[1], inside[0], inside[3]
    np.multiply(inside[2], 100, out=parts[:, 2])
    parts[:, 4] = (inside_of[0] // np.maximum(ends - begins, 1)).take(elements)
    wholes[:, 0] = wholes[:, 2] = inside[0]
    wholes[:, 1], wholes[:, 3], wholes[:, 4] = total, blocks, MEAN_BYTES


def _count_characters(
    texts: list[str], group: PageGroup
) -> tuple[Ints, Ints, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the characters of each class but letters in each text, (classes, texts), all its characters, and the
    classes of its first and last."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    pages = [_classify_texts(page.texts) for page in group.pages]
    classes = pages[0] if len(pages) == 1 else np.concatenate(pages)
    stops = lengths.cumsum()
    others = (classes != _LETTER).nonzero()[0]
    before = np.zeros(len(texts) + 1, np.int64)
    before[1:] = others.searchsorted(stops)
    cells: Ints = np.arange(0, len(texts) * _CLASSES, _CLASSES).repeat(before[1:] - before[:-1])
    cells += classes.take(others)
    counts: Ints = np.bincount(cells, minlength=len(texts) * _CLASSES).reshape(-1, _CLASSES).T
    return counts, lengths, classes[stops - lengths], classes[stops - 1]


def _classify_texts(texts: list[str]) -> npt.NDArray[np.uint8]:
    """Return the class of each character of some texts, one after another."""
    joined = "".join(texts)
    if joined.isascii():
        return np.frombuffer(joined.encode().translate(_classify_ascii()), np.uint8)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    return _classify_characters().take(codes, mode="clip")


def _count_repeats(group: PageGroup) -> Ints:
    """Return how often each text is on its page."""
    repeats = np.ones(len(group.blocks), np.int64)
    for page, (start, stop) in zip(group.pages, group.bounds, strict=True):
        if len(set(page.texts)) < len(page.texts):
            counts = dict(Counter(page.texts))
            repeats[start:stop] = [counts[text] for text in page.texts]
    return repeats
