"""Read lists of addresses in the layouts that people have: plain domains, UT1, hosts, Adblock, dnsmasq, Unbound, RPZ.

Each line is told by itself, so that a list of mixed layouts is read as well. A line gives keys:

    example.org          the host and all hosts below it
    example.org/path     pages below a path of that host and of hosts below it

Lists made for name servers and browsers also hold what says nothing about a whole page (parts of pages, patterns,
addresses of name servers): those lines are counted by reason, with the first of each.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

MAX_LINE_LENGTH = 4096
SINKS = frozenset(["0.0.0.0", "0", "127.0.0.1", "127.1", "::", "::0", "::1"])
"""Addresses that lists in the layout of hosts send names to."""

_PLAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*[a-z0-9]")
_HOST = re.compile(r"[^\W](?:[\w-]*\w)?(?:\.[\w-]+)*\.?")
_COMMENT = re.compile(r"\s+(?:#|;|!\s).*$")
_DNSMASQ = re.compile(r"(?P<verb>address|local|server|ipset|nftset)=/(?P<hosts>.*)/(?P<value>[^/]*)$")
_UNBOUND = re.compile(r'local-zone:\s*"?(?P<host>[^"\s]+)"?\s+"?(?P<kind>[a-z_]+)')
_UNBOUND_DATA = re.compile(r'local-data:\s*[\'"](?P<host>\S+)\s.*?\bA{1,4}\s+(?P<address>\S+?)[\'"]?$')
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
    """What the lines of a list gave: how many keys, and lines left out by reason, with the first of each."""

    keys: int = 0
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)

    def leave_out(self, reason: str, line: str) -> None:
        count, first = self.left_out.get(reason, (0, line[:120]))
        self.left_out[reason] = (count + 1, first)


def read_keys(lines: Iterable[bytes], report: ListReport) -> Iterator[Key]:
    """Yield the keys of a list's lines, in order, repeated ones too; count them and what is left out in `report`."""
    for line in lines:
        text = line.decode("utf-8", "replace").strip("\ufeff \t\r\n\f\v\0")
        if _PLAIN.fullmatch(text) and "xn--" not in text:
            report.keys += 1
            yield Key(text)
            continue
        if not text or text[0] in "!;" or (text[0] == "#" and not text.startswith("##")):
            continue
        if text.startswith(("//", "[Adblock", "[uBlock", "[AdGuard")) or len(text) > MAX_LINE_LENGTH:
            if len(text) > MAX_LINE_LENGTH:
                report.leave_out("too long for an address", text)
            continue
        for key in _read_line(text):
            if isinstance(key, Key):
                report.keys += 1
                yield key
            else:
                report.leave_out(key, text)


def _read_line(text: str) -> list[Key | str]:
    """Return the keys of a line that is no comment, or the reason that it has none."""
    if text.startswith(("@@", "|")) or "^" in text or _COSMETIC.search(text):
        return [_read_adblock(text)]
    if text.startswith("/"):
        return ["a pattern"]
    text = _COMMENT.sub("", text)
    if match := _DNSMASQ.match(text):
        if match["verb"] not in ("address", "local", "server") or (
            match["verb"] == "server" and match["value"]
        ):
            return ["a setting of a name server"]
        return [_to_key(host) for host in match["hosts"].split("/") if host]
    if match := _UNBOUND.match(text):
        return ["a setting of a name server" if match["kind"] == "transparent" else _to_key(match["host"])]
    if match := _UNBOUND_DATA.match(text):
        return [_to_key(match["host"]) if match["address"] in SINKS else "a name with an address of its own"]
    if match := _ZONE.fullmatch(text):
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
    text = text.strip("'\"")
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() not in ("http", "https"):
            return "neither a domain nor an address"
        text = rest
    name, slash, path = text.partition("/")
    host = normalize_host(name.removeprefix("*.").removeprefix("."))
    if host is None:
        return "neither a domain nor an address"
    if "." not in host and ":" not in host and not (may_be_top_level and len(host) > 1):
        return "a name without a domain"
    return Key(host + normalize_path(path)) if slash and path else Key(host)


def normalize_host(host: str) -> str | None:
    """Return a host name in lower case without user, port and final dot, internationalized names decoded; None for
    what cannot be one. IP addresses are written as their standard says."""
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
            host = host.encode("ascii").decode("idna")
        except UnicodeError:
            return None
    if not _HOST.fullmatch(host) or ".." in host or len(host) > 253:
        return None
    return host


def normalize_path(path: str) -> str:
    """Return `/path` as addresses are compared: percent-escapes resolved, without query, fragment, final slashes."""
    path = path.partition("#")[0].partition("?")[0]
    if "%" in path:
        path = unquote(path)
    path = path.rstrip("/")
    return f"/{path}" if path else ""
