"""The training texts of arms as token shards that differ in nothing else.

All arms are encoded with one tokenizer; the validation groups of every arm are taken out of the training of all, and so
are documents that contain held-out text; and where arms share a source, each reads it equally often (epochs.py).

    DIR/tokenizer/tokenizer.json      one for all
    DIR/arms/NAME/tokens/             shards and dataset.json, of split=train alone
    DIR/arms/NAME/arm.json            what it was made of: documents, what was cleared away, epochs
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.experiments import shuffled
from corpus.experiments.arms import COLUMNS, Arm, ArmSurvey, Key, draw_document, read_kept
from corpus.experiments.epochs import SourcePlan
from corpus.experiments.held_out import Clearing
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.storage.fingerprint import fingerprint
from corpus.tokens.encode import Encoder
from corpus.tokens.parts import token_schema
from corpus.tokens.shards import OTHER_LANGUAGE
from corpus.workspace import Workspace

VERSION = 3
"""Increased when the same workspaces would give other shards."""
ENCODED_BYTES_PER_TOKEN = 16
"""Bytes of a source that are encoded for each token of the budget, at most: two to four times what it could read."""
MIN_LANGUAGE_TOKENS = 10_000
"""A language with fewer tokens in a source shares the stream `other`, as in a build."""
BATCH_ROWS = 1024


@dataclass
class EncodedDocuments:
    """The training documents of an arm as tokens in memory, two or four bytes each, by source and language.

    Entries are (draw, id, bytes, language, tokens). `cleared` counts what was taken out, by reason; `shares` says how
    much of each source was encoded.
    """

    streams: dict[Key, list[tuple[int, str, int, str, npt.NDArray[Any]]]]
    cleared: dict[str, int]
    shares: dict[str, float]

    def sizes(self) -> dict[Key, int]:
        """Return the tokens of the whole arm, estimated for a source that was encoded in part."""
        return {
            key: round(sum(len(row[4]) for row in rows) / self.shares[key[0]])
            for key, rows in self.streams.items()
        }


def encode_arm(
    arm: Arm, survey: ArmSurvey, encoder: Encoder, held: frozenset[str], clearing: Clearing, tokens: int
) -> EncodedDocuments:
    """Encode an arm's training documents, but for held-out groups and copies of held-out text.

    Of a source that has far more text than `tokens`, documents are drawn by a hash of their ids.
    """
    rows_by_key: dict[Key, list[tuple[int, str, int, str, npt.NDArray[Any]]]] = {}
    cleared = Counter({"groups": 0, "copies": 0, "without text": 0})
    totals: Counter[str] = Counter()
    for (source, _), size in survey.sizes.items():
        totals[source] += size
    shares = {
        source: min(1.0, ENCODED_BYTES_PER_TOKEN * tokens / max(1, size)) for source, size in totals.items()
    }
    for source, table in read_kept(Workspace.open(arm.workspace), COLUMNS):
        train = table.filter(pc.equal(table.column("split"), "train"))
        chosen: list[tuple[int, str, str, str]] = []
        names = ("id", "group", "language", "content_hash", "text")
        for id, group, language, content, text in zip(
            *(train.column(name).to_pylist() for name in names), strict=True
        ):
            draw = draw_document(id)
            if draw > shares[source] * 2**64:
                continue
            if not held.isdisjoint((group or id, id, content or id)):
                cleared["groups"] += 1
            elif not text:
                cleared["without text"] += 1
            elif clearing.holds(text):
                cleared["copies"] += 1
            else:
                label = language or UNKNOWN_LABEL
                if arm.shuffle:
                    text = shuffled.shuffle_words(text, arm.shuffle, draw, label)
                chosen.append((draw, id, label, text))
        if not chosen:
            continue
        encoded, lengths = encoder.encode_batch([row[3] for row in chosen])
        parts = np.split(encoded, np.cumsum(lengths)[:-1])
        for (draw, id, label, text), part in zip(chosen, parts, strict=True):
            rows_by_key.setdefault((source, label), []).append((draw, id, len(text.encode()), label, part))
    for rows in rows_by_key.values():
        rows.sort(key=lambda row: row[:2])
    return EncodedDocuments(dict(sorted(rows_by_key.items())), dict(cleared), shares)


def write_arm(
    folder: Path,
    arm: Arm,
    documents: EncodedDocuments,
    plan: Mapping[str, SourcePlan],
    weights: Mapping[Key, float],
    encoder: Encoder,
    tokenizer: str,
) -> dict[str, Any]:
    """Write an arm's shards and dataset.json below `folder`, whole or not at all; return what arm.json says.

    Of a thinned source the documents with the lowest draws stay, a share of the tokens of each language.
    """
    temporary = folder.with_name(f".{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    streams: dict[Key, list[tuple[int, str, int, str, npt.NDArray[Any]]]] = {}
    stream_weights: dict[Key, float] = {}
    languages: dict[Key, dict[str, int]] = {}
    for (source, language), rows in documents.streams.items():
        sums = np.cumsum([len(row[4]) for row in rows])
        share = plan[source].kept / documents.shares[source]
        count = (
            len(rows) if share >= 1 else max(1, int(np.searchsorted(sums, share * sums[-1], side="right")))
        )
        kept = int(sums[count - 1])
        key = (source, language if kept >= MIN_LANGUAGE_TOKENS else OTHER_LANGUAGE)
        streams.setdefault(key, []).extend(rows[:count])
        stream_weights[key] = stream_weights.get(key, 0.0) + weights.get((source, language), 0.0)
        languages.setdefault((source, language), {"tokens": kept, "documents": count})
    shards: list[dict[str, Any]] = []
    for (source, language), rows in sorted(streams.items()):
        relative = f"split=train/source={source}/language={language}/shard-00000.arrow"
        path = temporary / "tokens" / relative
        path.parent.mkdir(parents=True)
        _write_shard(path, rows, encoder.dtype)
        shards.append(
            {
                "path": relative,
                "split": "train",
                "source": source,
                "language": language,
                "rows": len(rows),
                "tokens": sum(len(row[4]) for row in rows),
                "bytes": sum(row[2] for row in rows),
                "sha256": storage.sha256(str(path)),
            }
        )
    table = [{"source": s, "language": lang, "weight": w} for (s, lang), w in sorted(stream_weights.items())]
    content = {
        "schema_version": 1,
        "name": arm.name,
        "tokenizer": {"path": tokenizer, "sha256": encoder.sha256},
        "vocabulary_size": encoder.vocabulary_size,
        "dtype": encoder.dtype.name,
        "end_of_text": encoder.end_of_text,
        "shards": shards,
        "totals": {},
        "mixture": {"streams": table},
    }
    # The arm's name has no part in the fingerprint, so A against A reads in A's order.
    identity = fingerprint(
        {name: value for name, value in content.items() if name not in ("name", "tokenizer")}
    )
    (temporary / "tokens" / "dataset.json").write_text(
        json.dumps({**content, "fingerprint": identity}, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    facts = {
        "name": arm.name,
        "about": arm.about,
        "documents": sum(int(shard["rows"]) for shard in shards),
        "tokens": sum(int(shard["tokens"]) for shard in shards),
        "bytes": sum(int(shard["bytes"]) for shard in shards),
        "cleared": documents.cleared,
        "sources": {
            source: {"tokens": own.tokens, "kept": own.kept, "weight": own.weight, "epochs": own.epochs}
            for source, own in sorted(plan.items())
        },
        "languages": [
            {"source": s, "language": lang, "weight": weights.get((s, lang), 0.0), **row}
            for (s, lang), row in sorted(languages.items())
        ],
        "fingerprint": identity,
    }
    (temporary / "arm.json").write_text(
        json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return facts


def _write_shard(path: Path, rows: Sequence[tuple[int, str, int, str, npt.NDArray[Any]]], dtype: Any) -> None:
    schema = token_schema(np.dtype(dtype))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for first in range(0, len(rows), BATCH_ROWS):
            part = rows[first : first + BATCH_ROWS]
            offsets = np.concatenate(([0], np.cumsum([len(row[4]) for row in part]))).astype(np.int32)
            values = pa.array(np.concatenate([row[4] for row in part]).astype(dtype))
            columns = {
                "doc_id": pa.array([row[1] for row in part], pa.string()),
                "bytes": pa.array([row[2] for row in part], pa.uint32()),
                "language": pa.array([row[3] for row in part], pa.string()),
                "tokens": pa.ListArray.from_arrays(pa.array(offsets), values),
            }
            table = pa.table({name: columns[name] for name in schema.names}).cast(schema)
            writer.write_table(table, max_chunksize=BATCH_ROWS)
