"""Signature parts: whole or absent, read by row, and never mistaken for others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest

from corpus.dedup import minhash
from corpus.dedup.options import MinHashOptions
from corpus.dedup.signatures import (
    SIGNATURE_BATCH_ROWS,
    SignatureReader,
    SignatureStep,
    SignatureWriter,
    read_signature_fingerprint,
    read_signatures,
    signature_parameters,
    signature_schema,
    to_signature_batch,
)
from corpus.errors import UserError
from corpus.text.words import segment_words
from tests.dedup.texts import STORIES

BEFORE = MinHashOptions(fold=("case",), lines=0)
OPTIONS = MinHashOptions()
SCHEMA = signature_schema(OPTIONS)


@pytest.fixture(params=["local", "memory"])
def part(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A path on disk, and one on an object store."""
    if request.param == "local":
        yield str(tmp_path / "dedup" / "part.arrow")
    else:
        yield "memory://signatures/part.arrow"
        fsspec.filesystem("memory").rm("/signatures", recursive=True)


def made(rows: int) -> np.ndarray:
    found = np.random.default_rng(rows).integers(0, 1 << 32, (rows, OPTIONS.width), dtype=np.uint32)
    found[::7] = minhash.EMPTY_VALUE
    return found


def write(path: str, rows: np.ndarray, step: int, fingerprint: str = "abc") -> None:
    with SignatureWriter(path, SCHEMA, fingerprint) as writer:
        for start in range(0, len(rows), step):
            writer.write(to_signature_batch(rows[start : start + step], SCHEMA))


@pytest.mark.parametrize("rows", [0, 1, SIGNATURE_BATCH_ROWS, 3 * SIGNATURE_BATCH_ROWS + 5])
def test_rows_are_read_in_any_order(part: str, rows: int) -> None:
    expected = made(rows)
    write(part, expected, 100)
    wanted = np.random.default_rng(1).integers(0, max(rows, 1), 500 if rows else 0)
    np.testing.assert_array_equal(read_signatures(part, wanted, OPTIONS), expected[wanted])
    opened = SignatureReader(part)
    assert opened.rows() == rows
    opened.close()


def test_the_bytes_do_not_depend_on_the_batches_that_were_written(tmp_path: Path) -> None:
    rows, contents = made(2 * SIGNATURE_BATCH_ROWS + 300), set()
    for step in (1, 99, SIGNATURE_BATCH_ROWS, 10 * SIGNATURE_BATCH_ROWS):
        write(str(tmp_path / "part.arrow"), rows, step)
        contents.add((tmp_path / "part.arrow").read_bytes())
    assert len(contents) == 1


def test_a_document_without_words_is_null_and_so_is_a_gated_one(tmp_path: Path) -> None:
    step = SignatureStep(OPTIONS)
    batch = step.signatures(
        [segment_words(STORIES["tha_Thai"]), None, segment_words("!!!"), segment_words("one")]
    )
    assert batch.schema == SCHEMA
    assert batch.column(0).is_null().to_pylist() == [False, True, True, False]
    with SignatureWriter(str(tmp_path / "part"), step.schema, "x") as writer:
        writer.write(batch.slice(1, 3))
    found = read_signatures(str(tmp_path / "part"), np.arange(3))
    assert (found == minhash.EMPTY_VALUE).all(axis=1).tolist() == [True, True, False]
    assert step.signatures([]).num_rows == 0


def test_the_fingerprint_is_there_when_the_part_is(part: str) -> None:
    assert read_signature_fingerprint(part) is None
    write(part, made(5), 5, "made of this")
    assert read_signature_fingerprint(part) == "made of this"


def test_an_unfinished_part_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "part.arrow"
    with pytest.raises(RuntimeError, match="power cut"), SignatureWriter(str(path), SCHEMA, "x") as writer:
        writer.write(to_signature_batch(made(3000), SCHEMA))
        raise RuntimeError("power cut")
    assert list(tmp_path.iterdir()) == []


def test_a_cut_file_is_no_part(tmp_path: Path) -> None:
    path = tmp_path / "part.arrow"
    write(str(path), made(3000), 1000)
    path.write_bytes(path.read_bytes()[:-100])
    assert read_signature_fingerprint(str(path)) is None


def test_signatures_of_other_parameters_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "part.arrow")
    write(path, made(5), 5)
    read_signatures(
        path, np.arange(5), MinHashOptions(threshold=0.8, permutations=112)
    )  # may be decided anew
    for other in (
        MinHashOptions(seed=2),
        MinHashOptions(words=4),
        MinHashOptions(characters=9),
        MinHashOptions(lines=3),
        MinHashOptions(fold=("case",)),
        BEFORE,
        MinHashOptions(permutations=64),
    ):
        with pytest.raises(UserError, match="build again"):
            read_signatures(path, np.arange(5), other)


def test_a_row_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "part.arrow")
    write(path, made(SIGNATURE_BATCH_ROWS + 5), 100)
    for row in (SIGNATURE_BATCH_ROWS + 5, 2 * SIGNATURE_BATCH_ROWS):
        with pytest.raises(IndexError):
            read_signatures(path, np.array([0, row]))


def test_the_parameters_name_all_that_a_signature_depends_on() -> None:
    assert signature_parameters(OPTIONS) == {
        "version": 1, "hash": "xxh32", "scheme": "affine32", "permutations": 112, "seed": 1, "words": 5,
        "characters": 8, "lines": 2,
        "fold": {"version": 1, "of": ["case", "chinese", "digits", "punctuation", "width"]},
    }  # fmt: skip
    assert signature_parameters(MinHashOptions(threshold=0.9)) == signature_parameters(OPTIONS)
    assert not {"fold", "lines"} & signature_parameters(BEFORE).keys(), "earlier signatures stay"


def test_polars_and_pandas_can_read_it_too(tmp_path: Path) -> None:
    path = tmp_path / "part.arrow"
    write(str(path), made(50), 50)
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    assert table.column("signature").null_count == 8
