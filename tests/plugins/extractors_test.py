"""Extractors that leave web pages to the default: who has read what is told, and transforms run them as builds do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.plugins.conftest import Run
from tests.plugins.lab import TEXTS, write_pages

SHOUT = """
class Shout:
    version = 1
    media_types = ("text/plain",)
    def extract(self, record):
        return record.body.decode().upper() if isinstance(record.body, bytes) else record.body.upper()
"""
MANIFEST = """name: left
tokenizer: {vocabulary: 300}
validation: {share: 0}
extraction: {mode: 'mine:Shout'}
sources:
  pages: {kind: warc, paths: ['pages/*.warc'], rules: []}
  poems: {kind: text, paths: [poems.txt], rules: []}
"""
TRANSFORM = """
import json
import apache_beam as beam
from corpus.pipelines.beam.options import Running
from corpus.pipelines.transforms import Extract
from corpus.pipelines.transforms.elements import RecordRow

def show(row):
    print(json.dumps([row.text, row.metadata.get("extractor")]), flush=True)

rows = [
    RecordRow(id="a", body="первый".encode(), media_type="text/plain"),
    RecordRow(id="b", body=PAGE.encode(), media_type="text/html"),
]
with beam.Pipeline(options=Running(workers=1).options("t")) as pipeline:
    read = pipeline | beam.Create(rows).with_output_types(RecordRow) | Extract("mine:Shout")
    read.documents | beam.Map(show)
    read.failures | "Failures" >> beam.Map(print)
"""


def write_plugin(folder: Path) -> Path:
    write_pages(folder / "pages" / "pages.warc")
    (folder / "mine.py").write_text(SHOUT)
    (folder / "poems.txt").write_text("\n".join(TEXTS))
    (folder / "m.yaml").write_text(MANIFEST)
    return folder


def test_pages_that_an_extractor_leaves_are_counted_by_what_read_them(tmp_path: Path, corpus: Run) -> None:
    folder = write_plugin(tmp_path)
    done = corpus(folder, "build", "m.yaml", "--out", "out", "--plugins", ".")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(corpus(folder, "stats", "out", "--by", "engine", "--json").stdout)["engine"]
    assert (row["engine"], row["documents"]) == ("corpus", len(TEXTS))


def test_a_transform_reads_with_the_extractor_that_is_named(tmp_path: Path) -> None:
    page = f"<html><body><article><p>{TEXTS[7]}</p><p>{TEXTS[7]} 2</p></article></body></html>"
    script = tmp_path / "run.py"
    script.write_text(TRANSFORM.replace("PAGE.", f"{page!r}."))
    environment = {"CORPUS_PLUGINS": str(write_plugin(tmp_path)), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert sorted(map(json.loads, done.stdout.splitlines())) == [
        ["ПЕРВЫЙ", None],
        [f"{TEXTS[7]}\n{TEXTS[7]} 2", "corpus"],
    ]
