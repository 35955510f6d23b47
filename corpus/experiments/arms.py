"""The arms of an experiment: workspaces, what they would train on and validate with, and a tokenizer for all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.decontamination.finder import find_holding, open_finders, read_sought
from corpus.edits.applied import digest_edits, read_applied, read_applied_edits
from corpus.edits.parts import SplitEdits
from corpus.errors import UserError
from corpus.experiments.held_out import HeldOutPiece, cut_pieces
from corpus.holding import SIGNALS_FOLDER, read_holding
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.tokens.options import DEFAULT_PATTERN, MixtureOptions, TokenizerOptions
from corpus.tokens.vocabulary import count_pieces, train_tokenizer
from corpus.workspace import Workspace

TOKENIZER_SAMPLE_BYTES = 8_000_000
"""Bytes of each arm that a common tokenizer is trained on."""
COLUMNS = ["id", "group", "language", "bytes", "content_hash", "text"]

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

    @property
    def held_out_prefix(self) -> str:
        """What the sources of its own validation documents begin with among held-out pieces: `A: `."""
        return f"{self.name}: "

    def describe(self) -> dict[str, Any]:
        """Return what is particular to the arm as JSON values, without the place of its workspace."""
        mixture = self.mixture.model_dump(mode="json", exclude_none=True)
        return {"name": self.name, "about": self.about, "shuffle": self.shuffle, "mixture": mixture}


@dataclass(frozen=True, kw_only=True)
class ArmSurvey:
    """What a workspace would train on and validates with, without its texts.

    `held` are what may train no arm: the groups in validation, and of a group that is divided by contents the ids and
    content hashes of its documents in validation. `sizes` the bytes of training text by source and language; `identity`
    a hash of every document's id, content and side, and of the edits that are applied.
    """

    held: frozenset[str]
    sizes: dict[Key, int]
    documents: int
    identity: str
    tokenizer: str | None


def survey_workspace(root: str) -> ArmSurvey:
    """Read the decisions of a workspace. Raises UserError if it is not finished, or keeps nothing to train on."""
    workspace = Workspace.open(root)
    validated: list[tuple[Key, str, str]] = []
    trained: set[Key] = set()
    sizes: Counter[Key] = Counter()
    documents = 0
    digest = hashlib.blake2b(digest_size=16)
    for source, table in read_kept(workspace, ["id", "group", "language", "bytes", "content_hash"]):
        sides = table.column("split").to_pylist()
        names = ("id", "group", "language", "bytes", "content_hash")
        rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
        for side, (id, group, language, size, content) in zip(sides, rows, strict=True):
            label = language or UNKNOWN_LABEL
            if side == "valid":
                validated.append(((label, group or id), id, content or id))
            else:
                trained.add((label, group or id))
                sizes[source, label] += size or 0
                documents += 1
        digest.update(
            json.dumps(
                [source, sides, *(table.column(n).to_pylist() for n in ("id", "content_hash"))]
            ).encode()
        )
    applied = read_applied(workspace)
    for source, split in workspace.splits():
        edits = read_applied_edits(workspace, source, split, applied)
        if edits is not None:
            digest.update(json.dumps([source, split, digest_edits(edits)]).encode())
    if not documents:
        raise UserError(f"{root}: no document is kept for training: `corpus stats {root}` shows why")
    path = workspace.path("tokenizer", "tokenizer.json")
    # Where a language has few groups, a build divides them: a group on both sides is not held as a whole.
    held = {name for key, *own in validated for name in (own if key in trained else (key[1],))}
    return ArmSurvey(
        held=frozenset(held),
        sizes=dict(sorted(sizes.items())),
        documents=documents,
        identity=digest.hexdigest(),
        tokenizer=storage.sha256(path) if storage.exists(path) else None,
    )


def read_kept(workspace: Workspace, columns: list[str]) -> Iterator[tuple[str, pa.Table]]:
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
            holding = read_holding(workspace.part(SIGNALS_FOLDER, source, split))
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
    for source, table in read_kept(Workspace.open(arm.workspace), [*COLUMNS]):
        valid = table.filter(pc.equal(table.column("split"), "valid"))
        for language, text in zip(*(valid.column(n).to_pylist() for n in ("language", "text")), strict=True):
            label = language or UNKNOWN_LABEL
            pieces += [
                HeldOutPiece(source=arm.held_out_prefix + source, language=label, text=t)
                for t in cut_pieces(text or "")
            ]
    return pieces


def train_common_tokenizer(arms: Sequence[Arm], vocabulary: int) -> bytes:
    """Return a tokenizer.json trained on as much text of every arm's training documents, but for what holds items of
    evaluation sets, those that another arm's build looked for too."""
    finders = open_finders(arm.workspace for arm in arms)

    def texts(arm: Arm) -> Iterator[str]:
        sought = read_sought(Workspace.open(arm.workspace))
        others = [finder for finder in finders if finder.index != sought]
        room = TOKENIZER_SAMPLE_BYTES
        drawn = []
        for _, table in read_kept(Workspace.open(arm.workspace), ["id", "bytes"]):
            train = _choose_tokenizer_texts(table)
            drawn += [
                (draw_document(id), size or 0)
                for id, size in zip(*(train[n].to_pylist() for n in ("id", "bytes")), strict=True)
            ]
        drawn.sort()
        sums = np.cumsum([size for _, size in drawn])
        bound = drawn[min(len(drawn) - 1, int(np.searchsorted(sums, room)))][0]
        for _, table in read_kept(Workspace.open(arm.workspace), ["id", "text"]):
            train = _choose_tokenizer_texts(table)
            rows = zip(*(train[n].to_pylist() for n in ("id", "text")), strict=True)
            chosen = [text for id, text in rows if text and draw_document(id) <= bound]
            holding = find_holding(others, chosen)
            yield from (text for text, holds in zip(chosen, holding.tolist(), strict=True) if not holds)

    distinct = {arm.workspace: arm for arm in arms}.values()
    counts = count_pieces((text for arm in distinct for text in texts(arm)), DEFAULT_PATTERN)
    return train_tokenizer(counts, TokenizerOptions(vocabulary=vocabulary)).encode()


def _choose_tokenizer_texts(table: pa.Table) -> pa.Table:
    return table.filter(pc.and_(pc.equal(table.column("split"), "train"), pc.invert(table.column("holding"))))


def draw_document(id: str) -> int:
    """Return a fixed number of a document: whatever takes part of the documents takes those with the lowest."""
    return int.from_bytes(
        hashlib.blake2b(id.encode(), digest_size=8, key=b"corpus experiment 1").digest(), "big"
    )


def default_mixture(root: str) -> MixtureOptions:
    """Return the mixture that a workspace was built with."""
    raw = Workspace.open(root).tokens().get("mixture") or {}
    known = {
        name: value
        for name, value in raw.items()
        if name in MixtureOptions.model_fields and value is not None
    }
    return MixtureOptions.model_validate(known)
