"""A workspace and its datasets in a notebook: small HTML tables, and a few lines in a terminal.

Names and texts come from the web: all of them are made harmless and escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import yaml
from rich.cells import cell_len, set_cell_size

from corpus import storage
from corpus.errors import RunError
from corpus.inspect.html_text import escape, shorten
from corpus.inspect.readable import format_count, format_size, format_things
from corpus.workspace import Workspace, read_table

MAX_CELL_CHARACTERS = 60
MAX_SHOWN_ROWS = 20
MAX_SHOWN_COLUMNS = 24
MAX_SHOWN_NAMES = 6
MAX_LIST_VALUES = 8
MAX_COUNTED_FILES = 200
"""Files whose rows are counted to show a dataset: the end of each is read."""
TERMINAL_COLUMNS = 110
MAX_COLUMN_WIDTH = 34
DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
    RunError,
    pa.ArrowException,
    yaml.YAMLError,
)


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What a workspace says about itself in a few small files. What it does not know yet is None."""

    name: str
    state: str
    sources: list[str] | None = None
    read: int | None = None
    kept: int | None = None
    kept_bytes: int | None = None
    languages: list[tuple[str, int]] | None = None
    """The kept documents' languages, each with its documents, most frequent first."""
    tokens: dict[str, int] | None = None
    """Tokens of each split."""


def summarize_workspace(workspace: Workspace) -> Overview:
    """Read plan.json, state.json, status.json, tokens/dataset.json and one table of the ledger, those that are there.

    No document is read. A file that is damaged counts as one that is not there.
    """
    plan = _read_json(workspace, "plan.json")
    dataset = _read_json(workspace, "tokens", "dataset.json")
    facts: dict[str, Any] = {
        "name": dataset.get("name") or _read_name(workspace) or workspace.root.rpartition("/")[2],
        "state": _describe_state(workspace),
    }
    try:
        if "splits" in plan:
            facts["sources"] = sorted({str(source) for source, _ in plan["splits"]})
        if "totals" in dataset:
            facts["tokens"] = {str(split): int(total["tokens"]) for split, total in dataset["totals"].items()}
    except DAMAGE:
        pass
    try:
        path = workspace.path("stats", "counts.parquet")
        if storage.exists(path):
            facts |= _sum_counts(read_table(path))
    except DAMAGE:
        pass
    return Overview(**facts)


def _read_json(workspace: Workspace, *names: str) -> dict[str, Any]:
    try:
        content = json.loads(storage.read_text(workspace.path(*names)))
    except DAMAGE:
        return {}
    return content if isinstance(content, dict) else {}


def _read_name(workspace: Workspace) -> str:
    try:
        return str(yaml.safe_load(storage.read_text(workspace.path("manifest.yaml")))["name"])
    except DAMAGE:
        return ""


def _describe_state(workspace: Workspace) -> str:
    if "build" in _read_json(workspace, "state.json"):
        return "finished"
    status = _read_json(workspace, "status.json")
    if not status.get("stage"):
        return "not finished"
    return f"not finished: {status['stage']}, {status.get('done', 0)} of {status.get('total', 0)}"


def _sum_counts(counts: pa.Table) -> dict[str, Any]:
    def total(table: pa.Table, column: str) -> int:
        return int(pc.sum(table[column]).as_py() or 0)

    kept = counts.filter(pc.equal(counts["what"], "kept"))
    languages = kept.group_by("language").aggregate([("documents", "sum")]).to_pylist()
    pairs = [(str(row["language"]), int(row["documents_sum"])) for row in languages]
    return {
        "read": total(counts.filter(pc.equal(counts["what"], "read")), "documents"),
        "kept": total(kept, "documents"),
        "kept_bytes": total(kept, "bytes"),
        "languages": sorted(pairs, key=lambda pair: (-pair[1], pair[0])),
    }


def _list_names(names: Sequence[str]) -> str:
    shown = ", ".join(shorten(name, MAX_CELL_CHARACTERS) for name in names[:MAX_SHOWN_NAMES])
    more = f" and {len(names) - MAX_SHOWN_NAMES:,} more" if len(names) > MAX_SHOWN_NAMES else ""
    return f"{len(names):,}: {shown}{more}" if names else "0"


def _list_facts(overview: Overview, root: str) -> list[tuple[str, str]]:
    """Return the facts that are known, each with its name, as texts that are not yet escaped."""
    facts = [("workspace", root), ("build", overview.state)]
    if overview.sources is not None:
        facts.append(("sources", _list_names(overview.sources)))
    if overview.read is not None and overview.kept is not None:
        facts.append(("documents", f"{overview.read:,} read, {overview.kept:,} kept"))
    if overview.kept_bytes is not None:
        facts.append(("kept text", format_size(overview.kept_bytes)))
    if overview.languages is not None:
        names = [f"{language} {format_count(documents)}" for language, documents in overview.languages]
        facts.append(("languages", _list_names(names)))
    if overview.tokens is not None:
        parts = ", ".join(f"{count:,} {split}" for split, count in overview.tokens.items())
        facts.append(("tokens", parts or "0"))
    return facts


def show_workspace(workspace: Workspace) -> str:
    """Return the overview of a workspace as an HTML table."""
    overview = summarize_workspace(workspace)
    rows = "".join(
        f'<tr><th style="text-align:left">{name}</th>'
        f'<td style="text-align:left" dir="auto">{escape(shorten(value, 300))}</td></tr>'
        for name, value in _list_facts(overview, workspace.root)
    )
    caption = escape(shorten(overview.name, MAX_CELL_CHARACTERS))
    return f'<table><caption dir="auto">{caption}</caption><tbody>{rows}</tbody></table>'


def describe_workspace(workspace: Workspace) -> str:
    """Return the overview of a workspace as a few lines of text."""
    overview = summarize_workspace(workspace)
    lines = [
        f"  {name:<10} {shorten(value, 300)}" for name, value in _list_facts(overview, workspace.root)[1:]
    ]
    title = f"Workspace {shorten(overview.name, MAX_CELL_CHARACTERS)} at {shorten(workspace.root, 300)}"
    return "\n".join([title, *lines])


class BrowsableDataset(ds.FileSystemDataset):  # type: ignore[misc]  # pyarrow has no types
    """An Arrow dataset of files that shows itself, and the first rows, as small tables."""

    def head(self, num_rows: int = 5, columns: Any = None, **options: Any) -> TableHead:
        """Return the first rows, 5 by default, as a table that shows itself; parameters are those of pyarrow's.

        Reads about the first row group of a file.
        """
        options = {"fragment_readahead": 1, "batch_readahead": 1, **options}
        return TableHead(super().head(num_rows, columns=columns, **options))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), super().__reduce__()[1]

    def _repr_html_(self) -> str:
        fields = list(self.schema)
        rows = [(field.name, str(field.type)) for field in fields[:MAX_SHOWN_COLUMNS]]
        return _make_table(
            ["column", "type"],
            rows,
            note=f"{self._count()}{_count_rest(len(fields), MAX_SHOWN_COLUMNS, 'columns')}",
        )

    def __repr__(self) -> str:
        names = [shorten(field.name, MAX_CELL_CHARACTERS) for field in list(self.schema)[:MAX_SHOWN_COLUMNS]]
        rest = _count_rest(len(self.schema), MAX_SHOWN_COLUMNS, "columns")
        return f"{type(self).__name__}: {self._count()}\n  {', '.join(names)}{rest}"

    def _count(self) -> str:
        """Return the number of rows as text if that is cheap: not of many files, and not of a filtered dataset."""
        files = format_things(len(self.files), "file")
        if self._scan_options:
            return f"filtered rows in {files}"
        if len(self.files) > MAX_COUNTED_FILES:
            return f"rows not counted, {files}"
        try:
            return f"{self.count_rows():,} rows in {files}"
        except DAMAGE:
            return f"rows cannot be counted, {files}"


def make_browsable(dataset: ds.FileSystemDataset) -> BrowsableDataset:
    """Return the same files, schema and partitions as a dataset that shows itself."""
    return BrowsableDataset(
        list(dataset.get_fragments()),
        dataset.schema,
        dataset.format,
        filesystem=dataset.filesystem,
        root_partition=dataset.partition_expression,
    )


class TableHead:
    """The first rows of a dataset: a pyarrow Table in `table`, whose methods it has, that shows itself in short.

    Arrow's C stream interface makes it a table for pyarrow.table, polars, DuckDB and pandas.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __getattr__(self, name: str) -> Any:
        if name == "table":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.table, name)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)

    def __getitem__(self, key: Any) -> Any:
        return self.table[key]

    def __len__(self) -> int:
        return len(self.table)

    def __eq__(self, other: object) -> bool:
        return bool(self.table == (other.table if isinstance(other, TableHead) else other))

    __hash__ = None  # type: ignore[assignment]  # as a Table

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *dir(self.table)})

    def _repr_html_(self) -> str:
        names, rows = self._cut()
        return _make_table(names, rows, note=self._count_cut())

    def __repr__(self) -> str:
        names, rows = self._cut()
        lines, hidden = _align_columns([names, *rows])
        rest = self.table.num_columns - len(names) + hidden
        notes = [f"{self.table.num_rows:,} rows", _count_rest(self.table.num_rows, MAX_SHOWN_ROWS, "rows")]
        return "\n".join([*lines, "".join([*notes, _count_rest(rest, 0, "columns")])])

    def _cut(self) -> tuple[list[str], list[list[str]]]:
        """Return the names and cells that are shown, as texts that are not yet escaped."""
        shown = self.table.slice(0, MAX_SHOWN_ROWS)
        shown = shown.select(list(range(min(shown.num_columns, MAX_SHOWN_COLUMNS))))
        cells = [[_format_cell(value) for value in column] for column in shown.columns]
        return shown.column_names, [list(row) for row in zip(*cells, strict=True)]

    def _count_cut(self) -> str:
        rows = f"{self.table.num_rows:,} rows{_count_rest(self.table.num_rows, MAX_SHOWN_ROWS, 'rows')}"
        return f"{rows}{_count_rest(self.table.num_columns, MAX_SHOWN_COLUMNS, 'columns')}"


def _align_columns(rows: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """Return rows as lines with aligned columns, as many as a terminal shows, and how many columns are left out."""
    lines = ["" for _ in rows]
    columns = [
        [" ".join(shorten(cell, MAX_CELL_CHARACTERS).splitlines()) for cell in column]
        for column in zip(*rows, strict=True)
    ]
    used = 0
    for number, column in enumerate(columns):
        width = min(MAX_COLUMN_WIDTH, max(map(cell_len, column)))
        used += width + 2
        if number and used > TERMINAL_COLUMNS:
            return [line.rstrip() for line in lines], len(columns) - number
        cells = [cell if cell_len(cell) <= width else set_cell_size(cell, width - 1) + "…" for cell in column]
        lines = [f"{line}{set_cell_size(cell, width)}  " for line, cell in zip(lines, cells, strict=True)]
    return [line.rstrip() for line in lines], 0


def _count_rest(count: int, shown: int, what: str) -> str:
    return f", {count - shown:,} more {what} not shown" if count > shown else ""


def _format_cell(value: pa.Scalar) -> str:
    """Return one value as a text, a part of it if it is long."""
    if not value.is_valid:
        return "null"
    if pa.types.is_list(value.type) or pa.types.is_large_list(value.type):
        parts = [_format_cell(part) for part in value.values.slice(0, MAX_LIST_VALUES)]
        more = f", ... {len(value.values):,} in all" if len(value.values) > MAX_LIST_VALUES else ""
        return f"[{', '.join(parts)}{more}]"
    if pa.types.is_floating(value.type):
        return f"{value.as_py():.4g}"
    if pa.types.is_binary(value.type) or pa.types.is_large_binary(value.type):
        return f"{len(value.as_py()):,} bytes"
    return str(value.as_py())


def _make_table(names: Sequence[str], rows: Sequence[Sequence[str]], *, note: str) -> str:
    """Return an HTML table of texts, each shortened and escaped, with a note below it."""

    def cells(tag: str, texts: Iterable[str]) -> str:
        style = 'style="text-align:left;white-space:nowrap" dir="auto"'
        return "".join(
            f"<{tag} {style}>{escape(shorten(text, MAX_CELL_CHARACTERS))}</{tag}>" for text in texts
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    head = f"<thead><tr>{cells('th', names)}</tr></thead>"
    return f"<table>{head}<tbody>{body}</tbody></table><p>{escape(note)}</p>"
