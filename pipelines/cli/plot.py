"""`corpus plot`: the curves of a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corpus.errors import UserError


def plot(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder that `corpus train` wrote.")],
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help=".html or .png, as often as you like.  [default: RUN/curves.html]",
        ),
    ] = None,
) -> None:
    """Draw a run from its log: loss, bits per byte by language, learning rate, throughput, what was read.

    Example: corpus plot demo-workspace/runs/tiny --out curves.html --out curves.png

    The page opens from disk without a network; the picture needs the `plots` extra.
    """
    from corpus.inspect.curves import write_page, write_picture

    paths = [Path(path) for path in out or [f"{run}/curves.html"]]
    for path in paths:
        if path.suffix not in (".html", ".png"):
            raise UserError(f"--out {path}: a name that ends in .html or .png")
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        (write_page if path.suffix == ".html" else write_picture)(Path(run), path)
        typer.echo(str(path))
