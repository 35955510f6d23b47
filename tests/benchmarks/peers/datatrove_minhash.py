"""datatrove's four MinHash stages over the texts of a Parquet file, in one process: run by dedup_benchmark.py.

    python datatrove_minhash.py PARQUET OUT

Its defaults are FineWeb's: 14 bands of 8, 5-grams of words. Prints a line of JSON: CPU seconds by stage, and how many
documents are left.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter


def cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def main(parquet: str, out: str) -> None:
    folder = os.path.dirname(parquet)
    kept = f"{out}/kept"
    stages = {
        "signatures": ([ParquetReader(folder), MinhashDedupSignature(f"{out}/signatures")], 1),
        "buckets": ([MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets")], 14),
        "cluster": ([MinhashDedupCluster(f"{out}/buckets", f"{out}/remove")], 1),
        "filter": ([ParquetReader(folder), MinhashDedupFilter(f"{out}/remove"), ParquetWriter(kept)], 1),
    }
    seconds = {}
    for name, (steps, tasks) in stages.items():
        start = cpu()
        with contextlib.redirect_stdout(sys.stderr):
            LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=f"{out}/logs/{name}").run()
        seconds[name] = cpu() - start
    import pyarrow.parquet as pq

    rows = sum(pq.read_metadata(entry.path).num_rows for entry in os.scandir(kept))
    print(json.dumps({"seconds": seconds, "kept": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
