"""Refuse options that would be ignored: a command that takes them in silence promises what it does not do."""

from __future__ import annotations

from collections.abc import Mapping

from corpus.errors import UserError


def refuse_options(mode: str, given: Mapping[str, bool]) -> None:
    """Raise UserError for the options, of those `given`, that have no effect with `mode`."""
    named = [name for name, is_given in given.items() if is_given]
    if named:
        has = "has" if len(named) == 1 else "have"
        raise UserError(f"{', '.join(named)} {has} no effect with {mode}: leave one of them out")
