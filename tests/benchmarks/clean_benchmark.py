"""Rules on lines: what the lists find of labelled lines, what they cost, and what poems and articles lose.

    CORPUS_DATA=... python -m tests.benchmarks.clean_benchmark

`clean_labels.tsv` has 599 lines that trafilatura and our own extractor leave on real pages in six languages, by the
page (offset of the record in warc/web-open.warc.gz, path in dirty/chardet-encodings/pages.tar.xz, number of the page in
html_gold/wcxb/wcxb-dev.tar.zst) and the line's hash: no text.

How they were drawn: of lines with two letters that are no rows of tables, addresses or stamps of time, half are of at
most 100 characters and stand, by their letters, on several sites; 30 % are among the first two or last six of a page,
10 % of at most 40 characters, 10 % any. A site has two lines where there are enough, and a language a wording once in
each half. All lines of a site are in one half, `dev`, by which lists are corrected, or `test`, which those who
correct them do not see.

How they were labelled: once by each of two readers, apart from each other, without the lists, each line between its
neighbours. Both had this definition: boilerplate is what the wording alone, beside its neighbours, shows to be the
page's and not the text's: navigation, logins, cookies, sharing, counters, invitations to read on, heads of comments and
of lists of other pages, page numbers, newsletters, advertisements, controls of shops and forums, rights and copyright
lines, site filings, editors' marks, apps and QR codes. Not so: headlines of other pages, dates alone, authors' names,
sources, captions, ways to make contact, heads of sections, names of topics standing as content, ordinary sentences and
list items.

A line is judged where both readers agree: no rule can agree with each of them more than they do with each other. What
that leaves out, one reader against the other, and the lists against each alone are printed beside it.

What can be told at all: two more readers, apart from all others and without the lists, had the definition and 570 of
the lines, one (`alone`) without their neighbours, one (`beside`) between three lines before and behind. Their F1 is
printed under the lists'.
"""

from __future__ import annotations

import gzip
import json
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import zstandard
from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpus.clean.boilerplate import find_boilerplate
from corpus.clean.clean_spans import clean_texts
from corpus.clean.options import CLASSES, PRESETS
from corpus.extract.html.main_text import extract_main_text
from corpus.formats.encodings import decode
from corpus.languages.identify import Identifier
from corpus.private.kinds import find_private
from corpus.private.options import WEB_REDACT
from tests.benchmarks import bench

LABELS = Path(__file__).with_name("clean_labels.tsv")
MODES = ("fast", "recall", "corpus")
HALVES = ("dev", "test")
PAGE_BYTES = 5000
SPEED_PAGES = 400
ROUNDS = 5


class Label(NamedTuple):
    """Whether a line is boilerplate to the first reader and to the second, to one who sees it alone and to one who sees
    it beside its neighbours; None where the last two did not see it."""

    half: str
    first: bool
    second: bool
    alone: bool | None
    beside: bool | None


def read_labels() -> dict[tuple[str, str], dict[str, Label]]:
    """Return the labels of lines by page and hash."""
    pages: dict[tuple[str, str], dict[str, Label]] = defaultdict(dict)
    for row in LABELS.read_text().splitlines()[1:]:
        half, _, file, place, line, *labels = row.split("\t")
        first, second, alone, beside = (label == "1" if label else None for label in labels)
        pages[file, place][line] = Label(half, bool(first), bool(second), alone, beside)
    return pages


def measure_agreement(labels: Iterable[Label]) -> float:
    """Return Cohen's kappa of the two readers."""
    readings = np.array([(label.first, label.second) for label in labels])
    shares = readings.mean(0)
    chance = float(np.prod(shares) + np.prod(1 - shares))
    return (float((readings[:, 0] == readings[:, 1]).mean()) - chance) / (1 - chance)


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
    packed = data / "html_gold" / "wcxb" / "wcxb-dev.tar.zst"
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    with (
        packed.open("rb") as stream,
        decompressor.stream_reader(stream) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):
        for member in archive:
            name = Path(member.name)
            page = ("wcxb", name.stem)
            content = archive.extractfile(member) if name.suffix == ".html" and page in wanted else None
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
    judged: list[tuple[Label, bool]] = []
    missing: Counter[str] = Counter()
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
            if line in there:
                judged.append((label, line in cut))
            else:
                missing[label.half] += 1
    readings = [label for page in labels.values() for label in page.values()]
    for half in HALVES:
        report_lines(half, [label for label in readings if label.half == half], judged, missing[half])
    report_costs(texts[:SPEED_PAGES], languages[:SPEED_PAGES])
    report_losses(data)


def score(pairs: Iterable[tuple[bool, bool]]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of (boilerplate, named) lines."""
    counts = Counter(pairs)
    right, wrong, lost = (counts[key] for key in ((True, True), (False, True), (True, False)))
    return (
        right / ((right + wrong) or 1),
        right / ((right + lost) or 1),
        2 * right / ((2 * right + wrong + lost) or 1),
    )


def report_lines(
    half: str, readings: Sequence[Label], judged: Iterable[tuple[Label, bool]], missing: int
) -> None:
    """Print how the readers of a half agree, and the lists with them."""
    agreed = [label for label in readings if label.first == label.second]
    print(
        f"{half}: {len(readings)} lines ({missing} no longer extracted), {sum(label.first for label in agreed)} "
        f"boilerplate to both readers, {len(readings) - len(agreed)} left out; reader against reader: "
        f"kappa {measure_agreement(readings):.3f}, F1 {score((each.first, each.second) for each in readings)[2]:.3f}"
    )
    lines = [(label, named) for label, named in judged if label.half == half]
    sides = {
        "where both agree": [(label.first, named) for label, named in lines if label.first == label.second],
        "the first alone": [(label.first, named) for label, named in lines],
        "the second alone": [(label.second, named) for label, named in lines],
    }
    sides = {f"lists, {side}": pairs for side, pairs in sides.items()}
    sides["a reader of the line alone, where both agree"] = [
        (each.first, each.alone) for each, _ in lines if each.first == each.second and each.alone is not None
    ]
    sides["a reader of it beside its neighbours, where both agree"] = [
        (each.first, each.beside)
        for each, _ in lines
        if each.first == each.second and each.beside is not None
    ]
    for side, pairs in sides.items():
        precision, recall, f1 = score(pairs)
        print(f"  {side}: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")


def report_costs(texts: list[str], languages: list[str]) -> None:
    """Print what edits cost: what the web has by default, the lists, both, and the recipes."""

    def redact() -> None:
        for text in texts:
            find_private(text, tuple(WEB_REDACT))

    def clean(*rules: str) -> None:
        clean_texts(texts, languages, rules)

    cleans = {name: partial(clean, *rules) for name, rules in PRESETS.items()}
    costs: dict[str, Callable[[], None]] = {"the web's defaults, e-mail and IP": redact, **cleans}
    pages = sum(len(text.encode()) for text in texts) / PAGE_BYTES
    for name, run in costs.items():
        run()
        spent = []
        for _ in range(ROUNDS):
            start = time.process_time()
            run()
            spent.append((time.process_time() - start) * 1000 / pages)
        print(f"{name}: {median(spent):.2f} ms a page of 5 KB (least {min(spent):.2f})")


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
