"""`corpus init` writes a manifest that a build takes as it is, and says what it could not tell."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import UserError
from corpus.manifest import load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.cli.init import init
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
            "text",
            "html",
        ),
    }
    files = {piece.path for split in make_plan("all.yaml").splits for piece in split.pieces}
    listed = Path("all.yaml").read_text()
    assert len(files) > 100 and f"{data}/dirty/blns/blns.json" in listed
