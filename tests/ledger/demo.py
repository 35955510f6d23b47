"""The demo sample, built once for all tests that look at a finished workspace."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from corpus.data import data_path
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace


@cache
def demo_workspace() -> Path:
    """A workspace that tests read and do not change; removed when the tests end."""
    folder = tempfile.mkdtemp(prefix="corpus-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build_workspace(str(data_path("demo.yaml")), f"{folder}/demo", Running(workers=1))
    return Path(folder, "demo")
