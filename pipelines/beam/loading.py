"""Import Beam and pyarrow: whole, or without the clouds and libraries that a local pipeline has no use for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from corpus.freed_memory import keep_freed_memory
from corpus.garbage_collection import collect_rarely
from corpus.pipelines.beam.kept_answers import keep_answers
from corpus.pipelines.beam.light_pickles import pack_lightly

LEFT_OUT = (
    "apache_beam.io.gcp.bigquery",
    "apitools",
    "azure",
    "boto3",
    "bson",
    "google.api_core",
    "google.auth",
    "google.cloud",
    "hdfs",
    "IPython",
    "pandas",
    "pymongo",
)
"""What Beam imports if it is installed, and does without if it is not."""


class _Refuse(MetaPathFinder):
    """Finds none of some modules, as if they were not installed, for the thread that made it: another may need them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(f"{name}." for name in names)
        self.thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if f"{fullname}.".startswith(self.names) and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"{fullname} is left out here", name=fullname)
        return None


_alone = False
_is_reduced = False


def own_process() -> None:
    """Say that nothing but `corpus` uses Beam, pyarrow and numpy in this process: a command, or a worker of one.

    Before numpy is imported, this also leaves it one thread: products here are small, workers share the processor
    already, and to start OpenBLAS's threads takes half of numpy's import. Pydantic looks for no plug-ins of its own,
    which would read what every installed package says of itself. Memory that was freed is kept, and garbage looked for
    rarely.
    """
    global _alone
    _alone = True
    keep_freed_memory()
    collect_rarely()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def load_beam(local_only: bool) -> None:
    """Import Beam; `local_only` without what only other runners and other inputs need: .6 s instead of 1.4.

    What was left out can be imported afterwards, but Beam does not know it then: so only in a process of our own.
    """
    global _is_reduced
    if "apache_beam" in sys.modules or will_be_whole(local_only):
        import_module("apache_beam")
        return
    with _refusing(LEFT_OUT):
        import_module("apache_beam")
    keep_answers()
    pack_lightly()
    _is_reduced = True


def is_whole() -> bool:
    """Return whether nothing that is installed for Beam was left out when it was imported."""
    return not _is_reduced


def will_be_whole(local_only: bool) -> bool:
    """Return whether Beam is whole after `load_beam(local_only)`."""
    return is_whole() if "apache_beam" in sys.modules else not (local_only and _alone)


def keep_pandas_out() -> None:
    """Let pyarrow look for pandas, as it does once before its first array and once before its first numpy array.

    Importing pandas takes .3 s, and no build has a use for it. Does nothing but in a process of our own.
    """
    if "pandas" in sys.modules or not _alone:
        return
    import numpy as np
    import pyarrow as pa

    with _refusing(("pandas",)):
        pa.array(np.zeros(1)).to_numpy(zero_copy_only=False)


@contextmanager
def _refusing(names: Sequence[str]) -> Iterator[None]:
    refuse = _Refuse(names)
    sys.meta_path.insert(0, refuse)
    try:
        yield
    finally:
        sys.meta_path.remove(refuse)
