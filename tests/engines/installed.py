"""The wheel in an environment of its own: no checkout is on its path, and no package index is asked.

What the wheel needs is taken from the environment that runs this; `tests/install_test.py` installs that, too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.engines.processes import clean_environment

ROOT = Path(__file__).parents[2]


def copy_checkout(target: Path) -> None:
    """Copy what git does not ignore, links as links, and the language model."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in [*filter(None, listing.stdout.split("\0")), "corpus/languages/lid.176.ftz"]:
        if (ROOT / name).is_symlink() or (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def install_wheel(folder: Path) -> Path:
    """Build the wheel and install it into an empty environment in a folder; return the environment."""
    copy_checkout(folder / "checkout")
    wheels, environment = folder / "wheels", folder / "venv"
    offline = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    _run("-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", str(wheels), str(folder / "checkout"))
    shutil.rmtree(folder / "checkout")
    _run("-m", "venv", "--without-pip", str(environment))
    (packages,) = environment.glob("lib/python*/site-packages")
    shared = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "needed.pth").write_text("\n".join(shared) + "\n")
    inside = ("--python", str(environment / "bin/python"))
    _run("-m", "pip", *inside, "install", *offline, *map(str, wheels.glob("corpusmill-*.whl")))
    return environment


def corpus_command(environment: Path) -> list[str]:
    """Return the command of an environment, without the folder of the script on its path."""
    return [str(environment / "bin/python"), "-P", str(environment / "bin/corpus")]


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=clean_environment({})
    )
    assert done.returncode == 0, done.stderr
