# ruff: noqa: E501 (markup with text in wide characters)
"""Sixty pages as twenty generators write them, with the code, the cells and the formulas that a text must keep.

The markup is what each generator makes of such content (elements, classes, what stands around the text), written anew
here; the content is our own (`topics`). `score_pages` says which shares of code, cells and formulas an engine keeps:

- code: a block counts if it stands in the text line by line, with its indentation, without line numbers;
- cells: a cell counts if it is a cell, between bars, of a line that begins with the first cell of its row;
- formulas: one counts if its TeX stands between dollars, spaces and braces aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from tests.extract.structure_gold.topics import TOPICS, Formula, Topic

TOPICS_EACH = 3
_SPACES = re.compile(r"[\s{}]|\\[,;!]")
_DOLLARS = re.compile(r"\$\$?([^$]+)\$\$?")


@dataclass
class StructuredPage:
    """A page: its generator, its language, its source, and what a text of it must keep."""

    generator: str
    language: str
    html: str
    code: list[str] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """Shares, 0 to 1, of code blocks, cells and formulas that are kept."""

    code: float
    cells: float
    formulas: float


def paint(topic: Topic, **options: object) -> str:
    """Return a topic's code as Pygments marks it up, whose classes rouge, chroma and others share."""
    return str(highlight(topic.code, get_lexer_by_name(topic.lexer), HtmlFormatter(**options))).rstrip("\n")


def paragraphs(topic: Topic) -> str:
    return "\n".join(f"<p>{escape(one)}</p>" for one in topic.paragraphs)


def links(labels: Iterable[str], wrap: str = "<li><a href='/{0}'>{1}</a></li>") -> str:
    return "".join(wrap.format(at, escape(label)) for at, label in enumerate(labels))


def cells(row: Iterable[str], tag: str, attributes: str = "") -> str:
    return "".join(f"<{tag}{attributes}>{escape(one)}</{tag}>" for one in row)


def table(topic: Topic, attributes: str = "", body: str = "<tbody>", head: str = "<thead>") -> str:
    """Return the topic's table; without `head`, its first row is like the others."""
    close = body.replace("<", "</")
    first = f"<tr>{cells(topic.rows[0], 'th' if head else 'td')}</tr>"
    if head:
        first = f"{head}\n{first}\n{head.replace('<', '</')}"
    rest = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in topic.rows[1:])
    return f"<table{attributes}>\n{first}\n{body}\n{rest}\n{close}\n</table>"


def mathml(formula: Formula, display: bool = False, annotated: bool = True, prefix: str = "") -> str:
    inner = f"<mrow>{formula.mathml}</mrow>"
    if annotated:
        note = f"<annotation encoding='application/x-tex'>{escape(formula.tex)}</annotation>"
        inner = f"<semantics>{inner}{note}</semantics>"
    kind = " display='block'" if display else ""
    markup = f"<math xmlns='http://www.w3.org/1998/Math/MathML'{kind}>{inner}</math>"
    return re.sub(r"(</?)(?=[a-z])", rf"\1{prefix}", markup) if prefix else markup


def frame(topic: Topic, body: str, head: str = "", body_attributes: str = "") -> str:
    direction = " dir='rtl'" if topic.language == "ar" else ""
    return (
        f"<!DOCTYPE html>\n<html lang='{topic.language}'{direction}><head><meta charset='utf-8'>"
        f"<title>{escape(topic.title)}</title>{head}</head>\n<body{body_attributes}>"
        f"\n{body}\n</body></html>"
    )


def sphinx(topic: Topic) -> StructuredPage:
    side = (
        f"<div class='sphinxsidebar' role='navigation'><div class='sphinxsidebarwrapper'>"
        f"<h3>{topic.menu[0]}</h3><ul>{links(topic.menu)}</ul></div></div>"
    )
    related = (
        f"<div class='related' role='navigation' aria-label='related navigation'>"
        f"<ul>{links(topic.menu[:3])}</ul></div>"
    )
    colgroup = "<colgroup>" + "<col style='width: 33%'/>" * len(topic.rows[0]) + "</colgroup>"
    rows = "".join(
        f"<tr class='row-{'odd' if at % 2 else 'even'}'>{cells((), 'td')}"
        + "".join(f"<td><p>{escape(one)}</p></td>" for one in row)
        + "</tr>\n"
        for at, row in enumerate(topic.rows[1:])
    )
    head = "".join(f"<th class='head'><p>{escape(one)}</p></th>" for one in topic.rows[0])
    body = (
        f"{related}<div class='document'><div class='documentwrapper'><div "
        f"class='bodywrapper'><div class='body' role='main'>"
        f"<section id='s'><h1>{escape(topic.title)}<a class='headerlink' "
        f"href='#s' title='Link to this heading'>¶</a></h1>"
        f"{paragraphs(topic)}<section id='g'><h2>{escape(topic.heading)}<a "
        f"class='headerlink' href='#g'>¶</a></h2>"
        f"<div class='highlight-{topic.lexer} notranslate'>{paint(topic)}\n</div>"
        f"<table class='docutils align-default'>{colgroup}<thead><tr class='row-odd'>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<div class='highlight-console notranslate'><div class='highlight'>"
        f"<pre><span></span><span class='go'>{escape(topic.command)}</span>"
        f"\n</pre></div></div>"
        f"</section></section><div class='clearer'></div></div></div></div>"
        f"{side}<div class='clearer'></div></div>"
        f"<div class='footer' role='contentinfo'>&copy; {topic.menu[3]}. "
        f"Created using <a href='https://www.sphinx-doc.org/'>Sphinx</a> "
        f"7.2.6.</div>"
    )
    return StructuredPage(
        "sphinx", topic.language, frame(topic, body), [topic.code, topic.command], list(topic.rows)
    )


def mkdocs(topic: Topic) -> StructuredPage:
    numbers = "\n".join(f"<span class='normal'>{at + 1}</span>" for at in range(topic.code.count("\n") + 1))
    code = (
        f"<div class='language-{topic.lexer} highlight'><span class='filename'>{topic.menu[2]}</span>"
        f"<table class='highlighttable'><tr><td class='linenos'><div class='linenodiv'>"
        f"<pre><span></span>{numbers}</pre></div></td>"
        f"<td class='code'><div><pre id='__code_0'><span></span><button class='md-clipboard "
        f"md-icon' title='Copy to clipboard' data-clipboard-target='#__code_0 "
        f"&gt; code'></button><code>{paint(topic, nowrap=True)}\n</code></pre>"
        f"</div></td></tr></table></div>"
    )
    nav = (
        f"<nav class='md-nav md-nav--primary' aria-label='Navigation'><ul "
        f"class='md-nav__list'>{links(topic.menu, '<li class=md-nav__item><a class=md-nav__link href=/{0}><span class=md-ellipsis>{1}</span></a></li>')}"
        f"</ul></nav>"
    )
    body = (
        f"<header class='md-header'><nav class='md-header__inner md-grid'>"
        f"<a class='md-header__button md-logo' href='/'>{topic.menu[0]}</a>"
        f"</nav></header>"
        f"<div class='md-container'><main class='md-main'><div class='md-main__inner "
        f"md-grid'><div class='md-sidebar md-sidebar--primary'>{nav}</div>"
        f"<div class='md-content' data-md-component='content'><article class='md-content__inner "
        f"md-typeset'><h1 id='t'>{escape(topic.title)}<a class='headerlink' "
        f"href='#t'>&para;</a></h1>"
        f"{paragraphs(topic)}<h2 id='c'>{escape(topic.heading)}</h2>{code}<div "
        f"class='md-typeset__scrollwrap'><div class='md-typeset__table'>{table(topic)}</div>"
        f"</div>"
        f"<p><span class='arithmatex'><span class='MathJax_Preview'>{topic.formulas[0].tex}</span>"
        f"<script type='math/tex'>{topic.formulas[0].tex}</script></span>"
        f"</p></article></div></div></main>"
        f"<footer class='md-footer'><div class='md-footer-meta'>Made with "
        f"<a href='/m'>Material for MkDocs</a></div></footer></div>"
    )
    return StructuredPage(
        "mkdocs", topic.language, frame(topic, body), [topic.code], list(topic.rows), [topic.formulas[0].tex]
    )


def docusaurus(topic: Topic) -> StructuredPage:
    lines = "".join(
        (
            f"<span class='token-line' style='color:#393A34'><span class='token "
            f"plain'>{escape(line) or '<br>' if line else ''}</span><br></span>"
        )
        if line
        else (
            "<span class='token-line' style='color:#393A34'><span class='token "
            "plain' style='display:inline-block'></span><br></span>"
        )
        for line in topic.code.split("\n")
    )
    code = (
        f"<div class='language-{topic.lexer} codeBlockContainer_Ckt0 theme-code-block'>"
        f"<div class='codeBlockTitle_Ktv7'>{topic.menu[2]}</div><div class='codeBlockContent_biex'>"
        f"<pre tabindex='0' class='prism-code language-{topic.lexer} codeBlock_bY9V "
        f"thin-scrollbar'><code class='codeBlockLines_e6Vv'>{lines}</code>"
        f"</pre>"
        "<div class='buttonGroup__atx'><button type='button' aria-label='Copy "
        "code to clipboard' class='clean-btn'><span class='copyButtonIcons_eSgA'>"
        "</span></button></div></div></div>"
    )
    katex = "".join(
        (
            f"<span class='katex'><span class='katex-mathml'>{mathml(one)}</span>"
            f"<span class='katex-html' aria-hidden='true'><span class='base'>"
            f"<span class='mord mathnormal'>{one.tex[0]}</span><span class='mrel'>"
            f"=</span></span></span></span> "
        )
        for one in topic.formulas
    )
    body = (
        f"<div id='__docusaurus'><nav class='navbar navbar--fixed-top'><div "
        f"class='navbar__inner'>{links(topic.menu, '<a class=navbar__link href=/{0}>{1}</a>')}</div>"
        f"</nav>"
        f"<div class='main-wrapper'><aside class='theme-doc-sidebar-container'>"
        f"<ul class='theme-doc-sidebar-menu menu__list'>{links(topic.menu, '<li class=menu__list-item><a class=menu__link href=/{0}>{1}</a></li>')}"
        f"</ul></aside>"
        f"<main><div class='container'><article><nav class='theme-doc-breadcrumbs' "
        f"aria-label='Breadcrumbs'><ul class='breadcrumbs'>{links(topic.menu[:2])}</ul>"
        f"</nav>"
        f"<div class='theme-doc-markdown markdown'><header><h1>{escape(topic.title)}</h1>"
        f"</header>{paragraphs(topic)}<h2 class='anchor'>{escape(topic.heading)}</h2>"
        f"{code}<p>{katex}</p></div>"
        f"<footer class='theme-doc-footer'><a href='/e' class='theme-edit-this-page'>"
        f"Edit this page</a></footer></article></div></main></div><footer "
        f"class='footer footer--dark'>{links(topic.menu)}</footer></div>"
    )
    return StructuredPage(
        "docusaurus",
        topic.language,
        frame(topic, body),
        [topic.code],
        [],
        [one.tex for one in topic.formulas],
    )


def github(topic: Topic) -> StructuredPage:
    def block(kind: str, code: str) -> str:
        return (
            f"<div class='highlight highlight-source-{kind} notranslate position-relative "
            f"overflow-auto' dir='auto'><pre>{code}</pre>"
            "<div class='zeroclipboard-container'><clipboard-copy aria-label='Copy' "
            "class='ClipboardButton btn btn-invisible' value='x'><svg aria-hidden='true'>"
            "<path d='M0'></path></svg></clipboard-copy></div></div>"
        )

    rows = table(topic).replace("<table>", "<table tabindex='0'>")
    formula = (
        f"<math-renderer class='js-display-math' style='display: block' data-run-id='1'>"
        f"$${escape(topic.formulas[0].tex)}$$</math-renderer>"
    )
    inline = (
        f"<math-renderer class='js-inline-math' style='display: inline-block'>"
        f"${escape(topic.formulas[1].tex)}$</math-renderer>"
    )
    body = (
        f"<div class='logged-out env-production page-responsive'><header "
        f"class='HeaderMktg header-logged-out'>{links(topic.menu)}</header>"
        f"<div class='application-main'><main id='js-repo-pjax-container'>"
        f"<div class='Layout'><div class='Layout-main'><div id='readme' class='Box "
        f"md'><article class='markdown-body entry-content container-lg' itemprop='text'>"
        f"<div class='markdown-heading' dir='auto'><h1 tabindex='-1' class='heading-element' "
        f"dir='auto'>{escape(topic.title)}</h1><a class='anchor' aria-label='Permalink' "
        f"href='#t'><svg class='octicon octicon-link'></svg></a></div>"
        f"{paragraphs(topic)}<div class='markdown-heading' dir='auto'><h2 "
        f"class='heading-element'>{escape(topic.heading)}</h2></div>{block(topic.lexer, paint(topic, nowrap=True))}"
        f"{block('shell', escape(topic.command))}"
        f"<markdown-accessiblity-table>{rows}</markdown-accessiblity-table>"
        f"{formula}<p dir='auto'>{inline}</p></article></div></div>"
        f"<div class='Layout-sidebar'><div class='BorderGrid'><h2>About</h2>"
        f"<p class='f4 my-3'>{topic.menu[0]}</p></div></div></div></main>"
        f"</div><footer class='footer'>{links(topic.menu)}</footer></div>"
    )
    return StructuredPage(
        "github",
        topic.language,
        frame(topic, body),
        [topic.code, topic.command],
        list(topic.rows),
        [one.tex for one in topic.formulas],
    )


def stack_overflow(topic: Topic) -> StructuredPage:
    def vote(count: int) -> str:
        return (
            f"<div class='votecell post-layout--left'><div class='js-voting-container'>"
            f"<div class='js-vote-count'>{count}</div></div></div>"
        )

    sign = (
        "<div class='post-signature owner'><div class='user-info'><div class='user-action-time'>"
        "asked <span class='relativetime'>Mar 2 at 9:14</span></div><div "
        "class='user-details'><a href='/u'>mooring</a></div></div></div>"
    )
    body = (
        f"<header class='s-topbar'><ol>{links(topic.menu)}</ol></header><div "
        f"class='container'><div id='left-sidebar' class='left-sidebar'><nav "
        f"role='navigation'><ol class='nav-links'>{links(topic.menu)}</ol>"
        f"</nav></div><div id='content'>"
        f"<div itemprop='mainEntity' itemscope itemtype='https://schema.org/Question'>"
        f"<div id='question-header'><h1 itemprop='name'><a href='/q' class='question-hyperlink'>"
        f"{escape(topic.title)}</a></h1></div><div id='mainbar' role='main'>"
        f"<div class='question' id='question'><div class='post-layout'>{vote(7)}<div "
        f"class='postcell post-layout--right'><div class='s-prose js-post-body' "
        f"itemprop='text'><p>{escape(topic.paragraphs[0])}</p>"
        f"<pre class='lang-{topic.lexer} s-code-block'><code class='hljs "
        f"language-{topic.lexer}'>{escape(topic.code)}\n</code></pre></div>"
        f"<div class='post-taglist'><a class='post-tag' href='/t'>{topic.lexer}</a>"
        f"</div>{sign}</div></div></div>"
        f"<div id='answers'><div class='answer' itemprop='suggestedAnswer' "
        f"itemscope itemtype='https://schema.org/Answer'><div class='post-layout'>"
        f"{vote(12)}<div class='answercell post-layout--right'><div class='s-prose "
        f"js-post-body' itemprop='text'><p>{escape(topic.paragraphs[1])}</p>"
        f"<pre><code>{escape(topic.command)}\n</code></pre><p>{escape(topic.paragraphs[2])}</p>"
        f"<div class='s-table-container'>{table(topic, ' class=s-table')}</div>"
        f"</div>{sign}</div></div></div></div></div></div></div></div>"
        f"<footer id='footer' class='site-footer'>{links(topic.menu)}</footer>"
    )
    return StructuredPage(
        "stack overflow",
        topic.language,
        frame(topic, body, body_attributes=" class='question-page unified-theme'"),
        [topic.code, topic.command],
        list(topic.rows),
    )


def _wordpress(topic: Topic, content: str) -> str:
    widgets = (
        f"<aside id='secondary' class='widget-area'><section class='widget "
        f"widget_recent_entries'><h2 class='widget-title'>{topic.menu[1]}</h2>"
        f"<ul>{links(topic.menu)}</ul></section></aside>"
    )
    body = (
        f"<div id='page' class='hfeed site'><header id='masthead' class='site-header'>"
        f"<p class='site-title'><a href='/'>{topic.menu[0]}</a></p><nav class='main-navigation'>"
        f"<ul class='menu'>{links(topic.menu)}</ul></nav></header>"
        f"<div id='content' class='site-content'><main id='main' class='site-main'>"
        f"<article class='post type-post status-publish hentry'><header class='entry-header'>"
        f"<h1 class='entry-title'>{escape(topic.title)}</h1><div class='entry-meta'>"
        f"<time class='entry-date published'>2024-03-02</time></div></header>"
        f"<div class='entry-content'>{content}</div><footer class='entry-footer'>"
        f"<span class='cat-links'><a href='/c'>{topic.menu[2]}</a></span>"
        f"</footer></article></main>{widgets}</div><footer id='colophon' "
        f"class='site-footer'><div class='site-info'><a href='/w'>WordPress</a>"
        f"</div></footer></div>"
    )
    return frame(topic, body, body_attributes=" class='single single-post'")


def syntax_highlighter(topic: Topic) -> StructuredPage:
    """WordPress with SyntaxHighlighter Evolved, as its script leaves the page, and a block of a table."""
    lines = topic.code.split("\n")
    gutter = "".join(
        f"<div class='line number{at} index{at - 1} alt{at % 2 + 1}'>{at}</div>"
        for at in range(1, len(lines) + 1)
    )

    def paint_line(line: str) -> str:
        spaces = len(line) - len(line.lstrip())
        indent = f"<code class='{topic.lexer} spaces'>{'&nbsp;' * spaces}</code>" if spaces else ""
        return f"{indent}<code class='{topic.lexer} plain'>{escape(line.lstrip()) or '&nbsp;'}</code>"

    code = "".join(
        f"<div class='line number{at} index{at - 1} alt{at % 2 + 1}'>{paint_line(line)}</div>"
        for at, line in enumerate(lines, 1)
    )
    block = (
        f"<div><div id='highlighter_71' class='syntaxhighlighter {topic.lexer}'>"
        f"<div class='toolbar'><span><a href='#' class='toolbar_item command_help "
        f"help'>?</a></span></div>"
        f"<table border='0' cellpadding='0' cellspacing='0'><tbody><tr><td "
        f"class='gutter'>{gutter}</td><td class='code'><div class='container'>"
        f"{code}</div></td></tr></tbody></table></div></div>"
    )
    figure = f"<figure class='wp-block-table'>{table(topic, head='')}</figure>"
    content = (
        f"<p>{escape(topic.paragraphs[0])}</p><p>{escape(topic.paragraphs[1])}</p>"
        f"<h2>{escape(topic.heading)}</h2>{block}{figure}<p>{escape(topic.paragraphs[2])}</p>"
    )
    return StructuredPage(
        "wordpress, SyntaxHighlighter",
        topic.language,
        _wordpress(topic, content),
        [topic.code],
        list(topic.rows),
    )


def crayon(topic: Topic) -> StructuredPage:
    """WordPress with Crayon: a table with a plain copy beside the painted one."""
    lines = topic.code.split("\n")
    numbers = "".join(
        f"<div class='crayon-num' data-line='c-{at}'>{at}</div>" for at in range(1, len(lines) + 1)
    )
    painted = "".join(
        (
            f"<div class='crayon-line' id='c-{at}'><span class='crayon-i'>{escape(line) or '&nbsp;'}</span>"
            f"</div>"
        )
        for at, line in enumerate(lines, 1)
    )
    block = (
        f"<div id='crayon-5e' class='crayon-syntax crayon-theme-classic crayon-font-monaco "
        f"print-yes notranslate' data-settings='minimize scroll-mouseover'>"
        f"<div class='crayon-toolbar'><span class='crayon-title'></span><div "
        f"class='crayon-tools'><span class='crayon-language'>{topic.lexer}</span>"
        f"</div></div>"
        f"<div class='crayon-plain-wrap'><textarea wrap='soft' class='crayon-plain "
        f"print-no' readonly>{escape(topic.code)}</textarea></div>"
        f"<div class='crayon-main'><table class='crayon-table'><tr class='crayon-row'>"
        f"<td class='crayon-nums' data-settings='show'><div class='crayon-nums-content'>"
        f"{numbers}</div></td><td class='crayon-code'><div class='crayon-pre'>"
        f"{painted}</div></td></tr></table></div></div>"
    )
    content = f"{paragraphs(topic)}<h2>{escape(topic.heading)}</h2>{block}"
    image = (
        f"<img decoding='async' src='https://s0.wp.com/latex.php?latex=x' "
        f"alt='{escape(topic.formulas[0].tex)}' class='latex' />"
    )
    content += f"<p>{image}</p>"
    return StructuredPage(
        "wordpress, Crayon and latex",
        topic.language,
        _wordpress(topic, content),
        [topic.code],
        [],
        [topic.formulas[0].tex],
    )


def prism(topic: Topic) -> StructuredPage:
    """WordPress with Prism's line numbers, and a table made by TablePress with DataTables."""
    rows = (
        "<span aria-hidden='true' class='line-numbers-rows'>"
        + "<span></span>" * (topic.code.count("\n") + 1)
        + "</span>"
    )
    block = (
        f"<div class='code-toolbar'><pre class='wp-block-code line-numbers "
        f"language-{topic.lexer}' tabindex='0'><code class='language-{topic.lexer}'>"
        f"{paint(topic, nowrap=True)}{rows}</code></pre>"
        f"<div class='toolbar'><div class='toolbar-item'><span>{topic.lexer.title()}</span>"
        f"</div><div class='toolbar-item'><button class='copy-to-clipboard-button' "
        f"type='button'><span>Copy</span></button></div></div></div>"
    )
    body = "".join(
        f"<tr class='row-{at}'>"
        + "".join(f"<td class='column-{n}'>{escape(one)}</td>" for n, one in enumerate(row, 1))
        + "</tr>"
        for at, row in enumerate(topic.rows[1:], 2)
    )
    head = "".join(
        f"<th class='column-{n} sorting' tabindex='0' aria-controls='tablepress-3'>{escape(one)}</th>"
        for n, one in enumerate(topic.rows[0], 1)
    )
    grid = (
        f"<div id='tablepress-3_wrapper' class='dataTables_wrapper no-footer'>"
        f"<div class='dataTables_filter'><label>Search:<input type='search'>"
        f"</label></div><table id='tablepress-3' class='tablepress dataTable "
        f"no-footer' role='grid'><thead><tr class='row-1' role='row'>{head}</tr>"
        f"</thead><tbody class='row-hover'>{body}</tbody></table><div class='dataTables_info' "
        f"role='status'>1 - 3 / 3</div></div>"
    )
    content = f"{paragraphs(topic)}{grid}<h2>{escape(topic.heading)}</h2>{block}"
    return StructuredPage(
        "wordpress, Prism and TablePress",
        topic.language,
        _wordpress(topic, content),
        [topic.code],
        list(topic.rows),
    )


def mediawiki(topic: Topic) -> StructuredPage:
    def formula(one: Formula) -> str:
        return (
            f"<span class='mwe-math-element mwe-math-element-inline'><span class='mwe-math-mathml-inline "
            f"mwe-math-mathml-a11y' style='display: none;'><math xmlns='http://www.w3.org/1998/Math/MathML' "
            f"alttext='{{\\displaystyle {escape(one.tex)}}}'><semantics><mrow "
            f"class='MJX-TeXAtom-ORD'><mstyle displaystyle='true' scriptlevel='0'>"
            f"{one.mathml}</mstyle></mrow><annotation encoding='application/x-tex'>"
            f"{{\\displaystyle {escape(one.tex)}}}</annotation></semantics></math>"
            f"</span>"
            f"<img src='https://wikimedia.org/api/rest_v1/media/math/render/svg/1' "
            f"class='mwe-math-fallback-image-inline' aria-hidden='true' alt='{{\\displaystyle "
            f"{escape(one.tex)}}}'></span>"
        )

    wikitable = (
        (
            f"<table class='wikitable sortable'>\n<caption>{escape(topic.heading)}</caption>"
            f"\n<tbody><tr>{cells(topic.rows[0], 'th')}</tr>"
        )
        + "".join(f"<tr>\n<td>{cells_with_lines(row)}</td></tr>" for row in topic.rows[1:])
        + "</tbody></table>"
    )
    code = (
        f"<div class='mw-highlight mw-highlight-lang-{topic.lexer} mw-content-{'rtl' if topic.language == 'ar' else 'ltr'}"
        f"' dir='ltr'><pre>{paint(topic, nowrap=True)}\n</pre></div>"
    )
    body = (
        f"<div class='mw-page-container'><a class='mw-jump-link' href='#bodyContent'>"
        f"{topic.menu[0]}</a><nav id='mw-panel' class='vector-main-menu'>"
        f"<ul class='vector-menu-content-list'>{links(topic.menu)}</ul></nav>"
        f"<main id='content' class='mw-body'><header class='mw-body-header'>"
        f"<h1 id='firstHeading' class='firstHeading mw-first-heading'><span "
        f"class='mw-page-title-main'>{escape(topic.title)}</span></h1></header>"
        f"<div id='bodyContent' class='vector-body'><div id='mw-content-text' "
        f"class='mw-body-content'><div class='mw-content-ltr mw-parser-output' "
        f"lang='{topic.language}'>{paragraphs(topic)}<p>{formula(topic.formulas[0])}, "
        f"{formula(topic.formulas[1])}.</p>"
        f"<div class='mw-heading mw-heading2'><h2 id='c'>{escape(topic.heading)}</h2>"
        f"<span class='mw-editsection'><span class='mw-editsection-bracket'>"
        f"[</span><a href='/e'><span>edit</span></a><span class='mw-editsection-bracket'>"
        f"]</span></span></div>{code}{wikitable}</div></div>"
        f"<div id='catlinks' class='catlinks'><ul>{links(topic.menu[:2])}</ul>"
        f"</div></div></main><footer id='footer' class='mw-footer'><ul>{links(topic.menu)}</ul>"
        f"</footer></div>"
    )
    return StructuredPage(
        "mediawiki",
        topic.language,
        frame(topic, body, body_attributes=" class='skin-vector mediawiki ltr ns-0'"),
        [topic.code],
        list(topic.rows),
        [one.tex for one in topic.formulas],
    )


def cells_with_lines(row: Iterable[str]) -> str:
    """Return cells as MediaWiki writes them, each with a line end inside."""
    return "\n</td>\n<td>".join(map(escape, row)) + "\n"


def latexml(topic: Topic) -> StructuredPage:
    def formula(one: Formula, number: int) -> str:
        return (
            f"<math id='S1.E{number}.m1' class='ltx_Math' alttext='{escape(one.tex)}' "
            f"display='block'><semantics><mrow>{one.mathml}</mrow><annotation "
            f"encoding='application/x-tex'>{escape(one.tex)}</annotation><annotation "
            f"encoding='application/x-llamapun'>x</annotation></semantics></math>"
        )

    equations = "".join(
        (
            f"<table id='S1.E{at}' class='ltx_equation ltx_eqn_table'><tbody>"
            f"<tr class='ltx_equation ltx_eqn_row ltx_align_baseline'><td class='ltx_eqn_cell "
            f"ltx_eqn_center_padleft'></td><td class='ltx_eqn_cell ltx_align_center'>"
            f"{formula(one, at)}</td><td class='ltx_eqn_cell ltx_eqn_center_padright'>"
            f"</td><td rowspan='1' class='ltx_eqn_cell ltx_eqn_eqno ltx_align_middle "
            f"ltx_align_right'><span class='ltx_tag ltx_tag_equation ltx_align_right'>"
            f"({at})</span></td></tr></tbody></table>"
        )
        for at, one in enumerate(topic.formulas, 1)
    )
    rows = "".join(f"<tr class='ltx_tr'>{cells(row, 'td', ' class=ltx_td')}</tr>" for row in topic.rows[1:])
    figure = (
        f"<figure id='S1.T1' class='ltx_table'><figcaption class='ltx_caption "
        f"ltx_centering'><span class='ltx_tag ltx_tag_table'>Table 1: </span>"
        f"{escape(topic.heading)}</figcaption><table class='ltx_tabular ltx_centering "
        f"ltx_guessed_headers ltx_align_middle'><thead class='ltx_thead'>"
        f"<tr class='ltx_tr'>{cells(topic.rows[0], 'th', ' class=ltx_th')}</tr>"
        f"</thead><tbody class='ltx_tbody'>{rows}</tbody></table></figure>"
    )
    para = "".join(
        f"<div id='S1.p{at}' class='ltx_para'><p class='ltx_p'>{escape(one)}</p></div>"
        for at, one in enumerate(topic.paragraphs)
    )
    body = (
        f"<header class='mob_header desktop_header'><div class='html-header-logo'>"
        f"<a href='/'>{topic.menu[0]}</a></div></header><nav class='ltx_page_navbar'>"
        f"<ol class='ltx_toclist'>{links(topic.menu[:3])}</ol></nav><div "
        f"class='ltx_page_main'><div class='ltx_page_content'><article class='ltx_document'>"
        f"<h1 class='ltx_title ltx_title_document'>{escape(topic.title)}</h1>"
        f"<section id='S1' class='ltx_section'><h2 class='ltx_title ltx_title_section'>"
        f"<span class='ltx_tag ltx_tag_section'>1 </span>{escape(topic.heading)}</h2>"
        f"{para}{equations}{figure}</section></article></div><footer id='footer' "
        f"class='ltx_page_footer'><div class='ltx_page_logo'>Generated by "
        f"LaTeXML</div></footer></div>"
    )
    return StructuredPage(
        "latexml",
        topic.language,
        frame(topic, body),
        [],
        list(topic.rows),
        [one.tex for one in topic.formulas],
    )


def _blog(topic: Topic, content: str, generator: str) -> str:
    body = (
        f"<header class='site-header' role='banner'><div class='wrapper'>"
        f"<a class='site-title' rel='author' href='/'>{topic.menu[0]}</a>"
        f"<nav class='site-nav'><div class='trigger'>{links(topic.menu, '<a class=page-link href=/{0}>{1}</a>')}"
        f"</div></nav></div></header>"
        f"<main class='page-content' aria-label='Content'><div class='wrapper'>"
        f"<article class='post h-entry' itemscope itemtype='http://schema.org/BlogPosting'>"
        f"<header class='post-header'><h1 class='post-title p-name' itemprop='name "
        f"headline'>{escape(topic.title)}</h1><p class='post-meta'><time "
        f"class='dt-published'>2024-03-02</time></p></header>"
        f"<div class='post-content e-content' itemprop='articleBody'>{content}</div>"
        f"</article></div></main><footer class='site-footer h-card'><div "
        f"class='wrapper'><ul class='contact-list'>{links(topic.menu[3:])}</ul>"
        f"</div></footer>"
    )
    return frame(topic, body, f"<meta name='generator' content='{generator}'>")


def jekyll(topic: Topic) -> StructuredPage:
    """Jekyll with rouge's table of line numbers, kramdown's tables, and MathJax 2 after it has run."""
    numbers = "\n".join(str(at + 1) for at in range(topic.code.count("\n") + 1))
    block = (
        f"<figure class='highlight'><pre><code class='language-{topic.lexer}' "
        f"data-lang='{topic.lexer}'><table class='rouge-table'><tbody><tr>"
        f"<td class='gutter gl'><pre class='lineno'>{numbers}\n</pre></td>"
        f"<td class='code'><pre>{paint(topic, nowrap=True)}\n</pre></td></tr>"
        f"</tbody></table></code></pre></figure>"
    )

    def formula(at: int, one: Formula) -> str:
        return (
            f"<span class='MathJax_Preview' style='color: inherit;'></span><span "
            f"class='MathJax' id='MathJax-Element-{at}-Frame' tabindex='0' role='presentation' "
            f"style='position: relative;'><nobr aria-hidden='true'><span class='math' "
            f"id='MathJax-Span-{at}'><span class='mrow'><span class='mi'>{one.tex[0]}</span>"
            f"<span class='mo'>=</span></span></span></nobr><span class='MJX_Assistive_MathML' "
            f"role='presentation'>{mathml(one, annotated=False)}</span></span>"
            f"<script type='math/tex' id='MathJax-Element-{at}'>{one.tex}</script>"
        )

    formulas = " ".join(formula(at, one) for at, one in enumerate(topic.formulas, 1))
    content = (
        f"{paragraphs(topic)}<h2 id='h'>{escape(topic.heading)}</h2>{block}{table(topic)}<p>{formulas}</p>"
    )
    return StructuredPage(
        "jekyll, rouge, MathJax 2",
        topic.language,
        _blog(topic, content, "Jekyll v4.3.3"),
        [topic.code],
        list(topic.rows),
        [one.tex for one in topic.formulas],
    )


def hugo(topic: Topic) -> StructuredPage:
    """Hugo with chroma's table of line numbers, and MathJax 3 (CHTML) after it has run."""
    count = topic.code.count("\n") + 1
    numbers = "".join(f"<span class='lnt'>{at + 1}\n</span>" for at in range(count))
    painted = "".join(
        f"<span class='line'><span class='cl'>{line}\n</span></span>"
        for line in paint(topic, nowrap=True).split("\n")
    )
    block = (
        f"<div class='highlight'><div class='chroma'><table class='lntable'>"
        f"<tr><td class='lntd'><pre tabindex='0' class='chroma'><code>{numbers}</code>"
        f"</pre></td><td class='lntd'><pre tabindex='0' class='chroma'><code "
        f"class='language-{topic.lexer}' data-lang='{topic.lexer}'>{painted}</code>"
        f"</pre></td></tr></table></div></div>"
    )
    formulas = " ".join(
        (
            f"<mjx-container class='MathJax CtxtMenu_Attached_0' jax='CHTML' "
            f"tabindex='0' ctxtmenu_counter='0' style='font-size: 119%;'><mjx-math "
            f"class='MJX-TEX' aria-hidden='true'><mjx-mi class='mjx-i'><mjx-c "
            f"class='mjx-c1D438 TEX-I'></mjx-c></mjx-mi><mjx-mo class='mjx-n'>"
            f"<mjx-c class='mjx-c3D'></mjx-c></mjx-mo></mjx-math><mjx-assistive-mml "
            f"unselectable='on' display='inline'>{mathml(one, annotated=False)}</mjx-assistive-mml>"
            f"</mjx-container>"
        )
        for one in topic.formulas
    )
    content = f"{paragraphs(topic)}<h2 id='h'>{escape(topic.heading)}</h2>{block}<p>{formulas}</p>"
    return StructuredPage(
        "hugo, chroma, MathJax 3",
        topic.language,
        _blog(topic, content, "Hugo 0.123.7"),
        [topic.code],
        [],
        [one.tex for one in topic.formulas],
    )


def javadoc(topic: Topic) -> StructuredPage:
    summary = "".join(
        (
            f"<div class='col-first even-row-color'><code>{escape(row[0])}</code>"
            f"</div><div class='col-second even-row-color'><code>{escape(row[1])}</code>"
            f"</div><div class='col-last even-row-color'><div class='block'>{escape(row[2])}</div>"
            f"</div>"
        )
        for row in topic.rows[1:]
    )
    caption = "".join(
        f"<div class='table-header {name}'>{escape(one)}</div>"
        for name, one in zip(("col-first", "col-second", "col-last"), topic.rows[0], strict=True)
    )
    old = (
        (
            f"<table class='memberSummary' border='0' cellpadding='3' cellspacing='0' "
            f"summary='x'><caption><span>{escape(topic.heading)}</span><span "
            f"class='tabEnd'>&nbsp;</span></caption><tr>{cells(topic.rows[0], 'th', ' class=colFirst scope=col')}</t"
            f"r>"
        )
        + "".join(
            (
                f"<tr class='altColor'>{cells(row[:1], 'td', ' class=colFirst')}<td "
                f"class='colLast'><code>{escape(row[1])}</code></td><td class='colLast'>"
                f"<div class='block'>{escape(row[2])}</div></td></tr>"
            )
            for row in topic.rows[1:]
        )
        + "</table>"
    )
    body = (
        f"<div class='flex-box'><header role='banner' class='flex-header'>"
        f"<nav role='navigation'><div class='top-nav' id='navbar-top'><ul "
        f"id='navbar-top-firstrow' class='nav-list'>{links(topic.menu)}</ul>"
        f"</div></nav></header><div class='flex-content'><main role='main'>"
        f"<div class='header'><h1 title='{escape(topic.title)}' class='title'>"
        f"{escape(topic.title)}</h1></div><section class='class-description' "
        f"id='class-description'><div class='block'>{escape(topic.paragraphs[0])}<p>"
        f"{escape(topic.paragraphs[1])}<pre><code>{escape(topic.code)}\n</code>"
        f"</pre></div></section>"
        f"<section class='summary'><h2>{escape(topic.heading)}</h2>{old}</section>"
        f"<section class='method-details'><div class='block'>{escape(topic.paragraphs[2])}</div>"
        f"</section></main></div></div>"
    )
    del summary, caption
    return StructuredPage(
        "javadoc",
        topic.language,
        frame(topic, body, body_attributes=" class='class-declaration-page'"),
        [topic.code],
        list(topic.rows),
    )


def phpbb(topic: Topic) -> StructuredPage:
    def post(number: int, content: str) -> str:
        return (
            f"<div id='p{number}' class='post has-profile bg{number % 2 + 1}'>"
            f"<div class='inner'><dl class='postprofile' id='profile{number}'>"
            f"<dt><a href='/u{number}' class='username'>mooring{number}</a></dt>"
            f"<dd class='profile-posts'><strong>Posts:</strong> <a href='/s'>"
            f"{17 * number}</a></dd><dd class='profile-joined'><strong>Joined:</strong>"
            f" Sat Mar 02, 2024</dd></dl>"
            f"<div class='postbody'><div id='post_content{number}'><h3 class='first'>"
            f"<a href='#p{number}'>{escape(topic.title)}</a></h3><ul class='post-buttons'>"
            f"<li><a href='/q' class='button'><span>Quote</span></a></li></ul>"
            f"<p class='author'><a class='unread' href='#p{number}'><span class='sr-only'>"
            f"Post</span></a> <span class='responsive-hide'>by <strong><a href='/u{number}' "
            f"class='username'>mooring{number}</a></strong> &raquo; </span><time "
            f"datetime='2024-03-02T09:14:00+00:00'>Sat Mar 02, 2024 9:14 am</time>"
            f"</p>"
            f"<div class='content'>{content}</div></div></div><div class='back2top'>"
            f"<a href='#top' class='top'>Top</a></div></div></div><hr class='divider' "
            f"/>"
        )

    code = (
        f"<div class='codebox'><p>Code: <a href='#' onclick='selectCode(this);"
        f" return false;'>Select all</a></p><pre><code>{escape(topic.code)}</code>"
        f"</pre></div>"
    )
    command = (
        f"<div class='codebox'><p>Code: <a href='#' onclick='selectCode(this);"
        f" return false;'>Select all</a></p><pre><code>{escape(topic.command)}</code>"
        f"</pre></div>"
    )
    posts = (
        post(1, f"{escape(topic.paragraphs[0])}<br>\n<br>\n{code}")
        + post(2, f"{escape(topic.paragraphs[1])}<br>\n{command}")
        + post(3, escape(topic.paragraphs[2]))
    )
    body = (
        f"<div id='wrap' class='wrap'><div id='page-header'><div class='headerbar' "
        f"role='banner'><div id='site-description'><h1>{topic.menu[0]}</h1>"
        f"</div></div><div class='navbar' role='navigation'><ul id='nav-main' "
        f"class='nav-main linklist'>{links(topic.menu)}</ul></div></div>"
        f"<div id='page-body' class='page-body' role='main'><h2 class='topic-title'>"
        f"<a href='/t'>{escape(topic.title)}</a></h2><div class='action-bar "
        f"bar-top'><div class='pagination'>3 posts &bull; Page <strong>1</strong>"
        f" of <strong>1</strong></div></div>{posts}</div><div id='page-footer' "
        f"class='page-footer' role='contentinfo'><ul class='nav-footer linklist'>"
        f"{links(topic.menu)}</ul></div></div>"
    )
    return StructuredPage(
        "phpbb",
        topic.language,
        frame(topic, body, body_attributes=" id='phpbb' class='nojs notouch section-viewtopic ltr'"),
        [topic.code, topic.command],
    )


def aria_grid(topic: Topic) -> StructuredPage:
    """An application's page: rows and cells are `div`s that say by their roles what they are."""
    head = "".join(
        (
            f"<div role='columnheader' class='MuiDataGrid-columnHeader' aria-colindex='{at}'>"
            f"<div class='MuiDataGrid-columnHeaderTitle'>{escape(one)}</div></div>"
        )
        for at, one in enumerate(topic.rows[0], 1)
    )
    rows = "".join(
        f"<div role='row' data-rowindex='{number}' class='MuiDataGrid-row'>"
        + "".join(
            (
                f"<div role='gridcell' class='MuiDataGrid-cell' aria-colindex='{at}'>"
                f"<div class='MuiDataGrid-cellContent'>{escape(one)}</div></div>"
            )
            for at, one in enumerate(row, 1)
        )
        + "</div>"
        for number, row in enumerate(topic.rows[1:])
    )
    body = (
        f"<div id='root'><header class='MuiAppBar-root'><nav>{links(topic.menu, '<a class=MuiButton-root href=/{0}>{1}</a>')}"
        f"</nav></header><main class='MuiContainer-root'><h1 class='MuiTypography-root "
        f"MuiTypography-h1'>{escape(topic.title)}</h1><div class='MuiBox-root'>"
        f"{paragraphs(topic)}</div><h2>{escape(topic.heading)}</h2>"
        f"<div role='grid' class='MuiDataGrid-root' aria-rowcount='{len(topic.rows)}'>"
        f"<div role='rowgroup' class='MuiDataGrid-columnHeaders'><div role='row' "
        f"class='MuiDataGrid-columnHeadersInner'>{head}</div></div><div role='rowgroup' "
        f"class='MuiDataGrid-virtualScroller'>{rows}</div></div></main><footer "
        f"class='MuiBox-root'>{links(topic.menu)}</footer></div>"
    )
    return StructuredPage("aria grid", topic.language, frame(topic, body), [], list(topic.rows))


def notebook(topic: Topic) -> StructuredPage:
    """Jupyter's nbconvert: cells of code with prompts, a table of pandas, formulas that MathJax has yet to set."""
    frame_rows = "".join(f"<tr>{cells(row[:1], 'th')}{cells(row[1:], 'td')}</tr>" for row in topic.rows[1:])
    output = (
        f"<div class='jp-OutputArea-child'><div class='jp-OutputPrompt jp-OutputArea-prompt'>"
        f"Out[2]:</div><div class='jp-RenderedHTMLCommon jp-RenderedHTML "
        f"jp-OutputArea-output'><div><table border='1' class='dataframe'>"
        f"<thead><tr style='text-align: right;'>{cells(topic.rows[0], 'th')}</tr>"
        f"</thead><tbody>{frame_rows}</tbody></table></div></div></div>"
    )
    formulas = f"$$ {escape(topic.formulas[0].tex)} $$</p><p>${escape(topic.formulas[1].tex)}$"
    body = (
        f"<main><div class='jp-Cell jp-MarkdownCell jp-Notebook-cell'><div "
        f"class='jp-Cell-inputWrapper'><div class='jp-InputArea jp-Cell-inputArea'>"
        f"<div class='jp-RenderedHTMLCommon jp-RenderedMarkdown jp-MarkdownOutput' "
        f"data-mime-type='text/markdown'><h1 id='t'>{escape(topic.title)}<a "
        f"class='anchor-link' href='#t'>¶</a></h1>{paragraphs(topic)}<p>{formulas}</p>"
        f"</div></div></div></div>"
        f"<div class='jp-Cell jp-CodeCell jp-Notebook-cell'><div class='jp-Cell-inputWrapper'>"
        f"<div class='jp-InputArea jp-Cell-inputArea'><div class='jp-InputPrompt "
        f"jp-InputArea-prompt'>In [2]:</div><div class='jp-CodeMirrorEditor "
        f"jp-Editor jp-InputArea-editor' data-type='inline'><div class='cm-editor "
        f"cm-s-jupyter'><div class='highlight hl-{topic.lexer}'><pre>{paint(topic, nowrap=True)}\n</pre>"
        f"</div></div></div></div></div><div class='jp-Cell-outputWrapper'>"
        f"<div class='jp-OutputArea jp-Cell-outputArea'>{output}</div></div>"
        f"</div></main>"
    )
    return StructuredPage(
        "jupyter",
        topic.language,
        frame(topic, body, body_attributes=" class='jp-Notebook'"),
        [topic.code],
        list(topic.rows),
        [one.tex for one in topic.formulas],
    )


def asciidoctor(topic: Topic) -> StructuredPage:
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td class='tableblock halign-left valign-top'><p class='tableblock'>{escape(one)}</p></td>"
            for one in row
        )
        + "</tr>"
        for row in topic.rows[1:]
    )
    grid = (
        f"<table class='tableblock frame-all grid-all stretch'><caption class='title'>"
        f"Table 1. {escape(topic.heading)}</caption><colgroup><col style='width: "
        f"33%;'></colgroup><thead><tr>{cells(topic.rows[0], 'th', ' class=tableblock')}</tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )
    para = "".join(f"<div class='paragraph'><p>{escape(one)}</p></div>" for one in topic.paragraphs)
    block = (
        f"<div class='listingblock'><div class='title'>{topic.menu[2]}</div>"
        f"<div class='content'><pre class='rouge highlight'><code data-lang='{topic.lexer}'>"
        f"{paint(topic, nowrap=True)}</code></pre></div></div>"
    )
    literal = f"<div class='literalblock'><div class='content'><pre>{escape(topic.command)}</pre></div></div>"
    body = (
        f"<div id='header'><h1>{escape(topic.title)}</h1><div id='toc' class='toc2'>"
        f"<div id='toctitle'>{topic.menu[0]}</div><ul class='sectlevel1'>"
        f"{links(topic.menu)}</ul></div></div>"
        f"<div id='content'><div class='sect1'><h2 id='_s'>{escape(topic.heading)}</h2>"
        f"<div class='sectionbody'>{para}{block}{literal}{grid}<div class='stemblock'>"
        f"<div class='content'>\\[{escape(topic.formulas[0].tex)}\\]</div>"
        f"</div></div></div></div><div id='footer'><div id='footer-text'>"
        f"Last updated 2024-03-02 09:14:00 UTC</div></div>"
    )
    return StructuredPage(
        "asciidoctor",
        topic.language,
        frame(topic, body, body_attributes=" class='article toc2 toc-left'"),
        [topic.code, topic.command],
        list(topic.rows),
    )


def pandoc(topic: Topic) -> StructuredPage:
    """Pandoc with lines of code that are anchors, MathML alone with a prefix as Word's export has it, and a plain table."""
    lines = "\n".join(
        f"<span id='cb1-{at}'><a href='#cb1-{at}' aria-hidden='true' tabindex='-1'></a>{line}</span>"
        for at, line in enumerate(paint(topic, nowrap=True).split("\n"), 1)
    )
    block = (
        f"<div class='sourceCode' id='cb1'><pre class='sourceCode numberSource "
        f"{topic.lexer} numberLines'><code class='sourceCode {topic.lexer}'>"
        f"{lines}</code></pre></div>"
    )
    formulas = f"{mathml(topic.formulas[0], True, annotated=False)} {mathml(topic.formulas[1])}"
    rows = "".join(
        f"<tr class='{'odd' if at % 2 == 0 else 'even'}'>{cells(row, 'td', ' style=text-align:left')}</tr>"
        for at, row in enumerate(topic.rows[1:])
    )
    grid = (
        f"<table><thead><tr class='header'>{cells(topic.rows[0], 'th')}</tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )
    body = (
        f"<header id='title-block-header'><h1 class='title'>{escape(topic.title)}</h1>"
        f"</header><nav id='TOC' role='doc-toc'><ul>{links(topic.menu)}</ul>"
        f"</nav>{paragraphs(topic)}<h2 id='c'>{escape(topic.heading)}</h2>"
        f"{block}{grid}<p>{formulas}</p>"
    )
    return StructuredPage(
        "pandoc",
        topic.language,
        frame(topic, body),
        [topic.code],
        list(topic.rows),
        [one.tex for one in topic.formulas],
    )


def discourse(topic: Topic) -> StructuredPage:
    def post(number: int, cooked: str) -> str:
        return (
            f"<div itemprop='comment' itemscope itemtype='http://schema.org/Comment' "
            f"id='post_{number}' class='topic-body crawler-post'><div class='crawler-post-meta'>"
            f"<span class='creator' itemprop='author' itemscope itemtype='http://schema.org/Person'>"
            f"<a itemprop='url' rel='nofollow' href='/u/m{number}'><span itemprop='name'>"
            f"mooring{number}</span></a></span><span class='crawler-post-infos'>"
            f"<time itemprop='datePublished' datetime='2024-03-02T09:14:00Z' "
            f"class='post-time'>March 2, 2024, 9:14am</time><span itemprop='position'>"
            f"{number}</span></span></div><div class='post' itemprop='text'>{cooked}</div>"
            f"</div>"
        )

    katex = "".join(f"<p><span class='math'>{escape(one.tex)}</span></p>" for one in ())
    first = (
        f"<p>{escape(topic.paragraphs[0])}</p>\n<pre><code class='lang-{topic.lexer}'>"
        f"{escape(topic.code)}\n</code></pre>"
    )
    second = f"<p>{escape(topic.paragraphs[1])}</p>\n<div class='md-table'>\n{table(topic)}</div>{katex}"
    third = (
        f"<p>{escape(topic.paragraphs[2])}</p>\n<pre data-code-wrap='bash'>"
        f"<code class='lang-bash'>{escape(topic.command)}\n</code></pre>"
    )
    body = (
        f"<header><a href='/'>{topic.menu[0]}</a></header><div id='main-outlet' "
        f"class='wrap' role='main'><div id='topic-title'><h1><a href='/t'>"
        f"{escape(topic.title)}</a></h1><div class='topic-category' itemscope "
        f"itemtype='http://schema.org/BreadcrumbList'><span itemprop='itemListElement'>"
        f"<a href='/c' class='badge-wrapper bullet' itemprop='item'><span "
        f"class='category-name' itemprop='name'>{topic.menu[1]}</span></a>"
        f"</span></div></div>"
        f"<div itemscope itemtype='http://schema.org/DiscussionForumPosting'>"
        f"{post(1, first)}{post(2, second)}{post(3, third)}</div></div><footer "
        f"class='container wrap'><nav class='crawler-nav'><ul>{links(topic.menu)}</ul>"
        f"</nav><p class='powered-by-link'>Powered by <a href='https://www.discourse.org'>"
        f"Discourse</a>, best viewed with JavaScript enabled</p></footer>"
    )
    return StructuredPage(
        "discourse",
        topic.language,
        frame(topic, body, body_attributes=" class='crawler browser-update'"),
        [topic.code, topic.command],
        list(topic.rows),
    )


def word_export(topic: Topic) -> StructuredPage:
    """An office suite's export: paragraphs in cells, fonts everywhere, a table without headings."""
    rows = "".join(
        "<tr style='mso-yfti-irow:0'>"
        + "".join(
            (
                f"<td width=197 valign=top style='width:147.8pt;border:solid windowtext "
                f"1.0pt'><p class=MsoNormal style='margin-bottom:0cm'><span lang={topic.language} "
                f"style='font-size:12.0pt'>{escape(one)}<o:p></o:p></span></p></td>"
            )
            for one in row
        )
        + "</tr>"
        for row in topic.rows
    )
    para = "".join(
        (
            f"<p class=MsoNormal><span style='font-size:12.0pt;line-height:107%'>"
            f"{escape(one)}<o:p></o:p></span></p>"
        )
        for one in topic.paragraphs
    )
    body = (
        f"<div class=WordSection1><p class=MsoTitle>{escape(topic.title)}<o:p>"
        f"</o:p></p>{para}<h2>{escape(topic.heading)}</h2><table class=MsoTableGrid "
        f"border=1 cellspacing=0 cellpadding=0 style='border-collapse:collapse'>"
        f"{rows}</table><p class=MsoNormal>{mathml(topic.formulas[0], True, annotated=False, prefix='m:')}</p>"
        f"</div>"
    )
    return StructuredPage(
        "word",
        topic.language,
        frame(topic, body, "<meta name=Generator content='Microsoft Word 15'>"),
        [],
        list(topic.rows),
    )


GENERATORS: tuple[Callable[[Topic], StructuredPage], ...] = (
    sphinx, mkdocs, docusaurus, github, stack_overflow, syntax_highlighter, crayon, prism, mediawiki, latexml, jekyll,
    hugo, javadoc, phpbb, aria_grid, notebook, asciidoctor, pandoc, discourse, word_export,
)  # fmt: skip


def make_pages() -> list[StructuredPage]:
    """Return the sixty pages: each generator with three topics, each topic with six generators."""
    return [
        generator(TOPICS[(at + 3 * turn) % len(TOPICS)])
        for at, generator in enumerate(GENERATORS)
        for turn in range(TOPICS_EACH)
    ]


def score_pages(pages: Iterable[StructuredPage], read: Callable[[str], str | None]) -> Kept:
    """Return what an engine keeps of all code, cells and formulas of some pages."""
    counts = [[0, 0], [0, 0], [0, 0]]
    for page in pages:
        text = read(page.html) or ""
        for count, kept in zip(
            counts, (_keep_code(page, text), _keep_cells(page, text), _keep_formulas(page, text)), strict=True
        ):
            count[0] += sum(kept)
            count[1] += len(kept)
    return Kept(*(kept / max(1, total) for kept, total in counts))


def _keep_code(page: StructuredPage, text: str) -> list[bool]:
    lines = "\n" + "\n".join(line.rstrip() for line in text.split("\n")) + "\n"
    return [f"\n{code}\n" in lines for code in page.code]


def _keep_cells(page: StructuredPage, text: str) -> list[bool]:
    lines = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.split("\n")
        if "|" in line
    ]
    return [any(line[0] == row[0] and cell in line for line in lines) for row in page.rows for cell in row]


def _keep_formulas(page: StructuredPage, text: str) -> list[bool]:
    kept = {_SPACES.sub("", tex) for tex in _DOLLARS.findall(text)}
    return [_SPACES.sub("", tex) in kept for tex in page.formulas]
