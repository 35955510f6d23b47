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
from corpus.extract import ExtractedText
from corpus.extract.html.main_text import extract_main_text, read_license
from corpus.extract.html.news_date import find_publication_date
from corpus.extract.html.trafilatura_text import parse_page
from corpus.extract.plain_text import clean_text
from corpus.formats.encodings import decode
from corpus.formats.yaml_lines import load_yaml
from corpus.groups import registered_domain

MIN_ARTICLE_WEIGHT = 500
"""Weight (see `weigh_text`) below which a text is no article: 100 English words or 170 Chinese characters."""
MAX_PAYWALLED_WEIGHT = 2500
"""Weight up to which the text of a page that is marked as locked, or ends with a phrase, is only its beginning."""
MAX_PATH_CHARACTERS = 2048
"""Characters of a path that are examined: the patterns take more than linear time on endless ones."""
LATEST_DATE = "2100-01-01"
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


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the article of a page, or the gate that stops it. `mode` is not used: news is extracted with precision."""
    html = record.body if isinstance(record.body, str) else decode(record.body, record.charset, html=True)[0]
    tree = parse_page(html)
    if tree is None:
        return None
    text = extract_main_text(html, record.url, "precision")
    if not text:
        return None
    captured = record.metadata.get("captured")
    latest = (captured or LATEST_DATE)[:10]
    about = extract_metadata(
        tree,
        default_url=record.url,
        date_config={
            "extensive_search": False,
            "original_date": True,
            "max_date": latest,
        },  # its date is not used
    )
    site = about.sitename if about.sitename and len(about.sitename) <= 60 else None
    headline = _strip_site_name(clean_text(about.title or "").strip(), site, record.url)
    license, metadata = read_license(html)
    url = _find_canonical_url(tree, record.url)
    date = find_publication_date(tree, record.url, text, latest)
    article = ExtractedText(text=text, license=license, date=date, url=url, metadata=metadata)
    if headline:
        article.metadata["headline"] = headline
        if not _begins_with(text, headline):
            article.text = f"{headline}\n\n{text}"
    if site is not None:
        article.metadata["site"] = site
    locked = bool(_LOCKED.search(html)) or _is_locked(tree)
    if locked:
        article.metadata["paywall"] = "marked"
    article.gate = _find_gate(tree, html, record.url, text, locked)
    return article


def _strip_site_name(title: str, site: str | None, url: str | None) -> str:
    """Return a title without the name of its site behind a dash or a bar."""
    head, _, tail = [*_SITE_BEHIND.split(title, maxsplit=1), "", ""][:3]
    plain = "".join(filter(str.isalnum, tail)).casefold()
    names = {
        "".join(filter(str.isalnum, name)).casefold()
        for name in (site or "", (registered_domain(url or "") or "").split(".")[0])
    }
    return head if plain and plain in names else title


def weigh_text(text: str) -> int:
    """Return the number of characters without spaces, those of Chinese, Japanese and Korean counted three times.

    So equal weights hold about equal content.
    """
    return sum(map(len, text.split())) + 2 * len(_WIDE.findall(text))


def _find_gate(tree: HtmlElement, html: str, url: str | None, text: str, locked: bool) -> str | None:
    if not _is_article(tree, html, url):
        return "news.not_article"
    size = weigh_text(text)
    if size < MAX_PAYWALLED_WEIGHT and (locked or _ends_with_phrase(text)):
        return "news.paywall"
    return "news.stub" if size < MIN_ARTICLE_WEIGHT else None


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
    dated = bool(_DATED.search(path[:MAX_PATH_CHARACTERS]))
    return dated and not any(str(kind).strip().lower() == "website" for kind in kinds)


def _is_locked(tree: HtmlElement) -> bool:
    tiers = tree.xpath("//meta[@property='article:content_tier' or @name='article:content_tier']/@content")
    return any(str(tier).strip().lower() == "locked" for tier in tiers)


def _ends_with_phrase(text: str) -> bool:
    end = "\n".join(text.splitlines()[-6:]).lower()
    return any(phrase in end for phrase in load_paywall_phrases())


@cache
def load_paywall_phrases() -> tuple[str, ...]:
    """Return the phrases of manifests/paywalls.yaml, read once. Raises UserError if the file is malformed."""
    path = data_path("paywalls.yaml")
    data, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    try:
        return tuple(sorted({str(phrase) for group in data["phrases"].values() for phrase in group}))
    except (KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: not as expected: {error}") from None


def _begins_with(text: str, headline: str) -> bool:
    """Return whether the first lines already have the headline, spaces and case aside."""

    def plain(words: str) -> str:
        return "".join(words.split()).casefold()

    return plain(headline) in plain(text[: 3 * len(headline) + 100])


def _find_canonical_url(tree: HtmlElement, url: str | None) -> str | None:
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
            and registered_domain(target) == registered_domain(url)
        ):
            return target
    return None
