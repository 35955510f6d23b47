"""The pipeline against a reference that compares every document with every other."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import apache_beam as beam
import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.dedup import components, minhash
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.removed import CLUSTERS_SCHEMA
from corpus.dedup.rows import SplitRows, parse_hex, to_hex
from corpus.dedup.signatures import SignatureStep, SignatureWriter, signature_schema, to_signature_batch
from corpus.document import content_hash
from corpus.pipelines import dedup, dedup_steps
from corpus.pipelines.beam import packed
from corpus.pipelines.beam.options import Running
from corpus.storage.part_writer import read_fingerprint
from corpus.text.words import segment_words
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES, edited

WIDTH = 112
MADE_COLUMNS = ("place", "content", "url", "priority", "quality", "length", "id", "signature")


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

    def write_signatures(self, workspace: Workspace, options: DedupOptions) -> None:
        """The signature parts; rows that no document has are null."""
        assert options.minhash is not None
        schema = signature_schema(options.minhash)
        for split, (source, name) in enumerate(self.names()):
            own = self.place[:, 0] == split
            rows = np.full((self.place[own, 1].max(initial=-1) + 1, WIDTH), minhash.EMPTY_VALUE, np.uint32)
            rows[self.place[own, 1]] = self.signature[own]
            with SignatureWriter(
                workspace.part("dedup/signatures", source, name, "arrow"), schema, "x"
            ) as part:
                part.write(to_signature_batch(rows, schema))


def make(seed: int, documents: int, splits: int = 5) -> Made:
    """Families of documents that resemble each other more or less, some the same, some under one URL."""
    random = np.random.default_rng(seed)
    families = random.integers(0, 1 << 32, (max(1, documents // 5), WIDTH), dtype=np.uint32)
    signature = families[random.integers(0, len(families), documents)].copy()
    changed = random.random(documents) * 0.45
    mask = random.random((documents, WIDTH)) < changed[:, None]
    signature[mask] = random.integers(0, 1 << 32, mask.sum(), dtype=np.uint32)
    signature[random.random(documents) < 0.03] = minhash.EMPTY_VALUE
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


def reference(made: Made, options: DedupOptions) -> dict[tuple[int, int], tuple[str, str, float | None, int]]:
    """(split, row) of every removed document to (level, kept id, similarity, cluster size), by the definition."""
    count = len(made.place)
    texts = [tuple(text) for text in made.content.tolist()] if options.exact else list(range(count))
    urls = made.url.tolist() if options.url else [0] * count
    similar: dict[tuple[object, object], int] = {}
    if options.minhash is not None:
        bands, rows = options.minhash.banding
        for one, other in itertools.combinations(range(count), 2):
            agree = made.signature[one] == made.signature[other]
            there = (made.signature[[one, other]] != minhash.EMPTY_VALUE).any(axis=1).all()
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
    hexes = [f"{one[0]:016x}{one[1]:016x}" for one in made.id.tolist()]
    sizes = {k: 1 + sum(value[1] == k for value in found.values()) for k in kept}
    return {
        tuple(made.place[i].tolist()): (level, hexes[k], similarity, sizes[k])
        for i, (level, k, similarity) in found.items()
    }


def run(
    folder: Path,
    made: Made,
    options: DedupOptions,
    partitions: int = 3,
    workers: int = 1,
    in_runs: bool | None = None,
) -> Path:
    """The clusters file of the documents."""
    workspace = Workspace(str(folder))
    if options.minhash is not None:
        made.write_signatures(workspace, options)
    running = Running(workers=workers)
    names, load = made.names()[::-1], replace(made, signature=made.signature[:0])
    search = dedup.dedup_pipeline(
        workspace, names, load, options, "input", running, _claims(folder), partitions, in_runs
    )
    with beam.Pipeline(options=running.options("dedup")) as pipeline:
        search(pipeline)
    return folder / "dedup" / "clusters.parquet"


def _claims(folder: Path) -> str:
    claims = folder / "claims"
    shutil.rmtree(claims, ignore_errors=True)
    claims.mkdir(parents=True)
    return str(claims)


def decided(path: Path) -> dict[tuple[int, int], tuple[str, str, float | None, int]]:
    table = pq.read_table(path)
    assert table.schema.equals(CLUSTERS_SCHEMA)
    return {
        (int(row["split"]), row["row"]): (
            row["level"], row["kept_id"], row["similarity"], row["cluster_size"]
        )
        for row in table.to_pylist()
    }  # fmt: skip


OPTIONS = [
    DedupOptions(),
    DedupOptions(exact=False),
    DedupOptions(url=False),
    DedupOptions(minhash=None),
    DedupOptions(exact=False, url=False, minhash=None),
    DedupOptions(minhash=MinHashOptions(threshold=0.85, permutations=WIDTH)),
]


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_every_decision_is_that_of_comparing_all_with_all(tmp_path: Path, options: DedupOptions) -> None:
    made = make(1, 160)
    expected = reference(made, options)
    found = decided(run(tmp_path, made, options))
    assert found == {
        place: (*value[:2], pytest.approx(value[2]), value[3]) for place, value in expected.items()
    }
    switches = {"exact": options.exact, "url": options.url, "minhash": options.minhash}
    assert {value[0] for value in found.values()} == {level for level, on in switches.items() if on}


@pytest.mark.parametrize("seed", range(2, 6))
def test_so_it_is_for_other_documents(tmp_path: Path, seed: int) -> None:
    made = make(seed, 40 * seed, splits=seed - 1)
    expected = reference(made, DedupOptions())
    assert len(expected) > 10
    found = decided(run(tmp_path, made, DedupOptions(), partitions=seed))
    assert found == {
        place: (*value[:2], pytest.approx(value[2]), value[3]) for place, value in expected.items()
    }


def test_transitive_keeps_one_of_each_cluster(tmp_path: Path) -> None:
    made = make(1, 160)
    best = decided(run(tmp_path / "best", made, DedupOptions()))
    transitive = decided(run(tmp_path / "transitive", made, DedupOptions(closure="transitive")))
    assert set(best) < set(transitive)
    kept = {kept for _, kept, _, _ in transitive.values()}
    ids = dict(zip(map(tuple, made.place.tolist()), to_hex(made.id).to_pylist(), strict=True))
    assert not kept & {ids[place] for place in transitive}
    sizes = {(kept, size) for _, kept, _, size in transitive.values()}
    assert sum(size - 1 for _, size in sizes) == len(transitive)


def test_the_bytes_are_the_same_for_any_number_of_partitions_and_workers_and_both_shuffles(
    tmp_path: Path,
) -> None:
    made, contents = make(7, 300, splits=7), {}
    for how in ((1, 1, True), (3, 1, False), (13, 2, True), (13, 5, True)):
        folder = tmp_path / "-".join(map(str, how))
        path = run(folder, made, DedupOptions(), *how)
        contents[how] = path.read_bytes() + path.with_name("sizes.parquet").read_bytes()
        left = sorted(
            path.name for path in (folder / "dedup").iterdir() if list(path.rglob("*")) or path.is_file()
        )
        assert left == ["clusters.parquet", "signatures", "sizes.parquet"]
    assert len(set(contents.values())) == 1


@pytest.mark.parametrize("closure", ["best", "transitive"])
def test_what_does_not_fit_in_memory_is_divided_with_the_same_bytes(
    tmp_path: Path, closure: Literal["best", "transitive"], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, options = make(7, 300, splits=7), DedupOptions(closure=closure)
    expected = run(tmp_path / "held", made, options, 1).read_bytes()
    monkeypatch.setattr(dedup_steps, "MAX_HELD_PAIRS", 20)
    monkeypatch.setattr(dedup_steps, "MAX_WALKED", 30)
    monkeypatch.setattr(dedup_steps, "MAX_HELD_SIGNATURES", 8)
    monkeypatch.setattr(components, "MAX_HELD_LINKS", 8)
    monkeypatch.setattr(packed, "FLUSH_BYTES", 1000)
    assert run(tmp_path / "divided", made, options, 1).read_bytes() == expected


def test_an_object_store_gets_the_same_bytes(tmp_path: Path) -> None:
    made, workspace = make(7, 80), Workspace("memory://dedup-test/build")
    made.write_signatures(workspace, DedupOptions())
    search = dedup.dedup_pipeline(
        workspace, made.names(), made, DedupOptions(), "input", Running(), _claims(tmp_path)
    )
    with beam.Pipeline(options=Running().options("dedup")) as pipeline:
        search(pipeline)
    store = fsspec.filesystem("memory")
    files = [path for path in store.find("/dedup-test") if "/signatures/" not in path]
    names = ("clusters.parquet", "sizes.parquet")
    assert files == [f"/dedup-test/build/dedup/{name}" for name in names]
    assert store.cat(files[0]) == run(tmp_path, made, DedupOptions()).read_bytes()
    store.rm("/dedup-test", recursive=True)


def test_the_place_of_a_document_decides_nothing(tmp_path: Path) -> None:
    """The same documents dealt into other splits: the same ids go for the same ids."""
    made, found = make(8, 120), []
    for splits in (1, 6):
        random = np.random.default_rng(splits)
        places = np.array([(split, row) for row in range(120) for split in range(splits)])
        moved = replace(made, place=places[random.permutation(len(places))[:120]], splits=splits)
        path = run(tmp_path / str(splits), moved, DedupOptions())
        table = pq.read_table(path).select(["removed_id", "kept_id", "similarity", "cluster_size", "level"])
        found.append(sorted(map(str, table.to_pylist())))
    assert found[0] == found[1]
    assert len(found[0]) > 30


def test_no_duplicates_at_all(tmp_path: Path) -> None:
    made = make(9, 50)
    random = np.random.default_rng(9)
    alone = replace(
        made,
        content=random.integers(0, 1 << 64, (50, 2), dtype=np.uint64),
        signature=random.integers(0, 1 << 32, (50, WIDTH), dtype=np.uint32),
        url=np.arange(50, dtype=np.uint64),
    )
    path = run(tmp_path / "some", alone, DedupOptions())
    assert decided(path) == {}
    nothing = replace(made, **{name: getattr(made, name)[:0] for name in MADE_COLUMNS})
    assert decided(run(tmp_path / "none", nothing, DedupOptions())) == {}
    assert decided(run(tmp_path / "no splits", replace(nothing, splits=0), DedupOptions())) == {}


@pytest.mark.parametrize("exact", [True, False])
def test_everything_is_the_same_document(tmp_path: Path, exact: bool) -> None:
    """A hundred thousand copies; without `exact`, two thousand that are found by their signatures alone."""
    count = 100_000 if exact else 2_000
    made = make(10, 1)
    copies = replace(
        made,
        **{name: np.repeat(getattr(made, name), count, axis=0) for name in MADE_COLUMNS},
    )
    copies = replace(
        copies,
        place=np.stack([np.arange(count) % 5, np.arange(count) // 5], axis=1),
        url=np.zeros(count, np.uint64),
        id=np.stack([np.zeros(count), np.arange(count)], axis=1).astype(np.uint64),
        signature=np.broadcast_to(made.signature, (count, WIDTH)),
        splits=5,
    )
    table = pq.read_table(run(tmp_path, copies, DedupOptions(exact=exact)))
    assert table.num_rows == count - 1
    assert set(table["kept_id"].to_pylist()) == {"0" * 32}
    assert set(table["level"].to_pylist()) == {"exact" if exact else "minhash"}
    assert set(table["cluster_size"].to_pylist()) == {count}


def test_one_text_in_eight_languages_is_found_again_in_each(tmp_path: Path) -> None:
    """Real texts through words and signatures: each story, its lightly edited copy, and an exact one."""
    step, workspace = SignatureStep(MinHashOptions()), Workspace(str(tmp_path))
    texts = [
        text for language in STORIES for text in (STORIES[language], edited(language), STORIES[language])
    ]
    count = len(texts)
    batch = step.signatures([segment_words(text) for text in texts])
    with SignatureWriter(
        workspace.part("dedup/signatures", "web", "0000", "arrow"), step.schema, "x"
    ) as part:
        part.write(batch)
    made = Made(
        place=np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1),
        content=parse_hex(pa.array([content_hash(text) for text in texts])),
        url=np.zeros(count, np.uint64),
        priority=np.zeros(count, np.int32),
        quality=np.zeros(count, np.float32),
        length=np.array([len(text) for text in texts]),
        id=np.stack([np.zeros(count), np.arange(count)], axis=1).astype(np.uint64),
        signature=np.empty((0, WIDTH), np.uint32),
        splits=1,
    )
    search = dedup.dedup_pipeline(
        workspace, made.names(), made, DedupOptions(), "input", Running(), _claims(tmp_path)
    )
    with beam.Pipeline(options=Running().options("dedup")) as pipeline:
        search(pipeline)
    found = decided(tmp_path / "dedup" / "clusters.parquet")
    assert sorted(found) == [(0, row) for row in range(count) if row % 3 != 1], "the longer one stays"
    for (_, row), (level, kept, similarity, size) in found.items():
        assert (level, int(kept, 16), size) == ("minhash", row // 3 * 3 + 1, 3)
        assert similarity is not None and 0.85 < similarity < 1


def test_planted_articles_are_found_and_nothing_else(tmp_path: Path, data: Path) -> None:
    """Recall and precision 1 on both sets: the planted pairs have similarities from .960 to .969."""
    folder, step = data / "neardup" / "minhash-articles", SignatureStep(MinHashOptions())
    for name, planted in (("articles_100", 5), ("articles_1000", 10)):
        lines = (folder / f"{name}.train").read_text("utf-8", "replace").splitlines()
        names, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
        truth = {
            frozenset(line.split()) for line in (folder / f"{name}.truth").read_text().split("\n") if line
        }
        workspace, count = Workspace(str(tmp_path / name)), len(texts)
        with SignatureWriter(
            workspace.part("dedup/signatures", "web", "0000", "arrow"), step.schema, "x"
        ) as part:
            part.write(step.signatures([segment_words(text) for text in texts]))
        made = replace(
            make(1, count, splits=1),
            content=parse_hex(pa.array([content_hash(text) for text in texts])),
            place=np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1),
            url=np.zeros(count, np.uint64),
            id=np.stack([np.zeros(count), np.arange(count)], axis=1).astype(np.uint64),
        )
        search = dedup.dedup_pipeline(
            workspace, made.names(), made, DedupOptions(), "x", Running(), _claims(tmp_path)
        )
        with beam.Pipeline(options=Running().options("dedup")) as pipeline:
            search(pipeline)
        found = decided(tmp_path / name / "dedup" / "clusters.parquet")
        pairs = {frozenset((names[row], names[int(kept, 16)])) for (_, row), (_, kept, _, _) in found.items()}
        assert pairs == truth
        assert len(pairs) == planted


def test_a_finished_search_is_not_done_again(tmp_path: Path) -> None:
    made = make(11, 60)
    path = run(tmp_path, made, DedupOptions())
    before = path.stat()
    (tmp_path / "dedup" / "signatures").rename(tmp_path / "elsewhere")
    (tmp_path / "dedup" / "removed" / "block-00000.parquet").write_bytes(b"left by a kill")
    search = dedup.dedup_pipeline(
        Workspace(str(tmp_path)), made.names(), made, DedupOptions(), "input", Running(), _claims(tmp_path)
    )
    with beam.Pipeline(options=Running().options("dedup")) as pipeline:
        search(pipeline)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    left = sorted(one.name for one in (tmp_path / "dedup").rglob("*") if one.is_file())
    assert left == ["clusters.parquet", "sizes.parquet"]


def test_other_options_or_another_input_are_another_search(tmp_path: Path) -> None:
    made = make(11, 60)
    first = read_fingerprint(str(run(tmp_path, made, DedupOptions())))
    second = read_fingerprint(str(run(tmp_path, made, DedupOptions(closure="transitive"))))
    third = read_fingerprint(str(run(tmp_path, replace(made, splits=6), DedupOptions(closure="transitive"))))
    assert len({first, second, third}) == 3


def test_signature_parts_that_are_too_short_are_named(tmp_path: Path) -> None:
    made = make(12, 60)
    made.write_signatures(Workspace(str(tmp_path)), DedupOptions())
    longer = replace(made, place=made.place + np.array([0, 2000]))
    search = dedup.dedup_pipeline(
        Workspace(str(tmp_path)), made.names(), longer, DedupOptions(), "input", Running(), _claims(tmp_path)
    )
    with (
        pytest.raises(Exception, match=r"part-0000\.arrow has no row"),
        beam.Pipeline(options=Running().options("dedup")) as pipeline,
    ):
        search(pipeline)


@pytest.mark.parametrize("extra", [(), ("--runner=DataflowRunner",)], ids=["local", "elsewhere"])
def test_nothing_shuffled_is_pickled(tmp_path: Path, extra: tuple[str, ...]) -> None:
    made, running = make(1, 10), Running(extra=extra)
    search = dedup.dedup_pipeline(
        Workspace(str(tmp_path)),
        made.names(),
        made,
        DedupOptions.model_validate({"canaries": 3, "minhash": {"containment": 0.9}}),
        "x",
        running,
        _claims(tmp_path) if not extra else None,
    )
    pipeline = beam.Pipeline()
    search(pipeline)
    components = pipeline.to_runner_api().components

    def coders(name: str) -> list[str]:
        coder = components.coders[name]
        return [coder.spec.urn, *(urn for inner in coder.component_coder_ids for urn in coders(inner))]

    shuffled = {
        tuple(coders(components.pcollections[taken].coder_id))
        for transform in components.transforms.values()
        if transform.spec.urn == "beam:transform:group_by_key:v1"
        for taken in transform.inputs.values()
    }
    plain = {f"beam:coder:{name}:v1" for name in ("kv", "varint", "bytes", "string_utf8")}
    assert len(shuffled) >= 2
    assert all(set(urns) <= plain for urns in shuffled), shuffled


def test_records_are_packed_and_dealt() -> None:
    kinds = packed.Kinds(one=np.dtype([("a", "<i8")]), two=np.dtype([("b", "u1"), ("c", "<f4")]))
    outbox = packed.Outbox(kinds)
    values = packed.make_records(kinds.dtypes["one"], a=np.arange(10))
    others = packed.make_records(
        kinds.dtypes["two"], b=np.arange(3, dtype=np.uint8), c=np.ones(3, np.float32)
    )
    sent = [*outbox.put("one", np.arange(10) % 3, values), *outbox.put("two", np.zeros(3, np.int64), others)]
    assert sent == []
    sent = list(outbox.flush())
    assert sorted(key for key, _ in sent) == [0, 0, 1, 2]
    ones, twos = kinds.unpack([data for key, data in sent if key == 0], "one", "two")
    assert ones["a"].tolist() == [0, 3, 6, 9]
    assert twos["b"].tolist() == [0, 1, 2]
    most = packed.ELEMENT_BYTES // 8
    many = packed.make_records(kinds.dtypes["one"], a=np.arange(most + 1))
    sent = [*outbox.put("one", np.zeros(most + 1, np.int64), many), *outbox.flush()]
    assert [len(data) for _, data in sent] == [1 + packed.ELEMENT_BYTES, 1 + 8]
    with pytest.raises(TypeError):
        kinds.pack("two", values)
    with pytest.raises(TypeError):
        packed.make_records(kinds.dtypes["two"], b=np.arange(3))
