#!/usr/bin/env bash
# wikitextparser's `plain_text` takes quotation marks out of program code, where they are no marks of bold and italics.
#
# Expected: MediaWiki shows the content of `<syntaxhighlight>` and `<pre>` as it stands; so does `plain_text`, which keeps
#   it otherwise, and so does mwparserfromhell.
# Happens: pairs of two and of three apostrophes disappear: `x = '''y'''` is `x = y`, and of two empty strings in a line
#   nothing is left. The code of the page is no longer the code that it had.
# Matters: pages on programming in any wiki: strings and docstrings of Python, empty strings of SQL and shells.
# Versions: wikitextparser 3.0.0, mwparserfromhell 0.7.2; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "wikitextparser==3.0.0" "mwparserfromhell==0.7.2" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import mwparserfromhell
import wikitextparser

for tag, code in (("syntaxhighlight", "x = '''text'''"), ("pre", "x = '''text'''"), ("pre", "if a = '' or b = '' then")):
    text = f"<{tag}>{code}</{tag}>"
    print(f"{tag}: {wikitextparser.parse(text).plain_text()}; mwparserfromhell: {mwparserfromhell.parse(text).strip_code()}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "syntaxhighlight: x = text; mwparserfromhell: x = '''text'''
pre: x = text; mwparserfromhell: x = '''text'''
pre: if a =  or b =  then; mwparserfromhell: if a = '' or b = '' then" ]
