"""HTML pages on disk: files, folders, archives; their addresses, charsets, gates and failures."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from corpus.data import data_path
from corpus.document import Failure, Record
from corpus.extract import extract
from corpus.manifest import load_manifest
from corpus.sources.input_split import plan_splits
from corpus.sources.inputs import list_files
from corpus.sources.web.html_files import HtmlFiles
from corpus.sources.web.page_address import find_page_address

TEXTS = {
    "zho": "河水从山上流下来，穿过村庄，流向大海。春天，孩子们在岸边放风筝，老人们坐在树下喝茶聊天。",
    "jpn": "川は山から流れ出し、村を通って海へ向かう。春になると子どもたちが岸辺で凧を揚げ、老人は木陰で話す。",
    "tha": "แม่น้ำไหลจากภูเขาผ่านหมู่บ้านไปสู่ทะเล ในฤดูใบไม้ผลิเด็ก ๆ เล่นว่าวริมฝั่งและคนชรานั่งใต้ต้นไม้",
    "ara": "يجري النهر من الجبال عبر القرية إلى البحر وفي الربيع يلعب الأطفال على ضفافه ويجلس الشيوخ تحت الأشجار.",
    "hin": "नदी पहाड़ों से गाँव होकर समुद्र तक बहती है। वसंत में बच्चे किनारे पतंग उड़ाते हैं और बूढ़े पेड़ के नीचे बैठते हैं।",
    "rus": "Река течёт с гор через деревню к морю. Весной дети запускают на берегу змеев, старики сидят под деревьями.",
}


def page(text: str, head: str = "", charset: str = "utf-8") -> bytes:
    declared = f'<meta charset="{charset}">'
    return f"<!DOCTYPE html><html><head>{declared}{head}<title>t</title></head><body><p>{text}</p></html>".encode(
        charset
    )


def read(folder: Path, split_size: int = 1 << 20, **options: Any) -> list[Record | Failure]:
    """All records, as a build whose manifest lies in the folder reads them."""
    source = HtmlFiles.model_validate({"kind": "html", **options})
    files = list_files(source.paths, str(folder), source.base, source.folders)
    return [
        one
        for split in plan_splits("pages", source, files, split_size)
        for one in source.read(split.path, split.file, split.start, split.end)
    ]


def records(outcomes: list[Record | Failure]) -> list[Record]:
    assert all(isinstance(one, Record) for one in outcomes), outcomes
    return [one for one in outcomes if isinstance(one, Record)]


def text_of(record: Record) -> str:
    extracted = extract(record, "fast")
    return extracted.text if extracted is not None else ""


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        place = tmp_path / "site" / name
        place.mkdir(parents=True)
        (place / "index.html").write_bytes(page(text))
        (place / "picture.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "site" / "show.php?id=3").write_bytes(page(TEXTS["rus"]))
    (tmp_path / "site" / "about").write_bytes(page(TEXTS["ara"]))
    (tmp_path / "site" / "robots").write_bytes(b"User-agent: *\n")
    (tmp_path / "site" / "old.HTM.gz").write_bytes(gzip.compress(page(TEXTS["zho"], charset="gb18030")))
    return tmp_path


def test_a_folder_gives_its_pages_however_it_is_cut(mirror: Path) -> None:
    whole = records(read(mirror, paths="site"))
    by_id = {one.native_id: one for one in whole}
    assert sorted(by_id) == sorted(
        [
            *("site/about", "site/old.HTM.gz", "site/show.php?id=3"),
            *(f"site/{name}/index.html" for name in TEXTS),
        ]
    )
    assert {one.media_type for one in whole} == {"text/html"} and {one.url for one in whole} == {None}
    assert [text_of(by_id[f"site/{name}/index.html"]) for name in TEXTS] == list(TEXTS.values())
    assert text_of(by_id["site/old.HTM.gz"]) == TEXTS["zho"]
    for split_size in (1, 300, 1000):
        assert records(read(mirror, split_size, paths="site")) == whole


def test_a_glob_gives_the_same_pages_under_the_same_ids(mirror: Path) -> None:
    whole = {one.native_id: one for one in records(read(mirror, paths="site"))}
    matched = records(read(mirror, paths="site/**/*.html"))
    assert len(matched) == len(TEXTS) and all(whole[one.native_id] == one for one in matched)


def test_the_ready_manifest_reads_a_folder_of_pages(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mirror / "html_gold" / "article-extraction-benchmark"
    folder.mkdir(parents=True)
    (mirror / "site").rename(folder / "html")
    monkeypatch.setenv("CORPUS_DATA", str(mirror))
    source = load_manifest(str(data_path("html.yaml"))).manifest.sources["pages"]
    assert isinstance(source, HtmlFiles) and source.rules == ["fineweb", "language"]
    assert len(records(read(mirror, paths=source.paths))) == 9


@pytest.mark.parametrize(
    "paths", ["site", "./site", "site/**/*.html", "site/tha/index.html", "{}/site", "{}/site/**/*.html"]
)
def test_the_prefix_and_the_path_below_are_the_address(mirror: Path, paths: str) -> None:
    paths = paths.format(mirror)
    found = {one.url for one in records(read(mirror, paths=paths, url_prefix="https://example.org"))}
    expected = (
        "https://example.org/index.html"
        if paths.endswith("tha/index.html")
        else "https://example.org/tha/index.html"
    )
    assert expected in found
    assert all(url is not None and "site" not in url for url in found)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_archives_give_the_pages_in_them(tmp_path: Path, kind: str) -> None:
    members = {f"s/{name}.html": page(text) for name, text in TEXTS.items()} | {"s/x.css": b"p{}"}
    path = tmp_path / f"pages.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, body in members.items():
                archive.writestr(name, body)
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as packed:
            for name, body in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(body)
                packed.addfile(info, io.BytesIO(body))
    found = records(read(tmp_path, paths=path.name, url_prefix="https://example.org/"))
    assert [text_of(one) for one in found] == list(TEXTS.values())
    assert [one.metadata["member"] for one in found] == [f"s/{name}.html" for name in TEXTS]
    assert found[0].url == "https://example.org/s/zho.html"
    assert len(records(read(tmp_path, paths=str(tmp_path)))) == len(found)


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("shift_jis", "jpn"),
        ("big5", "zho"),
        ("tis-620", "tha"),
        ("windows-1256", "ara"),
        ("koi8-r", "rus"),
        ("utf-16", "hin"),
    ],
)
def test_charsets_are_the_pages_own(tmp_path: Path, charset: str, text: str) -> None:
    said = (
        TEXTS[text]
        if charset != "big5"
        else "河水從山上流下來，穿過村莊，流向大海。春天，孩子們在岸邊放風箏，老人們坐在樹下喝茶聊天。"
    )
    head = '<link rel="canonical" href="https://example.org/a?b=1&amp;c=2">'
    (tmp_path / "a.html").write_bytes(page(said, head, charset))
    (one,) = records(read(tmp_path, paths="a.html"))
    assert (text_of(one), one.url) == (said, "https://example.org/a?b=1&c=2")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_pages_in_utf_16_and_32_need_no_mark(tmp_path: Path, text: str, charset: str, mark: str) -> None:
    html = f"{mark}<!DOCTYPE html><html><head><link rel=canonical href=https://example.org/{text}></head>"
    html += f"<body><p>{TEXTS[text]}</p></body></html>"
    for name in ("a.html", "about"):
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / name).write_bytes(html.encode(charset))
    pages = records(read(tmp_path, paths="site"))
    assert [(one.file, one.gate, one.url) for one in pages] == [
        (f"site/{name}", None, f"https://example.org/{text}") for name in ("a.html", "about")
    ]
    assert [text_of(one) for one in pages] == [TEXTS[text]] * 2


@pytest.mark.parametrize("order", ["<", ">"])
def test_samples_and_numbers_of_two_bytes_are_no_page(tmp_path: Path, order: str) -> None:
    draw = random.Random(6)
    for name, most in (("quiet", 200), ("counts", 60)):
        values = [draw.randrange(most) for _ in range(4000)]
        (tmp_path / f"{name}.html").write_bytes(struct.pack(f"{order}4000H", *values))
    gates = {one.file: one.gate for one in read(tmp_path, paths="*") if isinstance(one, Record)}
    assert gates == {"quiet.html": "html.no_page", "counts.html": "html.no_page"}


def test_a_stated_encoding_is_believed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(f"<html><p>{TEXTS['rus']}</p></html>".encode("utf-16-le"))
    (one,) = records(read(tmp_path, paths="a.html", encoding="utf-16le"))
    assert text_of(one) == TEXTS["rus"]
    with pytest.raises(ValidationError, match="no such encoding"):
        HtmlFiles.model_validate({"paths": ["x"], "encoding": "utf-99"})
    with pytest.raises(ValidationError, match="begins with http"):
        HtmlFiles.model_validate({"paths": ["x"], "url_prefix": "example.org"})


LETTERS = {
    "utf-8": "橋", "koi8-r": "Мост", "cp1251": "Мост", "gb18030": "大桥", "big5": "大橋", "shift_jis": "橋",
    "iso2022_jp": "橋", "euc_kr": "다리",
}  # fmt: skip


@pytest.mark.parametrize("charset", LETTERS)
def test_bytes_of_no_charset_are_no_page(tmp_path: Path, charset: str) -> None:
    html = f"<html><head><meta charset={charset}></head><body><p>{LETTERS[charset] * 400}</p></body></html>"
    (tmp_path / "page.html").write_bytes(html.encode(charset))
    for name, start in (("noise", 0), ("packed", 1)):
        noise = random.Random(start).randbytes(4000)
        assert b"<" in noise and noise.count(0) * 50 < len(noise)
        (tmp_path / f"{name}.html").write_bytes(noise)
    gates = {one.file: one.gate for one in read(tmp_path, paths="*") if isinstance(one, Record)}
    assert gates == {"page.html": None, "noise.html": "html.no_page", "packed.html": "html.no_page"}


def test_thousands_of_comments_before_something_else_are_no_page(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    comment, page_start = "<!-- 注 -->\n".encode(), b"<?xml version='1.0'?><html><p>ok</html>"
    (tmp_path / "site" / "inc.php").write_bytes(comment * 4_000 + b"<?php echo 1;")
    (tmp_path / "site" / "page.php").write_bytes(comment * 4_000 + page_start)
    assert [one.native_id for one in records(read(tmp_path, paths="site"))] == ["site/page.php"]


def test_what_is_no_page_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.html").write_bytes(b"")
    (tmp_path / "notes.html").write_bytes(b"no markup at all")
    (tmp_path / "picture.html").write_bytes(b"\xff\xd8\xff\xe0<\0\0\0\0" + bytes(1500))
    (tmp_path / "cut.html.gz").write_bytes(gzip.compress(page(TEXTS["rus"]))[:60])
    (tmp_path / "large.html").write_bytes(page("x" * 3000))
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04" + b"\0" * 40)
    found = {one.file: one for one in read(tmp_path, paths="*", max_bytes=2000)}
    errors = {name: one.error.partition(":")[0] for name, one in found.items() if isinstance(one, Failure)}
    assert set(errors) == {"empty.html", "cut.html.gz", "large.html", "cut.zip"}
    assert errors["empty.html"] == "the file is empty" and errors["cut.html.gz"] == "damaged"
    gates = {name: one.gate for name, one in found.items() if isinstance(one, Record)}
    assert gates == {"notes.html": "html.no_page", "picture.html": "html.no_page"}


@pytest.mark.parametrize(
    ("head", "by_path", "expected"),
    [
        ("<link rel=canonical href=https://example.org/a>", None, "https://example.org/a"),
        (
            "<LINK HREF='https://example.org/α?x=1&amp;y=2' REL='alternate CANONICAL'/>",
            None,
            "https://example.org/α?x=1&y=2",
        ),
        ('<meta content="https://example.org/河" property="og:url">', None, "https://example.org/河"),
        ('<meta name="og:url" content="//example.org/b">', None, "https://example.org/b"),
        (
            '<meta property="og:url" content="https://example.org/og"><link rel="canonical" href="https://example.org/c">',
            None,
            "https://example.org/c",
        ),
        ('<link rel="canonical" href="/c">', None, None),
        ('<link rel="canonical" href="/c">', "https://example.org/x/y.html", "https://example.org/c"),
        (
            '<base href="https://example.org/d/"><link rel="canonical" href="e">',
            None,
            "https://example.org/d/e",
        ),
        (
            '<link rel="canonical" href="https://other.net/c">',
            "https://example.org/y.html",
            "https://example.org/y.html",
        ),
        (
            '<link rel="canonical" href="https://example.org/">',
            "https://example.org/y.html",
            "https://example.org/y.html",
        ),
        (
            '<link rel="canonical" href="https://example.org/">',
            "https://example.org/index.html",
            "https://example.org/",
        ),
        ('<!-- <link rel="canonical" href="https://example.org/old"> -->', None, None),
        ("<script>x='<link rel=canonical href=https://example.org/s>'</script>", None, None),
        (
            '<link rel="canonical" href="javascript:void(0)"><link rel=canonical href="http://[bad">',
            None,
            None,
        ),
        (
            "<!-- saved from url=(0022)https://example.org/sv -->",
            "https://example.org/p",
            "https://example.org/sv",
        ),
        (
            "<!-- Mirrored from example.org/m/n.html by HTTrack Website Copier/3.x [XR&CO'2014] -->",
            None,
            "http://example.org/m/n.html",
        ),
        (
            "<!--\n Page saved with SingleFile \n url: https://example.org/sf \n saved date: x\n-->",
            None,
            "https://example.org/sf",
        ),
        ('</head><body><link rel="canonical" href="https://example.org/late">', None, None),
    ],
)
def test_addresses(head: str, by_path: str | None, expected: str | None) -> None:
    assert find_page_address(page("x", head), None, by_path) == expected
