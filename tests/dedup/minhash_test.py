"""Signatures equal datasketch's, and no pair that its index finds is missed."""

from __future__ import annotations

import io
import itertools
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xxhash
from datasketch import LeanMinHash, MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from corpus.dedup import minhash, pairs
from corpus.dedup import options as dedup_options
from corpus.dedup.shingles import Shape, hash_shingles, list_window_bytes
from corpus.dedup.xxh32 import hash_windows
from corpus.text.words import Words, segment_words
from tests.dedup.texts import STORIES, edited

SHAPE = Shape()


def theirs(document: Words, permutations: int = 112, seed: int = 1) -> MinHash:
    sketch = MinHash(num_perm=permutations, seed=seed, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)
    sketch.update_batch(list_window_bytes(document, SHAPE))
    return sketch


def ours(documents: list[Words], permutations: int = 112, seed: int = 1) -> np.ndarray:
    hashes, counts = hash_shingles(documents, len(documents) * [SHAPE])
    return minhash.compute_signatures(hashes, counts, permutations, seed)


@given(
    st.sampled_from([np.uint16, np.uint64]), st.integers(0, 70), st.integers(1, 40), st.integers(0, 1 << 32)
)
def test_xxh32_of_windows_is_xxh32_of_their_bytes(dtype: type, count: int, length: int, seed: int) -> None:
    tokens = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, count, dtype=dtype, endpoint=True)
    expected = [
        xxhash.xxh32_intdigest(tokens[at : at + length].tobytes()) for at in range(count - length + 1)
    ]
    assert hash_windows(tokens, length).tolist() == expected


def test_signatures_equal_datasketch_in_every_script() -> None:
    documents = [segment_words(text, language) for language, text in STORIES.items()]
    for row, document in zip(ours(documents), documents, strict=True):
        np.testing.assert_array_equal(row, theirs(document).hashvalues)


@pytest.mark.parametrize(
    "text",
    [
        "word",
        "two words",
        "Four words stand here",
        "水",
        "渡船",
        "渡船每天过河四趟",
        "เรือ",
        "１２３",
        "𠮷野家の牛丼",
        "a" * 5000,
    ],
)
def test_short_texts_have_one_shingle_of_all_they_have(text: str) -> None:
    document = segment_words(text)
    assert len(list_window_bytes(document, SHAPE)) == 1
    np.testing.assert_array_equal(ours([document])[0], theirs(document).hashvalues)


@pytest.mark.parametrize("text", ["", " \n", "... !!! ---", "😀🎉"])
def test_a_text_without_words_has_the_empty_signature(text: str) -> None:
    found = ours([segment_words("before"), segment_words(text), segment_words("after")])
    assert (found == minhash.EMPTY_VALUE).all(axis=1).tolist() == [False, True, False]


def test_a_document_is_signed_alike_alone_in_a_crowd_and_over_many_chunks() -> None:
    random = np.random.default_rng(3)
    counts = np.array(
        [
            0,
            3,
            minhash.SHINGLES_PER_CHUNK + 17,
            1,
            0,
            minhash.SHINGLES_PER_CHUNK - 1,
            2 * minhash.SHINGLES_PER_CHUNK,
            40,
            0,
        ]
    )
    hashes = random.integers(0, 1 << 32, counts.sum(), dtype=np.uint32)
    together = minhash.compute_signatures(hashes, counts, 9, 5)
    for at, (start, count) in enumerate(zip(np.cumsum(counts) - counts, counts, strict=True)):
        alone = minhash.compute_signatures(hashes[start : start + count], np.array([count]), 9, 5)
        np.testing.assert_array_equal(together[at], alone[0])


@pytest.mark.parametrize(("permutations", "seed"), [(112, 1), (37, 1), (256, 12345)])
def test_signatures_equal_datasketch_on_the_declaration_of_human_rights(
    data: Path, permutations: int, seed: int
) -> None:
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        members = [member for member in archive.getmembers() if member.isfile()][::9]
        texts = [
            re.sub(r"<[^>]+>", " ", io.TextIOWrapper(archive.extractfile(m), "utf-8").read()) for m in members
        ]  # type: ignore[arg-type]
    documents = [segment_words(text) for text in texts]
    assert len(documents) > 50
    for row, document in zip(ours(documents, permutations, seed), documents, strict=True):
        np.testing.assert_array_equal(row, theirs(document, permutations, seed).hashvalues)


def test_signatures_go_to_datasketch_as_lean_minhashes() -> None:
    one, other = (segment_words(text) for text in (STORIES["jpn_Jpan"], edited("jpn_Jpan")))
    lean = minhash.to_lean_minhashes(ours([one, other]), seed=1)
    buffer = bytearray(lean[0].bytesize())
    lean[0].serialize(buffer)
    assert LeanMinHash.deserialize(buffer) == LeanMinHash(theirs(one))
    estimate = minhash.count_matches(ours([one]), ours([other]))[0] / 112
    assert lean[0].jaccard(lean[1]) == estimate > 0.9


def test_the_estimate_is_close_to_the_real_similarity() -> None:
    """Within 4 standard errors of the Jaccard similarity of the sets of windows, for 200 pairs."""
    random = np.random.default_rng(7)
    for _ in range(200):
        size, shared = 300, int(random.integers(0, 300))
        hashes = random.integers(0, 1 << 32, 2 * size - shared, dtype=np.uint32)
        both = np.concatenate([hashes[:size], hashes[-size:]])
        found = minhash.compute_signatures(both, np.array([size, size]), 512, 1)
        real = shared / (2 * size - shared)
        error = abs(minhash.count_matches(found[:1], found[1:])[0] / 512 - real)
        assert error <= 4 * (real * (1 - real) / 512) ** 0.5 + 1 / 512


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_datasketch_finds_no_candidate_that_we_miss(threshold: float) -> None:
    options = dedup_options.MinHashOptions(threshold=threshold)
    bands, rows = options.banding
    random = np.random.default_rng(11)
    found = random.integers(0, 1 << 32, (40, options.width), dtype=np.uint32)[random.integers(0, 40, 300)]
    changed = random.random(found.shape) < random.uniform(0, 0.25, 300)[:, None]
    found[changed] = random.integers(0, 1 << 32, changed.sum(), dtype=np.uint32)

    index = MinHashLSH(params=(bands, rows), num_perm=options.width)
    expected = set()
    for number, sketch in enumerate(minhash.to_lean_minhashes(found, seed=1)):
        expected |= {(other, number) for other in index.query(sketch)}
        index.insert(number, sketch)

    numbers, order = np.arange(300), np.zeros(300, np.uint64)
    entries = pairs.build_band_entries(minhash.hash_bands(found, bands, rows), numbers, order)
    candidates = list(pairs.generate_candidate_pairs(entries, max_group=256))
    assert {tuple(pair) for chunk in candidates for pair in chunk.tolist()} == expected
    assert len(expected) > 50


def test_a_band_is_its_place_and_its_values() -> None:
    signature = np.tile(np.arange(8, dtype=np.uint32), (1, 14))  # the same values in every band
    keys = minhash.hash_bands(np.concatenate([signature, signature]), 14, 8)
    assert len(np.unique(keys[0])) == 14
    np.testing.assert_array_equal(keys[0], keys[1])
    for value in range(112):
        other = signature.copy()
        other[0, value] ^= 1
        same = minhash.hash_bands(other, 14, 8)[0] == keys[0]
        assert np.flatnonzero(~same).tolist() == [value // 8]


def test_stories_resemble_their_edited_selves_and_no_other() -> None:
    documents = [segment_words(text, language) for language, text in STORIES.items()]
    again = [segment_words(edited(language), language) for language in STORIES]
    found = ours(documents + again)
    for one, other in itertools.combinations(range(len(found)), 2):
        agreeing = minhash.count_matches(found[[one]], found[[other]])[0] / 112
        assert agreeing > 0.85 if other - one == len(documents) else agreeing < 0.15
