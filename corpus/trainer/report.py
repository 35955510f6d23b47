"""Print a run's state at the terminal: a table and warnings first, a progress line, scores at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from corpus.progress import format_time, is_live
from corpus.trainer.config import RunConfig
from corpus.trainer.dataset import DatasetStream
from corpus.trainer.device import warn_no_bf16
from corpus.trainer.evaluate import EvaluationGroup, Score, bits_per_byte
from corpus.trainer.memory import warn_slow_step
from corpus.trainer.scaling import MAX_USEFUL_EPOCHS
from corpus.trainer.versions import warn_untried_torch

MAX_TABLE_ROWS = 20
"""Rows of the table; the log has all of them."""
PLAIN_PROGRESS_SECONDS = 30.0
"""Seconds between two progress lines if the output is not a terminal."""


def make_plan_rows(
    streams: Sequence[DatasetStream], weights: Sequence[float], samples: Sequence[int], context: int
) -> list[dict[str, Any]]:
    """Return a row per stream of what the run will read: its tokens, weight, tokens drawn, and epochs."""
    return [
        {
            "source": stream.source,
            "language": stream.language,
            "tokens": stream.tokens,
            "weight": weight,
            "drawn": count * context,
            "epochs": count * context / stream.tokens,
        }
        for stream, weight, count in zip(streams, weights, samples, strict=True)
    ]


def make_consumed_rows(streams: Sequence[DatasetStream], tokens: Sequence[int]) -> list[dict[str, Any]]:
    """Return a row per stream of what the run has read: tokens and epochs, counted while reading."""
    total = max(1, sum(tokens))
    return [
        {
            "source": stream.source,
            "language": stream.language,
            "tokens": stream.tokens,
            "share": read / total,
            "drawn": read,
            "epochs": read / stream.tokens,
        }
        for stream, read in zip(streams, tokens, strict=True)
    ]


def make_table(title: str) -> Table:
    """Return an empty table in the style of all commands; it fits 80 columns."""
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)


def make_plan_table(rows: Sequence[dict[str, Any]], *, estimated: bool) -> Table:
    """Return the table of tokens, weight and epochs per source and language, as in GPT-3's table 2.2, largest first."""
    out = make_table("training data of this run" + (", estimated" if estimated else ""))
    out.add_column("source", overflow="fold")
    out.add_column("language", overflow="fold")
    for name in ("tokens", "weight", "drawn", "epochs"):
        out.add_column(name, justify="right")
    ordered = sorted(rows, key=lambda row: -float(row["weight"]))
    for row in ordered[:MAX_TABLE_ROWS]:
        style = "yellow" if row["epochs"] > MAX_USEFUL_EPOCHS else None
        out.add_row(row["source"], row["language"], *_format_numbers(row), style=style)
    if rest := ordered[MAX_TABLE_ROWS:]:
        names = ("tokens", "weight", "drawn")
        together = {name: sum(row[name] for row in rest) for name in names}
        epochs = together["drawn"] / together["tokens"]
        out.add_row(f"({len(rest):,} others)", "", *_format_numbers({**together, "epochs": epochs}))
    return out


def make_score_table(scores: Sequence[Score], title: str = "bits per byte on validation documents") -> Table:
    """Return the table of bits per byte per source and language, and over all."""
    out = make_table(title)
    out.add_column("source", overflow="fold")
    out.add_column("language", overflow="fold")
    for name in ("documents", "bytes", "bits/byte"):
        out.add_column(name, justify="right")
    for score in scores:
        size, bits = format_count(score.bytes), f"{score.bits_per_byte:.4f}"
        out.add_row(score.source, score.language, f"{score.documents:,}", size, bits)
    out.add_section()
    out.add_row("all", "", "", "", f"{bits_per_byte(scores):.4f}")
    return out


def _format_numbers(row: dict[str, Any]) -> list[str]:
    return [
        format_count(row["tokens"]),
        f"{row['weight']:.1%}",
        format_count(row["drawn"]),
        f"{row['epochs']:.2f}",
    ]


def format_count(count: float) -> str:
    """Format a large number for people: 12.3M."""
    for unit in ("", "k", "M"):
        if count < 1000:
            return f"{count:.0f}" if not unit else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:,.1f}B"


def list_warnings(
    rows: Sequence[dict[str, Any]], groups: Sequence[EvaluationGroup], config: RunConfig, device: torch.device
) -> list[str]:
    """Return the warnings before a run: text read too often, languages not measured, steps that take minutes, and what
    torch and the device lack.
    """
    lines = [
        warn_repeated(rows),
        warn_unmeasured(rows, groups),
        warn_slow_step(config, device),
        warn_no_bf16(device, config.precision),
        warn_untried_torch(),
    ]
    return [line for line in lines if line is not None]


def warn_repeated(rows: Sequence[dict[str, Any]]) -> str | None:
    """Return a warning if text is read more often than helps, else None."""
    over = sorted(
        (row for row in rows if row["epochs"] > MAX_USEFUL_EPOCHS), key=lambda row: -float(row["epochs"])
    )
    if not over:
        return None
    named = ", ".join(f"{row['source']} in {row['language']} {row['epochs']:.1f} times" for row in over[:3])
    more = f" and {len(over) - 3} more" if len(over) > 3 else ""
    return (
        f"text will be repeated often: {named}{more}; beyond {MAX_USEFUL_EPOCHS} epochs the gain is small: "
        "use a shorter run, more text, a lower weight, or max_epochs in --mixture"
    )


def warn_unmeasured(rows: Sequence[dict[str, Any]], groups: Sequence[EvaluationGroup]) -> str | None:
    """Return a warning if languages that are trained on have no validation text, else None."""
    if not groups:
        return "no validation split: bits per byte will not be measured"
    measured = {group.language for group in groups}
    trained: dict[str, float] = {}
    for row in rows:
        if row["language"] != "other":
            trained[row["language"]] = trained.get(row["language"], 0.0) + row["weight"]
    missing = sorted(trained.keys() - measured, key=lambda language: -trained[language])
    if not missing:
        return None
    share = sum(trained[language] for language in missing)
    named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    return (
        f"{len(missing)} of {len(trained)} languages, {share:.0%} of what is drawn, have no validation text and will "
        f"not be measured ({named}): raise the validation share in the manifest"
    )


def describe_run(config: RunConfig, *, device: str, bf16: bool, processes: int = 1) -> str:
    """Describe the model, the device and the step, a line each."""
    model = config.model
    where = f"{device}, {'bf16' if bf16 else 'fp32'}" + (f", {processes} processes" if processes > 1 else "")
    masked = ", attention within documents" if config.mask_documents else ""
    return (
        f"{config.size}: {model.parameters() / 1e6:,.2f}M parameters, {model.embedding_parameters() / 1e6:,.2f}M "
        f"in embeddings, {model.flops_per_token() / 1e6:,.1f} MFLOP per token\n"
        f"{model.depth} blocks of width {model.width}, context {model.context:,}{masked}; {where}\n"
        f"{config.step_tokens:,} tokens per step, {config.optimizer}, learning rate {config.learning_rate:g}\n"
    )


class ProgressLine:
    """A progress line that is updated in place at a terminal; elsewhere a new line every half minute."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not is_live(console),
        )  # fmt: skip
        self.task = self.bar.add_task("starting", total=1.0)
        self.last = self.began = time.monotonic()
        self.first: float | None = None

    def __enter__(self) -> ProgressLine:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def update(
        self, progress: float, *, step: int, loss: float, bits: float, speed: float, rate: float
    ) -> None:
        """Show new numbers: `progress` from 0 to 1 or a little more, `loss` in nats a token, `bits` per byte, `speed`
        in tokens a second, `rate` the learning rate.
        """
        line = f"step {step:,}  loss {loss:.3f}  {bits:.3f} bits/byte  {speed:,.0f} tokens/s  rate {rate:.1e}"
        self.bar.update(self.task, completed=progress, description=line)
        now = time.monotonic()
        if self.first is None:
            self.first, self.began = progress, now
        if not is_live(self.console) and now - self.last >= PLAIN_PROGRESS_SECONDS:
            self.last = now
            gained = progress - self.first
            # The last step of a run that is given minutes ends a little behind them.
            left = (1 - progress) * (now - self.began) / gained if gained > 0 else 0.0
            wait = f"  {format_time(left)} left" if left > 0 else ""
            self.console.print(f"{min(progress, 1.0):4.0%}  {line}{wait}", highlight=False, soft_wrap=True)
