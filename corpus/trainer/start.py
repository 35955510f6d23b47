"""From the options of a command to the configuration of a run: a new one, or one taken up again."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from corpus.errors import UserError
from corpus.trainer.config import RunConfig, default_tokens, size
from corpus.trainer.dataset import Dataset

MICRO_TOKENS = 16_384
"""Tokens computed at once unless said otherwise; a step of more is added up from several such pieces."""
FREE = {
    "steps", "minutes", "micro_samples", "learning_rate", "shape", "warmup", "decay", "weight_decay", "clip",
    "precision", "compile", "evaluate_every", "evaluate_tokens", "save_minutes",
}  # fmt: skip
"""What may be changed when a run is taken up again; anything else would make it another run."""


def new_run(dataset: Dataset, workspace: str, options: dict[str, Any]) -> RunConfig:
    """The configuration of a new run.

    `options` are RunConfig's fields (None: the size's default), and `context`, `batch_tokens`, `micro_tokens` and
    `tokens` (the length in tokens), which are turned into windows and steps.
    """
    given = {name: value for name, value in options.items() if value is not None}
    name = given.pop("size", "tiny")
    preset = size(name)
    model = preset.model(vocabulary=dataset.vocabulary, context=given.pop("context", None))
    batch = given.pop("batch_tokens", preset.batch_tokens)
    given.update(_pieces(model.context, batch, given.pop("micro_tokens", MICRO_TOKENS)))
    if "steps" not in given and "minutes" not in given:
        train_tokens = sum(stream.tokens for stream in dataset.streams("train"))
        tokens = given.pop("tokens", default_tokens(model, train_tokens))
        given["steps"] = math.ceil(tokens / (given["batch_samples"] * model.context))
    if "tokens" in given:
        raise UserError("a run is bounded by --steps, --tokens or --minutes, by one of them")
    settings: dict[str, Any] = {
        "steps": None,
        "minutes": None,
        "seed": 0,
        "learning_rate": preset.learning_rate,
        **given,
    }
    return RunConfig(
        workspace=str(Path(workspace).resolve()),
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        end_of_text=dataset.end_of_text,
        size=name,
        model=model,
        **settings,
    )


def _pieces(context: int, batch_tokens: int, micro_tokens: int) -> dict[str, int]:
    for name, value in (
        ("--context", context),
        ("--batch-tokens", batch_tokens),
        ("--micro-tokens", micro_tokens),
    ):
        if value < 1:
            raise UserError(f"{name} {value}: at least 1")
    samples = max(1, batch_tokens // context)
    return {"batch_samples": samples, "micro_samples": min(samples, max(1, micro_tokens // context))}


def read_run(run: Path) -> RunConfig:
    """The configuration of an existing run."""
    try:
        return RunConfig.from_json(json.loads((run / "config.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"{run} is no run: `corpus train WORKSPACE --out {run}` makes one") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{run}/config.json is not of this version ({error}): use another --out") from error


def resumed_run(run: Path, workspace: str, options: dict[str, Any]) -> RunConfig:
    """The configuration of `run` with those of `options` (as in `new_run`) that may be changed on the way.

    A new length replaces the old one, in whatever unit. The learning rate follows the new settings from here on.
    """
    config = read_run(run)
    given = {name: value for name, value in options.items() if value is not None}
    if "tokens" in given:
        given["steps"] = math.ceil(given.pop("tokens") / config.step_tokens)
    if "steps" in given or "minutes" in given:
        given = {"steps": None, "minutes": None, **given}
    if "micro_tokens" in given:
        given.update(_pieces(config.model.context, config.step_tokens, given.pop("micro_tokens")))
    now = {"size": config.size, "context": config.model.context, "batch_tokens": config.step_tokens}
    for name in sorted(given.keys() - FREE):
        old = now[name] if name in now else getattr(config, name)
        if given.pop(name) != old:
            option = name.replace("_", "-")
            raise UserError(
                f"--{option} differs from the {old} that {run} began with: leave it out, or start anew with --out"
            )
    return dataclasses.replace(config, workspace=str(Path(workspace).resolve()), **given)
