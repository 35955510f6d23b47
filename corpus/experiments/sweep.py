"""The turn that a comparison and a ladder share: write what every run is, say what they cost, train what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpus import storage
from corpus.experiments.held_out import HeldOutPiece
from corpus.experiments.training_runs import (
    CURVE_EVERY,
    HELD_OUT_FILE,
    RunPlan,
    configure_run,
    probe_run,
    read_result,
    train_runs,
    write_held_out,
    write_plans,
)

BYTES_PER_TOKEN = 3
"""Of held-out text, for the forecast of what measuring it costs."""
MEASURED_SHARE = 1 / 3
"""What measuring a token costs of what training on it does: the forward pass of three."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where runs are trained: `workers` processes at a time (0: in this one), or `per_gpu` on each GPU of `device`."""

    device: str = "auto"
    workers: int = 1
    per_gpu: int = 1


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


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The runs of an experiment, each with its run.json; `missing` had no result when it was opened.

    `finished` hears of every run that ends, `say` of whatever is known before the last one does.
    """

    folder: Path
    runs: tuple[RunPlan, ...]
    missing: tuple[RunPlan, ...]
    held_out_bytes: int
    machine: Machine
    finished: Callable[[RunPlan], None]
    say: Callable[[str], None]

    def measure_cost(self) -> Cost:
        """Time a few steps of every arm and size that has runs left, in this process, by one thread.

        Raises UserError for an arm that diverges at once.
        """
        by_folder = {run.folder: run for run in self.runs}
        per_token: dict[tuple[str, str], float] = {}
        seconds, steps = 0.0, 0
        for run in self.missing:
            key = (run.size, run.arm)
            if key not in per_token:
                folder = self.folder / "probe" / run.size / Path(run.arm).name
                probe = replace(run, folder=str(folder), branch=None)
                per_token[key] = probe_run(probe, self.machine.device) / configure_run(probe).step_tokens
            config = configure_run(by_folder[run.trunk] if run.trunk else run)
            own = int(run.settings.get("steps") or config.steps or 0) - run.begin
            on_the_way = max(0, own // config.evaluate_every - 1) if config.evaluate_every else 0
            measured = (1 + on_the_way / CURVE_EVERY) * self.held_out_bytes / BYTES_PER_TOKEN * MEASURED_SHARE
            seconds += (own * config.step_tokens + measured) * per_token[key]
            steps += own
        processes = max(1, self.machine.workers)
        return Cost(
            runs=len(self.missing),
            all_runs=len(self.runs),
            steps=steps,
            hours=seconds / 3600 / processes,
            processes=processes,
        )

    def train(self, runs: Sequence[RunPlan]) -> None:
        """Train those of `runs` that have no result."""
        machine = self.machine
        waiting = [run for run in runs if run in self.missing and read_result(run) is None]
        train_runs(
            waiting,
            device=machine.device,
            workers=machine.workers,
            per_gpu=machine.per_gpu,
            finished=self.finished,
        )

    def write_result(self, result: dict[str, Any]) -> dict[str, Any]:
        """Write result.json and return what it holds."""
        content = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        storage.write_text(str(self.folder / "result.json"), content)
        return result


def open_sweep(
    folder: Path,
    runs: Sequence[RunPlan],
    pieces: Sequence[HeldOutPiece],
    machine: Machine,
    finished: Callable[[RunPlan], None] = lambda run: None,
    say: Callable[[str], None] = lambda line: None,
) -> Sweep:
    """Write the held-out text and run.json of every run. A result of another plan is discarded."""
    held_out = folder / HELD_OUT_FILE
    missing = write_plans(runs, held_out, write_held_out(held_out, pieces))
    return Sweep(
        folder=folder,
        runs=tuple(runs),
        missing=tuple(missing),
        held_out_bytes=sum(len(piece.text.encode("utf-8", "replace")) for piece in pieces),
        machine=machine,
        finished=finished,
        say=say,
    )
