"""How to install what an optional part of the toolkit needs."""

from __future__ import annotations

import re
from importlib import metadata

DISTRIBUTION = "corpusmill"
WHEEL = f"dist/{DISTRIBUTION}-*.whl"
"""What is installed, until the distribution is published: built by `make wheel`."""


def install_advice(extra: str) -> str:
    """Return the command that installs the packages of an extra, as one line for an error message.

    It names the packages themselves, at the versions that this installation asks for, and no distribution of ours.
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
        return f'pip install "$(ls {WHEEL})[{extra}]"'
    return f"pip install {' '.join(map(repr, wanted))} (the extra `{extra}` of {WHEEL})"
