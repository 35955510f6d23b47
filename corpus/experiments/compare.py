"""Compare corpora: which one makes the better model of a size and budget. `prepare`, then `train_all`, then `judge`.

    EXP/experiment.json   everything that decides the result, and the hashes of what went in
    EXP/tokenizer/, EXP/arms/NAME/, EXP/held-out.jsonl   see arms.py, held_out.py
    EXP/runs/SIZE/ARM/seed-N/                            see training_runs.py
    EXP/result.json       verdicts, bits per byte of every run, controls; no times

Two controls come first, at the first size: the first arm against itself with other seeds, which must not resolve, and
against itself with 30 % of its words shuffled, which must.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.experiments import arms as arms_of
from corpus.experiments.arms import Arm, ArmSurvey, EncodedDocuments, Matching, SourcePlan
from corpus.experiments.held_out import Clearing, HeldOutPiece, choose_pieces, leave_out_items, read_neutral
from corpus.experiments.paired import Cell, Measured, compare_pair
from corpus.experiments.training_runs import (
    EVALUATIONS,
    HELD_OUT_FILE,
    RunPlan,
    probe_arm,
    read_result,
    train_runs,
    write_held_out,
    write_plans,
)
from corpus.storage.fingerprint import fingerprint
from corpus.tokens.encode import Encoder
from corpus.trainer.config import find_size
from corpus.workspace import Workspace

SHUFFLED_SHARE = 0.3
"""Share of words that change places in the control that must be seen."""
SHUFFLED_NAME = "shuffled"
CONTROL_SEED = 1000
"""Distance between the seeds of an arm and those of itself as its control."""
MIN_WEIGHT = 0.005
"""A language with a smaller share of what the arms draw is left out of the measure: its text is noise there."""
MAX_EPOCHS = 4.0
"""Readings of a text beyond which a run measures repetition (arXiv:2305.16264)."""
RESULT_VERSION = 1
WHAT_IF_FOLDER = "what-if"
"""Decisions of a workspace under other rules, which are there before the experiment is."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What is decided before anything is read. `settings` are further options of `corpus train`: lr, batch_tokens, ...

    `tokenizer`: a path, or None for one of `vocabulary` tokens trained on all arms alike.
    """

    tokens: int
    sizes: tuple[str, ...] = ("1m",)
    seeds: int = 5
    seed: int = 0
    vocabulary: int = 8192
    tokenizer: str | None = None
    neutral: tuple[str, ...] = ()
    validation: bool = True
    """Whether the arms' validation documents are measured, too."""
    field: str = "text"
    held_out_bytes: int = 1_000_000
    matching: Matching = "matched"
    target_tokens: int | None = None
    max_epochs: float = MAX_EPOCHS
    controls: bool = True
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seeds < 2:
            raise UserError(
                f"--seeds {self.seeds}: one run an arm has no noise to judge by: give 2 or more; 5 is the default"
            )
        if len(set(self.sizes)) != len(self.sizes) or not self.sizes:
            raise UserError("--size: name every size once")
        for size in self.sizes:
            find_size(size)
        if (self.matching == "target") != (self.target_tokens is not None):
            raise UserError("--epochs target and --target-tokens belong together: give both")
        if self.target_tokens is not None and self.target_tokens < self.tokens:
            raise UserError(f"--target-tokens {self.target_tokens}: must be at least --tokens {self.tokens}")

    def json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "settings": dict(sorted(self.settings.items()))}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A prepared comparison: `weights` are those of the measured cells, `facts` what arm.json says of each arm."""

    folder: Path
    options: CompareOptions
    arms: tuple[Arm, ...]
    facts: dict[str, dict[str, Any]]
    pieces: tuple[HeldOutPiece, ...]
    weights: dict[Cell, float]
    notes: tuple[str, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple((piece.source, piece.language) for piece in self.pieces)

    def runs(self, *, probes: bool = False) -> list[RunPlan]:
        """Return all runs, the controls' first; with `probes` one run of every arm and size, in a folder of its own."""
        plans = []
        seeds = range(self.options.seed, self.options.seed + self.options.seeds)
        first = self.arms[0].name
        for rank, size in enumerate(self.options.sizes):
            names = [arm.name for arm in self.arms]
            if self.options.controls and rank == 0:
                plans += [self.run_of(size, first, seed) for seed in seeds]
                plans += [self.run_of(size, first, seed + CONTROL_SEED) for seed in seeds]
                plans += [self.run_of(size, SHUFFLED_NAME, seed) for seed in seeds]
                names.remove(first)
            plans += [self.run_of(size, name, seed) for seed in seeds for name in names]
        if not probes:
            return plans
        by_arm = {(run.size, run.name): run for run in plans}
        return [
            replace(run, folder=str(self.folder / "probe" / size / name))
            for (size, name), run in by_arm.items()
        ]

    def run_of(self, size: str, name: str, seed: int) -> RunPlan:
        steps = self.steps(size)
        return RunPlan(
            folder=str(self.folder / "runs" / size / name / f"seed-{seed}"),
            arm=str(self.folder / "arms" / name),
            name=name,
            size=size,
            seed=seed,
            settings={
                **dict(self.options.settings),
                "tokens": self.options.tokens,
                "evaluate_every": max(1, -(-steps // EVALUATIONS)),
            },
        )

    def steps(self, size: str) -> int:
        """Return the steps of a run."""
        from corpus.trainer.dataset import open_dataset
        from corpus.trainer.start import configure_new_run

        arm = str(self.folder / "arms" / self.arms[0].name)
        options = {"size": size, "tokens": self.options.tokens, **self.options.settings}
        steps = configure_new_run(open_dataset(arm), arm, options).steps
        assert steps is not None
        return steps


def prepare(
    folder: Path, arms: Sequence[Arm], options: CompareOptions, say: Say = lambda line: None
) -> Experiment:
    """Write everything but the runs: tokenizer, held-out text, shards of every arm. What is there already is kept.

    Raises UserError for arms that cannot be compared, before anything is trained: too little text for the budget, no
    held-out text in any of their languages, another experiment in `folder`.
    """
    if len({arm.name for arm in arms}) != len(arms):
        raise UserError(
            f"two arms have the name {_first_twice([arm.name for arm in arms])}: name them A=DIR B=DIR"
        )
    if SHUFFLED_NAME in {arm.name for arm in arms}:
        raise UserError(f"an arm cannot be called {SHUFFLED_NAME}: that is a control's name")
    surveys = {arm.name: arms_of.survey_workspace(arm.workspace) for arm in arms}
    neutral = read_neutral(options.neutral, options.field) if options.neutral else []
    validation = (
        [piece for arm in arms for piece in arms_of.read_validation_pieces(arm)] if options.validation else []
    )
    held_out = leave_out_items(
        neutral + _without_repeats(validation, neutral), [arm.workspace for arm in arms], say
    )
    if not held_out:
        raise UserError("no held-out text: the arms have no validation documents: name texts with --neutral")
    identity = fingerprint(
        [
            arms_of.VERSION,
            options.json(),
            [arm.describe() | {"survey": surveys[arm.name].identity} for arm in arms],
            [dataclasses.asdict(piece) for piece in held_out],
            storage.sha256(options.tokenizer) if options.tokenizer else None,
        ]
    )
    _claim(folder, identity, arms, options)
    notes = _describe_tokenizers(arms, surveys, options)
    encoder = _make_tokenizer(folder, arms, options)
    every = (
        [*arms, replace(arms[0], name=SHUFFLED_NAME, shuffle=SHUFFLED_SHARE)]
        if options.controls
        else list(arms)
    )
    paths = {arm.name: folder / "arms" / arm.name for arm in every}
    if not all((path / "arm.json").exists() for path in paths.values()):
        _write_arms(paths, every, arms, surveys, encoder, options, held_out, neutral)
    facts = {
        name: json.loads((path / "arm.json").read_text(encoding="utf-8")) for name, path in paths.items()
    }
    pieces, weights, more = choose_measure(held_out, [facts[arm.name] for arm in arms], options)
    for line in [*notes, *more]:
        say(line)
    return Experiment(
        folder=folder,
        options=options,
        arms=tuple(arms),
        facts=facts,
        pieces=tuple(pieces),
        weights=weights,
        notes=(*notes, *more),
    )


def _first_twice(names: Sequence[str]) -> str:
    return next(name for name in names if names.count(name) > 1)


def _without_repeats(pieces: Sequence[HeldOutPiece], known: Sequence[HeldOutPiece]) -> list[HeldOutPiece]:
    """Return the pieces whose text is not there yet: two arms may validate with the same documents."""
    texts = {piece.text for piece in known}
    unique = []
    for piece in pieces:
        if piece.text not in texts:
            texts.add(piece.text)
            unique.append(piece)
    return unique


def _claim(folder: Path, identity: str, arms: Sequence[Arm], options: CompareOptions) -> None:
    """Write experiment.json. Raises UserError if the folder holds another experiment."""
    path = folder / "experiment.json"
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8"))["identity"] != identity:
            raise UserError(f"{folder} holds an experiment on other arms or settings: use another --out")
        return
    if folder.exists() and any(path.name != WHAT_IF_FOLDER for path in folder.iterdir()):
        raise UserError(f"{folder} is not empty and holds no experiment: use another --out")
    content = {
        "identity": identity,
        "arms": [{**arm.describe(), "workspace": arm.workspace} for arm in arms],
        "options": options.json(),
    }
    storage.write_text(str(path), json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _describe_tokenizers(
    arms: Sequence[Arm], surveys: Mapping[str, ArmSurvey], options: CompareOptions
) -> list[str]:
    if len({survey.tokenizer for survey in surveys.values()} - {None}) < 2:
        return []
    common = options.tokenizer or f"one of {options.vocabulary:,} tokens trained on all of them alike"
    names = ", ".join(arm.name for arm in arms)
    return [f"{names} were built with different tokenizers: all are encoded with {common}"]


def _make_tokenizer(folder: Path, arms: Sequence[Arm], options: CompareOptions) -> Encoder:
    path = folder / "tokenizer" / "tokenizer.json"
    if not path.exists():
        if options.tokenizer is not None:
            content = storage.read_bytes(options.tokenizer)
        else:
            content = arms_of.train_common_tokenizer(arms, options.vocabulary)
        storage.write_bytes(str(path), content)
    return Encoder(path.read_bytes())


def _write_arms(
    paths: Mapping[str, Path],
    every: Sequence[Arm],
    arms: Sequence[Arm],
    surveys: Mapping[str, ArmSurvey],
    encoder: Encoder,
    options: CompareOptions,
    held_out: Sequence[HeldOutPiece],
    neutral: Sequence[HeldOutPiece],
) -> None:
    """Encode and write all arms. Memory: the tokens of all of them."""
    groups = frozenset().union(*(survey.held for survey in surveys.values()))
    known = {piece.text for piece in neutral}
    validation = [piece.text for piece in held_out if piece.text not in known]
    clearing = Clearing(known, validation)
    encoded: dict[str, EncodedDocuments] = {}
    weights: dict[str, dict[arms_of.Key, float]] = {}
    for arm in every:
        survey = surveys[arms[0].name if arm.name == SHUFFLED_NAME else arm.name]
        encoded[arm.name] = arms_of.encode_arm(arm, survey, encoder, groups, clearing, options.tokens)
        if not encoded[arm.name].streams:
            raise UserError(
                f"{arm.name}: nothing is left to train on without held-out text: name other --neutral texts"
            )
        weights[arm.name] = arms_of.weigh_languages(arm.mixture, encoded[arm.name].sizes(), options.tokens)
    names = [arm.name for arm in arms]
    plans = arms_of.match_epochs(
        [arms_of.sum_sources(encoded[name].sizes()) for name in names],
        [arms_of.sum_sources(weights[name]) for name in names],
        options.tokens,
        options.matching,
        options.target_tokens,
    )
    arms_of.check_epochs(names, plans, options.tokens, options.max_epochs)
    planned: dict[str, dict[str, SourcePlan]] = dict(zip(names, plans, strict=True))
    for arm in every:
        own = planned[arms[0].name if arm.name == SHUFFLED_NAME else arm.name]
        arms_of.write_arm(
            paths[arm.name],
            arm,
            encoded[arm.name],
            own,
            weights[arm.name],
            encoder,
            "../../../tokenizer/tokenizer.json",
        )


def choose_measure(
    held_out: Sequence[HeldOutPiece], facts: Sequence[Mapping[str, Any]], options: CompareOptions
) -> tuple[list[HeldOutPiece], dict[Cell, float], list[str]]:
    """Return the pieces that are measured, the weight of every cell, and what is to be said about languages.

    Languages are weighed by their share of what the arms draw on average; those below MIN_WEIGHT, and those that no arm
    draws, are not measured. Sources of one language count alike. Raises UserError if no drawn language has text.
    """
    shares: dict[str, float] = {}
    for fact in facts:
        for row in fact["languages"]:
            shares[row["language"]] = shares.get(row["language"], 0.0) + row["weight"] / len(facts)
    drawn = {language: share for language, share in shares.items() if share >= MIN_WEIGHT}
    pieces = choose_pieces([piece for piece in held_out if piece.language in drawn], options.held_out_bytes)
    cells = sorted({(piece.source, piece.language) for piece in pieces})
    if not cells:
        raise UserError(
            f"no held-out text in the languages of the arms ({', '.join(sorted(drawn))}): "
            "name texts in them with --neutral"
        )
    sources: dict[str, int] = {}
    for _, language in cells:
        sources[language] = sources.get(language, 0) + 1
    weights = {cell: drawn[cell[1]] / sources[cell[1]] for cell in cells}
    notes = []
    if unmeasured := sorted(drawn.keys() - sources.keys(), key=lambda language: -drawn[language]):
        share = sum(drawn[language] for language in unmeasured)
        notes.append(
            f"without held-out text, and so not measured: {', '.join(unmeasured)} ({share:.1%} of what is drawn): "
            "name texts in them with --neutral"
        )
    few = sorted({cell[1] for cell in cells if sum((p.source, p.language) == cell for p in pieces) < 5})
    if few:
        notes.append(
            f"fewer than five pieces of held-out text in {', '.join(few)}: their intervals will be wide"
        )
    return pieces, weights, notes


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What an experiment costs: `runs` that are left, of how many, and `hours` on `processes` at a time."""

    runs: int
    all_runs: int
    steps: int
    hours: float
    processes: int

    def sentence(self) -> str:
        done = (
            f" ({self.all_runs - self.runs} of {self.all_runs} are done)" if self.runs < self.all_runs else ""
        )
        return (
            f"{self.runs} runs{done}, {self.steps:,} steps in all: about {self.hours:.2g} hours on {self.processes} "
            f"process{'es' if self.processes > 1 else ''}, from steps that were timed on this machine"
        )


def measure_cost(experiment: Experiment, device: str, processes: int) -> Cost:
    """Time a few steps of every arm and size that has runs left. Raises UserError for an arm that diverges at once."""
    held_out = experiment.folder / HELD_OUT_FILE
    hashed = write_held_out(held_out, experiment.pieces)
    runs = experiment.runs()
    missing = write_plans(runs, held_out, hashed)
    waiting = {(run.size, run.name) for run in missing}
    seconds = {
        (probe.size, probe.name): probe_arm(probe, held_out, device)
        for probe in experiment.runs(probes=True)
        if (probe.size, probe.name) in waiting
    }
    steps = {run.size: experiment.steps(run.size) for run in runs}
    total = sum(seconds[run.size, run.name] * steps[run.size] for run in missing)
    bytes_measured = sum(len(piece.text.encode()) for piece in experiment.pieces)
    # A piece costs a third of training on it, and an evaluation is of about a token for every three bytes.
    total *= 1 + EVALUATIONS * bytes_measured / 3 / 3 / experiment.options.tokens
    return Cost(
        runs=len(missing),
        all_runs=len(runs),
        steps=sum(steps[run.size] for run in missing),
        hours=total / 3600 / processes,
        processes=processes,
    )


def train_all(
    experiment: Experiment,
    *,
    device: str,
    workers: int,
    per_gpu: int = 1,
    finished: Callable[[RunPlan], None] = lambda run: None,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Train what is not trained yet, the controls first, and return the result; it is written to EXP/result.json."""
    held_out = experiment.folder / HELD_OUT_FILE
    missing = write_plans(experiment.runs(), held_out, write_held_out(held_out, experiment.pieces))
    if experiment.options.controls:
        size, first = experiment.options.sizes[0], experiment.arms[0].name
        of_controls = [run for run in missing if run.size == size and run.name in (first, SHUFFLED_NAME)]
        train_runs(of_controls, device=device, workers=workers, per_gpu=per_gpu, finished=finished)
        for control in judge_controls(experiment).values():
            say(control["sentence"])
        done = {run.folder for run in of_controls}
        missing = [run for run in missing if run.folder not in done]
    train_runs(missing, device=device, workers=workers, per_gpu=per_gpu, finished=finished)
    result = judge(experiment)
    storage.write_text(
        str(experiment.folder / "result.json"), json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    )
    return result


def read_measured(experiment: Experiment, size: str, name: str, seeds: Sequence[int]) -> Measured:
    """Return what the runs of an arm measured, seed by seed. Raises RunError if one has no result."""
    rows = []
    for seed in seeds:
        result = read_result(experiment.run_of(size, name, seed))
        if result is None:
            raise RunError(
                f"{experiment.folder}: {name} of size {size} has no result for seed {seed}: run it again"
            )
        rows.append(result["nats"])
    return Measured(name=name, nats=np.array(rows, float), cells=experiment.cells)


def judge_controls(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Return the verdicts of both controls, each with `passed` and a sentence."""
    size, first = experiment.options.sizes[0], experiment.arms[0].name
    seeds = list(experiment_seeds(experiment))
    own = read_measured(experiment, size, first, seeds)
    other = read_measured(experiment, size, first, [seed + CONTROL_SEED for seed in seeds])
    damaged = read_measured(experiment, size, SHUFFLED_NAME, seeds)
    again = f"{first} with other seeds"
    same = compare_pair(own, replace(other, name=again), experiment.weights)
    seen = compare_pair(own, damaged, experiment.weights)
    outcomes = {
        "same": (same, not same.resolved, f"control, {first} against itself with other seeds"),
        "shuffled": (
            seen,
            seen.better == first,
            f"control, {first} against itself with {SHUFFLED_SHARE:.0%} of its words shuffled",
        ),
    }
    return {
        name: {
            **verdict.json(),
            "passed": passed,
            "sentence": f"{what}: {verdict.sentence()}: {_say_passed(passed)}",
        }
        for name, (verdict, passed, what) in outcomes.items()
    }


def _say_passed(passed: bool) -> str:
    return (
        "as it must be"
        if passed
        else "NOT as it must be: trust no verdict below, and give more --seeds or --tokens"
    )


def experiment_seeds(experiment: Experiment) -> Iterator[int]:
    return iter(range(experiment.options.seed, experiment.options.seed + experiment.options.seeds))


def judge(experiment: Experiment) -> dict[str, Any]:
    """Return the result of an experiment all of whose runs are done: the same bytes from the same runs."""
    seeds = list(experiment_seeds(experiment))
    sizes: dict[str, Any] = {}
    for size in experiment.options.sizes:
        measured = {arm.name: read_measured(experiment, size, arm.name, seeds) for arm in experiment.arms}
        sizes[size] = {
            "verdicts": [
                judge_pair(*pair, experiment.weights) for pair in combinations(measured.values(), 2)
            ],
            "bits": {name: _list_bits(arm, experiment) for name, arm in measured.items()},
            "runs": {name: _describe_runs(experiment, size, name, seeds) for name in measured},
        }
    return {
        "schema_version": RESULT_VERSION,
        "kind": "compare",
        "arms": [experiment.facts[arm.name] for arm in experiment.arms],
        "options": {**experiment.options.json(), "tokenizer": bool(experiment.options.tokenizer)},
        "notes": list(experiment.notes),
        "held_out": _describe_cells(experiment),
        "controls": judge_controls(experiment) if experiment.options.controls else {},
        "sizes": sizes,
    }


def judge_pair(first: Measured, second: Measured, weights: Mapping[Cell, float]) -> dict[str, Any]:
    """Return the verdicts of a pair in all, by language and by cell, the last two each to be read together."""
    languages = sorted({language for _, language in weights})
    rows = []
    for language in languages:
        own = {cell: weight for cell, weight in weights.items() if cell[1] == language}
        rows.append({"language": language, **compare_pair(first, second, own, among=len(languages)).json()})
    cells = [
        {
            "source": cell[0],
            "language": cell[1],
            **compare_pair(first, second, {cell: 1.0}, among=len(weights)).json(),
        }
        for cell in sorted(weights)
    ]
    return {**compare_pair(first, second, weights).json(), "languages": rows, "cells": cells}


def _list_bits(arm: Measured, experiment: Experiment) -> list[dict[str, Any]]:
    """Return bits per byte by cell: of every seed."""
    rows = []
    sizes = np.array([len(piece.text.encode("utf-8", "replace")) for piece in experiment.pieces])
    for cell in sorted(experiment.weights):
        here = np.array([own == cell for own in arm.cells])
        bits = arm.nats[:, here].sum(1) / np.log(2) / sizes[here].sum()
        rows.append({"source": cell[0], "language": cell[1], "bits_per_byte": bits.tolist()})
    return rows


def _describe_runs(
    experiment: Experiment, size: str, name: str, seeds: Sequence[int]
) -> list[dict[str, Any]]:
    rows = []
    for seed in seeds:
        result = read_result(experiment.run_of(size, name, seed)) or {}
        curve = [
            {"tokens": point["tokens"], "bits": weigh_point(point["cells"], experiment.weights)}
            for point in result["curve"]
        ]
        keys = ("parameters", "steps", "tokens", "step_tokens", "learning_rate")
        rows.append({"seed": seed, **{key: result[key] for key in keys}, "curve": curve})
    return rows


def weigh_point(cells: Sequence[Sequence[Any]], weights: Mapping[Cell, float]) -> float:
    """Return the weighted geometric mean of bits per byte over cells, whose ratios are what verdicts are about."""
    total = sum(weights.values())
    logs = {(source, language): np.log(bits) for source, language, bits in cells}
    return float(np.exp(sum(weight / total * logs[cell] for cell, weight in weights.items())))


def _describe_cells(experiment: Experiment) -> list[dict[str, Any]]:
    total = sum(experiment.weights.values())
    rows = []
    for cell, weight in sorted(experiment.weights.items()):
        texts = [piece.text for piece in experiment.pieces if (piece.source, piece.language) == cell]
        size = sum(len(text.encode("utf-8", "replace")) for text in texts)
        rows.append(
            {
                "source": cell[0],
                "language": cell[1],
                "weight": weight / total,
                "pieces": len(texts),
                "bytes": size,
            }
        )
    return rows


def default_mixture(root: str) -> Any:
    """Return the mixture that a workspace was built with."""
    from corpus.tokens.options import MixtureOptions

    raw = Workspace.open(root).tokens().get("mixture") or {}
    known = {
        name: value
        for name, value in raw.items()
        if name in MixtureOptions.model_fields and value is not None
    }
    return MixtureOptions.model_validate(known)
