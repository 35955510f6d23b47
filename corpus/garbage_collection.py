"""Let Python look for garbage only where some can be, and less often."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (20_000, 50, 100)
"""Objects that are made and not yet gone when a look at the youngest begins, and how many looks at one generation go
before one at the next: Python has 700, 10 and 10."""


def collect_rarely() -> None:
    """Let this process look for circles of garbage a thirtieth as often.

    Imports make hundreds of thousands of objects that stay, and documents few circles: by itself Python spends a
    twelfth of the start of a build on looking through them.
    """
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def without_collection() -> Iterator[None]:
    """Let no garbage be collected meanwhile: where thousands of small objects make no circles, to look for some takes
    a sixth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
