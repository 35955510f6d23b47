"""Clean up plain text for every source: remove what no reader would miss, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.formats.encodings import decode, is_binary
from corpus.formats.recoding import looks_recoded, read_controls, repair
from corpus.unicode_ranges import cut_range, list_categories

_LINE_ENDS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_NEWLINES = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_DEBRIS = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"  # control characters
    "\xad\u2060\ufeff"  # soft hyphen, word joiner, byte order mark
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]+"  # surrogates, annotations, non-characters
)
_SPACES = re.compile("[\xa0\u2000-\u200a\u202f\u205f]")
_TRAILING = (" ", "\t", "\u3000")
_BLANK_LINES = re.compile(r"\n{4,}")
_ASCII_DEBRIS = bytes([*range(0x00, 0x09), *range(0x0E, 0x1C), 0x1F, 0x7F])

_UNPRINTABLE, _COMPOSABLE = 1, 2
"""What a character may be: debris or a typographic space; a part of another character in NFC."""
MIN_LOOKED_UP = 200
"""Characters of a text from which looking each up in a table is faster than Python's own checks."""

_UNSPACED = "\u1000-\u109f\u1950-\u19df\u1a20-\u1aad\u1b00-\u1b7f\ua980-\ua9ff\uaa60-\uaadf"
_ZERO_WIDTH_SPACES = re.compile(f"(?<![{_UNSPACED}])\u200b+|\u200b+(?![{_UNSPACED}])|(?<=\u200b)\u200b+")
"""All but one between two characters of scripts without spaces, where it is the only sign of a word's end: Javanese,
Balinese, Burmese script, Tai. ICU has words for Thai, Lao and Khmer."""

_ARABIC = "\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
_INDIC = "\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua800-\uabff\U00011000-\U00011fff"
_EMOJI = "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_JOINERS = re.compile(
    f"(?<![{_ARABIC}{_INDIC}{_EMOJI}\u200c\u200d])[\u200c\u200d]+"  # after nothing that joins
    f"|(?<=[{_ARABIC}])[\u200c\u200d]+(?=\\s|$)"  # at the end of an Arabic-script word
    "|(?<=[\u200c\u200d])[\u200c\u200d]+"  # one is enough
)


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the plain text of a record, decoded and cleaned. Raises UnicodeError for bytes that are none."""
    body = record.body
    if isinstance(body, bytes) and is_binary(body):
        raise UnicodeError("no text: its bytes are those of a picture, an archive or another program's file")
    text = body if isinstance(body, str) else decode(body, record.charset, html=False)[0]
    metadata: dict[str, str] = {}
    if (read := read_controls(text)) is not None:
        text, metadata["encoding_repaired"] = (repair(text) if looks_recoded(text) else None) or read
        text = (read_controls(text) or (text, ""))[0]
    return ExtractedText(text=clean_text(text), metadata=metadata)


@cache
def _list_characters() -> NDArray[np.uint8]:
    """Return what each code unit of UTF-16 may be; halves of pairs may be anything."""
    kinds = np.zeros(1 << 16, np.uint8)
    for first, last, are_alike in cut_range(0x80, 1 << 16):
        characters = list(map(chr, range(first, first + 1 if are_alike else last)))
        composed = [not unicodedata.is_normalized("NFC", character) for character in characters]
        unprinted = [not character.isprintable() for character in characters]
        kinds[first:last] = _COMPOSABLE * np.array(composed) + _UNPRINTABLE * np.array(unprinted)
    kinds[list_categories(0, 1 << 16)[:, 0] == ord("M")] |= _COMPOSABLE
    kinds[0x1100:0x1200] |= _COMPOSABLE
    for unit in (*range(0x20), 0x7F):
        kinds[unit] = _UNPRINTABLE
    kinds[[ord("\n"), ord("\t"), ord("\u3000")]] = 0
    kinds[0xD800:0xE000] = _UNPRINTABLE | _COMPOSABLE
    return kinds


def _look_up(text: str) -> int:
    """Return what the characters of a text may be, taken together."""
    if len(text) < MIN_LOOKED_UP:
        return _UNPRINTABLE | _COMPOSABLE
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    return int(np.bitwise_or.reduce(_list_characters().take(units)))


def _is_printable(text: str) -> bool:
    """Return whether a text has, but for line ends, tabs and ideographic spaces, what Unicode calls printable: neither
    debris nor typographic spaces. Five times as fast as a look for them."""
    unbroken = text.replace("\n", "")
    return unbroken.isprintable() or unbroken.replace("\t", "").replace("\u3000", "").isprintable()


def _has_trailing_spaces(text: str) -> bool:
    """Return whether a line ends in spaces. A character is found ten times as fast as two."""
    return text.endswith(_TRAILING) or any(space in text and space + "\n" in text for space in _TRAILING)


def clean_text(text: str) -> str:
    """Return the text in NFC with `\\n` for every kind of line end, at most two blank lines in a row, and without
    control characters, invisible debris, trailing spaces and blank first and last lines.

    The zero-width joiners are kept where a script needs them (Persian, Indic scripts, emoji) and removed elsewhere, as
    is the zero-width space, which ends words in Javanese and other scripts without spaces. Typographic spaces become
    plain ones, the ideographic space is kept. Idempotent; about 400 million characters a second in ASCII, 80 million in
    other scripts.
    """
    # Most texts need few of these: looking for a string is ten times as fast as looking for a pattern.
    if any(character in text for character in _LINE_ENDS):
        text = _NEWLINES.sub("\n", text)
    kinds = 0
    if text.isascii():
        plain = text.encode().translate(None, _ASCII_DEBRIS)
        text = text if len(plain) == len(text) else plain.decode()
    else:
        text = text.replace("\xa0", " ")
        kinds = _look_up(text)
        if kinds & _UNPRINTABLE and not _is_printable(text):
            text = _SPACES.sub(" ", _DEBRIS.sub("", text))
    if "\u200b" in text:
        text = _ZERO_WIDTH_SPACES.sub("", text)
    if "\u200c" in text or "\u200d" in text:
        text = _JOINERS.sub("", text)
    if kinds & _COMPOSABLE and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if _has_trailing_spaces(text):
        text = "\n".join([line.rstrip(" \t\u3000") for line in text.split("\n")])
    if "\n\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n\n", text)
    return text.strip("\n")
