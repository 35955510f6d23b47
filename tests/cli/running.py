"""Commands of the command line, run in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.testing import CliRunner


def run(command: Callable[..., Any], *arguments: str) -> str:
    """What a command prints on standard output; its exceptions are raised."""
    app = typer.Typer()
    app.command()(command)
    result = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(
        app, list(arguments), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout
