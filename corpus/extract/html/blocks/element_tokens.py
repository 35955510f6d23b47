"""Name what an element says of itself: its tag, and the words of its class, id, role and schema.org property.

The words are the page author's names for parts of a page (`sidebar`, `entry-content`), not words of its text. Which of
them mean something is learned: see `block_model`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_WORDS = 10
"""Words of one element that are read: pages styled by utility classes have dozens."""
MAX_NAME_CHARACTERS = 200
"""Characters of an attribute that are read."""
MAX_KEPT_CHARACTERS = 2_000
"""Characters of the attributes of an element whose tokens are kept."""
MAX_CACHED = 20_000
"""Elements whose tokens are kept; the same bytes come out without them."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}(?![a-z])")
_SPACED = bytes(code if chr(code).islower() else ord(" ") for code in range(256))
_NONE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_READ = ("id", "role", "itemprop", "itemtype", "style", "aria-hidden", "data-testid", "class")

Tokens = tuple[str, ...]
Reader = Callable[[Mapping[str, str | None]], Any]
_cache: dict[tuple[Any, ...], Tokens] = {}
_readers: dict[tuple[str, ...], Reader | None] = {}


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
        values = list(map(attributes.get, _READ))
        tokens = _read_tokens(tag, *values)
        if sum(map(len, filter(None, values))) <= MAX_KEPT_CHARACTERS:
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


def _read_tokens(
    tag: str | None,
    identity: str | None,
    role: str | None,
    itemprop: str | None,
    itemtype: str | None,
    style: str | None,
    aria_hidden: str | None,
    test_name: str | None,
    names: str | None,
) -> Tokens:
    words = _split_class(names[:MAX_NAME_CHARACTERS]) if names else ()
    for written in (identity, test_name):
        if written:
            words += _split_words(written)
    tokens = [f"<{tag}", *dict.fromkeys([word for word in words[:MAX_WORDS] if len(word) > 1])]
    if role:
        tokens.append(f"={role[:30].lower()}")
    if itemprop:
        tokens.append(f"@{itemprop[:30].lower()}")
    if itemtype:
        tokens.append(f"@{itemtype.rstrip('/').rpartition('/')[2][:30].lower()}")
    if style and _NONE.search(style):
        tokens.append("!none")
    if aria_hidden == "true":
        tokens.append("!aria")
    return tuple(tokens)


def _split_words(written: str) -> tuple[str, ...]:
    """Return the words of a name in lower case, `MAX_WORDS` at most."""
    read = written[:MAX_NAME_CHARACTERS]
    if read.islower() and read.isascii():  # most are, and then this is twice as fast
        return tuple(read.encode().translate(_SPACED).decode().split(None, MAX_WORDS)[:MAX_WORDS])
    return tuple([word.lower() for word in _WORDS.findall(read)[:MAX_WORDS]])


_split_class = lru_cache(maxsize=MAX_CACHED)(_split_words)
"""The same, kept: elements that differ in their ids have the same classes."""
