"""Suggest the name that was meant where a user gives one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

MAX_SUGGESTED_NAMES = 3
MAX_LISTED_NAMES = 8
_MAPPING, _LIST = "a mapping is expected", "a list is expected"
WRONG_VALUES = {
    "missing": "this key is required",
    "string_type": "give text; in quotes, if it looks like a number, a date or yes and no",
    "string_too_short": "give at least {min_length} characters",
    "string_too_long": "give at most {max_length} characters",
    "bool_type": "say true or false",
    "bool_parsing": "say true or false",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_parsing_size": "give a whole number with fewer digits",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "finite_number": "give a finite number",
    "greater_than": "give a number above {gt}",
    "greater_than_equal": "give a number of at least {ge}",
    "less_than": "give a number below {lt}",
    "less_than_equal": "give a number of at most {le}",
    "multiple_of": "give a multiple of {multiple_of}",
    "byte_size": "give a size, such as 500kB, 64MB or 1GiB",
    "byte_size_unit": "no such unit: give a size, such as 500kB, 64MB or 1GiB",
    "date_type": "give a date, such as 2026-03-31",
    "date_parsing": "give a date, such as 2026-03-31",
    "date_from_datetime_parsing": "give a date, such as 2026-03-31",
    "too_short": "at least one is required",
    "too_long": "at most {max_length} are possible",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
"""Type of pydantic's error -> what to write; its own messages speak of Python."""


def find_nearest(
    asked: str, names: Collection[str], most: int = MAX_SUGGESTED_NAMES, likeness: float = 0.6
) -> list[str]:
    """Return the names that look like an unknown one, in whatever case, the nearest first; none where none does.
    `likeness` is the least share of letters in common."""
    as_given: dict[str, str] = {}
    for name in sorted(names):
        as_given.setdefault(name.casefold(), name)
    near = difflib.get_close_matches(asked.casefold(), list(as_given), most, likeness)
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
    if len(listed) <= MAX_LISTED_NAMES + 1:  # "and 1 more" is no shorter
        return f"{otherwise} {', '.join(listed)}"
    return f"{otherwise} {', '.join(listed[:MAX_LISTED_NAMES])} and {len(listed) - MAX_LISTED_NAMES:,} more"


def describe_wrong_value(problem: Mapping[str, Any]) -> str:
    """Return what to write in place of a value that one of pydantic's errors is about."""
    bounds = {
        name: f"{bound:g}" if isinstance(bound, float) else str(bound)
        for name, bound in problem.get("ctx", {}).items()
    }
    if (advice := WRONG_VALUES.get(problem["type"])) is not None:
        return advice.format(**bounds)
    return str(problem["msg"].removeprefix("Value error, "))
