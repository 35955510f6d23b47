"""Extraction engines: what they cost and what they get right, so that `extraction:` can be chosen by numbers.

    CORPUS_DATA=... python -m tests.benchmarks.extraction_benchmark [--pages 502] [--models FOLDER] [--engines a,b]

Each page is given to all engines, another one first each time, decoded once.

- pieces: 502 pages of trafilatura's evaluation, each with pieces of text that must and must not appear; F1 over those
  pieces, and over those of the pages that are mostly outside the Latin script
- 4-grams: 102 articles with their full text; F1 of word 4-grams by ICU words, averaged over pages
- structure: 60 pages of our own in the markup of 20 generators and in ten languages; shares of code blocks, cells of
  tables and formulas that stay what they are (`tests.extract.structure_gold`)
- words: 1,497 pages of WCXB of seven types; F1 of words as WCXB counts them, averaged over pages
- web-open: 2,094 pages of a crawl, as they come; milliseconds alone

`trafilatura` is the library as it comes; `fast`, `precision` and `recall` are ours around it, with the same text but
for zero-width joiners and deep nesting. `corpus` was trained on these pages: with `--models`, a folder that
`corpus model train extractor ... --keep-parts FOLDER` has made, each page is read by the model that has not seen its
site. The last table has the milliseconds of CPU a MB of HTML in each set, beside those of two parsers alone: with all
engines in turn on each page, where each finds the processor's caches full of another's data, and with one after
another, `corpus` with some pages together, as in a build. It has the share of bytes in pages that `corpus` leaves to
trafilatura, which its milliseconds include.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import os
import sys
import time
import unicodedata
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType
from rich.console import Console
from rich.table import Table
from selectolax.lexbor import LexborHTMLParser

from corpus.document import Record
from corpus.extract.html.blocks import main_blocks
from corpus.extract.html.blocks.block_model import BlockModel, read_model
from corpus.extract.html.blocks.training.gold_pages import GoldFolder, GoldPage, read_gold_folder
from corpus.extract.html.blocks.training.scores import Scores
from corpus.extract.html.blocks.training.trainer import fold_of
from corpus.extract.html.main_text import extract_main, extract_main_text, extract_text
from corpus.extract.html.pages_ahead import estimate_ahead, forget_ahead, read_ahead
from corpus.extract.html.trafilatura_text import parse_page
from corpus.extract.process.supervised import ONE_THREAD
from corpus.extract.process.worker import GROUP_BYTES, GROUP_JOBS
from corpus.formats.encodings import decode
from tests.benchmarks import bench
from tests.extract.structure_gold.pages import make_pages, score_pages

Engine = Callable[[str], str | None]
OURS = "corpus corpus"
FOLDERS = ("trafilatura", "article-extraction-benchmark", "wcxb", "web-open")
PARSERS: dict[str, Callable[[str], object]] = {
    "lexbor parse alone": LexborHTMLParser,
    "lxml parse alone": parse_page,
}
"""What extracts nothing, to see how much of an engine is its parser."""


def engines() -> dict[str, Engine]:
    """Ours, and those of others that are installed."""
    found: dict[str, Engine] = {
        OURS: lambda html: extract_main_text(html, mode="corpus"),
        "corpus fast": lambda html: extract_main_text(html, mode="fast"),
        "corpus precision": lambda html: extract_main_text(html, mode="precision"),
        "corpus recall": lambda html: extract_main_text(html, mode="recall"),
        "corpus resiliparse": lambda html: extract_main_text(html, mode="resiliparse"),
    }
    found["trafilatura fast"] = as_it_comes()
    found |= {name: parse_alone(parse) for name, parse in PARSERS.items()}
    try:
        from readability import Document

        found["readability-lxml"] = lambda html: whole_page(Document(html).summary())
    except ImportError:
        pass
    try:
        import inscriptis

        found["inscriptis (whole page)"] = inscriptis.get_text
    except ImportError:
        pass
    return found


def read_as_builds_do(pages: list[str]) -> None:
    """Read pages in mode `corpus` as the process that parses does: up to GROUP_JOBS or GROUP_BYTES of them together."""
    group: list[Record] = []
    size = 0
    for at, html in enumerate(pages):
        body = html.encode("utf-8", "replace")
        group.append(
            Record(native_id=str(at), file="", offset=at, length=0, media_type="text/html", body=body)
        )
        read_ahead(group[-1])
        size += len(body)
        if len(group) == GROUP_JOBS or size > GROUP_BYTES or at + 1 == len(pages):
            estimate_ahead()
            for record in group:
                with contextlib.suppress(Exception):  # has been counted where engines took turns
                    extract_text(record, "corpus")
            forget_ahead()
            group, size = [], 0


def parse_alone(parse: Callable[[str], object]) -> Engine:
    def engine(html: str) -> None:
        parse(html)

    return engine


def as_it_comes() -> Engine:
    """Trafilatura with its own expressions, whose places ours have taken in this process."""
    import trafilatura
    from trafilatura import xpaths

    spec = importlib.util.spec_from_file_location("fresh_xpaths", xpaths.__file__)
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    names = [name for name in dir(fresh) if name.endswith("_XPATH")]
    faster = {name: list(getattr(xpaths, name)) for name in names}

    def put(expressions: Callable[[str], list[object]]) -> None:
        for name in names:
            getattr(xpaths, name)[:] = expressions(name)

    def engine(html: str) -> str | None:
        put(lambda name: getattr(fresh, name))
        try:
            return trafilatura.extract(html, fast=True, include_comments=False, include_tables=True)
        finally:
            put(lambda name: faster[name])

    return engine


def whole_page(html: str) -> str:
    from lxml.html import fromstring

    return str(fromstring(html).text_content())


def is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return 2 * latin >= len(letters)


def turned(names: list[str], at: int) -> list[str]:
    """The names in another order each time: whoever comes first finds caches cold."""
    at %= len(names)
    return [*names[at:], *names[:at]]


class Race:
    """All engines on all pages: scores and seconds by folder, and by type of page."""

    def __init__(self, models: list[BlockModel], candidates: dict[str, Engine]) -> None:
        self.models = models
        self.candidates = candidates
        self.scores: dict[tuple[str, str, str], Scores] = {}
        self.spent: dict[tuple[str, str], float] = {}
        self.failed = dict.fromkeys(candidates, 0)
        self.bytes: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self.alone: dict[tuple[str, str], float] = {}

    def run(self, folder: GoldFolder) -> None:
        names = list(self.candidates)
        for at, page in enumerate(folder.pages):
            size = len(page.html.encode("utf-8", "replace"))
            self.bytes[folder.name] = self.bytes.get(folder.name, 0) + size
            if self.models:
                fold = fold_of(page.site, len(self.models))
                main_blocks.load_model = cache(partial(self.models.__getitem__, fold))
            for name in turned(names, at):
                text = self.time(name, folder.name, page)
                if name in PARSERS:
                    continue
                for group in self.groups(page):
                    scores = self.scores.setdefault((name, folder.name, group), Scores())
                    scores.add(text, page.text, page.wanted, page.unwanted)
            if OURS in names and extract_main(page.html, None, "corpus").engine != "corpus":
                self.left[folder.name] = self.left.get(folder.name, 0) + size
        for name in names:
            begin = time.process_time()
            if name == OURS:
                read_as_builds_do([page.html for page in folder.pages])
            else:
                for page in folder.pages:
                    with contextlib.suppress(Exception):  # an engine that fails has been counted above
                        self.candidates[name](page.html)
            self.alone[name, folder.name] = time.process_time() - begin

    def groups(self, page: GoldPage) -> list[str]:
        latin = is_latin(page.text if page.text is not None else "".join(page.wanted))
        return ["all", page.kind, *(() if latin else ("not Latin",))]

    def time(self, name: str, folder: str, page: GoldPage) -> str:
        begin = time.process_time()
        try:
            text = self.candidates[name](page.html) or ""
        except Exception:  # an engine that fails on a page has found nothing
            text = ""
            self.failed[name] += 1
        self.spent[name, folder] = self.spent.get((name, folder), 0.0) + time.process_time() - begin
        return text

    def value(self, name: str, folder: str, group: str, key: str) -> str:
        scores = self.scores.get((name, folder, group))
        value = scores.to_row()[key] if scores is not None else None
        return "-" if value is None else f"{value:.3f}"


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--pages", type=int, default=1 << 20, help="pages of each folder")
    parser.add_argument("--models", type=Path, help="models of the parts of a cross-validation")
    parser.add_argument("--engines", help="some of them, between commas")
    parser.add_argument("--folders", default=",".join(FOLDERS), help="some of them, between commas")
    given = parser.parse_args()
    if not os.environ.keys() >= ONE_THREAD.keys():  # numpy reads them once, when it is imported
        os.execve(sys.executable, sys.orig_argv, {**ONE_THREAD, **os.environ})
    data = bench.sample_data() / "html_gold"
    candidates = engines()
    if given.engines:
        chosen = bench.split_names(parser, "--engines", given.engines, candidates)
        candidates = {name: candidates[name] for name in chosen}
    race = Race(read_models(given), candidates)
    names = bench.split_names(parser, "--folders", given.folders, FOLDERS)
    folders = [read_folder(data, name) for name in names]
    for name in candidates:
        candidates[name](folders[0].pages[0].html)  # what loads late loads now
    for folder in folders:
        # Every n-th: neighbours are alike.
        folder.pages = folder.pages[:: max(1, -(-len(folder.pages) // given.pages))]
    gc.collect()
    gc.freeze()  # so that no side looks through the gold for garbage
    for folder in folders:
        race.run(folder)
    print_tables(race, folders)
    print_structure(candidates)


def print_structure(candidates: dict[str, Engine]) -> None:
    pages = make_pages()
    table = Table(
        "engine", "code", "cells", "formulas", title=f"{len(pages)} pages with structure, shares kept"
    )
    for name, engine in candidates.items():
        kept = score_pages(pages, engine)
        table.add_row(name, f"{kept.code:.2f}", f"{kept.cells:.2f}", f"{kept.formulas:.2f}")
    Console(width=120).print(table)


def read_folder(data: Path, name: str) -> GoldFolder:
    if name != "web-open":
        return read_gold_folder(str(data / name))
    pages = []
    with open(data.parent / "warc" / "web-open.warc.gz", "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            html = decode(record.reader.read(), record.http_charset, html=True)[0]
            url = record.headers["WARC-Target-URI"]
            pages.append(GoldPage(name=url, site=url, kind="web", html=html))
    return GoldFolder(name, pages)


def read_models(given: argparse.Namespace) -> list[BlockModel]:
    files = sorted(given.models.glob("part-*.npz")) if given.models else []
    return [read_model(file.read_bytes(), str(file)) for file in files]


def print_tables(race: Race, folders: list[GoldFolder]) -> None:
    pages = {folder.name: len(folder.pages) for folder in folders}
    megabytes = sum(race.bytes.values()) / 1e6
    table = Table(title=", ".join(f"{count} pages of {name}" for name, count in pages.items()))
    for column in (
        "engine",
        "pages/CPU s",
        "ms/MB",
        "pieces F1",
        "not Latin",
        "4-grams F1",
        "words F1",
        "failed",
    ):
        table.add_column(column, justify="left" if column == "engine" else "right")
    for name in race.candidates:
        spent = sum(race.spent.get((name, folder), 0) for folder in pages)
        table.add_row(
            name,
            f"{sum(pages.values()) / spent:.0f}",
            f"{1000 * spent / megabytes:.1f}",
            race.value(name, "trafilatura", "all", "pieces"),
            race.value(name, "trafilatura", "not Latin", "pieces"),
            race.value(name, "article-extraction-benchmark", "all", "sequences"),
            race.value(name, "wcxb", "all", "words"),
            str(race.failed[name]),
        )
    console = Console(width=120)
    console.print(table)
    kinds = sorted({page.kind for folder in folders if folder.name == "wcxb" for page in folder.pages})
    if kinds:
        table = Table("engine", *kinds, "not Latin", title="words F1 by type of page, WCXB")
        for name in race.candidates:
            table.add_row(name, *(race.value(name, "wcxb", kind, "words") for kind in [*kinds, "not Latin"]))
        console.print(table)
    print_costs(console, race)


def print_costs(console: Console, race: Race) -> None:
    """Milliseconds of CPU a MB of HTML, by set, and what `corpus` leaves to trafilatura."""
    table = Table(
        "engine", title="ms of CPU a MB of HTML: engines in turn on each page (one engine after another)"
    )
    for name, size in race.bytes.items():
        table.add_column(f"{name}, {size / 1e6:.0f} MB", justify="right")
    for engine in race.candidates:
        cells = []
        for name, size in race.bytes.items():
            turned_cost, alone = race.spent[engine, name], race.alone[engine, name]
            cells.append(f"{1e9 * turned_cost / size:.1f} ({1e9 * alone / size:.1f})")
        table.add_row(engine, *cells)
    if OURS in race.candidates:
        left = [race.left.get(name, 0) / size for name, size in race.bytes.items()]
        table.add_section()
        table.add_row("bytes left to trafilatura", *(f"{share:.2%}" for share in left))
    console.print(table)


if __name__ == "__main__":
    main()
