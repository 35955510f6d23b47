"""train(): from a workspace's shards to a run directory.

    RUN/config.json      what the run is (config.RunConfig)
    RUN/tokenizer.json   the vocabulary, so that the run can be moved away from its workspace
    RUN/log.jsonl        `start`, a `step` line each step, `evaluate`, `save`, `end`
    RUN/checkpoint/      the last two checkpoints

The loop holds no state but the step, the seconds trained, the model and the optimizer: a run stopped and resumed
comes to the same parameters, bit by bit, where the arithmetic is the same (machine, precision, threads).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from corpus.errors import RunError, UserError
from corpus.trainer import checkpoint, report
from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import Dataset, open_dataset
from corpus.trainer.device import autocast, choose_device, use_bf16
from corpus.trainer.evaluate import Score, bits_per_byte, evaluate, validation
from corpus.trainer.guard import locked, signals
from corpus.trainer.loader import Batch, Loader
from corpus.trainer.model import GPT, initialize
from corpus.trainer.optimizer import make_optimizer, rate

SMOOTHING = 0.9
"""The progress line shows an average over about ten steps."""
DRY_STEPS = 2


@dataclass(frozen=True, kw_only=True)
class Result:
    """Where a run stands when train() returns."""

    step: int
    tokens: int
    seconds: float
    """Spent in training steps."""
    scores: tuple[Score, ...]
    """Of the last evaluation; empty if there was none."""
    stopped: str | None
    """The name of the signal that ended it early, else None."""


def train(config: RunConfig, run: Path, *, device: str = "auto", console: Console | None = None) -> Result:
    """Trains until the run's steps or minutes are up, or a SIGTERM or SIGINT comes; saves in either case.

    Goes on from the last checkpoint of `run`, if it has one. Raises UserError for shards, checkpoints and settings that
    do not fit together, RunError for a loss that is no number or a full disk.
    """
    run.mkdir(parents=True, exist_ok=True)
    with locked(run), signals() as caught:
        trainer = _Trainer(config, run, choose_device(device), console or Console(stderr=True))
        try:
            return trainer.go(caught)
        finally:
            trainer.log.close()


class _Trainer:
    """What a run holds, and the few things that are done with it."""

    def __init__(self, config: RunConfig, run: Path, device: torch.device, console: Console) -> None:
        self.config, self.run, self.device, self.console = config, run, device, console
        self.dataset = _checked(open_dataset(config.workspace), config)
        self.loader = Loader(self.dataset, context=config.model.context, seed=config.seed)
        self.bytes_per_token = np.array([s.stream.bytes / s.stream.tokens for s in self.loader.streams])
        self.streams = [stream.stream for stream in self.loader.streams]
        self.groups = validation(self.dataset, config.evaluate_tokens)
        self.bf16 = use_bf16(device, config.precision)
        torch.manual_seed(config.seed)
        self.model = GPT(config.model)
        initialize(self.model, config.seed)
        self.model.to(device)
        if config.compile:
            self.model.compile()
        self.optimizer = make_optimizer(self.model, config)
        self.step = 0
        self.seconds = 0.0
        self.saved = self.evaluated = -1
        self.scores: list[Score] = []
        self.log = report.Log(run / "log.jsonl", self._restore())
        _write_config(config, self.dataset, run)

    def _restore(self) -> int:
        """Takes up the last checkpoint; gives the size of the log at that time, 0 for a new run."""
        found = checkpoint.newest(self.run / "checkpoint", self._say)
        if found is None:
            return 0
        if found.state["identity"] != self.config.identity():
            raise UserError(
                f"{self.run}/checkpoint is of another model or dataset than {self.run}/config.json: use --out"
            )
        found.restore(self.model, self.optimizer)
        self.step = self.saved = found.step
        self.seconds, self.evaluated = found.state["seconds"], found.state["evaluated"]
        self._say(f"going on from step {self.step:,}")
        size: int = found.state["log_bytes"]
        return size

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)

    def go(self, caught: list[str]) -> Result:
        """The loop: steps, and between them checkpoints and evaluations, a step's checkpoint first."""
        self._announce()
        loss, bits = math.nan, math.nan
        saved = time.monotonic()
        with report.ProgressLine(self.console) as line:
            while self._progress() < 1 and not caught:
                if self._evaluation_due():
                    self._evaluate()
                entry = self._train_step()
                loss = _smooth(loss, entry["loss"])
                bits = _smooth(bits, entry["bits_per_byte"])
                line.update(
                    self._progress(),
                    step=self.step,
                    loss=loss,
                    bits=bits,
                    speed=entry["speed"],
                    rate=entry["rate"],
                )
                if time.monotonic() - saved >= 60 * self.config.save_minutes:
                    self._save()
                    saved = time.monotonic()
        self._save()
        if caught:
            self._say(f"{caught[0]}: saved step {self.step:,} in {self.run}; --resume goes on from there")
        else:
            self._evaluate()
        tokens = self.step * self.config.step_tokens
        self.log.write(
            "end", step=self.step, tokens=tokens, seconds=self.seconds, stopped=caught[0] if caught else None
        )
        return Result(
            step=self.step,
            tokens=tokens,
            seconds=self.seconds,
            scores=tuple(self.scores),
            stopped=caught[0] if caught else None,
        )

    def _evaluation_due(self) -> bool:
        """Asked before a step, so that a run killed while it evaluates does so again."""
        every = self.config.evaluate_every
        return every > 0 and self.step > 0 and self.step % every == 0 and self.evaluated != self.step

    def _progress(self) -> float:
        """The share of the run that is done: of its steps, or of its minutes."""
        if self.config.steps is not None:
            return self.step / self.config.steps
        assert self.config.minutes is not None
        return self.seconds / (60 * self.config.minutes)

    def _announce(self) -> None:
        """The model, the table of what will be read, and the log's `start`."""
        self._say(report.describe(self.config, device=str(self.device), bf16=self.bf16))
        steps = self.config.steps or self._steps_in_time()
        counts = self.loader.order.counts(steps * self.config.batch_samples)
        rows = report.plan(self.streams, self.loader.weights, counts.tolist(), self.config.model.context)
        self.console.print(report.plan_table(rows, estimated=self.config.steps is None))
        if warning := report.repeated(rows):
            self._say(warning)
        if not self.groups:
            self._say("there is no validation split: bits per byte will not be measured")
        self.log.write(
            "start", step=self.step, steps=steps, time_dependent=self.config.steps is None, device=str(self.device),
            precision="bf16" if self.bf16 else "fp32", threads=torch.get_num_threads(), torch=torch.__version__,
            parameters=self.config.model.parameters(), flops_per_token=self.config.model.flops_per_token(), plan=rows,
        )  # fmt: skip

    def _steps_in_time(self) -> int:
        """Steps that fit into the run's minutes, from two steps that are computed and thrown away."""
        assert self.config.minutes is not None
        seconds = 0.0
        for _ in range(DRY_STEPS):
            begin = time.perf_counter()
            self._backward(self._read())
            self.optimizer.zero_grad()
            seconds = time.perf_counter() - begin
        return self.step + max(1, round((60 * self.config.minutes - self.seconds) / seconds))

    def _read(self) -> Batch:
        """The samples of the next step: a function of the step alone."""
        size = self.config.batch_samples
        return self.loader.read(self.step * size, (self.step + 1) * size)

    def _backward(self, batch: Batch) -> float:
        """Mean nats a token over the batch, its gradient in the parameters; computed a micro-batch at a time."""
        targets = int((batch.lengths - 1).sum())
        loss = torch.zeros((), device=self.device)
        for first in range(0, len(batch.tokens), self.config.micro_samples):
            part = slice(first, first + self.config.micro_samples)
            tokens = torch.from_numpy(batch.tokens[part]).to(self.device).long()
            last = torch.from_numpy(batch.lengths[part] - 1).to(self.device)
            padding = torch.arange(self.config.model.context, device=self.device) >= last[:, None]
            with autocast(self.device, self.bf16):
                nats = self.model(tokens[:, :-1], tokens[:, 1:].masked_fill(padding, -1)) / targets
            nats.backward()
            loss += nats.detach()
        return loss.item()

    def _train_step(self) -> dict[str, float]:
        """One step; gives (and logs) its numbers. A loss that is no number leaves the parameters as they were."""
        begin = time.perf_counter()
        batch = self._read()
        loss = self._backward(batch)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip).item()
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise RunError(
                f"step {self.step + 1:,}: the loss is {loss}, its gradient {norm}: go on from the last checkpoint with "
                f"--resume and a lower --lr than {self.config.learning_rate:g}"
            )
        # Half a step on, so that neither the first nor the last step of a run has a rate of zero.
        progress = self._progress() if self.config.steps is None else (self.step + 0.5) / self.config.steps
        factor = rate(progress, shape=self.config.shape, warmup=self.config.warmup, decay=self.config.decay)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * factor
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - begin
        self.step += 1
        self.seconds += seconds
        targets = int((batch.lengths - 1).sum())
        text = float(((batch.lengths - 1) * self.bytes_per_token[batch.streams]).sum())
        entry = {
            "loss": loss,
            "bits_per_byte": loss * targets / math.log(2) / text,
            "norm": norm,
            "rate": self.config.learning_rate * factor,
            "seconds": seconds,
            "speed": targets / seconds,
        }
        self.log.write("step", step=self.step, **entry)
        return entry

    def _save(self) -> None:
        """A checkpoint, with the size of the log: what is logged after it will be logged again."""
        if self.saved == self.step:
            return
        self.log.write("save", step=self.step)
        state = {
            "identity": self.config.identity(),
            "seconds": self.seconds,
            "evaluated": self.evaluated,
            "log_bytes": self.log.sync(),
        }
        checkpoint.save(self.run / "checkpoint", self.step, state, self.model, self.optimizer)
        self.saved = self.step

    def _evaluate(self) -> None:
        """Bits per byte of the validation split, and what has been read so far, into the log and onto the terminal."""
        self.evaluated = self.step
        counts = self.loader.order.counts(self.step * self.config.batch_samples).tolist()
        self.log.write(
            "consumed",
            step=self.step,
            streams=report.plan(self.streams, self.loader.weights, counts, self.config.model.context),
        )
        if not self.groups:
            return
        self.scores = evaluate(
            self.model,
            self.groups,
            end_of_text=self.dataset.end_of_text,
            samples=self.config.micro_samples,
            bf16=self.bf16,
        )
        overall = bits_per_byte(self.scores)
        self.log.write(
            "evaluate",
            step=self.step,
            bits_per_byte=overall,
            scores=[
                {**dataclasses.asdict(score), "bits_per_byte": score.bits_per_byte} for score in self.scores
            ],
        )
        self._say(f"step {self.step:,}: {overall:.4f} bits per byte on validation")


def _smooth(average: float, value: float) -> float:
    return value if math.isnan(average) else SMOOTHING * average + (1 - SMOOTHING) * value


def _checked(dataset: Dataset, config: RunConfig) -> Dataset:
    """The dataset, if it is the one that the run began with."""
    if dataset.vocabulary != config.model.vocabulary:
        raise UserError(
            f"{dataset.folder} has a vocabulary of {dataset.vocabulary:,} tokens, the run one of "
            f"{config.model.vocabulary:,}: start a new run with --out"
        )
    if dataset.fingerprint != config.fingerprint:
        raise UserError(
            f"{dataset.folder} has changed since the run began (fingerprint {dataset.fingerprint}, the run's "
            f"{config.fingerprint}): bring the old shards back, or start a new run with --out"
        )
    return dataset


def _write_config(config: RunConfig, dataset: Dataset, run: Path) -> None:
    """config.json and tokenizer.json, each put in place whole."""
    try:
        tokenizer = dataset.tokenizer.read_bytes()
    except OSError:
        raise UserError(f"{dataset.tokenizer} is missing: build the tokens again, or copy it back") from None
    if hashlib.sha256(tokenizer).hexdigest() != dataset.tokenizer_sha256:
        raise UserError(f"{dataset.tokenizer} is not the one that made the shards: build the tokens again")
    for name, content in (
        ("config.json", json.dumps(config.json(), indent=1).encode()),
        ("tokenizer.json", tokenizer),
    ):
        temporary = run / f".{name}"
        temporary.write_bytes(content)
        temporary.replace(run / name)
