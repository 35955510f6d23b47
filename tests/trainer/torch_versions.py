"""The trainer's tests with each torch that the extra `train` promises, and with the newest. `make torch-versions`.

    python -m tests.trainer.torch_versions             those of corpus/trainer/versions.py, and the newest of the index
    python -m tests.trainer.torch_versions 2.12        others
    python -m tests.trainer.torch_versions --folder F  keep the environments, five gigabytes each, for the next time

Each torch gets an environment of its own with what it depends on, CUDA's libraries included, since torch for Linux
cannot be imported without them; everything else comes from the environment that runs this. Ends with status 1 if a test
fails. What is after `--` goes to pytest in place of the trainer's folder.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from corpus.trainer.versions import TRIED_TORCH

ROOT = Path(__file__).parents[2]
REST = [path for path in sys.path if path.endswith("site-packages")]
TESTS = ["tests/trainer", "tests/inference"]


def newest_torch() -> str:
    """The newest version on the package index, as 2.15."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "torch"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    match = re.match(r"torch \((\d+\.\d+)", said)
    assert match, said
    return match[1]


def make_environment(folder: Path, version: str) -> Path:
    """Make the environment of a torch, if it is not there yet; its python."""
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"torch=={version}.*"], check=True)
        (packages,) = folder.glob("lib/python*/site-packages")
        # Behind its own packages, so that its torch comes first.
        (packages / "zz_rest.pth").write_text("\n".join([*REST, ""]), encoding="utf-8")
        (folder / ".ready").touch()
    return python


def run_tests(python: Path, tests: list[str]) -> tuple[str, str]:
    """The torch that the tests were run with, and pytest's last line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    torch = subprocess.run(
        [python, "-c", "import torch; print(torch.__version__)"],
        capture_output=True, text=True, check=True, env=environment,
    ).stdout.strip()  # fmt: skip
    with subprocess.Popen(
        [python, "-m", "pytest", "-p", "no:xdist", "-o", "addopts=", "-m", "not soak", *tests],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            print(line, end="", flush=True)
            if re.search(r"=+ .*(passed|failed|error)", line):
                last = line.strip("= \n")
    return torch, last if process.returncode == 0 else f"{last} (status {process.returncode})"


def main() -> int:
    arguments = sys.argv[1:]
    own, tests = arguments, TESTS
    if "--" in arguments:
        at = arguments.index("--")
        own, tests = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="tests.trainer.torch_versions", description=__doc__)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="such as 2.13 (default: see above)")
    parser.add_argument("--folder", type=Path, help="where the environments are kept")
    options = parser.parse_args(own)
    versions = options.versions or sorted(
        {*TRIED_TORCH, newest_torch()}, key=lambda text: list(map(int, text.split(".")))
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        rows = [run_tests(make_environment(folder / version, version), tests) for version in versions]
    for torch, outcome in rows:
        print(f"torch {torch:16} {outcome}")
    return int(any("status" in outcome for _, outcome in rows))


if __name__ == "__main__":
    sys.exit(main())
