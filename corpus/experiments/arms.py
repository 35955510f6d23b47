"""The arms of an experiment: the training texts of workspaces as token shards that differ in nothing else.

All arms are encoded with one tokenizer; the validation groups of every arm are taken out of the training of all, and so
are documents that contain held-out text; and where arms share a source, each reads it equally often (`match_epochs`).

    DIR/tokenizer/tokenizer.json      one for all
    DIR/arms/NAME/tokens/             shards and dataset.json, of split=train alone
    DIR/arms/NAME/arm.json            what it was made of: documents, what was cleared away, epochs
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.edits.applied import read_applied, read_applied_edits
from corpus.edits.parts import SplitEdits
from corpus.errors import UserError
from corpus.experiments import shuffled
from corpus.experiments.held_out import Clearing, HeldOutPiece, cut_pieces
from corpus.holding import read_holding
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.storage.fingerprint import fingerprint
from corpus.tokens.encode import Encoder
from corpus.tokens.mixture import resolve_mixture
from corpus.tokens.options import DEFAULT_PATTERN, MixtureOptions, TokenizerOptions
from corpus.tokens.parts import token_schema
from corpus.tokens.shards import OTHER_LANGUAGE
from corpus.tokens.vocabulary import count_pieces, train_tokenizer
from corpus.trainer.mixture import TrainingMixture, cap_weights
from corpus.workspace import Workspace

Matching = Literal["matched", "target", "own"]

VERSION = 2
"""Increased when the same workspaces would give other shards."""
TOKENIZER_SAMPLE_BYTES = 8_000_000
"""Bytes of each arm that a common tokenizer is trained on."""
ENCODED_BYTES_PER_TOKEN = 16
"""Bytes of a source that are encoded for each token of the budget, at most: two to four times what it could read."""
MIN_LANGUAGE_TOKENS = 10_000
"""A language with fewer tokens in a source shares the stream `other`, as in a build."""
BATCH_ROWS = 1024
COLUMNS = ["id", "group", "language", "bytes", "text"]

Key = tuple[str, str]
"""(source, language)."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One side of a comparison: a workspace (or its decisions under other rules) and how it is drawn from.

    `about` says in words what is particular to it; `shuffle` is the share of words that change places.
    """

    name: str
    workspace: str
    mixture: MixtureOptions = field(default_factory=MixtureOptions)
    about: str = ""
    shuffle: float = 0.0

    def describe(self) -> dict[str, Any]:
        """Return what is particular to the arm as JSON values, without the place of its workspace."""
        mixture = self.mixture.model_dump(mode="json", exclude_none=True)
        return {"name": self.name, "about": self.about, "shuffle": self.shuffle, "mixture": mixture}


@dataclass(frozen=True, kw_only=True)
class ArmSurvey:
    """What a workspace would train on and validates with, without its texts.

    `held` are the groups (or ids) in validation; `sizes` the bytes of training text by source and language; `identity`
    a hash of every document's id, content and side.
    """

    held: frozenset[str]
    sizes: dict[Key, int]
    documents: int
    identity: str
    tokenizer: str | None


def survey_workspace(root: str) -> ArmSurvey:
    """Read the decisions of a workspace. Raises UserError if it is not finished, or keeps nothing to train on."""
    workspace = Workspace.open(root)
    held: set[str] = set()
    sizes: Counter[Key] = Counter()
    documents = 0
    digest = hashlib.blake2b(digest_size=16)
    for source, table in _read_kept(workspace, ["id", "group", "language", "bytes", "content_hash"]):
        sides = table.column("split").to_pylist()
        rows = zip(
            *(table.column(name).to_pylist() for name in ("id", "group", "language", "bytes")), strict=True
        )
        for side, (id, group, language, size) in zip(sides, rows, strict=True):
            if side == "valid":
                held.add(group or id)
            else:
                sizes[source, language or UNKNOWN_LABEL] += size or 0
                documents += 1
        digest.update(
            json.dumps(
                [source, sides, *(table.column(n).to_pylist() for n in ("id", "content_hash"))]
            ).encode()
        )
    if not documents:
        raise UserError(f"{root}: no document is kept for training: `corpus stats {root}` shows why")
    path = workspace.path("tokenizer", "tokenizer.json")
    return ArmSurvey(
        held=frozenset(held),
        sizes=dict(sorted(sizes.items())),
        documents=documents,
        identity=digest.hexdigest(),
        tokenizer=storage.sha256(path) if storage.exists(path) else None,
    )


def _read_kept(workspace: Workspace, columns: list[str]) -> Iterator[tuple[str, pa.Table]]:
    """Yield (source, table) of the kept documents of each row group: texts have the edits that are applied to them, and
    `holding` says which documents hold items of evaluation sets."""
    applied = read_applied(workspace)
    edits: SplitEdits | None = None
    holding: npt.NDArray[np.bool_] | None = None
    here: tuple[str, str] | None = None
    first = 0
    for source, split, table in workspace.rows(columns):
        if (source, split) != here:
            here, first = (source, split), 0
            holding = read_holding(workspace.part("documents", source, split))
            edits = read_applied_edits(workspace, source, split, applied) if "text" in columns else None
        chosen = np.flatnonzero(table.column("kept").to_numpy())
        rows = chosen + first
        first += table.num_rows
        if not len(rows):
            continue
        kept = table.take(pa.array(chosen))
        if edits is not None:
            texts, _ = edits.apply_to(kept.column("text"), rows)
            kept = kept.set_column(kept.column_names.index("text"), "text", texts)
        flags = np.zeros(len(rows), np.bool_) if holding is None else holding[rows]
        yield source, kept.append_column("holding", pa.array(flags))


def read_validation_pieces(arm: Arm) -> list[HeldOutPiece]:
    """Return an arm's validation documents in pieces; their source is `A: web`."""
    pieces: list[HeldOutPiece] = []
    for source, table in _read_kept(Workspace.open(arm.workspace), [*COLUMNS]):
        valid = table.filter(pc.equal(table.column("split"), "valid"))
        for language, text in zip(*(valid.column(n).to_pylist() for n in ("language", "text")), strict=True):
            label = language or UNKNOWN_LABEL
            pieces += [
                HeldOutPiece(source=f"{arm.name}: {source}", language=label, text=t)
                for t in cut_pieces(text or "")
            ]
    return pieces


def train_common_tokenizer(arms: Sequence[Arm], vocabulary: int) -> bytes:
    """Return a tokenizer.json trained on as much text of every arm's training documents, but for what holds items of
    evaluation sets."""

    def texts(arm: Arm) -> Iterator[str]:
        room = TOKENIZER_SAMPLE_BYTES
        drawn = []
        for _, table in _read_kept(Workspace.open(arm.workspace), ["id", "bytes"]):
            train = _choose_tokenizer_texts(table)
            drawn += [
                (_draw(id), size or 0)
                for id, size in zip(*(train[n].to_pylist() for n in ("id", "bytes")), strict=True)
            ]
        drawn.sort()
        sums = np.cumsum([size for _, size in drawn])
        bound = drawn[min(len(drawn) - 1, int(np.searchsorted(sums, room)))][0]
        for _, table in _read_kept(Workspace.open(arm.workspace), ["id", "text"]):
            train = _choose_tokenizer_texts(table)
            for id, text in zip(*(train[n].to_pylist() for n in ("id", "text")), strict=True):
                if text and _draw(id) <= bound:
                    yield text

    distinct = {arm.workspace: arm for arm in arms}.values()
    counts = count_pieces((text for arm in distinct for text in texts(arm)), DEFAULT_PATTERN)
    return train_tokenizer(counts, TokenizerOptions(vocabulary=vocabulary)).encode()


def _choose_tokenizer_texts(table: pa.Table) -> pa.Table:
    return table.filter(pc.and_(pc.equal(table.column("split"), "train"), pc.invert(table.column("holding"))))


def _draw(id: str) -> int:
    """Return a fixed number of a document: whatever takes part of the documents takes those with the lowest."""
    return int.from_bytes(
        hashlib.blake2b(id.encode(), digest_size=8, key=b"corpus experiment 1").digest(), "big"
    )


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
    for source, table in _read_kept(Workspace.open(arm.workspace), COLUMNS):
        train = table.filter(pc.equal(table.column("split"), "train"))
        chosen: list[tuple[int, str, str, str]] = []
        for id, group, language, text in zip(
            *(train.column(n).to_pylist() for n in ("id", "group", "language", "text")), strict=True
        ):
            draw = _draw(id)
            if draw > shares[source] * 2**64:
                continue
            if (group or id) in held or id in held:
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


@dataclass(frozen=True, kw_only=True)
class SourcePlan:
    """How an arm reads one source: tokens it has, the share of them that stays, weight, and epochs in the budget."""

    tokens: int
    kept: float
    weight: float
    epochs: float


def match_epochs(
    sizes: Sequence[Mapping[str, int]],
    weights: Sequence[Mapping[str, float]],
    tokens: int,
    matching: Matching,
    target: int | None,
) -> list[dict[str, SourcePlan]]:
    """Return for every arm how it reads its sources in a run of `tokens`.

    own      all text stays; a smaller arm repeats more.
    matched  a source in several arms is thinned in the larger ones until all read it as often as the one that repeats
             it most; arms that share no source are matched as wholes.
    target   every source is thinned to tokens / `target`, and so read as often as in a run of `target` tokens. A
             mixture that repeats a source less at small scale than at large makes that source look better than it
             is: its best weight was off by up to .75 (arXiv:2606.07597).
    """
    epochs = [
        {source: weight[source] * tokens / size for source, size in own.items()}
        for own, weight in zip(sizes, weights, strict=True)
    ]
    shared = {source for source in set().union(*sizes) if sum(source in own for own in sizes) > 1}
    wholes = [tokens / sum(own.values()) for own in sizes]
    plans = []
    for own, weight, read, whole in zip(sizes, weights, epochs, wholes, strict=True):
        plan = {}
        for source, size in own.items():
            kept = 1.0
            if matching == "target":
                kept = tokens / (target or tokens)
            elif matching == "matched" and not shared:
                kept = whole / max(wholes) if max(wholes) > 1 else 1.0
            elif matching == "matched" and source in shared:
                most = max(each[source] for each in epochs if source in each)
                kept = read[source] / most if most > 1 and read[source] else 1.0
            plan[source] = SourcePlan(
                tokens=size,
                kept=kept,
                weight=weight[source],
                epochs=read[source] / kept if read[source] else 0.0,
            )
        plans.append(plan)
    return plans


def weigh_languages(mixture: MixtureOptions, sizes: Mapping[Key, int], tokens: int) -> dict[Key, float]:
    """Return the weight of every source and language of an arm, before it is thinned."""
    known = MixtureOptions(weights=mixture.weights, epochs=mixture.epochs, temperature=mixture.temperature)
    weights = {(row.source, row.language): row.weight for row in resolve_mixture(known, sizes)}
    if isinstance(mixture, TrainingMixture) and mixture.max_epochs is not None:
        names = {f"{source}\0{language}": (source, language) for source, language in weights}
        most = {name: mixture.max_epochs * sizes[key] / tokens for name, key in names.items()}
        capped = cap_weights({name: weights[key] for name, key in names.items()}, most)
        weights = {names[name]: weight for name, weight in capped.items()}
    return weights


def sum_sources(values: Mapping[Key, float]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for (source, _), value in values.items():
        sums[source] = sums.get(source, 0) + value
    return sums


def check_epochs(
    names: Sequence[str], plans: Sequence[Mapping[str, SourcePlan]], tokens: int, most: float
) -> None:
    """Raise UserError if a source would be read more than `most` times, with the budget that would fit."""
    over = [
        (own.epochs, name, source)
        for name, plan in zip(names, plans, strict=True)
        for source, own in plan.items()
        if own.epochs > most
    ]
    if over:
        epochs, name, source = max(over)
        fits = int(tokens * most / epochs)
        raise UserError(
            f"{name}: {source} would be read {epochs:.1f} times in {tokens:,} tokens, and beyond {most:g} a run fits "
            f"repetition: give --tokens {fits} or less, or --max-epochs {int(np.ceil(epochs))}"
        )


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
