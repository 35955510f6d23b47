"""Plan input splits: the unit of work, a byte range of one input file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial

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


@dataclass(frozen=True, slots=True)
class InputSplit:
    """The records of `source` that begin in bytes [start, end) of the file at `path`.

    `file` is the file's name inside its source, `identity` identifies its content. `error` says why a remote file
    could not be read when it was planned: such a split has no records and one failure.
    """

    source: str
    path: str
    file: str
    start: int
    end: int
    identity: str
    error: str | None = None

    @property
    def name(self) -> str:
        """16 hex digits from (file, start, end): the same wherever the input is stored."""
        key = json.dumps([self.file, self.start, self.end], ensure_ascii=False)
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> InputSplit:
        return InputSplit(**json.loads(text))


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
