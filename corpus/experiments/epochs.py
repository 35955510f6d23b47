"""How often the arms of an experiment read each source, so that none looks better for being repeated more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from corpus.errors import UserError
from corpus.experiments.arms import Key
from corpus.tokens.mixture import resolve_mixture
from corpus.tokens.options import MixtureOptions
from corpus.trainer.mixture import TrainingMixture, cap_weights

Matching = Literal["matched", "target", "own"]


@dataclass(frozen=True, kw_only=True)
class SourcePlan:
    """How an arm reads one source: tokens it has, the share of them that stays, weight, and epochs in the budget."""

    tokens: int
    kept: float
    weight: float
    epochs: float


def match_epochs(
    sizes: Sequence[Mapping[str, int]],
    weights: Sequence[Mapping[str, float]],
    tokens: int,
    matching: Matching,
    target: int | None,
) -> list[dict[str, SourcePlan]]:
    """Return for every arm how it reads its sources in a run of `tokens`.

    own      all text stays; a smaller arm repeats more.
    matched  a source in several arms is thinned in the larger ones until all read it as often as the one that repeats
             it most; arms that share no source are matched as wholes.
    target   every source is thinned to tokens / `target`, and so read as often as in a run of `target` tokens. A
             mixture that repeats a source less at small scale than at large makes that source look better than it
             is: its best weight was off by up to .75 (arXiv:2606.07597).
    """
    epochs = [
        {source: weight[source] * tokens / size for source, size in own.items()}
        for own, weight in zip(sizes, weights, strict=True)
    ]
    shared = {source for source in set().union(*sizes) if sum(source in own for own in sizes) > 1}
    wholes = [tokens / sum(own.values()) for own in sizes]
    plans = []
    for own, weight, read, whole in zip(sizes, weights, epochs, wholes, strict=True):
        plan = {}
        for source, size in own.items():
            kept = 1.0
            if matching == "target":
                kept = tokens / (target or tokens)
            elif matching == "matched" and not shared:
                kept = whole / max(wholes) if max(wholes) > 1 else 1.0
            elif matching == "matched" and source in shared:
                most = max(each[source] for each in epochs if source in each)
                kept = read[source] / most if most > 1 and read[source] else 1.0
            plan[source] = SourcePlan(
                tokens=size,
                kept=kept,
                weight=weight[source],
                epochs=read[source] / kept if read[source] else 0.0,
            )
        plans.append(plan)
    return plans


def weigh_languages(mixture: MixtureOptions, sizes: Mapping[Key, int], tokens: int) -> dict[Key, float]:
    """Return the weight of every source and language of an arm, before it is thinned."""
    known = MixtureOptions(weights=mixture.weights, epochs=mixture.epochs, temperature=mixture.temperature)
    weights = {(row.source, row.language): row.weight for row in resolve_mixture(known, sizes)}
    if isinstance(mixture, TrainingMixture) and mixture.max_epochs is not None:
        names = {f"{source}\0{language}": (source, language) for source, language in weights}
        most = {name: mixture.max_epochs * sizes[key] / tokens for name, key in names.items()}
        capped = cap_weights({name: weights[key] for name, key in names.items()}, most)
        weights = {names[name]: weight for name, weight in capped.items()}
    return weights


def sum_sources(values: Mapping[Key, float]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for (source, _), value in values.items():
        sums[source] = sums.get(source, 0) + value
    return sums


def check_epochs(
    names: Sequence[str], plans: Sequence[Mapping[str, SourcePlan]], tokens: int, most: float
) -> None:
    """Raise UserError if a source would be read more than `most` times, with the budget that would fit."""
    over = [
        (own.epochs, name, source)
        for name, plan in zip(names, plans, strict=True)
        for source, own in plan.items()
        if own.epochs > most
    ]
    if over:
        epochs, name, source = max(over)
        fits = int(tokens * most / epochs)
        raise UserError(
            f"{name}: {source} would be read {epochs:.1f} times in {tokens:,} tokens, and beyond {most:g} a run fits "
            f"repetition: give --tokens {fits} or less, or --max-epochs {int(np.ceil(epochs))}"
        )
