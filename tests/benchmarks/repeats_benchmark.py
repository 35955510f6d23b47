"""Repeated spans in real text, with planted ones: recall and errors beside a suffix array, and MB a CPU second.

    CORPUS_DATA=... python -m tests.benchmarks.repeats_benchmark --megabytes 20

The text is that of the sample data: a manual in eleven languages, declarations in 500, dumps, books, posts; documents
of 10,000 characters in an order drawn by lot. Passages of 50 to 150 words, or 100 to 300 characters where words are not
spaced, are planted into every tenth of them. The referee is the suffix array of all text (libdivsufsort, as Lee et al.
use one in Deduplicating Training Data Makes Language Models Better, 2022): what is marked wrongly does not stand before
by it. It knows no words, so recall by it is that of a second search, for 99 characters of any writing.
"""

from __future__ import annotations

import bz2
import gzip
import random
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import apache_beam as beam
import numpy as np
import pyarrow as pa

from corpus.dedup.anchors import to_points
from corpus.dedup.options import DedupOptions
from corpus.dedup.shingles import IDEOGRAPHIC, SPACED, find_writing
from corpus.document import Document
from corpus.document_schema import DECISIONS_SCHEMA, DOCUMENTS_SCHEMA, to_documents_batch
from corpus.edits.parts import read_edits
from corpus.pipelines import repeats
from corpus.pipelines.beam.options import Running
from corpus.storage.part_writer import PartWriter
from corpus.text.units import to_units
from corpus.text.words import segment_words
from corpus.workspace import Workspace
from tests.benchmarks import bench, tokens_benchmark

DOCUMENT_CHARACTERS = 10_000
SPLIT_DOCUMENTS = 400
WINDOW = 99


def real_documents(data: Path, megabytes: float) -> list[str]:
    """Different documents of the sample data, in an order drawn by lot."""
    texts = [text for _, text in tokens_benchmark.real_texts(data)]
    for path in sorted((data / "parallel").glob("*.txt.gz")):
        whole = gzip.decompress(path.read_bytes()).decode()
        texts += [whole[at : at + DOCUMENT_CHARACTERS] for at in range(0, len(whole), DOCUMENT_CHARACTERS)]
    for path in sorted((data / "wiki").rglob("*.bz2")):
        with bz2.open(path, "rt", encoding="utf-8", errors="replace") as dump:
            while text := dump.read(DOCUMENT_CHARACTERS):
                texts.append(text)
    texts = sorted({text.replace("\0", " ") for text in texts})
    random.Random(1).shuffle(texts)
    size, count = 0, 0
    while count < len(texts) and size < 1e6 * megabytes:
        size += len(texts[count].encode())
        count += 1
    return texts[:count]


def plant(texts: list[str]) -> list[tuple[int, int, int]]:
    """Put passages of documents into others, from word to word; return (document, start, end) of each."""
    draw = random.Random(2)
    planted = []
    for at in range(10, len(texts), 10):
        of = texts[draw.randrange(at)]
        words = segment_words(of)
        if len(words.units) != len(of) or len(words) < 200:  # offsets are those of units
            continue
        first = draw.randrange(len(words) - 160)
        start = int(words.starts[first])
        if find_writing(to_units(of)) == SPACED:
            passage = of[start : int(words.ends[first + draw.randint(49, 149)])]
        else:
            passage = of[start : start + draw.randint(100, 300)]
        text = texts[at]
        places = segment_words(text)
        place = (
            int(draw.choice(places.starts.tolist())) if len(places) and len(places.units) == len(text) else 0
        )
        texts[at] = f"{text[:place]}{passage} {text[place:]}"
        planted.append((at, place, place + len(passage)))
    return planted


def store(workspace: Workspace, texts: list[str]) -> list[tuple[str, str]]:
    """Write the documents, all of them kept; return the splits."""
    names = []
    for first in range(0, len(texts), SPLIT_DOCUMENTS):
        piece = texts[first : first + SPLIT_DOCUMENTS]
        names.append(("web", f"{first:08d}"))
        with PartWriter(workspace.part("documents", *names[-1]), DOCUMENTS_SCHEMA, "x") as part:
            made = (
                Document(id=f"{first + at}", file="", offset=0, length=0, text=text)
                for at, text in enumerate(piece)
            )
            part.write(to_documents_batch(made))
        none, kept = [None] * len(piece), [True] * len(piece)
        columns: list[list[Any]] = [none, none, none, none, kept]
        arrays = [
            pa.array(column, field.type) for column, field in zip(columns, DECISIONS_SCHEMA, strict=True)
        ]
        with PartWriter(workspace.part("decisions", *names[-1]), DECISIONS_SCHEMA, "x", "x") as part:
            part.write(pa.table(arrays, schema=DECISIONS_SCHEMA))
    return names


def search(
    workspace: Workspace, names: list[tuple[str, str]], texts: list[str], options: object
) -> np.ndarray:
    """Which characters of all documents, one after the other, are marked; prints what it cost."""
    given = DedupOptions.model_validate(options)
    claims = Path(workspace.root, "claims")
    claims.mkdir()
    start, usage = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    put = repeats.repeats_pipeline(workspace, names, given, Running(), str(claims))
    with beam.Pipeline(options=Running().options("repeats")) as pipeline:
        put(pipeline)
    seconds = time.process_time() - start
    size = sum(len(text.encode()) for text in texts)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - usage) >> 10
    print(
        f"  {'all steps, one process':44}{seconds:>10.1f} s CPU, {size / 1e6 / seconds:.1f} MB/s, {grown:,} MiB more"
    )
    shutil.rmtree(claims)
    ends = np.cumsum([len(text) for text in texts])
    marks = np.zeros(ends[-1], np.bool_)
    for at, name in enumerate(names):
        for row, edits in read_edits(workspace, *name).documents():
            document = at * SPLIT_DOCUMENTS + row
            offset = ends[document] - len(texts[document])
            for edit in edits:
                marks[offset + edit.start : offset + edit.end] = True
    return marks


def find_by_suffix_array(texts: list[str]) -> np.ndarray | None:
    """Which characters lie in `WINDOW` characters that stand wholly before; None without pydivsufsort."""
    try:
        from pydivsufsort import divsufsort
    except ModuleNotFoundError:
        print(f"  pydivsufsort is missing in {bench.PEERS}: `make bench` puts it there")
        return None
    sizes = [len(text) for text in texts]
    ends = np.repeat(np.cumsum(sizes), sizes)
    _, letters = np.unique(to_points("".join(texts)), return_inverse=True)
    start = time.process_time()
    suffixes = divsufsort(np.ascontiguousarray(letters.astype(">u2")).view(np.uint8))
    print(f"  {'suffix array of two bytes a character':44}{time.process_time() - start:>10.1f} s CPU")
    suffixes = suffixes[suffixes % 2 == 0] // 2
    suffixes = suffixes[suffixes + WINDOW <= ends[suffixes]]
    equal = np.arange(len(suffixes) - 1)
    for at in range(WINDOW):
        equal = equal[letters[suffixes[equal] + at] == letters[suffixes[equal + 1] + at]]
    fresh = np.ones(len(suffixes), np.bool_)
    fresh[equal + 1] = False
    firsts = np.flatnonzero(fresh)
    first = np.repeat(np.minimum.reduceat(suffixes, firsts), np.diff(np.append(firsts, len(suffixes))))
    repeated = suffixes[suffixes >= first + WINDOW]
    changes = np.zeros(len(letters) + 1, np.int64)
    changes[repeated] += 1
    np.subtract.at(changes, repeated + WINDOW, 1)
    return np.cumsum(changes)[:-1] > 0


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--megabytes", type=float, default=20)
    texts = real_documents(bench.sample_data(), (arguments := parser.parse_args()).megabytes)
    planted = plant(texts)
    size = sum(len(text.encode()) for text in texts)
    print(f"\nrepeated spans in {len(texts):,} documents, {size / 1e6:.1f} MB, {arguments.megabytes:g} asked")
    with tempfile.TemporaryDirectory(prefix="corpus-benchmark-") as folder:
        workspace = Workspace(folder)
        names = store(workspace, texts)
        marks = search(workspace, names, texts, {"spans": True})
        untrimmed = mock.patch("corpus.dedup.repeated_spans.MarkedText._trim", lambda _, *span: span)
        with untrimmed, mock.patch("corpus.dedup.repeated_spans.find_writing", return_value=IDEOGRAPHIC):
            by_characters = search(workspace, names, texts, {"spans": {"min_characters": WINDOW}})
    starts = np.cumsum([0, *(len(text) for text in texts)])
    spots = [slice(starts[at] + start, starts[at] + end) for at, start, end in planted]
    hit = sum(int(marks[spot].sum()) for spot in spots)
    total = sum(spot.stop - spot.start for spot in spots)
    whole = sum(bool(marks[spot].all()) for spot in spots)
    print(f"  {'planted passages, marked whole':44}{whole / len(spots):>10.2%} of {len(spots):,}")
    print(f"  {'their characters, marked':44}{hit / total:>10.2%} of {total:,}")
    print(f"  {'all characters, marked':44}{marks.mean():>10.2%}")
    referee = find_by_suffix_array(texts)
    if referee is not None:
        print(f"  {'marked wrongly, by the suffix array':44}{(marks & ~referee).mean():>10.4%}")
        found = (by_characters & referee).sum() / referee.sum()
        print(f"  {'of its characters, marked by characters':44}{found:>10.2%} of {referee.sum():,}")
        print(f"  {'marked wrongly, by characters':44}{(by_characters & ~referee).mean():>10.4%}")


if __name__ == "__main__":
    main()
