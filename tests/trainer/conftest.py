"""A workspace of sentences, and one thread."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.trainer.sentences import shard, write_workspace


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources, four streams, one of them of two languages that share `language=other`."""
    return write_workspace(
        tmp_path_factory.mktemp("workspace"),
        {
            ("web", "eng_Latn"): {
                "train": [shard("eng_Latn", 20), shard("eng_Latn", 13)],
                "valid": [shard("eng_Latn", 3)],
            },
            ("web", "cmn_Hans"): {"train": [shard("cmn_Hans", 17)], "valid": [shard("cmn_Hans", 4)]},
            ("web", "other"): {
                "train": [shard("tha_Thai", 2) + shard("arb_Arab", 2)],
                "valid": [shard("tha_Thai", 1) + shard("arb_Arab", 2)],
            },
            ("books", "rus_Cyrl"): {"train": [shard("rus_Cyrl", 25)], "valid": [shard("rus_Cyrl", 2)]},
        },
        weights={"web": 3.0, "books": 1.0},
    )


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Two threads wait for each other's turns when the machine is busy; these models need only one."""
    torch.set_num_threads(1)
