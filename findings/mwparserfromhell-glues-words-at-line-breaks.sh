#!/usr/bin/env bash
# mwparserfromhell's `strip_code` and wikitextparser's `plain_text` glue the words on both sides of `<br>`, `<p>` and `<li>`.
#
# Expected: text in which words stay words: a tag that ends a line or a paragraph leaves a blank or a line end, as it does
#   for a reader. `normalize=True` and `collapse=True`, the defaults, are said to make the text neat.
# Happens: the tags go and nothing stands in their place: `Ottawa<br/>Ontario` is `OttawaOntario`. Only line ends that the
#   source has beside a tag stay.
# Matters: dumps of Wikipedia have millions of `<br>` within lines, of addresses, verses, names in two scripts and cells
#   of tables. The glued words are in no dictionary, and tokenizers learn them.
# Versions: mwparserfromhell 0.7.2, wikitextparser 3.0.0; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "mwparserfromhell==0.7.2" "wikitextparser==3.0.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import mwparserfromhell
import wikitextparser

for text in (
    "Ottawa<br/>Ontario<br>Canada",
    "<p>First part.</p><p>Second part.</p>",
    "<ul><li>apples</li><li>pears</li></ul>",
    "Ottawa<br/>\nOntario",
):
    print(f"{text!r}: {mwparserfromhell.parse(text).strip_code()!r}, {wikitextparser.parse(text).plain_text()!r}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "'Ottawa<br/>Ontario<br>Canada': 'OttawaOntarioCanada', 'OttawaOntarioCanada'
'<p>First part.</p><p>Second part.</p>': 'First part.Second part.', 'First part.Second part.'
'<ul><li>apples</li><li>pears</li></ul>': 'applespears', 'applespears'
'Ottawa<br/>\nOntario': 'Ottawa\nOntario', 'Ottawa\nOntario'" ]
