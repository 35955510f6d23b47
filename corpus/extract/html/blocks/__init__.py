"""Extract main text with a small network of our own: mode `corpus`.

In the order in which a page meets them:

    page_blocks.py      one parse, one walk -> blocks        element_tokens.py   what elements say of themselves
    walked_tables.py    layout, or rows of data              formulas.py         MathML, KaTeX, MathJax -> TeX
    odd_elements.py     hidden ones, doubles, grids          page_head.py        what the page states of itself
    page_group.py       blocks of several pages
    features.py         blocks -> whole numbers              block_model.py      whole numbers -> probabilities
    second_look.py      what all others let expect           held_back.py        menus, archives, other articles
    main_blocks.py      the blocks to keep -> text           training/           gold -> weights
    weights.py          where they are, and of which version

An installation compiles the modules around the walk (`WALK`) with mypyc, from these same sources, where it finds a C
compiler: a page then takes a sixth less, and has the same text. What was compiled from other sources than are here, as
while they are being changed, is not used: `make setup` compiles them again. CORPUS_COMPILED=0 leaves it unused.
"""

from __future__ import annotations

import hashlib
import logging
import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

WALK = ("element_tokens", "formulas", "odd_elements", "page_blocks", "page_head", "walked_tables")
"""Modules that are compiled: what is slow in them is Python itself. The others leave their work to numpy."""
SHARED = "walk__mypyc"
"""The extension module that holds the code of all of them."""
COMPILED = Path(__file__).parent / "compiled"
STAMP = f"sources{EXTENSION_SUFFIXES[0]}.sha256"
"""A file beside what was compiled for this Python, with the hash of what it was compiled from."""


def list_sources() -> list[Path]:
    """Return the files of the modules that are compiled."""
    return [Path(__file__).with_name(f"{name}.py") for name in WALK]


def hash_sources() -> str:
    """Return the SHA-256 of the modules that are compiled, in hexadecimal. Takes some .2 ms."""
    digest = hashlib.sha256()
    for path in list_sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def list_compiled(folder: Path) -> list[Path]:
    """Return the files that are compiled for this Python into a folder: one of all the code, and one a module."""
    return [folder / f"{name}{EXTENSION_SUFFIXES[0]}" for name in (SHARED, *WALK)]


def is_compiled() -> bool:
    """Return whether what was compiled is there, is of these sources, can be loaded, and is not turned off."""
    if os.environ.get("CORPUS_COMPILED") == "0":
        return False
    try:
        is_current = (COMPILED / STAMP).read_text(encoding="utf-8") == hash_sources()
    except OSError:  # nothing was compiled, or there are no sources
        return False
    return is_current and all(path.exists() for path in list_compiled(COMPILED)) and _can_be_loaded()


@cache
def _can_be_loaded() -> bool:
    """Return whether the file of all the code fits this machine: one from elsewhere may ask for a newer libc."""
    path = list_compiled(COMPILED)[0]
    spec = spec_from_file_location(f"{__name__}.{COMPILED.name}.{SHARED}", path)
    assert spec is not None
    try:
        module_from_spec(spec)
    except ImportError as error:
        logging.getLogger(__name__).warning(
            "%s cannot be loaded, so that the same runs as Python, slower: %s (CORPUS_COMPILED=0 leaves it out)",
            path,
            error,
        )
        return False
    return True


if is_compiled():
    __path__.insert(0, str(COMPILED))
