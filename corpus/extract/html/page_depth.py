"""Tell pages that nest deeper than lexbor is fast."""

from __future__ import annotations

import numpy as np

from corpus.extract.process.budgets import measure_nesting

MAX_DEPTH = 12_000
"""Levels of tags that lexbor is given: its time grows with their square, .2 s for these, 4 s for 50,000."""
SHORTEST_TAG = len("<a>")


def is_too_deep(html: str | bytes) -> bool:
    """Return whether a page, as text or in UTF-8, nests deeper than lexbor is fast. Pages of few tags cost one look at
    the source, short ones nothing."""
    if len(html) <= SHORTEST_TAG * MAX_DEPTH:
        return False
    data = html.encode("utf-8", "replace") if isinstance(html, str) else html
    tags = np.count_nonzero(np.frombuffer(data, np.uint8) == ord("<"))
    return bool(
        tags > MAX_DEPTH and tags - data.count(b"</") > MAX_DEPTH and measure_nesting(data) > MAX_DEPTH
    )
