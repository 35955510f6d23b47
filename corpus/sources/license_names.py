"""Give licences their SPDX names: those that packages, tables and files of other makers state."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from corpus.data import data_path
from corpus.extract.books.gutenberg import PUBLIC_DOMAIN
from corpus.extract.creative_commons import find_cc_license, states_public_domain
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint

PROPRIETARY = "LicenseRef-Proprietary"
UNKNOWN_LICENSE = "unknown"
"""Stands for files without a known licence in allow and deny lists."""
SPDX_HEAD_BYTES = 4096
"""Bytes of a file that are searched for its SPDX line."""
_IGNORED_BY_REUSE = re.compile(rb"REUSE-IgnoreStart.*?(?:REUSE-IgnoreEnd|\Z)", re.DOTALL)
_SPDX = re.compile(rb"SPDX-License-Identifier:[ \t]*([A-Za-z0-9(][A-Za-z0-9.+() -]{0,200})")
_TOKEN = re.compile(r"[()]|[A-Za-z0-9.+:-]+")
_CC_NAME = re.compile(
    r"cc[ -_]?by(?:[-_ ](?:nc|nd|sa))*(?:[-_ ]\d\.\d)?(?:[-_ ][a-z]{2,3})?|cc[ -_]?0(?:[-_ ]1\.0)?",
    re.IGNORECASE,
)
_GNU_NAME = re.compile(
    r"(?:the )?(?:gnu[ -]?)?"
    r"(?:(?P<letter>[al])?gpl|(?:(?P<kind>affero|lesser|library) )?general public licen[sc]e"
    r"(?: \((?P<short>[al])?gpl\))?)"
    r"(?:[ ,(-]*(?:version|v\.?|>=)? ?(?P<number>[1-3](?:\.[01])?)\)?"
    r"(?P<later> ?\+|[ ,(-]*or[ -](?:later|any later version|newer)\)?)?(?:[ -]only)?)?",
    re.IGNORECASE,
)
"""A GNU licence as people write it: GPLv3+, LGPL 2.1, GNU General Public License v3 or later."""
_ALIKE = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class LicenseLists:
    """manifests/code/licenses.yaml."""

    sets: Mapping[str, frozenset[str]]
    names: Mapping[str, str]
    former: Mapping[str, str]
    restrictions: re.Pattern[str]
    identity: str


@cache
def license_lists() -> LicenseLists:
    path = data_path("code", "licenses.yaml")
    data: Any = load_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    return LicenseLists(
        sets={name: frozenset(words.split()) for name, words in data["sets"].items()},
        names=data["names"],
        former={name.casefold(): current for name, current in data["former"].items()},
        restrictions=re.compile(data["restrictions"]),
        identity=fingerprint(data),
    )


Judge = Callable[[str, str | None], bool]
"""Says whether a licence is allowed, with the exception that goes with it (`WITH LLVM-exception`), or None."""


class LicenseExpression:
    """An SPDX licence expression. Raises ValueError where it is none."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        if not self.tokens or _TOKEN.sub("", text).strip() or len(self.tokens) > 100:
            raise ValueError("not a licence expression")

    def evaluate(self, allowed: Judge) -> bool:
        self.at = 0
        result = self._any(allowed)
        if self.at < len(self.tokens):
            raise ValueError("not a licence expression")
        return result

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _any(self, allowed: Judge) -> bool:
        result = self._all(allowed)
        while self._next().upper() == "OR":
            self.at += 1
            result = self._all(allowed) or result
        return result

    def _all(self, allowed: Judge) -> bool:
        result = self._one(allowed)
        while self._next().upper() == "AND":
            self.at += 1
            result = self._one(allowed) and result
        return result

    def _one(self, allowed: Judge) -> bool:
        token = self._next()
        self.at += 1
        if token == "(":
            result = self._any(allowed)
            if self._next() != ")":
                raise ValueError("a bracket is not closed")
            self.at += 1
            return result
        if token.upper() in ("", ")", "AND", "OR", "WITH"):
            raise ValueError("a licence is wanted")
        exception = None
        if self._next().upper() == "WITH":
            self.at += 1
            exception = self._next()
            if exception.upper() in ("", "(", ")", "AND", "OR", "WITH"):
                raise ValueError("an exception is wanted")
            self.at += 1
        return allowed(token, exception)


def is_expression(text: str) -> bool:
    """Return whether a text has the form of an SPDX licence expression."""
    try:
        LicenseExpression(text).evaluate(lambda name, exception: True)
    except ValueError:
        return False
    return True


def normalize_license(declared: str | None) -> str | None:
    """Return the licence that a package declares as an SPDX expression; None where it is none."""
    if not declared or len(declared) > 200:
        return None
    text = (
        " ".join(declared.split()).strip("()")
        if declared.count("(") != declared.count(")")
        else declared.strip()
    )
    known = license_lists().names.get(text.lower()) or find_gnu_name(" ".join(text.split()))
    if known:
        return known
    text = text.replace("/", " OR ")
    if not is_expression(text) or (" " in text and not re.search(r" (?:OR|AND|WITH) ", text)):
        return None
    return _TOKEN.sub(lambda word: find_gnu_name(word[0]) or word[0], text)


@lru_cache(maxsize=1024)
def find_gnu_name(stated: str) -> str | None:
    """Return the SPDX name of a GNU licence that is written differently (`GPLv3+`); None for any other, and for names
    that SPDX's list has. Without a version, any that was published may be chosen."""
    match = _GNU_NAME.fullmatch(stated)
    if match is None or _is_spdx_name(stated):
        return None
    kind = (match["letter"] or match["kind"] or match["short"] or "")[:1].upper()
    if match["number"] is None:
        return {"": "GPL-1.0-or-later", "L": "LGPL-2.0-or-later", "A": "AGPL-3.0-or-later"}[kind]
    number = match["number"] if "." in match["number"] else f"{match['number']}.0"
    is_later = match["later"] is not None or ">=" in stated
    return f"{kind}GPL-{number}-{'or-later' if is_later else 'only'}"


@lru_cache(maxsize=4096)
def find_spdx_name(stated: str) -> str | None:
    """Return the SPDX name of a licence as a table states it: an identifier in any case, an expression of them, a
    common name, the address or words of a Creative Commons licence, public domain; None for anything else."""
    text = stated.strip()
    identifiers = list_identifiers()
    words = set(_TOKEN.findall(text)) - {"(", ")"}
    if re.fullmatch(r"[\w.+-]+", text) and text.casefold() in identifiers:
        return identifiers[text.casefold()]
    if len(words) > 1 and is_expression(text):
        names = [word for word in words if word.upper() not in ("AND", "OR", "WITH")]
        if all(word.casefold() in identifiers for word in names):
            return _TOKEN.sub(lambda match: identifiers.get(match[0].casefold(), match[0]), text)
    known = license_lists().names.get(_ALIKE.sub(" ", text.lower())) or license_lists().names.get(
        text.lower()
    )
    if known is not None:
        return known if known != "CC0-1.0" or "public" not in text.lower() else PUBLIC_DOMAIN
    if _CC_NAME.fullmatch(text):
        name = _ALIKE.sub("-", text.upper())
        return "CC0-1.0" if re.fullmatch(r"CC-?0.*", name) else name
    creative = find_cc_license(text)
    if creative is not None:
        return creative
    return PUBLIC_DOMAIN if states_public_domain(text) else None


@cache
def list_identifiers() -> dict[str, str]:
    """Return the identifiers of the sets of licences by their forms in lower case."""
    return {name.casefold(): name for names in license_lists().sets.values() for name in sorted(names)}


def check_wanted_name(name: str) -> str:
    """Return a name of a list of wanted or unwanted licences: a set, `all`, `unknown`, or an SPDX identifier in any
    case. Raises ValueError with what was meant for any other, which would match nothing."""
    identifiers = list_identifiers()
    words = [*license_lists().sets, "all", UNKNOWN_LICENSE]
    if name in words or name.casefold() in identifiers or _is_spdx_name(name):
        return name
    by_lower = {**identifiers, **{word: word for word in words}}
    stated = find_spdx_name(name)
    if stated is not None and " " in stated:
        advice = "name each licence by itself"
    elif stated is not None:
        advice = f"did you mean {stated}?"
    else:
        near = difflib.get_close_matches(name.casefold(), sorted(by_lower), 3, 0.6)
        advice = f"did you mean {' or '.join(by_lower[each] for each in near)}?" if near else ""
    advice = advice or "`corpus list licenses` names them"
    raise ValueError(f"{name!r} is neither an SPDX identifier nor one of {', '.join(words)}: {advice}")


def is_spdx_exception(exception: str) -> bool:
    """Return whether SPDX's list has an exception: one more permission beside a licence, never a restriction."""
    return _is_spdx_name(f"MIT WITH {exception}")


@lru_cache(maxsize=1024)
def _is_spdx_name(name: str) -> bool:
    """Return whether SPDX's own list has an identifier, alone or WITH an exception, or it is a reference to a licence
    of nobody's list."""
    license, *exception = re.split(r"(?i) with ", name, maxsplit=1)
    if not all(_TOKEN.fullmatch(word) for word in (license, *exception)):
        return False
    try:
        canonicalize_license_expression(name)
    except InvalidLicenseExpression:
        return False
    return True


def join_licenses(expressions: list[str]) -> str | None:
    """Return the expression for licences that all hold; `unknown` where one is."""
    names = list(dict.fromkeys(expressions))
    if not names:
        return None
    if UNKNOWN_LICENSE in names:
        return UNKNOWN_LICENSE
    return (
        names[0] if len(names) == 1 else " AND ".join(f"({name})" if " " in name else name for name in names)
    )


def read_spdx_line(body: bytes) -> str | None:
    """Return the licence that a file names in the SPDX lines of its first 4 KB: all of them hold."""
    if b"REUSE-IgnoreStart" in (head := body[:SPDX_HEAD_BYTES]):
        body = _IGNORED_BY_REUSE.sub(b"", head)
    lines = (_parse_spdx_line(match[1].decode("ascii")) for match in _SPDX.finditer(body, 0, SPDX_HEAD_BYTES))
    names = list(dict.fromkeys(line for line in lines if line is not None))
    if len(names) < 2:
        return names[0] if names else None
    return " AND ".join(f"({name})" if " " in name and name[0] != "(" else name for name in names)


def _parse_spdx_line(value: str) -> str | None:
    kept: list[str] = []
    for word in value.split():
        if (
            kept
            and kept[-1].upper() not in ("AND", "OR", "WITH")
            and word.upper() not in ("AND", "OR", "WITH")
        ):
            break
        kept.append(word)
    text = " ".join(kept).rstrip(".-")
    return text if is_expression(text) else None
