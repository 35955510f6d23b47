"""Find the licence of a repository's folders: by the licence files in them, or the metadata of its package.

licenseclassifier reads licence files, about 2 ms each. It knows only licence texts: one pattern reads SPDX lines, and
another finds the conditions that people add to a known text (Commons Clause).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata

from corpus.formats.encodings import decode
from corpus.sources.code.license_files import (
    MAX_LICENSE_BYTES,
    identify_licenses,
    is_legal_name,
    is_license_text,
    is_notice_file,
)
from corpus.sources.code.notices import read_notice
from corpus.sources.license_names import (
    PROPRIETARY,
    UNKNOWN_LICENSE,
    license_lists,
    read_spdx_line,
)

MIN_LICENSE_CHARACTERS = 1000
"""Length from which a file called LICENSE with an unknown text counts as a licence, not as a pointer to others."""
MAX_NOTICE_CHARACTERS = 3000
"""Length up to which a file called LICENSE may be a notice in place of a licence."""

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
_OF_OTHERS = re.compile(
    r"\b(?:third|3rd)[- ]part|\b(?:includes?|contains?|bundles?|incorporates?|derived from"
    r"|based on)\b(?! in )"
    r"[^.]{0,80}\b(?:software|code|files?|works?|librar(?:y|ies)|components?|fonts?|icons?|data|developed)\b",
    re.IGNORECASE,
)
"""Words of a NOTICE that lists what else is in a package, each part under a licence of its own."""
_OPEN = re.compile(
    r"\bopen[- ]source\b|\bfree software\b|GPL|Public Licen[sc]e|\bpublic domain\b", re.IGNORECASE
)


@dataclass
class Licensing:
    """The licences of a repository, folder by folder: all are added first, then looked up for each file."""

    declared: str | None = None
    files: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    notices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, path: str, body: bytes) -> None:
        """Add a licence file or a notice; one in a wheel's metadata folder counts for the whole wheel. A page that
        is called after licences among other words (licence-server.md) is none, and is left out."""
        folder, _, name = path.rpartition("/")
        if not (is_legal_name(path) or is_license_text(path, body)):
            return
        if ".dist-info" in folder.split("/")[0] or folder.split("/")[0].endswith(".egg-info"):
            folder = ""
        text = decode(body[:MAX_LICENSE_BYTES], html=False)[0]
        kept = self.notices if is_notice_file(path) else self.files
        kept.setdefault(folder, []).append((name, text))

    def of(self, path: str) -> str | None:
        """Return the SPDX expression of a file: of the nearest folder above it that has licence files, else
        what the package declares, else of the nearest NOTICE or COPYRIGHT; None where nothing is known."""
        folder = path.rpartition("/")[0]
        expression = self._nearest(folder, self._files_by_folder) or self.declared
        expression = expression or self._nearest(folder, self._notices_by_folder)
        return None if expression == UNKNOWN_LICENSE else expression

    @cached_property
    def _files_by_folder(self) -> dict[str, str | None]:
        return {folder: _license_of_files(files) for folder, files in self.files.items()}

    @cached_property
    def _notices_by_folder(self) -> dict[str, str | None]:
        return {folder: _license_of_notices(files) for folder, files in self.notices.items()}

    def _nearest(self, folder: str, expressions: dict[str, str | None]) -> str | None:
        """Return the expression of a folder, or of the nearest one above it that has any."""
        while (expression := expressions.get(folder)) is None and folder:
            folder = folder.rpartition("/")[0]
        return expression


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


def _license_of_notices(files: list[tuple[str, str]]) -> str | None:
    """Return what a folder's notices state of the work itself; None where they speak of the parts of others."""
    own = [(name, text) for name, text in files if not _OF_OTHERS.search(text)]
    expression = _license_of_files(own) if own else None
    return None if expression == UNKNOWN_LICENSE and len(own) < len(files) else expression


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
        "files": "3",
        "licenseclassifier": metadata.version("licenseclassifier"),
        "lists": license_lists().identity,
    }
