"""Evaluate XPath expressions that test attributes by regular expressions faster, with the same result.

Trafilatura finds boilerplate and content by expressions such as

    .//*[self::div or self::p][re:test(@id, '^ad-|share') or re:test(@class, 'footer|menu')]

lxml calls Python for each test of each element: a third of all extraction. Here the same conditions become
one pattern an attribute, and since few values of `class` and `id` are new, most answers come from a
cache. The parts of an expression beyond such conditions are left to lxml.

Most pages have no element that a given expression selects. So the values of the attributes are read once
(`PageValues`), and within `known_values` an expression that none of them can meet is not looked for at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from lxml.etree import XPath, _Element

REGEXPS = {"re": "http://exslt.org/regular-expressions"}
MAX_CACHED_VALUES = 1 << 14
"""Values of attributes whose outcome is remembered for each expression."""

_TESTING = re.compile(r"re:test|contains\(|starts-with\(")
"""What costs more in XPath than here."""

Selector = Callable[[_Element], list[_Element]]
Test = Callable[[str], bool]

READ_NAMES = ("class", "id", "role", "hidden")
"""Attributes whose values are read: reading another costs more than is spared."""
_READ = {name: XPath(f"//@{name}", smart_strings=False) for name in READ_NAMES}


class Sign(NamedTuple):
    """Hold a part that an attribute's value has, in any case if `folded`, where it meets a test; None is any value."""

    name: str
    part: str | None
    folded: bool


class PageValues:
    """The distinct values of the attributes `READ_NAMES` in a page."""

    def __init__(self, tree: _Element) -> None:
        self._values: dict[str, Set[str]] = {name: frozenset(read(tree)) for name, read in _READ.items()}
        self._joined = {name: "\n".join(values) for name, values in self._values.items()}
        self._folded: dict[str, str] = {}
        self._lacked: dict[int, bool] = {}

    def __getitem__(self, name: str) -> Set[str]:
        return self._values[name]

    def lack(self, selector: int, signs: Sequence[Sign]) -> bool:
        """Return whether the values have none of the signs of a `selector`."""
        if (lacked := self._lacked.get(selector)) is None:
            lacked = self._lacked[selector] = not any(map(self._has, signs))
        return lacked

    def _has(self, sign: Sign) -> bool:
        values = self._values.get(sign.name)
        if values is None or sign.part is None:
            return values is None or bool(values)
        if not sign.folded:
            return sign.part in self._joined[sign.name]
        if sign.name not in self._folded:
            self._folded[sign.name] = self._joined[sign.name].casefold()
        return sign.part in self._folded[sign.name]


_NUMBERS = count()
_KNOWN: ContextVar[PageValues | None] = ContextVar("known values of attributes", default=None)


@contextmanager
def known_values(values: PageValues) -> Iterator[None]:
    """Meanwhile, evaluate selectors on trees whose elements have no other values than these: a page, and all that is
    left of it after changes that take elements and attributes away."""
    token = _KNOWN.set(values)
    try:
        yield
    finally:
        _KNOWN.reset(token)


_TIMES = r"(?:[?*+]|\{[^}]*\})"
_VARIABLE = re.compile(
    rf"(?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]|\\.){_TIMES}?|[^()\[\]\\](?:[?*]|\{{[^}}]*\}})|[\^$.+]"
)
"""What is not the same in all that a regular expression matches: groups, sets, classes, what may be absent, anchors."""
_GROUP = re.compile(r"\^?\(\?:((?:[^()]|\([^()]*\))*)\)")
_SPECIAL = re.compile(r"[()\[\]{}|?*\\]")
Parts = tuple[list[str | None], bool]
"""Parts of a value, None for any, and whether they are casefolded."""
_ANY: Parts = ([None], False)
_NAMES = r"@[\w-]+(?:\s*\|\s*@[\w-]+)*"
_QUOTED = r"'([^']*)'"
_CONDITIONS: list[tuple[re.Pattern[str], Callable[..., Test], Callable[..., Parts]]] = [
    (re.compile(rf"({_NAMES})"), lambda: lambda _: True, lambda: _ANY),
    (
        re.compile(rf"({_NAMES})\s*=\s*{_QUOTED}"),
        lambda wanted: lambda value: value == wanted,
        lambda wanted: ([wanted], False),
    ),
    (
        re.compile(rf"re:test\(\s*({_NAMES})\s*,\s*{_QUOTED}\s*\)"),
        lambda pattern: _compile_search(pattern, 0),
        lambda pattern: (_list_literals(pattern), False),
    ),
    (
        re.compile(rf"re:test\(\s*({_NAMES})\s*,\s*{_QUOTED}\s*,\s*'i'\s*\)"),
        lambda pattern: _compile_search(pattern, re.IGNORECASE),
        lambda pattern: ([part and part.casefold() for part in _list_literals(pattern)], True),
    ),
    (
        re.compile(rf"contains\(\s*({_NAMES})\s*,\s*{_QUOTED}\s*\)"),
        lambda part: lambda value: part in value,
        lambda part: ([part], False),
    ),
    (
        re.compile(rf"starts-with\(\s*({_NAMES})\s*,\s*{_QUOTED}\s*\)"),
        lambda start: lambda value: value.startswith(start),
        lambda start: ([start], False),
    ),
    (
        re.compile(
            rf"contains\(\s*translate\(\s*({_NAMES})\s*,\s*{_QUOTED}\s*,\s*{_QUOTED}\s*\)\s*,\s*{_QUOTED}\s*\)"
        ),
        lambda old, new, part: lambda value: part in value.translate(str.maketrans(old, new)),
        lambda old, new, part: ([part.casefold()], True) if old.casefold() == new.casefold() else _ANY,
    ),
]
"""The conditions that are understood: attributes, the test of their value, and the parts of which a value has one that
meets it."""


def compile_selector(expression: Any, first: bool = False) -> Selector:
    """Return a function with the result of `expression`, or `expression` itself if it is not understood.

    With `first`, only the first element of the result is wanted, and the search ends there.
    """
    original: Selector = expression
    text = " ".join(expression.path.split())
    if _TESTING.search(text) is None:
        return original
    branches = _split_outside_quotes(text, "|")
    understood = [
        candidate
        for candidate in (_compile_branch(branch, first) for branch in branches)
        if candidate is not None
    ]
    if len(understood) != 1:
        return original
    (selector,) = understood
    others = [branch for branch in branches if _compile_branch(branch, first) is None]
    if not others:
        return selector
    rest = XPath("|".join(others), namespaces=REGEXPS)
    others_only: Selector = rest
    if "re:test" in rest.path:
        return original

    def select(tree: _Element) -> list[_Element]:
        matches = selector(tree)
        if not matches:
            return others_only(tree)
        return expression(tree) if others_only(tree) else matches

    return select


def _compile_branch(text: str, first: bool) -> Selector | None:
    """Compile `.//*[self::a or self::b][conditions][more]`, with `[1]` if only the first is wanted."""
    if first:
        text = re.sub(r"^\((.*)\)\s*\[1\]$", r"\1", text.strip())
        text = re.sub(r"\s*\[1\]$", "", text)
    match = re.fullmatch(r"\.//\*\s*(\[.*\])", text.strip())
    if match is None:
        return None
    predicates = _split_predicates(match[1])
    tags: list[str] = []
    if predicates and all(
        p.strip().startswith("self::") for p in _split_outside_quotes(predicates[0], " or ")
    ):
        names = [p.strip().removeprefix("self::") for p in _split_outside_quotes(predicates.pop(0), " or ")]
        if not all(re.fullmatch(r"\w+", name) for name in names):
            return None
        tags = names
    if not predicates or any(re.fullmatch(r"\s*\d+\s*|.*\b(?:position|last)\(.*", p) for p in predicates):
        return None
    conditions = _parse_conditions(predicates[0])
    if conditions is None:
        return None
    single, joint = conditions
    more = XPath("self::*" + "".join(f"[{p}]" for p in predicates[1:]), namespaces=REGEXPS)
    check = more if len(predicates) > 1 else None
    possible = [(name, _match_any(tests)) for name, tests in _group_by_name(single, joint).items()]

    def is_match(element: _Element) -> bool:
        for name, test in single:
            value = element.get(name)
            if value is not None and test(value):
                return check is None or bool(check(element))
        for several, test in joint:
            # XPath takes the first node of several: the attribute that comes first in the source.
            value = next((value for name, value in element.items() if name in several), None)
            if value is not None and test(value):
                return check is None or bool(check(element))
        return False

    selector, signs = next(_NUMBERS), _list_signs(predicates[0])

    def select(tree: _Element) -> list[_Element]:
        matches: list[_Element] = []
        if (known := _KNOWN.get()) is not None and known.lack(selector, signs):
            return matches
        for element in tree.iter(*tags or "*"):
            get = element.get
            for name, may_match in possible:
                value = get(name)
                if value is not None and may_match(value):
                    break
            else:
                continue
            if element is not tree and is_match(element):
                matches.append(element)
                if first:
                    break
        return matches

    return select


def _group_by_name(
    single: list[tuple[str, Test]], joint: list[tuple[frozenset[str], Test]]
) -> dict[str, list[Test]]:
    """Return for each attribute the tests of which one holds in every match: of those that no test can meet alone
    most elements are passed by."""
    tests: dict[str, list[Test]] = {}
    for name, test in single:
        tests.setdefault(name, []).append(test)
    for names, test in joint:
        for name in names:
            tests.setdefault(name, []).append(test)
    return tests


def _parse_conditions(text: str) -> tuple[list[tuple[str, Test]], list[tuple[frozenset[str], Test]]] | None:
    """Split conditions joined by `or` into those on one attribute and those on the first of several."""
    tests: dict[tuple[str, ...], list[Test]] = {}
    for condition in _split_outside_quotes(text, " or "):
        for pattern, make, _ in _CONDITIONS:
            if match := pattern.fullmatch(condition.strip()):
                names, *arguments = match.groups()
                test = make(*arguments)
                # An attribute that is absent is an empty string to all but the first two.
                if make not in (_CONDITIONS[0][1], _CONDITIONS[1][1]) and test(""):
                    return None
                tests.setdefault(tuple(re.findall(r"[\w-]+", names)), []).append(test)
                break
        else:
            return None
    single = [
        (names[0], _match_any(alternatives)) for names, alternatives in tests.items() if len(names) == 1
    ]
    joint = [
        (frozenset(names), _match_any(alternatives))
        for names, alternatives in tests.items()
        if len(names) > 1
    ]
    return single, joint


def _list_signs(text: str) -> list[Sign]:
    """Return the signs of which a page has one that has an element that meets conditions joined by `or`."""
    signs = []
    for condition in _split_outside_quotes(text, " or "):
        for pattern, _, list_parts in _CONDITIONS:
            if match := pattern.fullmatch(condition.strip()):
                names, *arguments = match.groups()
                parts, folded = list_parts(*arguments)
                signs += [Sign(name, part, folded) for name in re.findall(r"[\w-]+", names) for part in parts]
                break
    return signs


def _list_literals(pattern: str) -> list[str | None]:
    """Return for each alternative of a regular expression what stands in all that it matches, None for none."""
    literals: list[str | None] = []
    for alternative in _split_outside_quotes(pattern, "|"):
        if grouped := _GROUP.fullmatch(alternative):
            literals += _list_literals(grouped[1])
            continue
        pieces = _VARIABLE.sub("\0", alternative).split("\0")
        longest = max(pieces, key=len)
        literals.append(longest if len(longest) > 1 and not _SPECIAL.search("".join(pieces)) else None)
    return literals


def _match_any(tests: list[Test]) -> Test:
    """Return a test that holds if one of the tests does.

    Answers are cached; old ones are evicted by those of the next pages.
    """

    @lru_cache(maxsize=MAX_CACHED_VALUES)
    def holds(value: str) -> bool:
        return any(test(value) for test in tests)

    return holds


def _compile_search(pattern: str, flags: int) -> Test:
    search = re.compile(pattern, flags).search
    return lambda value: search(value) is not None


def _split_predicates(text: str) -> list[str]:
    """Return the insides of `[a][b]`."""
    predicates, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted and char == "[":
            depth += 1
            start = at + 1 if depth == 1 else start
        elif not quoted and char == "]":
            depth -= 1
            if depth == 0:
                predicates.append(text[start:at])
    return predicates


def _split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at separators outside of quotes, brackets and parentheses."""
    parts, depth, quoted, start, at = [], 0, False, 0, 0
    while at < len(text):
        char = text[at]
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "([":
            depth += 1
        elif not quoted and char in ")]":
            depth -= 1
        elif not quoted and depth == 0 and text.startswith(separator, at):
            parts.append(text[start:at])
            at += len(separator)
            start = at
            continue
        at += 1
    return [*parts, text[start:]]
