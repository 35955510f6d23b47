"""The licence of a page is what it states for itself, in a form that can be told from talk about licences."""

from __future__ import annotations

import pytest

from corpus.extract.creative_commons import find_cc_license
from corpus.extract.html.main_text import extract_main, read_license

BY = "https://creativecommons.org/licenses/by/4.0/"
SA = "http://creativecommons.org/licenses/by-sa/3.0/de/deed.zh"


@pytest.mark.parametrize(
    ("license", "html"),
    [
        ("CC-BY-4.0", f"<p>文字</p><a rel='license' href='{BY}'>CC</a>"),
        ("CC-BY-4.0", f"<p>文字</p><a rel='nofollow LICENSE' href='{BY}'>CC</a>"),
        ("CC-BY-SA-3.0-DE", f"<head><link rel='license' href='{SA}'></head><body><p>Текст</p>"),
        ("CC-BY-4.0", f"<head><meta name='DC.rights' content='{BY}'></head><body><p>नमस्ते</p>"),
        ("CC0-1.0", "<p>x</p><a rel='license' href='//creativecommons.org/publicdomain/zero/1.0/'>CC0</a>"),
        (
            "CC-BY-4.0",
            '<script type="x/ld+json">{"license":"http:\\/\\/creativecommons.org\\/licenses\\/by\\/4.0"}</script>',
        ),
        (
            "CC-BY-4.0",
            f'<script type="application/ld+json">{{"license": {{"@type": "CreativeWork", "url": "{BY}"}}}}</script>',
        ),
        ("CC-BY-4.0", f"<p>本文</p><footer><p>© 2024 <a href='{BY}'>CC BY</a></p></footer>"),
        ("CC-BY-4.0", f"<p>x</p><div class='site-footer'><a href='{BY}'>CC BY</a></div>"),
        # Talk about a licence, and the licence of a picture, are none of the page's.
        (None, f"<article><p>We explain <a href='{BY}'>CC BY</a>.</p></article>"),
        (
            None,
            f"<figure><img><figcaption><a rel='license' href='{BY}'>CC BY</a></figcaption></figure><p>x</p>",
        ),
        (None, f"<p class='photo-credit'><a rel='license' href='{BY}'>CC BY</a></p><p>x</p>"),
        (
            None,
            "<p>creativecommons.org is a site</p><footer><a href='https://creativecommons.org/'>CC</a></footer>",
        ),
        (None, "<p>no licence</p>"),
        # A statement that denies, reserves all rights, or is about a part states none.
        (None, f"<p>This page is not under a <a rel='license' href='{BY}'>CC BY</a> licence.</p>"),
        (None, f"<p>Dieser Text steht nicht unter <a rel='license' href='{BY}'>CC BY</a>.</p>"),
        (None, f"<footer><p>© 2024 版权所有. <a href='{BY}'>CC BY</a></p></footer>"),
        (None, f"<footer>All rights reserved. Icons by A under <a href='{BY}'>CC BY</a></footer>"),
        (None, f"<p>Photos: <a rel='license' href='{BY}'>CC BY</a></p>"),
        (
            None,
            '<script type="application/ld+json">{"@graph": [{"@type": "Article", "image": '
            f'{{"@type": "ImageObject", "license": "{BY}"}}}}]}}</script>',
        ),
        ("CC-BY-4.0", f"<p>Text and pictures are under <a rel='license' href='{BY}'>CC BY</a>.</p>"),
        (
            "CC-BY-4.0",
            f"<p>Unless otherwise noted, the text of this site is under <a rel='license' href='{BY}'>CC BY</a>.</p>",
        ),
    ],
)
def test_a_statement_of_the_page(license: str | None, html: str) -> None:
    assert read_license(f"<html><body>{html}</body></html>") == (license, {})


@pytest.mark.parametrize(
    "statement",
    [
        "If not stated otherwise, the essays here are under {}",
        "Soweit nicht anders vermerkt, stehen die Beiträge unter {}",
        "Wenn nichts anderes angegeben ist, gilt {}",
        "Alle Beiträge stehen unter {} sofern nicht anders gekennzeichnet",
        "Si no se indica lo contrario, las entradas usan {}",
        "Salvo se não indicado de outra forma, os artigos usam {}",
        "Ove non diversamente specificato, gli articoli sono {}",
        "Indien niet anders vermeld vallen de stukken onder {}",
        "O ile nie zaznaczono inaczej, wpisy są na licencji {}",
        "Если не указано иное, статьи доступны по {}",
        "Om inte annat anges gäller {}",
        "除非另有声明，本博客文章采用 {}",
        "如未特別說明，本網誌文章採用 {}",
        "特に断りのない限り、記事は {}",
        "ما لم يذكر غير ذلك، المقالات متاحة وفق {}",
        "หากไม่ได้ระบุเป็นอย่างอื่น บทความใช้ {}",
        "जब तक अन्यथा न कहा जाए, लेख {} के अधीन हैं",
        "Namensnennung, keine Bearbeitung, nicht kommerziell: {}",
        "Paternité, pas de modification, {}",
        "文章采用署名-非商业性使用 {}",
    ],
)
def test_an_exception_and_the_name_of_a_term_deny_nothing(statement: str) -> None:
    link = f"<a rel='license' href='{BY}'>CC</a>"
    assert read_license(f"<html><body><p>{statement.format(link)}</p></body></html>") == ("CC-BY-4.0", {})
    assert find_cc_license(statement.format("CC BY 4.0")) == "CC-BY-4.0"


@pytest.mark.parametrize(
    "statement",
    [
        "If not stated otherwise, the essays are not under {}",
        "Soweit nicht anders vermerkt, stehen die Beiträge nicht unter {}",
        "Если не указано иное, статьи не доступны по {}",
        "除非另有声明，本博客文章不属于 {}",
    ],
)
def test_a_denial_behind_an_exception_denies(statement: str) -> None:
    link = f"<a rel='license' href='{BY}'>CC</a>"
    assert read_license(f"<html><body><p>{statement.format(link)}</p></body></html>") == (None, {})
    assert find_cc_license(statement.format("CC BY 4.0")) is None


def test_two_different_statements_are_none_and_both_are_kept() -> None:
    html = f"<html><body><a rel='license' href='{BY}'>1</a><p>x</p><a rel='license' href='{SA}'>2</a></body></html>"
    assert read_license(html) == (None, {"licenses": "CC-BY-4.0 CC-BY-SA-3.0-DE"})


def test_a_marked_link_counts_more_than_one_in_the_foot() -> None:
    html = f"<html><body><a rel='license' href='{BY}'>1</a><p>x</p><footer><a href='{SA}'>2</a></footer></body></html>"
    assert read_license(html) == ("CC-BY-4.0", {})


def test_own_mode_reads_licenses_from_its_own_tree() -> None:
    """Other modes leave them to a parse of its own, which a page that nests too deep is not given."""
    stated = f"<p>{'The ferry leaves at seven. ' * 20}</p><footer><a href='{BY}'>CC BY</a></footer>"
    page = f"<html><body>{stated}</body></html>"
    assert extract_main(page, None, "corpus").licenses == ["CC-BY-4.0"]
    assert extract_main(page, None, "fast").licenses is None
    deep = f"<html><body>{stated}{'<div>' * 20_000}"
    assert read_license(deep) == (None, {})
