"""Measure the blocks of a page, in whole numbers from 0 to 127, without a word of any language.

Lengths are bytes of UTF-8, so that a Chinese sentence is about as long as an English one of the same content. Every
number is made by integer arithmetic, so that it is the same on every processor.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks.page_blocks import BlockKind, PageBlocks

Ints = npt.NDArray[np.int64]

TOP = 127
"""The largest value of a feature."""
LEVELS = 5
"""Elements around a block that are measured, each with more blocks than the one before."""
LONG_BYTES = 120
"""Bytes from which a block is long."""
MEAN_BYTES = 512
"""Bytes from which the blocks of an element are as long as can be told."""
MIN_TITLE_CHARACTERS = 8
"""Characters of a block that can be the page's title."""

_LOGS, _PAIRS = 15 + 3 * LEVELS, 15 + 5 * LEVELS
FEATURES = _LOGS + _PAIRS + 17
CASE_FEATURES = (_LOGS + 1, _LOGS + 4, _LOGS + _PAIRS + 11)
"""Features that a script without capitals and spaces has not: shares of both, a capital at the beginning."""
END_FEATURES = (
    2, _LOGS + 6, _LOGS + 12, _LOGS + 14, *(_LOGS + 17 + 5 * level for level in range(LEVELS)), _LOGS + _PAIRS + 9,
)  # fmt: skip
"""Features that a script without signs of a sentence's end has not."""

_LETTER, _UPPER, _DIGIT, _END, _COMMA, _MARK, _MONEY, _SPACE, _OTHER = range(9)
_CLASSES = 9
_ENDS = ".!?。！？｡؟۔।॥…።፧‼⁇⁈⁉．။៕᠃\u0e2f"
_COMMAS = ",，、､،;；:：؛፣၊᠂·"
_CATEGORIES = {"Lu": _UPPER, "Lt": _UPPER, "Nd": _DIGIT, "No": _DIGIT, "Nl": _DIGIT, "Sc": _MONEY}


@cache
def _classify_characters() -> npt.NDArray[np.uint8]:
    """Return the class of each character of the Basic Multilingual Plane."""
    classes = np.full(1 << 16, _OTHER, np.uint8)
    for code in range(1 << 16):
        category = unicodedata.category(chr(code))
        if category in _CATEGORIES:
            classes[code] = _CATEGORIES[category]
        elif category[0] in "LM":
            classes[code] = _LETTER
        elif category[0] in "PS":
            classes[code] = _MARK
        elif category[0] == "Z":
            classes[code] = _SPACE
    for characters, kind in ((_ENDS, _END), (_COMMAS, _COMMA), ("\n\t\r", _SPACE)):
        for character in characters:
            classes[ord(character)] = kind
    return classes


@cache
def _logarithms() -> npt.NDArray[np.int64]:
    """Return eight times the binary logarithm, rounded up, of every number below 2**16."""
    table = np.zeros(1 << 16, np.int64)
    value, power = 0, 0
    for number in range(2, 1 << 16):
        while number**8 > 1 << power:
            power += 1
        value = power
        table[number] = min(TOP, value)
    return table


def _log(counts: Ints) -> Ints:
    return _logarithms()[np.minimum(counts, (1 << 16) - 1)]


def _share(part: Ints, whole: Ints) -> Ints:
    return np.minimum(part * TOP // np.maximum(whole, 1), TOP)


def measure_sizes(page: PageBlocks) -> Ints:
    """Return the bytes of each block."""
    return np.fromiter(
        (len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in page.texts),
        np.int64,
        len(page.texts),
    )


def measure_blocks(page: PageBlocks, sizes: Ints) -> npt.NDArray[np.float32]:
    """Return the features of each block, (blocks, FEATURES), whole numbers as floats for the matrix product."""
    count = len(page.texts)
    counts, first, last = _count_characters(page.texts)
    characters = counts.sum(0)
    linked, links = np.array(page.linked, np.int64), np.array(page.links, np.int64)
    link_bytes = sizes * _share(linked, characters) // TOP
    ends = counts[_END]
    kinds = np.array(page.kinds, np.int64)
    paths = np.array(page.paths, np.int64)
    measured = np.stack([sizes, link_bytes, ends, sizes > LONG_BYTES])
    sums = np.zeros((4, count + 1), np.int64)
    np.cumsum(measured, 1, out=sums[:, 1:])
    whole = np.repeat(sums[:, -1:], count, 1)
    places = np.arange(count)
    all_blocks = np.full(count, count)
    path_counts = np.bincount(paths)[paths]
    path_sums = [np.bincount(paths, values).astype(np.int64)[paths] for values in measured[:3]]
    repeats = _count_repeats(page.texts)
    title = page.title
    titled = [MIN_TITLE_CHARACTERS <= len(text) <= len(title) and text in title for text in page.texts]
    headline = next((at for at in range(count) if page.path_tokens[page.paths[at]][0] == "<h1"), -1)
    behind = sums[0, :-1] - sums[0, headline] if headline >= 0 else np.zeros(count, np.int64)
    around = _measure_frames(page, sums, places)
    table = np.empty((FEATURES, count), np.float32)
    logs = [
        sizes, links, ends, counts[_COMMA], counts[_DIGIT], path_counts, path_sums[0], path_sums[0] // path_counts,
        repeats, places, count - places, all_blocks, whole[0], np.maximum(behind, 0), np.maximum(-behind, 0),
    ]  # fmt: skip
    table[:_LOGS] = _log(np.concatenate([np.stack(logs), around[0]]))
    pairs = [
        (linked, characters), (counts[_UPPER], characters), (counts[_DIGIT], characters), (counts[_MARK], characters),
        (counts[_SPACE], characters), (counts[_OTHER], characters), (ends * 100, sizes), (counts[_COMMA] * 50, sizes),
        (places, all_blocks), (sums[0, :-1], whole[0]), (path_sums[1], path_sums[0]), (path_sums[0], whole[0]),
        (path_sums[2] * 100, path_sums[0]), (whole[1], whole[0]), (whole[2] * 100, whole[0]),
    ]  # fmt: skip
    parts, wholes = zip(*pairs, strict=True)
    table[_LOGS : _LOGS + _PAIRS] = _share(
        np.concatenate([np.stack(parts), around[1]]), np.concatenate([np.stack(wholes), around[2]])
    )
    flags = [
        *(kinds == kind for kind in range(len(BlockKind))), np.array(titled), repeats > 1, counts[_MONEY] > 0,
        last == _END, last == _COMMA, first == _UPPER, first == _DIGIT, first == _MARK, np.full(count, headline >= 0),
        places == headline, np.array([mark != "" for mark in page.marks]),
    ]  # fmt: skip
    table[_LOGS + _PAIRS :] = np.stack(flags)
    table[_LOGS + _PAIRS :] *= TOP
    return np.ascontiguousarray(table.T)


def _measure_frames(page: PageBlocks, sums: Ints, places: Ints) -> tuple[Ints, Ints, Ints]:
    """Return what is in the elements around each block: counts, and parts of wholes, (numbers of `LEVELS`, blocks)."""
    begins, ends, wider = _find_frames(page)
    elements = np.empty((LEVELS, len(places)), np.int64)
    elements[0] = page.elements
    for level in range(1, LEVELS):
        elements[level] = wider[elements[level - 1]]
    begin, end = begins[elements], ends[elements]
    inside = sums[:, end] - sums[:, begin]
    blocks = end - begin
    total = np.full(begin.shape, sums[0, -1])
    logs = np.stack([blocks, inside[0], places - begin], 1)
    parts = np.stack(
        [inside[1], inside[0], inside[2] * 100, inside[3], inside[0] // np.maximum(blocks, 1)], 1
    )
    wholes = np.stack([inside[0], total, inside[0], blocks, np.full(begin.shape, MEAN_BYTES)], 1)
    count = len(places)
    return logs.reshape(-1, count), parts.reshape(-1, count), wholes.reshape(-1, count)


def _count_characters(texts: list[str]) -> tuple[Ints, Ints, Ints]:
    """Return the characters of each class in each text, (classes, texts), and the classes of its first and last."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    classes = _classify_characters()[np.minimum(codes, (1 << 16) - 1)].astype(np.int64)
    stops = np.cumsum(lengths)
    block = np.repeat(np.arange(len(texts)) * _CLASSES, lengths)
    counts = np.bincount(block + classes, minlength=len(texts) * _CLASSES).reshape(-1, _CLASSES)
    counts = np.ascontiguousarray(counts.T)
    return counts, classes[stops - lengths], classes[stops - 1]


def _count_repeats(texts: list[str]) -> Ints:
    """Return how often each text is on the page."""
    times: dict[str, int] = {}
    for text in texts:
        times[text] = times.get(text, 0) + 1
    return np.fromiter(map(times.__getitem__, texts), np.int64, len(texts))


def _find_frames(page: PageBlocks) -> tuple[Ints, Ints, Ints]:
    """Return of each element the range of its blocks, and the next element around it that has more blocks."""
    begins, ends = np.array(page.begins, np.int64), np.array(page.ends, np.int64)
    wider = [0] * len(page.parents)
    parents, lows, highs = page.parents, page.begins, page.ends
    for at in range(1, len(parents)):
        parent = parents[at]
        same = lows[parent] == lows[at] and highs[parent] == highs[at]
        wider[at] = wider[parent] if same else parent
    return begins, ends, np.array(wider, np.int64)
