"""Train the runs of an experiment, each in a folder with one result file, and go on where an earlier start was killed.

    RUN/run.json      what the run is: arm, model, budget, seed; written before it starts
    RUN/result.json   what it measured: the nats of every held-out piece, the curve; written last, whole or not at all
    RUN/log.jsonl     as of `corpus train`; checkpoints are removed when there is a result, unless they are asked for

A run with a result is not trained again; one without goes on from its checkpoint. Nothing in a result depends on the
clock. Runs are processes of one thread each, as many at a time as there are cores, or GPUs times `per_gpu`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus import storage
from corpus.child_process import python_command
from corpus.errors import RunError, UserError
from corpus.experiments.held_out import HeldOutPiece
from corpus.storage.fingerprint import fingerprint

if TYPE_CHECKING:
    from corpus.trainer.config import RunConfig
    from corpus.trainer.evaluate import EvaluationGroup, Score

EVALUATIONS = 5
"""Points of a run's curve on held-out text, the end included."""
CURVE_EVERY = 5
"""A curve is measured on every fifth piece of each source and language: all pieces are, once, when a run ends."""
PROBE_STEPS = 10
"""Steps of an arm that are timed before hours are spent."""
DIVERGED_RISE = 1.2
"""A probe whose loss rises by this factor has diverged, and a run whose bits per byte rise so from their lowest."""
POLL_SECONDS = 0.2
HELD_OUT_FILE = "held-out.jsonl"


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """One run: `folder` holds its files, `arm` its shards; `settings` are options of `corpus train`."""

    folder: str
    arm: str
    name: str
    size: str
    seed: int
    settings: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    """Whether its checkpoints stay."""
    branch: str | None = None
    """RUN@STEP: the checkpoint of a trunk that it goes on from."""

    @property
    def trunk(self) -> str | None:
        """The folder of the run that it goes on from."""
        return self.branch.rpartition("@")[0] if self.branch else None

    @property
    def begin(self) -> int:
        """The step that it begins at."""
        return int(self.branch.rpartition("@")[2]) if self.branch else 0

    def identity(self, shards: str, held_out: str) -> dict[str, Any]:
        """Return what its result depends on, by content: the paths of files have no part in it."""
        branch = self.branch.rpartition("@")[2] if self.branch else None
        plain = {"size": self.size, "seed": self.seed, "settings": self.settings, "branch": branch}
        return {**plain, "shards": shards, "held_out": held_out, "curve_every": CURVE_EVERY}


def write_held_out(path: Path, pieces: Sequence[HeldOutPiece]) -> str:
    """Write the pieces that every run is measured on; return the fingerprint of the file."""
    lines = [json.dumps(asdict(piece), ensure_ascii=False) for piece in pieces]
    storage.write_text(str(path), "".join(f"{line}\n" for line in lines))
    return fingerprint(lines)


def read_held_out(path: Path) -> list[HeldOutPiece]:
    with path.open(encoding="utf-8") as stream:
        return [HeldOutPiece(**json.loads(line)) for line in stream]


def read_result(run: RunPlan) -> dict[str, Any] | None:
    """Return the result of a finished run, None if it has none."""
    with suppress(FileNotFoundError):
        result: dict[str, Any] = json.loads(Path(run.folder, "result.json").read_text(encoding="utf-8"))
        return result
    return None


def train_run(folder: Path, device: str = "auto", *, threads: int = 1) -> dict[str, Any]:
    """Train the run that `folder`/run.json describes, measure it, and write and return its result.

    Raises UserError and RunError as `corpus.trainer.loop.train`, RunError for a run that diverges, and Interrupted
    status by SystemExit if a signal stopped it.
    """
    import torch
    from rich.console import Console

    from corpus.trainer import loop
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.start import configure_branch, configure_resumed_run

    plan = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    run = RunPlan(**plan["run"])
    torch.set_num_threads(threads)
    dataset = open_dataset(run.arm)
    pieces = read_held_out(Path(plan["held_out"]))
    groups = encode_pieces(pieces, dataset.tokenizer)
    sample = sample_pieces(pieces)
    if (folder / "config.json").exists():
        config = configure_resumed_run(folder, run.arm, {})
    elif run.branch is not None:
        config = configure_branch(run.branch, run.arm, dict(run.settings))
    else:
        config = configure_run(run)
    trained = loop.train(
        config,
        folder,
        device=device,
        console=Console(quiet=True),
        texts=groups,
        texts_on_the_way=[groups[number] for number in sample],
    )
    if trained.stopped:
        raise SystemExit(130 if trained.stopped == "SIGINT" else 143)
    last = describe_point(trained.tokens, [trained.scores[number] for number in sample])
    curve = [*read_curve(folder, before=trained.step), last]
    lowest = min(point["bits"] for point in curve)
    if last["bits"] > DIVERGED_RISE * lowest:
        raise RunError(
            f"{run.name}, seed {run.seed}: diverged: {last['bits']:.2f} bits per byte after {lowest:.2f}: "
            f"give a lower --lr than {config.learning_rate:g}"
        )
    result = {
        "identity": plan["identity"],
        "parameters": config.model.parameters(),
        "block_parameters": config.model.block_parameters(),
        "flops": config.model.flops_per_token() * trained.tokens,
        "learning_rate": config.learning_rate,
        "step_tokens": config.step_tokens,
        "steps": trained.step,
        "tokens": trained.tokens,
        "nats": [score.nats for score in trained.scores],
        "cells": describe_point(trained.tokens, trained.scores)["cells"],
        "curve": curve,
    }
    storage.write_text(str(folder / "result.json"), json.dumps(result, indent=None) + "\n")
    if not run.keep:
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return result


def encode_pieces(pieces: Sequence[HeldOutPiece], tokenizer: Path) -> list[EvaluationGroup]:
    """Return held-out pieces as groups for the trainer, one each."""
    from corpus.tokens.encode import load_encoder
    from corpus.trainer.evaluate import EvaluationDocument, EvaluationGroup

    encoder = load_encoder(str(tokenizer))
    groups = []
    for piece in pieces:
        tokens = encoder.encode(piece.text).astype(np.int64)
        size = len(piece.text.encode("utf-8", "replace"))
        document = EvaluationDocument(tokens=tokens, bytes=size, language=piece.language)
        groups.append(
            EvaluationGroup(
                source=piece.source, language=piece.language, documents=(document,), all_bytes=size
            )
        )
    return groups


def sample_pieces(pieces: Sequence[HeldOutPiece]) -> list[int]:
    """Return the numbers of the pieces that curves are measured on: the first of every source and language, and on."""
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for number, piece in enumerate(pieces):
        cell = (piece.source, piece.language)
        if seen[cell] % CURVE_EVERY == 0:
            chosen.append(number)
        seen[cell] += 1
    return chosen


def describe_point(tokens: int, scores: Sequence[Score]) -> dict[str, Any]:
    """Return a point of a curve: tokens, bits per byte over all scores, and of each source and language."""
    from corpus.trainer.evaluate import bits_per_byte, sum_scores

    cells = [[score.source, score.language, score.bits_per_byte] for score in sum_scores(scores)]
    return {"tokens": tokens, "bits": bits_per_byte(scores), "cells": cells}


def read_curve(folder: Path, *, before: int) -> list[dict[str, Any]]:
    """Return the evaluations in a run's log of the steps before `before`, as `describe_point` does."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    step_tokens = config["batch_samples"] * config["model"]["context"]
    points: dict[int, dict[str, Any]] = {}
    for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["kind"] == "evaluate" and entry["step"] < before:
            points[entry["step"]] = {
                "tokens": entry["step"] * step_tokens,
                "bits": entry["bits_per_byte"],
                "cells": [[s["source"], s["language"], s["bits_per_byte"]] for s in entry["scores"]],
            }
    return [points[step] for step in sorted(points)]


def configure_run(run: RunPlan) -> RunConfig:
    """Return the configuration of a run that is no branch."""
    from corpus.trainer.dataset import open_dataset
    from corpus.trainer.start import configure_new_run

    options = {"size": run.size, "seed": run.seed, **run.settings}
    return configure_new_run(open_dataset(run.arm), run.arm, options)


def probe_run(run: RunPlan, device: str, *, threads: int = 1) -> float:
    """Train PROBE_STEPS steps of a run in a folder of their own; return the seconds that a step takes.

    Raises UserError if the loss rises or is no number: the arm would diverge.
    """
    import torch
    from rich.console import Console

    from corpus.trainer import loop

    torch.set_num_threads(threads)
    folder = Path(run.folder)
    shutil.rmtree(folder, ignore_errors=True)
    config = configure_run(run)
    short = replace(config, steps=min(PROBE_STEPS, config.steps or PROBE_STEPS), evaluate_every=0)
    advice = f"give a lower --lr than {config.learning_rate:g}"
    try:
        loop.train(short, folder, device=device, console=Console(quiet=True), texts=())
    except RunError as error:
        raise UserError(f"{run.name} diverges within {PROBE_STEPS} steps ({error}): {advice}") from None
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [entry for entry in entries if entry["kind"] in ("step", "skip")]
    if steps[-1]["loss"] > DIVERGED_RISE * steps[0]["loss"]:
        raise UserError(
            f"{run.name} diverges: its loss rises from {steps[0]['loss']:.2f} to {steps[-1]['loss']:.2f} nats a token "
            f"in {len(steps)} steps: {advice}"
        )
    shutil.rmtree(folder, ignore_errors=True)
    return float(np.median([entry["seconds"] for entry in steps[len(steps) // 3 :]]))


def write_plans(runs: Sequence[RunPlan], held_out: Path, held_out_hash: str) -> list[RunPlan]:
    """Write run.json of every run; return those without a result. A result of another plan is discarded."""
    missing = []
    for run in runs:
        shards = json.loads(Path(run.arm, "arm.json").read_text(encoding="utf-8"))["fingerprint"]
        identity = fingerprint(run.identity(shards, held_out_hash))
        folder = Path(run.folder)
        content = {"identity": identity, "held_out": str(held_out.resolve()), "run": asdict(run)}
        before = folder / "run.json"
        if before.exists() and json.loads(before.read_text(encoding="utf-8"))["identity"] != identity:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        storage.write_text(str(before), json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        if read_result(run) is None:
            missing.append(run)
    return missing


def train_runs(
    runs: Sequence[RunPlan],
    *,
    device: str = "auto",
    workers: int = 1,
    per_gpu: int = 1,
    finished: Callable[[RunPlan], None] = lambda run: None,
) -> None:
    """Train runs, `workers` processes at a time; 0: one after the other in this process.

    On GPUs a process sees one of them. Stops the others and raises RunError when one fails.
    """
    if workers == 0:
        for run in runs:
            train_run(Path(run.folder), device)
            finished(run)
        return
    gpus = list_gpus(device)
    waiting = list(runs)
    running: dict[int, tuple[subprocess.Popen[str], RunPlan]] = {}
    slots = len(gpus) * per_gpu if gpus else workers
    try:
        while waiting or running:
            for slot in range(slots):
                if slot not in running and waiting:
                    run = waiting.pop(0)
                    gpu = gpus[slot % len(gpus)] if gpus else None
                    running[slot] = (_start_run(run, device, gpu), run)
            time.sleep(POLL_SECONDS)
            for slot, (process, run) in list(running.items()):
                if process.poll() is None:
                    continue
                _, errors = process.communicate()
                del running[slot]
                if process.returncode:
                    lines = errors.strip().splitlines() or [f"ended with status {process.returncode}"]
                    raise RunError(f"{run.name}, seed {run.seed}: {lines[-1]} (in {run.folder})")
                finished(run)
    finally:
        for process, _ in running.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in running.values():
            process.communicate()


def list_gpus(device: str) -> list[str]:
    """Return the GPUs that runs are dealt to; none if they compute on the CPU."""
    if device == "cpu":
        return []
    if device.startswith("cuda:"):
        return [device.removeprefix("cuda:")]
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not torch.cuda.is_available():
        return []
    return visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]


def _start_run(run: RunPlan, device: str, gpu: str | None) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = gpu
        device = "cuda"
    command = python_command("corpus.experiments.one_run", run.folder, device, str(os.getpid()))
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
