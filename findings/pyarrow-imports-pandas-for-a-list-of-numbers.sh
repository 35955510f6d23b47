#!/usr/bin/env bash
# pyarrow imports pandas, where it is installed, to make an array of a Python list.
#
# Expected: pandas is optional to pyarrow and needed for `from_pandas` and `to_pandas` alone; a program that never
#   names it does not pay for it.
# Happens: the first `pyarrow.array` of a plain list looks whether its values are pandas objects, and imports pandas
#   with all that it imports. Importing pyarrow does not, nor does reading a table of Parquet.
# Matters: command-line tools and short workers that use Arrow start a third of a second later as soon as anything else
#   in the environment brings pandas, though their own code and their profile of imports name it nowhere.
# Versions: pyarrow 25.0.1, pandas 3.1.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyarrow==25.0.1" "pandas==3.1.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import sys

import numpy as np
import pyarrow as pa

print("imported:", "pandas" in sys.modules)
pa.py_buffer(np.arange(3))
print("a buffer of numpy's:", "pandas" in sys.modules)
pa.array([1, 2])
print("an array of a list:", "pandas" in sys.modules)
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "imported: False
a buffer of numpy's: False
an array of a list: True" ]
