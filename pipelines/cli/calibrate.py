"""`corpus calibrate`: the values of a language from texts in it, and what rules lose in each language."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpus.pipelines.cli.refusals import refuse_options

if TYPE_CHECKING:
    from corpus.filters.calibration.fairness import Fairness
    from corpus.filters.calibration.language_values import Calibration
    from corpus.filters.calibration.parallel_texts import ParallelTexts

TEXTS_HELP = (
    "a .txt (one text per line), .jsonl or .parquet file, a folder of such files (each .txt in it is one text), or a "
    "workspace: DIR, DIR:source=NAME or DIR:language=LABEL for every text of it, kept or not."
)
FOLDER = os.path.join("manifests", "languages")
PICTURES = (".svg", ".png", ".pdf")
SHOWN_CUTS = 12
"""Distributions that are drawn, those that remove most; --plot draws all."""


def calibrate(
    language: Annotated[
        str | None,
        typer.Argument(
            metavar="[LANGUAGE]", help="Language to calibrate: a label such as tha_Thai, or a code."
        ),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="TEXTS", help=f"Good texts in the language: {TEXTS_HELP}")
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="TEXTS",
            help="Raw texts in the language, of another origin than the reference; as --reference. Without them only "
            "words, their length and marks are calibrated.",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Texts that people have called good or bad (.jsonl or .parquet, with `text` and `label`): bounds are "
            "chosen by them where 9 in 10 of what one removes is bad.",
        ),
    ] = None,
    loss: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of the reference that a bound may lose.")
    ] = 0.01,
    gain: Annotated[
        float,
        typer.Option(
            min=1,
            max=1000,
            help="A bound is kept if it removes at least this many times as much of the sample.",
        ),
    ] = 2.0,
    documents: Annotated[
        int,
        typer.Option(min=1, max=1_000_000, help="Number of texts of each side that are measured at most."),
    ] = 5_000,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"File to write; {FOLDER}/LABEL.yaml by default."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a file that was made by hand.")
    ] = False,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Draw both sides of every bound: .svg, or .png and .pdf by matplotlib."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the intervals.")] = 0,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="PARALLEL",
            help="Instead of calibrating, count what rules lose of one text in many languages: a folder or .tar.xz of "
            "NAME.LANGUAGE.txt or LANGUAGE.html, or a .jsonl or .parquet file with `text` and `language`.",
        ),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PRESET", help="Rules that --check applies. Repeatable. [default: those for web pages]"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Derive a language's values from good and raw texts in it, with evidence; or check that rules wrong no language.

    A bound is the reference's quantile that loses at most --loss of it, kept only where it removes at least --gain
    times as much of the sample. Line, repetition and identification bounds need 200 documents of reference and 500 of
    sample; stop words, the length of words and marks at the ends of sentences need sentences alone. The file says in
    `basis:` what each value comes from.

    Example: corpus calibrate tha_Thai --reference wiki.jsonl --sample demo-workspace:source=web --plot tha.svg

    Example: corpus calibrate --check parallel/
    """
    from corpus.errors import UserError

    if check is not None:
        refuse_options(
            "--check",
            {
                "LANGUAGE": language is not None,
                "--reference": reference is not None,
                "--sample": sample is not None,
                "--labels": labels is not None,
                "--out": out is not None,
                "--plot": plot is not None,
                "--replace": replace,
            },
        )
        check_fairness(check, rules, as_json)
        return
    refuse_options("LANGUAGE", {"--rules": bool(rules)})
    missing = [
        name for name, value in {"LANGUAGE": language, "--reference": reference}.items() if value is None
    ]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} missing: give a language and texts in it, or --check PARALLEL"
        )
    assert language is not None and reference is not None
    from corpus.filters.calibration.language_values import CalibrationOptions

    check_outputs(out, plot)
    options = CalibrationOptions(loss=loss, gain=gain, seed=seed)
    started = time.monotonic()
    calibration = run_calibration(language, reference, sample, labels, documents, options)
    path = write_language_file(calibration, out, replace)
    if plot is not None:
        from corpus.filters.calibration.distributions import write_picture

        write_picture(calibration, plot)
    if as_json:
        typer.echo(json.dumps({"file": path, **to_row(calibration)}, ensure_ascii=False))
    else:
        print_calibration(calibration, path, time.monotonic() - started)


def check_outputs(out: str | None, plot: str | None) -> None:
    """Raise UserError for a file that cannot be written, before any work."""
    from corpus.errors import UserError
    from corpus.storage.outputs import check_output_file

    if out is not None:
        check_output_file("--out", out)
    if plot is not None:
        check_output_file("--plot", plot)
        if not plot.lower().endswith(PICTURES):
            raise UserError(f"--plot {plot}: name a file that ends in {', '.join(PICTURES)}")


def run_calibration(
    language: str, reference: str, sample: str | None, labels: str | None, documents: int, options: Any
) -> Calibration:
    """Read both sides and calibrate. Raises UserError for a side that is empty, or in another language."""
    from dataclasses import replace

    from corpus.errors import UserError
    from corpus.filters.calibration.calibration_texts import (
        NO_TEXTS,
        check_language,
        complete_label,
        gather_texts,
    )
    from corpus.filters.calibration.language_values import calibrate_language
    from corpus.filters.calibration.people_labels import read_labels
    from corpus.languages.labels import is_code
    from corpus.languages.names import normalize_label

    try:
        label = normalize_label(language)
    except ValueError as error:
        raise UserError(str(error)) from None
    if is_code(label):
        raise UserError(f"{label} is source code, which is in no language")
    judged = read_labels(labels) if labels is not None else []
    good = gather_texts(reference, label, documents)
    label = complete_label(label, good)
    unstated = [item.text for item in judged if item.language is None]
    if unstated:
        name = os.path.basename(labels or "")
        check_language(replace(NO_TEXTS, name=name, texts=unstated), label, "--labels")
    check_language(good, label, "--reference")
    raw = NO_TEXTS
    if sample is not None:
        raw = gather_texts(sample, label, documents)
        check_language(raw, label, "--sample")
    if good.digest == raw.digest:
        raise UserError("--reference and --sample are the same texts: nothing parts them")
    return calibrate_language(label, good, raw, judged, os.path.basename(labels or ""), options)


def write_language_file(calibration: Calibration, out: str | None, replace: bool) -> str:
    """Write the file and return its path. Raises UserError for one that was made by hand, unless it may be replaced."""
    from corpus.errors import UserError
    from corpus.filters.calibration.calibrated_file import is_calibrated, write_file_text
    from corpus.storage import exists, read_text, write_text
    from corpus.storage.outputs import check_output_file

    path = out or os.path.join(FOLDER, f"{calibration.language}.yaml")
    check_output_file("--out", path)
    if exists(path) and not replace and not is_calibrated(read_text(path), path):
        raise UserError(f"{path} was made by hand: name another file with --out, or give --replace")
    write_text(path, write_file_text(calibration, read_date()))
    return path


def read_date() -> str:
    """Return today, or the day of SOURCE_DATE_EPOCH, in ISO 8601."""
    stamp = os.environ.get("SOURCE_DATE_EPOCH")
    moment = time.gmtime(int(stamp)) if stamp and stamp.isdecimal() else time.gmtime()
    return time.strftime("%Y-%m-%d", moment)


def to_row(calibration: Calibration) -> dict[str, Any]:
    """Return a calibration as JSON values."""
    return {
        "language": calibration.language,
        "reference": dataclasses.asdict(calibration.reference),
        "sample": dataclasses.asdict(calibration.sample),
        "cuts": [dataclasses.asdict(cut) for cut in calibration.cuts],
        "off": dict(calibration.off),
        "stop_words": list(calibration.writing.stop_words),
        "marks": list(calibration.writing.marks),
        "word_length": calibration.writing.word_length,
        "joint": {"lost": calibration.joint_loss, "removed": calibration.joint_removed},
        "quantiles": {
            name: {"reference": one, "sample": other} for name, (one, other) in calibration.quantiles.items()
        },
        "warnings": list(calibration.warnings),
    }


def print_calibration(calibration: Calibration, path: str, seconds: float) -> None:
    """Print the bounds with both sides' quantiles, the distributions with the cut, and the warnings."""
    from rich.table import Table

    from corpus.filters.calibration.distributions import draw_lines
    from corpus.pipelines.cli.console import make_console

    console = make_console()
    for name, side in (("reference", calibration.reference), ("sample", calibration.sample)):
        typer.echo(
            f"{name}: {side.name}, {side.texts:,} texts, {side.documents:,} documents, "
            f"{side.paged:,} of several lines"
        )
    table = Table(
        "bound",
        "value",
        "95 % interval",
        "reference 1 50 99 %",
        "sample 1 50 99 %",
        "loses",
        "removes",
        "by",
        "",
    )
    for cut in sorted(calibration.cuts, key=lambda cut: (not cut.kept, cut.signal, cut.bound)):
        sides = [
            " ".join(f"{each[at]:.3g}" for at in (0, 3, 6)) if each else "-"
            for each in calibration.quantiles[cut.signal]
        ]
        low, high = cut.interval
        table.add_row(
            f"{cut.signal}.{cut.bound}",
            f"{cut.value:g}",
            f"{low:.3g}..{high:.3g}",
            *sides,
            f"{cut.lost:.2%}",
            f"{cut.removed:.1%}",
            cut.by,
            cut.why if cut.kept else f"left out: {cut.why}",
        )
    if calibration.cuts:
        console.print(table)
    drawn = [cut for cut in calibration.kept_cuts() if cut.by != "frequency"]
    for cut in sorted(drawn, key=lambda cut: -cut.removed)[:SHOWN_CUTS]:
        typer.echo(f"{cut.signal}.{cut.bound}")
        typer.echo("\n".join(draw_lines(calibration, cut)))
    typer.echo(f"stop words: {' '.join(calibration.writing.stop_words) or 'none'}")
    if calibration.writing.marks:
        typer.echo(f"marks that end sentences, beside those known: {' '.join(calibration.writing.marks)}")
    for warning in calibration.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(
        f"all bounds together lose {calibration.joint_loss:.1%} of the reference and remove "
        f"{calibration.joint_removed:.1%} of the sample; written to {path} in {seconds:.1f} s"
    )


def check_fairness(place: str, presets: list[str] | None, as_json: bool) -> None:
    """Print what rules lose in each language of a parallel text."""
    from corpus.filters.calibration.fairness import PRESETS, compare_languages
    from corpus.filters.calibration.parallel_texts import read_parallel_texts

    texts = read_parallel_texts(place)
    fairness = compare_languages(texts.passages, tuple(presets or PRESETS))
    if as_json:
        row = {**dataclasses.asdict(fairness), "untranslated": texts.untranslated, "unread": texts.unread}
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    print_fairness(fairness, texts)


def print_fairness(fairness: Fairness, texts: ParallelTexts) -> None:
    """Print a row a language, those that lose most first, and what is unfair."""
    from rich.table import Table

    from corpus.filters.calibration.fairness import MAX_LOSS, MAX_RATIO, WRONGED
    from corpus.inspect.readable import format_things
    from corpus.pipelines.cli.console import make_console

    table = Table("language", "passages", "untranslated", "lost", "95 % interval", "by rule")
    for loss in fairness.losses:
        table.add_row(
            loss.language,
            f"{loss.passages:,}",
            f"{texts.untranslated.get(loss.language, 0):.1%}",
            f"{loss.share:.1%}",
            f"{loss.low:.1%}..{loss.high:.1%}",
            ", ".join(f"{rule} {count:,}" for rule, count in loss.rules[:4]),
        )
    make_console().print(table)
    corrected = [loss for loss in fairness.losses if loss.language not in fairness.as_published]
    most, least = (corrected or fairness.losses)[0], (corrected or fairness.losses)[-1]
    typer.echo(
        f"mean {fairness.mean:.1%}; most {most.language} {most.share:.1%}, least {least.language} {least.share:.1%}: "
        f"{fairness.ratio:.1f} times (at most {MAX_RATIO:g} and {MAX_LOSS:.0%} are fair)"
    )
    if fairness.as_published:
        typer.echo(
            f"{', '.join(fairness.as_published)}: presets apply as they were published, so it counts in the mean alone"
        )
    for language in fairness.wronged:
        share = next(loss.share for loss in fairness.losses if loss.language == language)
        typer.echo(f"{language} loses {share:.1%}, more than {WRONGED:g} times the mean")
    if texts.unread:
        shown = ", ".join(map(os.path.basename, texts.unread[:5]))
        typer.echo(
            f"{format_things(len(texts.unread), 'file')} left out, whose names are no language: {shown}",
            err=True,
        )
    typer.echo("fair" if fairness.is_fair else "not fair")
