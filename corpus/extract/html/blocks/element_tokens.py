"""Name what an element says of itself: its tag, and the words of its class, id, role and schema.org property.

The words are the page author's names for parts of a page (`sidebar`, `entry-content`), not words of its text. Which of
them mean something is learned: see `block_model`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_WORDS: Final = 10
"""Words of one element that are read: pages styled by utility classes have dozens."""
MAX_NAME_CHARACTERS: Final = 200
"""Characters of an attribute that are read."""
MAX_KEPT_CHARACTERS: Final = 2_000
"""Characters of the attributes of an element whose tokens are kept."""
MAX_CACHED = 20_000
"""Elements whose tokens are kept; the same bytes come out without them."""

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}(?![a-z])")
_SPACED: Final = bytes(code if chr(code).islower() else ord(" ") for code in range(256))
_NONE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_READ: Final = ("id", "role", "itemprop", "itemtype", "style", "aria-hidden", "data-testid", "class")

Tokens = tuple[str, ...]
Reader = Callable[[Mapping[str, str | None]], Any]
_cache: Final[dict[tuple[Any, ...], Tokens]] = {}
_class_words: Final[dict[str, tuple[str, ...]]] = {}
_readers: Final[dict[tuple[str, ...], Reader | None]] = {}


def name_element(tag: str, attributes: Mapping[str, str | None]) -> Tokens:
    """Return the tokens of an element: `<div`, then words of its names, `=role`, `@property`, `!none` for one that its
    style hides, `!aria` for one hidden from readers aloud."""
    key: tuple[Any, ...]
    if not attributes:
        key = (tag,)
    elif len(attributes) == 1 and "class" in attributes:
        key = (tag, attributes["class"])
    else:
        names = tuple(attributes)
        try:
            reader = _readers[names]
        except KeyError:
            reader = _find_reader(names)
        if reader is None:
            key = (tag,)
        elif reader is _read_class:
            key = (tag, attributes["class"])
        else:
            key = (tag, reader, reader(attributes))
    tokens = _cache.get(key)
    if tokens is None:
        tokens = _read_tokens(tag, attributes)
        if sum([len(attributes.get(name) or "") for name in _READ]) <= MAX_KEPT_CHARACTERS:
            _keep(_cache, key, tokens)
    return tokens


_read_class = itemgetter("class")


def _find_reader(names: tuple[str, ...]) -> Reader | None:
    """Return what takes from attributes of these names the values that are read, the same for all of which the same
    is read; None if nothing is."""
    read = tuple([name for name in _READ if name in names])
    reader: Reader | None = None
    if read == ("class",):
        reader = _read_class
    elif read and read == names:
        reader = itemgetter(*read)
    elif read:
        reader = _readers[read] if read in _readers else _find_reader(read)
    return _keep(_readers, names, reader)


def _keep(cache: dict[Key, Value], key: Key, value: Value) -> Value:
    if len(cache) >= MAX_CACHED:
        cache.clear()
    cache[key] = value
    return value


def _read_tokens(tag: str, attributes: Mapping[str, str | None]) -> Tokens:
    tokens = ["<" + tag]
    names = attributes.get("class")
    words = _split_class(names) if names else ()
    for name in ("id", "data-testid"):
        if written := attributes.get(name):
            words += _split_words(written)
    for word in words[:MAX_WORDS]:
        if len(word) > 1 and word not in tokens:
            tokens.append(word)
    if len(attributes) > 1 or not names:
        if role := attributes.get("role"):
            tokens.append("=" + role[:30].lower())
        if itemprop := attributes.get("itemprop"):
            tokens.append("@" + itemprop[:30].lower())
        if itemtype := attributes.get("itemtype"):
            tokens.append("@" + itemtype.rstrip("/").rpartition("/")[2][:30].lower())
        if (style := attributes.get("style")) and _NONE.search(style):
            tokens.append("!none")
        if attributes.get("aria-hidden") == "true":
            tokens.append("!aria")
    return tuple(tokens)


def _split_words(written: str) -> tuple[str, ...]:
    """Return the words of a name in lower case, `MAX_WORDS` at most."""
    read = written[:MAX_NAME_CHARACTERS]
    if read.islower() and read.isascii():  # most are, and then this is twice as fast
        return tuple(read.encode().translate(_SPACED).decode().split(None, MAX_WORDS)[:MAX_WORDS])
    return tuple([word.lower() for word in _WORDS.findall(read)[:MAX_WORDS]])


def _split_class(names: str) -> tuple[str, ...]:
    """Return the same, kept: elements that differ in their ids have the same classes."""
    words = _class_words.get(names)
    if words is None:
        words = _split_words(names)
        if len(names) <= MAX_KEPT_CHARACTERS:
            _keep(_class_words, names, words)
    return words
