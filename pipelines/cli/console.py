"""Consoles of commands: a terminal's width where there is one, whole lines for pipes and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 1000
"""Columns outside a terminal: tables are as wide as they need to be there, and names in them whole."""
RULE_WIDTH = 80
"""Columns of a ruled line, of a table of sentences, and of texts side by side, outside a terminal."""


def make_console() -> Console:
    """Return a console on standard output."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def room_beside(console: Console, taken: int) -> int | None:
    """Return the columns that a name may have in a terminal beside `taken` others; None where it is never cut."""
    return console.width - taken if console.is_terminal else None
