"""Opening a workspace to look at it or to use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from corpus.workspace import Workspace


def open_workspace(root: str) -> Workspace:
    """The workspace, with a line on standard error where it is not finished. Raises UserError where it is none."""
    import corpus

    workspace = corpus.open(root)
    tell_unfinished(root)
    return workspace


def tell_unfinished(root: str) -> None:
    """A line where a build or `decide` was stopped, or is at work: what is there may be of the rules before."""
    from corpus import storage
    from corpus.workspace import Workspace

    state = Workspace(root).path("state.json")
    if storage.exists(state) and "build" not in json.loads(storage.read_text(state)):
        typer.echo(
            f"corpus: {root} is not finished, so this may be of the rules before: `corpus build MANIFEST --out {root}` "
            "or the `corpus decide` that was stopped goes on",
            err=True,
        )
