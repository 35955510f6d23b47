"""Canaries beside real documents: what is said of them, and that nothing else changes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.dedup.options import DedupOptions
from corpus.dedup.pairs import BAND_DTYPE, PLANTED_BAND_DTYPE, generate_candidate_pairs, pair_planted
from corpus.dedup.planted import AUDIT_SCHEMA, MAX_TURNS
from corpus.dedup.rows import SplitRows, build_split_rows, compute_coarse_order, replace_length
from corpus.dedup.signatures import SignatureStep, SignatureWriter
from corpus.document import Document, content_hash
from corpus.document_schema import DOCUMENTS_SCHEMA, to_documents_batch
from corpus.pipelines import dedup
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.packed import make_records
from corpus.storage.part_writer import PartWriter
from corpus.text.words import segment_words
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES

CODE = "code_python"
OPTIONS = DedupOptions(max_group=8)


def write_text(language: str, at: int) -> str:
    """A text of its own in a language, of the words of its story."""
    drawn = random.Random(f"{language} {at}")
    if language == CODE:
        return "".join(
            f"    value_{drawn.randrange(900)} = call_{drawn.randrange(900)}()\n" for _ in range(60)
        )
    words = segment_words(STORIES[language], language)
    units = [STORIES[language][start:end] for start, end in zip(words.starts, words.ends, strict=True)]
    glue = " " if " " in STORIES[language][:40] else ""
    return glue.join(drawn.choice(units) + (f"{drawn.randrange(99)}" if glue else "") for _ in range(160))


def write_documents(root: Path, count: int, splits: int = 3) -> list[tuple[str, str]]:
    """Documents and signatures of a source: some twice, some with a word more, one without a text."""
    assert OPTIONS.minhash is not None
    workspace, step = Workspace(str(root)), SignatureStep(OPTIONS.minhash)
    names = [("web", f"{split:02d}") for split in range(splits)]
    for split, (source, name) in enumerate(names):
        texts = [
            (language, write_text(language, at))
            for language in (*sorted(STORIES), CODE)
            for at in range(split, count, splits)
        ]
        texts += [texts[0], (texts[1][0], texts[1][1] + " 7."), texts[2]] + 12 * [
            ("eng_Latn", f"{split} " * 3)
        ]
        documents = [
            Document(
                id=f"{split:016x}{at:016x}",
                file="f",
                offset=at,
                length=1,
                text=text,
                language=language,
                content_hash=content_hash(text),
            )
            for at, (language, text) in enumerate(texts)
        ]
        with PartWriter(workspace.part("documents", source, name), DOCUMENTS_SCHEMA, f"made {split}") as part:
            for first in range(0, len(documents), 20):
                part.write(to_documents_batch(documents[first : first + 20]))
        path = workspace.part("dedup/signatures", source, name, "arrow")
        with SignatureWriter(path, step.schema, f"made {split}") as signatures:
            words = [segment_words(text, language) for language, text in texts]
            signatures.write(step.signatures(words, [language for language, _ in texts]))
    return names


class StoredRows:
    """Load the rows of a documents part: all of them."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __call__(self, source: str, split: str) -> SplitRows:
        table = pq.read_table(Workspace(self.root).part("documents", source, split))
        return build_split_rows(
            row=np.arange(len(table)),
            id=table["id"],
            content_hash=table["content_hash"],
            url=None,
            priority=0,
            quality=None,
            length=np.array([len(text) for text in table["text"].to_pylist()]),
        )


def search(
    root: Path,
    names: list[tuple[str, str]],
    canaries: int,
    partitions: int = 3,
    in_runs: bool | None = None,
    workers: int = 1,
) -> tuple[bytes, bytes, pa.Table | None]:
    """The bytes of both results, and the audit if there is one."""
    claims = root / "claims"
    shutil.rmtree(claims, ignore_errors=True)
    claims.mkdir()
    given = OPTIONS.model_copy(update={"canaries": canaries})
    put = dedup.dedup_pipeline(
        Workspace(str(root)),
        names,
        StoredRows(str(root)),
        given,
        "x",
        Running(workers=workers),
        str(claims),
        partitions,
        in_runs,
    )
    with beam.Pipeline(options=Running(workers=workers).options("dedup")) as pipeline:
        put(pipeline)
    audit = root / "dedup" / "audit.parquet"
    left = {path.name for path in (root / "dedup").rglob("*.parquet")}
    assert left == {"clusters.parquet", "sizes.parquet", *([audit.name] if canaries else [])}
    results = [(root / "dedup" / f"{name}.parquet").read_bytes() for name in ("clusters", "sizes")]
    return results[0], results[1], pq.read_table(audit) if canaries else None


def test_pairs_of_known_likeness_change_nothing_else(tmp_path: Path) -> None:
    names = write_documents(tmp_path, 20)
    plain = search(tmp_path, names, 0)
    first = search(tmp_path, names, 25)
    assert first[:2] == plain[:2]
    audit = first[2]
    assert audit is not None
    assert audit.schema.equals(AUDIT_SCHEMA)
    assert set(audit["language"].to_pylist()) == {*STORIES, CODE}
    rows = audit.to_pylist()
    for language in (*STORIES, CODE):
        own = [row for row in rows if row["language"] == language]
        assert 20 < len(own) <= 25
        assert len({(row["split"], row["row"]) for row in own}) >= 20, "every document, before one has two"
    assert {row["kind"] for row in rows} == {"edits", "truncation", "boilerplate", "reordered", "script"}
    assert {row["language"] for row in rows if row["kind"] == "script"} <= {"cmn_Hans", "cmn_Hant"}

    expected, candidates = sum(row["expected"] for row in rows), sum(row["candidate"] for row in rows)
    spread = sum(row["expected"] * (1 - row["expected"]) for row in rows) ** 0.5
    assert abs(candidates - expected) < 4 * spread
    alike = [row for row in rows if row["likeness"] > 0.9]
    assert sum(row["verified"] for row in alike) > 0.95 * len(alike) > 10
    assert not any(row["verified"] for row in rows if row["likeness"] < 0.5)
    assert all(row["found"] >= row["verified"] for row in rows)
    assert sum(row["right"] for row in rows) == sum(row["found"] for row in rows)
    assert all((row["shared"] > 0) >= row["candidate"] == (row["shared"] > 0) for row in rows)

    again = search(tmp_path, names, 25, partitions=7, in_runs=False)
    assert again[:2] == plain[:2]
    assert again[2] == audit
    assert search(tmp_path, names, 24, workers=2)[:2] == plain[:2]
    left = tmp_path / "dedup" / "removed" / "audit-00001.parquet"
    left.write_bytes((tmp_path / "dedup" / "audit.parquet").read_bytes())  # by a run that was killed
    assert search(tmp_path, names, 25, workers=2) == first
    more = search(tmp_path, names, 1000)[2]
    assert more is not None
    assert (
        max(more.group_by("language").aggregate([("row", "count")])["row_count"].to_pylist())
        <= 29 * MAX_TURNS
    )
    assert search(tmp_path, names, 0) == plain


def test_canaries_need_minhash() -> None:
    with pytest.raises(ValueError, match="they need `minhash`"):
        DedupOptions.model_validate({"minhash": False, "canaries": 10})


def test_a_canary_is_paired_as_a_content_would_be() -> None:
    random_numbers = np.random.default_rng(3)
    for most in (4, 30, 200):
        count = 120
        entries = make_records(
            BAND_DTYPE,
            key=random_numbers.integers(0, 3, count).astype(np.uint64),
            number=np.arange(count),
            order=random_numbers.permutation(count).astype(np.uint64) * 10,
        )
        origin = random_numbers.integers(0, count, 40)
        order = random_numbers.permutation(count)[:40].astype(np.uint64) * 10 + 5
        for at in range(40):
            planted = make_records(
                PLANTED_BAND_DTYPE,
                key=entries["key"][origin[at : at + 1]],
                number=np.array([1 << 40]),
                order=order[at : at + 1],
                origin=origin[at : at + 1],
            )
            beside = np.concatenate([entries, planted[["key", "number", "order"]].astype(BAND_DTYPE)])
            wanted = np.concatenate([*generate_candidate_pairs(beside, most), np.empty((0, 2), np.int64)])
            pairs = pair_planted(entries, planted, most)
            own = [int(origin[at]), 1 << 40]
            assert (own in pairs.tolist()) == (own in wanted.tolist())
            assert {tuple(pair) for pair in pairs.tolist()} <= {tuple(pair) for pair in wanted.tolist()}


def test_the_order_of_another_length() -> None:
    lengths = np.array([10, 1000, 123456])
    rows = [
        SplitRows(
            row=np.arange(3),
            content=np.zeros((3, 2), np.uint64),
            url=np.zeros(3, np.uint64),
            priority=np.array([0, 3, -2], np.int32),
            quality=np.array([0.5, np.nan, 2], np.float32),
            length=length,
            id=np.full((3, 2), 77 << 50, np.uint64),
        )
        for length in (lengths, lengths[::-1].copy())
    ]
    assert (
        replace_length(compute_coarse_order(rows[0]), lengths[::-1]).tolist()
        == compute_coarse_order(rows[1]).tolist()
    )
