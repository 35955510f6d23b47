"""Signals of source code, and what the preset `code` makes of real and made files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from corpus import filters
from corpus.rules.presets import load_rules
from corpus.text.page import Page
from tests.filters.measuring import list_measured, table

FILTERS = [filters.load_filter(step) for step in ("text", "code")]
SIGNALS = [signal for one in FILTERS for signal in one.signals]

PYTHON = """def shortest(graph, start):
    # 从起点出发，按距离从小到大访问每一个顶点
    seen = {start: 0}
    queue = [(0, start)]
    while queue:
        distance, node = heappop(queue)
        for other, weight in graph[node].items():
            if other not in seen or seen[other] > distance + weight:
                seen[other] = distance + weight
                heappush(queue, (seen[other], other))
    return seen
"""
ENCODED = ["code.alphabetic_per_token.min", "code.encoded.max", "code.longest_encoded.max"]
BASE64 = "q8Zr3Lm9Xw2Tn5Vb7Yc1Kd4Hf6Js0Pg/" * 2


def measure(text: str, language: str | None = "code_python") -> dict[str, float]:
    page = Page(text, language)
    return {n: float(v) for one in FILTERS for n, v in zip(one.signals, one.measure(page), strict=True)}


def failed(text: str, language: str, rules: Mapping[str, object] | None = None) -> list[str]:
    found = load_rules({"code": ["code"]}, rules or {}, SIGNALS)
    lists, _ = found.evaluate(table([measure(text, language)]), pa.array([language]), "code")
    names: list[str] = lists.to_pylist()[0]
    return names


@pytest.mark.parametrize(
    ("text", "lines", "longest", "mean"),
    [
        ("ab\n\nabcd\n", 3, 4, 2.0),
        ("ab\n\nabcd", 3, 4, 2.0),
        ("\tab  \n", 1, 5, 5.0),
        ("x", 1, 1, 1.0),
        ("😀😀\n한글\n", 2, 2, 2.0),
        ("\n\n", 2, 0, 0.0),
    ],
)
def test_lines_count_as_they_are(text: str, lines: float, longest: float, mean: float) -> None:
    found = measure(text)
    assert (found["code.lines"], found["code.longest_line"], found["code.mean_line"]) == (
        lines,
        longest,
        mean,
    )


def test_letters_and_numbers_of_every_script_count() -> None:
    assert measure("ab1 字かกع ह+")["code.alphanumeric"] == pytest.approx(8 / 11, abs=0.1)
    assert measure("{}[]();;\n")["code.alphanumeric"] == 0


def test_letters_a_token() -> None:
    assert measure("abc = defg\n")["code.alphabetic_per_token"] == pytest.approx(7 / 3)


@pytest.mark.parametrize(
    ("text", "share", "longest"),
    [
        (PYTHON, 0, 0),
        (f'a = "{BASE64}"\n', 64 / 71, 64),
        ("\n".join([BASE64] * 4), 256 / 259, 256),
        ("-" * 80 + "\n" + "a" * 80 + "\n" + "1234567890" * 8, 0, 0),
        ("SomeVeryLongIdentifierOfAnEnterpriseProgramThatNobodyWantsToReadAtAll\n", 0, 0),
        (r"s = '\x1f\x8b\x08\x00\xaa\xbb\xcc\xdd'", 32 / 38, 32),
        ("a = [0x1f, 0x8b, 0x08, 0x00, 0xaa, 0xbb, 0xcc, 0xdd]", 46 / 52, 46),
    ],
)
def test_encoded_data(text: str, share: float, longest: float) -> None:
    found = measure(text)
    assert (found["code.encoded"], found["code.longest_encoded"]) == (pytest.approx(share, abs=0.02), longest)


def test_what_a_reader_of_html_sees() -> None:
    page = "<head><style>p { color: red }</style></head><body><!-- no --><p>一二三</p>\n\n<script>a</script></body>"
    found = measure(page, "code_html")
    assert found["code.visible_characters"] == 3
    assert found["code.visible"] == pytest.approx(3 / len(page))
    assert measure(page, "code_php")["code.visible"] == 1


def test_html_that_never_ends_takes_no_time() -> None:
    assert measure("<script " * 50_000, "code_html")["code.visible"] > 0.9
    assert measure("<!-- " * 50_000, "code_html")["code.visible"] == 0


def test_placeholders_are_counted() -> None:
    found = measure('a = "<KEY>", "<PASSWORD>"  # <EMAIL>\n')
    assert (found["code.secrets"], found["code.emails"]) == (2, 1)


@pytest.mark.parametrize(
    ("text", "language", "rules"),
    [
        (PYTHON, "code_python", []),
        ("# コメントだけのファイルです。\n" * 3, "code_ruby", []),
        ("a = 1\n" + "b" * 1001, "code_c", ["code.longest_line.max", "code.mean_line.max"]),
        ("x = 1  # 一\n" + "y" * 1000 + "\n" + "z = 1\n" * 20, "code_c", []),
        ("{a} ; (b) {c}\n" * 9, "code_c", ["code.alphabetic_per_token.min", "code.alphanumeric.min"]),
        (
            '<?xml version="1.0"?>\n<rows><name>text of a row</name></rows>\n',
            "code_xml",
            ["code.xml_head.max"],
        ),
        ('{"name": "short"}', "code_json", ["text.characters.min"]),
        ('{"name": "short"}', "code_toml", []),
        ("name: a value of it\n" * 300, "code_yaml", ["text.characters.max"]),
        ("<p class='something'></p>\n" * 9, "code_html", ["code.visible.min", "code.visible_characters.min"]),
        ("\n".join([BASE64] * 40), "code_python", ENCODED),
    ],
)
def test_the_preset(text: str, language: str, rules: list[str]) -> None:
    assert failed(text, language) == rules


def test_a_rule_may_speak_of_all_code_or_of_one_language() -> None:
    rules = {"languages": {"code": {"code.lines": {"min": 20}}, "code_python": {"code.lines": {"min": 5}}}}
    assert failed(PYTHON, "code_python", rules) == []
    assert failed(PYTHON, "code_ruby", rules) == ["code.lines.min"]
    assert failed(PYTHON, "eng_Latn", rules) == []


@pytest.mark.parametrize(
    ("kind", "rules", "is_measured"),
    [("html", "", False), ("html", "rules: {code.encoded: {max: 0.5}}\n", True), ("code", "", True)],
)
def test_it_is_measured_for_sources_and_rules_of_code(
    tmp_path: Path, kind: str, rules: str, is_measured: bool
) -> None:
    assert ("code" in list_measured(tmp_path, kind, rules)) == is_measured
