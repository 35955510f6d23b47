#!/usr/bin/env bash
# A module in which a loop takes ranges out of tuples is built by Cython without an error, and cannot be imported.
#
# Expected: `for start, run in ((0, range(3)), (5, range(2)))` is Python that Cython compiles; what it builds loads.
# Happens: Cython infers that `run` is a range and checks it with PyRange_CheckExact, a function that CPython 3.11 does
#   not have. The C compiler only warns, the module is written, and its import raises ImportError, "undefined symbol".
#   With the ranges written out in the loop it loads.
# Matters: whoever compiles existing Python for speed learns it when the module is imported, on a worker perhaps: the
#   build has succeeded.
# Versions: Cython 3.3.1; Python 3.11. Needs a C compiler that takes undeclared functions, such as GCC 12.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "cython==3.3.1" setuptools 2>/dev/null
cd "$folder"
cat > in_tuples.py <<'PYTHON'
def list_places():
    places = []
    for start, run in ((0, range(3)), (5, range(2))):
        for at in run:
            places.append(start + at)
    return places
PYTHON
cat > written_out.py <<'PYTHON'
def list_places():
    places = []
    for start, count in ((0, 3), (5, 2)):
        for at in range(count):
            places.append(start + at)
    return places
PYTHON
cat > probe.py <<'PYTHON'
import importlib

for name in ("in_tuples", "written_out"):
    try:
        module = importlib.import_module(name)
        print(name, "compiled" if module.__file__.endswith(".so") else "Python", module.list_places())
    except ImportError as error:
        print(name, "ImportError:", str(error).split(": ", 1)[1])
PYTHON
python=$(venv/bin/python probe.py)
venv/bin/cythonize -3 -i -q in_tuples.py written_out.py >/dev/null 2>&1
compiled=$(venv/bin/python probe.py)
printf '%s\n\n%s\n' "$python" "$compiled"
[ "$python" = "in_tuples Python [0, 1, 2, 5, 6]
written_out Python [0, 1, 2, 5, 6]" ]
[ "$compiled" = "in_tuples ImportError: undefined symbol: PyRange_CheckExact
written_out compiled [0, 1, 2, 5, 6]" ]
