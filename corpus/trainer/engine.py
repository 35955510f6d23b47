"""Compute a step's gradient and apply the update: the model, optimizers and device of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from corpus.trainer.config import RunConfig
from corpus.trainer.device import autocast, use_bf16
from corpus.trainer.distributed import World
from corpus.trainer.loader import SampleBatch
from corpus.trainer.model import GPT, initialize_weights
from corpus.trainer.optimizer import make_optimizers
from corpus.trainer.sharding import divide_model, gather_tensor


class Interrupted(Exception):
    """A step was abandoned half-way: nothing has changed."""


class Engine:
    """Model, optimizers and device of one process; `model` is the unwrapped one.

    With several processes, gradients are summed over them.
    """

    def __init__(self, config: RunConfig, device: torch.device, world: World) -> None:
        self.config, self.device, self.world = config, device, world
        self.bf16 = use_bf16(device, config.precision)
        torch.manual_seed(config.seed)
        self.model = GPT(config.model)
        initialize_weights(self.model, config.seed)
        self.sharded = config.shard and world.size > 1
        if self.sharded:
            divide_model(self.model, device, world.size)
        else:
            self.model.to(device)
        if config.compile:
            self.model.compile()
        self.optimizers = make_optimizers(self.model, config, bf16=self.bf16)
        self.parallel: nn.Module = self.model
        if world.size > 1 and not self.sharded:
            self.parallel = DistributedDataParallel(self.model, broadcast_buffers=False)

    def backward(self, batch: SampleBatch, targets: int, stop: Callable[[], bool] = lambda: False) -> float:
        """Return the mean nats over the step's `targets` and leave the gradient in the parameters.

        Computes one micro-batch after another; `batch` is this process's part. Raises Interrupted, without a
        gradient, if `stop()` is true.
        """
        loss = torch.zeros((), device=self.device)
        size = self.config.micro_samples
        for first in range(0, len(batch.tokens), size):
            if stop():
                self.zero()
                raise Interrupted
            part = slice(first, first + size)
            last = first + size >= len(batch.tokens)
            with self._together(last):
                nats = self._nats(batch, part) / targets
                (nats * self.world.size).backward()  # type: ignore[no-untyped-call]  # they take the mean
            loss += nats.detach()
        return self.world.total([loss.item()], self.device)[0]

    def _together(self, last: bool) -> contextlib.AbstractContextManager[None]:
        """Return a context that postpones the exchange of gradients to the last micro-batch of a step.

        A divided model exchanges them after each micro-batch, as no process has room for all of them.
        """
        if last or not isinstance(self.parallel, DistributedDataParallel):
            return contextlib.nullcontext()
        return self.parallel.no_sync()

    def _nats(self, batch: SampleBatch, part: slice) -> torch.Tensor:
        """Return the summed nats of some samples; only the shards' 16 bits a token are copied to the device."""
        tokens = torch.from_numpy(batch.tokens[part]).to(self.device).long()
        last = torch.from_numpy(batch.lengths[part] - 1).to(self.device)
        padding = torch.arange(self.config.model.context, device=self.device) >= last[:, None]
        with autocast(self.device, self.bf16):
            nats: torch.Tensor = self.parallel(
                tokens[:, :-1],
                tokens[:, 1:].masked_fill(padding, -1),
                z_loss=self.config.z_loss,
                end_of_text=self.config.end_of_text if self.config.mask_documents else None,
            )
        return nats

    def clip(self) -> float:
        """Clip the gradient to the configured norm; return the norm that it had."""
        return gather_tensor(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)).item()

    def update(self, rate: float) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.zero()

    def zero(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
