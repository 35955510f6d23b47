"""What commands show while they run: a bar for every stage in a terminal, otherwise a plain line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus.progress import StageProgress, format_time, is_live

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

STATUS_LINE_SECONDS = 30.0
"""Seconds between two lines of a stage outside a terminal."""
Show = Callable[[str, int, int | None], None]
"""Takes a stage, how much of it is done, and of how much, None where that is not known."""


@contextmanager
def show_progress(of: str = "") -> Iterator[Show]:
    """Gives a function that shows the progress of a command on standard error.

    `of` names what is counted where the total is not known. A command that ends within half a minute prints no line
    outside a terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not is_live(console):
        lines = _Lines(_say_on(console), is_brief=True)
        began: dict[str, tuple[int, float]] = {}

        def note(stage: str, done: int, total: int | None) -> None:
            first, start = began.setdefault(stage, (done, time.monotonic()))
            elapsed = time.monotonic() - start
            pace = (done - first) / elapsed if done > first and elapsed > 0 else 0.0
            left = (total - done) / pace if total is not None and pace else None
            lines.note(stage, done, total, f"{format_time(left)} left" if left else of)

        yield note
        return
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[counted]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=bool(of)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, counted="")
            counted = f"{done:,} {of}" if total is None else f"{done:,}/{total:,}"
            bar.update(tasks[stage], completed=done, total=total, counted=counted)

        yield show


@contextmanager
def watch_build() -> Iterator[tuple[Callable[[str], None], Callable[[StageProgress], None]]]:
    """(say, show): the first prints a line, the second shows the progress of a stage. Both on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    say = _say_on(console)
    if not is_live(console):
        yield say, _Lines(say).note_stage
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
    """A line when a stage starts, every half minute, and when it is done.

    Brief ones have the second alone, and the last of a stage that had one.
    """

    def __init__(self, say: Callable[[str], None], is_brief: bool = False) -> None:
        self.say, self.is_brief = say, is_brief
        self.stage = ""
        self.said = 0.0
        self.is_silent = True
        self.ended = False

    def note_stage(self, standing: StageProgress) -> None:
        """Say where a stage of a build is, if it is time for that."""
        self.note(standing.stage, standing.done, standing.total, describe_pace(standing))

    def note(self, stage: str, done: int, total: int | None, more: str) -> None:
        """Say how much of a stage is done, and `more` of it, if it is time for that."""
        now = time.monotonic()
        of = f" of {total:,}" if total is not None else ""
        if stage != self.stage:
            self.stage, self.said, self.ended, self.is_silent = stage, now, False, self.is_brief
            if not self.is_brief:
                self.say(f"{stage}: 0{of}")
        elif self.ended:
            return
        elif (done == total and not self.is_silent) or now - self.said > STATUS_LINE_SECONDS:
            self.said, self.ended, self.is_silent = now, done == total, False
            joint = ", " if total is not None and more else " " if more else ""
            self.say(f"{stage}: {done:,}{of}{joint}{more}")


def _say_on(console: Console) -> Callable[[str], None]:
    """Return what prints a line on a console as it is."""
    return lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)


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
