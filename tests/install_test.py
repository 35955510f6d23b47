"""The wheel, installed into an environment of its own and used in a folder full of names like ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.plugins.lab import TEXTS, write_lab

ROOT = Path(__file__).parents[1]
HOSTILE = ("corpus", "filters", "pipelines", "tests")
"""Modules of a user's that are called like packages or folders of ours."""


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside the checkout, with nothing of this process's Python settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git does not ignore, links as links, so that nothing that was built here gets in."""
    target = tmp_path_factory.mktemp("checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", "dist", ".", cwd=checkout)
    assert built.returncode == 0, built.stderr
    (path,) = (checkout / "dist").glob("corpusmill-*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel alone; its dependencies are those of this one, behind it on the path."""
    place = tmp_path_factory.mktemp("environment")
    assert run(sys.executable, "-m", "venv", str(place), cwd=place).returncode == 0
    packages = sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)})
    # A line with a path is added as it is: the links of editable installations in that folder are not followed.
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = run(str(place / "bin/pip"), "install", "--no-deps", "--no-index", str(wheel), cwd=place)
    assert pip.returncode == 0, pip.stderr
    return place


def test_the_wheel_holds_one_package_with_all_modules_and_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (top_level,) = [name for name in names if name.endswith("top_level.txt")]
        assert archive.read(top_level).decode().split() == ["corpus"]
    for folder, inside in (("corpus", ""), ("filters", "filters/"), ("pipelines", "pipelines/")):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT / folder).as_posix()
            assert f"corpus/{inside}{name}" in names
    assert "corpus/_manifests/demo.yaml" in names
    assert not any(name.startswith(("tests/", "filters/", "pipelines/")) for name in names)


def test_a_checkout_that_lost_its_links_is_refused_in_one_line(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "unzipped"
    shutil.copytree(checkout, copy, symlinks=True, ignore=shutil.ignore_patterns("dist", "build"))
    for name in ("filters", "pipelines"):
        (copy / "corpus" / name).unlink()
        (copy / "corpus" / name).write_text(f"../{name}")  # what git without links, and a .zip, leave
    built = run(sys.executable, "-m", "build", "--wheel", ".", cwd=copy)
    assert built.returncode != 0
    assert "corpus/filters is not the link to ../filters that it should be" in built.stdout + built.stderr
    assert "ln -sfn ../filters corpus/filters" in built.stdout + built.stderr


def test_names_like_ours_in_the_folder_and_on_the_path_do_no_harm(environment: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "corpus" / "dedup").mkdir(parents=True)
    (folder / "corpus" / "docs.jsonl").write_text(json.dumps({"text": "A folder of data."}) + "\n")
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was imported')\n")
    demo = ROOT / "manifests" / "demo.yaml"
    built = {}
    for place, path in (("hostile", str(folder)), ("plain", "")):
        out = tmp_path / place
        cwd = folder if path else tmp_path
        command = [str(environment / "bin/corpus"), "build", str(demo), "--out", str(out), "--workers", "2"]
        done = run(*command, cwd=cwd, PYTHONPATH=path, CORPUS_SPREAD_FROM="0")
        assert done.returncode == 0, done.stderr
        built[place] = (out / "tokens" / "dataset.json").read_bytes()
        assert json.loads(built[place])["shards"]
    assert built["hostile"] == built["plain"]
    assert not (folder / "__pycache__").exists(), "nothing of the user's was imported"


def test_the_plugins_of_the_documentation_run_with_two_workers(environment: Path, tmp_path: Path) -> None:
    folder = write_lab(tmp_path / "lab")
    command = [
        str(environment / "bin/corpus"),
        "build",
        "lab.yaml",
        "--out",
        "out",
        "--plugins",
        ".",
        "--workers",
        "2",
    ]
    done = run(*command, cwd=folder, CORPUS_SPREAD_FROM="0")
    assert done.returncode == 0, done.stderr
    totals = json.loads((folder / "out" / "tokens" / "dataset.json").read_text())["totals"]
    assert totals["train"]["rows"] >= len(TEXTS)


def test_the_command_runs_the_distribution_that_it_belongs_to(environment: Path, tmp_path: Path) -> None:
    """Started in another checkout, whose folder is on the path too."""
    shown = run(
        str(environment / "bin/python"), "-c", "import corpus.filters, sys; print(corpus.filters.__file__)",
        cwd=tmp_path,
    )  # fmt: skip
    assert Path(shown.stdout.strip()).is_relative_to(environment)
    script = (
        (environment / "bin/corpus")
        .read_text()
        .replace("\nmain()", "\nimport corpus; print(corpus.__file__)")
    )
    (tmp_path / "where.py").write_text(script)
    place = run(str(environment / "bin/python"), "where.py", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert Path(place.stdout.strip()).is_relative_to(environment), place.stderr
