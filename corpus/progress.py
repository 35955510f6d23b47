"""What a running build says of itself: status.json for others, a line for the terminal, timings of its stages.

Workers count into files, one for each item they have claimed: a number of documents, and `done` behind it when the
item is. So progress crosses processes without a channel, and a worker that is killed takes nothing with it.
"""

from __future__ import annotations

import json
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from corpus import storage

SECONDS = 1.0
REMOTE_SECONDS = 10.0
"""How often status.json is written at most: every write to an object store is a request that costs."""
RUNS = 50
"""Runs that timings.json remembers."""

_claimed = threading.local()


@contextmanager
def counting(path: str) -> Iterator[None]:
    """In the block, `count` in this thread counts into the file at `path`; at its end it says `done`."""
    _claimed.path, _claimed.documents, _claimed.written = path, 0, 0.0
    try:
        yield
        _write_count(done=True)
    finally:
        _claimed.path = None


def count(documents: int) -> None:
    """So many more documents went through in this thread; nothing outside of `counting`."""
    if getattr(_claimed, "path", None) is None:
        return
    _claimed.documents += documents
    if time.monotonic() - _claimed.written > 0.5:
        _write_count(done=False)


def _write_count(done: bool) -> None:
    _claimed.written = time.monotonic()
    try:
        with open(_claimed.path, "r+b") as output:
            output.write(b"%d%s" % (_claimed.documents, b" done" if done else b""))
    except OSError:  # a full disk or a folder that went: the work itself will tell
        return


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a stage stands: items (splits, shards) done of all, documents through, documents a second, seconds left.

    `rate` and `left` are None where nothing is known yet.
    """

    stage: str
    done: int = 0
    total: int = 0
    documents: int = 0
    rate: float | None = None
    left: float | None = None


class Tally:
    """Adds up what workers count in a folder of claims. `weights` are the sizes of the items, in their order."""

    def __init__(self, stage: str, folder: str, weights: Sequence[int]) -> None:
        self.stage, self.folder, self.weights = stage, folder, weights
        self.began = time.monotonic()
        self._done: dict[int, int] = {}

    def look(self) -> Standing:
        """How it stands now. Time left goes by the weight that is done of the weight that took work."""
        at_work = 0
        documents = 0
        for entry in os.scandir(self.folder):
            if not entry.name.isdecimal() or int(entry.name) in self._done:
                continue
            try:
                with open(entry.path, "rb") as claim:
                    number, _, done = claim.read().partition(b" ")
            except FileNotFoundError:
                continue
            if done:
                self._done[int(entry.name)] = int(number or 0)
            else:
                at_work += 1
                documents += int(number or 0)
        finished = sum(self._done.values())
        elapsed = time.monotonic() - self.began
        documents += finished
        worked = [(self.weights[item], counted) for item, counted in self._done.items() if counted]
        weight = float(sum(size for size, _ in worked))
        left = None
        if weight and finished:
            through = weight * documents / finished  # the items at work count by their documents so far
            all_of_it = sum(self.weights) - sum(
                self.weights[i] for i, counted in self._done.items() if not counted
            )
            left = max(0.0, elapsed * (all_of_it - through) / through)
        return Standing(
            stage=self.stage,
            done=len(self._done),
            total=len(self.weights),
            documents=documents,
            rate=documents / elapsed if documents and elapsed > 0 else None,
            left=left,
        )


class Status:
    """`status.json` and `timings.json` of a workspace; docs/workspace.md says what is in them."""

    def __init__(self, root: str, show: Callable[[Standing], None] | None = None) -> None:
        self.path = storage.join(root, "status.json")
        self.timings_path = storage.join(root, "timings.json")
        self.show = show
        self.began = time.time()
        self.state = "running"
        self.standing = Standing(stage="")
        self.more: dict[str, Any] = {}
        self.stages: list[dict[str, Any]] = []
        self._written = 0.0
        self._spent: Callable[[], None] = _do_nothing
        self._every = REMOTE_SECONDS if storage.is_remote(root) else SECONDS

    def at(self, standing: Standing) -> None:
        """How the build stands now."""
        changed = standing.stage != self.standing.stage
        self.standing = standing
        if self.show is not None:
            self.show(standing)
        if changed or time.time() - self._written > self._every:
            self._write()

    @contextmanager
    def timed(self, stage: str, workers: int) -> Iterator[None]:
        """Times a stage: wall seconds, and those of the CPU in this process and in the workers it ended."""
        began, cpu = time.monotonic(), cpu_seconds()

        def spent() -> None:
            self._spent = _do_nothing
            documents = self.standing.documents if self.standing.stage == stage else 0
            self.stages.append(
                {
                    "stage": stage,
                    "seconds": round(time.monotonic() - began, 2),
                    "cpu_seconds": round(cpu_seconds() - cpu, 2),
                    "documents": documents,
                    "workers": workers,
                }
            )

        self._spent = spent
        try:
            yield
        finally:
            spent()

    def end(self, state: str, **more: Any) -> None:
        """The build is `done`, `failed` or `stopped`. A disk that is full does not stop the build from saying why."""
        self._spent()  # a build that is stopped has not left its stage
        self.state, self.more = state, {**self.more, **more}
        self.standing = replace(self.standing, left=None)
        try:
            self._write()
            self._write_timings()
        except OSError:
            return

    def where(self) -> str:
        """`ingest, 3 of 14`, or nothing before the first stage."""
        at = self.standing
        return f"{at.stage}, {at.done:,} of {at.total:,}" if at.stage else ""

    def _write(self) -> None:
        now = time.time()
        at = self.standing
        fields = {
            "state": self.state,
            "stage": at.stage,
            "done": at.done,
            "total": at.total,
            "documents": at.documents,
            "documents_per_second": round(at.rate, 1) if at.rate is not None else None,
            "seconds_left": round(at.left) if at.left is not None else None,
            **self.more,
            "process": os.getpid(),
            "began": round(self.began, 1),
            "updated": round(now, 1),
            "seconds": round(now - self.began, 1),
            "stages": self.stages,
        }
        storage.write_text(self.path, json.dumps(fields, indent=1) + "\n")
        self._written = now

    def _write_timings(self) -> None:
        """This run behind those before it."""
        run = {
            "began": round(self.began, 1),
            "seconds": round(time.time() - self.began, 1),
            "state": self.state,
            "stages": self.stages,
        }
        runs = [*read_timings(self.timings_path), run][-RUNS:]
        storage.write_text(self.timings_path, json.dumps({"runs": runs}, indent=1) + "\n")


def _do_nothing() -> None:
    """No stage is at work."""


def read_timings(path: str) -> list[dict[str, Any]]:
    """The runs in a timings.json, oldest first; none where there is no such file or it is damaged."""
    try:
        runs = json.loads(storage.read_text(path))["runs"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []
    return runs if isinstance(runs, list) else []


def last_run(path: str) -> dict[str, Any] | None:
    """The last run in a timings.json in which a stage had work, or the last one; None where there is none."""
    runs = read_timings(path)
    return next((run for run in reversed(runs) if run.get("stages")), runs[-1] if runs else None)


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))
