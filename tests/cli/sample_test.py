"""`corpus sample`: the documents asked for and no others, the same for the same seed, safe to look at."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import corpus
from corpus.errors import RunError, UserError
from corpus.groups import registered_domain
from corpus.inspect.html_text import escape, excerpt_lines, shorten
from corpus.inspect.sample_page import build_sample_page
from corpus.pipelines.cli.sample import parse_score, sample
from tests.cli.running import run
from tests.ledger.demo import demo_workspace

EVERYTHING = ("-n", "100000")


@pytest.fixture(scope="module")
def demo() -> str:
    return str(demo_workspace())


@pytest.fixture(scope="module")
def documents(demo: str) -> list[dict[str, Any]]:
    workspace = corpus.open(demo)
    steps = workspace.steps()
    return [
        {**row, "source": source}
        for source, _, table in workspace.rows(None, steps)
        for row in table.to_pylist()
    ]


def sampled(demo: str, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(sample, demo, *options, "--json").splitlines()]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["id"] for row in rows)


def test_kept_and_dropped_are_all_there_are(demo: str, documents: list[dict[str, Any]]) -> None:
    kept, dropped = sampled(demo, *EVERYTHING), sampled(demo, *EVERYTHING, "--dropped")
    assert ids(kept) == ids([row for row in documents if row["kept"]])
    assert ids(dropped) == ids([row for row in documents if not row["kept"]])


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        (("--source", "wikipedia"), lambda row: row["kept"] and row["source"] == "wikipedia"),
        (("--language", "cmn"), lambda row: row["kept"] and (row["language"] or "").startswith("cmn_")),
        (("--language", "cmn_Hant"), lambda row: row["kept"] and row["language"] == "cmn_Hant"),
        (("--rule", "gopher.words.min"), lambda row: "gopher.words.min" in (row["failed_rules"] or ())),
        (
            ("--rule", "gopher.words"),
            lambda row: any(name.startswith("gopher.words.") for name in row["failed_rules"] or ()),
        ),
        (("--gate", "wikipedia.redirect"), lambda row: row["gate"] == "wikipedia.redirect"),
        (("--duplicates",), lambda row: row["duplicate_of"] is not None),
        (
            ("--score", "gopher.words=40..60"),
            lambda row: row["gopher.words"] is not None and 40 <= row["gopher.words"] <= 60,
        ),
        (
            ("--domain", "example.net", "--dropped"),
            lambda row: not row["kept"] and row["url"] and registered_domain(row["url"]) == "example.net",
        ),
    ],
)
def test_what_is_asked_for(demo: str, documents: list[dict[str, Any]], options: Any, fits: Any) -> None:
    expected = [row for row in documents if fits(row)]
    assert expected
    assert ids(sampled(demo, *EVERYTHING, *options)) == ids(expected)


def test_the_seed_decides(demo: str) -> None:
    assert sampled(demo, "-n", "4") == sampled(demo, "-n", "9")[:4]
    assert ids(sampled(demo, "-n", "4")) != ids(sampled(demo, "-n", "4", "--seed", "1"))


def test_one_document_with_all_its_signals(demo: str, documents: list[dict[str, Any]]) -> None:
    row = next(row for row in documents if row["failed_rules"])
    (found,) = sampled(demo, "--id", row["id"])
    assert (found["text"], found["failed_rules"]) == (row["text"], row["failed_rules"])
    assert found["signals"]["gopher.words"] == row["gopher.words"]


def test_a_cluster_beside_the_document_that_stayed(demo: str) -> None:
    removed = pq.read_table(corpus.open(demo).path("dedup", "clusters.parquet")).to_pylist()
    row = max(removed, key=lambda row: row["cluster_size"])
    found = sampled(demo, "--cluster", row["kept_id"])
    assert len(found) == row["cluster_size"] - 1
    assert {one["stayed"]["id"] for one in found} == {row["kept_id"]}
    assert ids(found) == ids(sampled(demo, "--cluster", row["removed_id"]))
    printed = run(sample, demo, "--cluster", row["kept_id"])
    assert "dropped" in printed and "kept" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--source", "books"), "no source books: the workspace has web, wikipedia"),
        (("--source", "wikipdia"), r"no source wikipdia: did you mean wikipedia\?"),
        (("--rule", "gopher.word.min"), "no rule gopher.word.min: did you mean gopher.words.min or"),
        (
            ("--gate", "wikipedia.redirects"),
            "no gate wikipedia.redirects: did you mean wikipedia.redirect or",
        ),
        (
            ("--language", "cmn_Hanz"),
            "'cmn_Hanz' is not a language in a script: did you mean cmn_Hans or cmn_Hant",
        ),
        (("--language", "tha_Thia"), r"'tha_Thia' is not a language in a script: did you mean tha_Thai"),
        (("--domain", "exampel.net"), "no domain exampel.net: did you mean example.net"),
        (("--score", "gopher.words"), "SIGNAL=LOW..HIGH"),
        (("--score", "60..40"), "^--score 60..40: expected SIGNAL=LOW..HIGH"),
        (("--score", "gopher.words=60..40"), r"60 is above 40, .*: say gopher.words=40\.\.60$"),
        (("--score", "gopher.words=-1..-2"), "-1 is above -2"),
        (("--score", "gopher.words=nan..2"), "expected SIGNAL=LOW..HIGH"),
        (("--score", "=1..2"), "expected SIGNAL=LOW..HIGH"),
        (("--score", "gopher.wrods=1..2"), "no signal gopher.wrods: gopher has gopher.words"),
        (("--score", "nothing.at=1..2"), "no signal nothing.at: the workspace has signals of text, url"),
        (("--cluster", "0" * 32), "no duplicate cluster contains"),
        (("--language", "xho"), "no language xho: "),
        (
            ("--source", "wikipedia", "--gate", "extract.empty"),
            "no document in .* matches|no gate extract.empty",
        ),
    ],
)
def test_wrong_questions_are_answered_in_a_line(demo: str, options: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(sample, demo, *options)


def test_documents_of_the_other_outcome_are_told_where_none_matches(
    demo: str, documents: list[dict[str, Any]]
) -> None:
    kept = Counter(registered_domain(row["url"] or "") for row in documents if row["kept"])
    dropped = Counter(registered_domain(row["url"] or "") for row in documents if not row["kept"])
    gone = max((domain for domain in dropped if domain and not kept[domain]), key=dropped.__getitem__)
    stays = max((domain for domain in kept if domain and not dropped[domain]), key=kept.__getitem__)
    for domain, options, message in (
        (
            gone,
            (),
            f"no kept document in {demo} matches, but {dropped[gone]:,} dropped ones do: --dropped shows them",
        ),
        (
            stays,
            ("--dropped",),
            f"no dropped document in {demo} matches, but {kept[stays]:,} kept ones do: without --dropped, "
            "`corpus sample` shows them",
        ),
    ):
        with pytest.raises(UserError) as caught:
            run(sample, demo, "--domain", domain, *options)
        assert str(caught.value) == message


def test_an_id_is_told_to_be_there_or_not(demo: str, documents: list[dict[str, Any]]) -> None:
    row = next(row for row in documents if row["source"] == "web")
    with pytest.raises(
        UserError, match=f"the document {row['id']} is in .*, but is not what the other options"
    ):
        run(sample, demo, "--id", row["id"], "--source", "wikipedia")
    with pytest.raises(UserError, match=f"no document in .* has the id {'0' * 32}: "):
        run(sample, demo, "--id", "0" * 32)


def test_a_duplicate_names_the_one_that_stands_for_it(demo: str, documents: list[dict[str, Any]]) -> None:
    (row,) = sampled(demo, "--duplicates", "-n", "1")
    stayed = next(one for one in documents if one["id"] == row["duplicate_of"] and one["kept"])
    title = dict(stayed["metadata"]).get("title")
    assert row["stands"].endswith(f"[{stayed['id']}]")
    assert (title or stayed["url"]) in row["stands"]
    printed = " ".join(run(sample, demo, "--id", row["id"], "--no-pager").split())
    assert "dropped as a duplicate of" in printed and (title or stayed["url"]).split()[0] in printed


def test_a_range_shows_both_sides_of_a_bound_with_the_values(demo: str, tmp_path: Path) -> None:
    options = ("--score", "gopher.words=30..80", "-n", "40")
    rows = sampled(demo, *options)
    assert {row["kept"] for row in rows} == {True, False}
    printed = run(sample, demo, *options, "--no-pager")
    run(sample, demo, *options, "--html", str(tmp_path / "页.html"))
    page = (tmp_path / "页.html").read_text()
    for row in rows:
        told = f"gopher.words {row['signals']['gopher.words']:g}"
        assert told in printed and told in page


def test_an_unfinished_workspace_is_told_in_a_line(demo: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a workspace: `corpus build MANIFEST --out"):
        run(sample, str(tmp_path / "nowhere"))
    shutil.copytree(demo, tmp_path / "half")
    shutil.rmtree(tmp_path / "half/decisions")
    with pytest.raises(
        RunError, match="has lost its decisions: run its `corpus build` again, which makes what is missing"
    ):
        run(sample, str(tmp_path / "half"))
    (tmp_path / "half/state.json").unlink()
    shutil.rmtree(tmp_path / "half/stats")
    with pytest.raises(UserError, match="its build is not finished: resume it with `corpus build`"):
        run(sample, str(tmp_path / "half"))
    (tmp_path / "half/plan.json").unlink()
    for arguments in ((), ("--duplicates",), ("--cluster", "0" * 32)):
        with pytest.raises(UserError, match="its build is not finished: resume it with `corpus build`"):
            run(sample, str(tmp_path / "half"), *arguments)


def test_ranges_may_be_open() -> None:
    assert parse_score("c4.sentences=..3") == ("c4.sentences", float("-inf"), 3)
    assert parse_score("c4.sentences=3..") == ("c4.sentences", 3, float("inf"))


def test_a_page_of_pairs(demo: str, tmp_path: Path) -> None:
    target = tmp_path / "pairs.html"
    run(sample, demo, "--duplicates", *EVERYTHING, "--html", str(target))
    content = target.read_text(encoding="utf-8")
    assert "<del>" in content and "<ins>" in content
    assert "<script" not in content and "http-equiv" in content


def test_hostile_text_does_nothing_on_a_page() -> None:
    row: dict[str, Any] = {
        "id": "0" * 32,
        "source": "<b>web</b>",
        "language": None,
        "url": 'https://x.example/"onmouseover="alert(1)',
        "origin": {"file": "<img src=x onerror=alert(1)>", "offset": 0},
        "kept": True,
        "split": "train",
        "gate": None,
        "failed_rules": [],
        "duplicate_of": None,
        "signals": {},
        "text": "</div><script>alert(1)</script>\u202eabc\u0000",
    }
    content = build_sample_page([row], "</title><script>", full=True)
    assert "<script" not in content and "<img" not in content and "<b>" not in content
    assert "\\u202eabc\\u0000" in content


def test_a_page_names_languages_and_keeps_lines() -> None:
    row: dict[str, Any] = {
        "id": "0" * 32, "source": "web", "language": "tha_Thai", "url": None, "origin": {"file": "ก.warc", "offset": 7},
        "kept": True, "split": "train", "gate": None, "failed_rules": [], "duplicate_of": None, "signals": {},
        "text": "บรรทัดแรก\r\nบรรทัดที่สอง\rสาม",
    }  # fmt: skip
    content = build_sample_page([row], "one", full=True)
    assert "web · Thai tha_Thai" in content
    assert "บรรทัดแรก\nบรรทัดที่สอง\nสาม" in content and "u000d" not in content


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("第一行\r\n第二行", "第一行\n第二行"),
        ("سطر\n\n \n\nآخر", "سطر\n\nآخر"),
        ("def f():\n    return 1\n", "def f():\n    return 1"),
        ("१\n२\n३\n४\n५", "१\n२\n३ ..."),
        ("слово " * 9, "слово слово слово слово слово слово ..."),
        ("a" + " " * 30 + "b", "a        b"),
        ("字" * 500, "字" * 40 + " ..."),
    ],
)
def test_an_excerpt_keeps_its_lines(text: str, excerpt: str) -> None:
    assert excerpt_lines(text, 40, 3) == excerpt


def test_text_for_pages() -> None:
    assert escape("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#x27;"
    assert escape("می\u200cخواهم") == "می\u200cخواهم"
    assert len(escape("a" + "\u200d" * 100_000 + "b")) == 3
    assert len(escape("z" + "\u0300" * 100_000)) == 9
    assert escape("नि\u0301") == "नि\u0301"
    assert escape("\u200b") == "\\u200b"
    assert shorten("word" * 1_000_000, 8) == "wordword ..."
    assert shorten("短い", 8) == "短い"
