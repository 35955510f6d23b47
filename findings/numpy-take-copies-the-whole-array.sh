#!/usr/bin/env bash
# numpy's `take` copies a whole array to read three elements of it, where an index of the same places does not.
#
# Expected: `numpy.take(array, places)` "does the same thing as fancy indexing": it costs what the places cost, and is
#   known as the faster of the two.
# Happens: of an array that is not contiguous, or not aligned, `take` first makes a copy of all of it, however few
#   places are asked for; `array[places]` reads these alone. Of other arrays neither does.
# Matters: columns of a table of records, every n-th element, windows into a buffer that begin at an odd byte (offsets
#   in memory-mapped shards of tokens, text as UTF-16 behind a mark): a look-up in a loop becomes as slow as the array
#   is long, and needs its memory again.
# Versions: numpy 2.4.6; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "numpy==2.4.6" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import tracemalloc

import numpy as np

COUNT = 1_000_000
places = np.array([1, 500, 999_999])
arrays = {
    "contiguous": np.arange(COUNT, dtype=np.int32),
    "a column of records": np.zeros(COUNT, [("id", np.int32), ("size", np.int32)])["size"],
    "every second element": np.arange(2 * COUNT, dtype=np.int32)[::2],
    "at an odd byte": np.frombuffer(bytes(4 * COUNT + 1), np.int32, COUNT, offset=1),
    "of the other byte order": np.arange(COUNT, dtype=np.int32).astype(np.dtype(np.int32).newbyteorder()),
}


def megabytes(read):
    """Megabytes that numpy asks for while it reads."""
    tracemalloc.start()
    read()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(most / 1e6)


for name, array in arrays.items():
    assert np.take(array, places).tolist() == array[places].tolist()
    print(f"{name}: take {megabytes(lambda: np.take(array, places))} MB, index {megabytes(lambda: array[places])} MB")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "contiguous: take 0 MB, index 0 MB
a column of records: take 4 MB, index 0 MB
every second element: take 4 MB, index 0 MB
at an odd byte: take 4 MB, index 0 MB
of the other byte order: take 0 MB, index 0 MB" ]
