"""`corpus model`: train models for use in a manifest, and judge them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from corpus.classifier.quality_model import ClassifierCard
    from corpus.classifier.training_texts import LabelledText
    from corpus.errors import UserError
    from corpus.pipelines.cli.watching import Show

app = typer.Typer(
    help="Train models for use in a manifest.\n\nExample: corpus model train classifier --help",
    no_args_is_help=True,
)
train = typer.Typer(
    help="Train a model from example texts.\n\nExample: corpus model train classifier --help",
    no_args_is_help=True,
)
app.add_typer(train, name="train")
evaluate = typer.Typer(
    help="Judge a model by gold.\n\nExample: corpus model evaluate extractor --help",
    no_args_is_help=True,
)
app.add_typer(evaluate, name="evaluate")

TEXTS_HELP = (
    "a .txt (one text per line), .jsonl or .parquet file, a folder of such files, or WORKSPACE:source=NAME for the "
    "kept training documents of a source, WORKSPACE:language=LABEL of a language, or both: "
    "WORKSPACE:source=NAME,language=LABEL. Repeatable."
)


@app.callback()
def _app() -> None:
    pass


@train.callback()
def _train() -> None:
    pass


@evaluate.callback()
def _evaluate() -> None:
    pass


GUESSING = 0.5
"""The AUC of a model that guesses."""
GOLD_HELP = (
    "Folders of pages with gold text, in the layouts of trafilatura's evaluation, article-extraction-benchmark, "
    "mozilla/readability or WCXB, or with a pages.jsonl of lines with url, html and text."
)


@train.command("extractor")
def train_extractor_command(
    gold: Annotated[list[str], typer.Argument(metavar="GOLD_FOLDER...", help=GOLD_HELP)],
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="File to write the weights to, such as extractor.npz; a description is written to FILE.card.json.",
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Random seed for training.")] = 0,
    epochs: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of passes over the training pages.")
    ] = 10,
    folds: Annotated[
        int,
        typer.Option(
            min=0,
            max=20,
            help="Number of parts that sites are divided into for the scores, each judged by a model that was trained "
            "on the others (0: no scores).",
        ),
    ] = 5,
    teachers: Annotated[
        int,
        typer.Option(
            min=0,
            max=20,
            help="Number of networks with other seeds that are trained first, whose mean estimate it learns beside the "
            "labels: each takes as long as the model itself, and every part has its own.",
        ),
    ] = 3,
    keep_parts: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to keep the models of the parts in, for `tests.benchmarks.extraction_benchmark --models`.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the description as JSON.")] = False,
) -> None:
    """Train the extractor of `extraction: {mode: corpus}` from pages with gold text.

    Writes the weights and their description. The same folders and options give the same bytes on one machine. The
    scores are of sites that the model has not seen: F1 of words, of sequences of four words, and of pieces that must
    and must not appear, by folder, page type and language.

    Example: corpus model train extractor gold/wcxb gold/trafilatura --out extractor.npz
    """
    from rich.console import Console

    from corpus.extract.html.blocks.training.gold_pages import read_gold_folder
    from corpus.extract.html.blocks.training.trainer import ExtractorOptions, train_extractor
    from corpus.extract.html.main_text import extract_main_text
    from corpus.storage.outputs import check_output_file

    check_output_file("--out", out)
    errors = Console(stderr=True)
    folders = [read_gold_folder(folder) for folder in gold]
    options = ExtractorOptions(epochs=epochs, folds=folds, teachers=teachers, seed=seed)
    card = train_extractor(
        folders,
        out,
        options,
        partial(extract_main_text, mode="fast"),
        keep=keep_parts,
        report=partial(errors.print, soft_wrap=True),
    )
    if as_json:
        typer.echo(json.dumps({"model": out, **card}, ensure_ascii=False))
    else:
        _print_extractor_scores(Console(), out, card["scores"])


@evaluate.command("extractor")
def evaluate_extractor_command(
    model: Annotated[
        str, typer.Argument(metavar="FILE", help="Weights that `corpus model train extractor` has written.")
    ],
    gold: Annotated[list[str], typer.Argument(metavar="GOLD_FOLDER...", help=GOLD_HELP)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Judge weights of the extractor by pages with gold text.

    Prints F1 of words, of sequences of four words, and of pieces that must and must not appear, by folder, page type
    and language. Scores on folders that the weights were trained on say little: see the description beside them.

    Example: corpus model evaluate extractor extractor.npz gold/wcxb
    """
    from rich.console import Console

    from corpus.extract.html.blocks.training.gold_pages import read_gold_folder
    from corpus.extract.html.blocks.training.trainer import evaluate_extractor

    scores = evaluate_extractor(model, [read_gold_folder(folder) for folder in gold])
    if as_json:
        typer.echo(json.dumps(scores, ensure_ascii=False))
    else:
        _print_extractor_scores(Console(), model, scores)


def _print_extractor_scores(
    console: Console, title: str, scores: dict[str, dict[str, dict[str, Any]]]
) -> None:
    from rich.table import Table

    table = Table("gold", "of it", "pages", "words F1", "4-grams F1", "pieces F1", title=title)
    for column in table.columns[2:]:
        column.justify = "right"
    for folder, groups in scores.items():
        for group, row in groups.items():
            values = (_format_number(row[key]) for key in ("words", "sequences", "pieces"))
            table.add_row(folder, group, f"{row['pages']:,}", *values)
        table.add_section()
    console.print(table)


@train.command("classifier")
def classifier(
    positive: Annotated[
        list[str], typer.Option(metavar="TEXTS", help=f"Texts that should get a high score: {TEXTS_HELP}")
    ],
    negative: Annotated[
        list[str], typer.Option(metavar="TEXTS", help=f"Texts that should get a low score: {TEXTS_HELP}")
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="File to write the model to, such as quality.bin; a description is written to "
            "MODEL.card.json.",
        ),
    ],
    seed: Annotated[
        int,
        typer.Option(min=0, help="Random seed for training; another seed gives a slightly different model."),
    ] = 0,
    dimension: Annotated[
        int,
        typer.Option(
            min=1, max=1000, help="Number of dimensions of the word vectors; more make a larger model."
        ),
    ] = 32,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Number of passes over the training texts (default: 5 to 100, fewer for more text).",
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            help="Use only texts in this language: a label such as cmn_Hans, or a code such as cmn or zh "
            "for all scripts. Repeatable (default: all languages)."
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            min=1, help="Maximum number of positive texts, and of negative texts, to use per language."
        ),
    ] = 100_000,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print the model's description (texts, AUC by language, settings) as JSON instead of "
            "a table.",
        ),
    ] = False,
) -> None:
    """Train a fastText quality classifier to tell positive example texts from negative ones.

    Reads both sets of texts, and uses as many positive as negative ones in every language. Writes the model and its
    description. A tenth of the texts is held out to measure the AUC: the chance that a positive text scores higher than
    a negative one (0.5 is guessing, 1 is perfect; none for fewer than ten texts of a class). The same texts, seed and
    options give the same bytes. A manifest with `quality: {model: MODEL}` then computes the signal quality.score.

    Example: corpus model train classifier --positive demo-workspace:source=wikipedia
    --negative demo-workspace:source=web --out encyclopedia.bin
    """
    from dataclasses import asdict

    from corpus.classifier.training import TrainingOptions
    from corpus.classifier.training import train_classifier as train_classifier
    from corpus.classifier.training_texts import read_texts
    from corpus.errors import UserError
    from corpus.pipelines.cli.console import make_console
    from corpus.pipelines.cli.opening import read_language
    from corpus.pipelines.cli.watching import show_progress
    from corpus.storage.outputs import check_output_file

    check_output_file("--out", out)
    language = None if language is None else [read_language(name) for name in language]
    options = TrainingOptions(seed=seed, dimension=dimension, epochs=epochs, limit=limit)
    sources = {"positive": positive, "negative": negative}
    texts = {side: [read_texts(place) for place in places] for side, places in sources.items()}
    with show_progress("texts") as show:
        passed_over: Counter[str] = Counter()
        positives, negatives = (
            _label_texts(chain(*labelled_texts), side, language, show, passed_over)
            for side, labelled_texts in texts.items()
        )
        try:
            card = train_classifier(positives, negatives, out, options, sources)
        except UserError as error:
            raise _name_passed_over(error, language, passed_over) from None
    for line in _describe_poor_scores(card):
        typer.echo(f"corpus: {line}", err=True)
    if as_json:
        typer.echo(json.dumps({"model": out, **asdict(card)}, ensure_ascii=False))
    else:
        _print_card(make_console(), out, card)


def _label_texts(
    texts: Iterable[LabelledText],
    what: str,
    languages: list[str] | None,
    show: Show,
    passed_over: Counter[str],
) -> Iterator[tuple[str, str]]:
    """Yield (text, label) of every text in one of the languages wanted; texts without a label are identified. The
    labels of the others are counted in `passed_over`."""
    from corpus.languages.identify import Identifier
    from corpus.languages.labels import is_label

    identifier = Identifier()
    for at, labelled in enumerate(texts, 1):
        show(what, at, None)
        language = labelled.language
        if language is None or not is_label(language):
            language, _ = identifier.identify(labelled.text, language)
        if languages is None or language in languages or language.partition("_")[0] in languages:
            yield labelled.text, language
        else:
            passed_over[language] += 1


def _name_passed_over(
    error: UserError, languages: list[str] | None, passed_over: Mapping[str, int]
) -> UserError:
    """Return an error of training with the languages of the texts that `--language` left out, where it left out any."""
    from corpus.errors import UserError

    count = sum(passed_over.values())
    if not languages or not count:
        return error
    most = sorted(passed_over, key=lambda label: (-passed_over[label], label))
    named = ", ".join(f"{label} ({passed_over[label]:,})" for label in most[:5]) + (
        " ..." if most[5:] else ""
    )
    if str(error) == "neither side has texts with words":
        return UserError(f"no text is in {' or '.join(languages)}: the {count:,} texts are in {named}")
    return UserError(f"{error}; --language leaves out {count:,} texts in {named}")


def _describe_poor_scores(card: ClassifierCard) -> list[str]:
    """Return a line where a classifier is worse than guessing in a language, or in all of them together."""
    poor = [
        f"{label} ({row.auc:.3f})"
        for label, row in card.languages.items()
        if row.auc is not None and row.auc < GUESSING
    ]
    if not poor and card.auc is not None and card.auc < GUESSING:
        poor = [f"all languages together ({card.auc:.3f})"]
    if not poor:
        return []
    return [
        f"the AUC is below {GUESSING:g} in {', '.join(poor)}: on texts that were held out the model is worse than "
        "guessing, so do not use it there: are the sides alike, mixed up, or too small?"
    ]


def _print_card(console: Console, out: str, card: ClassifierCard) -> None:
    from rich.table import Table

    from corpus.classifier.training import HELD_OUT_DIVISOR, MIN_JUDGED_PER_SIDE

    table = Table("language", "texts of both classes", "held out of them", "AUC", title=out)
    for column in table.columns[1:]:
        column.justify = "right"
    for language, row in card.languages.items():
        table.add_row(language, f"{2 * row.documents:,}", f"{row.held_out:,}", _format_number(row.auc))
    if len(card.languages) > 1:
        table.add_section()
        documents = sum(row.documents for row in card.languages.values())
        held_out = sum(row.held_out for row in card.languages.values())
        table.add_row("all", f"{2 * documents:,}", f"{held_out:,}", _format_number(card.auc))
    console.print(table)
    judged_few = [language for language, row in card.languages.items() if row.auc is None]
    if judged_few:
        console.print(
            f"No AUC where fewer than {MIN_JUDGED_PER_SIDE} texts of a class are held out "
            f"({', '.join(judged_few)}): it would be chance. A tenth is held out, so about "
            f"{MIN_JUDGED_PER_SIDE * HELD_OUT_DIVISOR} of each class give one.",
            soft_wrap=True,
        )
    if card.left_out:
        counts = card.left_out.items()
        rest = ", ".join(f"{code} ({one} positive, {other} negative)" for code, (one, other) in counts)
        console.print(f"Too few texts in one class, so not trained: {rest}.", soft_wrap=True)
    console.print(
        f"Description: {out}.card.json. To use the model, add this to a manifest: quality: {{model: {out}}}",
        soft_wrap=True,
    )


def _format_number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
