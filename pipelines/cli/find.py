"""`corpus find`: every place of a text in the tokens of a workspace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from corpus.suffixes.occurrences import TextPlace, TokenFinder

PLACES = 10
"""Places that are shown unless --places says otherwise."""
MAX_STEPS_SHOWN = 12


def find(
    workspace: Annotated[
        str, typer.Argument(metavar="DIR", help="Workspace that `corpus index` has indexed.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Text to find, as it is in the corpus.")],
    places: Annotated[int, typer.Option("-n", "--places", min=1, help="Number of places to show.")] = PLACES,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Also list the steps of this training run that read each place."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line for each place.")
    ] = False,
) -> None:
    """Find a text in the tokens of a workspace: how often it is there, in which documents, from which URLs.

    Reads the index that `corpus index` made, and writes nothing. With --run, it also says which steps of a training run
    read each place. A text is found as it is: case, punctuation and line breaks count.

    Example: corpus find demo-workspace "to be or not to be"

    Example: corpus find demo-workspace "床前明月光" --run demo-workspace/runs/tiny
    """
    import time

    from corpus.inspect.readable import make_printable
    from corpus.pipelines.cli.opening import local_folder
    from corpus.suffixes.occurrences import TokenFinder, find_urls

    root = str(local_folder("DIR", workspace))
    finder = TokenFinder(root)
    started = time.perf_counter()
    finder.find(text, 0)
    took = 1000 * (time.perf_counter() - started)
    there = finder.find(text, places)
    steps = list_steps(finder, Path(run), there.places) if run is not None else [[] for _ in there.places]
    documents = find_urls(root, [place.document for place in there.places])
    for place, read_in in zip(there.places, steps, strict=True):
        known: dict[str, Any] = documents.get(place.document) or {}
        if as_json:
            line = {**asdict(place), "url": known.get("url"), "origin": known.get("origin")}
            typer.echo(
                json.dumps({**line, **({"steps": read_in} if run is not None else {})}, ensure_ascii=False)
            )
            continue
        where = known.get("url") or (known.get("origin") or {}).get("file") or "no longer in the workspace"
        typer.echo(make_printable(f"{place.document}  {place.source}  {place.language or '-'}  {where}"))
        typer.echo(f"  ...{flatten(place.before)}[[{flatten(place.text)}]]{flatten(place.after)}...")
        if run is not None:
            typer.echo(f"  {describe_steps(read_in, place.split)}")
    if not as_json:
        number = "1 place" if there.count == 1 else f"{there.count:,} places"
        least = "" if there.is_whole else "at least "
        shown = f"{len(there.places):,} shown, " if len(there.places) < there.count else ""
        typer.echo(f"{least}{number} ({shown}{took:.1f} ms)")


def list_steps(finder: TokenFinder, run: Path, places: Sequence[TextPlace]) -> list[list[int]]:
    """Return the steps of a run that read each place. Raises UserError for a run of other tokens."""
    from corpus.inference.trace import count_steps
    from corpus.suffixes.occurrences import find_steps
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.loader import Loader
    from corpus.trainer.start import check_dataset, read_run_config

    config = read_run_config(run)
    dataset = check_dataset(open_dataset(config.workspace), config)
    loader = Loader(dataset, context=config.model.context, seed=config.seed, shares=config.shares)
    return find_steps(finder.dataset, loader, places, count_steps(run, config), config.batch_samples)


def describe_steps(steps: list[int], split: str) -> str:
    """A line on the steps that read a place."""
    if split != "train":
        return "validation: no step reads it"
    if not steps:
        return "no step of the run has read it"
    more = f" and {len(steps) - MAX_STEPS_SHOWN:,} more" if len(steps) > MAX_STEPS_SHOWN else ""
    listed = ", ".join(f"{step:,}" for step in steps[:MAX_STEPS_SHOWN])
    return f"{'step' if len(steps) == 1 else 'steps'} {listed}{more}"


def flatten(text: str) -> str:
    """A text on one line, safe to print."""
    from corpus.inspect.readable import make_printable

    return make_printable(" ".join(text.split("\n")))
