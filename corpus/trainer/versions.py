"""The versions of torch that the trainer was tried with."""

from __future__ import annotations

import torch

TRIED_TORCH = ("2.11", "2.13", "2.15")
"""The oldest, that of constraints.txt, and the newest: `make torch-versions` runs the trainer's tests with each."""


def warn_untried_torch(version: str = torch.__version__) -> str | None:
    """Return a line if this torch was not tried, else None."""
    if ".".join(version.split(".")[:2]) in TRIED_TORCH:
        return None
    return (
        f"torch {version}: the trainer was tried with torch {', '.join(TRIED_TORCH)}, not with this version"
    )
