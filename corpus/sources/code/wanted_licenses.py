"""Which licences are wanted: allow and deny lists of SPDX names, and the judgement of an expression by them.

A name without a mark stands for the licence in all its forms: GPL-3.0 for GPL-3.0-only, -or-later, GPL-3.0+ and with
any exception, CC-BY-3.0 for its national versions. A marked name (GPL-3.0-only, `GPL-2.0-only WITH
Classpath-exception-2.0`) stands for itself and for what SPDX called it before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator

from corpus.sources.license_names import (
    UNKNOWN_LICENSE,
    LicenseExpression,
    check_wanted_name,
    find_gnu_name,
    is_spdx_exception,
    license_lists,
    list_identifiers,
)

_FORMS = re.compile(
    r"-(?:no-)?(?:invariants|rfn)(?=-|$)|-no-copyleft-exception$|(?<=-\d\.\d)-(?:[a-z]{2,3}|[a-z]{3}-[a-z]{2})$"
)
"""Marks of a form of a licence: GFDL with or without invariant sections, a reserved font name, a country."""
_VERSION = re.compile(r"(?P<family>.+-)(?P<version>\d+(?:\.\d+)*)")


LicenseName = Annotated[str, AfterValidator(check_wanted_name)]
"""A name that a list of licences may have; a wrong one is refused at its own place in the list."""


class Licenses(BaseModel):
    """Which licences are wanted: SPDX identifiers, the names of sets (permissive, weak_copyleft, copyleft), `all`,
    and `unknown` for files without one. `deny` wins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: list[LicenseName] = ["permissive"]
    deny: list[LicenseName] = []

    @field_validator("allow", "deny", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def permit(self, license: str | None) -> bool:
        """Return whether an SPDX expression is allowed: of A OR B one must be, of A AND B both. None is `unknown`."""
        return _is_permitted(license or UNKNOWN_LICENSE, tuple(self.allow), tuple(self.deny))


@dataclass(frozen=True, slots=True)
class _Terms:
    """A licence in lower case (`gpl-3.0`), which of its versions are meant, and an exception. In a list `mark` may be
    None: both are meant."""

    license: str
    mark: Literal["only", "or-later"] | None = None
    exception: str | None = None


def _parse_terms(name: str, exception: str | None = None) -> _Terms:
    name = find_gnu_name(name) or license_lists().former.get(name.casefold(), name)
    name, _, former = name.casefold().partition(" with ")
    exception = former or (exception and exception.casefold()) or None
    for ending, mark in (("-or-later", "or-later"), ("+", "or-later"), ("-only", "only")):
        if name.endswith(ending):
            return _Terms(name.removesuffix(ending), "only" if mark == "only" else "or-later", exception)
    return _Terms(name, None, exception)


@lru_cache(maxsize=4096)
def _is_permitted(license: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """Return whether lists of names allow an expression. Kept: a repository has few licences, and many files."""
    allowed, denied = _expand_list(allow), _expand_list(deny)

    def is_wanted(name: str, exception: str | None) -> bool:
        if any(names in denied for names in _list_names(name, exception)):
            return False
        if exception is not None and not is_spdx_exception(exception):
            return is_wanted(UNKNOWN_LICENSE, None)
        return "all" in allow or any(
            offer in allowed and offer not in denied for offer in _list_offers(name, exception)
        )

    try:
        return LicenseExpression(license).evaluate(is_wanted)
    except ValueError:
        return is_wanted(UNKNOWN_LICENSE, None)


@cache
def _expand_list(names: tuple[str, ...]) -> frozenset[_Terms]:
    """Return what a list names, sets replaced by their members and a licence without a mark by its forms."""
    members = (member for name in names for member in license_lists().sets.get(name, (name,)))
    expanded: set[_Terms] = set()
    for member in members:
        license, _, exception = re.sub("(?i) with ", " WITH ", member).partition(" WITH ")
        terms = _parse_terms(license, exception or None)
        expanded |= {terms} if terms.mark else {replace(terms, mark="only"), replace(terms, mark="or-later")}
    return frozenset(expanded)


def _list_names(name: str, exception: str | None) -> Iterator[_Terms]:
    """Yield the terms by which a list may mean a licence: its own, then those with fewer marks."""
    terms = _parse_terms(name, exception)
    terms = replace(terms, mark=terms.mark or "only")
    for license in dict.fromkeys((terms.license, _FORMS.sub("", terms.license))):
        yield replace(terms, license=license)
        if terms.exception is not None:
            yield replace(terms, license=license, exception=None)


def _list_offers(name: str, exception: str | None) -> Iterator[_Terms]:
    """Yield the terms of which one must be allowed: the licence's own, and those of later versions that it offers."""
    for terms in _list_names(name, exception):
        yield terms
        if terms.mark == "or-later":
            for license in _list_versions_from(terms.license):
                yield replace(terms, license=license)
                yield replace(terms, license=license, mark="only")


@cache
def _list_versions_from(license: str) -> tuple[str, ...]:
    """Return a licence with a version, and the later ones of the sets: of gpl-2.0, gpl-2.0 and gpl-3.0."""
    match = _VERSION.fullmatch(license)
    if match is None:
        return (license,)
    known = {_parse_terms(name).license for name in list_identifiers().values()}
    return (license, *sorted(other for other in known if _is_later(other, match)))


def _is_later(license: str, than: re.Match[str]) -> bool:
    match = _VERSION.fullmatch(license)
    if match is None or match["family"] != than["family"]:
        return False
    return _parse_version(match["version"]) > _parse_version(than["version"])


def _parse_version(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
