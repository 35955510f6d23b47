"""Write and read checkpoints: one folder per step, either complete or absent, without pickle.

    RUN/checkpoint/step-000000500/model.safetensors optimizer.safetensors state.json
    RUN/checkpoint/LATEST                            the name of the newest folder, written last

The files are written into a hidden folder, synced to disk, hashed into state.json, and the folder is renamed; a thread
does that from copies while training continues. The last few checkpoints are kept, and those of every n-th step are
never removed. A checkpoint whose hashes do not match is reported and skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from corpus.errors import RunError, UserError
from corpus.storage.fingerprint import fingerprint
from corpus.trainer.sharding import gather_tensor, is_divided, take_part
from corpus.trainer.tensors import DamagedCheckpoint, read_tensors, write_tensors


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


Optimizers = Sequence[torch.optim.Optimizer]


def _training_tensors(model: nn.Module, optimizers: Optimizers) -> dict[str, Tensor]:
    """Return the optimizers' state by parameter name (`exp_avg/norm.weight`), and torch's random generators."""
    tensors = {
        f"{key}/{name}": value
        for name, parameter in model.named_parameters()
        for optimizer in optimizers
        if parameter in optimizer.state
        for key, value in sorted(optimizer.state[parameter].items())
    }
    tensors["generator/cpu"] = torch.get_rng_state()
    device = next(model.parameters()).device
    if device.type == "cuda":
        tensors["generator/cuda"] = torch.cuda.get_rng_state(device)
    return tensors


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A complete checkpoint as read from disk: `state` is what the loop passed to `save`."""

    step: int
    state: dict[str, Any]
    model: dict[str, Tensor]
    training: dict[str, Tensor]

    def restore(self, model: nn.Module, optimizers: Optimizers) -> None:
        """Set model, optimizers and random generators to the saved values, bit by bit."""
        parameters = dict(model.named_parameters())
        device = next(iter(parameters.values())).device
        model.load_state_dict(
            {name: take_part(value, parameters[name]) for name, value in self.model.items()}
        )
        owner = {p: o for o in optimizers for group in o.param_groups for p in group["params"]}
        for key, value in self.training.items():
            kind, name = key.split("/", 1)
            if key == "generator/cpu":
                torch.set_rng_state(value)
            elif key == "generator/cuda":
                if device.type == "cuda":
                    torch.cuda.set_rng_state(value, device)
            else:
                parameter = parameters[name]
                same = value.shape == parameter.shape
                value = take_part(value, parameter) if same else value.to(parameter.device)
                owner[parameter].state[parameter][kind] = value


class CheckpointSaver:
    """Write the checkpoints of one run into `folder`, one at a time, in a separate thread.

    Training goes on meanwhile. On a GPU the tensors are copied on the device, which takes milliseconds, and from there
    by the thread. Elsewhere the thread copies them while the next gradient is computed, which changes none of them:
    `wait_copied` has to be called before an update. Either costs 12 bytes a parameter until the files are written.
    """

    def __init__(self, folder: Path, *, keep_last: int = 2, keep_every: int = 0, first: bool = True) -> None:
        self.first = first
        self.folder, self.keep_last, self.keep_every = folder, keep_last, keep_every
        self.written = -1
        """The step of the last checkpoint that is complete on disk; -1: none was written yet."""
        self.thread: threading.Thread | None = None
        self.copied = threading.Event()
        self.error: BaseException | None = None

    def save(self, step: int, state: dict[str, Any], model: nn.Module, optimizers: Optimizers) -> None:
        """Start to copy and write model and optimizers; see `wait_copied` and `wait`.

        Where they are divided among processes, every process calls this and the first one writes.
        """
        self.wait()
        live = [
            {name: value.detach() for name, value in model.state_dict().items()},
            _training_tensors(model, optimizers),
        ]
        divided = any(is_divided(value) for value in live[0].values())
        tensors = [_gather_tensors(each, self.first) for each in live] if divided else _copy_on_device(live)
        if not self.first:
            return
        self.copied.clear()
        ready = _record_event(tensors[0])

        def work() -> None:
            try:
                with _follow(ready):
                    copies = [{name: _to_host(value) for name, value in each.items()} for each in tensors]
                tensors.clear()
                self.copied.set()
                write_checkpoint(self.folder, step, state, *copies)
                self.written = step
                _remove_old(self.folder, self.keep_last, self.keep_every)
            except BaseException as error:  # of a thread: `wait` raises it again
                self.error = error
            finally:
                self.copied.set()

        self.thread = threading.Thread(target=work, name="checkpoint")
        self.thread.start()

    def wait_copied(self) -> None:
        """Return when model and optimizers may change again."""
        if self.thread is not None:
            self.copied.wait()

    def finish(self) -> None:
        """Wait until the checkpoint in progress is written or has failed; raise nothing."""
        if self.thread is not None:
            self.thread.join()

    def wait(self) -> None:
        """Return when the checkpoint in progress is on disk; raise RunError if the disk is full or broken."""
        self.finish()
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def _gather_tensors(live: dict[str, Tensor], first: bool) -> dict[str, Tensor]:
    """Return the whole of divided tensors, one after the other in the host's memory of the first process."""
    together = ((name, gather_tensor(value)) for name, value in live.items())
    return {name: value.to("cpu", copy=True) for name, value in together if first}


def _copy_on_device(live: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Return copies of the tensors on a GPU, in its memory if there is room, else in the host's; leave others."""
    try:
        return [{k: v.clone() if v.is_cuda else v for k, v in each.items()} for each in live]
    except torch.OutOfMemoryError:
        return [{k: v.cpu() if v.is_cuda else v for k, v in each.items()} for each in live]


def _record_event(tensors: dict[str, Tensor]) -> torch.cuda.Event | None:
    """Return an event behind the copies on a GPU, None on a CPU."""
    device = next(iter(tensors.values())).device
    if device.type != "cuda":
        return None
    with torch.cuda.device(device):
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
    return event


@contextmanager
def _follow(ready: torch.cuda.Event | None) -> Iterator[None]:
    """Copy in a stream of its own behind an event, so that a copy waits for no step and no step for it."""
    if ready is None:
        yield
        return
    stream = torch.cuda.Stream(ready.device)  # type: ignore[no-untyped-call]
    stream.wait_event(ready)
    with torch.cuda.stream(stream):
        yield


def _to_host(value: Tensor) -> Tensor:
    return value.to("cpu", copy=True)


def write_checkpoint(
    folder: Path, step: int, state: dict[str, Any], model: dict[str, Tensor], training: dict[str, Tensor]
) -> None:
    """Write the checkpoint of `step` into `folder`; raise RunError and leave the folder as it was if that fails."""
    temporary = folder / f".step-{step:09d}"
    final = folder / f"step-{step:09d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(folder)
        temporary.mkdir()
        files = {
            "model.safetensors": write_tensors(temporary / "model.safetensors", model),
            "optimizer.safetensors": write_tensors(temporary / "optimizer.safetensors", training),
        }
        content = {"step": step, "state": state, "files": files}
        _write_synced(
            temporary / "state.json", json.dumps({**content, "hash": fingerprint(content)}, indent=1)
        )
        _sync_folder(temporary)
        if final.exists():
            shutil.rmtree(final)
        temporary.rename(final)
        _sync_folder(folder)
        _write_latest(folder, final)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunError(
            f"cannot save step {step} to {folder} ({error.strerror}): free up space, then continue with --resume"
        ) from error


def repair_folder(folder: Path, step: int) -> None:
    """Repair the folder after a killed save: LATEST names `step`, and no half-written checkpoint is left."""
    try:
        _remove_unfinished(folder)
        _write_latest(folder, folder / f"step-{step:09d}")
    except OSError as error:
        raise RunError(
            f"cannot write to {folder} ({error.strerror}): free up space, then use --resume"
        ) from error


def _remove_unfinished(folder: Path) -> None:
    for leftover in folder.glob(".step-*"):
        shutil.rmtree(leftover)


def _write_latest(folder: Path, path: Path) -> None:
    _write_synced(folder / ".LATEST", path.name + "\n")
    (folder / ".LATEST").rename(folder / "LATEST")
    _sync_folder(folder)


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _remove_old(folder: Path, keep_last: int, keep_every: int) -> None:
    for old in _list_steps(folder)[:-keep_last]:
        if not (keep_every and int(old.name.removeprefix("step-")) % keep_every == 0):
            shutil.rmtree(old, ignore_errors=True)


def _list_steps(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-[0-9]*"))


def read_newest(folder: Path, damaged: Callable[[str], None], *, training: bool = True) -> Checkpoint | None:
    """Return the last complete checkpoint of a run, None if there is none yet.

    `damaged` is called with a line for each checkpoint that is skipped. Without `training`, only the model
    is read. Raises UserError if there are checkpoints and none of them is complete.
    """
    paths = _list_steps(folder)
    for path in reversed(paths):
        try:
            return _read_checkpoint(path, training)
        except DamagedCheckpoint as error:
            damaged(f"{path}: {error}; using the previous checkpoint")
    if paths:
        raise UserError(f"no complete checkpoint in {folder}: start a new run with --out")
    return None


def read_step(folder: Path, step: int, *, training: bool = True) -> Checkpoint:
    """Return the checkpoint of one step; raise UserError if it is missing or damaged."""
    path = folder / f"step-{step:09d}"
    try:
        return _read_checkpoint(path, training)
    except DamagedCheckpoint as error:
        there = (
            ", ".join(str(int(saved.name.removeprefix("step-"))) for saved in _list_steps(folder)) or "none"
        )
        what = error if path.exists() else f"no checkpoint of step {step}"
        raise UserError(f"{folder}: {what}; available steps: {there}") from None


def _read_checkpoint(path: Path, training: bool) -> Checkpoint:
    try:
        content = json.loads((path / "state.json").read_text(encoding="utf-8"))
        if content.pop("hash") != fingerprint(content):
            raise DamagedCheckpoint("state.json does not match its checksum")
        files = content["files"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DamagedCheckpoint(f"state.json cannot be read ({error})") from error
    return Checkpoint(
        step=content["step"],
        state=content["state"],
        model=read_tensors(path / "model.safetensors", files["model.safetensors"]),
        training=read_tensors(path / "optimizer.safetensors", files["optimizer.safetensors"])
        if training
        else {},
    )
