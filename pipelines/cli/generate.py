"""`corpus generate`: text from the model of a run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from corpus.errors import UserError
from corpus.pipelines.cli.refusals import refuse_options


def generate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run folder that `corpus train` wrote.")],
    prompt: Annotated[
        str,
        typer.Option(
            "--prompt",
            "-p",
            help="Text for the model to continue, printed first (default: none; the model starts a new "
            "document).",
        ),
    ] = "",
    tokens: Annotated[
        int,
        typer.Option(
            min=0,
            help="Maximum number of tokens to generate per text; it ends earlier if the model ends the "
            "document.",
        ),
    ] = 200,
    temperature: Annotated[
        float,
        typer.Option(
            min=0,
            help="Sampling temperature: higher values give more varied text; 0 always takes the most "
            "likely token.",
        ),
    ] = 0.8,
    top_k: Annotated[
        int,
        typer.Option(min=0, help="Sample each token from this many most likely ones; 0 samples from all."),
    ] = 0,
    top_p: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Sample each token from the most likely ones whose probabilities add up to this share "
            "(above 0); 1 samples from all.",
        ),
    ] = 1.0,
    no_repeat: Annotated[
        int,
        typer.Option(
            min=0,
            help="Never generate the same sequence of this many tokens twice (2 or more); 0 allows any "
            "repetition.",
        ),
    ] = 0,
    samples: Annotated[
        int, typer.Option(min=1, help="Number of texts to generate; each further text adds 1 to the seed.")
    ] = 1,
    seed: Annotated[
        int,
        typer.Option(min=0, help="Random seed for sampling; the same seed and options give the same text."),
    ] = 0,
    step: Annotated[
        int | None,
        typer.Option(min=0, help="Use the checkpoint of this training step (default: the last checkpoint)."),
    ] = None,
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
            "--json",
            help="Print one JSON object per line for each text, with its prompt and seed, instead of "
            "plain text.",
        ),
    ] = False,
) -> None:
    """Generate text with the model of a run, from a prompt or from nothing.

    Reads a checkpoint and the tokenizer from the run folder; prints the text as it is generated. Needs the `train`
    extra.

    Example: corpus generate demo-workspace/runs/tiny --prompt "今天" --samples 3
    """
    if top_p == 0:
        raise UserError(
            "--top-p 0 leaves no token to choose: give a share above 0, 1 for all, or --temperature 0"
        )
    if no_repeat == 1:
        raise UserError("--no-repeat 1 would allow no token twice: give 2 or more, or 0 for any repetition")
    if temperature == 0:
        drawn = {"--top-k": top_k != 0, "--top-p": top_p != 1, "--samples": samples != 1, "--seed": seed != 0}
        refuse_options("--temperature 0, which always takes the most likely token", drawn)
    from corpus.pipelines.cli.train import load_torch
    from corpus.trainer.config import check_device_name
    from corpus.trainer.start import check_run

    check_device_name(device)
    check_run(Path(run), step)
    load_torch()
    from corpus.inference.generate import Writer
    from corpus.inference.run import TrainedModel
    from corpus.trainer.device import choose_device

    writer = Writer(
        TrainedModel(Path(run), choose_device(device), lambda line: typer.echo(line, err=True), step)
    )
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
