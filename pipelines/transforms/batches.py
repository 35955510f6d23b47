"""Work on several elements of a bundle together; what comes out keeps the time and the window of what went in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

from corpus.pipelines.beam.types import put_in_window

BATCH_ELEMENTS, BATCH_BYTES = 256, 16 << 20
"""A batch ends with the bundle, or earlier with as many elements or bytes."""


class BatchedWork(beam.DoFn):
    """Calls `work` with batches of a bundle's elements: as many as it has, up to `BATCH_ELEMENTS` and `BATCH_BYTES`.

    Elements in several windows are worked on once for each.
    """

    def start_bundle(self) -> None:
        self._waiting: list[tuple[Any, Any, Any]] = []
        self._size = 0

    def process(
        self,
        element: Any,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[Any]:
        self._waiting.append((element, timestamp, window))
        self._size += self.weigh(element)
        if len(self._waiting) >= BATCH_ELEMENTS or self._size >= BATCH_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[Any]:
        yield from self._flush()

    def _flush(self) -> Iterator[Any]:
        waiting, self._waiting, self._size = self._waiting, [], 0
        outcomes = self.work([element for element, _, _ in waiting])
        for (_, timestamp, window), outcome in zip(waiting, outcomes, strict=True):
            yield put_in_window(outcome, timestamp, window)

    def weigh(self, element: Any) -> int:
        """Return about how many bytes an element takes; 0 if only their number matters."""
        return 0

    @abstractmethod
    def work(self, elements: Sequence[Any]) -> Iterable[object]:
        """Return one outcome for each element, in their order; a tagged one goes to the output of its tag."""
