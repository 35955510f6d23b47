"""Opening a workspace to read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, overload

import typer

if TYPE_CHECKING:
    from corpus.workspace import Workspace


def open_workspace(root: str) -> Workspace:
    """The workspace, with a line on standard error if it is not finished. Raises UserError if it is not a workspace."""
    import corpus
    from corpus.pipelines.beam.loading import keep_pandas_out

    keep_pandas_out()
    workspace = corpus.open(root)
    warn_unfinished(root)
    return workspace


def local_folder(option: str, path: str) -> Path:
    """Return the path of an option that names a local folder. Raises UserError for a URL."""
    from corpus.errors import UserError
    from corpus.storage import is_remote, local_path

    if is_remote(path):
        raise UserError(f"{option} {path}: runs and models lie on a local disk: name a local folder")
    return Path(local_path(path))


@overload
def read_language(name: str) -> str: ...


@overload
def read_language(name: None) -> None: ...


def read_language(name: str | None) -> str | None:
    """Return the label of a language that --language names; None where it is not given. Raises UserError for what is no
    language."""
    from corpus.errors import UserError
    from corpus.inspect.known import read_language as read

    try:
        return None if name is None else read(name)
    except ValueError as error:
        raise UserError(f"--language: {error}") from None


def warn_unfinished(root: str) -> None:
    """Print a line if a build or `corpus decide` was stopped or is still running: results may be from earlier rules."""
    from corpus.workspace import Workspace

    workspace = Workspace(root)
    if is_finished(workspace):
        return
    running = workspace.describe_running()
    typer.echo(
        f"corpus: {root}: {running}, so results may be from earlier rules and input"
        if running
        else f"corpus: {root} is not finished, so results may be from earlier rules: resume with "
        f"`corpus build MANIFEST --out {root}` or the `corpus decide` command that was stopped",
        err=True,
    )


def is_finished(workspace: Workspace) -> bool:
    """Return whether the last build or `corpus decide` of a workspace came to its end, as far as it tells."""
    state = workspace.read_state()
    return state is None or "build" in state
