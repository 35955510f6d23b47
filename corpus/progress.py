"""What a running build says of itself: status.json for others, a line for the terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from corpus import storage


class Status:
    """`status.json` of a workspace: stage, items done and in all, state. Written at most once a second."""

    def __init__(self, root: str, show: Callable[[str, int, int], None] | None = None) -> None:
        self.path = storage.join(root, "status.json")
        self.show = show
        self.began = time.time()
        self.fields: dict[str, Any] = {"state": "running", "stage": "", "done": 0, "total": 0}
        self._written = 0.0

    def at(self, stage: str, done: int, total: int) -> None:
        """The stage has `done` of `total` items."""
        changed = stage != self.fields["stage"] or done == total
        self.fields.update(stage=stage, done=done, total=total)
        if self.show is not None:
            self.show(stage, done, total)
        if changed or time.time() - self._written > 1:
            self._write()

    def end(self, state: str, **more: Any) -> None:
        """The build is `done` or `failed`."""
        self.fields.update(state=state, **more)
        self._write()

    def _write(self) -> None:
        now = time.time()
        times = {
            "began": round(self.began, 1),
            "updated": round(now, 1),
            "seconds": round(now - self.began, 1),
        }
        storage.write_text(self.path, json.dumps({**self.fields, **times}, indent=1) + "\n")
        self._written = now
