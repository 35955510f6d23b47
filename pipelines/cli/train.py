"""`corpus train`: a GPT on the token shards of a workspace."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError

if TYPE_CHECKING:
    from corpus.trainer.loop import Result

SPIN = "5000"
"""Turns an OpenMP thread spins while it waits for the others, before it sleeps. The default of 300,000 is a few percent
faster alone, and up to ten times slower once another process wants one of the cores (docs/training.md)."""


def train(
    workspace: Annotated[str, typer.Argument(metavar="DIR", help="A workspace with token shards.")],
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="RUN", help="The run's folder.  [default: DIR/runs/SIZE]"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="tiny, small, base, gpt2, gpt2-medium, gpt2-large, gpt2-xl, or dN.  [default: tiny]"
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Length of the run in steps.")] = None,
    tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Length in tokens.  [default: 20 a parameter, 4 epochs at most]"),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Length in minutes of training; two such runs are never the same.")
    ] = None,
    batch_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens in a step.")] = None,
    micro_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens computed at once: less needs less memory.")
    ] = None,
    context: Annotated[int | None, typer.Option(min=1, help="Tokens in a window.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the first weights and the order of the data.")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="The highest learning rate.  [default: the size's]")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="wsd (constant, then down to zero) or cosine.  [default: wsd]")
    ] = None,
    warmup: Annotated[float | None, typer.Option(help="Share of the run in which the rate rises.")] = None,
    decay: Annotated[float | None, typer.Option(help="Share of the run in which a wsd rate falls.")] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0, help="AdamW's, on matrices.")] = None,
    clip: Annotated[float | None, typer.Option(min=0, help="Largest norm of the gradient.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, bf16 or fp32.  [default: auto]")] = None,
    compile_: Annotated[
        bool | None,
        typer.Option("--compile/--no-compile", help="torch.compile: faster steps after minutes of it."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    evaluate_every: Annotated[
        int | None, typer.Option(min=0, help="Steps between evaluations; 0: only at the end.")
    ] = None,
    evaluate_tokens: Annotated[
        int | None, typer.Option(min=0, help="Validation tokens of an evaluation; 0: all there are.")
    ] = None,
    save_minutes: Annotated[float | None, typer.Option(min=0, help="Minutes between checkpoints.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run's last checkpoint, if any.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a GPT on the shards of a workspace, and measure it in bits per byte per source and language.

    Stopped by Ctrl-C or SIGTERM it saves; the same command with --resume goes on as if nothing had happened.

    Example: corpus train demo-workspace --size tiny --minutes 1
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)  # read when torch is loaded, so before the import
    require_torch()
    from rich.console import Console

    from corpus.trainer import loop
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.start import new_run, resumed_run

    options = {
        "size": size, "steps": steps, "tokens": tokens, "minutes": minutes, "batch_tokens": batch_tokens,
        "micro_tokens": micro_tokens, "context": context, "seed": seed, "learning_rate": lr, "shape": schedule,
        "warmup": warmup, "decay": decay, "weight_decay": weight_decay, "clip": clip, "precision": precision,
        "compile": compile_, "evaluate_every": evaluate_every, "evaluate_tokens": evaluate_tokens,
        "save_minutes": save_minutes,
    }  # fmt: skip
    dataset = open_dataset(workspace)
    run = Path(out) if out else Path(workspace) / "runs" / (size or "tiny")
    begun = (run / "config.json").exists()
    if begun and not resume:
        raise UserError(f"{run} holds a run: --resume goes on with it, --out begins another")
    config = resumed_run(run, workspace, options) if begun else new_run(dataset, workspace, options)
    result = loop.train(config, run, device=device, console=Console(stderr=True))
    if as_json:
        typer.echo(json.dumps(summary(result)))
    else:
        show(result, run)
    if result.stopped:
        raise typer.Exit(130 if result.stopped == "SIGINT" else 143)


def require_torch() -> None:
    """Raises UserError where the `train` extra is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UserError("training needs torch: pip install 'corpus-toolkit[train]'") from None


def summary(result: Result) -> dict[str, Any]:
    """The result as plain values."""
    from corpus.trainer.evaluate import bits_per_byte

    keys = ("source", "language", "documents", "tokens", "bytes", "bits_per_byte")
    return {
        "step": result.step,
        "tokens": result.tokens,
        "seconds": round(result.seconds, 3),
        "stopped": result.stopped,
        "bits_per_byte": bits_per_byte(result.scores) if result.scores else None,
        "scores": [{key: getattr(score, key) for key in keys} for score in result.scores],
    }


def show(result: Result, run: Path) -> None:
    """What was trained, and bits per byte per source and language."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if result.scores:
        table = Table(title="Bits per byte on the validation documents")
        for name in ("source", "language"):
            table.add_column(name)
        for name in ("documents", "bytes", "bits/byte"):
            table.add_column(name, justify="right")
        for score in result.scores:
            table.add_row(
                score.source,
                score.language,
                f"{score.documents:,}",
                f"{score.bytes:,}",
                f"{score.bits_per_byte:.4f}",
            )
        overall = summary(result)["bits_per_byte"]
        table.add_row("all", "", "", "", f"{overall:.4f}", style="bold")
        console.print(table)
    console.print(
        f"{result.step:,} steps, {result.tokens:,} tokens in {result.seconds:,.0f} s; "
        f"`corpus generate {run}` lets it write",
        highlight=False,
        soft_wrap=True,
    )
