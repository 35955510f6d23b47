"""Lines that rules cut, in a build: spans beside stored texts, applied where they are read, switched later."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.edits.applied import read_applied
from corpus.errors import RunError, UserError
from corpus.inspect.sample_page import build_sample_page
from corpus.inspect.samples import DocumentQuery, choose_documents
from corpus.ledger.tables import read_ledger
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.redecide import compare_changes, decide_again
from corpus.pipelines.cli.build import check_kept
from corpus.text.page import Page
from corpus.verify.workspace import verify_workspace
from tests.dedup.texts import STORIES
from tests.pipelines.redact_test import build, hash_shards, read_tokens

STORY, CHINESE = STORIES["eng_Latn"].strip(), STORIES["cmn_Hans"].strip()
TEXTS = [
    f"Skip to content\n{STORY}\nRead more...\n12 comments",
    f"{CHINESE}\n相关阅读\n京ICP备12345678号-2",
    STORY + " And so on.",
    "Share on Facebook\nAll rights reserved",
]
KEPT = [STORY, CHINESE, STORY + " And so on."]


def test_lines_are_cut_counted_and_put_back(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text}) for text in TEXTS]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    running = Running(workers=1)
    more = (
        "clean: {lines: {boilerplate: cut, c4_terminal: count}}\n"
        "rules: {clean.kept: {min: 0.0}, clean.words: {min: 0}}"
    )
    workspace = build(tmp_path, more)
    assert read_tokens(workspace) == sorted(KEPT)
    assert sum(sum(of.values()) for of in workspace.tokens()["emptied"].values()) == 1
    assert sorted(workspace.documents().to_table()["text"].to_pylist()) == sorted(TEXTS)
    measured: dict[str, dict[str, float]] = {}
    for source, split in workspace.splits():
        texts = pq.read_table(workspace.part("documents", source, split))["text"].to_pylist()
        signals = pq.read_table(workspace.part("signals/clean", source, split)).to_pylist()
        measured |= dict(zip(texts, signals, strict=True))
    assert measured[TEXTS[2]] == {"clean.kept": 1.0, "clean.words": len(Page(TEXTS[2]).words)}
    assert measured[TEXTS[3]]["clean.words"] == 0 and measured[TEXTS[3]]["clean.kept"] < 0.05
    assert measured[TEXTS[0]]["clean.words"] == len(Page(STORY).words)
    rows = read_ledger(workspace, ["edits"])["edits"].to_pylist()
    kinds = {row["kind"]: (row["step"], row["applied"]) for row in rows}
    assert kinds["filings"] == ("clean", True) and kinds["c4_terminal"] == ("clean", False)
    [page] = [build_sample_page(choose_documents(workspace, DocumentQuery(kept=True), 10, 0), "t", full=True)]
    struck = re.findall(r"<del[^>]*>(.*?)</del>", page, re.DOTALL)
    assert any("Read more" in text for text in struck) and not any(STORY[:20] in text for text in struck)
    assert verify_workspace(workspace.root).good
    difference = compare_changes(
        workspace.root, None, {"clean.filings": "count", "clean.c4_terminal": "cut"}, running, 0
    )
    changed = {row["kind"]: row["documents"] for row in difference.edits}
    assert (
        changed["filings"] == [1, 0]
        and changed["c4_terminal"][0] == 0
        and set(changed) == {"filings", "c4_terminal"}
    )
    dropped = compare_changes(workspace.root, None, {"clean.kept.min": 0.5}, running, 0)
    assert sum(row["gone"] for row in dropped.rows) == 1
    with pytest.raises(UserError, match="refinedweb_counter is not among the rules on lines"):
        compare_changes(workspace.root, None, {"clean.refinedweb_counter": "cut"}, running, 0)
    for change, message in (
        ({"clean.cookie": "cut"}, "did you mean cookies"),
        ({"clean.cookies": "hide"}, "say cut"),
    ):
        with pytest.raises(UserError, match=message):
            compare_changes(workspace.root, None, change, running, 0)
    decide_again(workspace.root, None, {"clean.boilerplate": "count"}, running, lambda line: None)
    assert sorted(read_tokens(workspace)) == sorted(TEXTS) and read_applied(workspace) == {}
    plain = build(tmp_path, "", "plain")
    assert hash_shards(plain) == hash_shards(workspace) and not Path(plain.path("edits")).exists()


def test_words_are_counted_where_a_rule_asks_for_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f"{json.dumps({'text': TEXTS[0]})}\n", encoding="utf-8")
    running = Running(workers=1)
    workspace = build(tmp_path, "clean: {lines: [boilerplate]}")
    [place] = workspace.splits()
    read = partial(pq.read_table, workspace.part("signals/clean", *place))
    assert read()["clean.words"].to_pylist() == [None] and read()["clean.kept"].to_pylist() != [None]
    change = {"clean.words.min": 5.0}
    with pytest.raises(UserError, match=r"clean.words of \w+ was not counted, for no rule asked for it"):
        compare_changes(workspace.root, None, change, running, 0)
    decide_again(workspace.root, None, change, running, lambda line: None)
    assert read()["clean.words"].to_pylist() == [len(Page(STORY).words)]
    dropped = compare_changes(workspace.root, None, {"clean.words.min": 9000.0}, running, 0)
    assert sum(row["gone"] for row in dropped.rows) == 1


def test_a_build_whose_documents_are_all_cut_whole_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f"{json.dumps({'text': TEXTS[3]})}\n", encoding="utf-8")
    workspace = build(tmp_path, "clean: {lines: [boilerplate]}")
    assert workspace.tokens()["shards"] == []
    with pytest.raises(
        RunError, match=r"edits leave nothing of all 1 kept documents: `corpus stats .* --by edit`"
    ):
        check_kept(workspace)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "clean: {lines: [cookie]}",
            "clean.lines: no rule on lines is called 'cookie': did you mean cookies?",
        ),
        ("clean: {lines: {c4: hide}}", "clean.lines: c4: say count, cut, off"),
        ("clean: {lines: 7}", "clean.lines: rules are named"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, more: str, message: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(UserError, match=re.escape(message)):
        build(tmp_path, more)
