#!/usr/bin/env bash
# Resiliparse's main text loses Chinese and Japanese punctuation that stands alone between two inline elements.
#
# Expected: extract_plain_text with main_content=True keeps all characters of a paragraph: "北京，上海" is a list of two
#   names whatever element is around the names.
# Happens: a text node between inline elements (links) that is one ideographic comma or full stop is gone; with
#   main_content=False it stays, as does ", " between English names and a mark with a letter beside it.
# Matters: linked names in Chinese and Japanese run together ("北京上海"), sentences lose their full stops, and word
#   counts change.
# Versions: resiliparse 2.0.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "resiliparse==2.0.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from resiliparse.extract.html2text import extract_plain_text

for left, mark, right in (("北京", "，", "上海"), ("東京", "。", "大阪"), ("Rome", ", ", "Paris"), ("北京", "和，", "上海")):
    page = f"<html><body><article><p>abc <a href='/1'>{left}</a>{mark}<a href='/2'>{right}</a> xyz</p></article></body></html>"
    for main in (False, True):
        print(main, " ".join(extract_plain_text(page, main_content=main, links=False).split()))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "False abc 北京，上海 xyz
True abc 北京上海 xyz
False abc 東京。大阪 xyz
True abc 東京大阪 xyz
False abc Rome, Paris xyz
True abc Rome, Paris xyz
False abc 北京和，上海 xyz
True abc 北京和，上海 xyz" ]
