"""Label the blocks of a page by its gold: how much of each is main text.

A long block is main text if it, or most of its pieces, stands in the gold text. A short one (a heading, a price, a
name) may stand anywhere by chance, so it counts if it is a line of the gold text in its order, or stands right beside
what counts already. Spaces, punctuation and case are left aside, so it works in every script.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt

MIN_LONG = 24
"""Letters and digits of a block that stands nowhere by chance."""
PIECE = 12
"""Characters of the pieces that a changed block is compared by."""
MAX_GAP = 30
"""Characters of the gold text between a short block and its neighbour."""

_REST = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return _REST.sub("", text.lower())


def label_by_text(texts: Sequence[str], gold: str) -> npt.NDArray[np.float32]:
    """Return of each block the share of it that is in the gold text, 0 to 1."""
    blocks = [squeeze(text) for text in texts]
    lines = [line for line in (squeeze(line) for line in gold.split("\n")) if line]
    whole = "".join(lines)
    offsets = np.cumsum([0, *map(len, lines)]).tolist()
    pieces = {whole[at : at + PIECE] for at in range(max(0, len(whole) - PIECE + 1))}
    labels = np.zeros(len(blocks), np.float32)
    begins, ends = [-1] * len(blocks), [-1] * len(blocks)
    last = 0
    for at, block in enumerate(blocks):
        if len(block) < MIN_LONG:
            continue
        place = whole.find(block, last)
        place = whole.find(block) if place < 0 else place
        if place >= 0:
            labels[at], begins[at], ends[at] = 1, place, place + len(block)
            last = place
            continue
        steps = range(0, len(block) - PIECE + 1, 4)
        held = [step for step in steps if block[step : step + PIECE] in pieces]
        labels[at] = len(held) / len(steps)
        if labels[at] >= 0.5:
            begins[at] = whole.find(block[held[0] : held[0] + PIECE])
            ends[at] = whole.find(block[held[-1] : held[-1] + PIECE]) + PIECE
    matcher = SequenceMatcher(None, blocks, lines, autojunk=False)
    for first, line, size in matcher.get_matching_blocks():
        for step in range(size):
            at = first + step
            if labels[at] < 1:
                labels[at], begins[at], ends[at] = 1, offsets[line + step], offsets[line + step + 1]
    for at in range(1, len(blocks)):
        if labels[at] == 0 and ends[at - 1] >= 0 and blocks[at]:
            place = whole.find(blocks[at], ends[at - 1], ends[at - 1] + MAX_GAP + len(blocks[at]))
            if place >= 0:
                labels[at], begins[at], ends[at] = 1, place, place + len(blocks[at])
    for at in range(len(blocks) - 2, -1, -1):
        if labels[at] == 0 and begins[at + 1] >= 0 and blocks[at]:
            low = max(0, begins[at + 1] - MAX_GAP - len(blocks[at]))
            place = whole.rfind(blocks[at], low, begins[at + 1])
            if place >= 0:
                labels[at], begins[at], ends[at] = 1, place, place + len(blocks[at])
    return labels


def label_by_pieces(
    texts: Sequence[str], wanted: Sequence[str], unwanted: Sequence[str], other: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return labels and how sure they are, of a page of which only pieces are known: for the other blocks, whether
    they stand in `other`, the text that another extractor takes."""
    blocks = [squeeze(text) for text in texts]
    labels = label_by_text(texts, other) * 0.8 + 0.1
    sure = np.full(len(blocks), 0.3, np.float32)
    for pieces, label in ((wanted, 1.0), (unwanted, 0.0)):
        for piece in map(squeeze, pieces):
            if not piece:
                continue
            for at, block in enumerate(blocks):
                if piece in block or (len(block) >= MIN_LONG and block in piece):
                    labels[at], sure[at] = label, 1.0
    return labels.astype(np.float32), sure
