"""A wrong command line is told in one line, with status 2."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
import typer

from corpus.errors import UserError
from corpus.pipelines import cli


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
            "corpus: No such command '没有.yaml': `corpus build 没有.yaml --out DIR` builds it; see `corpus --help`",
        ),
        (
            ["build", "m.yaml", "--out", "o", "--job_endpoint=localhost:8099"],
            "corpus: No such option: --job_endpoint: options of Apache Beam come last, after --; see "
            "`corpus build --help`",
        ),
        (
            ["build", "m.yaml", "--out", "o", "--retry_quarantine"],
            "corpus: No such option: --retry_quarantine: say --retry-quarantine; see `corpus build --help`",
        ),
        (
            ["stats", "w", "--runner=FlinkRunner"],
            "corpus: No such option: --runner; see `corpus stats --help`",
        ),
        (["stats", "w", "--by"], "corpus: Option '--by' requires an argument; see `corpus stats --help`"),
        (
            ["stats", "w", "--limit", "0"],
            "corpus: Invalid value for '--limit': 0: give a number of at least 1; see `corpus stats --help`",
        ),
        (
            ["sample", "w", "-n", "三"],
            "corpus: Invalid value for '-n' / '--documents': '三': give a whole number; see `corpus sample --help`",
        ),
        (
            ["build", "m.yaml", "--out", "o", "--workers", "999"],
            "corpus: Invalid value for '--workers': 999: give a number from 1 to 256; see `corpus build --help`",
        ),
        (
            ["train", "w", "--minutes", "x"],
            "corpus: Invalid value for '--minutes': 'x': give a number; see `corpus train --help`",
        ),
        (
            ["build", "没有.yaml", "--out", "out"],
            "corpus: 没有.yaml: there is no such manifest: `corpus init FOLDER --out '没有.yaml'` writes one for the "
            "data in a folder",
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


WORKERS = (
    "build m.yaml --out o",
    "plan m.yaml",
    "decide d",
    "verify d",
    "export d --documents --out o",
    "urls a --out o",
    "demo",
)


@pytest.mark.parametrize("command", WORKERS)
@pytest.mark.parametrize("workers", ["0", "-1", "257", "99999999999999999999", "x", "1.5", "nan", ""])
def test_workers_are_a_number_of_processes(
    command: str, workers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that has the option says so in one line, before it does anything."""
    with pytest.raises(cli.WrongUsage) as wrong:
        call([*command.split(), "--workers", workers])
    cli._show_usage(wrong.value)
    line = capsys.readouterr().err
    assert line.startswith("corpus: Invalid value for '--workers': ") and line.count("\n") == 1


def call(words: list[str]) -> object:
    app = typer.Typer(callback=lambda: None)
    for command in commands():
        app.command(command.name)(command.callback)  # type: ignore[type-var]
    return app(words, standalone_mode=False)


def commands() -> list[typer.models.CommandInfo]:
    if not cli.app.registered_commands:
        cli._register([])
    return [command for command in cli.app.registered_commands if command.callback is not None]


def test_all_commands_with_workers_are_tried() -> None:
    having = {each.name for each in commands() if "workers" in inspect.signature(each.callback).parameters}  # type: ignore[arg-type]
    assert having == {words.split()[0] for words in WORKERS}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("demo --minutes inf", "--minutes inf: give a finite number"),
        ("train d --minutes nan", "--minutes nan: give a finite number"),
        ("train d --weight-decay inf", "--weight-decay inf: give a finite number"),
        ("generate r --temperature inf", "--temperature inf: give a finite number"),
        (
            "plan m.yaml -n 99999999999999999999",
            "--documents 99999999999999999999: give a number of at most 1,000,000,",
        ),
        (
            "train d --steps 99999999999999999999",
            "--steps 99999999999999999999: give a number of at most 1,000,000,",
        ),
        (
            "train d --seed 99999999999999999999",
            "--seed 99999999999999999999: give a number of at most 9,223,372,036,",
        ),
        ("verify d --seed -99999999999999999999", "--seed -99999999999999999999: give a number of at most"),
    ],
)
def test_numbers_that_nothing_can_count_to_are_refused(words: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        call(words.split())
    assert str(refused.value).startswith(line)


def test_the_package_runs_as_the_command_does() -> None:
    said = [
        subprocess.run([sys.executable, "-m", module, "biuld"], capture_output=True, text=True, check=False)
        for module in ("corpus", "corpus.pipelines.cli")
    ]
    assert said[0].stderr == said[1].stderr and "Did you mean 'build'?" in said[0].stderr
    assert said[0].returncode == said[1].returncode == 2
