"""Memory that was freed is there for what is needed next, unless the user has set it otherwise."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are"
)
BUFFERS, BUFFER_BYTES = 20, 8 << 20
PROBE = f"""
import resource
import sys
from corpus.freed_memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({BUFFERS}):
    bytearray({BUFFER_BYTES})
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize())
"""


def count_cleared(how: str, **settings: str) -> float:
    """Bytes that the system has cleared for buffers one after the other, by the size of one of them."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, how],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / BUFFER_BYTES


def test_a_buffer_takes_the_place_of_the_one_before() -> None:
    assert count_cleared("keep") < 3
    assert count_cleared("leave", MALLOC_MMAP_THRESHOLD_="131072") > BUFFERS - 1


def test_what_the_user_has_set_is_heeded() -> None:
    assert count_cleared("keep", MALLOC_MMAP_THRESHOLD_="131072") > BUFFERS - 1
