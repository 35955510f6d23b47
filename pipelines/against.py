"""Earlier builds that new documents are compared with, without their texts: `dedup: {against: [...]}`.

A place is a workspace, of which the ids, content hashes, URLs and signatures of kept documents are read, or a set that
`corpus export --signatures` wrote (`corpus.dedup.signature_set`). Their parts follow the input splits of the build in
the search for duplicates. Old documents are never removed, and not compared with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.rows import SplitRows, build_split_rows
from corpus.dedup.signature_set import SET_EXTENSION, SignatureSetReader
from corpus.dedup.signatures import SignatureReader
from corpus.errors import UserError
from corpus.storage.fingerprint import file_identity
from corpus.storage.part_writer import read_fingerprint, read_outcome
from corpus.workspace import Workspace

AGAINST_MARK = "against:"
"""What the source of an old part begins with, before its place: no source of a manifest has such a name."""
OLD_PRIORITY = np.iinfo(np.int32).max

Part = tuple[str, str]
"""(`AGAINST_MARK` and place, part): of a workspace source=NAME/part-SPLIT, of a set the name of a file."""


def list_old_parts(options: DedupOptions) -> list[Part]:
    """List the parts of all places. Raises UserError, one line, for what is no such place, damaged, or made with other
    options than these; reads the end of every part."""
    parts: list[Part] = []
    for place in options.against:
        try:
            listed = _list_workspace(place) if _is_workspace(place) else _list_set(place)
            for part in listed:
                if options.minhash is not None:
                    open_old_signatures(f"{AGAINST_MARK}{place}", part, options.minhash).close()
                parts.append((f"{AGAINST_MARK}{place}", part))
        except (pa.ArrowInvalid, OSError) as error:
            raise UserError(f"{place}: {str(error).splitlines()[0]}") from None
    return parts


def identify_old_parts(parts: Sequence[Part]) -> list[Any]:
    """Return what the results of a comparison with these parts depend on."""
    return [[part, *_identify(source.removeprefix(AGAINST_MARK), part)] for source, part in parts]


def load_old_rows(source: str, part: str, url: bool) -> SplitRows:
    """Return the rows of a part that later documents are compared with; `url` says whether their URLs are."""
    place = source.removeprefix(AGAINST_MARK)
    try:
        if part.endswith(SET_EXTENSION):
            reader = SignatureSetReader(storage.join(place, part))
            try:
                return reader.load_rows(OLD_PRIORITY)
            finally:
                reader.close()
        decisions = _read_columns(_part_path(place, "decisions", part), ["kept"])
        columns = ["id", "content_hash", *(["url"] if url else [])]
        documents = _read_columns(_part_path(place, "documents", part), columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{place}: {part}: {str(error).splitlines()[0]}") from None
    if len(decisions) != len(documents):
        raise UserError(
            f"{place}: {part}: the documents and their decisions do not belong together: build it again"
        )
    row = np.flatnonzero(decisions.column("kept").to_numpy())
    documents = documents.take(row)
    return build_split_rows(
        row=row,
        id=documents.column("id"),
        content_hash=documents.column("content_hash"),
        url=documents.column("url").combine_chunks() if url else None,
        priority=OLD_PRIORITY,
        quality=None,
        length=np.zeros(len(row), np.int64),
    )


def open_old_signatures(source: str, part: str, options: MinHashOptions) -> SignatureReader:
    """Open the signatures of a part. Raises UserError if they were made with other options."""
    place = source.removeprefix(AGAINST_MARK)
    if part.endswith(SET_EXTENSION):
        return SignatureSetReader(storage.join(place, part), options)
    path = _part_path(place, "dedup/signatures", part, "arrow")
    if not storage.exists(path):
        raise UserError(f"{place} has no MinHash signatures of {part}: it was built without `dedup.minhash`")
    return SignatureReader(path, options)


def _is_workspace(place: str) -> bool:
    return storage.exists(storage.join(place, "workspace.json"))


def _list_workspace(place: str) -> list[str]:
    workspace = Workspace.open(place)
    listed = [f"source={source}/part-{split}" for source, split in workspace.splits()]
    for part in listed:
        if read_fingerprint(_part_path(place, "decisions", part)) is None:
            raise UserError(f"{place} has no decisions on {part}: finish its build first")
    return listed


def _list_set(place: str) -> list[str]:
    if place.endswith(SET_EXTENSION) or not storage.exists(place):
        raise UserError(
            f"{place} is neither a workspace nor a folder that `corpus export --signatures` wrote"
        )
    root = storage.local_path(place).rstrip("/")
    listed = [
        path.removeprefix(f"{root}/") for path in storage.list_files(root) if path.endswith(SET_EXTENSION)
    ]
    if not listed:
        raise UserError(
            f"{place} is neither a workspace nor a folder that `corpus export --signatures` wrote"
        )
    return listed


def _identify(place: str, part: str) -> list[Any]:
    if part.endswith(SET_EXTENSION):
        return [file_identity(storage.stat(storage.join(place, part), part))]
    decisions = _part_path(place, "decisions", part)
    return [
        read_fingerprint(_part_path(place, "documents", part)),
        read_outcome(decisions) or read_fingerprint(decisions),
    ]


def _part_path(place: str, folder: str, part: str, extension: str = "parquet") -> str:
    source, _, split = part.removeprefix("source=").partition("/part-")
    return Workspace(place).part(folder, source, split, extension)


def _read_columns(path: str, columns: list[str]) -> pa.Table:
    with storage.open_input(path) as stream:
        return pq.read_table(stream, columns=columns, use_threads=False)
