"""A plan names what cannot be read before the work, and field names that no row has."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.probe import check_text_fields, describe_unmatched_fields, probe_files
from corpus.pipelines.cli.plan import plan
from corpus.sources.tables import jsonl
from tests.cli.running import run

ROWS = "".join(json.dumps({"text": f"長江第{at}段流經城市，兩岸的人們週日散步。"}) + "\n" for at in range(30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text(ROWS)
    (tmp_path / "half.jsonl").write_text(ROWS + "نهر\n[1]\n{}\n{}\n")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(os.urandom(9).hex().encode() + ROWS.encode())[:-60])
    (tmp_path / "a.zip").write_bytes(b"PK\3\4, and then nothing")
    (tmp_path / "a.parquet").write_bytes(b"PAR1, and then nothing")
    (tmp_path / "a.warc.gz").write_bytes(b"\x1f\x8b, and then nothing")
    (tmp_path / "a.xml").write_text("<river/>")
    return tmp_path


def write_manifest(folder: Path, sources: str, rest: str = "") -> str:
    path = folder / "m.yaml"
    path.write_text(f"name: probe\nsources:\n{sources}{rest}")
    return str(path)


BROKEN = """  books: {kind: books, paths: [a.zip]}
  code: {kind: code, paths: [a.zip]}
  table: {kind: parquet, paths: [a.parquet]}
  web: {kind: warc, paths: [a.warc.gz]}
  wiki: {kind: wikipedia, paths: [a.xml]}
"""


def test_files_that_cannot_be_read_are_named_without_a_dry_run(folder: Path) -> None:
    manifest = write_manifest(folder, BROKEN + "  rows: {kind: jsonl, paths: [rows.jsonl]}\n")
    probe = probe_files(make_plan(manifest))
    assert (probe.files, probe.looked_at) == (6, 6)
    assert [(row["source"], row["records"], row["places"]) for row in probe.failures.rows()] == [
        ("books", 1, ["a.zip @ 0"]),
        ("code", 1, ["a.zip @ 0"]),
        ("table", 1, ["a.parquet @ 0"]),
        ("web", 1, ["a.warc.gz @ 0"]),
        ("wiki", 1, ["a.xml @ 0"]),
    ]
    printed = run(plan, manifest, "-n", "0")
    assert "what would go to quarantine (first record of 6 of 6 files)" in printed
    assert "wiki: 1 record: no <page> in it: not a MediaWiki dump: a.xml @ 0" in printed


def test_a_dry_run_names_what_a_build_puts_into_quarantine(folder: Path) -> None:
    sources = BROKEN + "  rows: {kind: jsonl, paths: [rows.jsonl, half.jsonl, cut.jsonl.gz]}\n"
    manifest = write_manifest(folder, sources)
    forecast = json.loads(run(plan, manifest, "-n", "10000", "--json"))["forecast"]
    workspace = build_workspace(manifest, str(folder / "w"), Running(workers=1))
    table = workspace.stats()["quarantine"].to_table().to_pylist()
    assert sorted((row["source"], row["reason"], row["records"]) for row in forecast["failures"]) == sorted(
        (row["source"], row["reason"], row["records"]) for row in table
    )
    (no_text,) = [row for row in forecast["failures"] if "no text" in row["reason"]]
    assert no_text["records"] == 2 and no_text["places"] == [
        f"half.jsonl @ {len(ROWS) + len('نهر'.encode()) + 5}"
    ]


def test_input_that_is_broken_altogether_gets_a_plan(folder: Path) -> None:
    printed = run(plan, write_manifest(folder, BROKEN), "-n", "50")
    assert "dry run: 0 documents" in printed and "of the records looked at" in printed


def test_files_without_permission_are_named_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from corpus.sources.source import Source

    def refuse(self: Source, file: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Source, "identity", refuse)
    line = (
        r"m.yaml:3: sources.rows.paths: cannot read 2 of 2 files: \S+cut.jsonl.gz: Permission denied, \S+half"
    )
    with pytest.raises(UserError, match=line):
        make_plan(write_manifest(folder, "  rows: {kind: jsonl, paths: [half.jsonl, cut.jsonl.gz]}\n"))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ("{text: [body, text]}", None),
        ("{text: text, id: []}", None),
        (
            "{url: [link, meta.url]}",
            r"fields.url: the first 30 rows have no link or meta.url \(url\): there is text",
        ),
        ("{metadata: [text, titel]}", r"fields.metadata: the first 30 rows have no titel \(metadata\): "),
        ("fineweb", None),
        ("{}", None),
        (
            "{language: lang, script: skript}",
            r"fields.language: .* no lang \(language\), skript \(script\): ",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_names_that_no_row_has_get_one_line(folder: Path, kind: str, fields: str, line: str | None) -> None:
    pq.write_table(
        pa.Table.from_pylist([json.loads(row) for row in ROWS.splitlines()]), folder / "rows.parquet"
    )
    manifest = write_manifest(
        folder, f"  rows: {{kind: {kind}, paths: [rows.{kind}], rules: [], fields: {fields}}}\n"
    )
    said = describe_unmatched_fields(make_plan(manifest))
    if line is None:
        assert said == []
    else:
        (one,) = said
        assert re.search(rf"m\.yaml:3: sources\.rows\.{line}", one) and "\n" not in one


def test_the_look_at_rows_ends_with_one_and_is_bounded_in_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(folder, "  rows: {kind: jsonl, paths: [rows.jsonl], fields: {url: body}}\n")
    monkeypatch.setattr(jsonl, "MAX_PEEKED_BYTES", 1)
    (said,) = describe_unmatched_fields(make_plan(manifest))
    assert "the first row has no body (url): there is text" in said


TALES = ("روى الشيخ حكاية النهر.", "爺爺說起河邊的往事。", "ปู่เล่าเรื่องแม่น้ำ", "Дед рассказал о реке.")


def write_rows(folder: Path, kind: str, rows: list[dict[str, object]]) -> None:
    if kind == "parquet":
        names = {name for row in rows for name in row}
        pq.write_table(
            pa.table({name: [row.get(name) for row in rows] for name in sorted(names)}),
            folder / "tales.parquet",
        )
    else:
        (folder / "tales.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("rows", "fields", "key", "line"),
    [
        (
            [{"content": tale, "at": at} for at, tale in enumerate(TALES)],
            "{text: contnet}",
            "fields.text",
            r"of \S+/tales\.\w+ have no field contnet for the text: there is (?:content, at|at, content): "
            r"did you mean content\?",
        ),
        ([{"Text": tale} for tale in TALES], "{}", "fields", r"no field text .* did you mean Text\?"),
        (
            [{"本文": tale, "日付": "2024"} for tale in TALES],
            "{text: text}",
            "fields.text",
            r"did you mean 本文\?",
        ),
        (
            [{"meta": {"body": tale, "id": "7"}} for tale in TALES],
            "{text: meta.bodi}",
            "fields.text",
            r"no field meta.bodi for the text: there is meta.body, meta.id: did you mean meta.body\?",
        ),
        (
            [{"content": tale} for tale in TALES],
            "{text: [body, contend]}",
            "fields.text",
            r"no field body or contend for the text: .*did you mean content\?",
        ),
        ([{"body": tale} for tale in TALES], "fineweb", "fields", r"no field text .*did you mean body\?"),
        (
            [{"meta": {"body": tale}} for tale in TALES],
            "{text: meta}",
            "fields.text",
            r"ha(?:ve|s) no text in meta, but objects: there is meta.body: did you mean meta.body\?",
        ),
        ([{"n": 4}, {"n": 5}], "{text: number}", "fields.text", "there is n: name the one with the text in"),
    ],
)
def test_a_text_that_no_record_has_ends_the_command(
    folder: Path, kind: str, rows: list[dict[str, object]], fields: str, key: str, line: str
) -> None:
    write_rows(folder, kind, rows)
    sources = f"  tales: {{kind: {kind}, paths: [tales.{kind}], rules: [], fields: {fields}}}\n"
    manifest = write_manifest(folder, sources)
    for command in (
        lambda: build_workspace(manifest, str(folder / "w"), Running(workers=1)),
        lambda: run(plan, manifest, "-n", "0"),
    ):
        with pytest.raises(UserError, match=rf"m\.yaml:3: sources\.tales\.{key}: the .*{line}") as refused:
            command()
        assert "\n" not in str(refused.value)
    assert not (folder / "w").exists()


def test_one_file_of_several_that_lacks_the_text_is_named(folder: Path) -> None:
    write_rows(folder, "jsonl", [{"texte": tale} for tale in TALES])
    manifest = write_manifest(folder, "  rows: {kind: jsonl, paths: [rows.jsonl, tales.jsonl]}\n")
    plan = make_plan(manifest)
    check_text_fields(plan)
    (said,) = describe_unmatched_fields(plan)
    assert re.search(r"records looked at of \S+/tales\.jsonl .*did you mean texte\?; its records go to", said)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([{"title": "河"}, {"title": "海", "text": TALES[1]}], "{}"),
        ([{"text": None}, {"text": None}], "{}"),
        ([{"title": "河"}] * 300 + [{"text": TALES[0]}], "{}"),
        ([{"meta": {"text": None, "x": 1}}, {"meta": {"text": TALES[2], "x": 1}}], "{text: meta.text}"),
        ([{"meta": json.dumps({"text": TALES[3]})}], "{text: meta.text}"),
        ([{"turns": [TALES[0], TALES[1]]}, {"turns": []}], "{text: turns.0}"),
        ([{"body": TALES[0]}], "{text: [text, body]}"),
    ],
)
def test_records_without_a_text_beside_others_are_left_to_quarantine(
    folder: Path, kind: str, rows: list[dict[str, object]], fields: str
) -> None:
    write_rows(folder, kind, rows)
    sources = f"  tales: {{kind: {kind}, paths: [tales.{kind}], rules: [], fields: {fields}}}\n"
    check_text_fields(make_plan(write_manifest(folder, sources)))


def test_a_cut_file_whose_rows_lack_the_text_is_named_too(folder: Path) -> None:
    rows = "".join(json.dumps({"content": os.urandom(90).hex(" ")}) + "\n" for _ in range(900))
    (folder / "tales.jsonl.gz").write_bytes(gzip.compress(rows.encode())[:-20_000])
    manifest = write_manifest(folder, "  tales: {kind: jsonl, paths: [tales.jsonl.gz], rules: []}\n")
    with pytest.raises(UserError, match=r"no field text .*did you mean content\?"):
        check_text_fields(make_plan(manifest))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        (
            "zhwiki.xml",
            "<mediawiki>\n<page>\n<title>橋, 渡し船</title>\n</page>\n</mediawiki>\n",
            "wikipedia",
        ),
        ("page.txt", "<!DOCTYPE html>\n<title>Мост</title>\n<p>Паром, мост и зима.\n<p>Ноябрь.\n", "html"),
        ("tale.txt", "The Bridge\nIt was repaired, and the ferry stopped.\nThat was in November.\n", "text"),
        ("paper.tex", "\\documentclass{article}\n\\begin{document}\nสะพาน, เรือ\n\\end{document}\n", "arxiv"),
    ],
)
def test_files_of_another_kind_are_told(folder: Path, name: str, content: str, kind: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    manifest = write_manifest(folder, f"  tales: {{kind: csv, paths: [{name}], rules: []}}\n")
    with pytest.raises(UserError, match=rf"this looks like .+, which `kind: {kind}` reads"):
        check_text_fields(make_plan(manifest))


def test_names_of_other_fields_are_suggested(folder: Path) -> None:
    write_rows(folder, "jsonl", [{"text": tale, "Datum": "2024-05-01"} for tale in TALES])
    manifest = write_manifest(folder, "  tales: {kind: jsonl, paths: [tales.jsonl], fields: {date: datum}}\n")
    (said,) = describe_unmatched_fields(make_plan(manifest))
    assert said.endswith("have no datum (date): there is text, Datum: did you mean Datum?")


def write_pages(folder: Path, name: str, body: bytes, count: int = 30, status: str = "200 OK") -> None:
    records = []
    for at in range(count):
        http = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n".encode() + body
        head = (
            "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
            f"WARC-Target-URI: https://河.example/{at}\r\nWARC-Date: 2024-05-01T00:00:00Z\r\n"
            f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{at:012}>\r\nContent-Length: {len(http)}\r\n\r\n"
        )
        records.append(gzip.compress(head.encode() + http + b"\r\n\r\n"))
    (folder / name).write_bytes(b"".join(records))


def test_sources_whose_first_records_give_no_text_are_named(folder: Path) -> None:
    words = "".join(f"<p>{tale * 9}</p>" for tale in TALES)
    write_pages(folder, "empty.warc.gz", b"<html><body><script>go()</script></body></html>")
    write_pages(folder, "gone.warc.gz", words.encode(), status="404 Not Found")
    write_pages(folder, "deep.warc.gz", b"<p>" + b"<b><i>" * 40_000, count=2)
    write_pages(folder, "good.warc.gz", f"<html><body>{words}</body></html>".encode())
    (folder / "late.warc.gz").write_bytes(
        (folder / "gone.warc.gz").read_bytes() + (folder / "good.warc.gz").read_bytes()
    )
    names = ("empty", "gone", "deep", "good", "late")
    sources = "".join(f"  {name}: {{kind: warc, paths: [{name}.warc.gz]}}\n" for name in names)
    manifest = write_manifest(folder, sources + "  rows: {kind: jsonl, paths: [rows.jsonl]}\n")
    probe = probe_files(make_plan(manifest))
    assert {one.source: one.records for one in probe.textless} == {"empty": 30, "gone": 30, "deep": 2}
    lines = {one.source: one.describe() for one in probe.textless}
    assert lines["empty"].startswith(
        "empty: none of the first 30 records gave a text: 30 stopped by the gate extract.empty"
    )
    assert "30 stopped by the gate warc.status" in lines["gone"]
    assert "2 in quarantine (" in lines["deep"]
    assert [row["source"] for row in probe.failures.rows()] == ["deep"]
    printed = run(plan, manifest, "-n", "0")
    assert lines["empty"] in printed and lines["deep"] in printed and "good: " not in printed


RUSSIAN = "Старая библиотека стоит в конце улицы, и каждое утро туда приходят читать дети и старики."
CHINESE = "老图书馆在街道的尽头，每天早上人们都来这里读书，孩子们带来有船和山的图画书。"
JAPANESE = "古い図書館は通りのはずれにあり、毎朝人々が本を読みにやって来る。子どもたちは絵本を持ってくる。"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        (RUSSIAN, "cp1251", "windows-1251"),
        (CHINESE, "gb18030", "gb18030|gbk"),
        (JAPANESE, "shift_jis", "shift_jis"),
        (RUSSIAN, "utf-16", "utf-16|utf-16le|utf-16-le"),
    ],
)
def test_rows_in_another_encoding_than_the_source_says_are_refused(
    folder: Path, kind: str, text: str, encoding: str, told: str
) -> None:
    rows = [f"{at} {text}" for at in range(40)]
    content = (
        "id,text\n" + "".join(f'{at},"{row}"\n' for at, row in enumerate(rows))
        if kind == "csv"
        else "".join(json.dumps({"text": row}, ensure_ascii=False) + "\n" for row in rows)
    )
    (folder / f"tales.{kind}").write_bytes(content.encode(encoding))
    sources = f"  tales: {{kind: {kind}, paths: [tales.{kind}], rules: []}}\n"
    with pytest.raises(UserError, match=rf"tales\.{kind} is not in UTF-8: say `encoding: (?:{told})`"):
        check_text_fields(make_plan(write_manifest(folder, sources)))
    stated = sources.replace("rules", f"encoding: {told.partition('|')[0]}, rules")
    check_text_fields(make_plan(write_manifest(folder, stated)))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_few_broken_bytes_are_no_other_encoding(folder: Path, kind: str) -> None:
    rows = [f"{at} {text}" for at, text in enumerate([RUSSIAN, CHINESE, JAPANESE] * 20)]
    content = (
        "id,text\n" + "".join(f'{at},"{row}"\n' for at, row in enumerate(rows))
        if kind == "csv"
        else "".join(json.dumps({"text": row}, ensure_ascii=False) + "\n" for row in rows)
    ).encode()
    (folder / f"tales.{kind}").write_bytes(content.replace("улицы".encode(), b"\xe3\x83\xff", 2))
    sources = f"  tales: {{kind: {kind}, paths: [tales.{kind}], rules: []}}\n"
    check_text_fields(make_plan(write_manifest(folder, sources)))
