"""Connect the processes of a run: one, or as many as torchrun started."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

from corpus.errors import UserError


@dataclass(frozen=True, kw_only=True)
class World:
    """This process among `size` processes; the first one writes the run's files."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, samples: int) -> slice:
        """Return this process's part of a step's samples, which must divide evenly."""
        each = samples // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def total(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Return the sums of some numbers over all processes, the same in each, added in fp64."""
        if self.size == 1:
            return list(values)
        together = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(together)
        return [float(value) for value in together.tolist()]

    def add(self, value: torch.Tensor) -> torch.Tensor:
        """Return the sum of a number over all processes, on its device and without waiting for it."""
        if self.size > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def least(self, value: int, device: torch.device) -> int:
        """Return the smallest of the processes' numbers, in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], device=device)
        dist.all_reduce(shared, dist.ReduceOp.MIN)
        return int(shared.item())

    def broadcast_first(self, value: float, device: torch.device) -> float:
        """Return the first process's number, in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=device)
        dist.broadcast(shared, 0)
        return float(shared.item())

    def barrier(self) -> None:
        if self.size > 1:
            dist.barrier()


def join_world(device: torch.device) -> World:
    """Join the process group that torchrun describes in the environment: by NCCL on CUDA, by gloo on CPUs."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(minutes=10))
    return World(rank=dist.get_rank(), size=dist.get_world_size())


def leave_world() -> None:
    """Close the process group that `join_world` opened."""
    if dist.is_initialized():
        dist.destroy_process_group()


def check_divides(batch_samples: int, size: int) -> None:
    """Raise UserError if a step's windows do not divide evenly among the processes."""
    if batch_samples % size:
        raise UserError(
            f"a step of {batch_samples} windows does not divide among {size} processes: "
            "choose --batch-tokens as a multiple of processes times context"
        )
