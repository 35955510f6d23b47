"""Source code: folders, git repositories, archives, packages, tables; what is read, and what is gated and named."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.extract import extract
from corpus.sources.code import gates
from corpus.sources.input_split import plan_splits
from corpus.sources.inputs import list_files
from tests.sources import text_of
from tests.sources.repositories import (
    DISPLAY,
    GATED,
    MIT,
    PYTHON,
    TREE,
    git,
    packed,
    read,
    records,
    source,
    write,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write(tmp_path / "sort", TREE)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository of `TREE` with an earlier commit, packed."""
    work = write(tmp_path / "work", {**TREE, "src/size.py": b"old = 1\n"})
    git("init", "-q", "-b", "main", folder=work)
    git("add", "-A", "-f", folder=work)
    git("commit", "-q", "-m", "one", folder=work)
    git("tag", "-a", "v1", "-m", "first", folder=work)
    (work / "src/size.py").write_bytes(TREE["src/size.py"])
    os.symlink("/etc/passwd", work / "link.py")
    git("add", "-A", "-f", folder=work)
    git("commit", "-q", "-m", "two", folder=work)
    git("clone", "-q", "--bare", str(work), str(tmp_path / "sort.git"), folder=tmp_path)
    git("gc", "-q", folder=tmp_path / "sort.git")
    return tmp_path / "sort.git"


def test_a_file_is_a_document_with_repository_path_and_licence(tree: Path) -> None:
    found = records(tree)
    record = found["src/size.py"]
    assert (record.license, record.group, record.language) == ("MIT", "sort", "code_python")
    assert record.metadata == {"repository": "sort", "path": "src/size.py", "programming_language": "python"}
    assert (record.file, record.offset, record.length) == ("sort/src/size.py", 0, len(TREE["src/size.py"]))


def test_every_space_stays(tree: Path) -> None:
    assert text_of(records(tree)["src/size.py"]) == PYTHON


def test_line_ends_become_one_kind(tree: Path) -> None:
    assert text_of(records(tree)["src/main.js"]) == "// ตรวจสอบว่าตัวเลขเป็นจำนวนเฉพาะหรือไม่\nlet a = 1;\n"


@pytest.mark.parametrize(
    ("path", "language", "sentence"),
    [
        ("src/gbk.py", "code_python", "# 计算两个数的最大公约数，输入必须是正整数\n"),
        ("src/sjis.c", "code_c", f"/* {DISPLAY} */"),
        ("src/並べ替え.rb", "code_ruby", "# 配列を並べ替える"),
        ("src/main.js", "code_javascript", "// ตรวจสอบว่าตัวเลขเป็นจำนวนเฉพาะหรือไม่"),
        ("src/a.go", "code_go", "// دالة تجمع عددين"),
        ("src/b.rs", "code_rust", "// दो संख्याओं का योग"),
        ("src/size.py", "code_python", "# размер файла"),
    ],
)
def test_comments_of_every_script_and_charset_are_read(
    tree: Path, path: str, language: str, sentence: str
) -> None:
    record = records(tree)[path]
    assert record.language == language
    assert sentence in (text_of(record) or "")


def test_prose_gets_no_programming_language(tree: Path) -> None:
    readme = records(tree)["README.md"]
    assert (readme.language, readme.metadata["format"]) == (None, "markdown")


def test_what_nobody_wrote_here_stops_at_a_gate_and_is_named(tree: Path) -> None:
    found = records(tree)
    assert {path: record.gate for path, record in found.items() if record.gate} == GATED
    assert all(record.body == b"" for record in found.values() if record.gate)
    assert set(found) == set(TREE)


def test_white_space_alone_is_no_document(tree: Path) -> None:
    assert text_of(records(tree)["nothing.py"]) is None


@pytest.mark.parametrize("split_size", [1, 100, 3000, 1 << 20])
def test_a_folder_splits_between_its_files_and_each_comes_once(tree: Path, split_size: int) -> None:
    whole = [one.file for one in read(tree)]
    assert len(whole) == len(TREE)
    assert [one.file for one in read(tree, split_size)] == whole
    assert (len(source().plan(str(tree), 0, split_size)) == 1) == (
        split_size == 1 << 40
    ) or split_size >= 1 << 20


def test_links_and_what_version_control_keeps_are_no_files(tree: Path) -> None:
    os.symlink("/etc/passwd", tree / "passwd.py")
    os.symlink("/etc", tree / "etc")
    write(tree, {".hg/store/a.py": b"x = 1\n"})
    os.mkfifo(tree / "pipe.py")
    assert set(records(tree)) == set(TREE)


def test_a_bare_repository_is_read_at_its_commit(repository: Path) -> None:
    found = records(repository)
    commit = git("rev-parse", "HEAD", folder=repository)
    assert set(found) == set(TREE)
    assert {path: record.gate for path, record in found.items() if record.gate} == GATED
    record = found["src/size.py"]
    assert text_of(record) == PYTHON
    assert record.metadata["commit"] == commit
    assert (record.date, record.license) == ("2024-02-29T12:00:00Z", "MIT")
    assert record.file == "sort.git/src/size.py"


def test_deltas_on_deltas_are_read_as_git_reads_them(tmp_path: Path) -> None:
    draw = random.Random(3)
    lines = [f"value_{at} = {draw.random()}\n" for at in range(400)]
    files = {"LICENSE": MIT.encode()}
    for at in range(40):
        for _ in range(60):
            lines[draw.randrange(len(lines))] = f"value = {draw.random()}  # число {at}\n"
        files[f"v{at:02}.py"] = "".join(lines).encode()
    work = write(tmp_path / "work", files)
    git("init", "-q", folder=work)
    git("add", "-A", folder=work)
    git("commit", "-q", "-m", "one", folder=work)
    git("repack", "-q", "-a", "-d", "-f", "--depth=30", "--window=30", folder=work)
    found = records(work)
    assert {path: record.body for path, record in found.items()} == {**files, "LICENSE": b""}
    assert records(work, max_bytes=1000)["v39.py"].gate == "code.large"


def test_large_objects_are_not_unpacked_packed_or_loose(tmp_path: Path) -> None:
    work = write(
        tmp_path / "work", {"LICENSE": MIT.encode(), "a.py": b"a = 1\n", "zeros.py": b"0" * (70 << 20)}
    )
    git("init", "-q", folder=work)
    git("add", "-A", folder=work)
    git("commit", "-q", "-m", "one", folder=work)
    for pack in (False, True):
        if pack:
            git("gc", "-q", folder=work)
        tracemalloc.start()
        found = records(work)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert {path: record.gate for path, record in found.items()} == {
            "LICENSE": "code.license_text",
            "a.py": None,
            "zeros.py": "code.large",
        }
        assert peak < 30 << 20


def test_a_revision_may_be_a_tag_a_branch_or_a_commit(repository: Path) -> None:
    first = git("rev-parse", "v1^{commit}", folder=repository)
    for revision in ("v1", first):
        record = records(repository, revision=revision)["src/size.py"]
        assert text_of(record) == "old = 1\n"
        assert record.metadata["commit"] == first
    assert text_of(records(repository, revision="main")["src/size.py"]) == PYTHON


def test_a_clone_is_its_commit_and_not_its_working_files(tmp_path: Path, repository: Path) -> None:
    git("clone", "-q", str(repository), "clone", folder=tmp_path)
    write(tmp_path / "clone", {"new.py": b"x = 1\n"})
    assert set(records(tmp_path / "clone")) == set(TREE)


def test_a_repository_without_that_revision_is_refused_at_plan_time(repository: Path) -> None:
    code = source(revision="nowhere", paths=[str(repository)])
    with pytest.raises(UserError, match="no commit at revision 'nowhere': name a branch, tag or commit"):
        plan_splits("code", code, list_files(code.paths, "/", folders=True), 1 << 20)


def test_an_address_gives_the_repository_its_name_without_the_password(repository: Path) -> None:
    git("config", "remote.origin.url", "https://me:hunter2@Example.org/team/sort.git", folder=repository)
    record = records(repository)["src/size.py"]
    assert record.group == record.metadata["repository"] == "example.org/team/sort"


def test_a_repository_that_borrows_objects_is_not_followed(repository: Path) -> None:
    (repository / "objects/info").mkdir(exist_ok=True)
    (repository / "objects/info/alternates").write_text("/somewhere/else/objects\n")
    with pytest.raises(UserError, match=r"objects lie in another repository \(objects/info/alternates\)"):
        source().plan(str(repository), 0, 1 << 20)


def test_damaged_objects_are_failures_with_their_path_and_the_rest_is_read(tmp_path: Path) -> None:
    work = write(
        tmp_path / "work",
        {"LICENSE": MIT.encode(), "a.py": b"a = 1\n", "b.py": b"b = 2\n", "c.py": b"c = 3\n"},
    )
    git("init", "-q", folder=work)
    git("add", "-A", folder=work)
    git("commit", "-q", "-m", "one", folder=work)
    name = git("rev-parse", "HEAD:b.py", folder=work)
    broken = work / ".git/objects" / name[:2] / name[2:]
    broken.chmod(0o644)
    broken.write_bytes(b"not zlib")
    found = read(work)
    assert [one.file for one in found if isinstance(one, Failure)] == ["work/b.py"]
    assert [one.metadata["path"] for one in found if isinstance(one, Record)] == ["LICENSE", "a.py", "c.py"]


@pytest.mark.parametrize("kind", ["zip", "", "gz", "bz2", "xz"])
def test_archives_are_streamed_and_their_common_folder_is_left_out(tmp_path: Path, kind: str) -> None:
    path = packed(
        kind, TREE, tmp_path / ("sort-1.0.zip" if kind == "zip" else f"sort-1.0.tar.{kind}".rstrip("."))
    )
    found = records(path)
    assert set(found) == set(TREE)
    assert {name: record.gate for name, record in found.items() if record.gate} == GATED
    record = found["src/size.py"]
    assert text_of(record) == PYTHON
    assert (record.group, record.license) == ("sort", "MIT")
    assert record.file == f"{path.name}/sort-1.0/src/size.py"


def test_licences_may_come_last(tmp_path: Path) -> None:
    path = packed("gz", {"a.py": b"x = 1\n", "LICENSE": MIT.encode()}, tmp_path / "a.tar.gz")
    assert records(path)["a.py"].license == "MIT"


def test_git_archives_name_their_commit(tmp_path: Path, repository: Path) -> None:
    commit = git("rev-parse", "HEAD", folder=repository)
    for name in ("a.zip", "a.tar", "a.tar.gz"):
        git("archive", "-o", str(tmp_path / name), f"--prefix=sort-{commit}/", "HEAD", folder=repository)
        found = [one for one in read(tmp_path / name) if isinstance(one, Record)]
        record = next(one for one in found if one.metadata["path"] == "src/size.py")
        assert (record.metadata["commit"], record.group) == (commit, "sort")


def test_archives_play_no_tricks(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/LICENSE", MIT)
        archive.writestr("a/../../etc/x.py", "x = 1\n")
        archive.writestr("a/b.py", "b = 1\n")
        archive.writestr("a/bomb.py", b"0" * (65 << 20))
    found = read(path)
    assert sorted(one.error.split(":")[0] for one in found if isinstance(one, Failure)) == [
        "'a/bomb.py' has 68,157,440 bytes, over the limit of 67,108,864",
        "a name that leads out of the archive",
    ]
    assert [one.metadata["path"] for one in found if isinstance(one, Record) and not one.gate] == ["b.py"]


def test_a_cut_archive_gives_what_is_whole_and_names_the_cut(tmp_path: Path) -> None:
    whole = packed("", TREE, tmp_path / "a.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(whole[: len(whole) // 3])
    found = read(tmp_path / "b.tar")
    assert any(isinstance(one, Record) and one.metadata["path"] == "src/size.py" for one in found)
    assert [one.file for one in found if isinstance(one, Failure)] == ["b.tar"]


SETUP = {
    "PKG-INFO": b"Metadata-Version: 2.4\nName: Fast_Sort\nVersion: 1.2\nLicense-Expression: BSD-2-Clause OR MIT\n",
    "fast_sort/__init__.py": b"x = 1\n",
}


@pytest.mark.parametrize(
    ("name", "body", "language"),
    [
        ("a.h", b"int add(int a, int b);\n", "c"),
        ("a.h", b"namespace a {\nclass B;\n}\n", "cpp"),
        ("a.h", b"#import <Foundation/Foundation.h>\n@interface A\n@end\n", "objectivec"),
        ("a.m", b"function y = f(x)\ny = x;\nend\n", "matlab"),
        ("a.ts", b"let a: number = 1;\n", "typescript"),
        ("a.ts", b'<?xml version="1.0"?>\n<TS/>\n', "xml"),
        ("a.v", b"Require Import Arith.\nLemma a : 1 = 1.\nProof. reflexivity. Qed.\n", "coq"),
        ("a.v", b"module a(input b, output c);\nassign c = b;\nendmodule\n", "verilog"),
        ("a.v", b"module main\n\nfn main() {\n\tprintln('a')\n}\n", "v"),
        ("a.fs", b"#version 330\nvoid main() {}\n", "glsl"),
        ("a.fs", b": square dup * ;\n", "forth"),
        ("a.fs", b"module A\nlet a = 1\n", "fsharp"),
        ("a.cl", b"__kernel void add(__global float* a) {}\n", "opencl"),
        ("a.cl", b"(defun a (b) b)\n", "lisp"),
        ("a.pro", b"QT += core\nTARGET = a\n", "qmake"),
        ("a.pro", b"pro a, b\n  print, b\nend\n", "idl"),
        ("a.pro", b"parent(X, Y) :- child(Y, X).\n", "prolog"),
        ("a.inc", b"<?php echo 1;\n", "php"),
        ("a.inc", b"#define A 1\n", "c"),
        ("a.inc", b"function a(b: integer): integer;\n", "pascal"),
        ("a.inc", b"SRC_URI = 'https://example.org/a'\ninherit a\n", "bitbake"),
        ("a.t", b"use strict;\nuse Test::More;\n", "perl"),
        ("a.bas", b"10 PRINT 1\n", "basic"),
        ("a.as", b"package { public class A {} }\n", "actionscript"),
        ("Makefile", b"all:\n", "makefile"),
        ("CMakeLists.txt", b"project(a)\n", "cmake"),
        ("pyproject.toml", b"[project]\n", "toml"),
        ("Dockerfile.dev", b"FROM a\n", "dockerfile"),
        ("tool", b"#!/usr/bin/env python3\nprint(1)\n", "python"),
        ("tool", b"#!/bin/sh\necho\n", "shell"),
        ("a.C#", b"", None),
    ],
)
def test_a_language_is_told_by_name_by_the_head_and_by_the_first_line(
    tmp_path: Path, name: str, body: bytes, language: str | None
) -> None:
    found = records(write(tmp_path / "a", {name: body}), license="MIT", content=False)[name]
    assert found.metadata.get("programming_language") == language


def test_where_names_are_silent_the_content_tells(tmp_path: Path) -> None:
    pytest.importorskip("magika")
    body = (
        b'package main\n\nimport "fmt"\n\nfunc main() {\n\tfor i := 0; i < 3; i++ {\n\t\tfmt.Println(i)\n\t}\n}\n'
        * 3
    )
    tree = write(tmp_path / "a", {"program": body})
    assert records(tree, license="MIT")["program"].language == "code_go"
    assert records(tree, license="MIT", content=False)["program"].gate == "code.language"


def test_what_the_model_is_unsure_of_is_no_code(tmp_path: Path) -> None:
    pytest.importorskip("magika")
    path = Path(__file__).parents[2] / "manifests/demo/sources/wiki/spa_Latn.wiki"
    tree = write(tmp_path / "a", {"page.x1": path.read_bytes(), "page.wiki": path.read_bytes()})
    found = records(tree, license="MIT")
    assert found["page.x1"].gate == "code.language"
    assert found["page.wiki"].metadata["format"] == "mediawiki"


STACK = {
    "content": ["x = 1\n", "int a;\n", "y = 2\n"],
    "max_stars_repo_path": ["a/x.py", "vendor/a.c", "a/y.py"],
    "max_stars_repo_name": ["n/one", "n/one", "n/two"],
    "max_stars_repo_licenses": [["MIT"], ["MIT"], ["MIT", "GPL-3.0-only"]],
    "max_stars_repo_head_hexsha": ["aa", "aa", "bb"],
}


def test_tables_in_the_manner_of_the_stack(tmp_path: Path) -> None:
    pq.write_table(pa.table(STACK), tmp_path / "a.parquet", row_group_size=1)
    found = records(tmp_path / "a.parquet", split_size=1)
    assert [(r.group, r.license, r.gate, r.language) for r in found.values()] == [
        ("n/one", "MIT", None, "code_python"),
        ("n/one", "MIT", "code.vendored", None),
        ("n/two", "MIT AND GPL-3.0-only", "code.license", None),
    ]
    assert found["a/x.py"].metadata["commit"] == "aa"
    assert text_of(found["a/x.py"]) == "x = 1\n"


def test_a_table_without_paths_says_which_columns_there_are(tmp_path: Path) -> None:
    pq.write_table(pa.table({"content": ["x"], "lang": ["Python"]}), tmp_path / "a.parquet")
    (failure,) = read(tmp_path / "a.parquet")
    assert isinstance(failure, Failure)
    assert failure.error == "no column for the path: there is content, lang: name it in `columns`"


def test_a_repository_as_one_document_in_the_order_of_paths(tree: Path) -> None:
    found = read(tree, documents="repositories", split_size=1)
    (one,) = [r for r in found if isinstance(r, Record) and r.gate is None]
    assert sum(isinstance(r, Record) and r.gate is not None for r in found) == len(GATED)
    text = text_of(one) or ""
    names = [line.removeprefix("<file_sep>") for line in text.splitlines() if line.startswith("<file_sep>")]
    wanted = set(TREE) - set(GATED) - {"nothing.py"}
    assert names == sorted(wanted, key=lambda name: name.split("/"))
    assert f"<file_sep>src/size.py\n{PYTHON}<file_sep>" in text
    assert "# 计算两个数的最大公约数" in text
    assert (one.license, one.group, one.metadata["files"]) == ("MIT", "sort", str(len(wanted)))


def test_secrets_are_replaced_unless_the_manifest_says_otherwise(tmp_path: Path) -> None:
    secret = 'password = "c0rrect!horse"  # ask ana@mail.org\n'
    tree = write(tmp_path / "a", {"a.py": secret.encode()})
    found = extract(records(tree, license="MIT")["a.py"], "fast")
    assert found is not None
    assert found.text == 'password = "<PASSWORD>"  # ask <EMAIL>\n'
    assert found.metadata == {"secrets": "1", "emails": "1"}
    assert text_of(records(tree, license="MIT", redact=False)["a.py"]) == secret


def test_globs_name_folders_and_files_and_nothing_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / "in" / name, {"a.py": b"x = 1\n", "b/c.py": b"x = 1\n"})
    packed("gz", SETUP, tmp_path / "in/three.tar.gz")
    names = [file.name for file in list_files(["in/*"], str(tmp_path), folders=True)]
    assert names == ["in/one", "in/three.tar.gz", "in/two"]
    assert [file.name for file in list_files(["in/**"], str(tmp_path), folders=True)] == ["in"]
    assert [file.name for file in list_files(["in/one/"], str(tmp_path), folders=True)] == ["in/one"]
    assert [file.name for file in list_files(["in/*"], str(tmp_path))] == ["in/three.tar.gz"]


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    code = source(paths=["in"])
    write(tmp_path / "in", TREE)

    def identities() -> set[str]:
        return {
            split.identity
            for split in plan_splits("code", code, list_files(["in"], str(tmp_path), folders=True), 1000)
        }

    before = identities()
    os.utime(tmp_path / "in/LICENSE", (0, 0))
    assert identities() == before
    (tmp_path / "in/src/size.py").write_bytes(b"y = 1\n")
    assert identities() != before


def test_a_repository_is_known_by_its_commit(repository: Path) -> None:
    def identity() -> str:
        (split,) = plan_splits("code", source(), list_files([str(repository)], "/", folders=True), 1000)
        return f"{split.name} {split.identity}"

    before = identity()
    git("repack", "-q", "-a", "-d", "-f", folder=repository)
    assert identity() == before


def test_content_without_the_extra_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.sources.code.languages.has_magika", lambda: False)
    with pytest.raises(ValueError, match=r"needs magika: .*the extra `code`"):
        source()
    assert source(content=False).content is False


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Real packages, pinned, from the registries; tests that need them are skipped where these cannot be reached."""
    folder = tmp_path_factory.mktemp("packages")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check"]
    sdist = [*pip, "--no-binary=:all:", "--no-build-isolation"]
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: no tarballs to read")
    for command in (
        [*sdist, "cn2an==0.5.23", "jaconv==0.4.0", "markupsafe==3.0.3"],
        [*pip, "itsdangerous==2.2.0"],
        [npm, "pack", "-s", "left-pad@1.3.0", "escape-html@1.0.3"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode:
            pytest.skip(f"the package registry cannot be reached: {done.stderr.strip()[-200:]}")
    yield folder
    shutil.rmtree(folder)


LICENSES = {
    "cn2an-0.5.23.tar.gz": "MIT",
    "jaconv-0.4.0.tar.gz": "MIT",
    "markupsafe-3.0.3.tar.gz": "BSD-3-Clause",
    "itsdangerous-2.2.0-py3-none-any.whl": "BSD-3-Clause",
    "left-pad-1.3.0.tgz": "WTFPL",
    "escape-html-1.0.3.tgz": "MIT",
}


@pytest.mark.parametrize(
    ("package", "path", "sentence", "absent"),
    [
        ("cn2an", "cn2an/cn2an.py", '+ "点负" + "01234567890.-"', "\t"),
        ("cn2an", "setup.py", 'EMAIL = "<EMAIL>"', "@"),
        ("jaconv", "README_JP.rst", "全角・半角の文字種変換を高速に行います。\n", "\r"),
        ("jaconv", "jaconv/conv_table.py", "'をんーゎゐゑゕゖゔゝゞ・「」。、')\n", "\ufffd"),
        ("markupsafe", "src/markupsafe/_speedups.c", "{ \\\n\t\tswitch (*inp++) { \\\n", "\r"),
        ("markupsafe", "docs/Makefile", '\nhelp:\n\t@$(SPHINXBUILD) -M help "$(SOURCEDIR)"', "\r"),
        ("itsdangerous", "itsdangerous/signer.py", "class HMACAlgorithm(SigningAlgorithm):\n", "<KEY>"),
        ("left-pad", "index.js", "function leftPad (str, len, ch) {\n", "\r"),
        ("escape-html", "index.js", "var matchHtmlRegExp = /[\"'&<>]/;\n", "\r"),
    ],
)
def test_real_packages(packages: Path, package: str, path: str, sentence: str, absent: str) -> None:
    name = next(name for name in LICENSES if name.startswith(package))
    record = records(packages / name)[path]
    text = text_of(record) or ""
    registry = "npm" if name.endswith(".tgz") else "pypi"
    assert (record.gate, record.license, record.group) == (None, LICENSES[name], f"pkg:{registry}/{package}")
    assert sentence in text
    assert absent not in text


def test_what_a_real_package_does_not_give(packages: Path) -> None:
    gates = {path: record.gate for path, record in records(packages / "markupsafe-3.0.3.tar.gz").items()}
    assert {path: gate for path, gate in gates.items() if gate and "egg-info" not in path} == {
        "LICENSE.txt": "code.license_text",
        "PKG-INFO": "code.generated",
        "docs/_static/markupsafe-icon.svg": "code.data",
        "docs/_static/markupsafe-logo.svg": "code.data",
        "docs/_static/markupsafe-name.svg": "code.data",
        "docs/license.rst": "code.license_text",
        "uv.lock": "code.lock",
    }


def test_every_mark_of_a_generated_file_has_one_of_the_words_looked_for_first() -> None:
    pattern = gates.path_lists().generated_says.pattern.removeprefix("(?i)")
    while (flat := re.sub(r"\([^()]*\)\??", "", pattern)) != pattern:
        pattern = flat
    alternatives = pattern.split("|")
    assert len(alternatives) > 5
    for alternative in alternatives:
        assert any(word.decode() in alternative for word in gates.GENERATED_WORDS), alternative


@pytest.mark.parametrize(
    "head",
    [
        "# DO NOT EDIT. Generated by hand",
        "/* @GENERATED */",
        "# 此文件由工具自动生成",
        "// Code autoGenerated from x",
    ],
)
def test_generated_files_say_so_in_any_case(head: str) -> None:
    assert gates.content_gate(head.encode(), "python") == "code.generated"
