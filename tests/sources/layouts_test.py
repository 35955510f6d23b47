"""The layouts of published corpora, by name: one row of each, as its files hold it, and what becomes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from corpus.document import Record
from corpus.errors import UserError
from corpus.extract.books.gutenberg import PUBLIC_DOMAIN
from corpus.manifest import load_manifest
from corpus.sources.tables.fields import Fields, layout_names, read_layout
from corpus.sources.tables.jsonl import Jsonl
from corpus.sources.tables.parquet import Parquet

URL = "https://example.org/水"
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "fineweb": (
        "parquet",
        {
            "text": "Text.",
            "id": "<urn:uuid:1>",
            "dump": "CC-MAIN-2013-20",
            "url": URL,
            "date": "2013-05-18T05:30:02Z",
            "file_path": "s3://x",
            "language": "en",
            "language_score": 0.9,
            "token_count": 3,
        },
    ),
    "fineweb2": (
        "parquet",
        {
            "text": "ข้อความ",
            "id": "<urn:uuid:2>",
            "dump": "CC-MAIN-2014-10",
            "url": URL,
            "date": "2014-03-08T10:58:14Z",
            "language": "tha",
            "language_script": "Thai",
            "minhash_cluster_size": 7,
            "top_langs": "{}",
        },
    ),
    "culturax": (
        "parquet",
        {"text": "نص", "timestamp": "2019/08/24 03:39:07", "url": URL, "source": "mC4"},
    ),
    "c4": ("jsonl", {"text": "Text.", "timestamp": "2019-04-25T12:57:54Z", "url": URL}),
    "oscar": (
        "jsonl",
        {
            "content": "नमूना",
            "warc_headers": {
                "warc-record-id": "<urn:uuid:3>",
                "warc-date": "2022-11-26T09:45:47Z",
                "warc-target-uri": URL,
            },
            "metadata": {"identification": {"label": "hi", "prob": 0.9}, "quality_warnings": ["tiny"]},
        },
    ),
    "dolma": (
        "jsonl",
        {
            "id": URL,
            "text": "Текст.",
            "source": "common-crawl",
            "added": "2023-04-07T03:31:49+00:00",
            "created": "2020-06-05T04:25:29Z",
            "version": "v0",
            "metadata": {"url": URL, "language": "ru", "bucket": "head"},
        },
    ),
    "redpajama": (
        "jsonl",
        {
            "text": "def f(): ...",
            "meta": {
                "timestamp": "",
                "source": "github",
                "license": ["mit"],
                "language": [{"name": "Python", "bytes": "12"}],
                "path": "f.py",
                "repo_name": "a/b",
            },
        },
    ),
    "redpajama2": (
        "jsonl",
        {
            "url": URL,
            "date_download": "2023-02-01T00:00:00Z",
            "digest": "sha1:X",
            "title": "T",
            "raw_content": "Texte.",
            "language": "fr",
            "perplexity": 201.5,
            "bucket": "head",
        },
    ),
    "hplt": (
        "jsonl",
        {
            "f": "./a.warc.gz",
            "o": 17,
            "s": 99,
            "u": URL,
            "c": "text/html",
            "ts": "2017-08-21T03:14:00Z",
            "collection": "wide16",
            "lang": ["zho_Hans", "jpn_Jpan"],
            "prob": [0.9, 0.1],
            "text": "文本。",
            "id": "b1c2",
            "filter": "keep",
            "doc_scores": [8.5, 1],
        },
    ),
    "hplt1": (
        "jsonl",
        {
            "id": 1,
            "document_lang": "ky",
            "scores": [0.9],
            "langs": ["ky"],
            "text": "Текст",
            "url": URL,
            "collection": "cc40",
        },
    ),
}
EXPECTED: dict[str, tuple[str | None, str | None, str | None, str | None, str | None]] = {
    # native id, date, language, licence, snapshot
    "fineweb": ("<urn:uuid:1>", "2013-05-18T05:30:02Z", "en", None, "CC-MAIN-2013-20"),
    "fineweb2": ("<urn:uuid:2>", "2014-03-08T10:58:14Z", "tha_Thai", None, "CC-MAIN-2014-10"),
    "culturax": (None, "2019-08-24T03:39:07", None, None, None),
    "c4": (None, "2019-04-25T12:57:54Z", None, None, None),
    "oscar": ("<urn:uuid:3>", "2022-11-26T09:45:47Z", "hi", None, None),
    "dolma": (URL, "2020-06-05T04:25:29Z", "ru", None, None),
    "redpajama": (None, None, None, "MIT", None),
    "redpajama2": (None, "2023-02-01T00:00:00Z", "fr", None, None),
    "hplt": ("b1c2", "2017-08-21T03:14:00Z", "zho_Hans", None, "wide16"),
    "hplt1": (None, None, "ky", None, "cc40"),
}


def read(path: Path, layout: str) -> list[Record]:
    kind = Jsonl if ROWS[layout][0] == "jsonl" else Parquet
    source = kind.model_validate({"kind": ROWS[layout][0], "paths": ["x"], "fields": layout})
    found = list(source.read(str(path), path.name, 0, path.stat().st_size))
    assert all(isinstance(one, Record) for one in found)
    return found  # type: ignore[return-value]


def written(folder: Path, layout: str, row: dict[str, Any] | None = None) -> Path:
    kind, given = ROWS[layout]
    path = folder / "rows"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist([row or given]), path)
    else:
        path.write_bytes(gzip.compress(json.dumps(row or given).encode()))
    return path


@pytest.mark.parametrize("layout", layout_names())
def test_a_row_of_each_layout(tmp_path: Path, layout: str) -> None:
    (record,) = read(written(tmp_path, layout), layout)
    row = ROWS[layout][1]
    native, date, language, license, snapshot = EXPECTED[layout]
    assert record.body == next(row[name] for name in ("text", "content", "raw_content") if name in row)
    assert record.native_id == (native if native is not None else "rows\x000")
    assert record.url == (None if layout == "redpajama" else URL)
    assert (record.date, record.language, record.license, record.snapshot) == (
        date,
        language,
        license,
        snapshot,
    )


@pytest.mark.parametrize(
    ("stated", "spdx"),
    [
        ("mit", "MIT"),
        ("Apache-2.0", "Apache-2.0"),
        ("apache-2.0 or mit", "Apache-2.0 or MIT"),
        ("Apache License 2.0", "Apache-2.0"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc0", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by-sa/3.0/", "CC-BY-SA-3.0"),
        ("Creative Commons Attribution-NoDerivs 4.0", "CC-BY-ND-4.0"),
        ("Public Domain", PUBLIC_DOMAIN),
        ("odc-by", "ODC-By-1.0"),
        ("not in the public domain", None),
        ("All rights reserved (cover: CC BY 4.0)", None),
        ("版权所有", None),
        ("various", None),
    ],
)
def test_licences_get_their_spdx_names_and_others_are_null(
    tmp_path: Path, stated: str, spdx: str | None
) -> None:
    row = {"id": "1", "text": "文字", "license": stated}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row))
    source = Jsonl.model_validate({"paths": ["x"], "license": "CC0-1.0"})
    (record,) = source.read(str(path), path.name, 0, path.stat().st_size)
    assert isinstance(record, Record)
    assert record.license == spdx
    assert record.metadata.get("license") == (stated if spdx is None else None)


def test_what_goes_into_metadata(tmp_path: Path) -> None:
    found = {layout: read(written(tmp_path, layout), layout)[0].metadata for layout in layout_names()}
    assert found["oscar"]["metadata.quality_warnings"] == "['tiny']"
    assert found["redpajama"] == {
        "meta.source": "github",
        "meta.language.0.name": "Python",
        "meta.path": "f.py",
        "meta.repo_name": "a/b",
    }
    assert found["hplt"] == {
        "id": "b1c2",
        "f": "./a.warc.gz",
        "o": "17",
        "filter": "keep",
        "doc_scores.0": "8.5",
    }
    assert found["hplt1"] == {"id": "1"}
    assert found["fineweb2"]["minhash_cluster_size"] == "7"


def test_redpajama_from_the_hub_holds_its_metadata_as_text(tmp_path: Path) -> None:
    row = {
        "text": "x",
        "meta": json.dumps({"url": URL, "timestamp": "2023-01-01T00:00:00", "language": "en"}),
    }
    (record,) = read(written(tmp_path, "redpajama", row), "redpajama")
    assert (record.url, record.date, record.language) == (URL, "2023-01-01T00:00:00", "en")
    (broken,) = read(written(tmp_path, "redpajama", {"text": "x", "meta": "{not json"}), "redpajama")
    assert broken.url is None


def test_a_layout_with_changes() -> None:
    fields = Fields.model_validate({"preset": "fineweb2", "metadata": ["top_langs"], "group": "url"})
    assert (fields.script, fields.metadata, fields.group) == ("language_script", ["top_langs"], "url")


def test_a_field_whose_name_has_a_dot_is_itself_first() -> None:
    fields = Fields(url="a.b")
    assert fields.record({"text": "x", "a.b": "1", "a": {"b": "2"}}, "f", 0, 1, None, None).url == "1"
    assert fields.record({"text": "x", "a": {"b": "2"}}, "f", 0, 1, None, None).url == "2"
    assert fields.record({"text": "x", "a": ["2"]}, "f", 0, 1, None, None).url is None


def test_an_unknown_layout_is_an_error_of_the_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "m.yaml"
    source = {"kind": "jsonl", "paths": [str(tmp_path / "rows")], "fields": "fineweb3"}
    manifest.write_text(yaml.safe_dump({"name": "m", "sources": {"a": source}}))
    with pytest.raises(
        UserError, match=r"m\.yaml:\d+: sources\.a\.fields: no layout named 'fineweb3': did you mean fineweb"
    ):
        load_manifest(str(manifest))


def test_layouts_say_where_they_are_from() -> None:
    assert set(layout_names()) == set(ROWS)
    assert all(read_layout(name)["text"] for name in layout_names())


def test_real_rows_of_dolma(data: Path) -> None:
    path = next((data / "quality" / "cc_en_head").glob("*.gz"))
    found = read(path, "dolma")
    assert len(found) == 10
    assert all(one.url and one.date and one.language == "en" and one.body for one in found)
