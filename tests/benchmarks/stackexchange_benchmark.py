"""Threads out of Posts.xml: speed of ours beside the way it is usually done, ElementTree and BeautifulSoup.

    CORPUS_DATA=... python -m tests.benchmarks.stackexchange_benchmark

Both read the same dump from disk and give the text of every thread with its answers by score. The peer is the
recipe of the Pile's Stack Exchange set, re-implemented: rows by ElementTree, a thread held until its last answer, HTML
by BeautifulSoup's `get_text`. `lxml` is the same with lxml's parsers. Rounds are interleaved; the best counts.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import lxml.html
from lxml import etree

from corpus.document import Record
from corpus.extract import extract
from corpus.sources.posts.stackexchange import StackExchange
from tests.benchmarks import bench

COPIES = 10
NUMBER = re.compile(rb' (Id|ParentId|AcceptedAnswerId)="(\d+)"')


def ours(path: Path) -> int:
    """Characters of text."""
    source = StackExchange(paths=["x"])
    total = 0
    for record in source.read(str(path), path.name, 0, path.stat().st_size):
        if isinstance(record, Record) and not record.gate:
            found = extract(record, "fast")
            total += len(found.text) if found else 0
    return total


def by_elements(rows: Callable[[Path], object], to_text: Callable[[str], str]) -> Callable[[Path], int]:
    def run(path: Path) -> int:
        questions: dict[str, tuple[str, list[tuple[int, str]]]] = {}
        for row in rows(path):  # type: ignore[attr-defined]
            if row["PostTypeId"] == "1":
                questions[row["Id"]] = (row["Title"] + "\n\n" + to_text(row["Body"]), [])
            elif row["PostTypeId"] == "2" and row["ParentId"] in questions:
                questions[row["ParentId"]][1].append((int(row["Score"]), to_text(row["Body"])))
        total = 0
        for question, answers in questions.values():
            answers.sort(key=lambda item: -item[0])
            total += len("\n\n".join([question, *(text for _, text in answers)]))
        return total

    return run


def elementtree_rows(path: Path) -> object:
    for _, element in ElementTree.iterparse(path):
        if element.tag == "row":
            yield dict(element.attrib)
        element.clear()


def lxml_rows(path: Path) -> object:
    for _, element in etree.iterparse(str(path), tag="row"):
        yield dict(element.attrib)
        element.clear()


def larger(path: Path, target: Path) -> Path:
    """The dump `COPIES` times in one file, each copy with numbers of its own."""
    data = path.read_bytes()
    start, end = data.index(b"  <row"), data.rindex(b"</posts>")
    with target.open("wb") as file:
        file.write(data[:start])
        for copy in range(COPIES):
            file.write(NUMBER.sub(partial(_shift, copy * 1_000_000), data[start:end]))
        file.write(data[end:])
    return target


def _shift(by: int, match: re.Match[bytes]) -> bytes:
    return b' %s="%d"' % (match[1], int(match[2]) + by)


def main() -> None:
    bench.parser(__doc__).parse_args()
    data = bench.sample_data()
    runs: dict[str, Callable[[Path], int]] = {"corpus": ours}
    runs["lxml"] = by_elements(lxml_rows, lambda body: lxml.html.fromstring(body or "<p/>").text_content())
    try:
        from bs4 import BeautifulSoup
    except ImportError:
        print("beautifulsoup4 is not there (`make bench` installs it): left out")
    else:
        runs["ElementTree, BeautifulSoup"] = by_elements(
            elementtree_rows, lambda body: BeautifulSoup(body, "html.parser").get_text()
        )
    with tempfile.TemporaryDirectory() as folder:
        source = data / "stackexchange" / "coffee.stackexchange.com" / "Posts.xml"
        path = larger(source, Path(folder) / "Posts.xml")
        best = dict.fromkeys(runs, float("inf"))
        kept = dict.fromkeys(runs, 0)
        for _ in range(3):
            for name, run in runs.items():
                begin = time.process_time()
                kept[name] = run(path)
                best[name] = min(best[name], time.process_time() - begin)
        size = path.stat().st_size
    print(f"{size / 1e6:.1f} MB of Posts.xml\n{'':28}{'MB/s':>8}{'characters':>14}{'CPU, ours = 1':>16}")
    for name in runs:
        print(f"{name:28}{size / best[name] / 1e6:8.1f}{kept[name]:14,}{best[name] / best['corpus']:16.1f}")


if __name__ == "__main__":
    main()
