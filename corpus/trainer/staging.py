"""Copy a step's tokens to the device: once, from memory that is not paged out, without waiting."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from corpus.trainer.loader import SampleBatch


class DeviceCopy:
    """Copies the samples of a step: tokens (samples, context + 1) in the shards' 16 or 32 bits, lengths (samples,).

    On a GPU through one pinned buffer, which the next step's copy overwrites: by then the step has read its loss, so
    the copy before is done.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.buffers: list[Tensor] = []

    def __call__(self, batch: SampleBatch) -> tuple[Tensor, Tensor]:
        tokens, lengths = torch.from_numpy(batch.tokens), torch.from_numpy(np.asarray(batch.lengths))
        if self.device.type != "cuda":
            return tokens.to(self.device), lengths.to(self.device)
        arrays = (tokens, lengths)
        if [buffer.shape for buffer in self.buffers] != [array.shape for array in arrays]:
            self.buffers = [torch.empty_like(array, pin_memory=True) for array in arrays]
        for buffer, array in zip(self.buffers, arrays, strict=True):
            buffer.copy_(array)
        first, second = (buffer.to(self.device, non_blocking=True) for buffer in self.buffers)
        return first, second
