"""The order of a run: counts that follow the weights, epochs without loss, a function of three numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.trainer.order import (
    BLOCK_SAMPLES,
    assign_samples,
    build_schedule,
    count_samples,
    make_order,
    permute_positions,
)

weights = st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=40)


def order(sizes: list[int], *, fingerprint: str = "f", seed: int = 1, shares: list[float] | None = None):
    names = [f"s{number}" for number in range(len(sizes))]
    return make_order(names, shares or [1.0] * len(sizes), sizes, fingerprint=fingerprint, seed=seed)


@settings(max_examples=60)
@given(weights)
def test_at_every_step_each_stream_has_had_its_share_within_two_samples(shares: list[float]) -> None:
    samples = 3000
    stream, _ = assign_samples(build_schedule(shares), np.arange(samples))
    drawn = np.cumsum(stream[:, None] == np.arange(len(shares)), axis=0)
    planned = np.arange(1, samples + 1)[:, None] * np.array(shares) / sum(shares)
    assert np.abs(drawn - planned).max() < 2


def test_far_into_a_run_the_share_is_still_kept() -> None:
    shares = [0.6, 0.22, 0.08, 0.08, 0.03]
    far = 8_000_000_000
    assert (
        np.abs(count_samples(build_schedule(shares), far, 5) - far * np.array(shares) / sum(shares)).max()
        < 20
    )


@settings(max_examples=40)
@given(weights, st.integers(0, 2000))
def test_counts_are_what_the_samples_add_up_to(shares: list[float], samples: int) -> None:
    tree = build_schedule(shares)
    stream, ordinal = assign_samples(tree, np.arange(samples))
    assert (
        count_samples(tree, samples, len(shares)).tolist()
        == np.bincount(stream, minlength=len(shares)).tolist()
    )
    for number in range(len(shares)):
        assert ordinal[stream == number].tolist() == list(range(int((stream == number).sum())))


@settings(max_examples=60)
@given(st.integers(1, 3000), st.integers(0, 2**64 - 1))
def test_a_permutation_reaches_every_place_once(size: int, key: int) -> None:
    places = permute_positions(np.arange(size), np.full(size, size), np.full(size, key, np.uint64))
    assert sorted(places.tolist()) == list(range(size))


def test_a_permutation_looks_like_chance() -> None:
    size = 4096
    places = permute_positions(np.arange(size), np.full(size, size), np.full(size, 77, np.uint64))
    assert abs(np.corrcoef(np.arange(size), places)[0, 1]) < 0.06
    quarters = np.bincount(places[: size // 4] // (size // 4), minlength=4)
    assert quarters.min() > 200
    assert quarters.max() < 312
    assert (np.diff(places) == 1).sum() < 10


@settings(max_examples=30)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 9))
def test_in_an_epoch_no_window_is_lost_or_repeated(sizes: list[int], seed: int) -> None:
    stream, epoch, window = order(sizes, seed=seed).samples(0, 1500)
    for number, size in enumerate(sizes):
        mine = stream == number
        for turn in range(int(epoch[mine].max())):
            assert sorted(window[mine & (epoch == turn)].tolist()) == list(range(size))


def test_epochs_and_seeds_and_datasets_have_orders_of_their_own() -> None:
    def first(**keys: object) -> list[int]:
        return order([500], **keys).samples(0, 500)[2].tolist()  # type: ignore[arg-type]

    again = order([500]).samples(500, 1000)[2].tolist()
    orders = [first(), first(seed=2), first(fingerprint="g"), again]
    assert len({tuple(o) for o in orders}) == 4
    assert all(sorted(o) == list(range(500)) for o in orders)


@settings(max_examples=40)
@given(st.integers(0, 5 * BLOCK_SAMPLES), st.integers(1, 3 * BLOCK_SAMPLES))
def test_a_sample_does_not_depend_on_what_was_asked_before(start: int, length: int) -> None:
    sizes, shares = [40, 7, 300], [1.0, 0.2, 3.0]
    everything = order(sizes, shares=shares).samples(0, start + length)
    part = order(sizes, shares=shares).samples(start, start + length)
    for whole, piece in zip(everything, part, strict=True):
        assert whole[start:].tolist() == piece.tolist()
