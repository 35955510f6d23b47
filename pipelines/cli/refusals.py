"""Refuse options that would be ignored, since a command that takes them in silence promises what it does not do, and
numbers that nothing can count to."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from corpus.errors import UserError
from corpus.suggestions import list_choices

MAX_NUMBER = 10**15
"""The largest whole number that an option takes: more tokens, steps or rows than there are."""
MAX_SEED = 2**63 - 1


def refuse_options(mode: str, given: Mapping[str, bool]) -> None:
    """Raise UserError for the options, of those `given`, that have no effect with `mode`."""
    named = [name for name, is_given in given.items() if is_given]
    if named:
        has = "has" if len(named) == 1 else "have"
        raise UserError(f"{', '.join(named)} {has} no effect with {mode}: leave one of them out")


def check_choice(option: str, value: str, choices: Collection[str]) -> None:
    """Raise UserError for a value of an option that is not of its fixed list."""
    if value not in choices:
        raise UserError(f"{option} {value}: {list_choices(value, choices)}")


def refuse_numbers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that raises UserError for options that are no finite number, or a larger one than it can take.

    Bounds of its own are in the option's declaration.
    """

    @functools.wraps(command)
    def checked(*arguments: Any, **options: Any) -> Any:
        for name, value in options.items():
            option = f"--{name.replace('_', '-')}"
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"{option} {value}: give a finite number")
            most = MAX_SEED if name == "seed" else MAX_NUMBER
            if isinstance(value, int) and abs(value) > most:
                raise UserError(f"{option} {value}: give a number of at most {most:,}")
        return command(*arguments, **options)

    return checked
