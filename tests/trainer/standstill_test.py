"""A run that learns nothing ends with a line; one that learns slowly does not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from corpus.errors import RunError
from corpus.trainer import engine, loop
from corpus.trainer.standstill import STANDSTILL_STEPS, Standstill
from tests.trainer.running import log, saved, stop_at, train
from tests.trainer.sentences import small_run


def idle(self: engine.Engine, rate: float) -> None:
    """An update that changes nothing, as one whose parameters are no longer the model's."""
    self.zero()


def test_a_run_whose_updates_change_nothing_ends_at_its_hundredth_step(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.Engine, "update", idle)
    with pytest.raises(
        RunError, match=r"^step 100: the loss has not moved since the run began \(\d\.\d{4} nats"
    ) as caught:
        train(small_run(workspace, steps=120, evaluate_every=0, batch_tokens=24), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert [entry["kind"] for entry in log(tmp_path / "run")].count("step") == STANDSTILL_STEPS


def test_a_short_run_that_learns_nothing_ends_with_the_line_too(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.Engine, "update", idle)
    with pytest.raises(RunError, match="step 4: the loss has not moved"):
        train(small_run(workspace, steps=4), tmp_path / "run")


def test_a_stopped_run_keeps_the_loss_that_it_began_with(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    run, config = tmp_path / "run", small_run(workspace, steps=400, evaluate_every=0, batch_tokens=24)
    thread = stop_at(run, 3, signal.SIGTERM)
    assert train(config, run).stopped == "SIGTERM"
    thread.join()
    start = saved(run).state["start_loss"]
    assert start == pytest.approx(6.0, abs=0.4), "log of 400 tokens"
    measured: list[float | None] = []
    monkeypatch.setattr(
        loop.Standstill, "stands", lambda self, step, loss, rising: measured.append(self.start) or False
    )
    short = dataclasses.replace(config, steps=saved(run).step + 1)
    train(short, run)
    assert measured == [start]


def test_the_slowest_rates_are_not_taken_for_a_standstill(workspace: Path, tmp_path: Path) -> None:
    """A rate of a millionth, rising over a warm-up that is not half done by then."""
    config = small_run(
        workspace, steps=240, learning_rate=1e-6, warmup=0.9, decay=0.0, evaluate_every=0, batch_tokens=24
    )
    assert train(config, tmp_path / "run").step == 240


@pytest.mark.parametrize(
    ("losses", "rising", "ends"),
    [
        ([6.0, 6.0], True, True),
        ([6.0, 6.0 + 1e-6], True, False),
        ([6.0, 6.0 + 1e-6], False, True),
        ([6.0, 6.0 + 1e-4], False, False),
        ([6.0, 7.0], False, False),
    ],
)
def test_equal_is_none_at_all_and_rounding_counts_after_the_warm_up(
    losses: list[float], rising: bool, ends: bool
) -> None:
    check = Standstill()
    assert check.is_due(0, True)
    assert not check.stands(0, losses[0], True)
    assert [step for step in (1, 50, 99, 100) if check.is_due(step, rising)] == [100]
    assert check.stands(100, losses[1], rising) is ends
    assert check.is_due(101, False) is (abs(losses[1] - losses[0]) < 1e-5), "moved: never again"


def test_a_branch_is_not_measured_against_another_start() -> None:
    check = Standstill()
    assert not any(check.is_due(step, False) for step in (4000, 4100))
