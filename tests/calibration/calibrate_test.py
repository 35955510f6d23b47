"""`corpus calibrate`: a language from two sides, its file, and what is refused."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus.errors import UserError
from corpus.filters.calibration.calibrated_file import write_file_text
from corpus.filters.calibration.calibration_texts import check_language, gather_texts
from corpus.filters.calibration.distributions import draw_lines, draw_svg
from corpus.filters.calibration.language_values import Calibration, CalibrationOptions, calibrate_language
from corpus.filters.calibration.people_labels import read_labels
from corpus.pipelines.cli.calibrate import calibrate
from corpus.text.conventions import _read_file
from tests.filters.prose import MENUS, PROSE

RUSSIAN = "rus_Cyrl"


def make_articles(label: str, count: int, seed: int) -> list[str]:
    """Articles of eight sentences in other orders, one a line, one or two of them without its mark."""
    draw = random.Random(seed)
    sentences = [line for line in PROSE[label].split("\n") if line]
    articles = []
    for _ in range(count):
        lines = draw.choices(sentences, k=3) + draw.sample(sentences, 5)
        lines[0], lines[draw.randrange(8)] = lines[0][:-1], lines[1][:-1]
        articles.append("\n".join(lines))
    return articles


def make_menus(label: str, count: int, seed: int) -> list[str]:
    """Lists of goods with prices."""
    draw = random.Random(seed)
    words = MENUS[label].split()
    return [
        "\n".join(f"# {draw.choice(words)} {draw.choice(words)} {draw.randrange(90)}" for _ in range(30))
        for _ in range(count)
    ]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("calibration")
    good, menus = make_articles(RUSSIAN, 60, 1), make_menus(RUSSIAN, 30, 2)
    write_jsonl(root / "good.jsonl", [{"text": text} for text in good])
    raw = [{"text": text, "language": "ru"} for text in [*make_articles(RUSSIAN, 70, 3), *menus]]
    write_jsonl(root / "raw.jsonl", [*raw, {"text": PROSE["deu_Latn"], "language": "de"}])
    labelled = [{"text": text, "label": "good"} for text in good[:40]]
    write_jsonl(root / "labels.jsonl", [*labelled, *({"text": text, "label": "bad"} for text in menus[:20])])
    return root


@pytest.fixture(scope="module")
def russian(folder: Path) -> Calibration:
    sides = [gather_texts(str(folder / f"{name}.jsonl"), RUSSIAN) for name in ("good", "raw")]
    labels = read_labels(str(folder / "labels.jsonl"))
    options = CalibrationOptions(min_reference=50, min_sample=90)
    return calibrate_language(RUSSIAN, *sides, labels, "labels.jsonl", options)


def test_bounds_part_articles_from_menus(russian: Calibration) -> None:
    cuts = {f"{cut.signal}.{cut.bound}": cut for cut in russian.kept_cuts()}
    assert cuts["gopher.alphabetic_words.min"].removed == pytest.approx(0.3, abs=0.04)
    assert 0 < cuts["fineweb.terminal_lines.min"].value < 0.75
    assert cuts["gopher.stop_words.min"].value == 2
    assert all(cut.lost <= 0.01 for cut in cuts.values())
    assert (
        cuts["gopher.alphabetic_words.min"].by == "labels" and cuts["gopher.stop_words.min"].by == "frequency"
    )
    assert not any(
        name.startswith(("gopher.words", "text.words", "c4.")) for name in cuts
    )  # lengths are no language
    assert russian.sample.texts == 100 and russian.reference.paged == 60
    assert russian.joint_loss <= 0.02 and russian.joint_removed >= 0.29


def test_the_file_says_what_its_values_rest_on_and_is_read(russian: Calibration) -> None:
    text = write_file_text(russian, "2026-11-28")
    assert text == write_file_text(russian, "2026-11-28")
    file = _read_file(RUSSIAN, text, "rus_Cyrl.yaml")
    basis = yaml.safe_load(text)["basis"]
    assert (
        file.rules["gopher.alphabetic_words"]["min"] == basis["cuts"]["gopher.alphabetic_words.min"]["value"]
    )
    assert basis["date"] == "2026-11-28" and basis["reference"]["data"] == "good.jsonl"
    assert basis["reference"]["documents"] == 60 and len(basis["reference"]["digest"]) == 16
    low, high = basis["cuts"]["fineweb.terminal_lines.min"]["interval"]
    assert low <= basis["cuts"]["fineweb.terminal_lines.min"]["value"] <= high
    for sides in basis["quantiles"].values():
        assert all(len(side) in (0, len(basis["levels"])) and side == sorted(side) for side in sides.values())
    assert {"и", "на", "он"} & set(file.stop_words or ()) and len(file.stop_words or ()) >= 8


def test_both_sides_are_drawn_with_the_cut(russian: Calibration) -> None:
    cut = next(cut for cut in russian.kept_cuts() if cut.signal == "gopher.alphabetic_words")
    reference, sample, below = draw_lines(russian, cut)
    assert reference.startswith("  reference ") and len(reference) == len(sample) == 52
    assert f"^ {cut.value:g} keeps >" in below
    assert reference[12 : below.index("^")].strip() == "" and sample[12 : below.index("^")].strip()
    svg = draw_svg(russian, russian.kept_cuts()[:2])
    assert svg.count("<polyline") == 4 and svg.count("<line") == 2


def test_sentences_give_words_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label, words in {
        "cmn_Hans": {"的", "他", "在"}, "tha_Thai": {"และ", "ใน"}, "arb_Arab": {"في", "من"}, "hin_Deva": {"है", "के"},
    }.items():  # fmt: skip
        sentences = re.split(
            r"(?<=[。।.؟!])\s*",
            "\n".join(make_articles(label, 6, 1)).replace("\n", "।" if label == "hin_Deva" else "\n"),
        )
        path = tmp_path / f"{label}.txt"
        path.write_text("\n".join(sentences), encoding="utf-8")
        out = tmp_path / f"{label}.yaml"
        calibrate(label, reference=str(path), out=str(out), loss=0.01, gain=2.0, documents=5000, seed=0)
        file = _read_file(label, out.read_text(encoding="utf-8"), str(out))
        assert words & set(file.stop_words or ()), (label, file.stop_words)
        assert set(file.rules) == {"gopher.mean_word_length", "gopher.stop_words"}
        assert "so only words, their length and marks are calibrated" in capsys.readouterr().err


def run(folder: Path, language: str | None = RUSSIAN, **options: Any) -> None:
    given: dict[str, Any] = {
        "reference": str(folder / "good.jsonl"), "sample": str(folder / "raw.jsonl"), "out": str(folder / "out.yaml"),
        "labels": None, "loss": 0.01, "gain": 2.0, "documents": 5000, "replace": False, "plot": None, "seed": 0,
        "check": None, "rules": None, "as_json": False,
    }  # fmt: skip
    calibrate(language, **(given | options))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"reference": None}, "--reference missing: give a language and texts in it"),
        ({"language": "rsu"}, "'rsu' is not a language"),
        (
            {"language": "deu_Latn"},
            r"raw.jsonl|good.jsonl: not in deu_Latn: 100% of its passages are in rus_Cyrl \(Russian\)",
        ),
        ({"language": "bel_Cyrl"}, r"--reference good.jsonl: not in bel_Cyrl"),
        ({"reference": "nowhere.jsonl"}, "nowhere.jsonl: no texts found"),
        ({"language": "code_python"}, "code_python is source code, which is in no language"),
        ({"reference": "broken.parquet"}, "broken.parquet: cannot be read: Parquet magic bytes not found"),
        ({"plot": "x.bmp"}, "--plot x.bmp: name a file that ends in .svg, .png, .pdf"),
        ({"sample": "good.jsonl"}, "--reference and --sample are the same texts"),
        ({"labels": "nowhere.jsonl"}, "--labels nowhere.jsonl: no such file"),
        ({"check": "x", "labels": "y"}, "--labels has no effect with --check"),
        ({"rules": ["fineweb"]}, "--rules has no effect with LANGUAGE"),
        (
            {"check": "broken.parquet"},
            "--check broken.parquet: cannot be read: Parquet magic bytes not found",
        ),
        ({"check": "nowhere"}, "--check nowhere: nothing is there"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], line: str
) -> None:
    monkeypatch.chdir(folder)
    (folder / "broken.parquet").write_bytes(b"PAR0" * 9)
    if "check" in options:
        options = {"reference": None, "sample": None, "out": None, "language": None, **options}
    with pytest.raises(UserError, match=line) as caught:
        run(folder, **options)
    assert "\n" not in str(caught.value)


def test_a_side_that_states_other_languages_has_no_text(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "t.jsonl", [{"text": PROSE["deu_Latn"], "language": "de"}] * 2)
    with pytest.raises(UserError, match=r"no text in rus_Cyrl: only in de \(2\)"):
        gather_texts(path, RUSSIAN)
    with pytest.raises(UserError, match="not in cmn_Hant: 100% of its passages are in cmn_Hans"):
        path = write_jsonl(tmp_path / "u.jsonl", [{"text": PROSE["cmn_Hans"]}])
        check_language(gather_texts(path, "cmn_Hant"), "cmn_Hant", "--reference")


def test_a_file_made_by_hand_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "rus_Cyrl.yaml"
    out.write_text("basis: script default\nstop_words: и в\n", encoding="utf-8")
    with pytest.raises(UserError, match="was made by hand: name another file with --out, or give --replace"):
        run(folder, sample=None, out=str(out))
    run(folder, sample=None, out=str(out), replace=True)
    run(folder, sample=None, out=str(out))  # its own file it replaces
    assert "method: corpus calibrate" in out.read_text(encoding="utf-8")
