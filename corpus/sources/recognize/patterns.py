"""Make globs that name some files of a folder and no others."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Collection, Iterable

ENDING = re.compile(r"(?:\.(?:warc|arc|wet|wat|tar|xml|jsonl|json|ndjson|txt|csv|nxml|tex))?\.[^./\s]{1,8}$")
"""The ending of a name: `.gz`, or with what is compressed, `.jsonl.gz`."""
MIN_PREFIX = 2


def make_patterns(
    wanted: Collection[str], others: Collection[str], closed: Collection[str], whole: Collection[str]
) -> list[str]:
    """Return absolute globs and paths that name the files and folders `wanted`, and none of `others`.

    `closed` are folders that no `**` may reach into, `whole` those of which every file is among `wanted` and `others`:
    elsewhere only the files beside them are. Folders among `wanted` are named one by one, or by `parent/*`.
    """

    def may_descend(folder: str) -> bool:
        is_known = any(f"{folder}/".startswith(f"{top.rstrip('/')}/") for top in whole)
        return is_known and not _reaches_closed(folder, closed)

    folders = [path for path in wanted if path in closed]
    files = [path for path in wanted if path not in closed]
    patterns: list[str] = []
    by_ending: dict[str, list[str]] = {}
    for path in files:
        by_ending.setdefault(_ending_of(path), []).append(path)
    for ending, paths in sorted(by_ending.items()):
        if ending:
            rivals = [path for path in others if path.endswith(ending)]  # a glob has nothing else to go by
            patterns += _cover(sorted(paths), rivals, may_descend, ending)
        else:
            patterns += sorted(paths)
    by_parent: dict[str, list[str]] = {}
    for path in folders:
        by_parent.setdefault(os.path.dirname(path), []).append(path)
    for parent, paths in sorted(by_parent.items()):
        beside = [path for path in (*others, *files) if path.startswith(f"{parent}/")]
        patterns += [f"{glob.escape(parent)}/*"] if len(paths) > 3 and not beside else sorted(paths)
    return patterns


def _ending_of(path: str) -> str:
    match = ENDING.search(os.path.basename(path))
    return match[0] if match and match.start() and not glob.has_magic(match[0]) else ""


def _cover(paths: list[str], rivals: list[str], may_descend: Callable[[str], bool], ending: str) -> list[str]:
    """Return globs for files of one ending: over a whole folder if nothing else there has it, else folder by folder."""
    if len(paths) == 1:
        return paths
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    inside = [path for path in rivals if path.startswith(f"{folder}/")]
    here = [path for path in paths if os.path.dirname(path) == folder]
    if len(here) == len(paths):
        return _cover_folder(
            folder, paths, [path for path in inside if os.path.dirname(path) == folder], ending
        )
    if not inside and may_descend(folder):
        return [f"{glob.escape(folder)}/**/*{ending}"]
    names = {os.path.basename(path) for path in paths}
    if len(names) == 1 and names.isdisjoint(map(os.path.basename, inside)) and may_descend(folder):
        return [f"{glob.escape(folder)}/**/{glob.escape(*names)}"]
    patterns = (
        _cover_folder(folder, here, [path for path in inside if os.path.dirname(path) == folder], ending)
        if here
        else []
    )
    by_child: dict[str, list[str]] = {}
    for path in paths:
        if os.path.dirname(path) != folder:
            by_child.setdefault(path[len(folder) + 1 :].split("/", 1)[0], []).append(path)
    for _, below in sorted(by_child.items()):
        patterns += _cover(below, inside, may_descend, ending)
    return patterns


def _cover_folder(folder: str, paths: list[str], rivals: Iterable[str], ending: str) -> list[str]:
    """Return globs for files that lie in one folder: all with the ending, or by what their names begin with."""
    names = [os.path.basename(path) for path in paths]
    rival_names = [os.path.basename(path) for path in rivals]
    if not rival_names and len(paths) > 1:
        return [f"{glob.escape(folder)}/*{ending}"]
    prefix = _common_beginning(min(names), max(names))
    prefix = re.sub(r"\d+$", "", prefix) or prefix
    if (
        len(paths) > 1
        and len(prefix) >= MIN_PREFIX
        and not any(name.startswith(prefix) for name in rival_names)
    ):
        return [f"{glob.escape(folder)}/{glob.escape(prefix)}*{ending}"]
    return sorted(paths)


def _common_beginning(one: str, other: str) -> str:
    """Return what two names begin with; of the first and the last of many, sorted, what all begin with."""
    length = next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one)
    )
    return one[:length]


def _reaches_closed(folder: str, closed: Iterable[str]) -> bool:
    """Return whether `**` from a folder would enter a closed one."""
    return any(path.startswith(f"{folder}/") for path in closed if not _is_dotted(path))


def _is_dotted(path: str) -> bool:
    """Return whether a glob passes by a path because its name begins with a dot."""
    return os.path.basename(path).startswith(".")
