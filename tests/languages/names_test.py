"""Names of languages for people."""

from __future__ import annotations

import pytest

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import labels
from corpus.languages.names import is_language, name_language

NAMES = {
    "tha_Thai": "Thai",
    "hin_Deva": "Hindi",
    "rus_Cyrl": "Russian",
    "cmn_Hans": "Chinese (simplified)",
    "cmn_Hant": "Chinese (traditional)",
    "srp_Cyrl": "Serbian (Cyrillic)",
    "srp_Latn": "Serbian (Latin)",
    "nob_Latn": "Norwegian Bokmål",
    "tha": "Thai",
    "rus_Latn": "Russian (Latin)",
    "code_python": "Python code",
    "code_javascript": "JavaScript code",
    "code_csharp": "C# code",
    "code": "source code",
    "und_Zyyy": "no language",
    "und": "no language",
    "und_Cyrl": "unknown (Cyrillic)",
    "qqq_Latn": None,
    "other": None,
}


@pytest.mark.parametrize("label", NAMES)
def test_a_label_has_an_english_name(label: str) -> None:
    assert name_language(label) == NAMES[label]


def test_every_language_that_can_be_identified_has_a_name() -> None:
    unnamed = {code for code in labels().nameable if name_language(f"{code}_Zzzz") is None}
    assert unnamed == set()
    several = {
        script for row in labels().languages.values() if len(row.scripts) > 1 for script in row.scripts
    }
    data, _ = load_yaml(data_path("language_names.yaml").read_text(encoding="utf-8"), "names")
    assert several <= set(data["scripts"])
    assert list(data["languages"]) == sorted(data["languages"])
    assert len(set(data["languages"].values())) == len(data["languages"]), "two languages have one name"


def test_what_is_in_no_language_is_none() -> None:
    assert not is_language("und_Zyyy") and not is_language("und_Latn")
    assert is_language("tha_Thai") and is_language("code_python")
