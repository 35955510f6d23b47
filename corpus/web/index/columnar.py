"""Search Common Crawl's columnar index: Parquet with a row a capture, sorted by SURT key.

Row groups that cannot have the keys looked for are not read, nor are columns that are not needed. See
https://commoncrawl.org/columnar-index; parts of it are read from disk, S3 or HTTP alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.document import Failure
from corpus.errors import UserError, shorten_line
from corpus.storage import open_input
from corpus.web.index.capture import Capture
from corpus.web.index.cdx import KeyRange

NEEDED_COLUMNS = ("url", "fetch_time", "warc_filename", "warc_record_offset", "warc_record_length")
KEY_COLUMN = "url_surtkey"


class ColumnarIndex:
    """One Parquet file of the index. The bounds of its keys are kept; it is open only while it is read."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open_input(path) as stream:
                file = pq.ParquetFile(stream)
                self._names = file.schema_arrow.names
                self._bounds = [_key_bounds(file, group) for group in range(file.num_row_groups)]
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{path}: not a Parquet index: {shorten_line(str(error).splitlines()[0], 200)}"
            ) from None
        missing = [name for name in NEEDED_COLUMNS if name not in self._names]
        if missing:
            raise UserError(f"{path}: not a columnar index: it has no {', '.join(missing)}")

    def captures(self, ranges: Sequence[KeyRange]) -> Iterator[Capture | Failure]:
        """Yield the captures whose keys are in the sorted ranges; every capture where the index has no keys.

        A row that is damaged is a Failure.
        """
        names = [
            *NEEDED_COLUMNS,
            *(name for name in ("fetch_status", "content_mime_type") if name in self._names),
        ]
        of_groups = {group: _select_ranges(ranges, bounds) for group, bounds in enumerate(self._bounds)}
        groups = [group for group, group_ranges in of_groups.items() if group_ranges]
        if not groups:
            return
        with open_input(self.path) as stream:
            file = pq.ParquetFile(stream)
            for group in groups:
                if KEY_COLUMN in self._names:
                    keys = file.read_row_group(group, columns=[KEY_COLUMN])[KEY_COLUMN].combine_chunks()
                    rows = _find_rows(keys, of_groups[group])
                    if not len(rows):
                        continue
                    table = file.read_row_group(group, columns=names).take(rows)
                else:
                    table = file.read_row_group(group, columns=names)
                for row in table.to_pylist():
                    try:
                        yield _make_capture(row)
                    except ValueError as error:
                        message = f"a damaged row of the index, {str(row['url'])[:80]!r}: {error}"
                        yield Failure(file=self.path, offset=0, length=1, step="index", error=message)


def _key_bounds(file: pq.ParquetFile, group: int) -> tuple[bytes, bytes] | None:
    """Return the lowest and the highest key of a row group; None where they are not known."""
    if KEY_COLUMN not in file.schema.names:
        return None
    statistics = file.metadata.row_group(group).column(file.schema.names.index(KEY_COLUMN)).statistics
    if statistics is None or not statistics.has_min_max:
        return None
    low, high = (
        value.encode() if isinstance(value, str) else bytes(value)
        for value in (statistics.min, statistics.max)
    )
    return low, high


def _select_ranges(ranges: Sequence[KeyRange], bounds: tuple[bytes, bytes] | None) -> Sequence[KeyRange]:
    """Return those of the sorted, disjoint ranges that keys within the bounds can be in."""
    if bounds is None:
        return ranges
    first = bisect_right(ranges, bounds[0], key=lambda one: one[1])
    last = bisect_right(ranges, bounds[1], key=lambda one: _strip_blank(one[0]))
    return ranges[first:last]


def _strip_blank(low: bytes) -> bytes:
    """Return a range's lower end as keys alone have it: a blank behind the key is in lines only."""
    return low.rstrip(b" ")


def _find_rows(keys: pa.Array, ranges: Sequence[KeyRange]) -> pa.Array:
    """Return the rows whose keys are in a range, by binary search over the sorted distinct keys."""
    binary = keys.cast(pa.binary())
    order = pc.sort_indices(binary)
    row_slices: list[pa.Array] = [pa.array([], pa.uint64())]
    ordered = pc.take(binary, order)
    for low, high in ranges:
        first, last = _count_below(ordered, _strip_blank(low)), _count_below(ordered, high)
        if first < last:
            row_slices.append(order.slice(first, last - first))
    return pc.unique(pa.concat_arrays(row_slices)).sort()


def _count_below(ordered: pa.Array, value: bytes) -> int:
    """Count the values below `value`."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        if ordered[middle].as_buffer().to_pybytes() < value:
            low = middle + 1
        else:
            high = middle
    return low


def _make_capture(row: dict[str, object]) -> Capture:
    time = row["fetch_time"]
    return Capture(
        url=str(row["url"]),
        time=time.strftime("%Y%m%d%H%M%S") if isinstance(time, datetime) else str(time),
        status=str(row.get("fetch_status") or ""),
        mime=str(row.get("content_mime_type") or ""),
        file=str(row["warc_filename"]),
        offset=int(str(row["warc_record_offset"])),
        length=int(str(row["warc_record_length"])),
    )
