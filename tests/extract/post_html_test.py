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
        "豆 | g\na | 7",
    ),
    "tables as the site writes them": (
        "<p>a</p>\n<div class='s-table-container'><table>\n<thead>\n<tr>\n<th>豆</th>\n<th>g</th>\n</tr>\n</thead>\n"
        "<tbody>\n<tr>\n<td>ก</td>\n<td>7</td>\n</tr>\n<tr>\n<td>ب</td>\n<td></td>\n</tr>\n</tbody>\n</table></div>\n"
        "<table><tr><td>один</td></tr><tr><td>два</td></tr></table><p>b</p>",
        "a\n\n豆 | g\nก | 7\nب |\n\nодин\nдва\n\nb",
    ),
    "tables in quotations and items": (
        "<blockquote><table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table></blockquote>"
        "<ul><li>x<table><tr><td>5</td><td>6</td></tr><tr><td>7</td><td>8</td></tr></table></li></ul>",
        "> 1 | 2\n> 3 | 4\n\n- x\n\n  5 | 6\n  7 | 8",
    ),
    "cells of paragraphs": (
        "<table><tr><td><p>One.</p><p>Two.</p></td></tr><tr><td><p>Three.</p></td></tr></table>",
        "One.\n\nTwo.\n\nThree.",
    ),
    "line ends between letters without spaces": (
        "<p>中文在这里\n换行了，<b>也是</b>\n<i>这样</i>。\r\n“好”\n吗</p><p>これは\n<q>行</q>\nです</p><p>ภาษา\nไทย</p>"
        "<p>한국어\n문장 и\nслова عربي\nنص हिन्दी\nपाठ</p><p>中文\nword\n中文</p><pre>一\n二</pre>",
        "中文在这里换行了，也是这样。“好”吗\n\nこれは“行”です\n\nภาษาไทย"
        "\n\n한국어 문장 и слова عربي نص हिन्दी पाठ\n\n中文 word 中文\n\n```\n一\n二\n```",
    ),
    "line ends without markup": ("中文\n换行 a\nb", "中文换行 a b"),
    "empty code beside raised text": (
        "<p>2<b></b><sup><i></i><code></code>24</sup> <b>H</b><sub><code> </code>2</sub>O "
        "中<b>\u3000</b><code></code>文 <ruby><rb>漢</rb><rt><code></code>かん</rt></ruby> "
        "<b>10</b><sup><code></code>-6</sup></p>",
        "2²⁴ H₂O 中\u3000文 漢 10⁻⁶",
    ),
    "empty code": (
        "<p>a <code></code>b <code> </code>c <code><span></span></code>d <code>e</code></p>",
        "a b c d `e`",
    ),
    "quotation marks": (
        "<p>He said <q>come <q>here</q> <q>now</q></q>, <q>Приди</q> и <q>来</q>.</p>",
        "He said “come ‘here’ ‘now’”, “Приди” и “来”.",
    ),
    "quotation marks beside": (
        '<p>“<q>a</q>” «\xa0<q>b</q>\xa0» &ldquo;<q>c</q>&rdquo; „<q>d</q>“ 「<q>行</q>」 "<q>e</q>"</p>'
        "<p>»<q>f</q>« l’<q>g</q></p>",
        '“a” «\xa0b\xa0» “c” „d“ 「行」 "e"\n\n»f« l’“g”',
    ),
    "quotation marks within": ("<p><q>“a”</q> <q> «b» </q> <q>“c” d</q></p>", "“a” «b» ““c” d”"),
    "quotation marks of one side": ("<q><p>a</p><p>b</p></q><p>c</q> <q>d</p>", "a\n\nb\n\nc d"),
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
        "| น้ำ\nماء |\n\nx",
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


@pytest.mark.parametrize(
    "piece",
    [
        *HOSTILE,
        "<a x='",
        "<rt>",
        "<td>",
        "<q>",
        "<q>a</q>",
        "<code></code>",
        "</code>",
        "</code> ",
        "<code> ",
        "<code> </code> ",
        "<i></i></code>",
        " <b> </b> <code></code>",
        "<tr><td>a",
        "中\n  ",
        "<sup></sup>",
        "x<sub>a b</sub>",
    ],
)
def test_no_post_is_slow(piece: str) -> None:
    source = piece * 20_000
    begin = time.process_time()
    to_text(source)
    assert time.process_time() - begin < 2
