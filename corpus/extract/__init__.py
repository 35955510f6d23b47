"""Raw bytes -> text. `extract` is the one way in, by media type."""

from __future__ import annotations

from corpus.document import Record


def extract(record: Record, mode: str) -> str | None:
    """The text of a record, or None where it has none.

    `mode` is trafilatura's for HTML (fast, precision, recall). The result depends on the record alone.
    Raises whatever a parser raises on input it cannot take: the caller places the failure.
    """
    from corpus.extract.encodings import decode
    from corpus.extract.text import clean_text

    if record.media_type == "text/x-wiki":
        from corpus.extract.wikitext import to_text

        assert isinstance(record.body, str)
        return clean_text(to_text(record.body, record.metadata.get("title"))) or None
    is_html = record.media_type == "text/html"
    text = record.body
    if isinstance(text, bytes):
        text, _ = decode(text, record.charset, html=is_html)
    if is_html:
        from corpus.extract.html import extract as main_text

        return main_text(text, record.url, mode) or None
    return clean_text(text) or None
