"""Builds in which something goes wrong end with the bytes of an undisturbed one, or with one line and nothing lost.

`make soak` runs the long versions too and prints a line for each at its end.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corpus.child_process import list_descendants
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.context import Tools, tools_to_json
from corpus.pipelines.ingest import IngestParts, order_splits
from corpus.sources.input_split import InputSplit
from tests.pipelines.small import SPREAD, command, digests, run_build, to_its_end, write_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"), pages=20)


@pytest.fixture(scope="module")
def built(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of an undisturbed build; tests that change it take a copy."""
    out = tmp_path_factory.mktemp("built") / "workspace"
    build_workspace(str(inputs), str(out), Running())
    return out


@pytest.fixture(scope="module")
def wanted(built: Path) -> dict[str, str]:
    return digests(built)


def limited_build(manifest: Path, out: Path, file_bytes: int) -> subprocess.CompletedProcess[str]:
    """A build whose process may write no file larger than `file_bytes`: what a quota does."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({file_bytes}, {file_bytes})); "
        "from corpus.pipelines.cli import main; main()"
    )
    interpreter, _, _, *arguments = command(manifest, out)
    return to_its_end([interpreter, "-c", code, *arguments])


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The line that a failed build ends with; it says nothing else that is an error."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("corpus: ")]
    assert len(errors) == 1, done.stderr
    return errors[0]


def test_a_quota_ends_a_build_with_one_line_and_the_next_goes_on(
    inputs: Path, wanted: dict[str, str], tmp_path: Path, told: Callable[[str], None]
) -> None:
    message = one_line(limited_build(inputs, tmp_path / "out", 20_000))
    assert "File too large" in message or "too large" in message
    assert run_build(inputs, tmp_path / "out").returncode == 0
    assert digests(tmp_path / "out") == wanted
    told("a file over the quota: one line; same bytes after it is lifted")


KILLS = 100
KINDS = {
    "corpus.pipelines.cli": "build",
    "corpus.pipelines.beam.local_worker": "worker",
    "corpus.extract.process.worker": "parser",
}
"""What stands in the command line of a process of a build."""


@pytest.mark.soak
def test_a_hundred_kills_of_random_processes(tmp_path: Path, told: Callable[[str], None]) -> None:
    """Of the build itself, its workers and their parsers; it is begun again whenever it ended."""
    inputs = write_inputs(tmp_path / "inputs", pages=2000)
    inputs.write_text(inputs.read_text().replace("4kB", "32kB"))
    build_workspace(str(inputs), str(tmp_path / "undisturbed"), Running())
    wanted = digests(tmp_path / "undisturbed")
    draw, killed, starts, builds = random.Random(20260105), Counter[str](), 0, 0
    while killed.total() < KILLS:
        out = tmp_path / f"out-{builds}"
        code = -1
        while code != 0:
            starts += 1
            with open(tmp_path / "said", "w") as said:
                process = subprocess.Popen(
                    command(inputs, out, 2), stdout=said, stderr=said, env={**os.environ, **SPREAD}
                )
                while process.poll() is None and killed.total() < KILLS:
                    at_work = draw.random() < 0.8
                    while at_work and process.poll() is None and not list_descendants(process.pid):
                        time.sleep(0.01)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(draw.uniform(0.1, 4.0))
                    if process.poll() is None:
                        killed[kill_one(process.pid, draw)] += 1
                code = process.wait(600)
            assert code in (0, 1, -signal.SIGKILL), (tmp_path / "said").read_text()
            assert starts < 3 * KILLS
        assert digests(out) == wanted
        shutil.rmtree(out)
        builds += 1
    kinds = ", ".join(f"{count} of a {kind}" for kind, count in sorted(killed.items()))
    told(f"{killed.total()} kills ({kinds}) in {builds} builds begun {starts} times: same bytes")


def kill_one(process: int, draw: random.Random) -> str:
    """Kill a process of a build; what it was."""
    victim = draw.choice([process, *list_descendants(process)])
    try:
        line = Path(f"/proc/{victim}/cmdline").read_bytes().decode()
        os.kill(victim, signal.SIGKILL)
    except OSError:
        return "process that had ended"
    return next((kind for name, kind in KINDS.items() if name in line), "other process")


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of `size` bytes. Skips where none can be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.soak
@pytest.mark.parametrize("free", [30_000, 120_000, 250_000, 400_000])
def test_a_full_disk_ends_a_build_with_one_line_and_the_next_goes_on(
    inputs: Path, wanted: dict[str, str], tmp_path: Path, free: int, told: Callable[[str], None]
) -> None:
    with small_disk(tmp_path / "disk", 8 << 20) as disk:
        filler = disk / "filler"
        filler.write_bytes(bytes((8 << 20) - free))
        message = one_line(run_build(inputs, disk / "out"))
        assert "No space left on device" in message
        filler.unlink()
        assert run_build(inputs, disk / "out").returncode == 0
        assert digests(disk / "out") == wanted
    told(f"a disk with {free:,} bytes left: one line; same bytes after room was made")


def sealed(out: Path, is_sealed: bool) -> bool:
    """Nothing can be made or changed below `out` any more, or it can again; whether that could be had."""
    if os.geteuid() != 0:
        for base, _, _ in os.walk(out):
            os.chmod(base, 0o500 if is_sealed else 0o700)
        return True
    flag = "+i" if is_sealed else "-i"  # permissions mean nothing to root
    return (
        shutil.which("chattr") is not None
        and not subprocess.run(["chattr", "-R", flag, str(out)], capture_output=True).returncode
    )


@pytest.mark.soak
def test_an_output_made_read_only_ends_a_build_with_one_line(
    inputs: Path, wanted: dict[str, str], tmp_path: Path, told: Callable[[str], None]
) -> None:
    out = tmp_path / "out"
    environment = {**os.environ, **SPREAD}
    process = subprocess.Popen(
        command(inputs, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    while not list(out.glob("documents/*/part-*")):
        assert process.poll() is None
        time.sleep(0.01)
    try:
        if not sealed(out, True):
            pytest.skip("nothing can be made read-only for this user here")
        _, said = process.communicate(timeout=300)
        message = one_line(subprocess.CompletedProcess(process.args, process.returncode, "", said))
        assert "not permitted" in message or "Permission denied" in message
        again = one_line(run_build(inputs, out))
        assert "not permitted" in again or "Permission denied" in again
    finally:
        process.kill()
        process.communicate()
        sealed(out, False)
    assert run_build(inputs, out).returncode == 0
    assert digests(out) == wanted
    told("an output made read-only: one line, twice; same bytes after it can be written to")


def test_bundles_delivered_twice_change_nothing(
    inputs: Path, built: Path, wanted: dict[str, str], tmp_path: Path, told: Callable[[str], None]
) -> None:
    out = shutil.copytree(built, tmp_path / "out")
    plan = make_plan(str(inputs))
    work = IngestParts(str(out), tools_to_json(Tools(plan.file.manifest)))
    for split in order_splits(plan.splits):
        part = next(out.glob(f"documents/*/part-{split.name}.parquet"))
        before = part.read_bytes()
        part.unlink()  # the bundle is done again beside what it did
        for _ in range(2):
            list(work(InputSplit.to_json(split)))
        assert part.read_bytes() == before
    assert digests(out) == wanted
    told(f"{len(plan.splits)} bundles delivered twice: same bytes")


def test_of_two_builds_at_once_one_is_refused_and_one_is_whole(
    inputs: Path, wanted: dict[str, str], tmp_path: Path, told: Callable[[str], None]
) -> None:
    environment = {**os.environ, **SPREAD}
    processes = [
        subprocess.Popen(
            command(inputs, tmp_path / "out"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[1] for process in processes]
    codes = sorted(process.returncode for process in processes)
    # Where the first ended before the second came to its lock, the second finds nothing to do.
    assert codes == [0, 1] or any("nothing to do" in text for text in said), said
    if codes == [0, 1]:
        refused = said[[process.returncode for process in processes].index(1)]
        assert "another build is running here" in refused
    assert digests(tmp_path / "out") == wanted
    told("two builds at once: one refused with one line, the other whole")


CHANGES = [
    ("rules: {text.characters: {min: 300}}\n", "", "decide: again, without reading the input: rules.text"),
    ("vocabulary: 600", "vocabulary: 500", "tokenize: again: tokenizer.vocabulary changed"),
    ("languages: [eng, cmn, rus, tha]\n", "", "input splits to read again: languages changed"),
    ("dedup: {minhash: {threshold: 0.8}}\n", "", "decide: again, without reading the input: dedup.minhash"),
]
"""(what is added, or replaced by the second, what the command says)."""


def changed(manifest: Path, number: int, folder: Path) -> tuple[Path, str]:
    """The manifest with one change, beside the inputs, and what is to be said of it."""
    old, new, said = CHANGES[number]
    text = manifest.read_text()
    text = text.replace(old, new) if new else text + old
    path = manifest.with_name(f"changed-{number}.yaml")
    path.write_text(text)
    return path, said


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_a_change_between_runs_is_said_and_gives_the_bytes_of_a_fresh_build(
    inputs: Path,
    built: Path,
    wanted: dict[str, str],
    tmp_path: Path,
    number: int,
    told: Callable[[str], None],
) -> None:
    manifest, said = changed(inputs, number, tmp_path)
    out = shutil.copytree(built, tmp_path / "out")
    pages = {path: path.stat().st_ino for path in out.glob("documents/*/part-*")}
    lines: list[str] = []
    build_workspace(str(manifest), str(out), Running(), lines.append)
    assert [line for line in lines if said in line], lines
    assert {path: path.stat().st_ino for path in pages} == pages
    build_workspace(str(manifest), str(tmp_path / "fresh"), Running())
    assert digests(out) == digests(tmp_path / "fresh")
    lines.clear()
    build_workspace(str(inputs), str(out), Running(), lines.append)
    assert [line for line in lines if said.partition(":")[0] in line], lines
    assert digests(out) == wanted
    told(f"a changed manifest ({said.strip()}): said, same bytes as a fresh build, and back")


@pytest.mark.soak
def test_changes_and_kills_in_turn_end_with_the_bytes_of_a_fresh_build(
    inputs: Path, wanted: dict[str, str], tmp_path: Path, told: Callable[[str], None]
) -> None:
    out = tmp_path / "out"
    for number in [*range(len(CHANGES)), *reversed(range(len(CHANGES)))]:
        manifest, _ = changed(inputs, number, tmp_path)
        process = subprocess.Popen(
            command(manifest, out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **SPREAD},
        )
        time.sleep(2 + number)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run_build(inputs, out).returncode == 0
    assert digests(out) == wanted
    told(f"{2 * len(CHANGES)} changes of the manifest, each killed: same bytes as an undisturbed build")
    shutil.rmtree(out)
