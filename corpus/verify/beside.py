"""Checks of what lies beside the documents of an input split: signatures, and edits."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.dedup.options import MinHashOptions
from corpus.dedup.signatures import SignatureReader, SignatureStep, has_signature
from corpus.edits.edit_counts import COUNT_KEYS, COUNT_NUMBERS, count_edits, read_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, edits_path, hash_edits, list_edit_steps
from corpus.edits.steps import REPEATS_STEP
from corpus.errors import UserError, shorten_line
from corpus.storage.part_writer import DOCUMENTS_KEY, FINGERPRINT_KEY, OUTCOME_KEY
from corpus.text.words import segment_words
from corpus.verify.findings import Findings, name_part
from corpus.workspace import Workspace

SIGNATURES_MADE = 64
"""Signatures of an input split that are made again at the most, of documents evenly spread."""
Counts = Counter[tuple[str, ...]]
"""Numbers of edits by step, the keys of their counts, and the name of the number."""


def verify_signatures(
    workspace: Workspace,
    source: str,
    split: str,
    options: MinHashOptions,
    findings: Findings,
    *,
    keeps_all: bool,
) -> None:
    """Check the signatures of an input split: as many as documents, none of a document that had no text (which can be
    told if all texts are kept), and a sample as its texts give.

    The other values of a part have no checksum: `corpus verify --rebuild` compares whole parts.
    """
    path = workspace.part("dedup/signatures", source, split, "arrow")
    place = name_part("dedup/signatures", source, split, "arrow")
    findings.looked("files")
    if not storage.exists(path):
        findings.wrong("files", f"{path} is missing")
        return
    try:
        reader = SignatureReader(path, options)
    except UserError as error:
        findings.wrong("fingerprints", str(error))
        return
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        findings.wrong("checksums", f"{path}: {_first_line(error)}")
        return
    try:
        with pq.ParquetFile(storage.open_input(workspace.part("documents", source, split))) as documents:
            findings.looked("fingerprints")
            if reader.rows() != documents.metadata.num_rows:
                findings.wrong("fingerprints", f"{place} has other rows than the documents beside it")
                return
            first = 0
            for group in range(documents.num_row_groups):
                count = documents.metadata.row_group(group).num_rows
                table = documents.read_row_group(group, columns=["text", "language"], use_threads=False)
                share = max(1, SIGNATURES_MADE * count // max(1, documents.metadata.num_rows))
                wrong = first + _find_other_signatures(
                    reader, table, first, share, options, findings, keeps_all=keeps_all
                )
                what = f"{place}: not what the text gives"
                findings.rows("checksums", what, wrong.tolist(), len(wrong))
                first += count
    except (pa.ArrowException, OSError, ValueError, IndexError, UserError) as error:
        findings.wrong("checksums", f"{path}: {_first_line(error)}")
    finally:
        reader.close()


def _find_other_signatures(
    reader: SignatureReader,
    table: pa.Table,
    first: int,
    share: int,
    options: MinHashOptions,
    findings: Findings,
    *,
    keeps_all: bool,
) -> NDArray[np.int64]:
    """Return the rows of a row group, counted from its `first`, whose signatures are not what their texts give."""
    stored = reader.read(np.arange(first, first + len(table)))
    texts = table["text"].is_valid().to_numpy()
    rows = np.flatnonzero(texts)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(share, len(rows))).astype(np.int64))]
    findings.looked("checksums", len(rows))
    languages = table["language"].take(rows).to_pylist()
    words = [
        segment_words(text, language)
        for text, language in zip(table["text"].take(rows).to_pylist(), languages, strict=True)
    ]
    made = SignatureStep(options).signatures(words, languages)
    width = options.width
    values = made.column("signature").values.to_numpy().reshape(-1, width)
    differing = (values != stored[rows]).any(axis=1)
    if options.containment is not None:
        beside = reader.read_sketches(first + rows).to_pylist()
        own = made.column("sketch").to_pylist()
        differing |= np.array([one != other for one, other in zip(beside, own, strict=True)], np.bool_)
    without_text = np.flatnonzero(has_signature(stored) & ~texts) if keeps_all else rows[:0]
    return np.sort(np.concatenate([rows[differing], without_text]))


def verify_edits(workspace: Workspace, source: str, split: str, findings: Findings) -> Counts:
    """Check the edits of an input split that finished steps found; return their counts."""
    counts: Counts = Counter()
    steps = list_edit_steps(workspace)
    if not steps:
        return counts
    with storage.open_input(workspace.part("documents", source, split)) as stream:
        documents = pq.ParquetFile(stream)
        made_of = (documents.schema_arrow.metadata or {}).get(FINGERPRINT_KEY)
        beside = documents.read(columns=["characters", "language"], use_threads=False)
    with storage.open_input(workspace.part("decisions", source, split)) as stream:
        kept = pq.read_table(stream, columns=["kept"], use_threads=False)["kept"].to_numpy()
    for step in steps:
        edits = _read_edits(workspace, step, source, split, made_of, findings)
        if edits is None:
            continue
        place = name_part(f"edits/{step}", source, split)
        row, end = edits["row"].to_numpy(), edits["end"].to_numpy()
        if len(row) and not (row.min() >= 0 and row.max() < len(beside)):
            findings.wrong("fingerprints", f"{place} has rows that the documents beside it have not")
            continue
        findings.looked("decisions", len(edits))
        outside = end > beside["characters"].to_numpy()[row]
        outside |= (edits["start"].to_numpy() < 0) | (edits["start"].to_numpy() >= end)
        findings.rows(
            "decisions", f"{place}: a span outside its text", row[outside].tolist(), int(outside.sum())
        )
        if step == REPEATS_STEP:
            dropped = ~kept[row]
            findings.rows(
                "decisions",
                f"{place}: a span in a dropped document",
                row[dropped].tolist(),
                int(dropped.sum()),
            )
        for entry in count_edits(edits, source, beside["language"].to_pylist()).to_pylist():
            for name in COUNT_NUMBERS:
                counts[step, *(entry[key] for key in COUNT_KEYS), name] += entry[name]
    return counts


def _read_edits(
    workspace: Workspace, step: str, source: str, split: str, made_of: bytes | None, findings: Findings
) -> pa.Table | None:
    """Read a part of edits and check what it says of itself; None if it cannot be looked at further."""
    path = edits_path(workspace, step, source, split)
    findings.looked("files")
    if not storage.exists(path):
        findings.wrong("files", f"{path} is missing")
        return None
    findings.looked("checksums")
    try:
        with storage.open_input(path) as stream:
            file = pq.ParquetFile(stream, page_checksum_verification=True)
            metadata = {**(file.schema_arrow.metadata or {}), **(file.metadata.metadata or {})}
            edits = file.read(use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        findings.wrong("checksums", f"{path}: {_first_line(error)}")
        return None
    findings.looked("schema")
    if not edits.schema.remove_metadata().equals(EDITS_SCHEMA):
        findings.wrong("schema", f"{path} has other columns: {', '.join(edits.schema.names)}")
        return None
    findings.looked("fingerprints")
    if metadata.get(DOCUMENTS_KEY) != made_of:
        findings.wrong("fingerprints", f"{path} was not made from the documents beside it")
        return None
    edits = edits.replace_schema_metadata(None)
    if metadata.get(OUTCOME_KEY, b"").decode() != hash_edits(edits):
        findings.wrong("checksums", f"{path} does not match its checksum")
    return edits


def check_edit_counts(workspace: Workspace, counts: Counts, findings: Findings) -> None:
    """Check the counts that each finished step wrote against those of all its parts."""
    stated: Counts = Counter()
    for step in list_edit_steps(workspace):
        try:
            rows = read_edit_counts(workspace, step).to_pylist()
        except (pa.ArrowException, OSError) as error:
            findings.wrong("checksums", f"counts of edits of {step}: {_first_line(error)}")
            continue
        for row in rows:
            for name in COUNT_NUMBERS:
                stated[step, *(row[key] for key in COUNT_KEYS), name] += row[name]
    findings.looked("counts", len(stated))
    for key in sorted(stated.keys() | counts.keys()):
        if stated[key] != counts[key]:
            findings.wrong(
                "counts", f"edits: {' '.join(key)}: {counts[key]:,}, counts.parquet says {stated[key]:,}"
            )


def _first_line(error: Exception) -> str:
    return shorten_line((str(error).splitlines() or [type(error).__name__])[0], 200)
