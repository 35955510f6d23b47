"""Distribute work: one string per item, each done once, by the next free worker."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from corpus.pipelines.beam.options import Running
from corpus.progress import count_into
from corpus.storage import is_remote

if TYPE_CHECKING:
    from corpus.pipelines.beam.types import Transform

CLAIMS_PREFIX = ".claims-"
CLAIMS_PER_WORKER = 4
"""Local elements per worker: the engine assigns them statically, so that each worker gets some."""


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
    from it instead. Elsewhere every item is an element with a key of its own, grouped so that it is not
    fused with its neighbours (Beam's Reshuffle does the same and pickles timestamps on the way).
    """
    from corpus.pipelines.beam.types import create, flat_map, group_by_key, in_sequence

    if running.local and claims is not None:
        elements = [(number, "") for number in range(running.workers * CLAIMS_PER_WORKER)]
        each = flat_map(work_on_claims, work, list(items), claims, output=result_type)
    else:
        elements = list(enumerate(items))
        each = flat_map(work_on_element, work, output=result_type)
    return in_sequence(
        {"Items": create(elements, tuple[int, str]), "Deal": group_by_key(), "Work": each}, result_type
    )


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
