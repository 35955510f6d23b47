"""What supervision costs: text of real pages found in this process and in a supervised one, by turns, in CPU time.

Pages of warc/web-open.warc.gz, in chunks of 64: each chunk goes both ways, first one and then the other way first.
Counted is the processor time of this process and of the parser's (from the kernel's own accounts, in ns).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from corpus.document import Record
from corpus.extract import extract
from corpus.extract.process.budgets import Budgets, find_exceeded_budget
from corpus.extract.process.supervised import Parser
from corpus.sources.web.warc import Warc
from tests.benchmarks import bench

CHUNK, ROUNDS = 64, 2


def pages(folder: Path) -> Iterator[Record]:
    """The HTML pages that no gate stops."""
    path = folder / "warc" / "web-open.warc.gz"
    for record in Warc(kind="warc", paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size):
        if isinstance(record, Record) and record.gate is None and record.media_type == "text/html":
            yield record


def processor_seconds(process: int) -> float:
    """Time on a processor of a process without its children."""
    with open(f"/proc/{process}/schedstat") as schedstat:
        return int(schedstat.read().split()[0]) / 1e9


def children(process: int) -> list[int]:
    with open(f"/proc/{process}/task/{process}/children") as found:
        return [child for number in found.read().split() for child in (int(number), *children(int(number)))]


def here(records: list[Record]) -> float:
    began = time.process_time()
    for record in records:
        extract(record, "fast")
    return time.process_time() - began


def supervised(records: list[Record], parser: Parser) -> float:
    processes = children(os.getpid())
    began = time.process_time() + sum(map(processor_seconds, processes))
    for _ in parser.extract_each((None, record) for record in records):
        pass
    return time.process_time() + sum(map(processor_seconds, processes)) - began


def main() -> None:
    options = bench.parser(__doc__)
    options.add_argument("pages", nargs="?", type=int, help="how many; all without")
    count = options.parse_args().pages
    records = list(pages(bench.sample_data()))[:count]
    parser = Parser("fast", Budgets())
    here(records[:CHUNK])
    supervised(records[:CHUNK], parser)
    sums = {"here": 0.0, "supervised": 0.0}
    ratios = []
    for turn in range(ROUNDS):
        for first in range(0, len(records), CHUNK):
            chunk = records[first : first + CHUNK]
            times = {}
            for way in ("here", "supervised") if (turn + first // CHUNK) % 2 else ("supervised", "here"):
                times[way] = here(chunk) if way == "here" else supervised(chunk, parser)
                sums[way] += times[way]
            ratios.append(times["supervised"] / times["here"])
    began = time.process_time()
    for record in records:
        find_exceeded_budget(record, Budgets())
    checks = time.process_time() - began
    parser.close()
    count = ROUNDS * len(records)
    print(f"{len(records)} pages, {ROUNDS} rounds")
    print(f"in this process   {sums['here'] / count * 1e3:6.2f} ms a page")
    print(f"supervised        {sums['supervised'] / count * 1e3:6.2f} ms a page")
    print(f"of which budgets  {checks / len(records) * 1e3:6.3f} ms a page")
    overhead = sums["supervised"] / sums["here"] - 1
    print(f"overhead          {overhead:+.1%} (median of chunks {statistics.median(ratios) - 1:+.1%})")


if __name__ == "__main__":
    main()
