"""`corpus demo`: the toolkit's commands, one after another, on the sample that comes with it."""

from __future__ import annotations

import glob
import json
import os
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from corpus.errors import UserError
from corpus.pipelines.cli.pipes import PIPE_STATUS
from corpus.pipelines.cli.stopping import run_passing_signals

DEMO_PROMPTS = ("The history of", "中国的", "Die Geschichte", "История")


def demo(
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Local folder for the workspace: a new one, or one to resume."
        ),
    ] = "demo-workspace",
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Number of local worker processes for the builds.")
    ] = 2,
    minutes: Annotated[float, typer.Option(min=0.01, help="Minutes of training.")] = 1.0,
) -> None:
    """Build the sample that comes with the toolkit, look at it, train a classifier and a tiny GPT, and let it write.

    Runs other commands, and prints each before it starts. Writes the workspace DIR with its report, and DIR-models with
    the classifier and its manifest. Takes about five minutes. Training needs the `train` extra: without it, it is
    skipped.

    Example: corpus demo --out demo-workspace
    """
    from corpus.data import data_path
    from corpus.extras import install_advice
    from corpus.pipelines.build.build import check_out
    from corpus.pipelines.cli.opening import local_folder
    from corpus.storage.outputs import check_output_folder

    local_folder("--out", out)
    check_out(out)
    check_output_folder("--out", f"{out.rstrip('/')}-models")
    out = out.rstrip("/") or out
    manifest = data_path("demo.yaml")
    models = Path(f"{out}-models")
    classifier = models / "encyclopedia.bin"
    quality_manifest = models / "demo-quality.yaml"
    has_torch = find_spec("torch") is not None
    if not has_torch:
        typer.echo(
            f"corpus: torch is not installed, so no GPT is trained: {install_advice('train')}", err=True
        )
    run_command("build", str(manifest), "--out", out, "--workers", str(workers))
    os.makedirs(models, exist_ok=True)
    sides = ["--positive", f"{out}:source=wikipedia", "--negative", f"{out}:source=web"]
    run_command("model", "train", "classifier", *sides, "--out", str(classifier))
    write_quality_manifest(manifest, classifier, quality_manifest)
    run_command("build", str(quality_manifest), "--out", out, "--workers", str(workers))
    run_command("sample", out, "--documents", "2", "--language", "zh", "--no-pager")
    if has_torch:
        run_command("train", out, "--size", "tiny", "--minutes", f"{minutes:g}", "--resume")
        for prompt in DEMO_PROMPTS:
            run_command("generate", f"{out}/runs/tiny", "--prompt", prompt, "--tokens", "80")
    place = shlex.quote(out)
    typer.echo(
        f"\nOpen {place}/report.html in a browser: it shows what every rule did.\n"
        f"Next: `corpus sample {place} --dropped`, `corpus stats {place}`, and `corpus init FOLDER` for files of yours"
    )


def run_command(*command: str) -> None:
    """Print a `corpus` command and run it. Exits with its status if it fails."""
    typer.echo(f"\n$ corpus {shlex.join(command)}")
    sys.stdout.flush()
    status = run_passing_signals([sys.executable, "-m", "corpus.pipelines.cli", *command])
    if status not in (0, PIPE_STATUS):  # nobody need read it all
        raise typer.Exit(status if status > 0 else 128 - status)


def write_quality_manifest(manifest: Path, model: Path, to: Path) -> None:
    """Write the manifest with the classifier added: the best four fifths of each language that it learned are kept.

    Files are named from the fixed part of an absolute pattern. It ends before `[d]emo`, so that they have the names
    that the manifest gives them, and no page is read again.
    """
    sample = f'"{glob.escape(str(manifest.parent.resolve()))}/[d]emo/'
    text = manifest.read_text(encoding="utf-8").replace('"demo/', sample)
    try:
        card = json.loads(Path(f"{model}.card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{model}.card.json: cannot be read: {error}") from None
    rules = "".join(
        f"    {language}: {{quality.score: {{top_share: 0.8}}}}\n" for language in card["languages"]
    )
    added = f"quality: {{model: {json.dumps(str(model.resolve()), ensure_ascii=False)}}}\nrules:\n  languages:\n{rules}"
    to.write_text(f"{text}{added}", encoding="utf-8")
    typer.echo(
        f"\n# {to}: the same manifest with the classifier, whose best four fifths of a language stay\n{added}",
        nl=False,
    )
