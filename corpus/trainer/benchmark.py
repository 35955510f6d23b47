"""Measure the trainer's step on a device beside a plain one: speed, share of the peak, loader, memory.

Both sides train a model of the same depth, width, heads, vocabulary and context on the same windows, in the same
precision, both compiled or both not, one after the other. Random tokens cost what text costs.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import open_dataset
from corpus.trainer.device import peak_flops, use_bf16
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine
from corpus.trainer.loader import Loader, SampleBatch
from corpus.trainer.memory import estimate_bytes
from corpus.trainer.reference import PlainGPT, make_plain_step

WARM_UP_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class StepMeasurement:
    """What steps of one side took; seconds are medians of the timed steps, which follow WARM_UP_STEPS others."""

    name: str
    parameters: int
    tokens_per_second: float
    step_seconds: float
    fastest_seconds: float
    slowest_seconds: float
    first_step_seconds: float
    """With compilation, where it is on."""
    loader_share: float | None
    """Share of a step in which windows are read; None for a side that is given them."""
    mfu: float | None
    """Share of the device's peak in bf16; None in fp32 and where the peak is unknown."""
    memory_bytes: int | None
    """Most that the step held: on CUDA of the device's memory, else of the process beyond what it had before."""
    estimated_bytes: int | None
    """What the trainer says before it begins."""
    losses: tuple[float, float]
    """Of the first and the last step."""

    def json(self) -> dict[str, Any]:
        return asdict(self)


def measure_trainer(
    config: RunConfig, device: torch.device, steps: int, say: Callable[[str], None]
) -> StepMeasurement:
    """Measure `corpus train`'s step: reading, forward and backward pass, clipping, update."""
    dataset = open_dataset(config.workspace)
    loader = Loader(dataset, context=config.model.context, seed=config.seed, shares=config.shares)
    reading: list[float] = []
    before = _begin_memory(device)
    engine = Engine(config, device, World())

    def step(number: int) -> float:
        begin = time.perf_counter()
        size = config.batch_samples
        batch = loader.read(number * size, (number + 1) * size)
        targets = int(loader.count_targets(number * size, (number + 1) * size).sum())
        reading.append(time.perf_counter() - begin)
        loss, _ = engine.read(engine.backward(batch, targets), engine.clip())
        engine.update(config.learning_rate)
        return loss

    seconds, losses = _time_steps(step, device, steps, say)
    rates = [read / whole for read, whole in zip(reading, seconds, strict=True)][WARM_UP_STEPS:]
    estimated = estimate_bytes(config, processes=1, bf16=engine.bf16, device=engine.device.type)
    return _summarize(
        "corpus train", config, device, seconds, losses, bf16=engine.bf16, memory=_end_memory(device, before),
        loader_share=statistics.median(rates), estimated=estimated, parameters=config.model.parameters(),
        flops=config.model.flops_per_token(),
    )  # fmt: skip


def measure_plain(
    config: RunConfig, device: torch.device, steps: int, say: Callable[[str], None]
) -> StepMeasurement:
    """Measure the step of a plain GPT on windows of random tokens that lie on the device."""
    bf16 = use_bf16(device, config.precision)
    before = _begin_memory(device)
    torch.manual_seed(config.seed)
    model = PlainGPT(config.model).to(device)
    if config.compile:
        model.compile(dynamic=False)
    plain = make_plain_step(
        model, device, micro_samples=config.micro_samples, bf16=bf16, fused=device.type == "cuda" or None
    )
    shape = (config.batch_samples, config.model.context + 1)
    batches = [torch.randint(1, config.model.vocabulary, shape, device=device) for _ in range(4)]
    seconds, losses = _time_steps(lambda number: float(plain(batches[number % 4]).item()), device, steps, say)
    return _summarize(
        "plain PyTorch", config, device, seconds, losses, bf16=bf16, memory=_end_memory(device, before),
        loader_share=None, estimated=None, parameters=sum(p.numel() for p in model.parameters()),
        flops=model.flops_per_token(),
    )  # fmt: skip


def _time_steps(
    step: Callable[[int], float], device: torch.device, steps: int, say: Callable[[str], None]
) -> tuple[list[float], list[float]]:
    """Return the seconds and the loss of WARM_UP_STEPS + `steps` steps; each ends when the device has done it."""
    seconds, losses = [], []
    for number in range(WARM_UP_STEPS + steps):
        begin = time.perf_counter()
        losses.append(step(number))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - begin)
        say(f"step {number + 1} of {WARM_UP_STEPS + steps}: {seconds[-1]:.3f} s")
    return seconds, losses


def _summarize(
    name: str,
    config: RunConfig,
    device: torch.device,
    seconds: list[float],
    losses: list[float],
    *,
    bf16: bool,
    memory: int | None,
    loader_share: float | None,
    estimated: int | None,
    parameters: int,
    flops: int,
) -> StepMeasurement:
    timed = seconds[WARM_UP_STEPS:]
    middle = statistics.median(timed)
    speed = config.step_tokens / middle
    peak = peak_flops(device) if bf16 else None
    return StepMeasurement(
        name=name, parameters=parameters, tokens_per_second=speed, step_seconds=middle, fastest_seconds=min(timed),
        slowest_seconds=max(timed), first_step_seconds=seconds[0], loader_share=loader_share,
        mfu=speed * flops / peak if peak else None, memory_bytes=memory, estimated_bytes=estimated,
        losses=(losses[0], losses[-1]),
    )  # fmt: skip


def _begin_memory(device: torch.device) -> int | None:
    """Begin to count the most memory held; return what the process has already, None where that is not counted."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        return int(torch.cuda.memory_allocated(device))
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets VmHWM
    except OSError:
        return None
    return _read_status("VmRSS")


def _end_memory(device: torch.device, before: int | None) -> int | None:
    if before is None:
        return None
    most = int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else _read_status("VmHWM")
    return max(0, most - before)


def _read_status(key: str) -> int:
    """Return a figure of this process's memory in bytes, as Linux counts it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Return what figures depend on: the device's name, its peak, versions, threads."""
    gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if gpu else "cpu",
        "peak_flops": peak_flops(device),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if gpu else None,
        "threads": torch.get_num_threads(),
    }


def random_batch(config: RunConfig, seed: int) -> SampleBatch:
    """Return a step's samples of random tokens."""
    random, samples = np.random.default_rng(seed), config.batch_samples
    length = config.model.context + 1
    tokens = random.integers(1, config.model.vocabulary, (samples, length)).astype(np.uint32)
    return SampleBatch(tokens=tokens, lengths=np.full(samples, length), streams=np.zeros(samples, np.int64))
