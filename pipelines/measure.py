"""Measure signals of pages: by batches of a language, and those of plug-ins in the process that parses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.document import Failure
from corpus.errors import RunError, describe_briefly
from corpus.extract.process.calls import borrow_caller, call_each, make_call
from corpus.extract.process.supervised import RejectedRecord
from corpus.filters.filter import Filter, measure_together
from corpus.filters.plugin_filter import MEASURE_CALL, to_values
from corpus.ledger.quarantine import QuarantineWriter, replace_surrogates
from corpus.pipelines.context import Tools
from corpus.sources.input_split import InputSplit
from corpus.text.batch import PageBatch, make_batches
from corpus.text.page import Page

WINDOW_PAGES, WINDOW_CHARACTERS = 256, 1 << 21
"""Pages, and characters of them, whose arrays are held together: signals are cheaper for several pages of a language,
signatures for several of any."""


def list_windows(pages: Sequence[Page | None]) -> list[tuple[int, int]]:
    """Return where each run of pages begins and ends whose arrays are held together."""
    windows: list[tuple[int, int]] = []
    begin = count = size = 0
    for at, page in enumerate(pages):
        if page is None:
            continue
        if count == WINDOW_PAGES or (count and size + len(page.text) > WINDOW_CHARACTERS):
            windows.append((begin, at))
            begin, count, size = at, 0, 0
        count += 1
        size += len(page.text)
    if begin < len(pages):
        windows.append((begin, len(pages)))
    return windows


def measure_pages(
    tools: Tools, pages: list[Page | None], first: int, values: dict[str, npt.NDArray[np.float32]]
) -> None:
    """Write the signals of pages, the first of which is row `first`, but for plug-ins: by language, many at once."""
    for chosen in make_batches(pages):
        batch = PageBatch([page for at in chosen if (page := pages[at]) is not None])
        batch.share_words()
        rows = np.array(chosen) + first
        done = set()
        for step, table in values.items():
            if step in tools.calls:
                continue
            try:
                together = measure_together(tools.filters[step], batch)
            except Exception as error:
                for page, row in zip(batch.pages, rows.tolist(), strict=True):
                    measure_page(tools, page, row, {step: table})  # names the text that it fails on alone
                start = replace_surrogates(batch.pages[0].text[:60])
                raise RunError(
                    f"the filter {step} failed on {len(batch)} texts together, the first of which begins {start!r}: "
                    f"{describe_briefly(error)}"
                ) from error
            if together is not None:
                table[rows] = together
                done.add(step)
        left = {step: table for step, table in values.items() if step not in done}
        for page, row in zip(batch.pages, rows.tolist(), strict=True):
            measure_page(tools, page, row, left)


def measure_page(tools: Tools, page: Page, row: int, values: dict[str, npt.NDArray[np.float32]]) -> None:
    """Write the signals of a page into its row, but for plug-ins. Raises RunError if a filter fails: none should."""
    for step, table in values.items():
        if step in tools.calls:
            continue
        try:
            table[row] = tools.filters[step].measure(page)
        except Exception as error:
            start = replace_surrogates(page.text[:60])
            raise RunError(
                f"the filter {step} failed on the text that begins {start!r}: {describe_briefly(error)}"
            ) from error


def measure_in_parser(
    tools: Tools,
    split: InputSplit,
    pages: list[Page | None],
    first: int,
    origins: pa.Array,
    values: dict[str, npt.NDArray[np.float32]],
    quarantines: dict[str, QuarantineWriter],
) -> None:
    """Write the signals of plug-ins into the rows of a batch of pages, the first of which is row `first`.

    A page that a plug-in fails on has its signal `failed` set and no others, and an entry in the plug-in's quarantine.
    """
    calls = (
        ((step, row, page), make_call(MEASURE_CALL, tools.calls[step], page.text, page.language, page.url))
        for row, page in enumerate(pages, first)
        if page is not None
        for step in quarantines
    )
    with borrow_caller(tools.budgets(split)) as caller:
        for (step, row, page), answer in call_each(caller, calls):
            if answer is not None and not isinstance(answer, RejectedRecord):
                values[step][row] = to_values(answer, values[step].shape[1])
                continue
            assert answer is not None
            if step != "language":  # the one step of ours whose model may be a plug-in
                values[step][row, -1] = 1.0
            name = step if step != "language" else "language.score"
            origin = origins[row].as_py()
            quarantines[step].add(
                Failure(**origin, step=name, error=answer.error, reason=answer.reason, url=page.url)
            )


def signal_schema(step_filter: Filter) -> pa.Schema:
    return pa.schema([pa.field(name, pa.float32()) for name in step_filter.signals])


def to_signals(step_filter: Filter, values: npt.NDArray[np.float32]) -> pa.RecordBatch:
    """Return values float32[rows, signals] as a batch; null if a gate stopped the page or a signal was not measured."""
    columns = [
        pa.array(values[:, at], pa.float32(), from_pandas=True) for at in range(len(step_filter.signals))
    ]
    return pa.RecordBatch.from_arrays(columns, schema=signal_schema(step_filter))
