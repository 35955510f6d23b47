"""Paths of the data files: rules, languages, word lists."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _root() -> Path:
    package = Path(__file__).parent
    installed = package / "_manifests"
    return installed if installed.is_dir() else package.parent / "manifests"


def data_path(*names: str) -> Path:
    """Return a path below the data files: `corpus/_manifests` in a wheel, `manifests/` in a checkout."""
    return _root().joinpath(*names)
