"""Lock a workspace: one build at a time, or any number of slices of one."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.storage import is_remote, local_path

RENEW_SECONDS = 20.0
"""Seconds after which the lock of a remote workspace is renewed while a build runs."""
STALE_LOCK_SECONDS = 120.0
"""Seconds after which a lock that was not renewed may be taken over: its build was killed on another machine."""
LOCK_TRIES, LOCK_WAIT_SECONDS = 3, 0.05
"""How often a local lock is tried: `is_locked` holds it for a moment."""
SHARED_LOCKS_FOLDER = ".locks"
"""Folder of the objects with which the slices of a build hold the lock of a remote workspace."""


@contextmanager
def hold_lock(root: str, shared: bool = False) -> Iterator[Callable[[], None]]:
    """Hold the workspace's lock while the block runs; `shared`: together with others that share it.

    Raises RunError where another build has it, UserError where no folder can be made. On a local disk the lock is the
    operating system's and ends with the process, however that ends. On an object store it is an object that only one
    build can create and that names its owner; those that share it have an object each. A build renews its own lock, and
    takes over one that was not renewed for two minutes, or whose process is gone from this machine. The block is given
    a function that releases the lock, for processes that end without leaving the block.
    """
    if is_remote(root):
        hold = _share_remote_lock if shared else _hold_remote_lock
        with hold(storage.join(root, ".lock"), root) as release:
            yield release
        return
    try:
        os.makedirs(local_path(root), exist_ok=True)
    except OSError as error:
        raise UserError(f"{root}: this folder cannot be created: {error.strerror}") from None
    try:
        file = open(os.path.join(local_path(root), ".lock"), "a+")  # noqa: SIM115 - closed below
    except OSError as error:
        raise RunError(f"{root}: cannot be written to: {error.strerror}") from None
    with file:
        if not _take_lock(file.fileno(), fcntl.LOCK_SH if shared else fcntl.LOCK_EX, LOCK_TRIES):
            file.seek(0)
            holder = file.read().strip()
            if not holder:
                raise _refuse_slices(root)
            raise RunError(
                f"{root}: another build is running here (process {holder}): wait for it, or stop it"
            )
        try:
            file.truncate(0)
            if not shared:
                os.write(file.fileno(), str(os.getpid()).encode())  # closing would write a buffer again
        except OSError as error:
            raise RunError(f"{root}: cannot be written to: {error.strerror}") from None
        yield file.close


def is_locked(root: str) -> bool:
    """Return whether a build or `corpus decide` holds a workspace's lock now; on an object store, or slices of one."""
    if is_remote(root):
        places = [
            storage.join(root, ".lock"),
            *storage.list_files(storage.join(root, SHARED_LOCKS_FOLDER)),
        ]
        holders = [_read_holder(place) for place in places]
        return any(holder is not None and _is_at_work(holder) for holder in holders)
    path = os.path.join(local_path(root), ".lock")
    if not os.access(path, os.R_OK):
        return False
    with open(path, "rb") as file:
        return not _take_lock(file.fileno(), fcntl.LOCK_SH, 1)


def _take_lock(file: int, kind: int, tries: int) -> bool:
    """Return whether a local lock could be taken."""
    for left in reversed(range(tries)):
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(LOCK_WAIT_SECONDS)
        else:
            return True
    return False


def _refuse_slices(root: str) -> RunError:
    return RunError(f"{root}: slices of a build are running here: wait for them, or stop them")


def _describe_self() -> dict[str, Any]:
    return {"host": socket.gethostname(), "process": os.getpid(), "build": uuid.uuid4().hex}


@contextmanager
def _hold_remote_lock(path: str, root: str) -> Iterator[Callable[[], None]]:
    mine = _describe_self()
    if not storage.create(path, _lock_content(mine)):
        _check_remote_lock(path, root)
        storage.write_bytes(path, _lock_content(mine))
        time.sleep(0.2)
        new_holder = _read_holder(path)
        if new_holder is None or new_holder.get("build") != mine["build"]:
            raise RunError(f"{root}: another build started here at the same time: wait for it, or stop it")
    with _renewed(path, mine) as release:
        for shared in storage.list_files(storage.join(root, SHARED_LOCKS_FOLDER)):
            holder = _read_holder(shared)
            if holder is not None and _is_at_work(holder):
                raise _refuse_slices(root)
            storage.remove(shared)
        yield release


@contextmanager
def _share_remote_lock(path: str, root: str) -> Iterator[Callable[[], None]]:
    """Hold a lock of our own, which every build looks for after it has its lock; then look for the lock of a build.

    So of two that start together one or both are refused.
    """
    mine = _describe_self()
    own = storage.join(root, SHARED_LOCKS_FOLDER, mine["build"])
    storage.write_bytes(own, _lock_content(mine))
    with _renewed(own, mine) as release:
        _check_remote_lock(path, root)
        yield release


def _check_remote_lock(path: str, root: str) -> None:
    """Raise RunError if the lock at `path` is that of a build at work."""
    holder = _read_holder(path)
    if holder is not None and _is_at_work(holder):
        raise RunError(
            f"{root}: another build is running here (process {holder.get('process')} on "
            f"{holder.get('host')}): wait for it, or stop it"
        )


@contextmanager
def _renewed(path: str, mine: dict[str, Any]) -> Iterator[Callable[[], None]]:
    """Renew a lock that we hold while the block runs, and remove it then; yield what does so at once."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEW_SECONDS):
            try:
                storage.write_bytes(path, _lock_content(mine))
            except OSError:
                continue  # the next one may do better; what is written is whole in any case

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()

    def release() -> None:
        done.set()
        storage.remove(path)

    try:
        yield release
    finally:
        done.set()
        thread.join(RENEW_SECONDS)  # a store may be out of reach
        storage.remove(path)


def _lock_content(mine: dict[str, Any]) -> bytes:
    return json.dumps({**mine, "renewed": round(time.time(), 1)}).encode()


def _read_holder(path: str) -> dict[str, Any] | None:
    """Return the content of a lock; None where it is gone or cannot be parsed."""
    try:
        holder = json.loads(storage.read_bytes(path))
    except (FileNotFoundError, ValueError):
        return None
    return holder if isinstance(holder, dict) else None


def _is_at_work(holder: dict[str, Any]) -> bool:
    renewed = holder.get("renewed")
    if not isinstance(renewed, int | float) or time.time() - renewed > STALE_LOCK_SECONDS:
        return False
    process = holder.get("process")
    if holder.get("host") != socket.gethostname() or not isinstance(process, int):
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
