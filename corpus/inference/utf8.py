"""Find the tokens of a byte-level vocabulary that may follow so that the text stays valid UTF-8.

A byte-level token can end in the middle of a character. An automaton over the well-formed sequences gives the bytes
that may come next; here it is run over all tokens of a vocabulary in parallel, a byte of each at a time.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from corpus.errors import UserError

START_STATE = 0
REJECT_STATE = 8
_TRANSITION_RANGES = [
    (0, 0x00, 0x7F, START_STATE),
    (0, 0xC2, 0xDF, 1),
    (0, 0xE0, 0xE0, 4),
    (0, 0xE1, 0xEC, 2),
    (0, 0xED, 0xED, 5),
    (0, 0xEE, 0xEF, 2),
    (0, 0xF0, 0xF0, 6),
    (0, 0xF1, 0xF3, 3),
    (0, 0xF4, 0xF4, 7),
    (1, 0x80, 0xBF, START_STATE),
    (2, 0x80, 0xBF, 1),
    (3, 0x80, 0xBF, 2),
    (4, 0xA0, 0xBF, 1),
    (5, 0x80, 0x9F, 1),
    (6, 0x90, 0xBF, 2),
    (7, 0x80, 0x8F, 2),
]
"""(state, first byte, last byte, next state): the well-formed sequences of the Unicode Standard, table 3-7. States 1
to 3 wait for so many continuation bytes, 4 to 7 for a restricted one after E0, ED, F0 and F4."""


def _build_automaton() -> npt.NDArray[np.uint8]:
    table = np.full((REJECT_STATE + 1, 256), REJECT_STATE, np.uint8)
    for state, first, last, following in _TRANSITION_RANGES:
        table[state, first : last + 1] = following
    return table


AUTOMATON = _build_automaton()
"""[state, byte] -> state."""


def byte_alphabet() -> dict[str, int]:
    """Return the byte of each character of a byte-level vocabulary, as in GPT-2: itself if it is printable."""
    printing = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printing]
    return {chr(byte): byte for byte in printing} | {chr(256 + i): byte for i, byte in enumerate(others)}


def token_bytes(vocabulary: dict[str, int], special: set[int], size: int) -> list[bytes]:
    """Return the bytes of each token id below `size`; empty for special tokens and unused ids."""
    alphabet = byte_alphabet()
    out = [b""] * size
    for token, number in vocabulary.items():
        if number in special or number >= size:
            continue
        try:
            out[number] = bytes(alphabet[character] for character in token)
        except KeyError:
            raise UserError(
                f"tokenizer.json: token {number} ({token!r}) is not byte-level, and only byte-level tokens can be "
                "decoded here: train with a byte-level tokenizer"
            ) from None
    return out


def build_transitions(tokens: list[bytes]) -> npt.NDArray[np.uint8]:
    """Return (states, tokens): the state after each token from each state; REJECT_STATE if it cannot follow."""
    lengths = np.array([len(token) for token in tokens])
    flat = np.frombuffer(b"".join(tokens), np.uint8)
    starts = np.cumsum(lengths) - lengths
    after = np.repeat(np.arange(REJECT_STATE + 1, dtype=np.uint8)[:, None], len(tokens), axis=1)
    for position in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > position)
        after[:, longer] = AUTOMATON[after[:, longer], flat[starts[longer] + position]]
    after[:, lengths == 0] = REJECT_STATE
    return after


def decode_stream(tokens: Iterator[bytes]) -> Iterator[str]:
    """Yield text as soon as its characters are complete; the bytes of an incomplete last character are dropped."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
    for token in tokens:
        if text := decoder.decode(token):
            yield text
