"""What mode `corpus` holds back by where it stands: menus, archives, other articles, comments."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.extract.html.blocks.features import measure_sizes
from corpus.extract.html.blocks.held_back import (
    BAR_PENALTY,
    LIST_PENALTY,
    MENU_PENALTY,
    OTHER_PENALTY,
    RUN_BLOCKS,
    RUN_PENALTY,
    hold_back,
    list_names,
    measure_comments,
    measure_link_runs,
    measure_menus,
    measure_other_articles,
    measure_outside,
    measure_word_lists,
)
from corpus.extract.html.blocks.page_blocks import PageBlocks, read_blocks
from tests.extract.corpus_mode_test import SENTENCES

STATED = '<meta property="og:type" content="article">'


def read_body(body: str, head: str = STATED) -> PageBlocks:
    return read_blocks(f"<html><head>{head}</head><body>{body}")


@pytest.mark.parametrize("language", SENTENCES)
def test_links_in_a_nav_and_bars_that_turn_pages_are_held_back(language: str) -> None:
    one = SENTENCES[language]
    bar = f"<div class=navheader><table><tr><th colspan=2>{one}</th></tr><tr><td><a href=/>1</a><td>{one}</table></div>"
    page = read_blocks(f"<body>{bar}<div role=navigation><a href=/>{one}</a><p>{one}</p></div><p>{one}</p>")
    assert measure_menus(page, list_names(page)).tolist() == [BAR_PENALTY, BAR_PENALTY, MENU_PENALTY, 0, 0]
    publican = (
        f"<body><ul class=docnav><li class=previous><a href=/><strong>{one}</strong></a></ul><p>{one}</p>"
    )
    page = read_blocks(publican)
    assert measure_menus(page, list_names(page)).tolist() == [BAR_PENALTY, 0]


@pytest.mark.parametrize("language", SENTENCES)
def test_what_stands_outside_a_stated_article_is_held_back(language: str) -> None:
    text = SENTENCES[language]
    head = f'<meta property="og:type" content="article"><meta name="description" content="{text} 0">'
    article = "".join(f"<p>{text} {at}</p>" for at in range(4))
    others = "".join(f"<div class=post><p>{text[::-1]} {at}</p></div>" for at in range(3))
    body = f"<body><div><article>{article}</article></div>{others}"
    page = read_blocks(f"<html><head>{head}</head>{body}")
    logits, sizes = np.full(7, 80), measure_sizes(page)
    assert (measure_outside(page, logits, sizes) > 0).tolist() == [False] * 4 + [True] * 3
    unsure = np.array([-300, -300, -300, -300, 300, 300, 300])  # it is elsewhere, then: nothing is held back
    assert not measure_outside(page, unsure, sizes).any()
    for other in ("website", "product"):
        page = read_blocks(f"<html><head>{head.replace('article', other)}</head>{body}")
        assert hold_back(page, logits, sizes).tolist() == [80] * 7


@pytest.mark.parametrize("language", SENTENCES)
def test_articles_below_that_of_the_headline_are_held_back(language: str) -> None:
    text = SENTENCES[language]
    long = f"<p>{3 * text}"
    below = f"<article class=post><h3>{text} 2</h3>{long}</article>" * 2
    stated = f"{STATED}<title>{text} 1 | Site</title>"
    page = read_body(f"<article class=post><h1>{text} 1</h1>{long} 1</article>{below}", stated)
    sizes = measure_sizes(page)
    assert measure_other_articles(page, np.full(6, 100), sizes).tolist() == [0, 0, *[OTHER_PENALTY] * 4]
    unsure = np.array([100, 0, 100, 100, 100, 100])  # the text is not in the article of the headline
    assert not measure_other_articles(page, unsure, sizes).any()
    outside = read_body(f"<h1>{text} 1</h1><article>{long} 1</article>{below}", stated)
    assert not measure_other_articles(outside, np.full(6, 100), sizes).any()
    assert not measure_other_articles(read_body(below, stated), np.full(4, 100), sizes[2:]).any()
    promo = f"<article class=featured><h1>{text[::-1]}</h1>{long} 2</article>"
    page = read_body(f"{promo}<article class=post><h1>{text} 1!</h1>{long} 1</article>", stated)
    assert measure_other_articles(page, np.full(4, 100), measure_sizes(page)).tolist() == [
        OTHER_PENALTY
    ] * 2 + [0, 0]
    page = read_body(
        f"<article><article class=hd><h1>{text} 1</h1></article>{long} 1</article>{below}", stated
    )
    assert measure_other_articles(page, np.full(6, 100), sizes).tolist() == [0, 0, *[OTHER_PENALTY] * 4]
    untitled = read_body(f"{promo}<div><h1>{text} 3</h1>{long} 1</div>", stated)
    assert not measure_other_articles(untitled, np.full(4, 100), measure_sizes(untitled)).any()


@pytest.mark.parametrize("language", SENTENCES)
def test_comments_on_a_stated_article_are_held_back(language: str) -> None:
    text = SENTENCES[language]
    comments = f"<div class='comments list'><h2>{text}</h2><div class=one><p>{text} 2</p></div></div>"
    page = read_body(f"<h1>{text} 0</h1><p>{text} 1</p>{comments}<p>{text} 3</p>")
    assert measure_comments(page, list_names(page)).tolist() == [0, 0, OTHER_PENALTY, OTHER_PENALTY, 0]
    opinion = f"<main class='content comment'><h1>{text} 1</h1><p>{text}</main>" + 9 * f"<p>{text} 2"
    for other in (
        read_body(f"<div class=comment><p>{text} 1</p><p>{text} 2</p></div>"),
        read_body(opinion, f"{STATED}<title>{text} 1</title>"),
        read_body(f"<p class=commentary>{text}</p><p>{text} 1</p>"),
    ):
        assert not measure_comments(other, list_names(other)).any()
    sizes = measure_sizes(page)
    assert hold_back(page, np.full(5, 100), sizes).tolist() == [
        100,
        100,
        100 - OTHER_PENALTY,
        100 - OTHER_PENALTY,
        100,
    ]
    forum = read_body(f"<h1>{text} 0</h1><p>{text} 1</p>{comments}<p>{text} 3</p>", head="")
    assert hold_back(forum, np.full(5, 100), sizes).tolist() == [100] * 5


@pytest.mark.parametrize(
    ("month", "unit"), [("December", ""), ("12月", "篇"), ("ธันวาคม", ""), ("декабрь", ""), ("दिसंबर", "")]
)
def test_long_rows_of_short_links_are_held_back(month: str, unit: str) -> None:
    def archive(count: int) -> PageBlocks:
        items = "".join(f"<li><a href=/{at}>{month} {at} ({at}{unit})</a>" for at in range(count))
        return read_body(f"<p>{SENTENCES['en']}</p><ul>{items}</ul><p>{SENTENCES['zh-Hans']}</p>")

    page = archive(RUN_BLOCKS)
    expected = [0, *[RUN_PENALTY] * RUN_BLOCKS, 0]
    assert measure_link_runs(page, measure_sizes(page)).tolist() == expected
    page = archive(RUN_BLOCKS - 1)
    assert not measure_link_runs(page, measure_sizes(page)).any()


@pytest.mark.parametrize("language", SENTENCES)
def test_long_blocks_of_words_without_sentences_are_held_back(language: str) -> None:
    text = SENTENCES[language]
    bare = "".join(char for char in text if char not in ".,;，。、！।")
    words = " ".join(bare[at : at + 6].strip() for at in range(0, len(bare), 6))
    page = read_body(
        f"<div>{60 * (words + ' ')}</div><p>{60 * (text + ' ')}</p><p>{words}</p><p>{60 * bare}</p>", ""
    )
    held = measure_word_lists(page, measure_sizes(page)).tolist()
    if language == "th":  # whose sentences have no marks
        assert held == [0, 0, 0, 0]
    else:
        assert held[:3] == [LIST_PENALTY, 0, 0]
    if language in ("zh-Hans", "zh-Hant"):
        assert held[3] == 0  # a classic without marks
