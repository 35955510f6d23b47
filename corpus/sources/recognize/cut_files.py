"""Find compressed files that end too early, or are damaged further inside, by reading them as far as time allows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from corpus.errors import shorten_line
from corpus.storage import DAMAGE, is_compressed, open_decompressed

BLOCK_BYTES = 1 << 20


def find_cut_files(paths: Iterable[str], deadline: float) -> dict[str, str]:
    """Return those of compressed files that cannot be read to their ends, each with what is wrong.

    Stops at `deadline`, on the clock of `time.monotonic`; files behind it are not looked at. Cost: 300 MB a second of
    what they hold.
    """
    cut: dict[str, str] = {}
    for path in paths:
        if os.path.isdir(path) or not is_compressed(path):
            continue
        try:
            with open_decompressed(path) as stream:
                while time.monotonic() < deadline and stream.read(BLOCK_BYTES):
                    pass
        except DAMAGE as error:
            cut[path] = shorten_line(str(error), 160) or type(error).__name__
        if time.monotonic() >= deadline:
            break
    return cut
