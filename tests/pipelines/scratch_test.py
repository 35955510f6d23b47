"""Arms of one workspace under other rules: each has the edits that its own rules give, and none trains on items."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from corpus.classifier.training_texts import read_texts
from corpus.experiments import arms
from corpus.experiments.arms import Arm, read_validation_pieces, survey_workspace, train_common_tokenizer
from corpus.experiments.held_out import leave_out_items, read_neutral
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.redecide import Changes
from corpus.pipelines.build.scratch import decide_scratch
from corpus.tokens.rows import read_kept_groups
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES

BENCHMARKS = Path(os.environ.get("CORPUS_DATA", "absent"), "benchmarks")
ADDRESS = {
    "eng_Latn": "Write to jane.doe@example.org.", "cmn_Hans": "联系邮箱zhang_wei@163.com，谢谢。",
    "jpn_Jpan": "メール：sato＠example.co.jpまで。", "tha_Thai": "อีเมล somchai@chula.ac.th ครับ",
    "arb_Arab": "بريد ahmed@example.com.sa الآن.", "hin_Deva": "ईमेल ravi@example.in पर लिखें।",
    "rus_Cyrl": "Пишите на почту ivan@example.ru.",
}  # fmt: skip
MENU = "All rights reserved"
REPEATED = "Every boat of the harbour carries a lamp, two ropes and a barrel of fresh water for the way."
ITEMS = [
    "How many lanterns hang on nine piers if each pier has four posts and each post carries three of them?",
    "船工在冬天之前要把几条旧缆绳换成新的才能让渡口整年通航",
]


def write_corpus(folder: Path, items: list[str], sets: str) -> str:
    """Stories in seven languages, half of them with an address and a footer; three with a paragraph, the first of which
    is the shortest; a page for each item."""
    texts = [f"{STORIES[name].strip()}\n{line}\n{MENU}" for name, line in ADDRESS.items()]
    texts += [STORIES[name].strip() for name in ADDRESS]
    texts += [
        f"{REPEATED}\n\nShort.",
        *(f"{REPEATED}\n\nOf {each} and more:\n{'sea ' * 60}" for each in ("tar", "oak")),
    ]
    texts += [f"A page about boats.\n\n{item}\n\nAnd what else there is of them." for item in items]
    lines = [json.dumps({"text": text}) for text in texts]
    for name, part in (("a", lines[:12]), ("b", lines[12:])):
        (folder / f"{name}.jsonl").write_text("\n".join(part) + "\n", encoding="utf-8")
    manifest = folder / "m.yaml"
    manifest.write_text(
        f"name: m\ntokenizer: {{vocabulary: 400}}\nvalidation: {{share: 0.2}}\n\n"
        f"dedup: {{exact: true, url: false, minhash: false, paragraphs: {{documents: 3}}}}\n"
        f"redact: {{email: mask}}\nclean: {{repeats: [paragraphs], lines: {{copyright: cut}}}}\n"
        f"decontaminate: {{sets: {sets}, action: cut, margin: 0}}\n"
        f"sources:\n  a: {{kind: jsonl, paths: [{folder}/a.jsonl, {folder}/b.jsonl], rules: []}}\n",
        encoding="utf-8",
    )
    return str(manifest)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("scratch")
    sets = folder / "sets.jsonl"
    sets.write_text("".join(json.dumps({"question": item}) + "\n" for item in ITEMS), encoding="utf-8")
    manifest = write_corpus(folder, ITEMS, str(sets))
    return build_workspace(manifest, str(folder / "out"), Running(workers=1))


def read_arm(workspace: Workspace) -> set[str]:
    tables = [table for _, table in arms.read_kept(workspace, ["id", "text"])]
    return {text for table in tables for text in table["text"].to_pylist()}


def hash_workspace(workspace: Workspace) -> dict[str, str]:
    root = Path(workspace.root)
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("changes", "inside", "outside"),
    [
        ({"gopher.words.max": 100_000}, ["<email-1>"], ["@", "＠", MENU, "lanterns", "缆绳"]),
        ({"redact.email": "count"}, ["jane.doe@", "zhang_wei@", "sato＠", "ravi@"], ["<email-1>", MENU]),
        ({"clean.copyright": "count"}, [MENU, "<email-1>"], ["@", "lanterns"]),
    ],
)  # fmt: skip
def test_an_arm_has_the_edits_of_its_own_rules(
    built: Workspace, tmp_path: Path, changes: Changes, inside: list[str], outside: list[str]
) -> None:
    before = hash_workspace(built)
    arm = decide_scratch(built.root, None, changes, str(tmp_path / "arm"))
    whole = "\n".join(read_arm(arm))
    assert all(each in whole for each in inside) and not any(each in whole for each in outside)
    assert whole.count(REPEATED) == 1
    assert (read_arm(arm) == read_arm(built)) == (changes == {"gopher.words.max": 100_000})
    same = survey_workspace(arm.root).identity == survey_workspace(built.root).identity
    assert same == (read_arm(arm) == read_arm(built))  # experiments on other edits are other experiments
    made = hash_workspace(arm)
    decide_scratch(built.root, None, changes, str(tmp_path / "arm"))
    again = hash_workspace(arm)
    differing = {Path(path).name for path in made.keys() | again.keys() if made.get(path) != again.get(path)}
    assert differing <= {"timings.json", "status.json", "progress.json"}
    assert hash_workspace(built) == before


def test_repeated_text_stays_in_the_first_document_that_an_arm_keeps(
    built: Workspace, tmp_path: Path
) -> None:
    arm = decide_scratch(built.root, None, {"gopher.words.min": 22}, str(tmp_path / "arm"))
    texts = [text for text in read_arm(arm) if REPEATED in text]
    assert len(texts) == 2 and not any(
        "Short." in text for text in texts
    )  # two documents are no three: none is cut
    texts = [text for text in read_arm(built) if REPEATED in text]
    assert len(texts) == 1 and "Short." in texts[0]


def test_an_arm_may_do_something_else_with_items(built: Workspace, tmp_path: Path) -> None:
    before = hash_workspace(built)
    text = Path(built.path("manifest.yaml")).read_text("utf-8")
    assert "action: cut" in text
    for action, count, holds in (("mark", 19, True), ("drop", 17, False)):
        other = tmp_path / f"{action}.yaml"
        other.write_text(text.replace("action: cut", f"action: {action}"), encoding="utf-8")
        arm = decide_scratch(built.root, str(other), {}, str(tmp_path / action))
        assert len(read_arm(arm)) == count
        assert any("lanterns" in each for each in read_arm(arm)) == holds
    assert hash_workspace(built) == before


@dataclass
class RealItems:
    workspace: Workspace
    items: list[str]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> RealItems:
    """Four items of GSM8K and as many of CMMLU, in pages of a build that looks for both sets whole."""
    if not BENCHMARKS.is_dir():
        pytest.skip("needs CORPUS_DATA")
    folder = tmp_path_factory.mktemp("real")
    with open(BENCHMARKS / "gsm8k" / "gsm8k_test.jsonl", encoding="utf-8") as lines:
        items = [json.loads(line)["question"] for line, _ in zip(lines, range(4), strict=False)]
    with open(BENCHMARKS / "cmmlu" / "education.csv", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: -len(row["Question"]))[:4]
    items += ["\n".join([row["Question"], *(row[letter] for letter in "ABCD")]) for row in rows]
    sets = f"[{BENCHMARKS}/gsm8k, {BENCHMARKS}/cmmlu/education.csv]"
    manifest = Path(write_corpus(folder, items, sets))
    manifest.write_text(manifest.read_text("utf-8").replace("action: cut", "action: mark"), encoding="utf-8")
    return RealItems(build_workspace(str(manifest), str(folder / "out"), Running(workers=1)), items)


def list_held(texts: list[str], items: list[str]) -> set[str]:
    return {item for item in items if any(item in text for text in texts)}


def test_real_items_enter_no_tokenizer_no_classifier_no_validation(
    real: RealItems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = real.workspace
    assert list_held(workspace.documents().to_table()["text"].to_pylist(), real.items) == set(real.items)
    trains: list[str] = []
    for split in workspace.splits():
        for group in read_kept_groups(
            workspace.part("documents", *split), workspace.part("decisions", *split)
        ):
            texts = group.texts(group.columns["trains"].to_numpy(zero_copy_only=False).nonzero()[0])
            trains += texts.to_pylist()
    assert trains and not list_held(trains, real.items)
    assert not list_held([each.text for each in read_texts(f"{workspace.root}:source=a")], real.items)
    assert not list_held(
        [each.text for each in read_validation_pieces(Arm(name="A", workspace=workspace.root))], real.items
    )
    # Nor those of an experiment, in an arm whose own rules look for nothing either.
    lines = Path(workspace.root).with_name("m.yaml").read_text("utf-8").splitlines()
    other = tmp_path / "none.yaml"
    other.write_text(
        "\n".join(line for line in lines if not line.startswith("decontaminate")), encoding="utf-8"
    )
    bare = decide_scratch(workspace.root, str(other), {}, str(tmp_path / "bare"))
    assert list_held(list(read_arm(bare)), real.items) == set(
        real.items
    )  # it trains on them: that is its question
    learned: list[str] = []
    monkeypatch.setattr(arms, "count_pieces", lambda texts, pattern: learned.extend(texts) or {})
    monkeypatch.setattr(arms, "train_tokenizer", lambda counts, options: "")
    both = [Arm(name="A", workspace=workspace.root), Arm(name="B", workspace=bare.root)]
    train_common_tokenizer(both, 300)
    assert len(learned) > 20 and not list_held(learned, real.items)


def test_real_items_are_in_no_neutral_text_of_an_experiment(real: RealItems, tmp_path: Path) -> None:
    neutral = tmp_path / "neutral.jsonl"
    rows = [{"language": "en", "text": f"{STORIES['eng_Latn']}\n{item}"} for item in real.items]
    rows.append({"language": "en", "text": STORIES["eng_Latn"]})
    neutral.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said: list[str] = []
    left = leave_out_items(read_neutral([str(neutral)]), [real.workspace.root], said.append)
    assert left and not list_held([piece.text for piece in left], real.items)
    assert said == ["held-out text: 8 passages hold items of evaluation sets and are not measured"]
