"""The verdict on source code: which options a first manifest needs for it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from corpus.sources.code.languages import has_magika
from corpus.sources.code.license_files import is_license_file
from corpus.sources.recognize.file_verdicts import Recognized

MARKUP = frozenset({"html", "xml", "css", "json", "jsonc", "svg", "yaml", "toml", "ini", "properties", "csv"})
"""Languages of pages and settings: files of them alone are no source code."""


def make_code(names: Iterable[str]) -> Recognized:
    """Return the verdict on source code beside files of these names. Without a licence among them, code of unknown
    licence is kept: it would stop at the gate code.license, and what lies on one's disk is often one's own."""
    options: dict[str, Any] = {}
    notes: list[str] = []
    if not any(is_license_file(os.path.basename(name)) for name in names):
        options["licenses"] = {"allow": ["permissive", "unknown"]}
        notes.append(
            "no licence file is there: `unknown` keeps files without one; remove it unless they are yours"
        )
    if not has_magika():
        options["content"] = False
        notes.append(
            "files whose names tell no language are left out: telling them by content needs the extra `code`"
        )
    return Recognized("code", "files of source code", options, tuple(notes))
