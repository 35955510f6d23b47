"""Find the documents of a training step after the run: from the order, the shards and the workspace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from corpus.errors import UserError
from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import DocumentPiece, Loader
from corpus.trainer.log import explain_no_run
from corpus.trainer.start import check_dataset, read_run_config
from corpus.workspace import Workspace

LOG_TAIL_BYTES = 1 << 20
"""Bytes at the end of a log that are searched for its last step."""


@dataclass(frozen=True, kw_only=True)
class TracedDocument:
    """A document's part of a step, and its URL and origin; None if the workspace no longer has the document."""

    piece: DocumentPiece
    url: str | None
    origin: dict[str, Any] | None


def read_pieces(run: Path, step: int) -> tuple[str, list[DocumentPiece]]:
    """Return (workspace, documents of each sample) of a step, counted from 1 as in the log."""
    config = read_run_config(run)
    if step < 1:
        raise UserError(f"--step {step}: the first step is 1")
    steps = count_steps(run, config)
    if step > steps:
        raise UserError(f"--step {step}: {run} has {steps:,} steps")
    dataset = check_dataset(open_dataset(config.workspace), config)
    loader = Loader(dataset, context=config.model.context, seed=config.seed, shares=config.shares)
    size = config.batch_samples
    return config.workspace, loader.documents((step - 1) * size, step * size)


def count_steps(run: Path, config: RunConfig) -> int:
    """Return the steps of a run; of one that is bounded by time, those in its log."""
    return _read_last_step(run) if config.steps is None else config.steps


def _read_last_step(run: Path) -> int:
    """Return the last step in the log of a run that is bounded by time."""
    try:
        with (run / "log.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL_BYTES))
            steps = re.findall(rb'"step": (\d+)', file.read())
    except OSError:
        raise explain_no_run(run) from None
    return int(steps[-1]) if steps else 0


def trace_step(run: Path, step: int) -> list[TracedDocument]:
    """Return every document of a step with its URL and origin. Cost: reads the ids of the workspace's documents."""
    workspace, step_pieces = read_pieces(run, step)
    ids = sorted({piece.document for piece in step_pieces})
    sources = sorted({piece.source for piece in step_pieces})
    rows = {}
    if (Path(workspace) / "workspace.json").exists():
        chosen = pc.field("source").isin(sources) & pc.field("id").isin(ids)
        columns = ["id", "url", "origin"]
        table = Workspace.open(workspace).documents().scanner(columns=columns, filter=chosen).to_table()
        rows = {row["id"]: row for row in table.to_pylist()}
    return [
        TracedDocument(
            piece=piece,
            url=rows.get(piece.document, {}).get("url"),
            origin=rows.get(piece.document, {}).get("origin"),
        )
        for piece in step_pieces
    ]
