"""Find files that nobody wrote in the repository they are in, or that are no source code.

The lists are in manifests/code/paths.yaml.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.sources.code.license_files import is_legal_name
from corpus.sources.code.reuse import SIDECAR
from corpus.storage.fingerprint import fingerprint

CODE_GATES = (
    "code.vendored",
    "code.generated",
    "code.minified",
    "code.lock",
    "code.data",
    "code.binary",
    "code.large",
    "code.license",
    "code.language",
    "code.license_text",
)
"""Every gate of the kind."""
GENERATED_HEAD_BYTES = 1024
"""Bytes at the beginning of a file that are searched for the mark of a generated one."""
GENERATED_WORDS = (b"generat", "生成".encode())
"""Every mark of a generated file has one of these, in small letters."""


@dataclass(frozen=True)
class PathLists:
    """manifests/code/paths.yaml as patterns of lower-case names."""

    folders: dict[str, re.Pattern[str]]
    files: dict[str, re.Pattern[str]]
    binary: frozenset[str]
    generated_says: re.Pattern[str]
    minified_line: int
    minified_languages: frozenset[str]
    identity: str


@cache
def path_lists() -> PathLists:
    """Return the lists, read once a process."""
    path = data_path("code", "paths.yaml")
    data: Any = load_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    return PathLists(
        folders={f"code.{key}": _compile_globs(data[key]["folders"]) for key in ("vendored", "generated")},
        files={
            f"code.{key}": _compile_globs(data[key]["names"])
            for key in ("vendored", "generated", "minified", "lock")
        },
        binary=frozenset(data["binary"]["extensions"].split()),
        generated_says=re.compile("".join(data["generated_says"].split("\n")).replace(" |", "|")),
        minified_line=int(data["minified_line"]),
        minified_languages=frozenset(data["minified_languages"]),
        identity=fingerprint(data),
    )


def _compile_globs(words: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{fnmatch.translate(word)})" for word in words.split()))


def path_gate(path: str) -> str | None:
    """Return the gate of a path: vendored, generated, minified, a lock file, binary or a licence; None for none."""
    known = path_lists()
    *folders, name = path.lower().split("/")
    for gate, pattern in known.folders.items():
        if any(pattern.match(folder) for folder in folders):
            return gate
    for gate, pattern in known.files.items():
        if pattern.match(name):
            return gate
    if name.rpartition(".")[2] in known.binary and "." in name:
        return "code.binary"
    return "code.license_text" if is_legal_name(path) or path.endswith(SIDECAR) else None


def is_binary(body: bytes) -> bool:
    """Return whether bytes are no text: they hold a NUL, and are not UTF-16 or UTF-32 by a byte order mark."""
    return b"\0" in body and not body.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))


def content_gate(body: bytes, language: str) -> str | None:
    """Return the gate of a text file's content: it is marked as generated, or its lines are as long as a machine's."""
    known = path_lists()
    head = body[:GENERATED_HEAD_BYTES]
    folded = head.lower()
    if any(word in folded for word in GENERATED_WORDS) and known.generated_says.search(
        head.decode("utf-8", "replace")
    ):
        return "code.generated"
    if language in known.minified_languages and len(body) > known.minified_line * (body.count(b"\n") + 1):
        return "code.minified"
    return None
