"""`corpus experiment`: which corpus makes the better model, and what a larger run would reach."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError
from corpus.pipelines.cli.refusals import check_choice

if TYPE_CHECKING:
    from corpus.experiments.comparison import Experiment
    from corpus.experiments.sweep import Sweep
    from corpus.experiments.training_runs import RunPlan

app = typer.Typer(
    help="Train small models to learn which corpus is better, and what a larger run would reach.\n\n"
    "Example: corpus experiment compare --help",
    no_args_is_help=True,
)


@app.callback()
def _app() -> None:
    pass


Out = Annotated[
    str,
    typer.Option(
        "--out", "-o", metavar="EXP", help="Folder to write the experiment to; the same one resumes it."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="Number of runs at a time on CPUs, one thread each (default: the number of cores).",
    ),
]
PerGpu = Annotated[int, typer.Option(min=1, max=64, help="Number of runs at a time on each GPU.")]
Device = Annotated[
    str,
    typer.Option(
        help="Device to train on: cpu, cuda, cuda:N, or auto for all CUDA GPUs if there are some, else CPUs."
    ),
]
PlanOnly = Annotated[
    bool, typer.Option("--plan", help="Write the arms and print what the runs would cost, and train nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of tables.")]


@app.command()
def compare(
    workspaces: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR...",
            help="Workspaces to compare, as DIR or NAME=DIR; one only with --what-if or --mixture.",
        ),
    ],
    out: Out,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="CHANGE",
            help="Compare the workspace with itself under other rules: bounds as for `corpus decide`, with commas "
            "between them (gopher.words.min=30,gopher.words.min@tha=off), or a manifest with other rules or dedup "
            "settings. Repeatable.",
        ),
    ] = None,
    mixture: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Compare the workspace with itself drawn by the weights in this file or preset, as for `corpus "
            "train`. Repeatable.",
        ),
    ] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Length of each run in training tokens.")] = 10_000_000,
    size: Annotated[
        list[str] | None,
        typer.Option(
            help="Model size, as for `corpus train`; repeat for verdicts at several sizes (default: 1m)."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of paired runs of every arm: 2 or more.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=900, help="First seed.")] = 0,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Encode all arms with this tokenizer.json, such as A/tokenizer/tokenizer.json (default: one "
            "trained on all arms alike).",
        ),
    ] = None,
    vocabulary: Annotated[
        int | None, typer.Option(min=257, help="Size of the tokenizer that is trained (default: 8192).")
    ] = None,
    neutral: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXTS",
            help="Held-out text that no arm was made from: a file or folder as for `corpus evaluate`, or udhr for "
            "the Declaration of Human Rights in CORPUS_DATA. Documents that contain it are not trained on. "
            "Repeatable (default: udhr if it is there).",
        ),
    ] = None,
    field: Annotated[
        str, typer.Option(help="Field that holds the text in .jsonl files of --neutral.")
    ] = "text",
    validation: Annotated[
        bool,
        typer.Option(
            "--validation/--no-validation",
            help="Also measure the validation documents of all arms (default: do).",
        ),
    ] = True,
    held_out_bytes: Annotated[
        int, typer.Option(min=1000, help="Approximate size of the held-out text that is measured.")
    ] = 1_000_000,
    epochs: Annotated[
        str,
        typer.Option(
            help="How often text is read: matched (a source of several arms equally often in all, by leaving text "
            "out of the larger), target (as often as in a run of --target-tokens), own (all text of every arm)."
        ),
    ] = "",
    target_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Length of the run that the comparison stands for: see --epochs."),
    ] = None,
    max_epochs: Annotated[
        float, typer.Option(min=0.1, help="Refuse runs that would read a source more often than this.")
    ] = 4.0,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls/--no-controls",
            help="Run the controls first: the first arm against itself, and against itself with 30 % of its words "
            "shuffled (default: do).",
        ),
    ] = True,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate (default: chosen as by `corpus train`).")
    ] = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Training tokens per step (default: chosen as by `corpus train`)."),
    ] = None,
    context: Annotated[int | None, typer.Option(min=1, help="Context length (default: by --size).")] = None,
    precision: Annotated[str | None, typer.Option(help="bf16, fp32 or auto (default: auto).")] = None,
    workers: Workers = None,
    per_gpu: PerGpu = 1,
    device: Device = "auto",
    plan_only: PlanOnly = False,
    as_json: AsJson = False,
) -> None:
    """Compare workspaces by the models that they train: same tokenizer, budget, model and seeds, several paired runs.

    Prints what it will cost, then trains; the same command resumes it. Writes shards, runs, result.json, and
    report.html to EXP. Fewer bits per byte on held-out text are better; a verdict is given in all and by language,
    or the number of seeds that would resolve it. Needs the `train` extra.

    Example: corpus experiment compare raw-workspace curated-workspace --out exp --neutral udhr

    Example: corpus experiment compare demo-workspace --what-if gopher.words.min=20 --tokens 2000000 --out exp
    """
    from corpus.experiments.comparison import CompareOptions
    from corpus.pipelines.cli.train import load_torch
    from corpus.trainer.config import check_device_name

    check_device_name(device)
    if tokenizer is not None and vocabulary is not None:
        raise UserError("--tokenizer is used as it is: leave --vocabulary out")
    if epochs:
        check_choice("--epochs", epochs, ("matched", "target", "own"))
    given = {"learning_rate": lr, "batch_tokens": batch_tokens, "context": context, "precision": precision}
    options = CompareOptions(
        tokens=tokens,
        sizes=tuple(size or ("1m",)),
        seeds=seeds,
        seed=seed,
        vocabulary=vocabulary or 8192,
        tokenizer=tokenizer,
        neutral=tuple(neutral or _default_neutral()),
        validation=validation,
        field=field,
        held_out_bytes=held_out_bytes,
        matching=epochs or ("target" if target_tokens else "matched"),  # type: ignore[arg-type]
        target_tokens=target_tokens,
        max_epochs=max_epochs,
        controls=controls,
        settings={name: value for name, value in given.items() if value is not None},
    )
    load_torch()
    from corpus.experiments.compare import train_all
    from corpus.experiments.prepare import prepare
    from corpus.pipelines.cli.experiment_arms import make_arms
    from corpus.pipelines.cli.experiment_tables import print_verdicts

    experiment = prepare(
        Path(out), make_arms(workspaces, what_if or [], mixture or [], Path(out)), options, _say
    )
    sweep = _open_sweep(experiment, experiment.runs(), device, workers, per_gpu)
    _carry_out(sweep, lambda: train_all(experiment, sweep), print_verdicts, plan_only, as_json)


@app.command()
def scaling(
    manifest: Annotated[
        str,
        typer.Argument(
            metavar="LADDER", help="YAML file with the ladder: workspace, sizes, tokens, predict."
        ),
    ],
    out: Out,
    workers: Workers = None,
    per_gpu: PerGpu = 1,
    device: Device = "auto",
    plan_only: PlanOnly = False,
    as_json: AsJson = False,
) -> None:
    """Train a ladder of runs, fit a loss curve L(N, D) to them, and predict a larger run before it is trained.

    Trains one run of constant rate for each size, and branches of several lengths from it. Writes the prediction with
    its time and hash to EXP/prediction.json, then trains the larger run, and prints the error. The same command resumes
    it. Needs the `train` extra.

    Example: corpus experiment scaling ladder.yaml --out exp
    """
    from corpus.experiments.ladder import read_ladder
    from corpus.pipelines.cli.train import load_torch
    from corpus.trainer.config import check_device_name

    check_device_name(device)
    ladder = read_ladder(Path(manifest))
    load_torch()
    from corpus.experiments.ladder import climb, prepare_ladder
    from corpus.pipelines.cli.experiment_tables import print_fit

    prepared = prepare_ladder(Path(out), ladder, _say)
    sweep = _open_sweep(prepared.experiment, prepared.runs(), device, workers, per_gpu)
    _carry_out(sweep, lambda: climb(prepared, sweep), print_fit, plan_only, as_json)


def _default_neutral() -> list[str]:
    from corpus.experiments.held_out import UDHR, find_declaration

    try:
        find_declaration()
    except UserError:
        return []
    return [UDHR]


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _open_sweep(
    experiment: Experiment, runs: Sequence[RunPlan], device: str, workers: int | None, per_gpu: int
) -> Sweep:
    """Return the runs of an experiment where `device` is; every run that ends is a line."""
    from corpus.experiments.sweep import Machine, open_sweep
    from corpus.experiments.training_runs import list_gpus

    gpus = list_gpus(device)
    processes = len(gpus) * per_gpu if gpus else workers or len(os.sched_getaffinity(0))
    machine = Machine(device=device, workers=processes, per_gpu=per_gpu)
    done = 0

    def finished(run: RunPlan) -> None:
        nonlocal done
        done += 1
        _say(f"{done} of {len(sweep.missing)} runs: {run.size}, {run.name}, seed {run.seed}")

    sweep = open_sweep(experiment.folder, runs, experiment.pieces, machine, finished, _say)
    return sweep


def _carry_out(
    sweep: Sweep,
    train: Callable[[], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    plan_only: bool,
    as_json: bool,
) -> None:
    """Print what the runs cost, train them, and write and print the result; with `plan_only` print the cost alone."""
    from corpus.experiments.experiment_page import write_page, write_picture

    _say(sweep.measure_cost().sentence())
    if plan_only:
        return
    result = train()
    written = [sweep.folder / "report.html"]
    write_page(result, written[0])
    if write_picture(result, sweep.folder / "report.png"):
        written.append(sweep.folder / "report.png")
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    show(result)
    typer.echo("\n".join(map(str, written)))
