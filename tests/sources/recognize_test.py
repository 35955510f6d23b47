"""What files are is told by their content, in every kind and in many scripts, and nothing is passed over."""

from __future__ import annotations

import bz2
import glob
import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpus.document import Record
from corpus.extract.plain_text import extract_text
from corpus.sources.recognize import (
    Recognized,
    Unread,
    describe_filled,
    gather_files,
    make_patterns,
    merge_verdicts,
    recognize_file,
)
from corpus.sources.recognize.row_fields import guess_fields

CHINESE = "长江是亚洲第一长河，发源于青藏高原，流经十一个省市，最后在上海注入东海。" * 4
ARABIC = "نهر النيل من أطول أنهار العالم، ويمر بعدة دول قبل أن يصب في البحر الأبيض المتوسط. " * 3
THAI = "แม่น้ำเจ้าพระยาเป็นแม่น้ำสายสำคัญของประเทศไทย ไหลผ่านกรุงเทพมหานครลงสู่อ่าวไทย " * 3
HINDI = "गंगा भारत की सबसे पवित्र नदी मानी जाती है और हिमालय से निकलकर बंगाल की खाड़ी में मिलती है। " * 3
RUSSIAN = "Волга течёт по Восточно-Европейской равнине и впадает в Каспийское море у Астрахани. " * 3
JAPANESE = "信濃川は新潟県と長野県を流れる、日本でもっとも長い川である。" * 5
ENGLISH = "The Thames flows through southern England and reaches the sea below London. " * 3

WARC = b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
WAT = (
    b'WARC/1.0\r\nWARC-Type: metadata\r\nContent-Type: application/json\r\n\r\n{"Container":{},"Envelope":{}}'
)
WIKI = "<mediawiki xmlns='x'><page><title>長江</title></page></mediawiki>"
POSTS = '\ufeff<?xml version="1.0"?>\n<posts>\n<row Id="1" PostTypeId="1" Body="a" />\n</posts>'
JATS = '<!-- x --><?xml version="1.0"?><!DOCTYPE article><article article-type="review"><front/></article>'
MEDLINE = (
    '<?xml version="1.0"?><!DOCTYPE PubmedArticleSet [<!ENTITY a "b">]><PubmedArticleSet></PubmedArticleSet>'
)
PAPER = "% a paper\n\\documentclass[a4paper]{article}\n\\begin{document}河\\end{document}\n"
BOOK = "The Project Gutenberg eBook of 紅樓夢\n\n*** START OF THE PROJECT GUTENBERG EBOOK ***\n" + CHINESE
COMMENT = {"body": "да", "parent_id": "t3_1", "link_id": "t3_1", "subreddit": "ru", "id": "a"}
SUBMISSION = {"title": "x", "subreddit": "s", "url": "https://example.org", "num_comments": 1, "selftext": ""}


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def make_zip(path: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))


CONTENTS: dict[str, tuple[str | bytes, str]] = {
    # What content says counts, whatever a file is called.
    "crawl.warc": (WARC, "warc"),
    "crawl": (gzip.compress(WARC), "warc"),
    "old.arc": (b"filedesc://x.arc 0.0.0.0 20000101000000 text/plain 5\n", "warc"),
    "CC-NEWS-20240101000000-00001.warc.gz": (gzip.compress(WARC), "news"),
    "with-dictionary.warc.zst": (b"\x5d\x2a\x4d\x18\x04\x00\x00\x00abcd(\xb5/\xfd", "warc"),
    "zhwiki.xml.bz2": (bz2.compress(WIKI.encode()), "wikipedia"),
    "jawiki.xz": (lzma.compress(WIKI.encode()), "wikipedia"),
    "page.xml": ("  <page>\n<title>Волга</title><ns>0</ns></page>", "wikipedia"),
    "Posts.xml": (POSTS, "stackexchange"),
    "article.nxml": (JATS, "pubmed"),
    "baseline.xml.gz": (gzip.compress(MEDLINE.encode()), "pubmed"),
    "2001.00001.gz": (gzip.compress(PAPER.encode()), "arxiv"),
    "paper.tex": (PAPER, "arxiv"),
    "pg1.txt": (BOOK, "books"),
    "page.html": (f"<!-- x --><!DOCTYPE html><p>{THAI}", "html"),
    "blank-line.html": (f"\n<!DOCTYPE HTML>\n<title>Волга</title><p>{RUSSIAN}", "html"),
    "xhtml": (
        '<?xml version="1.0"?>\n<!-- c --><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd">\n<html>'
        f"<body><p>{JAPANESE}</p></body></html>",
        "html",
    ),
    "other-doctype": (f'<?xml version="1.0"?><!DOCTYPE wml><html xmlns="x"><p>{HINDI}</p></html>', "html"),
    "warning.html": (f"<br />\n<b>Warning</b>: mysql\n<!DOCTYPE html><p>{CHINESE}", "html"),
    "script.htm": (f"<script>var a = 1;</script><div>{ARABIC}</div>", "html"),
    "text-first.html": (f"{THAI}<p>{THAI}</p>", "html"),
    "latin-1.html": (("\t<div>Die Brücke über den Fluß ist schön.</div>\n" * 200).encode("latin-1"), "html"),
    "latin-1.txt": (("Die Brücke\tdort, über den Fluß,\twar schön.\n" * 200).encode("latin-1"), "text"),
    "on-tex.txt": (f"TeX\n\n{CHINESE}\n{JAPANESE}\n例如：\n{PAPER}{CHINESE}\n", "text"),
    "make_paper.py": (f'import os\nwidth = 3\nheight = 4\ntext = r"""\n{PAPER}"""\n', "code"),
    "late.tex": (f"{RUSSIAN}\n{RUSSIAN}\n{PAPER}", "arxiv"),
    "preamble": (f"\n% Über Flüsse\n\\def\\x{{\n  y\n}}\n{PAPER}", "arxiv"),
    "RC_2006-01": (lines(COMMENT, COMMENT), "reddit-comments"),
    "RC_2006-02.zst": (zstandard.compress(lines(COMMENT).encode()), "reddit-comments"),
    "rows.txt": (lines({"text": CHINESE}), "jsonl"),
    "thai.txt.zst": (zstandard.compress(THAI.encode()), "text"),
    "中文.txt": (CHINESE, "text"),
    "utf16.txt": (HINDI.encode("utf-16"), "text"),
    "gb.txt": (CHINESE.encode("gb18030"), "text"),
    "koi8.txt": (RUSSIAN.encode("koi8-r"), "text"),
    "no-ending": (ARABIC, "text"),
    "notes.md": (f"# 信濃川\n\n{JAPANESE}", "text"),
    "[a bracket begins this.txt": (f"[{ENGLISH}", "text"),
    "<.txt": (f"<3 {ENGLISH}", "text"),
    "tool.py": ("import os\n\nprint(os.getcwd())\n", "code"),
    "run": ("#!/usr/bin/env python3\nprint('河')\n", "code"),
}

UNREAD: dict[str, tuple[str | bytes, str]] = {
    "empty.txt": (b"", "empty"),
    "no-tags.html": (f"404 {CHINESE}", "not what their names say"),
    "texts.lz4": (b"\x04\x22\x4d\x18\x40\x40\xc0\x05\x00\x00\x80abcde\x00\x00\x00\x00", "use zstd"),
    "blank.jsonl": (b"\n \n", "empty"),
    "nothing.gz": (gzip.compress(b""), "empty"),
    "crawl.warc.wat": (WAT, "indexes"),
    "crawl.cdxj": (b'org,example)/ 2020 {"url": "x"}\n', "indexes"),
    "warc.paths": (b"crawl-data/CC-MAIN/segments/1/warc/a.warc.gz\n", "indexes"),
    "paths.txt": (b"crawl/a.warc.gz\ncrawl/b.warc.gz\n", "indexes"),
    "README.md": (ENGLISH, "about the data"),
    "LICENSE-MIT": (ENGLISH, "about the data"),
    "SHA256SUMS": (b"ab  a.txt\n", "about the data"),
    "table.tsv": ("1\tzho\t" + CHINESE, "CSV"),
    "scan.pdf": (b"%PDF-1.7\n\xff", "PDF"),
    "scan": (b"%PDF-1.7\n\xff", "PDF"),
    "photo": (b"\x89PNG\r\n\x1a\n\0\0", "pictures"),
    "photo.svg": ("<?xml version='1.0'?><svg></svg>", "pictures"),
    "blob.bin": (bytes(range(256)) * 4, "no text"),
    "array.json": (json.dumps([{"text": CHINESE}], ensure_ascii=False), "not one object a line"),
    "pretty.json": (json.dumps({"text": [ARABIC, 1]}, indent=1, ensure_ascii=False), "not one object a line"),
    "numbers.jsonl": (lines({"a": 1, "b": [2]}, {"a": 3}), "without a field of text (a, b)"),
    "Users.xml": ('<?xml version="1.0"?>\n<users>\n<row Id="1" />\n</users>', "Stack Exchange"),
    "other.xml": ("<?xml version='1.0'?><catalogue/>", "XML of other kinds"),
    "RS_2006-01": (lines(SUBMISSION), "corpus urls"),
    "settings.toml": ("[a]\nb = 1\n", "settings"),
    "cut.gz": (gzip.compress(os.urandom(64))[:8], "damaged"),
}


LZ4_WARC = b"\x04\x22\x4d\x18\x40\x40\xc0" + (len(WARC) | 1 << 31).to_bytes(4, "little") + WARC + b"\0" * 4
"""A frame with a block that is stored as it is."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name, (content, _) in {**CONTENTS, **UNREAD}.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_files_are_told_by_their_content(folder: Path) -> None:
    told_kinds = {}
    for name in CONTENTS:
        verdict = recognize_file(str(folder / name))
        told_kinds[name] = verdict.kind if isinstance(verdict, Recognized) else verdict.why
    assert told_kinds == {name: kind for name, (_, kind) in CONTENTS.items()}


def test_what_is_not_read_has_its_reason(folder: Path) -> None:
    reasons = {}
    for name, (_, expected) in UNREAD.items():
        verdict = recognize_file(str(folder / name))
        assert isinstance(verdict, Unread), (name, verdict)
        reasons[name] = expected if expected in verdict.why else verdict.why
    assert reasons == {name: expected for name, (_, expected) in UNREAD.items()}


def test_web_archives_in_lz4_are_told_even_behind_damage(tmp_path: Path) -> None:
    for name, content in (("a.warc.lz4", LZ4_WARC), ("a.lz4", LZ4_WARC), ("b.lz4", LZ4_WARC[:12] + LZ4_WARC)):
        (tmp_path / name).write_bytes(content)
        verdict = recognize_file(str(tmp_path / name))
        assert isinstance(verdict, Recognized) and verdict.kind == "warc", name


def test_archives_are_told_by_what_they_hold(tmp_path: Path) -> None:
    source = {"p-1/setup.py": "x", "p-1/p/__init__.py": "", "p-1/LICENSE": "", "p-1/README.md": "r"}
    make_zip(tmp_path / "book.epub", {"mimetype": "application/epub+zip", "META-INF/container.xml": "<x/>"})
    make_zip(tmp_path / "book.zip", {"META-INF/container.xml": "<x/>"})
    make_zip(tmp_path / "1-0.zip", {"1-0.txt": BOOK})
    make_zip(tmp_path / "crawl.wacz", {"archive/a.warc.gz": "x", "datapackage.json": "{}"})
    make_zip(tmp_path / "code.zip", source)
    make_zip(tmp_path / "letter.docx", {"word/document.xml": "<x/>"})
    make_zip(tmp_path / "pages.zip", {"a.html": "<p>", "b.html": "<p>"})
    make_tar(tmp_path / "arXiv_src_0001_001.tar", {"0001/math0001001.gz": b"x", "0001/math0001002.pdf": b"x"})
    make_tar(tmp_path / "2001.00002", {"main.tex": PAPER.encode(), "a.png": b"x"}, "w:gz")
    make_tar(tmp_path / "pmc.tar.gz", {"a/1.nxml": JATS.encode()}, "w:gz")
    make_tar(tmp_path / "p-1.tar.gz", {name: text.encode() for name, text in source.items()}, "w:gz")
    make_tar(tmp_path / "site.tgz", {"s/index.html": b"<p>", "s/a.css": b"p{}", "s/b.png": b"x"}, "w:gz")
    make_tar(tmp_path / "texts.tar.xz", {"1.txt": CHINESE.encode()}, "w:xz")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + b"\0" * 40)
    kinds = {}
    for path in sorted(tmp_path.iterdir()):
        verdict = recognize_file(str(path))
        kinds[path.name] = verdict.kind if isinstance(verdict, Recognized) else verdict.why.partition(" ")[0]
    assert kinds == {
        "1-0.zip": "books",
        "2001.00002": "arxiv",
        "arXiv_src_0001_001.tar": "arxiv",
        "book.epub": "books",
        "book.zip": "books",
        "broken.zip": "damaged",
        "code.zip": "code",
        "crawl.wacz": "warc",
        "letter.docx": "PDF",
        "p-1.tar.gz": "code",
        "pages.zip": "html",
        "site.tgz": "html",
        "pmc.tar.gz": "pubmed",
        "texts.tar.xz": "tar",
    }


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([{"text": CHINESE}], {"text": "text"}),
        (
            [{"id": 1, "正文": CHINESE, "标题": "长江", "网址": "https://例子.cn/1"}],
            {"text": "正文", "url": "网址", "id": "id", "metadata": ["标题"]},
        ),
        ([{"doc": {"k": 3, "текст": RUSSIAN}, "date": "2020-01-02"}], {"text": "doc.текст", "date": "date"}),
        (
            [{"headline": "x", "x1": HINDI, "lang": "hi", "x2": "kurz"}],
            {"text": "x1", "language": "lang", "metadata": ["headline"]},
        ),
        # A summary is called text, the article is not: the longest string is the text.
        ([{"text": "Kurz.", "artikel": RUSSIAN}], {"text": "artikel"}),
        # A field called url that is none, a language that is a name, an id that repeats.
        (
            [
                {"url": "n/a", "text": THAI, "language": "not known", "id": 1},
                {"url": "-", "text": THAI, "id": 1},
            ],
            {"text": "text", "id": []},
        ),
        # Addresses and hashes are no texts, however long.
        (
            [{"a": "https://example.org/" + "x" * 400, "b": "0af9" * 60, "c": JAPANESE}],
            {"text": "c", "url": "a"},
        ),
        (
            [{"language": "deu", "script": "Latn", "body": ENGLISH, "timestamp": 1577836800}],
            {"text": "body", "language": "language", "date": "timestamp", "script": "script"},
        ),
    ],
)
def test_fields_are_told_by_names_and_by_values(rows: list[dict[str, Any]], fields: dict[str, Any]) -> None:
    guess = guess_fields(rows)
    assert guess is not None and guess.fields == fields


def test_a_text_that_few_rows_have_is_not_the_text_of_all() -> None:
    def guess(filled: int, **others: str) -> tuple[Any, dict[str, int]]:
        rows = [{**others, "selftext": RUSSIAN if at < filled else ""} for at in range(40)]
        guessed = guess_fields(rows)
        assert guessed is not None and isinstance(guessed.fields, dict)
        return guessed.fields["text"], dict(guessed.filled)

    assert guess(3, title="中国的长江是第一长河吗？") == ("title", {"title": 40, "selftext": 3})
    assert guess(39, title="中国的长江是第一长河吗？") == ("selftext", {"selftext": 39})
    # A key is no text, however many rows have it.
    assert guess(3, key="6f1d2c3a-9f1b-4c1e-8d2a-0b1c2d3e4f50") == ("selftext", {"selftext": 3})


def test_fields_that_many_rows_have_no_text_in_are_named_over_all_files() -> None:
    one = Recognized("csv", "tables", rows=200, filled={"title": 200, "selftext": 30})
    other = Recognized("csv", "tables", rows=200, filled={"title": 150})
    assert describe_filled([one, other, other]) == [
        "`title` has a text in only 500 of the 600 rows looked at: the others are not read",
        "`selftext` has longer texts, but in only 30 of the 200 rows looked at: "
        "`text: selftext` would read these alone",
    ]
    assert describe_filled([Recognized("csv", "tables", rows=200, filled={"正文": 190})]) == []


NAMES = (
    # text, title, date, license, id
    "正文 标题 发布日期 许可协议 文章编号",
    "內容 標題 發布時間 授權 編號",
    "文章内容 文章标题 出版日期 版权 文章ID",
    "本文 題名 公開日 ライセンス 記事番号",
    "記事本文 タイトル 日付 利用許諾 識別子",
    "본문 제목 게시일 라이선스 문서번호",
    "текст заголовок дата_публикации лицензия номер_статьи",
    "содержание название дата лицензия идентификатор",
    "النص العنوان تاريخ_النشر الرخصة رقم_المقال",
    "محتوى_المقال عنوان_المقال التاريخ ترخيص المعرف",
    "पाठ शीर्षक दिनांक लाइसेंस लेख_क्रमांक",
    "เนื้อหา ชื่อเรื่อง วันที่ สัญญาอนุญาต รหัสบทความ",
    "texte titre date_de_publication licence identifiant",
    "Inhalt Titel Erscheinungsdatum Lizenz Artikelnummer",
    "Text Überschrift veröffentlicht Lizenzangabe Kennung",
    "texto título fecha_de_publicación licencia número_de_artículo",
    "conteúdo título data licença identificador",
    "testo titolo data_di_pubblicazione licenza id_articolo",
    "treść tytuł data_publikacji licencja identyfikator",
    "içerik başlık yayın_tarihi lisans kimlik",
    "nội_dung tiêu_đề ngày giấy_phép mã",
    "meta.Body meta.Title meta.pubDate meta.Licence meta.docId",
)


@pytest.mark.parametrize("joint", ["_", " ", "-"])
@pytest.mark.parametrize("names", NAMES)
def test_fields_are_told_by_their_names_in_many_languages(names: str, joint: str) -> None:
    text, title, date, license, native = (name.replace("_", joint) for name in names.split())
    values = (
        {
            native: f"N-{at}",
            "likes": 3,
            title: "河と海",
            date: f"2023-11-{at + 10}",
            license: value,
            text: JAPANESE + str(at),
        }
        for at, value in enumerate(("CC BY 4.0", "frei"))
    )
    guess = guess_fields([nest(row) for row in values])
    assert guess is not None and guess.others == ("meta.likes" if "." in text else "likes",)
    assert guess.fields == {
        "text": text,
        "id": native,
        "date": date,
        "license": license,
        "metadata": [title],
    }


def nest(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose fields are in an object `meta` if one of their names says so."""
    if not any("." in name for name in row):
        return row
    return {"meta": {name.rpartition(".")[2]: value for name, value in row.items()}}


def test_dates_and_licences_are_told_by_their_values_where_one_field_alone_has_them() -> None:
    row = {"lofið": "CC-BY-SA-4.0", "dagsetning": "2021-02-03", "ár": 2021, "efni": ENGLISH}
    guess = guess_fields([row, row])
    assert guess is not None
    assert guess.fields == {"text": "efni", "date": "dagsetning", "license": "lofið"}
    guess = guess_fields([{**row, "breytt": "2022-01-01"}])
    assert guess is not None and guess.fields == {"text": "efni", "license": "lofið"}
    guess = guess_fields([{"номер телефона": "555-1", "版次": "2021", "efni": ENGLISH}])
    assert guess is not None and guess.fields == {"text": "efni"}


@pytest.mark.parametrize(
    ("names", "layout"),
    [
        ("text url timestamp", "c4"),
        ("text url timestamp source", "culturax"),
        ("text id dump url date file_path language language_score token_count", "fineweb"),
        ("text id dump url date language language_script minhash_cluster_size", "fineweb2"),
        ("f o u ts id text lang crawl_id", "hplt"),
        ("id document_lang text url collection", "hplt1"),
        ("content warc_headers.warc-record-id warc_headers.warc-target-uri warc_headers.warc-date", "oscar"),
        ("text meta.timestamp meta.url meta.language meta.source", "redpajama"),
        ("raw_content doc_id url date_download language title", "redpajama2"),
        ("id text source created added metadata.url metadata.language", "dolma"),
        ("text url timestamp author", None),
        ("text url id", None),
    ],
)
def test_layouts_of_published_corpora_are_known(names: str, layout: str | None) -> None:
    row: dict[str, Any] = {"metadata": {"identification": {"label": "en"}}} if layout == "oscar" else {}
    for name in names.split():
        above, _, inner = name.rpartition(".")
        (row.setdefault(above, {}) if above else row)[inner] = "a text of some length"
    guess = guess_fields([row])
    assert guess is not None and (guess.fields if isinstance(guess.fields, str) else None) == layout


def test_parquet_is_told_by_its_columns(tmp_path: Path) -> None:
    def verdict_on(**columns: list[Any]) -> Recognized | Unread:
        pq.write_table(pa.table(columns), tmp_path / "t.parquet")
        return recognize_file(str(tmp_path / "t.parquet"))

    plain = verdict_on(body=[THAI, THAI + "x"], key=["a", "b"])
    assert isinstance(plain, Recognized) and (plain.kind, plain.options) == (
        "parquet",
        {"fields": {"text": "body", "id": "key"}},
    )
    code = verdict_on(content=["x = 1"], path=["a.py"], repo_name=["a/b"], license=["mit"])
    assert isinstance(code, Recognized) and (code.kind, "licenses" in code.options) == ("code", False)
    listed = verdict_on(url=["https://example.org"], score=[3])
    assert isinstance(listed, Unread) and "lists of URLs" in listed.why


def test_short_texts_get_no_preset(tmp_path: Path) -> None:
    for name, rows, is_short in (
        ("zh", [{"text": "今天下雨。"}], True),
        ("ja", [{"text": JAPANESE}], False),
        ("en", [{"text": "It rains."}], True),
    ):
        (tmp_path / name).write_text(lines(*rows), encoding="utf-8")
        verdict = recognize_file(str(tmp_path / name))
        assert isinstance(verdict, Recognized) and verdict.is_short == is_short, name


def test_rows_that_differ_in_a_field_can_be_one_source() -> None:
    one = Recognized("jsonl", "rows", {"fields": {"text": "正文"}}, rules=("text_only",))
    other = Recognized(
        "jsonl", "rows", {"fields": {"text": "正文", "url": "u"}}, rules=("fineweb", "language")
    )
    both = merge_verdicts(one, other)
    assert both is not None and both.options == {"fields": {"text": "正文", "url": "u"}}
    assert both.rules == ("fineweb", "language")
    assert merge_verdicts(one, Recognized("jsonl", "rows", {"fields": {"text": "body"}})) is None


def test_a_folder_of_code_is_one_input_and_a_folder_with_data_is_none(tmp_path: Path) -> None:
    for top in ("project", "mixed"):
        (tmp_path / top / "src").mkdir(parents=True)
        (tmp_path / top / "pyproject.toml").write_text("[project]\n")
        (tmp_path / top / "src" / "a.py").write_text("import os\n")
        (tmp_path / top / "说明.md").write_text(CHINESE)
    (tmp_path / "mixed" / "crawl.warc").write_bytes(WARC)
    repository = tmp_path / "clone"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / "crawl.warc").write_bytes(WARC)
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "workspace.json").write_text("{}")
    (tmp_path / ".hidden").write_text(CHINESE)
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    gathering = gather_files([str(tmp_path)])
    kinds = {
        os.path.relpath(path, tmp_path): verdict.kind if isinstance(verdict, Recognized) else verdict.why
        for path, verdict in gathering.verdicts.items()
    }
    assert kinds["project"] == kinds["clone"] == kinds["mixed/src/a.py"] == "code"
    assert kinds["mixed/crawl.warc"] == "warc" and kinds["mixed/说明.md"] == "text"
    assert (
        kinds["workspace"].startswith("workspaces")
        and "dot" in kinds[".hidden"]
        and "nowhere" in kinds["dead"]
    )
    assert not any(path.startswith(("project/", "clone/", "workspace/")) for path in kinds)


@pytest.mark.parametrize(
    ("wanted", "others", "closed", "patterns"),
    [
        (["a/1.txt", "a/2.txt"], [], [], ["a/*.txt"]),
        (["a/1.txt", "a/b/c/2.txt"], ["a/x.csv"], [], ["a/**/*.txt"]),
        (["a/1.txt", "b/2.txt"], ["b/c/3.txt"], [], ["a/1.txt", "b/2.txt"]),
        (["a/RC_1.zst", "a/RC_2.zst"], ["a/RS_1.zst"], [], ["a/RC_*.zst"]),
        (["a/s1/Posts.xml", "a/s2/Posts.xml"], ["a/s1/Users.xml"], [], ["a/**/Posts.xml"]),
        (["a/1.jsonl.gz", "a/2.jsonl.gz", "a/3.jsonl"], ["a/4.txt.gz"], [], ["a/3.jsonl", "a/*.jsonl.gz"]),
        (["[1] 中文/甲.txt", "[1] 中文/乙.txt"], [], [], ["[[]1] 中文/*.txt"]),
        (["a/1.txt", "a/b/2.txt", "a/b/3.txt"], [], ["a/code"], ["a/1.txt", "a/b/*.txt"]),
        (["a/x", "a/y"], [], [], ["a/x", "a/y"]),
    ],
)
def test_patterns_name_what_is_wanted_alone(
    tmp_path: Path, wanted: list[str], others: list[str], closed: list[str], patterns: list[str]
) -> None:
    paths = {name: tmp_path / name for name in (*wanted, *others)}
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    made = make_patterns(
        [str(paths[name]) for name in wanted],
        [str(paths[name]) for name in others],
        {str(tmp_path / name) for name in closed},
        [str(tmp_path)],
    )
    assert [pattern.removeprefix(f"{tmp_path}/") for pattern in made] == patterns
    reached = {
        path
        for each in made
        for path in ([each] if os.path.exists(each) else glob.glob(each, recursive=True))
    }
    assert reached == {str(paths[name]) for name in wanted}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["фильм.srt", "映画.VTT"])
def test_subtitles_are_called_so(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    path.write_bytes(f"1\n00:00:01,000 --> 00:00:04,000\n{JAPANESE}\n".encode(codec))
    verdict = recognize_file(str(path))
    assert isinstance(verdict, Unread) and verdict.why.startswith("subtitles (SubRip, WebVTT)")


def test_text_that_shifts_to_korean_and_back_is_text(tmp_path: Path) -> None:
    path = tmp_path / "복음.txt"
    path.write_bytes(("역사적 예수 연구자들은 복음서를 읽는다. " * 9).encode("iso2022_kr"))
    verdict = recognize_file(str(path))
    assert isinstance(verdict, Recognized) and verdict.kind == "text"
    path.write_bytes(b"\x0e\x0f" * 99)
    assert isinstance(recognize_file(str(path)), Unread)


def test_text_that_shifts_to_korean_and_back_is_read(tmp_path: Path) -> None:
    text = "역사적 예수 연구자들은 복음서를 읽는다."
    body = text.encode("iso2022_kr")
    record = Record(native_id="a", file="a", offset=0, length=0, media_type="text/plain", body=body)
    extracted = extract_text(record, "corpus")
    assert extracted is not None and extracted.text == text
