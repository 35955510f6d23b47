"""Compute one key for every spelling of a page's address, and sort addresses as crawl indexes do."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import xxhash
from numpy.typing import NDArray
from w3lib.url import canonicalize_url

from corpus.dedup.url_key import TRACKING_PARAMETERS

VERSION = 1
"""Incremented when a URL would get another key."""

MAX_URL_LENGTH = 2048
"""Longer addresses are no pages that anybody linked to by hand: 1 in 100,000 of Reddit's."""

_TRACKING = re.compile(
    rf"(?i:{TRACKING_PARAMETERS}|ref_src|ref_url|cmpid|ocid|ncid|smid|sr_share|feature|amp)(?:=.*)?|.*=(?i:amp)"
)
"""Parameters that are removed: campaigns (see corpus/dedup/url_key.py) and those that ask for the AMP page."""
_AMP_CACHE = re.compile(
    r"https?://(?:[a-z0-9-]+\.cdn\.ampproject\.org/[acvi](?P<s>/s)?/|(?:www\.)?google\.[a-z.]{2,6}/amp(?P<g>/s)?/)(?P<rest>.+)"
)
_HOST = re.compile(r"(?:www\d{0,2}|m|mobile|touch|amp)\.(?=[^.]+\.[^.])|\.m(?=\.[^.]+\.[^.]+$)")
_AMP_PATH = re.compile(r"(?<=[^/])/amp$|^/amp(?=/.)|\.amp(?=\.html$)|\.amp$")


def clean_url(url: str) -> str | None:
    """Return a submitted URL as it can be fetched: trimmed, HTML entities resolved, taken out of an AMP cache.

    None for what is no web address, or longer than `MAX_URL_LENGTH`.
    """
    url = url.strip()
    if "&amp;" in url:  # dumps of Reddit hold URLs escaped for HTML
        url = html.unescape(url)
    head = url[:8].lower()
    if not head.startswith(("http://", "https://")) or len(url) > MAX_URL_LENGTH:
        return None
    if "/amp/" in url or "ampproject.org/" in url:
        match = _AMP_CACHE.match(url)
        if match:
            url = f"http{'s' if match['s'] or match['g'] else ''}://{match['rest']}"
    return url


def key_of(url: str) -> str | None:
    """Return what all spellings of one page share: host, path and query, without scheme.

    w3lib's canonical form (lower-case host, percent-escapes, sorted query, no fragment) without default port,
    user, trailing slashes, tracking parameters, `www.`, and the marks of mobile and AMP twins
    (`m.example.org`, `en.m.wikipedia.org`, `/story/amp`, `?outputType=amp`). A key is no address: fetch the
    spelling it came from. None for what is no web address. About 9 microseconds.
    """
    cleaned = clean_url(url)
    if cleaned is None:
        return None
    try:
        canonical = canonicalize_url(cleaned)
    except (ValueError, UnicodeError):
        return None
    rest = canonical.partition("://")[2]
    rest, _, query = rest.partition("?")
    host, _, path = rest.partition("/")
    host = host.rpartition("@")[2]
    host, _, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    host = host.rstrip(".")
    if "." not in host and not host.startswith("["):
        return None
    if host[0] in "wmta" or ".m." in host:
        host = _HOST.sub("", host)
    if port not in ("", "80", "443"):
        host = f"{host}:{port}"
    path = f"/{path}".rstrip("/")
    if "amp" in path:
        path = _AMP_PATH.sub("", path).rstrip("/")
    if query:
        kept = [pair for pair in query.split("&") if pair and not _TRACKING.fullmatch(pair)]
        query = "?" + "&".join(kept) if kept else ""
    return f"{host}{path}{query}"


def hash_of(key: str) -> int:
    """Return XXH3 of a key as uint64, never 0."""
    return xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass")) or 1


def hashes_of(urls: Iterable[str | None]) -> NDArray[np.uint64]:
    """Return uint64 of the key of each URL, 0 where it has none."""
    return np.fromiter((_hash(url) if url else 0 for url in urls), np.uint64)


@lru_cache(maxsize=1 << 12)
def _hash(url: str) -> int:
    key = key_of(url)
    return hash_of(key) if key is not None else 0


def sort_key(key: str) -> str:
    """Return a key with its host reversed (`com,example)/path`): pages of a site sort together, as in crawl indexes.

    It sorts as SURT without being SURT: indexes are searched for a range around it, never for equality.
    """
    host, slash, rest = key.partition("/")
    if not slash:
        host, mark, rest = key.partition("?")
        rest = f"{mark}{rest}"
    host, colon, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    name = (
        host
        if host.startswith("[") or host.replace(".", "").isdigit()
        else ",".join(reversed(host.split(".")))
    )
    return f"{name}{colon}{port})/{rest}"
