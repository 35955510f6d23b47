"""Books to text: ours beside what is commonly used, on the samples; speed, and what is left in the text.

    pip install EbookLib
    CORPUS_DATA=... python -m tests.benchmarks.books_benchmark

EPUB: EbookLib (AGPL, for this bench only) reads the archive, BeautifulSoup gives the text of every document in the
spine. Project Gutenberg: what most pipelines do, everything between the two marks and nothing else. Debris: in EPUB
readings of Japanese words, contents and covers; in Gutenberg lines that are not joined, marks of italics, notes of the
transcriber. Rounds are interleaved, the best counts.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable

from corpus.document import Record
from corpus.extract import extract
from tests.benchmarks import bench

ROUNDS = 3
WRAPPED = re.compile(r"[a-zà-ÿ,]\n(?=[a-zà-ÿ])")
DEBRIS = re.compile(
    r"\b_\w|\w_\b|Project Gutenberg|Proofread|Transcriber|やまみち|きゅうくつ|目次|表紙|Table of Contents"
)


def ours(media_type: str) -> Callable[[bytes], str]:
    def run(data: bytes) -> str:
        record = Record(native_id="x", file="x", offset=0, length=len(data), media_type=media_type, body=data)
        found = extract(record, "fast")
        return found.text if found is not None else ""

    return run


def between_marks(data: bytes) -> str:
    text = data.decode("latin-1").replace("\r\n", "\n")
    start = re.search(r"\*\*\* ?START OF [^\n]*\n|\*END ?THE SMALL PRINT[^\n]*\n", text)
    end = re.search(r"\*\*\* ?END OF |End of (?:the )?Project Gutenberg", text)
    return text[start.end() if start else 0 : end.start() if end else len(text)].strip()


def with_ebooklib() -> Callable[[bytes], str] | None:
    try:
        import ebooklib.epub
        from bs4 import BeautifulSoup
    except ImportError:
        print("EbookLib or beautifulsoup4 is not there: left out")
        return None

    def run(data: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=".epub") as file:
            file.write(data)
            file.flush()
            book = ebooklib.epub.read_epub(file.name)
        told = []
        for name, _ in book.spine:
            item = book.get_item_with_id(name)
            if item is not None:
                told.append(BeautifulSoup(item.get_content(), "xml").get_text())
        return "\n\n".join(told)

    return run


def readable(inputs: dict[str, bytes], run: Callable[[bytes], str], name: str) -> dict[str, bytes]:
    """The books that a peer can read at all; names the others."""
    found = {}
    for book, data in inputs.items():
        try:
            run(data)
        except Exception as error:
            print(f"{name} fails on {book}: {type(error).__name__}: {str(error)[:100]}")
        else:
            found[book] = data
    return found


def table(title: str, inputs: dict[str, bytes], runs: dict[str, Callable[[bytes], str]]) -> None:
    best = dict.fromkeys(runs, float("inf"))
    texts: dict[str, list[str]] = {}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            begin = time.process_time()
            texts[name] = [run(data) for data in inputs.values()]
            best[name] = min(best[name], time.process_time() - begin)
    ours_best = next(iter(best.values()))
    print(f"\n{title}: {len(inputs)} books, {sum(map(len, inputs.values())) / 1e6:.1f} MB")
    print(
        f"{'':26}{'books/s':>9}{'M characters/s':>16}{'CPU, ours = 1':>15}{'broken lines':>14}{'debris':>8}"
    )
    for name in runs:
        text = "\n\n".join(texts[name])
        print(
            f"{name:26}{len(inputs) / best[name]:9.1f}{len(text) / best[name] / 1e6:16.1f}"
            f"{best[name] / ours_best:15.1f}{len(WRAPPED.findall(text)):14,}{len(DEBRIS.findall(text)):8,}"
        )


def main() -> None:
    bench.parser(__doc__).parse_args()
    data = bench.sample_data()
    books = data / "books"
    runs = {"corpus": ours("application/epub+zip")}
    epubs = {path.name: path.read_bytes() for path in sorted(books.glob("epub/*"))}
    peer = with_ebooklib()
    if peer is not None:
        runs["EbookLib, BeautifulSoup"] = peer
        epubs = readable(epubs, peer, "EbookLib")
    table("EPUB", epubs, runs)
    texts = {path.name: path.read_bytes() for path in sorted(books.glob("gutenberg/*/*.txt"))}
    table(
        "Project Gutenberg", texts, {"corpus": ours("text/x-gutenberg"), "between the marks": between_marks}
    )


if __name__ == "__main__":
    main()
