"""The public face in Python: `corpus.build` and its like, and what `corpus` exports."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import corpus
from tests.plugins.lab import write_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lab(tmp_path_factory.mktemp("python") / "lab")


@pytest.fixture(scope="module")
def built(lab: Path) -> corpus.Workspace:
    return corpus.build(str(lab / "lab.yaml"), str(lab / "out"), plugins=[str(lab)], quiet=True)


def test_a_build_is_opened_and_sampled(built: corpus.Workspace) -> None:
    assert built.documents().count_rows() == 16
    drawn = corpus.sample(built, 3, seed=1)
    assert len(drawn) == 3 and all(row["kept"] for row in drawn)
    assert drawn == corpus.sample(Path(built.root), 3, seed=1) != corpus.sample(built, 3, seed=2)
    assert {"readability.words_per_sentence", "letters.share"} <= drawn[0]["signals"].keys()
    (chinese,) = corpus.sample(built, 9, kept=None, language="cmn_Hans", source="poems")
    assert chinese["text"].startswith("今天天气")


def test_messages_go_to_standard_error_unless_quiet(
    lab: Path, built: corpus.Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    for quiet in (False, True):
        corpus.build(str(lab / "lab.yaml"), str(lab / "out"), plugins=[str(lab)], quiet=quiet)
        out, err = capfd.readouterr()
        assert out == "" and ("nothing to do" in err) is not quiet


def test_a_plan_is_what_the_command_prints_as_json(lab: Path) -> None:
    planned = corpus.plan(str(lab / "lab.yaml"), documents=4, plugins=[str(lab)], quiet=True)
    assert planned["name"] == "lab" and planned["forecast"]["documents"] >= 4
    assert {row["source"] for row in planned["sources"]} == {"poems", "pages"}


def test_other_rules_are_compared_and_then_decided(lab: Path, built: corpus.Workspace) -> None:
    rules = {"readability.words_per_sentence.max": 9}
    kept = built.decisions().to_table()["kept"].to_pylist()
    difference = corpus.compare(built, rules, documents=1, plugins=[str(lab)], quiet=True)
    gone = sum(row["gone"] for row in difference["rows"])
    assert gone and len(difference["gone"]) == 1
    assert built.decisions().to_table()["kept"].to_pylist() == kept
    decided = corpus.decide(built, rules, plugins=[str(lab)], quiet=True)
    assert sum(decided.decisions().to_table()["kept"].to_pylist()) == sum(kept) - gone
    corpus.decide(built, manifest=str(lab / "lab.yaml"), plugins=[str(lab)], quiet=True)
    assert built.decisions().to_table()["kept"].to_pylist() == kept


def test_errors_are_one_line(lab: Path, built: corpus.Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(corpus.UserError, match="there is no such manifest: ") as caught:
        corpus.build(str(lab / "none.yaml"), str(lab / "none"))
    assert len(str(caught.value).splitlines()) == 1 and not str(caught.value).startswith("corpus:")
    with pytest.raises(corpus.UserError, match="lies beside the manifest"):
        corpus.plan(str(lab / "lab.yaml"))
    with pytest.raises(corpus.UserError, match=r"nothing computes the signal gopher\.none"):
        corpus.compare(built, {"gopher.none.max": 1}, plugins=[str(lab)])
    with pytest.raises(corpus.UserError, match="is not a workspace"):
        corpus.sample(str(lab))
    with pytest.raises(corpus.UserError, match="poms"):
        corpus.sample(built, source="poms")
    assert capfd.readouterr().err == ""


def test_the_public_names_are_there_documented_and_light() -> None:
    for name in corpus.__all__:
        if name != "__version__":
            assert inspect.getdoc(getattr(corpus, name)), name
            assert name in dir(corpus)
    with pytest.raises(AttributeError, match="has no attribute 'bild'"):
        corpus.bild  # noqa: B018
    code = (
        "import sys, corpus; corpus.build, corpus.Record, corpus.UserError\n"
        "print([name for name in ('apache_beam', 'torch', 'fasttext', 'trafilatura') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_help_lists_what_one_can_do() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import corpus; help(corpus)"], capture_output=True, text=True, check=True
    ).stdout
    for line in (
        'corpus.build("m.yaml", "out")',
        "corpus docs extending",
        "build(manifest: 'str | PathLike",
        "class Record",
    ):
        assert line in shown, line
