"""Judge the finished runs of a comparison: controls, verdicts by pair, language and source, bits per byte."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from corpus.errors import RunError
from corpus.experiments.comparison import CONTROL_SEED, SHUFFLED_NAME, SHUFFLED_SHARE, Experiment
from corpus.experiments.paired import Cell, Measured, compare_pair
from corpus.experiments.training_runs import read_result

RESULT_VERSION = 1


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
    seeds = list(experiment.seeds)
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
        else "NOT as it must be: trust no verdict below, and give more --tokens, --seeds or --held-out-bytes"
    )


def judge(experiment: Experiment) -> dict[str, Any]:
    """Return the result of an experiment all of whose runs are done: the same bytes from the same runs."""
    seeds = list(experiment.seeds)
    sizes: dict[str, Any] = {}
    for size in experiment.options.sizes:
        measured = {arm.name: read_measured(experiment, size, arm.name, seeds) for arm in experiment.arms}
        sizes[size] = {
            "verdicts": [
                judge_pair(*pair, weigh_pair(experiment, *(arm.name for arm in pair)), experiment)
                for pair in combinations(measured.values(), 2)
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


def weigh_pair(experiment: Experiment, first: str, second: str) -> dict[Cell, float]:
    """Return the weights of the measured cells for two arms: without validation documents of the others, of which there
    may be more on one side's kind. Languages keep their weights as long as a source is left."""
    others = tuple(arm.held_out_prefix for arm in experiment.arms if arm.name not in (first, second))
    kept = [cell for cell in experiment.weights if not cell[0].startswith(others)]
    totals: dict[str, float] = defaultdict(float)
    for (_, language), weight in experiment.weights.items():
        totals[language] += weight
    sources = Counter(language for _, language in kept)
    return {cell: totals[cell[1]] / sources[cell[1]] for cell in kept}


def judge_pair(
    first: Measured, second: Measured, weights: Mapping[Cell, float], experiment: Experiment
) -> dict[str, Any]:
    """Return the verdicts of a pair in all, on neutral text alone where validation documents are measured, too, by
    language and by cell, the last two each to be read together."""
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
    verdict = compare_pair(first, second, weights).json()
    arms = tuple(arm.held_out_prefix for arm in experiment.arms)
    neutral = {cell: weight for cell, weight in weights.items() if not cell[0].startswith(arms)}
    if 0 < len(neutral) < len(weights):
        verdict["neutral"] = compare_pair(first, second, neutral).json()
        verdict["sentence"] += f"; on neutral text alone: {verdict['neutral']['sentence']}"
    return {**verdict, "languages": rows, "cells": cells}


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
