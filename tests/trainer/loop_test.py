"""A run: it learns, stops when told, and goes on as if it had not stopped."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from corpus.errors import RunError, UserError
from corpus.trainer import checkpoint, loop, memory, report
from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import open_dataset
from corpus.trainer.optimizer import learning_rate_factor
from corpus.trainer.scaling import default_tokens
from corpus.trainer.start import configure_branch, configure_new_run, configure_resumed_run, read_run_config
from tests.trainer import killing
from tests.trainer.running import assert_same, log, saved, steps, stop_at, train
from tests.trainer.sentences import shard, small_run, write_workspace


@pytest.fixture(scope="module")
def whole(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 40 steps that nobody stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    result = train(small_run(workspace, steps=40, evaluate_every=15), run)
    assert (result.step, result.tokens, result.stopped) == (40, 40 * 96, None)
    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_at_random_steps_a_run_ends_the_same(
    whole: Path, workspace: Path, tmp_path: Path, number: signal.Signals
) -> None:
    chance = random.Random(int(number))
    stops = sorted(chance.sample(range(1, 35), 2))
    config = small_run(workspace, steps=40, evaluate_every=15)
    for step in stops:
        thread = stop_at(tmp_path / "run", step, number)
        result = train(config, tmp_path / "run")
        thread.join()
        assert result.stopped == number.name
        assert step <= result.step < 40
        assert saved(tmp_path / "run").step == result.step
    assert train(config, tmp_path / "run").stopped is None
    assert_same(tmp_path / "run", whole)


@pytest.mark.parametrize("kills", [10, pytest.param(60, marks=pytest.mark.soak)])
def test_killed_at_random_moments_a_run_ends_the_same(
    whole: Path, workspace: Path, tmp_path: Path, kills: int
) -> None:
    """It saves at every other step, so that a kill is likely to hit a save."""
    config = small_run(workspace, steps=40, evaluate_every=15, save_minutes=100, save_every=2)
    run = tmp_path / "run"
    chance = random.Random(7)
    codes = []
    for _ in range(kills):
        process = killing.start(killing.plain, config, run)
        size = log.stat().st_size if (log := run / "log.jsonl").exists() else 0
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline:
            if (run / "log.jsonl").exists() and (run / "log.jsonl").stat().st_size > size + 200:
                time.sleep(chance.random() * 0.3 / kills)
                process.kill()
                break
            time.sleep(0.002)
        process.join()
        codes.append(process.exitcode)
    assert codes.count(-signal.SIGKILL) >= min(kills, 10) // 2
    train(dataclasses.replace(config, save_minutes=10.0), run)
    assert_same(run, whole)


def killed_at(config: RunConfig, run: Path, touch: int) -> int:
    """Runs until the so-manieth touch of a checkpoint on disk kills it; gives the touches left if there were fewer."""
    left = run.with_suffix(".left")
    process = killing.start(killing.killed_at_touch, config, run, touch, left)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return int(left.read_text()) if process.exitcode == 0 else 0


@pytest.mark.parametrize(
    "touches", [[3, 9, 16, 21], pytest.param(range(1, 400), marks=pytest.mark.soak)], ids=["some", "all"]
)
def test_killed_at_any_touch_of_a_save_a_run_ends_the_same(
    whole: Path, workspace: Path, tmp_path: Path, touches: Sequence[int]
) -> None:
    """Each open, write to disk, rename and removal of two saves; then the rest of the run."""
    config = small_run(workspace, steps=40, evaluate_every=15, save_minutes=100, save_every=13)
    for touch in touches:
        run = tmp_path / str(touch)
        if left := killed_at(config, run, touch):
            assert touch - left > 40, "that many touches have four saves at least"
            break
        train(config, run)
        assert_same(run, whole)
        assert not list((run / "checkpoint").glob(".*"))


def test_micro_batches_change_the_rounding_only(whole: Path, workspace: Path, tmp_path: Path) -> None:
    config = small_run(workspace, steps=10, micro_tokens=24)
    assert (config.batch_samples, config.micro_samples) == (4, 1)
    train(config, tmp_path / "one")
    train(small_run(workspace, steps=10), tmp_path / "four")
    one, four = ([entry["loss"] for entry in steps(tmp_path / name)] for name in ("one", "four"))
    assert one == pytest.approx(four, rel=1e-4)


def test_the_loss_of_real_text_falls(data: Path, tmp_path: Path) -> None:
    text = (data / "trainer" / "tinyshakespeare.txt").read_text(encoding="utf-8")[:60_000]
    speeches = [speech for speech in text.split("\n\n") if speech]
    documents = [("\n\n".join(speeches[i : i + 8]), "eng_Latn") for i in range(0, len(speeches), 8)]
    root = write_workspace(
        tmp_path / "w", {("plays", "eng_Latn"): {"train": [documents[4:]], "valid": [documents[:4]]}}
    )
    config = small_run(root, steps=150, batch_tokens=384, learning_rate=0.01)
    result = train(config, tmp_path / "run")
    losses = [entry["loss"] for entry in steps(tmp_path / "run")]
    assert losses[0] == pytest.approx(6.0, abs=0.3), "log of 400 tokens"
    assert sum(losses[-10:]) / 10 < 4.6
    score = result.scores[0]
    assert score.bits_per_byte < 0.6 * score.tokens * math.log2(400) / score.bytes, "of guessing"


def test_the_log_says_what_was_planned_done_and_read(whole: Path) -> None:
    entries = log(whole)
    kinds = [entry["kind"] for entry in entries if entry["kind"] != "step"]
    assert kinds == [
        "start",
        *("save", "consumed", "evaluate"),
        *("save", "consumed", "evaluate"),
        *("save", "consumed", "evaluate"),
        "end",
    ], "a checkpoint before each evaluation"
    assert [entry["step"] for entry in steps(whole)] == list(range(1, 41))
    start, last = entries[0], [entry for entry in entries if entry["kind"] == "consumed"][-1]
    assert start["time_dependent"] is False
    assert [row["source"] for row in start["plan"]] == ["books", "web", "web", "web"]
    read = [(row["source"], row["language"], row["drawn"], row["epochs"]) for row in last["streams"]]
    planned = [(row["source"], row["language"], row["drawn"], row["epochs"]) for row in start["plan"]]
    assert read == planned, "after the last step, the plan has been carried out"
    assert sum(row["drawn"] for row in last["streams"]) == 40 * 96
    assert last["streams"][0]["drawn"] == pytest.approx(40 * 96 / 4, abs=2 * 24)
    numbers = {"loss", "bits_per_byte", "norm", "rate", "seconds", "speed", "step", "kind"}
    assert all(entry.keys() == numbers for entry in entries if entry["kind"] == "step")


def test_evaluations_do_not_touch_the_training(whole: Path, workspace: Path, tmp_path: Path) -> None:
    train(small_run(workspace, steps=40, evaluate_every=0), tmp_path / "run")
    assert steps(tmp_path / "run") == steps(whole)
    assert len([entry for entry in log(tmp_path / "run") if entry["kind"] == "evaluate"]) == 1


def test_a_run_by_the_clock_ends_by_the_clock(workspace: Path, tmp_path: Path) -> None:
    result = train(small_run(workspace, steps=None, minutes=0.02), tmp_path / "run")
    assert 1.2 <= result.seconds < 2.5
    start, *_ = log(tmp_path / "run")
    assert start["time_dependent"] is True
    rates = [entry["rate"] for entry in steps(tmp_path / "run")]
    assert max(rates) == pytest.approx(0.01)
    assert rates[-1] < 0.002


def test_a_finished_run_trains_no_further_until_it_is_made_longer(
    whole: Path, workspace: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    assert train(read_run_config(run), run).step == 40
    assert_same(run, whole)
    longer = configure_resumed_run(run, str(workspace), {"tokens": 50 * 96})
    assert longer.steps == 50
    assert train(longer, run).step == 50
    assert steps(run)[:40] == steps(whole)


def test_settings_that_would_make_it_another_run_are_refused(whole: Path, workspace: Path) -> None:
    same = {
        "size": "tiny",
        "context": 24,
        "seed": 0,
        "batch_tokens": 96,
        "learning_rate": 0.001,
        "minutes": 3.0,
    }
    config = configure_resumed_run(whole, str(workspace), same)
    assert (config.learning_rate, config.minutes, config.steps) == (0.001, 3.0, None)
    rounded = configure_resumed_run(whole, str(workspace), {"batch_tokens": 96 + 23})
    assert rounded.step_tokens == 96, "rounded down to whole contexts, as when the run began"
    for name, value in {"size": "small", "context": 48, "seed": 1, "batch_tokens": 960}.items():
        option = name.replace("_", "-")
        with pytest.raises(UserError, match=f"--{option} differs from the .* that .* began with"):
            configure_resumed_run(whole, str(workspace), {name: value})


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_shards_that_changed_since_are_refused(whole: Path, workspace: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    other = write_workspace(tmp_path / "w", {("web", "eng_Latn"): {"train": [shard("eng_Latn", 9)]}})
    with pytest.raises(UserError) as caught:
        train(configure_resumed_run(run, str(other), {}), run)
    assert "has changed since the run began" in one_line(caught.value)
    assert (run / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()


def test_another_vocabulary_is_refused(whole: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    texts = {("web", "eng_Latn"): {"train": [shard("eng_Latn", 9)]}}
    other = write_workspace(tmp_path / "w", texts, vocabulary=300)
    with pytest.raises(UserError) as caught:
        train(configure_resumed_run(run, str(other), {}), run)
    assert "has a vocabulary of 300 tokens, the run one of 400" in one_line(caught.value)


def test_a_checkpoint_of_another_run_is_refused(whole: Path, workspace: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    with pytest.raises(UserError) as caught:
        train(small_run(workspace, seed=1), run)
    assert "checkpoint has another model or dataset" in one_line(caught.value)


def test_a_tokenizer_that_did_not_make_the_shards_is_refused(workspace: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(workspace, tmp_path / "w"))
    path = copy / "tokenizer" / "tokenizer.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(UserError, match=r"tokenizer\.json did not make these shards"):
        train(small_run(copy), tmp_path / "run")


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    whole: Path, workspace: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    with pytest.raises(RunError) as caught:
        train(configure_resumed_run(run, str(workspace), {"steps": 400, "learning_rate": 1e30}), run)
    assert "resume the last checkpoint with --resume and a lower --lr than 1e+30" in one_line(caught.value)
    assert saved(run).step == 40


def test_a_save_that_has_begun_ends_before_an_error_does(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is slow, and the step after the save has no loss."""
    write = checkpoint.write_checkpoint

    def slowly(*arguments: Any) -> None:
        time.sleep(0.3)
        write(*arguments)

    monkeypatch.setattr(checkpoint, "write_checkpoint", slowly)
    config = small_run(workspace, steps=6, save_every=3)
    plain = loop._Trainer._gradient

    def broken(self: Any, caught: list[str]) -> Any:
        loss, drawn = plain(self, caught)
        return (loss * math.nan if self.step == 3 else loss), drawn

    monkeypatch.setattr(loop._Trainer, "_gradient", broken)
    with pytest.raises(RunError, match="step 4: the loss is nan"):
        train(config, tmp_path / "run")
    assert saved(tmp_path / "run").step == 3


def test_a_second_trainer_in_the_same_run_is_refused(workspace: Path, tmp_path: Path) -> None:
    from corpus.trainer.guard import lock_run

    (tmp_path / "run").mkdir()
    with lock_run(tmp_path / "run"), pytest.raises(UserError, match="is being trained by another process"):
        train(small_run(workspace), tmp_path / "run")


def test_a_corpus_without_validation_trains_without_scores(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "w", {("web", "eng_Latn"): {"train": [shard("eng_Latn", 9)]}})
    assert train(small_run(root, steps=2), tmp_path / "run").scores == ()


def test_a_corpus_smaller_than_a_window_trains(tmp_path: Path) -> None:
    root = write_workspace(
        tmp_path / "w",
        {
            ("web", "eng_Latn"): {"train": [shard("eng_Latn", 1)]},
            ("web", "cmn_Hans"): {"train": [shard("cmn_Hans", 30)]},
        },
    )
    config = small_run(root, steps=20)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, context=200))
    train(config, tmp_path / "run")
    assert all(entry["loss"] < 7 for entry in steps(tmp_path / "run"))


def test_a_run_is_as_long_as_its_size_asks_and_its_text_allows(workspace: Path) -> None:
    model = small_run(workspace).model
    assert default_tokens(model, 10**9) == 20 * model.parameters()
    assert default_tokens(model, 500) == 2000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 3, "minutes": 1.0}, "give only one of --steps, --tokens and --minutes"),
        ({"steps": 3, "tokens": 100}, "give only one of --steps, --tokens and --minutes"),
        ({"size": "huge"}, "--size huge: choose from 1m, tiny, mini, small, base, gpt2"),
        ({"learning_rate": 0.0}, "--lr 0.0: must be a number above 0"),
        ({"learning_rate": float("nan")}, "--lr nan: must be a number above 0"),
        ({"minutes": -1.0}, "--minutes -1.0: must be a number above 0"),
        ({"context": 0}, "--context 0: must be at least 1"),
        (
            {"warmup": 0.7, "decay": 0.7},
            "--warmup and --decay are shares of the run: they must sum to at most 1",
        ),
        ({"shape": "linear"}, "--schedule linear: choose from wsd, cosine"),
        ({"precision": "fp16"}, "--precision fp16: choose from auto, bf16, fp32"),
    ],
)
def test_wrong_settings_are_named(workspace: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        configure_new_run(open_dataset(str(workspace)), str(workspace), options)
    assert message in one_line(caught.value)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    def at(progress: float, shape: Any = "wsd") -> float:
        return learning_rate_factor(progress, shape=shape, warmup=0.1, decay=0.4)

    assert [at(p) for p in (0, 0.05, 0.1, 0.6)] == pytest.approx([0, 0.5, 1, 1])
    assert [at(p) for p in (0.8, 1, 1.2)] == pytest.approx([0.5, 0, 0])
    assert [at(p, "cosine") for p in (0.05, 0.1, 0.55, 1)] == pytest.approx([0.5, 1, 0.55, 0.1])


@pytest.mark.parametrize(("place", "count", "at"), [("clip", 3, 2), ("evaluate", 1, 15)])
def test_a_signal_in_what_takes_minutes_saves_and_ends_within_seconds(
    whole: Path, workspace: Path, tmp_path: Path, place: str, count: int, at: int
) -> None:
    """A step or an evaluation that never comes back; as in huge products, Python runs no handler meanwhile. What was
    given up is done again."""
    run, config = tmp_path / "run", small_run(workspace, steps=40, evaluate_every=15)
    reached = tmp_path / "reached"
    process = killing.start(killing.stuck, config, run, place, count, reached)
    deadline = time.monotonic() + 60
    while not reached.exists() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    begin = time.monotonic()
    process.terminate()
    process.join()
    assert (process.exitcode, time.monotonic() - begin < 10) == (143, True)
    assert saved(run).step == at
    train(config, run)
    assert_same(run, whole)


def test_a_run_goes_on_without_its_log(workspace: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(small_run(workspace, steps=4), run)
    (run / "log.jsonl").unlink()
    train(small_run(workspace, steps=6), run)
    assert [entry["step"] for entry in steps(run)] == [5, 6]


def test_a_branch_goes_on_from_a_checkpoint_of_another_run(workspace: Path, tmp_path: Path) -> None:
    """A run of 20 at a constant rate, brought down over the last 4 of 10, is what a run of 10 comes to."""
    trunk = small_run(workspace, steps=20, warmup=0.1, decay=0.0, save_every=2, keep_every=2)
    train(trunk, tmp_path / "trunk")
    branch = configure_branch(
        f"{tmp_path / 'trunk'}@6", str(workspace), {"steps": 10, "warmup": 0.2, "decay": 0.4}
    )
    train(branch, tmp_path / "branch")
    train(small_run(workspace, steps=10, warmup=0.2, decay=0.4), tmp_path / "short")
    assert [entry["step"] for entry in steps(tmp_path / "branch")] == [7, 8, 9, 10]
    assert steps(tmp_path / "branch") == steps(tmp_path / "short")[6:]
    assert saved(tmp_path / "branch").model.keys() == saved(tmp_path / "short").model.keys()
    for name, value in saved(tmp_path / "branch").model.items():
        assert torch.equal(value, saved(tmp_path / "short").model[name])
    for wrong in ("trunk", "@3", f"{tmp_path / 'trunk'}@last"):
        with pytest.raises(
            UserError, match="expected RUN@STEP, a run and the step of one of its checkpoints"
        ):
            configure_branch(wrong, str(workspace), {})
    with pytest.raises(UserError, match="available steps: 2, 4, 6, 8, 10, 12, 14, 16, 18, 20"):
        train(dataclasses.replace(branch, branch=f"{tmp_path / 'trunk'}@7"), tmp_path / "other")


def test_what_does_not_fit_into_memory_is_refused_before_it_is_tried(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_run(workspace, steps=2)
    monkeypatch.setattr(memory, "read_free_bytes", lambda device: 50_000)
    with pytest.raises(UserError) as caught:
        train(config, tmp_path / "run")
    assert (
        "a step needs about 0.0 GB of memory, 0.0 GB are free: use a smaller --micro-tokens than 96"
        in one_line(caught.value)
    )
    large = configure_new_run(open_dataset(str(workspace)), str(workspace), {"context": 200_000, "steps": 1})
    assert memory.warn_slow_step(large, torch.device("cpu")) is not None
    assert memory.warn_slow_step(config, torch.device("cpu")) is None
    monkeypatch.undo()
    free = memory.read_free_bytes(torch.device("cpu"))
    assert free is not None
    assert free > 1e6


def test_languages_without_validation_text_are_named(tmp_path: Path) -> None:
    root = write_workspace(
        tmp_path / "w",
        {
            ("web", "eng_Latn"): {"train": [shard("eng_Latn", 9)], "valid": [shard("eng_Latn", 2)]},
            ("web", "cmn_Hans"): {"train": [shard("cmn_Hans", 9)]},
            ("web", "rus_Cyrl"): {"train": [shard("rus_Cyrl", 9)]},
        },
    )
    console = Console(record=True, width=80, quiet=False, file=open(os.devnull, "w"))  # noqa: SIM115
    loop.train(small_run(root, steps=2), tmp_path / "run", device="cpu", console=console)
    said = console.export_text()
    assert "2 of 3 languages" in said
    assert "have no validation text" in said
    assert "(rus_Cyrl, cmn_Hans)" in said.replace("\n", " ")


def test_tables_fit_into_80_columns(whole: Path) -> None:
    rows = [
        {"source": "a-long-name-of-a-source", "language": f"l{i:02d}_Latn", "tokens": 10**i, "weight": 0.04,
         "drawn": 10**i, "epochs": 1.0}
        for i in range(13)
    ] * 2  # fmt: skip
    console = Console(record=True, width=80, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(report.make_plan_table(rows, estimated=True))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].rstrip() == "training data of this run, estimated"
    assert lines[-1].split()[:2] == ["(6", "others)"]
