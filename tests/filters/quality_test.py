"""The signal of a quality classifier."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from corpus.classifier.training import TrainingOptions, train_classifier
from corpus.errors import UserError
from corpus.filters import load_filter
from corpus.text.page import Page

RIVER = "{} is a river in the north whose basin was first described by the geographer {} in his survey."
SHOP = "Buy {} now and save on shipping, click here to add {} to your cart and subscribe to our newsletter."
NAMES = [f"{a}{b}" for a in ("Al", "Ber", "Cor", "Dov", "El") for b in ("ta", "na", "ra", "va", "ma", "la")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("models") / "quality.bin")
    sides = [
        [(template.format(name, name[::-1]) + f" {name} " * 5, "eng_Latn") for name in NAMES]
        for template in (RIVER, SHOP)
    ]
    train_classifier(*sides, path, TrainingOptions(dimension=8))
    return path


def test_score(model: str) -> None:
    quality = load_filter("quality", {"model": model})
    assert quality.signals == ("quality.score",)
    [river] = quality.measure(Page(RIVER.format("Nova", "Moss"), "eng_Latn"))
    [shop] = quality.measure(Page(SHOP.format("Nova", "Moss"), "eng_Latn"))
    assert 0.9 < river <= 1.0
    assert 0.0 <= shop < 0.1


def test_not_measured_without_a_model_and_in_other_languages(model: str) -> None:
    assert math.isnan(load_filter("quality").measure(Page("Any text.", "eng_Latn"))[0])
    assert math.isnan(
        load_filter("quality", {"model": model}).measure(Page("Ein Fluss im Norden.", "deu_Latn"))[0]
    )
    assert math.isnan(load_filter("quality", {"model": model}).measure(Page("...", "eng_Latn"))[0])


def test_fingerprint_is_of_the_model(model: str) -> None:
    parameters = load_filter("quality", {"model": model}).parameters
    assert len(parameters["model"]) == 64
    assert parameters["languages"] == ["eng_Latn"]


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no fastText model at"):
        load_filter("quality", {"model": str(tmp_path / "missing.bin")})
