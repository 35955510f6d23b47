"""`corpus train`: a GPT on the token shards of a workspace."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError
from corpus.extras import install_advice

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
            help="1m, tiny, mini, small, base, gpt2, gpt2-medium, gpt2-large, gpt2-xl, or dN.  [default: tiny]"
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
    batch_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens in a step.  [default: by size and length]")
    ] = None,
    micro_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens computed at once: less needs less memory.")
    ] = None,
    context: Annotated[int | None, typer.Option(min=1, help="Tokens in a window.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the first weights and the order of the data.")
    ] = None,
    mixture: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Another mixture than the corpus has: YAML, or a preset (gpt3)."),
    ] = None,
    mask_documents: Annotated[
        bool | None,
        typer.Option("--mask-documents/--no-mask-documents", help="Attention stays inside a document."),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="muon (AdamW for embeddings) or adamw.  [default: muon]")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="The highest learning rate.  [default: by size and length]")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="wsd (constant, then down to zero) or cosine.  [default: wsd]")
    ] = None,
    warmup: Annotated[float | None, typer.Option(help="Share of the run in which the rate rises.")] = None,
    decay: Annotated[float | None, typer.Option(help="Share of the run in which a wsd rate falls.")] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0, help="Of matrices.")] = None,
    clip: Annotated[float | None, typer.Option(min=0, help="Largest norm of the gradient.")] = None,
    z_loss: Annotated[
        float | None, typer.Option(min=0, help="Holds logits down; 0: off.  [default: 0.0001]")
    ] = None,
    spike_sigma: Annotated[
        float | None, typer.Option(min=0, help="Deviations above which a step is skipped.  [default: 6]")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="auto, bf16 or fp32.  [default: auto]")] = None,
    shard: Annotated[
        bool | None,
        typer.Option("--shard/--no-shard", help="With torchrun: the processes divide the model among them."),
    ] = None,
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
    save_every: Annotated[int | None, typer.Option(min=0, help="Steps between checkpoints, too.")] = None,
    keep_last: Annotated[int | None, typer.Option(min=1, help="Checkpoints kept.  [default: 2]")] = None,
    keep_every: Annotated[
        int | None, typer.Option(min=0, help="Keep those of steps that this divides for ever.")
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option(metavar="RUN@STEP", help="Begin from a checkpoint of another run, with --out."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run's last checkpoint, if any.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a GPT on the shards of a workspace, and measure it in bits per byte per source and language.

    Stopped by Ctrl-C or SIGTERM it saves; the same command with --resume goes on as if nothing had happened.

    Example: corpus train demo-workspace --size tiny --minutes 1

    Several processes: torchrun --nproc-per-node 2 -m corpus.pipelines.cli train demo-workspace --steps 100
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)  # read when torch is loaded, so before the import
    require_torch()
    from rich.console import Console

    from corpus.pipelines.cli.opening import tell_unfinished
    from corpus.trainer import loop
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.device import choose_device
    from corpus.trainer.device import speed as device_speed
    from corpus.trainer.start import branched_run, new_run, resumed_run

    options = {
        "size": size, "steps": steps, "tokens": tokens, "minutes": minutes, "batch_tokens": batch_tokens,
        "micro_tokens": micro_tokens, "context": context, "seed": seed, "learning_rate": lr, "shape": schedule,
        "warmup": warmup, "decay": decay, "weight_decay": weight_decay, "clip": clip, "precision": precision,
        "compile": compile_, "shard": shard, "evaluate_every": evaluate_every, "evaluate_tokens": evaluate_tokens,
        "save_minutes": save_minutes, "save_every": save_every, "keep_last": keep_last, "keep_every": keep_every,
        "mixture": mixture, "mask_documents": mask_documents, "optimizer": optimizer, "z_loss": z_loss,
        "spike_sigma": spike_sigma,
    }  # fmt: skip
    tell_unfinished(workspace)
    dataset = open_dataset(workspace)
    run = Path(out) if out else Path(workspace) / "runs" / (size or "tiny")
    first = os.environ.get("RANK", "0") == "0"
    begun = (run / "config.json").exists()
    if begun and not resume and first:
        raise UserError(f"{run} holds a run: --resume goes on with it, --out begins another")
    if begun:
        config = resumed_run(run, workspace, options)
    elif branch is not None:
        config = branched_run(branch, workspace, options)
    else:
        speed = device_speed(choose_device(device))
        config = new_run(dataset, workspace, {**options, "speed": speed})
    result = loop.train(config, run, device=device, console=Console(stderr=True))
    if not first:
        return
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
        raise UserError(f"training needs torch: {install_advice('train')}") from None


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

    from corpus.trainer.report import score_table

    console = Console()
    if result.scores:
        console.print(score_table(result.scores))
    console.print(
        f"{result.step:,} steps, {result.tokens:,} tokens in {result.seconds:,.0f} s; "
        f"`corpus generate {run}` lets it write",
        highlight=False,
        soft_wrap=True,
    )
