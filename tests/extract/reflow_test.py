"""Hard-wrapped lines: prose is joined as its language joins words, verse and tables keep their lines."""

from __future__ import annotations

import textwrap
import time

import pytest

from corpus.extract.reflow import reflow

PROSE = (
    "The harbour lay quiet under the first snow of the year, and the old keeper went out to count his boats "
    "before the light failed. He had done so every evening since the great storm, although nobody asked it of "
    "him, and although there were now only three boats left to count, all of them in need of paint and patience."
)
VERSE = (
    "O harbour, white with falling snow,\nThree boats are all you have to show,\n  And one of them is mine."
)
QUOTATION = "\n".join("    " + line for line in textwrap.wrap(PROSE, 58))


def wrapped(*paragraphs: str, width: int = 70) -> str:
    return "\n\n".join("\n".join(textwrap.wrap(paragraph, width)) for paragraph in paragraphs)


def book(middle: str) -> str:
    """Enough prose around it that the width can be told."""
    return wrapped(*[PROSE] * 8) + "\n\n" + middle + "\n\n" + wrapped(PROSE)


def middle_of(text: str) -> str:
    return text.removeprefix("\n\n".join([PROSE] * 8) + "\n\n").removesuffix("\n\n" + PROSE)


def test_paragraphs_become_one_line() -> None:
    assert reflow(wrapped(*[PROSE] * 10)) == "\n\n".join([PROSE] * 10)


KEPT = {
    "verse": VERSE,
    "indented verse": "Bright is the moon upon the bay,\nAnd bright the lamps along the quay.",
    "title page": "THE LAST KEEPER\nOR\nTHREE BOATS",
    "table": "Boat             Year     Owner\nSeagull          1861     Hansen\nPatience         1870     the bank",
    "contents": "I. The Snow ........ 3\nII. The Boats ...... 17\nIII. Spring ........ 40",
    "address": "To Mr. Hansen,\nQuay 4,\nNorthern Harbour",
    "one line": "CHAPTER IV. THE STORM",
    "Chinese verse": "牀前明月光，\n疑是地上霜。\n舉頭望明月，\n低頭思故鄉。",
    "Arabic verse": "يا ليل طل يا شوق دم\nإني على الحالين صابر",
}


@pytest.mark.parametrize("case", KEPT)
def test_lines_that_are_meant_stay(case: str) -> None:
    shown = KEPT[case]
    assert middle_of(reflow(book(shown))) == shown
    indented = textwrap.indent(shown, "      ")
    assert middle_of(reflow(book(indented))) == shown


def test_quotations_are_joined_though_they_stand_in() -> None:
    assert middle_of(reflow(book(QUOTATION))) == PROSE


def test_paragraphs_may_begin_by_an_indented_line() -> None:
    lines = [*textwrap.wrap("    " + PROSE, 70), *textwrap.wrap("    " + PROSE, 70), "    'Three,' he said."]
    assert middle_of(reflow(book("\n".join(lines)))) == f"{PROSE}\n\n{PROSE}\n\n'Three,' he said."


def test_verse_inside_a_paragraph_keeps_its_lines() -> None:
    first = "\n".join(textwrap.wrap(PROSE, 70))
    found = middle_of(
        reflow(book(f"{first}\n     O harbour, white with snow,\n     How small are you!\n{first}"))
    )
    assert found == f"{PROSE}\n\nO harbour, white with snow,\nHow small are you!\n\n{PROSE}"


HYPHENS = {
    "a compound stays": ("eng", "a well-", "known keeper of boats", "a well-known keeper of boats"),
    "French inversion stays": ("fra", "peut-", "être demain", "peut-être demain"),
    "German division goes": ("deu", "am Sonn-", "tag danach", "am Sonntag danach"),
    "German suspension stays": ("deu", "die Haus-", "und Hoftür", "die Haus- und Hoftür"),
    "a name stays": ("deu", "im Kaiser-", "Wilhelm-Kanal", "im Kaiser-Wilhelm-Kanal"),
    "a word of the book": ("eng", "the har-", "bour lay", "the harbour lay"),
    "dash": ("eng", "the boats--", "three of them", "the boats--three of them"),
    "dash before": ("eng", "the boats", "--three of them", "the boats--three of them"),
    "spaced dash": ("eng", "the boats --", "three of them", "the boats -- three of them"),
    "Chinese": ("cmn", "港口在初雪", "之下很安静", "港口在初雪之下很安静"),
    "Japanese": ("jpn", "灯台守は、", "舟を数えた", "灯台守は、舟を数えた"),
    "Thai": ("tha", "ท่าเรือเงียบ", "สงบใต้หิมะ", "ท่าเรือเงียบสงบใต้หิมะ"),
    "Korean": ("kor", "항구는 첫눈", "아래 조용했다", "항구는 첫눈 아래 조용했다"),
    "Hindi": ("hin", "बंदरगाह पहली", "बर्फ़ के नीचे", "बंदरगाह पहली बर्फ़ के नीचे"),
    "Russian": ("rus", "гавань тихо ле-", "жала под снегом", "гавань тихо лежала под снегом"),
}


@pytest.mark.parametrize("case", HYPHENS)
def test_words_meet_as_their_language_joins_them(case: str) -> None:
    language, before, after, expected = HYPHENS[case]
    filler = ("x" * 60 + " ") if case not in ("Chinese", "Japanese", "Thai") else "雪" * 30
    lead = filler[: 70 - len(before)] if " " in filler else filler
    found = middle_of(reflow(book(f"{lead}{before}\n{after}"), language))
    assert found.endswith(expected)


def test_wrapped_chinese_is_joined_without_spaces() -> None:
    sentence = "港口在今年的第一場雪下面很安靜，老看守人在天黑以前出去數他的船。" * 6
    lines = [sentence[at : at + 35] for at in range(0, len(sentence), 35)]
    assert reflow("\n\n".join(["\n".join(lines)] * 6)) == "\n\n".join([sentence] * 6)


def test_text_that_is_not_wrapped_keeps_its_paragraphs() -> None:
    assert reflow(f"{PROSE}\n{PROSE}\n\n{PROSE}") == f"{PROSE}\n\n{PROSE}\n\n{PROSE}"


@pytest.mark.parametrize(
    "piece", ["\n", " \n", "a\n", "a-\n", "  a\nb\n", "|", "\u3000\n\n", "_a", "[1] a\n"]
)
def test_no_text_is_slow(piece: str) -> None:
    begin = time.process_time()
    reflow(piece * 30_000)
    assert time.process_time() - begin < 3
