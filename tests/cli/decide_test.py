"""`corpus decide`: the bytes of a build with the same rules, and what-if tells before what it does."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import corpus
from corpus.data import data_path
from corpus.errors import RunError, UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.redecide import decide_again
from corpus.pipelines.cli.decide import decide, parse_changes
from corpus.pipelines.cli.opening import open_workspace
from corpus.progress import StageProgress
from tests.cli.running import run
from tests.ledger.demo import demo_workspace
from tests.pipelines.small import digests

CHANGES = {
    "gopher.words.min": 150.0,
    "fineweb.duplicate_line_characters.max": "off",
    "gopher.stop_words.min@tha": 0.0,
}
RULES = """rules:
  gopher.words: {min: 150.0}
  fineweb.duplicate_line_characters: {max: off}
  languages: {tha: {gopher.stop_words: {min: 0.0}}}
"""


@pytest.fixture(scope="module")
def demo() -> Path:
    return demo_workspace()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's manifest with other rules, beside the same input."""
    folder = tmp_path_factory.mktemp("manifest")
    (folder / "demo").symlink_to(data_path("demo"))
    text = data_path("demo.yaml").read_text(encoding="utf-8")
    assert "\nrules:" not in text
    (folder / "demo.yaml").write_text(text + RULES, encoding="utf-8")
    return folder / "demo.yaml"


@pytest.fixture(scope="module")
def rebuilt(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rebuilt") / "out"
    build_workspace(str(manifest), str(out), Running(workers=1))
    return out


@pytest.fixture(scope="module")
def decided(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, decided by the changes in one go."""
    copy = tmp_path_factory.mktemp("decided") / "copy"
    shutil.copytree(demo, copy)
    decide_again(str(copy), None, CHANGES, Running(workers=1), lambda _: None)
    return copy


def options(name: str) -> list[str]:
    return [word for rule, value in CHANGES.items() for word in (name, f"{rule}={value}")]


def test_what_if_tells_what_a_build_does_and_writes_nothing(demo: Path, rebuilt: Path) -> None:
    before = digests(demo)
    found = json.loads(run(decide, str(demo), *options("--what-if"), "--json", "-n", "100000"))
    assert digests(demo) == before
    expected: Counter[Any] = Counter()
    back, gone = set(), set()
    sides = [list(corpus.open(str(path)).rows(["id", "language", "bytes"])) for path in (demo, rebuilt)]
    for (source, _, one), (_, _, other) in zip(*sides, strict=True):
        for now, then in zip(one.to_pylist(), other.to_pylist(), strict=True):
            assert now["id"] == then["id"]
            here = (source, now["language"] or "und_Zyyy")
            if now["kept"] != then["kept"]:
                expected[*here, "back" if then["kept"] else "gone"] += 1
                (back if then["kept"] else gone).add(now["id"])
    assert back and gone
    told = {(r["source"], r["language"], name): r[name] for r in found["rows"] for name in ("back", "gone")}
    assert {key: number for key, number in told.items() if number} == expected
    assert {row["id"] for row in found["back"]} == back
    assert {row["id"] for row in found["gone"]} == gone
    assert all(row["kept"] and not row["before"]["kept"] for row in found["back"])


def test_deciding_again_gives_the_bytes_of_a_build(
    demo: Path, manifest: Path, rebuilt: Path, tmp_path: Path
) -> None:
    shutil.copytree(demo, tmp_path / "again")
    documents = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "again" / "documents").rglob("*.parquet")
    }
    run(decide, str(tmp_path / "again"), str(manifest))
    again, expected = digests(tmp_path / "again"), digests(rebuilt)
    assert {name for name in expected if again.get(name) != expected[name]} == set()
    assert set(again) == set(expected)
    assert documents == {path: path.stat().st_mtime_ns for path in documents}
    told: list[str] = []
    build_workspace(str(manifest), str(tmp_path / "again"), Running(workers=1), told.append)
    assert told == ["nothing to do: the workspace is complete"]


def test_rules_can_be_set_one_by_one(demo: Path, rebuilt: Path, tmp_path: Path) -> None:
    shutil.copytree(demo, tmp_path / "again")
    run(decide, str(tmp_path / "again"), *options("--set"))
    again, expected = digests(tmp_path / "again"), digests(rebuilt)
    decisions = [name for name in expected if name.startswith(("decisions/", "tokens/", "dedup/"))]
    assert {name: again[name] for name in decisions} == {name: expected[name] for name in decisions}


@pytest.mark.parametrize("stage", ["dedup", "decide", "encode", "shards"])
def test_what_was_stopped_is_told_of_and_goes_on(
    stage: str, demo: Path, decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy)

    def stop(standing: StageProgress) -> None:
        if standing.stage == stage:
            raise RunError("stopped")

    with pytest.raises(RunError, match="stopped"):
        decide_again(str(copy), None, CHANGES, Running(workers=1), lambda _: None, stop)
    with pytest.raises(UserError, match="not a finished build"):
        run(decide, str(copy), *options("--what-if"))
    capsys.readouterr()
    open_workspace(str(copy))
    assert "is not finished, so results may be from earlier rules" in capsys.readouterr().err
    decide_again(str(copy), None, CHANGES, Running(workers=1), lambda _: None)
    assert digests(copy) == digests(decided)
    open_workspace(str(copy))
    assert capsys.readouterr().err == ""


def test_the_table_fits_80_columns(demo: Path) -> None:
    printed = run(decide, str(demo), *options("--what-if"), "-n", "1")
    assert "would be kept" in printed and "would be dropped" in printed
    assert max(len(line) for line in printed.splitlines() if line.startswith(("web", "wikipedia"))) <= 80


def test_nothing_changes_by_a_bound_that_is_there(demo: Path) -> None:
    assert "nothing would change" in run(decide, str(demo), "--what-if", "gopher.words.min@eng=50")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--what-if", "gopher.wrods.min=3"),
            "nothing computes the signal gopher.wrods: did you mean gopher.words",
        ),
        (
            ("--what-if", "mixed_language.others.max=0.5"),
            "mixed_language was not measured, since no rule read it",
        ),
        (
            ("--what-if", "code.encoded.max=0.5"),
            "code was not measured, since no rule read it",
        ),
        (("--what-if", "gopher.words=3"), "gopher.words is not a rule"),
        (("--what-if", "gopher.words.min"), "expected RULE=VALUE"),
        (("--what-if", "gopher.words.min=many"), "expected RULE=VALUE"),
        (("--what-if", "a.b.min=1", "--set", "a.b.min=1"), "give one of them"),
        (("--json",), "--json needs --what-if"),
    ],
)
def test_wrong_bounds_are_answered_in_a_line(demo: Path, options: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(decide, str(demo), *options)


def test_what_needs_a_build_is_refused(demo: Path, manifest: Path) -> None:
    other = manifest.with_name("other.yaml")
    other.write_text(manifest.read_text(encoding="utf-8") + "languages: [eng]\n", encoding="utf-8")
    with pytest.raises(UserError, match="languages differ from the workspace"):
        run(decide, str(demo), str(other))


def test_a_language_file_that_signals_depend_on_is_named(demo: Path, manifest: Path, tmp_path: Path) -> None:
    shutil.copytree(manifest.parent, tmp_path / "own", symlinks=True)
    (tmp_path / "own" / "languages").mkdir()
    (tmp_path / "own" / "languages" / "tha.yaml").write_text("stop_words: ที่ และ\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"signals depend on languages/tha\.yaml, .* run `corpus build`"):
        run(decide, str(demo), str(tmp_path / "own" / "demo.yaml"))


def test_bounds_as_they_are_written() -> None:
    assert parse_changes(["gopher.words.min=30", "c4.filler.max@tha=off"]) == {
        "gopher.words.min": 30.0,
        "c4.filler.max@tha": "off",
    }
