"""Web pages: the library of their mode is loaded alone, and what it takes to load is no page's time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from corpus.document import Record
from corpus.extract import FORMATS, PAGE_MODULE, ExtractedText
from corpus.extract.page_readers import list_modules
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.supervised import Parser
from tests.extract.hostile import BURNT_SECONDS

LIBRARIES = ("trafilatura", "resiliparse", "scipy")
SENTENCE = "Каждое утро пекарь открывает лавку, и в четыре часа уже горит свет. "
READ = """
import json, sys
from corpus.extract.html.main_text import extract_main
page = "<html><body><article><p>" + sys.argv[2] * 9 + "</p></article></body></html>"
engine = extract_main(page, None, sys.argv[1]).engine
print(json.dumps([engine, [name for name in sys.argv[3:] if name in sys.modules]]))
"""


@pytest.mark.parametrize(
    ("mode", "engine", "loaded"),
    [
        ("corpus", "corpus", []),
        ("fast", "trafilatura", ["trafilatura"]),
        ("resiliparse", "resiliparse", ["resiliparse"]),
    ],
)
def test_a_mode_loads_its_own_library(mode: str, engine: str, loaded: list[str]) -> None:
    command = [sys.executable, "-c", READ, mode, SENTENCE, *LIBRARIES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [engine, loaded]


def test_parsers_begin_with_what_their_records_need() -> None:
    blocks, trafilatura = "corpus.extract.html.blocks.main_blocks", "corpus.extract.html.trafilatura_text"
    assert list_modules(PAGE_MODULE, "corpus") == [PAGE_MODULE, blocks]
    assert list_modules(PAGE_MODULE, "precision") == [PAGE_MODULE, trafilatura]
    assert list_modules("corpus.extract.wikitext.wiki_page", "corpus") == [
        "corpus.extract.wikitext.wiki_page"
    ]
    assert list_modules("corpus.extract.plugin_extractor:extract_text", "mine:Mine") == [
        "corpus.extract.plugin_extractor"
    ]


def test_what_a_library_takes_to_load_is_no_page_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "text/x-hostile", "tests.extract.hostile")
    records = [
        Record(
            native_id=str(at),
            file="f",
            offset=at,
            length=1,
            media_type="text/x-hostile",
            body="<!--do:load-->",
        )
        for at in range(3)
    ]
    parser = Parser("corpus", Budgets(seconds=1.9 * BURNT_SECONDS))
    try:
        answers = [answer for _, answer in parser.extract_each(enumerate(records))]
    finally:
        parser.close()
    assert [isinstance(answer, ExtractedText) and answer.text for answer in answers] == ["survived load"] * 3
