"""What of an item is looked for: its grams, and the pairs of tokens by which a document is compared with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.decontamination.folded_tokens import GRAM, fold_tokens
from corpus.decontamination.item_layouts import EvaluationItem
from corpus.decontamination.options import PARTS
from corpus.text.hashes import Hashes
from corpus.text.units import to_units

MIN_LOOKED_FOR_PAIRS = 6
SHORT = 8
"""An item with fewer distinct pairs is known by those between its question and its options, too."""
PASSAGE, OPTIONS = PARTS.index("passage"), PARTS.index("options")


@dataclass(frozen=True)
class ItemHashes:
    """The distinct `grams` of an item, and n pairs in their order: each with its hash, that of the gram which begins
    with it (0: none), its part, and where it stands in the item's texts, in UTF-16 units."""

    grams: Hashes
    pairs: Hashes
    begun: Hashes
    parts: NDArray[np.uint8]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    @property
    def sought_pairs(self) -> Hashes:
        """Return the pairs of all but the passage."""
        sought: Hashes = self.pairs[self.parts < PASSAGE]
        return sought

    def describe_shortness(self, text: str) -> str | None:
        """Return why an item with these texts cannot be looked for, None if it can."""
        if len(self.grams) and len(np.unique(self.sought_pairs)) >= MIN_LOOKED_FOR_PAIRS:
            return None
        words = max(len(fold_tokens(text)), int(bool(text.strip())))
        return f"too short: {words} words or characters, not {GRAM} in a row"


_NONE, _NOWHERE = np.zeros(0, np.uint64), np.zeros(0, np.int32)
NO_HASHES = ItemHashes(_NONE, _NONE, _NONE, np.zeros(0, np.uint8), _NOWHERE, _NOWHERE)


def join_parts(item: EvaluationItem) -> str:
    """Return the texts of an item one after the other, as its pairs count them."""
    return "\n".join(text for _, text in item.texts)


def describe_shortness(item: EvaluationItem) -> str | None:
    """Return why an item cannot be looked for, None if it can."""
    text = join_parts(item)
    return hash_item(item, text).describe_shortness(text)


def hash_item(item: EvaluationItem, text: str) -> ItemHashes:
    """Return the hashes of an item with these texts (`join_parts`).

    Grams reach from the question into the options and from option to option, since these are short. Pairs do so in
    short items alone, since options may stand in another order. A question or an option of one token is one by itself.
    """
    tokens = fold_tokens(text)
    texts = list(item.texts)
    sizes = np.array([len(to_units(each)) + 1 for _, each in texts])
    piece = np.minimum(np.searchsorted(np.cumsum(sizes), tokens.starts, side="right"), len(texts) - 1)
    parts = np.array([PARTS.index(part) for part, _ in texts], np.uint8)[piece]
    block = np.where(parts <= OPTIONS, 0, parts)
    grams, pairs, letters = (tokens.hash_grams(length) for length in (GRAM, 2, 1))
    whole = block[: len(grams)] == block[GRAM - 1 :] if len(grams) else np.zeros(0, np.bool_)
    begun = np.zeros(len(pairs), np.uint64)
    begun[: len(grams)] = np.where(whole, grams, 0)
    inside = piece[:-1] == piece[1:]
    alone = np.flatnonzero((block == 0) & (np.bincount(piece, minlength=len(texts))[piece] == 1))
    own = pairs[inside & (parts[:-1] < PASSAGE)]
    if len(np.unique(own)) + len(np.unique(letters[alone])) < SHORT:
        inside = block[:-1] == block[1:]
    paired = np.flatnonzero(inside)
    order = np.argsort(np.concatenate([paired, alone]), kind="stable")
    return ItemHashes(
        np.unique(grams[whole]),
        np.concatenate([pairs[paired], letters[alone]])[order],
        np.concatenate([begun[paired], np.zeros(len(alone), np.uint64)])[order],
        np.concatenate([parts[1:][paired], parts[alone]])[order],
        np.concatenate([tokens.starts[paired], tokens.starts[alone]])[order].astype(np.int32),
        np.concatenate([tokens.ends[paired + 1], tokens.ends[alone]])[order].astype(np.int32),
    )
