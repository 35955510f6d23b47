"""Rules beside people's labels: how many of the bad texts they remove where they keep 95 % of the good ones.

Needs CORPUS_DATA; prints a row for all languages of HPLT's inspection together, each with equal weight, and one for
each language with ten bad texts: with the rules of FineWeb, of the language, and of any text, then with those of prose.
"""

from __future__ import annotations

import re

import numpy as np
from rich.console import Console
from rich.table import Table

from corpus.filters.calibration.judged import compare_recall, count_failed
from corpus.filters.calibration.measured_texts import measure_pages
from corpus.filters.calibration.people_labels import read_labels
from corpus.text.page import Page
from tests.benchmarks import bench

BEFORE = ("fineweb", "language", "text_only")
AFTER = (*BEFORE, "prose")
CUT_MARK = re.compile(r"\n\.{5,}\n")
"""The line that stands for what the excerpts leave out."""


def main() -> None:
    bench.parser(__doc__).parse_args()
    path = bench.sample_data() / "quality" / "hplt-release2-inspection" / "labelled.jsonl.zst"
    judged = read_labels(str(path))
    labels = [item.language or "und_Zyyy" for item in judged]
    texts = [CUT_MARK.sub("\n", item.text) for item in judged]
    measured = measure_pages([Page(text, label) for text, label in zip(texts, labels, strict=True)])
    failed = [count_failed(measured, labels, presets) for presets in (BEFORE, AFTER)]
    is_bad = np.array([item.is_bad for item in judged], np.bool_)
    table = Table("language", "good", "bad", "before", "after", "difference, 95 %")
    for row in compare_recall(failed[0], failed[1], is_bad, labels):
        table.add_row(
            row.language,
            f"{row.good:,}",
            f"{row.bad:,}",
            f"{row.before:.3f}",
            f"{row.after:.3f}",
            f"{row.after - row.before:+.3f} ({row.low:+.3f} to {row.high:+.3f})",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
