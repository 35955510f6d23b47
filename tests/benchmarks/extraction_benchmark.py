"""Extraction engines: pages a CPU-second and what they get right, so that `extraction:` can be chosen by numbers.

    CORPUS_DATA=... python -m tests.benchmarks.extraction_benchmark [--pages 502]

Each page is given to all engines, another one first each time, decoded once. Segments: 502 pages of
trafilatura's evaluation, each with pieces of text that must and must not appear; F1 over those pieces, and over
those of the pages that are mostly outside the Latin script. Shingles: 102 articles with their full text; F1 of
word 4-grams by ICU words, averaged over pages. `trafilatura` is the library as it comes; `fast`, `precision` and
`recall` are ours around it, with the same text but for zero-width joiners and deep nesting.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import tarfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from corpus.extract.html.main_text import extract_main_text
from corpus.formats.encodings import decode
from corpus.text.words import segment_words
from tests.benchmarks import bench

Engine = Callable[[str], str | None]


def engines() -> dict[str, Engine]:
    """Ours, and those of others that are installed."""
    found: dict[str, Engine] = {
        "corpus fast": lambda html: extract_main_text(html, mode="fast"),
        "corpus precision": lambda html: extract_main_text(html, mode="precision"),
        "corpus recall": lambda html: extract_main_text(html, mode="recall"),
        "corpus resiliparse": lambda html: extract_main_text(html, mode="resiliparse"),
    }
    found["trafilatura fast"] = as_it_comes()
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


def segment_pages(data: Path, limit: int) -> list[tuple[str, list[str], list[str]]]:
    """Pages with what must and what must not appear."""
    gold = json.loads((data / "html_gold/trafilatura/evaldata.json").read_text())
    entries = {entry["file"]: entry for entry in gold.values()}
    found = []
    with tarfile.open(data / "html_gold/trafilatura/pages.tar.xz") as archive:
        for member in archive:
            entry = entries.get(Path(member.name).name)
            stream = archive.extractfile(member) if member.isfile() and entry is not None else None
            if stream is not None and entry is not None:
                found.append((decode(stream.read())[0], entry["with"], entry["without"]))
            if len(found) == limit:
                break
    return found


def article_pages(data: Path, limit: int) -> list[tuple[str, str]]:
    """Pages with their full text."""
    folder = data / "html_gold/article-extraction-benchmark"
    gold = json.loads((folder / "ground-truth.json").read_text())
    return [
        (decode(gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()))[0], entry["articleBody"])
        for name, entry in sorted(gold.items())[:limit]
    ]


def is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return 2 * latin >= len(letters)


def shingles(text: str) -> Counter[tuple[int, ...]]:
    words = segment_words(text, None).hashes.tolist()
    return Counter(zip(*(words[at:] for at in range(4)), strict=False))


def turned(names: list[str], at: int) -> list[str]:
    """The names in another order each time: whoever comes first finds caches cold."""
    at %= len(names)
    return [*names[at:], *names[:at]]


def f1(found: int, missed: int, wrong: int) -> float:
    return 2 * found / max(1, 2 * found + missed + wrong)


def shingle_f1(text: str, gold: str) -> float:
    ours, theirs = shingles(text), shingles(gold)
    both = (ours & theirs).total()
    return f1(both, theirs.total() - both, ours.total() - both) if theirs else float(not ours)


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--pages", type=int, default=502)
    limit = parser.parse_args().pages
    data = bench.sample_data()
    candidates = engines()
    spent = dict.fromkeys(candidates, 0.0)
    failed = dict.fromkeys(candidates, 0)
    counts = {name: {"all": [0, 0, 0], "other": [0, 0, 0]} for name in candidates}
    shared: dict[str, list[float]] = {name: [] for name in candidates}

    def run(name: str, html: str) -> str:
        begin = time.process_time()
        try:
            text = candidates[name](html) or ""
        except Exception:  # an engine that fails on a page has found nothing
            text = ""
            failed[name] += 1
        spent[name] += time.process_time() - begin
        return text

    segments = segment_pages(data, limit)
    articles = article_pages(data, limit)
    for name in candidates:
        run(name, segments[0][0])  # what loads late loads now
    spent = dict.fromkeys(candidates, 0.0)
    names = list(candidates)
    for at, (html, wanted, unwanted) in enumerate(segments):
        groups = ["all"] if is_latin("".join(wanted)) else ["all", "other"]
        for name in turned(names, at):
            text = run(name, html)
            for group in groups:
                counts[name][group][0] += sum(part in text for part in wanted)
                counts[name][group][1] += sum(part not in text for part in wanted)
                counts[name][group][2] += sum(part in text for part in unwanted)
    for at, (html, gold) in enumerate(articles):
        for name in turned(names, at):
            shared[name].append(shingle_f1(run(name, html), gold))
    pages = len(segments) + len(articles)
    others = sum(not is_latin("".join(wanted)) for _, wanted, _ in segments)
    table = Table(
        title=f"{len(segments)} pages with segments, {others} of them not Latin; {len(articles)} articles"
    )
    for column in ("engine", "pages/CPU s", "segments F1", "not Latin", "shingles F1", "failed"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    for name in candidates:
        table.add_row(
            name,
            f"{pages / spent[name]:.0f}",
            f"{f1(*counts[name]['all']):.3f}",
            f"{f1(*counts[name]['other']):.3f}",
            f"{sum(shared[name]) / len(shared[name]):.3f}",
            str(failed[name]),
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
