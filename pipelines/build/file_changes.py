"""Compare the files that share input splits with those of the last build, as its plan.json names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.plan_files import digest_shared_files

MAX_NAMED = 3
"""Keys or files that a line names at most; it gives the number of the others."""


def name_some(names: Iterable[str]) -> str:
    """Return the first few names, and the number of the others."""
    names = list(Counter(names))
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


@dataclass
class FileChanges:
    """The files of some input splits that are new, changed or gone. `is_known`: the last build named all of them."""

    new: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    is_known: bool = True

    def describe(self) -> str:
        """Return `a changed, b and c new`; empty if nothing is."""
        named = (("changed", self.changed), ("new", self.new), ("removed", self.gone))
        return ", ".join(f"{name_some(sorted(files))} {what}" for what, files in named if files)


def compare_files(before: Mapping[str, Any], plan: BuildPlan, numbers: Iterable[int]) -> FileChanges:
    """Return what is different in the splits with these numbers. A file that has a split of its own has changed."""
    then, now = before.get("shared", {}), digest_shared_files(plan)
    earlier = {tuple(pair) for pair in before["splits"]}
    known = _join_by_source(then)
    changes = FileChanges()
    for split in (plan.splits[number] for number in numbers):
        key, files = f"{split.source}/{split.name}", known.get(split.source, {})
        is_new = (split.source, split.name) not in earlier
        if not split.files:
            (changes.new if is_new and split.file not in files else changes.changed).add(split.file)
            changes.is_known = False
            continue
        if not is_new:
            changes.gone |= then.get(key, {}).keys() - now[key].keys()
        for piece in split.files:
            digest = now[key][piece.file]
            if piece.file in files:
                changes.changed |= {piece.file} if files[piece.file] != digest else set()
            elif (split.source, piece.name) not in earlier:
                changes.new.add(piece.file)
    return changes


def find_gone_files(
    before: Mapping[str, Any], plan: BuildPlan, removed: Collection[tuple[str, ...]]
) -> list[str]:
    """Return the files that shared the removed splits and are gone, where others of the same split are still there."""
    gone: list[str] = []
    if not removed:
        return gone
    there = _list_files(plan)
    for source, split in removed:
        files = before.get("shared", {}).get(f"{source}/{split}", {})
        left = [file for file in files if (source, file) not in there]
        gone += left if len(left) < len(files) else []
    return sorted(gone)


def is_shared_out(before: Mapping[str, Any], plan: BuildPlan, removed: tuple[str, ...]) -> bool:
    """Return whether files of a removed split are in others now."""
    source, split = removed
    if files := before.get("shared", {}).get(f"{source}/{split}"):
        there = _list_files(plan)
        return any((source, file) in there for file in files)
    return any(piece.name == split for each in plan.splits if each.source == source for piece in each.files)


def _list_files(plan: BuildPlan) -> Collection[tuple[str, str]]:
    return {(split.source, piece.file) for split in plan.splits for piece in split.pieces}


def _join_by_source(shared: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return {source: {file: digest}} of {source/split: {file: digest}}."""
    joined: dict[str, dict[str, str]] = {}
    for key, files in shared.items():
        joined.setdefault(key.rpartition("/")[0], {}).update(files)
    return joined
