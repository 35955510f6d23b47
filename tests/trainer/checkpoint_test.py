"""Checkpoints: what was written comes back bit by bit, or is named and passed over."""

from __future__ import annotations

import json
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from corpus.errors import RunError, UserError
from corpus.trainer import checkpoint
from corpus.trainer.config import RunConfig
from corpus.trainer.model import GPT, initialize_weights
from corpus.trainer.optimizer import make_optimizers
from tests.trainer.model_test import CONFIG
from tests.trainer.running import assert_same, train
from tests.trainer.sentences import small_run

SETTINGS = RunConfig(
    workspace="", dataset="", fingerprint="", end_of_text=0, size="", model=CONFIG, seed=0, steps=1, minutes=None,
    batch_samples=1, micro_samples=1, learning_rate=0.01,
)  # fmt: skip
Trained = tuple[GPT, list[torch.optim.Optimizer]]


def trained(seed: int, steps: int = 2) -> Trained:
    """A model and its two optimizers after a few steps."""
    model = GPT(CONFIG)
    initialize_weights(model, seed)
    optimizers = make_optimizers(model, SETTINGS, bf16=False)
    for _ in range(steps):
        tokens = torch.randint(50, (2, 9), generator=torch.Generator().manual_seed(seed))
        model(tokens[:, :-1], tokens[:, 1:]).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    return model, optimizers


def save(folder: Path, step: int, state: dict[str, Any], made: Trained, **keep: int) -> None:
    saver = checkpoint.CheckpointSaver(folder, **keep)
    saver.save(step, state, *made)
    saver.wait()


def same(a: Trained, b: Trained) -> bool:
    pairs = list(zip(a[0].state_dict().values(), b[0].state_dict().values(), strict=True))
    names = [{p: name for name, p in model.named_parameters()} for model, _ in (a, b)]
    for one, two in zip(a[1], b[1], strict=True):
        states = [
            {f"{found[p]}/{key}": value for p, entry in o.state.items() for key, value in entry.items()}
            for found, o in zip(names, (one, two), strict=True)
        ]
        assert states[0].keys() == states[1].keys()
        assert states[0]
        pairs += [(states[0][key], states[1][key]) for key in states[0]]
    return all(torch.equal(x, y) and x.dtype == y.dtype for x, y in pairs)


def heard() -> tuple[list[str], object]:
    lines: list[str] = []
    return lines, lines.append


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints of steps 1, 2 and 3, of seeds 1, 2 and 3."""
    for step in (1, 2, 3):
        save(tmp_path / "checkpoint", step, {"seconds": step / 7}, trained(step))
    return tmp_path / "checkpoint"


def test_model_optimizer_and_generator_come_back_bit_by_bit(folder: Path) -> None:
    lines, hear = heard()
    found = checkpoint.read_newest(folder, hear)
    assert found is not None
    assert (found.step, found.state, lines) == (3, {"seconds": 3 / 7}, [])
    other = trained(9, steps=0)
    torch.rand(7)
    found.restore(*other)
    assert same(other, trained(3))
    found.restore(*other)
    first = torch.rand(3)
    torch.rand(5)
    found.restore(*other)
    assert torch.equal(torch.rand(3), first)


def test_the_last_two_are_kept_and_latest_names_the_last(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["LATEST", "step-000000002", "step-000000003"]
    assert (folder / "LATEST").read_text() == "step-000000003\n"


def test_some_are_kept_for_ever(tmp_path: Path) -> None:
    for step in range(1, 8):
        save(tmp_path, step, {}, trained(1, steps=1), keep_last=1, keep_every=3)
    assert [int(path.name[-1]) for path in sorted(tmp_path.glob("step-*"))] == [3, 6, 7]


def slow_copies(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Lets the thread of a save wait before each copy until the event is set."""
    go, before = threading.Event(), checkpoint._to_host

    def copy(value: torch.Tensor) -> torch.Tensor:
        assert go.wait(30)
        return before(value)

    monkeypatch.setattr(checkpoint, "_to_host", copy)
    return go


def test_what_is_written_is_what_was_there_when_saving_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save returns at once; what may change the parameters waits for the copies, not for the disk."""
    go = slow_copies(monkeypatch)
    saver, made = checkpoint.CheckpointSaver(tmp_path), trained(1)
    saver.save(1, {}, *made)
    assert not saver.copied.is_set()
    assert saver.written == -1
    threading.Timer(0.05, go.set).start()
    saver.wait_copied()
    assert go.is_set()
    with torch.no_grad():
        for parameter in made[0].parameters():
            parameter.zero_()
    saver.wait()
    assert saver.written == 1
    found = checkpoint.read_newest(tmp_path, print)
    assert found is not None
    other = trained(9)
    found.restore(*other)
    assert same(other, trained(1))


def test_a_run_does_not_update_what_is_still_being_copied(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_run(workspace, steps=4, save_every=1, keep_last=9)
    train(config, tmp_path / "quick")
    before = checkpoint._to_host
    monkeypatch.setattr(checkpoint, "_to_host", lambda value: time.sleep(0.002) or before(value))
    train(config, tmp_path / "slow")
    assert_same(tmp_path / "quick", tmp_path / "slow")
    for step in (1, 2, 3, 4):
        quick, slow = (
            checkpoint.read_step(tmp_path / name / "checkpoint", step) for name in ("quick", "slow")
        )
        assert all(torch.equal(value, slow.model[name]) for name, value in quick.model.items())
        assert all(torch.equal(value, slow.training[name]) for name, value in quick.training.items())


def test_a_copy_that_fails_ends_the_wait_and_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(value: torch.Tensor) -> torch.Tensor:
        raise torch.AcceleratorError("CUDA error: device lost")

    monkeypatch.setattr(checkpoint, "_to_host", fail)
    saver = checkpoint.CheckpointSaver(tmp_path)
    saver.save(1, {}, *trained(1))
    saver.wait_copied()
    with pytest.raises(torch.AcceleratorError):
        saver.wait()
    assert saver.written == -1
    assert not list(tmp_path.iterdir())


def test_a_step_that_is_not_there_is_refused_with_those_that_are(folder: Path) -> None:
    assert checkpoint.read_step(folder, 2).step == 2
    with pytest.raises(UserError, match=r"no checkpoint of step 7; available steps: 2, 3"):
        checkpoint.read_step(folder, 7)


def test_files_are_safetensors_as_any_reader_understands_them(folder: Path) -> None:
    content = (folder / "step-000000003" / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    entry = header["blocks.1.mlp.down.weight"]
    start, end = entry["data_offsets"]
    values = np.frombuffer(content[8 + length + start : 8 + length + end], "<f4").reshape(entry["shape"])
    assert values.tolist() == trained(3)[0].blocks[1].mlp.down.weight.tolist()
    ends = [entry["data_offsets"][1] for entry in header.values()]
    assert len(content) == 8 + length + max(ends)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["one byte", "header", "other", "cut", "gone", "empty"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_taken(folder: Path, name: str, damage: str) -> None:
    path = folder / "step-000000003" / name
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "one byte":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "header":
        path.write_bytes(content.replace(b"2", b"3", 1))
    elif damage == "other":
        path.write_bytes(b"[]" if name == "state.json" else b"\2" + 7 * b"\0" + b"[]")
    else:
        path.write_bytes(content[: len(content) * 2 // 3] if damage == "cut" else b"")
    lines, hear = heard()
    found = checkpoint.read_newest(folder, hear)
    assert found is not None
    assert found.step == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"{folder}/step-000000003: {name}")


def test_if_none_is_whole_the_run_is_refused(folder: Path) -> None:
    for path in folder.glob("*/state.json"):
        path.write_text("{}")
    lines, hear = heard()
    with pytest.raises(UserError, match=r"no complete checkpoint in .*: start a new run with --out"):
        checkpoint.read_newest(folder, hear)
    assert len(lines) == 2


def test_a_run_that_never_saved_has_none(tmp_path: Path) -> None:
    assert checkpoint.read_newest(tmp_path / "checkpoint", print) is None


def test_what_a_killed_save_left_is_cleared_and_never_read(folder: Path) -> None:
    shutil.copytree(folder / "step-000000003", folder / ".step-000000004")
    (folder / ".step-000000004" / "state.json").unlink()
    found = checkpoint.read_newest(folder, print)
    assert found is not None
    assert found.step == 3
    save(folder, 5, {}, trained(5))
    assert sorted(path.name for path in folder.glob("*step*")) == ["step-000000003", "step-000000005"]


def test_what_a_killed_save_left_undone_is_done_before_a_run_goes_on(folder: Path) -> None:
    """Killed after the folder was put in place and before LATEST was."""
    (folder / "LATEST").rename(folder / ".LATEST")
    (folder / "LATEST").write_text("step-000000002\n")
    shutil.copytree(folder / "step-000000003", folder / ".step-000000004")
    checkpoint.repair_folder(folder, 3)
    assert sorted(path.name for path in folder.iterdir()) == ["LATEST", "step-000000002", "step-000000003"]
    assert (folder / "LATEST").read_text() == "step-000000003\n"


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Lets no file grow beyond `size` bytes: the operating system refuses the write, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line_and_leaves_what_was_there(folder: Path) -> None:
    size = (folder / "step-000000003" / "model.safetensors").stat().st_size
    for limit in (100, size - 1, size + 1):
        with disk_of(limit), pytest.raises(RunError) as caught:
            save(folder, 4, {}, trained(4))
        assert "cannot save step 4" in str(caught.value)
        assert "then continue with --resume" in str(caught.value)
        assert sorted(path.name for path in folder.glob("*step*")) == ["step-000000002", "step-000000003"]
        assert (folder / "LATEST").read_text() == "step-000000003\n"
