#!/usr/bin/env bash
# pubmed_parser raises KeyError on articles that were never printed.
#
# Expected: an article of PubMed Central is read whatever dates it has: JATS asks for a `pub-date`, and lets it be of
#   electronic publication alone. The code has a place for articles without a year, `pub_year = None`.
# Happens: `parse_pubmed_xml` looks for `pub-type="ppub"` and `"collection"`; with `"epub"` alone, or with the attributes
#   of JATS since 1.1 (`date-type="pub"`), there is no year, and `KeyError: 'year'` ends the call: no title, no abstract.
# Matters: journals that appear on the web alone, and newer files of all publishers: in a pipeline that skips what raises,
#   the newest and the open-access articles are the ones that go missing.
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
</journal-title-group></journal-meta><article-meta><title-group><article-title>On rivers</article-title></title-group>
<pub-date {}><day>4</day><month>3</month><year>2021</year></pub-date>
<abstract><p>They flow.</p></abstract></article-meta></front><body><p>Text.</p></body></article>"""

for attributes in ('pub-type="ppub"', 'pub-type="epub"', 'date-type="pub" publication-format="electronic"'):
    path = f"{sys.argv[1]}/article.nxml"
    with open(path, "w") as file:
        file.write(ARTICLE.format(attributes))
    try:
        print(attributes, pubmed_parser.parse_pubmed_xml(path)["full_title"])
    except KeyError as error:
        print(attributes, "KeyError", error)
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py" "$folder")
echo "$shown"
[ "$shown" = "pub-type=\"ppub\" On rivers
pub-type=\"epub\" KeyError 'year'
date-type=\"pub\" publication-format=\"electronic\" KeyError 'year'" ]
