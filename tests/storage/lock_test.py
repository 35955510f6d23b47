"""The lock of a workspace is seen by those that only read it, and they do not stand in its way."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from corpus.errors import RunError, UserError
from corpus.storage.lock import hold_lock, is_locked
from corpus.workspace import Workspace


def test_a_lock_is_seen_while_it_is_held(tmp_path: Path) -> None:
    root = str(tmp_path / "语料")
    assert not is_locked(root)
    with hold_lock(root):
        assert is_locked(root) and is_locked(root)
        with pytest.raises(RunError, match="another build is running here"), hold_lock(root):
            pass
    assert not is_locked(root) and (tmp_path / "语料" / ".lock").exists()


def test_a_lock_of_a_store_is_seen_while_it_is_held() -> None:
    root = "memory://locks/корпус"
    assert not is_locked(root)
    with hold_lock(root):
        assert is_locked(root)
    with hold_lock(root, shared=True):
        assert is_locked(root)
    assert not is_locked(root)


def test_a_build_starts_while_others_look_for_its_lock(tmp_path: Path) -> None:
    root, ended = str(tmp_path), threading.Event()
    with hold_lock(root):
        pass

    def look() -> None:
        while not ended.is_set():
            is_locked(root)
            time.sleep(0.001)

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(30):
            with hold_lock(root):
                pass
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join()


def test_what_is_missing_is_told_by_what_happens_to_the_build(tmp_path: Path) -> None:
    workspace = Workspace.create(str(tmp_path))
    assert "its build is not finished: resume it" in str(workspace.unfinished_error("statistics"))
    status = {"state": "running", "stage": "ingest", "done": 2, "total": 8, "documents": 1300}
    (tmp_path / "status.json").write_text(json.dumps(status))
    assert workspace.describe_running() is None
    with hold_lock(workspace.root):
        with pytest.raises(UserError) as caught:
            workspace.tokens()
        assert str(caught.value) == (
            f"{tmp_path} has no token shards yet: a build is running here "
            "(ingest, 2 of 8, 1,300 documents so far): wait for it"
        )
        (tmp_path / "status.json").unlink()
        assert workspace.describe_running() == "a build is running here"
    (tmp_path / "state.json").write_text('{"ingest": "x", "build": "x"}')
    assert "has lost its token shards: run its `corpus build` again" in str(
        workspace.unfinished_error("token shards")
    )
