#!/usr/bin/env bash
# pycld2 refuses text with control characters or noncharacters, and says that it is invalid UTF-8.
#
# Expected: a `str` without surrogates is valid UTF-8 once it is encoded, whatever is in it: Unicode's Corrigendum 9 says
#   that noncharacters make no text ill-formed. `detect` names the language of a sentence with a stray character in it.
# Happens: one vertical tab, bell, DEL, C1 control (U+0085 among them, which is a line end) or noncharacter (U+FDD0,
#   U+FFFE, the last two of each plane) raises `error: input contains invalid UTF-8 around byte N`. Tabs, form feeds,
#   private use, unassigned characters and U+FFFD do not.
# Matters: text of web pages and PDFs has such characters here and there, old Windows pages C1 controls by the thousand:
#   those documents are lost where the error is caught as "not UTF-8", and a job ends where it is not.
# Versions: pycld2 0.42; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pycld2==0.42" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import pycld2

CHARACTERS = {
    "tab": "\t", "form feed": "\f", "private use": "\ue000", "unassigned": "\u0378", "replacement": "\ufffd",
    "vertical tab": "\v", "bell": "\a", "DEL": "\x7f", "next line": "\x85", "C1 control": "\x91",
    "U+FDD0": "\ufdd0", "U+FFFE": "\ufffe", "U+10FFFF": "\U0010ffff",
}
for name, character in CHARACTERS.items():
    text = f"Der Vertrag tritt am Tag nach{character} seiner Unterzeichnung durch alle Parteien in Kraft."
    assert text.encode("utf-8").decode("utf-8") == text
    try:
        print(f"{name}: {pycld2.detect(text)[2][0][1]}")
    except pycld2.error as error:
        print(f"{name}: {str(error).partition(' around')[0]}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "tab: de
form feed: de
private use: de
unassigned: de
replacement: de
vertical tab: input contains invalid UTF-8
bell: input contains invalid UTF-8
DEL: input contains invalid UTF-8
next line: input contains invalid UTF-8
C1 control: input contains invalid UTF-8
U+FDD0: input contains invalid UTF-8
U+FFFE: input contains invalid UTF-8
U+10FFFF: input contains invalid UTF-8" ]
