"""Which documents a step was made of: from the order, the shards and the workspace, long after the step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from corpus.errors import UserError
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader, Piece
from corpus.trainer.start import check_dataset, read_run
from corpus.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A document's part of a step, and where it came from; None where the workspace does not have it any more."""

    piece: Piece
    url: str | None
    origin: dict[str, Any] | None


def pieces(run: Path, step: int) -> tuple[str, list[Piece]]:
    """(workspace, documents of each sample) of a step, counted from 1 as the log counts."""
    config = read_run(run)
    if step < 1:
        raise UserError(f"--step {step}: the first step is 1")
    if config.steps is not None and step > config.steps:
        raise UserError(f"--step {step}: {run} has {config.steps:,} steps")
    dataset = check_dataset(open_dataset(config.workspace), config)
    loader = Loader(dataset, context=config.model.context, seed=config.seed, shares=config.shares)
    size = config.batch_samples
    return config.workspace, loader.documents((step - 1) * size, step * size)


def trace(run: Path, step: int) -> list[Traced]:
    """Every document of a step with its URL and origin. Costs a look at the ids of the workspace's documents."""
    workspace, found = pieces(run, step)
    ids = sorted({piece.document for piece in found})
    sources = sorted({piece.source for piece in found})
    rows = {}
    if (Path(workspace) / "workspace.json").exists():
        chosen = pc.field("source").isin(sources) & pc.field("id").isin(ids)
        columns = ["id", "url", "origin"]
        table = Workspace.open(workspace).documents().scanner(columns=columns, filter=chosen).to_table()
        rows = {row["id"]: row for row in table.to_pylist()}
    return [
        Traced(
            piece=piece,
            url=rows.get(piece.document, {}).get("url"),
            origin=rows.get(piece.document, {}).get("origin"),
        )
        for piece in found
    ]
