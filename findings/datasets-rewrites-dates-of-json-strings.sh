#!/usr/bin/env bash
# Datasets rewrites strings of JSON Lines that look like dates, even where the features say "string".
#
# Expected: a JSON string in a column whose feature is Value("string") arrives as it is in the file. Without features,
#   the same files give the same rows whatever their order.
# Happens: types are guessed for each file (each 10 MB of it) before the features are applied. Where every string of a
#   column is a date, or a date and a time of whole seconds, they pass through timestamp[s]: "2024-01-02" arrives as
#   "2024-01-02 00:00:00", and "2024-01-02T10:00:00+02:00" as "2024-01-02 08:00:00", without its offset. One value of
#   another form (a fraction of a second suffices) keeps all as they are. Without features, the first file decides:
#   [dates, names] cannot be loaded, [names, dates] can, with the dates rewritten. The feature Json() keeps them.
# Matters: identifiers and dates of documents differ between shards of one data set, depending on their neighbours;
#   joins by such a column miss, and the change leaves no trace.
# Versions: datasets 5.2.0, pyarrow 25.0.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "datasets==5.2.0" "pyarrow==25.0.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import json
import sys
from pathlib import Path

from datasets import Features, Json, Value, load_dataset

folder = Path(sys.argv[1])
FILES = {
    "dates": ["2024-01-02", "2024-01-02T10:00:00+02:00"],
    "fraction": ["2024-01-02", "2024-01-02T10:00:00.5+02:00"],
    "names": ["first", "second"],
}
for name, values in FILES.items():
    lines = [json.dumps({"text": "Ships float.", "id": value}) + "\n" for value in values]
    (folder / f"{name}.jsonl").write_text("".join(lines))


def show(label, names, features=None, streaming=False):
    paths = [str(folder / f"{name}.jsonl") for name in names]
    try:
        rows = load_dataset(
            "json",
            data_files=paths,
            split="train",
            features=features,
            streaming=streaming,
            cache_dir=str(folder / f"cache-{label}-{'-'.join(names)}"),
        )
        print(label, "+".join(names), [str(row["id"]) for row in rows])
    except Exception as error:
        print(label, "+".join(names), type(error).__name__)


strings = Features({"text": Value("string"), "id": Value("string")})
show("strings", ["dates"], strings)
show("streamed", ["dates"], strings, streaming=True)
show("strings", ["fraction"], strings)
show("Json", ["dates"], Features({"text": Value("string"), "id": Json()}))
show("inferred", ["dates", "names"])
show("inferred", ["names", "dates"])
PYTHON
shown=$(HF_HUB_OFFLINE=1 HF_HOME="$folder/home" "$folder/venv/bin/python" "$folder/probe.py" "$folder" 2>/dev/null)
echo "$shown"
[ "$shown" = "strings dates ['2024-01-02 00:00:00', '2024-01-02 08:00:00']
streamed dates ['2024-01-02 00:00:00', '2024-01-02 08:00:00']
strings fraction ['2024-01-02', '2024-01-02T10:00:00.5+02:00']
Json dates ['2024-01-02', '2024-01-02T10:00:00+02:00']
inferred dates+names DatasetGenerationError
inferred names+dates ['first', 'second', '2024-01-02 00:00:00', '2024-01-02 08:00:00']" ]
