"""What a build shows while it runs: one bar per stage in a terminal, otherwise a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from corpus.progress import StageProgress

STATUS_LINE_SECONDS = 30.0
"""Seconds between two lines of a stage outside a terminal."""


@contextmanager
def watch_build() -> Iterator[tuple[Callable[[str], None], Callable[[StageProgress], None]]]:
    """(say, show): the first prints a line, the second shows the progress of a stage. Both on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn

    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    if not console.is_terminal:
        yield say, _Lines(say)
        return
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(standing: StageProgress) -> None:
            for stage in tasks:
                if stage != standing.stage:
                    progress.stop_task(tasks[stage])
            if standing.stage not in tasks:
                tasks[standing.stage] = progress.add_task(standing.stage, total=standing.total, said="")
            progress.update(
                tasks[standing.stage],
                completed=standing.done,
                total=standing.total,
                said=describe_pace(standing),
            )

        yield say, show


@dataclass
class Hearing:
    """Passes lines on to `say`; `has_nothing_to_do` says whether one of them was that."""

    say: Callable[[str], None]
    has_nothing_to_do: bool = False

    def __call__(self, line: str) -> None:
        from corpus.pipelines.build.run import NOTHING_TO_DO

        self.has_nothing_to_do |= line.startswith(NOTHING_TO_DO)
        self.say(line)


class _Lines:
    """A line when a stage starts, every half minute, and when it is done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.stage = ""
        self.said = 0.0
        self.ended = False

    def __call__(self, standing: StageProgress) -> None:
        now = time.monotonic()
        if standing.stage != self.stage:
            self.stage, self.said, self.ended = standing.stage, now, False
            self.say(f"{standing.stage}: 0 of {standing.total:,}")
        elif self.ended:
            return
        elif standing.done == standing.total or now - self.said > STATUS_LINE_SECONDS:
            self.said, self.ended = now, standing.done == standing.total
            pace_text = describe_pace(standing)
            self.say(
                f"{standing.stage}: {standing.done:,} of {standing.total:,}{', ' if pace_text else ''}{pace_text}"
            )


def describe_pace(standing: StageProgress) -> str:
    """`12,345 documents, 61/s, 3 min left`, as far as it is known; after a resumption, `12,345 documents (9,000 from an
    earlier run), 61/s`."""
    pieces = []
    documents = standing.documents + standing.earlier
    if documents:
        earlier = f" ({standing.earlier:,} from an earlier run)" if standing.earlier else ""
        pieces.append(f"{documents:,} {'document' if documents == 1 else 'documents'}{earlier}")
    if standing.rate:
        pieces.append(f"{standing.rate:,.0f}/s")
    if standing.left is not None and standing.done < standing.total:
        pieces.append(f"{format_time(standing.left)} left")
    return ", ".join(pieces)


def format_time(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
