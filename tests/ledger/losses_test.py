"""Sources of which nothing is kept are named, with what took most of their records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.classifier.training_texts import read_texts
from corpus.errors import RunError, UserError
from corpus.ledger.losses import describe_lost_sources, describe_unread_dates
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.build import build, check_kept
from corpus.pipelines.cli.decide import decide
from corpus.pipelines.cli.stats import stats
from corpus.workspace import Workspace
from tests.cli.running import run

TEXTS = {
    "thai": [f"แม่น้ำสายที่ {at} ไหลผ่านเมืองและผู้คนที่นั่นชอบเดินเล่นริมฝั่งในวันอาทิตย์" for at in range(4)],
    "chinese": [f"第{at}条河流穿过城市，人们喜欢在星期天沿着河岸散步。" for at in range(5)],
    "russian": ["Река течёт через город, и люди любят гулять вдоль неё по воскресеньям."],
    "copies": ["Река течёт через город, и люди любят гулять вдоль неё по воскресеньям."],
}
MANIFEST = """name: losses
languages: [tha, rus]
sources:
  thai: {kind: jsonl, paths: [thai.jsonl], rules: [], priority: 1}
  chinese: {kind: jsonl, paths: [chinese.jsonl], rules: []}
  russian: {kind: jsonl, paths: [russian.jsonl], rules: [], priority: 2}
  copies: {kind: jsonl, paths: [copies.jsonl], rules: []}
  broken: {kind: jsonl, paths: [broken.jsonl], rules: []}
  silent: {kind: jsonl, paths: [silent.jsonl], rules: []}
rules: {text.words: {min: 900, where: {sources: [thai]}}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("losses")
    for name, texts in TEXTS.items():
        lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name, date in {"russian": "весной 2023", "copies": "06/05/2023"}.items():
        dated = {"text": TEXTS[name][0], "date": date}
        (folder / f"{name}.jsonl").write_text(json.dumps(dated, ensure_ascii=False), encoding="utf-8")
    (folder / "broken.jsonl").write_text("{}\n" * 3)
    (folder / "silent.jsonl").write_text("\n")
    (folder / "m.yaml").write_text(MANIFEST)
    build_workspace(str(folder / "m.yaml"), str(folder / "w"), Running(workers=1))
    return folder


def test_each_lost_source_has_its_main_reason(folder: Path) -> None:
    root = str(folder / "w")
    said = dict(
        line.removeprefix("source ").split(": ", 1) for line in describe_lost_sources(Workspace(root))
    )
    assert list(said) == ["broken", "chinese", "copies", "silent", "thai"]
    assert said["broken"].startswith("0 records read: 3 in quarantine (")
    assert said["chinese"] == (
        "none of 5 documents kept: 5 stopped by the gate language.unwanted: "
        f"`corpus sample {root} --source chinese --gate language.unwanted` shows them"
    )
    assert said["copies"].startswith("none of 1 documents kept: 1 are duplicates: ")
    assert (
        said["silent"] == "0 records read: its input has none: check its `kind` and `paths` in the manifest"
    )
    assert said["thai"].startswith("none of 4 documents kept: 4 failed text.words.min: ")


def test_dates_that_could_not_be_read_are_counted_and_shown(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = str(folder / "w")
    numbers, words = describe_unread_dates(Workspace(root))
    assert numbers.startswith("source copies: 1 of 1 dates could not be read, such as '06/05/2023': ")
    assert numbers.endswith(
        "; `language` of `fields` says whether the day or the month of 06/05/2023 comes first"
    )
    assert words.startswith("source russian: 1 of 1 dates could not be read, such as 'весной 2023': ")
    assert words.endswith("; a date such as 2023-05-06 is read in every language")
    printed = run(stats, root)
    assert numbers in printed and words in printed
    counts = Workspace(root).stats()["counts"].to_table().to_pylist()
    assert [(row["source"], row["documents"]) for row in counts if row["what"] == "undated"] == [
        ("copies", 1),
        ("russian", 1),
    ]


def test_stats_build_and_decide_name_them(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = str(folder / "w")
    assert "source thai: none of 4 documents kept" in run(stats, root).replace("\n", " ")
    printed = run(build, str(folder / "m.yaml"), "--out", root)
    assert len(printed.splitlines()) < 6 and "corpus stats" in printed
    assert len(run(decide, root).splitlines()) < 6


def test_a_build_that_keeps_nothing_ends_with_what_did_it(folder: Path) -> None:
    root, copy = str(folder / "w"), str(folder / "none")
    check_kept(Workspace(root))
    shutil.copytree(root, copy)
    with pytest.raises(RunError) as ended:
        run(decide, copy, "--set", "text.characters.min=100000")
    assert str(ended.value).startswith("no document was kept: of ")
    assert " fail text.characters.min" in str(ended.value) and "4 fail text.words.min" in str(ended.value)
    assert "; before them gates stopped 5 by language.unwanted: `corpus sample " in str(ended.value)
    assert str(ended.value).endswith(
        f"`corpus decide {copy} --what-if text.characters.min=off` what a rule does"
    )
    with pytest.raises(RunError, match="no document was kept"):
        check_kept(Workspace(copy))


def test_what_if_names_texts_without_a_value_and_their_languages(folder: Path) -> None:
    root = shutil.copytree(folder / "w", folder / "unmeasured")
    (part,) = (root / "signals/text/source=russian").glob("*.parquet")
    table = pq.read_table(part, partitioning=None)
    at = table.column_names.index("text.letters")
    pq.write_table(table.set_column(at, table.field(at), pa.nulls(len(table), table.field(at).type)), part)
    printed = " ".join(run(decide, str(root), "--what-if", "text.letters.min=1", "-n", "0").split())
    assert (
        "text.letters.min=1.0: 1 texts have no text.letters (rus_Cyrl 1), and fail text.letters.missing"
        in printed
    )
    assert "text.letters.min@rus_Cyrl=off beside it spares those in rus_Cyrl" in printed
    spared = run(decide, str(root), "--what-if", "text.letters.min@tha=1", "-n", "0")
    assert "have no text.letters" not in spared


def test_texts_of_a_workspace_are_named_by_language_as_in_manifests(folder: Path) -> None:
    root = str(folder / "w")
    assert [text.language for text in read_texts(f"{root}:language=ru")] == ["rus_Cyrl"]
    assert len(list(read_texts(f"{root}:source=russian,language=rus_Cyrl"))) == 1
    assert list(read_texts(f"{root}:language=zh")) == []
    for place in (root, f"{root}:zh", f"{root}/"):
        with pytest.raises(UserError, match=r"is a workspace: say which of its texts: .*:source=broken or"):
            read_texts(place)
    with pytest.raises(UserError, match=r"'chinees' is not a language: did you mean cmn"):
        read_texts(f"{root}:language=chinees")
