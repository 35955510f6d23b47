"""Suggest the name that was meant where a user gives one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Collection

MAX_SUGGESTED_NAMES = 3
MAX_LISTED_NAMES = 8


def suggest_names(asked: str, names: Collection[str], otherwise: str = "choose from") -> str:
    """Return `did you mean tha?` for the names nearest to an unknown one, else `otherwise` and the first of them."""
    matches = difflib.get_close_matches(asked, sorted(names), MAX_SUGGESTED_NAMES, 0.6)
    if matches:
        return f"did you mean {' or '.join(matches)}?"
    listed = sorted(names)
    more = f" and {len(listed) - MAX_LISTED_NAMES:,} more" if len(listed) > MAX_LISTED_NAMES else ""
    return f"{otherwise} {', '.join(listed[:MAX_LISTED_NAMES])}{more}"
