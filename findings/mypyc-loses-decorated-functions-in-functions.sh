#!/usr/bin/env bash
# Of two decorated functions in a function, mypyc's second cannot call the first.
#
# Expected: a function in a function sees the ones defined before it, decorated or not, as in Python.
# Happens: where the first has a decorator, such as functools.cache, and the second has one, a call of the first raises
#   UnboundLocalError, "referenced before assignment". Without decorators both are found.
# Matters: helpers that keep what they have found for one page or one document are often written so. It type-checks and
#   compiles; only the branch that calls the helper raises.
# Versions: mypy 2.4.1; Python 3.11. Needs a C compiler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "mypy==2.4.1" setuptools 2>/dev/null
cd "$folder"
cat > runs.py <<'PYTHON'
from functools import cache


def count_decorated(size: int) -> int:
    @cache
    def double(number: int) -> int:
        return 2 * number

    @cache
    def quadruple(number: int) -> int:
        return 2 * double(number)

    return quadruple(size)


def count_plain(size: int) -> int:
    def double(number: int) -> int:
        return 2 * number

    def quadruple(number: int) -> int:
        return 2 * double(number)

    return quadruple(size)
PYTHON
cat > probe.py <<'PYTHON'
import runs

print("compiled:", not runs.__file__.endswith(".py"))
for count in (runs.count_plain, runs.count_decorated):
    try:
        print(count.__name__, count(3))
    except Exception as error:
        print(count.__name__, type(error).__name__)
PYTHON
python=$(venv/bin/python probe.py)
venv/bin/mypyc runs.py >/dev/null 2>&1
compiled=$(venv/bin/python probe.py)
printf '%s\n\n%s\n' "$python" "$compiled"
[ "$python" = "compiled: False
count_plain 12
count_decorated 12" ]
[ "$compiled" = "compiled: True
count_plain 12
count_decorated UnboundLocalError" ]
