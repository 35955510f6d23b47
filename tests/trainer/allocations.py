"""Bytes that a training step holds, counted at torch's dispatcher on tensors without values.

    python -m tests.trainer.allocations     the table of docs/training.md: estimates beside what is counted

So a step of a GPU with 80 GB can be measured on a laptop: every storage that an operation makes is counted from then
until it is freed, in the 512-byte units of CUDA's allocator. What libraries take for themselves is not seen.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from functorch.compile import min_cut_rematerialization_partition
from torch._dynamo.backends.common import aot_autograd
from torch._inductor.decomposition import select_decomp_table
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from corpus.trainer import attention, loss, model
from corpus.trainer.config import ModelConfig, RunConfig, find_size
from corpus.trainer.device import autocast
from corpus.trainer.memory import estimate_bytes
from corpus.trainer.model import GPT
from corpus.trainer.optimizer import make_optimizers
from tests.trainer.cuda_policy import cuda_policy

UNIT = 512


class Allocations(TorchDispatchMode):
    """`now` and `peak`: bytes of the storages that operations inside have made."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        self.now = self.peak = 0

    def __torch_dispatch__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, torch.Tensor):
                self._count(value.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self.sizes:
            self.sizes[key] = -(-storage.nbytes() // UNIT) * UNIT
            self.now += self.sizes[key]
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._free, key)

    def _free(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


class FusedNorm(torch.autograd.Function):
    """What CUDA computes as one operation, which keeps its input and a number a row; a CPU composes it of many."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, weight, x.new_empty((*x.shape[:-1], 1), dtype=torch.float32))
        return torch.empty_like(x)

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, weight, _ = ctx.saved_tensors
        return torch.empty_like(x), torch.empty_like(weight)


@contextmanager
def as_on(device: str, *, compiled: bool = False) -> Iterator[None]:
    """Within the context a CPU's step makes the arrays that one on `device` makes."""
    if device == "cpu":
        yield
        return
    patches = [
        mock.patch.object(model, "_use_fused", lambda x: False),
        mock.patch.object(attention, "is_narrow_on_cpu", lambda q, k: False),
        mock.patch.object(model, "NARROW_RESIDUAL_DEVICES", {"cpu"}),
        mock.patch.dict(loss.BLOCK_LOGITS, {"cpu": loss.BLOCK_LOGITS["cuda"]}),
    ]
    if not compiled:
        fused = lambda x, shape, weight, epsilon: FusedNorm.apply(x, weight)  # noqa: E731
        patches.append(mock.patch("torch.nn.functional.rms_norm", fused))
    with cuda_policy(), ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


def measure_step(config: RunConfig, device: str, *, bf16: bool) -> int:
    """The most bytes that the second micro-batch of a step and the update hold, for `device` cpu or cuda."""
    shape = config.micro_samples, config.model.context
    end = config.end_of_text if config.mask_documents else None
    with as_on(device), FakeTensorMode(), Allocations() as allocations:
        gpt = GPT(config.model)
        optimizers = make_optimizers(gpt, config, bf16=bf16)
        for step in range(2):
            for _ in range(2):
                allocations.peak = allocations.now if step == 0 else allocations.peak
                tokens, targets = (torch.zeros(shape, dtype=torch.int64) for _ in range(2))
                with autocast(torch.device("cpu"), bf16):
                    nats = gpt(tokens, targets, z_loss=config.z_loss, end_of_text=end)
                nats.backward()  # type: ignore[no-untyped-call]
                del tokens, targets, nats
            torch.nn.utils.clip_grad_norm_(gpt.parameters(), config.clip)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
        return allocations.peak


def count_copy(config: RunConfig) -> int:
    """The bytes that a checkpoint is written from: weights and the state of their optimizers."""
    gpt = GPT(dataclasses.replace(config.model, depth=1))
    block = sum(parameter.numel() for parameter in gpt.matrices())
    by_muon = config.model.depth * block if config.optimizer == "muon" else 0
    return 12 * config.model.parameters() - 4 * by_muon


def measure_compiled_block(shape: ModelConfig, device: str, *, bf16: bool) -> float:
    """The bytes of a token that torch.compile keeps of a block for the backward pass, by its own partitioner.

    The graphs of three blocks and of one are divided, and run as they are; nothing is turned into kernels.
    """
    time = 64

    def kept(depth: int) -> float:
        sizes: Counter[Any] = Counter()

        def forward(graph: torch.fx.GraphModule, _: Any) -> Callable[..., Any]:
            (output,) = (node for node in graph.graph.nodes if node.op == "output")
            for node in output.args[0]:
                value = node.meta.get("val") if isinstance(node, torch.fx.Node) else None
                while _is_view(node):
                    node = node.args[0]
                if (
                    isinstance(value, torch.Tensor)
                    and node.op != "placeholder"
                    and time in node.meta["val"].shape
                ):
                    sizes[node] = node.meta["val"].numel() * node.meta["val"].element_size()
            return graph.forward

        backend = aot_autograd(
            fw_compiler=forward,
            bw_compiler=lambda graph, _: graph.forward,
            partition_fn=min_cut_rematerialization_partition,
            decompositions=select_decomp_table(),
        )
        gpt = GPT(dataclasses.replace(shape, depth=depth, vocabulary=128, context=time))
        tokens = torch.zeros(1, time, dtype=torch.int64)
        torch._dynamo.reset()
        with autocast(torch.device("cpu"), bf16):
            torch.compile(gpt, backend=backend, dynamic=False)(tokens, tokens)
        return sum(sizes.values())

    with as_on(device, compiled=True):
        return (kept(3) - kept(1)) / 2 / time


VIEWS = ("view", "permute", "transpose", "slice", "split", "select", "unsqueeze", "expand", "getitem")


def _is_view(node: torch.fx.Node) -> bool:
    """Whether a node is a part of another one's storage: a view, or a view of a list of views."""
    name = str(node.target)
    if node.op != "call_function" or not any(view in name for view in VIEWS):
        return False
    return "getitem" not in name or "split" in str(node.args[0].target)


TABLE = [("tiny", 16_384), ("base", 16_384), ("gpt2", 16_384), ("gpt2", 65_536), ("gpt2-medium", 16_384)]


def make_config(size: str, tokens: int, **settings: Any) -> RunConfig:
    """A run of a size with micro-batches of so many tokens and a vocabulary of 50,304."""
    shape = find_size(size).model(vocabulary=50_304)
    windows = max(1, tokens // shape.context)
    return RunConfig(
        workspace="", dataset="", fingerprint="", end_of_text=0, size=size, model=shape, seed=0, steps=1, minutes=None,
        batch_samples=2 * windows, micro_samples=windows, learning_rate=1e-3, **settings,
    )  # fmt: skip


def main() -> None:
    print("| size | micro-batch | device | estimated | counted |\n|---|---|---|---|---|")
    for size, tokens in TABLE:
        for device, bf16 in (("cuda", True), ("cuda", False), ("cpu", True))[: 3 if tokens < 20_000 else 2]:
            config = make_config(size, tokens)
            estimated = estimate_bytes(config, processes=1, bf16=bf16, device=device) / 1e9
            counted = (measure_step(config, device, bf16=bf16) + count_copy(config)) / 1e9
            where = f"{device}, {'bf16' if bf16 else 'fp32'}"
            print(f"| `{size}` | {tokens:,} | {where} | {estimated:.2f} GB | {counted:.2f} GB |", flush=True)


if __name__ == "__main__":
    main()
