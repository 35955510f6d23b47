"""`corpus verify` on signatures and edits: nothing to say where they are right, and the right thing of damage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import corpus
from corpus.dedup.options import MinHashOptions
from corpus.dedup.signatures import SignatureReader, SignatureWriter, signature_schema, to_signature_batch
from corpus.edits.edit_counts import write_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, counts_path, edits_path, write_edits
from corpus.storage.part_writer import PartWriter, read_fingerprint
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES
from tests.pipelines.against_test import write

DEDUP = "dedup: {minhash: {containment: 0.9}, paragraphs: {documents: 2}}\nrules: {}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A build in which paragraphs are repeated."""
    folder = tmp_path_factory.mktemp("built")
    texts = {}
    for language, story in STORIES.items():
        for at in range(3):
            own = "".join(f"{story[at * 30 : at * 30 + 40]} {at}{number}" for number in range(12))
            texts[f"{language} {at}"] = (f"{own}\n\n{story}", f"https://{at}.example/{language}")
    corpus.build(str(write(folder, "m", texts, DEDUP)), str(folder / "out"))
    return corpus.open(str(folder / "out"))


@pytest.fixture
def copy(sound: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(sound.root, tmp_path / "copy")
    yield corpus.open(str(tmp_path / "copy"))


def problems(workspace: Workspace) -> dict[str, str]:
    found = verify_workspace(workspace.root)
    return {name: one.problems[0] for name, one in found.checks.items() if one.wrong}


def test_what_is_right_and_what_is_wrong_with_edits(sound: Workspace, copy: Workspace) -> None:
    assert problems(sound) == {}
    [(source, split)] = copy.splits()
    path = edits_path(copy, "repeats", source, split)
    made_by = read_fingerprint(path)
    assert made_by is not None
    edits = pq.read_table(path).replace_schema_metadata(None)
    assert len(edits) > 5
    whole = Path(path).read_bytes()

    write_edits(copy, "repeats", source, split, edits.slice(1), made_by)
    assert "counts.parquet says" in problems(copy)["counts"]
    rows = edits.to_pylist()
    for change, check, message in (
        ({"end": 1 << 40}, "decisions", "a span outside its text: rows"),
        ({"row": 1 << 40}, "fingerprints", "has rows that the documents beside it have not"),
    ):
        other = pa.Table.from_pylist([{**rows[0], **change}, *rows[1:]], EDITS_SCHEMA)
        write_edits(copy, "repeats", source, split, other, made_by)
        assert message in problems(copy)[check]
    with PartWriter(path, EDITS_SCHEMA, made_by, "other documents") as writer:
        writer.write(edits)
    assert "was not made from the documents beside it" in problems(copy)["fingerprints"]
    documents = read_fingerprint(copy.part("documents", source, split))
    with PartWriter(path, EDITS_SCHEMA, made_by, documents) as writer:
        writer.write(edits)
        writer.state_outcome("0123")
    assert problems(copy) == {"checksums": f"{path} does not match its checksum"}
    with PartWriter(path, pa.schema([("row", pa.int64())]), made_by, documents) as writer:
        writer.write(edits.select(["row"]))
    assert "has other columns: row" in problems(copy)["schema"]

    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 4
    for content in (bytes(flipped), whole[: len(whole) // 2], b""):
        Path(path).write_bytes(content)
        assert path in problems(copy)["checksums"]
    Path(path).unlink()
    assert problems(copy)["files"] == f"{path} is missing"

    Path(path).write_bytes(whole)
    stated = Path(counts_path(copy, "repeats"))
    whole = stated.read_bytes()
    counts = pq.read_table(stated).replace_schema_metadata(None)
    write_edit_counts(copy, "repeats", [counts, counts.slice(0, 1)], made_by)
    assert set(problems(copy)) == {"counts"}
    stated.write_bytes(whole[:-20])
    assert "counts of edits of repeats" in problems(copy)["checksums"]


def test_what_is_wrong_with_signatures(copy: Workspace) -> None:
    [(source, split)] = copy.splits()
    path = Path(copy.part("dedup/signatures", source, split, "arrow"))
    options = MinHashOptions(containment=0.9)
    whole = path.read_bytes()
    reader = SignatureReader(str(path), options)
    rows = reader.rows()
    values, sketches = reader.read(np.arange(rows)), reader.read_sketches(np.arange(rows))
    reader.close()

    def store(values: np.ndarray, sketches: pa.ListArray, made_with: MinHashOptions = options) -> None:
        schema = signature_schema(made_with)
        with SignatureWriter(str(path), schema, "x") as writer:
            beside = sketches if made_with.containment else None
            writer.write(to_signature_batch(values, schema, beside))

    place = f"dedup/signatures/source={source}/part-{split}.arrow"
    store(values, sketches)
    assert problems(copy) == {}
    other = values.copy()
    other[3, 50] ^= 1
    store(other, sketches)
    assert problems(copy) == {"checksums": f"{place}: not what the text gives: rows 3"}
    store(values, sketches.take(pa.array([0, 1, 3, 2, *range(4, rows)])))
    assert problems(copy) == {"checksums": f"{place}: not what the text gives: rows 2, 3"}
    store(values[:-1], sketches.slice(0, rows - 1))
    assert problems(copy) == {"fingerprints": f"{place} has other rows than the documents beside it"}
    store(values, sketches, MinHashOptions(containment=0.9, seed=5))
    assert "were made with" in problems(copy)["fingerprints"]
    store(values, sketches, MinHashOptions())
    assert "has no sketches" in problems(copy)["checksums"]
    for content in (whole[: len(whole) // 2], b""):
        path.write_bytes(content)
        assert str(path) in problems(copy)["checksums"]
    path.unlink()
    assert problems(copy) == {"files": f"{path} is missing"}
