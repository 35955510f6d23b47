"""Hold back blocks that are no main text by where they stand: menus, archives, and what is outside a stated article.

Of two blocks that read alike the network cannot always say which one the page is about. A page that states that it is
an article is about one: around its headline, and around the text with which it describes itself. Other articles below
it, and what readers wrote, are not that article, however much there is of them.
"""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
import numpy.typing as npt

from corpus.extract.html.blocks.block_model import Ints, squash
from corpus.extract.html.blocks.features import find_runs
from corpus.extract.html.blocks.page_blocks import BlockKind, PageBlocks
from corpus.extract.html.blocks.second_look import CERTAIN

MENU_PENALTY, BAR_PENALTY = 192, 640
"""What is taken off the logits, in 64ths, of links in a `nav`, and of bars that turn pages."""
RUN_BLOCKS, RUN_CHARACTERS, RUN_BYTES, RUN_PENALTY = 30, 24, 48, 128
"""Blocks in a row, of no more than so many characters and bytes each, that are links for the most part, from which they
are a list of categories or an archive by months; and what is taken off their logits."""
LIST_BYTES, MAX_WORD, MAX_SENTENCE, LIST_PENALTY = 5000, 40, 500, 640
"""Bytes of a block from which it is no text if it has blanks, one in so many characters, but on average no end of a
sentence in so many; and what is taken off its logit. Of some 4,200 real pages four have such a block."""
ARTICLE_SHARE, OUTSIDE_PENALTY = 461, 96
"""Share, in 1,024ths, of what is expected on a page that the smallest element around a stated article's beginning has,
and what is taken off the logits, in 64ths, of all outside of it."""
SURE, LONG_BYTES = 64, 200
"""Logit, in 64ths, and bytes of a block that shows that the `article` around a headline holds the text itself."""
OTHER_PENALTY = 192
"""What is taken off the logits, in 64ths, of all outside of that `article`, and of comments on a stated article. This
and the numbers above were measured on sites not seen."""
MAX_COMMENTS = 0.9
"""Share of a page's blocks up to which those in comments are held back: in others the names say something else."""
MIN_HEADLINE_BYTES = 6
"""Bytes of letters of a headline that is looked for in the title."""
_SENTENCE_ENDS = re.compile("[.!?;…:。！？；।॥؟۔։።፧။។།]")
_ENDLESS = re.compile("[\u0e00-\u0eff]")
"""Letters of Thai and Lao, whose sentences end with a blank."""
_NO_LETTERS = re.compile(r"[\W_]+")
_NAVIGATION = frozenset(("<nav", "=navigation"))
_PAGE_TURNERS = frozenset(("navheader", "navfooter", "docnav", "topnav", "bottomnav", "relbar"))
"""Names by which DocBook, Publican, Javadoc and Sphinx's relatives call their bars of links to other pages."""
_ARTICLE = "<article"
_COMMENTS = frozenset(("comment", "comments", "commentlist", "disqus", "respond", "replies"))
_NAMES = _NAVIGATION | _PAGE_TURNERS | _COMMENTS


def hold_back(page: PageBlocks, logits: Ints, sizes: Ints) -> Ints:
    """Return logits, in 64ths, less what is to be taken off them."""
    names = list_names(page)
    logits = logits - measure_link_runs(page, sizes) - measure_word_lists(page, sizes)
    if names:
        logits -= measure_menus(page, names)
    if not page.head.is_article:
        return logits
    result: Ints = logits - (
        measure_outside(page, logits, sizes)
        + measure_other_articles(page, logits, sizes)
        + measure_comments(page, names)
    )
    return result


def list_names(page: PageBlocks) -> frozenset[str]:
    """Return the names of menus, bars and comments that elements of a page have, by one look at them all."""
    return _NAMES.intersection(chain.from_iterable(page.path_tokens))


def measure_menus(page: PageBlocks, names: frozenset[str]) -> Ints:
    """Return what is to be taken off the logits of links in a `nav`, or what says that it is one, and of all in a bar
    that turns pages: on small pages little else tells them. `names` are those of `list_names`."""
    turners, navigation = _find_named(page, names & _PAGE_TURNERS), _find_named(page, names & _NAVIGATION)
    menus: Ints = np.zeros(len(page.texts), np.int64)
    if navigation is not None:
        menus += MENU_PENALTY * (navigation & _are_linked(page, _count_characters(page), 7))
    if turners is not None:
        menus[turners] = BAR_PENALTY
    return menus


def measure_link_runs(page: PageBlocks, sizes: Ints) -> Ints:
    """Return what is to be taken off the logits of blocks in long rows of short links."""
    runs = np.zeros(len(page.texts), np.int64)
    if len(page.texts) < RUN_BLOCKS:
        return runs
    lengths = _count_characters(page)
    links = _are_linked(page, lengths, 6) & (lengths <= RUN_CHARACTERS) & (sizes <= RUN_BYTES)
    if np.count_nonzero(links) < RUN_BLOCKS:
        return runs
    for begin, end in find_runs(links):
        if end - begin >= RUN_BLOCKS:
            runs[begin:end] = RUN_PENALTY
    return runs


def measure_word_lists(page: PageBlocks, sizes: Ints) -> Ints:
    """Return what is to be taken off the logits of long blocks without sentences: keywords for search engines, names.

    However unlikely, such a block would be taken for its bytes. Cost: nothing where no block is long.
    """
    lists = np.zeros(len(page.texts), np.int64)
    for at in (sizes >= LIST_BYTES).nonzero()[0].tolist():
        text = page.texts[at]
        if page.kinds[at] == int(BlockKind.TEXT) and text.count(" ") * MAX_WORD > len(text):
            ends = len(_SENTENCE_ENDS.findall(text))
            if ends * MAX_SENTENCE < len(text) and _ENDLESS.search(text) is None:
                lists[at] = LIST_PENALTY
    return lists


def measure_outside(page: PageBlocks, logits: Ints, sizes: Ints) -> Ints:
    """Return what is to be taken off the logits of blocks outside a stated article: teasers of others, comments.

    The article is the smallest element that has much of what is expected around the likeliest block that the page
    describes itself with.
    """
    outside = np.zeros(len(page.texts), np.int64)
    begun = page.find_beginnings()
    if not begun:
        return outside
    expected = squash(logits) * sizes
    before = np.concatenate([[0], np.cumsum(expected)])
    element = page.elements[begun[int(np.argmax(expected[begun]))]]
    needed = ARTICLE_SHARE * int(before[-1])
    while element >= 0:
        begin, end = page.begins[element], page.ends[element]
        if CERTAIN * int(before[end] - before[begin]) >= needed:
            outside[:begin] = outside[end:] = OUTSIDE_PENALTY
            break
        element = page.parents[element]
    return outside


def measure_other_articles(page: PageBlocks, logits: Ints, sizes: Ints) -> Ints:
    """Return what is to be taken off the logits of blocks outside the `article` around the headline, if there is one
    that holds text: a page may have whole articles below the one that it is about."""
    others = np.zeros(len(page.texts), np.int64)
    headline = find_titled(page)
    if headline < 0:
        return others
    has_text = (logits > SURE) & (sizes >= LONG_BYTES) & (page.get_array("kinds") != int(BlockKind.HEADING))
    element, path = page.elements[headline], page.paths[headline]
    while element >= 0:
        begin, end = page.begins[element], page.ends[element]
        if _ARTICLE in page.path_tokens[path] and has_text[begin:end].any():
            others[:begin] = others[end:] = OTHER_PENALTY
            break
        element, path = page.parents[element], page.path_parents[path]
    return others


def find_titled(page: PageBlocks) -> int:
    """Return the first `h1` that stands in the page's title, -1 if none does."""
    title = _keep_letters(page.title)
    headings = (at for at, kind in enumerate(page.kinds) if kind == int(BlockKind.HEADING))
    for at in headings:
        if page.path_tokens[page.paths[at]][0] == "<h1":
            letters = _keep_letters(page.texts[at])
            if len(letters.encode("utf-8", "replace")) >= MIN_HEADLINE_BYTES and letters in title:
                return at
    return -1


def _keep_letters(text: str) -> str:
    return _NO_LETTERS.sub("", text.casefold())


def measure_comments(page: PageBlocks, names: frozenset[str]) -> Ints:
    """Return what is to be taken off the logits of blocks in an element that is called a comment, or a list of some; of
    none if that is around the page's headline or beginning, too. `names` are those of `list_names`."""
    comments: Ints = np.zeros(len(page.texts), np.int64)
    inside = _find_named(page, names & _COMMENTS)
    if inside is None or inside.mean() > MAX_COMMENTS:
        return comments
    headline = find_titled(page)
    own = [*page.find_beginnings(), *([headline] if headline >= 0 else [])]
    if not inside[own].any():
        comments[inside] = OTHER_PENALTY
    return comments


def _count_characters(page: PageBlocks) -> Ints:
    return np.fromiter(map(len, page.texts), np.int64, len(page.texts))


def _are_linked(page: PageBlocks, lengths: Ints, tenths: int) -> npt.NDArray[np.bool_]:
    """Return which blocks, of so many characters, are links for at least some tenths of these."""
    linked: npt.NDArray[np.bool_] = 10 * page.get_array("linked") >= tenths * lengths
    return linked


def _find_named(page: PageBlocks, names: frozenset[str]) -> npt.NDArray[np.bool_] | None:
    """Return which blocks stand in an element that has one of the names; None where there is no name."""
    if not names:
        return None
    inside: list[bool] = []
    for tokens, parent in zip(page.path_tokens, page.path_parents, strict=True):
        inside.append((parent >= 0 and inside[parent]) or not names.isdisjoint(tokens))
    return np.array(inside)[page.get_array("paths")]
