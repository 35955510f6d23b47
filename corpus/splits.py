"""Splits: the unit of work, a byte range of one input file."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from corpus.errors import UserError
from corpus.fingerprint import file_identity
from corpus.sources.base import Source
from corpus.storage import File, expand, is_remote, open_decompressed, size


@dataclass(frozen=True, slots=True)
class Split:
    """The records of `source` that begin in bytes [start, end) of the file at `path`.

    `file` is the file's name inside its source, `identity` says what is in it.
    """

    source: str
    path: str
    file: str
    start: int
    end: int
    identity: str

    @property
    def name(self) -> str:
        """16 hex digits from (file, start, end): the same wherever the input lies."""
        key = json.dumps([self.file, self.start, self.end], ensure_ascii=False)
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Split:
        return Split(**json.loads(text))


def _fixed_prefix(pattern: str) -> str:
    """The folder of a pattern before its first wildcard."""
    fixed = []
    for piece in pattern.split("/")[:-1]:
        if glob.has_magic(piece):
            break
        fixed.append(piece)
    return "/".join(fixed)


def list_files(patterns: Iterable[str], folder: str) -> list[File]:
    """The files that a source's `paths` name, each once, sorted by their names inside the source.

    A relative pattern is taken from `folder` (the manifest's) and its files are named from there; the
    files of any other pattern are named from the pattern's fixed part. `@list` is a file (plain or
    compressed) of further patterns, one a line. Raises UserError where a pattern names nothing, or two
    files would have the same name.
    """
    found: dict[str, str] = {}
    for at, pattern in enumerate(patterns):
        if pattern.startswith("@"):
            list_path = pattern[1:] if is_remote(pattern[1:]) else os.path.join(folder, pattern[1:])
            try:
                with open_decompressed(list_path) as stream:
                    inner = [line.strip() for line in stream.read().decode().splitlines() if line.strip()]
            except OSError as error:
                raise UserError(
                    f"cannot read the list {list_path}: {error.strerror or error}", ("paths", at)
                ) from None
            base_folder = os.path.dirname(list_path)
        else:
            inner, base_folder = [pattern], folder
        for one in inner:
            relative = not is_remote(one) and not os.path.isabs(one)
            full = os.path.normpath(os.path.join(base_folder, one)) if relative else one
            base = os.path.normpath(base_folder) if relative else _fixed_prefix(full)
            paths = expand(full)
            if not paths or (not is_remote(full) and not glob.has_magic(full) and not os.path.exists(full)):
                raise UserError(f"no such file: {one} (looked for {full})", ("paths", at))
            for path in paths:
                name = (
                    os.path.relpath(path, base)
                    if not is_remote(path)
                    else path.removeprefix(base).lstrip("/")
                )
                if found.setdefault(name, path) != path:
                    raise UserError(
                        f"{found[name]} and {path} would both be called {name}: name them by one pattern over "
                        "their common folder",
                        ("paths", at),
                    )
    return [File(found[name], name, size(found[name])) for name in sorted(found)]


def plan(name: str, source: Source, files: Iterable[File], split_size: int) -> list[Split]:
    """All splits of one source, in the order of files and offsets. Reads every file's identity."""
    splits = []
    for file in files:
        identity = file_identity(file)
        for start, end in source.plan(file.path, file.size, split_size):
            splits.append(Split(name, file.path, file.name, start, end, identity))
    return splits
