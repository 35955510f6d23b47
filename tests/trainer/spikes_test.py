"""A step far above the last ones is skipped and its documents named; a resumed run skips the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from corpus.trainer import engine, loop
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import Loader
from corpus.trainer.spikes import SPIKE_WINDOW_STEPS, Spikes
from tests.trainer.running import QUIET, assert_same, log
from tests.trainer.sentences import small_run


def usual(spikes: Spikes, count: int) -> list[bool]:
    chance = random.Random(1)
    return [spikes.check(3 + chance.gauss(0, 0.1), 1 + chance.gauss(0, 0.05)) for _ in range(count)]


def test_six_deviations_above_128_steps_are_a_spike_in_loss_or_gradient() -> None:
    spikes = Spikes(6.0)
    assert not any(usual(spikes, SPIKE_WINDOW_STEPS))
    assert [spikes.check(3.5, 1), spikes.check(4, 1), spikes.check(3, 2), spikes.check(1, 0.1)] == [
        False,
        True,
        True,
        False,
    ]


def test_before_there_are_128_steps_nothing_is_a_spike() -> None:
    spikes = Spikes(6.0)
    assert not any(usual(spikes, SPIKE_WINDOW_STEPS - 1))
    assert not spikes.check(1000, 1000)
    assert not any(Spikes(0.0, spikes.state()).check(1e9, 1e9) for _ in range(3)), "0 switches it off"


def test_a_new_level_is_soon_the_usual_one() -> None:
    spikes = Spikes(6.0)
    usual(spikes, SPIKE_WINDOW_STEPS)
    skipped = [spikes.check(8.0, 1.0) for _ in range(20)]
    assert skipped[0]
    assert not skipped[-1]


def test_a_state_goes_on_as_if_nothing_had_happened() -> None:
    spikes = Spikes(6.0)
    usual(spikes, SPIKE_WINDOW_STEPS)
    again = Spikes(6.0, spikes.state())
    assert again.state() == spikes.state()
    assert again.check(9, 1)


def test_a_spike_changes_no_parameter_and_its_documents_are_in_the_log(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradient of step 140 comes out a thousand times too large, as from a broken document."""
    plain = engine.Engine.clip
    calls: dict[str, Any] = {}

    def clip(self: engine.Engine) -> float:
        norm = plain(self)
        calls[calls["run"]] = calls.get(calls["run"], calls["from"]) + 1
        if calls[calls["run"]] == 140:
            calls["before"] = {n: p.clone() for n, p in self.model.named_parameters()}
            norm *= 1000
        elif calls[calls["run"]] == 141:
            same = all(torch.equal(p, calls["before"][n]) for n, p in self.model.named_parameters())
            calls["same"] = same
        return norm

    monkeypatch.setattr(engine.Engine, "clip", clip)
    config = small_run(workspace, steps=142, evaluate_tokens=200)
    calls |= {"run": "whole", "from": 0}
    loop.train(config, tmp_path / "whole", device="cpu", console=QUIET)
    assert calls["same"]
    entry = next(entry for entry in log(tmp_path / "whole") if entry["kind"] == "skip")
    assert entry["step"] == 140
    size = config.batch_samples
    loader = Loader(open_dataset(str(workspace)), context=config.model.context, seed=config.seed)
    pieces = loader.documents(139 * size, 140 * size)
    assert entry["documents"] == list(dict.fromkeys(piece.document for piece in pieces))
    consumed = [entry for entry in log(tmp_path / "whole") if entry["kind"] == "consumed"][-1]
    assert sum(row["drawn"] for row in consumed["streams"]) == 142 * config.step_tokens

    calls |= {"run": "parts", "from": 0}
    stop = {"at": 135}
    original = loop._Trainer._stopping

    def stopping(self: Any, caught: list[str]) -> bool:
        if self.step == stop["at"]:
            caught.append("SIGTERM")
        return original(self, caught)

    monkeypatch.setattr(loop._Trainer, "_stopping", stopping)
    loop.train(config, tmp_path / "parts", device="cpu", console=QUIET)
    stop["at"] = -1
    loop.train(config, tmp_path / "parts", device="cpu", console=QUIET)
    assert_same(tmp_path / "parts", tmp_path / "whole")
