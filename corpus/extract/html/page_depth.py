"""Tell pages that nest deeper than lexbor is fast."""

from __future__ import annotations

import numpy as np

from corpus.extract.process.budgets import measure_nesting

MAX_DEPTH = 12_000
"""Levels of tags that lexbor is given: its time grows with their square, .2 s for these, 4 s for 50,000."""
MAX_OPEN_TAGS = 3_000
"""Tags up to which a page is parsed without a look at how deep they are."""


def is_too_deep(html: str | bytes) -> bool:
    """Return whether a page, as text or in UTF-8, nests deeper than lexbor is fast. Pages of few tags cost one look at
    the source."""
    data = html.encode("utf-8", "replace") if isinstance(html, str) else html
    codes = np.frombuffer(data, np.uint8)
    are_begins = codes[:-1] == ord("<")
    if np.count_nonzero(are_begins) <= MAX_OPEN_TAGS:
        return False
    following = codes[1:].compress(are_begins)
    ends = following == ord("/")
    if len(following) - np.count_nonzero(ends) <= MAX_OPEN_TAGS:
        return False
    letters = following | 0x20
    steps = ((letters >= ord("a")) & (letters <= ord("z"))).astype(np.int32) - ends
    depths = steps.cumsum(dtype=np.int32)
    # How far it climbs above where it has been: end tags without a beginning lower it for nothing.
    climbed = int((depths - np.minimum.accumulate(np.minimum(depths, 0))).max(initial=0))
    return climbed > MAX_DEPTH and measure_nesting(data) > MAX_DEPTH
