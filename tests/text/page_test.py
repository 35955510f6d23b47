"""A page: lines, paragraphs, sentences and what can be asked of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corpus.text.page import Page
from corpus.text.tokens import Spans
from corpus.text.units import to_text

TEXT = st.text(st.sampled_from("ab \t\n\nA.中。😀"), max_size=60)


def cut(page: Page, ranges: Spans) -> list[str]:
    return [to_text(page.units[start:end]) for start, end in zip(ranges.starts, ranges.ends, strict=True)]


def test_lines_are_those_with_something_in_them_without_the_space_around_them() -> None:
    page = Page("  第一行。 \n\n\t\n Second 😀 line \nthird")
    assert cut(page, page.lines) == ["第一行。", "Second 😀 line", "third"]
    assert page.line_total == 5
    assert page.line_lengths.tolist() == [4, 13, 5]
    assert page.words_per_line.tolist() == [2, 2, 1]


def test_paragraphs_are_lines_with_no_empty_line_between_them() -> None:
    page = Page("one\ntwo\n\nthree\n \n\nfour\nfive\n")
    assert cut(page, page.paragraphs) == ["one\ntwo", "three", "four\nfive"]


def test_copies_of_lines_are_all_but_the_first() -> None:
    page = Page("重复\nunique\n重复\n  重复\nUnique")
    assert sorted(page.line_copies.tolist()) == [2, 3]


def test_sentences_begin_with_a_word_and_go_on_after_abbreviations_and_initials() -> None:
    page = Page("Dr. J. Smith came. He left!\n\n...\nWhy? Because etc. and so on.", "eng_Latn")
    starts = page.sentences.tolist()
    assert [page.text[start:].split()[0] for start in starts] == ["Dr.", "He", "Why?", "Because"]
    assert len(Page("He met Dr.\nSmith left.", "eng_Latn").sentences) == 2
    assert len(Page("Das ist z.B. Brot. Und Wein.", "deu_Latn").sentences) == 2
    assert len(Page("今天很好。明天也好！真的吗？", "cmn_Hans").sentences) == 3


def test_a_phrase_is_found_whatever_its_case_and_what_stands_before_it() -> None:
    page = Page("😀𠀀 Cookie Policy İ COOKIE POLICY cookie")
    assert [to_text(page.units[at : at + 13]).lower() for at in page.find("cookie policy")] == [
        "cookie policy"
    ] * 2
    assert Page("Политика Конфиденциальности").find("политика конфиденциальности").tolist() == [0]
    assert Page("").find("x").tolist() == []


def test_ends_of_lines() -> None:
    page = Page("Yes.\nNo...\nयह है।\n是😀\n𑅁\nx", "eng_Latn")
    assert page.terminal_lines.tolist() == [True, True, True, False, True, False]
    assert page.ending_with(page.lines, "...").tolist() == [False, True, False, False, False, False]
    assert page.ending_with(page.lines, "this is longer than a line").any().item() is False


@given(TEXT)
def test_lines_and_paragraphs_are_pythons(text: str) -> None:
    page = Page(text)
    lines = text.split("\n")
    assert cut(page, page.lines) == [line.strip() for line in lines if line.strip()]
    assert page.line_lengths.tolist() == [len(line.strip()) for line in lines if line.strip()]
    assert page.line_total == len(text.splitlines())
    paragraphs, last = [], ""
    for line in [*lines, ""]:
        if line.strip():
            last += line + "\n"
        elif last:
            paragraphs.append(last.strip())
            last = ""
    assert cut(page, page.paragraphs) == paragraphs


@given(TEXT)
def test_every_property_of_any_text_can_be_asked(text: str) -> None:
    page = Page(text, "eng_Latn")
    assert len(page.token_hashes) == len(page.tokens)
    assert page.word_lengths.sum() <= len(text)
    assert len(page.sentences) <= len(page.words)
    assert page.words_per_line.sum() == len(page.words)
