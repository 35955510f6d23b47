#!/usr/bin/env bash
# trafilatura keeps the line ends of the source in a paragraph that has a `br`, and makes them spaces in others.
#
# Expected: outside of `pre` a line end of the source is a space, as browsers show it; only the `br` ends a line.
# Happens: a paragraph that its author wrapped at column 40 is one line of text; with a `br` in front of the same words
#   every line end of the source is one of the text, too.
# Matters: lines in the middle of sentences, on pages written by hand; rules on how many lines end with a full stop, or
#   are short, drop good pages.
# Versions: trafilatura 2.3.1 (lxml 6.1.3); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "trafilatura==2.3.1" "lxml[html-clean]==6.1.3" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from trafilatura import extract

around = "<p>" + "Here stands a paragraph of the page, with enough words to be taken for its text. " * 3 + "</p>"
for title, wrapped in (
    ("The bridge", "It was closed in the spring, when\nthe water rose, and has not\nbeen opened since."),
    ("Мост", "Весной его закрыли, когда\nподнялась вода, и с тех пор\nне открывали."),
    ("पुल", "वसंत में जब पानी बढ़ा\nतो इसे बंद कर दिया गया\nऔर तब से नहीं खोला गया।"),
):
    for before in ("", f"{title}<br>"):
        page = f"<html><body><article>{around}<p>{before}{wrapped}</p>{around}</article></body></html>"
        lines = [line for line in extract(page).split("\n") if not line.startswith("Here stands")]
        print("br" if before else "no br", len(lines), " / ".join(lines))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "no br 1 It was closed in the spring, when the water rose, and has not been opened since.
br 4 The bridge / It was closed in the spring, when / the water rose, and has not / been opened since.
no br 1 Весной его закрыли, когда поднялась вода, и с тех пор не открывали.
br 4 Мост / Весной его закрыли, когда / поднялась вода, и с тех пор / не открывали.
no br 1 वसंत में जब पानी बढ़ा तो इसे बंद कर दिया गया और तब से नहीं खोला गया।
br 4 पुल / वसंत में जब पानी बढ़ा / तो इसे बंद कर दिया गया / और तब से नहीं खोला गया।" ]
