"""`corpus plan`: the plan and a forecast that the build then meets."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

import corpus
from corpus.data import data_path
from corpus.errors import UserError
from corpus.inspect.readable import shorten_rule_name
from corpus.pipelines.build.dry_run import dry_run, spread_splits
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.cli.plan import describe_plan, format_time, plan, print_forecast, print_plan
from corpus.sources.input_split import InputSplit
from tests.cli.running import run
from tests.ledger.demo import demo_workspace

DEMO = str(data_path("demo.yaml"))


@pytest.fixture(scope="module")
def planned() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(plan, DEMO, "--documents", "100000", "--json"))
    return found


def test_a_dry_run_on_everything_foretells_what_the_build_gives(planned: dict[str, Any]) -> None:
    workspace = corpus.open(str(demo_workspace()))
    forecast = planned["forecast"]
    assert forecast["documents"] == workspace.documents().count_rows()
    assert forecast["share"] == 1
    kept = {row["source"]: row["kept"] for row in forecast["sources"]}
    decisions = workspace.decisions().to_table(columns=["source", "kept"])
    rows = decisions.filter(decisions["kept"])["source"].value_counts().to_pylist()
    assert kept == {row["values"]: row["counts"] for row in rows}
    totals = workspace.tokens()["totals"]
    assert sum(row["tokens"] for row in forecast["sources"]) == sum(
        side["tokens"] for side in totals.values()
    )
    drawn = {(row["source"], row["language"]): row["epochs"] for row in forecast["mixture"]}
    assert len(drawn) == sum(len(s["languages"]) for s in totals["train"]["sources"].values())
    assert forecast["seconds"]["ingest"] > 0 and forecast["memory"] > 50_000_000
    size = sum(path.stat().st_size for path in Path(workspace.path("documents")).rglob("*.parquet"))
    assert forecast["disk"]["documents"] == pytest.approx(size, rel=0.2)


def test_a_smaller_one_is_scaled(planned: dict[str, Any]) -> None:
    found = json.loads(run(plan, DEMO, "--documents", "100", "--json"))["forecast"]
    assert 50 <= found["documents"] <= 200 and found["share"] < 1
    whole = {row["source"]: row["read"] for row in planned["forecast"]["sources"]}
    for row in found["sources"]:
        assert whole[row["source"]] / 3 < row["read"] < whole[row["source"]] * 3


def test_the_plan_without_a_dry_run(planned: dict[str, Any]) -> None:
    found = json.loads(run(plan, DEMO, "-n", "0", "--json"))
    assert found == {**planned, "forecast": None}
    assert {row["source"]: row["kind"] for row in found["sources"]} == {
        "web": "warc",
        "wikipedia": "wikipedia",
    }
    assert sum(row["splits"] for row in found["sources"]) == len(corpus.open(str(demo_workspace())).splits())
    assert found["minhash"]["compared"]["0.8"] == pytest.approx(1 - (1 - 0.8**8) ** 14, abs=1e-4)


def test_it_is_bounded_by_a_share_of_small_sources_and_by_seconds(planned: dict[str, Any]) -> None:
    build_plan = make_plan(DEMO)
    small = dry_run(build_plan, 1000, seconds=600, is_small=True)
    assert small.share < 0.4 and 80 <= small.documents < planned["forecast"]["documents"] / 2
    assert {row["source"] for row in small.sources if row["read"]} == {"web", "wikipedia"}
    assert small.measured > 0 and len(small.languages) > 8 and not small.stopped
    short = dry_run(build_plan, 1000, seconds=0)
    assert 2 <= short.documents < small.documents / 2 and set(short.stopped) == {"web", "wikipedia"}
    whole = {row["source"]: row["read"] for row in planned["forecast"]["sources"]}
    for row in small.sources:
        assert whole[row["source"]] / 2 < row["read"] < whole[row["source"]] * 2


def test_it_fits_80_columns() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    planned = make_plan(DEMO)
    print_plan(console, describe_plan(planned))
    print_forecast(console, dry_run(planned, 60, lambda stage, done, total: None), 1, 20)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(cell_len(line) for line in printed.splitlines()) <= 80
    assert "rules for web" in printed and "of pairs are compared" in printed and "by language" in printed
    rule = re.search(r"^gopher.mean_word_length.max.*\n(?: .*\n)*", printed, re.MULTILINE)
    others = " ".join(rule[0].split()[3:]) if rule else ""
    assert re.fullmatch(r"(\w+ [\d.]+(, )?){3} and \d+ more", others), others


def test_idle_rules_are_named_with_their_source(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "河"}\n')
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        "name: idle\nsources: {mine: {kind: jsonl, paths: [in.jsonl]}}\nrules: {text.letters: {min: 0}}\n"
    )
    printed = " ".join(run(plan, str(manifest), "-n", "0").split())
    assert "mine: text.letters.min (all languages): no text can fail it" in printed
    manifest.write_text(manifest.read_text().replace("text.letters", "text.lettres"))
    with pytest.raises(
        UserError, match=r"m.yaml:3: rules.text.lettres: the signal text.lettres, which nothing"
    ):
        run(plan, str(manifest))


def test_the_dry_run_looks_all_over_a_source() -> None:
    splits = [InputSplit("web", f"{at:03}", f"{at:03}", 0, 1 if at % 2 else 1000, "") for at in range(100)]
    first = [split.file for split, _ in zip(spread_splits(splits), range(8), strict=False)]
    assert first == ["006", "018", "030", "042", "056", "068", "080", "092"]
    assert sorted(split.file for split in spread_splits(splits)) == [split.file for split in splits]


def test_durations_and_names_for_people() -> None:
    assert [format_time(s) for s in (7, 150, 9000, 400_000)] == ["7 s", "2.5 min", "2.5 h", "4.6 days"]
    names = ["gopher.words.min", "gopher_repetition.duplicate_paragraph_characters.max"]
    assert [shorten_rule_name(name, 38) for name in names] == [
        names[0],
        "go….duplicate_paragraph_characters.max",
    ]
    assert len(shorten_rule_name(names[1], 25)) == 25
