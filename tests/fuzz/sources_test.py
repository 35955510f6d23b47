"""Readers of sources on damaged real files: records and failures with their places, no exception, no hang."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from corpus.document import Failure, Record
from corpus.sources import source_class
from tests.fuzz.mutations import Operation, long, mutated, operations, short, within

SAMPLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "warc": ("warc", "warc/warcio-testdata/example.warc.gz", {}),
    "warc-plain": ("warc", "warc/warcio-testdata/example-iana.org-chunked.warc", {}),
    "warc-lz4": ("warc", "warc/resiliparse/warcfile.warc.lz4", {}),
    "wet": ("warc", "warc/cc-whirlwind/whirlwind.warc.wet.gz", {}),
    "arc": ("warc", "warc/warcio-testdata/example.arc.gz", {}),
    "wikipedia": ("wikipedia", "wiki/wikiclean/zhwiki-20150423-id13.xml", {}),
    "wikipedia-bz2": ("wikipedia", "wiki/wikiclean/article-stubs.xml.bz2", {}),
    "text": ("text", "books/gutenberg/24675/24675-8.txt", {"unit": "paragraph"}),
    "books": ("books", "books/gutenberg/3261/3261.txt", {"unit": "chapter"}),
    "epub": ("books", "books/epub/idpf-regime-anticancer-arabic.epub", {"unit": "chapter"}),
    "arxiv": ("arxiv", "arxiv/bulk/minitest4.tar", {}),
    "pubmed": ("pubmed", "pubmed/pubmed-xml/pubmed-29768149.xml", {}),
    "jats": ("pubmed", "pubmed/pmc-jats/pone.0000217.nxml", {}),
    "stackexchange": ("stackexchange", "stackexchange/coffee.stackexchange.com/Posts.xml", {}),
    "code": ("code", "arxiv/author-latex/HoTT-book.tar.gz", {}),
    "reddit": ("reddit-comments", "reddit/RC_2005-12.zst", {}),
    "jsonl": ("jsonl", "", {}),
    "csv": ("csv", "", {}),
    "csv-wide": ("csv", "", {"encoding": "utf-16"}),
    "parquet": ("parquet", "", {}),
    "html": ("html", "", {"url_prefix": "https://example.org/"}),
}
LARGEST = 300_000
"""Bytes of a sample that are damaged: more only takes longer."""


def sample_of(data: Path, folder: Path, name: str) -> tuple[str, bytes]:
    """The name of a file and what is in it before damage."""
    rows = [
        {"id": str(at), "text": text} for at, text in enumerate(["The river", "这条河", "แม่น้ำ", "النهر"] * 20)
    ]
    if name == "jsonl":
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return "rows.jsonl.gz", gzip.compress(lines.encode(), mtime=0)
    if name in ("csv", "csv-wide"):
        table = "id,text\n" + "".join(f'{row["id"]},"{row["text"]}\n, and ""on"""\n' for row in rows)
        encoded = table.encode("utf-16-le" if name == "csv-wide" else "utf-8")
        return "rows.csv.gz", gzip.compress(encoded, mtime=0)
    if name == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
        return "rows.parquet", (folder / "rows.parquet").read_bytes()
    if name == "html":
        with zipfile.ZipFile(folder / "pages.zip", "w") as archive:
            for row in rows[:8]:
                head = f"<link rel=canonical href='https://example.org/{row['id']}'>"
                archive.writestr(f"{row['id']}.html", f"<html><head>{head}</head><p>{row['text']}</html>")
        return "pages.zip", (folder / "pages.zip").read_bytes()
    path = data / SAMPLES[name][1]
    return path.name, path.read_bytes()[:LARGEST]


def read_all(
    folder: Path, file: str, body: bytes, kind: str, options: dict[str, Any]
) -> list[Record | Failure]:
    """All records of a file, in two splits where it is cut."""
    path = folder / file
    path.write_bytes(body)
    source = source_class(kind).model_validate({"kind": kind, "paths": [str(path)], **options})
    found: list[Record | Failure] = []
    with within(20):
        for start, end in source.plan(str(path), len(body), max(1024, len(body) // 2)):
            found += source.read(str(path), file, start, end)
    return found


def check(found: list[Record | Failure], file: str) -> None:
    for one in found:
        assert isinstance(one, Record | Failure)
        assert one.file.startswith(file)
        assert one.offset >= 0
        if isinstance(one, Failure):
            assert one.error and "\n" not in one.error and one.step


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_are_read_as_far_as_they_go(data: Path, tmp_path: Path, name: str) -> None:
    kind, _, options = SAMPLES[name]
    file, sample = sample_of(data, tmp_path, name)

    @short(20)
    @given(operations)
    def damaged(changes: list[Operation]) -> None:
        body = mutated(sample, changes)
        check(read_all(tmp_path, file, body, kind, options), file)

    damaged()


@pytest.mark.soak
@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_for_long(data: Path, tmp_path: Path, name: str) -> None:
    kind, _, options = SAMPLES[name]
    file, sample = sample_of(data, tmp_path, name)

    @long()
    @given(operations)
    def damaged(changes: list[Operation]) -> None:
        body = mutated(sample, changes)
        check(read_all(tmp_path, file, body, kind, options), file)

    damaged()
