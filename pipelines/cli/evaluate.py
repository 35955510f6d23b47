"""`corpus evaluate`: bits per byte of any text, and multiple choice by likelihood."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.errors import UserError
from corpus.pipelines.cli.refusals import check_choice, refuse_options

if TYPE_CHECKING:
    from corpus.inference.cloze import Accuracy
    from corpus.trainer.evaluate import Score

BATCH_WINDOWS = 32
"""Windows computed together."""


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run folder that `corpus train` wrote.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Files to measure instead of the validation documents: .jsonl with one document per "
            "line, scored by its `language` field if present, or any other file as one UTF-8 "
            "text; either may be compressed.",
        ),
    ] = None,
    cloze: Annotated[
        list[str] | None,
        typer.Option(
            "--cloze",
            metavar="FILE",
            help="Answer the multiple-choice questions in this file: CSV as in CMMLU, or JSON Lines as "
            "in ARC, PIQA or llm-foundry. Repeatable; without FILE, bits per byte are not "
            "measured.",
        ),
    ] = None,
    clean: Annotated[
        bool,
        typer.Option(
            "--clean",
            help="With --cloze: also the score on the questions that are not in the documents the run was trained on, "
            "both with 95 % intervals.",
        ),
    ] = False,
    field: Annotated[
        str, typer.Option(help="Name of the field that holds the text in .jsonl files.")
    ] = "text",
    tokens: Annotated[
        int,
        typer.Option(
            min=0,
            help="Approximate number of validation tokens to measure, shared equally among sources and "
            "languages; 0 measures all.",
        ),
    ] = 0,
    step: Annotated[
        int | None,
        typer.Option(
            min=0, help="Measure the checkpoint of this training step (default: the last checkpoint)."
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            help="Precision of matrix products: bf16, fp32, or auto for bf16 if the hardware supports it."
        ),
    ] = "auto",
    device: Annotated[
        str,
        typer.Option(
            help="Device to compute on: cpu, cuda, cuda:N, or auto for a CUDA GPU if there is one, "
            "else the CPU."
        ),
    ] = "auto",
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print bits per byte and the share of correct answers as JSON instead of tables."
        ),
    ] = False,
) -> None:
    """Measure the model of a run: bits per byte on validation documents or any text, and multiple choice.

    Reads a checkpoint from the run folder, and the files given or the validation documents of the run's workspace;
    prints tables and writes nothing. Fewer bits per byte are better. Needs the `train` extra.

    Example: corpus evaluate demo-workspace/runs/tiny

    Example with any text: corpus evaluate demo-workspace/runs/tiny essay.txt documents.jsonl.gz

    Example with multiple choice: corpus evaluate demo-workspace/runs/tiny --cloze arc_easy.jsonl --cloze cmmlu/arts.csv
    """
    from corpus import storage
    from corpus.pipelines.cli.train import load_torch
    from corpus.trainer.config import check_device_name
    from corpus.trainer.start import check_run

    if not texts:
        refuse_options("no FILE", {"--field": field != "text"})
    else:
        refuse_options("FILE", {"--tokens": tokens != 0})
    if not cloze:
        refuse_options("no --cloze", {"--clean": clean})
    if cloze and not texts:
        refuse_options("--cloze and no FILE", {"--tokens": tokens != 0})
    check_choice("--precision", precision, ("auto", "bf16", "fp32"))
    check_device_name(device)
    check_run(Path(run), step)
    for path in (*(texts or ()), *(cloze or ())):
        if not storage.exists(path):
            raise UserError(f"{path}: no such file")
    load_torch()
    from corpus.inference import cloze as choice
    from corpus.inference.run import TrainedModel
    from corpus.inference.texts import measure_files
    from corpus.trainer.device import choose_device, use_bf16

    questions = [(path, choice.read_questions(path)) for path in cloze or ()]
    trained = TrainedModel(Path(run), choose_device(device), lambda line: typer.echo(line, err=True), step)
    bf16 = use_bf16(trained.device, precision)  # type: ignore[arg-type]
    scores: list[Score] = []
    if texts:
        scores = measure_files(trained, texts, field=field, bf16=bf16, samples=BATCH_WINDOWS)
    elif not questions:
        scores = _score_validation(trained, tokens, bf16)
    answers, subsets = [], []
    for path, file_questions in questions:
        nats = choice.measure_answers(trained, file_questions, bf16=bf16)
        answers.append(choice.summarize_answers(file_questions, nats, path))
        if clean:
            subsets.append(_choose_clean(trained.config.workspace, path, file_questions, nats))
    if as_json:
        typer.echo(json.dumps(_to_json(trained.step, scores, answers, subsets), ensure_ascii=False))
    else:
        _print_results(scores, answers, "files" if texts else "validation documents", subsets)


def _choose_clean(workspace: str, path: str, questions: Any, nats: Any) -> Accuracy | None:
    """Return the score on the questions that the run was not trained on; None if there are none."""
    from corpus.inference.clean_items import find_trained_items
    from corpus.inference.cloze import summarize_answers

    trained_on = find_trained_items(workspace, path, lambda line: typer.echo(line, err=True)).tolist()
    rows = [at for at in range(len(questions)) if at >= len(trained_on) or not trained_on[at]]
    if not rows:
        return None
    return summarize_answers([questions[at] for at in rows], [nats[at] for at in rows], path)


def _score_validation(trained: Any, tokens: int, bf16: bool) -> list[Score]:
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.evaluate import evaluate as bits
    from corpus.trainer.evaluate import read_validation
    from corpus.trainer.start import check_dataset

    config = trained.config
    groups = read_validation(check_dataset(open_dataset(config.workspace), config), tokens)
    if not groups:
        raise UserError(
            f"{config.workspace} has no validation documents: give files of text to measure instead"
        )
    return bits(trained.model, groups, end_of_text=config.end_of_text, samples=BATCH_WINDOWS, bf16=bf16)


def _to_json(
    step: int, scores: list[Score], answers: list[Accuracy], subsets: list[Accuracy | None]
) -> dict[str, Any]:
    from corpus.trainer.evaluate import bits_per_byte

    return {
        "step": step,
        "bits_per_byte": bits_per_byte(scores) if scores else None,
        "scores": [{**asdict(score), "bits_per_byte": score.bits_per_byte} for score in scores],
        "cloze": [
            {
                **_describe_answers(answer),
                **(
                    {"clean": None if (clean := subsets[at]) is None else _describe_answers(clean)}
                    if subsets
                    else {}
                ),
            }
            for at, answer in enumerate(answers)
        ],
    }


def _describe_answers(answers: Accuracy) -> dict[str, Any]:
    return {
        **asdict(answers),
        "error": answers.error,
        "interval": answers.interval,
        "probability_interval": answers.probability_interval,
    }


def _print_results(
    scores: list[Score], answers: list[Accuracy], of: str, subsets: list[Accuracy | None]
) -> None:

    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.stats import to_plain_text
    from corpus.trainer.report import make_score_table, make_table

    console = make_console()
    if scores:
        console.print(make_score_table(scores, f"bits per byte on {of}"))
    if answers:
        answer_table = make_table("multiple choice by likelihood")
        answer_table.add_column("file", overflow="fold")
        for name in ("questions", "correct", "correct, per byte", "probability", "prob., per byte", "chance"):
            answer_table.add_column(name, justify="right")
        for answer in answers:
            answer_table.add_row(
                to_plain_text(Path(answer.name).name),
                f"{answer.questions:,}",
                f"{answer.accuracy:.1%}",
                f"{answer.accuracy_by_bytes:.1%} ±{answer.error:.1%}",
                f"{answer.probability:.3f}",
                f"{answer.probability_by_bytes:.4f}{_describe_error(answer)}",
                f"{answer.chance:.1%}",
            )
        console.print(answer_table)
    if subsets:
        _print_clean(console, answers, subsets)


def _print_clean(console: Any, answers: list[Accuracy], subsets: list[Accuracy | None]) -> None:
    """Print the scores on all questions and on those that the run was not trained on."""
    from corpus.pipelines.cli.stats import to_plain_text
    from corpus.trainer.report import make_table

    table = make_table("all questions, and those that the run was not trained on")
    table.add_column("file", overflow="fold")
    table.add_column("subset")
    for name in ("questions", "correct, per byte", "95 %", "prob., per byte", "95 %"):
        table.add_column(name, justify="right")
    for answer, clean in zip(answers, subsets, strict=True):
        for name, subset, side in ((Path(answer.name).name, "all", answer), ("", "clean", clean)):
            shown = ["0", *"----"]
            if side is not None:
                low, high = side.interval
                least, most = side.probability_interval
                shown = [
                    f"{side.questions:,}",
                    f"{side.accuracy_by_bytes:.1%}",
                    f"{low:.1%} to {high:.1%}",
                    f"{side.probability_by_bytes:.4f}",
                    f"{least:.4f} to {most:.4f}",
                ]
            table.add_row(to_plain_text(name), subset, *shown)
    console.print(table)


def _describe_error(answers: Accuracy) -> str:
    return "" if answers.probability_error is None else f" ±{answers.probability_error:.4f}"
