"""`corpus stats`: the ledger in 80 columns, as JSON and CSV, and two workspaces beside each other."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from rich.cells import cell_len
from rich.console import Console

import corpus
from corpus.errors import UserError
from corpus.inspect.page_engines import find_engines
from corpus.inspect.readable import format_change, format_count, format_short, format_size, make_printable
from corpus.inspect.verdicts import describe_own_id
from corpus.ledger.views import (
    NAME_COLUMNS,
    TABLES_OF_VIEWS,
    compare_rows,
    summarize_engines,
    summarize_names,
    summarize_rules,
)
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.opening import warn_unfinished
from corpus.pipelines.cli.stats import (
    RULE_NUMBERS,
    _print_view,
    describe_tokenizers,
    print_compared,
    print_stats,
    read_rows,
    stats,
)
from corpus.storage.lock import hold_lock
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.ledger.demo import demo_workspace
from tests.pipelines.small import article


@pytest.fixture(scope="module")
def demo() -> Path:
    return demo_workspace()


def test_every_table_fits_80_columns(demo: Path) -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    workspace = corpus.open(str(demo))
    print_stats(workspace, console, list(TABLES_OF_VIEWS), 1000)
    rows = {view: read_rows(workspace, view) for view in TABLES_OF_VIEWS}
    compared = {view: compare_rows(rows[view], rows[view], NAME_COLUMNS[view]) for view in rows}
    print_compared(console, compared, "a", "b", 30)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "documents by language" in printed and "gopher.words.min" in printed
    assert max(cell_len(line) for line in printed.splitlines()) <= 80


def test_rule_names_in_a_pipe_are_whole(demo: Path) -> None:
    rules = [row["rule"] for row in read_rows(corpus.open(str(demo)), "rule")]
    assert max(map(len, rules)) > 80 - RULE_NUMBERS
    for printed in (
        run(stats, str(demo), "--limit", "1000"),
        run(stats, str(demo), str(demo), "--limit", "1000"),
    ):
        first_words = [line.split()[0] for line in printed.splitlines() if line.strip()]
        assert set(rules) <= set(first_words) and "…" not in printed


def test_the_first_line_tells_the_totals(demo: Path) -> None:
    decisions = corpus.open(str(demo)).decisions().to_table()
    kept = pc.sum(decisions["kept"]).as_py()
    first = run(stats, str(demo)).splitlines()[0]
    assert first.startswith(f"{kept} of {decisions.num_rows} documents kept (")


def test_json_has_every_row_and_adds_up(demo: Path) -> None:
    found = json.loads(run(stats, str(demo), "--by", "source,language,rule,domain,license", "--json"))
    workspace = corpus.open(str(demo))
    table = workspace.documents().to_table(columns=["source", "language", "license"])
    for key in ("source", "license"):
        expected = Counter(value or "" for value in table[key].to_pylist())
        number = "read" if key == "source" else "documents"
        assert {row[key]: row[number] for row in found[key]} == expected
    for key in ("source", "language"):
        outcomes = ("gated", "rules", "duplicate", "kept")
        assert all(row["read"] == sum(row[name] for name in outcomes) for row in found[key])
        assert sum(row["tokens"] for row in found[key]) == sum(
            shard["tokens"] for shard in workspace.tokens()["shards"]
        )
    failed = Counter(
        name for row in workspace.decisions().to_table()["failed_rules"].to_pylist() for name in row or ()
    )
    assert {row["rule"]: row["failed"] for row in found["rule"] if row["failed"]} == failed


@pytest.mark.parametrize(
    ("mode", "engines"),
    [
        ("corpus", {"news": "trafilatura"}),
        ("fast", {"news": "trafilatura", "crawl": "trafilatura", "folder": "trafilatura"}),
        ("recall", {"news": "trafilatura", "crawl": "trafilatura", "folder": "trafilatura"}),
        ("resiliparse", {"news": "trafilatura", "crawl": "resiliparse", "folder": "resiliparse"}),
        ("mylab:Mine", {"news": "trafilatura", "crawl": "mylab:Mine", "folder": "mylab:Mine"}),
    ],
)
def test_what_read_pages_that_do_not_say_it(tmp_path: Path, mode: str, engines: dict[str, str]) -> None:
    sources = {
        "news": {"kind": "news", "paths": ["*.warc.gz"]},
        "crawl": {"kind": "warc", "paths": ["*.warc.gz", "*.warc.wet.gz"]},
        "texts": {
            "kind": "warc",
            "paths": ["CC-MAIN-*.warc.wet.gz", "b.WET", "@lists/wet.paths.gz", "*.wet.*"],
        },
        "folder": {"kind": "html", "paths": ["site"]},
        "維基": {"kind": "wikipedia", "paths": ["zhwiki.xml.bz2"]},
        "mine": {"kind": "mylab:Source", "paths": ["x"]},
    }
    manifest = {"name": "engines", "extraction": {"mode": mode}, "sources": sources}
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(manifest, allow_unicode=True), encoding="utf-8")
    assert find_engines(Workspace(str(tmp_path))) == engines


def test_pages_are_counted_by_what_read_them() -> None:
    rows = [
        ("crawl", "passed", "", 7, 700),
        ("crawl", "extracted", "corpus", 5, 500),
        ("crawl", "extracted", "trafilatura", 1, 90),
        ("новости", "passed", "", 3, 30),
        ("новости", "gated", "news.stub", 9, 0),
        ("texts", "passed", "", 4, 40),
    ]
    names = ["source", "what", "key", "documents", "bytes"]
    counts = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    assert summarize_engines(counts, {"новости": "trafilatura", "crawl": "mylab:Mine"}) == [
        {"engine": "corpus", "documents": 5, "bytes": 500},
        {"engine": "trafilatura", "documents": 4, "bytes": 120},
    ]


def test_mode_fast_says_what_read_its_pages(tmp_path: Path) -> None:
    for number, language in enumerate(("cmn", "arb", "rus")):
        paragraphs = "".join(f"<p>{text}</p>" for text in article(language, number).split("\n\n"))
        html = f"<!doctype html><html><body><article>{paragraphs}</article></body></html>"
        (tmp_path / f"{language}.html").write_text(html, encoding="utf-8")
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": article("tha", 4)}), encoding="utf-8")
    (tmp_path / "m.yaml").write_text(
        "name: fast\nextraction: {mode: fast}\nvalidation: {share: 0}\ntokenizer: {vocabulary: 300}\nsources:\n"
        "  pages: {kind: html, paths: ['*.html'], rules: []}\n  texts: {kind: jsonl, paths: [t.jsonl], rules: []}\n"
    )
    root = str(tmp_path / "out")
    workspace = build_workspace(str(tmp_path / "m.yaml"), root, Running(workers=1))
    size = pc.sum(workspace.documents().to_table(filter=pc.field("source") == "pages")["bytes"]).as_py()
    (row,) = json.loads(run(stats, root, "--by", "engine", "--json"))["engine"]
    assert row == {"engine": "trafilatura", "documents": 3, "bytes": size}
    assert "web pages by what read them" in " ".join(run(stats, root, "--by", "engine").split())


def test_csv_is_one_table(demo: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(stats, str(demo), "--by", "language", "--csv"))))
    as_json = json.loads(run(stats, str(demo), "--by", "language", "--json"))["language"]
    assert [{name: str(value) for name, value in row.items()} for row in as_json] == rows
    with pytest.raises(UserError, match="--csv prints one table"):
        run(stats, str(demo), "--csv")


def test_a_wrong_table_is_refused_with_those_that_there_are(demo: Path) -> None:
    with pytest.raises(UserError, match="--by colour: choose from source, language"):
        run(stats, str(demo), "--by", "colour")
    with pytest.raises(UserError, match=r"--by langauge: choose from .* \(did you mean language\?\)"):
        run(stats, str(demo), "--by", "source,langauge")


def test_a_source_that_is_being_built_is_not_told_to_be_empty(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "again"
    shutil.copytree(demo, root)
    plan = json.loads((root / "plan.json").read_text())
    (root / "plan.json").write_text(
        json.dumps({**plan, "splits": [*plan["splits"], ["新闻", "0123456789abcdef"]]})
    )
    assert "source 新闻: 0 records read" in run(stats, str(root))
    (root / "state.json").write_text('{"ingest": "x"}')
    status = {"state": "running", "stage": "ingest", "done": 1, "total": 3, "documents": 40}
    (root / "status.json").write_text(json.dumps(status))
    with hold_lock(str(root)):
        assert "新闻" not in run(stats, str(root))
        warn_unfinished(str(root))
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == (
        f"corpus: {root}: a build is running here (ingest, 1 of 3, 40 documents so far), so results may be from "
        "earlier rules and input"
    )


def test_a_workspace_beside_itself_differs_in_nothing(demo: Path) -> None:
    printed = run(stats, str(demo), str(demo), "--by", "source")
    web = next(line.split() for line in printed.splitlines() if line.startswith("web"))
    assert web[1] == web[2] and web[3] == "=" and web[6] == "="


def test_rows_that_only_one_workspace_has() -> None:
    one = [{"language": "tha_Thai", "kept": 4}, {"language": "eng_Latn", "kept": 2}]
    other = [{"language": "eng_Latn", "kept": 3}, {"language": "cmn_Hant", "kept": 7}]
    assert compare_rows(one, other, "language") == [
        {"language": "tha_Thai", "kept": [4, 0]},
        {"language": "eng_Latn", "kept": [2, 3]},
        {"language": "cmn_Hant", "kept": [0, 7]},
    ]


def test_the_rest_of_the_domains_stands_last() -> None:
    numbers = ("documents", "kept", "bytes", "kept_bytes", "names")
    rows = {"domain": ["a.org", None, "b.org"], **{name: [5, 9000, 7] for name in numbers}}
    assert [row["domain"] for row in summarize_names(pa.table(rows), "domain")] == ["b.org", "a.org", None]


def test_hostile_names_do_nothing_to_the_terminal() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    name = "[red]evil[/]\x1b]0;owned\x07\u202egnp.exe"
    row = {"domain": name, "documents": 1, "kept": 1, "bytes": 1, "kept_bytes": 1, "names": 1}
    _print_view(console, "domain", [row], 10)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]evil[/]\\u001b]0;owned\\u0007\\u202egnp.exe" in shown.replace("\n", "").replace(" ", "")
    assert "\x07" not in shown and "\u202e" not in shown


def test_numbers_for_people() -> None:
    assert [format_size(n) for n in (7, 1500, 2e9, 3.2e15)] == ["7 B", "1.5 kB", "2.0 GB", "3,200.0 TB"]
    assert [format_short(n) for n in (7, 1500, 2e9)] == ["7", "1.5k", "2.0B"]
    assert [format_count(n) for n in (0, 999_999, 12_345_678)] == ["0", "999,999", "12.3M"]
    assert [format_change(*pair) for pair in ((4, 4), (0, 4), (4, 0), (100, 99), (100, 150), (1, 40))] == [
        "=",
        "new",
        "gone",
        "-1.0%",
        "+50%",
        "x40",
    ]
    fallen = [(226, 1), (100, 50), (1000, 14), (1000, 10), (10_000, 4), (1000, 101)]
    assert [format_change(*pair) for pair in fallen] == [
        "-99.6%",
        "-50%",
        "-99%",
        "-99.0%",
        "->99.9%",
        "-90%",
    ]
    assert make_printable("ก\u200bข\u200d\n\x1b") == "ก\\u200bข\u200d\n\\u001b"


def test_the_share_of_a_rule_is_of_the_texts_it_is_for() -> None:
    names = ("source", "language", "what", "key", "documents", "bytes")
    counted = [
        ("web", "tha_Thai", "passed", "", 30, 300),
        ("web", "rus_Cyrl", "passed", "", 20, 200),
        ("books", "tha_Thai", "passed", "", 950, 9500),
        ("web", "tha_Thai", "failed", "gopher.words.min", 6, 60),
        ("web", "rus_Cyrl", "failed", "gopher.words.missing", 1, 10),
    ]
    counts = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in counted])
    bounds = [
        {"source": "web", "language": language, "rule": rule, "signal": rule.rpartition(".")[0]}
        for language, rule in (
            ("tha_Thai", "gopher.words.min"),
            ("tha_Thai", "gopher.words.max"),
            ("rus_Cyrl", "gopher.words.max"),
        )
    ]
    found = {
        row["rule"]: (row["texts"], row["share"])
        for row in summarize_rules(counts, pa.Table.from_pylist(bounds))
    }
    assert found == {"gopher.words.min": (30, 0.2), "gopher.words.missing": (50, 0.02)}


def test_tokens_of_different_tokenizers_are_not_compared_in_silence() -> None:
    def workspace(digest: str, tokens: int) -> Any:
        shards = [{"bytes": 800, "tokens": tokens}]
        return SimpleNamespace(tokens=lambda: {"tokenizer": {"sha256": digest}, "shards": shards})

    assert describe_tokenizers(workspace("a", 200), workspace("a", 300)) is None
    said = describe_tokenizers(workspace("a", 200), workspace("b", 400))
    assert said is not None and said.startswith("the tokenizers differ (4.00 and 2.00 bytes a token)")


def test_the_id_that_a_row_came_with_is_shown() -> None:
    assert describe_own_id({"metadata": {"id": "рецепт-7"}}) == "  id рецепт-7"
    assert describe_own_id({"metadata": [("id", "7")]}) == "  id 7"
    assert describe_own_id({"metadata": None}) == describe_own_id({}) == ""
