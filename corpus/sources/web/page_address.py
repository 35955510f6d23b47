"""Find the address of a page that lies on disk: what it says of itself, or where a tool saved it from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

from corpus.formats.encodings import decode, find_wide_codec
from corpus.groups import registered_domain

MAX_HEAD = 1 << 20
"""Bytes of a page in which its head is looked for."""
HINT = re.compile(rb"canonical|og:url|saved from url|HTTrack|SingleFile", re.IGNORECASE)
BODY = re.compile(r"<body\b", re.IGNORECASE)
NO_MARKUP = re.compile(
    r"<!--.*?-->|<(script|style|noscript|template)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
TAG = re.compile(r"""<(link|meta|base)\b((?:"[^"]*"|'[^']*'|[^>"'])*)>""", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
SAVED_FROM = re.compile(
    r"<!--\s*saved from url=\(\d+\)(?P<browser>\S+?)\s*-->"
    r"|<!--\s*Mirrored from (?P<httrack>\S+) by HTTrack"
    r"|<!--\s*Page saved with SingleFile\s*url:\s*(?P<singlefile>\S+)",
    re.IGNORECASE,
)
FRONT_NAME = re.compile(r"(?:^|/)(?:index|default|home)?(?:\.\w+)?$", re.IGNORECASE)


def find_page_address(
    page: bytes | str, charset: str | None = None, by_path: str | None = None
) -> str | None:
    """Return the address of a page: its own, else the one that it was saved from, else `by_path`.

    Its own (canonical, `og:url`) counts if it is of the site of the others, where there are others; the front page of
    a site, which some sites call the address of all their pages, only for a page whose path is that of one.
    """
    saved, declared = _read_statements(page, charset)
    known = saved or by_path
    for address in declared:
        target = _resolve(address, known)
        if target is None or (known is not None and registered_domain(target) != registered_domain(known)):
            continue
        if urlsplit(target).path.strip("/") or urlsplit(target).query or _is_front(known):
            return target
    return known


def _read_statements(page: bytes | str, charset: str | None) -> tuple[str | None, list[str]]:
    """Return where a page was saved from, and the addresses that it states, the canonical one first."""
    if isinstance(page, bytes):
        if find_wide_codec(page) is None and HINT.search(page, 0, MAX_HEAD) is None:
            return None, []
        head = decode(page[:MAX_HEAD], charset, html=True)[0]
    else:
        head = page[:MAX_HEAD]
    saved = SAVED_FROM.search(head)
    origin = unescape(saved[saved.lastgroup or 0]) if saved is not None else None
    if origin is not None and saved is not None and saved.lastgroup == "httrack":
        origin = f"http://{origin}"
    head = NO_MARKUP.sub("", head)
    body = BODY.search(head)
    base, canonical, shared = "", [], []
    for name, attributes in _list_tags(head[: body.start()] if body is not None else head):
        if name == "base":
            base = base or attributes.get("href", "")
        elif name == "link" and "canonical" in attributes.get("rel", "").lower().split():
            canonical.append(attributes.get("href", ""))
        elif name == "meta" and "og:url" in (attributes.get("property"), attributes.get("name")):
            shared.append(attributes.get("content", ""))
    stated = [address.strip() for address in (*canonical, *shared) if address.strip()]
    return _resolve(origin, None) if origin else None, [_join(base, address) for address in stated]


def _list_tags(head: str) -> Iterator[tuple[str, dict[str, str]]]:
    for tag in TAG.finditer(head):
        yield (
            tag[1].lower(),
            {
                each[1].lower(): unescape(each[2] or each[3] or each[4] or "")
                for each in ATTRIBUTE.finditer(tag[2])
            },
        )


def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _resolve(address: str, base: str | None) -> str | None:
    """Return an address of the web, made absolute; None where it is none."""
    try:
        target = urljoin(base, address) if base is not None else address
        parts = urlsplit(f"https:{target}" if target.startswith("//") else target)
    except ValueError:
        return None
    is_whole = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"\s", target)
    return parts.geturl() if is_whole else None


def _is_front(address: str | None) -> bool:
    return address is not None and FRONT_NAME.search(urlsplit(address).path) is not None
