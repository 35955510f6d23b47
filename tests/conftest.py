from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real sample input; tests that need it are skipped where it is not at hand."""
    folder = os.environ.get("CORPUS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CORPUS_DATA is not set: no real sample input")
    return Path(folder).resolve()
