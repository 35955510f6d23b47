"""docs/sources/examples.md shows documents as they come out: what stands there is what the sources give today."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

from corpus.document import Record
from corpus.extract import DEFAULT_MODE, ExtractedText, extract
from corpus.sources import source_class
from tests.sources import code_test

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sources" / "examples.md"
SECTION = re.compile(
    r"^## .*?\n<!-- (?P<kind>\w+) (?P<path>\S+) (?P<id>[^\n]+) -->\n(?P<table>.*?)\n```text\n(?P<text>.*?)\n```\n",
    re.MULTILINE | re.DOTALL,
)
ROW = re.compile(r"^\| ([\w.]+) \| `?(.*?)`? \|$", re.MULTILINE)
CUT = "[…]"
packages = code_test.packages


def sections() -> list[re.Match[str]]:
    return list(SECTION.finditer(PAGE.read_text(encoding="utf-8")))


@cache
def found(kind: str, path: str, native: str) -> tuple[Record, ExtractedText]:
    source = source_class(kind).model_validate({"kind": kind, "paths": ["x"]})
    for start, end in source.plan(path, os.path.getsize(path), 1 << 40):
        for record in source.read(path, os.path.basename(path), start, end):
            if (
                isinstance(record, Record)
                and not record.gate
                and record.native_id.replace("\0", " ") == native
            ):
                text = extract(record, DEFAULT_MODE)
                assert text is not None
                return record, text
    raise AssertionError(f"no document {native} in {path}")


def test_the_page_has_a_document_of_each_kind() -> None:
    kinds = [section["kind"] for section in sections()]
    assert kinds == ["warc", "wikipedia", "stackexchange", "books", "books", "pubmed", "arxiv", "code"]


def test_what_others_wrote_is_short_and_has_its_address_and_licence() -> None:
    for section in sections()[1:]:
        credit = section["table"].partition("\n\n")[0]
        assert "](http" in credit, credit
        assert "public domain" in credit or re.search(r"\[(?:CC|MIT)[^]]*\]\(https://", credit), credit
        assert len(section["text"]) < 800


@pytest.mark.parametrize("at", range(7))
def test_what_the_page_shows_is_what_comes_out(at: int, data: Path) -> None:
    compare(sections()[at], "${CORPUS_DATA}", data)


def test_what_the_page_shows_of_a_package_is_what_comes_out(packages: Path) -> None:
    compare(sections()[7], "${CORPUS_PACKAGES}", packages)


def compare(section: re.Match[str], variable: str, folder: Path) -> None:
    path = section["path"].replace(variable, str(folder))
    record, text = found(section["kind"], path if path.startswith("/") else str(ROOT / path), section["id"])
    described = {
        "url": record.url,
        "date": record.date or text.date,
        "license": record.license or text.license,
        "group": record.group,
        **{f"metadata.{name}": value for name, value in {**record.metadata, **text.metadata}.items()},
    }
    shown = dict(ROW.findall(section["table"]))
    shown.pop("language")
    assert len(shown) > 0
    assert shown == {name: (described.get(name) or "").replace("|", "\\|") for name in shown}
    at = 0
    for piece in section["text"].split(f"\n{CUT}\n"):
        at = text.text.find(piece, at)
        assert at >= 0, piece
        at += len(piece)
