"""Tracked symbolic links lead to tracked places by relative paths, so that they hold in every clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK_MODE = "120000"


def faults(root: Path) -> list[str]:
    """A line for each tracked link below `root` that is absolute, broken or leads out of the checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "--stage", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    rows = [row.partition("\t") for row in listing.stdout.split("\0") if row]
    links = [name for mode, _, name in rows if mode.startswith(LINK_MODE)]
    wrong = []
    for name in links:
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


def main() -> int:
    wrong = faults(ROOT)
    print("\n".join(wrong) or "links: every tracked link is relative and leads somewhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
