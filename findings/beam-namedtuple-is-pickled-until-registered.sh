#!/usr/bin/env bash
# Beam pickles the elements of a NamedTuple type that a transform declares, although it infers a schema for it.
#
# Expected: a typing.NamedTuple as the output type of a transform is coded by its schema (RowCoder), as Beam's guide to
#   schemas has it: other languages can read it, and equal rows have equal bytes.
# Happens: the coder registry answers with FastPrimitivesCoder, whose bytes hold a pickle that names the class. Only after
#   coders.registry.register_coder(T, coders.RowCoder) are the bytes those of the schema. In a worker process
#   of its own, such a row is then an instance of a made-up class: isinstance(row, T) is false, while it is true
#   in one process; _fields, _replace and equality with a tuple hold in both.
# Matters: rows that cross languages or are grouped by; pipelines that test the class of their elements pass their tests
#   in one process and fail on a cluster.
# Versions: apache-beam 2.77.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "apache-beam==2.77.0" 2>/dev/null
mkdir "$folder/work"
cat > "$folder/work/rows.py" <<'PYTHON'
import typing

import apache_beam as beam


class Row(typing.NamedTuple):
    name: str
    size: int


class Make(beam.DoFn):
    def process(self, number):
        yield Row("one", number)


class Look(beam.DoFn):
    def process(self, row, path):
        with open(path, "a") as file:
            file.write(f"{isinstance(row, Row)} {row._fields == Row._fields} {row == ('one', row.size)}\n")
        yield row
PYTHON
cat > "$folder/work/probe.py" <<'PYTHON'
import sys

import apache_beam as beam
from apache_beam import coders
from apache_beam.options.pipeline_options import PipelineOptions
from rows import Look, Make, Row

print("before:", type(coders.registry.get_coder(Row)).__name__, b"rows" in coders.registry.get_coder(Row).encode(Row("one", 1)))
coders.registry.register_coder(Row, coders.RowCoder)
print("after:", type(coders.registry.get_coder(Row)).__name__, b"rows" in coders.registry.get_coder(Row).encode(Row("one", 1)))
for mode in ("in_memory", "multi_processing"):
    path = f"{sys.argv[1]}/{mode}"
    flags = ["--runner=FnApiRunner", f"--direct_running_mode={mode}", "--direct_num_workers=2", "--default_sdk_harness_log_level=ERROR"]
    with beam.Pipeline(options=PipelineOptions(flags)) as pipeline:
        rows = pipeline | beam.Create([1, 2], reshuffle=False) | beam.ParDo(Make()).with_output_types(Row)
        rows | beam.Reshuffle() | beam.ParDo(Look(), path)
    print(f"{mode}:", *sorted({line.strip() for line in open(path)}))
PYTHON
shown=$(cd "$folder/work" && PYTHONPATH="$folder/work" "$folder/venv/bin/python" probe.py "$folder" 2>/dev/null)
echo "$shown"
[ "$shown" = "before: FastPrimitivesCoder True
after: RowCoder False
in_memory: True True True
multi_processing: False True True" ]
