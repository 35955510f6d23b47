"""Read and write tensors as safetensors: an eight-byte length, a JSON header, the values."""

from __future__ import annotations

import hashlib
import json
import os
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

DTYPES = {
    "F32": torch.float32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "I64": torch.int64,
    "U8": torch.uint8,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class DamagedCheckpoint(Exception):
    """A file whose content does not match its checksum."""


def _view_bytes(tensor: Tensor) -> memoryview:
    values: memoryview = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
    return values


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> str:
    """Write tensors as safetensors, synced to disk; return the hash of the file."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": DTYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = _new_hash()
    with path.open("wb") as file:
        start: list[bytes | memoryview] = [len(text).to_bytes(8, "little"), text]
        for part in chain(start, map(_view_bytes, tensors.values())):
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def read_tensors(path: Path, digest: str) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file; raise DamagedCheckpoint if its hash is not `digest`. Reads it twice."""
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, _new_hash).hexdigest() != digest:
                raise DamagedCheckpoint(f"{path.name} does not match its checksum")
            file.seek(0)
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            out: dict[str, Tensor] = {}
            for name, entry in header.items():
                start, end = entry["data_offsets"]
                values = torch.from_numpy(np.fromfile(file, np.uint8, end - start))
                out[name] = values.view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
            return out
    except OSError as error:
        raise DamagedCheckpoint(f"{path.name} cannot be read ({error.strerror})") from error


def _new_hash() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)
