"""The interface of filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from corpus.text.batch import PageBatch
    from corpus.text.page import Page

NOT_MEASURED = float("nan")


class Filter(Protocol):
    """Computes signals of a page. Each filter module creates its filter with `create(**options) -> Filter`.

    `signals` are full names (`gopher.mean_word_length`), `parameters` all that the values depend on besides
    the text and `version` (JSON values: options, hashes of models and data), for fingerprints.
    """

    @property
    def step(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def signals(self) -> tuple[str, ...]: ...

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    def measure(self, page: Page, /) -> Sequence[float]:
        """Return one value for each of `signals`, in their order; nan if it is not measured."""
        ...


MeasureBatch: TypeAlias = "Callable[[PageBatch], npt.NDArray[np.float64]]"
"""float64[pages, signals] of a batch of pages: what `measure` returns of each, to the last bit."""


def measure_together(step_filter: Filter, batch: PageBatch) -> npt.NDArray[np.float64] | None:
    """Return float64[pages, signals] of a batch at once; None if the filter must measure each page alone."""
    from corpus.text.ngrams import ConfusedHashesError

    measure_batch: MeasureBatch | None = getattr(step_filter, "measure_batch", None)
    if measure_batch is None:
        return None
    try:
        return measure_batch(batch)
    except ConfusedHashesError:
        return None


@dataclass(frozen=True, kw_only=True)
class FunctionFilter:
    """A filter that is one function of a page; `measure_batch`, if there is one, does the same for many at once.

    `find_parameters` gives `parameters`: asked for after the names of signals, since it may read every language file.
    """

    step: str
    version: int
    signals: tuple[str, ...]
    measure: Callable[[Page], Sequence[float]]
    find_parameters: Callable[[], Mapping[str, Any]] = dict
    measure_batch: MeasureBatch | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.find_parameters()
