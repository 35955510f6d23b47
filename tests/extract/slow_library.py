"""What takes a while to load, and as long to run: for a test of what counts as a page's time."""

from __future__ import annotations

import time

from tests.extract.hostile import BURNT_SECONDS


def burn() -> None:
    begin = time.process_time()
    while time.process_time() - begin < BURNT_SECONDS:
        pass


burn()
