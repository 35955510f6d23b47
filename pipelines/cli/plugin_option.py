"""The option `--plugins`, the same for every command that reads a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

PluginFolders = Annotated[
    list[str] | None,
    typer.Option(
        "--plugins",
        metavar="DIR",
        help="Folder whose Python modules the manifest may name as plug-ins (module:Class); installed modules need "
        "no folder. Repeatable; the environment variable CORPUS_PLUGINS adds more.",
    ),
]


def use_plugin_folders(folders: Sequence[str] | None) -> None:
    """Let the modules of these folders be plug-ins. Raises UserError for a missing folder."""
    from corpus.plugins import add_folders

    add_folders(folders or ())
