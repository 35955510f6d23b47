"""`corpus model`: train the models that a manifest can name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from corpus.classifier.quality_model import Card
    from corpus.classifier.training_texts import LabelledText

app = typer.Typer(help="Train the models that a manifest can name.", no_args_is_help=True)
train = typer.Typer(help="Train a model from texts.", no_args_is_help=True)
app.add_typer(train, name="train")

PLACES = "Texts: a .txt (one a line), .jsonl or .parquet file, a folder of them, or WORKSPACE:source=NAME. Repeatable."


@app.callback()
def _app() -> None:
    pass


@train.callback()
def _train() -> None:
    pass


@train.command("classifier")
def classifier(
    positive: Annotated[list[str], typer.Option(metavar="TEXTS", help=f"What to resemble. {PLACES}")],
    negative: Annotated[
        list[str], typer.Option(metavar="TEXTS", help="What to tell it from, given the same way.")
    ],
    out: Annotated[str, typer.Option(metavar="MODEL", help="Where the model goes; its card goes beside it.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another model.")] = 0,
    dimension: Annotated[int, typer.Option(min=1, max=1000, help="Size of the word vectors.")] = 32,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Passes over the texts; 5 to 100 by their size if not given."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Only texts in this language: eng_Latn, or cmn. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Texts of each side and language at most.")] = 100_000,
    as_json: Annotated[bool, typer.Option("--json", help="The model's card as JSON.")] = False,
) -> None:
    """Train a quality classifier: fastText on words, the same number of texts of both sides in every language.

    A tenth of the texts is held out to measure how well it tells the sides apart (AUC: 0.5 is chance, 1 is
    always). The same texts, seed and options give the same bytes. Name the model in a manifest as
    `quality: {model: MODEL}` for the signal quality.score.

    Example: corpus model train classifier --positive demo-workspace:source=wikipedia
    --negative demo-workspace:source=web --out encyclopedia.bin
    """
    from dataclasses import asdict

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from corpus.classifier.training import Training
    from corpus.classifier.training import train as train_classifier
    from corpus.classifier.training_texts import read_texts
    from corpus.errors import UserError
    from corpus.languages.labels import parse

    for name in language or []:
        if parse(name) is None:
            raise UserError(f"--language {name}: no language; say eng_Latn, cmn_Hans, or a code such as eng")
    options = Training(seed=seed, dimension=dimension, epochs=epochs, limit=limit)
    sources = {"positive": positive, "negative": negative}
    texts = {side: [read_texts(place) for place in places] for side, places in sources.items()}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        sides = (
            _labelled(chain(*found), f"{side} texts", language, progress) for side, found in texts.items()
        )
        card = train_classifier(*sides, out, options, sources)
    if as_json:
        typer.echo(json.dumps({"model": out, **asdict(card)}, ensure_ascii=False))
    else:
        _show(Console(), out, card)


def _labelled(
    texts: Iterable[LabelledText], what: str, languages: list[str] | None, progress: Progress
) -> Iterator[tuple[str, str]]:
    """(text, label) of every text in one of the languages wanted; what has no label is given one."""
    from corpus.languages.identify import Identifier
    from corpus.languages.labels import is_label

    identifier = Identifier()
    task = progress.add_task(what, total=None)
    for found in texts:
        progress.advance(task)
        language = found.language
        if language is None or not is_label(language):
            language, _ = identifier.identify(found.text, language)
        if languages is None or language in languages or language.partition("_")[0] in languages:
            yield found.text, language


def _show(console: Console, out: str, card: Card) -> None:
    from rich.table import Table

    table = Table("language", "texts a side", "held out", "AUC", title=out)
    for column in table.columns[1:]:
        column.justify = "right"
    for language, row in card.languages.items():
        table.add_row(language, f"{row.documents:,}", f"{row.held_out:,}", _number(row.auc))
    if len(card.languages) > 1:
        table.add_section()
        documents = sum(row.documents for row in card.languages.values())
        held_out = sum(row.held_out for row in card.languages.values())
        table.add_row("all", f"{documents:,}", f"{held_out:,}", _number(card.auc))
    console.print(table)
    if card.left_out:
        counts = card.left_out.items()
        rest = ", ".join(f"{code} ({one} positive, {other} negative)" for code, (one, other) in counts)
        console.print(f"Too few texts on a side, so never scored: {rest}.", soft_wrap=True)
    console.print(f"The card is {out}.card.json; in a manifest: quality: {{model: {out}}}", soft_wrap=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
