"""Write RUN/log.jsonl, and TensorBoard events beside it if TensorBoard is installed."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from corpus.errors import UserError


class Log:
    """log.jsonl: one JSON object per line. It is truncated to `size` bytes, so a resumed run logs no step twice."""

    def __init__(self, path: Path | None, size: int) -> None:
        """Open the log; without a path nothing is written, as only the first of several processes logs."""
        self.path = path
        self.file = open(os.devnull if path is None else path, "ab")  # noqa: SIM115 - closed by close()
        self.board = None
        if path is not None:
            self.file.truncate(min(size, self.file.seek(0, os.SEEK_END)))
            self.file.seek(0, os.SEEK_END)
            self.board = _open_tensorboard(path.parent / "tensorboard")

    def write(self, kind: str, **values: Any) -> None:
        if self.board is not None and kind in ("step", "evaluate"):
            for name, value in values.items():
                if isinstance(value, float):
                    self.board.add_scalar(f"{kind}/{name}", value, values["step"])
        self.file.write(json.dumps({"kind": kind, **values}, ensure_ascii=False).encode() + b"\n")
        self.file.flush()

    def sync(self) -> int:
        """Sync the log to disk; return its size in bytes."""
        if self.path is not None:
            os.fsync(self.file.fileno())
        return self.file.tell()

    def close(self) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()


def _open_tensorboard(folder: Path) -> Any:
    """Return a writer of TensorBoard events if TensorBoard is installed, else None."""
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def explain_no_run(run: Path) -> UserError:
    """Return the error for a folder that is no run: with the runs in it, if it is a workspace that has some."""
    runs = sorted(str(path.parent) for path in run.glob("runs/*/config.json"))
    if runs:
        return UserError(f"{run} is a workspace: name one of its runs, {', '.join(runs[:3])}")
    if (run / "workspace.json").exists():
        return UserError(f"{run} is a workspace without runs: `corpus train {run}` makes one")
    return UserError(f"{run} is not a run: `corpus train WORKSPACE --out {run}` makes one")
