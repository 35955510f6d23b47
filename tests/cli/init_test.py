"""`corpus init` writes a manifest that a build takes as it is, and says what it could not tell."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.formats.encodings import decode
from corpus.manifest import load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.cli.init import init
from corpus.pipelines.ingest import read_records
from tests.cli.running import run

TEXTS = {
    "长江.txt": "长江是亚洲第一长河，发源于青藏高原，流经十一个省市，最后在上海注入东海。江边的人们世代捕鱼种田，"
    "水路运来各地的货物。\n",
    "ไทย.txt": "แม่น้ำเจ้าพระยาเป็นแม่น้ำสายสำคัญของประเทศไทย ไหลผ่านกรุงเทพมหานครลงสู่อ่าวไทย "
    "ชาวบ้านใช้น้ำทำนาและเดินทางด้วยเรือ\n",
}
RIVERS = {
    "النيل": "نهر النيل من أطول أنهار العالم، ويمر بعدة دول قبل أن يصب في البحر الأبيض المتوسط، "
    "وعلى ضفتيه تعيش شعوب كثيرة منذ القدم.",
    "गंगा": "गंगा भारत की सबसे पवित्र नदी मानी जाती है और हिमालय से निकलकर बंगाल की खाड़ी में मिलती है, "
    "और उसके किनारे बहुत से नगर बसे हैं।",
    "Волга": "Волга течёт по Восточно-Европейской равнине и впадает в Каспийское море у Астрахани, "
    "а на её берегах стоят большие города и старые монастыри, построенные много веков тому назад.",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


RIVERS_AT_LENGTH = {
    "zh": "长江发源于青藏高原，流经十一个省份，最后注入东海。沿江的城市靠着它运送货物，也靠着它喝水。" * 8,
    "tw": "濁水溪是臺灣最長的河流，發源於合歡山，帶著泥沙向西流入海峽。沿岸的農人用它灌溉稻田與瓜園。" * 8,
    "ja": "信濃川は日本でいちばん長い川で、山あいの盆地を抜けて海に注ぐ。流域の人々は古くから稲を育ててきた。"
    * 8,
    "ru": "Волга берёт начало на возвышенности и впадает в Каспийское море. По ней ходят баржи и теплоходы. "
    * 8,
    "ar": "ينبع النهر من الجبال ويجري نحو البحر عبر السهول والقرى، ويشرب منه الناس ويسقون حقولهم. " * 8,
    "de": "Die Weser entsteht aus zwei Flüssen, fließt durch das Hügelland und mündet in die Nordsee. " * 8,
}


def write(path: str, content: str | bytes) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)


def rows(**fields: str) -> bytes:
    lines = [
        json.dumps({key: river[int(at)] for key, at in fields.items()}, ensure_ascii=False)
        for river in RIVERS.items()
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def test_the_manifest_builds_as_it_is(tmp_path: Path) -> None:
    for name, text in TEXTS.items():
        write(f"数据/texts/{name}", text * 2)
    write("数据/[rows]/甲.jsonl.gz", gzip.compress(rows(标题="0", 正文="1")))
    write("数据/[rows]/乙.jsonl.gz", gzip.compress(rows(标题="0", 正文="1")))
    write("数据/tool/Makefile", "all:\n\techo\n")
    write("数据/tool/a.py", "import os\n\n\ndef main() -> str:\n    return os.getcwd()\n" * 4)
    write("数据/scan.pdf", b"%PDF-1.7\n\xff")
    write("数据/README", "about")
    printed = run(init, "数据", "--out", "first.yaml")
    assert "kind jsonl" in printed and "kind text" in printed and "kind code" in printed
    assert "PDF and office documents" in printed and "corpus plan first.yaml" in printed
    text = Path("first.yaml").read_text()
    assert "#      数据/scan.pdf" in text and "#      数据/README" in text
    sources = load_manifest("first.yaml").manifest.sources
    assert {name: source.kind for name, source in sources.items()} == {
        "rows": "jsonl",
        "texts": "text",
        "code": "code",
    }
    options: Any = sources["rows"]
    assert (options.fields.text, options.fields.metadata) == ("正文", ["标题"])
    assert options.paths == ["数据/[[]rows]/*.jsonl.gz"]
    assert {split.file for split in make_plan("first.yaml").splits if split.source == "texts"} == {
        f"数据/texts/{name}" for name in TEXTS
    }
    workspace = build_workspace("first.yaml", str(tmp_path / "out"), Running())
    kept = workspace.decisions().to_table().to_pylist()
    assert sum(row["kept"] for row in kept) >= 6


def test_files_alone_are_named_and_their_neighbours_not() -> None:
    for name in ("1.txt", "2.txt", "3.txt"):
        write(f"data/{name}", TEXTS["长江.txt"])
    run(init, "data", "data/", "data/1.txt", "--out", "all.yaml")
    assert load_manifest("all.yaml").manifest.sources["texts"].paths == ["data/*.txt"]
    Path("all.yaml").unlink()
    run(init, "data/1.txt", "data/2.txt", "--out", "data/two.yaml")
    assert load_manifest("data/two.yaml").manifest.sources["texts"].paths == ["1.txt", "2.txt"]


def test_two_files_of_one_name_outside_the_manifests_folder(tmp_path: Path) -> None:
    write("a/x.txt", TEXTS["长江.txt"])
    write("b/x.txt", TEXTS["ไทย.txt"])
    write("b/deep/x.txt", "")
    write("m/.keep", "")
    run(init, "a/x.txt", "b/x.txt", "--out", "m/m.yaml")
    assert len(make_plan("m/m.yaml").splits) == 2


def test_odd_names_are_read_or_listed() -> None:
    write("data/@list.txt", TEXTS["长江.txt"])
    write("data/${HOME}.txt", TEXTS["长江.txt"])
    write("data/no: yes #1.txt", TEXTS["ไทย.txt"])
    printed = run(init, "data", "--out", "m.yaml")
    assert "data/${HOME}.txt" in printed
    assert sorted(split.file for split in make_plan("m.yaml").splits) == [
        "data/@list.txt",
        "data/no: yes #1.txt",
    ]


@pytest.mark.parametrize("folder", ["2024-05-01", "007", "true"])
def test_a_folder_of_any_name_gives_a_manifest(folder: str) -> None:
    write(f"{folder}/a.txt", TEXTS["ไทย.txt"])
    run(init, folder, "--out", "m.yaml")
    assert load_manifest("m.yaml").manifest.name == folder


def test_what_cannot_be_done_is_one_line() -> None:
    write("data/a.pdf", "%PDF-1.7")
    write("there.yaml", "name: mine\n")
    for arguments, line in (
        (("data",), "nothing to read in data: 1 PDF and office documents: convert them to text"),
        (("nowhere",), "no such file or folder: nowhere"),
        (
            ("data", "--out", "there.yaml"),
            "--out there.yaml is there already: name another file, or remove it",
        ),
        (
            ("s3://bucket/data",),
            "s3://bucket/data: `corpus init` looks at local files; name remote ones in the manifest",
        ),
    ):
        with pytest.raises(UserError) as error:
            run(init, *arguments)
        assert str(error.value) == line
    assert Path("there.yaml").read_text() == "name: mine\n"
    assert sorted(path.name for path in Path().iterdir()) == ["data", "there.yaml"]


def test_every_kind_of_the_sample_data_is_told(data: Path) -> None:
    run(init, str(data), "--out", "all.yaml")
    manifest = load_manifest("all.yaml").manifest
    kinds = {source.kind for source in manifest.sources.values()}
    assert kinds == {
        *(
            "warc",
            "wikipedia",
            "arxiv",
            "pubmed",
            "books",
            "stackexchange",
            "reddit-comments",
            "jsonl",
            "csv",
            "text",
            "html",
        ),
    }
    files = {piece.path for split in make_plan("all.yaml").splits for piece in split.pieces}
    listed = Path("all.yaml").read_text()
    assert len(files) > 100 and f"{data}/dirty/blns/blns.json" in listed


WRITTEN = {
    "zh": (
        "正文 标题 发布日期 许可协议 文章编号",
        RIVERS_AT_LENGTH["zh"],
        ("gb18030", "utf-16-le", "utf-8-sig"),
    ),
    "tw": ("內容 標題 日期 授權 編號", RIVERS_AT_LENGTH["tw"], ("big5", "utf-16")),
    "ja": ("本文 題名 公開日 ライセンス 記事番号", RIVERS_AT_LENGTH["ja"], ("cp932", "euc_jp")),
    "ru": ("текст заголовок дата лицензия номер", RIVERS_AT_LENGTH["ru"], ("cp1251", "koi8_r", "utf-16-be")),
    "ar": ("النص العنوان التاريخ الرخصة رقم", RIVERS_AT_LENGTH["ar"], ("cp1256", "utf-8")),
    "de": ("Inhalt Titel Erscheinungsdatum Lizenz Artikelnummer", RIVERS_AT_LENGTH["de"], ("cp1252",)),
}
DELIMITERS = {"zh": ",", "tw": "\t", "ja": ",", "ru": ";", "ar": ",", "de": ";"}


def write_tables(language: str) -> list[dict[str, str]]:
    """Write rows in one language as JSON Lines and CSV, and their texts as files, in each of its charsets."""
    names, text, charsets = WRITTEN[language]
    title, date, license, native = names.split()[1:]
    rows = [
        {
            names.split()[0]: f"{text}{at}",
            title: f"{at}",
            date: f"2022-0{at}-11",
            license: "CC0-1.0",
            native: f"N{at}",
        }
        for at in range(1, 7)
    ]
    for charset in charsets:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write(f"{language}/{charset}.jsonl", lines.encode(charset))
        table = io.StringIO()
        writer = csv.DictWriter(table, list(rows[0]), delimiter=DELIMITERS[language])
        writer.writeheader()
        writer.writerows(rows)
        write(f"{language}/{charset}.csv", table.getvalue().encode(charset))
        write(f"{language}/{charset}.txt", text.encode(charset))
    return rows


@pytest.mark.parametrize("language", WRITTEN)
def test_tables_and_texts_in_other_charsets_are_read_as_they_were_written(language: str) -> None:
    rows = write_tables(language)
    printed = run(init, language, "--out", "m.yaml")
    assert "not read" not in printed
    plan = make_plan("m.yaml")
    text, title, date, _, native = WRITTEN[language][0].split()
    by_file: dict[str, list[Any]] = {}
    for split in plan.splits:
        for outcome, record in read_records(plan.tools, split):
            assert isinstance(record, Record), outcome
            by_file.setdefault(record.file, []).append(record)
    assert len(by_file) == 3 * len(WRITTEN[language][2])
    for file, records in by_file.items():
        if file.endswith(".txt"):
            (record,) = records
            body = (
                record.body
                if isinstance(record.body, str)
                else decode(record.body, record.charset, html=False)[0]
            )
            assert body.removeprefix("\ufeff") == WRITTEN[language][1], file
            continue
        assert [record.body for record in records] == [row[text] for row in rows], file
        assert [record.date for record in records] == [row[date] for row in rows], file
        assert [record.metadata[title] for record in records] == [row[title] for row in rows], file
        assert {record.license for record in records} == {"CC0-1.0"}, file
        assert [record.native_id for record in records] == [row[native] for row in rows], file


def test_a_manifest_for_tables_in_other_charsets_builds(tmp_path: Path) -> None:
    for language in ("zh", "ru"):
        write_tables(language)
    run(init, "zh", "ru", "--out", "m.yaml")
    workspace = build_workspace("m.yaml", str(tmp_path / "out"), Running())
    documents = workspace.documents().to_table(["language", "date"]).to_pylist()
    assert {row["language"] for row in documents} == {"cmn_Hans", "rus_Cyrl"}
    assert len(documents) == 2 * 6 * 6 + 6


def test_what_a_cut_file_still_gives() -> None:
    text = RIVERS_AT_LENGTH["ja"]
    lines = "".join(json.dumps({"text": f"{at}{text}"}, ensure_ascii=False) + "\n" for at in range(3000))
    write("data/rows.jsonl.gz", gzip.compress(lines.encode())[:-2000])
    write("data/text.txt.gz", gzip.compress("".join(f"{at} 川。" for at in range(30_000)).encode())[:-20])
    write("data/begun.jsonl.gz", gzip.compress(os.urandom(4000).hex().encode())[:40])
    printed = run(init, "data", "--out", "m.yaml")
    assert "1: damaged texts, which are read whole or not at all" in printed and "data/text.txt.gz" in printed
    assert "1: damaged files (" in printed and "data/begun.jsonl.gz" in printed
    (source,) = load_manifest("m.yaml").manifest.sources.values()
    assert source.paths == ["data/rows.jsonl.gz"]
    plan = make_plan("m.yaml")
    records = [outcome for outcome, _ in read_records(plan.tools, plan.splits[0])]
    assert len(records) > 1000 and isinstance(records[-1], Failure)


def test_tables_that_cannot_be_read_yet_say_what_is_missing() -> None:
    write("data/bare.csv", "".join(f"{at},2.5,{RIVERS_AT_LENGTH['de']}\n" for at in range(9)))
    write("data/numbers.tsv", "a\tb\n1\t2\n")
    write("data/head.csv", "a,b\n")
    write("data/sheet.xlsx", b"PK\3\4")
    write("data/a.txt", RIVERS_AT_LENGTH["ru"])
    printed = run(init, "data", "--out", "m.yaml")
    assert "1: tables (CSV) without names of columns in their first row: `columns: [...]`" in printed
    assert "1: tables (CSV) without a field of text (a, b): data/numbers.tsv" in printed
    assert "1: tables (CSV) without rows: data/head.csv" in printed


def test_a_cut_file_is_said_and_names_stay_in_their_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ข่าว").mkdir()
    rows = [
        json.dumps({"text": f"{at} ข่าวเช้าวันนี้จากกรุงเทพฯ {at * 7919}"}, ensure_ascii=False)
        for at in range(4000)
    ]
    whole = "\n".join(rows).encode()
    stored = {".gz": gzip.compress(whole), ".bz2": bz2.compress(whole), ".xz": lzma.compress(whole)}
    for ending, content in stored.items():
        (tmp_path / "ข่าว" / f"ครบ.jsonl{ending}").write_bytes(content)
        (tmp_path / "ข่าว" / f"ขาด.jsonl{ending}").write_bytes(content[:-30])
    printed = run(init, "ข่าว", "--out", "m.yaml").replace("\n", "")
    assert "2 of them end too early or cannot be read to the end, so a build misses the rest: " in printed
    assert "ขาด.jsonl.gz (" in printed and "ครบ.jsonl" not in printed
    assert "damaged files (" in printed  # of which nothing at all can be read
    manifest = load_manifest("m.yaml").manifest
    assert (manifest.name, list(manifest.sources)) == ("ข่าว", ["ข่าว"])
    assert "# 2 of them end too early" in (tmp_path / "m.yaml").read_text()
