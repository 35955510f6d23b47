from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.document import document_id
from corpus.tokens import sample
from corpus.workspace import Workspace
from tests.tokens.made import Doc, make_workspace

SPLIT = ("web", "aa")


def parts(workspace: Workspace, split: tuple[str, str] = SPLIT) -> tuple[str, str]:
    return workspace.part("documents", *split), workspace.part("decisions", *split)


def drawn(
    workspace: Workspace, budget: int, alpha: float, *splits: tuple[str, str], seed: int = 0
) -> list[str]:
    """The sample over some splits, as the pipeline takes it."""
    histograms = [sample.build_histogram(*parts(workspace, split), seed) for split in splits]
    cuts = sample.choose_cuts(sample.merge_histograms(histograms), budget, alpha)
    return [
        text for split in splits for text in sample.read_sampled_texts(*parts(workspace, split), seed, cuts)
    ]


def test_only_kept_training_documents_are_sampled(tmp_path: Path) -> None:
    docs = [
        Doc("to train on"),
        Doc("to validate on", side="valid"),
        Doc("dropped by a rule", side=None),
        Doc(None, side=None),
        Doc("of no known language", language=None),
        Doc("最後", language="cmn_Hant"),
    ]
    workspace = make_workspace(tmp_path, {SPLIT: docs}, rows_a_group=2)
    assert drawn(workspace, 10**6, 0.3, SPLIT) == ["to train on", "of no known language", "最後"]
    table = sample.build_histogram(*parts(workspace), 0).to_pydict()
    assert table["language"] == ["cmn_Hant", "eng_Latn", "und_Zyyy"]
    assert table["bytes"] == [6, 11, 20]


def test_a_sample_does_not_depend_on_how_the_corpus_was_split(tmp_path: Path) -> None:
    docs = [Doc(f"document {i} " * 20, ["eng_Latn", "deu_Latn"][i % 2]) for i in range(300)]
    one = make_workspace(tmp_path / "one", {SPLIT: docs})
    table = sample.build_histogram(*parts(one), 0)
    cuts = sample.choose_cuts(table, 20_000, 0.3)
    texts = list(sample.read_sampled_texts(*parts(one), 0, cuts))
    other_groups = make_workspace(tmp_path / "two", {SPLIT: docs}, rows_a_group=77)
    assert sample.build_histogram(*parts(other_groups), 0).equals(table)
    assert list(sample.read_sampled_texts(*parts(other_groups), 0, cuts)) == texts
    assert 0.8 * 20_000 < sum(map(len, texts)) <= 20_000
    assert set(drawn(one, 20_000, 0.3, SPLIT, seed=1)) != set(texts)


def test_small_languages_are_taken_whole_and_large_ones_share_the_rest(tmp_path: Path) -> None:
    docs = [Doc(f"{i:010}" * 10) for i in range(2000)] + [Doc(f"{i:05}" * 4, "tha_Thai") for i in range(20)]
    workspace = make_workspace(tmp_path, {SPLIT: docs}, rows_a_group=500)
    table = sample.build_histogram(*parts(workspace), 0)
    sizes = sample.measure_sample(table, sample.choose_cuts(table, 20_000, 0.3))
    assert sizes["tha_Thai"] == {"documents": 20, "bytes": 400, "of_documents": 20, "of_bytes": 400}
    assert 0.9 * 19_600 <= sizes["eng_Latn"]["bytes"] <= 19_600
    assert sizes["eng_Latn"]["of_bytes"] == 200_000


def test_a_long_document_gives_its_beginning(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, {SPLIT: [Doc("ไทย" * 50_000, "tha_Thai")]})
    (text,) = drawn(workspace, 10**6, 0.3, SPLIT)
    assert text == ("ไทย" * 50_000)[: sample.MAX_SAMPLED_DOCUMENT_BYTES // 3]
    assert sample.build_histogram(*parts(workspace), 0).column("bytes").to_pylist() == [
        sample.MAX_SAMPLED_DOCUMENT_BYTES
    ]


def test_no_training_documents_give_no_sample(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, {SPLIT: [Doc("gone", side=None)], ("web", "bb"): []})
    assert drawn(workspace, 1000, 0.3, SPLIT, ("web", "bb")) == []


def test_bins_halve_every_sixteen() -> None:
    ids = pa.array([document_id("web", str(i)) for i in range(20_000)])
    found = sample.assign_bins(ids, seed=3)
    for bin_, share in ((16, 1 / 2), (32, 1 / 4), (64, 1 / 16)):
        assert np.mean(found >= bin_) == pytest.approx(share, rel=0.1)
    assert found.min() == 0 and found.max() < 848


sizes = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.integers(1, 10**9), min_size=1)


@given(sizes, st.integers(1, 10**9), st.floats(0, 1))
def test_budgets_are_spent_and_never_more_than_there_is(
    sizes: dict[str, int], total: int, alpha: float
) -> None:
    given_ = sample.allocate_budgets(sizes, total, alpha)
    assert given_.keys() == sizes.keys()
    assert sum(given_.values()) == pytest.approx(min(total, sum(sizes.values())))
    assert all(given_[name] <= size + 1e-6 for name, size in sizes.items())
    open_ = [name for name, size in sizes.items() if given_[name] < size * 0.999]
    for name in open_:
        assert given_[name] / given_[open_[0]] == pytest.approx((sizes[name] / sizes[open_[0]]) ** alpha)
