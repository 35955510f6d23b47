"""Identify the programming language of a file: by its name, by its first line, else by its content.

What names mean is in manifests/code/languages.yaml, on top of the library identify. magika, which identifies
content, is an extra: its model runs on onnxruntime, 40 MB, and takes some 10 ms a file; nine files in ten of a
usual repository never reach it.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from typing import Any, Literal

from identify import identify

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint

FileKind = Literal["code", "prose", "data", "binary", "unknown"]
PATTERN_HEAD_BYTES = 4096
"""Bytes that patterns search to distinguish languages of one extension."""
MIN_MAGIKA_SCORE = 0.9
"""Score from which magika's verdict on code is accepted: it takes wiki markup in Spanish for Erlang, with .79."""
_GENERIC_TAGS = frozenset(
    {"text", "binary", "header", "executable", "non-executable", "file", "symlink", "directory"}
)
_BINARY_TAGS = frozenset({"image", "audio", "zip", "tar", "gzip", "jar", "wheel"})


@dataclass(frozen=True, slots=True)
class FileLanguage:
    """What a file is: `name` in lower-case letters and digits (`cpp`), None where it is no text or unknown."""

    kind: FileKind
    name: str | None = None


@dataclass(frozen=True)
class LanguageNames:
    """manifests/code/languages.yaml."""

    order: tuple[str, ...]
    names: dict[str, str]
    extensions: dict[str, str]
    prose: frozenset[str]
    shared: dict[str, tuple[tuple[str, re.Pattern[str]], ...]]
    data_tags: frozenset[str]
    data_extensions: frozenset[str]
    data_content: frozenset[str]
    identity: str


@cache
def names() -> LanguageNames:
    """Return the lists, read once a process."""
    path = data_path("code", "languages.yaml")
    data: Any = load_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    return LanguageNames(
        order=tuple(data["order"].split()),
        names=data["names"],
        extensions={ext: name for name, exts in data["extensions"].items() for ext in exts},
        prose=frozenset(data["prose"]),
        shared={
            ext: tuple((name, re.compile(pattern)) for name, pattern in choices)
            for ext, choices in data["shared"].items()
        },
        data_tags=frozenset(data["data"]["tags"].split()),
        data_extensions=frozenset(data["data"]["extensions"].split()),
        data_content=frozenset(data["data"]["magika"].split()),
        identity=fingerprint(data),
    )


def identify_by_name(path: str, body: bytes) -> FileLanguage:
    """Return the language that a file's name tells; where several share an extension, by the beginning of the file."""
    known = names()
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower() if dot and stem else ""
    if extension in known.data_extensions:
        return FileLanguage("data")
    if extension in known.shared:
        head = body[:PATTERN_HEAD_BYTES].decode("utf-8", "replace")
        choices = known.shared[extension]
        language = next((language for language, pattern in choices if pattern.search(head)), None)
        if language is not None:
            return _make_language(language)
    if extension in known.extensions:
        return _make_language(known.extensions[extension])
    tags = identify.tags_from_filename(name) - {"text"}
    if tags & known.data_tags:
        return FileLanguage("data")
    if "binary" in tags or tags & _BINARY_TAGS:
        return FileLanguage("binary")
    tags -= _GENERIC_TAGS
    if len(tags) > 1:
        tags -= {"plain-text"}
    return _language_of_tags(tags)


def identify_by_first_line(body: bytes) -> FileLanguage:
    """Return the language of a script by its `#!` line."""
    if not body.startswith(b"#!"):
        return FileLanguage("unknown")
    command = identify.parse_shebang(io.BytesIO(body[:PATTERN_HEAD_BYTES].splitlines()[0] + b"\n"))
    return _language_of_tags(set(identify.tags_from_interpreter(command[0])) if command else set())


def identify_by_content(body: bytes) -> FileLanguage:
    """Return the language that magika identifies. Needs the extra `code`; about 10 ms."""
    label, group, is_text, score = _ask_magika(body)
    known = names()
    if label in known.data_content:
        return FileLanguage("data")
    if not is_text:
        return FileLanguage("binary")
    language = _make_language(known.names.get(label, label))
    sure = group == "code" and score >= MIN_MAGIKA_SCORE
    return language if sure or language.kind == "prose" else FileLanguage("unknown")


def identify_language(path: str, body: bytes, content: bool) -> FileLanguage:
    """Return the language of a file: by its name, else by its first line, else (with `content`) by its content."""
    language = identify_by_name(path, body)
    if language.kind == "unknown":
        language = identify_by_first_line(body)
    if language.kind == "unknown" and content and body.strip():
        language = identify_by_content(body)
    return language


def has_magika() -> bool:
    """Return whether the extra that identifies languages by content is installed."""
    return util.find_spec("magika") is not None


def versions(content: bool) -> dict[str, str | None]:
    """Return what languages depend on, for fingerprints."""
    return {
        "identify": metadata.version("identify"),
        "magika": metadata.version("magika") if content else None,
        "names": names().identity,
    }


def _language_of_tags(tags: set[str]) -> FileLanguage:
    known = names()
    for tag in known.order:
        if tag in tags:
            return _make_language(known.names.get(tag, tag))
    return (
        _make_language(known.names.get(tag, tag))
        if (tag := min(tags, default=""))
        else FileLanguage("unknown")
    )


def _make_language(name: str) -> FileLanguage:
    plain = re.sub("[^a-z0-9]", "", name.lower())
    return (
        FileLanguage("prose" if plain in names().prose else "code", plain)
        if plain
        else FileLanguage("unknown")
    )


@cache
def _detector() -> Any:
    import magika

    return magika.Magika()


def _ask_magika(body: bytes) -> tuple[str, str, bool, float]:
    """Return label, group, whether it is text, and score, by the first and last bytes of a file."""
    result = _detector().identify_bytes(body)
    output = result.output
    return str(output.label), str(output.group), bool(output.is_text), float(result.score)
