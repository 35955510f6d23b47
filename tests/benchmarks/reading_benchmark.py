"""Reading web archives beside warcio, and the first look at a page: CPU microseconds a page, in turn.

    CORPUS_DATA=... python -m tests.benchmarks.reading_benchmark

Reading: every record of web-open.warc.gz with its HTTP headers and its body without transfer and content
encodings. First look: what happens to a page before its text is looked for: the gate of its URL, its charset, its
text in Unicode (stages_benchmark.py has it beside datatrove's). Language: ours (lid.176 and CLD2 together, and the
script) beside lid.176 alone over the whole text, as datatrove asks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import fasttext
from rich.console import Console
from rich.table import Table
from warcio.archiveiterator import ArchiveIterator

from corpus.document import Record
from corpus.extract.html.main_text import extract_main_text
from corpus.filters.url import find_url_gate
from corpus.languages import identify
from corpus.languages.identify import Identifier
from corpus.languages.models import lid_path
from corpus.sources.web.warc import Warc
from tests.benchmarks import bench

ROUNDS = 3


def ours(path: Path) -> list[Record]:
    found = Warc(paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size)
    return [record for record in found if isinstance(record, Record) and record.gate is None]


def by_warcio(path: Path) -> int:
    count = 0
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                count += len(record.content_stream().read()) > 0
    return count


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def named(identifier: Identifier, texts: list[str]) -> list[tuple[str, float]]:
    """Each text asked for anew: what an earlier round found is forgotten."""
    identify._look_at.cache_clear()
    return [identifier.identify(text) for text in texts]


def main() -> None:
    bench.parser(__doc__).parse_args()
    path = bench.sample_data() / "warc/web-open.warc.gz"
    records = ours(path)
    texts = [
        text for record in records[::4] if (text := extract_main_text(bench.decode_page(record), mode="fast"))
    ]
    identifier = Identifier(None)
    model = fasttext.load_model(lid_path())
    sides: dict[tuple[str, str], tuple[Callable[[], object], int]] = {
        ("read", "corpus"): (lambda: ours(path), len(records)),
        ("read", "warcio"): (lambda: by_warcio(path), len(records)),
        ("first look", "corpus"): (
            lambda: [find_url_gate(record.url or "") or bench.decode_page(record) for record in records],
            len(records),
        ),
        ("language", "corpus"): (lambda: named(identifier, texts), len(texts)),
        ("language", "lid.176 on the whole text"): (
            lambda: [model.predict(text.replace("\n", " "), k=-1) for text in texts],
            len(texts),
        ),
    }
    spent = {name: min(cpu(work) for _ in range(1)) for name, (work, _) in sides.items()}
    for _ in range(ROUNDS - 1):
        for name, (work, _) in sides.items():
            spent[name] = min(spent[name], cpu(work))
    table = Table(title=f"{len(records):,} pages of {path.name}")
    for column in ("stage", "", "microseconds a page", "pages/CPU s"):
        table.add_column(column, justify="right" if "page" in column else "left")
    for (stage, side), (_, pages) in sides.items():
        seconds = spent[stage, side] / pages
        table.add_row(stage, side, f"{seconds * 1e6:.0f}", f"{1 / seconds:,.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
