#!/usr/bin/env bash
# mwparserfromhell's `strip_code` writes footnotes into the sentences that they belong to, and the options of pictures.
#
# Expected: "a rendered string without unprintable code": what a reader sees of the page, where a reference is a number,
#   its text stands at the end, and the options of a picture, its frame and width, are nowhere.
# Happens: the text of `<ref>` stands where the mark stood, without a blank (`Paris` and `Smith` become `ParisSmith`);
#   of `[[File:...|thumb|left|200px|caption]]` all but the name is text, bars and all, and glued to what follows; the
#   content of `<math>` is gone instead, so that sentences miss their subjects.
# Matters: dumps turned into text with this call, the usual one in guides for Wikipedia: citations in the middle of most
#   paragraphs, `thumb|200px|` in most articles.
# Versions: mwparserfromhell 0.7.2; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "mwparserfromhell==0.7.2" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import mwparserfromhell

for text in (
    "The river has its source in Paris<ref>Smith 2001, p. 5.</ref> and ends in the sea.",
    "[[File:River.jpg|thumb|left|200px|The river in spring]]The river is long.",
    "The curve <math>y = x^2</math> has one minimum.",
):
    print(mwparserfromhell.parse(text).strip_code())
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "The river has its source in ParisSmith 2001, p. 5. and ends in the sea.
thumb|left|200px|The river in springThe river is long.
The curve  has one minimum." ]
