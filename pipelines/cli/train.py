"""`corpus train`: train a GPT on the token shards of a workspace."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError
from corpus.extras import install_advice
from corpus.pipelines.cli.refusals import refuse_options

if TYPE_CHECKING:
    from corpus.trainer.loop import TrainingResult

OMP_SPIN_COUNT = "5000"
"""How often an OpenMP thread spins while it waits for the others, before it sleeps. The default of 300,000 is a few
percent faster on an idle machine, and up to ten times slower if another process uses one of the cores
(docs/training.md)."""


def train(
    workspace: Annotated[
        str, typer.Argument(metavar="DIR", help="Workspace whose token shards to train on.")
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="RUN",
            help="Folder to write the run to: configuration, log and checkpoints (default: DIR/runs/SIZE).",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="Model size: 1m, tiny, mini, small, base, gpt2, gpt2-medium, gpt2-large, gpt2-xl, or "
            "dN for N blocks of width 64 N, such as d8 (default: tiny)."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Length of the whole run in training steps, in place of --tokens or --minutes (default: 20 "
            "tokens per model parameter, at most 4 epochs).",
        ),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Length of the whole run in training tokens, in place of --steps or --minutes (default: 20 "
            "per model parameter, at most 4 epochs).",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Length of the run in minutes of training, in place of --steps or --tokens (default: "
            "no limit in time). The learning rate then follows the clock, so the run cannot be "
            "reproduced exactly."
        ),
    ] = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of training tokens per step, over all processes together, rounded down to whole "
            "contexts but at least one (default: chosen from the length of the run).",
        ),
    ] = None,
    micro_tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of tokens to process together; a step is split into micro-batches of this "
            "size. Lower it to save memory (default: 16384 on a CPU; on a GPU up to 65536, as fit into its free "
            "memory when the run begins).",
        ),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(
            min=1, help="Context length of the model in tokens (default: 256 to 1024, depending on --size)."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Random seed for weight initialization and data order (default: 0)."),
    ] = None,
    mixture: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Train with the weights of sources and languages in this YAML file, or in the preset "
            "gpt3 or balanced (default: the mixture of the workspace's manifest).",
        ),
    ] = None,
    mask_documents: Annotated[
        bool | None,
        typer.Option(
            "--mask-documents/--no-mask-documents",
            help="Restrict attention to tokens of the same document (default: attention spans all "
            "documents in a window).",
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="Optimizer: muon (Muon for matrices, AdamW for embeddings and the rest) or adamw "
            "(default: muon)."
        ),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Peak learning rate (default: chosen from the model size and the length of the run, "
            "at most 0.005)."
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Learning-rate schedule: wsd (constant, then linear decay to zero) or cosine (decay "
            "to a tenth of the peak) (default: wsd)."
        ),
    ] = None,
    warmup: Annotated[
        float | None,
        typer.Option(
            help="Share of the run, 0 to 1, during which the learning rate rises from zero to its peak "
            "(default: 0.03)."
        ),
    ] = None,
    decay: Annotated[
        float | None,
        typer.Option(
            help="Share of the run, 0 to 1, at its end during which a wsd learning rate falls to zero "
            "(default: 0.4)."
        ),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(min=0, help="Weight decay, applied to weight matrices only (default: 0.1)."),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Maximum norm of the gradient, above 0; a larger gradient is scaled down to it (default: 1).",
        ),
    ] = None,
    z_loss: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Weight of the z-loss, a penalty that keeps the logits small; 0 turns it off "
            "(default: 0.0001).",
        ),
    ] = None,
    spike_sigma: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Leave the weights unchanged in a step whose loss or gradient norm is more than this many "
            "standard deviations above the mean of the 128 steps before it; never in the first 128 steps; "
            "0 turns this off (default: 6).",
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Precision of matrix products: bf16, fp32, fp8 for those of the blocks on one GPU that has it, or "
            "auto for bf16 if the hardware supports it (default: auto)."
        ),
    ] = None,
    shard: Annotated[
        bool | None,
        typer.Option(
            "--shard/--no-shard",
            help="Under torchrun, divide the model among the processes (FSDP) instead of copying it to "
            "each (default: copy it).",
        ),
    ] = None,
    compile_: Annotated[
        bool | None,
        typer.Option(
            "--compile/--no-compile",
            help="Compile the model with torch.compile: faster steps, but minutes of compilation first "
            "(default: on for runs of over four minutes on a GPU, where triton and a C compiler are; else off).",
        ),
    ] = None,
    cuda_graphs: Annotated[
        bool | None,
        typer.Option(
            "--cuda-graphs/--no-cuda-graphs",
            help="Record a compiled step on one GPU and replay it, which helps models so small that the GPU waits for "
            "its instructions (default: off).",
        ),
    ] = None,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            "--deterministic/--no-deterministic",
            help="Use only kernels that give the same bits every time, so that a run on a GPU resumes exactly; "
            "slower (default: off).",
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            help="Device to train on: cpu, cuda, cuda:N, or auto for a CUDA GPU if there is one, else "
            "the CPU."
        ),
    ] = "auto",
    evaluate_every: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of steps between evaluations on validation documents; 0 evaluates only at the "
            "end (default: 1000).",
        ),
    ] = None,
    evaluate_tokens: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Approximate number of validation tokens to use per evaluation; 0 uses all (default: "
            "131072).",
        ),
    ] = None,
    save_minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Minutes between checkpoints; 0 saves one after every step (default: 10)."),
    ] = None,
    save_every: Annotated[
        int | None,
        typer.Option(
            min=0, help="Also save a checkpoint every this many steps; 0 saves by time only (default: 0)."
        ),
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of most recent checkpoints to keep; older ones are deleted (default: 2)."
        ),
    ] = None,
    keep_every: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Keep checkpoints forever when their step is a multiple of this number; 0 keeps none "
            "forever (default: 0).",
        ),
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option(
            metavar="RUN@STEP",
            help="Start a new run from a checkpoint of another run, with its settings, optimizer state and "
            "step number: a run's folder and a step, such as demo-workspace/runs/trunk@4000. --steps, "
            "--tokens and --minutes include the part already trained. Size, seed, data and batch cannot "
            "change. Give the new run's folder with --out.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume the run in the run folder from its last checkpoint, or start one if there is "
            "none; without this option, a folder with a run is refused.",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print the step, tokens, seconds and bits per byte reached as JSON instead of a table.",
        ),
    ] = False,
) -> None:
    """Train a GPT on the token shards of a workspace, and measure its bits per byte by source and language.

    Reads the token shards and the tokenizer; writes configuration, log and checkpoints to a run folder. Ctrl-C or
    SIGTERM saves a checkpoint and stops; the same command with --resume resumes the run. Needs the `train` extra.

    Example: corpus train demo-workspace --size tiny --minutes 1

    Example with several processes: torchrun --nproc-per-node 2 -m corpus.pipelines.cli train demo-workspace --steps 100
    """
    if clip == 0:
        raise UserError("--clip 0 would scale every gradient to nothing: give 1 or so, or 1e9 for no bound")
    if schedule == "cosine":
        refuse_options("--schedule cosine", {"--decay": decay is not None})
    from rich.console import Console

    from corpus.pipelines.cli.opening import local_folder, warn_unfinished
    from corpus.storage.outputs import check_output_folder
    from corpus.trainer.config import check_device_name
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.start import configure_branch, configure_new_run, configure_resumed_run

    options = {
        "size": size, "steps": steps, "tokens": tokens, "minutes": minutes, "batch_tokens": batch_tokens,
        "micro_tokens": micro_tokens, "context": context, "seed": seed, "learning_rate": lr, "shape": schedule,
        "warmup": warmup, "decay": decay, "weight_decay": weight_decay, "clip": clip, "precision": precision,
        "compile": compile_, "cuda_graphs": cuda_graphs, "deterministic": deterministic, "shard": shard,
        "evaluate_every": evaluate_every, "evaluate_tokens": evaluate_tokens,
        "save_minutes": save_minutes, "save_every": save_every, "keep_last": keep_last, "keep_every": keep_every,
        "mixture": mixture, "mask_documents": mask_documents, "optimizer": optimizer, "z_loss": z_loss,
        "spike_sigma": spike_sigma,
    }  # fmt: skip
    run = local_folder("--out", out) if out else local_folder("DIR", workspace) / "runs" / (size or "tiny")
    check_output_folder("--out" if out else "DIR", str(run))
    check_device_name(device)
    warn_unfinished(workspace)
    dataset = open_dataset(workspace)
    first = os.environ.get("RANK", "0") == "0"
    begun = (run / "config.json").exists()
    if begun and not resume and first:
        raise UserError(f"{run} already holds a run: resume it with --resume, or start another with --out")
    if begun:
        config = configure_resumed_run(run, workspace, options)
    elif branch is not None:
        config = configure_branch(branch, workspace, options)
    else:
        config = configure_new_run(dataset, workspace, options)
    load_torch()
    from corpus.trainer import loop
    from corpus.trainer.device import choose_device, estimate_speed

    if not begun and branch is None:
        speed = estimate_speed(choose_device(device))
        config = configure_new_run(dataset, workspace, {**options, "speed": speed})
    result = loop.train(config, run, device=device, console=Console(stderr=True))
    if not first:
        return
    if as_json:
        typer.echo(json.dumps(summary(result)))
    else:
        show(result, run)
    if result.stopped:
        raise typer.Exit(130 if result.stopped == "SIGINT" else 143)


def load_torch() -> None:
    """Import torch, for the commands that use it, after they have checked what they were given.

    Raises UserError if the `train` extra is not installed.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", OMP_SPIN_COUNT)  # read when torch is loaded
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UserError(f"this command needs torch: {install_advice('train')}") from None


def summary(result: TrainingResult) -> dict[str, Any]:
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


def show(result: TrainingResult, run: Path) -> None:
    """Print what was trained, and bits per byte by source and language."""

    from corpus.pipelines.cli.console import make_console
    from corpus.trainer.report import make_score_table

    console = make_console()
    if result.scores:
        console.print(make_score_table(result.scores))
    console.print(
        f"{result.step:,} steps, {result.tokens:,} tokens in {result.seconds:,.0f} s; "
        f"`corpus generate {run}` generates text",
        highlight=False,
        soft_wrap=True,
    )
