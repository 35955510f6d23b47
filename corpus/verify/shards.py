"""Checks of one token shard against dataset.json, and the records of its rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

from corpus import storage
from corpus.errors import shorten_line
from corpus.tokens.encode import Encoder
from corpus.tokens.parts import token_schema
from corpus.verify.findings import Findings
from corpus.verify.join import KIND_ROW, RECORD_DTYPE, Records, build_records, parse_hex_ids
from corpus.verify.parts import hash_fact
from corpus.verify.text import decode_rows, hash_tokens, vocabulary_bytes
from corpus.workspace import Workspace


def verify_shard(
    workspace: Workspace, shard: dict[str, Any], encoder: Encoder
) -> tuple[Findings, Records, dict[str, int]]:
    """Check a shard; return (findings, records of its rows, its total rows, tokens and bytes).

    Reads the file twice, once for its checksum. Memory: a record batch with its text (60 MB), 41 bytes a row.
    """
    findings, batch_records = Findings(), [np.zeros(0, RECORD_DTYPE)]
    path = workspace.path("tokens", shard["path"])
    findings.looked("files")
    if not storage.exists(path):
        findings.wrong("files", f"{path} is missing")
        return findings, batch_records[0], {}
    findings.looked("checksums")
    if storage.sha256(path) != shard["sha256"]:
        findings.wrong("checksums", f"{path}: its SHA-256 is not that of dataset.json")
    vocabulary = vocabulary_bytes(encoder)
    totals = {"rows": 0, "tokens": 0, "bytes": 0}
    with storage.open_input(path) as stream:
        try:
            file = pa.ipc.open_file(stream)
            findings.looked("schema")
            if not file.schema.remove_metadata().equals(token_schema(encoder.dtype)):
                findings.wrong("schema", f"{path} has other columns: {', '.join(file.schema.names)}")
                return findings, batch_records[0], totals
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                batch_records.append(_check_batch(batch, shard, encoder, vocabulary, findings, path))
                totals["rows"] += batch.num_rows
                totals["tokens"] += len(batch.column("tokens").flatten())
                totals["bytes"] += int(batch.column("bytes").to_numpy().sum(dtype=np.int64))
        except (pa.ArrowInvalid, OSError) as error:
            findings.wrong("checksums", f"{path}: {shorten_line((str(error).splitlines() or [''])[0], 200)}")
            return findings, np.concatenate(batch_records), totals
    findings.looked("counts", len(totals))
    for name, value in totals.items():
        if shard[name] != value:
            findings.wrong("counts", f"{path} has {value:,} {name}, dataset.json says {shard[name]:,}")
    return findings, np.concatenate(batch_records), totals


def _check_batch(
    batch: pa.RecordBatch,
    shard: dict[str, Any],
    encoder: Encoder,
    vocabulary: pa.Array | None,
    findings: Findings,
    path: str,
) -> Records:
    rows = batch.column("tokens")
    tokens = rows.flatten().to_numpy()
    offsets = rows.offsets.to_numpy().astype(np.int64) - rows.offsets[0].as_py()
    ends = np.flatnonzero(tokens == encoder.end_of_text)
    if not np.array_equal(ends + 1, offsets[1:]):
        findings.wrong("tokens", f"{path}: rows that do not end with end-of-text, or contain it")
    if len(tokens) and int(tokens.max()) >= encoder.vocabulary_size:
        findings.wrong("tokens", f"{path}: token {tokens.max()} is outside the vocabulary")
        vocabulary, tokens = None, tokens[:0]
    sizes = batch.column("bytes").to_pylist()
    if vocabulary is not None:
        texts = list(decode_rows(batch, vocabulary))
        content = [hashlib.blake2b(text, digest_size=16).hexdigest() for text in texts]
        wrong = [row for row, (text, size) in enumerate(zip(texts, sizes, strict=True)) if len(text) != size]
        findings.rows("tokens", f"{path}: bytes differ from the decoded tokens", wrong, len(wrong))
    else:
        pieces = zip(offsets[:-1].tolist(), (offsets[1:] - 1).tolist(), strict=True)
        content = [hash_tokens(tokens[first:last], encoder.dtype) for first, last in pieces]
    labels = batch.column("language").to_pylist()
    facts = [
        hash_fact(shard["split"], shard["source"], label, size)
        for label, size in zip(labels, sizes, strict=True)
    ]
    if shard["language"] != "other" and any(label != shard["language"] for label in labels):
        findings.wrong("shards", f"{path} has rows in another language than {shard['language']}")
    return build_records(KIND_ROW, batch.column("doc_id"), parse_hex_ids(content), facts)
