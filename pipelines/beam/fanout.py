"""Distribute work: one string per item, each done once, by the next free worker."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from corpus import storage
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.remote_work import RemoteWork, open_page, write_items, write_versions
from corpus.progress import count_into
from corpus.storage import is_remote

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection, Transform

PipelineBuilder: TypeAlias = "Callable[[beam.Pipeline], PCollection[str]]"
"""Builds a pipeline that yields what it has done."""
CLAIMS_PREFIX = ".claims-"
ENGINE_FOLDER = f"{CLAIMS_PREFIX}engine"
"""Folder of the workspace for the runs of another engine: one at a time, since a build holds the lock."""
CLAIMS_PER_WORKER = 4
"""Local elements per worker: the engine assigns them statically, so that each worker gets some."""


def do_nothing(root: beam.Pipeline) -> None:
    """Put no work on a pipeline."""
    from corpus.pipelines.beam.types import create

    root | "Nothing to do" >> create([], int)


def fan_out(
    items: Sequence[str],
    work: Callable[[str], Iterable[Any]],
    running: Running,
    claims: str | None,
    result_type: Any = str,
) -> Transform:
    """Return what transforms a Pipeline into what `work(item)` yields for every item, in any order.

    `items` are in the order in which they should be started (largest first). Locally `claims` is an
    empty folder for this run only; the engine assigns elements statically, so workers claim items
    from it instead. Elsewhere every item is an element of its own, reshuffled so that it is not fused with its
    neighbours, and `claims` is the folder of the workspace through which workers get the items: see
    `corpus.pipelines.beam.remote_work`. Flink deals reshuffled elements out in turn; groups go by the hash of their
    key, which gave two of its machines 29 and 19 of 48 items.
    """
    from corpus.pipelines.beam.types import create, flat_map, group_by_key, in_sequence, reshuffle

    if running.local and claims is not None:
        elements = [(number, "") for number in range(running.workers * CLAIMS_PER_WORKER)]
        each = flat_map(work_on_claims, work, list(items), claims, output=result_type)
    elif claims is not None:
        return in_sequence(
            {
                "Items": create(range(write_items(claims, items)), int),
                "Open": flat_map(open_page, claims, output=tuple[int, str]),
                "Deal": reshuffle(),
                "Work": flat_map(RemoteWork(work, claims), output=result_type),
            },
            result_type,
        )
    else:
        elements = list(enumerate(items))
        each = flat_map(work_on_element, work, output=result_type)
    return in_sequence(
        {"Items": create(elements, tuple[int, str]), "Deal": group_by_key(), "Work": each}, result_type
    )


def fan_out_pipeline(
    name: str,
    items: Sequence[str],
    work: Callable[[str], Iterable[str]],
    running: Running,
    claims: str | None,
) -> PipelineBuilder:
    """Return a function that builds a pipeline that does `work` for every item in one step of this name; it yields what
    `work` does."""

    def build(start: beam.Pipeline) -> PCollection[str]:
        done: PCollection[str] = start | name >> fan_out(items, work, running, claims)
        return done

    return build


def work_on_element(
    element: tuple[int, Iterable[str]], work: Callable[[str], Iterable[Any]]
) -> Iterator[Any]:
    """Do the items of an element, for runners that balance the load themselves."""
    for item in element[1]:
        yield from work(item)


def work_on_claims(
    _: tuple[int, Iterable[str]], work: Callable[[str], Iterable[Any]], items: Sequence[str], claims: str
) -> Iterator[Any]:
    """Do items from a queue until it is empty: a claim is a file that only one worker can create."""
    for number, item in enumerate(items):
        try:
            os.close(os.open(f"{claims}/{number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        with count_into(f"{claims}/{number}"):
            yield from work(item)


@contextmanager
def make_claims_folder(running: Running, root: str | None = None) -> Iterator[str | None]:
    """Yield a folder for one pipeline run: for the claims of local workers, or for those of another engine.

    It is created in `root` if that is a local folder, so that a later build can remove it after a kill. That of another
    engine is always in `root`, which its workers reach, with the versions that they must have; without a root it is
    None.
    """
    if not running.local:
        if root is None:
            yield None
            return
        with _make_engine_folder(root) as shared:
            yield shared
        return
    local_root = root if root is not None and not is_remote(root) else None
    folder = tempfile.mkdtemp(prefix=CLAIMS_PREFIX, dir=local_root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _make_engine_folder(root: str) -> Iterator[str]:
    storage.remove_folder(storage.join(root, ENGINE_FOLDER))  # of a build that was killed
    folder = storage.join(root, ENGINE_FOLDER, uuid.uuid4().hex)
    write_versions(folder)
    try:
        yield folder
    finally:
        storage.remove_folder(storage.join(root, ENGINE_FOLDER))
