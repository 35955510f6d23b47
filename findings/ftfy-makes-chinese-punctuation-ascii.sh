#!/usr/bin/env bash
# ftfy's `fix_text` turns the punctuation of correct Chinese text into that of ASCII, and the quotation marks of all text.
#
# Expected: what "fixes text for you" leaves text alone in which nothing is broken: it finds encodings that were read
#   wrongly. `，` and `！` are what Chinese is written with; Unicode calls their ASCII forms compatible, not the same.
# Happens: `，！？（）：；～` and the ideographic space become `,!?():;~` and a blank, half-width kana become full-width ones,
#   and curly quotation marks straight ones, by the defaults `fix_character_width` and `uncurl_quotes`. `。` and `「」`,
#   which ASCII lacks, stay, so that each sentence mixes both.
# Matters: pipelines that clean web text with it: all Chinese text is changed, most Japanese, and rules or tokenizers that
#   look for `，` or `？` at the end of a line find none.
# Versions: ftfy 6.3.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "ftfy==6.3.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import ftfy

for text in ("你好，世界！真的吗？（是的）：好；谢谢。", "「東京」　１２月のＷｅｂ", "한국어，日本語", "“引号”和‘引号’", "l’été “mot”"):
    print(text, "->", ftfy.fix_text(text), "->", ftfy.fix_text(text, fix_character_width=False, uncurl_quotes=False))
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "你好，世界！真的吗？（是的）：好；谢谢。 -> 你好,世界!真的吗?(是的):好;谢谢。 -> 你好，世界！真的吗？（是的）：好；谢谢。
「東京」　１２月のＷｅｂ -> 「東京」 12月のWeb -> 「東京」　１２月のＷｅｂ
한국어，日本語 -> 한국어,日本語 -> 한국어，日本語
“引号”和‘引号’ -> \"引号\"和'引号' -> “引号”和‘引号’
l’été “mot” -> l'été \"mot\" -> l’été “mot”" ]
