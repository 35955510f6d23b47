from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugins.lab import TEXTS, write_lab


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with what docs/extending.md shows, and input for it."""
    return write_lab(tmp_path / "lab")


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def corpus(tmp_path: Path) -> Run:
    """Run `corpus` in a folder outside the repository; the first argument is that folder."""

    def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-c", "from corpus.pipelines.cli import main; main()", *arguments]
        kept = {name: value for name, value in os.environ.items() if name != "CORPUS_PLUGINS"}
        return subprocess.run(
            command,
            cwd=folder,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    return run


@pytest.fixture
def one_text(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder with three texts, a module `mine` of the given code, and a manifest with these lines added."""

    def write(code: str, *lines: str, kind: str = "jsonl") -> Path:
        folder = tmp_path / "one"
        folder.mkdir(exist_ok=True)
        rows = [{"text": text} for text in (TEXTS[0], TEXTS[1], TEXTS[4])]
        (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "mine.py").write_text(code)
        manifest = ["name: one", "sources:", f"  s: {{kind: '{kind}', paths: t.jsonl, rules: []}}"]
        manifest += ["tokenizer: {vocabulary: 300}", "validation: {share: 0}", *lines]
        (folder / "m.yaml").write_text("\n".join(manifest) + "\n")
        return folder

    return write
