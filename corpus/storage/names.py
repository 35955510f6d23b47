"""Make file names printable, also one that is not UTF-8, and say where a link leads."""

from __future__ import annotations

import os
import re


def printable_name(name: str) -> str:
    """Return a file name with `\\xNN` for the bytes that are not UTF-8, and other half characters escaped too."""
    try:
        name.encode()
    except UnicodeEncodeError:
        escaped = name.encode("utf-8", "backslashreplace").decode()
        return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", escaped)
    return name


def describe_link(path: str) -> str | None:
    """Return that a local path at which nothing was found is a link, and to what; None for one that is none."""
    if not os.path.islink(path):
        return None
    return f"it is a link to {printable_name(os.readlink(path))}, which is not there"
