"""Files of a repository as one document, in the order of paths or of dependency."""

from __future__ import annotations

from pathlib import Path

from corpus.document import Record
from corpus.sources.code.joined import order_by_dependency
from tests.sources import text_of
from tests.sources.repositories import (
    MIT,
    read,
    write,
)


def test_long_repositories_are_cut_between_files(tmp_path: Path) -> None:
    files = {f"{at}.py": f"x = {at}\n".encode() * 30 for at in range(15)}
    tree = write(tmp_path / "a", {"LICENSE": MIT.encode(), **files})
    found = [
        r
        for r in read(tree, documents="repositories", max_document=1024)
        if isinstance(r, Record) and not r.gate
    ]
    assert len(found) > 2
    assert len({r.native_id for r in found}) == len(found)
    assert all(text is not None and text.startswith("<file_sep>") for text in map(text_of, found))
    assert sum((text_of(r) or "").count("<file_sep>") for r in found) == 15


def test_files_follow_what_they_use() -> None:
    files = [
        ("app/main.py", "from app.view import show\nimport os\n"),
        ("app/model.py", "x = 1\n"),
        ("app/view.py", "from .model import x\n"),
        ("c/a.c", '#include "a.h"\n'),
        ("c/a.h", "#include <stdio.h>\n"),
        ("js/index.js", "import { a } from './lib/a'\n"),
        ("js/lib/a.js", "const b = require('./b')\n"),
        ("js/lib/b.js", "module.exports = 1\n"),
    ]
    order = [files[at][0] for at in order_by_dependency(files)]
    assert sorted(order) == sorted(path for path, _ in files)
    for before, after in [("app/model.py", "app/view.py"), ("app/view.py", "app/main.py"), ("c/a.h", "c/a.c"),
                          ("js/lib/b.js", "js/lib/a.js"), ("js/lib/a.js", "js/index.js")]:  # fmt: skip
        assert order.index(before) < order.index(after)


def test_a_module_called_like_its_package_is_the_one_meant() -> None:
    files = [
        ("kana/__init__.py", "from .kana import a\n"),
        ("kana/__init__.pyi", ""),
        ("kana/kana.py", "a = 1\n"),
    ]
    assert [files[at][0] for at in order_by_dependency(files)][1:] == ["kana/kana.py", "kana/__init__.py"]


def test_a_repository_is_called_after_its_code_and_not_its_settings(tmp_path: Path) -> None:
    files = {"LICENSE": MIT.encode(), "a.py": b"x = 1\n", "package.json": b'{"name": "a name"}\n' * 50}
    found = read(write(tmp_path / "a", files), documents="repositories")
    assert [one.language for one in found if isinstance(one, Record) and not one.gate] == ["code_python"]


def test_circles_end() -> None:
    files = [("a.py", "import b\n"), ("b.py", "import c\n"), ("c.py", "import a\n"), ("d.py", "import a\n")]
    order = [files[at][0] for at in order_by_dependency(files)]
    assert sorted(order) == ["a.py", "b.py", "c.py", "d.py"]
    assert order.index("a.py") < order.index("d.py")
