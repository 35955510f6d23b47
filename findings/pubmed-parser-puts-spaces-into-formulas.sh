#!/usr/bin/env bash
# pubmed_parser writes titles and abstracts with blanks around every italic, sub- and superscript: `CO 2`, `( p < .05)`.
#
# Expected: `CO<sub>2</sub>` is `CO2`, as `parse_pubmed_paragraph` of the same library has it, and as a reader sees it.
# Happens: the pieces between tags are joined with blanks in `full_title` and `abstract`, so that words, formulas and
#   brackets are torn apart; names of species have two blanks on each side.
# Matters: titles and abstracts are what most corpora take of PubMed: nearly every text on chemistry or genes has such
#   tags, and its tokens are not those of the same words elsewhere.
# Versions: pubmed_parser 0.5.1; Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pubmed_parser==0.5.1" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import sys

import pubmed_parser

ARTICLE = """<?xml version="1.0"?>
<article article-type="research-article"><front><journal-meta><journal-title-group><journal-title>Rivers</journal-title>
</journal-title-group></journal-meta><article-meta><title-group>
<article-title>CO<sub>2</sub> in <italic>E. coli</italic></article-title></title-group>
<pub-date pub-type="ppub"><year>2021</year></pub-date>
<abstract><p>Ca<sup>2+</sup> rose (<italic>p</italic>&lt;.05).</p></abstract></article-meta></front>
<body><p>Ca<sup>2+</sup> rose (<italic>p</italic>&lt;.05).</p></body></article>"""

path = f"{sys.argv[1]}/article.nxml"
with open(path, "w") as file:
    file.write(ARTICLE)
article = pubmed_parser.parse_pubmed_xml(path)
print("title:", article["full_title"])
print("abstract:", article["abstract"])
print("paragraph:", pubmed_parser.parse_pubmed_paragraph(path, all_paragraph=True)[0]["text"])
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py" "$folder")
echo "$shown"
[ "$shown" = "title: CO 2  in  E. coli
abstract: Ca 2+ rose ( p <.05).
paragraph: Ca2+ rose (p<.05)." ]
