"""Say which module reads web pages in each mode, and load it when it is needed: each takes a quarter of a second."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from corpus.extract import PAGE_MODULE

TRAFILATURA_MODULE = "corpus.extract.html.trafilatura_text"
PAGE_READERS = {
    "corpus": "corpus.extract.html.blocks.main_blocks",
    "resiliparse": "corpus.extract.html.resiliparse_text",
}
"""The module that reads pages in a mode; `TRAFILATURA_MODULE` reads them in all others."""

_listeners: list[Callable[[], None]] = []


def list_modules(module: str, mode: str) -> list[str]:
    """Return the modules to load before records are read by `module`, which may name a function in it."""
    name = module.partition(":")[0]
    return [name, PAGE_READERS.get(mode, TRAFILATURA_MODULE)] if name == PAGE_MODULE else [name]


def load_reader(name: str) -> Any:
    """Import a module that reads pages. If that takes time, `when_loaded` tells."""
    if name in sys.modules:
        return sys.modules[name]
    module = importlib.import_module(name)
    for listener in _listeners:
        listener()
    return module


def when_loaded(listener: Callable[[], None]) -> None:
    """Call `listener` whenever a reader has been loaded: that is no time of the page which needed it first."""
    _listeners.append(listener)
