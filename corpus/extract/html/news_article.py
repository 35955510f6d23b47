"""Extract news pages (headline, date and article text) with precision, and gate front pages, stubs and paywalls.

The text begins with the headline. Gates: `news.not_article` (nothing states that the page is one article),
`news.paywall` (the text is cut off for readers who do not pay), `news.stub` (too short to be an article).
"""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement
from trafilatura.metadata import extract_metadata

from corpus.data import data_path
from corpus.document import Record
from corpus.errors import UserError
from corpus.extract import Extracted
from corpus.extract.html.main_text import extract, license_of, parse
from corpus.extract.plain_text import clean_text
from corpus.formats.encodings import decode
from corpus.formats.yaml_lines import load
from corpus.groups import domain_of

STUB = 500
"""Weight (see `weigh_text`) below which a text is no article: 100 English words or 170 Chinese characters."""
CUT = 2500
"""Weight up to which the text of a page that is marked as locked, or ends with a phrase, is only its beginning."""
LONGEST_PATH = 2048
"""Characters of a path that are examined: the patterns take more than linear time on endless ones."""
LATEST = "2100-01-01"
"""No article is newer than its capture; this is the limit if the capture has no date."""

_TYPE = re.compile(
    r'"@type"\s*:\s*(?:\[[^\]]{0,200})?"(?:\w*NewsArticle|Article|ReportageNewsArticle|BlogPosting)"'
)
_LOCKED = re.compile(r'"isAccessibleForFree"\s*:\s*"?(?:false)', re.IGNORECASE)
_DATED = re.compile(
    r"/(?:19|20)\d\d[/-]?[01]?\d[/-]?|/\d{6,}|\d{5,}(?:\.\w{3,5})?/?$|[a-z0-9]+(?:-[a-z0-9]+){3,}",
    re.IGNORECASE,
)
_SITE_BEHIND = re.compile(r"(\s[-–—|·»:]+\s)(?=(?:(?!\s[-–—|·»:]+\s).){1,80}$)")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def extracted(record: Record, mode: str) -> Extracted | None:
    """Return the article of a page, or the gate that stops it. `mode` is not used: news is extracted with precision."""
    html = record.body if isinstance(record.body, str) else decode(record.body, record.charset, html=True)[0]
    tree = parse(html)
    if tree is None:
        return None
    text = extract(html, record.url, "precision")
    if not text:
        return None
    captured = record.metadata.get("captured")
    about = extract_metadata(
        tree,
        default_url=record.url,
        date_config={
            "extensive_search": False,
            "original_date": True,
            "max_date": (captured or LATEST)[:10],  # by default it would be today
        },
    )
    site = about.sitename if about.sitename and len(about.sitename) <= 60 else None
    headline = _without_site(clean_text(about.title or "").strip(), site, record.url)
    license, metadata = license_of(html)
    url = _canonical(tree, record.url)
    date = about.date or captured
    article = Extracted(text=text, license=license, date=date, url=url, metadata=metadata)
    if headline:
        article.metadata["headline"] = headline
        if not _begins_with(text, headline):
            article.text = f"{headline}\n\n{text}"
    if site is not None:
        article.metadata["site"] = site
    locked = bool(_LOCKED.search(html)) or _is_locked(tree)
    if locked:
        article.metadata["paywall"] = "marked"
    article.gate = _gate(tree, html, record.url, text, locked)
    return article


def _without_site(title: str, site: str | None, url: str | None) -> str:
    """Return a title without the name of its site behind a dash or a bar."""
    head, _, tail = [*_SITE_BEHIND.split(title, maxsplit=1), "", ""][:3]
    plain = "".join(filter(str.isalnum, tail)).casefold()
    names = {
        "".join(filter(str.isalnum, name)).casefold()
        for name in (site or "", (domain_of(url or "") or "").split(".")[0])
    }
    return head if plain and plain in names else title


def weight(text: str) -> int:
    """Return the number of characters without spaces, those of Chinese, Japanese and Korean counted three times.

    So equal weights hold about equal content.
    """
    return sum(map(len, text.split())) + 2 * len(_WIDE.findall(text))


def _gate(tree: HtmlElement, html: str, url: str | None, text: str, locked: bool) -> str | None:
    if not _is_article(tree, html, url):
        return "news.not_article"
    size = weight(text)
    if size < CUT and (locked or _ends_with_phrase(text)):
        return "news.paywall"
    return "news.stub" if size < STUB else None


def _is_article(tree: HtmlElement, html: str, url: str | None) -> bool:
    """Return whether the page states that it is one article, or its address looks like one's."""
    path = urlsplit(url).path if url else "/"
    if path.strip("/") == "":
        return False
    if _TYPE.search(html):
        return True
    kinds = tree.xpath("//meta[@property='og:type' or @name='og:type']/@content")
    if any(str(kind).strip().lower().startswith("article") for kind in kinds):
        return True
    if tree.xpath(
        "//meta[starts-with(@property, 'article:published')] | //*[contains(@itemtype, 'Article')]"
    ):
        return True
    dated = bool(_DATED.search(path[:LONGEST_PATH]))
    return dated and not any(str(kind).strip().lower() == "website" for kind in kinds)


def _is_locked(tree: HtmlElement) -> bool:
    tiers = tree.xpath("//meta[@property='article:content_tier' or @name='article:content_tier']/@content")
    return any(str(tier).strip().lower() == "locked" for tier in tiers)


def _ends_with_phrase(text: str) -> bool:
    end = "\n".join(text.splitlines()[-6:]).lower()
    return any(phrase in end for phrase in phrases())


@cache
def phrases() -> tuple[str, ...]:
    """Return the phrases of manifests/paywalls.yaml, read once. Raises UserError if the file is malformed."""
    path = data_path("paywalls.yaml")
    data, _ = load(path.read_text(encoding="utf-8"), str(path))
    try:
        return tuple(sorted({str(phrase) for group in data["phrases"].values() for phrase in group}))
    except (KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: not as expected: {error}") from None


def _begins_with(text: str, headline: str) -> bool:
    """Return whether the first lines already have the headline, spaces and case aside."""

    def plain(words: str) -> str:
        return "".join(words.split()).casefold()

    return plain(headline) in plain(text[: 3 * len(headline) + 100])


def _canonical(tree: HtmlElement, url: str | None) -> str | None:
    """Return the address that a page gives as its own, if it is on the same site and not a front page."""
    if url is None:
        return None
    for link in tree.xpath("//link[@rel='canonical']/@href")[:1]:
        try:
            target = urljoin(url, str(link).strip())
            path = urlsplit(target).path
        except ValueError:
            return None
        if (
            target.startswith(("http://", "https://"))
            and path.strip("/")
            and domain_of(target) == domain_of(url)
        ):
            return target
    return None
