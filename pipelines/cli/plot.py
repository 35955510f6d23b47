"""`corpus plot`: the curves of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corpus.errors import UserError


def plot(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run folder that `corpus train` wrote.")],
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="File to write: a page that ends in .html or a picture that ends in .png. Repeatable "
            "(default: RUN/curves.html).",
        ),
    ] = None,
) -> None:
    """Plot a run: loss, bits per byte by language, learning rate, gradient norm, throughput and data read.

    Reads the log in the run folder; writes an HTML page, which opens from disk without a network, or a PNG picture,
    which needs the `plots` extra.

    Example: corpus plot demo-workspace/runs/tiny --out curves.html --out curves.png
    """
    from corpus.inspect.curves import write_curves_page, write_curves_picture
    from corpus.storage.outputs import check_output_file
    from corpus.trainer.log import explain_no_run

    paths = [Path(path) for path in out or [f"{run}/curves.html"]]
    for path in paths:
        if path.suffix not in (".html", ".png"):
            raise UserError(f"--out {path}: the file name must end in .html or .png")
        check_output_file("--out", str(path))
    if not Path(run, "log.jsonl").is_file():
        raise explain_no_run(Path(run))
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        (write_curves_page if path.suffix == ".html" else write_curves_picture)(Path(run), path)
        typer.echo(str(path))
