"""Read the beginning of a file, and tell the encoding of a text by it."""

from __future__ import annotations

import codecs
import re

from corpus.formats.encodings import count_shifts, decode, find_wide_order, name_codec
from corpus.storage import DAMAGE, open_decompressed

HEAD_BYTES = 1 << 16
"""Bytes of a file, decompressed, that tell what it is."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MAX_CONTROL_SHARE = 0.005


def read_head(path: str) -> bytes:
    """Return the first bytes, decompressed; what there is before damage. Raises one of `DAMAGE` if that is nothing."""
    pieces: list[bytes] = []
    with open_decompressed(path) as stream:
        try:
            while sum(map(len, pieces)) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES)):
                pieces.append(piece)
        except DAMAGE:
            if not pieces:
                raise
    return b"".join(pieces)


def find_codec(head: bytes) -> str | None:
    """Return the Python codec of a text that begins so; None where it is none. A mark of the byte order tells it."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode(head, html=False)[1]
    if (order := find_wide_order(head[: len(head) & ~3])) is not None:
        return order
    begin = head[: 1 << 14]
    controls = len(_CONTROLS.findall(begin)) - count_shifts(begin)
    return decode(head, html=False)[1] if controls <= _MAX_CONTROL_SHARE * len(head[: 1 << 14]) else None


def find_encoding(path: str) -> str | None:
    """Return the encoding of a text by its beginning, as sources name it; None for UTF-8, and where nothing tells it.

    Raises one of `DAMAGE` where nothing can be read.
    """
    codec = find_codec(read_head(path))
    return None if codec is None else state_encoding(codec).get("encoding")


def decode_head(head: bytes, codec: str) -> str:
    """Return the beginning of a file as text, without the mark of its byte order."""
    return head.decode(codec, "replace").removeprefix("\ufeff")


def state_encoding(codec: str) -> dict[str, str]:
    """Return the options that tell a source the encoding of a file; none for UTF-8."""
    label = name_codec(codec)
    return {} if codec == "utf-8" or label is None else {"encoding": label}
