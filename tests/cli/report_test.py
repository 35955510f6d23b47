"""The report: every number of the ledger, drawn without an error, whatever the texts try."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import corpus
from corpus.data import data_path
from corpus.inspect.cuts import sample_beside_cuts
from corpus.inspect.html_text import excerpt_lines, shorten_middle, shorten_paths
from corpus.inspect.report import REPORT_TABLES, build_report_page, render_page
from corpus.inspect.report_data import Groups, _build_quarantine, build_report_data
from corpus.ledger.alarms import find_alarms
from corpus.ledger.tables import read_ledger
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.report import report
from corpus.validation import Shares
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


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("crawl/a.warc.gz", "crawl/a.warc.gz"),
        ("/srv/archive/" + "x" * 60 + "/2024-01/a.warc.gz", "/srv/archive/ … xxxx/2024-01/a.warc.gz"),
        (
            "/数据/" + "网页" * 30 + "/甲.jsonl.gz",
            "/数据/网页网页网页网页网 … 页网页网页网页网页网页/甲.jsonl.gz",
        ),
    ],
)
def test_a_long_path_loses_its_middle(path: str, shown: str) -> None:
    assert shorten_middle(path, 40).startswith(shown[:10]) and shorten_middle(path, 40).endswith(shown[-12:])
    assert len(shorten_middle(path, 40)) <= 40


def test_paths_that_would_look_the_same_are_whole() -> None:
    alike = [f"/srv/archive/{'x' * 80}{part}{'y' * 80}/texts.jsonl" for part in ("one", "two")]
    other = f"/srv/{'z' * 90}/rows.parquet"
    first, second, third = shorten_paths([*alike, other], 60)
    assert [first, second] == alike
    assert len(third) <= 60 and third.startswith("/srv/zz") and third.endswith("/rows.parquet")


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


def test_the_head_says_what_was_built_from_what(demo: Path, tmp_path: Path) -> None:
    target = tmp_path / "with-times.html"
    run(report, str(demo), "--out", str(target))
    data = data_of(target.read_text(encoding="utf-8"))
    assert data["version"] == corpus.__version__
    assert data["timings"]["versions"]["Python"] and data["timings"]["stages"][0]["workers"] == 1
    web, wiki = data["sources"]
    assert (web["name"], web["kind"], web["rules"]) == ("web", "warc", ["fineweb", "language"])
    assert (wiki["files"], wiki["license"], wiki["paths"]) == (3, "CC-BY-SA-4.0", ["demo/*.xml.bz2"])
    assert wiki["whole_paths"] == wiki["paths"]
    assert sum(source["read"] for source in data["sources"]) == data["totals"]["read"]
    folder = data_path("demo.yaml").parent / "demo"
    assert web["bytes"] == sum(path.stat().st_size for path in folder.glob("*.warc.gz"))
    assert data["manifest"].startswith("name: demo\n")
    assert corpus.open(str(demo)).input_sizes()["wikipedia"]["bytes"] == wiki["bytes"]


def test_languages_have_names_and_no_language_is_none(demo: Path) -> None:
    data = data_of((demo / "report.html").read_text(encoding="utf-8"))
    assert data["names"]["tha_Thai"] == "Thai" and data["names"]["cmn_Hant"] == "Chinese (traditional)"
    read = {language for _, language in data["groups"]}
    assert data["languages"]["read"] == len({label for label in read if not label.startswith("und")})
    assert data["languages"]["kept"] <= data["languages"]["read"]


def test_texts_beside_a_cut_keep_their_lines(demo: Path) -> None:
    data = data_of((demo / "report.html").read_text(encoding="utf-8"))
    texts = [sample["text"] for rule in data["rules"] for sample in rule["samples"]]
    assert sum("\n" in text for text in texts) > len(texts) / 2
    assert max(text.count("\n") for text in texts) < 12
    assert all(rule["measures"] for rule in data["rules"])


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("Every word of this line is whole.", "Every word of this line is ..."),
        ("Каждое слово этой строки остаётся целым.", "Каждое слово этой строки ..."),
        (
            "這一行裡的每一個詞都是完整的，不會從中間被截斷，也不會丟失任何字。",
            "這一行裡的每一個詞都是完整的，不會從中間被截斷，也不會 ...",
        ),
        ("แม่น้ำสายนี้ไหลผ่านเมืองเก่าและทุ่งนา", "แม่น้ำสายนี้ไหลผ่านเมืองเก่า ..."),
        ("🙂" * 40, "🙂" * 28 + " ..."),
        ("x" * 90, "x" * 28 + " ..."),
        ("short " + "y" * 90, "short ..."),
        ("kurz", "kurz"),
    ],
)
def test_excerpts_end_behind_a_word(text: str, excerpt: str) -> None:
    assert excerpt_lines(text, 28, 3) == excerpt


def test_failures_are_listed_by_kind_with_an_example_and_the_rest_is_counted() -> None:
    rows = [
        {
            "source": source,
            "step": "read",
            "reason": f"kind {at}",
            "records": at,
            "file": "a.gz",
            "offset": 1000 * at,
        }
        for at in range(1, 30)
        for source in ("web", "新闻")
    ]
    listed = _build_quarantine(pa.Table.from_pylist([*rows, {**rows[-1], "records": 1, "source": "b"}]))
    assert listed["rows"][0] == {
        "step": "read",
        "reason": "kind 29",
        "sources": [["web", 29, "a.gz @ 29,000"], ["新闻", 29, "a.gz @ 29,000"], ["b", 1, "a.gz @ 29,000"]],
    }
    assert (len(listed["rows"]), listed["more"], listed["more_records"]) == (20, 9, 90)


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
    shares = Shares(0.05, {})
    streams = {"streams": [{"source": "web", "language": "tha_Thai", "epochs": 7.5}]}
    found = find_alarms(tables, streams, shares)
    (repeated,) = [
        alarm.text for alarm in found if alarm.text.startswith("mixture: web tha_Thai is seen 7.5 times")
    ]
    assert "Lower its weight in `mixture`" in repeated and len(repeated) <= 400
    unread = {**tables, "quarantine": pa.table({"source": ["код"], "records": [1]})}
    (quarantined,) = [alarm.text for alarm in find_alarms(unread, {}, shares) if "could not" in alarm.text]
    assert (
        "1 record could not be read" in quarantined
        and "`corpus sample DIR --quarantine --source код`" in quarantined
    )
    assert found == sorted(found, key=lambda alarm: (-alarm.weight, alarm.text))
    counts = tables["counts"].to_pylist()
    rows = [dict(row, documents=row["documents"] if row["what"] != "kept" else 0) for row in counts]
    nothing = {**tables, "counts": tables["counts"].from_pylist(rows, tables["counts"].schema)}
    (lost,) = [alarm.text for alarm in find_alarms(nothing, {}, shares) if "next to nothing" in alarm.text]
    assert lost.startswith("next to nothing is kept of 2 sources: web (0 of ") and "wikipedia (0 of " in lost


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


def test_hostile_texts_run_nothing_and_break_nothing(hostile: Path, tmp_path: Path) -> None:
    dom = check((hostile / "report.html").read_text(encoding="utf-8"), tmp_path)
    assert "&lt;script&gt;" in dom


TELL = """
const name = document.querySelector("#rules h3");
getSelection().selectAllChildren(name);
const copied = [getSelection().toString(), name.childElementCount];
const seen = [];
const search = document.querySelector("input[type=search]");
for (const words of ["", "WORDS min", "nothing of this kind"]) {
  search.value = words; search.dispatchEvent(new Event("input"));
  seen.push(document.querySelectorAll("details.rule:not([hidden])").length);
}
search.value = ""; search.dispatchEvent(new Event("input"));
document.querySelectorAll(".tools button")[1].click();
parent.postMessage({
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  ready: document.documentElement.dataset.ready, owned: "owned" in document.documentElement.dataset, seen, copied,
  held: [...document.querySelectorAll("#validation tr")].map((row) => [...row.children].map((c) => c.textContent)),
  quarantine: document.querySelector("#quarantine tbody tr")?.textContent,
  links: document.querySelector("nav").textContent,
  open: document.querySelectorAll("details.rule[open]").length,
  charts: document.querySelectorAll(".chart canvas").length,
  first: document.querySelector("#languages tbody td").textContent,
  last: [...document.querySelectorAll("#languages tbody tr")].pop().firstChild.textContent,
  cards: document.querySelector(".cards").textContent,
  codes: [...document.querySelectorAll(".alarms code")].map((code) => code.textContent),
}, "*");
"""


def enlarge(data: Any) -> Any:
    """The page's data with a thousand rules and fifty more languages; of the last, three are kept, all to train on."""
    rules = data["rules"]
    copies = [{**rule, "name": f"copy{n}.{rule['name']}", "samples": []} for n in range(40) for rule in rules]
    groups = [*data["groups"], *(["web", f"q{chr(97 + n // 26)}{chr(97 + n % 26)}_Latn"] for n in range(50))]
    outcomes = {
        name: [*values, *[0] * 49, 3 if name in ("kept", "train") else 0]
        for name, values in data["outcomes"].items()
    }
    return {**data, "rules": [*rules, *copies], "groups": groups, "outcomes": outcomes}


def test_narrow_screens_long_corpora_and_the_search(demo: Path, hostile: Path, tmp_path: Path) -> None:
    """In frames 360 pixels wide: a browser's window is at least 500."""
    long = enlarge(data_of((demo / "report.html").read_text(encoding="utf-8")))
    places = [["web", 1200, "a @ 7"], *([f"s{at}", 9, "b @ 1"] for at in range(5))]
    failure = {"reason": "not UTF-8: byte … in position …", "step": "read", "sources": places}
    long["quarantine"] = {"rows": [failure], "more": 3, "more_records": 5}
    long["alarms"] = ["tha_Thai fails: `rules: {languages: ...}` sets another"]
    pages = {"long": render_page(long), "hostile": (hostile / "report.html").read_text(encoding="utf-8")}
    for name, content in pages.items():
        (tmp_path / f"{name}.html").write_text(with_script(content, TELL), encoding="utf-8")
    frames = "".join(
        f'<iframe name="{name}" src="{name}.html" width="360" height="800"></iframe>' for name in pages
    )
    frame = tmp_path / "frames.html"
    frame.write_text(
        f"<!doctype html><body>{frames}<pre></pre><script>const all = {{}}; onmessage = (event) => {{"
        "all[event.source === frames[0] ? 'long' : 'hostile'] = event.data;"
        "document.querySelector('pre').textContent = JSON.stringify(all); };</script></body>",
        encoding="utf-8",
    )
    dom, console = opened(frame)
    assert console == []
    seen = json.loads(unescape(dom.split("<pre>")[1].split("</pre>")[0]))
    for one in seen.values():
        assert (one["wide"], one["ready"], one["owned"]) == (0, "yes", False)
        assert one["seen"][2] == one["open"] == 0
    failing = sum(bool(rule["failed"]) for rule in long["rules"])
    assert seen["long"]["seen"][0] == failing > 900
    assert 0 < seen["long"]["seen"][1] < failing / 2
    assert seen["long"]["charts"] <= 20, "charts of rules that nobody opened are drawn"
    assert seen["long"]["first"] == "English eng_Latn" and seen["long"]["last"].startswith("no language")
    assert seen["long"]["codes"] == ["tha_Thai", "rules: {languages: ...}"]
    failing_most = max((rule for rule in long["rules"]), key=lambda rule: sum(rule["failed"][1::2]))
    assert seen["long"]["copied"][1] == 0 and seen["long"]["copied"][0].strip() in {
        rule["name"]
        for rule in long["rules"]
        if sum(rule["failed"][1::2]) == sum(failing_most["failed"][1::2])
    }
    head, *languages, whole = seen["long"]["held"]
    assert head == ["language", "documents", "of kept", "asked", "tokens", "web", "wikipedia"]
    assert whole[0] == "all" and int(whole[1]) == long["totals"]["valid"] == int(whole[5]) + int(whole[6])
    assert int(whole[1]) == sum(int(row[1]) for row in languages if row[1] != "none")
    assert any(row[1] == "none" for row in languages), "a language without validation text is marked"
    assert seen["long"]["quarantine"] == (
        "not UTF-8: byte … in position …1,245web (1,200), s0 (9), s1 (9), s2 (9) and 2 morereada @ 7"
    )
    assert "Timings" not in seen["long"]["links"]
    assert seen["hostile"]["cards"].endswith("1source")


def test_the_license_of_the_chart_library_is_beside_it() -> None:
    assert "Permission is hereby granted" in data_path("report", "uplot-LICENSE").read_text(encoding="utf-8")
