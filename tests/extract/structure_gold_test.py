"""Code, cells and formulas stay what they are, in the markup of twenty generators and ten languages."""

from __future__ import annotations

import pytest

from corpus.extract.html.blocks.main_blocks import write_blocks
from corpus.extract.html.blocks.page_blocks import BlockKind, read_blocks
from corpus.extract.html.main_text import extract_main_text
from tests.extract.structure_gold.pages import GENERATORS, Kept, make_pages, score_pages


def read_all(html: str) -> str:
    page = read_blocks(html)
    return write_blocks(page, list(range(len(page.texts))))


@pytest.mark.parametrize("generator", range(len(GENERATORS)))
def test_the_walk_keeps_code_rows_and_formulas_of_each_generator(generator: int) -> None:
    pages = [page for at, page in enumerate(make_pages()) if at // 3 == generator]
    assert {page.generator for page in pages} == {pages[0].generator}
    kept = score_pages(pages, read_all)
    assert kept.code in (0, 1) and (kept.code == 1) == any(page.code for page in pages)
    assert kept.cells in (0, 1) and (kept.cells == 1) == any(page.rows for page in pages)
    if any(page.formulas for page in pages):
        assert kept.formulas >= 0.5  # MathML alone has no TeX of its own: letters may come out as they are


def test_most_of_sixty_pages_is_kept_in_the_main_text() -> None:
    pages = make_pages()
    assert len(pages) == 60 and len({page.language for page in pages}) == 10
    kept = score_pages(pages, lambda html: extract_main_text(html, mode="corpus"))
    assert kept.code >= 0.9 and kept.cells >= 0.8 and kept.formulas >= 0.9, kept


def test_a_text_without_structure_keeps_nothing() -> None:
    pages = make_pages()
    assert score_pages(
        pages, lambda html: " ".join(read_blocks(html).texts).replace("|", "").replace("$", "")
    ) == Kept(0, 0, 0)


def test_code_without_pre_and_tables_without_table() -> None:
    def texts(body: str) -> list[tuple[int, str]]:
        page = read_blocks(f"<body><p>Vor dem Code steht ein Satz.</p>{body}")
        return list(zip(page.kinds, page.texts, strict=True))[1:]

    diff = (
        "<table class='highlight js-file-line-container'><tr><td class='blob-num' data-line-number='1'>1</td>"
        "<td class='blob-code blob-code-inner'>for x in y:</td></tr><tr><td class='blob-num'>2</td>"
        "<td class='blob-code'>&nbsp;   print(x)</td></tr></table>"
    )
    assert texts(diff) == [(BlockKind.CODE, "for x in y:\n    print(x)")]
    grid = (
        "<div role=table><div role=rowgroup><span role=row><span role=columnheader>城市</span>"
        "<span role=columnheader>人口</span></span></div>"
        "<span role=row><span role=cell>苏州</span><span role=cell><b>1,275</b> 万</span></span></div>"
    )
    assert texts(grid) == [(BlockKind.ROW, "| 城市 | 人口 |"), (BlockKind.ROW, "| 苏州 | 1,275 万 |")]
    real = "<table role=grid><tr role=row><th role=columnheader>k</th><td role=gridcell>v</td></tr></table>"
    assert texts(real) == [(BlockKind.ROW, "| k | v |")]
    mathjax = (
        "<p><mjx-container class='MathJax' jax='CHTML'><mjx-math aria-hidden=true><mjx-utext>x</mjx-utext>"
        "</mjx-math><mjx-assistive-mml><math data-latex='x^2'><mi>x</mi></math></mjx-assistive-mml>"
        "</mjx-container> ist klein.</p>"
    )
    assert texts(mathjax) == [(BlockKind.TEXT, "$x^2$ ist klein.")]
    unscripted = (
        "<p>Es sei <span class='MathJax_Preview'>n</span><span class='MathJax'><nobr><span class=math>n</span>"
        "</nobr><span class='MJX_Assistive_MathML'><math><msqrt><mi>n</mi></msqrt></math></span></span>.</p>"
    )
    assert texts(unscripted) == [(BlockKind.TEXT, r"Es sei $\sqrt{n}$.")]
    image = "<p>So ist <img class='latex' src='/latex.php?latex=n' alt='n^{2}'> groß.</p>"
    assert texts(image) == [(BlockKind.TEXT, "So ist $n^{2}$ groß.")]
