"""Pages measured by batches have the signals that each has alone, to the last bit."""

from __future__ import annotations

import random
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import lxml.html
import numpy as np
import numpy.typing as npt
import pytest

from corpus import filters
from corpus.errors import RunError
from corpus.filters.filter import FunctionFilter
from corpus.pipelines.measure import WINDOW_CHARACTERS, WINDOW_PAGES, list_windows, measure_pages
from corpus.text.batch import MAX_BATCH_CHARACTERS, PageBatch, make_batches
from corpus.text.conventions import language_files
from corpus.text.ngrams import ConfusedHashesError, find_later_copies, find_repeated_ngrams_of_pages
from corpus.text.page import Page
from tests.filters.languages_test import UDHR
from tests.filters.prose import MENUS, PROSE
from tests.filters.texts import TEXTS

if TYPE_CHECKING:
    from corpus.pipelines.context import Tools

FILTERS = [
    loaded
    for step in filters.FILTERS
    if step != "quality" and getattr(loaded := filters.load_filter(step), "measure_batch", None)
]
ODD = [
    "\N{LINE SEPARATOR}",
    "\x85", "\r", "\r\n", "\t", "\n", "\n\n", "\n \n", "\u200d", "\u200b", "\xa0", "...", "…", "•",
    "- ", "#", "[3]", "[edit]", "{",
    "}", "Ã©", "ÎÒÃÇ¶¼", "Р°РјРё", "👨‍👩‍👧", "🇩🇪", "ℹ\u200dℹ", "ａ１", "한국어a", "ไทย",
    "မြန်မာ", "中文，", "カタカナ", "שלום\"ה", "don't", "U.S.", "Dr. ", "lorem ipsum", "javascript", "privacy policy",
    "use cookies", "1,000.5", "a:b", "é", "x" * 1200, "؟", "。", "।", "\N{REPLACEMENT CHARACTER}",
]  # fmt: skip


def check_batches(pages: Sequence[tuple[str, str | None]]) -> None:
    """Compare every signal of every page, and its words, with those that it has alone."""
    batched = [Page(text, language) for text, language in pages]
    chosen = make_batches(batched)
    assert sorted(at for batch in chosen for at in batch) == list(range(len(pages)))
    for places in chosen:
        batch = PageBatch([batched[at] for at in places])
        batch.share_words()
        tables = [each.measure_batch(batch) for each in FILTERS]  # type: ignore[attr-defined]
        for row, at in enumerate(places):
            alone = Page(*pages[at])
            for name in ("units", "kinds", "starts", "ends", "hashes", "boundaries", "segments"):
                assert np.array_equal(getattr(alone.words, name), getattr(batched[at].words, name)), name
            for each, table in zip(FILTERS, tables, strict=True):
                wanted = dict(zip(each.signals, map(float, each.measure(alone)), strict=True))
                measured = dict(zip(each.signals, map(float, table[row]), strict=True))
                assert str(measured) == str(wanted), alone.text[:80]


def test_texts_in_many_languages_and_broken_ones() -> None:
    texts = [(text, label) for texts in (PROSE, MENUS) for label, text in texts.items()]
    texts += [(text, "eng_Latn") for text in TEXTS.values() if text]
    draw = random.Random(0)
    for name, file in language_files().items():
        words = [*(file.stop_words or ()), *(file.policy_phrases or ()), *(file.abbreviations or ())]
        if words:
            signs = draw.choices([" ", " ", ", ", ". ", ".\n", "... ", " 12 "], k=80)
            texts.append(("".join(draw.choice(words) + sign for sign in signs), f"{name[:3]}_Zyyy"))
    assert len({label for _, label in texts}) >= 60
    for _ in range(300):
        text, label = draw.choice(texts)
        start = draw.randrange(len(text))
        text = text[start : start + draw.randrange(1, 1500)]
        for _ in range(draw.randrange(20)):
            at = draw.randrange(len(text) + 1)
            text = text[:at] + draw.choice(ODD) + text[at:]
        if draw.random() < 0.3:
            text += text[draw.randrange(len(text)) :] * draw.randrange(1, 4)
        texts.append((text, draw.choice([label, None])))
    draw.shuffle(texts)
    check_batches(texts)


@pytest.mark.parametrize(
    ("label", "ends", "begins"),
    [
        ("eng_Latn", "We met Dr.", "? Who came first? Nobody knew."),
        ("rus_Cyrl", "Это было в 1990 г.", "... Никто не знал. Почему?"),
        ("hin_Deva", "वह डॉ.", "! यह सच है। वह गया।"),
        ("arb_Arab", "كتبه د.", "؟ من جاء أولا؟ لا أحد."),
        ("tha_Thai", "เมื่อ พ.ศ.", "\N{LINE SEPARATOR}ใครมาก่อน ไม่มีใครรู้"),
        ("cmn_Hans", "作者 A.", "……谁先来?没有人知道。"),
        ("code_python", "x = A.", '"""Return one. Never two."""'),
    ],
)
def test_a_page_before_another_says_nothing_about_its_sentences(label: str, ends: str, begins: str) -> None:
    pages: list[tuple[str, str | None]] = [(text, label) for text in (ends, begins, ends, ends, begins)]
    check_batches(pages)


@pytest.mark.parametrize("texts", [[""], ["", ""], ["", "a b"], ["a b", ""], ["a", "", "b\n", ""]])
def test_pages_without_any_text(texts: list[str]) -> None:
    for label in ("eng_Latn", "code_html", None):
        check_batches([(text, label) for text in texts])


def test_declarations_in_many_languages_cut_into_pages(data: Path) -> None:
    pages = []
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        for label, name in UDHR.items():
            file = archive.extractfile(f"declaration/{name}.html")
            assert file is not None
            page = lxml.html.fromstring(file.read().decode())
            blocks = [re.sub(r"\s+", " ", block.text_content()).strip() for block in page.iter("h1", "p")]
            pages += [("\n\n".join(blocks[at : at + 7]) or name, label) for at in range(0, len(blocks), 7)]
    assert len(pages) > 300
    check_batches(pages)


def test_batches_are_of_one_language_and_bounded() -> None:
    pages = [
        Page("文" * size, language)
        for size, language in ((9, "a"), (9, None), (1 << 18, "a"), (1 << 18, "a"))
    ]
    assert make_batches([pages[0], None, pages[1], pages[2], pages[3]]) == [[0, 3], [2], [4]]
    assert MAX_BATCH_CHARACTERS == 1 << 19
    assert [len(batch) for batch in make_batches([Page("a")] * 140)] == [64, 64, 12]


def test_windows_are_bounded_and_hold_every_page() -> None:
    assert (WINDOW_PAGES, WINDOW_CHARACTERS) == (256, 1 << 21)
    assert list_windows([]) == []
    assert list_windows([None, None, Page("a")] * 300) == [(0, 770), (770, 900)]
    assert list_windows([None] * 3) == [(0, 3)]
    long, longest = Page("文" * (1 << 20)), Page("文" * (1 << 22))
    assert list_windows([long, long, None, long, longest, long]) == [(0, 3), (3, 4), (4, 5), (5, 6)]


def test_a_filter_that_fails_on_a_batch_names_the_text_it_fails_on_alone() -> None:
    def fail_on_two(page: Page) -> tuple[float, ...]:
        if page.text.startswith("二"):
            raise ValueError("两" * 1000)
        return (1.0,)

    def fail_together(batch: PageBatch) -> npt.NDArray[np.float64]:
        raise ValueError("together")

    failing = FunctionFilter(
        step="mine", version=1, signals=("mine.one",), measure=fail_on_two, measure_batch=fail_together
    )
    tools = cast("Tools", SimpleNamespace(filters={"mine": failing}, calls={}))
    values = {"mine": np.full((4, 1), np.nan, np.float32)}
    with pytest.raises(
        RunError, match="mine failed on the text that begins '二号': ValueError: 两"
    ) as refused:
        measure_pages(tools, [Page("一号"), None, Page("二号"), Page("三号")], 0, values)
    assert len(str(refused.value)) < 500
    with pytest.raises(RunError, match="mine failed on 2 texts together, the first of which begins '一号': "):
        measure_pages(tools, [Page("一号"), None, None, Page("三号")], 0, values)


def test_hashes_that_would_be_confused_are_refused() -> None:
    hashes = np.array([1, 2, (1 << 62) + 1, 3], np.uint64)
    with pytest.raises(ConfusedHashesError):
        find_later_copies(hashes, exact=True)
    assert find_later_copies(np.array([7, 8, 7], np.uint64), exact=True).tolist() == [2]
    firsts, marks = np.array([0, 0, 4, 4]), np.zeros(3, np.uint64)
    top = find_repeated_ngrams_of_pages(hashes[[0, 1, 0, 1]], firsts, marks, 3)
    assert (top[2].counts.tolist(), top[3].counts.tolist()) == ([0, 2, 0], [0, 1, 0])
