"""Checks of one input split: its documents, decisions and signals, row group by row group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from corpus import storage
from corpus.dedup.options import MinHashOptions
from corpus.document import content_hash
from corpus.document_schema import DECISIONS_SCHEMA, DOCUMENTS_SCHEMA, LATER_COLUMNS
from corpus.edits.applied import read_applied_edits
from corpus.edits.parts import SplitEdits
from corpus.errors import RunError, shorten_line
from corpus.holding import VALIDATION_FAILURE
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.rules.kept_texts import is_absent
from corpus.rules.rule import LATE_STEP
from corpus.storage.part_writer import DOCUMENTS_KEY, FINGERPRINT_KEY
from corpus.tokens.encode import Encoder
from corpus.validation import Shares, name_sides
from corpus.verify.beside import Counts as EditCounts
from corpus.verify.beside import verify_edits, verify_signatures
from corpus.verify.findings import Findings, name_part
from corpus.verify.join import (
    KIND_KEPT,
    KIND_OLD,
    KIND_STANDS,
    RECORD_DTYPE,
    Records,
    build_records,
    parse_hex_ids,
)
from corpus.verify.text import hash_tokens
from corpus.workspace import Workspace

COUNTED_NUMBERS = ("documents", "characters", "bytes")
WRITTEN = "written"
"""What of the counts is compared with the shards: kept documents with their edits."""
Key = tuple[str, str, str, str]
"""source, language, what, key: as in the ledger's counts."""


@dataclass
class SplitChecks:
    """The results for an input split: findings, records for the join, and independent counts of its rows."""

    findings: Findings = field(default_factory=Findings)
    records: Records = field(default_factory=lambda: np.zeros(0, RECORD_DTYPE))
    counts: Counter[tuple[Key, str]] = field(default_factory=Counter)
    edits: EditCounts = field(default_factory=Counter)


def verify_split(
    workspace: Workspace,
    source: str,
    split: str,
    shares: Shares,
    keep_text: str,
    encoder: Encoder | None,
    minhash: MinHashOptions | None = None,
) -> SplitChecks:
    """Check one input split. `shares` are those of validation, `keep_text` the manifest's; with `encoder`, tokens are
    compared instead of texts; with `minhash`, there are signatures.

    Reads every column of every part, about 60 MB/s of text. Memory: a row group, and 41 bytes a row.
    """
    done = SplitChecks()
    findings = done.findings
    try:
        edits = read_applied_edits(workspace, source, split)
    except (RunError, pa.ArrowInvalid, OSError) as error:
        findings.wrong("files", f"{_first_line(error)}")
        return done
    names = ["documents", "decisions", *(f"signals/{step}" for step in workspace.steps())]
    files: dict[str, pq.ParquetFile] = {}
    for name in names:
        path = workspace.part(name, source, split)
        findings.looked("files")
        if not storage.exists(path):
            findings.wrong("files", f"{path} is missing")
            continue
        try:
            files[name] = pq.ParquetFile(storage.open_input(path), page_checksum_verification=True)
        except (pa.ArrowInvalid, OSError) as error:
            findings.wrong("checksums", f"{path}: {_first_line(error)}")
    try:
        if len(files) == len(names) and _check_beside(files, findings, source, split):
            for group in _read_groups(files, findings, source, split):
                _check_rows(done, group, source, split, shares, keep_text, encoder, edits)
            if minhash is not None:
                verify_signatures(workspace, source, split, minhash, findings, keeps_all=keep_text == "all")
            done.edits = verify_edits(workspace, source, split, findings)
    finally:
        for file in files.values():
            file.close(force=True)
    return done


def _check_beside(files: Mapping[str, pq.ParquetFile], findings: Findings, source: str, split: str) -> bool:
    """Check schemas, fingerprints and row groups; return whether rows can be compared."""
    documents = files["documents"]
    documents_fingerprint = (documents.schema_arrow.metadata or {}).get(FINGERPRINT_KEY)
    groups = [documents.metadata.row_group(at).num_rows for at in range(documents.num_row_groups)]
    good = True
    for name, file in files.items():
        place = name_part(name, source, split)
        columns = file.schema_arrow
        findings.looked("schema")
        if not is_documented(name, columns):
            findings.wrong("schema", f"{place} has other columns: {', '.join(columns.names)}")
            good = False
        findings.looked("fingerprints")
        metadata = columns.metadata or {}
        if FINGERPRINT_KEY not in metadata:
            findings.wrong("fingerprints", f"{place} has no fingerprint")
        if name != "documents" and metadata.get(DOCUMENTS_KEY) != documents_fingerprint:
            findings.wrong("fingerprints", f"{place} was not made from the documents beside it")
            good = False
        if [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] != groups:
            findings.wrong("fingerprints", f"{place} has other rows than the documents beside it")
            good = False
    return good


def is_documented(name: str, columns: pa.Schema) -> bool:
    """Return whether the columns of a kind of part are those that it should have."""
    if name in ("documents", "decisions"):
        expected = DOCUMENTS_SCHEMA if name == "documents" else DECISIONS_SCHEMA
        for column in LATER_COLUMNS if name == "documents" else ():
            if column not in columns.names:
                expected = expected.remove(expected.get_field_index(column))
        return bool(columns.remove_metadata().equals(expected))
    step = name.rpartition("/")[2]
    return all(column.type == pa.float32() and column.name.startswith(f"{step}.") for column in columns)


@dataclass(frozen=True)
class _Group:
    documents: pa.Table
    decisions: pa.Table
    first: int


def _read_groups(
    files: Mapping[str, pq.ParquetFile], findings: Findings, source: str, split: str
) -> Iterator[_Group]:
    first = 0
    for number in range(files["documents"].num_row_groups):
        tables: dict[str, pa.Table] = {}
        for name, file in files.items():
            findings.looked("checksums")
            try:
                tables[name] = file.read_row_group(number, use_threads=False)
            except (pa.ArrowInvalid, OSError) as error:
                place = f"{name_part(name, source, split)}, row group {number}"
                findings.wrong("checksums", f"{place}: {_first_line(error)}")
        if "documents" in tables and "decisions" in tables:
            yield _Group(tables["documents"], tables["decisions"], first)
        first += files["documents"].metadata.row_group(number).num_rows


def _find_late_failures(failed: pa.ListArray) -> npt.NDArray[np.int64]:
    """Return the rows that fail a rule on what duplicates left, or that must not be validation: others can refer to
    them."""
    names = pc.list_flatten(failed)
    late = pc.or_(pc.starts_with(names, f"{LATE_STEP}."), pc.equal(names, VALIDATION_FAILURE))
    late = late.to_numpy(zero_copy_only=False)
    return np.unique(pc.list_parent_indices(failed).to_numpy()[late.astype(np.bool_)])


def _find_read_failures(failed: pa.ListArray) -> npt.NDArray[np.bool_]:
    """Return which rows fail a rule that their own signals decide: any but a `top_share`."""
    own = pc.invert(pc.ends_with(pc.list_flatten(failed), ".top_share")).to_numpy(zero_copy_only=False)
    fails = np.zeros(len(failed), np.bool_)
    fails[pc.list_parent_indices(failed).to_numpy()[own.astype(np.bool_)]] = True
    return fails


def _check_rows(
    done: SplitChecks,
    group: _Group,
    source: str,
    split: str,
    shares: Shares,
    keep_text: str,
    encoder: Encoder | None,
    edits: SplitEdits | None,
) -> None:
    documents, decisions = group.documents, group.decisions
    findings = done.findings

    def report(name: str, what: str, wrong: npt.NDArray[np.bool_]) -> None:
        rows = np.flatnonzero(wrong)
        place = name_part("documents" if name == "checksums" else "decisions", source, split)
        findings.rows(name, f"{place}: {what}", (rows + group.first).tolist(), len(rows))

    gated, failed = _is_valid(documents.column("gate")), decisions.column("failed_rules").combine_chunks()
    fails = pc.fill_null(pc.greater(pc.list_value_length(failed), 0), False).to_numpy(zero_copy_only=False)
    texts = documents.column("text").to_pylist()
    hashes = [None if text is None else content_hash(text) for text in texts]
    spared = is_absent(documents) & _find_read_failures(failed) & (keep_text != "all")
    findings.looked("checksums", documents.num_rows)
    wrong = _find_differences(hashes, documents.column("content_hash").to_pylist())
    report("checksums", "the text does not match its checksum", wrong & ~spared)
    sizes = [(0, 0) if text is None else (len(text), len(text.encode())) for text in texts]
    stored = zip(*(documents.column(name).to_pylist() for name in ("characters", "bytes")), strict=True)
    report("checksums", "the size does not match the text", _find_differences(sizes, list(stored)) & ~spared)

    removed, kept = _is_valid(decisions.column("duplicate_of")), decisions.column("kept").to_numpy()
    findings.looked("decisions", documents.num_rows)
    report("decisions", "kept against its gate, rules or duplicates", kept != ~(gated | fails | removed))
    report("decisions", "a duplicate that fails rules", removed & (gated | fails))
    gates = _find_differences(documents.column("gate").to_pylist(), decisions.column("gate").to_pylist())
    report("decisions", "the gate differs from the document's", gates)
    sides = decisions.column("split").to_pylist()
    report(
        "decisions",
        "a split although dropped, or no split although kept",
        _is_valid(decisions.column("split")) != kept,
    )
    expected = name_sides(kept, shares.choose(documents))
    findings.looked("validation", int(kept.sum()))
    report("validation", "a group in the wrong split", _find_differences(expected, sides) & kept)

    language = pc.fill_null(documents.column("language"), UNKNOWN_LABEL).combine_chunks()
    state = np.select([gated, fails, removed, kept], ["gated", "rules", "duplicate", "kept"], "none")
    _count_states(done.counts, source, language, state, documents)
    _count_rules(done.counts, source, language, failed)

    emptied = []
    contents = documents.column("content_hash").to_pylist()
    for row in edits.rows_between(group.first, group.first + documents.num_rows) if edits is not None else ():
        at = row - group.first
        if edits is not None and kept[at] and texts[at] is not None:
            texts[at] = edits.apply(row, texts[at])
            contents[at], sizes[at] = content_hash(texts[at]), (len(texts[at]), len(texts[at].encode()))
            if not texts[at].strip():
                emptied.append(at)
    rows = np.setdiff1d(np.flatnonzero(kept), emptied)
    _count_written(done.counts, source, language, rows, sizes)
    chosen = pa.array(rows)
    if encoder is None:
        content = parse_hex_ids([contents[row] for row in rows.tolist()])
    else:
        content = parse_hex_ids(
            [hash_tokens(encoder.encode(texts[row]), encoder.dtype) for row in rows.tolist()]
        )
    labels = language.take(chosen).to_pylist()
    facts = [
        hash_fact(sides[row], source, label, sizes[row][1])
        for row, label in zip(rows.tolist(), labels, strict=True)
    ]
    stands = decisions.column("duplicate_of").drop_null()
    ids = documents.column("id").take(chosen)
    done.records = np.concatenate(
        [
            done.records,
            build_records(KIND_KEPT, ids, content, facts),
            build_records(KIND_STANDS, stands.unique()),
            build_records(KIND_OLD, documents.column("id").take(pa.array(_find_late_failures(failed)))),
            build_records(KIND_OLD, documents.column("id").take(pa.array(emptied, pa.int64()))),
        ]
    )


def hash_fact(side: str | None, source: str, language: str, size: int) -> int:
    """Return a hash of the facts that a document and its row in a shard share."""
    return int(xxhash.xxh3_64_intdigest(f"{side}\0{source}\0{language}\0{size}".encode()))


def _count_states(
    counts: Counter[tuple[Key, str]],
    source: str,
    language: pa.Array,
    state: npt.NDArray[np.str_],
    documents: pa.Table,
) -> None:
    table = pa.table(
        [language, pa.array(state), *documents.select(["characters", "bytes"]).columns], list("lscb")
    )
    sums = table.group_by(["l", "s"]).aggregate([("c", "count"), ("c", "sum"), ("b", "sum")])
    for row in sums.to_pylist():
        for what in ("read", row["s"]):
            key = (source, row["l"], what, "")
            for name, value in zip(
                COUNTED_NUMBERS, (row["c_count"], row["c_sum"], row["b_sum"]), strict=True
            ):
                counts[key, name] += value


def _count_written(
    counts: Counter[tuple[Key, str]],
    source: str,
    language: pa.Array,
    rows: npt.NDArray[np.int64],
    sizes: Sequence[tuple[int, int]],
) -> None:
    """Count the documents of which something is left for shards, and the bytes of what is left."""
    for row, label in zip(rows.tolist(), language.take(pa.array(rows)).to_pylist(), strict=True):
        counts[(source, label, WRITTEN, ""), "documents"] += 1
        counts[(source, label, WRITTEN, ""), "bytes"] += sizes[row][1]


def _count_rules(
    counts: Counter[tuple[Key, str]], source: str, language: pa.Array, failed: pa.ListArray
) -> None:
    names = pc.list_flatten(failed)
    table = pa.table([language.take(pc.list_parent_indices(failed)), names], ["l", "r"])
    for row in table.group_by(["l", "r"]).aggregate([([], "count_all")]).to_pylist():
        counts[(source, row["l"], "failed", row["r"]), "documents"] += row["count_all"]


def _is_valid(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = column.is_valid().to_numpy()
    return valid


def _find_differences(one: Sequence[object], other: Sequence[object]) -> npt.NDArray[np.bool_]:
    return np.array([a != b for a, b in zip(one, other, strict=True)], np.bool_)


def _first_line(error: Exception) -> str:
    return shorten_line((str(error).splitlines() or [type(error).__name__])[0], 200)
