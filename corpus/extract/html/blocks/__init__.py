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
import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

WALK = ("element_tokens", "formulas", "odd_elements", "page_blocks", "page_head", "walked_tables")
"""Modules that are compiled: what is slow in them is Python itself. The others leave their work to numpy."""
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


def is_compiled() -> bool:
    """Return whether what was compiled is there, is of these sources, and is not turned off."""
    if os.environ.get("CORPUS_COMPILED") == "0":
        return False
    try:
        return (COMPILED / STAMP).read_text(encoding="utf-8") == hash_sources()
    except OSError:  # nothing was compiled, or there are no sources
        return False


if is_compiled():
    __path__.insert(0, str(COMPILED))
