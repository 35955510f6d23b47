"""Advice on how to install the dependencies of an optional part of the toolkit."""

from __future__ import annotations

import re
from importlib import metadata

DISTRIBUTION = "corpusmill"
WHEEL_PATTERN = f"dist/{DISTRIBUTION}-*.whl"
"""The wheel to install until the distribution is published; `make wheel` builds it."""


def install_advice(extra: str) -> str:
    """Return the command that installs the packages of an extra, as one line for an error message.

    The command names the packages themselves, at the versions that this installation requires, not this distribution.
    """
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # run from a folder, without being installed
        requirements = []
    wanted = [
        requirement.partition(";")[0].strip()
        for requirement in requirements
        if re.search(rf"""extra == ["']{extra}["']""", requirement)
    ]
    if not wanted:
        return f'pip install "$(ls {WHEEL_PATTERN})[{extra}]"'
    return f"pip install {' '.join(map(repr, wanted))} (the extra `{extra}` of {WHEEL_PATTERN})"
