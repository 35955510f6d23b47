from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugins.lab import TEXTS, write_lab


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with what docs/extending.md shows, and input for it."""
    return write_lab(tmp_path / "lab")


Run = Callable[..., "subprocess.CompletedProcess[str]"]


FORKING = """
import json, os, sys
import corpus.pipelines.build.build
from corpus.pipelines.cli import main
for line in sys.stdin:
    case = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.chdir(case["folder"])
    os.environ.update(case["environment"])
    for number, path in ((0, os.devnull), (1, case["stdout"]), (2, case["stderr"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["corpus", *case["arguments"]]
    main()
    sys.exit(0)
"""
"""Runs commands in forks of a process that has imported what they need, which saves most of a command's start."""


class ForkServer:
    """A process that runs commands in forks of itself. One that has ended between two commands is begun anew."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def run(self, case: dict[str, object]) -> int:
        """Run a command; return its exit status."""
        if self.process is None or self.process.poll() is not None:
            self.process = self._start()
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def _start(self) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if name != "CORPUS_PLUGINS"}
        command = [sys.executable, "-P", "-c", FORKING]
        return subprocess.Popen(
            command,
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.communicate()


@pytest.fixture(scope="session")
def forking() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.stop()


def run_in(
    place: Path, forking: ForkServer, folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `corpus` in a fork of `forking`; what it prints goes through files in `place`."""
    paths = [place / "stdout", place / "stderr"]
    case: dict[str, object] = {"folder": str(folder), "environment": environment, "arguments": arguments}
    case |= {path.name: str(path) for path in paths}
    status = forking.run(case)
    return subprocess.CompletedProcess([*arguments], status, *(path.read_text() for path in paths))


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, forking: ForkServer) -> Path:
    place = tmp_path_factory.mktemp("built")
    lab = write_lab(place / "lab")
    done = run_in(place, forking, lab, "build", "lab.yaml", "--out", "out", "--plugins", ".")
    assert done.returncode == 0, done.stderr
    return lab


@pytest.fixture
def built_lab(built_once: Path, tmp_path: Path) -> Path:
    """The folder of `lab` with its workspace `out`, built by one worker."""
    return shutil.copytree(built_once, tmp_path / "built")


@pytest.fixture
def corpus(tmp_path: Path, forking: ForkServer) -> Run:
    """Run `corpus` in a folder outside the repository; the first argument is that folder.

    With PYTHONPATH it is a process of its own, since that is read as Python starts.
    """

    def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        if "PYTHONPATH" in environment:
            command = [
                sys.executable,
                "-P",
                "-c",
                "from corpus.pipelines.cli import main; main()",
                *arguments,
            ]
            own = {**os.environ, **environment}
            return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=280)
        return run_in(tmp_path, forking, folder, *arguments, **environment)

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
