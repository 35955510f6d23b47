"""List every file that differs between two workspaces: `python -m tests.engines.differences ONE OTHER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.pipelines.small import digests, remote_digests


def hash_files(workspace: Path | str) -> dict[str, str]:
    """Return the SHA-256 of what a build makes, by name, in a folder or a bucket."""
    return remote_digests(workspace) if isinstance(workspace, str) else digests(workspace)


def list_differences(one: Path | str, other: Path | str) -> list[str]:
    """Return a line for every file of two workspaces that is not in both with the same bytes."""
    first, second = hash_files(one), hash_files(other)
    return [
        f"{name}: {first.get(name, 'missing')[:12]} {second.get(name, 'missing')[:12]}"
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]


if __name__ == "__main__":
    one, other = map(Path, sys.argv[1:])
    lines = list_differences(one, other)
    print(*lines, f"{len(digests(one))} files, {len(lines)} differ", sep="\n")
    sys.exit(bool(lines))
