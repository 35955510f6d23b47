"""The pipeline against a reference that compares every document with every other."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus.dedup import minhash
from corpus.dedup.options import Dedup
from corpus.dedup.removed import SCHEMA, Clusters
from corpus.dedup.rows import SplitRows
from corpus.dedup.signatures import SignatureWriter, signature_schema, to_batch
from corpus.workspace import Workspace
from pipelines import dedup, packed
from pipelines.options import Running

WIDTH = 112


@dataclass(frozen=True)
class Made:
    """Documents made up for a test, one entry each; `place` is (split number, row)."""

    place: np.ndarray
    content: np.ndarray
    url: np.ndarray
    priority: np.ndarray
    quality: np.ndarray
    length: np.ndarray
    id: np.ndarray
    signature: np.ndarray
    splits: int

    def __call__(self, source: str, split: str) -> SplitRows:
        chosen = np.flatnonzero(self.place[:, 0] == int(split))[::-1]  # the rows come in any order
        return SplitRows(
            row=self.place[chosen, 1],
            content=self.content[chosen],
            url=self.url[chosen],
            priority=self.priority[chosen],
            quality=self.quality[chosen],
            length=self.length[chosen],
            id=self.id[chosen],
        )

    def names(self) -> list[tuple[str, str]]:
        return [("web", f"{split:04d}") for split in range(self.splits)]

    def write_signatures(self, workspace: Workspace, options: Dedup) -> None:
        """The signature parts; rows that no document has are null."""
        assert options.minhash is not None
        schema = signature_schema(options.minhash)
        for split, (source, name) in enumerate(self.names()):
            own = self.place[:, 0] == split
            rows = np.full((self.place[own, 1].max(initial=-1) + 1, WIDTH), minhash.EMPTY, np.uint32)
            rows[self.place[own, 1]] = self.signature[own]
            with SignatureWriter(
                workspace.part("dedup/signatures", source, name, "arrow"), schema, "x"
            ) as part:
                part.write(to_batch(rows, schema))


def make(seed: int, documents: int, splits: int = 5) -> Made:
    """Families of documents that resemble each other more or less, some the same, some under one URL."""
    random = np.random.default_rng(seed)
    families = random.integers(0, 1 << 32, (max(1, documents // 5), WIDTH), dtype=np.uint32)
    signature = families[random.integers(0, len(families), documents)].copy()
    changed = random.random(documents) * 0.45
    mask = random.random((documents, WIDTH)) < changed[:, None]
    signature[mask] = random.integers(0, 1 << 32, mask.sum(), dtype=np.uint32)
    signature[random.random(documents) < 0.03] = minhash.EMPTY
    content = random.integers(0, 1 << 64, (documents, 2), dtype=np.uint64)
    for copy in np.flatnonzero(random.random(documents) < 0.3):
        of = random.integers(0, documents)
        content[copy], signature[copy] = content[of], signature[of]
    for same in range(documents):  # the same content has the same signature
        first = np.flatnonzero((content == content[same]).all(axis=1))[0]
        signature[same] = signature[first]
    places = np.array([(split, row) for row in range(documents) for split in range(splits)])
    return Made(
        place=places[random.permutation(len(places))[:documents]],
        content=content,
        url=random.integers(0, documents, documents).astype(np.uint64) * (random.random(documents) < 0.5),
        priority=random.integers(0, 3, documents).astype(np.int32),
        quality=np.where(random.random(documents) < 0.1, np.nan, random.integers(0, 4, documents) / 4).astype(
            np.float32
        ),
        length=random.integers(1, 5, documents).astype(np.int64),
        id=random.integers(0, 1 << 64, (documents, 2), dtype=np.uint64),
        signature=signature,
        splits=splits,
    )


def reference(made: Made, options: Dedup) -> dict[tuple[int, int], tuple[str, str, float | None, int]]:
    """(split, row) of every removed document to (level, kept id, similarity, cluster size), by the definition."""
    count = len(made.place)
    texts = [tuple(text) for text in made.content.tolist()] if options.exact else list(range(count))
    urls = made.url.tolist() if options.url else [0] * count
    similar: dict[tuple[object, object], int] = {}
    if options.minhash is not None:
        bands, rows = options.minhash.banding
        for one, other in itertools.combinations(range(count), 2):
            agree = made.signature[one] == made.signature[other]
            there = (made.signature[[one, other]] != minhash.EMPTY).any(axis=1).all()
            candidate = agree[: bands * rows].reshape(bands, rows).all(axis=1).any()
            if there and candidate and agree.sum() >= options.minhash.threshold * options.minhash.width:
                similar[texts[one], texts[other]] = similar[texts[other], texts[one]] = int(agree.sum())
    quality = np.where(np.isnan(made.quality), -np.inf, made.quality)
    order = sorted(
        range(count),
        key=lambda i: (
            -made.priority[i], -quality[i], -made.length[i], *made.id[i].tolist(), *made.place[i].tolist()
        ),
    )  # fmt: skip
    found: dict[int, tuple[str, int, float | None]] = {}
    kept: list[int] = []
    for i in order:
        same = [k for k in kept if texts[k] == texts[i]]
        address = [k for k in kept if urls[i] and urls[k] == urls[i]]
        near = [(k, similar[texts[k], texts[i]]) for k in kept if (texts[k], texts[i]) in similar]
        if same:
            found[i] = ("exact", same[0], 1.0)
        elif address:
            found[i] = ("url", address[0], None)
        elif near:
            found[i] = ("minhash", near[0][0], near[0][1] / WIDTH)
        else:
            kept.append(i)
    hexes = ["%016x%016x" % tuple(one) for one in made.id.tolist()]
    sizes = {k: 1 + sum(value[1] == k for value in found.values()) for k in kept}
    return {
        tuple(made.place[i].tolist()): (level, hexes[k], similarity, sizes[k])
        for i, (level, k, similarity) in found.items()
    }


def run(folder: Path, made: Made, options: Dedup, partitions: int = 3, workers: int = 1) -> Path:
    """The clusters file of the documents."""
    workspace = Workspace(str(folder))
    if options.minhash is not None:
        made.write_signatures(workspace, options)
    running = Running(workers=workers)
    names = made.names()
    search = dedup.pipeline(
        workspace, names[::-1], made, options, "input", running, _claims(folder), partitions=partitions
    )
    with beam.Pipeline(options=running.options("dedup")) as pipeline:
        search(pipeline)
    return folder / "dedup" / "clusters.parquet"


def _claims(folder: Path) -> str:
    claims = folder / "claims"
    claims.mkdir(parents=True, exist_ok=True)
    for claim in claims.iterdir():
        claim.unlink()
    return str(claims)


def decided(path: Path) -> dict[tuple[int, int], tuple[str, str, float | None, int]]:
    table = pq.read_table(path)
    assert table.schema.equals(SCHEMA)
    return {
        (int(row["split"]), row["row"]): (
            row["level"], row["kept_id"], row["similarity"], row["cluster_size"]
        )
        for row in table.to_pylist()
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        Dedup(),
        Dedup(exact=False),
        Dedup(url=False),
        Dedup(minhash=None),
        Dedup(exact=False, url=False, minhash=None),
    ],
    ids=str,
)
def test_every_decision_is_that_of_comparing_all_with_all(tmp_path: Path, options: Dedup) -> None:
    made = make(1, 120)
    expected = reference(made, options)
    found = decided(run(tmp_path, made, options))
    assert {place: value[:2] + value[3:] for place, value in found.items()} == {
        place: value[:2] + value[3:] for place, value in expected.items()
    }
    for place, (_, _, similarity, _) in expected.items():
        assert found[place][2] == pytest.approx(similarity)
    switches = {"exact": options.exact, "url": options.url, "minhash": options.minhash}
    assert {value[0] for value in found.values()} == {level for level, on in switches.items() if on}
