"""`corpus train` and `corpus generate` as a user calls them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from corpus.errors import UserError
from corpus.pipelines.cli.generate import generate
from corpus.pipelines.cli.train import train
from tests.trainer.running import stop_at

app = typer.Typer()
app.command("train")(train)
app.command("generate")(generate)
SMALL = ["--size", "d1", "--context", "32", "--batch-tokens", "64", "--precision", "fp32", "--device", "cpu"]


def call(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture(scope="module")
def run(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command") / "run"
    out = json.loads(call("train", str(workspace), "--out", str(folder), "--steps", "8", *SMALL, "--json"))
    assert (out["step"], out["tokens"], out["stopped"]) == (8, 512, None)
    assert [score["language"] for score in out["scores"]] == [
        "rus_Cyrl",
        "arb_Arab",
        "cmn_Hans",
        "eng_Latn",
        "tha_Thai",
    ]
    assert out["bits_per_byte"] < 8
    return folder


def test_a_run_is_self_contained(run: Path, workspace: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert names == {".lock", "config.json", "log.jsonl", "tokenizer.json", "checkpoint"}
    tokenizer = (workspace / "tokenizer" / "tokenizer.json").read_bytes()
    assert (run / "tokenizer.json").read_bytes() == tokenizer


def test_a_run_is_not_trained_over_unless_asked(run: Path, workspace: Path) -> None:
    with pytest.raises(
        UserError, match="already holds a run: resume it with --resume, or start another with --out"
    ):
        call("train", str(workspace), "--out", str(run))
    out = call("train", str(workspace), "--out", str(run), "--resume", "--steps", "10", "--device", "cpu")
    assert "10 steps, 640 tokens" in out
    assert "rus_Cyrl" in out


def test_text_is_written_after_the_prompt(run: Path) -> None:
    out = call("generate", str(run), "--prompt", "春天河水", "--tokens", "20", "--device", "cpu")
    assert out.startswith("春天河水")
    assert out == call("generate", str(run), "--prompt", "春天河水", "--tokens", "20", "--device", "cpu")


def test_samples_have_seeds_of_their_own(run: Path) -> None:
    lines = call(
        "generate", str(run), "--tokens", "9", "--samples", "3", "--seed", "5", "--json"
    ).splitlines()
    found = [json.loads(line) for line in lines]
    assert [entry["seed"] for entry in found] == [5, 6, 7]
    assert len({entry["text"] for entry in found}) == 3


def test_naming_the_commands_loads_neither_torch_nor_beam() -> None:
    code = (
        "import sys, corpus.pipelines.cli.train, corpus.pipelines.cli.generate;"
        "import corpus.trainer.start, corpus.trainer.loader;"
        "assert not {'torch', 'apache_beam'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_stopped_run_has_the_status_of_its_signal(workspace: Path, tmp_path: Path) -> None:
    thread = stop_at(tmp_path / "run", 3, signal.SIGTERM)
    command = ["train", str(workspace), "--out", str(tmp_path / "run"), "--steps", "100000", *SMALL]
    result = CliRunner().invoke(app, command)
    thread.join()
    assert result.exit_code == 143
    assert "SIGTERM: saved step" in result.stderr.replace("\n", " ")
