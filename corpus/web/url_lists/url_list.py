"""Read a list of URLs: one row a page, in the order of crawl indexes, and its hashes for matching."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.errors import UserError, shorten_line
from corpus.storage.fingerprint import file_identity
from corpus.web.url_lists.index_key import hashes_of

URL_LIST_SCHEMA = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("score", pa.int64(), nullable=False),
        pa.field("submissions", pa.int32(), nullable=False),
        pa.field("first", pa.timestamp("s", "UTC")),
        pa.field("last", pa.timestamp("s", "UTC")),
        pa.field("subreddits", pa.list_(pa.string()), nullable=False),
    ]
)
"""A row of a list: `url` is the spelling to fetch, `key` what all spellings share (`corpus.web.url_lists.index_key`),
`hash` its XXH3; the sum of the scores, how many submissions, when the first and the last came, and where."""
URL_LIST_GROUP_ROWS = 1 << 16
LIST_NAME = "urls.parquet"
"""The list in the folder that `corpus urls` writes to."""
_PARQUET_MAGIC = b"PAR1"


def find_list(path: str) -> str:
    """Return the path of a list: of a folder that `corpus urls` has made, that of the list in it."""
    inside = storage.join(path, LIST_NAME)
    return inside if not storage.is_remote(path) and os.path.isdir(path) and os.path.isfile(inside) else path


def open_list(path: str) -> pq.ParquetFile:
    """Open the Parquet file of a list; other columns than `url` may be missing. Raises UserError where it is none."""
    try:
        url_list = pq.ParquetFile(storage.open_input(path), pre_buffer=False)  # not the whole column
    except IsADirectoryError:
        raise UserError(f"{path} is a folder: name the list in it, such as {LIST_NAME}") from None
    except (pa.ArrowException, OSError) as error:
        message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = shorten_line(message.splitlines()[0], 200)
        if "magic bytes" in reason:  # Arrow's word for another format, or a file that is cut
            with storage.open_input(path) as stream:
                is_cut = stream.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
            reason = (
                "its end is missing: copy it again"
                if is_cut
                else "`corpus urls` makes one, or write the addresses as the column `url` of a Parquet file"
            )
        raise UserError(f"{path}: not a list of URLs in Parquet: {reason}") from None
    if "url" not in url_list.schema_arrow.names:
        raise UserError(f"{path}: a list of URLs has a column `url`; `corpus urls` makes one")
    kind = url_list.schema_arrow.field("url").type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise UserError(f"{path}: the column `url` holds {kind}: text is expected")
    return url_list


@contextmanager
def as_parquet_list(path: str) -> Iterator[str]:
    """Yield the path of a list in Parquet: the list itself, or a temporary one made of text with an address a line,
    plain or compressed. Lines without text are left out. Raises UserError where no line is a web address."""
    if not storage.is_remote(path) and os.path.isdir(path):
        raise UserError(f"{path} is a folder: name the list in it, such as {LIST_NAME}")
    with storage.open_input(path) as stream:
        is_parquet = stream.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    if is_parquet:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="corpus-urls-") as folder:
        place = os.path.join(folder, "urls.parquet")
        addresses = 0
        schema = pa.schema([URL_LIST_SCHEMA.field("url")])
        try:
            with storage.open_decompressed(path) as lines, pq.ParquetWriter(place, schema) as writer:
                while block := [line for _, line in zip(range(URL_LIST_GROUP_ROWS), lines, strict=False)]:
                    texts = [line.decode("utf-8-sig", "replace").strip() for line in block]
                    urls = [text for text in texts if text]
                    addresses += int(np.count_nonzero(hashes_of(urls)))
                    writer.write_table(pa.table({"url": urls}, schema=schema))
        except storage.DAMAGE as error:
            raise UserError(f"{path}: cannot read the list: {error}") from None
        if not addresses:
            raise UserError(
                f"{path}: not a list of URLs: neither Parquet with a column `url` nor text with an address a "
                "line, such as https://example.org/page"
            )
        yield place


def has_hashes(url_list: pq.ParquetFile) -> bool:
    """Return whether a list holds its hashes: as `corpus urls` writes them, not any column that is called so."""
    schema = url_list.schema_arrow
    return all(
        name in schema.names and schema.field(name) == URL_LIST_SCHEMA.field(name) for name in ("key", "hash")
    )


def read_batches(url_list: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a list with those of the columns that it has; a `hash` that is not its own is computed."""
    computed = "hash" in columns and not has_hashes(url_list)
    wanted = [
        name for name in columns if name in url_list.schema_arrow.names and not (computed and name == "hash")
    ]
    if computed and "url" not in wanted:
        wanted.append("url")
    for batch in url_list.iter_batches(URL_LIST_GROUP_ROWS, columns=wanted):
        if computed:
            hashes = pa.array(hashes_of(batch.column("url").to_pylist()), pa.uint64())
            batch = batch.append_column("hash", hashes)
        yield batch


def read_hashes(path: str) -> NDArray[np.uint64]:
    """Return the hash of every row of a list, in its order."""
    with open_list(path) as url_list:
        hashes = np.empty(url_list.metadata.num_rows, np.uint64)
        at = 0
        for batch in read_batches(url_list, ["hash"]):
            hashes[at : at + len(batch)] = batch.column("hash").to_numpy()
            at += len(batch)
    return hashes


def sort_unique(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the distinct hashes, sorted; the array itself is sorted too. `np.unique` takes five times the memory."""
    hashes.sort()
    first = np.ones(len(hashes), bool)
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    return hashes[first]


@lru_cache(maxsize=8)
def sorted_hashes(path: str) -> NDArray[np.uint64]:
    """Return the hashes of a list, sorted, unique, mapped into memory: 8 bytes a URL, shared by all processes.

    They are made once, in a file beside the list (or in the temporary folder where nothing can be written
    there) that is named after what is in the list. Memory while they are made: 25 bytes a URL.
    """
    file = storage.stat(path, path)
    name = f".{os.path.basename(path)}.{file_identity(file)[:16]}.hashes.npy"
    beside = "" if storage.is_remote(path) else os.path.dirname(os.path.abspath(storage.local_path(path)))
    folder = beside if beside and os.access(beside, os.W_OK) else tempfile.gettempdir()
    place = os.path.join(folder, name)
    if not os.path.exists(place):
        hashes = sort_unique(read_hashes(path))
        with storage.atomic_output(place) as output:
            np.save(output, hashes[hashes != 0])
    mapped: NDArray[np.uint64] = np.load(place, mmap_mode="r")
    return mapped


def contains(hashes: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of `wanted` are among sorted `hashes`."""
    if not len(hashes):
        return np.zeros(len(wanted), bool)
    at = np.searchsorted(hashes, wanted)
    is_member: NDArray[np.bool_] = (hashes[np.minimum(at, len(hashes) - 1)] == wanted) & (wanted != 0)
    return is_member
