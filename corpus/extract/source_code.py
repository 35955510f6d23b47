"""Extract source code as text: every space, tab and blank line is kept; secrets and e-mail addresses are replaced."""

from __future__ import annotations

import re

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.secrets import redact_secrets
from corpus.formats.encodings import decode

VERBATIM_MEDIA_TYPE = "text/x-code; secrets=kept"
"""The media type of code in which nothing is replaced."""
DECLARED_ENCODING = re.compile(
    rb"\A(?:[^\n]*\n)?[ \t\f]*(?:#|//|;|%|--|/\*)[^\n]*?coding[:=][ \t]*[\"']?([-\w.]{2,40})"
)
"""How Python, Ruby and editors name a file's encoding, in its first two lines."""


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the code, decoded, with the replacements counted in the metadata (`secrets`, `emails`); None if there is
    nothing but white space. Raises ValueError for a text with NUL characters: it is not text.
    """
    text = decode_source(record.body, record.charset)
    if not text.strip():
        return None
    if record.media_type == VERBATIM_MEDIA_TYPE:
        return ExtractedText(text=text)
    text, secrets, emails = redact_secrets(text)
    counts = {"secrets": secrets, "emails": emails}
    return ExtractedText(text=text, metadata={name: str(count) for name, count in counts.items() if count})


def decode_source(body: bytes | str, charset: str | None = None) -> str:
    """Return the text of a source file, with `\\n` for its line ends and nothing else changed but a byte order mark.

    Raises ValueError if there are NUL characters.
    """
    if isinstance(body, bytes):
        declared = DECLARED_ENCODING.match(body[:400])
        body = decode(
            body, charset or (declared[1].decode("ascii", "replace") if declared else None), html=False
        )[0]
    if "\0" in body:
        raise ValueError(f"a NUL character at {body.index(chr(0)):,}: this is no text")
    return body.replace("\r\n", "\n").replace("\r", "\n") if "\r" in body else body
