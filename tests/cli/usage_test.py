"""A wrong command line is told in one line, with status 2."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["bild"], "corpus: No such command 'bild'. Did you mean 'build'?; see `corpus --help`"),
        (
            ["build", "--wrkers", "3"],
            "corpus: No such option: --wrkers (Possible options: --workers); see `corpus build --help`",
        ),
        (["build"], "corpus: Missing argument 'MANIFEST'; see `corpus build --help`"),
        (
            ["没有.yaml"],
            "corpus: No such command '没有.yaml'; see `corpus --help`",
        ),
        (
            ["build", "没有.yaml", "--out", "out"],
            "corpus: 没有.yaml: cannot read the manifest: No such file or directory",
        ),
        (
            ["train", "demo-workspace", "--out", "s3://bucket/run"],
            "corpus: --out s3://bucket/run: runs and models lie on a local disk: name a local folder",
        ),
        (
            ["export", "runs/tiny", "--model", "--out", "gs://bucket/model"],
            "corpus: --out gs://bucket/model: runs and models lie on a local disk: name a local folder",
        ),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "corpus.pipelines.cli", *words], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line + "\n")


def test_without_a_command_the_help_is_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "corpus.pipelines.cli"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and "decide" in done.stdout and done.stderr == ""
