"""Read lists of addresses in the layouts that people have: plain domains, UT1, hosts, Adblock, dnsmasq, Unbound, RPZ,
and rules of proxies.

Each line is told by itself, so that a list of mixed layouts is read as well. A line gives keys:

    example.org          the host and all hosts below it
    example.org/path     pages below a path of that host and of hosts below it

Lists made for name servers and browsers also hold what says nothing about a whole page (parts of pages, patterns,
addresses of name servers): those lines are counted by reason, with the first of each and its place.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import NamedTuple
from urllib.parse import unquote

from corpus.groups import list_public_suffixes

MAX_LINE_LENGTH = 4096
MAX_HOST_LENGTH = 253
SINKS = frozenset(["0.0.0.0", "0", "127.0.0.1", "127.1", "::", "::0", "::1"])
"""Addresses that lists in the layout of hosts send names to."""

_PLAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*[a-z0-9]")
_HOST = re.compile(r"[^\W](?:[\w-]*\w)?(?:\.[\w-]+)*\.?")
_COMMENT = re.compile(r"\s+(?:#|;|!\s|//).*$")
_DNSMASQ = re.compile(r"(?P<verb>address|local|server|ipset|nftset)=/(?P<hosts>.*)/(?P<value>[^/]*)$")
_UNBOUND = re.compile(r"local-zone:\s*[\"']?(?P<host>[^\"'\s]+)[\"']?\s+[\"']?(?P<kind>[a-z_]+)")
_UNBOUND_DATA = re.compile(r"local-data:\s*[\"']?(?P<host>[^\"'\s]+)\s(?P<rest>[^\"']*)")
_BIND = re.compile(r"zone\s+\"(?P<host>[^\"\s]+)\"(?:\s+IN)?\s*\{", re.IGNORECASE)
_PROXY = re.compile(
    r"(?:-\s+)?[\"']?(?:(?:DOMAIN(?:-SUFFIX)?|HOST(?:-SUFFIX)?)\s*,\s*|(?:domain|full):|\+\.)(?P<host>[^,\"'\s@]+)",
    re.IGNORECASE,
)
"""Rules of Clash, Surge, Quantumult and V2Ray."""
_PROXY_OTHER = re.compile(r"(?:-\s+)?[\"']?(?:[A-Z][A-Z0-9-]{2,20}\s*,|(?:regexp|keyword|include|geosite):)")
_RPZ_OTHER = re.compile(r"\.?rpz-(?:ip|client-ip|nsip|nsdname)\b")
_RPZ_ADDRESS = re.compile(r"32\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.rpz-ip\Z")
_DEFANGED = re.compile(r"hxxp(?=s?://)|\[\.\]", re.IGNORECASE)
_NO_ADDRESSES = frozenset(["", "#", "null", "NXDOMAIN"])
_ZONE = re.compile(r"(?P<host>\S+)\s+(?:\d+\s+)?(?:IN\s+)?CNAME\s+(?P<target>\S+)", re.IGNORECASE)
_ZONE_OTHER = re.compile(r"\$|@?\s*(?:\d+\s+)?(?:IN\s+)?(?:SOA|NS)\s|[()]|\d+\s*;", re.IGNORECASE)
_COSMETIC = re.compile(r"#[@?$%]{0,3}#|#@?[?$%]|\$\$|\$@\$")
_WHOLE_PAGE_OPTIONS = frozenset(["document", "doc", "all", "important", "popup", "match-case"])
"""Options of Adblock rules with which a rule still stops a page as a whole."""


class Key(NamedTuple):
    """A host, or a host with a path, and whether the line excepts it from being stopped."""

    text: str
    is_exception: bool = False


@dataclass
class ListReport:
    """What the lines of a list gave: how many keys, and lines left out by reason, with the place of the first."""

    keys: int = 0
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)

    def leave_out(self, reason: str, line: str, place: str) -> None:
        known = self.left_out.get(reason)
        self.left_out[reason] = (known[0] + 1, known[1]) if known else (1, f"{place}: {line[:120]!r}")


def read_keys(lines: Iterable[bytes], report: ListReport, name: str = "") -> Iterator[Key]:
    """Yield the keys of a file's lines, in order, repeated ones too; count them and what is left out in `report`.

    `name` is that of the file among several. In a list that says that it is one of Adblock's, bare words are parts of
    addresses, not domains.
    """
    suffixes, is_adblock = list_icann_suffixes(), False
    for number, line in enumerate(_decode_lines(lines), 1):
        text = line.strip("\ufeff \t\r\n\f\v\0")
        if not is_adblock and _PLAIN.fullmatch(text) and "xn--" not in text and text not in suffixes:
            report.keys += 1
            yield Key(text)
            continue
        if not text or text[0] in "!;" or (text[0] == "#" and not text.startswith("##")):
            continue
        place = f"{name}:{number}" if name else f"line {number}"
        if len(text) > MAX_LINE_LENGTH:
            report.leave_out("too long for an address", text, place)
            continue
        if text.startswith(("//", "[Adblock", "[uBlock", "[AdGuard")):
            is_adblock = is_adblock or text.startswith("[")
            continue
        for key in _read_line(text, is_adblock):
            if isinstance(key, Key):
                report.keys += 1
                yield key
            else:
                report.leave_out(key, text, place)


def _decode_lines(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield lines as text, of UTF-8 or UTF-16, whatever their ends."""
    lines = iter(lines)
    first = next(lines, b"")
    wide = _find_wide_codec(first)
    if wide is not None:
        yield from b"".join([first, *lines]).decode(wide, "replace").splitlines()
        return
    for line in chain([first], lines):
        if b"\r" in line and b"\r" in line.rstrip(b"\r\n"):
            yield from line.decode("utf-8", "replace").split("\r")
        else:
            yield line.decode("utf-8", "replace")


def _find_wide_codec(opening: bytes) -> str | None:
    """Return the codec of UTF-16 by its mark, or by the zeros of its first letters; None for anything else."""
    if opening.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if len(opening) >= 4 and opening[1] == opening[3] == 0 and opening[0] and opening[2]:
        return "utf-16-le"
    if len(opening) >= 4 and opening[0] == opening[2] == 0 and opening[1] and opening[3]:
        return "utf-16-be"
    return None


@cache
def list_icann_suffixes() -> frozenset[str]:
    """Return the public suffixes below which anybody registers names, such as `co.uk`, their own names not included."""
    return frozenset(suffix for suffix in list_public_suffixes() if "." in suffix and suffix[0] not in "*!")


def _read_line(text: str, is_adblock: bool) -> list[Key | str]:
    """Return the keys of a line that is no comment, or the reason that it has none."""
    if text.startswith(("@@", "|")) or "^" in text or _COSMETIC.search(text):
        return [_read_adblock(text)]
    if text.startswith("/") or is_adblock:
        return ["about parts of pages" if "$" in text else "a pattern"]
    if match := _PROXY.match(text):
        return [_to_key(match["host"], may_be_top_level=True)]
    if _PROXY_OTHER.match(text):
        return ["a pattern"]
    text = _COMMENT.sub("", text).removeprefix("- ")
    if match := _DNSMASQ.match(text):
        if match["verb"] not in ("address", "local", "server") or (
            match["verb"] == "server" and match["value"]
        ):
            return ["a setting of a name server"]
        if match["value"] not in SINKS | _NO_ADDRESSES:
            return ["a name with an address of its own"]
        return [_to_key(host) for host in match["hosts"].split("/") if host]
    if match := _UNBOUND.match(text):
        return ["a setting of a name server" if "transparent" in match["kind"] else _to_key(match["host"])]
    if match := _UNBOUND_DATA.match(text):
        is_sink = SINKS.issuperset(match["rest"].split()[-1:])
        return [_to_key(match["host"]) if is_sink else "a name with an address of its own"]
    if match := _BIND.match(text):
        return [_to_key(match["host"])]
    if match := _ZONE.fullmatch(text):
        if _RPZ_OTHER.search(match["host"]):
            address = _RPZ_ADDRESS.match(match["host"])
            return [_to_key(".".join(address.groups()[::-1])) if address else "a setting of a name server"]
        key = _to_key(match["host"])
        passes = match["target"].lower().startswith("rpz-passthru")
        return [key._replace(is_exception=passes) if isinstance(key, Key) else key]
    if _ZONE_OTHER.match(text) or text.endswith(":") or text.startswith("server:"):
        return ["a setting of a name server"]
    words = text.split()
    if len(words) > 1 and _is_address(words[0]):
        if words[0] not in SINKS:
            return ["a name with an address of its own"]
        return [_to_key(word) for word in words[1:]]
    if len(words) > 1:
        return ["neither a domain nor an address"]
    return [_to_key(words[0])]


def _read_adblock(text: str) -> Key | str:
    """Return the key of an Adblock rule, or why it says nothing about whole pages."""
    is_exception = text.startswith("@@")
    rule = text.removeprefix("@@")
    if _COSMETIC.search(rule):
        return "about parts of pages"
    rule, dollar, options = rule.partition("$")
    if dollar and not {each.strip() for each in options.split(",")} <= _WHOLE_PAGE_OPTIONS:
        return "about parts of pages"
    if not rule.startswith("|"):
        key = _to_key(rule.removesuffix("^"))
        return key._replace(is_exception=is_exception) if isinstance(key, Key) else "a pattern"
    rule = rule.lstrip("|").rstrip("|").removesuffix("^").removesuffix("/*")
    if "*" in rule.removeprefix("*.") or "^" in rule:
        return "a pattern"
    key = _to_key(rule, may_be_top_level=True)
    return key._replace(is_exception=is_exception) if isinstance(key, Key) else key


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text in SINKS
    return True


def _to_key(text: str, may_be_top_level: bool = False) -> Key | str:
    """Return the key of a host or an address, or why there is none."""
    text = _DEFANGED.sub(lambda match: "." if match[0] == "[.]" else "http", text.strip("'\""))
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() not in ("http", "https"):
            return "neither a domain nor an address"
        text = rest
    name, slash, path = text.partition("/")
    if not slash:
        name = name.partition("?")[0].partition("#")[0]
    host = normalize_host(name.removeprefix("*.").removeprefix("."))
    if host is None:
        return "neither a domain nor an address"
    if "." not in host and ":" not in host and not (may_be_top_level and len(host) > 1):
        return "a name without a domain"
    if not may_be_top_level and not path and host in list_icann_suffixes():
        return "a public suffix"
    if path.isdigit() and (":" in host or host.rpartition(".")[2].isdigit()):
        return Key(host) if path in ("32", "128") else "a network of addresses"
    return Key(host + normalize_path(path)) if slash and path else Key(host)


def normalize_host(host: str) -> str | None:
    """Return a host name in lower case without user, port and final dot, internationalized names decoded; None for
    what cannot be one. IP addresses are written as their standard says."""
    if _PLAIN.fullmatch(host) and "xn--" not in host and len(host) <= MAX_HOST_LENGTH:
        return host
    host = host.rpartition("@")[2].lower()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        if port and not port.isdigit():
            return None
    host = host.rstrip(".")
    if ":" in host or host.replace(".", "").isdigit():
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            return None
    if "xn--" in host:
        try:
            host = ".".join(_decode_label(label) for label in host.split("."))
        except UnicodeError:
            return None
    if not host.isascii():
        host = unicodedata.normalize("NFKC", host.replace("。", ".")).lower().rstrip(".")
    if not _HOST.fullmatch(host) or ".." in host or len(host) > MAX_HOST_LENGTH:
        return None
    return host


def _decode_label(label: str) -> str:
    """Return a label of an internationalized name as it is read. Raises UnicodeError if it is none."""
    if not label.startswith("xn--"):
        return label
    decoded = label[4:].encode().decode("punycode")
    if decoded.isascii() or not decoded:
        raise UnicodeError(label)
    return decoded


def normalize_path(path: str) -> str:
    """Return `/path` as addresses are compared: percent-escapes resolved, without query, fragment, final slashes."""
    path = path.partition("#")[0].partition("?")[0]
    if "%" in path:
        path = unquote(path)
    path = path.rstrip("/")
    return f"/{path}" if path else ""
