"""One build at a time in a workspace."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from corpus.errors import RunError, UserError
from corpus.storage import is_remote, local


@contextmanager
def locked(root: str) -> Iterator[None]:
    """Holds the workspace's lock; raises RunError where another build has it, UserError where no folder can be made.

    The lock is the operating system's and goes with the process, however that ends. A workspace on an
    object store has none: its parts are whole whoever writes them.
    """
    if is_remote(root):
        yield
        return
    try:
        os.makedirs(local(root), exist_ok=True)
    except OSError as error:
        raise UserError(f"{root}: this folder cannot be made: {error.strerror}") from None
    with open(os.path.join(local(root), ".lock"), "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RunError(
                f"{root}: another build is at work here (process {holder}): wait for it, or stop it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
