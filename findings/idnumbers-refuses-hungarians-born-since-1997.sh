#!/usr/bin/env bash
# idnumbers takes the personal numbers of Hungarians born since 1997 for wrong.
#
# Expected: the check digit of a személyi szám is the sum of its digits weighted 1 to 10, modulo 11, for those born until
#   1996, and weighted 10 to 1 for those born since (act XX of 1996, annex).
# Happens: idnumbers weights 1 to 10 whatever the year, so that one in ten is right by chance.
# Matters: a search for private data by it misses Hungarians under 30.
# Versions: idnumbers 1.22.0, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "idnumbers==1.22.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from idnumbers.nationalid import HUN


def complete(digits, weights):
    return f"{digits}{sum(int(digit) * weight for digit, weight in zip(digits, weights)) % 11}"


def count(prefix, weights):
    numbers = [complete(f"{prefix}{serial:03}", weights) for serial in range(1000)]
    return sum(len(number) == 11 for number in numbers), sum(map(HUN.NationalID.validate, numbers))


old, new = count("2800229", range(1, 11)), count("3050630", range(10, 0, -1))
print("born in 1980: given and accepted", *old)
print("born in 2005: given and accepted", *new)
assert old[0] == old[1] and new[1] < new[0] / 5
PYTHON
"$folder/venv/bin/python" "$folder/probe.py"
