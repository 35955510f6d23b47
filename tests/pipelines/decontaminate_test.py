"""Evaluation sets in a build: what is dropped, cut and marked, what must be free of it, and what decide can change."""

from __future__ import annotations

import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import corpus
from corpus.classifier.training_texts import read_texts
from corpus.decontamination.hits import read_hits, read_part, sets_path
from corpus.edits.parts import read_edits
from corpus.errors import UserError
from corpus.experiments import arms
from corpus.experiments.held_out import HeldOutPiece, leave_out_items
from corpus.inspect.evidence import build_contamination_section, choose_hits, list_unsought
from corpus.manifest import load_manifest
from corpus.pipelines import decontaminate, item_scan
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.changes import explain_changes
from corpus.pipelines.build.dry_run import dry_run
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.rebuild import rebuild_splits
from corpus.pipelines.build.redecide import compare_changes, decide_again
from corpus.pipelines.cli.sample import sample
from corpus.pipelines.cli.stats import stats
from corpus.tokens.rows import read_kept_groups
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.cli.running import run

ITEMS: dict[str, list[dict[str, Any]]] = {
    "arithmetic": [
        {
            "question": "Nine ferries carry forty passengers each across the strait; how many cross in three trips?",
            "answer": "In three trips nine ferries carry one thousand and eighty passengers.",
        },
        {"question": "How many knots has a net of twelve rows if every row is tied thirteen times by two sailors?"},
    ],
    "常识": [
        {
            "question": "冬天在湖面上结的冰为什么总是先从岸边开始慢慢向湖心延伸",
            "choices": ["岸边的水更浅", "岸边的风更大", "湖心的鱼更多"],
        },
    ],
    "proverbs": [
        {"question": "Whoever counts the stars at noon will never find his way home before the winter rain"},
        {"question": "Give the donkey of your neighbour water and he will carry your grain to the mill for years"},
        {"question": "three words only"},
    ],
}  # fmt: skip
ACTIONS = {"arithmetic": "drop", "常识": "cut", "proverbs": "mark"}
COMMON = ITEMS["proverbs"][1]["question"]
TOPICS = ["harbours", "apples", "violins", "bridges", "camels", "glaciers", "mirrors", "candles"]


def write_out(item: dict[str, Any]) -> str:
    return "\n".join([item["question"], *item.get("choices", []), item.get("answer", "")]).strip()


def page(number: int, inside: str = "") -> str:
    topic = TOPICS[number % len(TOPICS)]
    words = " ".join(f"{topic}{number * at % 97} of kind {at}" for at in range(1, 40))
    return f"A page about {topic}, number {number}.\n\n{inside}\n\nWhat else there is: {words}."


def write_corpus(folder: Path, more: str = "", validation: float = 0.0, home: Path | None = None) -> Path:
    """A manifest, of input in the folder `home`: 40 pages of as many sites; the first five hold items, the third one
    twice, 20 to 31 the common proverb."""
    leaked = [*ITEMS["arithmetic"], *ITEMS["常识"], ITEMS["proverbs"][0], ITEMS["proverbs"][0]]
    texts = [page(at, write_out(item)) for at, item in enumerate(leaked)]
    texts[2] += f"\n\n{write_out(ITEMS['常识'][0])}\n\nAnd more of what else there is."
    texts += [page(at, COMMON if 20 <= at < 32 else "") for at in range(len(leaked), 40)]
    rows = [
        {"id": str(at), "text": text, "url": f"https://site{at}.example/p"} for at, text in enumerate(texts)
    ]
    for name, part in (("one", rows[:22]), ("two", rows[22:])):
        lines = [json.dumps(row) for row in part]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, items in ITEMS.items():
        (folder / "sets").mkdir(exist_ok=True)
        lines = [json.dumps(item) for item in items]
        (folder / "sets" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = folder / "m.yaml"
    home = home or folder
    sets = ", ".join(f"{{path: {home}/sets/{name}.jsonl, action: {ACTIONS[name]}}}" for name in ITEMS)
    manifest.write_text(
        f"name: m\ntokenizer: {{vocabulary: 300}}\nvalidation: {{share: {validation}, least: 0}}\ndedup: false\n"
        f"decontaminate:\n  sets: [{sets}]\n  margin: 3\n{more}"
        f"sources:\n  web: {{kind: jsonl, paths: [{home}/one.jsonl, {home}/two.jsonl], rules: []}}\n",
        encoding="utf-8",
    )
    return manifest


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("decontaminate")
    corpus.build(str(write_corpus(folder)), str(folder / "out"), workers=1)
    return Workspace.open(str(folder / "out"))


def read_rows(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Documents with decisions and signals of the step, by the number of their page."""
    rows: dict[str, dict[str, Any]] = {}
    for split in workspace.splits():
        parts = ("documents", "decisions", "signals/decontamination")
        tables = [read_part(workspace.part(folder, *split)).to_pylist() for folder in parts]
        for at, columns in enumerate(zip(*tables, strict=True)):
            merged: dict[str, Any] = {"split_name": split, "row": at}
            for each in columns:
                merged |= each
            rows[str(merged["url"]).removeprefix("https://site").partition(".")[0]] = merged
    return rows


def list_verdicts(workspace: Workspace) -> set[tuple[str, str]]:
    return {
        (f"{row['set']}/{row['item']}", row["verdict"]) for _, _, rows in read_hits(workspace) for row in rows
    }


def test_documents_are_dropped_cut_and_marked(built: Workspace) -> None:
    rows = read_rows(built)
    assert list_verdicts(built) == {
        ("arithmetic/1", "hit"), ("arithmetic/2", "hit"), ("常识/1", "hit"), ("proverbs/1", "hit"),
        ("proverbs/2", "common"),
    }  # fmt: skip
    assert [rows[str(at)]["failed_rules"] for at in range(4)] == [["decontamination.drop.max"]] * 2 + [[]] * 2
    assert [number for number, row in rows.items() if not row["kept"]] == ["0", "1"]
    held = {
        number: row["decontamination.items"] for number, row in rows.items() if row["decontamination.items"]
    }
    assert held == dict.fromkeys(("0", "1", "2", "3", "4"), 1)
    assert rows["3"]["decontamination.score"] == 1
    cut = rows["2"]
    edits = read_edits(built, *cut["split_name"], ["decontamination"])
    inside = write_out(ITEMS["常识"][0])
    for edit, around in zip(edits.of_row(cut["row"]), (("2.", "What"), (".", "And")), strict=True):
        assert (edit.kind, edit.replacement) == ("contamination", None)
        assert cut["text"][edit.start : edit.end] in f"{around[0]}\n\n{inside}\n\n{around[1]}"
        assert inside in cut["text"][edit.start : edit.end]
    assert inside in cut["text"] and "湖" not in edits.apply(cut["row"], cut["text"])
    assert sum(len(read_edits(built, *split, ["decontamination"])) for split in built.splits()) == 2
    assert verify_workspace(built.root).good


def test_what_holds_items_trains_no_tokenizer_and_no_classifier(built: Workspace) -> None:
    trains = {}
    for split in built.splits():
        for group in read_kept_groups(built.part("documents", *split), built.part("decisions", *split)):
            trains |= dict(
                zip(group.columns["id"].to_pylist(), group.columns["trains"].to_pylist(), strict=True)
            )
    rows = read_rows(built)
    assert {number for number, row in rows.items() if trains.get(row["id"]) is False} == {"2", "3", "4"}
    texts = {each.text for each in read_texts(f"{built.root}:source=web")}
    assert texts == {row["text"] for row in rows.values() if row["kept"] and not row["decontamination.items"]}


def test_what_holds_items_is_no_neutral_text_and_trains_no_tokenizer_of_an_experiment(
    built: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [
        "A page of nothing.",
        page(50, write_out(ITEMS["arithmetic"][0])),
        page(51, write_out(ITEMS["常识"][0])),
    ]
    pieces = [HeldOutPiece(source="a file", language="eng_Latn", text=text) for text in texts]
    said: list[str] = []
    assert leave_out_items(pieces, [built.root], said.append) == pieces[:1]
    assert said == ["held-out text: 2 passages hold items of evaluation sets and are not measured"]
    learned: list[str] = []
    monkeypatch.setattr(arms, "count_pieces", lambda texts, pattern: learned.extend(texts) or {})
    monkeypatch.setattr(arms, "train_tokenizer", lambda counts, options: "")
    arm = arms.Arm(name="A", workspace=built.root)
    arms.train_common_tokenizer([arm], 300)
    rows = read_rows(built)
    assert set(learned) == {
        row["text"] for row in rows.values() if row["kept"] and not row["decontamination.items"]
    }
    trained = [
        text for _, table in arms.read_kept(built, ["id", "text"]) for text in table["text"].to_pylist()
    ]
    assert len(trained) == 38 and not any("湖" in text for text in trained)  # what `cut` takes is in no arm


def test_what_holds_items_is_no_validation(tmp_path: Path) -> None:
    corpus.build(str(write_corpus(tmp_path, validation=0.9)), str(tmp_path / "out"), workers=1)
    workspace = Workspace.open(str(tmp_path / "out"))
    rows = read_rows(workspace)
    assert {row["split"] for row in rows.values() if row["decontamination.items"]} <= {None, "train"}
    gone = [row for row in rows.values() if "decontamination.validation" in (row["failed_rules"] or ())]
    assert gone and not any(row["kept"] for row in gone)
    assert verify_workspace(workspace.root).good


def test_a_copy_may_refer_to_what_must_not_be_validation(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path, validation=0.9)
    text = manifest.read_text("utf-8").replace("dedup: false", "dedup: {exact: true}")
    manifest.write_text(text, encoding="utf-8")
    for name in ("one", "two"):
        path = tmp_path / f"{name}.jsonl"
        lines = path.read_text("utf-8")
        path.write_text(lines + lines.replace('{"id": "', '{"id": "copy-'), encoding="utf-8")
    corpus.build(str(manifest), str(tmp_path / "out"), workers=1)
    rows = list(read_rows(Workspace.open(str(tmp_path / "out"))).values())
    gone = {row["id"] for row in rows if row["failed_rules"] == ["decontamination.validation"]}
    assert gone or any(row["duplicate_of"] for row in rows)
    assert verify_workspace(str(tmp_path / "out")).good


def test_the_evidence_shows_both_texts_and_the_table_all_sets(built: Workspace) -> None:
    hits = choose_hits(built, 100)
    assert {hit["verdict"] for hit in hits} == {"hit", "common"}
    for hit in hits:
        matched = "".join(piece for piece, shared in hit["pieces"] if shared)
        assert matched.split()[0] in hit["passage"]
        assert hit["before"].endswith("\n\n") and hit["after"].lstrip(".?").startswith("\n\n")
    table = {(row["set"], row["source"]): row for row in read_part(sets_path(built)).to_pylist()}
    row = table["proverbs", None]
    assert [row[name] for name in ("items", "looked_for", "hits", "items_hit", "documents", "common")] == [
        3, 2, 2, 1, 2, 12,
    ]  # fmt: skip
    assert table["arithmetic", "web"]["documents"] == 2
    assert list_unsought(built) == [
        {"set": "proverbs", "item": "3", "reason": "too short: 3 words or characters, not 6 in a row"}
    ]
    by_set = run(stats, built.root, "--by", "set")
    assert [line.split() for line in by_set.splitlines() if line.startswith("proverbs ")] == [
        ["proverbs", "3", "2", "1", "2", "2", "0", "12"]
    ]
    section = build_contamination_section(built)
    assert section is not None and len(section["hits"]) == len(hits)
    assert '"contamination":{"sets":' in Path(built.path("report.html")).read_text(encoding="utf-8")
    shown = run(sample, built.root, "--contaminated", "-n", "100")
    assert "常识/1  hit, cut" in shown and "[[Nine ferries carry forty" in shown
    lines = run(sample, built.root, "--contaminated", "--json", "-n", "1").splitlines()
    assert [json.loads(line)["set"] in ITEMS for line in lines] == [True]


def compare_folders(one: Path, other: Path, without: tuple[str, ...]) -> list[str]:
    """Files whose bytes differ, or that only one has."""
    names = {
        str(path.relative_to(root)) for root in (one, other) for path in root.rglob("*") if path.is_file()
    }
    return sorted(
        name
        for name in names
        if not name.startswith(without)
        and len({(root / name).read_bytes() if (root / name).exists() else root for root in (one, other)}) > 1
    )


TIMED = (".lock", "timings.json", "status.json")


def test_decide_changes_actions_and_clearing_to_the_bytes_of_a_build_that_goes_on_with_two_workers(
    built: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "again"
    shutil.copytree(built.root, root)
    clear = "  clear: [{hit: arithmetic/2, reason: an old riddle}, proverbs]\n"
    first = Path(built.root).parent
    manifest = write_corpus(tmp_path, clear, home=first)
    text = manifest.read_text("utf-8").replace("常识.jsonl, action: cut", "常识.jsonl, action: drop")
    manifest.write_text(text, encoding="utf-8")
    candidates = (root / "decontamination" / "candidates").rglob("*.parquet")
    stored = {path: path.stat().st_mtime_ns for path in candidates}
    said: list[str] = []
    decide_again(str(root), str(manifest), {}, Running(workers=1), said.append)
    workspace = Workspace.open(str(root))
    rows = read_rows(workspace)
    assert [number for number, row in rows.items() if not row["kept"]] == ["0", "2"]
    assert list_verdicts(workspace) == {
        ("arithmetic/1", "hit"), ("arithmetic/2", "cleared"), ("常识/1", "hit"), ("proverbs/1", "cleared"),
        ("proverbs/2", "common"),
    }  # fmt: skip
    reasons = {row["item"]: row["reason"] for _, _, hits in read_hits(workspace, ["cleared"]) for row in hits}
    assert reasons["2"] == "an old riddle"
    assert all(path.stat().st_mtime_ns == stored[path] for path in stored)
    assert any("decontaminate" in line and "without reading" in line for line in said)
    manifest.write_text(text.replace(f", {first}/two.jsonl", ""), encoding="utf-8")
    corpus.build(str(manifest), str(tmp_path / "fresh"), workers=1)
    searched = (tmp_path / "fresh" / "decontamination" / "candidates").rglob("*.parquet")
    before = {path: path.stat().st_mtime_ns for path in searched}
    manifest.write_text(text, encoding="utf-8")
    monkeypatch.setenv("CORPUS_SPREAD_FROM", "0")
    corpus.build(str(manifest), str(tmp_path / "fresh"), workers=2)
    assert len(before) == 1 and all(path.stat().st_mtime_ns == before[path] for path in before)
    assert compare_folders(root, tmp_path / "fresh", TIMED) == []
    with pytest.raises(UserError, match=r"decontaminate.sets differ from the workspace"):
        changed = text.replace("sets/proverbs.jsonl, action: mark", "sets/proverbs.jsonl, name: sayings")
        (tmp_path / "other.yaml").write_text(changed, encoding="utf-8")
        decide_again(str(root), str(tmp_path / "other.yaml"), {}, Running(workers=1), said.append)


def test_a_new_file_costs_its_own_search_and_hits_are_read_a_split_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_scan, "SAMPLED_DOCUMENTS", 3)  # as if each file had many times as many documents
    manifest = write_corpus(tmp_path)
    lines = [line for name in ("one", "two") for line in (tmp_path / f"{name}.jsonl").open(encoding="utf-8")]
    paths = [tmp_path / f"{at}.jsonl" for at in range(8)]
    for at, path in enumerate(paths):
        path.write_text("".join(lines[at::8]), encoding="utf-8")
    text = f"split_size: 8kB\n{manifest.read_text('utf-8')}"
    for listed, out in ((paths[:7], "out"), (paths, "fresh")):
        named = ", ".join(map(str, listed))
        manifest.write_text(
            text[: text.index("paths: ")] + f"paths: [{named}], rules: []}}\n", encoding="utf-8"
        )
        build_workspace(str(manifest), str(tmp_path / out), Running(workers=1))
    folder = tmp_path / "out" / "decontamination"
    searched = [path for name in ("candidates", "counts") for path in (folder / name).rglob("*.parquet")]
    before = {path: path.stat().st_mtime_ns for path in searched}
    held: list[tuple[str, weakref.ref[pa.Table]]] = []
    most = dict.fromkeys(("hits", "counts", "edits"), 0)

    def read(path: str, columns: list[str] | None = None) -> pa.Table:
        """Read a part, and count how many of its kind are held when it is there."""
        table = read_part(path, columns)
        for kind in most:
            if f"/{kind}/" in path:
                held.append((kind, weakref.ref(table)))
                alive = [of for of, each in held if each() is not None]
                most[kind] = max(most[kind], alive.count(kind))
        return table

    for module in (decontaminate, item_scan):
        monkeypatch.setattr(module, "read_part", read)
    build_workspace(str(manifest), str(tmp_path / "out"), Running(workers=1))
    splits = len(Workspace.open(str(tmp_path / "out")).splits())
    assert splits >= 5 and 2 * splits > len(before) >= 8
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert compare_folders(tmp_path / "out", tmp_path / "fresh", TIMED) == []
    assert len(held) == 3 * splits and all(1 <= each <= 2 for each in most.values()), most


def test_duplicates_are_sought_again_among_what_items_leave(tmp_path: Path) -> None:
    """Of two pages of one address the one that an item drops stands for no other, unless it is cleared."""
    manifest = write_corpus(tmp_path, "  clear: [arithmetic]\n")
    lines = (tmp_path / "one.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    rows[9]["url"] = rows[0]["url"]
    rows[0]["text"] += (
        "\n\nThe longer one of two pages of an address stays, as a rule, and this makes it longer."
    )
    (tmp_path / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    cleared = manifest.read_text("utf-8").replace("dedup: false", "dedup: {url: true}")
    manifest.write_text(cleared, encoding="utf-8")
    corpus.build(str(manifest), str(tmp_path / "out"), workers=1)
    workspace = Workspace.open(str(tmp_path / "out"))
    assert list_kept(workspace, {0, 9}) == [0]
    manifest.write_text(cleared.replace("  clear: [arithmetic]\n", ""), encoding="utf-8")
    decide_again(workspace.root, str(manifest), {}, Running(workers=1), lambda line: None)
    assert list_kept(workspace, {0, 9}) == [9]
    manifest.write_text(cleared, encoding="utf-8")
    decide_again(workspace.root, str(manifest), {}, Running(workers=1), lambda line: None)
    assert list_kept(workspace, {0, 9}) == [0]


def test_what_is_new_is_not_called_missing(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path)
    text = manifest.read_text("utf-8")
    start, end = text.index("decontaminate:"), text.index("sources:")
    manifest.write_text(text[:start] + text[end:], encoding="utf-8")
    said: list[str] = []
    build(tmp_path, said)
    manifest.write_text(text, encoding="utf-8")
    build(tmp_path, said)
    assert any("decontaminate" in line and line.startswith("decide: again") for line in said)
    assert not [line for line in said if line.startswith("missing")]
    (tmp_path / "out" / "stats" / "evaluation_sets.parquet").unlink()
    build(tmp_path, said)
    assert [line.rpartition(": ")[2] for line in said if line.startswith("missing")] == [
        "stats/evaluation_sets.parquet"
    ]


def test_keys_that_came_after_a_build_are_not_called_changed(built: Workspace, tmp_path: Path) -> None:
    shutil.copytree(built.root, tmp_path / "out")
    copy = tmp_path / "out" / "manifest.yaml"
    written = yaml.safe_load(copy.read_text("utf-8"))
    for name in ("clean", "redact"):
        del written[name]
    for name in ("redact", "encoding"):
        del written["sources"]["web"][name]
    del written["dedup"]["canaries"]
    copy.write_text(yaml.safe_dump(written), encoding="utf-8")
    manifest = write_corpus(tmp_path, "seed: 3\n", home=Path(built.root).parent)
    plan = make_plan(str(manifest))
    workspace = Workspace.open(str(tmp_path / "out"))
    (line, *_) = explain_changes(workspace, plan, workspace.read_state() or {}, [])
    assert line == "decide: again, without reading the input: seed changed"


def test_the_evidence_shows_no_private_data_that_is_masked(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path)
    path = tmp_path / "one.jsonl"
    item = write_out(ITEMS["常识"][0])
    text = path.read_text("utf-8").replace(
        json.dumps(item)[1:-1], f"Ann: ann@example.org {json.dumps(item)[1:-1]}"
    )
    path.write_text(text.replace("\\n\\nWhat else", "\\n\\nbob@example.org: What else"), encoding="utf-8")
    redacted = manifest.read_text("utf-8") + "redact: [email]\n"
    manifest.write_text(redacted, encoding="utf-8")
    corpus.build(str(manifest), str(tmp_path / "out"), workers=1)
    hits = choose_hits(Workspace.open(str(tmp_path / "out")), 100)
    shown = ["".join(hit[name] for name in ("before", "passage", "after")) for hit in hits if hit["kept"]]
    assert shown and not any("@example.org" in each for each in shown)
    assert any("Ann: <email-1> 冬天" in each and "<email-2>: What else" in each for each in shown)


def list_kept(workspace: Workspace, numbers: set[int]) -> list[int]:
    """Those of some pages, by their numbers, that are kept."""
    kept = []
    for split in workspace.splits():
        texts, verdicts = (read_part(workspace.part(name, *split)) for name in ("documents", "decisions"))
        for text, verdict in zip(texts["text"].to_pylist(), verdicts["kept"].to_pylist(), strict=True):
            number = int(text.partition(", number ")[2].partition(".")[0])
            if verdict and number in numbers:
                kept.append(number)
    return sorted(kept)


def test_a_forecast_and_a_rebuilt_split_know_the_sets(built: Workspace, tmp_path: Path) -> None:
    plan = make_plan(str(Path(built.root).parent / "m.yaml"))
    forecast = dry_run(plan, 1_000)
    assert [rule["rule"] for rule in forecast.rules] == ["decontamination.drop.max"]
    report = rebuild_splits(built.root, 2)
    assert report.good, report
    changed = write_corpus(tmp_path, "  clear: [proverbs]\n", home=Path(built.root).parent)
    with pytest.raises(UserError, match="--what-if shows other rules, not other evaluation sets"):
        compare_changes(built.root, str(changed), {}, Running(workers=1), 1)


def test_a_set_that_changed_is_looked_for_again_and_without_sets_nothing_is_left(
    built: Workspace, tmp_path: Path
) -> None:
    first = Path(built.root).parent
    shutil.copytree(first / "out", tmp_path / "out")
    write_corpus(tmp_path)
    said: list[str] = []
    path = tmp_path / "sets" / "proverbs.jsonl"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
    build(tmp_path, said)
    assert any(
        line.startswith("decide: again") and "the content of evaluation sets changed" in line for line in said
    )
    workspace = Workspace.open(str(tmp_path / "out"))
    assert ("proverbs/1", "common") in list_verdicts(workspace)
    manifest = tmp_path / "m.yaml"
    text = manifest.read_text("utf-8")
    start, end = text.index("decontaminate:"), text.index("sources:")
    manifest.write_text(text[:start] + text[end:], encoding="utf-8")
    build(tmp_path, said)
    for name in ("decontamination", "edits/decontamination", "signals/decontamination"):
        assert not (tmp_path / "out" / name).exists()
    assert pq.read_table(tmp_path / "out" / "decisions")["kept"].to_pylist() == [True] * 40
    assert verify_workspace(workspace.root).good
    with pytest.raises(UserError, match="was built without evaluation sets"):
        choose_hits(workspace, 1)


def build(folder: Path, said: list[str]) -> None:
    build_workspace(str(folder / "m.yaml"), str(folder / "out"), Running(workers=1), said.append)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{sets: [nowhere]}", "decontaminate.sets[0]: {folder}/nowhere: no such file or folder"),
        ("{sets: one.jsonl}", "decontaminate.sets: {folder}/one.jsonl is input of the source web"),
        (
            "{sets: [sets], action: burn}",
            "decontaminate.action: 'burn' is not among its values: say one of cut, drop, mark",
        ),
        (
            "{sets: [{path: sets, fields: {ask: q}}]}",
            "decontaminate.sets[0].fields: ask is no part of an item",
        ),
        ("{sets: [sets], clear: gone.yaml}", "decontaminate.clear: {folder}/gone.yaml"),
        ("{sets: [sets/proverbs.jsonl, {path: sets, name: proverbs}]}", "two sets are called proverbs"),
        ("{sets: [sets], margins: 3}", "decontaminate.margins"),
        (
            "{sets: [sets, bad/short.jsonl]}",
            "sets[1]: {folder}/bad/short.jsonl: none of its 2 items can be looked for: too short: 2 words or",
        ),
    ],
)
def test_wrong_options_are_one_line(options: str, message: str, tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "short.jsonl").write_text('{"question": "three words only"}\n{"question": "两个"}\n')
    text = manifest.read_text("utf-8")
    start, end = text.index("decontaminate:"), text.index("sources:")
    manifest.write_text(f"{text[:start]}decontaminate: {options}\n{text[end:]}", encoding="utf-8")
    with pytest.raises(UserError) as raised:
        corpus.plan(str(manifest))
    assert message.replace("{folder}", str(tmp_path)) in str(raised.value)
    assert str(raised.value).startswith(f"{manifest}:") and "\n" not in str(raised.value)


@pytest.mark.parametrize("listed", [True, False])
def test_columns_of_fields_are_no_paths_and_sets_are_beside_the_manifest(
    listed: bool, tmp_path: Path
) -> None:
    manifest = write_corpus(tmp_path)
    text = manifest.read_text("utf-8")
    start, end = text.index("decontaminate:"), text.index("sources:")
    one = "{path: sets/proverbs.jsonl, fields: {question: question, options: [right, wrong.text]}}"
    sets = f"[{one}, sets/arithmetic.jsonl]" if listed else one
    manifest.write_text(f"{text[:start]}decontaminate: {{sets: {sets}}}\n{text[end:]}", encoding="utf-8")
    sets_read = load_manifest(str(manifest)).manifest.decontaminate.sets
    assert [each.path for each in sets_read] == [
        f"{tmp_path}/sets/{name}.jsonl" for name in ("proverbs", "arithmetic")
    ][: len(sets_read)]
    assert sets_read[0].fields == {"question": ["question"], "options": ["right", "wrong.text"]}


def test_clearances_may_stand_in_a_file_beside_the_manifest(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path, "  clear: cleared.yaml\n")
    (tmp_path / "cleared.yaml").write_text("- arithmetic\n- {hit: 常识/1, reason: 常见}\n", encoding="utf-8")
    cleared = load_manifest(str(manifest)).manifest.decontaminate.clear
    assert [(each.hit, each.reason) for each in cleared] == [("arithmetic", ""), ("常识/1", "常见")]
