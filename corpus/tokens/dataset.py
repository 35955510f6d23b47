"""tokens/dataset.json: the description of the shards that a trainer needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from corpus.storage.fingerprint import fingerprint
from corpus.tokens.encode import Encoder
from corpus.tokens.mixture import gather_streams, resolve_mixture
from corpus.tokens.options import MixtureOptions
from corpus.tokens.shards import SPLITS, Part, PlannedShard

DATASET_SCHEMA_VERSION = 1
TOKENIZER_PATH = "../tokenizer/tokenizer.json"
"""The path of the tokenizer, relative to the folder of dataset.json."""

Sizes = dict[str, int]


def describe_dataset(
    *,
    name: str,
    encoder: Encoder,
    shards: Sequence[PlannedShard],
    digests: Mapping[str, str],
    parts: Sequence[Part],
    streams: Mapping[tuple[str, str], str],
    mixture: MixtureOptions,
    emptied: Mapping[str, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """Return the contents of dataset.json. `digests` are the shards' sha256 by path, `emptied` the kept documents by
    source and language that are in no shard, since edits leave nothing of them.

    `totals` are by the documents' own languages, also for those that share the shards of `other`; the streams of
    the mixture are the (source, language) folders of the training shards; `unknown` counts the unknown tokens of each
    language, where the tokenizer has one.
    """
    totals = count_totals(parts)
    trained = {
        (source, language): sizes["tokens"]
        for source, of_source in totals["train"]["sources"].items()
        for language, sizes in of_source["languages"].items()
    }
    table = gather_streams(resolve_mixture(mixture, trained), streams)
    description: dict[str, Any] = {
        "schema_version": DATASET_SCHEMA_VERSION,
        "name": name,
        "tokenizer": {"path": TOKENIZER_PATH, "sha256": encoder.sha256},
        "vocabulary_size": encoder.vocabulary_size,
        "dtype": encoder.dtype.name,
        "end_of_text": encoder.end_of_text,
        "shards": [
            {
                "path": shard.path,
                "split": shard.split,
                "source": shard.source,
                "language": shard.language,
                "rows": shard.rows,
                "tokens": shard.tokens,
                "bytes": shard.bytes,
                "sha256": digests[shard.path],
            }
            for shard in shards
        ],
        "totals": totals,
        **({"unknown": count_unknown(parts)} if encoder.unknown is not None else {}),
        **({"emptied": emptied} if emptied else {}),
        "mixture": {**mixture.model_dump(mode="json"), "streams": [asdict(share) for share in table]},
    }
    return {**description, "fingerprint": fingerprint(description)}


def count_unknown(parts: Sequence[Part]) -> dict[str, int]:
    """Return the unknown tokens of each language that has some; names sorted."""
    counts: Counter[str] = Counter()
    for _, _, _, index in parts:
        for batch in index:
            counts[batch.language] += batch.unknown
    return {language: count for language, count in sorted(counts.items()) if count}


def count_totals(parts: Sequence[Part]) -> dict[str, Any]:
    """Sum rows, tokens and bytes by side, then by source, then by language; names sorted."""
    cells: dict[tuple[str, str, str], Sizes] = {}
    for source, _, _, index in parts:
        for batch in index:
            for key in ((batch.side, "", ""), (batch.side, source, ""), (batch.side, source, batch.language)):
                sizes = cells.setdefault(key, {"rows": 0, "tokens": 0, "bytes": 0})
                sizes["rows"] += batch.rows
                sizes["tokens"] += batch.tokens
                sizes["bytes"] += batch.bytes
    totals: dict[str, Any] = {side: {"rows": 0, "tokens": 0, "bytes": 0, "sources": {}} for side in SPLITS}
    for (side, source, language), sizes in sorted(cells.items()):
        if not source:
            totals[side].update(sizes)
        elif not language:
            totals[side]["sources"][source] = {**sizes, "languages": {}}
        else:
            totals[side]["sources"][source]["languages"][language] = sizes
    return totals
