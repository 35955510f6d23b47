"""The files that docs/howto.md shows are taken as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corpus.data import data_path
from corpus.pipelines.build.plan import make_plan

PAGE = (Path(__file__).parents[1] / "docs" / "howto.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in BLOCKS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "demo").symlink_to(data_path("demo"))
    return tmp_path


def test_the_rule_of_the_page_bounds_what_it_says(folder: Path) -> None:
    rules = {rule.name: rule for rule in make_plan(str(folder / "rule.yaml")).rules.rules["web"]}
    assert rules["gopher.words.min"].limit("jpn_Jpan") == 200
    assert rules["gopher.mean_word_length.max"].limit("deu_Latn") == 8
    assert "text.characters.min" in rules


def test_the_language_of_the_page_has_its_words_and_bounds(folder: Path) -> None:
    plan = make_plan(str(folder / "language.yaml"))
    assert plan.file.manifest.languages == ["epo"]
    rules = {rule.name: rule for rule in plan.rules.rules["web"]}
    assert rules["gopher.mean_word_length.min"].limit("epo_Latn") == 3
    assert "languages/epo.yaml" in plan.file.own_files
