"""Find the licence of a repository's folders: by the licence files in them, or the metadata of its package.

licenseclassifier reads licence files, about 2 ms each. It knows only licence texts: one pattern reads SPDX lines, and
another finds the conditions that people add to a known text (Commons Clause).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import metadata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator

from corpus.formats.encodings import decode
from corpus.sources.code.notices import read_notice
from corpus.sources.license_names import (
    PROPRIETARY,
    UNKNOWN_LICENSE,
    LicenseExpression,
    check_wanted_name,
    license_lists,
    read_spdx_line,
)

MIN_LICENSE_CHARACTERS = 1000
"""Length from which a file called LICENSE with an unknown text counts as a licence, not as a pointer to others."""
MAX_NOTICE_CHARACTERS = 3000
"""Length up to which a file called LICENSE may be a notice in place of a licence."""
MAX_LICENSE_BYTES = 1 << 20

_FILE = re.compile(
    r"(?:(?:un)?licen[sc]es?|copying)(?P<suffix>[-_.][^/]*)?|(?:mit|bsd|apache|gpl|isc)[-_.]licen[sc]e(?:\.\w+)?"
)
_NO_LICENSE = re.compile(
    r"(?:third|3rd)[-_ ]?part(?:y|ies)|dependenc"
    r"|\.(?:py|pyc|js|jsx|mjs|ts|tsx|go|java|kt|c|h|cc|cpp|hpp|rb|rs|cs|php|pl|sh|css|json|ya?ml|toml|xml|spdx|sql|csv|po)$"
)
_ALTERNATIVE = re.compile(
    r"[-_.](?:mit|apache|bsd|isc|gpl|lgpl|mpl|unlicense|zlib|cc0|boost|psf)\b", re.IGNORECASE
)
_CHOICE_OF_TEXTS = re.compile(
    r"\bchoose whichever\b|\bwhichever (?:licen[sc]e )?you prefer|\b(?:your|user.s) choice of\b"
    r"|\beither of (?:the|these) "
    r"|\b(?:dual|tri|multi)[- ]?licen[sc]|\bALTERNATIVE A\b|\bunder (?:the terms of )?either\b(?! version)"
    r"|\bsame terms as (?:the )?Perl\b|\bany (?:one )?of the following licen[sc]es\b",
    re.IGNORECASE,
)
"""Words with which a file that has several licences leaves the choice."""
_CC_TITLE = re.compile(
    r"\A[\W_]*(?:Creative Commons[\W_]+)?(?:Legal Code[\W_]+)?(?:CC[- ]BY[\w-]*[\W_]+)?"
    r"Attribution(?P<terms>(?:[\s-]*(?:Non-?Commercial|No-?Deriv(?:ative)?s|Share-?Alike))*)\s+(?P<version>\d\.\d)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\bopen[- ]source\b|\bfree software\b|GPL|Public Licen[sc]e|\bpublic domain\b", re.IGNORECASE
)


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


@lru_cache(maxsize=4096)
def _is_permitted(license: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """Return whether lists of names allow an expression. Kept: a repository has few licences, and many files."""
    allowed_names, denied = _expand_sets(allow), _expand_sets(deny)

    def allowed(name: str) -> bool:
        name = name.casefold()
        names = {name, name.removesuffix("+")}
        return not names & denied and ("all" in allowed_names or bool(names & allowed_names))

    try:
        return LicenseExpression(license).evaluate(allowed)
    except ValueError:
        return allowed(UNKNOWN_LICENSE)


@cache
def _expand_sets(names: tuple[str, ...]) -> frozenset[str]:
    """Return identifiers in lower case, names of sets replaced by their members."""
    return frozenset(
        identifier.casefold() for name in names for identifier in license_lists().sets.get(name, (name,))
    )


def is_license_file(path: str) -> bool:
    """Return whether a file's name is that of a licence: LICENSE, COPYING.txt, LICENSE-MIT, mit-license.md."""
    name = path.rpartition("/")[2].lower()
    return _FILE.fullmatch(name) is not None and not _NO_LICENSE.search(name)


@lru_cache(maxsize=4096)
def identify_licenses(text: str) -> tuple[str, ...]:
    """Return the licences whose texts make up at least 3/4 of a file; none where conditions are added to them."""
    from licenseclassifier import identify_license

    regions = identify_license(text)
    rest, at = [], 0
    for region in regions:
        rest.append(text[at : region.start])
        at = max(at, region.end)
    if license_lists().restrictions.search("\n".join([*rest, text[at:]])):
        return ()
    return tuple(dict.fromkeys(region.id for region in regions))


@dataclass
class Licensing:
    """The licences of a repository, folder by folder: all are added first, then looked up for each file."""

    declared: str | None = None
    files: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _known: dict[str, str | None] = field(default_factory=dict)

    def add(self, path: str, body: bytes) -> None:
        """Add a licence file; one in a wheel's metadata folder counts for the whole wheel."""
        folder, _, name = path.rpartition("/")
        if ".dist-info" in folder.split("/")[0] or folder.split("/")[0].endswith(".egg-info"):
            folder = ""
        text = decode(body[:MAX_LICENSE_BYTES], html=False)[0]
        self.files.setdefault(folder, []).append((name, text))

    def of(self, path: str) -> str | None:
        """Return the SPDX expression of a file: of the nearest folder above it that has licence files, else
        what the package declares; None where nothing is known."""
        folder = path.rpartition("/")[0]
        expression = self._of_folder(folder)
        while expression is None and folder:
            folder = folder.rpartition("/")[0]
            expression = self._of_folder(folder)
        expression = expression or self.declared
        return None if expression == UNKNOWN_LICENSE else expression

    def _of_folder(self, folder: str) -> str | None:
        if folder not in self.files:
            return None
        if folder not in self._known:
            self._known[folder] = _license_of_files(self.files[folder])
        return self._known[folder]


def _license_of_files(files: list[tuple[str, str]]) -> str | None:
    """Return the expression of a folder's licence files: alternatives (LICENSE-MIT, LICENSE-APACHE) joined by OR,
    others by AND; `unknown` where a file named as the licence has a long text that is not known."""
    alternatives: list[str] = []
    together: list[str] = []
    strange = False
    for name, text in sorted(files):
        ids = identify_licenses(text)
        if not ids and (line := read_spdx_line(text.encode("utf-8", "replace"))):
            ids = (line if " " not in line else f"({line})",)
        if not ids and (title := _read_cc_title(text)):
            ids = (title,)
        if not ids and len(text) <= MAX_NOTICE_CHARACTERS and (notice := _read_short(text)):
            ids = (notice if " " not in notice or notice == UNKNOWN_LICENSE else f"({notice})",)
        ids = tuple(name for name in ids if re.sub(r"-(?:only|or-later)$", "", name) not in {*ids} - {name})
        if len(ids) > 1 and _CHOICE_OF_TEXTS.search(text):
            ids = (f"({' OR '.join(ids)})",)
        if _ALTERNATIVE.search(name):
            alternatives += ids
        else:
            together += ids
            strange |= not ids and len(text) >= MIN_LICENSE_CHARACTERS
    if strange or UNKNOWN_LICENSE in together:
        return UNKNOWN_LICENSE
    alternatives = [expression for expression in dict.fromkeys(alternatives) if expression not in together]
    parts = list(dict.fromkeys(together))
    if alternatives:
        joined = " OR ".join(alternatives)
        parts.append(f"({joined})" if parts and len(alternatives) > 1 else joined)
    if len(parts) == 1 and parts[0][0] == "(":
        return parts[0][1:-1]
    return " AND ".join(parts) or None


def _read_short(text: str) -> str | None:
    """Return the licence that a file has as a notice; None for a refusal in a text that names open licences."""
    notice = read_notice(text)
    return None if notice == PROPRIETARY and _OPEN.search(text) else notice


def _read_cc_title(text: str) -> str | None:
    """Return the Creative Commons licence whose text a file is, by its title."""
    match = _CC_TITLE.match(text[:400])
    if match is None or "creative commons" not in text.lower():
        return None
    terms = match["terms"].lower()
    parts = ["NC" if "noncommercial" in terms.replace("-", "") else "", "ND" if "deriv" in terms else ""]
    parts += ["SA" if "alike" in terms else ""]
    return "-".join(filter(None, ["CC-BY", *parts, match["version"]]))


def versions() -> dict[str, str]:
    """Return what licences depend on, for fingerprints."""
    return {
        "files": "2",
        "licenseclassifier": metadata.version("licenseclassifier"),
        "lists": license_lists().identity,
    }
