"""URLs: a gate that stops a page before it is extracted, and signals of its address.

The lists are in manifests/urls.yaml. The gate stops pages that no corpus wants and addresses that are no public web
page; it uses the address alone and costs about 10 us.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit

from corpus.data import data_path
from corpus.errors import UserError
from corpus.filters.filter import NOT_MEASURED, Filter, FunctionFilter
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint
from corpus.text.page import Page
from corpus.web.block_lists.address_lists import AddressLists
from corpus.web.block_lists.layouts import normalize_host

STEP = "url"
VERSION = 1
MIN_SOFT_WORDS = 2
"""Number of different soft words from which the gate stops a page."""
GATES = ("url.scheme", "url.host", "url.block", "url.domain", "url.word", "url.soft_words")
SIGNALS = (
    "url.length",
    "url.depth",
    "url.parameters",
    "url.digits",
    "url.hyphens",
    "url.hard_words",
    "url.soft_words",
)

_WORD = re.compile(r"[^\W\d_]+")
_SPACELESS = re.compile(r"[฀-๿぀-ヿ㐀-鿿]")


@dataclass(frozen=True, kw_only=True)
class UrlLists:
    """The lists of manifests/urls.yaml; `*_inside` are the words that also match within a longer run of letters."""

    schemes: frozenset[str]
    private_hosts: frozenset[str]
    domains: frozenset[str]
    hard: frozenset[str]
    hard_inside: tuple[str, ...]
    soft: frozenset[str]
    soft_inside: tuple[str, ...]
    host_parts: tuple[str, ...]
    host_exceptions: tuple[str, ...]
    identity: str


@cache
def read_url_lists() -> UrlLists:
    """Read the lists, once a process. Raises UserError if the file is malformed."""
    path = data_path("urls.yaml")
    data, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    try:
        hard, soft = (
            {word for words in data[key].values() for word in words.split()}
            for key in ("hard_words", "soft_words")
        )
        return UrlLists(
            schemes=frozenset(data["schemes"]),
            private_hosts=frozenset(data["private_hosts"]),
            domains=frozenset(data["domains"].split()),
            hard=frozenset(hard),
            hard_inside=tuple(sorted(filter(_SPACELESS.search, hard))),
            soft=frozenset(soft),
            soft_inside=tuple(sorted(filter(_SPACELESS.search, soft))),
            host_parts=tuple(data["host_parts"]),
            host_exceptions=tuple(data["host_exceptions"]),
            identity=fingerprint(data),
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: not as expected: {error}") from None


def find_url_gate(url: str, lists: AddressLists | None = None) -> str | None:
    """Return the gate that stops a page at this address (one of `GATES`), or None; `lists` are the user's own."""
    known = read_url_lists()
    parts = _split_url(url)
    if parts is None:
        return "url.host"
    if parts.scheme.lower() not in known.schemes:
        return "url.scheme"
    host = _read_host(parts)
    if not _is_public(host, known):
        return "url.host"
    if lists is not None:
        place = normalize_host(host) or host
        if lists.allow.has(place, parts.path):
            return None
        if lists.block.has(place, parts.path):
            return "url.block"
    if any(domain in known.domains for domain in _generate_domains(host)):
        return "url.domain"
    hard, soft = _count_words(parts, host, known)
    if hard:
        return "url.word"
    return "url.soft_words" if soft >= MIN_SOFT_WORDS else None


def measure(page: Page) -> tuple[float, ...]:
    """Return characters; path segments; parameters; digits and hyphens per character; different hard and soft
    words. Not measured if there is no URL, or none that can be parsed."""
    parts = _split_url(page.url) if page.url else None
    if page.url is None or parts is None:
        return (NOT_MEASURED,) * len(SIGNALS)
    hard, soft = _count_words(parts, _read_host(parts), read_url_lists())
    length = len(page.url) or 1
    return (
        len(page.url),
        sum(1 for name in parts.path.split("/") if name),
        sum(1 for pair in parts.query.split("&") if pair),
        sum(map(str.isdigit, page.url)) / length,
        page.url.count("-") / length,
        hard,
        soft,
    )


def _split_url(url: str) -> SplitResult | None:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return None


def _read_host(parts: SplitResult) -> str:
    """Return the host name in lower case, internationalized names decoded."""
    host = (parts.hostname or "").rstrip(".")
    if "xn--" in host:
        try:
            return host.encode("ascii").decode("idna")
        except UnicodeError:
            return host
    return host


def _is_public(host: str, known: UrlLists) -> bool:
    if ":" in host or host[-1:].isdecimal():  # else it is no number: ten times as fast as an error
        try:
            return ipaddress.ip_address(host).is_global
        except ValueError:
            pass
    return "." in host and host.rpartition(".")[2] not in known.private_hosts


def _generate_domains(host: str) -> Iterator[str]:
    """Yield `a.b.c`, `b.c`, `c`."""
    while host:
        yield host
        host = host.partition(".")[2]


def _count_words(parts: SplitResult, host: str, known: UrlLists) -> tuple[int, int]:
    """Count the different hard and soft words in an address."""
    text = unquote(f"{host} {parts.path} {parts.query}").lower()
    words = set(_WORD.findall(text))
    hard, soft = words & known.hard, words & known.soft
    if _SPACELESS.search(text):
        hard.update(word for word in known.hard_inside if word in text)
        soft.update(word for word in known.soft_inside if word in text)
    if not any(name in host for name in known.host_exceptions):
        hard.update(part for part in known.host_parts if part in host)
    return len(hard), len(soft)


def create() -> Filter:
    return FunctionFilter(
        step=STEP,
        version=VERSION,
        signals=SIGNALS,
        measure=measure,
        find_parameters=lambda: {"lists": read_url_lists().identity},
    )
