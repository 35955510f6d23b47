"""Compute fingerprints: one short string for what a file was made from, or for what is in it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import xxhash

from corpus.storage import File, open_input

MAX_WHOLE_HASH_BYTES = 256 << 20
SAMPLE_BLOCK_BYTES = 64 << 10
SAMPLE_BLOCKS = 64


def fingerprint(what: Any) -> str:
    """Return 32 hex digits of BLAKE2b over the canonical JSON of `what` (dicts, lists, strings, numbers)."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def file_identity(file: File) -> str:
    """Identify the content of an input file, whatever its path and times.

    Files up to 256 MiB are hashed whole; of larger ones the size and 64 evenly spread blocks of
    64 KiB, so that planning a crawl does not read it: a change of a large file that keeps its size
    and touches none of the blocks is not seen. Of a remote file its size and its store's checksum of its
    content (ETag, MD5) are enough: no byte is read; where a store gives none, it is read as a local one.
    """
    if file.checksum is not None:
        return fingerprint([file.size, file.checksum])
    digest = xxhash.xxh3_128()
    digest.update(str(file.size).encode())
    with open_input(file.path) as stream:
        if file.size <= MAX_WHOLE_HASH_BYTES:
            while block := stream.read(1 << 20):
                digest.update(block)
        else:
            for i in range(SAMPLE_BLOCKS):
                stream.seek(i * (file.size - SAMPLE_BLOCK_BYTES) // (SAMPLE_BLOCKS - 1))
                digest.update(stream.read(SAMPLE_BLOCK_BYTES))
    return digest.hexdigest()
