"""Advice on how to install the dependencies of an optional part of the toolkit."""

from __future__ import annotations

import re

DISTRIBUTION = "corpusmill"


def install_advice(extra: str) -> str:
    """Return the command that installs the packages of an extra, as one line for an error message.

    The command names the packages themselves, at the versions that this installation requires: wherever its wheel came
    from, they come from the package index.
    """
    from importlib import metadata  # 7 ms, which every command would take to start

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
        return f"install {DISTRIBUTION} with its extra `{extra}`: `corpus docs install` says how"
    return f"pip install {' '.join(map(repr, wanted))} (the extra `{extra}` of {DISTRIBUTION})"
