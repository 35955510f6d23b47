"""xxHash32 of all windows of a token array, vectorized in numpy: the same values as the `xxhash` package."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PRIME1, PRIME2, PRIME3, PRIME4, PRIME5 = (
    np.uint32(prime) for prime in (2654435761, 2246822519, 3266489917, 668265263, 374761393)
)
"""From the xxHash specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), as is the algorithm."""


def hash_windows(tokens: NDArray[np.uint64] | NDArray[np.uint16], length: int) -> NDArray[np.uint32]:
    """Return xxh32 (seed 0) of the bytes of tokens[i : i + length] for each of the len - length + 1
    windows, as uint32.

    Tokens are 8 or 2 bytes wide, little-endian; other widths raise TypeError. Cost: some 70 passes over
    arrays of 4 bytes a window for five 8-byte tokens, 60 million windows a second on one core.
    """
    width = tokens.dtype.itemsize
    count, size = len(tokens) - length + 1, length * width
    if count <= 0:
        return np.empty(0, np.uint32)
    if width == 8:
        halves = np.ascontiguousarray(tokens).view("<u4").reshape(-1, 2)
        low, high = np.ascontiguousarray(halves[:, 0]), np.ascontiguousarray(halves[:, 1])
        lanes = [(high if j % 2 else low)[j // 2 : j // 2 + count] for j in range(size // 4)]
    elif width == 2:
        units = tokens.astype(np.uint32)
        both = units[:-1] | units[1:] << np.uint32(16)
        lanes = [both[2 * j : 2 * j + count] for j in range(size // 4)]
    else:
        raise TypeError(f"tokens of 2 or 8 bytes, not {tokens.dtype}")

    stripes = size // 16
    if stripes:
        with np.errstate(over="ignore"):
            starts = (PRIME1 + PRIME2, PRIME2, np.uint32(0), np.uint32(0) - PRIME1)
        states = [np.full(count, start, np.uint32) for start in starts]
        for j, lane in enumerate(lanes[: 4 * stripes]):
            state = states[j % 4]
            state += lane * PRIME2
            _rotate(state, 13)
            state *= PRIME1
        for state, bits in zip(states, (1, 7, 12, 18), strict=True):
            _rotate(state, bits)
        hashed = states[0] + states[1] + states[2] + states[3]
    else:
        hashed = np.full(count, PRIME5, np.uint32)
    hashed += np.uint32(size)
    for lane in lanes[4 * stripes :]:
        hashed += lane * PRIME3
        _rotate(hashed, 17)
        hashed *= PRIME4
    if size % 4:  # an odd number of 2-byte tokens: the last one byte by byte
        last = units[length - 1 : length - 1 + count]
        for byte in (last & np.uint32(0xFF), last >> np.uint32(8)):
            hashed += byte * PRIME5
            _rotate(hashed, 11)
            hashed *= PRIME1
    hashed ^= hashed >> np.uint32(15)
    hashed *= PRIME2
    hashed ^= hashed >> np.uint32(13)
    hashed *= PRIME3
    hashed ^= hashed >> np.uint32(16)
    return hashed


def _rotate(values: NDArray[np.uint32], bits: int) -> None:
    """Rotate left in place."""
    high = values >> np.uint32(32 - bits)
    values <<= np.uint32(bits)
    values |= high
