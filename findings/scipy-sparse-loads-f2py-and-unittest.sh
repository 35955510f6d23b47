#!/usr/bin/env bash
# scipy.sparse loads numpy's Fortran wrapper generator, its testing tools and unittest.
#
# Expected: to multiply a sparse matrix, NumPy, which is there, and SciPy's own modules for matrices.
# Happens: scipy._lib.array_api_compat.numpy takes every public name of NumPy, among them modules that NumPy itself only
#   loads when they are asked for: numpy.f2py with its parser of Fortran, numpy.testing, numpy.ma, and with these
#   unittest, which neither NumPy nor SciPy need to compute. They are most of the time that the import takes.
# Matters: every worker and every command that imports something that imports scipy.sparse, though it multiplies once or
#   never; a table of rows that are summed up needs no SciPy (NumPy's `take` and `+=`).
# Versions: SciPy 1.17.1, NumPy 2.4.6; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "scipy==1.17.1" "numpy==2.4.6" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import sys

WATCHED = ("numpy.f2py.crackfortran", "numpy.testing", "numpy.ma", "unittest.case")
import numpy
import scipy

print("numpy and scipy:", [name for name in WATCHED if name in sys.modules])
import scipy.sparse

print("scipy.sparse:", [name for name in WATCHED if name in sys.modules])
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "numpy and scipy: []
scipy.sparse: ['numpy.f2py.crackfortran', 'numpy.testing', 'numpy.ma', 'unittest.case']" ]
