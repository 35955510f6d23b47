"""Read Parquet in the manner of The Stack: one row a file, with its text, path, repository and licences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow.parquet as pq
from pydantic import BaseModel, ByteSize, ConfigDict

from corpus.document import Failure, Record
from corpus.sources.tables.fields import Fields
from corpus.sources.tables.parquet import PARQUET_DAMAGE, Parquet
from corpus.storage import open_input

MAX_ROW_BYTES = 64 << 20


class Columns(BaseModel):
    """Which column holds what, the first that is there: the names of The Stack (1, dedup, smol), of StarCoder's data,
    of CodeParrot, of StackEdit's like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: list[str] = ["content", "text", "code"]
    path: list[str] = ["path", "max_stars_repo_path", "file_path", "filename"]
    repository: list[str] = ["repo_name", "max_stars_repo_name", "repository_name", "repo", "repository"]
    license: list[str] = ["license", "licenses", "max_stars_repo_licenses", "detected_licenses"]
    commit: list[str] = ["commit", "max_stars_repo_head_hexsha", "revision_id", "commit_id"]
    date: list[str] = ["max_stars_repo_stars_event_max_datetime", "committer_date", "date"]

    def choose_columns(self, column_names: Sequence[str]) -> dict[str, str]:
        """Return the column name of each role that a table with these columns has."""
        name_by_role: dict[str, str] = {}
        for role, names in self:
            name = next((name for name in names if name in column_names), None)
            if name is not None:
                name_by_role[role] = name
        return name_by_role


def is_table(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def read_rows(
    path: str, file: str, start: int, end: int, columns: Columns
) -> Iterator[tuple[Record, dict[str, str]] | Failure]:
    """Yield each row whose row group begins in [start, end): a record, and its path, repository, commit and licence."""
    try:
        with open_input(path) as stream:
            column_names = pq.ParquetFile(stream).schema_arrow.names
    except PARQUET_DAMAGE as error:
        yield Failure(file=file, offset=0, length=end, step="read", error=f"not a Parquet file: {error}")
        return
    chosen = columns.choose_columns(column_names)
    for needed in ("text", "path"):
        if needed not in chosen:
            message = f"no column for the {needed}: there is {', '.join(column_names)}: name it in `columns`"[
                :500
            ]
            yield Failure(file=file, offset=0, length=end, step="read", error=message)
            return
    named = [name for what, name in chosen.items() if what not in ("text", "date")]
    fields = Fields(
        id="", text=chosen["text"], url="", date=chosen.get("date", ""), license="", metadata=named
    )
    table = Parquet(paths=[path], fields=fields, max_bytes=ByteSize(MAX_ROW_BYTES))
    for record in table.read(path, file, start, end):
        if isinstance(record, Failure):
            yield record
            continue
        yield (
            record,
            {what: record.metadata[name] for what, name in chosen.items() if name in record.metadata},
        )
