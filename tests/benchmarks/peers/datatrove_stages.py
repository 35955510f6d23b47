"""datatrove's first look at a WARC, and its MinHash signatures, tokenizing and statistics of a JSONL of texts: CPU
seconds of each, as JSON.

    python datatrove_stages.py WARC TEXTS.jsonl TOKENIZER.json OUT

Run by stages_benchmark.py in a venv of its own. Each step is run once before on ten texts, so that what they load
is not counted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.filters import URLFilter
from datatrove.pipeline.readers import WarcReader
from datatrove.pipeline.stats import DocStats, LineStats, ParagraphStats, WordStats
from datatrove.pipeline.tokens import DocumentTokenizer

os.environ["TOKENIZERS_PARALLELISM"] = "false"


class Statistics:
    """Four kinds of statistics, one after the other over each document."""

    def __init__(self, folder: str) -> None:
        self.steps = [
            kind(f"{folder}/{kind.__name__}") for kind in (DocStats, LineStats, ParagraphStats, WordStats)
        ]

    def run(self, documents: Iterable[Document], rank: int, world_size: int) -> Iterable[Document]:
        for step in self.steps:
            documents = step.run(documents, rank, world_size)
        return documents


def first_look(warc: str, limit: int) -> None:
    """Records read and decoded, and their addresses looked up in the lists."""
    folder, _, name = warc.rpartition("/")
    for _ in URLFilter().run(WarcReader(folder, glob_pattern=name, limit=limit).run(), 0, 1):
        pass


def main(warc: str, path: str, tokenizer: str, out: str) -> None:
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n")[:-1]]
    spent = {}
    for limit in (10, -1):
        begin = time.process_time()
        first_look(warc, limit)
        spent["first look"] = time.process_time() - begin
    for name, step in (
        ("signatures", lambda folder: MinhashDedupSignature(folder)),
        ("tokens", lambda folder: DocumentTokenizer(folder, tokenizer, seed=1, shuffle_documents=False)),
        ("statistics", Statistics),
    ):
        for at, some in enumerate((rows[:10], rows)):
            documents = (
                Document(text=row["text"], id=str(number), metadata={"url": row["url"]})
                for number, row in enumerate(some)
            )
            begin = time.process_time()
            for _ in step(f"{out}/{name}-{at}").run(documents, 0, 1) or ():
                pass
            spent[name] = time.process_time() - begin
    print(json.dumps(spent))


if __name__ == "__main__":
    main(*sys.argv[1:5])
