"""What a comparison is: its options, its arms, and the runs that it takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpus.errors import UserError
from corpus.experiments.arms import Arm
from corpus.experiments.epochs import Matching
from corpus.experiments.held_out import HeldOutPiece
from corpus.experiments.paired import Cell
from corpus.experiments.training_runs import EVALUATIONS, RunPlan, configure_run
from corpus.trainer.config import find_size

SHUFFLED_SHARE = 0.3
"""Share of words that change places in the control that must be seen."""
SHUFFLED_NAME = "shuffled"
CONTROL_SEED = 1000
"""Distance between the seeds of an arm and those of itself as its control."""
MAX_EPOCHS = 4.0
"""Readings of a text beyond which a run measures repetition (arXiv:2305.16264)."""

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

    @property
    def seeds(self) -> range:
        return range(self.options.seed, self.options.seed + self.options.seeds)

    def runs(self) -> list[RunPlan]:
        """Return all runs, the controls' first."""
        plans = []
        first = self.arms[0].name
        for rank, size in enumerate(self.options.sizes):
            names = [arm.name for arm in self.arms]
            if self.options.controls and rank == 0:
                plans += self.control_runs()
                names.remove(first)
            plans += [self.run_of(size, name, seed) for seed in self.seeds for name in names]
        return plans

    def control_runs(self) -> list[RunPlan]:
        """Return the runs of the first arm, of itself with other seeds, and of itself shuffled, at the first size."""
        size, first = self.options.sizes[0], self.arms[0].name
        again = [self.run_of(size, first, seed + CONTROL_SEED) for seed in self.seeds]
        shuffled = [self.run_of(size, SHUFFLED_NAME, seed) for seed in self.seeds]
        return [*(self.run_of(size, first, seed) for seed in self.seeds), *again, *shuffled]

    def run_of(self, size: str, name: str, seed: int) -> RunPlan:
        plain = RunPlan(
            folder=str(self.folder / "runs" / size / name / f"seed-{seed}"),
            arm=str(self.folder / "arms" / name),
            name=name,
            size=size,
            seed=seed,
            settings={**dict(self.options.settings), "tokens": self.options.tokens},
        )
        every = max(1, -(-(configure_run(plain).steps or 1) // EVALUATIONS))
        return replace(plain, settings={**plain.settings, "evaluate_every": every})
