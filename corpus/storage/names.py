"""Make file names printable, also one that is not UTF-8."""

from __future__ import annotations

import re


def printable_name(name: str) -> str:
    """Return a file name with `\\xNN` for the bytes that are not UTF-8, and other half characters escaped too."""
    try:
        name.encode()
    except UnicodeEncodeError:
        escaped = name.encode("utf-8", "backslashreplace").decode()
        return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", escaped)
    return name
