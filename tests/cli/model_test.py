"""`corpus model train classifier`, as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.classifier.quality_model import ClassifierCard, LanguageCard
from corpus.pipelines.cli.model import _describe_poor_scores

ENGLISH = "{0} is a river in the north whose basin was described by {1} in the survey of {2} long ago."
SHOP = "Buy {0} now and save, click here to add {1} to your cart and subscribe to {2} for news today."
NAMES = [f"{a}{b}" for a in ("Al", "Ber", "Cor", "Dov", "El") for b in ("ta", "na", "ra", "va", "ma", "la")]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "corpus.pipelines.cli", "model", "train", "classifier", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for name, template in (("rivers", ENGLISH), ("shops", SHOP)):
        lines = [template.format(n, NAMES[i - 1], NAMES[i - 2]) for i, n in enumerate(NAMES)]
        (folder / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_table_card_and_json(folder: Path) -> None:
    sides = ["--positive", str(folder / "rivers.txt"), "--negative", str(folder / "shops.txt")]
    shown = run(*sides, "--out", str(folder / "m.bin"), "--dimension", "8")
    assert shown.returncode == 0, shown.stderr
    assert "eng_Latn" in shown.stdout
    # Three of a side are held out: any model would come to 0, .5 or 1.
    assert "1.000" not in shown.stdout
    assert "No AUC where fewer than 10 texts of a class are held out (eng_Latn): it would be " in shown.stdout
    assert f"quality: {{model: {folder / 'm.bin'}}}" in shown.stdout
    printed = run(*sides, "--out", str(folder / "again.bin"), "--dimension", "8", "--json")
    card = json.loads(printed.stdout)
    assert card.pop("model") == str(folder / "again.bin")
    assert card == json.loads((folder / "m.bin.card.json").read_text())
    assert (folder / "again.bin").read_bytes() == (folder / "m.bin").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--positive", "missing.txt", "--negative", "missing.txt"], "missing.txt: no texts found"),
        (["--positive", "{folder}/rivers.txt", "--negative", "{folder}:source=web"], "is not a workspace"),
        (
            ["--positive", "{folder}", "--negative", "{folder}", "--language", "Klingon!"],
            "--language: 'Klingon!' is not a language: did you mean tlh (Klingon)?",
        ),
        (
            ["--positive", "{folder}/rivers.txt", "--negative", "{folder}/rivers.txt"],
            "30 texts are on both sides, and no others: give the sides different texts",
        ),
    ],
)
def test_wrong_input_is_one_line_and_status_2(folder: Path, arguments: list[str], says: str) -> None:
    result = run(*(a.format(folder=folder) for a in arguments), "--out", str(folder / "n.bin"))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("corpus: ")
    assert says in result.stderr
    assert not (folder / "n.bin").exists()


def test_a_model_that_is_worse_than_guessing_is_named() -> None:
    def describe(whole: float | None, **scores: float | None) -> list[str]:
        languages = {
            name: LanguageCard(documents=400, held_out=80, auc=score) for name, score in scores.items()
        }
        card = ClassifierCard(
            sha256="", auc=whole, languages=languages, left_out={}, sources={}, training={}, versions={}
        )
        return _describe_poor_scores(card)

    assert describe(0.9, tha_Thai=0.5, cmn_Hans=None) == [] == describe(None, tha_Thai=None)
    (line,) = describe(0.48, tha_Thai=0.31, cmn_Hans=0.9)
    assert line.startswith("the AUC is below 0.5 in tha_Thai (0.310): ")
    (line,) = describe(0.0, tha_Thai=0.9)
    assert "in all languages together (0.000): " in line
    assert "in tha_Thai (0.000)" in describe(0.6, tha_Thai=0.0)[0]
