#!/usr/bin/env bash
# pylatexenc's `latex_to_text` writes today's date into the text of a paper that has none.
#
# Expected: the same source gives the same text, today and tomorrow: the converter is no typesetter, and a paper is of the
#   day that it was written on.
# Happens: `\maketitle` of a paper without `\date`, and `\today`, become the date of the machine in English, whatever
#   language the paper is in.
# Matters: corpora of papers: a rebuilt corpus differs in a line of most documents, hashes of texts and exact duplicates
#   with them, and models learn that old papers are of the day of the build.
# Versions: pylatexenc 2.11; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pylatexenc==2.11" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import datetime

from pylatexenc.latex2text import LatexNodes2Text

today = f"{datetime.date.today():%B} {datetime.date.today().day}, {datetime.date.today():%Y}"
for source in (r"\title{On Rivers}\author{A. Author}\maketitle Text.", r"Version of \today."):
    print(today in LatexNodes2Text().latex_to_text(source))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "True
True" ]
