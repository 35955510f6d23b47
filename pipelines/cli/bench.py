"""`corpus bench`: what this machine does."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from corpus.trainer.benchmark import StepMeasurement

app = typer.Typer(
    help="Measure how fast this machine is.\n\nExample: corpus bench train --help", no_args_is_help=True
)

LONG_RUN_STEPS = 100_000
"""What is decided by a run's length, such as compilation on a GPU, is decided as for a run of hours."""
RANDOM_TOKENS = 4_000_000
DEFAULT_VOCABULARY = 50_304


@app.callback()
def _app() -> None:
    pass


@app.command()
def train(
    workspace: Annotated[
        str | None,
        typer.Argument(
            metavar="[DIR]", help="Workspace whose token shards to read (default: shards of random tokens)."
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Model size, as for `corpus train` (default: gpt2 on a GPU, tiny on a CPU)."),
    ] = None,
    context: Annotated[
        int | None, typer.Option(min=1, help="Context length in tokens (default: by the size).")
    ] = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of a step (default: 524288 on a GPU, 2048 on a CPU)."),
    ] = None,
    micro_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens to process together (default: as `corpus train` chooses)."),
    ] = None,
    vocabulary: Annotated[
        int | None,
        typer.Option(min=2, help="Vocabulary of the random tokens (default: 50304); not with DIR."),
    ] = None,
    optimizer: Annotated[
        str, typer.Option(help="Optimizer of the trainer: muon or adamw; the plain step has adamw.")
    ] = "muon",
    precision: Annotated[
        str,
        typer.Option(
            help="Precision of matrix products: bf16, fp32, fp8 for the trainer's blocks on a GPU that has it, or "
            "auto for bf16 where it is fast."
        ),
    ] = "auto",
    compile_: Annotated[
        bool | None,
        typer.Option(
            "--compile/--no-compile",
            help="Compile both models with torch.compile (default: as `corpus train` chooses for a long run).",
        ),
    ] = None,
    cuda_graphs: Annotated[
        bool, typer.Option("--cuda-graphs", help="Record the trainer's compiled step on a GPU and replay it.")
    ] = False,
    mask_documents: Annotated[
        bool,
        typer.Option("--mask-documents", help="Restrict attention to documents; the plain step does not."),
    ] = False,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Use only kernels that give the same bits every time."),
    ] = False,
    device: Annotated[
        str, typer.Option(help="Device: cpu, cuda, cuda:N, or auto for a CUDA GPU if there is one.")
    ] = "auto",
    steps: Annotated[
        int, typer.Option(min=1, max=10_000, help="Number of timed steps, after three to warm up.")
    ] = 10,
    plain: Annotated[
        bool, typer.Option("--plain/--no-plain", help="Measure a plain PyTorch GPT beside the trainer.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure training steps on this device beside those of a plain PyTorch GPT of the same size.

    Prints tokens per second, the share of the device's peak (MFU), the loader's share of a step, and memory. Reads the
    token shards of DIR or makes random ones; writes nothing. Needs the `train` extra.

    Example: corpus bench train --size tiny --steps 5
    """
    from rich.console import Console

    from corpus.pipelines.cli.opening import local_folder
    from corpus.pipelines.cli.refusals import refuse_options
    from corpus.pipelines.cli.train import load_torch
    from corpus.trainer.config import check_device_name

    check_device_name(device)
    if workspace is not None:
        refuse_options("DIR", {"--vocabulary": vocabulary is not None})
        local_folder("DIR", workspace)
    load_torch()
    from corpus.trainer.benchmark import describe_machine, measure_plain, measure_trainer
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.device import choose_device, use_deterministic_kernels
    from corpus.trainer.distributed import World
    from corpus.trainer.failures import name_failures
    from corpus.trainer.memory import check_memory
    from corpus.trainer.random_shards import write_random_workspace
    from corpus.trainer.start import configure_new_run
    from corpus.trainer.tuning import tune_run

    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="corpus-bench-") as folder,
        use_deterministic_kernels(deterministic),
        name_failures(),
    ):
        chosen = choose_device(device)
        gpu = chosen.type == "cuda"
        if workspace is None:
            workspace = str(
                write_random_workspace(
                    Path(folder, "random"), vocabulary=vocabulary or DEFAULT_VOCABULARY, tokens=RANDOM_TOKENS
                )
            )
        options: dict[str, Any] = {
            "size": size or ("gpt2" if gpu else "tiny"), "steps": LONG_RUN_STEPS, "context": context,
            "batch_tokens": batch_tokens or (524_288 if gpu else 2_048), "micro_tokens": micro_tokens,
            "optimizer": optimizer, "precision": precision, "compile": compile_, "deterministic": deterministic,
            "mask_documents": mask_documents, "cuda_graphs": cuda_graphs,
        }  # fmt: skip
        config = configure_new_run(open_dataset(workspace), workspace, options)
        config, choice = tune_run(config, chosen, World())
        if choice and not as_json:
            console.print(choice, highlight=False, soft_wrap=True)
        check_memory(config, chosen, 1)
        results = []
        for measure in (measure_trainer, measure_plain) if plain else (measure_trainer,):
            with console.status("") as status:
                results.append(measure(config, chosen, steps, status.update))
        about = {
            **describe_machine(chosen), "size": config.size, "context": config.model.context,
            "vocabulary": config.model.vocabulary, "step_tokens": config.step_tokens,
            "micro_tokens": config.micro_samples * config.model.context, "compile": config.compile,
            "attention": config.attention, "optimizer": config.optimizer, "deterministic": deterministic,
            "precision": "bf16" if _in_bf16(chosen, precision) else "fp32", "mask_documents": mask_documents,
        }  # fmt: skip
    if as_json:
        typer.echo(json.dumps({**about, "results": [result.json() for result in results]}))
    else:
        _show(about, results)


def _in_bf16(device: Any, precision: Any) -> bool:
    from corpus.trainer.device import use_bf16

    return use_bf16(device, precision)


def _show(about: dict[str, Any], results: list[StepMeasurement]) -> None:
    from corpus.pipelines.cli.console import make_console
    from corpus.trainer.report import make_table

    console = make_console()
    table = make_table(
        f"{about['size']}, context {about['context']:,}, {about['step_tokens']:,} tokens a step in micro-batches of "
        f"{about['micro_tokens']:,}"
    )
    table.add_column("")
    for name in (
        "parameters",
        "tokens/s",
        "step",
        "range",
        "MFU",
        "loader",
        "memory",
        "estimate",
        "first step",
    ):
        table.add_column(name, justify="right")
    for result in results:
        table.add_row(
            result.name,
            f"{result.parameters / 1e6:,.1f}M",
            f"{result.tokens_per_second:,.0f}",
            f"{1e3 * result.step_seconds:,.1f} ms",
            f"{1e3 * result.fastest_seconds:,.1f} to {1e3 * result.slowest_seconds:,.1f}",
            _share(result.mfu),
            _share(result.loader_share, 2),
            _gigabytes(result.memory_bytes),
            _gigabytes(result.estimated_bytes),
            f"{result.first_step_seconds:,.1f} s",
        )
    console.print(table)
    cuda = f", CUDA {about['cuda']}" if about["cuda"] else f", {about['threads']} threads"
    console.print(
        f"{about['device']}, torch {about['torch']}{cuda}, {about['precision']}, "
        f"{'compiled' if about['compile'] else 'not compiled'}, {about['optimizer']}"
        + (f", attention by {about['attention']}" if about["attention"] else "")
        + (", deterministic" if about["deterministic"] else ""),
        highlight=False,
        soft_wrap=True,
    )
    if len(results) == 2:
        ratio = results[0].tokens_per_second / results[1].tokens_per_second
        console.print(
            f"corpus train is {ratio:.2f} times as fast as plain PyTorch", highlight=False, soft_wrap=True
        )


def _share(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}%}"


def _gigabytes(value: int | None) -> str:
    return "-" if value is None else f"{value / 1e9:,.2f} GB"
