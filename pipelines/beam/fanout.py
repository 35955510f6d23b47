"""Distribute work: one string per item, each done once, by the next free worker."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam

from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.types import PCollection, Transform, create, group_by_key, par_do
from corpus.progress import count_into
from corpus.storage import is_remote

CLAIMS_PREFIX = ".claims-"
CLAIMS_PER_WORKER = 4
"""Local elements per worker: the engine assigns them statically, so that each worker gets some."""


class _WorkOnElement(beam.DoFn):
    """Do one item per element, for runners that balance the load themselves."""

    def __init__(self, work: Callable[[str], Iterable[Any]]) -> None:
        self.work = work

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[Any]:
        for item in element[1]:
            yield from self.work(item)


class _WorkOnClaims(beam.DoFn):
    """Do items from a queue until it is empty: a claim is a file that only one worker can create."""

    def __init__(self, work: Callable[[str], Iterable[Any]], items: Sequence[str], claims: str) -> None:
        self.work, self.items, self.claims = work, list(items), claims

    def process(self, _: tuple[int, Iterable[str]]) -> Iterator[Any]:
        for number, item in enumerate(self.items):
            try:
                os.close(os.open(f"{self.claims}/{number}", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            with count_into(f"{self.claims}/{number}"):
                yield from self.work(item)


class FanOut(Transform):
    """Transform a Pipeline into what `work(item)` yields for every item, in any order.

    `items` are in the order in which they should be started (largest first). Locally `claims` is an
    empty folder for this run only; the engine assigns elements statically, so workers claim items
    from it instead. Elsewhere every item is an element with a key of its own, grouped so that it is not
    fused with its neighbours (Beam's Reshuffle does the same and pickles timestamps on the way).
    """

    def __init__(
        self,
        items: Sequence[str],
        work: Callable[[str], Iterable[Any]],
        running: Running,
        claims: str | None,
        result_type: Any = str,
    ) -> None:
        super().__init__()
        self.items, self.work, self.running, self.claims, self.result_type = (
            items,
            work,
            running,
            claims,
            result_type,
        )

    def expand(self, pipeline: beam.Pipeline) -> PCollection[Any]:
        each: beam.DoFn = _WorkOnElement(self.work)
        elements = list(enumerate(self.items))
        if self.running.local and self.claims is not None:
            each = _WorkOnClaims(self.work, self.items, self.claims)
            elements = [(number, "") for number in range(self.running.workers * CLAIMS_PER_WORKER)]
        done: PCollection[Any] = (
            pipeline
            | "Items" >> create(elements, tuple[int, str])
            | "Deal" >> group_by_key()
            | "Work" >> par_do(each, self.result_type)
        )
        return done


@contextmanager
def make_claims_folder(running: Running, root: str | None = None) -> Iterator[str | None]:
    """Yield an empty folder for the claims of one pipeline run; None if another runner distributes the work.

    It is created in `root` if that is a local folder, so that a later build can remove it after a kill.
    """
    if not running.local:
        yield None
        return
    local_root = root if root is not None and not is_remote(root) else None
    folder = tempfile.mkdtemp(prefix=CLAIMS_PREFIX, dir=local_root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
