"""One name, one thing: file and class names that stand for two, and names that the project has left behind.

The lists may shrink and not grow: a new file or class takes a name that is free.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from tests.lint.imports import ROOT, modules, tree
from tests.lint.structure import class_names, file_names, twice

FILES_TWICE = frozenset(
    {
        # a command in pipelines/cli/ is called like what it does, and so is the module that does it
        "build.py",
        "coverage.py",
        "decide.py",
        "evaluate.py",
        "generate.py",
        "model.py",
        "plan.py",
        "report.py",
        "sample.py",
        "trace.py",
        # one side is tokens/, whose files the trainer reads
        "dataset.py",
        "mixture.py",
        "parts.py",
        "rows.py",
        "shards.py",
        # the same part of two packages
        "names.py",
        "options.py",
        "retry.py",
        "run.py",
        "source.py",
        "stages.py",
        "text.py",
        "urls.py",
        "workspace.py",
    }
)
"""File names of two modules and more."""

CLASSES_TWICE: frozenset[str] = frozenset()
"""Class names of two modules and more."""

LEFT_BEHIND = {"found": "what was found? say what it holds", "told": "what was said, to whom?"}
"""Names of variables and functions that say nothing, and what to ask oneself instead."""


def repeated() -> Iterator[str]:
    for what, names, known in (
        ("file", twice(file_names()), FILES_TWICE),
        ("class", twice(class_names()), CLASSES_TWICE),
    ):
        for name in sorted(set(names) - known):
            yield f"two {what} names are {name}: give the new one a name that is free"
        for name in sorted(known - set(names)):
            yield f"only one {what} name is {name} now: take it off the list in tests/lint/names.py"


def empty() -> Iterator[str]:
    for module, path in modules().items():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            else:
                continue
            if name in LEFT_BEHIND:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {name}: {LEFT_BEHIND[name]}"


def main() -> int:
    wrong = [*repeated(), *empty()]
    print("\n".join(wrong) or f"names: {len(FILES_TWICE)} file names stand twice, no class name does")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
