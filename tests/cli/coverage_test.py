"""`corpus coverage` takes a list of addresses as text too."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import corpus
from corpus.errors import UserError
from corpus.pipelines.cli.coverage import coverage
from tests.cli.running import run
from tests.ledger.demo import demo_workspace


def test_a_plain_list_gives_what_its_table_gives(tmp_path: Path) -> None:
    demo = str(demo_workspace())
    urls = [url for url in corpus.open(demo).documents().to_table()["url"].to_pylist() if url][:40]
    urls += ["https://nowhere.example/页", "no address"]
    pq.write_table(pa.table({"url": urls}), tmp_path / "urls.parquet")
    (tmp_path / "urls.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(urls).encode())
    (tmp_path / "urls.gz").write_bytes(gzip.compress("\n".join(urls).encode()))
    expected = json.loads(run(coverage, demo, str(tmp_path / "urls.parquet"), "--json"))
    assert expected["not found"] == expected["no web address"] == 1 and sum(expected.values()) == 42
    for name in ("urls.txt", "urls.gz"):
        out = tmp_path / f"{name}.parquet"
        assert json.loads(run(coverage, demo, str(tmp_path / name), "--json", "--out", str(out))) == expected
        assert pq.read_table(out)["url"].to_pylist() == urls


@pytest.mark.parametrize("content", [b"", b"one\ntwo\n", b"\x1f\x8b\x08broken", b"PAR1 not really"])
def test_what_is_no_list_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(UserError, match=r"list: (not a list of URLs|cannot read the list)") as refused:
        run(coverage, str(demo_workspace()), str(tmp_path / "list"))
    assert "\n" not in str(refused.value)
