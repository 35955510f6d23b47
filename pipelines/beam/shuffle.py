"""Two ways to bring packed arrays to the ranges that read them: through the engine's GroupByKey, or in runs on disk.

A step is a function of the packed arrays of one range that yields packed arrays for others. Elsewhere the engine
carries them: it shuffles on disk. Beam's local engine holds what it shuffles in the process that started it, so there
a step writes what it yields to a run (`corpus.pipelines.beam.runs`), and only the name of the run, the batch and the
size go through the engine. The engine schedules the steps in both ways, and they see the same arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.packed import Element, Gathered
from corpus.pipelines.beam.runs import RunChunk, StoredChunks, write_run

Step = Callable[..., Iterator[Element]]


@dataclass(frozen=True)
class Shuffle:
    """How elements travel: in runs below the local folder `runs`, or, if it is None, through the engine."""

    runs: str | None = None

    def send(self, step: str, producer: str, elements: Iterable[Element]) -> Iterator[Element]:
        """Yield what the engine has to carry of the elements that the item `producer` of a step yields."""
        if self.runs is None:
            yield from elements
            return
        for key, chunk in write_run(self.runs, f"{step}/{producer}", elements):
            yield key, chunk.encode()

    def receive(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        """Return the packed arrays behind what the engine carried."""
        return chunks if self.runs is None else StoredChunks(self.runs, map(RunChunk.decode, chunks))


def choose_shuffle(running: Running, claims: str | None, in_runs: bool | None) -> Shuffle:
    """Return how a pipeline's elements travel: in runs in the folder `claims` if `in_runs`, by default with the local
    engine; through the engine where there is no such folder."""
    use_runs = running.local if in_runs is None else in_runs
    return Shuffle(f"{claims}/runs" if use_runs and claims is not None else None)


def run_item(
    item: str, shuffle: Shuffle, step: str, work: Callable[[str], Iterator[Element]]
) -> Iterator[Element]:
    """Do an item of a pipeline's first step."""
    return shuffle.send(step, item.replace(":", "-"), work(item))


def run_range(
    element: Gathered, shuffle: Shuffle, step: str, function: Step, *arguments: Any
) -> Iterator[Element]:
    """Do a step for one range."""
    key, chunks = element
    return shuffle.send(step, f"{key:05d}", function((key, shuffle.receive(chunks)), *arguments))


def end_range(element: Gathered, shuffle: Shuffle, function: Step, *arguments: Any) -> Iterator[Element]:
    """Do a step whose results are few and short: the engine carries them."""
    key, chunks = element
    return function((key, shuffle.receive(chunks)), *arguments)
