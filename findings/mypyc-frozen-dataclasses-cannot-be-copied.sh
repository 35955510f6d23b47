#!/usr/bin/env bash
# A frozen dataclass that mypyc has compiled can be neither copied nor pickled.
#
# Expected: copy.copy, copy.deepcopy and pickle give an equal instance, as they do of the same class in Python.
# Happens: each raises FrozenInstanceError, with slots and without: what is copied is set by setattr, which a frozen
#   class refuses, and mypyc's classes lack the methods by which dataclasses get around it. A NamedTuple is copied.
# Matters: whoever compiles a parser or a filter whose results go to another process (multiprocessing, Beam) or are
#   copied before they are changed: it type-checks, compiles, and raises at the first copy.
# Versions: mypy 2.4.1; Python 3.11. Needs a C compiler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "mypy==2.4.1" setuptools 2>/dev/null
cd "$folder"
cat > place.py <<'PYTHON'
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Place:
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SlotPlace:
    offset: int = 0


class TuplePlace(NamedTuple):
    offset: int = 0
PYTHON
cat > probe.py <<'PYTHON'
import copy
import pickle

import place


def again(one):
    return pickle.loads(pickle.dumps(one))


print("compiled:", not place.__file__.endswith(".py"))
for kind in (place.Place, place.SlotPlace, place.TuplePlace):
    for name, make in (("copy", copy.copy), ("deepcopy", copy.deepcopy), ("pickle", again)):
        try:
            print(kind.__name__, name, make(kind(7)) == kind(7))
        except Exception as error:
            print(kind.__name__, name, type(error).__name__)
PYTHON
python=$(venv/bin/python probe.py)
venv/bin/mypyc place.py >/dev/null 2>&1
compiled=$(venv/bin/python probe.py)
printf '%s\n\n%s\n' "$python" "$compiled"
[ "$(grep -c "True$" <<<"$python")" = 9 ]
[ "$compiled" = "compiled: True
Place copy FrozenInstanceError
Place deepcopy FrozenInstanceError
Place pickle FrozenInstanceError
SlotPlace copy FrozenInstanceError
SlotPlace deepcopy FrozenInstanceError
SlotPlace pickle FrozenInstanceError
TuplePlace copy True
TuplePlace deepcopy True
TuplePlace pickle True" ]
