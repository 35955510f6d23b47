"""Plug-ins of experiment_runs: all the text of a page, menus and footers too, and a draw that rules can bound."""

from __future__ import annotations

import hashlib

from resiliparse.extract.html2text import extract_plain_text

from corpus import Page, Record
from corpus.formats.encodings import decode


class WholePage:
    """What a page shows when nobody has chosen its main text."""

    version = 1

    def extract(self, record: Record) -> str | None:
        assert isinstance(record.body, bytes)
        html = decode(record.body, record.charset, html=True)[0]
        return extract_plain_text(html, main_content=False, alt_texts=False, links=False) or None


class Draw:
    """A number from 0 to 1 of each text and address, by hash: `draw.value: {max: .3}` keeps three tenths at random."""

    version = 1
    signals = ("value",)

    def measure(self, page: Page) -> tuple[float]:
        key = f"{page.url}\0{page.text}".encode("utf-8", "replace")
        return (int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "big") / 2**32,)
