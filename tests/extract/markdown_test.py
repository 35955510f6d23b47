"""Markdown of posts: its marks go, its words stay, and code is never touched."""

from __future__ import annotations

import time

import pytest

from corpus.extract.posts.markdown import strip_markdown
from corpus.extract.posts.markdown_marks import strip_links

CODE = [
    "    def __init__(self):  # _private_\n\n\n        return [link](http://x.example)",
    "\tprint(a *b* c)",
    "```python\n[a](b) **kept** \\_ &amp; ~~x~~\n\n\n  ^(y)\n```",
    "~~~ruby\n__x__\n~~~",
    "`__init__`, `[x](y)`, ``a ` *b*``, `\\*`",
    "```def __x__():\n  a = *b*\n```",
    "> ```\n> *x*\n> ```",
    ">     *x*",
    "- 项目\n\n      *x*",
]


@pytest.mark.parametrize("code", CODE)
def test_code_stays_to_the_letter(code: str) -> None:
    assert strip_markdown(f"{code}\n\n*до* **後**") == f"{code}\n\nдо 後"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- item\n\n    goes *on*", "- item\n\n    goes on"),
        ("1. a\n    - *b*\n\n        *c*", "1. a\n    - b\n\n        c"),
        ("text\n    *goes* on", "text\n    goes on"),
        ("~~~~~~~~\n\n*a*\n\n```\n*b*", "~~~~~~~~\n\na\n\n```\nb"),
        ("a ` b *c*", "a ` b c"),
    ],
)
def test_what_only_looks_like_code_is_text(text: str, expected: str) -> None:
    assert strip_markdown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold**text, *word*s, un*believ*able", "Boldtext, words, unbelievable"),
        ("这是**重要**的，他说“*好*”。", "这是重要的，他说“好”。"),
        ("ここが*大事*です", "ここが大事です"),
        ("นี่**สำคัญ**มาก", "นี่สำคัญมาก"),
        ("هذا *مهم* جدا", "هذا مهم جدا"),
        ("यह **ज़रूरी** है", "यह ज़रूरी है"),
        ("это *очень* _важно_", "это очень важно"),
        ("***both*** and **b *i* b**", "both and b i b"),
        ("**two\nlines**", "two\nlines"),
        ("**[words](http://x.example/a_b)** *[a b](c)*", "words a b"),
        ("**Edit:**text (c:**d**)", "Edit:text (c:d)"),
        ("**a ** b (c:**d**)", "**a ** b (c:d)"),
        ("~~gone~~ and a ~ b ~~~~~ c", "gone and a ~ b ~~~~~ c"),
    ],
)
def test_emphasis_leaves_its_words(text: str, expected: str) -> None:
    assert strip_markdown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4, a * b and x**2 + y**2",
        "f*ck this sh*t, ****",
        "snake_case_name and ______ city",
        "^_^ and ^_^, -_- -_-",
        "foo/*.c and bar/*.h",
        "char *a, *b; **kwargs",
        "* 一\n* 二",
        "x^2, e^(a+b), the ^s froze ^x^s",
        "http://x.example/_foo_/b_*a?c=1&copy=2",
        "[sic] arr[0] [^1]",
        "a < b > c & d &unknown_",
        "C:\\Users\\name",
    ],
)
def test_signs_that_are_meant_stay(text: str) -> None:
    assert strip_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("snake\\_case\\_name \\*not\\* \\*\\*raw\\*\\*", "snake_case_name *not* **raw**"),
        ("(\\^_^) 5 \\* 3 \\[sic\\]", "(^_^) 5 * 3 [sic]"),
        ("\\#1\n1\\. x\n\\> y", "#1\n1. x\n> y"),
        ("¯\\\\\\_(ツ)_/¯", "¯\\_(ツ)_/¯"),
        ("a&nbsp;b &amp; &lt;b&gt; &#42;c&#x2a;", "a\xa0b & <b> *c*"),
        ("一\n\n&#x200B;\n\n二", "一\n\n二"),
        ("<http://x.example/a_b_c> <a@b.example> <b>", "http://x.example/a_b_c a@b.example <b>"),
        (">!the *butler*!< did", "the butler did"),
        (">!the butler\n>!did", "the butler\ndid"),
        ("^(small *text* [here](http://x)) ^I ^am ^a ^bot", "small text here I am a bot"),
        ("![gif](giphy|abc)![img](emote|t5_2|7) ![猫](http://x)", "猫"),
        ('[Rosebud](/s "is a sled") [](/face)', "Rosebud is a sled"),
        ("[Ka](http://x.example/Ka_(Pharaoh\\)), [t](a_(b)) [Link] (http://x)", "Ka, t Link"),
        ("[[1]](http://x) [a [b] c](d)", "[1] a [b] c"),
        ("[ref][1], [Имя], [x] [1], [y][2] and this[1].\n\n[1]: http://x\n[имя]: /y 'T'\n[Edit]: done",
         "ref, Имя, x, [y][2] and this[1].\n\n[Edit]: done"),
        ("> *q*\n>\n> `*c*`\n\n> > **r**", "> q\n>\n> `*c*`\n\n> > r"),
        ("  a\n\n\n \nb\n", "a\n\nb"),
    ],
)  # fmt: skip
def test_a_post_reads_as_it_is_shown(text: str, expected: str) -> None:
    assert strip_markdown(text) == expected


def test_comments_of_a_line_lose_links_and_emphasis_alone() -> None:
    text = "**See** [this](http://x.example) \\_a `*b*` &lt; x^(2) <http://x>"
    assert strip_links(text) == "See this \\_a `*b*` &lt; x^(2) <http://x>"


HOSTILE = [
    "[",
    "](",
    "](a",
    "[a](",
    "![",
    "*a",
    "*a b*",
    "_a ",
    "**",
    "`",
    "``a`",
    ">!",
    "!<",
    "^(",
    "^a ",
    "&#1",
    "<a:",
]
HOSTILE += [
    "\\",
    "> ",
    "~~~\n",
    "```\n",
    "```a\n",
    "    a\n\n",
    "- a\n\n",
    "[a]: /b\n[a]",
    "a\n\n ",
    "https://",
    "~~a",
    "(a ",
    "!>!",
    ">!> 1. ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_post_of_marks_is_slow(piece: str) -> None:
    begin = time.process_time()
    strip_markdown(piece * 20_000)
    assert time.process_time() - begin < 2
