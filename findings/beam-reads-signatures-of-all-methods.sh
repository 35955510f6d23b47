#!/usr/bin/env bash
# Beam reads the signatures of all methods of a step, and of those that every step inherits, several times a step.
#
# Expected: to learn which parameters a step has (windows, timestamps, state), Beam reads the signature of its `process`,
#   and of the few methods beside it that may have some, once for each step.
# Happens: each Map costs 258 reads of signatures on the local runner, in one process: when it is made, translated and
#   set up, userstate.get_dofn_specs wraps every method that the step has, also those of DoFn, of its type hints and of
#   its display data, each time anew. 151 of them are of functions that all steps share. No answer is kept.
# Matters: many small pipelines, as tests and builds of little data have: a read takes some 10 microseconds, so twenty
#   steps spend 50 to 70 ms on it before they see an element.
# Versions: apache-beam 2.77.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "apache-beam==2.77.0" 2>/dev/null
cat > "$folder/count.py" <<'PYTHON'
import inspect
import sys
from collections import Counter

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

read = inspect.signature
names = Counter()


def count(function, *arguments, **keywords):
    names[getattr(function, "__qualname__", type(function).__qualname__)] += 1
    return read(function, *arguments, **keywords)


inspect.signature = count


def run(steps):
    names.clear()
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        items = pipeline | beam.Create([1])
        for step in range(steps):
            items = items | f"step {step}" >> beam.Map(lambda number: number + 1)
    return Counter(names)


run(1)
one, eleven = run(1), run(11)
added = eleven - one
per_step = sum(added.values()) / 10
print(f"signatures read: {sum(one.values())} for one step, {sum(eleven.values())} for eleven, {per_step:.0f} a step")
shared = ("DoFn.", "WithTypeHints.", "HasDisplayData.")
inherited = {name: number // 10 for name, number in added.items() if name.startswith(shared)}
print("of them, of methods that all steps share:", sum(inherited.values()))
print(", ".join(f"{name} {number}" for name, number in sorted(inherited.items())[:6]))
sys.exit(not (per_step > 20 and sum(inherited.values()) > per_step / 2))
PYTHON
"$folder/venv/bin/python" "$folder/count.py"
