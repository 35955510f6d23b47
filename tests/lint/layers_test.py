"""The lint of imports finds what it is there for, and passes on the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lint.imports import ROOT, circles

CLEAN = {
    "corpus/__init__.py": "",
    "corpus/errors.py": "",
    "corpus/storage/__init__.py": "",
    "corpus/storage/local.py": "from corpus.errors import UserError\n",
    "corpus/text/__init__.py": "",
    "corpus/text/words.py": "",
    "filters/__init__.py": "",
    "pipelines/__init__.py": "",
}


def lint(root: Path) -> str:
    """What the lint prints about a checkout; it is a process, since it remembers what it has read."""
    code = (
        "from tests.lint.layers import climbing, foreign, round_and_round, unplaced;"
        "checks = (unplaced, climbing, round_and_round, foreign);"
        "print(*[line for check in checks for line in check()], sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "LINT_ROOT": str(root)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def test_circles_are_groups_that_reach_each_other() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set(), "f": {"g"}, "g": {"f"}}
    assert circles(graph) == [["a", "b", "c"], ["f", "g"]]
    assert circles({"a": {"b"}, "b": {"c"}}) == []


@pytest.mark.parametrize(
    ("place", "line", "told"),
    [
        (
            "corpus/storage/local.py",
            "from corpus.text import words",
            "corpus/storage/local.py:1: corpus.storage imports",
        ),
        (
            "corpus/storage/local.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from corpus.text.words import cut",
            "corpus/storage/local.py:3: corpus.storage imports",
        ),
        (
            "corpus/storage/local.py",
            "def late():\n    import corpus.text.words",
            "corpus/storage/local.py:2: corpus.storage imports",
        ),
        ("corpus/text/words.py", "from corpus import errors, storage", ""),
        ("corpus/errors.py", "from corpus import storage", "corpus/errors.py:1: corpus.errors imports"),
        ("corpus/text/words.py", "import apache_beam", "corpus/text/words.py:1: Beam is imported outside"),
        (
            "corpus/text/words.py",
            "def late():\n    import torch",
            "corpus/text/words.py:2: torch is imported outside",
        ),
        ("pipelines/cli.py", "from pipelines import build", "write corpus.pipelines"),
        ("corpus/nowhere.py", "", "corpus/nowhere.py: stands on no floor"),
    ],
)
def test_an_import_that_climbs_is_found_wherever_it_stands(
    tmp_path: Path, place: str, line: str, told: str
) -> None:
    assert lint(write(tmp_path, CLEAN)) == ""
    message = lint(write(tmp_path, {place: f"{line}\n"}))
    assert message if told else not message
    assert told in message


def test_modules_that_import_each_other_are_found(tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    write(
        tmp_path,
        {"corpus/text/a.py": "from corpus.text import b\n", "corpus/text/b.py": "import corpus.text.a\n"},
    )
    assert "these modules import each other: corpus.text.a, corpus.text.b" in lint(tmp_path)
