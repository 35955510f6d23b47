"""Where the weights of mode `corpus` are, and what its texts depend on: known without loading what reads pages."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION = 13
"""Increased when the same page and weights would give another text."""
MODEL_FILE = Path(__file__).with_name("extractor.npz")


def identify_extractor() -> dict[str, str | int]:
    """Return what texts of this mode depend on besides their pages: version, weights, and the library that parses."""
    from importlib import metadata

    weights = hashlib.sha256(MODEL_FILE.read_bytes()).hexdigest()
    return {"version": VERSION, "weights": weights, "selectolax": metadata.version("selectolax")}
