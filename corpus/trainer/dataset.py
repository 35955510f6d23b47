"""Read tokens/dataset.json for the trainer: streams of tokens per source and language, and their weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import UserError
from corpus.storage import is_remote

DATASET_SCHEMA_VERSION = 1
ARROW_MAGIC = b"ARROW1"


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetShard:
    """One Arrow file: `path` is relative to the tokens folder; `tokens` counts end-of-text, `bytes` is UTF-8 text."""

    path: str
    split: str
    source: str
    language: str
    rows: int
    tokens: int
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DatasetStream:
    """All shards of one source and language in one split, in the order of dataset.json, as one sequence of tokens."""

    source: str
    language: str
    shards: tuple[DatasetShard, ...]

    @property
    def name(self) -> str:
        return f"{self.source}/{self.language}"

    @property
    def tokens(self) -> int:
        return sum(shard.tokens for shard in self.shards)

    @property
    def bytes(self) -> int:
        return sum(shard.bytes for shard in self.shards)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A tokens folder, as its dataset.json describes it."""

    folder: Path
    name: str
    fingerprint: str
    vocabulary: int
    dtype: str
    end_of_text: int
    tokenizer: Path
    tokenizer_sha256: str
    shards: tuple[DatasetShard, ...]
    mixture: dict[str, Any] = field(default_factory=dict)

    def streams(self, split: str) -> tuple[DatasetStream, ...]:
        """Return the streams of a split that have tokens, sorted by source and language."""
        groups: dict[tuple[str, str], list[DatasetShard]] = {}
        for shard in self.shards:
            if shard.split == split and shard.tokens:
                groups.setdefault((shard.source, shard.language), []).append(shard)
        return tuple(
            DatasetStream(source=source, language=language, shards=tuple(shards))
            for (source, language), shards in sorted(groups.items())
        )

    def weigh_streams(
        self, given: Mapping[str, float] | None = None
    ) -> tuple[tuple[DatasetStream, float], ...]:
        """Return the training streams with their shares of the samples, which sum to 1; shares of 0 are left out.

        The shares come from dataset.json's mixture, by source and language (`streams`) or by source (`weights`, with
        the languages inside a source by their tokens); without either, streams are drawn by their tokens. `given`
        replaces the mixture: weights by the streams' names.
        """
        streams = self.streams("train")
        sizes: dict[str, int] = {}
        for stream in streams:
            sizes[stream.source] = sizes.get(stream.source, 0) + stream.tokens
        try:
            if given:
                weights = [given.get(stream.name, 0.0) for stream in streams]
            elif rows := self.mixture.get("streams"):
                table = {(row["source"], row["language"]): row["weight"] for row in rows}
                weights = [table[stream.source, stream.language] for stream in streams]
            else:
                shares = self.mixture.get("weights") or sizes
                weights = [shares[stream.source] * stream.tokens / sizes[stream.source] for stream in streams]
        except KeyError as error:
            raise UserError(
                f"{self.folder}/dataset.json: the mixture has no {error}: build the tokens again"
            ) from None
        total = sum(weights)
        if not total > 0:
            raise UserError(
                f"{self.folder}/dataset.json: the mixture draws from nothing: build the tokens again"
            )
        return tuple((stream, w / total) for stream, w in zip(streams, weights, strict=True) if w > 0)


def open_dataset(workspace: str) -> Dataset:
    """Open the tokens of a workspace (or a tokens folder itself) and check that every shard is present and complete.

    Reads the end of each shard. Raises UserError for anything that is missing, truncated or of another format.
    """
    if is_remote(workspace):
        raise UserError(
            f"{workspace}: shards are memory-mapped while training: copy its tokens/ and tokenizer/ to a local disk"
        )
    folder = Path(workspace)
    if not (folder / "dataset.json").exists():
        folder = folder / "tokens"
    path = folder / "dataset.json"
    if not path.exists():
        raise UserError(
            f"{workspace} has no tokens/dataset.json: `corpus build MANIFEST --out {workspace}` writes it"
        )
    dataset = _read_dataset(path)
    if not dataset.streams("train"):
        raise UserError(
            f"{path}: no training tokens: did the rules drop every document? `corpus stats {workspace}` shows"
        )
    for shard in dataset.shards:
        _check_shard(folder / shard.path)
    return dataset


def _read_dataset(path: Path) -> Dataset:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema_version"] > DATASET_SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema version {raw['schema_version']}, "
                f"this version of corpus reads up to {DATASET_SCHEMA_VERSION}: use a newer one"
            )
        names = DatasetShard.__dataclass_fields__
        return Dataset(
            folder=path.parent,
            name=raw["name"],
            fingerprint=raw["fingerprint"],
            vocabulary=raw["vocabulary_size"],
            dtype=raw["dtype"],
            end_of_text=raw["end_of_text"],
            tokenizer=path.parent / raw["tokenizer"]["path"],
            tokenizer_sha256=raw["tokenizer"]["sha256"],
            shards=tuple(DatasetShard(**{name: shard[name] for name in names}) for shard in raw["shards"]),
            mixture=raw.get("mixture") or {},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({type(error).__name__}: {error}): build the tokens again"
        ) from error


def _check_shard(path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.seek(-len(ARROW_MAGIC), 2)
            complete = file.read() == ARROW_MAGIC
    except FileNotFoundError:
        raise UserError(f"{path} is missing: build the tokens again, or copy the shard back") from None
    except OSError:
        complete = False
    if not complete:
        raise UserError(f"{path} is truncated: build the tokens again, or copy the whole shard")
