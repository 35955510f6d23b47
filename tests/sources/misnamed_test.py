"""`corpus init` looks at contents: names that promise a format make no source, and fields go by many names."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from pathlib import Path
from typing import Any

import pytest

from corpus.sources.recognize.file_kinds import recognize_file
from corpus.sources.recognize.file_verdicts import Recognized, Unread
from corpus.sources.recognize.row_fields import guess_fields

NOISE = random.Random(7).randbytes(9000)
PAGE = b"<html><body>Die Oder entspringt in Tschechien.</body></html>"
RECORD = (
    b"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: http://a.example/\r\nWARC-Date: 2020-01-01T00:00:00Z\r\n"
    b"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000001>\r\nContent-Type: text/html\r\n"
    b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (len(PAGE), PAGE)
)


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a.warc.gz",
            "a.warc",
            "a.arc.gz",
            "a.wet.gz",
            "a.warc.zst",
            "CC-NEWS-20200101.warc.gz",
            "a.parquet",
        ),
        *("a.zip", "a.epub", "a.wacz", "a.7z", "a.tar", "a.tar.gz", "a.jsonl.gz", "a.xml.bz2", "a.txt.xz"),
        *("wiki-pages-articles.xml.bz2", "RC_2020-01.zst", "a.json.zst"),
    ],
)
def test_noise_is_no_source_whatever_its_name(tmp_path: Path, name: str) -> None:
    for content in (NOISE, gzip.compress(NOISE), bz2.compress(NOISE), lzma.compress(NOISE), NOISE[:40]):
        verdict = recognize_file(write(tmp_path, name, content))
        assert isinstance(verdict, Unread) and verdict.why, (name, content[:4])


@pytest.mark.parametrize("name", ["a.warc.gz", "a.parquet", "a.zip", "a.arc"])
def test_a_message_in_place_of_a_download_is_no_source(tmp_path: Path, name: str) -> None:
    for content in (b"404 Not Found\n", "找不到该文件\n".encode(), PAGE, gzip.compress(b"Access denied.\n")):
        assert isinstance(recognize_file(write(tmp_path, name, content)), Unread)


@pytest.mark.parametrize(
    "content",
    [
        RECORD,
        gzip.compress(RECORD),
        gzip.compress(RECORD)[:120],
        NOISE + RECORD,
        NOISE + b"\n" + RECORD,
        NOISE[:500] + gzip.compress(RECORD),
        b"\x1f\x8b\x08" + NOISE + gzip.compress(RECORD),
        b"filedesc://a.arc 0.0.0.0 20200101000000 text/plain 76\n1 0 Example\n",
    ],
)
def test_a_damaged_archive_is_one_if_a_record_begins_in_it(tmp_path: Path, content: bytes) -> None:
    verdict = recognize_file(write(tmp_path, "a.warc.gz", content))
    is_line = b"WARC/" not in content or b"\nWARC/" in content or content.startswith(b"WARC/")
    assert isinstance(verdict, Recognized if is_line else Unread)
    assert isinstance(verdict, Unread) or verdict.kind == "warc"


TEXTS = (
    "Die Oder entspringt in Tschechien und mündet in die Ostsee.",
    "長江は中国で最も長い川であり、東シナ海に注ぐ。",
)


def rows(**fields: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [
        {"story": text, **{name: values[at] for name, values in fields.items()}}
        for at, text in enumerate(TEXTS)
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "lng",
            "lang",
            "Language",
            "langCode",
            "lang-code",
            "locale",
            "iso",
            "iso639_3",
            "ISO 639-1",
            "idioma",
        ),
        *("语种", "язык", "لغة", "ภาษา", "भाषा", "page_language", "contentLang", "inLanguage", "LANG"),
    ],
)
def test_the_language_goes_by_many_names(name: str) -> None:
    guess = guess_fields(rows(**{name: ("de", "ja"), "country": ("DE", "JP"), "sort": ("up", "up")}))
    assert guess is not None and guess.fields == {"text": "story", "language": name}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "when",
            "date",
            "createdAt",
            "created",
            "timestamp",
            "Published",
            "datePublished",
            "pub-date",
            "pubDate",
        ),
        *(
            "posted_on",
            "issued",
            "updated",
            "last modified",
            "crawl_timestamp",
            "fetchTime",
            "retrieved",
            "fecha",
        ),
        *("发布时间", "日付", "дата", "تاريخ", "วันที่", "तारीख", "firstSeenDate", "review_date"),
    ],
)
def test_the_date_goes_by_many_names(name: str) -> None:
    guess = guess_fields(rows(**{name: ("2019-03-04", "2020-11-30T10:00:00Z"), "rank": (1, 2)}))
    assert guess is not None and guess.fields == {"text": "story", "date": name}


@pytest.mark.parametrize(
    "fields",
    [
        {"lng": (13.4, 139.7)},  # a longitude
        {"iso": ("DE", "JP")},  # countries
        {"iso": ("100", "400")},  # of a camera
        {"when": ("often", "never")},
        {"day": (3, 30)},
        {"time": (1200, 9)},
        {"created": ("by hand", "by a machine")},
        {"locale": ("Berlin", "Tokio")},
        {"start_date": ("2019-01-01", "2019-01-01"), "end_date": ("2019-01-02", "2019-01-03")},
    ],
)
def test_a_name_alone_makes_no_language_and_no_date(fields: dict[str, Any]) -> None:
    guess = guess_fields(rows(**fields))
    assert guess is not None and guess.fields == {"text": "story"}


def test_rows_within_rows_are_looked_at(tmp_path: Path) -> None:
    nested = [
        {"doc": {"story": text}, "meta": {"Lng": code}}
        for text, code in zip(TEXTS, ("de", "ja"), strict=True)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in nested)
    verdict = recognize_file(write(tmp_path, "a.jsonl", lines.encode()))
    assert isinstance(verdict, Recognized)
    assert verdict.options["fields"] == {"text": "doc.story", "language": "meta.Lng"}
