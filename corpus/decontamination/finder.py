"""Find the items that a build looked for in texts that are none of its documents."""

from __future__ import annotations

from collections.abc import Sequence

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
        folder = workspace.path(item_index.FOLDER)
        self._index = item_index.open_index(
            folder, item_index.read_index_facts(folder).get("fingerprint", "")
        )
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


def find_holding(workspace: Workspace, texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return which texts hold items of a workspace's evaluation sets; none do where its build looked for no items."""
    if not has_hits(workspace):
        return np.zeros(len(texts), np.bool_)
    return ItemFinder(workspace).find_holding(texts)
