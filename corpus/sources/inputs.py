"""List the input files of a source: what its globs, URLs and `@lists` name, each file once, in one order."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from corpus.errors import UserError, collect_mistakes
from corpus.storage import (
    DAMAGE,
    File,
    RemoteError,
    expand_pattern,
    is_file,
    is_remote,
    join,
    local_path,
    open_decompressed,
    stat,
)
from corpus.storage.folders import is_folder, walk
from corpus.storage.names import describe_link, printable_name
from corpus.suggestions import find_nearest

FILE_ENDING = re.compile(
    r"(?:(?:\.[A-Za-z]\w{0,7})?\.(?:gz|bz2|xz|zst|lz4)|\.[A-Za-z0-9]{1,8})?$", re.IGNORECASE
)
"""The ending of a name: `.gz`, or with what is compressed, `.jsonl.gz`; nothing where it has none."""
MAX_FILES_SEEN = 10_000
"""Files of a folder that are looked at for advice."""
MAX_GLOBS_NAMED = 3
MAX_CONCURRENT_STATS = 32
"""Remote files looked up concurrently: a crawl of 90,000 files takes some minutes; one at a time it takes hours."""


def fixed_prefix(pattern: str) -> str:
    """Return the folder of a pattern before its first wildcard."""
    fixed = []
    for piece in pattern.split("/")[:-1]:
        if glob.has_magic(piece):
            break
        fixed.append(piece)
    return "/".join(fixed)


def list_files(
    patterns: Iterable[str], folder: str, base: str | None = None, folders: bool = False
) -> list[File]:
    """Return the files that a source's `paths` name, each once, sorted by their names inside the source.

    A relative pattern is resolved from `folder` (the manifest's) and its files are named from there; the
    files of any other pattern are named from the pattern's fixed part. `@list` is a file (plain or
    compressed) of further patterns, one a line. Relative ones are resolved from `base`, or from the list's own folder
    if there is no `base`; those of Common Crawl's lists (`crawl-data/...`) from the folder that holds `crawl-data`.
    A path that is a file is never read as a glob, whatever its name. A file that two patterns or a link reach twice is
    read once, under the name that sorts first: read twice, all its documents would be duplicates of themselves. Names
    that are not UTF-8 show their bytes (`caf\\xe9.txt`).

    Remote files are looked up concurrently. One that cannot be reached, and one that a list names but the store does
    not have, gets an `error`; the others are read.

    With `folders` a local folder is an input too; what a pattern names inside it belongs to that input.

    Raises UserError, for each pattern of which it is so, where it names nothing, a list cannot be read, or two files
    would have the same name; and where none of a source's remote files can be read.
    """
    path_by_name: dict[str, str] = {}
    reached: set[str] = set()
    listed: set[str] = set()
    mistakes: list[UserError] = []
    for at, pattern in enumerate(patterns):
        with collect_mistakes(mistakes):
            if pattern.startswith("@"):
                list_path = _absolute_path(folder, pattern[1:])
                inner, base_folder = _read_list(list_path, at), _base_of(list_path, folder, base)
            else:
                inner, base_folder = [pattern], folder
            for line in inner:
                for path, name in _expand_pattern(line, _start_of(line, base_folder), at, folders):
                    if pattern.startswith("@"):
                        listed.add(name)
                    same = path if is_remote(path) else os.path.realpath(path)
                    if same in reached:
                        continue
                    reached.add(same)
                    if path_by_name.setdefault(name, path) != path:
                        both = f"{printable_name(path_by_name[name])} and {printable_name(path)}"
                        raise UserError(
                            f"{both} would both be called {name}: "
                            "name them by one pattern over their common folder",
                            ("paths", at),
                        )
    if mistakes:
        raise UserError.join(mistakes)
    try:
        if folders:
            taken = {path for path in path_by_name.values() if is_folder(path)}
            path_by_name = {
                name: path for name, path in path_by_name.items() if taken.isdisjoint(_parent_folders(path))
            }
        return _stat_files(path_by_name, listed)
    except FileNotFoundError as error:
        raise UserError(f"no such file: {error.filename or error}", ("paths",)) from None
    except OSError as error:
        raise UserError(str(error), ("paths",)) from None


def _stat_files(path_by_name: dict[str, str], listed: set[str]) -> list[File]:
    """Stat the files of {name: path}, in the order of their names. Raises OSError."""
    names = sorted(path_by_name)
    if not any(is_remote(path) for path in path_by_name.values()):
        return [stat(path_by_name[name], name) for name in names]

    def look(name: str) -> File:
        try:
            return stat(path_by_name[name], name)
        except FileNotFoundError as error:
            if name not in listed or not is_remote(path_by_name[name]):
                raise
            return File(
                path_by_name[name], name, 0, error=f"{error.filename}: no such file, though its list names it"
            )
        except RemoteError as error:
            return File(path_by_name[name], name, 0, error=str(error))

    with ThreadPoolExecutor(MAX_CONCURRENT_STATS) as pool:
        files = list(pool.map(look, names))
    if all(file.error for file in files):
        others = f" (and so the other {len(files) - 1:,})" if len(files) > 1 else ""
        raise OSError(f"{files[0].error}{others}")
    return files


def _base_of(list_path: str, folder: str, base: str | None) -> str:
    """Return the folder or URL that the relative lines of a list start from."""
    if base is not None:
        return _absolute_path(folder, base).rstrip("/")
    return os.path.dirname(list_path)


def _start_of(line: str, base: str) -> str:
    """Return what a line of a list starts from: for Common Crawl's own lists, the folder that holds `crawl-data`."""
    root, inside, _ = f"{base}/".partition("/crawl-data/")
    return root if inside and is_remote(base) and line.startswith("crawl-data/") else base


def _parent_folders(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, innermost first."""
    while (parent := path.rpartition("/")[0]) and parent != path:
        yield parent
        path = parent


def _expand_pattern(pattern: str, folder: str, at: int, folders: bool = False) -> list[tuple[str, str]]:
    """Return (path, name inside the source) of the files of one pattern. Raises UserError where there is none."""
    pattern = local_path(pattern)
    relative = not is_remote(pattern) and not os.path.isabs(pattern)
    full = _absolute_path(folder, pattern)
    if (is_remote(full) and not glob.has_magic(full)) or is_file(full) or (folders and is_folder(full)):
        paths, base = [full], os.path.dirname(full)
    else:
        paths = expand_pattern(
            _absolute_path(folder if is_remote(folder) else glob.escape(folder), pattern), folders
        )
        base = fixed_prefix(full)
    if relative:
        base = folder
    if not paths:
        raise UserError(_explain_no_file(pattern, full), ("paths", at))
    names = [
        path.removeprefix(base).lstrip("/") if is_remote(path) else os.path.relpath(path, base or "/")
        for path in paths
    ]
    return list(zip(paths, map(printable_name, names), strict=True))


def _explain_no_file(pattern: str, full: str) -> str:
    """Return why a pattern names no file, and what does."""
    if is_folder(full):
        return f"{printable_name(pattern)} is a folder: {advise_patterns(full, glob.escape(pattern))}"
    is_glob = glob.has_magic(pattern) and not is_remote(full)
    if is_glob and (reached := [path for path in expand_pattern(full, True) if is_folder(path)]):
        advice = advise_patterns(reached[0], pattern)
        return f"{printable_name(pattern)} names {_count(len(reached), 'folder')} and no file: {advice}"
    guess = "" if is_glob or is_remote(full) else _guess_file(pattern, full)
    return f"no such file: {printable_name(pattern)} (looked for {printable_name(full)}){guess}"


def _guess_file(pattern: str, full: str) -> str:
    """Return `: did you mean crawl.warc.gz?` for a path in a folder that has a file of a similar name, what a link of
    this name leads to, or nothing."""
    folder, name = os.path.split(full)
    if (link := describe_link(full)) is not None:
        return f": {link}"
    names: list[str] = []
    with (
        contextlib.suppress(OSError),
        os.scandir(folder) as entries,
    ):  # of a folder that cannot be listed: no guess
        names = [entry.name for entry in itertools.islice(entries, MAX_FILES_SEEN) if entry.is_file()]
    near = find_nearest(name, names, 1)
    return (
        f": did you mean {printable_name(os.path.join(os.path.dirname(pattern), near[0]))}?" if near else ""
    )


def advise_patterns(folder: str, shown: str) -> str:
    """Return which globs name the files in a folder, which the advice calls `shown`: of the commonest endings."""
    endings: Counter[str] = Counter()
    deep: set[str] = set()
    for name, _ in itertools.islice(walk(folder), MAX_FILES_SEEN):
        above, _, plain = name.rpartition("/")
        ending = "" if plain.startswith(".") else FILE_ENDING.search(plain)[0]  # type: ignore[index]
        endings[ending] += 1
        if above:
            deep.add(ending)
    if not endings:
        return "there is no file in it"
    start = "" if shown in ("", ".") else f"{shown.rstrip('/')}/"
    globs = [
        f"{start}{'**/' if ending in deep else ''}*{ending} ({_count(count, 'file')})"
        for ending, count in sorted(endings.items(), key=lambda item: (not item[0], -item[1], item[0]))
    ][:MAX_GLOBS_NAMED]
    more = f" and {len(endings) - len(globs):,} other endings" if len(endings) > len(globs) else ""
    return f"name the files in it: {', '.join(map(printable_name, globs))}{more}"


def _count(number: int, what: str) -> str:
    limit = "or more " if number >= MAX_FILES_SEEN else ""
    return f"{number:,} {limit}{what}{'s' if number != 1 else ''}"


def _absolute_path(folder: str, path: str) -> str:
    """Resolve a path or pattern from a folder, which may be a URL."""
    path = local_path(path)
    if is_remote(path):
        return path
    if is_remote(folder):
        return path if os.path.isabs(path) else join(folder, path.removeprefix("./"))
    return os.path.normpath(os.path.join(folder, path)) if not os.path.isabs(path) else path


def _read_list(path: str, at: int) -> list[str]:
    """Return the patterns in a list file. Raises UserError where it cannot be read or is empty."""
    try:
        with open_decompressed(path) as stream:
            lines = stream.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8 at byte {error.start}"
    except (*DAMAGE, ValueError) as error:
        problem = str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error)
    else:
        if patterns := [line.strip() for line in lines if line.strip()]:
            return patterns
        problem = "it names no file"
    raise UserError(f"cannot read the list {printable_name(path)}: {problem}", ("paths", at))
