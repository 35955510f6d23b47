"""Find Creative Commons licences in what a document states about itself, by their SPDX names."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"creativecommons\.org/(?:licen[cs]es/(?P<terms>(?:by|nc|nd|sa)(?:-(?:by|nc|nd|sa))*)/(?P<version>\d\.\d)"
    r"(?:/(?P<port>[a-z]{2,3})(?![a-z]))?|publicdomain/(?P<domain>zero|mark)/(?P<public>\d\.\d)|licen[cs]es/publicdomain)",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"\bCC[ -]?(?P<terms>BY(?:-(?:NC|ND|SA))*)(?:[ -](?P<version>\d\.\d))?\b|\b(?P<zero>CC[ -]?0)\b"
)
_WORDS = re.compile(
    r"Creative\s+Commons\s+(?P<public>CC0|Zero|Public\s+Domain)"
    r"|Creative\s+Commons\s+Attribution(?P<terms>(?:[\s,–-]*(?:and\s+)?"
    r"(?:Non-?\s?Commercial|No-?\s?Deriv(?:ative|ate)?s?(?:\s+Works)?|Share-?\s?Alike))*)"
    r"(?:\s+(?:Works\s+)?(?:International\s+|Unported\s+|Generic\s+)?(?:Public\s+)?"
    r"(?:Licen[cs]e,?)?\s*\(?(?:CC[ -]BY[A-Z-]*\s*)?(?:version\s+|v\.?\s*)?(?P<version>\d\.\d))?",
    re.IGNORECASE,
)
_PART = re.compile(r"(commercial)|(deriv)|(alike)", re.IGNORECASE)
_ORDER = ("BY", "NC", "ND", "SA")


def find_cc_license(text: str) -> str | None:
    """Return the licence that an address or a phrase names (`CC-BY-4.0`, `CC0-1.0`), None if there is none.

    An address takes precedence over words. The name has no version (`CC-BY-NC`) if none is stated; ports to a country's
    law keep it (`CC-BY-2.0-UK`).
    """
    if match := _ADDRESS.search(text):
        if match["domain"]:
            return f"CC0-{match['public']}" if match["domain"].lower() == "zero" else "CC-PDDC"
        if not match["terms"]:
            return "CC-PDDC"
        name = _format_spdx_name(match["terms"].upper().split("-"), match["version"])
        return f"{name}-{match['port'].upper()}" if match["port"] else name
    if match := _WORDS.search(text):
        if match["public"]:
            return "CC0-1.0"
        terms = ["BY"]
        for part in _PART.finditer(match["terms"]):
            terms.append("NC" if part[1] else "ND" if part[2] else "SA")
        return _format_spdx_name(terms, match["version"])
    if match := _SHORT.search(text):
        return "CC0-1.0" if match["zero"] else _format_spdx_name(match["terms"].split("-"), match["version"])
    return None


def _format_spdx_name(terms: list[str], version: str | None) -> str:
    """Return `CC-BY-NC-SA-4.0`: the terms in the usual order."""
    ordered = [term for term in _ORDER if term in terms]
    return "-".join(["CC", *ordered, *([version] if version else [])])
