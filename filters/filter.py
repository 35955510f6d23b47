"""The contract between a filter and whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from corpus.text.page import Page

NOT_MEASURED = float("nan")


class Filter(Protocol):
    """Computes signals of a page. A module of this package offers one by `create(**options) -> Filter`.

    `signals` are full names (`gopher.mean_word_length`), `parameters` all that the values depend on beside
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
        """One value for each of `signals`, in their order; nan where it is not measured."""
        ...


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A filter that is one function of a page."""

    step: str
    version: int
    signals: tuple[str, ...]
    measure: Callable[[Page], Sequence[float]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
