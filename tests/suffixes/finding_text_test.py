"""Suffix arrays against a reference, and texts found in the shards of a workspace and in the steps of a run."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest

from corpus.errors import UserError
from corpus.inference.trace import read_pieces
from corpus.pipelines.cli.find import find
from corpus.pipelines.cli.index import index
from corpus.suffixes import occurrences, token_index
from corpus.suffixes.occurrences import TokenFinder, find_steps
from corpus.suffixes.suffix_arrays import DEPTH, find_range, sort_by_doubling, sort_suffixes
from corpus.suffixes.token_index import build_index
from corpus.trainer import loop
from corpus.trainer.loader import Loader
from tests.cli.running import run
from tests.trainer.running import QUIET
from tests.trainer.sentences import small_run

ARRAYS = {
    "of few tokens": np.random.default_rng(1).integers(0, 3, 3_000).astype(np.uint16),
    "of many tokens": np.random.default_rng(2).integers(0, 60_000, 5_000).astype(np.uint16),
    "of large tokens": np.random.default_rng(3).integers(0, 200_000, 2_000).astype(np.uint32),
    "of one token": np.full(500, 7, np.uint16),
    "of a repeated phrase": np.tile(np.array([5, 1, 5, 2, 9], np.uint16), 300),
    "of the largest token": np.array([65535, 0, 65535, 65535, 0], np.uint16),
    "of one": np.array([3], np.uint16),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("sort", [sort_suffixes, sort_by_doubling])
def test_every_run_of_tokens_is_where_a_search_finds_it(name: str, sort: object) -> None:
    tokens = ARRAYS[name]
    suffixes = (sort_suffixes if sort is sort_suffixes else sort_by_doubling)(tokens)
    assert sorted(suffixes.tolist()) == list(range(len(tokens)))
    draw = np.random.default_rng(4)
    for length in (1, 2, 3, 7, 30):
        for _ in range(12):
            start = int(draw.integers(0, max(1, len(tokens) - length)))
            wanted = tokens[start : start + length]
            first, last = find_range(tokens, suffixes, wanted)
            windows = np.lib.stride_tricks.sliding_window_view(tokens, len(wanted))
            assert (
                np.sort(suffixes[first:last]).tolist()
                == np.flatnonzero((windows == wanted).all(axis=1)).tolist()
            )
    nowhere = np.array([1, 1, 1, 0, 2, 2, 65530 % (1 << 16)], tokens.dtype)
    first, last = find_range(tokens, suffixes, nowhere)
    assert first == last


def test_no_tokens_have_no_suffixes() -> None:
    assert len(sort_suffixes(np.zeros(0, np.uint16))) == 0


@pytest.fixture
def copy(workspace: Path, tmp_path: Path) -> Path:
    shutil.copytree(workspace, tmp_path / "workspace")
    return tmp_path / "workspace"


def read_texts(finder: TokenFinder, split: str | None = None) -> list[tuple[str, str]]:
    """(id, text) of all documents, out of the shards; an id is there more than once."""
    texts = []
    for shard in finder.dataset.shards:
        if split in (None, shard.split):
            for row in pa.ipc.open_file(str(finder.dataset.folder / shard.path)).read_all().to_pylist():
                text = finder.tokenizer.decode(row["tokens"][:-1], skip_special_tokens=False)
                texts.append((row["doc_id"], text))
    return texts


def test_texts_are_found_in_their_documents_whatever_the_ranges(copy: Path) -> None:
    with mock.patch.object(token_index, "RANGE_TOKENS", 700):
        build_index(str(copy))
        finder = TokenFinder(str(copy))
        assert len(finder.ranges) > 3
        texts = read_texts(finder)
        for id, text in texts[::9]:
            places = finder.find(text, 1_000)
            assert id in {place.document for place in places.places}
            assert places.count == sum(other.count(text) for _, other in texts)
            for place in places.places:
                assert place.text.strip() == text.strip()
        word = texts[0][1].split("\n")[0][6:-7]
        inside = finder.find(word, 5)
        assert inside.count > 0
        assert all(word in place.before + place.text + place.after for place in inside.places)
        # By their neighbours, of which one in all may be decoded: the first place, and it says that there may be more.
        with mock.patch.object(occurrences, "MAX_DECODED", 1):
            fitting = finder.find(word, 5)
        assert inside.is_whole and fitting.places == inside.places[: len(fitting.places)]
        assert fitting.count == 1 and fitting.is_whole == (inside.count == 1)
        long = max((text for _, text in texts), key=lambda text: len(finder.tokenizer.encode(text).ids))
        assert len(finder.tokenizer.encode(long).ids) > DEPTH and finder.find(long).is_whole
        assert finder.find("xyzzy 不在这里", 5).count == 0
        with pytest.raises(UserError, match="the text is blank"):
            finder.find("", 5)


def test_fragments_that_are_cut_within_words_are_found(copy: Path) -> None:
    build_index(str(copy))
    finder = TokenFinder(str(copy))
    draw = random.Random(25)
    texts = [text for _, text in read_texts(finder)]
    missed = []
    for text in draw.choices([text for text in texts if len(text) > 60], k=200):
        at = draw.randrange(len(text) - 40)
        fragment = text[at : at + draw.randrange(6, 40)].strip()
        there = finder.find(fragment, 1_000)
        shown = [place.before + place.text + place.after for place in there.places]
        assert all(fragment in each or occurrences.BROKEN in each for each in shown)
        assert there.count <= sum(len(re.findall(f"(?={re.escape(fragment)})", text)) for text in texts)
        missed += [fragment] * (not there.count)
    assert len(missed) <= 6


def test_an_index_is_made_once_and_refused_for_other_tokens(copy: Path) -> None:
    with pytest.raises(UserError, match="has no index of its tokens: `corpus index"):
        TokenFinder(str(copy))
    assert "tokens of" in run(index, str(copy))
    made = (copy / "suffixes" / "range-00000.suffixes").stat().st_mtime_ns
    run(index, str(copy))
    assert (copy / "suffixes" / "range-00000.suffixes").stat().st_mtime_ns == made
    path = copy / "tokens" / "dataset.json"
    text = path.read_text(encoding="utf-8")
    at = text.index('"fingerprint": "') + len('"fingerprint": "')
    path.write_text(f"{text[:at]}{'0' * 32}{text[at + 32 :]}", encoding="utf-8")
    with pytest.raises(UserError, match="have changed since they were indexed"):
        TokenFinder(str(copy))


def test_the_steps_of_a_place_are_those_that_trace_names(workspace: Path, tmp_path: Path) -> None:
    build_index(str(workspace))
    finder = TokenFinder(str(workspace))
    steps = 30
    loop.train(small_run(workspace, steps=steps), tmp_path / "run", device="cpu", console=QUIET)
    loader = Loader(finder.dataset, context=24, seed=0)
    traced: dict[str, set[int]] = {}
    for step in range(1, steps + 1):
        for piece in read_pieces(tmp_path / "run", step)[1]:
            traced.setdefault(piece.document, set()).add(step)
    some = [(id, text) for id, text in read_texts(finder, "train") if id in traced][::7]
    for id, text in some:
        places = [place for place in finder.find(text, 500).places if place.document == id]
        read_in = find_steps(finder.dataset, loader, places, steps, 4)
        assert set().union(*read_in) <= traced[id]
    assert any(
        find_steps(finder.dataset, loader, finder.find(text, 500).places, steps, 4) for _, text in some
    )
    shown = run(find, str(workspace), some[0][1], "--run", str(tmp_path / "run"), "-n", "3")
    assert "place" in shown and ("step" in shown)
