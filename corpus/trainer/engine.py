"""Compute a step's gradient and apply the update: the model, optimizers and device of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from corpus.errors import UserError
from corpus.trainer.attention import prefer_kernel
from corpus.trainer.config import RunConfig
from corpus.trainer.device import autocast, use_bf16
from corpus.trainer.distributed import World
from corpus.trainer.fp8 import check_fp8, use_fp8
from corpus.trainer.loader import SampleBatch
from corpus.trainer.loss import cross_entropy
from corpus.trainer.model import GPT, initialize_weights
from corpus.trainer.optimizer import make_optimizers
from corpus.trainer.sharding import divide_model, gather_tensor
from corpus.trainer.staging import DeviceCopy


class Interrupted(Exception):
    """A step was abandoned half-way: nothing has changed."""


class Engine:
    """Model, optimizers and device of one process; `model` is the unwrapped one.

    With several processes, gradients are summed over them.
    """

    def __init__(self, config: RunConfig, device: torch.device, world: World) -> None:
        self.config, self.device, self.world = config, device, world
        check_fp8(config, device, world.size)
        self.bf16 = use_bf16(device, config.precision)
        torch.manual_seed(config.seed)
        self.model = GPT(config.model)
        initialize_weights(self.model, config.seed)
        if config.precision == "fp8":
            use_fp8(self.model)
        self.copy = DeviceCopy(device)
        self.sharded = config.shard and world.size > 1
        if self.sharded:
            if config.compile:
                self._compile_parts()
            divide_model(self.model, device, world.size)
        else:
            self.model.to(device)
            if config.cuda_graphs:
                self._record_graphs()
            elif config.compile:
                self.model.compile(dynamic=False)
        self.optimizers = make_optimizers(self.model, config, bf16=self.bf16)
        self.parallel: nn.Module = self.model
        if world.size > 1 and not self.sharded:
            # Gradients are sent in buckets, while the backward pass goes on; a compiled one is divided at them.
            self.parallel = DistributedDataParallel(
                self.model, broadcast_buffers=False, gradient_as_bucket_view=True
            )

    def _record_graphs(self) -> None:
        """Compile the model so that its passes are recorded and replayed. Raises UserError where that cannot be.

        A replay writes its gradients where the one before did, so they are added to arrays that stay: `zero`.
        """
        if self.device.type != "cuda" or self.world.size > 1 or not self.config.compile:
            raise UserError("--cuda-graphs needs one process on one GPU, and a compiled step: leave it out")
        self.model.compile(mode="reduce-overhead", dynamic=False)
        for parameter in self.model.parameters():
            parameter.grad = torch.zeros_like(parameter)

    def _compile_parts(self) -> None:
        """Compile blocks and loss by themselves: between two blocks, parameters are gathered and freed.

        All blocks have the same code, which is compiled once.
        """
        for block in self.model.blocks:
            block.compile(dynamic=False)
        self.model.cross_entropy = torch.compile(cross_entropy, dynamic=False)

    def backward(
        self, batch: SampleBatch, targets: int, stop: Callable[[], bool] = lambda: False
    ) -> torch.Tensor:
        """Return the mean nats over the step's `targets`, and leave the gradient in the parameters.

        Computes one micro-batch after another; `batch` is this process's part. Does not wait for the device: `read`
        does. Raises Interrupted, without a gradient, if `stop()` is true.
        """
        loss = torch.zeros((), device=self.device)
        on_device = self.copy(batch)
        for part in self._micro_batches(len(batch.tokens)):
            if stop():
                self.zero()
                raise Interrupted
            if self.config.cuda_graphs:
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            with self._together(last=part.stop == len(batch.tokens)):
                nats = self._nats(*(array[part] for array in on_device)) / targets
                (nats * self.world.size).backward()  # type: ignore[no-untyped-call]  # they take the mean
            loss += nats.detach()
        return loss

    def _micro_batches(self, samples: int) -> Iterator[slice]:
        """Yield slices of a step's samples, of one length but for the last, so that few shapes are compiled."""
        count = -(-samples // self.config.micro_samples)
        size = -(-samples // count)
        for first in range(0, samples, size):
            yield slice(first, min(first + size, samples))

    def read(self, loss: torch.Tensor, norm: torch.Tensor) -> tuple[float, float]:
        """Return the loss of all processes and the gradient's norm as numbers: a step's one wait for the device.

        Whether to take the step depends on them. What follows is two calls for all parameters, so the device has work
        again within a millisecond.
        """
        both = torch.stack([loss.double(), torch.as_tensor(norm, device=self.device).double()])
        total, gradient = torch.stack([self.world.add(both[0]), both[1]]).tolist()
        return total, gradient

    def _together(self, last: bool) -> contextlib.AbstractContextManager[None]:
        """Return a context that postpones the exchange of gradients to the last micro-batch of a step.

        A divided model exchanges them after each micro-batch, as no process has room for all of them.
        """
        if last or not isinstance(self.parallel, DistributedDataParallel):
            return contextlib.nullcontext()
        return self.parallel.no_sync()

    def _nats(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the summed nats of some samples: tokens (samples, context + 1) in the shards' 16 or 32 bits."""
        tokens = tokens.long()
        padding = torch.arange(self.config.model.context, device=self.device) >= lengths[:, None] - 1
        with autocast(self.device, self.bf16), prefer_kernel(self.config.attention):
            nats: torch.Tensor = self.parallel(
                tokens[:, :-1],
                tokens[:, 1:].masked_fill(padding, -1),
                z_loss=self.config.z_loss,
                end_of_text=self.config.end_of_text if self.config.mask_documents else None,
            )
        return nats

    def clip(self) -> torch.Tensor:
        """Clip the gradient to the configured norm; return the norm that it had, on the device."""
        return gather_tensor(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip))

    def update(self, rate: float) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.zero()

    def zero(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=not self.config.cuda_graphs)
