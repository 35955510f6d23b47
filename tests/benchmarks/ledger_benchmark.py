"""Decisions, counts and the merged ledger of a million documents of signals: seconds, memory, bytes.

python -m tests.benchmarks.ledger_benchmark [--documents 1000000] [--keep DIR]
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus import filters, storage
from corpus.dedup.removed import write_clusters
from corpus.document_schema import DOCUMENTS_SCHEMA
from corpus.ledger.tables import write_ledger
from corpus.pipelines.decide import Judge, decide_part
from corpus.rules.presets import load_rules
from corpus.rules.rule import RuleSet
from corpus.storage.part_writer import PART_GROUP_ROWS, PartWriter
from corpus.validation import Shares
from corpus.workspace import Workspace
from tests.benchmarks import bench

ROWS = 50_000
LANGUAGES = ["eng_Latn", "cmn_Hans", "rus_Cyrl", "deu_Latn", "jpn_Jpan", "tha_Thai", "arb_Arab", "hin_Deva"]
STEPS = [step for step in filters.FILTERS if step != "quality"]
PRESETS = {"web": ["fineweb", "language"]}


def rules() -> RuleSet:
    signals = {signal for step in STEPS for signal in filters.load_filter(step).signals}
    return load_rules(PRESETS, {}, signals)


def write_split(root: str, number: int) -> None:
    """A split of random documents and signals."""
    workspace, name = Workspace(root), f"{number:016x}"
    draw = np.random.default_rng(number)
    sizes = draw.lognormal(7.5, 1.2, ROWS).astype(np.int64)
    hosts = draw.zipf(1.3, ROWS) % 200_000
    text = "x" * 64
    columns = {
        "id": [f"{number * ROWS + row:032x}" for row in range(ROWS)],
        "text": [text] * ROWS,
        "characters": sizes,
        "bytes": sizes * 2,
        "url": [f"https://www.site{host}.com/{row}" for row, host in enumerate(hosts.tolist())],
        "snapshot": ["CC-MAIN-2026-30"] * ROWS,
        "language": np.array(LANGUAGES)[np.minimum(draw.geometric(0.4, ROWS) - 1, len(LANGUAGES) - 1)],
        "group": [f"site{host}.com" for host in hosts.tolist()],
        "origin": [{"file": "f", "offset": row, "length": 1} for row in range(ROWS)],
    }
    columns["content_hash"] = columns["id"]
    arrays = [
        pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(ROWS, f.type)
        for f in DOCUMENTS_SCHEMA
    ]
    documents = pa.table(arrays, schema=DOCUMENTS_SCHEMA)
    with PartWriter(workspace.part("documents", "web", name), DOCUMENTS_SCHEMA, name) as writer:
        for start in range(0, ROWS, PART_GROUP_ROWS):
            writer.write(documents.slice(start, PART_GROUP_ROWS))
    for step in STEPS:
        signals = filters.load_filter(step).signals
        values = {s: np.abs(draw.normal(0.3, 0.3, ROWS)).astype(np.float32) * spread(s) for s in signals}
        table = pa.table(values)
        with PartWriter(workspace.part(f"signals/{step}", "web", name), table.schema, name, name) as writer:
            for start in range(0, ROWS, PART_GROUP_ROWS):
                writer.write(table.slice(start, PART_GROUP_ROWS))


def spread(signal: str) -> np.float32:
    return np.float32(500 if signal.endswith(("words", "length", "characters", "lines")) else 1)


def judge_split(root: str, number: int) -> tuple[int, float]:
    """Rows decided on, and the seconds of processor time that it took."""
    began = time.process_time()
    judge = Judge(rules=rules(), steps=tuple(STEPS), seed=0, thresholds={})
    clusters = f"{root}/dedup/clusters.parquet"
    rows = decide_part(Workspace(root), judge, Shares(0.005, {}), clusters, "given", "web", f"{number:016x}")
    return rows, time.process_time() - began


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--keep", help="a folder for the workspace, kept (default: a temporary one)")
    options = parser.parse_args()
    splits = max(1, options.documents // ROWS)
    with tempfile.TemporaryDirectory() as temporary, ProcessPoolExecutor(2) as pool:
        root = options.keep or temporary
        if not os.path.exists(f"{root}/plan.json"):
            list(pool.map(write_split, [root] * splits, range(splits)))
            write_clusters(f"{root}/dedup/clusters.parquet", [], "none")
            names = [["web", f"{number:016x}"] for number in range(splits)]
            Workspace.create(root)
            storage.write_text(f"{root}/plan.json", json.dumps({"splits": names, "steps": STEPS}))
            storage.write_text(f"{root}/tokens/dataset.json", json.dumps({"shards": [], "totals": {}}))
        for name in ("decisions", "stats"):
            for path in storage.list_files(f"{root}/{name}"):
                storage.remove(path)
        began = time.monotonic()
        done = list(pool.map(judge_split, [root] * splits, range(splits)))
        rows, used = sum(rows for rows, _ in done), sum(seconds for _, seconds in done)
        deciding = time.monotonic() - began
        began = time.monotonic()
        tables = write_ledger(Workspace(root), "given", rules(), {})
        merging = time.monotonic() - began
        parts = sum(path.stat().st_size for path in Path(root, "stats", "parts").rglob("*.parquet"))
        merged = sum(path.stat().st_size for path in Path(root, "stats").glob("*.parquet"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:,} documents, {len(STEPS)} steps, {splits} splits, two processes")
    print(
        f"decisions and counts {deciding:8.1f} s  {rows / deciding:10,.0f} documents/s  processor {used:.1f} s"
    )
    print(f"merged ledger        {merging:8.1f} s  peak {memory:,.0f} MiB")
    print(f"statistics of parts  {parts / 1e6:8.1f} MB  {parts / splits / 1e3:.0f} kB a part")
    print(f"merged               {merged / 1e6:8.1f} MB")
    for name, table in tables.items():
        print(f"  {name:12} {table.num_rows:10,} rows")


if __name__ == "__main__":
    main()
