"""The lint of links and paths finds what holds in no other clone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lint.links import link_faults, path_faults


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_links_that_hold_in_no_other_clone_are_faults(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "here.txt").write_text("text")
    links = {"good": "here.txt", "broken": "gone.txt", "absolute": str(tmp_path / "here.txt"), "out": ".."}
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    git(tmp_path, "add", "--all")
    (tmp_path / "untracked").symlink_to("gone.txt")
    assert [line.partition(":")[0] for line in link_faults(tmp_path)] == ["absolute", "broken", "out"]


def test_paths_of_one_machine_are_faults(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    home = "/" + "home/somebody/data"
    (tmp_path / "readme.md").write_text(
        f"Run it.\ncd {home} && make\nhttps://example.org{home}/x is an address\n"
    )
    (tmp_path / "picture.bin").write_bytes(b"\0 " + home.encode())
    git(tmp_path, "add", "--all")
    assert path_faults(tmp_path) == [f"readme.md:2: {home} is a path of one machine"]
