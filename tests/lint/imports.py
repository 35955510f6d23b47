"""Our own modules and what they import from each other, read from their syntax trees: nothing is run."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(os.environ.get("LINT_ROOT", Path(__file__).parents[2]))
"""The checkout that is read: this one, unless LINT_ROOT names another (to compare the structure of two)."""
FOLDERS = {"corpus": "corpus", "filters": "corpus.filters", "pipelines": "corpus.pipelines"}
"""Folder of the repository -> the package that it is when installed (two of them by links inside corpus/)."""


@dataclass(frozen=True)
class Import:
    """Module `importer` imports `imported` in line `line` of its file."""

    importer: str
    imported: str
    line: int


@cache
def modules() -> dict[str, Path]:
    """Path of every module's file by its dotted name; a package has the name of its folder."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inside = path.relative_to(ROOT / folder)
            if folder == "corpus" and inside.parts[0] in FOLDERS:
                continue  # the links: their files have been read where they lie
            parts = [*package.split("."), *inside.with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[Import]:
    """Imports of our own modules anywhere in a module: at its top, in functions and under TYPE_CHECKING."""
    known = modules()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [target if installed(target) in known else node.module for target in inside]
        else:
            continue
        for target in dict.fromkeys(map(installed, targets)):
            if target in known and target != name:
                yield Import(name, target, node.lineno)


def installed(target: str) -> str:
    """The name under which a module is installed: `filters.url` is `corpus.filters.url`."""
    top, dot, rest = target.partition(".")
    return f"{FOLDERS.get(top, top)}{dot}{rest}"


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(found for name in modules() for found in imports(name))


@cache
def module_graph() -> dict[str, set[str]]:
    """For each module the modules that it imports."""
    graph: dict[str, set[str]] = {}
    for each in all_imports():
        graph.setdefault(each.importer, set()).add(each.imported)
    return graph


def child(name: str, package: str) -> str | None:
    """The child of `package` that `name` is or lies in; None where it does not lie in it."""
    inside = name.removeprefix(f"{package}.")
    return None if inside == name else f"{package}.{inside.partition('.')[0]}"


def packages() -> list[str]:
    return [name for name, path in modules().items() if path.name == "__init__.py"]


def arrows(package: str) -> dict[str, set[str]]:
    """For each child of a package the other children that it imports from."""
    found: dict[str, set[str]] = {}
    for each in all_imports():
        start, end = child(each.importer, package), child(each.imported, package)
        if start and end and start != end:
            found.setdefault(start, set()).add(end)
    return found


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other, each sorted (Tarjan's strongly connected components of two and more)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for after in sorted(graph.get(node, ())):
            if after not in index:
                visit(after)
                low[node] = min(low[node], low[after])
            elif after in stack:
                low[node] = min(low[node], index[after])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return groups
