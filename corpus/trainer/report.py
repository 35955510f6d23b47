"""What a run says: a table at its start, a line while it goes, and RUN/log.jsonl for everything."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from corpus.trainer.config import MOST_EPOCHS, RunConfig
from corpus.trainer.dataset import Stream

PLAIN_SECONDS = 10.0
"""Between two progress lines where the output is no terminal."""


class Log:
    """log.jsonl: a JSON object a line. Opened at a byte, so that a resumed run does not log a step twice."""

    def __init__(self, path: Path, size: int) -> None:
        self.file = path.open("ab")
        self.file.truncate(size)
        self.file.seek(0, os.SEEK_END)

    def write(self, kind: str, **values: Any) -> None:
        self.file.write(json.dumps({"kind": kind, **values}, ensure_ascii=False).encode() + b"\n")
        self.file.flush()

    def sync(self) -> int:
        """Makes sure that it is on disk; gives its size."""
        os.fsync(self.file.fileno())
        return self.file.tell()

    def close(self) -> None:
        self.file.close()


def plan(
    streams: Sequence[Stream], weights: Sequence[float], samples: Sequence[int], context: int
) -> list[dict[str, Any]]:
    """Per stream what the run will read: tokens there are, weight, tokens drawn, and how many times over."""
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


def plan_table(rows: Sequence[dict[str, Any]], *, estimated: bool) -> Table:
    """Tokens, weight and epochs per source and language, as GPT-3's table 2.2 has them."""
    table = Table(title="What this run reads" + (" (estimated from the first steps)" if estimated else ""))
    table.add_column("source")
    table.add_column("language")
    for name in ("tokens", "weight", "drawn", "epochs"):
        table.add_column(name, justify="right")
    for row in rows:
        style = "yellow" if row["epochs"] > MOST_EPOCHS else None
        table.add_row(
            row["source"],
            row["language"],
            f"{row['tokens']:,}",
            f"{row['weight']:.1%}",
            f"{row['drawn']:,}",
            f"{row['epochs']:.2f}",
            style=style,
        )
    return table


def repeated(rows: Sequence[dict[str, Any]]) -> str | None:
    """A warning where text is read more often than helps, None where it is not."""
    worst = max(rows, key=lambda row: float(row["epochs"]))
    if worst["epochs"] <= MOST_EPOCHS:
        return None
    return (
        f"{worst['source']} in {worst['language']} will be read {worst['epochs']:.1f} times; "
        f"beyond {MOST_EPOCHS} readings repeated text helps little: a shorter run, more text, or a lower weight"
    )


def describe(config: RunConfig, *, device: str, bf16: bool) -> str:
    """The model and the step in one line."""
    model = config.model
    return (
        f"{config.size}: {model.parameters() / 1e6:.2f}M parameters, {model.embedding_parameters() / 1e6:.2f}M of "
        f"them embeddings, {model.flops_per_token() / 1e6:,.1f} MFLOP a token; "
        f"{model.depth} blocks of width {model.width}, "
        f"context {model.context}; {config.step_tokens:,} tokens a step; {device}, {'bf16' if bf16 else 'fp32'}"
    )


class ProgressLine:
    """One line that moves at a terminal; elsewhere a line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task("starting", total=1.0)
        self.last = time.monotonic()

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
        """`progress` 0 to 1; `loss` nats a token; `bits` a byte; `speed` tokens a second; `rate` the learning rate."""
        line = f"step {step:,}  loss {loss:.3f}  {bits:.3f} bits/byte  {speed:,.0f} tokens/s  rate {rate:.1e}"
        self.bar.update(self.task, completed=progress, description=line)
        if not self.console.is_terminal and time.monotonic() - self.last >= PLAIN_SECONDS:
            self.last = time.monotonic()
            self.console.print(f"{progress:4.0%}  {line}", highlight=False)
