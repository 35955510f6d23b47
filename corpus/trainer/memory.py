"""Estimate a run's memory before it starts, so that it fails with one line instead of swapping."""

from __future__ import annotations

from pathlib import Path

import torch

from corpus.errors import UserError
from corpus.trainer.config import ModelConfig, RunConfig
from corpus.trainer.device import estimate_speed, use_bf16
from corpus.trainer.loss import BLOCK_LOGITS

SLOW_STEP_SECONDS = 60.0


CUDA_LIBRARY_BYTES = 64 << 20
"""What cuBLAS and its like take on a GPU for workspaces (32 MiB on an H200) and torch for rounding."""


def estimate_bytes(config: RunConfig, *, processes: int, bf16: bool, device: str = "cuda") -> int:
    """Return the bytes that a process holds at most, on a `device` of that type (cuda, cpu).

    Weights, gradients and optimizer state; the copy of them that a checkpoint is written from; and, whichever is more,
    the arrays of a micro-batch's forward and backward pass with the loss, or those of the update. Counted by the arrays
    of model.py, loss.py and muon.py; docs/training.md has a table of this beside measurements.
    """
    model = config.model
    parameters, matrices = model.parameters(), model.depth * model.block_matrices()
    decayed = matrices if config.optimizer == "muon" else 0
    state = 4 * decayed + 8 * (parameters - decayed)
    kept = 8 * parameters + state
    copy = 4 * parameters + state
    size = 2 if bf16 else 4
    if config.shard:  # its part, and what is put together of the first and the last layer
        kept, copy = kept // processes + 8 * model.embedding_parameters(), 0
    tokens = min(config.micro_samples, config.batch_samples // processes) * model.context
    block = _compiled_block_bytes if config.compile else _block_bytes
    activations = tokens * (model.depth * block(model, bf16, device) + 4 * size * model.width)
    activations += _mask_bytes(config, tokens) if device == "cpu" else 0
    if bf16:
        activations += 2 * (matrices + model.vocabulary * model.width)  # the weights in the type of products
    passes = activations + max(  # what comes on top in the loss, its backward pass and that of a block
        _loss_bytes(model, tokens, size, device),
        8 * model.vocabulary * model.width,
        tokens * 5 * size * model.hidden,
    )
    update = (4 + 3 * size) * decayed
    return kept + copy + max(passes, update) + (CUDA_LIBRARY_BYTES if device == "cuda" else 0)


def _attention_widths(model: ModelConfig) -> tuple[int, int]:
    return model.heads * model.head_width, model.kv_heads * model.head_width


def _block_bytes(model: ModelConfig, bf16: bool, device: str) -> int:
    """Return the bytes of a token that a block keeps for its backward pass, run operation by operation."""
    q, k = _attention_widths(model)
    size = 2 if bf16 else 4
    attention = size * ((q + 2 * k) + (q + k) + 2 * q) + 4 * model.heads
    if device == "cpu":  # fused.py keeps what goes into a norm and a gate, and no intermediate
        return attention + size * (3 * model.hidden + 2 * model.width) + 8 * model.width
    norms = 2 * (4 + size) * model.width + (
        4 * (q + k) if bf16 else 0
    )  # in fp32, and rounded for the products
    return attention + norms + 4 * size * model.hidden


def _compiled_block_bytes(model: ModelConfig, bf16: bool, device: str) -> int:
    """Return the same for torch.compile, which keeps products and sums, and computes what lies between them again."""
    q, k = _attention_widths(model)
    size = 2 if bf16 else 4
    residual = 4 if device == "cpu" else size
    attention = size * ((q + 2 * k) + (q + k) + 2 * q) + 8 * model.heads
    return attention + size * (3 * model.hidden + 2 * model.width) + 2 * residual * model.width


def _loss_bytes(model: ModelConfig, tokens: int, size: int, device: str) -> int:
    """Return the bytes of the loss's blocks of logits, and of the output weight's gradient (loss.py)."""
    rows = max(1, BLOCK_LOGITS[device] // model.vocabulary)
    blocks = -(-tokens // rows)
    logits = -(-tokens // blocks) * model.vocabulary
    arrays = 2 if blocks == 1 else 3  # logits and their gradient, and that of the block before
    return arrays * size * logits + (4 + size) * model.vocabulary * model.width


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
    bf16 = use_bf16(device, config.precision)
    wanted = estimate_bytes(config, processes=processes, bf16=bf16, device=device.type)
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
