"""The walk as mypyc compiles it: the blocks of the Python that it was made from, and never of other sources."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from corpus.extract.html import blocks
from corpus.extract.html.blocks import element_tokens, page_blocks
from corpus.extract.html.blocks.page_blocks import MAX_SHADOW_ROOTS, read_blocks
from tests.extract.structure_gold import pages

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    os.environ.get("CORPUS_COMPILED") == "0" or (shutil.which("cc") is None and not blocks.is_compiled()),
    reason="no C compiler, or what it made is turned off",
)


def list_pages() -> Iterator[str]:
    """Return pages of every kind of block, and the parts of them that damage leaves."""
    for page in pages.make_pages():
        yield page.html
        yield page.html[: len(page.html) // 2]
        yield page.html.replace("</", "<", 40)
    for name in (
        "table",
        "dl",
        "pre",
        "math",
        "template shadowrootmode=open",
        "q",
        "sup",
        "svg",
        "x-y",
        "dialog",
    ):
        tag = name.split()[0]
        yield f"<p>一 <{name}>二<{name} class='Ab cD' id=x1 hidden>สาม</{tag}>رابع</{tag}> пять" * 30
    yield (
        "<div "
        + "".join(f"a{number}=b " for number in range(3_000))
        + "class='"
        + "x " * 5_000
        + "'>पाठ</div>"
    )
    yield "\ud800<p>lone</p>\udfff"
    yield ""


def hash_blocks(htmls: Iterator[str] | list[str]) -> str:
    """Return a hash of all that is known of the blocks of pages."""
    digest = hashlib.sha256()
    for html in htmls:
        page = read_blocks(html)
        for name in page_blocks.PageBlocks.__dataclass_fields__:
            if not name.startswith("_"):
                digest.update(repr(getattr(page, name)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def hash_archive(path: str, step: int) -> str:
    """Return the same of every so many pages of a WARC file."""
    with open(path, "rb") as file:
        records = ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True)
        bodies = [record.reader.read() for record in records][::step]
    return hash_blocks([body.decode("utf-8", "replace") for body in bodies])


def run_in_python(code: str) -> str:
    """Run code where what was compiled is left unused, and return what it printed."""
    code = f"from corpus.extract.html.blocks import page_blocks\nassert page_blocks.__file__.endswith('.py')\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "CORPUS_COMPILED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_walk_of_this_environment_is_compiled() -> None:
    assert blocks.is_compiled(), "make setup compiles it"
    for module in (page_blocks, element_tokens):
        assert Path(module.__file__ or "").parent == blocks.COMPILED


def test_made_pages_have_the_same_blocks_compiled_and_in_python() -> None:
    code = "from tests.extract.compiled_test import *\nprint(hash_blocks(list_pages()))"
    assert hash_blocks(list_pages()) == run_in_python(code)


def test_real_pages_have_the_same_blocks_compiled_and_in_python(data: Path) -> None:
    path = str(data / "warc" / "web-open.warc.gz")
    code = f"from tests.extract.compiled_test import *\nprint(hash_archive({path!r}, 5))"
    assert hash_archive(path, 5) == run_in_python(code)


@pytest.mark.parametrize("inside", ["", '<img title="</template>">'])
def test_shadow_roots_in_each_other_are_walked_up_to_a_bound(inside: str) -> None:
    """Python ends a recursion; what is compiled would end the process."""
    root = f"<div><template shadowrootmode=open>{inside}"
    assert read_blocks(root * MAX_SHADOW_ROOTS + "<p>Hinab.</p>").texts == ["Hinab."]
    code = "from tests.extract.compiled_test import *\n"
    code += (
        f"with pytest.raises(RecursionError, match='100 shadow roots'):\n    read_blocks({root!r} * 20_000)"
    )
    with pytest.raises(RecursionError, match="100 shadow roots"):
        read_blocks(root * 20_000)
    run_in_python(code)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package, with what was compiled."""
    return shutil.copytree(Path(blocks.__file__).parent, tmp_path / "blocks")


def load(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("copied_blocks", folder / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_was_compiled_from_other_sources_is_not_used(copied: Path) -> None:
    assert load(copied).__path__ == [str(copied / "compiled"), str(copied)]
    source = copied / "page_head.py"
    source.write_bytes(source.read_bytes() + b"\n")
    assert load(copied).__path__ == [str(copied)]


@pytest.mark.parametrize("lack", ["stamp", "setting", "folder", "module"])
def test_what_is_missing_is_done_without(copied: Path, lack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if lack == "folder":
        shutil.rmtree(copied / "compiled")
    elif lack == "stamp":
        (copied / "compiled" / blocks.STAMP).unlink()
    elif lack == "module":
        blocks.list_compiled(copied / "compiled")[-1].unlink()
    else:
        monkeypatch.setenv("CORPUS_COMPILED", "0")
    assert load(copied).__path__ == [str(copied)]


def test_what_cannot_be_loaded_here_is_said_and_done_without(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared = blocks.list_compiled(copied / "compiled")[0]
    shared.write_bytes(b"of another machine")
    assert load(copied).__path__ == [str(copied)]
    assert f"{shared} cannot be loaded, so that the same runs as Python" in caplog.text
