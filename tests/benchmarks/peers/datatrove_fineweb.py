"""datatrove's FineWeb chain over one WARC, in one process: run by pipeline_benchmark.py in a venv of its own.

    python datatrove_fineweb.py WARC OUT LID_MODEL [filters|all]

The steps and their options are those of FineWeb (URL filter, trafilatura for precision, language, Gopher
repetition and quality, C4 without terminal punctuation, FineWeb quality), for all languages, written as Parquet; `all`
goes on with the four steps of its MinHash. Its limit of one second a page is raised to sixty, since on a busy
machine it would drop pages by chance.
"""

from __future__ import annotations

import sys

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
    URLFilter,
)
from datatrove.pipeline.readers import ParquetReader, WarcReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils import lid


def main(warc: str, out: str, model: str, steps: str) -> None:
    lid.cached_asset_path_or_download = lambda *_, **__: model
    folder, _, name = warc.rpartition("/")
    run(
        out,
        "filter",
        [
            WarcReader(folder, glob_pattern=name, default_metadata={"dump": "bench"}),
            URLFilter(),
            Trafilatura(favour_precision=True, timeout=60),
            *list_text_filters(),
            ParquetWriter(f"{out}/filtered"),
        ],
    )
    if steps == "all":
        deduplicate(out)


def list_text_filters() -> list[object]:
    return [
        LanguageFilter(),
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
    ]


def deduplicate(out: str) -> None:
    """Write what is left of `filtered` as `kept`."""
    run(out, "signatures", [ParquetReader(f"{out}/filtered"), MinhashDedupSignature(f"{out}/signatures")])
    run(out, "buckets", [MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets")], tasks=14)
    run(out, "cluster", [MinhashDedupCluster(f"{out}/buckets", f"{out}/remove")])
    run(
        out,
        "dedup",
        [ParquetReader(f"{out}/filtered"), MinhashDedupFilter(f"{out}/remove"), ParquetWriter(f"{out}/kept")],
    )


def run(out: str, name: str, steps: list[object], tasks: int = 1) -> None:
    LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=f"{out}/logs/{name}").run()


if __name__ == "__main__":
    main(*sys.argv[1:5])
