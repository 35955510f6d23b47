"""Train a model: from a workspace's shards to a run directory.

    RUN/config.json      the run's configuration (config.RunConfig)
    RUN/tokenizer.json   the vocabulary, so that the run can be moved away from its workspace
    RUN/log.jsonl        `start`, a `step` or `skip` line each step, `consumed`, `evaluate`, `save`, `end`
    RUN/checkpoint/      the last checkpoints

The loop's state is the step, the seconds trained, the tokens read, the last losses, the model and the optimizers: a run
that is stopped and resumed reaches the same parameters, bit by bit, if the arithmetic is the same (machine, precision,
threads, processes). Which data a step reads depends on its number only, whatever the number of processes.
"""

from __future__ import annotations

import dataclasses
import gc
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from corpus.errors import RunError, UserError
from corpus.trainer import checkpoint, distributed, memory, report
from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import open_dataset
from corpus.trainer.device import (
    choose_device,
    describe_arithmetic,
    describe_change,
    peak_flops,
    use_deterministic_kernels,
    warn_unused_gpu,
)
from corpus.trainer.distributed import World
from corpus.trainer.engine import Engine, Interrupted
from corpus.trainer.evaluate import (
    EvaluationGroup,
    Score,
    bits_per_byte,
    evaluate,
    read_validation,
    sum_scores,
)
from corpus.trainer.failures import describe_failure, is_out_of_memory, name_failures
from corpus.trainer.guard import catch_signals, lock_run
from corpus.trainer.loader import Loader
from corpus.trainer.log import Log
from corpus.trainer.optimizer import learning_rate_factor
from corpus.trainer.spikes import Spikes
from corpus.trainer.standstill import (
    STANDSTILL_STEPS,
    Standstill,
    explain_standstill,
    measure_first_window,
)
from corpus.trainer.start import check_dataset, read_branch_checkpoint, write_run_files
from corpus.trainer.tuning import tune_run

PROGRESS_SMOOTHING = 0.9
"""The progress line shows an average over about ten steps."""
TIMING_STEPS = 2


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """State of a run when train() returns."""

    step: int
    tokens: int
    seconds: float
    """Spent in training steps."""
    scores: tuple[Score, ...]
    """Of the last evaluation; empty if there was none."""
    stopped: str | None
    """The name of the signal that ended it early, else None."""


def train(
    config: RunConfig,
    run: Path,
    *,
    device: str = "auto",
    console: Console | None = None,
    texts: Sequence[EvaluationGroup] | None = None,
    texts_on_the_way: Sequence[EvaluationGroup] | None = None,
) -> TrainingResult:
    """Train until the run's steps or minutes are reached, or until SIGTERM or SIGINT; save in either case.

    `texts` are measured in place of the validation documents; the result has a score for each of these groups, the log
    one for each source and language. Before the end `texts_on_the_way` are, if given: a part of them costs less.

    Resumes from the last checkpoint of `run`, if it has one. Raises UserError for shards, checkpoints and settings that
    do not fit together, RunError for a loss that is no number or does not move, a full disk, a device that fails. Under
    torchrun, every process calls it.
    """
    run.mkdir(parents=True, exist_ok=True)
    trainer: list[_Trainer] = []
    with use_deterministic_kernels(config.deterministic), name_failures():
        chosen = choose_device(device)
        world = distributed.join_world(chosen)
        distributed.check_divides(config.batch_samples, world.size)
        console = (console or Console(stderr=True)) if world.first else Console(quiet=True)
        if device == "auto" and (line := warn_unused_gpu(chosen)):
            console.print(line, highlight=False, soft_wrap=True)
        config, choice = tune_run(config, chosen, world)
        if choice:
            console.print(choice, highlight=False, soft_wrap=True)
        with (
            lock_run(run) if world.first else nullcontext(),
            catch_signals(
                lambda name: trainer[0].rescue(name) if trainer else _exit_as_signal(name)
            ) as caught,
        ):
            try:
                trainer.append(_Trainer(config, run, chosen, console, world, texts, texts_on_the_way))
                return trainer[0].run_loop(caught)
            finally:
                if trainer:
                    trainer[0].log.close()
                    trainer[0].saver.finish()
                distributed.leave_world()


class _Trainer:
    """The state of a run, and the operations of the loop on it."""

    def __init__(
        self,
        config: RunConfig,
        run: Path,
        device: torch.device,
        console: Console,
        world: World,
        texts: Sequence[EvaluationGroup] | None,
        texts_on_the_way: Sequence[EvaluationGroup] | None,
    ) -> None:
        self.config, self.run, self.console, self.world = config, run, console, world
        self.dataset = check_dataset(open_dataset(config.workspace), config)
        self.loader = Loader(
            self.dataset, context=config.model.context, seed=config.seed, shares=config.shares
        )
        self.streams = [stream.stream for stream in self.loader.streams]
        self.bytes_per_token = np.array([stream.bytes / stream.tokens for stream in self.streams])
        self.groups = read_validation(self.dataset, config.evaluate_tokens) if texts is None else tuple(texts)
        self.groups_on_the_way = self.groups if texts_on_the_way is None else tuple(texts_on_the_way)
        memory.check_memory(config, device, world.size)
        self.engine = Engine(config, device, world)
        self.step = 0
        self.seconds = 0.0
        self.consumed = np.zeros(len(self.streams), np.int64)
        self.spikes = Spikes(config.spike_sigma)
        self.standstill = Standstill()
        self.whole = True  # no update is half done
        self.saved = self.evaluated = -1
        self.scores: list[Score] = []
        self.settled = threading.RLock()  # held while model, optimizers, counts and log change or are copied
        self.saver = checkpoint.CheckpointSaver(
            run / "checkpoint",
            keep_last=config.keep_last,
            keep_every=config.keep_every,
            first=world.first,
        )
        size = self._restore()
        self.log = Log(run / "log.jsonl" if world.first else None, size)
        if world.first:
            write_run_files(config, self.dataset, run)
        gc.collect()
        gc.freeze()  # what lives as long as the run is not walked through again

    def _restore(self) -> int:
        """Restore the last checkpoint, or the one that the run branches from; return the log's size at that time."""
        saved = checkpoint.read_newest(self.run / "checkpoint", self._say)
        size = 0
        if saved is not None:
            size = saved.state["log_bytes"]
        elif self.config.branch is not None:
            saved = read_branch_checkpoint(self.config.branch)
        if saved is None:
            return 0
        if saved.state["identity"] != self.config.identity():
            raise UserError(
                f"{self.run}/checkpoint has another model or dataset than {self.run}/config.json: use --out"
            )
        saved.restore(self.engine.model, self.engine.optimizers)
        self.step = saved.step
        if size:
            self.saved = self.saver.written = saved.step
            if self.world.first:
                checkpoint.repair_folder(self.run / "checkpoint", saved.step)
        self.seconds, self.evaluated = saved.state["seconds"], saved.state["evaluated"]
        self.consumed += np.array(saved.state["consumed"], np.int64)
        self.spikes = Spikes(self.config.spike_sigma, saved.state["spikes"])
        self.standstill.start = saved.state.get("start_loss")
        self._say(f"resuming from step {self.step:,}")
        if line := describe_change(saved.state.get("arithmetic", {}), self._arithmetic()):
            self._say(line)
        return size

    def _arithmetic(self) -> dict[str, Any]:
        return describe_arithmetic(
            self.engine.device,
            bf16=self.engine.bf16,
            processes=self.world.size,
            deterministic=self.config.deterministic,
        )

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)

    def run_loop(self, caught: list[str]) -> TrainingResult:
        """Run the loop; an error of torch becomes a RunError of one line, with the step where --resume continues."""
        try:
            return self._run_steps(caught)
        except (RuntimeError, MemoryError) as error:
            failure = f"step {self.step + 1:,}: {describe_failure(error)}"
            if is_out_of_memory(error) and self.whole and not self.engine.sharded:
                self.engine.zero()
                self._save()
            self.saver.finish()
            after = (
                f"--resume continues from step {self.saved:,}" if self.saved >= 0 else "nothing was saved yet"
            )
            raise RunError(f"{failure}; {after}") from error

    def _run_steps(self, caught: list[str]) -> TrainingResult:
        """Run steps, and between them checkpoints and evaluations, a step's checkpoint first."""
        self._announce()
        loss, bits = math.nan, math.nan
        saved = time.monotonic()
        with report.ProgressLine(self.console) as line:
            while self._progress() < 1 and not self._stopping(caught):
                if self._evaluation_due():
                    self._save()
                    self._evaluate(self.groups_on_the_way)
                if self.standstill.is_due(self.step, self._rising()):
                    self._check_movement(self._rising())
                try:
                    entry = self._train_step(caught)
                except Interrupted:
                    break
                loss = _update_average(loss, entry["loss"])
                bits = _update_average(bits, entry["bits_per_byte"])
                line.update(
                    self._progress(),
                    step=self.step,
                    loss=loss,
                    bits=bits,
                    speed=entry["speed"],
                    rate=entry["rate"],
                )
                every = self.config.save_every
                late = self._agreed(time.monotonic() - saved >= 60 * self.config.save_minutes)
                if late or (every and self.step % every == 0):
                    self._save()
                    saved = time.monotonic()
        stopped = self._progress() < 1
        if not stopped and self.step < STANDSTILL_STEPS and self.standstill.start is not None:
            self._check_movement(rising=True)
        self._save()
        self.saver.wait()
        if stopped:
            self._say(f"{caught[0]}: saved step {self.step:,} in {self.run}; continue with --resume")
        else:
            self._evaluate(self.groups)
        tokens = self.step * self.config.step_tokens
        name = caught[0] if stopped else None
        self.log.write("end", step=self.step, tokens=tokens, seconds=self.seconds, stopped=name)
        self.world.barrier()
        return TrainingResult(
            step=self.step, tokens=tokens, seconds=self.seconds, scores=tuple(self.scores), stopped=name
        )

    def _rising(self) -> bool:
        return self._progress() < self.config.warmup

    def _check_movement(self, rising: bool) -> None:
        """Raise RunError if the loss of the run's first window has not moved since the run began."""
        loss = measure_first_window(self.engine, self.loader)
        if self.standstill.stands(self.step, loss, rising):
            config = self.config
            raise explain_standstill(self.step, loss, rate=config.learning_rate, compiled=config.compile)

    def _stopping(self, caught: list[str]) -> bool:
        """Return whether any process received a signal to stop."""
        if self.world.size > 1:
            stopping = self.world.total([float(bool(caught))], self.engine.device)[0]
            if stopping and not caught:
                caught.append("SIGTERM")
        return bool(caught)

    def _agreed(self, late: bool) -> bool:
        """Return whether it is time to save; the first process decides if all of them have to take part."""
        return self.world.broadcast_first(late, self.engine.device) > 0 if self.engine.sharded else late

    def rescue(self, name: str) -> None:
        """Save and end the process from another thread, if a signal arrives during a long step or evaluation.

        An unfinished step has changed nothing, so the current state is saved, unless other processes hold parts of it.
        """
        with self.settled:
            if not self.engine.sharded:
                self._save()
            self.saver.finish()
            line = f"{name}: abandoned a long step; --resume continues from step {max(0, self.saved):,} in {self.run}"
            print(f"\n{line}", file=sys.stderr, flush=True)
            _exit_as_signal(name)

    def _evaluation_due(self) -> bool:
        """Return whether to evaluate before the next step; a run killed during an evaluation repeats it."""
        every = self.config.evaluate_every
        return every > 0 and self.step > 0 and self.step % every == 0 and self.evaluated != self.step

    def _progress(self) -> float:
        """Return the share of the run that is done, of its steps or of its minutes."""
        if self.config.steps is not None:
            return self.step / self.config.steps
        assert self.config.minutes is not None
        return self.seconds / (60 * self.config.minutes)

    def _announce(self) -> None:
        """Print the model, the table of what will be read and its warnings, and log `start`."""
        device, bf16 = self.engine.device, self.engine.bf16
        self._say(report.describe_run(self.config, device=str(device), bf16=bf16, processes=self.world.size))
        steps = self.config.steps or self._steps_in_time()
        counts = self.loader.order.counts(steps * self.config.batch_samples)
        rows = report.make_plan_rows(
            self.streams, self.loader.weights, counts.tolist(), self.config.model.context
        )
        self.console.print(report.make_plan_table(rows, estimated=self.config.steps is None))
        for warning in report.list_warnings(rows, self.groups, self.config, device):
            self._say(warning)
        self.log.write(
            "start", step=self.step, steps=steps, time_dependent=self.config.steps is None, device=str(device),
            precision="bf16" if bf16 else "fp32", threads=torch.get_num_threads(), torch=torch.__version__,
            processes=self.world.size, parameters=self.config.model.parameters(),
            flops_per_token=self.config.model.flops_per_token(), plan=rows,
        )  # fmt: skip

    def _steps_in_time(self) -> int:
        """Return how many steps fit into the run's minutes, from two steps that are computed and discarded."""
        assert self.config.minutes is not None
        seconds = 0.0
        for _ in range(TIMING_STEPS):
            begin = time.perf_counter()
            loss, _ = self._gradient([])
            self.engine.read(loss, loss)
            self.engine.zero()
            seconds = time.perf_counter() - begin
        return self.step + max(1, round((60 * self.config.minutes - self.seconds) / seconds))

    def _samples(self) -> tuple[int, int]:
        """Return the first and last + 1 sample of the next step, a function of the step only."""
        size = self.config.batch_samples
        return self.step * size, (self.step + 1) * size

    def _gradient(self, caught: list[str]) -> tuple[torch.Tensor, np.ndarray[Any, np.dtype[np.int64]]]:
        """Return (mean nats a token, targets by stream) of the next step; leave its gradient in the parameters."""
        start, stop = self._samples()
        drawn = self.loader.count_targets(start, stop)
        mine = self.world.share(stop - start)
        batch = self.loader.read(start + mine.start, start + mine.stop)
        # Processes that wait for each other only stop between steps.
        give_up = (lambda: bool(caught)) if self.world.size == 1 else (lambda: False)
        return self.engine.backward(batch, int(drawn.sum()), give_up), drawn

    def _train_step(self, caught: list[str]) -> dict[str, float]:
        """Train one step; log and return its numbers.

        Raises RunError before the parameters change if the loss is not a number or the gradient is zero.
        """
        begin = time.perf_counter()
        mean, drawn = self._gradient(caught)
        loss, norm = self.engine.read(mean, self.engine.clip())
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise RunError(
                f"step {self.step + 1:,}: the loss is {loss}, its gradient {norm}: resume the last checkpoint with "
                f"--resume and a lower --lr than {self.config.learning_rate:g}"
            )
        if norm == 0:
            raise RunError(
                f"step {self.step + 1:,}: the gradient is exactly zero, so nothing would be learned: "
                + ("leave --compile out, or " if self.config.compile else "")
                + f"install the torch that the `train` extra asks for (this is {torch.__version__})"
            )
        # Half a step on, so that neither the first nor the last step of a run has a rate of zero.
        progress = self._progress() if self.config.steps is None else (self.step + 0.5) / self.config.steps
        factor = learning_rate_factor(
            progress, shape=self.config.shape, warmup=self.config.warmup, decay=self.config.decay
        )
        samples = self._samples()
        with self.settled:
            skipped = self.spikes.check(loss, norm)
            if skipped:
                self.engine.zero()
            else:
                self.saver.wait_copied()
                self.whole = False
                self.engine.update(self.config.learning_rate * factor)
                self.whole = True
            self.step += 1
            self.consumed += drawn
            seconds = self.world.broadcast_first(time.perf_counter() - begin, self.engine.device)
            self.seconds += seconds
            targets = int(drawn.sum())
            entry = {
                "loss": loss,
                "bits_per_byte": loss * targets / math.log(2) / float((drawn * self.bytes_per_token).sum()),
                "norm": norm,
                "rate": self.config.learning_rate * factor,
                "seconds": seconds,
                "speed": targets / seconds,
            }
            if self.engine.bf16 and (peak := peak_flops(self.engine.device)):
                flops = self.config.model.flops_per_token() * entry["speed"]
                entry["mfu"] = flops / (peak * self.world.size)
            if skipped:
                self._log_skip(entry, samples)
            else:
                self.log.write("step", step=self.step, **entry)
        return entry

    def _log_skip(self, entry: dict[str, float], samples: tuple[int, int]) -> None:
        documents = list(dict.fromkeys(piece.document for piece in self.loader.documents(*samples)))
        self.log.write("skip", step=self.step, **entry, documents=documents)
        self._say(
            f"step {self.step:,} skipped: loss {entry['loss']:.3f}, gradient {entry['norm']:.2f}; its "
            f"{len(documents):,} documents are in the log (`corpus trace {self.run} --step {self.step}`)"
        )

    def _save(self) -> None:
        """Start to write a checkpoint, with the size of the log: a resumed run logs again what comes after it."""
        with self.settled:
            if self.saved == self.step or not (self.world.first or self.engine.sharded):
                return
            self.log.write("save", step=self.step)
            state = {
                "identity": self.config.identity(),
                "seconds": self.seconds,
                "evaluated": self.evaluated,
                "consumed": self.consumed.tolist(),
                "spikes": self.spikes.state(),
                "start_loss": self.standstill.start,
                "arithmetic": self._arithmetic(),
                "log_bytes": self.log.sync(),
            }
            self.saver.save(self.step, state, self.engine.model, self.engine.optimizers)
            self.saved = self.step

    def _evaluate(self, groups: Sequence[EvaluationGroup]) -> None:
        """Measure held-out groups; log and print their bits per byte, and log what has been read so far."""
        scores = evaluate(
            self.engine.model,
            groups,
            end_of_text=self.dataset.end_of_text,
            samples=self.config.micro_samples,
            bf16=self.engine.bf16,
            world=self.world,
        )
        with self.settled:
            self.evaluated = self.step
            rows = report.make_consumed_rows(self.streams, self.consumed.tolist())
            self.log.write("consumed", step=self.step, streams=rows)
            if not scores:
                return
            self.scores = scores
            overall = bits_per_byte(scores)
            rows = [
                {**dataclasses.asdict(score), "bits_per_byte": score.bits_per_byte}
                for score in sum_scores(scores)
            ]
            self.log.write("evaluate", step=self.step, bits_per_byte=overall, scores=rows)
        self._say(f"step {self.step:,}: {overall:.4f} bits per byte on validation")


def _exit_as_signal(name: str) -> None:
    """End the process with the exit status of the signal of that name."""
    os._exit(128 + signal.Signals[name])


def _update_average(average: float, value: float) -> float:
    return value if math.isnan(average) else PROGRESS_SMOOTHING * average + (1 - PROGRESS_SMOOTHING) * value
