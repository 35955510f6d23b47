#!/usr/bin/env bash
# ICU's word boundaries cut Korean words in two where letters or digits of another script are written to them.
#
# Expected: Unicode's Annex 29 gives Hangul syllables the same class as Latin letters, so a name in Latin letters with
#   Hangul written to it, or a number with its counter, is one word, in any locale.
# Happens: ICU puts Hangul into the set that goes to its dictionary of Chinese and Japanese, and so breaks before and
#   behind it; Cyrillic and Latin in one word stay together. Its break iterator for Korean does the same.
# Matters: counts of words, mean lengths, n-grams of words and signatures of near-duplicates of Korean text differ
#   between tools that say they follow the Annex; a faster rule of one's own must break there to equal ICU.
# Versions: icu4py 1.2.0 (ICU 78.3), and PyICU 2.17 with ICU 72.1; uniseg 0.10.1 and regex 2026.11.19 keep the
#   words whole; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "icu4py==1.2.0" "uniseg==0.10.1" "regex==2026.11.19" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import regex
from icu4py.breakers import WordBreaker
from uniseg.wordbreak import words

for text in ("KBS한국", "한국KBS", "3월", "café한", "Kбs", "한국말"):
    icu = {locale: list(WordBreaker(text, locale)) for locale in ("en_US", "ko_KR")}
    assert icu["en_US"] == icu["ko_KR"], icu
    others = [one for one in regex.split(r"(?w)\b", text) if one]
    print(text, "ICU", len(icu["ko_KR"]), "uniseg", len(list(words(text))), "regex", len(others))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "KBS한국 ICU 2 uniseg 1 regex 1
한국KBS ICU 2 uniseg 1 regex 1
3월 ICU 2 uniseg 1 regex 1
café한 ICU 2 uniseg 1 regex 1
Kбs ICU 1 uniseg 1 regex 1
한국말 ICU 1 uniseg 1 regex 1" ]
