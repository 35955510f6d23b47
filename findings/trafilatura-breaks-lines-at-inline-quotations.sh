#!/usr/bin/env bash
# trafilatura breaks lines at `q`, the element of a quotation within a sentence, as it does at `blockquote`.
#
# Expected: `q` is phrasing content, as `em` and `cite` are: the sentence stays on one line.
# Happens: "He said <q>water is wet</q> and left" becomes two lines, and three where no space is around it, as in
#   Chinese; with `cite` or `em` in the place of `q` it is one.
# Matters: rules that ask whether lines end with a full stop, and those on short lines, drop such pages; a training text
#   has sentences in halves.
# Versions: trafilatura 2.3.1 (lxml 6.1.3); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "trafilatura==2.3.1" "lxml[html-clean]==6.1.3" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from trafilatura import extract

around = "<p>" + "Here stands a paragraph of the page, with enough words to be taken for its text. " * 3 + "</p>"
for before, quoted, behind in (
    ("He said ", "water is wet", " and left the room at once."),
    ("他說", "水是濕的", "然後離開了房間。"),
    ("Он сказал: ", "вода мокрая", " и сразу вышел из комнаты."),
):
    for tag in ("q", "cite", "em"):
        page = f"<html><body><article>{around}<p>{before}<{tag}>{quoted}</{tag}>{behind}</p>{around}</article></body></html>"
        lines = [line for line in extract(page).split("\n") if not line.startswith("Here stands")]
        print(tag, len(lines), " / ".join(lines))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "q 2 He said water is wet / and left the room at once.
cite 1 He said water is wet and left the room at once.
em 1 He said water is wet and left the room at once.
q 3 他說 / 水是濕的 / 然後離開了房間。
cite 1 他說水是濕的然後離開了房間。
em 1 他說水是濕的然後離開了房間。
q 2 Он сказал: вода мокрая / и сразу вышел из комнаты.
cite 1 Он сказал: вода мокрая и сразу вышел из комнаты.
em 1 Он сказал: вода мокрая и сразу вышел из комнаты." ]
