#!/usr/bin/env bash
# Arrow cannot read a folder of Parquet files in source=NAME folders whose files also have the column source.
#
# Expected: where the column of a file and the name of its folder say the same, the data set is read: each file alone
#   is, and so is the whole by pyarrow.dataset with hive partitioning. A reader of other columns meets neither.
# Happens: pyarrow.parquet.read_table and, through it, pandas.read_parquet infer a dictionary type for the folder's
#   value (pyarrow.dataset infers a string) and refuse to merge it with the file's string, also when only another
#   column is asked for. partitioning=None reads all.
# Matters: corpora laid out by source, language or date usually keep that column in their files, so that each file
#   stands alone; pyarrow.dataset opens them, and the first line of a notebook fails.
# Versions: pyarrow 25.0.1, pandas 3.1.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyarrow==25.0.1" "pandas==3.1.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import sys
from pathlib import Path

import pandas
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

root = Path(sys.argv[1]) / "corpus"
for source in ("books", "wiki"):
    (root / f"source={source}").mkdir(parents=True)
    pq.write_table(pa.table({"text": ["Ships float."], "source": [source]}), root / f"source={source}" / "part.parquet")

READERS = {
    "read_table": lambda: pq.read_table(root),
    "read_table, only text": lambda: pq.read_table(root, columns=["text"]),
    "read_parquet": lambda: pa.Table.from_pandas(pandas.read_parquet(root)),
    "read_table, one file": lambda: pq.read_table(root / "source=wiki" / "part.parquet"),
    "read_table, no partitioning": lambda: pq.read_table(root, partitioning=None),
    "dataset, hive": lambda: ds.dataset(root, partitioning="hive").to_table(),
}
for name, read in READERS.items():
    try:
        print(f"{name}: {sorted(read()['source'].to_pylist())}")
    except pa.ArrowTypeError as error:
        print(f"{name}: {str(error).partition('<')[0]}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py" "$folder")
echo "$shown"
refusal="Unable to merge: Field source has incompatible types: string vs dictionary"
[ "$shown" = "read_table: $refusal
read_table, only text: $refusal
read_parquet: $refusal
read_table, one file: ['wiki']
read_table, no partitioning: ['books', 'wiki']
dataset, hive: ['books', 'wiki']" ]
