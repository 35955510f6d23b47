"""The options for Apache Beam after `--`, the same for every command that runs pipelines on other engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

BeamOptions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- BEAM OPTIONS",
        help="Options for Apache Beam, written after --, such as --runner=DataflowRunner (default: run locally).",
    ),
]


def check_beam_options(options: Sequence[str] | None, expected: str) -> tuple[str, ...]:
    """Return the options. Raises UserError for one that Beam does not know, and for a runner that it does not have.

    `expected` says what the command takes, where an argument before `--` is one too many.
    """
    from corpus.errors import UserError, shorten_line
    from corpus.pipelines.beam.options import list_unknown_flags

    extra = tuple(options or ())
    stray = [option for option in extra if not option.startswith("-")]
    if stray and not any(option.startswith("-") and "=" not in option for option in extra):
        raise UserError(f"unexpected argument {stray[0]!r}: {expected}")
    unknown = list_unknown_flags(extra)
    if unknown:
        raise UserError(f"{unknown[0]}: Beam has no such option: correct it or leave it out")
    for option in extra:
        if option.startswith("--runner="):
            from corpus.pipelines.beam.types import create_runner

            try:
                create_runner(option.partition("=")[2])
            except (ValueError, ImportError, AttributeError) as error:
                raise UserError(f"{option}: {shorten_line(str(error), 200)}") from None
    return extra
