"""`corpus generate`: text from a trained run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def generate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder that `corpus train` wrote.")],
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What the text begins with.")] = "",
    tokens: Annotated[int, typer.Option(min=0, help="Most tokens to write.")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="0: always the likeliest token.")] = 0.8,
    top_k: Annotated[int, typer.Option(min=0, help="Draw from so many tokens; 0: from all.")] = 0,
    top_p: Annotated[
        float, typer.Option(min=0, max=1, help="Draw from the likeliest that make up this probability.")
    ] = 1.0,
    no_repeat: Annotated[
        int, typer.Option(min=0, help="No so many tokens in a row come twice; 0: they may.")
    ] = 0,
    samples: Annotated[int, typer.Option(min=1, help="Texts to write.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same text.")] = 0,
    step: Annotated[int | None, typer.Option(min=0, help="Of this checkpoint.  [default: the last]")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line a text instead.")] = False,
) -> None:
    """Let the last checkpoint of a run write, after a prompt or from nothing; shown as it comes.

    Example: corpus generate demo-workspace/runs/tiny --prompt "今天" --samples 3
    """
    from corpus.pipelines.cli.train import SPIN, require_torch

    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    require_torch()
    from corpus.inference.generate import Writer
    from corpus.inference.run import Trained
    from corpus.trainer.device import choose_device

    writer = Writer(Trained(Path(run), choose_device(device), lambda line: typer.echo(line, err=True), step))
    for sample in range(samples):
        pieces = writer.write(
            prompt,
            tokens=tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            no_repeat=no_repeat,
            seed=seed + sample,
        )
        if as_json:
            text = "".join(pieces)
            line = {"sample": sample, "seed": seed + sample, "prompt": prompt, "text": text}
            typer.echo(json.dumps(line, ensure_ascii=False))
            continue
        if samples > 1:
            typer.echo(f"--- {sample + 1} of {samples}, seed {seed + sample}", err=True)
        sys.stdout.write(prompt)
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")
