"""Turn the options of a command into the configuration of a run: a new, a branched or a resumed one."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import UserError
from corpus.trainer import mixture
from corpus.trainer.config import RunConfig, find_size
from corpus.trainer.dataset import Dataset, open_dataset
from corpus.trainer.log import explain_no_run
from corpus.trainer.scaling import (
    CPU_CORE_FLOPS,
    batch_for_steps,
    default_batch,
    default_rate,
    default_tokens,
)

if TYPE_CHECKING:
    from corpus.trainer.checkpoint import Checkpoint

DEFAULT_MICRO_TOKENS = 16_384
"""Default tokens of a micro-batch; a larger step sums the gradients of several."""
RESUMABLE_SETTINGS = {
    "steps", "minutes", "micro_samples", "learning_rate", "shape", "warmup", "decay", "weight_decay", "clip",
    "precision", "compile", "evaluate_every", "evaluate_tokens", "save_minutes", "save_every", "keep_last",
    "keep_every", "z_loss", "spike_sigma", "shard", "deterministic", "cuda_graphs",
}  # fmt: skip
"""Settings that may change when a run is resumed; any other change would make it a different run."""


def configure_new_run(dataset: Dataset, workspace: str, options: dict[str, Any]) -> RunConfig:
    """Return the configuration of a new run.

    `options` are RunConfig's fields (None: the default), and `context`, `batch_tokens`, `micro_tokens`, `tokens` (the
    length in tokens) and `mixture` (a file or preset), which are turned into windows, steps and weights; `speed` is
    the machine's estimated operations per second, from which a run of minutes estimates its tokens.
    """
    explicit = {name: value for name, value in options.items() if value is not None}
    decided = {"compile": "compile" in explicit, "micro_samples": "micro_tokens" in explicit}
    undecided = tuple(name for name, given in {**decided, "attention": False}.items() if not given)
    name = explicit.pop("size", "tiny")
    model = find_size(name).model(vocabulary=dataset.vocabulary, context=explicit.pop("context", None))
    streams = dataset.streams("train")
    tokens = explicit.pop("tokens", None)
    if (tokens is not None) + ("steps" in explicit) + ("minutes" in explicit) > 1:
        raise UserError("give only one of --steps, --tokens and --minutes")
    expected = tokens or default_tokens(model, sum(stream.tokens for stream in streams))
    speed = explicit.pop("speed", CPU_CORE_FLOPS)
    for unit, length in (
        ("steps", explicit.get("steps")),
        ("tokens", tokens),
        ("minutes", explicit.get("minutes")),
    ):
        if length is not None and not 0 < length < math.inf:
            raise UserError(f"--{unit} {length}: must be a number above 0")
    if "minutes" in explicit:
        expected = min(expected, math.ceil(60 * explicit["minutes"] * speed / model.flops_per_token()))
    steps = explicit.get("steps")
    batch = explicit.pop("batch_tokens", None)
    if batch is None:
        batch = default_batch(expected) if steps is None else batch_for_steps(max(1, steps))
    explicit.update(_count_samples(model.context, batch, explicit.pop("micro_tokens", DEFAULT_MICRO_TOKENS)))
    step_tokens = explicit["batch_samples"] * model.context
    if steps is None and "minutes" not in explicit:
        explicit["steps"] = math.ceil(expected / step_tokens)
    length = explicit["steps"] * step_tokens if explicit.get("steps") else None
    if source := explicit.pop("mixture", None):
        explicit["shares"] = mixture.compute_shares(mixture.read_mixture(source, workspace), streams, length)
    settings: dict[str, Any] = {
        "steps": None,
        "minutes": None,
        "seed": 0,
        "learning_rate": default_rate(model, length or expected),
        "undecided": undecided,
        **explicit,
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


def _count_samples(context: int, batch_tokens: int, micro_tokens: int) -> dict[str, int]:
    for name, value in (
        ("--context", context),
        ("--batch-tokens", batch_tokens),
        ("--micro-tokens", micro_tokens),
    ):
        if value < 1:
            raise UserError(f"{name} {value}: must be at least 1")
    samples = max(1, batch_tokens // context)
    return {"batch_samples": samples, "micro_samples": min(samples, max(1, micro_tokens // context))}


def configure_branch(branch: str, workspace: str, options: dict[str, Any]) -> RunConfig:
    """Return the configuration of a run that begins from a checkpoint of another: `branch` is RUN@STEP.

    So the decay of a constant learning rate can be run from several steps of one run (MiniCPM, arXiv:2404.06395), for
    runs of different lengths, without training the beginning again.
    """
    run, _, step = branch.rpartition("@")
    if not run or not step.isdigit():
        raise UserError(f"--branch {branch}: expected RUN@STEP, a run and the step of one of its checkpoints")
    config = configure_resumed_run(Path(run), workspace, options)
    if config.steps is not None and config.steps <= int(step):
        raise UserError(
            f"--branch {branch} begins at step {step} of {config.steps}: give --steps or --tokens"
        )
    return dataclasses.replace(config, branch=f"{Path(run).resolve()}@{step}")


def read_branch_checkpoint(branch: str) -> Checkpoint:
    """Read the checkpoint that a branch begins from."""
    from corpus.trainer import checkpoint

    run, _, step = branch.rpartition("@")
    return checkpoint.read_step(Path(run) / "checkpoint", int(step))


def check_dataset(dataset: Dataset, config: RunConfig) -> Dataset:
    """Return the dataset; raise UserError if it is not the one that the run began with."""
    if dataset.vocabulary != config.model.vocabulary:
        raise UserError(
            f"{dataset.folder} has a vocabulary of {dataset.vocabulary:,} tokens, the run one of "
            f"{config.model.vocabulary:,}: start a new run with --out"
        )
    if dataset.fingerprint != config.fingerprint:
        raise UserError(
            f"{dataset.folder} has changed since the run began (fingerprint {dataset.fingerprint}, the run's "
            f"{config.fingerprint}): restore the old shards, or start a new run with --out"
        )
    return dataset


def write_run_files(config: RunConfig, dataset: Dataset, run: Path) -> None:
    """Write config.json and tokenizer.json of a run, each atomically."""
    try:
        tokenizer = dataset.tokenizer.read_bytes()
    except OSError:
        raise UserError(f"{dataset.tokenizer} is missing: build the tokens again, or copy it back") from None
    if hashlib.sha256(tokenizer).hexdigest() != dataset.tokenizer_sha256:
        raise UserError(f"{dataset.tokenizer} did not make these shards: build the tokens again")
    for name, content in (
        ("config.json", json.dumps(config.json(), indent=1).encode()),
        ("tokenizer.json", tokenizer),
    ):
        temporary = run / f".{name}"
        temporary.write_bytes(content)
        temporary.replace(run / name)


def read_run_config(run: Path) -> RunConfig:
    """Read the configuration of an existing run."""
    try:
        return RunConfig.from_json(json.loads((run / "config.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise explain_no_run(run) from None
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{run}/config.json was not written by this version ({error}): use another --out"
        ) from error


def check_run(run: Path, step: int | None = None) -> RunConfig:
    """Return the configuration of an existing run that has a checkpoint, that of `step`. Raises UserError otherwise.

    The checkpoint itself is read by `corpus.trainer.checkpoint`, which needs torch.
    """
    config = read_run_config(run)
    names = [path.name.removeprefix("step-") for path in (run / "checkpoint").glob("step-[0-9]*")]
    steps = sorted(int(name) for name in names if name.isdecimal())
    if not steps:
        raise explain_no_checkpoint(run, config)
    if step is not None and step not in steps:
        raise UserError(
            f"{run / 'checkpoint'}: no checkpoint of step {step}; available steps: {', '.join(map(str, steps))}"
        )
    return config


def explain_no_checkpoint(run: Path, config: RunConfig) -> UserError:
    """Return the error for a run that has not saved anything."""
    return UserError(
        f"{run} has no checkpoint yet: `corpus train {config.workspace} --out {run} --resume` makes one"
    )


def configure_resumed_run(run: Path, workspace: str, options: dict[str, Any]) -> RunConfig:
    """Return the configuration of `run` with the `options` (as in `configure_new_run`) that may change during a run.

    A new length replaces the old one, in any unit. The learning rate follows the new settings from then on.
    """
    config = read_run_config(run)
    explicit = {name: value for name, value in options.items() if value is not None and name != "speed"}
    if "tokens" in explicit:
        explicit["steps"] = math.ceil(explicit.pop("tokens") / config.step_tokens)
    if "steps" in explicit or "minutes" in explicit:
        explicit = {"steps": None, "minutes": None, **explicit}
    if "micro_tokens" in explicit:
        explicit.update(
            _count_samples(config.model.context, config.step_tokens, explicit.pop("micro_tokens"))
        )
    if "batch_tokens" in explicit:
        samples = _count_samples(config.model.context, explicit["batch_tokens"], 1)["batch_samples"]
        explicit["batch_tokens"] = samples * config.model.context
    now = {"size": config.size, "context": config.model.context, "batch_tokens": config.step_tokens}
    if source := explicit.pop("mixture", None):
        length = config.steps * config.step_tokens if config.steps else None
        streams = open_dataset(workspace).streams("train")
        if mixture.compute_shares(mixture.read_mixture(source, workspace), streams, length) != config.shares:
            raise UserError(
                f"--mixture differs from the one that {run} began with: leave it out, or use --out"
            )
    for name in sorted(explicit.keys() - RESUMABLE_SETTINGS):
        old = now[name] if name in now else getattr(config, name)
        if explicit.pop(name) != old:
            option = name.replace("_", "-")
            raise UserError(
                f"--{option} differs from the {old} that {run} began with: leave it out, or start a new run with --out"
            )
    return dataclasses.replace(config, workspace=str(Path(workspace).resolve()), **explicit)
