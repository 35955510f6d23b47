"""Labels and scripts: what codes mean, and which scripts texts are in."""

from __future__ import annotations

import gzip
import json
import math
import re
from pathlib import Path

import pytest

from corpus.languages.chinese import chinese_script
from corpus.languages.fasttext_models import label_names
from corpus.languages.identify import Identifier
from corpus.languages.labels import is_written_in, labels, parse_label
from corpus.languages.models import lid_path
from corpus.languages.scripts import main_script, script_counts, script_shares


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("en", ("eng", None)),
        ("en-GB", ("eng", None)),
        ("eng_Latn", ("eng", "Latn")),
        ("__label__zho_Hans", ("cmn", "Hans")),
        ("zh-TW", ("cmn", "Hant")),
        ("zh_CN", ("cmn", "Hans")),
        ("zh-Hant-HK", ("cmn", "Hant")),
        ("sr-Latn-RS", ("srp", "Latn")),
        ("no", ("nob", None)),
        ("iw", ("heb", None)),
        ("ger", ("deu", None)),
        ("swa", ("swh", None)),
        ("als", ("als", None)),
        ("lij", ("lij", None)),
        ("zh-yue", ("yue", None)),
        ("zh_min_nan", ("nan", None)),
        ("zh-yue-Hant-HK", ("yue", "Hant")),
        ("bat-smg", ("sgs", None)),
        ("roa-rup", ("rup", None)),
        ("fiu-vro", ("vro", None)),
        ("map-bms", ("jav", None)),
        ("nds-nl", ("nds", None)),
        ("zh-classical", ("lzh", None)),
        ("simple", ("eng", None)),
        ("sr-el", ("srp", "Latn")),
        ("zh-CHT", ("cmn", "Hant")),
        ("ar-arz", ("arz", None)),
        ("i-lux", ("ltz", None)),
        ("und", None),
        ("mul", None),
        ("xx", None),
        ("", None),
        ("English language", None),
    ],
)
def test_what_sources_and_models_call_a_language(name: str, meaning: tuple[str, str | None] | None) -> None:
    assert parse_label(name) == meaning


def test_every_label_of_lid176_has_a_meaning_of_its_own() -> None:
    assert set(label_names(lid_path())) == set(labels().lid)
    assert labels().lid["als"] == "gsw"
    assert labels().lid["sq"] == "als"


def test_every_language_that_cld2_gives_has_a_meaning() -> None:
    import pycld2

    codes = dict(pycld2.LANGUAGES)
    for name in pycld2.DETECTED_LANGUAGES:
        code = codes.get(name, "")
        if code and not code.startswith("xx") and code not in ("zzp", "tlh", "sr-ME"):
            assert code in labels().cld2, name


def test_languages_and_scripts_that_go_together() -> None:
    assert is_written_in("jpn", "Jpan")
    assert not is_written_in("jpn", "Hani")
    assert is_written_in("cmn", "Hans")
    assert not is_written_in("eng", "Cyrl")
    assert is_written_in("srp", "Latn")
    assert is_written_in("lij", "Latn")


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello мир", "Latn"),
        ("中文文本", "Hani"),
        ("これは日本語の文です", "Jpan"),
        ("東京都千代田区の地図、国会議事堂周辺", "Hani"),
        ("한국어 문장은 漢字도 쓴다", "Hang"),
        ("ภาษาไทย", "Thai"),
        ("𠀀𠮷", "Hani"),
        ("ｱｲｳｴｵ", "Jpan"),
        ("ＡＢＣ", "Latn"),
        ("𞤀𞤣𞤤𞤢𞤥", "Adlm"),
        ("ᥖᥭᥰ ᥖᥬᥲ", "Tale"),
        ("ꆈꌠꁱꂷ", "Yiii"),
        ("安装 Debian 系统之后重新启动计算机", "Hani"),
        ("42 %", "Zyyy"),
    ],
)
def test_scripts(text: str, script: str) -> None:
    assert main_script(script_counts(text)) == script


def test_shares_add_up() -> None:
    shares = script_shares(script_counts("Αθήνα, Athens, Афины"))
    assert list(shares) == ["Latn", "Cyrl", "Grek"]
    assert sum(shares.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("汉语是世界上使用人数最多的语言之一", "Hans"),
        ("漢語是世界上使用人數最多的語言之一", "Hant"),
        ("這個軟體的介面設計得很好", "Hant"),
        ("这个软件的界面设计得很好", "Hans"),
        ("云想衣裳花想容，春风拂槛露华浓", "Hans"),
        ("雲想衣裳花想容，春風拂檻露華濃", "Hant"),
    ],
)
def test_chinese_scripts(text: str, script: str) -> None:
    assert chinese_script(text)[0] == script
    assert chinese_script(text)[1] == 1.0


def test_characters_common_to_both_scripts_tell_nothing() -> None:
    assert chinese_script("人人生而自由") == ("Hans", 0.0)
    assert chinese_script("") == ("Hans", 0.0)


def test_poems_in_both_scripts(data: Path) -> None:
    for name, script in (("全唐诗__poet.tang.0.json.gz", "Hant"), ("宋词__ci.song.0.json.gz", "Hans")):
        poems = json.loads(gzip.decompress((data / "zh/chinese-poetry" / name).read_bytes()))
        found = [chinese_script("".join(poem["paragraphs"])) for poem in poems]
        telling = [one for one, share in found if share]
        assert len(telling) > 990
        assert set(telling) == {script}


def test_conversions_between_scripts(data: Path) -> None:
    """OpenCC's cases: what a phrase becomes in the other script is told as that script, but for
    some that mix both on purpose."""
    text = re.sub(r",(\s*[}\]])", r"\1", (data / "zh/opencc/testcases.json").read_text(encoding="utf-8"))
    right = wrong = 0
    for case in json.loads(text)["cases"]:
        for conversion, expected in case["expected"].items():
            script, share = chinese_script(expected)
            target = {"s": "Hans", "t": "Hant", "tw": "Hant", "hk": "Hant"}.get(conversion.rpartition("2")[2])
            if share and target is not None:
                right += script == target
                wrong += script != target
    assert right > 280
    assert wrong <= 0.1 * right


@pytest.mark.parametrize(
    ("name", "parsed"),
    [("code_python", ("code", "python")), ("code", ("code", None)), ("code_C++", None), ("codepython", None)],
)
def test_source_code_has_labels_of_its_own(name: str, parsed: tuple[str, str | None] | None) -> None:
    assert parse_label(name) == parsed


def test_the_language_of_code_is_what_its_source_says() -> None:
    label, score = Identifier().identify("# 这是注释\nprint('hello')\n", "code_python")
    assert (label, math.isnan(score)) == ("code_python", True)
