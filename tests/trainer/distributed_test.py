"""Several processes: the same data in the same steps, the same sums, one log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager
from torch.nn.parallel import DistributedDataParallel

from corpus.errors import UserError
from corpus.trainer import engine, loop, sharding
from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import open_dataset
from corpus.trainer.distributed import World, check_divides
from corpus.trainer.evaluate import evaluate, read_validation
from corpus.trainer.loader import Loader
from corpus.trainer.model import GPT, initialize_weights
from tests.trainer.running import QUIET, log, saved, steps
from tests.trainer.sentences import small_run

TRAIN = """
import json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from rich.console import Console
from corpus.trainer import distributed, loop
from corpus.trainer.config import RunConfig
from tests.trainer.distributed_test import first_steps, fresh_scores, share_kept
config = RunConfig.from_json(json.loads(sys.argv[1]))
world = distributed.join_world(torch.device("cpu"))
scores = fresh_scores(config, world)
kept = share_kept(config, world)
steps = first_steps(config, world)
if world.first:
    print(json.dumps([scores, kept, steps]))
loop.train(config, Path(sys.argv[2]), device="cpu", console=Console(stderr=True, width=100))
"""


def fresh_scores(config: RunConfig, world: World) -> list[float]:
    """Bits per byte of all validation documents, of a model that has learned nothing."""
    dataset = open_dataset(config.workspace)
    model = GPT(config.model)
    initialize_weights(model, 5)
    found = evaluate(
        model, read_validation(dataset, 0), end_of_text=dataset.end_of_text, samples=3, world=world
    )
    return [score.bits_per_byte for score in found]


def share_kept(config: RunConfig, world: World) -> float:
    """Of the parameters of a divided model, the share that this process keeps."""
    model = GPT(config.model)
    sharding.divide_model(model, torch.device("cpu"), world.size)
    parts = [parameter.to_local().numel() for parameter in model.parameters()]
    return sum(parts) / config.model.parameters()


def first_steps(config: RunConfig, world: World) -> dict[str, list[float]]:
    """Loss and gradient norm of the first two steps, not compiled and compiled, and of the latter the graphs.

    torch.compile traces and divides as always, but nothing is generated; DDP has a bucket for each matrix.
    """
    graphs: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        graphs.append(len(graph.graph.nodes))
        return aot_eager(graph, inputs)

    torch.distributed._DEFAULT_FIRST_BUCKET_BYTES = 1000  # type: ignore[attr-defined]
    loader = Loader(open_dataset(config.workspace), context=config.model.context, seed=config.seed)
    numbers: dict[str, list[float]] = {}
    with (
        mock.patch.object(engine, "DistributedDataParallel", SmallBuckets),
        mock.patch.object(torch, "compile", partial(torch.compile, backend=backend)),
    ):
        for name, compiled in (("eager", False), ("compiled", True)):
            made = engine.Engine(replace(config, compile=compiled), torch.device("cpu"), world)
            for step in range(2):
                samples = world.share(config.batch_samples)
                first = step * config.batch_samples
                batch = loader.read(first + samples.start, first + samples.stop)
                loss = made.backward(batch, config.step_tokens)
                numbers.setdefault(name, []).extend(made.read(loss, made.clip()))
                made.update(0.01)
    numbers["graphs"] = [float(nodes) for nodes in graphs]
    return numbers


class SmallBuckets(DistributedDataParallel):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, bucket_cap_mb=0.005, **options)


def torchrun(config: str, run: Path, script: Path) -> subprocess.CompletedProcess[str]:
    script.write_text(TRAIN)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*command, str(script), config, str(run)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_any_number_of_processes_reads_the_same_samples(workspace: Path, processes: int) -> None:
    dataset = open_dataset(str(workspace))
    expected = Loader(dataset, context=24, seed=3).read(40, 48)
    parts = []
    for rank in range(processes):
        share = World(rank=rank, size=processes).share(8)
        loader = Loader(dataset, context=24, seed=3)
        parts.append(loader.read(40 + share.start, 40 + share.stop))
    assert np.array_equal(np.concatenate([part.tokens for part in parts]), expected.tokens)
    assert np.array_equal(np.concatenate([part.lengths for part in parts]), expected.lengths)


def test_a_step_that_does_not_divide_is_refused() -> None:
    check_divides(8, 4)
    with pytest.raises(UserError, match="a step of 6 windows does not divide among 4 processes"):
        check_divides(6, 4)


@pytest.mark.parametrize("shard", [False, True], ids=["copies", "divided"])
def test_two_gloo_processes_train_the_run_that_one_trains(
    workspace: Path, tmp_path: Path, shard: bool
) -> None:
    """Three steps with one, three with two, the rest with one again, against one throughout: losses and scores differ
    by rounding alone."""
    config = small_run(workspace, steps=12, micro_tokens=24, evaluate_every=5)
    loop.train(config, tmp_path / "one", device="cpu", console=QUIET)
    stopped = [replace(config, steps=steps, warmup=0.36 / steps, decay=0.0, shard=shard) for steps in (3, 6)]
    loop.train(stopped[0], tmp_path / "two", device="cpu", console=QUIET)
    done = torchrun(json.dumps(stopped[1].json()), tmp_path / "two", tmp_path / "train.py")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("2 processes") == 1, "one of them speaks"
    scores, kept, first = json.loads(done.stdout)
    alone = first_steps(config, World())
    assert alone["compiled"] == pytest.approx(alone["eager"], rel=1e-5)
    assert first["eager"] == pytest.approx(alone["eager"], rel=1e-5)
    assert first["compiled"] == pytest.approx(alone["eager"], rel=1e-5)
    if shard:
        assert len(first["graphs"]) <= 4, "one block for all of them, the loss, the reduction of its logits"
    else:
        assert len(first["graphs"]) >= len(alone["graphs"]) + 4, "the model is divided at DDP's buckets"
    assert scores == pytest.approx(fresh_scores(config, World()), rel=1e-6)
    assert kept == pytest.approx(0.5, abs=0.01)
    assert [entry["step"] for entry in steps(tmp_path / "two")] == list(range(1, 7))
    ours = [entry["loss"] for entry in steps(tmp_path / "two")]
    assert ours == pytest.approx([entry["loss"] for entry in steps(tmp_path / "one")][:6], rel=1e-3)
    bits = [
        next(e for e in log(tmp_path / name) if e["kind"] == "evaluate" and e["step"] == 5)["bits_per_byte"]
        for name in ("one", "two")
    ]
    assert bits[0] == pytest.approx(bits[1], rel=1e-3)
    loop.train(config, tmp_path / "two", device="cpu", console=QUIET)
    assert saved(tmp_path / "two").step == 12
    rest = [entry["loss"] for entry in steps(tmp_path / "two")]
    assert rest == pytest.approx([entry["loss"] for entry in steps(tmp_path / "one")], rel=3e-3)
