#!/usr/bin/env bash
# pylatexenc's `latex_to_text` drops what LaTeX prints as it stands, and shows what LaTeX hides.
#
# Expected: `\verb|code|` and the content of `verbatim` are text, as that of `lstlisting` is; what `\iffalse` and the
#   environment `comment` hide is none, as with `%`.
# Happens: the other way round: `\verb` and `verbatim` leave nothing, and hidden text stands in the sentence.
# Matters: papers as text: names of files, functions and options are gone from sentences, which read on without them, and
#   what authors took out before they published, remarks to each other among it, is in the corpus.
# Versions: pylatexenc 2.11; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pylatexenc==2.11" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from pylatexenc.latex2text import LatexNodes2Text

for source in (
    r"Call \verb|open(path)| before the loop.",
    "First.\\begin{verbatim}\nx = 1\n\\end{verbatim}Last.",
    "First.\\begin{lstlisting}\nx = 1\n\\end{lstlisting}Last.",
    r"We measured it. \iffalse Ask Ann whether this is true. \fi It holds.",
    r"We measured it. \begin{comment}Ask Ann.\end{comment} It holds.",
):
    print(" ".join(LatexNodes2Text().latex_to_text(source).split()))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "Call before the loop.
First.Last.
First. x = 1 Last.
We measured it. Ask Ann whether this is true. It holds.
We measured it. Ask Ann. It holds." ]
