"""From submissions to a list of pages: what counts, what does not and why, and one row a page."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpus.document import Failure
from corpus.errors import RunError, UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.url_lists.make import make_list
from corpus.web.url_lists.index_key import hash_of, key_of
from corpus.web.url_lists.links import LinkRules
from corpus.web.url_lists.submissions import read_submissions
from corpus.web.url_lists.url_list import contains, open_list, sort_unique, sorted_hashes


def post(number: int, url: str, score: Any = 3, **more: Any) -> dict[str, Any]:
    row = {"id": f"a{number}", "url": url, "score": score, "created_utc": 1_400_000_000 + number}
    return {**row, "subreddit": "news", "over_18": False, "is_self": False, "title": "今日のニュース", **more}


def write(path: Path, rows: list[Any]) -> str:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def listed(out: Path) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in pq.read_table(out / "urls.parquet").to_pylist()}


def made(
    tmp_path: Path, rows: list[Any], **rules: Any
) -> tuple[dict[str, dict[str, Any]], dict[tuple[str, str], int]]:
    result = make_list(
        [write(tmp_path / "RS.jsonl", rows)], str(tmp_path / "out"), LinkRules(**rules), Running()
    )
    counts = {(row["what"], row["reason"]): row["count"] for row in result["rows"]}
    return listed(tmp_path / "out"), counts


def test_a_hash_is_believed_only_where_corpus_urls_wrote_it(tmp_path: Path) -> None:
    url = "http://example.org/路"
    key = key_of(url)
    assert key is not None
    for hashes in (pa.array(["d41d8c"]), pa.array([7], pa.uint64()), pa.array([None], pa.uint64())):
        path = str(tmp_path / f"{hashes.type}-{hashes.null_count}.parquet")
        pq.write_table(pa.table({"url": [url], "hash": hashes}), path)
        assert sorted_hashes(path).tolist() == [hash_of(key)]


def test_different_hashes_are_sorted() -> None:
    drawn = np.random.default_rng(5).integers(0, 300, 1000).astype(np.uint64)
    assert sort_unique(drawn.copy()).tolist() == sorted(set(drawn.tolist()))
    assert sort_unique(np.empty(0, np.uint64)).tolist() == []


def test_a_list_of_numbers_is_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": [1, 2]}), tmp_path / "numbers.parquet")
    with pytest.raises(UserError, match="`url` holds int64: text is expected"):
        open_list(str(tmp_path / "numbers.parquet"))


def test_a_line_that_is_no_utf8_costs_only_itself(tmp_path: Path) -> None:
    lines = [json.dumps(post(at, f"https://example.org/{at}")).encode() + b"\n" for at in range(3)]
    lines[1] = lines[1].replace(b"example.org/1", b"example.org/\xff\xfe")
    (tmp_path / "RS.jsonl").write_bytes(b"".join(lines))
    make_list([str(tmp_path / "RS.jsonl")], str(tmp_path / "out"), LinkRules(), Running())
    assert set(listed(tmp_path / "out")) == {"example.org/0", "example.org/2"}
    (failure,) = pq.read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert (failure["offset"], failure["length"]) == (len(lines[0]), len(lines[1]))


def test_scores_of_a_page_are_summed_over_its_submissions_and_spellings(tmp_path: Path) -> None:
    rows = [
        post(1, "http://example.org/story?utm_source=reddit", 1, subreddit="news"),
        post(2, "https://www.example.org/story", 1, subreddit="россия"),
        post(3, "https://m.example.org/story/amp", 1, subreddit="中国"),
        post(4, "https://example.org/other", 2),
        post(5, "https://example.org/disliked", 9),
        post(6, "https://example.org/disliked", -7),
    ]
    found, counts = made(tmp_path, rows)
    assert list(found) == ["example.org/story"]
    row = found["example.org/story"]
    assert (row["score"], row["submissions"], row["subreddits"]) == (3, 3, ["news", "россия", "中国"])
    assert row["url"] == "https://www.example.org/story"
    assert (row["first"].timestamp(), row["last"].timestamp()) == (1_400_000_001, 1_400_000_003)
    assert counts["urls", "low_score"] == 2


def test_the_rule_of_single_posts_is_openwebtexts(tmp_path: Path) -> None:
    rows = [
        post(1, "http://a.org/1", 2),
        post(2, "http://a.org/1", 2),
        post(3, "http://a.org/2", 3),
        post(4, "http://a.org/2", -9),
    ]
    found, counts = made(tmp_path, rows, single_post=True)
    assert list(found) == ["a.org/2"]
    assert counts["submissions", "low_score"] == 3


def test_every_reason_is_counted_and_what_it_takes_out_alone(tmp_path: Path) -> None:
    rows = [
        post(1, "http://a.org/text"),
        post(2, "http://a.org/adult", over_18=True),
        post(3, "https://www.reddit.com/r/x/comments/1/", is_self=True),
        post(4, "http://i.imgur.com/x", over_18=True),
        post(5, "http://a.org/cat.JPG?x=1"),
        post(6, "http://a.org/clip", post_hint="rich:video"),
        post(7, "http://v.example/clip", is_video=True),
        post(8, "http://old.reddit.com/r/x"),
        post(9, "http://notreddit.com/"),
        post(10, "http://localhost/x"),
        post(11, "https://a.org/" + "x" * 3000),
        post(12, "http://shop.example.net/"),
        post(13, "http://a.org/none", None),
    ]
    result = make_list(
        [write(tmp_path / "RS.jsonl", rows)],
        str(tmp_path / "out"),
        LinkRules(exclude=("example.net",)),
        Running(),
    )
    found = {
        row["reason"]: (row["count"], row["alone"]) for row in result["rows"] if row["what"] == "submissions"
    }
    assert found == {
        "all": (13, None),
        "no_score": (1, 1),
        "over_18": (2, 1),
        "self": (1, 0),
        "media": (4, 3),
        "excluded_domain": (3, 2),
        "address": (2, 2),
        "link to text": (2, None),
    }
    assert set(listed(tmp_path / "out")) == {"a.org/text", "notreddit.com"}


def test_a_submission_counts_once_however_many_dumps_hold_it(tmp_path: Path) -> None:
    one = write(tmp_path / "RS_1.jsonl", [post(1, "http://a.org/x", 2), post(2, "http://a.org/y", 2)])
    other = write(tmp_path / "RS_2.jsonl", [post(1, "http://a.org/x", 2), post(3, "http://a.org/y", 1)])
    make_list([one, other], str(tmp_path / "out"), LinkRules(), Running())
    assert {key: row["score"] for key, row in listed(tmp_path / "out").items()} == {"a.org/y": 3}


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_every_compression_is_read(tmp_path: Path, suffix: str) -> None:
    raw = "".join(json.dumps(post(at, f"http://a.org/{at}")) + "\n" for at in range(100)).encode()
    window = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, enable_ldm=True)
    packers = {
        "": bytes,
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": zstandard.ZstdCompressor(compression_params=window).compress,
    }
    path = tmp_path / f"RS{suffix}"
    path.write_bytes(packers[suffix](raw))
    assert (
        sum(len(table) for table in read_submissions(str(path), path.name) if not isinstance(table, Failure))
        == 100
    )


def test_fields_of_the_wrong_type_and_broken_lines_cost_themselves_only(tmp_path: Path) -> None:
    rows = [
        post(1, "http://a.org/1", "7"),
        post(2, "http://a.org/2", 3, created_utc="1400000000", over_18=None),
        post(3, "http://a.org/3", 3.0, created_utc=1400000000.0),
        '{"broken": ',
        "[1, 2]",
        "",
        post(4, "http://a.org/4", {"no": "score"}),
        post(5, "http://a.org/5"),
    ]
    path = write(tmp_path / "RS.jsonl", rows)
    found = list(read_submissions(path, "RS.jsonl"))
    failures = [one for one in found if isinstance(one, Failure)]
    (table,) = [one for one in found if not isinstance(one, Failure)]
    lines = Path(path).read_bytes().splitlines(keepends=True)
    assert [one.offset for one in failures] == [sum(map(len, lines[:3])), sum(map(len, lines[:4]))]
    assert table["score"].to_pylist() == [7, 3, 3, None, 3]
    assert table["created"].to_pylist()[1:3] == [1400000000, 1400000000]


def test_a_cut_dump_gives_what_is_there_and_says_where_it_ends(tmp_path: Path) -> None:
    raw = "".join(
        json.dumps(post(at, f"http://a.org/{at}", title="x" * 50)) + "\n" for at in range(20_000)
    ).encode()
    path = tmp_path / "RS.zst"
    packed = zstandard.ZstdCompressor().compress(raw)
    path.write_bytes(packed[: len(packed) * 2 // 3])
    found = list(read_submissions(str(path), path.name))
    assert sum(len(one) for one in found if not isinstance(one, Failure)) > 1000
    assert any(isinstance(one, Failure) and "damaged" in one.error for one in found)


def test_csv_exports_are_read_by_their_header(tmp_path: Path) -> None:
    path = tmp_path / "top.csv"
    path.write_text(
        "created_utc,score,domain,id,title,permalink,selftext,over_18,is_self,url\n"
        '1344231209.0,5785,a.org,xr1g2,Заголовок,http://www.reddit.com/r/科学/comments/xr1g2/x/,"two\nlines, one ""text""",,False,http://a.org/1\n'
        "1344231210.0,12,self.x,xr1g3,t,http://www.reddit.com/r/x/comments/xr1g3/x/,,True,,http://www.reddit.com/r/x\n"
        "1344231211.0,12,a.org\n",
        encoding="utf-8",
    )
    found = list(read_submissions(str(path), path.name))
    tables = [one for one in found if not isinstance(one, Failure)]
    rows = [row for table in tables for row in table.to_pylist()]
    assert [(r["id"], r["score"], r["subreddit"], r["over_18"], r["is_self"]) for r in rows] == [
        ("xr1g2", 5785, "科学", None, False),
        ("xr1g3", 12, "x", True, True),
    ]
    assert [one.error for one in found if isinstance(one, Failure)] == ["CSV: row 4: 3 fields, not 10"]


@pytest.mark.parametrize("content", [b"", b"[]\n", b"id,title\n1,2\n", b"\x00\x01\x02", b"PAR1\r\x00\xff\r"])
def test_what_is_no_dump_is_a_failure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "RS"
    path.write_bytes(content)
    (failure,) = read_submissions(str(path), "RS")
    assert isinstance(failure, Failure) and failure.step == "read"
    with pytest.raises(RunError, match="no submission was read: RS"):
        make_list([str(path)], str(tmp_path / "out"), LinkRules(), Running())


def test_the_list_depends_on_neither_ranges_nor_order_nor_files(tmp_path: Path) -> None:
    rows = [post(at, f"http://s{at % 37}.org/{at % 211}", at % 5) for at in range(2000)]
    whole = write(tmp_path / "RS_all.jsonl", rows)
    parts = [write(tmp_path / f"RS_part{at}.jsonl", rows[at::3][::-1]) for at in range(3)]
    digests = set()
    for name, files, ranges in (("a", [whole], 1), ("b", [whole], 7), ("c", parts, 3)):
        make_list(files, str(tmp_path / name), LinkRules(), Running(), ranges=ranges)
        table = pq.read_table(tmp_path / name / "urls.parquet")
        digests.add(hashlib.sha256(json.dumps(table.to_pylist(), default=str).encode()).hexdigest())
    assert len(digests) == 1


def test_a_second_run_reads_nothing_again_and_other_rules_make_another_list(tmp_path: Path) -> None:
    path = write(tmp_path / "RS.jsonl", [post(1, "http://a.org/1", 2), post(2, "http://a.org/2", 4)])
    out = tmp_path / "out"
    make_list([path], str(out), LinkRules(), Running())
    (part,) = (out / "parts").glob("links-*.parquet")
    before = part.stat().st_mtime_ns
    make_list([path], str(out), LinkRules(min_score=2), Running())
    assert part.stat().st_mtime_ns == before and len(listed(out)) == 2
    make_list([path], str(out), LinkRules(exclude=("a.org",)), Running())
    assert part.stat().st_mtime_ns != before and not listed(out)
    with pytest.raises(UserError, match="no such file"):
        make_list([str(tmp_path / "missing-*")], str(out), LinkRules(), Running())


def test_real_submissions_of_2005_and_2013(tmp_path: Path, data: Path) -> None:
    files = [str(data / "reddit" / "RS*"), str(data / "reddit" / "top2013" / "*.csv.gz")]
    result = make_list(files, str(tmp_path / "out"), LinkRules(), Running())
    counts = {(row["what"], row["reason"]): row["count"] for row in result["rows"]}
    # The dump of June 2005 is there twice, as .xz and as .zst: 103 submissions that count once.
    assert counts["submissions", "all"] == 7206 and not result["failures"]
    found = listed(tmp_path / "out")
    assert len(found) == counts["urls", "listed"] == 4502
    assert (found["downingstreetmemo.com"]["score"], found["downingstreetmemo.com"]["submissions"]) == (
        183,
        1,
    )


def test_hashes_of_a_list_are_sorted_and_mapped(tmp_path: Path) -> None:
    path = write(tmp_path / "RS.jsonl", [post(at, f"http://a.org/{at}") for at in range(50)])
    make_list([path], str(tmp_path / "out"), LinkRules(), Running())
    hashes = sorted_hashes(str(tmp_path / "out" / "urls.parquet"))
    assert isinstance(hashes, np.memmap) and len(hashes) == 50 and (np.diff(hashes) > 0).all()
    rows = pq.read_table(tmp_path / "out" / "urls.parquet").to_pylist()
    wanted = np.array([rows[0]["hash"], 1, 0, rows[-1]["hash"]], np.uint64)
    assert contains(hashes, wanted).tolist() == [True, False, False, True]
    assert key_of(rows[0]["url"]) == rows[0]["key"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [
                {
                    "id": "c1",
                    "body": "今日は良い天気です",
                    "score": 3,
                    "link_id": "t3_a",
                    "subreddit": "日本",
                    "author": "x",
                }
            ]
            * 2,
            "none of its 2 rows has an address that it links to: it holds comments of Reddit, which "
            "`kind: reddit-comments` of a manifest reads",
        ),
        (
            [{"url": "https://example.org/ข่าว", "text": "ข่าววันนี้ ฝนตกหนักทั่วทั้งเมือง " * 5}],
            "its row does not have a score: it holds files of JSON Lines, which `kind: jsonl` of a manifest reads",
        ),
    ],
)
def test_rows_that_are_no_submissions_are_refused(
    tmp_path: Path, rows: list[dict[str, Any]], reason: str
) -> None:
    path = write(tmp_path / "RC.jsonl", rows)
    with pytest.raises(RunError) as caught:
        make_list([path], str(tmp_path / "out"), LinkRules(), Running())
    assert str(caught.value) == f"{path}: no submissions of Reddit: {reason}"
    assert not (tmp_path / "out/urls.parquet").exists()


def test_submissions_none_of_which_links_to_a_page_make_an_empty_list(tmp_path: Path) -> None:
    rows = [post(1, "https://i.redd.it/a.jpg"), post(2, "/r/news/comments/1/", is_self=True)]
    urls, counts = made(tmp_path, rows)
    assert urls == {} and counts["submissions", "media"] == 1
