"""Cut texts into pieces at the boundaries of `DEFAULT_PATTERN`, many texts in one step, and count them.

A piece is a match of the tokenizer's pattern; no merge crosses its boundary. The engine of `tokenizers` finds one match
after the other and makes an object of each, at 5 MB/s. The default pattern needs no more than the class of each
character and where runs of a class begin, which arrays find at 60 MB/s; the classes are asked of that engine itself, so
that both hold the same Unicode version. Other patterns are left to the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tokenizers import Regex, pre_tokenizers

from corpus.tokens.options import DEFAULT_PATTERN, SPACELESS_CLASSES

Classes = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

BATCH_CHARACTERS = 1 << 20
"""Characters of the texts that are cut in one step, at most, except for a single text that has more."""
MAX_SPACES = 64
"""The bound of the pattern on space; longer runs are cut one by one."""

SIGN, WORD, SPACELESS, NUMBER, LINE_BREAK, BLANK, SPACE, EDGE = range(8)
"""Classes of characters. BLANK is any white space but U+0020 (SPACE) and line breaks; EDGE stands between texts."""
_CLASS_PATTERNS = {
    WORD: rf"[\p{{L}}\p{{M}}&&[^{SPACELESS_CLASSES}]]",
    SPACELESS: rf"[\p{{L}}\p{{M}}&&[{SPACELESS_CLASSES}]]",
    NUMBER: r"\p{N}",
    BLANK: r"\s",
}
_PLANES, _PLANE = 17, 0x10000
_SURROGATES = range(0xD800, 0xE000)


def count_pieces_of(texts: Iterable[str], pattern: str) -> Iterator[tuple[pa.StringArray, pa.Int64Array]]:
    """Yield, for every batch of texts, its distinct pieces and how often each occurs."""
    split = pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str
    for some in batch_texts(texts):
        if pattern == DEFAULT_PATTERN:
            yield tuple(cut_texts(some)[0].value_counts().flatten())
        else:
            counts = Counter(piece for text in some for piece, _ in split(text))
            yield pa.array(counts.keys(), pa.string()), pa.array(counts.values(), pa.int64())


def batch_texts(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the texts in lists of about `BATCH_CHARACTERS` characters."""
    held: list[str] = []
    size = 0
    for text in texts:
        if held and size + len(text) > BATCH_CHARACTERS:
            yield held
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        yield held


def cut_texts(texts: Sequence[str]) -> tuple[pa.StringArray, Positions]:
    """Return the pieces of all texts by `DEFAULT_PATTERN`, in order, and the number of pieces of each text.

    Memory: about 20 times the characters.
    """
    joined = "\n".join([*texts, ""])
    utf8 = joined.encode()
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    classes = _classify(codes)
    classes[np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1) - 1] = EDGE
    starts = np.flatnonzero(_find_starts(classes))
    edges = np.flatnonzero(classes[starts] == EDGE)
    offsets = starts
    if len(utf8) > len(codes):
        offsets = np.flatnonzero((np.frombuffer(utf8, np.uint8) & 0xC0) != 0x80)[starts]
    pieces = pa.StringArray.from_buffers(
        len(starts), pa.py_buffer(np.append(offsets, len(utf8)).astype(np.int32)), pa.py_buffer(utf8)
    )
    inside = np.ones(len(starts), np.bool_)
    inside[edges] = False
    return pieces.filter(pa.array(inside)), np.diff(edges, prepend=-1) - 1


def _find_starts(classes: Classes) -> Flags:
    """Return where pieces start, from the classes of the characters; an EDGE is a piece of its own.

    The alternatives of the pattern as rules on runs of one class: a word takes the one space or sign before it; a
    run of a spaceless script, and one of signs, the U+0020 before it; signs the line breaks after them; digits go in
    threes; white space ends with its last line break, and leaves its last character to what follows.
    """
    starts = np.ones(len(classes), np.bool_)
    np.not_equal(classes[1:], classes[:-1], out=starts[1:])
    starts[classes == EDGE] = True
    runs = np.flatnonzero(starts)
    kinds = classes[runs]
    before = np.concatenate(([EDGE], kinds[:-1])).astype(np.uint8)
    lengths = np.diff(runs, append=len(classes))
    after_space = before == SPACE
    after_sign = np.zeros(len(runs), np.bool_)
    after_sign[1:] = (kinds[:-1] == SIGN) & (lengths[:-1] == 1) & ~after_space[:-1]
    joins = (kinds == WORD) & (after_space | (before == BLANK) | after_sign)
    joins |= ((kinds == SPACELESS) | (kinds == SIGN)) & after_space
    joins |= (kinds == LINE_BREAK) & (before == SIGN)
    starts[runs[joins]] = False
    _cut_numbers(starts, runs[kinds == NUMBER], lengths[kinds == NUMBER])
    _cut_spaces(starts, classes, runs, kinds, lengths, joins)
    return starts


def _cut_numbers(starts: Flags, runs: Positions, lengths: Positions) -> None:
    """Start a piece at every third digit."""
    long = lengths > 3
    for run, length in zip(runs[long].tolist(), lengths[long].tolist(), strict=True):
        starts[run + 3 : run + length : 3] = True


def _cut_spaces(
    starts: Flags, classes: Classes, runs: Positions, kinds: Classes, lengths: Positions, joins: Flags
) -> None:
    """Start the pieces of white space, which may have several classes; line breaks after signs belong to these."""
    blank = (kinds >= LINE_BREAK) & (kinds <= SPACE) & ~joins
    first = blank.copy()
    first[1:] &= ~blank[:-1]
    last = blank.copy()
    last[:-1] &= ~blank[1:]
    begins = runs[first]
    ends = runs[last] + lengths[last]
    several = ends - begins > 1
    begins, ends = begins[several], ends[several]
    if not len(begins):
        return
    inner = _ranges(begins + 1, ends)
    starts[inner] = False
    breaks = np.flatnonzero(classes == LINE_BREAK)
    number = np.searchsorted(breaks, ends) - 1
    last_break = (
        np.where(number >= 0, breaks[np.maximum(number, 0)], -1) if len(breaks) else np.full(len(ends), -1)
    )
    broken = last_break >= begins
    tail = np.where(broken, last_break + 1, begins)
    starts[tail[broken & (tail < ends)]] = True
    leaves = (tail < ends) & (classes[ends] != EDGE)
    starts[ends[leaves] - 1] = True
    long = ends - begins > MAX_SPACES
    for begin, end in zip(begins[long].tolist(), ends[long].tolist(), strict=True):
        _cut_long_space(starts, classes, begin, end)


def _cut_long_space(starts: Flags, classes: Classes, begin: int, end: int) -> None:
    """Start the pieces of one run of white space of any length, as the pattern's last three alternatives do."""
    starts[begin + 1 : end] = False
    breaks = np.flatnonzero(classes[begin:end] == LINE_BREAK) + begin
    at = begin
    while at < end:
        starts[at] = True
        within = breaks[np.searchsorted(breaks, at) : np.searchsorted(breaks, at + MAX_SPACES, "right")]
        if len(within):
            at = int(within[-1]) + 1
            most = int(within[-1]) + MAX_SPACES
            while at < min(end, most) and classes[at] == LINE_BREAK:
                at += 1
        elif end - at > MAX_SPACES:
            at += MAX_SPACES
        else:
            at = end if end - at == 1 or classes[end] == EDGE else end - 1


def _ranges(starts: Positions, ends: Positions) -> Positions:
    """Return all positions of several ranges, in order."""
    lengths = ends - starts
    shifts = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
    positions: Positions = np.arange(len(shifts)) + shifts
    return positions


def _classify(codes: Codes) -> Classes:
    """Return the class of each character."""
    highest = int(codes.max(initial=0)) >> 16
    classes: Classes = _class_table(highest + 1).take(codes)
    return classes


@cache
def _class_table(planes: int) -> Classes:
    """Return the class of every character of the first planes; about .05 s each."""
    return np.concatenate([_class_plane(plane) for plane in range(planes)])


@cache
def _class_plane(plane: int) -> Classes:
    """Return the class of every character of a plane, from the engine of `tokenizers`."""
    codes = np.array(
        [c for c in range(plane * _PLANE, (plane + 1) * _PLANE) if c not in _SURROGATES], np.uint32
    )
    text = codes.tobytes().decode("utf-32-le")
    runs = _match("|".join(f"{pattern}+" for pattern in _CLASS_PATTERNS.values()), "isolated", text)
    first = np.array([start for start, _ in runs])
    classes = np.full(len(runs), SIGN, np.uint8)
    samples = "".join(text[start] for start in first)
    for name, pattern in _CLASS_PATTERNS.items():
        inside = np.ones(len(runs), np.bool_)
        for start, end in _match(pattern, "removed", samples):
            inside[start:end] = False
        classes[inside] = name
    table = np.full(_PLANE, SIGN, np.uint8)
    table[codes & 0xFFFF] = np.repeat(classes, np.diff(first, append=len(codes)))
    if plane == 0:
        table[[ord("\r"), ord("\n")]] = LINE_BREAK
        table[ord(" ")] = SPACE
    return table


def _match(pattern: str, behaviour: str, text: str) -> list[tuple[int, int]]:
    """Return the ranges of characters into which the engine splits a text by a pattern."""
    return [bounds for _, bounds in pre_tokenizers.Split(Regex(pattern), behaviour).pre_tokenize_str(text)]
