"""Choose which capture of each wanted page to read, from any number of indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from corpus.document import Failure
from corpus.web.index.capture import Capture, Choice, choose_capture
from corpus.web.index.cdx import TextIndex, lookup_ranges, merge_ranges, open_text_index
from corpus.web.index.columnar import ColumnarIndex
from corpus.web.url_lists.index_key import hash_of, key_of


@dataclass(frozen=True, slots=True)
class WantedPage:
    """A page of a list: its row there, how to spell it, the hash of its key, when it was submitted."""

    row: int
    url: str
    hash: int
    submitted: datetime | None = None


@lru_cache(maxsize=4096)
def open_index(path: str) -> TextIndex | ColumnarIndex:
    """Open an index, by its name. Raises UserError where it is none. Kept open: one a process."""
    return ColumnarIndex(path) if path.endswith((".parquet", ".pq")) else open_text_index(path)


def look_up(
    wanted: Sequence[WantedPage], indexes: Sequence[str], choice: Choice
) -> tuple[dict[int, Capture], list[Failure]]:
    """Return the chosen capture of each page that any index has, by its hash, and what could not be read.

    Captures are chosen over all indexes together. A failure of length 0 is of a whole index: its captures are lost.
    """
    by_hash = {page.hash: page for page in wanted}
    ranges = merge_ranges(one for page in wanted for one in lookup_ranges(page.url))
    captures_by_hash: dict[int, set[Capture]] = {}
    failures: list[Failure] = []

    def add(capture: Capture) -> None:
        key = key_of(capture.url)
        hashed = hash_of(key) if key is not None else 0
        if hashed in by_hash:
            captures_by_hash.setdefault(hashed, set()).add(capture)

    for path in indexes:
        index = open_index(path)
        try:
            if isinstance(index, ColumnarIndex):
                for capture in index.captures(ranges):
                    if isinstance(capture, Failure):
                        failures.append(capture)
                    else:
                        add(capture)
                continue
            for line in index.lines(ranges):
                try:
                    parsed = index.capture(line)
                    if parsed is not None:
                        add(parsed)
                except (ValueError, KeyError) as error:
                    message = f"a damaged line of the index, {line[:80]!r}: {error}"
                    failures.append(
                        Failure(file=path, offset=0, length=len(line), step="index", error=message)
                    )
        except (OSError, ValueError) as error:
            failures.append(Failure(file=path, offset=0, length=0, step="index", error=str(error)))
    chosen = {
        hashed: choose_capture(
            sorted(captures, key=lambda one: (one.file, one.offset)), choice, by_hash[hashed].submitted
        )
        for hashed, captures in captures_by_hash.items()
    }
    return chosen, failures
