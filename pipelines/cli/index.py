"""`corpus index`: an index of a workspace's tokens, in which `corpus find` finds any text."""

from __future__ import annotations

from typing import Annotated

import typer


def index(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="Workspace with token shards.")],
) -> None:
    """Index the token shards of a workspace, so that `corpus find` finds any text in them in milliseconds.

    Reads the shards and writes DIR/suffixes, a suffix array of six bytes a token. Shards that are indexed already are
    not indexed again. The extra `index` makes it three times as fast.

    Example: corpus index demo-workspace
    """
    import time

    from corpus.inspect.readable import format_size
    from corpus.pipelines.cli.opening import local_folder
    from corpus.suffixes.token_index import FOLDER, build_index

    root = str(local_folder("DIR", workspace))
    started = time.monotonic()

    def say(what: str, done: int, total: int) -> None:
        typer.echo(f"{done:,} of {total:,} {what}", err=True)

    facts = build_index(root, say)
    seconds = time.monotonic() - started
    typer.echo(
        f"{workspace}/{FOLDER}: {facts['tokens']:,} tokens of {format_size(facts['bytes'])} of text, {seconds:.1f} s"
    )
