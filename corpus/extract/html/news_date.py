"""Find the day on which a news page was published: in its metadata, in its address, or where a reader sees it.

In that order. A day that stands in lists of other stories, in the page's header or footer, or behind the article is
none of the article's. Where nothing states a day the answer is None, never a guess.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from corpus.extract.dates import find_dates, iso_date, order_numbers

MAX_DATED_CHARACTERS = 240
"""Characters of an element that may hold the date of an article: bylines are short."""
MAX_UNNAMED_CHARACTERS = 80
"""Likewise of an element that nothing calls a date: leads may tell of other days."""
MAX_CHILDREN = 40
MIN_PARAGRAPH_CHARACTERS = 20
MAX_LEVELS_TO_HEADLINE = 4
"""Parents of the headline in which a date before it is still its own."""

UNIX_TIME = re.compile(r"\s*1\d{9}(?:\d{3})?\s*")
"""Seconds, or milliseconds, of the Unix clock since September 2001."""
DATE_ATTRIBUTES = (
    "datetime",
    "data-date",
    "data-datetime",
    "data-timestamp",
    "data-time",
    "data-utc",
    "title",
)
EMPTY_DATES = ("1970-01-01", "1969-12-31")
"""What systems write that have no date."""
PUBLISHED_META = (
    *("article:published_time", "og:article:published_time", "og:published_time", "article:published"),
    *(
        "datepublished",
        "date_published",
        "publishdate",
        "publish-date",
        "publish_date",
        "publish_time",
        "publishtime",
    ),
    *(
        "publication_date",
        "publicationdate",
        "pubdate",
        "pub_date",
        "pubdt",
        "dc.date.issued",
        "dcterms.issued",
    ),
    *("dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "sailthru.date", "parsely-pub-date"),
    *(
        "article_date_original",
        "article.published",
        "cxenseparse:recs:publishtime",
        "bt:pubdate",
        "citation_date",
    ),
    *(
        "citation_publication_date",
        "originalpublicationdate",
        "rnews:datepublished",
        "displaydate",
        "ptime",
        "_pubtime",
    ),
    *("og:release_date", "release_date", "article:create_at", "mediator_published_time", "apub:time", "date"),
)
PUBLISHED_KEYS = ("datePublished", "dateCreated")
ARTICLE_TYPE = re.compile(r"Article|Posting|Report|Review$|Analysis|Opinion|WebPage|CreativeWork")
LINKED_KEYS = frozenset(
    {"mentions", "isRelatedTo", "relatedLink", "hasPart", "isPartOf", "comment", "itemListElement", "citation",
     "review", "video", "image", "author", "publisher", "about", "isBasedOn", "significantLink", "subjectOf"}
)  # fmt: skip
"""Keys of JSON-LD whose values describe something other than the page."""
JSON_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')

DATED_NAME = re.compile(
    r"(?:^|[\s_-])(?:pub|post|article|entry|news|story|byline|create|release|submit|print|art|text|content|detail"
    r"|page)?"
    r"[_-]?(?:date|time|datetime|dateline|timestamp|published|publish|pubtime|pubdate|posted|info|meta|byline|source"
    r"|author"
    r"|fecha|datum|data|jour|tanggal|ngay|tarih|waktu|hora|zeit)",
    re.I,
)
"""Beginnings of class and id names of elements that hold the date of an article."""
OTHER_NAME = re.compile(
    r"(?:^|[\s_-])(?:relat|recommend|side|aside|foot|comment|more|popular|trend|latest|recent|most|also|widget|teaser"
    r"|promo|card|prev|next|archive|calendar|copyright|newsletter|hot|rank|carousel|slide|breaking|ticker|outbrain"
    r"|taboola"
    r"|weather|event|menu|nav|breadcrumb|topbar|masthead|banner|read-?(?:more|next|on)|suggest|similar|see-?also"
    r"|links?-?list"
    r"|list|feed|advert|clock|today|current)",
    re.I,
)
"""Beginnings of class and id names of elements that hold other stories, or no story."""
PUBLISHED_WORDS = re.compile(
    r"\b(?:published|posted|publié|paru le|veröffentlicht|erschienen|publicado|publicada|pubblicato|publicat"
    r"|gepubliceerd"
    r"|publicerad|publisert|offentliggjort|julkaistu|opublikowan|publikováno|objavljeno|közzétéve|yayın|đăng|dipublikasikan"
    r"|опубликован|дата публикации|опубліковано|публикувано|δημοσ|פורסם|نشر|النشر|منتشر|انتشار|प्रकाशित|প্রকাশ|เผยแพร่)"
    r"|发布|發布|发表|發表|发稿|公開日|掲載|投稿日|配信|게시|입력|등록|승인",
    re.I,
)
"""What stands before the day of publication where that is below the article."""
SUBMITTED = re.compile(r"submit|meta|byline|author|info|date", re.I)
"""Names of an `aside` or `footer` that stands under a headline."""
UPDATED = re.compile(r"updat|modif|edited|correct", re.I)
STORY_ADDRESS = re.compile(
    r"/(?:19|20)\d\d[/-]?[01]\d[/-]?|\d{5,}(?:\.\w{3,5})?/?$|[^\W_]+(?:-[^\W_]+){3,}", re.I
)
"""What the address of a story has: a day, a number or its title."""
PERSON_ADDRESS = re.compile(
    r"aut(?:h?or|eur)|writer|editor|profile|people|person|user|member|staff|team|contributor|reporter|journalist"
    r"|columnist|tag|topic|categor|section|channel|source|search",
    re.I,
)
"""What the address of who wrote a story has, or of what it is about."""
MIN_TITLE_WORDS = 4
"""Words of a link that is a title: names have fewer."""
MIN_LINKED_LETTERS = 8
"""Letters of a link to an address of a story that is its title; a Chinese, Japanese or Korean one counts twice."""
SENTENCE = re.compile(r"[。！？।]|다\. ")
"""The end of a sentence in scripts whose sentences are as short as a byline."""
EAST_ASIAN = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af]")
BLOCKS = frozenset(
    {"li", "div", "article", "td", "tr", "dl", "p", "section", "table", "tbody", "ul", "ol", "figure"}
)
OTHER_TAGS = frozenset(
    {"aside", "nav", "footer", "select", "form", "button", "script", "style", "template", "noscript"}
)
NO_PARAGRAPHS = OTHER_TAGS | {"a", "h1", "h2", "h3", "title", "time", "label"}
ADDRESS_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)((?:19|20)\d\d)[/_.-](1[0-2]|0?[1-9])[/_.-](3[01]|[12]\d|0?[1-9])(?!\d)",
        r"(?<!\d)((?:19|20)\d\d)[/_-]?(1[0-2]|0[1-9])[/_-]?(3[01]|[12]\d|0[1-9])(?!\d)",
        r"(?<![0-9a-z])[a-z]{0,4}((?:19|20)\d\d)(1[0-2]|0[1-9])(3[01]|[12]\d|0[1-9])(?=\d{4,9}(?!\d))",
        r"(?<!\d)((?:19|20)\d\d)[/-]([a-z]{3,9})[/-](3[01]|[12]\d|0?[1-9])(?!\d)",
        r"(?<!\d)((?:19|20)\d\d)年(1[0-2]|0?[1-9])月(3[01]|[12]\d|0?[1-9])日",
        r"(?<!\d)((?:13[5-9]|14[0-3]|25[4-9])\d)/(1[0-2]|0?[1-9])/(3[01]|[12]\d|0?[1-9])(?!\d)",
        r"/(?P<d>3[01]|[12]\d|0?[1-9])-(?P<m>[a-z]{3,9})-(?P<y>(?:19|20)\d\d)/",
        r"/(?P<y>(?:19|20)\d\d)/(?P<d>3[01]|[12]\d|0?[1-9])/(?P<m>[a-z]{3,9})/",
        r"/(?P<y>\d\d)/?(?P<m>1[0-2]|0[1-9])(?P<d>3[01]|[12]\d|0[1-9])/",
    )
)
"""Days in addresses: year, month and day, by their groups' names where these are not in this order."""
YEAR_LAST_ADDRESS = re.compile(
    r"/(3[01]|[12]\d|0?[1-9])([/-])(3[01]|[12]\d|0?[1-9])\2((?:19|20)\d\d)(?![^/])"
)
ARCHIVE_STAMP = re.compile(r"^/web/\d{4,14}[a-z_]*/")
"""When the Wayback Machine captured a page, in the address of its copy."""
COUNTRY_OF_DOMAIN = {"uk": "GB", "au": "AU", "nz": "NZ", "in": "IN", "ie": "IE", "za": "ZA", "us": "US", "gov": "US",
    "ph": "PH", "sg": "SG", "my": "MY", "pk": "PK", "ng": "NG", "ke": "KE", "gh": "GH", "ca": "CA", "lk": "LK",
    "bd": "BD", "tw": "TW", "zm": "ZM", "zw": "ZW", "ug": "UG", "tz": "TZ", "jm": "JM", "tt": "TT",
    "mt": "MT"}  # fmt: skip
LANGUAGE_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2})(?![a-z]))?", re.I)


def find_publication_date(tree: HtmlElement, url: str | None, text: str, latest: str) -> str | None:
    """Return the day on which a page was published, as ISO 8601, or None.

    `text` is the article as it was extracted; `latest` the last day that it can be, that of the capture.
    """
    language, region = _read_language(tree, url)

    def parse(value: str, short_years: bool = False) -> list[str]:
        if UNIX_TIME.fullmatch(value):
            value = datetime.datetime.fromtimestamp(int(value.strip()[:10]), datetime.UTC).date().isoformat()
        days = find_dates(value, language, region, short_years)
        return [day for day in days if day <= latest and day not in EMPTY_DATES]

    for value in (*_read_json_dates(tree, url), *_read_meta_dates(tree)):
        if days := parse(value):
            return days[0]
    if day := find_address_date(url, latest, language, region):
        return day
    for shown in _find_shown_dates(tree, text):
        if days := parse(shown, short_years=True):
            return min(days)
    return None


def _read_language(tree: HtmlElement, url: str | None) -> tuple[str | None, str | None]:
    """Return the language and the country that a page states; the country also by its address."""
    root = tree.getroottree().getroot()
    stated = (
        root.get("lang") or root.get("xml:lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang")
    )
    locales = tree.xpath(
        "//meta[@property='og:locale' or @http-equiv='content-language' or @name='language']/@content"
    )
    tags = [
        match for value in (stated, *locales) if value and (match := LANGUAGE_TAG.match(str(value).strip()))
    ]
    language = tags[0][1].lower() if tags else None
    region = next((tag[2].upper() for tag in tags if tag[2]), None)
    if region is None and url:
        region = COUNTRY_OF_DOMAIN.get((urlsplit(url).hostname or "").rpartition(".")[2])
    return language, region


def _read_json_dates(tree: HtmlElement, url: str | None) -> Iterator[str]:
    """Yield the dates of the articles that JSON-LD describes; those that name this page come first."""
    own: list[str] = []
    others: list[str] = []
    loose: list[str] = []
    for script in tree.xpath("//script[contains(@type, 'ld+json')]"):
        content = script.text_content()
        if "datePublished" not in content and "dateCreated" not in content:
            continue
        try:
            data = json.loads(content, strict=False)
        except (ValueError, RecursionError):
            others.extend(JSON_DATE.findall(content)[:1])
            continue
        for thing in _walk_articles(data):
            value = next((thing[key] for key in PUBLISHED_KEYS if isinstance(thing.get(key), str)), None)
            if value is not None:
                is_article = re.search(r"Article|Posting|Report", str(thing["@type"])) is not None
                (own if url and _names_page(thing, url) else others if is_article else loose).append(value)
    yield from own
    yield from others
    yield from loose


def _walk_articles(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the articles in JSON-LD, not those that they link to."""
    if depth > 6:
        return
    if isinstance(data, list):
        for item in data:
            yield from _walk_articles(item, depth + 1)
    elif isinstance(data, dict):
        if ARTICLE_TYPE.search(str(data.get("@type", ""))):
            yield data
        for key, value in data.items():
            if key not in LINKED_KEYS and isinstance(value, dict | list):
                yield from _walk_articles(value, depth + 1)


def _names_page(thing: dict[str, Any], url: str) -> bool:
    page = thing.get("mainEntityOfPage")
    named = [thing.get("url"), thing.get("@id"), page.get("@id") if isinstance(page, dict) else page]
    path = urlsplit(url).path.strip("/")
    return any(isinstance(name, str) and path and path in name for name in named)


def _read_meta_dates(tree: HtmlElement) -> Iterator[str]:
    """Yield the dates of the elements `meta` that describe the page, the surest first."""
    stated: dict[str, str] = {}
    for meta in tree.iter("meta"):
        value = meta.get("content")
        if not value or (
            meta.get("itemprop") and any(parent.tag == "body" for parent in meta.iterancestors())
        ):
            continue
        for attribute in ("property", "name", "itemprop"):
            if name := meta.get(attribute):
                stated.setdefault(name.strip().lower(), value)
    yield from (stated[name] for name in PUBLISHED_META if name in stated)


def find_address_date(
    url: str | None, latest: str = "9999", language: str | None = None, region: str | None = None
) -> str | None:
    """Return the day in an address, /2021/03/05/, /2021/0305/, /t20210305_1.html, /210305/; None without one.

    /1399/12/15/ is Persian and /2564/03/05/ Buddhist. /05/03/2021/ is what `language` and `region` write so, the day
    first where they are None.
    """
    if not url:
        return None
    parts = urlsplit(url)
    address = ARCHIVE_STAMP.sub("/", unquote(parts.path[:2048])).lower()
    for year, month, day in _iter_address_days(address, language, region):
        stated = iso_date(year, month, day)
        days = find_dates(stated, "fa") if stated is not None and len(stated) == 10 else []
        if days and days[0] <= latest:
            return days[0]
    return None


def _iter_address_days(
    address: str, language: str | None, region: str | None
) -> Iterator[tuple[str, str, str]]:
    """Yield year, month and day of what may be a day in an address."""
    for pattern in ADDRESS_DATES:
        for match in pattern.finditer(address):
            named = match.groupdict()
            year, month, day = (named["y"], named["m"], named["d"]) if named else match.groups()
            yield (f"20{year}" if len(year) == 2 else year), month, day
    for match in YEAR_LAST_ADDRESS.finditer(address):
        first, second = int(match[1]), int(match[3])
        month_and_day = order_numbers(first, second, match[2], language, region) or (second, first)
        yield match[4], str(month_and_day[0]), str(month_and_day[1])


def _find_shown_dates(tree: HtmlElement, text: str) -> Iterator[str]:
    """Yield what may hold the date that a reader sees: microdata, then elements called dates, then short texts."""
    body = tree.find("body") if tree.tag != "body" else tree
    body = tree if body is None else body
    elements = list(body.iter())
    places = {element: at for at, element in enumerate(elements)}
    headline, first = _find_article(elements, text)
    if first is None:
        return
    article = {*first.iterancestors(), *(headline.iterancestors() if headline is not None else ())}
    for element in tree.xpath("//*[contains(@itemprop, 'datePublished') or @pubdate]"):
        if not _is_elsewhere(element, article):
            yield element.get("datetime") or element.get("content") or _read_text(element)
    near = list(_list_near(elements, places, headline, first, article))
    times = [element for element in near if element.tag == "time"]
    named = [element for element in near if element.tag != "time" and _has_name(element, DATED_NAME)]
    others = [element for element in near if element.tag != "time" and not _has_name(element, DATED_NAME)]
    for element in sorted((*times, *named), key=lambda element: _is_update(element)):
        yield next(filter(None, map(element.get, DATE_ATTRIBUTES)), "")
        yield _read_text(element)
    for element in others:
        if len(shown := _read_text(element)) <= MAX_UNNAMED_CHARACTERS and SENTENCE.search(shown) is None:
            yield shown
    for element in elements[places[first] + 1 :]:
        if element.text and PUBLISHED_WORDS.search(element.text[:80]) and not _is_elsewhere(element, article):
            yield _read_text(element)[:80]


def _find_article(elements: list[HtmlElement], text: str) -> tuple[HtmlElement | None, HtmlElement | None]:
    """Return the headline, and the element that holds the first long line of the article behind it."""
    squeezed = "".join(text.split())
    headline = first = None
    for element in elements:
        if element.tag in ("h1", "h2"):
            nearer = element.tag == "h1" or (first is None and (headline is None or headline.tag == "h2"))
            if nearer and (first is None or _is_headline(element, squeezed)):
                headline, first = element, None
        elif first is None and _begins_article(element, squeezed):
            first = element
            if headline is not None and headline.tag == "h1":
                break
    return headline, first


def _is_headline(element: HtmlElement, squeezed: str) -> bool:
    """Return whether a title is the article's, so that what seemed to be its text was a notice before it."""
    title = "".join(_read_text(element).split())
    return len(title) >= 4 and title in squeezed[: 2 * len(title) + 400]


def _begins_article(element: HtmlElement, squeezed: str) -> bool:
    if not isinstance(element.tag, str) or element.tag in NO_PARAGRAPHS:
        return False
    own = "".join((element.text or "", *(child.tail or "" for child in element)))
    start = "".join(own.split())
    if len(start) < MIN_PARAGRAPH_CHARACTERS or start[:60] not in squeezed or find_dates(own[:120]):
        return False
    return not any(parent.tag in NO_PARAGRAPHS for parent in element.iterancestors())


def _list_near(
    elements: list[HtmlElement],
    places: dict[HtmlElement, int],
    headline: HtmlElement | None,
    first: HtmlElement,
    article: set[HtmlElement],
) -> Iterator[HtmlElement]:
    """Yield the elements between the headline and the text, then those before the headline in its own block."""
    end = places[first]
    start = places[headline] if headline is not None else 0
    around = headline
    for _ in range(MAX_LEVELS_TO_HEADLINE):
        parent = None if around is None else around.getparent()
        if parent is None or parent.tag in ("body", "html"):
            break
        around = parent
    ranges = [range(start, end)]
    if headline is not None and around is not None:
        ranges.append(range(places.get(around, start), start))
    for places_of in ranges:
        for at in places_of:
            element = elements[at]
            if (
                element in article
                or not isinstance(element.tag, str)
                or element.tag in OTHER_TAGS - {"footer", "aside"}
            ):
                continue
            if len(element) <= MAX_CHILDREN and not _is_elsewhere(element, article):
                yield element


def _is_update(element: HtmlElement) -> bool:
    return any(UPDATED.search(element.get(name) or "") for name in ("class", "id", "itemprop"))


def _has_name(element: HtmlElement, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(value) for name in ("class", "id") if (value := element.get(name)))


def _is_elsewhere(element: HtmlElement, article: set[HtmlElement]) -> bool:
    """Return whether an element belongs to another story or to none: by its parents, and by links beside it.

    `article` are the elements that hold the headline or the text.
    """
    at: HtmlElement | None = element
    for level in range(12):
        if at is None or at in article or at.tag in ("body", "html", "main"):
            return False
        if at.tag in ("nav", "a", "select", "button", "template", "noscript") or (
            at.tag in ("aside", "footer") and not _has_name(at, SUBMITTED)
        ):
            return True
        if _has_name(at, OTHER_NAME) and not (level == 0 and _has_name(at, DATED_NAME)):
            return True
        if level < 3 and at.tag in BLOCKS and (_leads_elsewhere(at) or _lists_stories(at)):
            return True
        at = at.getparent()
    return False


def _lists_stories(block: HtmlElement) -> bool:
    """Return whether at least two children of a block have a link and a day each."""
    if len(block) < 2 or block.find(".//h1") is not None:
        return False
    linked = (
        child for child in block if isinstance(child.tag, str) and child.find(".//a[@href]") is not None
    )
    return sum(1 for child in islice(linked, MAX_CHILDREN) if find_dates(_read_text(child))) > 1


def _leads_elsewhere(block: HtmlElement) -> bool:
    """Return whether a block without a headline of its own has a link that is the title of a story."""
    if block.find(".//h1") is not None or len(block) > 12:
        return False
    return any(_is_title(_read_text(link), link.get("href")) for link in block.iter("a") if link.get("href"))


def _is_title(text: str, address: str) -> bool:
    """Return whether the text of a link is a story's title: nine Chinese characters, 18 letters or four words, or fewer
    where it leads to what is a story's address."""
    squeezed = "".join(text.split())
    words, letters = len(text.split()), len(squeezed)
    if len(EAST_ASIAN.findall(squeezed)) * 2 > letters:
        letters *= 2
    if letters >= 18 or (words >= MIN_TITLE_WORDS and any(map(str.isalpha, squeezed))):
        return True
    is_story = STORY_ADDRESS.search(address) is not None and PERSON_ADDRESS.search(address) is None
    return is_story and letters >= MIN_LINKED_LETTERS


def _read_text(element: HtmlElement) -> str:
    """Return the text of a small element; empty for a large one."""
    text = " ".join(" ".join(element.itertext()).split())
    return text if len(text) <= MAX_DATED_CHARACTERS else ""
