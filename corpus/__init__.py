"""corpus: multilingual pre-training corpora, from raw dumps to token shards, every decision on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.workspace import Workspace

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(root: str) -> Workspace:
    """The workspace at `root` (a folder or any fsspec URL), its results as Arrow datasets.

    >>> corpus.open("demo-workspace").documents().count_rows()   # doctest: +SKIP
    """
    from corpus.workspace import Workspace

    return Workspace.open(root)
