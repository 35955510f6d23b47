"""Two peculiarities of the build: manifests/ goes into the wheel as corpus/_manifests, and two links must be there."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
ROOT = Path(__file__).parent
LINKED = ("filters", "pipelines")
"""Folders beside corpus/ that are packages inside it, by links that git keeps and some archives of it drop."""

for name in LINKED:
    if not (ROOT / "corpus" / name / "__init__.py").exists():
        sys.exit(
            f"corpus/{name} is not the link to ../{name} that it should be: the package would lack its modules. "
            f"Clone the repository with git (a .zip of it, or git without core.symlinks, keeps no links), or run "
            f"ln -sfn ../{name} corpus/{name}"
        )


class BuildWithManifests(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "corpus" / "_manifests"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree("manifests", target, dirs_exist_ok=True, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithManifests})
