"""Find the items that a build looked for in texts that are none of its documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.decontamination import item_index
from corpus.decontamination.comparing import find_candidates
from corpus.decontamination.hits import has_hits, weights_path
from corpus.decontamination.judging import HIT, judge_candidate, read_weights
from corpus.decontamination.options import DecontaminationOptions
from corpus.decontamination.scanning import TextScan
from corpus.workspace import Workspace


class ItemFinder:
    """The items of a workspace's evaluation sets, with the weights that its documents give."""

    def __init__(self, workspace: Workspace, options: DecontaminationOptions | None = None) -> None:
        """Raises UserError if the build looked for no items."""
        self._options = options or DecontaminationOptions()
        self.index = read_sought(workspace)
        self._index = item_index.open_index(workspace.path(item_index.FOLDER), self.index)
        self._weights = read_weights(weights_path(workspace), self._options)

    def find_holding(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which texts hold items."""
        holding = np.zeros(len(texts), np.bool_)
        for shared in TextScan(texts, self._index).shared:
            holding[shared.document] = any(
                judge_candidate(each.item, each.matched, self._index, self._weights, self._options).kind
                == HIT
                for each in find_candidates(texts[shared.document], shared, self._index)
            )
        return holding


def read_sought(workspace: Workspace) -> str:
    """Return the fingerprint of a workspace's index, which says what its build looked for; empty without one."""
    sought: str = item_index.read_index_facts(workspace.path(item_index.FOLDER)).get("fingerprint", "")
    return sought


def open_finders(roots: Iterable[str]) -> list[ItemFinder]:
    """Return a finder for each index that the builds of some workspaces looked for; those that looked for none have
    none."""
    finders: dict[str, ItemFinder] = {}
    for workspace in map(Workspace.open, dict.fromkeys(roots)):
        if has_hits(workspace):
            finder = ItemFinder(workspace)
            finders.setdefault(finder.index, finder)
    return list(finders.values())


def find_holding(finders: Iterable[ItemFinder], texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return which texts hold items that one of some finders looks for."""
    holding = np.zeros(len(texts), np.bool_)
    for finder in finders:
        holding |= finder.find_holding(texts)
    return holding
