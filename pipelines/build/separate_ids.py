"""Give documents that share an id ids of their own, unless they are one record.

Some tools write one WARC-Record-ID on several records, and tables repeat an `id`. Only the documents of a whole
workspace tell, so ids are compared after ingest. A document whose id others have, too, gets an id from that id and from
what it is: its URL, date, text and gate. So no id depends on the order of reading, and a record that is in two files
has one id in both; unless copies are kept, which then get ids by their places.

`ids/shared.parquet` lists the documents that got an id of their own, with the id of their record. A later build starts
from that, so a workspace has the same ids whatever was built before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from corpus import storage
from corpus.document import document_id
from corpus.document_schema import DOCUMENTS_SCHEMA
from corpus.ledger.shared_ids import SHARED_IDS_SCHEMA, read_shared_ids, shared_ids_path
from corpus.pipelines.tokenize import TOKEN_PARTS_FOLDER
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.tokens import shards
from corpus.workspace import Workspace

MAX_IDS_AT_ONCE = 1 << 26
"""Ids that are compared in memory, 8 bytes each; of more, a share at a time."""
IDENTITY_COLUMNS = ["id", "url", "date", "content_hash", "gate", "origin"]
Split = tuple[str, str]
OwnIds = dict[int, tuple[str, str]]
"""The id of its own of each row that has one, and the id of its record."""


def separate_ids(workspace: Workspace, splits: Sequence[Split], keeps_copies: bool = False) -> bool:
    """Give the documents of all input splits that share an id ids of their own; return whether any id changed.

    With `keeps_copies` equal documents get different ids, too: nothing will remove all but one of them.
    Cost: the column of ids is read once or more; the rest only of parts with an id that occurs twice. Memory: 8 bytes a
    document, and 24 for each whose id occurs twice.
    """
    before = read_own_ids(workspace, splits)
    repeated = _find_repeated(workspace, splits, before)
    if not len(repeated) and not before:
        return False
    shared = repeated if keeps_copies else _find_shared(workspace, splits, before, repeated)
    after = {}
    for split in splits:
        own = _name_split(workspace, split, before.get(split, {}), repeated, shared, keeps_copies)
        if own:
            after[split] = own
    changed = [split for split in splits if before.get(split, {}) != after.get(split, {})]
    _write_own_ids(workspace, {split: {**before.get(split, {}), **after.get(split, {})} for split in splits})
    for split in changed:
        _remove_later_parts(workspace, split)
        gone = {row: base for row, (_, base) in before.get(split, {}).items()}
        rewrite_ids(workspace, split, gone | {row: own for row, (own, _) in after.get(split, {}).items()})
    _write_own_ids(workspace, after)
    return bool(changed)


def read_own_ids(workspace: Workspace, splits: Sequence[Split]) -> dict[Split, OwnIds]:
    """Return the ids of their own that documents have; not those of parts that were made again since."""
    by_split: dict[Split, OwnIds] = {}
    wanted = set(splits)
    for row in read_shared_ids(workspace).to_pylist():
        split = (row["source"], row["split"])
        if split in wanted:
            by_split.setdefault(split, {})[row["row"]] = (row["id"], row["record_id"])
    for split, own in list(by_split.items()):
        ids = _read_columns(workspace, split, ["id"]).column("id")
        current = {
            row: ids_of for row, ids_of in own.items() if row < len(ids) and ids[row].as_py() == ids_of[0]
        }
        by_split[split] = current
    return {split: own for split, own in by_split.items() if own}


def rewrite_ids(workspace: Workspace, split: Split, id_of_row: dict[int, str]) -> None:
    """Write the documents part of an input split again with other ids in some rows, also where they are the group."""
    path = workspace.part("documents", *split)
    made_by = read_fingerprint(path)
    assert made_by is not None
    with storage.open_input(path) as stream, PartWriter(path, DOCUMENTS_SCHEMA, made_by) as writer:
        parquet, first = pq.ParquetFile(stream), 0
        for group in range(parquet.num_row_groups):
            table = parquet.read_row_group(group, use_threads=False)
            ids, groups = (table.column(name).to_pylist() for name in ("id", "group"))
            for at in range(len(ids)):
                own = id_of_row.get(first + at, ids[at])
                groups[at] = own if groups[at] == ids[at] else groups[at]
                ids[at] = own
            for name, values in (("id", ids), ("group", groups)):
                place = table.schema.get_field_index(name)
                table = table.set_column(place, DOCUMENTS_SCHEMA.field(name), pa.array(values, pa.string()))
            writer.write(table)
            first += len(ids)


def _read_columns(workspace: Workspace, split: Split, columns: list[str]) -> pa.Table:
    with storage.open_input(workspace.part("documents", *split)) as stream:
        return pq.ParquetFile(stream).read(columns=columns, use_threads=False)


def _hash_ids(ids: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return 64 bits of each id, which are 32 hex digits."""
    joined = "".join(ids.to_pylist()).encode()
    words = np.frombuffer(joined, "<u8").reshape(-1, 4)
    with np.errstate(over="ignore"):
        return np.asarray(words[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ words[:, 1], np.uint64)


def _read_hashes(workspace: Workspace, split: Split, own: OwnIds) -> npt.NDArray[np.uint64]:
    """Return the hashes of the ids of all records of an input split, whatever ids of their own they have."""
    hashes = _hash_ids(_read_columns(workspace, split, ["id"]).column("id"))
    if own:
        hashes = hashes.copy()
        hashes[list(own)] = _hash_ids(pa.chunked_array([[base for _, base in own.values()]]))
    return hashes


def _find_repeated(
    workspace: Workspace, splits: Sequence[Split], before: dict[Split, OwnIds]
) -> npt.NDArray[np.uint64]:
    """Return the hashes, sorted, that several documents' ids have."""
    rows = 0
    for split in splits:
        with storage.open_input(workspace.part("documents", *split)) as stream:
            rows += pq.read_metadata(stream).num_rows
    shares = max(1, -(-rows // MAX_IDS_AT_ONCE))
    repeated = [np.zeros(0, np.uint64)]
    for share in range(shares):
        pieces = [np.zeros(0, np.uint64)]
        for split in splits:
            hashes = _read_hashes(workspace, split, before.get(split, {}))
            pieces.append(hashes[hashes % np.uint64(shares) == share] if shares > 1 else hashes)
        hashes = np.sort(np.concatenate(pieces))
        repeated.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
    return np.sort(np.concatenate(repeated))


def _read_identities(
    workspace: Workspace,
    split: Split,
    own: OwnIds,
    chosen: npt.NDArray[np.uint64],
    is_placed: bool = False,
) -> Iterator[tuple[int, str, str, str]]:
    """Yield (row, id of the record, what the document is, where it is) of documents whose ids have a chosen hash.

    Where it is counts for documents without a text, and for all if `is_placed`.
    """
    if not len(chosen):
        return
    rows = np.flatnonzero(np.isin(_read_hashes(workspace, split, own), chosen))
    if not len(rows):
        return
    table = _read_columns(workspace, split, IDENTITY_COLUMNS).take(pa.array(rows))
    for row, one in zip(rows.tolist(), table.to_pylist(), strict=True):
        base = own[row][1] if row in own else one["id"]
        what = "\0".join(one[name] or "" for name in ("url", "date", "content_hash", "gate"))
        has_place = is_placed or not one["content_hash"]
        where = f"\0{one['origin']['file']}\0{one['origin']['offset']}" if has_place else ""
        yield row, base, what, where


def _find_shared(
    workspace: Workspace,
    splits: Sequence[Split],
    before: dict[Split, OwnIds],
    repeated: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint64]:
    """Return the hashes of ids that documents have which are not one record."""
    seen: list[tuple[int, int]] = []
    for split in splits:
        for _, base, what, _ in _read_identities(workspace, split, before.get(split, {}), repeated):
            seen.append((_hash_text(base), _hash_text(what)))
    pairs = np.unique(np.array(seen, np.uint64).reshape(-1, 2), axis=0)
    bases, counts = np.unique(pairs[:, 0], return_counts=True)
    return np.asarray(bases[counts > 1], np.uint64)


def _name_split(
    workspace: Workspace,
    split: Split,
    own: OwnIds,
    repeated: npt.NDArray[np.uint64],
    shared: npt.NDArray[np.uint64],
    keeps_copies: bool,
) -> OwnIds:
    """Return the ids of their own that documents of an input split are to have."""
    if not len(shared):
        return {}
    known = set(shared.tolist())
    return {
        row: (document_id(base, what + where), base)
        for row, base, what, where in _read_identities(workspace, split, own, repeated, keeps_copies)
        if keeps_copies or _hash_text(base) in known
    }


def _hash_text(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def _write_own_ids(workspace: Workspace, own_ids: dict[Split, OwnIds]) -> None:
    rows = [
        {"source": source, "split": name, "row": row, "id": own, "record_id": base}
        for (source, name), ids in sorted(own_ids.items())
        for row, (own, base) in sorted(ids.items())
    ]
    path = shared_ids_path(workspace)
    if not rows:
        storage.remove(path)
        return
    table = pa.Table.from_pylist(rows, SHARED_IDS_SCHEMA)
    with PartWriter(
        path, SHARED_IDS_SCHEMA, fingerprint(pc.unique(table.column("id")).to_pylist())
    ) as writer:
        writer.write(table)


def _remove_later_parts(workspace: Workspace, split: Split) -> None:
    """Remove what was made from the ids of an input split's documents; the stages behind ingest make it again."""
    storage.remove(workspace.path("dedup", "clusters.parquet"))
    storage.remove(workspace.part("decisions", *split))
    storage.remove(workspace.part("stats/parts", *split))
    storage.remove(shards.part_path(workspace.path(TOKEN_PARTS_FOLDER), *split))
