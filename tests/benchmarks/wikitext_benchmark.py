"""Wikitext to text: speed and debris of ours, of plain stripping by patterns, and of mwparserfromhell if installed.

    CORPUS_DATA=... python -m tests.benchmarks.wikitext_benchmark

Sixty articles, taken in turn from the dumps under CORPUS_DATA/wiki. Debris is markup left in the text: braces
and brackets of templates, links and tables, quotes of bold and italics, tags, image options, entities. Formulas
hold braces too, so they are cut from every output first.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from itertools import chain, zip_longest
from pathlib import Path

from corpus.document import Record
from corpus.extract.wikitext.wiki_page import to_text
from corpus.sources.wikipedia.wiki_dump import Wikipedia
from tests.benchmarks import bench

DEBRIS = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|</?ref\b|'''|''|^\|-|\bthumb\||\|thumb\b|\d+px\||<!--|&(?:nbsp|lt|gt|amp|quot|ndash);"
    r"|</?(?:div|span|br|small|sub|sup|table|center|gallery)\b|style=|__[A-Z]+__|\(\s*[;,]?\s*\)|（\s*[、；]?\s*）",
    re.M,
)
FORMULA = re.compile(r"\$[^$\n]*\$|<math.*?</math>", re.S)
PAGES = 60


def pages(folder: Path) -> list[str]:
    """Articles of all dumps, one of each in turn."""
    dumps = []
    for path in sorted(folder.glob("*/*")):
        found = Wikipedia(paths=["x"]).read(str(path), path.name, 0, path.stat().st_size)
        dumps.append([str(record.body) for record in found if isinstance(record, Record) and not record.gate])
    return [page for page in chain.from_iterable(zip_longest(*dumps)) if page][:PAGES]


def by_patterns(text: str) -> str:
    """The usual dozen patterns."""
    text = re.sub(r"<!--.*?-->|<ref[^>]*/>|<ref.*?</ref>|<gallery.*?</gallery>", "", text, flags=re.S)
    for _ in range(6):
        text = re.sub(r"\{\{[^{}]*\}\}", "", text)
    text = re.sub(r"\{\|.*?\n\|\}", "", text, flags=re.S)
    for _ in range(2):
        text = re.sub(r"\[\[(?:File|Image|Category|Файл|Категорія|ファイル|চিত্র)[^\[\]]*\]\]", "", text)
        text = re.sub(r"\[\[(?:[^|\[\]]*\|)?([^\[\]|]*)\]\]", r"\1", text)
    text = re.sub(r"\[https?://\S+ ([^\]]*)\]", r"\1", text)
    text = re.sub(r"'{2,}|<[^<>]*>|^=+|=+$|^[*#:;]+", "", text, flags=re.M)
    return html.unescape(text)


def extractors() -> dict[str, Callable[[str], str]]:
    found: dict[str, Callable[[str], str]] = {"corpus": to_text, "plain patterns": by_patterns}
    try:
        import mwparserfromhell
    except ImportError:
        print("mwparserfromhell is not there (`make bench` installs it): left out")
    else:
        found["mwparserfromhell"] = lambda text: str(mwparserfromhell.parse(text).strip_code())
    return found


def main() -> None:
    bench.parser(__doc__).parse_args()
    data = bench.sample_data()
    texts = pages(data / "wiki")
    characters = sum(map(len, texts))
    print(f"{len(texts)} pages, {characters:,} characters of wikitext")
    print(f"{'':18}{'pages/s':>9}{'Mchar/s':>9}{'kept':>7}{'debris per 100,000 characters':>31}")
    for name, extractor in extractors().items():
        outputs = [extractor(text) for text in texts]
        best = min(_seconds(extractor, texts) for _ in range(1 if name == "mwparserfromhell" else 3))
        kept = sum(map(len, outputs))
        debris = sum(len(DEBRIS.findall(FORMULA.sub("", output))) for output in outputs)
        print(
            f"{name:18}{len(texts) / best:9.0f}{characters / best / 1e6:9.1f}{kept / characters:7.0%}"
            f"{debris / kept * 1e5:31.1f}"
        )


def _seconds(extractor: Callable[[str], str], texts: list[str]) -> float:
    start = time.process_time()
    for text in texts:
        extractor(text)
    return time.process_time() - start


if __name__ == "__main__":
    main()
