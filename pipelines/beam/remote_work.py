"""Work on the machines of another engine: what a worker checks before it begins, and what it says where it fails.

All that passes between the command and the workers, besides Beam's elements, lies in a folder of the workspace: the
versions of the command, the items in pages, and the workers' notes on their progress.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from corpus import storage
from corpus.data import data_path
from corpus.environment import hash_package, list_versions
from corpus.errors import MESSAGE_CHARACTERS, RunError, describe_briefly, shorten_line
from corpus.progress import leave_notes

ITEMS_PER_PAGE = 256
"""Items in a file of the folder: a job's description has the number of pages alone, and engines bound its size."""
VERSIONS_FILE = "versions.json"
FAILED, REFUSED = "corpus-failed: ", "corpus-refused: "
"""How the line of a worker begins in whatever an engine makes of its error: what may be tried again, and what not."""
SAME_WHEEL = "install the wheel of this command there (docs/engines.md)"

_LINE = re.compile(rf"({FAILED}|{REFUSED})(.*?)(?: \[while running|\\n|\n|$)")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


_AT_WORK = threading.Lock()
"""Held while a process works on an item. Engines give a process several elements at once, in threads, and what it keeps
between documents is of one document at a time: ICU's iterators, the encoder's pieces, the models."""


class WorkError(Exception):
    """An error of a worker: one line, after `FAILED` or `REFUSED`."""


def write_versions(folder: str) -> None:
    """Write what workers compare with what they have into the folder of a pipeline run."""
    storage.write_text(storage.join(folder, VERSIONS_FILE), json.dumps(_list_own_versions()))


def write_items(folder: str, items: Sequence[str]) -> int:
    """Write the items of a pipeline run into its folder, in pages; return the number of pages."""
    starts = range(0, len(items), ITEMS_PER_PAGE)
    for page, start in enumerate(starts):
        storage.write_text(_page_path(folder, page), json.dumps(items[start : start + ITEMS_PER_PAGE]))
    return len(starts)


def open_page(page: int, folder: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered items of a page."""
    check_worker(folder)
    for number, item in enumerate(json.loads(storage.read_text(_page_path(folder, page)))):
        yield page * ITEMS_PER_PAGE + number, item


class RemoteWork:
    """Do the work of an item, one at a time in a process, with notes on its progress.

    Picklable if `work` is. Memory: what an item yields.
    """

    def __init__(self, work: Callable[[str], Iterable[Any]], folder: str) -> None:
        self.work, self.folder = work, folder

    def __call__(self, element: tuple[int, str]) -> Iterable[Any]:
        check_worker(self.folder)
        number, item = element
        with _AT_WORK, leave_notes(self.folder, number):
            try:
                return list(self.work(item))
            except Exception as error:
                raise WorkError(f"{FAILED}{describe_item(item)}{describe_place(error)}") from error


def describe_item(item: str) -> str:
    """Return `source/split` for the items that say it, else their beginning."""
    try:
        values = json.loads(item)
    except ValueError:
        return shorten_line(item, 80)
    if isinstance(values, dict) and {"source", "name"} <= values.keys():
        return f"{values['source']}/{values['name']}"
    if isinstance(values, list) and len(values) > 1 and all(isinstance(each, str) for each in values[:2]):
        return f"{values[0]}/{values[1]}"
    return shorten_line(item, 80)


def describe_place(error: Exception) -> str:
    """Return `, at FILE:OFFSET: TypeError: ...`, with the notes that an error has on its record."""
    notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
    return f"{notes}: {describe_briefly(error)}"


@cache
def check_worker(folder: str) -> None:
    """Raise WorkError if this worker does not see the folder, or has other code or libraries than the command."""
    path = storage.join(folder, VERSIONS_FILE)
    host = socket.gethostname()
    try:
        wanted = json.loads(storage.read_text(path))
    except FileNotFoundError:
        advice = "give --out a URL such as s3://BUCKET/PATH, or a folder on a disk that all workers mount at this path"
        raise WorkError(
            f"{REFUSED}the worker on {host} does not see {folder.rpartition('/.claims')[0]}: {advice}"
        ) from None
    here = _list_own_versions()
    other = [name for name, version in wanted.items() if here.get(name, version) != version]
    if other:
        named = ", ".join(f"{name} {here[name]} (here {wanted[name]})" for name in other[:4])
        raise WorkError(f"{REFUSED}the worker on {host} has {named}: {SAME_WHEEL}")


def find_work_error(text: str) -> RunError | str | None:
    """Return what a worker said, found in the error of an engine: a RunError if trying again cannot help, or a line.

    None where no worker said anything.
    """
    if lines := _LINE.findall(text):
        kind, line = lines[-1]
        return RunError(line.strip()) if kind == REFUSED else shorten_line(line, 2 * MESSAGE_CHARACTERS)
    if missing := _NO_MODULE.search(text):
        name = missing[1]
        if name.partition(".")[0] == "corpus":
            return RunError(f"the workers have no package corpus ({name} is not found): {SAME_WHEEL}")
        return RunError(f"the workers have no module {name}: install it where they run (docs/engines.md)")
    return None


@cache
def _list_own_versions() -> dict[str, str]:
    """Return the versions that must be the same on both sides; Python's without its last number."""
    import apache_beam

    versions = list_versions()
    del versions["machine"]
    versions["Python"] = versions["Python"].rpartition(".")[0]
    return {**versions, "apache-beam": apache_beam.__version__, "code of corpus": hash_package(data_path())}


def _page_path(folder: str, page: int) -> str:
    return storage.join(folder, f"items-{page:05d}.json")
