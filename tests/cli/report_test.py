"""The report: every number of the ledger, drawn without an error, whatever the texts try."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import corpus
from corpus.data import data_path
from corpus.inspect.cuts import sample_beside_cuts
from corpus.inspect.report import REPORT_TABLES, build_report_page
from corpus.inspect.report_data import Groups, build_report_data
from corpus.ledger.alarms import Alarm, find_alarms
from corpus.ledger.tables import read_ledger
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.report import report
from tests.cli.browser import opened, with_script
from tests.cli.running import run
from tests.ledger.demo import demo_workspace

HOSTILE = [
    "<script>document.documentElement.dataset.owned = 1</script><img src=x onerror=alert(1)>",
    "</script><script>document.documentElement.dataset.owned = 1</script><!-- <script> ",
    "\u202e" * 200 + "reversed \u2066isolated " * 20,
    "\u200b\u200d\u2060\ufeff" * 20_000 + "flood",
    "x" * 1_000_000,
    "z" + "\u0335\u0336" * 5_000 + " marks",
    "\u0000\u0007\u001b[31m\u2028\u2029 controls &amp; &lt;b&gt; \\u003c/script>",
    "${alert(1)} {{7*7}} `backticks` '\"><svg onload=alert(1)>",
]
MEASURE = """
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.documentElement.dataset.wide = wide;
document.documentElement.dataset.charts = document.querySelectorAll('.chart canvas').length;
"""


@pytest.fixture(scope="module")
def demo() -> Path:
    return demo_workspace()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of texts, URLs, licences and groups that would rather be something else."""
    folder = tmp_path_factory.mktemp("hostile")
    texts = [text if number % 2 else f"{text} and some words of it, {number} in all.\n" * 3 for number, text in
             enumerate(HOSTILE * 4)]  # fmt: skip
    rows = [
        {"id": f"{number}<b>", "text": text, "url": f"https://{number}.test/?{HOSTILE[number % 4][:400]}",
         "license": HOSTILE[(number + 1) % 8][:5000]}
        for number, text in enumerate(texts)
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    manifest = "sources: {web: {kind: jsonl, paths: [rows.jsonl], rules: [fineweb]}}\n"
    manifest += "name: hostile\nvalidation: {share: 0.2}\ntokenizer: {vocabulary: 300}\n"
    manifest += "rules: {gopher.alphabetic_words: off}\n"
    (folder / "manifest.yaml").write_text(manifest, encoding="utf-8")
    build_workspace(str(folder / "manifest.yaml"), str(folder / "out"), Running(workers=1))
    return folder / "out"


def data_of(content: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', content, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def test_a_build_writes_the_same_page_as_the_command(demo: Path, tmp_path: Path) -> None:
    written = (demo / "report.html").read_text(encoding="utf-8")
    assert build_report_page(corpus.open(str(demo))) == written
    target = tmp_path / "with-times.html"
    run(report, str(demo), "--out", str(target))
    assert data_of(written)["timings"] is None
    assert data_of(target.read_text(encoding="utf-8"))["timings"]["state"] == "done"


def test_the_page_has_the_numbers_of_the_ledger(demo: Path) -> None:
    workspace = corpus.open(str(demo))
    data = data_of((demo / "report.html").read_text(encoding="utf-8"))
    decisions = workspace.decisions().to_table()
    assert sum(data["outcomes"]["read"]) == decisions.num_rows
    kept = decisions["kept"].to_pylist().count(True)
    assert sum(data["outcomes"]["train"]) + sum(data["outcomes"]["valid"]) == kept == data["totals"]["kept"]
    assert sum(data["outcomes"]["tokens"]) == sum(shard["tokens"] for shard in workspace.tokens()["shards"])
    failed = [name for row in decisions["failed_rules"].to_pylist() for name in row or ()]
    assert {rule["name"]: sum(rule["failed"][1::2]) for rule in data["rules"] if rule["failed"]} == {
        name: failed.count(name) for name in set(failed)
    }


def test_it_needs_nothing_from_elsewhere(demo: Path) -> None:
    content = (demo / "report.html").read_text(encoding="utf-8")
    outside = content.split('id="data">')[0] + content.split("</script>", 1)[1]
    assert "default-src 'none'" in outside
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", outside)
    assert "@import" not in outside and "url(" not in outside


def test_samples_lie_on_their_side_of_the_cut(demo: Path) -> None:
    workspace = corpus.open(str(demo))
    rules = read_ledger(workspace, ["rules"])["rules"]
    found = sample_beside_cuts(workspace, rules, 3)
    assert len(found) > 20
    for (rule, kept), rows in found.items():
        assert 1 <= len(rows) <= 3
        for row in rows:
            assert row["kept"] == kept
            assert (rule in row["failed_rules"]) != kept
            over = row["value"] > row["limit"] if rule.endswith(".max") else row["value"] < row["limit"]
            assert bool(over) != kept or abs(row["value"] - row["limit"]) < 1e-6
        distances = [abs(row["value"] - row["limit"]) / max(abs(row["limit"]), 0.01) for row in rows]
        assert distances == sorted(distances)


def test_few_groups_keep_every_document(demo: Path) -> None:
    workspace = corpus.open(str(demo))
    tables = read_ledger(workspace, REPORT_TABLES)
    groups = Groups(tables["counts"], 3)
    assert len(groups.pairs) <= 3 + 2
    assert {pair for pair in groups.pairs if pair[1] == "others"} == {
        ("web", "others"),
        ("wikipedia", "others"),
    }
    small = build_report_data(tables, workspace.tokens(), {}, 3)
    large = build_report_data(tables, workspace.tokens(), {}, 400)
    for name in small["outcomes"]:
        assert sum(small["outcomes"][name]) == sum(large["outcomes"][name])


def test_alarms_say_what_and_where(demo: Path) -> None:
    tables = read_ledger(corpus.open(str(demo)), REPORT_TABLES)
    streams = {"streams": [{"source": "web", "language": "tha_Thai", "epochs": 7.5}]}
    found = find_alarms(tables, streams, 0.05)
    assert Alarm(0, "mixture: web tha_Thai is seen 7.5 times per pass over the corpus: more than four repetitions "
                 "gain little") in found  # fmt: skip
    assert found == sorted(found, key=lambda alarm: (-alarm.weight, alarm.text))
    counts = tables["counts"].to_pylist()
    rows = [dict(row, documents=row["documents"] if row["what"] != "kept" else 0) for row in counts]
    nothing = {**tables, "counts": tables["counts"].from_pylist(rows, tables["counts"].schema)}
    assert any(alarm.text.startswith("source web: 0 of") for alarm in find_alarms(nothing, {}, 0.05))


def test_a_page_of_a_hostile_corpus_holds_no_markup_of_its_own(hostile: Path) -> None:
    content = (hostile / "report.html").read_text(encoding="utf-8")
    assert len(content.encode()) < 1_000_000
    assert content.count("<script") == 3
    assert "<img" not in content and "<svg" not in content
    data = data_of(content)
    assert any("<script>" in sample["text"] for rule in data["rules"] for sample in rule["samples"])


def check(content: str, tmp_path: Path, **options: Any) -> str:
    """The DOM of a page, which drew itself, wrote nothing to the console and is no wider than the window."""
    target = tmp_path / "page.html"
    target.write_text(with_script(content, MEASURE), encoding="utf-8")
    dom, console = opened(target, **options)
    assert console == []
    assert 'data-ready="yes"' in dom
    assert 'data-wide="0"' in dom
    assert "data-owned" not in dom
    return dom


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (500, True)])
def test_it_draws_itself_in_a_browser(demo: Path, tmp_path: Path, width: int, dark: bool) -> None:
    content = (demo / "report.html").read_text(encoding="utf-8")
    dom = check(content, tmp_path, width=width, dark=dark)
    data = data_of(content)
    shown = unescape(re.sub(r"<script.*?</script>", "", dom, flags=re.DOTALL))
    assert f"{data['totals']['read']:,}" in shown
    failing = [rule["name"] for rule in data["rules"] if rule["failed"]]
    assert all(name in shown for name in failing)
    charts = re.search(r'data-charts="(\d+)"', dom)
    assert charts is not None and int(charts.group(1)) >= 10


def test_filters_come_with_the_address(demo: Path, tmp_path: Path) -> None:
    content = (demo / "report.html").read_text(encoding="utf-8")
    data = data_of(content)
    read = sum(
        number
        for number, group in zip(data["outcomes"]["read"], data["groups"], strict=True)
        if group == ["web", "tha_Thai"]
    )
    dom = check(content, tmp_path, fragment="#source=web&language=tha_Thai")
    assert f"<b>{read}</b><span>documents read</span>" in dom


@pytest.mark.parametrize("width", [1200, 500])
def test_hostile_texts_run_nothing_and_break_nothing(hostile: Path, tmp_path: Path, width: int) -> None:
    dom = check((hostile / "report.html").read_text(encoding="utf-8"), tmp_path, width=width)
    assert "&lt;script&gt;" in dom


def test_the_license_of_the_chart_library_is_beside_it() -> None:
    assert "Permission is hereby granted" in data_path("report", "uplot-LICENSE").read_text(encoding="utf-8")
