"""Damage a text on purpose: a share of its words change places, for the control that must be seen."""

from __future__ import annotations

import numpy as np

from corpus.text.units import to_text
from corpus.text.words import segment_words

VERSION = 1


def shuffle_words(text: str, share: float, key: int, language: str | None = None) -> str:
    """Return the text with `share` of its words at each other's places, drawn by `key`; spaces and signs stay.

    Words are those of ICU, so a line of Chinese or Thai loses its order as one of English does. The words stay.
    """
    words = segment_words(text, language)
    generator = np.random.default_rng(key)
    count = round(share * len(words))
    if count < 2:
        return text
    chosen = np.sort(generator.choice(len(words), count, replace=False))
    source = np.arange(len(words))
    source[chosen] = generator.permutation(chosen)
    pieces: list[np.ndarray] = []
    place = 0
    for at, start, end in zip(source.tolist(), words.starts.tolist(), words.ends.tolist(), strict=True):
        pieces += (words.units[place:start], words.units[words.starts[at] : words.ends[at]])
        place = end
    pieces.append(words.units[place:])
    return to_text(np.concatenate(pieces))
