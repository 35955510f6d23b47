#!/usr/bin/env bash
# trafilatura takes the words of `label`, `output` and `time` out of sentences, and drops a `menu` whole.
#
# Expected: elements that the standard allows within a sentence (phrasing content: `label`, `output`, `time`) keep
#   their words in the text around them, as `span` and `data` do; a `menu` is a list, as `ul` is.
# Happens: "Press the <label>green</label> key" becomes "Press the key", and the items of a `menu` are gone.
# Matters: pages of handbooks and courses mark the names of controls so, and dates of events: sentences lose the word that
#   they are about.
# Versions: trafilatura 2.3.1 (lxml 6.1.3); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "trafilatura==2.3.1" "lxml==6.1.3" "lxml_html_clean==0.4.6" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import trafilatura

filler = "<p>This paragraph tells at some length how ships were built from {} and pine, and why they float.</p>"
before = "".join(map(filler.format, ("oak", "ash", "yew", "fir")))
after = "".join(map(filler.format, ("elm", "larch", "cedar", "teak")))
for name in ("span", "data", "time", "label", "output"):
    inner = f"<p>Then press the <{name}>green</{name}> key of the machine once.</p>"
    text = trafilatura.extract(f"<html><body><article>{before}{inner}{after}</article></body></html>")
    print(f"{name}: {[line for line in text.splitlines() if 'press' in line]}")
for name in ("ul", "menu"):
    inner = f"<{name}><li>The first of all steps</li><li>The second of them</li></{name}>"
    text = trafilatura.extract(f"<html><body><article>{before}{inner}{after}</article></body></html>")
    print(f"{name}: {sum('of' in line and 'ships' not in line for line in text.splitlines())} items")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "span: ['Then press the green key of the machine once.']
data: ['Then press the green key of the machine once.']
time: ['Then press the key of the machine once.']
label: ['Then press the key of the machine once.']
output: ['Then press the key of the machine once.']
ul: 2 items
menu: 0 items" ]
