"""`corpus trace`: the documents that a training step read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer


def trace(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run folder that `corpus train` wrote.")],
    step: Annotated[
        int, typer.Option(min=1, help="Training step to trace, counted from 1 as in the run's log.")
    ],
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object per line for each document: its id, source, language, tokens "
            "read, URL and origin.",
        ),
    ] = False,
) -> None:
    """List the documents that a training step read, with their URLs and their places in the input files.

    Reads the run folder and the workspace that it was trained on; writes nothing. The order of the data is computed
    from the step number, so any step can be traced.

    Example: corpus trace demo-workspace/runs/tiny --step 7
    """
    from corpus.inference import trace as of

    traced = of.trace_step(Path(run), step)
    if as_json:
        for document in traced:
            line = {**asdict(document.piece), "url": document.url, "origin": document.origin}
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    sample = -1
    for document in traced:
        piece = document.piece
        if piece.sample != sample:
            sample = piece.sample
            typer.echo(f"sample {sample:,}: {piece.source}, epoch {piece.epoch + 1}")
        typer.echo(f"  {piece.document}  {piece.language or '-'}  {piece.tokens:,} tokens")
        typer.echo(f"    {_format_place(document.url, document.origin)}")
    documents = len({document.piece.document for document in traced})
    tokens = sum(document.piece.tokens for document in traced)
    typer.echo(f"step {step:,}: {tokens:,} tokens from {documents:,} documents")


def _format_place(url: str | None, origin: dict[str, Any] | None) -> str:
    """The URL of a document and its place in a file, as far as they are known."""
    from corpus.inspect.readable import make_printable

    if origin is None:
        return "no longer in the workspace"
    place = str(origin["file"])
    if origin.get("offset") is not None:
        place += f" at {origin['offset']:,}"
    return make_printable(f"{url}  {place}" if url else place)
