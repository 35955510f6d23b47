"""Slices of a build, made apart in one folder, and a build after them: the bytes of one build."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.ledger.shared_ids import read_shared_ids
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.slice import Slice
from corpus.pipelines.cli.build import check_slice
from corpus.progress import StageProgress, built_with, read_timings
from corpus.storage.lock import SHARED_LOCKS_FOLDER, hold_lock
from corpus.workspace import Workspace
from tests.pipelines.small import SPREAD, command, digests, remote_digests, to_its_end, write_inputs

COUNT = 3


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rows of `mine` share an id, so that ids are compared over slices."""
    manifest = write_inputs(tmp_path_factory.mktemp("inputs"), pages=30)
    lines = "".join(
        f'{{"id": "7", "text": "The letters of house {at} were never read."}}\n' for at in range(2)
    )
    for name in ("again", "more"):
        (manifest.parent / f"{name}.jsonl").write_text(lines.replace("house", f"house {name}"))
    return manifest


@pytest.fixture(scope="module")
def wanted(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("built") / "workspace"
    workspace = build_workspace(str(inputs), str(out), Running())
    assert read_shared_ids(workspace).num_rows
    return digests(out)


def make(manifest: Path, out: Path, text: str) -> list[str]:
    """Run a slice; what it says."""
    said: list[str] = []
    build_workspace(str(manifest), str(out), Running(), said.append, share=Slice.parse(text))
    return said


def test_every_split_is_in_one_slice_whatever_the_order(inputs: Path) -> None:
    names = make_plan(str(inputs)).names
    assert len(names) > 8
    for count in (1, 2, 3, 7, 1000):
        slices = [Slice(number, count) for number in range(1, count + 1)]
        assert all(sum(each.has(*name) for each in slices) == 1 for name in names)
    shares = [sum(Slice(number, 2).has("web", f"{at:016x}") for at in range(2000)) for number in (1, 2)]
    assert min(shares) > 900
    # An array that is begun with one version may go on with the next.
    assert [at for at in range(100) if Slice(3, 20).has("web", f"{at:016x}")] == [4, 57, 67, 80, 82, 88]


@pytest.mark.parametrize(
    "text", ["0/20", "21/20", "x", "", "3", "3/", "/3", "-1/3", "1.5/3", "٣/٢٠", "3/0", "3 / 20"]
)
def test_wrong_slices_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError, match=r"--slice .*: write K/N with K from 1 to N, such as 3/20"):
        check_slice(text, {}, None)


def test_options_of_a_whole_build_are_refused_beside_a_slice() -> None:
    with pytest.raises(UserError, match="--json has no effect with --slice"):
        check_slice("1/2", {"--retry-quarantine": False, "--json": True}, None)
    with pytest.raises(UserError, match="leave out --slice, or --runner"):
        check_slice("1/2", {}, ["--runner=PrismRunner"])
    assert check_slice(None, {"--json": True}, ["--runner=PrismRunner"]) is None
    assert str(check_slice("03/20", {}, [])) == "3/20"


def test_a_build_after_slices_in_any_order_has_the_bytes_of_one_build(
    inputs: Path, wanted: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for text in ("3/3", "1/3", "1/3", "1/2"):
        assert make(inputs, out, text)[-1].startswith(f"slice {text}: the parts of ")
    assert not (out / "plan.json").exists() and not (out / "decisions").exists()
    made = {path: path.stat().st_mtime_ns for path in out.glob("documents/*/*") if "web" in str(path)}
    said: list[str] = []

    def leave_half_a_part(standing: StageProgress) -> None:
        """As a worker does that is killed and whose work another does again."""
        if standing.stage == "decide":
            (out / "documents" / "source=web" / ".part-left.tmp").write_bytes(b"half")

    workspace = build_workspace(str(inputs), str(out), Running(), said.append, leave_half_a_part)
    assert digests(out) == wanted
    assert {path: path.stat().st_mtime_ns for path in made} == made, "parts of slices are not made again"
    runs = read_timings(workspace.path("timings.json"))
    assert [run.get("slices") for run in runs] == [4, None]
    assert runs[0]["stages"][0]["documents"] and built_with(workspace.path("timings.json"))["Python"]
    said.clear()
    assert make(inputs, out, "2/3") == ["nothing to do: the workspace is complete"]
    assert digests(out) == wanted


def test_slices_of_another_manifest_leave_nothing_that_looks_finished(
    inputs: Path, wanted: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    other = inputs.with_name("other.yaml")
    other.write_text(inputs.read_text().replace("split_size: 4kB", "split_size: 4kB\nlanguages: [eng, rus]"))
    build_workspace(str(other), str(out), Running())
    make(inputs, out, "2/3")
    assert not Workspace(str(out)).read_state()
    build_workspace(str(inputs), str(out), Running())
    assert digests(out) == wanted


def test_an_empty_slice_makes_nothing(inputs: Path, tmp_path: Path) -> None:
    names = make_plan(str(inputs)).names
    count = 9000
    number = next(at for at in range(1, count) if not any(Slice(at, count).has(*name) for name in names))
    assert (
        f"the parts of 0 of {len(names)} input splits"
        in make(inputs, tmp_path / "out", f"{number}/{count}")[-1]
    )
    assert not list(tmp_path.glob("out/documents/*/*"))


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_slices_share_the_lock_and_a_build_does_not(kind: str, tmp_path: Path) -> None:
    root = str(tmp_path / "out") if kind == "local" else f"memory://slices-{os.getpid()}"
    slices = pytest.raises(RunError, match="slices of a build are running here: wait for them")
    with hold_lock(root, shared=True), hold_lock(root, shared=True), slices, hold_lock(root):
        raise AssertionError
    build = pytest.raises(RunError, match="another build is running here")
    with hold_lock(root), build, hold_lock(root, shared=True):
        raise AssertionError
    with hold_lock(root):
        assert kind == "local" or not storage.list_files(f"{root}/{SHARED_LOCKS_FOLDER}")


@contextlib.contextmanager
def at_work(inputs: Path, out: Path, text: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*command(inputs, out), "--slice", text],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **SPREAD},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_slices_that_run_together_are_killed_and_run_again(
    inputs: Path, wanted: dict[str, str], tmp_path: Path
) -> None:
    """Two overlap; the build is refused while they run, and does what they left."""
    out, draw = tmp_path / "out", random.Random(23)
    with at_work(inputs, out, "1/2") as one, at_work(inputs, out, "2/3") as two:
        while not list(out.glob("documents/*/part-*")):
            assert None in (one.poll(), two.poll())
            time.sleep(0.01)
        with pytest.raises(RunError, match="slices of a build are running here"):
            build_workspace(str(inputs), str(out), Running())
        time.sleep(draw.uniform(0, 0.3))
    (out / "documents" / "source=web" / ".part-left.tmp").write_bytes(b"half")
    done = to_its_end([*command(inputs, out), "--slice", "2/2"])
    assert done.returncode == 0 and "slice 2/2: the parts of" in done.stderr and not done.stdout
    assert "Traceback" not in done.stderr
    build_workspace(str(inputs), str(out), Running())
    assert digests(out) == wanted


def test_a_slice_works_on_a_bucket_as_on_a_disk(inputs: Path, wanted: dict[str, str]) -> None:
    root = f"memory://bucket-{os.getpid()}"
    names = make_plan(str(inputs)).names
    build_workspace(str(inputs), root, Running(), share=Slice(1, 2))
    made = [storage.exists(Workspace(root).part("documents", *name)) for name in names]
    assert made == [Slice(1, 2).has(*name) for name in names]
    build_workspace(str(inputs), root, Running())
    assert remote_digests(root) == wanted
