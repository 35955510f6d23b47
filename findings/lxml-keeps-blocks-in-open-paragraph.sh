#!/usr/bin/env bash
# lxml keeps <figure>, <section>, <details> and other blocks inside an open <p>, where HTML closes the paragraph.
#
# Expected: the start tag of any block element ends an open <p>, as the HTML standard has it (13.2.6.4.7) and html5lib
#   and lexbor do; at least, all block elements are treated alike.
# Happens: the elements of HTML 4 (div, ul, table, blockquote) close the paragraph; those that came with HTML 5 stay
#   children of <p>, though libxml2 splits the page into tags as HTML 5 does since its version 2.14. The text after the
#   element belongs to the paragraph, too.
# Matters: text by paragraph (//p) holds captions, navigation and asides as if they were words of the sentence,
#   and rules on the length or links of paragraphs judge the wrong text. Editors that put pictures in <p> write such
#   pages, and a left-out </p>, which is valid, makes them.
# Versions: lxml 6.1.3 (libxml2 2.14.6); html5lib 1.1, selectolax 1.0.2 (lexbor); Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "lxml==6.1.3" "html5lib==1.1" "selectolax==1.0.2" 2>/dev/null
cat > "$folder/probe.py" <<'PYTHON'
import html5lib
import lxml.html
from selectolax.lexbor import LexborHTMLParser

NEW = "article aside details figcaption figure footer header main nav section summary".split()
OLD = "address blockquote div fieldset h2 ol pre table ul".split()


def parents(name):
    page = f"<!doctype html><title>t</title><body><p>Ships float.<{name}>block</{name}>"
    return (
        next(lxml.html.document_fromstring(page).iter(name)).getparent().tag,
        next(html5lib.parse(page, treebuilder="lxml", namespaceHTMLElements=False).iter(name)).getparent().tag,
        LexborHTMLParser(page).css_first(name).parent.tag,
    )


for label, names in (("new", NEW), ("old", OLD)):
    print(label, "lxml, html5lib, lexbor:", *sorted({parents(name) for name in names}))
page = lxml.html.document_fromstring("<body><p>Ships float.<figure>A ship</figure>They can sink.")
print("lxml, text of p:", page.findtext(".//p"), "|", page.find(".//p").text_content())
PYTHON
shown=$("$folder/venv/bin/python" "$folder/probe.py")
echo "$shown"
[ "$shown" = "new lxml, html5lib, lexbor: ('p', 'body', 'body')
old lxml, html5lib, lexbor: ('body', 'body', 'body')
lxml, text of p: Ships float. | Ships float.A shipThey can sink." ]
