"""What a step is said to need is what it takes, counted operation by operation."""

from __future__ import annotations

import dataclasses

import pytest

from corpus.trainer.config import find_size
from corpus.trainer.memory import _compiled_block_bytes, estimate_bytes
from tests.trainer.allocations import count_copy, make_config, measure_compiled_block, measure_step


@pytest.mark.parametrize(
    ("size", "depth", "tokens", "device", "bf16", "optimizer"),
    [
        ("tiny", 3, 16_384, "cuda", True, "muon"),
        ("gpt2", 4, 65_536, "cuda", True, "adamw"),
        ("base", 2, 4_096, "cpu", False, "muon"),
        pytest.param("tiny", 3, 16_384, "cuda", False, "muon", marks=pytest.mark.soak),
        pytest.param("tiny", 3, 2_048, "cpu", True, "muon", marks=pytest.mark.soak),
        pytest.param("gpt2", 12, 65_536, "cuda", True, "muon", marks=pytest.mark.soak),
        pytest.param("gpt2-medium", 24, 1_024, "cuda", True, "muon", marks=pytest.mark.soak),
    ],
)
def test_an_estimate_is_within_a_tenth_or_so_of_what_is_counted(
    size: str, depth: int, tokens: int, device: str, bf16: bool, optimizer: str
) -> None:
    config = make_config(size, tokens, optimizer=optimizer)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, depth=depth))
    counted = measure_step(config, device, bf16=bf16) + count_copy(config)
    estimated = estimate_bytes(config, processes=1, bf16=bf16, device=device)
    assert 0.95 * counted < estimated < 1.15 * counted


@pytest.mark.parametrize(
    ("size", "device", "bf16"),
    [
        ("gpt2", "cuda", True),
        pytest.param("tiny", "cuda", True, marks=pytest.mark.soak),
        pytest.param("gpt2-medium", "cuda", False, marks=pytest.mark.soak),
        pytest.param("base", "cpu", True, marks=pytest.mark.soak),
    ],
)
def test_a_compiled_block_keeps_what_is_estimated(size: str, device: str, bf16: bool) -> None:
    shape = find_size(size).model(vocabulary=128)
    kept = measure_compiled_block(shape, device, bf16=bf16)
    assert kept > 0
    assert _compiled_block_bytes(shape, bf16, device) == pytest.approx(kept, rel=0.15)


def test_a_part_of_a_divided_model_needs_less() -> None:
    one, two = (
        estimate_bytes(make_config("gpt2", 1024, shard=True), processes=count, bf16=True) for count in (1, 2)
    )
    assert two < 0.9 * one
