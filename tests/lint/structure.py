"""How the house is built, in numbers: rooms, arrows between them, arrows that climb, circles.

Run it as `python -m tests.lint.structure`; LINT_ROOT=../other reads another checkout, also one of three packages.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from tests.lint.imports import arrows, child, circles, module_graph, modules, packages, tree

TOP = ("corpus", "corpus.filters", "corpus.pipelines")


def rows() -> Iterator[tuple[str, int]]:
    for package in TOP:
        rooms = {child(name, package) for name in modules()} - {None, *TOP}
        yield f"rooms on the first level of {package}", len(rooms)
    largest = max(packages(), key=lambda package: len(_files(package)))
    yield f"files in the largest folder ({largest})", len(_files(largest))
    yield "packages (folders)", len(packages())
    yield "modules (files)", len(modules())
    graph = module_graph()
    yield "arrows between modules", sum(map(len, graph.values()))
    yield (
        "arrows between the rooms of a package",
        sum(len(ends) for package in packages() for ends in arrows(package).values()),
    )
    yield (
        "arrows between folders",
        len(
            {(_folder(a), _folder(b)) for a, ends in graph.items() for b in ends if _folder(a) != _folder(b)}
        ),
    )
    yield "circles of modules", len(circles(graph))
    yield "circles of rooms", sum(len(circles(arrows(package))) for package in packages())
    yield "file names that stand twice", len(twice(file_names()))
    yield "class names that stand twice", len(twice(class_names()))


def _files(package: str) -> list[str]:
    return [name for name in modules() if child(name, package) == name and name not in packages()]


def _folder(name: str) -> str:
    return name if name in packages() else name.rpartition(".")[0]


def file_names() -> Iterator[str]:
    """The names of all files but __init__.py and __main__.py."""
    return (path.name for path in modules().values() if not path.name.startswith("__"))


def class_names() -> Iterator[str]:
    """The names of all classes at the top of modules."""
    return (node.name for name in modules() for node in tree(name).body if isinstance(node, ast.ClassDef))


def twice(names: Iterator[str]) -> list[str]:
    return sorted(name for name, number in Counter(names).items() if number > 1)


if __name__ == "__main__":
    for what, number in rows():
        print(f"{number:6,}  {what}")
