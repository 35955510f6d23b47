"""Let the C library keep memory that was freed, for what is needed next."""

from __future__ import annotations

import ctypes
import os

KEPT_BYTES, LARGEST_BYTES = 64 << 20, 32 << 20
"""What is kept at the end of the heap, and of what size a piece may be to come from there: glibc allows no more."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> None:
    """Let glibc keep what this process frees; another C library, or one that its user has set, is left as it is.

    By itself it returns arrays of some hundred kilobytes, and the trees of pages, to the system at once, which then has
    to clear every page of memory anew: a fourth of a build's system time.
    """
    if os.environ.keys() & set(_SETTINGS):
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_TRIM_THRESHOLD, KEPT_BYTES)
        set_option(_M_MMAP_THRESHOLD, LARGEST_BYTES)
