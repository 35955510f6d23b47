"""Read licences that are stated beside a file: REUSE.toml, NAME.license, .reuse/dep5 and debian/copyright."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from corpus.formats.encodings import decode
from corpus.sources.license_names import (
    UNKNOWN_LICENSE,
    is_expression,
    join_licenses,
    list_identifiers,
    normalize_license,
    read_spdx_line,
)

Precedence = Literal["closest", "aggregate", "override"]
MAX_PATTERNS = 20_000
SIDECAR = ".license"
_DEP5 = (".reuse/dep5", "debian/copyright")
_GNU_NAME = re.compile(r"(A|L)?GPL-?v?(\d(?:\.\d)?)(\+)?", re.IGNORECASE)
_DEBIAN = {
    "expat": "MIT",
    "artistic": "Artistic-1.0",
    "apache-2": "Apache-2.0",
    "zlib/libpng": "Zlib",
    "psf-2": "PSF-2.0",
}
_DEBIAN_WORD = re.compile(r"\s+(?:or|and)\s+|,\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A licence for the files that a pattern matches, `expression` or `unknown`."""

    folder: str
    pattern: re.Pattern[str]
    expression: str
    precedence: Precedence


@dataclass
class Annotations:
    """The licences that a repository states file by file, in the order of its files."""

    entries: list[Annotation] = field(default_factory=list)
    sidecars: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, body: bytes) -> None:
        """Add a file that `is_annotation_file` accepts. A broken REUSE.toml makes what it covers unknown."""
        folder, _, name = path.rpartition("/")
        if name.endswith(SIDECAR):
            self.sidecars[path.removesuffix(SIDECAR)] = read_spdx_line(body) or UNKNOWN_LICENSE
        elif name == "REUSE.toml":
            self.entries += _read_reuse(folder, body)
        else:
            self.entries += _read_dep5(
                path.removesuffix(next(one for one in _DEP5 if path.endswith(one))), path, body
            )
        del self.entries[MAX_PATTERNS:]

    def resolve(self, path: str, own: str | None) -> str | None:
        """Return the licence of a file that states `own` itself; None where nothing is said of it.

        As the REUSE specification has it: `override` of the outermost file, else the file's own or that of
        NAME.license, together with `aggregate`, else `closest` of the nearest. In one file the last match counts.
        """
        own = self.sidecars.get(path, own)
        if not self.entries:
            return own
        last: dict[str, Annotation] = {}
        for entry in self.entries:
            if path.startswith(entry.folder) and entry.pattern.fullmatch(path, len(entry.folder)):
                last[entry.folder] = entry
        matches = sorted(last.values(), key=lambda entry: len(entry.folder))
        override = next((entry for entry in matches if entry.precedence == "override"), None)
        if override is not None:
            return override.expression
        together = [entry.expression for entry in matches if entry.precedence == "aggregate"]
        nearest = next(
            (entry.expression for entry in reversed(matches) if entry.precedence == "closest"), None
        )
        return join_licenses([*([own] if own else [nearest] if nearest else []), *together])


def is_annotation_file(path: str) -> bool:
    """Return whether a file may state licences of others."""
    name = path.rpartition("/")[2]
    return (
        name == "REUSE.toml"
        or (name.endswith(SIDECAR) and len(name) > len(SIDECAR))
        or any(path == one or path.endswith(f"/{one}") for one in _DEP5)
    )


def _read_reuse(folder: str, body: bytes) -> list[Annotation]:
    above = f"{folder}/" if folder else ""
    try:
        listed: Any = tomllib.loads(decode(body, html=False)[0].removeprefix("\ufeff")).get("annotations", [])
    except ValueError:
        return [Annotation(above, _compile_reuse("**"), UNKNOWN_LICENSE, "closest")]
    annotations: list[Annotation] = []
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or "SPDX-License-Identifier" not in entry:
            continue
        names = _as_list(entry["SPDX-License-Identifier"])
        expression = join_licenses([name if is_expression(name) else UNKNOWN_LICENSE for name in names])
        stated = entry.get("precedence", "closest")
        precedence: Precedence = stated if stated in ("aggregate", "override") else "closest"
        for pattern in _as_list(entry.get("path")):
            if expression is not None:
                annotations.append(Annotation(above, _compile_reuse(pattern), expression, precedence))
    return annotations


def _as_list(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


@lru_cache(maxsize=4096)
def _compile_reuse(pattern: str) -> re.Pattern[str]:
    """Compile a path of REUSE.toml: `**` is anything, `*` anything within a folder, `\\*` a star."""
    pieces = re.findall(r"\\.|\*\*/?|\*|[^\\*]+|\\", pattern)
    expressions = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile(
        "".join(
            expressions.get(piece)
            or re.escape(piece[1:] if piece.startswith("\\") and len(piece) > 1 else piece)
            for piece in pieces
        ),
        re.DOTALL,
    )


def _read_dep5(root: str, path: str, body: bytes) -> list[Annotation]:
    """Read Debian's machine-readable copyright file: stanzas of `Files:` and `License:`."""
    precedence: Precedence = "aggregate" if path.endswith(_DEP5[0]) else "closest"
    annotations: list[Annotation] = []
    for stanza in re.split(r"\n[ \t]*\n", decode(body, html=False)[0].replace("\r\n", "\n")):
        fields = {
            name.lower(): value
            for name, value in re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        if "files" not in fields or "license" not in fields:
            continue
        expression = normalize_debian(fields["license"].split("\n")[0])
        for pattern in fields["files"].split():
            expressions = {"*": ".*", "?": "."}
            compiled = "".join(expressions.get(letter) or re.escape(letter) for letter in pattern)
            annotations.append(Annotation(root, re.compile(compiled, re.DOTALL), expression, precedence))
    return annotations


def normalize_debian(text: str) -> str:
    """Return Debian's name of a licence (`GPL-2+ or Expat`) as an SPDX expression; `unknown` where it is none."""
    text = text.strip()
    if is_expression(text) and not re.search(r"\b(?:or|and)\b", text) and text in list_identifiers():
        return text
    names = [_normalize_debian_name(name) for name in _DEBIAN_WORD.split(text) if name.strip()]
    if not names or UNKNOWN_LICENSE in names:
        return UNKNOWN_LICENSE
    joiner = (
        " OR " if re.search(r"\sor\s", text, re.IGNORECASE) and not re.search(r"\sand\s", text) else " AND "
    )
    return joiner.join(dict.fromkeys(names))


def _normalize_debian_name(name: str) -> str:
    name = name.strip()
    gnu = _GNU_NAME.match(name)
    if gnu is not None:
        number = gnu[2] if "." in gnu[2] else f"{gnu[2]}.0"
        later = gnu[3] or "or-later" in name
        base = f"{(gnu[1] or '').upper()}GPL-{number}-{'or-later' if later else 'only'}"
        return (
            base
            if gnu.end() == len(name) or re.match(r"-(?:only|or-later)", name[gnu.end() :])
            else UNKNOWN_LICENSE
        )
    known = list_identifiers().get(name.casefold()) or _DEBIAN.get(name.casefold())
    if known is None and not name.islower():  # Debian's names for what SPDX does not know are in lower case.
        known = normalize_license(name)
    return known if known is not None else UNKNOWN_LICENSE
