"""Expand templates of wikitext: the few that carry text are shown, the others leave a hole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any

from corpus.data import data_path
from corpus.extract.holes import HOLE
from corpus.extract.wikitext.countries import CountryNames
from corpus.extract.wikitext.names import fold_name
from corpus.extract.wikitext.template_arguments import Arguments, WordLists
from corpus.extract.wikitext.template_calls import TEMPLATE_FUNCTIONS, Function
from corpus.formats.yaml_lines import load_yaml

MAX_TEMPLATE_DEPTH = 8
"""Templates inside that many shown templates are dropped: bounds the work on hostile nesting."""

BRACE_RUNS = re.compile(r"\{\{+|\}\}+")
TEMPLATE_NAME = re.compile(r"[^|{}\[\]<>\n]{0,80}")
TEMPLATE_CALL = re.compile(r"\{\{\s*+([^|{}<>\n]{1,80})")
UNCLOSED_BRACES = re.compile(r"(?m)^[ \t]*\{\{[^\n]*(?:\n[ \t]*[|}][^\n]*)*|\{\{+|\}\}+")
PARSER_FUNCTIONS = ("formatnum", "lc", "uc", "lcfirst", "ucfirst")
SUBSTITUTION = re.compile(
    r"^(?:safesubst|subst|подст|подстановка|msgnw)\s*:\s*|^(?:template|шаблон|vorlage|modèle)\s*:\s*"
)
WIKI_DATABASE = re.compile(
    r"([a-z][a-z0-9_]*?)(wiki|wiktionary|wiki(?:books|news|quote|source|versity|voyage))"
)
MAX_REMEMBERED_NAMES = 1 << 14
WORD_LISTS = ("units", "currencies", "languages", "listings")
GENERAL_LANGUAGE = "en"
"""The language of a wiki that nobody has named."""


def expand_templates(text: str, table: Templates | None = None, depth: int = 0) -> str:
    """Return the text with `{{...}}` replaced by what a reader sees of it, or by `HOLE`. Linear in the text.

    `table` holds the templates of the wiki (see `load_templates`); by default those of all wikis.
    """
    if "{{" not in text and "}}" not in text:
        return text
    if table is None:
        table = load_templates()
    pieces: list[str] = []
    at = 0
    for start, end, is_template in find_outermost_braces(text):
        pieces.append(text[at:start])
        pieces.append(_show_call(text, start + 2, end - 2, table, depth) if is_template else HOLE)
        at = end
    pieces.append(text[at:])
    result = "".join(pieces)
    return UNCLOSED_BRACES.sub(HOLE, result) if depth == 0 and ("{{" in result or "}}" in result) else result


def find_outermost_braces(text: str) -> list[tuple[int, int, bool]]:
    """Return (start, end, is a template) of every balanced `{{...}}` or `{{{...}}}` that is in no other one.

    Runs of braces are matched the way MediaWiki does it, three with three, else two with two, from the
    inside out; what is left over belongs to nothing.
    """
    regions: list[tuple[int, int, bool]] = []
    opened: list[tuple[int, int]] = []
    for match in BRACE_RUNS.finditer(text):
        at, end = match.span()
        if text[at] == "{":
            opened.append((at, end - at))
            continue
        while opened and end - at >= 2:
            start, count = opened.pop()
            width = min(count, end - at, 3)
            start += count - width
            at += width
            while regions and regions[-1][0] > start:
                regions.pop()
            regions.append((start, at, width == 2))
            if count - width >= 2:
                opened.append((start - (count - width), count - width))
    return regions


def _show_call(text: str, start: int, end: int, table: Templates, depth: int) -> str:
    """Return what a reader sees of the template call between `start` and `end`."""
    match = TEMPLATE_NAME.match(text, start, end)
    name = match.group().strip() if match else ""
    rule = table.find(name)
    if isinstance(rule, str):
        return rule
    if depth >= MAX_TEMPLATE_DEPTH:
        return HOLE
    body = text[start:end]
    if rule is None:
        return _show_parser_function(body, table, depth)
    arguments = Arguments(body, lambda raw: expand_templates(raw, table, depth + 1), table.words)
    return rule(name, arguments) or (HOLE if rule.takes_arguments else "")


def _show_parser_function(body: str, table: Templates, depth: int) -> str:
    name, _, value = body.partition(":")
    name = name.strip().lower()
    text = expand_templates(value.split("|")[0].strip(), table, depth + 1)
    return {"lc": text.lower(), "uc": text.upper()}.get(name, text) or HOLE


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hold a compiled `show`: literals, placeholders (tuples of keys) and optional groups (patterns)."""

    pieces: tuple[str | tuple[str, ...] | Pattern, ...]

    @property
    def takes_arguments(self) -> bool:
        return any(not isinstance(piece, str) for piece in self.pieces)

    def __call__(self, name: str, arguments: Arguments) -> str:
        text, filled = self._fill(name, arguments)
        if not self.takes_arguments:
            return text
        return text.removeprefix(", ") if filled else ""

    def _fill(self, name: str, arguments: Arguments) -> tuple[str, bool]:
        out: list[str] = []
        filled = False
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, Pattern):
                text, inner = piece._fill(name, arguments)
                if inner:
                    out.append(text)
                filled |= inner
            elif piece == ("_",):
                out.append(name.replace("_", " "))
                filled = True
            else:
                text = _first_filled(piece, arguments)
                out.append(text)
                filled |= bool(text)
        return "".join(out), filled


def _first_filled(keys: tuple[str, ...], arguments: Arguments) -> str:
    if keys[0].startswith("*"):
        return keys[0][1:].join(text for text in arguments.positional() if text)
    return next((text for key in keys if (text := arguments.get(key))), "")


@dataclass(frozen=True, slots=True)
class Call:
    """Hold a rule that is a function of (name as written, arguments)."""

    function: Function
    takes_arguments: bool = True

    def __call__(self, name: str, arguments: Arguments) -> str:
        return self.function(name, arguments)


def compile_pattern(show: str) -> Pattern:
    """Compile a `show` of templates.yaml. Raises ValueError if its brackets do not match."""
    stack: list[list[str | tuple[str, ...] | Pattern]] = [[]]
    for token in re.findall(r"\{[^{}]+\}|[\[\]]|[^{}\[\]]+", show):
        if token == "[":
            stack.append([])
        elif token == "]":
            inner = Pattern(tuple(stack.pop()))
            stack[-1].append(inner)
        elif token[0] == "{":
            keys = token[1:-1]
            stack[-1].append((keys,) if keys[0] == "*" else tuple(keys.split("|")))
        else:
            stack[-1].append(token)
    if len(stack) != 1:
        raise ValueError(f"brackets do not match in {show!r}")
    return Pattern(tuple(stack[0]))


Rule = Pattern | Call


@dataclass(frozen=True, slots=True)
class Templates:
    """Hold the templates of one wiki: rules by name, by prefix, suffix and pattern, and what `call` rules look up."""

    rules: dict[str, Rule]
    affixes: tuple[tuple[str, str, Rule], ...]
    matches: tuple[tuple[re.Pattern[str], Rule], ...]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    words: WordLists
    _seen: dict[str, Rule | str | None] = field(default_factory=dict)

    def find(self, name: str) -> Rule | str | None:
        """Return the rule for a template: a string if all its calls show the same, None for a parser function."""
        try:
            return self._seen[name]
        except KeyError:
            if len(self._seen) >= MAX_REMEMBERED_NAMES:
                self._seen.clear()
            rule = self._seen[name] = self._look_up(name)
            return rule

    def _look_up(self, name: str) -> Rule | str | None:
        key = name.replace("_", " ").lower()
        if ":" in key:
            key = SUBSTITUTION.sub("", key)
        rule = self.rules.get(key)
        if rule is not None:
            return rule
        if key.startswith(self.prefixes) or key.endswith(self.suffixes):
            for prefix, suffix, affixed in self.affixes:
                if key.startswith(prefix) and key.endswith(suffix):
                    return affixed
        if key.partition(":")[0].rstrip() in PARSER_FUNCTIONS and ":" in key:
            return None
        return next((rule for pattern, rule in self.matches if pattern.fullmatch(name)), HOLE)


@cache
def load_templates(wiki: str | None = None) -> Templates:
    """Return the templates of manifests/wikitext/templates.yaml that hold on a wiki, by its database name (`dewiki`).

    Entries for one wiki (`wikis: [enwikivoyage]`) beat those for a project (`wikivoyage`), these those for a language
    (`en`), and these the entries for all wikis. For None, those of all languages hold, the general ones first.
    """
    data = _load_template_data()
    scopes = scopes_of(wiki)
    ranked = [(_rank_scope(entry.get("wikis"), scopes), entry) for entry in data["shown"]]
    rules: dict[str, Rule] = {}
    affixes: list[tuple[str, str, Rule]] = []
    matches: list[tuple[re.Pattern[str], Rule]] = []
    for _, entry in sorted(((rank, entry) for rank, entry in ranked if rank is not None), key=itemgetter(0)):
        rule = _compile_entry(entry)
        for name in entry.get("names", ()):
            rules.setdefault(fold_name(name), rule)
        affixes.extend((prefix, "", rule) for prefix in entry.get("prefixes", ()))
        affixes.extend(("", suffix, rule) for suffix in entry.get("suffixes", ()))
        matches.extend((re.compile(pattern), rule) for pattern in entry.get("patterns", ()))
    return Templates(
        rules,
        tuple(affixes),
        tuple(matches),
        tuple(prefix for prefix, _, _ in affixes if prefix),
        tuple(suffix for _, suffix, _ in affixes if suffix),
        {key: data[key] for key in WORD_LISTS}
        | {"countries": CountryNames(scopes[-1] if scopes else GENERAL_LANGUAGE, data["sports_codes"])},
    )


def _compile_entry(entry: dict[str, Any]) -> Rule:
    if "call" in entry:
        return Call(TEMPLATE_FUNCTIONS[entry["call"]])
    return compile_pattern(entry["show"])


@cache
def _load_template_data() -> dict[str, Any]:
    path = data_path("wikitext", "templates.yaml")
    data: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"), "wikitext/templates.yaml")[0]
    return data


def scopes_of(wiki: str | None) -> tuple[str, ...] | None:
    """Return what a wiki is called in `wikis`, the nearest first: itself, its project, its language."""
    if wiki is None:
        return None
    match = WIKI_DATABASE.fullmatch(wiki)
    if match is None:
        return (wiki,)
    code = match[1].replace("_", "-")
    return (wiki, match[2], "en" if code == "simple" else code)


def _rank_scope(wikis: list[str] | None, scopes: tuple[str, ...] | None) -> int | None:
    """Return how near an entry is to a wiki, 0 the nearest; None if it does not hold there."""
    if wikis is None:
        return -1 if scopes is None else len(scopes)
    if scopes is None:
        return None if any(WIKI_DATABASE.fullmatch(f"x{scope}") for scope in wikis) else 0
    return min((scopes.index(scope) for scope in wikis if scope in scopes), default=None)


def find_template_names(text: str) -> set[str]:
    """Return the names of all templates called in a wikitext, in lower case. Linear."""
    return {name.strip().replace("_", " ").lower() for name in TEMPLATE_CALL.findall(text)}
