"""A build that reads no text says which files are to blame, and how to look at them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import RunError, UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import describe_empty_files, make_plan
from corpus.pipelines.cli.build import check_kept


def warc_record(url: str, page: str) -> bytes:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000001>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


SOURCE = "  {name}:\n    kind: {kind}\n    paths: [{paths}]\n    rules: []\n"


def build(folder: Path, **sources: tuple[str, str]) -> tuple[list[str], str]:
    """Return the lines that a build says about its files, and how it ends."""
    text = "".join(
        SOURCE.format(name=name, kind=kind, paths=paths) for name, (kind, paths) in sources.items()
    )
    manifest = folder / "m.yaml"
    manifest.write_text(f"name: leer\nsources:\n{text}tokenizer: {{vocabulary: 300}}\n", encoding="utf-8")
    said: list[str] = []
    workspace = build_workspace(str(manifest), str(folder / "out"), Running(workers=1), said.append)
    with pytest.raises(RunError) as caught:
        check_kept(workspace)
    return [line for line in said if line.startswith("source ")], str(caught.value).replace(str(folder), "")


def test_a_file_that_is_cut_is_named_with_the_command_that_shows_it(tmp_path: Path) -> None:
    (tmp_path / "空.jsonl").touch()
    (tmp_path / "отрезан.jsonl.gz").write_bytes(gzip.compress(b'{"text": "\xd0\xb4\xd0\xb0"}\n')[:20])
    lines, end = build(tmp_path, empty=("jsonl", "空.jsonl"), cut=("jsonl", "отрезан.jsonl.gz"))
    assert lines == ["source empty: 空.jsonl is an empty file: get it again, or leave it out"]
    assert end == (
        "no text was read: of the records, 1 in quarantine (damaged: the file ends inside a gzip member: "
        "отрезан.jsonl.gz): `corpus sample /out --quarantine` shows those in quarantine; check `kind`, `paths` and "
        "`fields` in the manifest"
    )


def test_input_of_empty_files_is_said_to_be_that(tmp_path: Path) -> None:
    for at in range(5):
        (tmp_path / f"{at}.jsonl").touch()
    lines, end = build(tmp_path, rows=("jsonl", '"*.jsonl"'))
    assert lines == [
        "source rows: 0.jsonl, 1.jsonl, 2.jsonl and 2 more are empty files: get them again, or leave them out"
    ]
    assert end.startswith("no text was read: the input is empty files: check `kind`")
    assert describe_empty_files(make_plan(str(tmp_path / "m.yaml"))) == lines


def test_the_keys_that_are_to_be_checked_are_those_of_the_kind(tmp_path: Path) -> None:
    (tmp_path / "leer.html").write_text("<html><body> </body></html>")
    (tmp_path / "تالف.gz").write_bytes(gzip.compress(b"damaged" * 100)[:20])
    _, end = build(tmp_path, paper=("arxiv", "تالف.gz"))
    assert end.endswith("shows those in quarantine; check `kind` and `paths` in the manifest")


@pytest.mark.parametrize("named", ["列表", "列表/urls.parquet"])
def test_archives_that_hold_no_page_of_a_list_are_told_so(tmp_path: Path, named: str) -> None:
    (tmp_path / "列表").mkdir()
    path = tmp_path / "列表/urls.parquet"
    pq.write_table(pa.table({"url": ["https://nowhere.example/страница"]}), path)
    record = warc_record("https://example.org/หน้า", "<html><body><p>ข่าววันนี้</p></body></html>")
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(record))
    (tmp_path / "m.yaml").write_text(
        f"name: leer\nsources: {{w: {{kind: urls, urls: {named}, warcs: a.warc.gz, rules: []}}}}\n"
        "tokenizer: {vocabulary: 300}\n"
    )
    workspace = build_workspace(str(tmp_path / "m.yaml"), str(tmp_path / "out"), Running(workers=1))
    with pytest.raises(RunError) as caught:
        check_kept(workspace)
    assert str(caught.value) == (
        f"no text was read: the archives hold none of the addresses of {path}: check `kind`, `urls` and `warcs` in "
        "the manifest"
    )


def test_a_folder_without_a_list_is_told_with_the_name_of_one(tmp_path: Path) -> None:
    (tmp_path / "قائمة").mkdir()
    (tmp_path / "a.warc.gz").touch()
    manifest = tmp_path / "m.yaml"
    manifest.write_text("name: a\nsources: {w: {kind: urls, urls: قائمة, warcs: a.warc.gz}}\n")
    with pytest.raises(UserError) as caught:
        make_plan(str(manifest))
    assert str(caught.value) == (
        f"{manifest}:2: sources.w.urls: {tmp_path}/قائمة is a folder: name the list in it, such as urls.parquet"
    )
