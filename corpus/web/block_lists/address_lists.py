"""Read the lists that a manifest names into two sets, and keep the sets in the workspace, where workers map them.

DIR/urls/block.npy, allow.npy   the sets' hashes
DIR/urls/lists.json             what they were made from, and what each list gave; written last
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus import storage
from corpus.errors import UserError, describe_briefly
from corpus.storage.fingerprint import file_identity, fingerprint
from corpus.storage.folders import identity as folder_identity
from corpus.storage.folders import is_folder, walk
from corpus.web.block_lists.address_set import AddressSet
from corpus.web.block_lists.layouts import Key, ListReport, read_keys
from corpus.web.block_lists.options import UrlOptions

VERSION = 2
"""Increased when the same lists would stop other pages."""
FOLDER = "urls"
CATEGORY_FILES = ("domains", "urls")
"""The files that hold addresses in a folder of UT1 and other squidGuard lists, beside patterns and notes."""
ARCHIVE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


@dataclass(frozen=True)
class AddressLists:
    """The addresses that are stopped, and those that pass."""

    block: AddressSet
    allow: AddressSet


def identify_lists(options: UrlOptions) -> str:
    """Identify what the lists hold. Raises UserError, with the path of the key, for a list that cannot be read."""
    identities = {}
    for key in ("block", "allow"):
        for at, place in enumerate(getattr(options, key)):
            try:
                identity = (
                    folder_identity(place) if is_folder(place) else file_identity(storage.stat(place, place))
                )
            except OSError as error:
                reason = "no such file" if isinstance(error, FileNotFoundError) else describe_briefly(error)
                raise UserError(f"{place}: {reason}", ("urls", key, at)) from None
            identities[f"{key} {at}"] = identity
    return fingerprint([VERSION, identities])


def read_lists(options: UrlOptions) -> tuple[AddressLists, dict[str, ListReport]]:
    """Read all lists; return the two sets and what each list gave, by its place.

    What a list excepts (`@@` of Adblock, `rpz-passthru`) joins `allow`. Raises UserError, with the path of the key, for
    a list that is damaged or has no address. Cost: 2 seconds a million lines; memory: 16 bytes a key.
    """
    excepted: list[str] = []
    reports: dict[str, ListReport] = {}

    def stopped() -> Iterator[str]:
        for key in _read_all(options.block, "block", reports):
            if key.is_exception:
                excepted.append(key.text)
            else:
                yield key.text

    block = AddressSet.build(stopped())
    allowed = AddressSet.build(key.text for key in _read_all(options.allow, "allow", reports))
    allow = AddressSet(np.union1d(allowed.hashes, AddressSet.build(excepted).hashes))
    return AddressLists(block, allow), reports


def pack_lists(folder: str, options: UrlOptions, identity: str) -> dict[str, ListReport] | None:
    """Keep the sets of the lists in a folder, and return what each list gave; None if they are there already."""
    if _read_packed_identity(folder) == identity:
        return None
    lists, reports = read_lists(options)
    for name, each in (("block", lists.block), ("allow", lists.allow)):
        with storage.atomic_output(f"{folder}/{name}.npy") as stream:
            np.save(stream, each.hashes)
    described = {
        place: {"keys": report.keys, "left_out": report.left_out} for place, report in reports.items()
    }
    text = json.dumps({"identity": identity, "lists": described}, ensure_ascii=False, indent=2)
    storage.write_text(f"{folder}/lists.json", f"{text}\n")
    return reports


@lru_cache(maxsize=1)
def open_packed(folder: str, identity: str) -> AddressLists:
    """Open the sets in a folder: mapped if it is local, so that processes share them. Raises UserError where they are
    not there, damaged, or made from other lists."""
    if _read_packed_identity(folder) != identity:
        raise UserError(f"{folder} is missing, or was made from other lists: run `corpus build` again")
    return AddressLists(*(AddressSet(_load(f"{folder}/{name}.npy")) for name in ("block", "allow")))


def describe_report(place: str, report: ListReport) -> str:
    """Return a line on what a list gave, with an example of each kind of line that was left out."""
    line = f"{place}: {report.keys:,} addresses"
    left_out = [
        f"{count_lines(count)} {reason} ({'at' if count == 1 else 'the first at'} {first})"
        for reason, (count, first) in sorted(report.left_out.items())
    ]
    return f"{line}; left out: {'; '.join(left_out)}" if left_out else line


def count_lines(count: int) -> str:
    return f"{count:,} {'line' if count == 1 else 'lines'}"


def _read_packed_identity(folder: str) -> str | None:
    path = f"{folder}/lists.json"
    if not storage.exists(path):
        return None
    try:
        return str(json.loads(storage.read_text(path))["identity"])
    except (ValueError, KeyError, TypeError):
        return None


def _load(path: str) -> NDArray[np.uint64]:
    try:
        if not storage.is_remote(path):
            hashes = np.load(storage.local_path(path), mmap_mode="r")
        else:
            with storage.open_input(path) as stream:
                hashes = np.load(stream)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(
            f"{path}: {describe_briefly(error)}: remove it and run `corpus build` again"
        ) from None
    packed: NDArray[np.uint64] = hashes
    return packed


def _read_all(places: list[str], key: str, reports: dict[str, ListReport]) -> Iterator[Key]:
    for at, place in enumerate(places):
        report = reports.setdefault(place, ListReport())
        try:
            for name, lines in _read_files(place):
                yield from read_keys(lines, report, name)
        except (*storage.DAMAGE, OSError, tarfile.TarError) as error:
            raise UserError(
                f"{place}: cannot read the list: {describe_briefly(error)}", ("urls", key, at)
            ) from None
        if not report.keys:
            example = next(iter(report.left_out.items()), None)
            why = f": {count_lines(example[1][0])} {example[0]}, at {example[1][1]}" if example else ""
            raise UserError(f"{place}: no address in this list{why}", ("urls", key, at))


def _read_files(place: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield the name ("" of a file by itself) and lines of a file, or of all lists in a folder or a tar archive, in the
    order of their names there."""
    if is_folder(place):
        names = [name for name, _ in walk(place)]
        categories = [name for name in names if name.rpartition("/")[2] in CATEGORY_FILES]
        for name in categories or names:
            with storage.open_decompressed(f"{place}/{name}") as stream:
                yield name, stream
    elif place.lower().endswith(ARCHIVE_ENDINGS):
        with storage.open_decompressed(place) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and member.name.rpartition("/")[2] in CATEGORY_FILES:
                    yield member.name, content
    else:
        with storage.open_decompressed(place) as stream:
            yield "", stream
