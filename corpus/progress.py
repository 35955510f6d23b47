"""Progress of a running build: status.json, a line for the terminal, and timings of its stages.

Workers write their counts to files, one for each item that they have claimed: the number of documents and the seconds
since they began it, followed by `done` and the documents of an earlier run when the item is finished. So progress needs
no channel between processes, and no count is lost with a worker that is killed. Workers of another engine may share no
disk but the workspace, which may be an object store: they leave two empty files for each item, whose names say it all.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from corpus import storage
from corpus.environment import list_versions
from corpus.processor_time import cpu_seconds

if TYPE_CHECKING:
    from rich.console import Console

STATUS_INTERVAL_SECONDS = 1.0
REMOTE_STATUS_INTERVAL_SECONDS = 10.0
"""Least time between two writes of status.json: on an object store, every write is a request that costs."""
MAX_TIMED_RUNS = 50
"""Runs that timings.json holds at most."""

_COMMAND_MODULES = tuple(
    os.path.join(*folders, "__main__.py") for folders in (("corpus",), ("pipelines", "cli"))
)

SLICES_FOLDER = "slices"
"""Folder of a workspace with the status and the timings of each slice, until a build takes them over."""

_EVERY_GROUP = "\0"
_claimed = threading.local()


BEGUN_NOTE = "{item}.begun"
DONE_NOTE = "{item}.{documents}.{earlier}.{milliseconds}.done"
"""Names of the files that a worker of another engine leaves for an item, before and after its work."""
_NOTE = re.compile(r"(\d+)\.(?:begun|(\d+)\.(\d+)\.(\d+)\.done)")


@contextmanager
def leave_notes(folder: str, item: int) -> Iterator[None]:
    """Leave a note in a folder, local or remote, that the work of the block has begun, and its counts when it ends.

    A note that cannot be written is missing from the progress, nothing else.
    """
    _claimed.path, _claimed.documents, _claimed.earlier, _claimed.written = "", 0, 0, 0.0
    _claimed.began = time.monotonic()
    try:
        _leave_note(folder, BEGUN_NOTE.format(item=item))
        yield
        spent = round(1000 * (time.monotonic() - _claimed.began))
        counts = {"documents": _claimed.documents, "earlier": _claimed.earlier, "milliseconds": spent}
        _leave_note(folder, DONE_NOTE.format(item=item, **counts))
    finally:
        _claimed.path = None


def _leave_note(folder: str, name: str) -> None:
    with suppress(OSError):
        storage.write_bytes(storage.join(folder, name), b"")


@contextmanager
def count_into(path: str) -> Iterator[None]:
    """Make `count_documents` in this thread write to the file at `path` within the block; then mark it `done`."""
    _claimed.path, _claimed.documents, _claimed.earlier, _claimed.written = path, 0, 0, 0.0
    _claimed.began = time.monotonic()
    try:
        yield
        _write_count(done=True)
    finally:
        _claimed.path = None


def count_documents(documents: int) -> None:
    """Add to the number of documents that this thread has processed. Outside of `count_into`, do nothing."""
    if getattr(_claimed, "path", None) is None:
        return
    _claimed.documents += documents
    if _claimed.path and time.monotonic() - _claimed.written > 0.5:
        _write_count(done=False)


def count_earlier(documents: int) -> None:
    """Add to the number of documents that an earlier run has processed. Outside of `count_into`, do nothing."""
    if getattr(_claimed, "path", None) is not None:
        _claimed.earlier += documents


def _write_count(done: bool) -> None:
    _claimed.written = time.monotonic()
    try:
        with open(_claimed.path, "r+b") as output:
            spent = time.monotonic() - _claimed.began
            end = b" done %d" % _claimed.earlier if done else b""
            output.write(b"%d %.3f%s" % (_claimed.documents, spent, end))
    except OSError:  # a full disk or a folder that went: the work itself will tell
        return


@dataclass(frozen=True, kw_only=True)
class StageProgress:
    """Progress of a stage: items (input splits, shards) done and in all, documents, documents a second, seconds left.

    `documents` are those that this run has processed, `earlier` those of items that an earlier run had done.
    `rate` and `left` are None while they are unknown.
    """

    stage: str
    done: int = 0
    total: int = 0
    documents: int = 0
    earlier: int = 0
    rate: float | None = None
    left: float | None = None


@dataclass(frozen=True, slots=True)
class _Count:
    """What a worker has written on an item: documents, seconds since it began, and documents of an earlier run."""

    documents: int = 0
    seconds: float = 0.0
    earlier: int = 0


class Tally:
    """Adds up the counts of workers in a folder of claims, or of notes, which may be remote.

    `weights` are the sizes of the items, in their order, and `groups` their kinds (sources): items of one group take
    about as long for their size, those of different groups may not.
    """

    def __init__(
        self, stage: str, folder: str, weights: Sequence[int], groups: Sequence[str] | None = None
    ) -> None:
        self.stage, self.folder, self.weights = stage, folder, weights
        self.groups = groups or [""] * len(weights)
        self.began = time.monotonic()
        self._done: dict[int, _Count] = {}

    def read_progress(self) -> StageProgress:
        """Return the current progress."""
        at_work = self._read_notes() if storage.is_remote(self.folder) else self._read_claims()
        elapsed = time.monotonic() - self.began
        documents = sum(count.documents for count in [*self._done.values(), *at_work.values()])
        return StageProgress(
            stage=self.stage,
            done=len(self._done),
            total=len(self.weights),
            documents=documents,
            earlier=sum(count.earlier for count in self._done.values()),
            rate=documents / elapsed if documents and elapsed > 0 else None,
            left=self._estimate_left(at_work),
        )

    def _read_claims(self) -> dict[int, _Count]:
        """Read what is new in a local folder, of claims or of notes; return the items at work."""
        at_work: dict[int, _Count] = {}
        notes = []
        for entry in os.scandir(self.folder):
            if not entry.name.isdecimal():
                notes.append(entry.name)
                continue
            if int(entry.name) in self._done:
                continue
            try:
                with open(entry.path, "rb") as claim:
                    numbers = claim.read().split()
            except FileNotFoundError:
                continue
            earlier = int(numbers[3]) if len(numbers) > 3 else 0
            count = _Count(int(numbers[0]), float(numbers[1]), earlier) if len(numbers) > 1 else _Count()
            (self._done if numbers[2:] else at_work)[int(entry.name)] = count
        return {**at_work, **self._add_notes(notes)}

    def _read_notes(self) -> dict[int, _Count]:
        """Read what is new in a remote folder, by its listing alone; return the items at work."""
        return self._add_notes(path.rpartition("/")[2] for path in storage.list_files(self.folder))

    def _add_notes(self, names: Iterable[str]) -> dict[int, _Count]:
        begun: set[int] = set()
        for name in names:
            if not (note := _NOTE.fullmatch(name)):
                continue
            item, *counts = (int(number or 0) for number in note.groups())
            if name.endswith(".begun"):
                begun.add(item)
            else:
                documents, earlier, milliseconds = counts
                self._done[item] = _Count(documents, milliseconds / 1000, earlier)
        return {item: _Count() for item in begun - self._done.keys()}

    def _estimate_left(self, at_work: Mapping[int, _Count]) -> float | None:
        """Return the seconds left: those of every open item by the pace of its group, over the items at work at once.

        Items without a document are those of an earlier run, or empty: they say nothing of the pace.
        """
        seconds: dict[str, float] = defaultdict(float)
        weight: dict[str, float] = defaultdict(float)
        for item, count in self._done.items():
            if count.documents:
                for group in (self.groups[item], _EVERY_GROUP):
                    seconds[group] += count.seconds
                    weight[group] += self.weights[item]
        if not weight[_EVERY_GROUP]:
            return None
        needed = []
        for item, size in enumerate(self.weights):
            if item not in self._done:
                group = self.groups[item] if weight.get(self.groups[item]) else _EVERY_GROUP
                whole = size * seconds[group] / weight[group]
                needed.append(max(0.0, whole - at_work.get(item, _Count()).seconds))
        return max(sum(needed) / max(1, len(at_work)), max(needed, default=0.0))


class Status:
    """Writes `status.json` and `timings.json` of a workspace; docs/workspace.md describes their contents."""

    def __init__(
        self, root: str, show: Callable[[StageProgress], None] | None = None, manifest: str | None = None
    ) -> None:
        self.path = storage.join(root, "status.json")
        self.timings_path = storage.join(root, "timings.json")
        self.show = show
        self.manifest = manifest
        self.began = time.time()
        self.state = "running"
        self.standing = StageProgress(stage="")
        self.command = describe_command()
        self.more: dict[str, Any] = {}
        self.stages: list[dict[str, Any]] = []
        self._written = 0.0
        self._spent: Callable[[], None] = _do_nothing
        self._every = REMOTE_STATUS_INTERVAL_SECONDS if storage.is_remote(root) else STATUS_INTERVAL_SECONDS

    def at(self, standing: StageProgress) -> None:
        """Record the current progress; write status.json if the stage is new or the last write is long enough ago."""
        changed = standing.stage != self.standing.stage
        self.standing = standing
        if self.show is not None:
            self.show(standing)
        if changed or time.time() - self._written > self._every:
            self._write()

    @contextmanager
    def time_stage(self, stage: str, workers: int) -> Iterator[None]:
        """Time a stage: wall seconds, and CPU seconds of this process and its workers."""
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
        """Record that the build is `done`, `failed` or `stopped`. Ignores write errors, so that the reason shows."""
        self._spent()  # a build that is stopped has not left its stage
        self.state, self.more = state, {**self.more, **more}
        self.standing = replace(self.standing, left=None)
        try:
            self._write()
            self._write_timings()
        except OSError:
            return

    def where(self) -> str:
        """Return a text such as `ingest, 3 of 14`, or an empty one before the first stage."""
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
            "documents_earlier": at.earlier,
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
        """Append this run to the earlier ones."""
        run = {
            "began": round(self.began, 1),
            "seconds": round(time.time() - self.began, 1),
            "state": self.state,
            "command": self.command,
            "stages": self.stages,
            "versions": list_versions(),
            **({"manifest": self.manifest} if self.manifest else {}),
        }
        runs = [*read_timings(self.timings_path), run][-MAX_TIMED_RUNS:]
        storage.write_text(self.timings_path, json.dumps({"runs": runs}, indent=1) + "\n")


def describe_command() -> str:
    """Return the command that this process runs; empty if it is none of corpus."""
    program, *arguments = sys.argv or [""]
    is_command = os.path.basename(program) == "corpus" or program.endswith(_COMMAND_MODULES)
    return shlex.join(["corpus", *arguments]) if is_command else ""


def _do_nothing() -> None:
    """Do nothing: no stage is running."""


def read_timings(path: str) -> list[dict[str, Any]]:
    """Return the runs in a timings.json, oldest first; an empty list if the file is missing or damaged."""
    try:
        runs = json.loads(storage.read_text(path))["runs"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []
    return runs if isinstance(runs, list) else []


def last_run(path: str) -> dict[str, Any] | None:
    """Return the last run in a timings.json in which a stage had work, else the last run; None if there is none."""
    runs = read_timings(path)
    return next((run for run in reversed(runs) if run.get("stages")), runs[-1] if runs else None)


def built_from(path: str) -> str | None:
    """Return the manifest of the last build in a timings.json, an absolute path or a URL; None if it does not say."""
    return next((run["manifest"] for run in reversed(read_timings(path)) if run.get("manifest")), None)


def built_with(path: str) -> dict[str, list[str]]:
    """Return name -> versions of the last run in a timings.json that had ingest to do, and of the runs since then
    that had work; empty if the file does not say, as in a workspace of before versions were recorded."""
    versions: dict[str, list[str]] = {}
    is_whole = False
    for run in reversed(read_timings(path)):
        if not run.get("stages"):
            continue
        if is_whole and "slices" not in run:
            break
        for name, version in run.get("versions", {}).items():
            if version not in versions.setdefault(name, []):
                versions[name].append(version)
        is_whole = is_whole or any(stage["stage"] == "ingest" for stage in run["stages"])
    return versions


def merge_slice_timings(root: str) -> None:
    """Take the timings of slices over into those of their workspace: one run for all that had the same versions."""
    folder = storage.join(root, SLICES_FOLDER)
    names = [name for name in storage.list_files(folder) if name.endswith("/timings.json")]
    merged: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name in names:
        for run in read_timings(name):
            merged[json.dumps(run["versions"])].append(run)
    if merged:
        path = storage.join(root, "timings.json")
        runs = [*read_timings(path), *map(_sum_slices, merged.values())][-MAX_TIMED_RUNS:]
        storage.write_text(path, json.dumps({"runs": runs}, indent=1) + "\n")
    storage.remove_folder(folder)


def _sum_slices(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the runs of slices as one, from the begin of the first to the end of the last."""
    began = min(run["began"] for run in runs)
    stages = [stage for run in runs for stage in run["stages"]]
    return {
        **runs[-1],
        "began": began,
        "seconds": round(max(run["began"] + run["seconds"] for run in runs) - began, 1),
        "slices": len(runs),
        "stages": [
            {
                "stage": "ingest",
                "seconds": round(sum(stage["seconds"] for stage in stages), 2),
                "cpu_seconds": round(sum(stage["cpu_seconds"] for stage in stages), 2),
                "documents": sum(stage["documents"] for stage in stages),
                "workers": max((stage["workers"] for stage in stages), default=1),
            }
        ],
    }


def is_live(console: Console) -> bool:
    """Return whether a line on this console can be overwritten.

    Not in a file or a pipe, whatever the environment says of colours (FORCE_COLOR), nor on a dumb terminal.
    """
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def format_time(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
