"""Shards and windows: every token of a stream is a target, nothing is read that does not fit, errors name the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import UserError
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader, TokenStream, count_windows
from tests.trainer.sentences import shard, write_workspace


def edit(workspace: Path, **changes: object) -> None:
    path = workspace / "tokens" / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def copy(workspace: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(workspace, tmp_path / "copy"))


def whole(workspace: Path, number: int) -> np.ndarray:
    """A training stream's tokens, read by pyarrow's own reader."""
    stream = open_dataset(str(workspace)).streams("train")[number]
    files = [pa.ipc.open_file(str(workspace / "tokens" / s.path)).read_all() for s in stream.shards]
    return np.concatenate([t.column("tokens").combine_chunks().flatten().to_numpy() for t in files])


def test_streams_are_the_sources_and_languages_in_the_order_of_their_names(workspace: Path) -> None:
    dataset = open_dataset(str(workspace))
    assert [s.name for s in dataset.streams("train")] == [
        "books/rus_Cyrl",
        "web/cmn_Hans",
        "web/eng_Latn",
        "web/other",
    ]
    assert len(dataset.streams("train")[2].shards) == 2
    assert open_dataset(str(workspace / "tokens")) == dataset


def test_weights_of_sources_are_shared_by_their_languages_as_they_come(workspace: Path) -> None:
    drawn = open_dataset(str(workspace)).weigh_streams()
    assert sum(weight for _, weight in drawn) == pytest.approx(1)
    assert drawn[0][1] == pytest.approx(0.25)
    assert drawn[1][1] / drawn[2][1] == pytest.approx(drawn[1][0].tokens / drawn[2][0].tokens)


def test_a_table_of_streams_says_the_weights_itself_and_may_leave_one_out(copy: Path) -> None:
    table = {"books/rus_Cyrl": 0.5, "web/cmn_Hans": 0.3, "web/eng_Latn": 0.2, "web/other": 0.0}
    rows = [dict(zip(("source", "language"), k.split("/"), strict=True), weight=w) for k, w in table.items()]
    edit(copy, mixture={"weights": None, "streams": rows})
    drawn = {stream.name: weight for stream, weight in open_dataset(str(copy)).weigh_streams()}
    assert drawn == {name: weight for name, weight in table.items() if weight}


@settings(max_examples=80)
@given(number=st.integers(0, 3), place=st.floats(0, 1), length=st.integers(0, 900))
def test_any_piece_of_a_stream_is_what_pyarrow_reads(
    workspace: Path, number: int, place: float, length: int
) -> None:
    dataset = open_dataset(str(workspace))
    tokens = whole(workspace, number)
    start = int(place * len(tokens))
    expected = tokens[start : start + length].tolist()
    out = np.zeros(length, np.uint16)
    filled = TokenStream(dataset.folder, dataset.streams("train")[number]).copy(start, out)
    assert out[:filled].tolist() == expected


def test_mapped_tokens_are_views_not_copies(workspace: Path) -> None:
    dataset = open_dataset(str(workspace))
    before = pa.total_allocated_bytes()
    shard = TokenStream(dataset.folder, dataset.streams("train")[0]).shard(0)
    assert len(shard.tokens) == 9, "25 rows, 3 a batch"
    assert pa.total_allocated_bytes() - before < 1000
    assert not any(tokens.flags.owndata or tokens.flags.writeable for tokens in shard.tokens)


@pytest.mark.parametrize("context", [1, 7, 24, 100])
def test_in_an_epoch_every_token_but_the_first_is_a_target(workspace: Path, context: int) -> None:
    dataset = open_dataset(str(workspace))
    loader = Loader(dataset, context=context, seed=3)
    samples = 40 * max(count_windows(stream.tokens, context) for stream in dataset.streams("train"))
    batch = loader.read(0, samples)
    _, epoch, _ = loader.order.samples(0, samples)
    for number in range(4):
        tokens = whole(workspace, number)
        mine = (batch.streams == number) & (epoch == 0)
        assert mine.sum() == count_windows(len(tokens), context)
        targets = [row[1:n] for row, n in zip(batch.tokens[mine], batch.lengths[mine], strict=True)]
        seen = np.bincount(np.concatenate(targets), minlength=dataset.vocabulary)
        assert (seen >= np.bincount(tokens[1:], minlength=dataset.vocabulary)).all()
        assert seen.sum() - (len(tokens) - 1) < context, "only the last window repeats tokens"


def test_a_stream_shorter_than_a_window_is_padded_and_says_so(workspace: Path) -> None:
    dataset = open_dataset(str(workspace))
    tokens = whole(workspace, 3)
    batch = Loader(dataset, context=4000, seed=0).read(0, 200)
    row = batch.tokens[batch.streams == 3][0]
    assert batch.lengths[batch.streams == 3][0] == len(tokens)
    assert row[: len(tokens)].tolist() == tokens.tolist()
    assert set(row[len(tokens) :].tolist()) == {dataset.end_of_text}


def test_samples_do_not_depend_on_how_they_are_asked_for(workspace: Path) -> None:
    dataset = open_dataset(str(workspace))
    everything = Loader(dataset, context=24, seed=5).read(0, 64)
    for start in (0, 13, 63):
        piece = Loader(dataset, context=24, seed=5).read(start, start + 1)
        assert piece.tokens[0].tolist() == everything.tokens[start].tolist()


def test_wide_tokens_are_read_as_well(tmp_path: Path) -> None:
    texts = {("web", "eng_Latn"): {"train": [shard("eng_Latn", 4)]}}
    narrow = write_workspace(tmp_path / "narrow", texts)
    wide = write_workspace(tmp_path / "wide", texts, dtype="uint32")
    batches = [Loader(open_dataset(str(root)), context=8, seed=0).read(0, 3) for root in (narrow, wide)]
    assert [str(batch.tokens.dtype) for batch in batches] == ["uint16", "uint32"]
    assert whole(narrow, 0).tolist() == whole(wide, 0).tolist()


def first_shard(workspace: Path) -> Path:
    return workspace / "tokens" / open_dataset(str(workspace)).streams("train")[0].shards[0].path


def error(action: object) -> str:
    with pytest.raises(UserError) as caught:
        action()  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_shard_is_named(copy: Path) -> None:
    path = first_shard(copy)
    path.unlink()
    assert error(lambda: open_dataset(str(copy))).startswith(f"{path} is missing: build the tokens again")


@pytest.mark.parametrize("keep", [0, 3, 0.5])
def test_a_cut_shard_is_named(copy: Path, keep: float) -> None:
    path = first_shard(copy)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    assert error(lambda: open_dataset(str(copy))).startswith(f"{path} is truncated")


def test_a_shard_with_its_middle_lost_is_named_when_it_is_read(copy: Path) -> None:
    path = first_shard(copy)
    content = path.read_bytes()
    path.write_bytes(content[:200] + content[-300:])
    loader = Loader(open_dataset(str(copy)), context=24, seed=0)
    assert error(lambda: loader.read(0, 10)).startswith(str(path))


def test_a_shard_damaged_anywhere_is_named_or_read_and_never_ends_the_process(copy: Path) -> None:
    path, random = first_shard(copy), Random(0)
    content = path.read_bytes()
    outcomes = {"read": 0, "named": 0}
    for _ in range(300):
        damaged = bytearray(content)
        damaged[random.randrange(len(content) - 10)] = random.randrange(256)
        path.write_bytes(damaged)
        loader = Loader(open_dataset(str(copy)), context=24, seed=0)
        try:
            loader.read(0, 20)
            loader.documents(0, 20)
            outcomes["read"] += 1
        except UserError as named:
            outcomes["named"] += str(named).startswith((str(path), str(copy / "tokens")))
    assert sum(outcomes.values()) == 300
    assert min(outcomes.values()) > 30


def test_a_shard_of_other_length_than_recorded_is_named(copy: Path) -> None:
    raw = json.loads((copy / "tokens" / "dataset.json").read_text())
    for entry in raw["shards"]:
        entry["tokens"] += 1
    edit(copy, shards=raw["shards"])
    loader = Loader(open_dataset(str(copy)), context=24, seed=0)
    assert "where dataset.json says" in error(lambda: loader.read(0, 10))


def test_a_token_beyond_the_vocabulary_is_refused_before_the_model_sees_it(copy: Path) -> None:
    edit(copy, vocabulary_size=260)
    loader = Loader(open_dataset(str(copy)), context=24, seed=0)
    assert "but dataset.json has a vocabulary of 260" in error(lambda: loader.read(0, 10))


def test_a_workspace_without_tokens_says_how_to_make_them(tmp_path: Path) -> None:
    assert "`corpus build MANIFEST" in error(lambda: open_dataset(str(tmp_path)))


def test_shards_elsewhere_have_to_be_copied_first() -> None:
    assert "copy its tokens/" in error(lambda: open_dataset("gs://bucket/workspace"))


def test_a_newer_dataset_is_refused(copy: Path) -> None:
    edit(copy, schema_version=2)
    assert "schema version 2, this version of corpus reads up to 1" in error(lambda: open_dataset(str(copy)))


def test_a_damaged_dataset_json_is_named(copy: Path) -> None:
    (copy / "tokens" / "dataset.json").write_text('{"schema_version": 1, "name"')
    assert "dataset.json is damaged" in error(lambda: open_dataset(str(copy)))
