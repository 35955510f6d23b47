"""`corpus export`: texts, tokens and models for other tools."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

import typer

from corpus.pipelines.cli.refusals import check_choice
from corpus.suggestions import list_choices

OPTIONS = {
    "--documents": ("format", "side", "source", "language", "shard_size", "workers"),
    "--bin": ("source", "language"),
    "--signatures": ("source",),
    "--model": ("step",),
}
"""The options that each kind of export heeds, by the names of their parameters."""


def export(
    context: typer.Context,
    place: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="Workspace to export texts or tokens from; with --model, the run folder that `corpus "
            "train` wrote.",
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Folder to write to, a new or an empty one. Without --model also a URL such as s3://BUCKET/PATH, or "
            "a folder with an earlier export, of whatever workspace, whose files are replaced; the same export "
            "that was interrupted goes on. A folder with other files alone is refused.",
        ),
    ],
    documents: Annotated[
        bool,
        typer.Option(
            "--documents",
            help="Export the texts and metadata of the kept documents, as JSON Lines or Parquet.",
        ),
    ] = False,
    bin: Annotated[
        bool,
        typer.Option(
            "--bin",
            help="Export the tokens of the kept documents as train.bin and val.bin, the format that "
            "nanoGPT reads.",
        ),
    ] = False,
    model: Annotated[
        bool,
        typer.Option(
            "--model",
            help="Export the trained model of a run as a Hugging Face transformers checkpoint, in fp32. "
            "Needs the `train` extra, and a local folder for --out.",
        ),
    ] = False,
    signatures: Annotated[
        bool,
        typer.Option(
            "--signatures",
            help="Export ids, hashes and MinHash signatures of the kept documents, without texts, for `dedup: "
            "{against: [FOLDER]}` in later manifests.",
        ),
    ] = False,
    step: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="With --model, export the checkpoint of this training step (default: the last checkpoint).",
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            help="With --documents, the file format: jsonl.zst (JSON Lines compressed with zstd) or parquet."
        ),
    ] = "jsonl.zst",
    side: Annotated[
        str,
        typer.Option("--split", help="With --documents, the split to export: train, valid, or all for both."),
    ] = "all",
    source: Annotated[
        str | None,
        typer.Option(help="Without --model, export only documents from this source (default: all sources)."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            help="With --documents or --bin, export only documents in this language: a label such as "
            "tha_Thai, or its code tha or th for all scripts (default: all languages)."
        ),
    ] = None,
    shard_size: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="With --documents, most bytes of a file before compression, such as 500MB or 1GiB. Each split and "
            "language has files of its own, train-00000-of-00012 and so on.",
        ),
    ] = "500MB",
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="With --documents, number of local worker processes.")
    ] = 1,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print a JSON description of what was exported instead of a summary line."
        ),
    ] = False,
) -> None:
    """Export kept documents, their tokens or a trained model in formats that other tools read.

    Reads a finished workspace, or a run with --model; writes a folder of files. One of --documents, --bin,
    --model and --signatures is required. Without --model, export.json in the folder lists every file with its contents
    and SHA-256.

    `corpus card FOLDER` describes an export of documents for the Hugging Face hub.

    Example: corpus export demo-workspace --documents --format parquet --out demo-text

    Example: corpus export demo-workspace --bin --out demo-bin

    Example: corpus export demo-workspace/runs/tiny --model --out demo-hf

    Example: corpus export demo-workspace --signatures --out demo-signatures
    """
    from corpus.errors import UserError

    chosen = {"--documents": documents, "--bin": bin, "--model": model, "--signatures": signatures}
    if sum(chosen.values()) > 1:
        raise UserError(
            "--documents exports texts, --bin tokens, --model a trained model, --signatures signatures: "
            "give one of them"
        )
    refuse_unused_options(context, next((mode for mode, is_chosen in chosen.items() if is_chosen), None))
    replaced = None if model else name_export(out)
    if model:
        exported = write_model(place, out, step)
    elif documents:
        exported = write_documents(place, out, format, side, source, language, workers, shard_size)
    elif bin:
        exported = write_bin(place, out, source, language)
    elif signatures:
        exported = write_signatures(place, out, source)
    else:
        raise UserError(
            "choose what to export: --documents for texts, --bin for tokens, --model for a trained model, "
            "--signatures for signatures"
        )
    if replaced is not None:
        typer.echo(f"corpus: the earlier export in {out} was replaced: {replaced}", err=True)
    if as_json:
        typer.echo(json.dumps(exported, ensure_ascii=False))
    else:
        typer.echo(summarize(exported, out))


def name_export(out: str) -> str | None:
    """Return what the finished export in a folder is, such as `documents of demo, 12 files`; None if there is none."""
    from corpus import storage
    from corpus.export.target import DESCRIPTION_FILE, check_folder, read_description
    from corpus.inspect.readable import format_things

    folder = check_folder(out)
    if not storage.exists(storage.join(folder, DESCRIPTION_FILE)):
        return None
    earlier = read_description(folder)
    name = (earlier.get("build") or {}).get("name")
    count = len(earlier["files"])
    return f"{earlier['export']}{f' of {name}' if name else ''}, {format_things(count, 'file')}"


def refuse_unused_options(context: typer.Context, mode: str | None) -> None:
    """Raise UserError for an option on the command line that this kind of export does not heed."""
    from corpus.errors import UserError

    if mode is None:
        return
    modes_of_options: dict[str, list[str]] = {}
    for each, names in OPTIONS.items():
        for name in names:
            modes_of_options.setdefault(name, []).append(each)
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE"
        if given and mode not in modes_of_options.get(name, [mode]):
            raise UserError(
                f"{parameter.opts[0]} has no effect with {mode}: leave it out, it belongs to "
                f"{' and '.join(modes_of_options[name])}"
            )


def parse_size(option: str, text: str) -> int:
    """Return the bytes of a size such as 500MB. Raises UserError for what is no size, or less than a byte."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    from corpus.errors import UserError

    try:
        size = int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError:
        size = 0
    if size < 1:
        raise UserError(f"{option} {text}: give a number of bytes such as 500MB or 1GiB")
    return size


def write_documents(
    place: str,
    out: str,
    format: str,
    side: str,
    source: str | None,
    language: str | None,
    workers: int,
    shard_size: str,
) -> dict[str, Any]:
    """Export the texts of a workspace."""
    from corpus import __version__
    from corpus.errors import UserError
    from corpus.export.documents import export_documents
    from corpus.export.file_writers import EXPORT_FORMATS
    from corpus.export.shard_plan import DocumentSelection
    from corpus.pipelines.cli.opening import open_workspace, read_language
    from corpus.pipelines.cli.watching import show_progress

    known = next((name for name in EXPORT_FORMATS if name == format), None)
    if known is None:
        raise UserError(f"--format {format}: {list_choices(format, EXPORT_FORMATS)}")
    sides = {"train": ("train",), "valid": ("valid",), "all": ("train", "valid")}
    check_choice("--split", side, sides)
    chosen = DocumentSelection(sides=sides[side], source=source, language=read_language(language))
    size = parse_size("--shard-size", shard_size)
    workspace = open_workspace(place)
    with show_progress() as show:
        return export_documents(
            workspace, out, known, chosen, workers, partial(show, "files"), size, __version__
        )


def write_model(run: str, out: str, step: int | None) -> dict[str, Any]:
    """Export the model of a run."""
    from pathlib import Path

    from corpus.errors import UserError
    from corpus.pipelines.cli.opening import local_folder
    from corpus.pipelines.cli.train import load_torch
    from corpus.storage.outputs import check_output_folder
    from corpus.trainer.start import check_run

    folder = local_folder("--out", out)
    check_output_folder("--out", out)
    check_run(Path(run), step)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{out} already exists: name a new folder")
    load_torch()
    from corpus.inference.transformers_export import export_model

    exported_step = export_model(Path(run), folder, lambda line: typer.echo(line, err=True), step=step)
    return {"export": "model", "run": run, "step": exported_step}


def write_bin(place: str, out: str, source: str | None, language: str | None) -> dict[str, Any]:
    """Export the tokens of a workspace."""
    from corpus.export.bin import export_bin
    from corpus.pipelines.cli.opening import open_workspace, read_language
    from corpus.pipelines.cli.watching import show_progress

    workspace = open_workspace(place)
    with show_progress() as show:
        return export_bin(workspace, out, source, read_language(language), partial(show, "shards"))


def write_signatures(place: str, out: str, source: str | None) -> dict[str, Any]:
    """Export the signatures of a workspace."""
    from corpus.export.signature_sets import export_signatures
    from corpus.pipelines.cli.opening import open_workspace
    from corpus.pipelines.cli.watching import show_progress

    workspace = open_workspace(place)
    with show_progress() as show:
        return export_signatures(workspace, out, source, partial(show, "parts"))


def summarize(exported: dict[str, Any], out: str) -> str:
    """What was exported, in one line."""
    from corpus.inspect.readable import format_short, format_size, format_things

    files = format_things(len(exported["files"]), "file") if "files" in exported else ""
    if exported["export"] == "documents":
        return (
            f"{out}: {format_things(exported['documents'], 'document')}, {format_size(exported['bytes'])} of text "
            f"in {files}"
        )
    if exported["export"] == "signatures":
        return f"{out}: signatures of {format_things(exported['documents'], 'document')} in {files}"
    if exported["export"] == "model":
        return f"{out}: model of {exported['run']} at step {exported['step']:,}, to load with AutoModelForCausalLM"
    sides = {name: file["tokens"] for name, file in exported["files"].items() if "tokens" in file}
    token_counts = ", ".join(f"{name} {format_short(tokens)} tokens" for name, tokens in sides.items())
    missing = [name for name in ("train.bin", "val.bin") if name not in sides]
    without = f"; no documents for {missing[0]}" if missing else ""
    return (
        f"{out}: {token_counts} as {exported['dtype']}, vocabulary {exported['vocabulary_size']:,}{without}"
    )
