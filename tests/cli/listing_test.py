"""`corpus docs` and `corpus list` say from an installation alone what a manifest can name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from corpus.data import data_path, list_data, list_pages
from corpus.errors import UserError
from corpus.languages.labels import labels
from corpus.pipelines.cli.docs import docs
from corpus.pipelines.cli.listing import LISTS, TOPICS, describe_keys, list_names
from corpus.rules.known_signals import read_known_signals
from corpus.sources import KINDS
from tests.cli.running import run

ROOT = Path(__file__).parents[2]


def test_every_page_is_listed_with_its_title() -> None:
    listed = dict(line.split("\t") for line in run(docs).splitlines())
    assert listed["manifest"] == "Manifests" and listed["sources/warc"] == "Web archives"
    inner = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert {f"{name}.md" for name in listed} >= inner
    assert "readme" in listed and all(listed.values())


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("manifest", "docs/manifest.md"),
        ("docs/manifest.md", "docs/manifest.md"),
        ("docs/extending.md#signals", "docs/extending.md"),
        ("warc", "docs/sources/warc.md"),
        ("sources/warc", "docs/sources/warc.md"),
        ("README.md", "README.md"),
        ("Changelog", "CHANGELOG.md"),
    ],
)
def test_a_page_goes_by_its_name_and_by_its_path(name: str, file: str) -> None:
    assert run(docs, name) == (ROOT / file).read_text("utf-8")


def test_a_page_that_is_not_there_gets_the_nearest() -> None:
    with pytest.raises(UserError, match=r"^no page 'manfest': did you mean manifest\?$"):
        run(docs, "manfest")


def test_there_is_a_list_of_each_topic() -> None:
    assert [line.partition("\t")[0] for line in run(list_names).splitlines()] == list(TOPICS) == list(LISTS)
    for topic in TOPICS:
        rows = [line.split("\t") for line in run(list_names, topic).splitlines()]
        assert rows and {len(row) for row in rows} == {len(rows[0])}, topic
        asked = json.loads(run(list_names, topic, "--json"))
        assert [list(row.values()) for row in asked] == rows


def test_the_lists_are_whole() -> None:
    first = {topic: [next(iter(row.values())) for row in LISTS[topic]()] for topic in TOPICS}
    assert first["kinds"] == list(KINDS)
    assert first["presets"] == list_data("rules") and first["layouts"] == list_data("fields")
    assert first["signals"] == list(read_known_signals().signals)
    assert labels().nameable <= set(first["languages"]) and "jav_Java" in first["languages"]
    assert first["mixtures"] == ["balanced", "gpt3"]
    assert "pubmed" in first["manifests"] and "months" not in first["manifests"]
    assert "gopher.words.min" in first["rules"]


def test_every_kind_has_a_page_and_a_first_sentence() -> None:
    for row in LISTS["kinds"]():
        assert row["page"].removeprefix("corpus docs ") in list_pages()
        assert row["reads"].endswith(".") and "\n" not in row["reads"]


def test_the_file_of_a_row_is_what_its_name_prints() -> None:
    for topic in ("presets", "languages", "layouts", "mixtures", "manifests"):
        for row in LISTS[topic]():
            if row["file"]:
                assert Path(row["file"]).is_file()
    assert run(list_names, "manifests", "pubmed") == data_path("pubmed.yaml").read_text("utf-8")
    assert run(list_names, "manifests", "manifests/pubmed.yaml") == data_path("pubmed.yaml").read_text(
        "utf-8"
    )
    assert "gopher.words" in yaml.safe_load(run(list_names, "presets", "gopher_quality"))["rules"]
    chinese = data_path("languages", "cmn.yaml").read_text("utf-8")
    assert [run(list_names, "languages", name) for name in ("zh", "cmn", "zh-Hant")] == [chinese] * 3
    assert "Words of the text" in run(list_names, "signals", "gopher.words")
    assert run(list_names, "rules", "gopher.words.min").count("bound: 50") >= 1


def test_what_is_said_of_a_manifest_is_a_sentence_without_its_commands() -> None:
    said = {row["manifest"]: row["about"] for row in LISTS["manifests"]()}
    assert said["arxiv"] == "arXiv: papers from their TeX sources, in the layout of the bulk downloads."
    assert all(about.endswith(".") and " > " not in about and "--out" not in about for about in said.values())


def test_every_kind_that_needs_more_than_a_path_has_a_ready_manifest() -> None:
    plain = {"jsonl", "csv", "parquet", "text"}
    used = set()
    for row in LISTS["manifests"]():
        content = yaml.safe_load(Path(row["file"]).read_text("utf-8"))
        used |= {source["kind"] for source in content["sources"].values()}
    assert set(KINDS) - used <= plain
    pages = yaml.safe_load(data_path("html.yaml").read_text("utf-8"))["sources"]["pages"]
    assert pages["kind"] == "html" and not set(pages) - {"kind", "paths"}, (
        "what is set there is what one may set"
    )


def test_a_kind_names_its_keys() -> None:
    keys = describe_keys("text").splitlines()
    assert "  paths: list of text (required; every kind has it)" in keys
    assert '  unit: file or paragraph or line (default: "file")' in keys
    assert "  language: text (optional)" in keys
    warc = describe_keys("warc")
    assert 'rules: list of text (default: ["fineweb", "language"]' in warc and "max_bytes: size" in warc
    for kind in KINDS:
        assert "[" not in describe_keys(kind).partition("Keys:")[0][:2]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["kins"], "no list of 'kins': did you mean kinds?"),
        (["presets", "gopher"], "no preset 'gopher': did you mean"),
        (["kinds", "wark"], "no kind 'wark': did you mean warc?"),
        (["languages", "Chinese"], "'Chinese' is not a language: did you mean cmn (Chinese)?"),
        (["kinds", "warc", "--json"], "--json has no effect with NAME"),
    ],
)
def test_what_is_not_there_gets_one_line(words: list[str], line: str) -> None:
    with pytest.raises(UserError) as refused:
        run(list_names, *words)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


def test_licences_are_listed_with_their_sets() -> None:
    listed = dict(line.split("\t") for line in run(list_names, "licenses").splitlines())
    assert listed["permissive"].startswith("a set of ") and listed["MPL-2.0"] == "weak_copyleft"
    assert {"all", "unknown", "MIT", "GPL-3.0-or-later"} <= listed.keys()
    assert run(list_names, "licenses", "MIT") == "license: MIT\nis: permissive\n"


def test_what_is_said_of_a_file_is_one_sentence_without_commands() -> None:
    for topic in ("manifests", "mixtures"):
        for line in run(list_names, topic).splitlines():
            about = line.split("\t")[1]
            assert (
                about and len(about) < 130 and "corpus build" not in about and "pip download" not in about
            ), line
