"""Suggest the name that was meant where a user gives one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Collection

MAX_SUGGESTED_NAMES = 3
MAX_LISTED_NAMES = 8


def find_nearest(asked: str, names: Collection[str], most: int = MAX_SUGGESTED_NAMES) -> list[str]:
    """Return the names that look like an unknown one, in whatever case, the nearest first; none where none does."""
    as_given: dict[str, str] = {}
    for name in sorted(names):
        as_given.setdefault(name.casefold(), name)
    near = difflib.get_close_matches(asked.casefold(), list(as_given), most, 0.6)
    return [as_given[name] for name in near]


def list_choices(asked: str, choices: Collection[str], also: str = "") -> str:
    """Return `choose from train, valid (did you mean valid?)` for a value that is not of a short fixed list, in the
    order of the list; `also` is what may stand in the place of one. Without a guess where none is near."""
    near = find_nearest(asked, choices, 1)
    guess = f" (did you mean {near[0]}?)" if near and asked else ""
    return f"choose from {', '.join([*choices, *([also] if also else [])])}{guess}"


def suggest_names(asked: str, names: Collection[str], otherwise: str = "choose from") -> str:
    """Return `did you mean tha?` for the names nearest to an unknown one, else `otherwise` and the first of them."""
    matches = find_nearest(asked, names)
    if matches:
        return f"did you mean {' or '.join(matches)}?"
    listed = sorted(names)
    more = f" and {len(listed) - MAX_LISTED_NAMES:,} more" if len(listed) > MAX_LISTED_NAMES else ""
    return f"{otherwise} {', '.join(listed[:MAX_LISTED_NAMES])}{more}"
