"""Where nothing can be written, a command says so in one line before any work."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from corpus import storage
from corpus.errors import UserError
from corpus.export.target import check_folder
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace, check_out
from corpus.pipelines.cli.demo import demo
from corpus.pipelines.cli.fetch import fetch
from corpus.pipelines.cli.init import init
from corpus.pipelines.cli.sample import sample
from corpus.pipelines.cli.urls import urls
from corpus.storage import RemoteError
from corpus.storage.outputs import check_output_file, check_output_folder, describe_os_error, name_place
from tests.cli.running import run

LONG_NAME = "长" * 100
LONG_PATH = "/".join(["عميق"] * 500)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, links that lead nowhere, and a folder that nobody may write to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "closed").mkdir()
    allowed = os.access

    def may(path: str, mode: int) -> bool:
        return os.path.basename(path) != "closed" and allowed(path, mode)

    monkeypatch.setattr(os, "access", may)  # root may do anything
    return tmp_path


REFUSALS = [
    ("", " is empty: name a "),
    ("https://example.org/x", "a web server cannot be written to: name a "),
    ("file/x/y", "/file is in the way: name a "),
    ("nowhere/x", "/nowhere is a link that leads nowhere: remove it, or name a "),
    ("loop/x", "/loop is a link that leads nowhere: "),
    ("closed/x", "/closed cannot be written to: name a place that you can write to"),
    ("/proc/x", "/proc cannot be written to: "),
    (LONG_NAME, "a name of 300 bytes is too long (255 at most): name a shorter one"),
    (LONG_PATH, " is too long: name a shorter one"),
]


@pytest.mark.parametrize(("path", "line"), REFUSALS)
def test_files_and_folders_that_cannot_be(here: Path, path: str, line: str) -> None:
    for check in (check_output_folder, check_output_file):
        with pytest.raises(UserError) as refused:
            check("--out", path)
        said = str(refused.value)
        assert said.startswith("--out") and line in said and "\n" not in said and "Errno" not in said
        assert len(said) < 300


def test_a_file_is_no_folder_and_a_folder_no_file(here: Path) -> None:
    with pytest.raises(
        UserError, match=r"--out file: the file .*/file is in the way: name a folder elsewhere"
    ):
        check_output_folder("--out", "file")
    for folder in (".", "closed", "new/"):
        with pytest.raises(UserError, match="is a folder: name a file in it"):
            check_output_file("--html", folder)
    with pytest.raises(UserError, match="--html /dev/null is a device or a pipe: name a file"):
        check_output_file("--html", "/dev/null")
    with pytest.raises(UserError, match="--out closed: cannot be written to"):
        check_output_folder("--out", "closed")


def test_what_can_be_written_is_let_through(here: Path) -> None:
    for path in ("new", "new/deep/er", ".", f"file://{here}/new", "s3://bucket/x", "语料"):
        check_output_folder("--out", path)
    for path in ("file", "new/a.html", "nowhere.html", "gs://bucket/a.html"):
        check_output_file("--out", path)
    assert sorted(path.name for path in here.iterdir()) == ["closed", "file", "loop", "nowhere"]


@pytest.mark.parametrize(("path", "line"), REFUSALS)
def test_every_command_says_so_before_any_work(here: Path, path: str, line: str) -> None:
    commands = (
        lambda: check_out(path),
        lambda: check_folder(path),
        lambda: run(fetch, "list.parquet", "--contact", "me@example.org", "--out", path),
        lambda: run(urls, "RS.zst", "--out", path),
        lambda: run(sample, "workspace", "--html", path),
        lambda: run(demo, "--out", path),
        lambda: run(init, "file", "--out", path),
    )
    for command in commands[: -2 if path.startswith("https") else None]:
        with pytest.raises(UserError) as refused:
            command()
        assert line in str(refused.value)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/a/b"),
            "/a/b: No space left on device: free some room",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a"),
            "/a: Permission denied: name a place that you can",
        ),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/a"), "/a: Is a directory: name a file"),
        (OSError(errno.EIO, "Input/output error", "/a"), "/a: Input/output error"),
        (OSError(errno.EPIPE, "Broken pipe"), "Broken pipe"),
        (OSError("the store is away"), "the store is away"),
    ],
)
def test_errors_of_the_system_have_no_number(error: OSError, line: str) -> None:
    assert describe_os_error(error).startswith(line)


def test_a_write_that_fails_names_the_file(tmp_path: Path) -> None:
    path = str(tmp_path / "文件.txt")
    with pytest.raises(OSError) as failed, storage.atomic_output(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert describe_os_error(failed.value) == (
        f"{path}: No space left on device: free some room, or name a place on another disk"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_that_nothing_names_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    full = {str(tmp_path)}
    room = os.statvfs(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        os,
        "statvfs",
        lambda place: os.statvfs_result((*room[:4], 0 if place in full else 1 << 30, *room[5:])),
    )
    assert name_place(error) == f"the folder of temporary files, {tmp_path} (TMPDIR names another)"
    full.clear()
    assert name_place(error) is None
    assert name_place(OSError(errno.ENOSPC, "No space left on device", "/a/b")) == "/a/b"


def test_a_store_that_connects_at_once_is_named_where_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("fsspec.core.url_to_fs", connect)
    with pytest.raises(RemoteError) as failed:
        storage.exists("ftp://x/y/workspace.json")
    assert str(failed.value) == "ftp://x/y/workspace.json: Name or service not known"


def test_a_finished_build_that_cannot_be_written_to_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "文.jsonl").write_text('{"text": "早上好，世界。窗口外面有一条河。"}\n')
    manifest = tmp_path / "m.yaml"
    text = "name: a\nsources: {w: {kind: jsonl, paths: 文.jsonl, rules: []}}\ntokenizer: {vocabulary: 300}\n"
    manifest.write_text(text)
    out = str(tmp_path / "out")
    build_workspace(str(manifest), out, Running(workers=1))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.W_OK and allowed(place, mode))
    said: list[str] = []
    assert build_workspace(str(manifest), out, Running(workers=1), said.append).root == out
    assert said == ["nothing to do: the workspace is complete"]
    manifest.write_text(text + "seed: 1\n")
    with pytest.raises(
        UserError, match=rf"^--out {out}: cannot be written to: name a place that you can write"
    ):
        build_workspace(str(manifest), out, Running(workers=1))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before
