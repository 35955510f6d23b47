"""CUDA's autocast on a CPU, at torch's dispatcher: there a type that differs fails as it would on a GPU.

Autocast decides by operation, for each kind of device by a list of its own: on CUDA softmax, sums and norms come out in
fp32, on a CPU they do not. Within `cuda_policy` the operations of CUDA's list, as this torch has registered them, do on
a CPU what they do there, however they are called: as functions, methods, from C++ or by the compiler.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_leaves, tree_map

KEY = torch._C.DispatchKey.AutocastCPU

LOWER_NAMES = (
    "_convolution _convolution.deprecated _cudnn_rnn _scaled_dot_product_flash_attention _thnn_fused_gru_cell "
    "_thnn_fused_lstm_cell addbmm addmm addmv addr baddbmm bmm chain_matmul conv1d conv2d conv3d conv_tbc "
    "conv_transpose1d conv_transpose2d.input conv_transpose3d.input convolution cudnn_convolution "
    "cudnn_convolution_transpose einsum gru_cell linalg_multi_dot linalg_vecdot linear lstm_cell matmul mm mv prelu "
    "rnn_relu_cell rnn_tanh_cell scaled_dot_product_attention"
)
LOWER = frozenset(LOWER_NAMES.split(" "))
"""Operations of CUDA's list that are computed in bf16."""
WIDEST_NAMES = "addcdiv addcmul atan2 bilinear cross dot grid_sampler index_put scatter_add tensordot vdot"
WIDEST = frozenset(WIDEST_NAMES.split(" "))
"""Those computed in the widest type of their inputs. All others are computed in fp32."""


def registered(key: str) -> set[str]:
    """The operations with a kernel for a dispatch key, without their namespace."""
    names: list[str] = torch._C._dispatch_get_registrations_for_dispatch_key(key)
    return {name.removeprefix("aten::") for name in names if name.startswith("aten::")}


def _find(name: str) -> Any:
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _is_autocast(value: Any) -> bool:
    """What autocast may change: floating point, but not of 64 bits."""
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.dtype != torch.float64


def _cast_kernel(name: str) -> Callable[..., Any]:
    """An operation of CUDA's list: cast its inputs, then compute without autocast."""
    operation = _find(name)

    def run(*arguments: Any, **named: Any) -> Any:
        to: torch.dtype | None = torch.float32
        if name in LOWER:
            to = torch.get_autocast_dtype("cpu")
        elif name in WIDEST:
            types = {value.dtype for value in tree_leaves((arguments, named)) if _is_autocast(value)}
            to = torch.float32 if torch.float32 in types else None
        elif named.get("dtype") is not None:
            to = None  # what is asked for is done
        if to is not None:
            arguments, named = tree_map(
                lambda value: value.to(to) if _is_autocast(value) else value, (arguments, named)
            )
        with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(KEY)):
            return operation(*arguments, **named)

    return run


def _plain_kernel(name: str) -> Callable[..., Any]:
    """An operation of a CPU's list alone: leave it and what it calls to the rest of the dispatcher."""
    operation = _find(name)

    def run(keys: torch._C.DispatchKeySet, *arguments: Any, **named: Any) -> Any:
        after = torch._C._dispatch_keyset_full_after(KEY)
        return operation.redispatch(keys & after, *arguments, **named)

    return run


@contextmanager
def cuda_policy() -> Iterator[None]:
    """Within the context a CPU's autocast treats each operation as CUDA's does."""
    library = torch.library.Library("aten", "IMPL")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that kernels are replaced
            cuda = registered("AutocastCUDA")
            for name in sorted(cuda):
                library.impl(name, _cast_kernel(name), "AutocastCPU")
            for name in sorted(registered("AutocastCPU") - cuda):
                library.impl(name, _plain_kernel(name), "AutocastCPU", with_keyset=True)
        yield
    finally:
        library._destroy()


@contextmanager
def fake_cuda() -> Iterator[None]:
    """Within the context tensors on `cuda:N` can be made without a GPU. They hold no values, but run through CUDA's
    own autocast, and operations refuse devices that differ. There is no backward pass: instead of one, every
    leaf that needs a gradient has ones. What is read back (`item`, `numpy`, `tolist`) is ones, too.
    """
    leaves: list[torch.Tensor] = []

    def backward(self: torch.Tensor) -> None:
        assert self.requires_grad
        for leaf in leaves:
            leaf.grad = torch.ones_like(leaf)

    patches = (
        mock.patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False),
        mock.patch("torch.cuda.is_bf16_supported", lambda including_emulation=True: True),
        mock.patch("torch.Tensor.backward", backward),
        mock.patch("torch.Tensor.item", lambda self: 1.0),
        mock.patch("torch.Tensor.numpy", lambda self: np.ones(self.shape)),
        mock.patch("torch.Tensor.tolist", lambda self: np.ones(self.shape).tolist()),
        mock.patch("torch.nn.Module.to", lambda self, device: _placed(self, device, leaves)),
    )
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        yield


def _placed(module: torch.nn.Module, device: torch.device, leaves: list[torch.Tensor]) -> torch.nn.Module:
    """Replace a module's parameters and buffers by fake ones on a device; torch's own way needs real ones."""
    for owner in module.modules():
        for name, value in owner._parameters.items():
            if value is not None:
                owner._parameters[name] = torch.nn.Parameter(torch.empty(value.shape, device=device))
        for name, value in owner._buffers.items():
            if value is not None:
                owner._buffers[name] = torch.empty(value.shape, dtype=value.dtype, device=device)
    leaves += module.parameters()
    return module
