"""Estimate a run's memory before it starts, so that it fails with one line instead of swapping."""

from __future__ import annotations

from pathlib import Path

import torch

from corpus.errors import UserError
from corpus.trainer.config import ModelConfig, RunConfig
from corpus.trainer.device import estimate_speed, use_bf16

SLOW_STEP_SECONDS = 60.0


def estimate_bytes(config: RunConfig, *, processes: int, bf16: bool) -> int:
    """Return the bytes of a process: weights, gradients, optimizer, the copy for checkpoints, and activations.

    The activations of a micro-batch are counted by the arrays of model.py that its backward pass needs.
    """
    model = config.model
    weights = model.parameters() * (4 + 4 + 8 + 12)
    if config.shard:  # its part, and what is put together of the first and the last layer
        weights = weights // processes + 8 * model.embedding_parameters()
    tokens = min(config.micro_samples, config.batch_samples // processes) * model.context
    heads = model.heads * model.head_width
    return (
        weights
        + tokens * model.depth * _block_bytes_per_token(model, heads, bf16)
        + _mask_bytes(config, tokens)
    )


def _block_bytes_per_token(model: ModelConfig, heads: int, bf16: bool) -> int:
    """Return the bytes that a block keeps for each token."""
    size = 2 if bf16 else 4
    groups = heads * (model.heads + 2 * model.kv_heads) // model.heads
    return 4 * 4 * model.width + size * (2 * model.width + 4 * groups + 2 * heads + 4 * model.hidden)


def _mask_bytes(config: RunConfig, tokens: int) -> int:
    """Return the bytes of the document mask on a CPU: an array over pairs of positions, as booleans and as numbers."""
    return tokens * config.model.context * 5 if config.mask_documents else 0


def read_free_bytes(device: torch.device) -> int | None:
    """Return the free bytes of a device, None if the system does not report them."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    limits: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        limits += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        return None
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and used.exists() and (text := limit.read_text().strip()) != "max":
        limits.append(int(text) - int(used.read_text()))
    return min(limits, default=None)


def check_memory(config: RunConfig, device: torch.device, processes: int) -> None:
    """Raise UserError if a step does not fit into the free memory."""
    wanted = estimate_bytes(config, processes=processes, bf16=use_bf16(device, config.precision))
    on_this_machine = 1 if device.type == "cuda" else processes
    free = read_free_bytes(device)
    if free is not None and wanted * on_this_machine > free:
        raise UserError(
            f"a step needs about {wanted * on_this_machine / 1e9:,.1f} GB of memory, {free / 1e9:,.1f} GB are free: "
            f"use a smaller --micro-tokens than {config.micro_samples * config.model.context:,}, "
            f"a smaller --context than {config.model.context:,}, or a smaller --size"
        )


def warn_slow_step(config: RunConfig, device: torch.device) -> str | None:
    """Return a warning if one step will take minutes on a CPU, else None."""
    if device.type != "cpu":
        return None
    flops = config.step_tokens * config.model.flops_per_token()
    seconds = flops / estimate_speed(device)
    if seconds < SLOW_STEP_SECONDS:
        return None
    return (
        f"a step takes {flops / 1e12:,.1f} TFLOP, about {seconds / 60:,.0f} minutes on this CPU: "
        "a smaller --batch-tokens, --context or --size is faster"
    )
