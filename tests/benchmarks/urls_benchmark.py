"""Submissions to links, MB of NDJSON a second of CPU, beside json.loads line by line as OpenWebText's script does it.

Both read the real dump of June 2005 (CORPUS_DATA), its rows repeated under other ids and addresses so that
nothing is the same twice; in turn, in one process.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import zstandard

from corpus.document import Failure
from corpus.pipelines.url_lists.job import UrlListJob
from corpus.pipelines.url_lists.read import make_link_rows, read_step
from corpus.storage import open_decompressed
from corpus.web.url_lists.links import LinkRules
from corpus.web.url_lists.submissions import read_submissions
from tests.benchmarks import bench

COPIES = 600
ROUNDS = 3


def dump(folder: Path) -> tuple[Path, int]:
    """A .zst with a long window, and its size in bytes of NDJSON."""
    source = bench.sample_data() / "reddit" / "RS_v2_2005-06.xz"
    with open_decompressed(str(source)) as stream:
        lines = stream.read().splitlines(keepends=True)
    output = io.BytesIO()
    for copy in range(COPIES):
        for line in lines:
            line = re.sub(rb'"id":"(\w+)"', rb'"id":"\g<1>' + f"{copy:x}".encode() + rb'"', line, count=1)
            output.write(re.sub(rb'("url":"https?:\\/\\/)', rb"\g<1>" + f"s{copy}.".encode(), line, count=1))
    raw = output.getvalue()
    path = folder / "RS.zst"
    long = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, enable_ldm=False)
    path.write_bytes(zstandard.ZstdCompressor(compression_params=long).compress(raw))
    return path, len(raw)


def parsed(path: Path, folder: Path) -> int:
    """The fields alone."""
    return sum(len(table) for table in read_submissions(str(path), "RS") if not isinstance(table, Failure))


def links(path: Path, folder: Path) -> int:
    """Fields, reasons, canonical URLs and their hashes."""
    rules, counts = LinkRules(), Counter[str]()
    return sum(
        len(make_link_rows(table, rules, counts))
        for table in read_submissions(str(path), "RS")
        if not isinstance(table, Failure)
    )


def whole(path: Path, folder: Path) -> int:
    """The whole first step of `corpus urls`: a sorted part on disk, and packed arrays."""
    job = UrlListJob(
        out=str(folder / f"out{time.monotonic_ns()}"),
        files=((str(path), "RS", "x"),),
        rules=LinkRules(),
        ranges=8,
    )
    return sum(len(packed) // 20 for _, packed in read_step("0", job))


def peer(path: Path, folder: Path) -> int:
    """Every line by json.loads; the fields and filters of openwebtext's extract_urls."""
    found = 0
    with open_decompressed(str(path)) as stream:
        for line in stream:
            row = json.loads(line)
            if row["is_self"] or row["over_18"] or row["score"] < 3 or "reddit.com" in row["url"]:
                continue
            found += 1
    return found


def main() -> None:
    bench.parser(__doc__).parse_args()
    steps: dict[str, Callable[[Path, Path], int]] = {
        "fields": parsed,
        "links": links,
        "corpus urls, first step": whole,
        "json.loads": peer,
    }
    with tempfile.TemporaryDirectory() as name:
        path, size = dump(Path(name))
        best = dict.fromkeys(steps, float("inf"))
        rows = dict.fromkeys(steps, 0)
        for _ in range(ROUNDS):
            for step, work in steps.items():
                began = time.process_time()
                rows[step] = work(path, Path(name))
                best[step] = min(best[step], time.process_time() - began)
    print(f"{size / 1e6:.0f} MB of NDJSON, {rows['fields']:,} submissions, best of {ROUNDS}")
    print(f"{'':<26}{'MB/s':>8}{'rows':>10}")
    for step in steps:
        print(f"{step:<26}{size / 1e6 / best[step]:>8.0f}{rows[step]:>10,}")


if __name__ == "__main__":
    main()
