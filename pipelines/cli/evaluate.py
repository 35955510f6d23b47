"""`corpus evaluate`: bits per byte on any text, and multiple choice by likelihood."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError

if TYPE_CHECKING:
    from corpus.inference.cloze import Accuracy
    from corpus.trainer.evaluate import Score

WINDOWS = 32
"""Windows computed at once."""


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder that `corpus train` wrote.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="Text or JSON Lines.  [default: the validation documents]"),
    ] = None,
    cloze: Annotated[
        list[str] | None,
        typer.Option("--cloze", metavar="FILE", help="Multiple choice: CMMLU, ARC, PIQA, llm-foundry."),
    ] = None,
    field: Annotated[str, typer.Option(help="Where JSON Lines have their text.")] = "text",
    tokens: Annotated[int, typer.Option(min=0, help="Of the validation documents; 0: all.")] = 0,
    step: Annotated[int | None, typer.Option(min=0, help="Of this checkpoint.  [default: the last]")] = None,
    precision: Annotated[str, typer.Option(help="auto, bf16 or fp32.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a run: bits per byte of its validation documents, or of any text, by file and language.

    Example: corpus evaluate demo-workspace/runs/tiny

    Any text: corpus evaluate demo-workspace/runs/tiny essay.txt documents.jsonl.gz

    Multiple choice: corpus evaluate demo-workspace/runs/tiny --cloze arc_easy.jsonl --cloze cmmlu/arts.csv
    """
    from corpus.pipelines.cli.train import SPIN, require_torch

    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    require_torch()
    from corpus.inference import cloze as choice
    from corpus.inference.run import Trained
    from corpus.inference.texts import measure
    from corpus.trainer.device import choose_device, use_bf16

    if precision not in ("auto", "bf16", "fp32"):
        raise UserError(f"--precision {precision}: there is auto, bf16, fp32")
    questions = [(path, choice.read_questions(path)) for path in cloze or ()]
    trained = Trained(Path(run), choose_device(device), lambda line: typer.echo(line, err=True), step)
    bf16 = use_bf16(trained.device, precision)  # type: ignore[arg-type]
    scores: list[Score] = []
    if texts:
        scores = measure(trained, texts, field=field, bf16=bf16, samples=WINDOWS)
    elif not questions:
        scores = _validation(trained, tokens, bf16)
    answers = [choice.answer(trained, found, path, bf16=bf16) for path, found in questions]
    if as_json:
        typer.echo(json.dumps(_plain(trained.step, scores, answers), ensure_ascii=False))
    else:
        _show(scores, answers, "files" if texts else "validation documents")


def _validation(trained: Any, tokens: int, bf16: bool) -> list[Score]:
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.evaluate import evaluate as bits
    from corpus.trainer.evaluate import validation
    from corpus.trainer.start import check_dataset

    config = trained.config
    groups = validation(check_dataset(open_dataset(config.workspace), config), tokens)
    if not groups:
        raise UserError(f"{config.workspace} has no validation documents: name files with text")
    return bits(trained.model, groups, end_of_text=config.end_of_text, samples=WINDOWS, bf16=bf16)


def _plain(step: int, scores: list[Score], answers: list[Accuracy]) -> dict[str, Any]:
    from corpus.trainer.evaluate import bits_per_byte

    return {
        "step": step,
        "bits_per_byte": bits_per_byte(scores) if scores else None,
        "scores": [{**asdict(score), "bits_per_byte": score.bits_per_byte} for score in scores],
        "cloze": [{**asdict(answer), "error": answer.error} for answer in answers],
    }


def _show(scores: list[Score], answers: list[Accuracy], of: str) -> None:
    from rich.console import Console

    from corpus.pipelines.cli.stats import plain
    from corpus.trainer.report import score_table, table

    console = Console()
    if scores:
        console.print(score_table(scores, f"bits per byte on {of}"))
    if answers:
        found = table("multiple choice by likelihood")
        found.add_column("file", overflow="fold")
        for name in ("questions", "right", "right, per byte", "chance"):
            found.add_column(name, justify="right")
        for answer in answers:
            found.add_row(
                plain(Path(answer.name).name),
                f"{answer.questions:,}",
                f"{answer.accuracy:.1%}",
                f"{answer.accuracy_by_bytes:.1%} ±{answer.error:.1%}",
                f"{answer.chance:.1%}",
            )
        console.print(found)
