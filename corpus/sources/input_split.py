"""Plan input splits: the unit of work, a byte range of one input file, or several small files together."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any

from corpus import plugins
from corpus.errors import UserError
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.calls import borrow_caller, call_each, make_call
from corpus.extract.process.supervised import RejectedRecord
from corpus.sources import is_plugin_kind
from corpus.sources.inputs import MAX_CONCURRENT_STATS
from corpus.sources.source import Source
from corpus.storage import File, RemoteError, is_remote
from corpus.storage.fingerprint import file_identity
from corpus.storage.names import printable_name

MAX_NAMED_FILES = 3
"""Files that a line names which cannot be read."""
PLAN_SECONDS = 12.0
"""Processor seconds that a user's source may take to plan one file."""
UNREADABLE = "unreadable"
"""The identity of a file that could not be read. It changes as soon as the file can be read."""
SMALL_SHARE = 8
"""A file is small if it has less than this part of `split_size`. A split costs 90 ms of CPU and 14 files beside the
0.8 s that a megabyte of text takes: a twentieth at 2 MB, twice the documents themselves at 50 kB."""
HASH_BITS = 64
MIN_SHARED_FILES, MAX_SHARED_FILES = 4, 512
"""Small files that share an input split: as few as are below the first have splits of their own."""


@dataclass(frozen=True, slots=True)
class InputSplit:
    """The records of `source` that begin in bytes [start, end) of the file at `path`.

    `file` is the file's name inside its source, `identity` identifies its content. `error` says why a remote file
    could not be read when it was planned: such a split has no records and one failure.

    A split that small files share has them as `files`, each a split of one whole file, and is named by the bits that
    the hashes of their names begin with (`shared_by`). Its bytes are those of all its files, one behind the other; its
    `path` and `file` are those of the first.
    """

    source: str
    path: str
    file: str
    start: int
    end: int
    identity: str
    error: str | None = None
    shared_by: str | None = None
    files: tuple[InputSplit, ...] = ()

    @property
    def name(self) -> str:
        """16 hex digits from (file, start, end), or of what small files share: the same wherever the input is."""
        if self.shared_by is not None:
            return _name_shared(self.shared_by)
        return _hash_name(json.dumps([self.file, self.start, self.end], ensure_ascii=False))

    def is_small(self, split_size: int) -> bool:
        """Return whether this is a file that may share a split with others: not one that could not be reached, which
        is tried again by every build."""
        return self.start == 0 and self.end * SMALL_SHARE < split_size and self.error is None

    def list_names(self, split_size: int) -> list[str]:
        """Return the names of all splits that have or had files of this one: alone, with more others, or with fewer."""
        if self.shared_by is None:
            bits = f"{int(_hash_name(self.file), 16):0{HASH_BITS}b}" if self.is_small(split_size) else ""
            return [self.name, *(_name_shared(bits[:length]) for length in range(len(bits)))]
        halves = [f"{self.shared_by}{bit}" for bit in (0, 1)]
        around = [self.shared_by[:length] for length in range(len(self.shared_by) + 1)]
        return [*map(_name_shared, [*around, *halves]), *(piece.name for piece in self.files)]

    @property
    def pieces(self) -> tuple[InputSplit, ...]:
        """Return the files that share this split, or itself: each of the results is of one file."""
        return self.files or (self,)

    @property
    def input(self) -> list[object]:
        """Return what identifies the input: names, places and content."""
        if not self.files:
            return [self.source, self.file, self.start, self.end, self.identity]
        return [self.source, [[each.file, each.start, each.end, each.identity] for each in self.files]]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> InputSplit:
        return _from_values(json.loads(text))


def _from_values(values: dict[str, Any]) -> InputSplit:
    return InputSplit(**{**values, "files": tuple(map(_from_values, values["files"]))})


def _name_shared(bits: str) -> str:
    """Return the name of the split that files share whose hashes begin with `bits`."""
    return _hash_name(json.dumps(["shared", bits]))


def _hash_name(name: str) -> str:
    """Return 16 hex digits of BLAKE2b over a name; lone surrogates count as they are."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def share_splits(splits: Sequence[InputSplit], split_size: int) -> list[InputSplit]:
    """Let the small files of one source share splits; return these behind the others, which stay as they are.

    Small files are halved by the first bit of a hash of their names, the halves by the next bit, and so on, until they
    have no more than `split_size` bytes and `MAX_SHARED_FILES` files. So a split depends on its own files alone: not on
    their order, nor on what was there before; a file more or less changes its split, and halves or joins it at most.
    """
    count = Counter(split.file for split in splits)
    small = [split for split in splits if count[split.file] == 1 and split.is_small(split_size)]
    hashed = sorted(((int(_hash_name(split.file), 16), split) for split in small), key=itemgetter(0))
    shared = list(_share(hashed, split_size))
    in_shared = {piece.file for split in shared for piece in split.files}
    return [split for split in splits if split.file not in in_shared] + shared


def _share(hashed: list[tuple[int, InputSplit]], split_size: int, bits: str = "") -> Iterator[InputSplit]:
    """Yield the splits that files share whose hashes begin with `bits`; none for those that are too few.

    `hashed`: the files with their hashes, in the order of these.
    """
    if len(hashed) < MIN_SHARED_FILES:
        return
    size = sum(split.end for _, split in hashed)
    if (size > split_size or len(hashed) > MAX_SHARED_FILES) and len(bits) < HASH_BITS:
        second_half = int(f"{bits}1".ljust(HASH_BITS, "0"), 2)
        middle = bisect_left(hashed, second_half, key=itemgetter(0))
        yield from _share(hashed[:middle], split_size, f"{bits}0")
        yield from _share(hashed[middle:], split_size, f"{bits}1")
        return
    files = tuple(sorted((split for _, split in hashed), key=lambda split: split.file))
    yield replace(files[0], end=size, identity="", error=None, shared_by=bits, files=files)


def plan_splits(name: str, source: Source, files: Iterable[File], split_size: int) -> list[InputSplit]:
    """Return all splits of one source, in the order of files and offsets. Reads every file's identity.

    Raises UserError where files cannot be read, with the first few; a remote one that cannot be reached becomes a
    split with an `error`.
    """
    files = list(files)
    if is_plugin_kind(source.kind):
        return _plan_in_parser(name, source, files, split_size)
    plan_file = partial(_plan_file, name, source, split_size)
    if not any(is_remote(file.path) for file in files):
        planned = list(map(plan_file, files))
    else:
        with ThreadPoolExecutor(MAX_CONCURRENT_STATS) as pool:
            planned = list(pool.map(plan_file, files))
    unreadable = [each for each in planned if isinstance(each, _Unreadable)]
    if unreadable:
        first = unreadable[:MAX_NAMED_FILES]
        named = ", ".join(f"{printable_name(each.path)}: {each.reason}" for each in first)
        more = f" and {len(unreadable) - len(first):,} more" if len(unreadable) > len(first) else ""
        count = f"{len(unreadable):,} of {len(files):,} files: " if len(unreadable) > 1 else ""
        raise UserError(f"cannot read {count}{named}{more}", ("paths",))
    return [split for splits in planned if not isinstance(splits, _Unreadable) for split in splits]


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A local file that cannot be read, and why."""

    path: str
    reason: str


def _plan_in_parser(name: str, source: Source, files: list[File], split_size: int) -> list[InputSplit]:
    """Return all splits of a user's source, whose `plan` and `identity` are called in the process that parses."""
    options = source.model_dump(mode="json")
    call = "corpus.sources.plugin_source:plan_file"
    calls = (
        (file, None)
        if file.error is not None
        else (file, make_call(call, [source.kind, options, [file.path, file.name, file.size], split_size]))
        for file in files
    )
    splits: list[InputSplit] = []
    with borrow_caller(Budgets(seconds=PLAN_SECONDS)) as caller:
        for file, answer in call_each(caller, calls):
            if isinstance(answer, RejectedRecord):
                raise UserError(plugins.name_plugin(source.kind, answer.error), ("kind",))
            if answer is None:
                splits.append(InputSplit(name, file.path, file.name, 0, 0, UNREADABLE, file.error))
                continue
            identity, ranges = answer[0] or file_identity(file), answer[1]
            splits += [InputSplit(name, file.path, file.name, start, end, identity) for start, end in ranges]
    return splits


def _plan_file(name: str, source: Source, split_size: int, file: File) -> list[InputSplit] | _Unreadable:
    """Return the splits of one file. An unreadable remote file becomes one split with an `error`."""
    error = file.error
    if error is None:
        try:
            identity = source.identity(file)
            ranges = source.plan(file.path, file.size, split_size)
            return [InputSplit(name, file.path, file.name, start, end, identity) for start, end in ranges]
        except RemoteError as failure:
            error = str(failure)
        except OSError as failure:
            return _Unreadable(file.path, failure.strerror or str(failure))
    return [InputSplit(name, file.path, file.name, 0, 0, UNREADABLE, error)]
