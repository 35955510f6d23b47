"""Faster selectors find what lxml's own XPath finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.etree import XPath, _Element
from lxml.html import fromstring, tostring

from corpus.extract.html.selectors import REGEXPS, PageValues, compile_selector, known_values

EXPRESSIONS = [
    ".//*[self::div or self::p][re:test(@id, '^(?:[Mm]enu(?!s)|co+kie|x)$') or re:test(@class, '(?:my|our) foot?er')]",
    ".//*[re:test(@class, 'foo{0,2}ter|ad[-_]{1,2}\\d', 'i') or starts-with(@role, 'Na')]",
    ".//*[@hidden or re:test(@id, 'sha(?:re|ll)') or contains(translate(@class, 'HC', 'hc'), 'hidden')]",
    ".//*[self::div or self::p][re:test(@id, '^ad-|share') or re:test(@class, 'footer|menu')]",
    ".//*[re:test(@id|@class, 'cookie') or @aria-hidden='true' or @data-x]",
    ".//*[starts-with(@id|@class, 'reply-') or re:test(@style, 'HIDDEN', 'i') or contains(@class, 'ad ')]",
    ".//*[self::div or self::span][contains(translate(@role, 'N', 'n'), 'nav') or re:test(@id, 'x')]",
    ".//*[self::div][re:test(@id, 'menu|ad-') or @class='menu'][not(.//p) or re:test(@class, 'footer')]",
    ".//p|.//div[contains(@class|@id, 'footer')]|.//*[re:test(@class, 'menu', 'i')]",
]
WORDS = [
    "ad-1",
    "share",
    "my footer",
    "Menu",
    "menu",
    "cookie",
    "reply-2",
    "hidden",
    "Hidden",
    "true",
    "Nav",
    "x",
    "",
]

attributes = st.lists(
    st.tuples(
        st.sampled_from(["id", "class", "style", "role", "aria-hidden", "hidden", "data-x", "title"]),
        st.sampled_from(WORDS),
    ),
    max_size=4,
    unique_by=lambda pair: pair[0],
)


def opened(tag: str, pairs: list[tuple[str, str]]) -> str:
    return " ".join([f"<{tag}", *(f'{name}="{value}"' for name, value in pairs)]) + ">"


def element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda tag, pairs, inside: f"{opened(tag, pairs)}{''.join(inside)}</{tag}>",
        st.sampled_from(["div", "p", "span", "section", "a"]),
        attributes,
        st.lists(children, max_size=3),
    )


trees = st.recursive(st.just("text"), element, max_leaves=12).map(
    lambda inside: fromstring(f"<html><body><div id='top'>{inside}</div></body></html>")
)


@pytest.mark.parametrize("text", EXPRESSIONS)
@settings(max_examples=120)
@given(tree=trees)
def test_the_same_elements_in_the_same_order(text: str, tree: _Element) -> None:
    expression = XPath(text, namespaces=REGEXPS)
    found = compile_selector(expression)
    assert found is not expression
    for root in (tree, tree.find(".//div")):
        assert found(root) == expression(root), tostring(tree)
    with known_values(PageValues(tree)):
        for root in (tree, tree.find(".//div")):
            assert found(root) == expression(root), tostring(tree)


def test_what_the_values_of_a_page_cannot_meet_is_not_looked_for() -> None:
    page = fromstring("<html><body><div class='Main FOOTER'><p id='a'>x</p></div></body></html>")
    folded = compile_selector(XPath(".//*[re:test(@class, 'foot(?:er|ing)', 'i')]", namespaces=REGEXPS))
    written = compile_selector(XPath(".//*[re:test(@class, 'foot(?:er|ing)')]", namespaces=REGEXPS))
    with known_values(PageValues(page)):
        assert [element.tag for element in folded(page)] == ["div"]
        page.find(".//p").set("class", "footer")  # no page gains values: this one is passed by
        assert written(page) == []
    assert [element.tag for element in written(page)] == ["p"]


@settings(max_examples=120)
@given(tree=trees)
def test_the_first_alone(tree: _Element) -> None:
    test = ".//*[self::div or self::p][re:test(@class, 'menu') or @id='share']"
    for text in (f"{test}[1]", f"({test})[1]"):
        expression = XPath(text, namespaces=REGEXPS)
        found = compile_selector(expression, first=True)
        assert found is not expression
        assert found(tree)[:1] == expression(tree)[:1]


@pytest.mark.parametrize(
    "text",
    [
        "(.//article)[1]",
        ".//div[@class='a']",
        ".//*[re:test(@class, 'a*')]",  # holds where there is no class
        ".//*[re:test(@class, 'a')][2]",
        ".//*[re:test(@class, 'a') and @id]",
        ".//*[re:test(text(), 'a')]",
        ".//a|.//*[re:test(@class, 'a')]|.//*[re:test(@id, 'b')]",
    ],
)
def test_what_is_not_understood_stays_as_it_is(text: str) -> None:
    expression: Any = XPath(text, namespaces=REGEXPS)
    assert compile_selector(expression) is expression
