"""Every package begins with a map: its docstring names each of its files and folders, no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.lint.imports import ROOT, modules, packages

ENTRY = re.compile(r"(?<![\w/.])([\w-]+(?:\.py|/))(?![\w/])")


def contents(folder: Path) -> list[str]:
    """Modules and packages of a folder, links included."""
    files = [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
    folders = [f"{path.name}/" for path in folder.iterdir() if (path / "__init__.py").exists()]
    return sorted(files + folders)


@pytest.mark.parametrize("package", packages())
def test_a_package_begins_with_a_map_of_its_files(package: str) -> None:
    path = modules()[package]
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    inside = contents(path.parent)
    named = {name for name in ENTRY.findall(docstring) if name in inside or name.endswith(".py")}
    assert sorted(named - {"__main__.py"}) == inside, (
        f"{path.relative_to(ROOT)} lists other files than it holds"
    )
