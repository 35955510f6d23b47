#!/usr/bin/env bash
# pylatexenc takes `%` in an address for the beginning of a comment, and loses the rest of the line, or the document.
#
# Expected: as LaTeX's packages url and hyperref do, `\url{...%20...}` and `\href{...%20...}{text}` are read with `%` as
#   itself: addresses that browsers copy have some.
# Happens: the address ends there, and so does the line: the closing brace is part of the comment, so what follows, up to
#   another brace, is taken into the argument. `\href` raises IndexError for the argument that is lost, and the text of
#   the whole document with it. Both in the tolerant mode, the default.
# Matters: papers as text: lists of references, footnotes and links are where such addresses are.
# Versions: pylatexenc 2.11; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pylatexenc==2.11" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from pylatexenc.latex2text import LatexNodes2Text

for source in (
    r"Data is at \url{https://example.org/a%20b} and in the appendix.",
    r"Data is at \url{https://example.org/a_b} and in the appendix.",
    r"The \href{https://example.org/a%20b}{data} is public.",
):
    try:
        print(LatexNodes2Text().latex_to_text(source))
    except IndexError as error:
        print("IndexError:", error)
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "Data is at <https://example.org/a>
Data is at <https://example.org/a_b> and in the appendix.
IndexError: list index out of range" ]
