"""The HTML of posts as text: code, lists, quotations, tables and formulas keep their shape."""

from __future__ import annotations

import time

import pytest

from corpus.extract.posts.post_html import to_text

CASES = {
    "paragraphs": ("<p>Eins &amp; zwei.</p>\n\n<p>三<br>四</p>", "Eins & zwei.\n\n三\n四"),
    "no markup": ("plain\n words &lt;b&gt;", "plain words <b>"),
    "inline": (
        '<p>An <em>old</em> <a href="x" rel="nofollow">link</a>, <code>f(x)</code> and <kbd>Ctrl</kbd>.</p>',
        "An old link, `f(x)` and Ctrl.",
    ),
    "code": (
        '<p>So:</p>\n<pre class="lang-py s-code-block"><code>if a &lt; b:\n    return  1\n\nx = 2\n</code></pre>'
        "\n<p>Done.</p>",
        "So:\n\n```py\nif a < b:\n    return  1\n\nx = 2\n```\n\nDone.",
    ),
    "tags in code": ("<pre><code>&lt;p&gt;a&lt;/p&gt;\n</code></pre>", "```\n<p>a</p>\n```"),
    "fences in code": ("<pre><code>```\na\n```\n</code></pre>", "````\n```\na\n```\n````"),
    "lists": (
        '<p>Need:</p>\n<ul>\n<li>กาแฟ</li>\n<li>ماء\n<ol start="3"><li>दूध</li><li>сахар</li></ol>'
        "</li>\n</ul>\n<p>End</p>",
        "Need:\n\n- กาแฟ\n- ماء\n  3. दूध\n  4. сахар\n\nEnd",
    ),
    "loose items": (
        "<ol>\n<li><p>Grind.</p>\n<p>Finely.</p></li>\n<li><p>Brew:</p>\n<pre><code>go\n</code></pre></li>\n</ol>",
        "1. Grind.\n\n   Finely.\n2. Brew:\n\n   ```\n   go\n   ```",
    ),
    "quotation": (
        "<blockquote>\n<p>One.</p>\n<blockquote>\n<p>Two.</p>\n</blockquote>\n</blockquote>\n<p>I say.</p>",
        "> One.\n>\n> > Two.\n\nI say.",
    ),
    "table": (
        "<table><thead><tr><th>豆</th><th>g</th></tr></thead><tbody><tr><td>a</td><td>7</td></tr></tbody></table>",
        "豆 | g\n\na | 7",
    ),
    "powers": (
        "<p>x<sup>2</sup> H<sub>2</sub>O a<sub>ij</sub> e<sup>iπ</sup> <sup><sub>small print here</sub></sup></p>",
        "x² H₂O a_ij e^iπ small print here",
    ),
    "inline math": ("<p>Let $x_1 &lt; \\frac{a}{b}$ and $y$.</p>", "Let $x_1 < \\frac{a}{b}$ and $y$."),
    "display math": (
        "<p>Then\n$$\n\\begin{align}\na &amp;= b \\\\\nc &amp;= d\n\\end{align}\n$$</p>",
        "Then\n$$\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n$$",
    ),
    "comments and pictures": (
        '<!-- language: lang-py --><p><a href="x"><img src="y" alt="enter image description here"></a>Text</p>'
        "<hr><p>b</p>",
        "Text\n\n---\n\nb",
    ),
    "longer powers": (
        "<p>e<sup>x+1</sup> Σ<sub>всех чисел</sub> 1<sup>st</sup> a<sup>&lt;b&gt;</sup> "
        "दो<sup>यह एक बहुत लंबी टिप्पणी है जो ऊपर है</sup></p>",
        "e^(x+1) Σ_(всех чисел) 1st a^(<b>) दो यह एक बहुत लंबी टिप्पणी है जो ऊपर है",
    ),
    "signs in attributes": (
        "<p><img alt=\"1 > 0\" src='x>y'>甲<a title='a > b' href=x>乙</a><a title=it's>丙</a></p>",
        "甲乙丙",
    ),
    "lines of code by tags": (
        "<pre>x = 1<br>  y = 2<br/><span>z</span></pre><pre><div>a</div><div>b</div></pre>",
        "```\nx = 1\n  y = 2\nz\n```\n\n```\na\nb\n```",
    ),
    "readings": (
        "<p><ruby>漢字<rt>かんじ</rt></ruby>を<ruby>読<rp>(</rp><rt>よ</rt><rp>)</rp></ruby>む<ruby>字<rt>じ</ruby>。</p>",
        "漢字を読む字。",
    ),
    "empty cells": (
        "<table><tr><th></th><th>น้ำ</th></tr><tr><td>ماء</td><td></td></tr><tr><td></td><td></td></tr></table><p>x</p>",
        "| น้ำ\n\nماء |\n\nx",
    ),
    "blocks of pages": (
        "<article>一</article><aside>二</aside><figure>三<figcaption>四</figcaption></figure>"
        "<address>五</address><address>六",
        "一\n\n二\n\n三\n\n四\n\n五\n\n六",
    ),
    "numbers of items": ('<ol><li value="4">四</li><li>五</li></ol>', "4. 四\n5. 五"),
    "unclosed": ("<ul><li>a<li>b</ul><p>c <b>d", "- a\n- b\n\nc d"),
    "unopened": ("</li></ul></blockquote></pre>a</p>b</sup>", "a\n\nb"),
}


@pytest.mark.parametrize("case", CASES)
def test_posts_come_out_as_they_read(case: str) -> None:
    source, expected = CASES[case]
    assert to_text(source) == expected


HOSTILE = [
    "<",
    "<a ",
    "<!--",
    "<pre>",
    "<ul><li>",
    "<blockquote>",
    "</li>",
    "<sup>",
    "&#99999999999;",
    "$$\n",
]


@pytest.mark.parametrize("piece", [*HOSTILE, "<a x='", "<rt>", "<td>", "<sup></sup>", "x<sub>a b</sub>"])
def test_no_post_is_slow(piece: str) -> None:
    source = piece * 20_000
    begin = time.process_time()
    to_text(source)
    assert time.process_time() - begin < 2
