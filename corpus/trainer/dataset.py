"""tokens/dataset.json as the trainer sees it: streams of tokens per source and language, and their weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import UserError
from corpus.storage import is_remote

SCHEMA_VERSION = 1
MAGIC = b"ARROW1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
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
class Stream:
    """All shards of one source and language in one split, in the order of dataset.json, as one run of tokens."""

    source: str
    language: str
    shards: tuple[Shard, ...]

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
    """A tokens folder: what dataset.json says of it."""

    folder: Path
    name: str
    fingerprint: str
    vocabulary: int
    dtype: str
    end_of_text: int
    tokenizer: Path
    shards: tuple[Shard, ...]
    mixture: dict[str, Any] = field(default_factory=dict)

    def streams(self, split: str) -> tuple[Stream, ...]:
        """The streams of a split, by source and language in the order of their names, those without tokens left out."""
        groups: dict[tuple[str, str], list[Shard]] = {}
        for shard in self.shards:
            if shard.split == split and shard.tokens:
                groups.setdefault((shard.source, shard.language), []).append(shard)
        return tuple(
            Stream(source=source, language=language, shards=tuple(shards))
            for (source, language), shards in sorted(groups.items())
        )

    def weights(self) -> list[float]:
        """The share of training samples of each stream of `streams("train")`, summing to 1.

        dataset.json's mixture gives a source's share relative to the others; without one it is the source's tokens.
        Inside a source, languages are drawn as they come.
        """
        streams = self.streams("train")
        tokens: dict[str, int] = {}
        for stream in streams:
            tokens[stream.source] = tokens.get(stream.source, 0) + stream.tokens
        given = self.mixture.get("weights") or tokens
        if missing := sorted(tokens.keys() - given.keys()):
            raise UserError(
                f"{self.folder}/dataset.json: the mixture has no weight for source {missing[0]}: build the tokens again"
            )
        weights = [given[stream.source] * stream.tokens / tokens[stream.source] for stream in streams]
        return [weight / sum(weights) for weight in weights]


def open_dataset(workspace: str) -> Dataset:
    """The tokens of a workspace (or of a tokens folder itself); checks that every shard is there and complete.

    Costs one look at the end of each shard; UserError for whatever is missing, cut or not ours.
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
    dataset = _parse(path)
    if not dataset.streams("train"):
        raise UserError(
            f"{path}: no training tokens: did the rules drop every document? `corpus stats {workspace}` tells"
        )
    for shard in dataset.shards:
        _check_shard(folder / shard.path)
    return dataset


def _parse(path: Path) -> Dataset:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema_version"] > SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema version {raw['schema_version']}, "
                f"this corpus reads up to {SCHEMA_VERSION}: use a newer one"
            )
        names = Shard.__dataclass_fields__
        return Dataset(
            folder=path.parent,
            name=raw["name"],
            fingerprint=raw["fingerprint"],
            vocabulary=raw["vocabulary_size"],
            dtype=raw["dtype"],
            end_of_text=raw["end_of_text"],
            tokenizer=path.parent / raw["tokenizer"]["path"],
            shards=tuple(Shard(**{name: shard[name] for name in names}) for shard in raw["shards"]),
            mixture=raw.get("mixture") or {},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({type(error).__name__}: {error}): build the tokens again"
        ) from error


def _check_shard(path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.seek(-len(MAGIC), 2)
            complete = file.read() == MAGIC
    except FileNotFoundError:
        raise UserError(f"{path} is missing: build the tokens again, or copy the shard back") from None
    except OSError:
        complete = False
    if not complete:
        raise UserError(f"{path} is cut short: build the tokens again, or copy the shard whole")
