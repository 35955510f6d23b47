"""Choose what is left to the machine, once, when a run begins on a device: micro-batch, compilation, attention.

A run's config.json holds what was chosen, and a resumed run uses it whatever memory is free then: a micro-batch of
another size would add the same numbers in another order. On a CPU nothing here has a choice to make.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable

import torch
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from corpus.trainer.attention import KERNELS
from corpus.trainer.config import RunConfig
from corpus.trainer.device import estimate_speed, use_bf16
from corpus.trainer.distributed import World
from corpus.trainer.memory import estimate_bytes, read_free_bytes

TUNED_DEVICES = {"cuda"}
COMPILING_PAYS_SECONDS = 240.0
"""On an H200 compiling 124M parameters takes 45 s and saves two fifths of every step after it."""
MEMORY_SHARE = 0.8
"""Share of the free memory that a step may fill: the allocator rounds up, and a compiled step keeps workspaces."""
MAX_MICRO_TOKENS = 65_536
"""At 124M parameters on an H200, 16,384 tokens keep the device waiting and 65,536 do not; more was not measured."""
ATTENTION_TOKENS = 16_384
ATTENTION_ROUNDS = 5


def tune_run(
    config: RunConfig, device: torch.device, world: World, free: int | None = None
) -> tuple[RunConfig, str | None]:
    """Return the configuration with everything decided, and a line that says what was; None if nothing was to be.

    `free` is the device's free memory in bytes, by default as the system says. Every process calls this, and all
    decide the same: by the smallest memory, and the kernel that the first one finds fastest.
    """
    undecided = set(config.undecided)
    if device.type not in TUNED_DEVICES:
        return dataclasses.replace(config, undecided=()), None
    if "compile" in undecided:
        config = dataclasses.replace(config, compile=_does_compiling_pay(config, device, world.size))
    if "micro_samples" in undecided:
        free = read_free_bytes(device) if free is None else free
        chosen = choose_micro_samples(config, world.size, free, bf16=use_bf16(device, config.precision))
        config = dataclasses.replace(config, micro_samples=world.least(chosen, device))
    if "attention" in undecided and not config.mask_documents:
        names = list(KERNELS)
        fastest = find_fastest_kernel(time_kernels(config, device))
        number = world.broadcast_first(names.index(fastest) if fastest else -1, device)
        config = dataclasses.replace(config, attention=names[int(number)] if number >= 0 else None)
    return dataclasses.replace(config, undecided=()), _describe_choice(config) if undecided else None


def _describe_choice(config: RunConfig) -> str:
    return (
        f"micro-batches of {config.micro_samples * config.model.context:,} tokens, "
        f"attention by {config.attention or 'the kernel that torch chooses'}, "
        + (
            "compiled, so the first step takes a minute: --no-compile"
            if config.compile
            else "not compiled: --compile"
        )
    )


def choose_micro_samples(config: RunConfig, processes: int, free: int | None, *, bf16: bool) -> int:
    """Return the windows of a micro-batch: the fewest equal parts of a step that fit, at most MAX_MICRO_TOKENS.

    One window if not even that fits: `memory.check_memory` refuses it, with figures.
    """
    share = max(1, config.batch_samples // processes)
    most = max(1, MAX_MICRO_TOKENS // config.model.context)
    for parts in range(-(-share // most), share + 1):
        samples = -(-share // parts)
        wanted = estimate_bytes(
            dataclasses.replace(config, micro_samples=samples), processes=processes, bf16=bf16
        )
        if share % parts == 0 and (free is None or wanted <= MEMORY_SHARE * free):
            return samples
    return 1


def _does_compiling_pay(config: RunConfig, device: torch.device, processes: int) -> bool:
    """Return whether the run is long enough, and torch.compile has what it needs: triton and a C compiler.

    Not with a document mask, of which only FlexAttention's kernel is compiled.
    """
    if config.mask_documents or not _can_compile():
        return False
    if config.cuda_graphs:
        return True
    if config.steps is None:
        return 60 * (config.minutes or 0) >= COMPILING_PAYS_SECONDS
    flops = config.steps * config.step_tokens * config.model.flops_per_token()
    return flops / (estimate_speed(device) * processes) >= COMPILING_PAYS_SECONDS


def _can_compile() -> bool:
    from torch.utils._triton import has_triton

    compiler = os.environ.get("CC") or "gcc"
    return bool(has_triton()) and any(shutil.which(name) for name in (compiler, "clang", "cc"))


def time_kernels(config: RunConfig, device: torch.device) -> dict[str, float]:
    """Return the seconds of a forward and backward pass of attention by each kernel that takes the run's shape."""
    model = config.model
    samples = max(1, min(config.micro_samples, ATTENTION_TOKENS // model.context))
    dtype = torch.bfloat16 if use_bf16(device, config.precision) else torch.float32
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        q, k, v = (
            torch.randn(
                samples, heads, model.context, model.head_width,
                device=device, dtype=dtype, requires_grad=True,
            )
            for heads in (model.heads, model.kv_heads, model.kv_heads)
        )  # fmt: skip
    grouped = model.heads != model.kv_heads

    def attend() -> None:
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
        torch.autograd.grad(out.sum(), (q, k, v))

    seconds: dict[str, float] = {}
    for name, kernel in KERNELS.items():
        with sdpa_kernel(kernel):
            taken = _time(attend, device)
        if taken is not None:
            seconds[name] = taken
    return seconds


def _time(work: Callable[[], None], device: torch.device) -> float | None:
    """Return the seconds that `work` takes, the fastest of a few rounds; None if torch refuses it."""
    best: float | None = None
    for _ in range(ATTENTION_ROUNDS):
        _wait(device)
        begin = time.perf_counter()
        try:
            work()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # torch's way to say that the device, the version or the shape lacks this kernel
            return None
        _wait(device)
        seconds = time.perf_counter() - begin
        best = seconds if best is None else min(best, seconds)
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def find_fastest_kernel(seconds: dict[str, float]) -> str | None:
    """Return the name of the fastest kernel; None if there is none, so that torch chooses."""
    return min(seconds, key=lambda name: seconds[name], default=None)
