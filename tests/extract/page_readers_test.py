"""Web pages: the library of their mode is loaded alone, and what it takes to load is no page's time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from corpus.document import Record
from corpus.extract import PAGE_MODULE, ExtractedText
from corpus.extract.page_readers import list_modules
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.supervised import Parser

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


LOAD = """
import json, sys, time
import corpus.extract.html.main_text
page = sys.stdin.read()
begin = time.process_time()
import corpus.extract.html.trafilatura_text
loaded = time.process_time()
corpus.extract.html.trafilatura_text.extract_with_trafilatura(page, None, "fast")
print(json.dumps([loaded - begin, time.process_time() - loaded]))
"""


def choose_seconds(page: str) -> float:
    """Return processor time that the first page takes here, now, and half of what its library takes to load."""
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=True)
    loading, reading = json.loads(done.stdout)
    return float(reading + loading / 2)


def test_the_first_page_that_is_left_to_trafilatura_has_all_its_time() -> None:
    stated = json.dumps({"@type": "Article", "articleBody": SENTENCE * 20}, ensure_ascii=False)
    page = (
        f'<html><head><script type="application/ld+json">{stated}</script></head><body><p>…</p></body></html>'
    )
    records = [
        Record(native_id=str(at), file="f", offset=at, length=1, media_type="text/html", body=page)
        for at in range(3)
    ]
    parser = Parser("corpus", Budgets(seconds=choose_seconds(page)))
    try:
        answers = [answer for _, answer in parser.extract_each(enumerate(records))]
    finally:
        parser.close()
    for answer in answers:
        assert isinstance(answer, ExtractedText), answer
        assert answer.metadata["extractor"] == "trafilatura" and SENTENCE.strip() in answer.text
