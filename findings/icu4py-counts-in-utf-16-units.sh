#!/usr/bin/env bash
# icu4py's breakers return places in UTF-16, which are not those of the Python string that they were given.
#
# Expected: `segments()` of a `str` gives (start, end) that slice that `str`, as its documentation and type hints do not
#   say otherwise.
# Happens: each character beyond U+FFFF before a place counts twice, so slices behind an emoji, a rare ideograph or a
#   letter of Gothic are shifted by one for each, and the last ones reach beyond the string. Iterating over the breaker
#   itself gives the right words as strings.
# Matters: spans of words and sentences that are stored or cut: redaction, spans of entities, truncation at a sentence.
#   Tests in Latin, Chinese and Arabic pass.
# Versions: icu4py 1.2.0 (ICU 78); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "icu4py==1.2.0" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
from icu4py.breakers import WordBreaker

for text in ("good news", "🎉 good news", "𠮷野 家"):
    spans = list(WordBreaker(text, "en").segments())
    print(f"{len(text)} characters: {spans} {[text[start:end] for start, end in spans]} {list(WordBreaker(text, 'en'))}")
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "9 characters: [(0, 4), (4, 5), (5, 9)] ['good', ' ', 'news'] ['good', ' ', 'news']
11 characters: [(0, 2), (2, 3), (3, 7), (7, 8), (8, 12)] ['🎉 ', 'g', 'ood ', 'n', 'ews'] ['🎉', ' ', 'good', ' ', 'news']
4 characters: [(0, 2), (2, 3), (3, 4), (4, 5)] ['𠮷野', ' ', '家', ''] ['𠮷', '野', ' ', '家']" ]
