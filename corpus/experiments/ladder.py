"""A ladder of runs from one manifest, the curve through them, and a prediction that is written before it is tried.

    # ladder.yaml, for `corpus experiment scaling ladder.yaml --out EXP`
    workspace: sample-workspace
    sizes: [1m, tiny, mini]         # one trunk each
    tokens: 2_000_000               # of a run at 1 x, or by size: {1m: 1_000_000, tiny: 2_000_000}
    branches: [0.5, 1, 2, 4]        # runs end after so many times `tokens`
    predict: {size: small, tokens: 16_000_000}

A trunk is trained at a constant rate; from its checkpoints the rate decays over the last fifth of each run, so four
lengths cost little more than the longest (Hu et al. 2024, arXiv:2404.06395; Haegele et al. 2024, arXiv:2405.18392).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.experiments.arms import Arm, default_mixture
from corpus.experiments.comparison import CompareOptions, Experiment, Say
from corpus.experiments.judge import weigh_point
from corpus.experiments.loss_curve import MIN_RUNS, CurveFit, LadderPoint, fit_ladder
from corpus.experiments.prepare import prepare
from corpus.experiments.sweep import Sweep
from corpus.experiments.training_runs import RunPlan, configure_run, read_result
from corpus.suggestions import describe_wrong_value
from corpus.trainer.config import find_size

DECAY = 0.2
"""Share of a run in which its rate falls to zero."""
WARMUP_SHARE = 0.25
"""Of the shortest run's constant part, the share in which the rate rises."""
Positive = Annotated[int, Field(gt=0)]


class _LadderModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictedRun(_LadderModel):
    """The larger run: its size and tokens."""

    size: str
    tokens: Positive


class Ladder(_LadderModel):
    """A ladder's manifest: see the module. `settings` are those of `corpus train`: learning_rate, batch_tokens, ..."""

    workspace: str
    sizes: Annotated[list[str], Field(min_length=1)]
    tokens: Positive | dict[str, Positive]
    branches: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = [0.5, 1, 2, 4]
    predict: PredictedRun | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    vocabulary: Annotated[int, Field(ge=257)] = 8192
    tokenizer: str | None = None
    neutral: list[str] = []
    held_out_bytes: Positive = 1_000_000
    max_epochs: Annotated[float, Field(gt=0)] = 4.0
    settings: dict[str, Any] = {}

    def tokens_of(self, size: str) -> int:
        return self.tokens if isinstance(self.tokens, int) else self.tokens[size]

    def longest(self) -> int:
        """Return the tokens of the longest run."""
        lengths = [math.ceil(max(self.branches) * self.tokens_of(size)) for size in self.sizes]
        return max([*lengths, *([self.predict.tokens] if self.predict else [])])


def read_ladder(path: Path) -> Ladder:
    """Read a ladder's manifest; its paths are relative to it. Raises UserError with the key that is wrong."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        ladder = Ladder.model_validate(raw)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(key) for key in first["loc"])
        raise UserError(f"{path}: {place + ': ' if place else ''}{describe_wrong_value(first)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    _check_ladder(ladder, path)
    beside = path.parent
    return ladder.model_copy(
        update={
            "workspace": str(beside / ladder.workspace),
            "neutral": [text if text == "udhr" else str(beside / text) for text in ladder.neutral],
            "tokenizer": str(beside / ladder.tokenizer) if ladder.tokenizer else None,
        }
    )


def _check_ladder(ladder: Ladder, path: Path) -> None:
    for size in [*ladder.sizes, *([ladder.predict.size] if ladder.predict else [])]:
        try:
            find_size(size)
        except UserError as error:
            raise UserError(f"{path}: sizes: {str(error).removeprefix('--size ')}") from None
    if isinstance(ladder.tokens, dict) and (missing := set(ladder.sizes) - ladder.tokens.keys()):
        raise UserError(f"{path}: tokens: no number for the size {min(missing)}")
    least = min(ladder.branches)
    if any(abs(branch / least - round(branch / least)) > 1e-9 for branch in ladder.branches):
        raise UserError(f"{path}: branches: every one must be a multiple of the smallest, {least:g}")
    runs = len(set(ladder.sizes)) * len(set(ladder.branches))
    if len(set(ladder.sizes)) < 2 or len(set(ladder.branches)) < 2 or runs < MIN_RUNS:
        raise UserError(
            f"{path}: {runs} runs of {len(set(ladder.sizes))} sizes: a curve needs two sizes, two branches and "
            f"{MIN_RUNS} runs at least"
        )


@dataclass(frozen=True, kw_only=True)
class PreparedLadder:
    """A ladder whose shards are written, with its trunks, its branches by name, and the larger run."""

    ladder: Ladder
    experiment: Experiment
    trunks: tuple[RunPlan, ...]
    branches: dict[str, RunPlan]
    larger: RunPlan | None

    def runs(self) -> list[RunPlan]:
        """Return all runs in the order in which they are trained."""
        return [*self.trunks, *self.branches.values(), *([self.larger] if self.larger else [])]


def prepare_ladder(folder: Path, ladder: Ladder, say: Say = lambda line: None) -> PreparedLadder:
    """Write everything but the runs. Raises UserError as `compare.prepare`, and for runs that are too short."""
    options = CompareOptions(
        tokens=ladder.longest(),
        sizes=tuple(dict.fromkeys(ladder.sizes)),
        seed=ladder.seed,
        vocabulary=ladder.vocabulary,
        tokenizer=ladder.tokenizer,
        neutral=tuple(ladder.neutral),
        held_out_bytes=ladder.held_out_bytes,
        matching="own",
        max_epochs=ladder.max_epochs,
        controls=False,
        settings=ladder.settings,
    )
    arm = Arm(name="ladder", workspace=ladder.workspace, mixture=default_mixture(ladder.workspace))
    experiment = prepare(folder, [arm], options, say)
    trunks, branches = [], {}
    for size in options.sizes:
        trunk, own = _plan_trunk(experiment, ladder, size)
        trunks.append(trunk)
        branches.update(own)
    larger = None
    if ladder.predict is not None:
        settings = {**ladder.settings, "tokens": ladder.predict.tokens, "decay": DECAY, "evaluate_every": 0}
        name = f"{ladder.predict.size}, {ladder.predict.tokens:,} tokens"
        larger = _plan_run(experiment, ladder, "larger", name, ladder.predict.size, settings)
    return PreparedLadder(
        ladder=ladder, experiment=experiment, trunks=tuple(trunks), branches=branches, larger=larger
    )


def _plan_run(
    experiment: Experiment,
    ladder: Ladder,
    place: str,
    name: str,
    size: str,
    settings: dict[str, Any],
    **more: Any,
) -> RunPlan:
    return RunPlan(
        folder=str(experiment.folder / "runs" / place),
        arm=str(experiment.folder / "arms" / "ladder"),
        name=name,
        size=size,
        seed=ladder.seed,
        settings=settings,
        **more,
    )


def _plan_trunk(experiment: Experiment, ladder: Ladder, size: str) -> tuple[RunPlan, dict[str, RunPlan]]:
    """Return a size's trunk, whose checkpoints stay, and its branches: each decays from one of them."""
    base, least = ladder.tokens_of(size), min(ladder.branches)
    options = {**ladder.settings, "tokens": math.ceil(base * max(ladder.branches))}
    config = configure_run(_plan_run(experiment, ladder, f"{size}/trunk", size, size, options))
    unit = round(least * base * (1 - DECAY) / config.step_tokens)
    if unit < 4:
        raise UserError(
            f"{size}: {least:g} x {base:,} tokens are only {round(least * base / config.step_tokens)} steps of "
            f"{config.step_tokens:,} tokens: give more tokens, or settings: {{batch_tokens: ...}}"
        )
    starts = {branch: unit * round(branch / least) for branch in sorted(set(ladder.branches))}
    length = max(starts.values())
    settings = {
        **ladder.settings,
        "steps": length,
        "batch_tokens": config.step_tokens,
        "learning_rate": config.learning_rate,
        "decay": 0.0,
        "warmup": min(0.5, max(1, round(WARMUP_SHARE * unit)) / length),
        "evaluate_every": 0,
        "keep_every": unit,
        "save_every": unit,
    }
    trunk = _plan_run(experiment, ladder, f"{size}/trunk", f"{size}, trunk", size, settings, keep=True)
    branches = {}
    for branch, start in starts.items():
        steps = max(start + 1, round(start / (1 - DECAY)))
        name = f"{size}, {branch:g} x"
        own = {"steps": steps, "decay": (steps - start) / steps, "warmup": 0.0}
        branches[name] = _plan_run(
            experiment, ladder, f"{size}/branch-{branch:g}", name, size, own, branch=f"{trunk.folder}@{start}"
        )
    return trunk, branches


def climb(prepared: PreparedLadder, sweep: Sweep) -> dict[str, Any]:
    """Train the ladder, fit it, write the prediction, then train the larger run; return the result.

    EXP/prediction.json is written once, before the larger run begins: a second one would be no prediction.
    """
    sweep.train(prepared.trunks)
    sweep.train(tuple(prepared.branches.values()))
    try:
        fit = fit_ladder(read_points(prepared), seed=prepared.ladder.seed)
    except ValueError as error:
        raise RunError(f"{prepared.experiment.folder}: {error}") from None
    for name in fit.left:
        sweep.say(f"{name} left the curve of the others: it has no part in the fit")
    prediction = measured = None
    if prepared.larger is not None:
        prediction = predict_larger(prepared, fit)
        sweep.say(prediction["sentence"])
        sweep.train([prepared.larger])
        measured = check_prediction(prepared, prediction)
        sweep.say(measured["sentence"])
    result = {
        "schema_version": 1,
        "kind": "scaling",
        "arms": [prepared.experiment.facts["ladder"]],
        "ladder": {
            **prepared.ladder.model_dump(mode="json"),
            "workspace": Path(prepared.ladder.workspace).name,
        },
        "notes": list(prepared.experiment.notes),
        "points": [vars(point) for point in fit.points],
        "fit": fit.json(),
        "prediction": prediction,
        "measured": measured,
    }
    return sweep.write_result(result)


def read_points(prepared: PreparedLadder) -> list[LadderPoint]:
    """Return the finished branches as points. Raises RunError if one has no result."""
    return [_read_point(prepared, name, run) for name, run in prepared.branches.items()]


def _read_point(prepared: PreparedLadder, name: str, run: RunPlan) -> LadderPoint:
    result = read_result(run)
    if result is None:
        raise RunError(f"{run.folder} has no result: run the same command again")
    bits = weigh_point(result["cells"], prepared.experiment.weights)
    return LadderPoint(name=name, parameters=result["block_parameters"], tokens=result["tokens"], bits=bits)


def predict_larger(prepared: PreparedLadder, fit: CurveFit) -> dict[str, Any]:
    """Write EXP/prediction.json, if it is not there, and return the prediction without its time.

    Raises UserError if there is one of another ladder, or a result of the larger run without one.
    """
    run, experiment = prepared.larger, prepared.experiment
    assert run is not None
    config = configure_run(run)
    tokens = (config.steps or 0) * config.step_tokens
    bits, low, high = fit.predict_interval(config.model.block_parameters(), tokens)
    flops = config.model.flops_per_token() * tokens
    ladder_flops = max((read_result(own) or {"flops": 0})["flops"] for own in prepared.branches.values())
    content = {
        "name": run.name,
        "parameters": config.model.block_parameters(),
        "tokens": tokens,
        "compute_ratio": flops / ladder_flops,
        "bits": bits,
        "low": low,
        "high": high,
        "points": [vars(point) for point in fit.points],
        "curve": fit.curve.json(),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path = experiment.folder / "prediction.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["hash"] != digest:
            raise UserError(f"{path} predicts from other runs: a ladder is tried once: use another --out")
    elif read_result(run) is not None or (Path(run.folder) / "config.json").exists():
        raise UserError(f"{run.folder} was begun before {path} was written: use another --out")
    else:
        written = {"written": datetime.now(UTC).isoformat(timespec="seconds"), "hash": digest, **content}
        storage.write_text(str(path), json.dumps(written, indent=1) + "\n")
    sentence = (
        f"prediction for {run.name}, {content['compute_ratio']:.1f} x the compute of the largest run of the ladder: "
        f"{bits:.4f} bits per byte ({low:.4f} to {high:.4f})"
    )
    kept = {
        name: content[name]
        for name in ("name", "parameters", "tokens", "compute_ratio", "bits", "low", "high")
    }
    return {**kept, "hash": digest, "sentence": sentence}


def check_prediction(prepared: PreparedLadder, prediction: dict[str, Any]) -> dict[str, Any]:
    """Return what the larger run measured, and the error of the prediction in percent of bits per byte."""
    assert prepared.larger is not None
    point = _read_point(prepared, prepared.larger.name, prepared.larger)
    error = 100 * (prediction["bits"] / point.bits - 1)
    inside = prediction["low"] <= point.bits <= prediction["high"]
    sentence = (
        f"{point.name} came to {point.bits:.4f} bits per byte: the prediction was off by {error:+.2f} %, "
        f"{'inside' if inside else 'outside'} its interval"
    )
    return {**vars(point), "error_percent": error, "inside": inside, "sentence": sentence}
