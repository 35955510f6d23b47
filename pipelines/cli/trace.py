"""`corpus trace`: which documents a training step read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer


def trace(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder that `corpus train` wrote.")],
    step: Annotated[int, typer.Option(min=1, help="The step, counted from 1 as in the log.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a document.")] = False,
) -> None:
    """Name the documents of a step, with their URLs and origins.

    Example: corpus trace demo-workspace/runs/tiny --step 7

    Which documents a step reads follows from its number, so nothing had to be kept for it.
    """
    from corpus.inference import trace as of

    found = of.trace(Path(run), step)
    if as_json:
        for each in found:
            line = {**asdict(each.piece), "url": each.url, "origin": each.origin}
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    sample = -1
    for each in found:
        piece = each.piece
        if piece.sample != sample:
            sample = piece.sample
            typer.echo(f"sample {sample:,}: {piece.source}, epoch {piece.epoch + 1}")
        typer.echo(f"  {piece.document}  {piece.language or '-'}  {piece.tokens:,} tokens")
        typer.echo(f"    {_place(each.url, each.origin)}")
    documents = len({each.piece.document for each in found})
    tokens = sum(each.piece.tokens for each in found)
    typer.echo(f"step {step:,}: {tokens:,} tokens of {documents:,} documents")


def _place(url: str | None, origin: dict[str, Any] | None) -> str:
    """A URL and a place in a file, as far as they are known."""
    from corpus.inspect.readable import printable

    if origin is None:
        return "not in the workspace any more"
    place = str(origin["file"])
    if origin.get("offset") is not None:
        place += f" at {origin['offset']:,}"
    return printable(f"{url}  {place}" if url else place)
