"""`corpus export`: clean text and tokens for other tools."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

import typer


def export(
    place: Annotated[str, typer.Argument(metavar="DIR", help="A workspace, or a run.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="FOLDER", help="Where to: a new folder or URL.")],
    documents: Annotated[bool, typer.Option("--documents", help="The texts that were kept.")] = False,
    bin: Annotated[
        bool, typer.Option("--bin", help="The tokens, as nanoGPT's train.bin and val.bin.")
    ] = False,
    model: Annotated[
        bool, typer.Option("--model", help="The model of a run, as Hugging Face transformers reads it.")
    ] = False,
    step: Annotated[
        int | None, typer.Option(min=0, help="Of --model: the checkpoint.  [default: the last]")
    ] = None,
    format: Annotated[str, typer.Option(help="Of --documents: jsonl.zst or parquet.")] = "jsonl.zst",
    side: Annotated[str, typer.Option("--split", help="Of --documents: train, valid or all.")] = "all",
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    language: Annotated[str | None, typer.Option(help="Only in this language: tha_Thai, or tha.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Local processes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write what a workspace keeps in formats that other tools read.

    Example: corpus export demo-workspace --documents --format parquet --out demo-text

    Example: corpus export demo-workspace --bin --out demo-bin

    Example: corpus export demo-workspace/runs/tiny --model --out demo-hf

    The folder's export.json says what is in each file.
    """
    from corpus.errors import UserError

    if documents + bin + model > 1:
        raise UserError("--documents writes texts, --bin tokens, --model a model: give one of them")
    if model:
        found = of_model(place, out, step)
    elif documents:
        found = of_documents(place, out, format, side, source, language, workers)
    elif bin:
        found = of_bin(place, out, source, language)
    else:
        raise UserError("name what to export: --documents for texts, --bin for tokens, --model")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo(summary(found, out))


def of_documents(
    place: str, out: str, format: str, side: str, source: str | None, language: str | None, workers: int
) -> dict[str, Any]:
    """The texts of a workspace."""
    from corpus.errors import UserError
    from corpus.export.documents import FORMATS, Chosen, export_documents
    from corpus.pipelines.cli.opening import open_workspace
    from corpus.pipelines.cli.progress import progress

    known = next((name for name in FORMATS if name == format), None)
    if known is None:
        raise UserError(f"--format {format}: it is one of {', '.join(FORMATS)}")
    sides = {"train": ("train",), "valid": ("valid",), "all": ("train", "valid")}
    if side not in sides:
        raise UserError(f"--split {side}: it is one of {', '.join(sides)}")
    chosen = Chosen(sides=sides[side], source=source, language=language)
    workspace = open_workspace(place)
    with progress() as show:
        return export_documents(workspace, out, known, chosen, workers, partial(show, "documents"))


def of_model(run: str, out: str, step: int | None) -> dict[str, Any]:
    """The model of a run."""
    from pathlib import Path

    from corpus.pipelines.cli.train import require_torch

    require_torch()
    from corpus.inference.transformers_export import export as export_model

    found = export_model(Path(run), Path(out), lambda line: typer.echo(line, err=True), step=step)
    return {"export": "model", "run": run, "step": found}


def of_bin(place: str, out: str, source: str | None, language: str | None) -> dict[str, Any]:
    """The tokens of a workspace."""
    from corpus.export.bin import export_bin
    from corpus.pipelines.cli.opening import open_workspace
    from corpus.pipelines.cli.progress import progress

    workspace = open_workspace(place)
    with progress() as show:
        return export_bin(workspace, out, source, language, partial(show, "shards"))


def summary(found: dict[str, Any], out: str) -> str:
    """What was written, in a line."""
    from corpus.inspect.readable import short, size, whole

    if found["export"] == "documents":
        return (
            f"{out}: {whole(found['documents'])} documents, {size(found['bytes'])} of text "
            f"in {len(found['files'])} files"
        )
    if found["export"] == "model":
        return f"{out}: the model of {found['run']} at step {found['step']:,}, for AutoModelForCausalLM"
    sides = {name: file["tokens"] for name, file in found["files"].items() if "tokens" in file}
    told = ", ".join(f"{name} {short(tokens)} tokens" for name, tokens in sides.items())
    missing = [name for name in ("train.bin", "val.bin") if name not in sides]
    without = f"; no text for {missing[0]}" if missing else ""
    return f"{out}: {told} as {found['dtype']}, vocabulary {found['vocabulary_size']:,}{without}"
