"""Join the files of a repository into documents: in the order of paths, or so that a file follows what it uses."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush

from corpus.document import Failure, Record
from corpus.extract.source_code import decode_source

FILE_HEADER = "<file_sep>{path}\n"
"""Written before each file: StarCoder2's separator and the path."""
MAX_HELD_CHARACTERS = 256 << 20
"""Characters of a repository that are ordered together; the files after them become a document of their own."""
_IMPORT = re.compile(
    r"(?m)^[ \t]*(?:(?:import|export)\b[^;\n'\"]*?\bfrom[ \t]*['\"]([^'\"\n]+)['\"]"  # JavaScript
    r"|import[ \t]*['\"]([^'\"\n]+)['\"]"
    r"|[^\n]*?\brequire(?:_relative)?[ \t]*\(?[ \t]*['\"]([^'\"\n]+)['\"]"  # Ruby too
    r"|from[ \t]+([\w.]+)[ \t]+import\b"  # Python
    r"|import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)"  # Java, Kotlin, Scala too
    r"|#[ \t]*include[ \t]*[\"<]([^\">\n]+)[\">]"  # C and its kin
    r"|(?:pub[ \t]+)?mod[ \t]+(\w+)[ \t]*;|use[ \t]+([\w:\\]+))"  # Rust, PHP
)
_SEPARATORS = re.compile(r"[./\\:]+")
_SUFFIXES = frozenset(
    {
        "py",
        "pyi",
        "js",
        "jsx",
        "mjs",
        "cjs",
        "ts",
        "tsx",
        "h",
        "hpp",
        "hh",
        "c",
        "cc",
        "cpp",
        "rb",
        "rs",
        "php",
    }
)
_INDEX_NAMES = ("index", "__init__", "mod", "src", "lib")
SETTINGS_LANGUAGES = frozenset(
    f"code_{name}" for name in ("json", "yaml", "toml", "ini", "xml", "ignorelist")
)
"""Languages that give a repository its language only where it has no other."""
MAX_IMPORT_LINE_CHARACTERS = 400
"""Longest line that can be an import."""


def join_repositories(
    records: Iterator[Record | Failure], order: str, max_bytes: int
) -> Iterator[Record | Failure]:
    """Join records of files into records of repositories, cut between files where they exceed `max_bytes`.

    Gated files and failures pass through. A document has one licence: files of a repository are joined by licence.
    Memory: one repository, up to `MAX_HELD_CHARACTERS` characters.
    """
    files: list[tuple[Record, str]] = []
    held = 0
    for record in records:
        if isinstance(record, Failure) or record.gate is not None:
            yield record
            continue
        if files and (record.group != files[0][0].group or held > MAX_HELD_CHARACTERS):
            yield from _make_documents(files, order, max_bytes)
            files, held = [], 0
        try:
            text = decode_source(record.body, record.charset)
        except ValueError as error:
            yield Failure(
                file=record.file, offset=record.offset, length=record.length, step="extract", error=str(error)
            )
            continue
        if text.strip():
            files.append((record, text))
            held += len(text)
    if files:
        yield from _make_documents(files, order, max_bytes)


def _make_documents(files: list[tuple[Record, str]], order: str, max_bytes: int) -> Iterator[Record]:
    by_license: dict[str | None, list[tuple[Record, str]]] = defaultdict(list)
    for file in files:
        by_license[file[0].license].append(file)
    for license in sorted(by_license, key=lambda name: (name is None, name)):
        chosen = sorted(by_license[license], key=lambda file: _record_path(file[0]).split("/"))
        if order == "dependency":
            chosen = [
                chosen[at]
                for at in order_by_dependency([(_record_path(file), text) for file, text in chosen])
            ]
        pieces: list[tuple[Record, str]] = []
        size = 0
        for record, text in chosen:
            piece = (
                FILE_HEADER.format(path=_record_path(record)) + text + ("" if text.endswith("\n") else "\n")
            )
            length = len(piece.encode("utf-8", "replace"))
            if pieces and size + length > max_bytes:
                yield _make_document(pieces)
                pieces, size = [], 0
            pieces.append((record, piece))
            size += length
        yield _make_document(pieces)


def _make_document(pieces: list[tuple[Record, str]]) -> Record:
    """Make one record of several files: placed where the first is, named after the language of most of the text."""
    first = pieces[0][0]
    sizes: dict[str, int] = defaultdict(int)
    for record, piece in pieces:
        sizes[record.language or ""] += len(piece)
    known = {name: size for name, size in sizes.items() if name}
    language = (
        min(known, key=lambda name: (name in SETTINGS_LANGUAGES, -known[name], name)) if known else None
    )
    programming = {record.metadata.get("programming_language", "") for record, _ in pieces}
    about = {
        name: value for name, value in first.metadata.items() if name in ("repository", "commit", "version")
    }
    return replace(
        first,
        native_id=f"{first.native_id}\0{len(pieces)}",
        length=sum(record.length for record, _ in pieces),
        body="".join(piece for _, piece in pieces),
        language=language,
        metadata={
            **about,
            "files": str(len(pieces)),
            "path": _record_path(first),
            "programming_language": " ".join(sorted(programming - {""})),
        },
    )


def _record_path(record: Record) -> str:
    return record.metadata.get("path", "")


def order_by_dependency(files: list[tuple[str, str]]) -> list[int]:
    """Order (path, text) so that a file comes after those it imports; where imports form a circle, by the given order.

    Returns indices. Imports are found by patterns of Python, JavaScript, C, Java, Ruby, Rust and PHP, and matched with
    the ends of paths. Circles are broken at the file that waits for the fewest. Cost: linear in text and imports.
    """
    ends: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, (path, _) in enumerate(files):
        parts = _module_parts(path)
        for length in range(1, len(parts) + 1):
            ends[parts[-length:]].append(at)
    waits: list[set[int]] = [set() for _ in files]
    users: list[set[int]] = [set() for _ in files]
    for at, (path, text) in enumerate(files):
        for used in _find_imports(text):
            for other in _resolve_import(used, path, at, files, ends):
                waits[at].add(other)
                users[other].add(at)
    order: list[int] = []
    done = [False] * len(files)
    left = [len(wait) for wait in waits]
    queue = [(left[at], at) for at in range(len(files))]
    heapify(queue)
    while queue:
        count, at = heappop(queue)
        if done[at] or count != left[at]:
            continue
        done[at] = True
        order.append(at)
        for user in sorted(users[at]):
            if not done[user]:
                left[user] -= 1
                heappush(queue, (left[user], user))
    return order


def _find_imports(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if len(line) > MAX_IMPORT_LINE_CHARACTERS:
            continue
        for match in _IMPORT.finditer(line):
            names = next(group for group in match.groups() if group is not None)
            yield from (name.strip() for name in names.split(","))


def _module_parts(path: str) -> tuple[str, ...]:
    """Return the names on the way to a module: `src/a/b.py` and `a.b` end alike."""
    parts = [part for part in _SEPARATORS.split(path) if part and part not in (".", "crate", "self", "super")]
    if len(parts) > 1 and parts[-1] in _SUFFIXES:
        parts.pop()
    if len(parts) > 1 and parts[-1] in _INDEX_NAMES:
        parts.pop()
    return tuple(parts)


def _resolve_import(
    used: str, path: str, at: int, files: list[tuple[str, str]], ends: dict[tuple[str, ...], list[int]]
) -> list[int]:
    """Return the file that an import means: of those whose path ends like it the one nearest to the importing file."""
    parts = _module_parts(used)
    folders = path.split("/")[:-1]
    for wanted in (parts, parts[:-1]):  # `a.b.C` may be the name C in a/b
        candidates = [other for other in ends.get(wanted, []) if other != at] if wanted else []
        if candidates:
            ways = {other: files[other][0].split("/") for other in candidates}
            far = {
                other: (-_count_shared_folders(folders, way), _file_stem(way) != wanted[-1])
                for other, way in ways.items()
            }
            return [min(candidates, key=lambda other: (far[other], other))]
    return []


def _file_stem(way: list[str]) -> str:
    return way[-1].partition(".")[0]


def _count_shared_folders(first: list[str], second: list[str]) -> int:
    """Count the folders that two paths have in common from the top."""
    count = 0
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        count += 1
    return count
