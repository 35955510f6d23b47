"""What is tracked holds in every clone: links are relative and lead somewhere, no file names a path of one machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK_MODE = "120000"
MACHINE_PATH = re.compile(rb"(?<![\w.~/<-])/(?:home|root|Users|mnt|work|opt|tmp|var)/[A-Za-z][\w./-]*")
TEXTS = {
    "manifests/demo/sources/junk.yaml",  # error messages that a page shows
    "tests/extract/secrets_test.py",  # what must not be taken for a password
}
"""Files in which paths are part of a text."""


def tracked(root: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a link) of every tracked file that is there."""
    listing = subprocess.run(
        ["git", "ls-files", "--stage", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    rows = [row.partition("\t") for row in listing.stdout.split("\0") if row]
    return [(name, mode.startswith(LINK_MODE)) for mode, _, name in rows if os.path.lexists(root / name)]


def link_faults(root: Path) -> list[str]:
    """A line for each tracked link below `root` that is absolute, broken or leads out of the checkout."""
    wrong = []
    for name in [name for name, is_link in tracked(root) if is_link]:
        target = os.readlink(root / name)
        if os.path.isabs(target):
            wrong.append(
                f"{name}: the link to {target} is absolute: git rm --cached {name}, or make it relative"
            )
        elif not (root / name).exists():
            wrong.append(f"{name}: the link to {target} is broken: git rm --cached {name}, or mend it")
        elif not (root / name).resolve().is_relative_to(root.resolve()):
            wrong.append(f"{name}: the link to {target} leads out of the checkout")
    return wrong


def path_faults(root: Path) -> list[str]:
    """A line for each absolute path of a machine in a tracked text file."""
    wrong = []
    for name in [name for name, is_link in tracked(root) if not is_link and name not in TEXTS]:
        content = (root / name).read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.splitlines(), 1):
            for path in MACHINE_PATH.findall(line):
                wrong.append(f"{name}:{number}: {path.decode()} is a path of one machine")
    return wrong


def main() -> int:
    wrong = [*link_faults(ROOT), *path_faults(ROOT)]
    print(
        "\n".join(wrong)
        or "links: every tracked link is relative and leads somewhere, no path is of one machine"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
