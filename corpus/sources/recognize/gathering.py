"""Look at every file below folders; a folder of source code, or a git repository, is one input."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from corpus.sources.code.git import find_git_folder
from corpus.sources.recognize.code_verdict import make_code
from corpus.sources.recognize.file_kinds import recognize_file
from corpus.sources.recognize.file_verdicts import Recognized, Unread, Verdict

PROJECT_FILES = frozenset(
    {
        *(
            "pyproject.toml",
            "setup.py",
            "setup.cfg",
            "package.json",
            "Cargo.toml",
            "go.mod",
            "pom.xml",
            "build.gradle",
        ),
        *(
            "CMakeLists.txt",
            "Makefile",
            "makefile",
            "GNUmakefile",
            "configure.ac",
            "meson.build",
            "Gemfile",
            "mix.exs",
        ),
        *(
            "composer.json",
            "Package.swift",
            "stack.yaml",
            "dune-project",
            "build.sbt",
            "DESCRIPTION",
            "PKG-INFO",
        ),
    }
)
"""Files that a folder of source code has at its top."""
UNREAD_BESIDE_CODE = frozenset({"code", "text"})
"""Kinds that a folder of source code may hold and stay one."""
ALIKE_FILES = 2000
"""Files of a folder with one ending that are looked at; if all are of one kind, the rest is taken for it too."""
HIDDEN = Unread("files and folders whose names begin with a dot")
ODD_NAME = Unread("files whose names are not UTF-8, or hold a line end or ${...}: rename them")
WORKSPACES = Unread("workspaces of earlier builds")
UNREADABLE = Unread("files that cannot be opened")
LINKS = Unread("links that lead nowhere, or to a folder that was looked at")


@dataclass
class Gathering:
    """What is below some folders: the verdict on every path, and folders that patterns must not reach into."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    whole: list[str] = field(default_factory=list)
    """The folders that were looked through, with all below them."""
    sizes: dict[str, int] = field(default_factory=dict)
    guessed: Counter[str] = field(default_factory=Counter)
    """Folder -> files in it that were not looked at, because all others like them are of one kind."""

    def recognized(self, path: str) -> Recognized:
        """Return the verdict on a path that a source reads."""
        verdict = self.verdicts[path]
        assert isinstance(verdict, Recognized)
        return verdict


def gather_files(paths: list[str], show: Callable[[int], None] = lambda count: None) -> Gathering:
    """Return what lies below local paths, which are absolute. `show` receives how many files were looked at."""
    gathering = Gathering()
    seen: set[str] = set()
    folders = [f"{path.rstrip('/')}/" for path in paths if os.path.isdir(path)]
    for path in dict.fromkeys(path.rstrip("/") or "/" for path in paths):
        if any(path.startswith(folder) for folder in folders):
            continue
        if os.path.isdir(path):
            gathering.whole.append(path)
            _gather_folder(gathering, path, True, seen, show)
        else:
            _gather_file(gathering, path, Counter(), show)
    return gathering


def _gather_folder(
    gathering: Gathering, folder: str, is_given: bool, seen: set[str], show: Callable[[int], None]
) -> None:
    real = os.path.realpath(folder)
    if real in seen:
        gathering.verdicts[folder] = LINKS
        gathering.closed.add(folder)
        return
    seen.add(real)
    if os.path.exists(os.path.join(folder, "workspace.json")):
        gathering.verdicts[folder] = WORKSPACES
        gathering.closed.add(folder)
        return
    is_repository = find_git_folder(folder) is not None
    if is_repository and (not is_given or find_git_folder(folder) == folder):
        _take_as_code(gathering, folder)
        return
    before = set(gathering.verdicts)
    names = sorted(os.listdir(folder))
    alike: Counter[tuple[str, str]] = Counter()
    for name in names:
        path = os.path.join(folder, name)
        if name.startswith("."):
            gathering.verdicts[path] = HIDDEN
            gathering.closed.add(path)
        elif not _is_plain(name):
            gathering.verdicts[path] = ODD_NAME
            gathering.closed.add(path)
        elif os.path.isdir(path):
            _gather_folder(gathering, path, False, seen, show)
        else:
            _gather_file(gathering, path, alike, show)
    if (is_repository or PROJECT_FILES & set(names)) and _is_project(
        gathering, set(gathering.verdicts) - before
    ):
        for path in set(gathering.verdicts) - before:
            del gathering.verdicts[path]
            gathering.closed.discard(path)
        _take_as_code(gathering, folder)


def _take_as_code(gathering: Gathering, folder: str) -> None:
    is_bare = find_git_folder(folder) == folder
    names = ["LICENSE"] if is_bare else os.listdir(folder)  # what a bare repository holds is not looked at
    gathering.verdicts[folder] = replace(make_code(names), what="folders of source code")
    gathering.closed.add(folder)


def _is_project(gathering: Gathering, paths: set[str]) -> bool:
    """Return whether files are those of a project: source code, and no data that another source reads.

    HTML pages, which projects have for their documentation and as fixtures, say nothing either way.
    """
    read = [
        verdict
        for path in paths
        if isinstance(verdict := gathering.verdicts[path], Recognized) and verdict.kind != "html"
    ]
    code = sum(verdict.kind == "code" for verdict in read)
    return (
        code * 2 >= len(read) and bool(code) and all(verdict.kind in UNREAD_BESIDE_CODE for verdict in read)
    )


def _gather_file(
    gathering: Gathering, path: str, alike: Counter[tuple[str, str]], show: Callable[[int], None]
) -> None:
    """Look at a file. `alike` counts what files of its folder with its ending are: (ending, key) -> files."""
    ending = os.path.splitext(path)[1].lower()
    same = [key for key in alike if key[0] == ending]
    if len(same) == 1 and alike[same[0]] >= ALIKE_FILES:
        gathering.guessed[os.path.dirname(path)] += 1
        sibling = next(
            verdict
            for other, verdict in gathering.verdicts.items()
            if os.path.dirname(other) == os.path.dirname(path)
            and os.path.splitext(other)[1].lower() == ending
        )
        gathering.verdicts[path] = sibling
        gathering.sizes[path] = os.path.getsize(path)
        return
    try:
        gathering.sizes[path] = os.path.getsize(path)
        verdict = recognize_file(path) if os.path.isfile(path) else UNREADABLE
    except FileNotFoundError:
        verdict = LINKS
    except OSError:
        verdict = UNREADABLE
    gathering.verdicts[path] = verdict
    alike[ending, verdict.key if isinstance(verdict, Recognized) else verdict.why] += 1
    show(len(gathering.verdicts))


def _is_plain(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "${" not in name and name.isprintable()
