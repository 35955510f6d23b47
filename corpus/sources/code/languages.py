"""Which programming language a file is in: by its name, by its first line, else by its content.

What names mean is in manifests/code/languages.yaml, on top of the library identify. magika, which tells
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
from corpus.formats.yaml_lines import load
from corpus.storage.fingerprint import fingerprint

Kind = Literal["code", "prose", "data", "binary", "unknown"]
HEAD = 4096
"""Bytes that patterns look at to tell languages of one extension apart."""
SURE = 0.9
"""Score from which magika is believed of code: it takes wiki markup in Spanish for Erlang, with .79."""
_GENERIC = frozenset(
    {"text", "binary", "header", "executable", "non-executable", "file", "symlink", "directory"}
)
_IMAGES = frozenset({"image", "audio", "zip", "tar", "gzip", "jar", "wheel"})


@dataclass(frozen=True, slots=True)
class Language:
    """What a file is: `name` in lower-case letters and digits (`cpp`), None where it is no text or unknown."""

    kind: Kind
    name: str | None = None


@dataclass(frozen=True)
class Names:
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
def names() -> Names:
    """The lists, read once a process."""
    path = data_path("code", "languages.yaml")
    data: Any = load(path.read_text(encoding="utf-8"), str(path))[0]
    return Names(
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


def by_name(path: str, body: bytes) -> Language:
    """The language that a file's name says; of extensions that several share, by the beginning of the file."""
    known = names()
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower() if dot and stem else ""
    if extension in known.data_extensions:
        return Language("data")
    if extension in known.shared:
        head = body[:HEAD].decode("utf-8", "replace")
        return _named(next(one for one, pattern in known.shared[extension] if pattern.search(head)))
    if extension in known.extensions:
        return _named(known.extensions[extension])
    tags = identify.tags_from_filename(name) - {"text"}
    if tags & known.data_tags:
        return Language("data")
    if "binary" in tags or tags & _IMAGES:
        return Language("binary")
    tags -= _GENERIC
    if len(tags) > 1:
        tags -= {"plain-text"}
    return _of_tags(tags)


def by_first_line(body: bytes) -> Language:
    """The language of a script by its `#!` line."""
    if not body.startswith(b"#!"):
        return Language("unknown")
    command = identify.parse_shebang(io.BytesIO(body[:HEAD].splitlines()[0] + b"\n"))
    return _of_tags(set(identify.tags_from_interpreter(command[0])) if command else set())


def by_content(body: bytes) -> Language:
    """The language that magika finds. Needs the extra `code`; about 10 ms."""
    label, group, is_text, score = _magika(body)
    known = names()
    if label in known.data_content:
        return Language("data")
    if not is_text:
        return Language("binary")
    found = _named(known.names.get(label, label))
    sure = group == "code" and score >= SURE
    return found if sure or found.kind == "prose" else Language("unknown")


def language_of(path: str, body: bytes, content: bool) -> Language:
    """The language of a file by its name, where that is silent by its first line, then by content."""
    found = by_name(path, body)
    if found.kind == "unknown":
        found = by_first_line(body)
    if found.kind == "unknown" and content and body.strip():
        found = by_content(body)
    return found


def has_magika() -> bool:
    """Whether the extra that tells languages by content is installed."""
    return util.find_spec("magika") is not None


def versions(content: bool) -> dict[str, str | None]:
    """What languages depend on, for fingerprints."""
    return {
        "identify": metadata.version("identify"),
        "magika": metadata.version("magika") if content else None,
        "names": names().identity,
    }


def _of_tags(tags: set[str]) -> Language:
    known = names()
    for tag in known.order:
        if tag in tags:
            return _named(known.names.get(tag, tag))
    return _named(known.names.get(tag, tag)) if (tag := min(tags, default="")) else Language("unknown")


def _named(name: str) -> Language:
    plain = re.sub("[^a-z0-9]", "", name.lower())
    return Language("prose" if plain in names().prose else "code", plain) if plain else Language("unknown")


@cache
def _detector() -> Any:
    import magika

    return magika.Magika()


def _magika(body: bytes) -> tuple[str, str, bool, float]:
    """Label, group, whether it is text, and score, by the first and last bytes of a file."""
    found = _detector().identify_bytes(body)
    output = found.output
    return str(output.label), str(output.group), bool(output.is_text), float(found.score)
