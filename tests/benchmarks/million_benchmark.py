"""Deciding again, statistics, samples and the report on a million documents, as the command line does it.

Rows of a finished workspace are drawn again and again: their signals, languages and domains are those of real texts,
of each text the first 160 characters stay, with the id behind them, and ids and URLs are new, so none is a duplicate.

python -m tests.benchmarks.million_benchmark [WORKSPACE] [--documents 1000000] [--keep DIR]
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import corpus
from corpus.data import data_path
from corpus.document import content_hash
from corpus.document_schema import DOCUMENTS_SCHEMA
from corpus.manifest import load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build import stages
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan_files import plan_fingerprint, write_plan
from corpus.pipelines.build.redecide import make_plan_of_parts
from corpus.pipelines.build.run import Build
from corpus.pipelines.build.stages import ingest_fingerprint
from corpus.progress import Status
from corpus.storage.part_writer import PART_GROUP_ROWS, PartWriter
from corpus.workspace import Workspace
from tests.benchmarks import bench

ROWS = 50_000
TEXT = 160
WHAT_IF = ("--what-if", "gopher.words.min=120", "--what-if", "gopher.stop_words.min@kor=2")
COMMANDS = [
    ("stats",),
    ("decide", *WHAT_IF),
    ("decide", "--set", "gopher.words.min=120"),
    ("stats", "--by", "source,language,rule,domain,license"),
    ("sample", "--dropped", "--rule", "gopher.words.min", "-n", "3", "--json"),
    ("report", "--out"),
    ("verify",),
]


def write(workspace: Workspace, real: Workspace, documents: int) -> list[tuple[str, str]]:
    """Parts of `documents` rows drawn from a workspace, in the folder of its first source; their splits."""
    source = real.splits()[0][0]
    steps = real.steps()
    rows = pa.concat_tables([table for name, _, table in real.rows(None, steps) if name == source])
    text = pc.utf8_slice_codeunits(rows["text"], 0, TEXT)
    rows = rows.set_column(rows.schema.get_field_index("text"), "text", text).combine_chunks()
    splits = []
    for number in range(max(1, documents // ROWS)):
        name = f"{number:016x}"
        drawn = rows.take(pa.array(np.random.default_rng(number).integers(0, rows.num_rows, ROWS)))
        ids = pa.array([f"{number * ROWS + row:032x}" for row in range(ROWS)])
        urls = pc.binary_join_element_wise(drawn["url"], pc.utf8_slice_codeunits(ids, 20), "#!")
        text = pc.binary_join_element_wise(drawn["text"], ids, " ")
        hashes = [None if one is None else content_hash(one) for one in text.to_pylist()]
        sizes = {
            "characters": pc.fill_null(pc.utf8_length(text), 0).cast(pa.int64()),
            "bytes": pc.fill_null(pc.binary_length(text), 0).cast(pa.int64()),
        }
        given = {"id": ids, "text": text, "content_hash": pa.array(hashes, pa.string()), "url": urls, **sizes}
        table = pa.table(
            [given.get(field.name, drawn[field.name]) for field in DOCUMENTS_SCHEMA], schema=DOCUMENTS_SCHEMA
        )
        put(workspace.part("documents", source, name), table, name, None)
        for step in steps:
            columns = [column for column in drawn.column_names if column.startswith(f"{step}.")]
            put(workspace.part(f"signals/{step}", source, name), drawn.select(columns), f"{name}{step}", name)
        splits.append((source, name))
    return splits


def put(path: str, table: pa.Table, made_by: str, beside: str | None) -> None:
    with PartWriter(path, table.schema.remove_metadata(), made_by, beside) as writer:
        for first in range(0, table.num_rows, PART_GROUP_ROWS):
            writer.write(table.slice(first, PART_GROUP_ROWS).replace_schema_metadata(None))


def make(root: str, real: Workspace, documents: int) -> None:
    """A finished workspace at `root`."""
    workspace = Workspace.create(root)
    splits = write(workspace, real, documents)
    manifest = Path(root, "manifest.yaml")
    given = load_manifest(real.path("manifest.yaml")).manifest
    changed = given.model_copy(
        update={
            "dedup": given.dedup.model_copy(update={"minhash": None}),
            "sources": {splits[0][0]: given.sources[splits[0][0]]},
            "mixture": type(given.mixture)(),
            "tokenizer": type(given.tokenizer)(path=real.path("tokenizer", "tokenizer.json")),
        }
    )
    manifest.write_text(changed.model_dump_yaml(), encoding="utf-8")
    Path(root, "plan.json").write_text(json.dumps({"splits": splits, "steps": real.steps()}))
    plan = make_plan_of_parts(workspace, load_manifest(str(manifest)))
    write_plan(workspace, plan)
    builder = Build(plan, workspace, Running(workers=2), Status(root), print)
    for stage in (stages.run_decide, stages.run_tokenize, stages.run_count, stages.remove_part_statistics):
        timed(stage.__name__, partial(stage, builder))
    wanted = plan_fingerprint(plan)
    done = {
        "ingest": ingest_fingerprint(plan),
        **dict.fromkeys(("decide", "tokenize", "count", "build"), wanted),
    }
    Path(root, "state.json").write_text(json.dumps(done))


def timed(name: str, work: Callable[[], object]) -> None:
    """Do it, and print the seconds that passed and those of processors."""

    def used() -> float:
        return sum(
            sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )

    began, before = time.monotonic(), used()
    work()
    print(f"{name:70} {time.monotonic() - began:7.1f} s  {used() - before:7.1f} s of processor", flush=True)


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument(
        "workspace", nargs="?", help="rows are drawn from its first source (default: the demo)"
    )
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--keep", help="a folder for the workspace, kept (default: a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        real = options.workspace
        if real is None:
            real = f"{temporary}/demo"
            build_workspace(str(data_path("demo.yaml")), real, Running(workers=2))
        root = options.keep or f"{temporary}/million"
        if not os.path.exists(f"{root}/state.json"):
            shutil.rmtree(root, ignore_errors=True)
            make(root, corpus.open(real), options.documents)
        print(f"{corpus.open(root).documents().count_rows():,} documents, two processes")
        for command in COMMANDS:
            words = [
                command[0],
                root,
                *command[1:],
                *([f"{temporary}/report.html"] if "--out" in command else []),
            ]
            words += ["--workers", "2"] if command[0] in ("decide", "verify") else []
            line = [sys.executable, "-m", "corpus.pipelines.cli", *words]
            run = lambda line=line: subprocess.run(line, check=True, stdout=subprocess.DEVNULL)  # noqa: E731
            timed("corpus " + " ".join(command), run)


if __name__ == "__main__":
    main()
