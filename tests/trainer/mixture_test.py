"""Mixtures given to a run: by file or preset, capped, and refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import UserError
from corpus.trainer.dataset import Dataset, DatasetShard, DatasetStream, open_dataset
from corpus.trainer.mixture import TrainingMixture, cap_weights, compute_shares, read_mixture
from corpus.trainer.start import configure_new_run, configure_resumed_run, write_run_files
from tests.trainer.sentences import small_run


def stream(source: str, language: str, tokens: int) -> DatasetStream:
    shard = DatasetShard(
        path="", split="train", source=source, language=language, rows=1, tokens=tokens, bytes=1, sha256=""
    )
    return DatasetStream(source=source, language=language, shards=(shard,))


GPT3 = [
    stream("commoncrawl", "eng_Latn", 410_000),
    stream("webtext2", "eng_Latn", 19_000),
    stream("books1", "eng_Latn", 12_000),
    stream("books2", "eng_Latn", 55_000),
    stream("wikipedia", "eng_Latn", 3_000),
]


def test_the_preset_gives_gpt3s_epochs() -> None:
    found = compute_shares(read_mixture("gpt3"), GPT3, 300_000)
    epochs = [300_000 * found[s.name] / s.tokens for s in GPT3]
    assert epochs == pytest.approx([0.44, 2.9, 1.9, 0.43, 3.4], rel=0.2)


def test_a_source_that_is_not_there_leaves_its_weight_to_the_others() -> None:
    found = compute_shares(read_mixture("gpt3"), [GPT3[0], GPT3[4]], 1000)
    assert found["commoncrawl/eng_Latn"] == pytest.approx(60 / 63)


def test_a_source_that_the_mixture_does_not_know_is_refused() -> None:
    with pytest.raises(UserError, match=r"--mixture does not list the source forum, only books1, books2"):
        compute_shares(read_mixture("gpt3"), [*GPT3, stream("forum", "tha_Thai", 5)], 1000)


def test_a_temperature_lifts_small_languages() -> None:
    streams = [stream("web", "eng_Latn", 900), stream("web", "tha_Thai", 100)]
    assert list(compute_shares(TrainingMixture(temperature=0.5), streams, None).values()) == pytest.approx(
        [0.75, 0.25]
    )
    assert list(compute_shares(TrainingMixture(), streams, None).values()) == pytest.approx([0.9, 0.1])


def test_what_a_cap_takes_goes_to_the_others() -> None:
    streams = [
        stream("web", "eng_Latn", 900),
        stream("web", "cmn_Hans", 900),
        stream("books", "jpn_Jpan", 10),
    ]
    mixture = TrainingMixture(weights={"web": 1, "books": 1}, max_epochs=4)
    found = compute_shares(mixture, streams, 1000)
    assert found == pytest.approx({"web/eng_Latn": 0.48, "web/cmn_Hans": 0.48, "books/jpn_Jpan": 0.04})
    with pytest.raises(UserError, match="max_epochs leaves too little text for this run"):
        compute_shares(mixture, streams, 100_000)
    with pytest.raises(UserError, match="max_epochs needs a run of known length"):
        compute_shares(mixture, streams, None)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.001, 10), st.floats(0.01, 2)), min_size=1, max_size=12))
def test_capped_weights_sum_to_one_and_keep_their_bounds(rows: list[tuple[float, float]]) -> None:
    weights = {str(i): weight / sum(w for w, _ in rows) for i, (weight, _) in enumerate(rows)}
    most = {str(i): bound for i, (_, bound) in enumerate(rows)}
    if sum(most.values()) < 1:
        with pytest.raises(UserError):
            cap_weights(weights, most)
        return
    found = cap_weights(weights, most)
    assert sum(found.values()) == pytest.approx(1)
    assert all(found[name] <= most[name] + 1e-9 for name in found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or preset: choose from balanced, gpt3"),
        ("weights: {web: -1}", "weights.web: give a number of at least 0"),
        ("epoch: {web: 1}", "epoch: Extra inputs are not permitted"),
        ("weights: {web: 1}\nepochs: {web: 1}", "weights and epochs both say how often"),
        ("weights: [", "is not YAML: while parsing"),
    ],
)
def test_a_wrong_mixture_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "mixture.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_mixture(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_keeps_the_mixture_that_it_began_with(workspace: Path, tmp_path: Path) -> None:
    dataset: Dataset = open_dataset(str(workspace))
    (tmp_path / "m.yaml").write_text("weights: {web: 1, books: 9}")
    config = configure_new_run(dataset, str(workspace), {"steps": 5, "mixture": str(tmp_path / "m.yaml")})
    assert config.shares["books/rus_Cyrl"] == pytest.approx(0.9)
    assert sum(config.shares.values()) == pytest.approx(1)
    (tmp_path / "run").mkdir()
    write_run_files(config, dataset, tmp_path / "run")
    again = configure_resumed_run(tmp_path / "run", str(workspace), {"mixture": str(tmp_path / "m.yaml")})
    assert again.shares == config.shares
    (tmp_path / "m.yaml").write_text("weights: {web: 1, books: 8}")
    with pytest.raises(UserError, match=r"--mixture differs from the one that .* began with"):
        configure_resumed_run(tmp_path / "run", str(workspace), {"mixture": str(tmp_path / "m.yaml")})
    assert small_run(workspace).shares == {}
