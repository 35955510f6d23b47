#!/usr/bin/env bash
# Beam makes a parser of arguments at each look at its options, and reads some 250 signatures for each step of a pipeline.
#
# Expected: `options.view_as(TypeOptions)` is another view of the same object, as its name and documentation say: a cast.
#   What a DoFn asks for (state, timers, arguments) is read once when the step is added.
# Happens: `view_as` declares all arguments of that kind to a new ArgumentParser and parses the flags again, every time; a
#   pipeline does so twice for each step that is added. And whether a step has state is worked out from the signatures
#   of all of its methods, inherited ones too, some eight times from the first `|` to its first element.
# Matters: builds of many small pipelines, tests, and commands that run one on little data: a fifth of a second of each
#   start on a laptop is this; both answers can be kept, since views share their values and steps do not change.
# Versions: apache-beam 2.77.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "apache-beam==2.77.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import argparse
import inspect
from collections import Counter

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, TypeOptions

made = Counter()
parse, signature = argparse.ArgumentParser.__init__, inspect.signature


def count_parser(self, *args, **kwargs):
    made["parsers"] += 1
    parse(self, *args, **kwargs)


def count_signature(*args, **kwargs):
    made["signatures"] += 1
    return signature(*args, **kwargs)


argparse.ArgumentParser.__init__ = count_parser
inspect.signature = count_signature


def run(steps):
    """Parsers and signatures that a pipeline of one element takes with so many steps."""
    options = PipelineOptions(["--runner=FnApiRunner"])
    made.clear()
    with beam.Pipeline(options=options) as pipeline:
        collection = pipeline | beam.Create([0])
        for step in range(steps):
            collection = collection | f"add {step}" >> beam.Map(lambda number: number + 1)
    return dict(made)


options = PipelineOptions([])
made.clear()
views = [options.view_as(TypeOptions) for _ in range(3)]
print("three looks at one option:", made["parsers"], "parsers")
few, many = run(1), run(11)
for what in ("parsers", "signatures"):
    print(f"{what} a step:", round((many[what] - few[what]) / 10))
PYTHON
shown=$(cd "$folder" && venv/bin/python probe.py 2>/dev/null)
echo "$shown"
[ "$shown" = "three looks at one option: 3 parsers
parsers a step: 2
signatures a step: 258" ]
