#!/usr/bin/env bash
# In items of lists and in quotations, trafilatura glues code behind a line break to the word before it, and takes
# the lines of a listing away.
#
# Expected: the text of an inline element keeps the space before it wherever it stands, and the lines of a `pre` stay
#   lines, as both do outside lists.
# Happens: behind a `br` in a `li` or `blockquote`, "The <code>swap</code>" becomes "Theswap"; in a `p` it does not. A
#   `pre` in an item becomes one line behind the sentence before it.
# Matters: manuals and tutorials are lists of steps with commands in them: their text has words that no one wrote, and
#   code that does not run.
# Versions: trafilatura 2.3.1 (lxml 6.1.3); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "trafilatura==2.3.1" "lxml==6.1.3" "lxml_html_clean==0.4.6" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import trafilatura

filler = "<p>This paragraph tells at some length how ships were built from oak and pine, and why they float.</p>" * 3
line, listing = "Say<br>The <code>swap</code> space is small here.", "<pre>one two\nthree four\nfive</pre>"
for name, inner in {
    "paragraph": f"<p>{line}</p>",
    "quotation": f"<blockquote>{line}</blockquote>",
    "item": f"<ul><li>{line}</li><li>Two more words</li></ul>",
    "listing": listing,
    "listing in an item": f"<ul><li>Say it:{listing}</li><li>Two more words</li></ul>",
}.items():
    text = trafilatura.extract(f"<html><body><article>{filler}{inner}{filler}</article></body></html>")
    lines = [one for one in text.split("\n") if "ships" not in one and "more words" not in one]
    print(f"{name}: {lines}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "paragraph: ['Say', 'The swap space is small here.']
quotation: ['Say', 'Theswap space is small here.']
item: ['- Say', 'Theswap space is small here.']
listing: ['one two', 'three four', 'five']
listing in an item: ['- Say it: one two three four five']" ]
