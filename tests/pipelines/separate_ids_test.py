"""Ids are unique in a workspace, whatever the tools that wrote its input; a record that comes twice has one id."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

import corpus
from corpus.document import document_id
from corpus.pipelines.build.rebuild import rebuild_splits
from corpus.pipelines.build.separate_ids import separate_ids
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace, read_table
from tests.sources.warc_heads_test import record

WORDS = {
    "en": "The ferry to the island leaves twice a day, and in winter only when the sea is calm enough for it. ",
    "zh": "开往小岛的渡船每天两班，冬天只有在海面足够平静的时候才会出发。",
    "ru": "Паром на остров ходит дважды в день, а зимой только тогда, когда море достаточно спокойно. ",
    "ar": "تغادر العبارة إلى الجزيرة مرتين في اليوم، وفي الشتاء فقط عندما يكون البحر هادئا. ",
}


def page(language: str) -> bytes:
    text = WORDS[language]
    paragraphs = "".join(f"<p>{text * times}</p>" for times in (2, 3, 4))
    return f"<html><body><article>{paragraphs}</article></body></html>".encode()


SENTENCE_PAGES = {language: page(language) for language in WORDS}


def write(folder: Path, files: dict[str, list[bytes]], split_size: str = "64MB") -> Path:
    """A manifest over archives of these records, in place of those that were there."""
    crawl = folder / "crawl"
    crawl.mkdir(exist_ok=True)
    for old in crawl.iterdir():
        old.unlink()
    for name, records in files.items():
        (crawl / name).write_bytes(b"".join(gzip.compress(one, mtime=0) for one in records))
    manifest = folder / "m.yaml"
    manifest.write_text(
        f"name: ids\ntokenizer: {{vocabulary: 400}}\nsplit_size: {split_size}\ndedup: {{exact: true, url: false}}\n"
        "sources:\n  crawl: {kind: warc, paths: ['crawl/*'], rules: []}\n"
    )
    return manifest


def build(manifest: Path, out: Path) -> list[dict[str, Any]]:
    """The documents in the order of their places, with what was decided; the workspace is whole."""
    corpus.build(str(manifest), str(out), workers=1)
    assert verify_workspace(str(out)).good
    assert rebuild_splits(str(out), 10, manifest=str(manifest)).good
    rows: list[dict[str, Any]] = []
    for source, split in Workspace.open(str(out)).splits():
        documents, decisions = (
            read_table(Workspace.open(str(out)).part(folder, source, split)).to_pylist()
            for folder in ("documents", "decisions")
        )
        rows += [{**one, **decided} for one, decided in zip(documents, decisions, strict=True)]
    return sorted(rows, key=lambda row: (row["origin"]["file"], row["origin"]["offset"]))


def own_id(number: int) -> str:
    return document_id("crawl", f"<urn:uuid:{number}>")


@pytest.mark.parametrize("split_size", ["1KiB", "64MB"])
def test_documents_that_share_a_record_id_have_ids_of_their_own(tmp_path: Path, split_size: str) -> None:
    """In one file and across files and splits; others keep the id of their record."""
    one, two, three, four = (SENTENCE_PAGES[language] for language in WORDS)
    files = {
        "a.warc.gz": [record(one, 7), record(two, 7, url=b"http://b.org/"), record(four, 1)],
        "b.warc.gz": [record(three, 7, url=b"http://c.org/"), record(one, 2, url=b"http://d.org/")],
    }
    rows = build(write(tmp_path, files, split_size), tmp_path / "ws")
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == 5
    assert own_id(7) not in ids
    assert [ids[2], ids[4]] == [own_id(1), own_id(2)]
    assert rows[4]["duplicate_of"] == ids[0] or rows[0]["duplicate_of"] == ids[4]
    (shared,) = read_table(str(tmp_path / "ws/stats/shared_ids.parquet")).to_pylist()
    assert shared == {"source": "crawl", "ids": 1, "documents": 3}


def test_ids_do_not_depend_on_names_or_order(tmp_path: Path) -> None:
    records = [
        record(SENTENCE_PAGES[language], 7, url=f"http://{language}.org/".encode()) for language in WORDS
    ]
    ids = []
    for number, order in enumerate([(0, 1, 2, 3), (3, 1, 0, 2)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = {f"{name}.warc.gz": [records[at]] for name, at in zip("abcd", order, strict=True)}
        ids.append({row["url"]: row["id"] for row in build(write(folder, files), folder / "ws")})
    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == 4


def test_a_record_in_two_files_has_one_id_and_goes_as_a_duplicate(tmp_path: Path) -> None:
    one, two = record(SENTENCE_PAGES["zh"], 1), record(SENTENCE_PAGES["ru"], 2)
    rows = build(write(tmp_path, {"a.warc.gz": [one, two], "b.warc.gz": [one]}), tmp_path / "ws")
    assert [row["id"] for row in rows] == [own_id(1), own_id(2), own_id(1)]
    assert [row["kept"] for row in rows].count(True) == 2
    assert not (tmp_path / "ws/ids/shared.parquet").exists()
    # Where copies are kept each has an id of its own; where they are not again, they have one again
    workspace = Workspace.open(str(tmp_path / "ws"))
    splits = list(workspace.splits())
    for keeps_copies, count in ((True, 3), (False, 2)):
        assert separate_ids(workspace, splits, keeps_copies)
        assert not separate_ids(workspace, splits, keeps_copies)
        parts = [read_table(workspace.part("documents", *split)) for split in splits]
        assert len({one for part in parts for one in part["id"].to_pylist()}) == count


def test_gated_documents_have_ids_of_their_own_too(tmp_path: Path) -> None:
    gone = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n"
    records = [record(b"no", 7, head=gone), record(b"no", 7, head=gone), record(SENTENCE_PAGES["ar"], 7)]
    rows = build(write(tmp_path, {"a.warc.gz": records}), tmp_path / "ws")
    assert len({row["id"] for row in rows}) == 3


def test_a_build_that_goes_on_has_the_ids_and_bytes_of_a_fresh_one(tmp_path: Path) -> None:
    """Input comes that shares an id, and goes again."""
    one, two = record(SENTENCE_PAGES["en"], 7), record(SENTENCE_PAGES["zh"], 7, url=b"http://b.org/")
    alone, both = {"a.warc.gz": [one]}, {"a.warc.gz": [one], "b.warc.gz": [two]}
    digests = []
    for number, files in enumerate((alone, both, alone)):
        rows = build(write(tmp_path, files), tmp_path / "ws")
        assert (rows[0]["id"] == own_id(7)) == (files is alone)
        fresh = tmp_path / ("fresh both" if files is both else "fresh alone")
        if number < 2:
            build(write(tmp_path, files), fresh)
        parts = ["documents/source=crawl", "decisions/source=crawl"]
        digests.append(
            [
                [(path.name, path.read_bytes()) for path in sorted((root / part).glob("*.parquet"))]
                for root in (tmp_path / "ws", fresh)
                for part in parts
            ]
        )
        assert digests[-1][:2] == digests[-1][2:]
    assert digests[0] == digests[2] != digests[1]
