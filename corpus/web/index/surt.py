"""Compute the key by which crawl indexes sort an address: its SURT, as the tools of web archives canonicalize it.

`https://www.Example.org/a//b/?z=1&y` becomes `org,example)/a/b?y&z=1`. What is escaped is unescaped, however often, and
what a key may not have is escaped again; all is in lower case. Session ids are taken out, of a query where its
parameters end like one, too.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_WWW = re.compile(r"^www\d*\.")
_SESSION_FOLDER = re.compile(rb"/(?:\((?:[a-z]\([0-9a-z]{24}\))+\)|\([0-9a-z]{24}\))(?=/[^?]*\.aspx)")
_SESSION_PARAMETER = re.compile(
    rb"(?:(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}|aspsessionid[a-z]{8}=[a-z]{24}|cfid=[^&]+&cftoken=[^&]+)(?:&|$)"
)
_SLASHES = re.compile(rb"/{2,}")
_PORT = re.compile(r":(\d+)$")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def surt_of(url: str, host: str) -> bytes:
    """Return the SURT of a web address; `host` is its host in ASCII and lower case, without user, port and last dot."""
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("#")[0].partition("?")
    authority, slash, path = before.partition("/")
    name = _reverse(_WWW.sub("", host, count=1))
    port = _PORT.search(authority)
    if port is not None and port[1] != _DEFAULT_PORTS.get(scheme.lower()):
        name += port[0]
    key = name.encode() + b")" + _canonicalize_path(slash + path)
    parameters = _canonicalize_query(query)
    return key + b"?" + parameters if parameters else key


def _reverse(host: str) -> str:
    """Return a host with its names, or numbers, from the end to the beginning."""
    if host.startswith("["):
        return host[1:-1]
    return ",".join(reversed(host.split(".")))


def _canonicalize_path(path: str) -> bytes:
    raw = _unescape(path)
    kept: list[bytes] = []
    for piece in _SLASHES.sub(b"/", raw).split(b"/"):
        if piece == b".." and len(kept) > 1 and kept[-1] != b"..":
            kept.pop()
        elif piece != b".":
            kept.append(piece)
    whole = escape(b"/".join(kept))
    return _SESSION_FOLDER.sub(b"", whole).rstrip(b"/") or b"/"


def _canonicalize_query(query: str) -> bytes:
    parameters = _SESSION_PARAMETER.sub(b"", escape(_unescape(query)), count=1)
    return b"&".join(sorted(parameters.split(b"&")))


def _unescape(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    while (plain := unquote_to_bytes(raw)) != raw:
        raw = plain
    return raw


def escape(raw: bytes) -> bytes:
    """Return bytes with controls, blanks, `#`, `%` and what is not ASCII escaped, and all in lower case."""
    return b"".join(
        [b"%%%02x" % code if code <= 0x20 or code >= 0x7F or code in b"#%" else bytes([code]) for code in raw]
    ).lower()
