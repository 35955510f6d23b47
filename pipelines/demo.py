"""Run `make demo`: the toolkit's commands, one after another, on the sample that comes with it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from corpus.data import data_path

DEMO_PROMPTS = ("The history of", "中国的", "Die Geschichte", "История")


def run_command(*command: str) -> None:
    """Print a `corpus` command and run it; raise CalledProcessError if it fails."""
    print(f"\n$ corpus {shlex.join(command)}", flush=True)
    subprocess.run([sys.executable, "-m", "corpus.pipelines.cli", *command], check=True)


def write_quality_manifest(manifest: Path, model: Path, to: Path) -> None:
    """Write the manifest with the classifier added: the best four fifths of each language that it learned are kept."""
    text = manifest.read_text(encoding="utf-8").replace('"demo/', f'"{manifest.parent.resolve()}/demo/')
    card = json.loads(Path(f"{model}.card.json").read_text(encoding="utf-8"))
    rules = "".join(
        f"    {language}: {{quality.score: {{top_share: 0.8}}}}\n" for language in card["languages"]
    )
    to.write_text(
        f"{text}quality: {{model: {model.resolve()}}}\nrules:\n  languages:\n{rules}", encoding="utf-8"
    )
    print(f"\n# {to}: the same manifest with the classifier and\nrules:\n  languages:\n{rules}", end="")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="demo-workspace")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--minutes", default="1")
    options = parser.parse_args()
    manifest = data_path("demo.yaml")
    out, models = options.out, Path(f"{options.out}-models")
    os.makedirs(models, exist_ok=True)
    try:
        run_command("build", str(manifest), "--out", out, "--workers", options.workers)
        classifier = models / "encyclopedia.bin"
        positive, negative = f"{out}:source=wikipedia", f"{out}:source=web"
        run_command(
            "model",
            "train",
            "classifier",
            "--positive",
            positive,
            "--negative",
            negative,
            "--out",
            str(classifier),
        )
        write_quality_manifest(manifest, classifier, models / "demo-quality.yaml")
        run_command("build", str(models / "demo-quality.yaml"), "--out", out, "--workers", options.workers)
        run_command("sample", out, "--documents", "2", "--language", "cmn")
        run_command("train", out, "--minutes", options.minutes)
        for prompt in DEMO_PROMPTS:
            run_command("generate", f"{out}/runs/tiny", "--prompt", prompt, "--tokens", "80")
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"\nNext: corpus stats {out}; corpus sample {out} --dropped; corpus --help")
    return 0


if __name__ == "__main__":
    sys.exit(main())
