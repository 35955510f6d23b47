"""Clean-up of plain text."""

from __future__ import annotations

import pickle
import random
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.document import Record
from corpus.extract import extract, plain_text
from corpus.extract.plain_text import clean_text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\ufeffNUL\x00 and bell\x07, so\xadft and zero\u200bwidth", "NUL and bell, soft and zerowidth"),
        ("trailing   \nspaces\t\n\u3000indented stays", "trailing\nspaces\n\u3000indented stays"),
        ("\n\na\n\n\n\n\n\nb\n\n", "a\n\n\nb"),
        ("100\xa0000 €", "100 000 €"),
        ("cafe\u0301", "café"),
        ("がき".replace("が", "か\u3099"), "がき"),
        ("broken \ud800 surrogate", "broken  surrogate"),
        ("\u202bעברית\u202c and \u200eEnglish", "עברית and English"),
    ],
)
def test_what_no_reader_would_miss_goes(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@pytest.mark.parametrize(
    "text", ["می\u200cخواهم", "क्\u200dष", "ന്\u200d", "👩\u200d👩\u200d👧", "ක්\u200dෂ", "🏳️\u200d🌈"]
)
def test_joiners_stay_where_a_script_needs_them(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("in\u200dvisible", "invisible"),
        ("中\u200c文", "中文"),
        ("خانه\u200c \u200cها", "خانه ها"),
        ("می\u200c\u200cشود", "می\u200cشود"),
    ],
)
def test_joiners_go_elsewhere(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


PAGES = {
    "de": "Über die Brücke gingen früher täglich zwölf Bäcker. " * 9,
    "hi": "नदी के पार पुराना पुल है। " * 12,
    "ko": "옛 다리는 강 위에 있다. " * 16,
    "zh": "古老的桥横跨在河上，每天有人走过。" * 14,
    "vi": "Cây cầu cổ bắc qua sông, mỗi ngày có người đi qua. " * 9,
}


@pytest.mark.parametrize("language", PAGES)
@given(st.text(alphabet=st.characters(), min_size=1, max_size=8))
def test_a_long_text_is_cleaned_as_its_parts_are(language: str, part: str) -> None:
    page = PAGES[language]
    assert (
        clean_text(f"{page}\n|{part}|\n{page}")
        == f"{clean_text(page)}\n{clean_text(f'|{part}|')}\n{clean_text(page)}"
    )


@pytest.mark.parametrize("language", PAGES)
def test_decomposed_signs_of_a_long_text_are_composed(language: str) -> None:
    page = clean_text(PAGES[language])
    assert clean_text(unicodedata.normalize("NFD", PAGES[language])) == page
    assert clean_text(page + " \U0001f600 \u1100\u1161 e\u0301") == page + " \U0001f600 가 é"


@given(st.text(alphabet=st.characters(), max_size=200))
def test_idempotent(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    once.encode("utf-8")


def test_time_is_linear_in_runs_of_spaces() -> None:
    start = time.process_time()
    clean_text("a" + " " * 2_000_000 + "b\n" + "\n" * 2_000_000 + "\u200c" * 1_000_000)
    assert time.process_time() - start < 2


def test_no_debris_and_no_typographic_space_is_printable() -> None:
    every = "".join(map(chr, range(0x110000)))
    cleaned = {*plain_text._DEBRIS.findall(every), *plain_text._SPACES.findall(every)}
    assert not [run for run in cleaned for character in run if character.isprintable()]


@pytest.mark.parametrize(
    "text", ["Füße\u3000und\tHände\n", "夜\u3000明け\n", "кот\xa0и\xad пёс", "กา\u2009แฟ", "é\x7f"]
)
def test_texts_that_need_nothing_are_as_those_that_do(text: str) -> None:
    whole = plain_text._SPACES.sub(" ", plain_text._DEBRIS.sub("", text))
    assert clean_text(text) == whole.rstrip("\n")


@pytest.mark.parametrize(
    "body",
    [
        b"%PDF-1.5\n%\xd0\xd4\xc5\xd8\n1 0 obj <</Filter/FlateDecode>> stream\n"
        + random.Random(1).randbytes(5000),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + random.Random(2).randbytes(5000),
        np.random.default_rng(3).integers(0, 50_000, 3000, np.uint16).tobytes(),
        pickle.dumps({"pages": [random.Random(4).randbytes(3000)]}),
    ],
)
def test_bytes_of_other_files_are_no_text(body: bytes) -> None:
    record = Record(native_id="x", file="x", offset=0, length=0, media_type="text/plain", body=body)
    with pytest.raises(UnicodeError, match="no text"):
        extract(record, "corpus")


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-16", "utf-16-le", "utf-32", "cp1252", "gb18030", "cp949", "cp1258"]
)
def test_text_of_every_charset_is_text(language: str, codec: str) -> None:
    body = (PAGES[language] * 20).encode(codec, "ignore")
    if len(body) > 2000:
        record = Record(native_id="x", file="x", offset=0, length=0, media_type="text/plain", body=body)
        assert extract(record, "corpus") is not None
