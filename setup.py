"""The wheel's one peculiarity: manifests/ goes into it as corpus/_manifests."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


class BuildWithManifests(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "corpus" / "_manifests"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree("manifests", target, dirs_exist_ok=True, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithManifests})
