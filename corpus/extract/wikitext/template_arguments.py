"""Split a template call into its arguments, which may hold links, templates and rules of variants themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from corpus.extract.holes import HOLE

ARGUMENT_KEY = re.compile(
    r"\s*([^\W_][\w .\u0300-\u036f\u0590-\u05c7\u064b-\u065f\u0900-\u0fff\u1000-\u109f\u1780-\u17ff"
    r"\u200c\u200d-]{0,30}?)\s*="
)
"""Names of arguments; vowel signs of Indic scripts and joiners are no word characters to `re`."""
ARGUMENT_SEPARATORS = re.compile(r"\{\{|\}\}|\[\[|\]\]|-\{(?!\{)|\}-|\|")

WordLists = dict[str, dict[str, str]]


class Arguments:
    """Hold the arguments of a template call; each is expanded on first use.

    `words` are the word lists of templates.yaml, by name: units, currencies, languages.
    """

    def __init__(self, body: str, expand: Callable[[str], str] = str, words: WordLists | None = None) -> None:
        self.words = words or {}
        self._expand = expand
        self._named: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self.count = 0
        for part in _split_arguments(body):
            key = ARGUMENT_KEY.match(part)
            if key:
                self._named[key[1].lower()] = part[key.end() :]
            else:
                self.count += 1
                self._named[str(self.count)] = part
        while str(self.count + 1) in self._named:
            self.count += 1

    def get(self, key: str) -> str:
        """Return an argument, expanded, by its name or position (`-1`: the last unnamed one); empty if missing."""
        if key == "-1":
            key = str(self.count)
        if key not in self._shown:
            raw = self._named.get(key, "")
            self._shown[key] = self._expand(raw).strip().strip(HOLE) if raw else ""
        return self._shown[key]

    def positional(self) -> list[str]:
        """Return the unnamed arguments, in order."""
        return [self.get(str(i)) for i in range(1, self.count + 1)]

    def named(self) -> dict[str, str]:
        """Return the named arguments."""
        return {key: self.get(key) for key in self._named if not key.isdecimal()}


def _split_arguments(body: str) -> Iterator[str]:
    """Yield the parts of a call after its name, split at the pipes in no inner link, template or rule of variants."""
    if "{{" not in body and "[[" not in body and "-{" not in body:
        yield from body.split("|")[1:]
        return
    depth, at = 0, -1
    for match in ARGUMENT_SEPARATORS.finditer(body):
        token = match.group()
        if token != "|":
            depth = max(0, depth + (1 if token in ("{{", "[[", "-{") else -1))
        elif depth == 0:
            if at >= 0:
                yield body[at : match.start()]
            at = match.end()
    if at >= 0:
        yield body[at:]
