"""A model divided among processes, for what does not fit on one device (FSDP2; after ZeRO, arXiv:1910.02054).

Each process keeps its rows of every parameter, gradient and optimizer state; a block's parameters are put together
where they are used and dropped again. What is saved is whole, so a run that any number of processes began, divided or
not, goes on with any other number.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from corpus.trainer.model import GPT


def divide(model: GPT, device: torch.device, processes: int) -> None:
    """Leaves this process its part of the model, on `device`; gradients are averaged over the processes."""
    mesh = init_device_mesh(device.type, (processes,))
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    register_fsdp_forward_method(model, "nats")


def is_divided(tensor: Tensor) -> bool:
    return isinstance(tensor, DTensor)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor, in every process, each of which has to ask; one that is not divided as it is."""
    if isinstance(tensor, DTensor):
        together: Tensor = tensor.full_tensor()
        return together
    return tensor


def part(tensor: Tensor, like: Tensor) -> Tensor:
    """Of a whole tensor this process's part, divided as `like` is, on its device."""
    tensor = tensor.to(like.device)
    if isinstance(like, DTensor):
        return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)
    return tensor
