"""Rules on lines: what the lists find of labelled lines, what they cost, and what poems and articles lose.

    CORPUS_DATA=... python -m tests.benchmarks.clean_benchmark

`clean_labels.tsv` has 319 lines that trafilatura and our own extractor leave on real pages in six languages, by the
page (offset of the record in warc/web-open.warc.gz, path in dirty/chardet-encodings/pages.tar.xz) and the line's
hash: no text. Half of them were drawn from lines that several sites have, the rest from the ends and the middle of
pages. One reader labelled them before the lists were written. Boilerplate is what is so by its wording: a headline of
another page is none. Lines whose hash is even were at hand when the lists were corrected; the others are the test.
"""

from __future__ import annotations

import gzip
import json
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpus.clean.boilerplate import find_boilerplate
from corpus.clean.clean_spans import clean_texts
from corpus.clean.options import CLASSES, PRESETS
from corpus.extract.html.main_text import extract_main_text
from corpus.formats.encodings import decode
from corpus.languages.identify import Identifier
from tests.benchmarks import bench

LABELS = Path(__file__).with_name("clean_labels.tsv")
MODES = ("fast", "corpus")
PAGE_BYTES = 5000
SPEED_PAGES = 400


def read_labels() -> dict[tuple[str, str], dict[str, bool]]:
    """Return by page whether each of its lines, by its hash, is boilerplate."""
    pages: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for row in LABELS.read_text().splitlines()[1:]:
        file, place, line, _, label = row.split("\t")
        pages[file, place][line] = label == "1"
    return pages


def read_pages(data: Path, wanted: set[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the pages with labels: (page, HTML)."""
    with (data / "warc" / "web-open.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            page = ("warc", str(record.stream_pos))
            if page in wanted:
                yield page, decode(record.reader.read(), record.http_charset, html=True)[0]
    with tarfile.open(data / "dirty" / "chardet-encodings" / "pages.tar.xz") as archive:
        for member in archive:
            page = ("chardet", "/".join(member.name.split("/")[-2:]))
            content = archive.extractfile(member) if page in wanted else None
            if content is not None:
                yield page, decode(content.read(), None, html=True)[0]


def hash_line(line: str) -> str:
    return blake2b(line.strip().encode(), digest_size=8).hexdigest()


def main() -> None:
    """Print the tables."""
    bench.parser(__doc__).parse_args()
    data = bench.sample_data()
    labels = read_labels()
    identifier = Identifier(None)
    counts: dict[str, Counter[str]] = {"at hand": Counter(), "test": Counter()}
    texts: list[str] = []
    languages: list[str] = []
    for page, html in read_pages(data, set(labels)):
        extracted = [extract_main_text(html, mode=mode) or "" for mode in MODES]
        language = identifier.identify(max(extracted, key=len))[0]
        texts.append(extracted[0])
        languages.append(language)
        there = {hash_line(line) for text in extracted for line in text.split("\n")}
        cut = {
            hash_line(text[start:end])
            for text in extracted
            for start, end, _ in find_boilerplate(text, language, CLASSES)
        }
        for line, label in labels[page].items():
            half = counts["test" if int(line, 16) % 2 else "at hand"]
            half["missing" if line not in there else f"{label} {line in cut}"] += 1
    for name, count in counts.items():
        right, wrong, lost = (count[key] for key in ("True True", "False True", "True False"))
        print(
            f"{name}: {sum(count.values())} lines ({count['missing']} no longer extracted), precision "
            f"{right / ((right + wrong) or 1):.3f}, recall {right / ((right + lost) or 1):.3f}, "
            f"F1 {2 * right / ((2 * right + wrong + lost) or 1):.3f}"
        )
    size = sum(len(text.encode()) for text in texts[:SPEED_PAGES])
    for name, rules in PRESETS.items():
        start = time.process_time()
        clean_texts(texts[:SPEED_PAGES], languages[:SPEED_PAGES], rules)
        spent = (time.process_time() - start) * 1000 * PAGE_BYTES / size
        print(f"{name}: {spent:.2f} ms a page of 5 KB")
    report_losses(data)


def report_losses(data: Path) -> None:
    """Print what poems, the Analects and articles of zhwiki lose to each preset."""
    poetry = data / "zh" / "chinese-poetry"
    kept = {
        path.name: [
            "\n".join(entry["paragraphs"]) for entry in json.loads(_read_json(path)) if "paragraphs" in entry
        ]
        for path in sorted(poetry.glob("*.json*"))
    }
    with tarfile.open(data / "zh" / "zhwiki-text" / "words_txt.tar.xz") as archive:
        members = [archive.extractfile(member) for member in archive if member.isfile()]
        kept["zhwiki"] = [
            content.read().decode("utf-8", "replace") for content in members if content is not None
        ]
    for name, texts in kept.items():
        total = sum(map(len, texts)) or 1
        for preset, rules in PRESETS.items():
            results = clean_texts(texts, ["cmn_Hans"] * len(texts), rules)
            lost = sum(
                (1 - result.kept) * len(text)
                for result, text in zip(results, texts, strict=True)
                if result is not None
            )
            print(f"{name}: {preset} cuts {lost / total:.2%} of {total:,} characters")


def _read_json(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


if __name__ == "__main__":
    main()
