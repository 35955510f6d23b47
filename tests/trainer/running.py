"""Runs of a few steps, what they logged and saved, and a signal at a step."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from corpus.trainer import checkpoint, loop
from corpus.trainer.config import RunConfig

QUIET = Console(quiet=True)
VARYING = {"seconds", "speed", "torch", "threads"}


def train(config: RunConfig, run: Path) -> loop.TrainingResult:
    return loop.train(config, run, device="cpu", console=QUIET)


def log(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def steps(run: Path) -> list[dict[str, Any]]:
    """The log's steps, without what the clock says."""
    return [
        {k: v for k, v in entry.items() if k not in VARYING} for entry in log(run) if entry["kind"] == "step"
    ]


def saved(run: Path) -> checkpoint.Checkpoint:
    found = checkpoint.read_newest(run / "checkpoint", print)
    assert found is not None
    return found


def assert_same(a: Path, b: Path) -> None:
    """Losses, scores, parameters and optimizer of two runs, bit by bit."""
    one, two = saved(a), saved(b)
    assert one.step == two.step
    assert one.model.keys() == two.model.keys()
    assert all(torch.equal(value, two.model[name]) for name, value in one.model.items())
    assert one.training.keys() == two.training.keys()
    assert all(torch.equal(value, two.training[name]) for name, value in one.training.items())
    assert steps(a) == steps(b)
    assert [e["scores"] for e in log(a) if e["kind"] == "evaluate"] == [
        e["scores"] for e in log(b) if e["kind"] == "evaluate"
    ]


def stop_at(run: Path, step: int, number: int) -> threading.Thread:
    """Sends this process a signal once the log of `run` has reached `step`."""

    def wait() -> None:
        deadline = time.monotonic() + 30
        path = run / "log.jsonl"
        while time.monotonic() < deadline:
            if path.exists() and path.read_text(encoding="utf-8").count('"step", "step"') >= step:
                os.kill(os.getpid(), number)
                return
            time.sleep(0.001)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread
