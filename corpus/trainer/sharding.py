"""Divide a model among processes if it does not fit on one device (FSDP2; after ZeRO, arXiv:1910.02054).

Each process keeps its rows of every parameter, gradient and optimizer state; a block's parameters are gathered where
they are used and freed again. Checkpoints hold whole tensors, so a run that any number of processes began, divided or
not, can continue with any other number.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from corpus.trainer.model import GPT


def divide_model(model: GPT, device: torch.device, processes: int) -> None:
    """Keep only this process's part of the model, on `device`; gradients are averaged over the processes."""
    mesh = init_device_mesh(device.type, (processes,))
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    register_fsdp_forward_method(model, "nats")


def is_divided(tensor: Tensor) -> bool:
    return isinstance(tensor, DTensor)


def gather_tensor(tensor: Tensor) -> Tensor:
    """Return the whole of a divided tensor; every process has to call this. Return any other tensor unchanged."""
    if isinstance(tensor, DTensor):
        together: Tensor = tensor.full_tensor()
        return together
    return tensor


def take_part(tensor: Tensor, like: Tensor) -> Tensor:
    """Return this process's part of a whole tensor, divided as `like` is, on its device."""
    tensor = tensor.to(like.device)
    if isinstance(like, DTensor):
        return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)
    return tensor
