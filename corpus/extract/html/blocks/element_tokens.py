"""Name what an element says of itself: its tag, and the words of its class, id, role and schema.org property.

The words are the page author's names for parts of a page (`sidebar`, `entry-content`), not words of its text. Which of
them mean something is learned: see `block_model`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_WORDS = 10
"""Words of one element that are read: pages styled by utility classes have dozens."""
MAX_NAME_CHARACTERS = 200
"""Characters of an attribute that are read."""
MAX_CACHED = 20_000
"""Elements whose tokens are kept; the same bytes come out without them."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}(?![a-z])")
_NONE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_NAMES = ("class", "id", "data-testid")

Tokens = tuple[str, ...]
_cache: dict[tuple[str | None, ...], Tokens] = {}


def name_element(tag: str, attributes: Mapping[str, str | None]) -> Tokens:
    """Return the tokens of an element: `<div`, then words of its names, `=role`, `@property`, `!none` for one that its
    style hides, `!aria` for one hidden from readers aloud."""
    if not attributes:
        key: tuple[str | None, ...] = (tag,)
    else:
        get = attributes.get
        key = (
            tag,
            get("class"),
            get("id"),
            get("role"),
            get("itemprop"),
            get("itemtype"),
            get("style"),
            get("aria-hidden"),
            get("data-testid"),
        )
    tokens = _cache.get(key)
    if tokens is None:
        if len(_cache) >= MAX_CACHED:
            _cache.clear()
        tokens = _cache[key] = _read_tokens(tag, attributes)
    return tokens


def _read_tokens(tag: str, attributes: Mapping[str, str | None]) -> Tokens:
    tokens = [f"<{tag}"]
    words: list[str] = []
    for name in _NAMES:
        written = attributes.get(name)
        if written:
            words += _WORDS.findall(written[:MAX_NAME_CHARACTERS])
    tokens += dict.fromkeys(word.lower() for word in words[:MAX_WORDS] if len(word) > 1)
    if role := attributes.get("role"):
        tokens.append(f"={role[:30].lower()}")
    if value := attributes.get("itemprop"):
        tokens.append(f"@{value[:30].lower()}")
    if value := attributes.get("itemtype"):
        tokens.append(f"@{value.rstrip('/').rpartition('/')[2][:30].lower()}")
    style = attributes.get("style")
    if style and _NONE.search(style):
        tokens.append("!none")
    if attributes.get("aria-hidden") == "true":
        tokens.append("!aria")
    return tuple(tokens)
