"""Expand templates of wikitext: the few that carry text are shown, the others leave a hole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from corpus.data import data_path
from corpus.extract.holes import HOLE
from corpus.formats.yaml_lines import load_yaml

MAX_TEMPLATE_DEPTH = 8
"""Templates inside that many shown templates are dropped: bounds the work on hostile nesting."""

BRACE_RUNS = re.compile(r"\{\{+|\}\}+")
TEMPLATE_NAME = re.compile(r"[^|{}\[\]<>\n]{0,80}")
TEMPLATE_CALL = re.compile(r"\{\{\s*+([^|{}<>\n]{1,80})")
ARGUMENT_KEY = re.compile(r"\s*([^\W_][\w .-]{0,30}?)\s*=")
ARGUMENT_SEPARATORS = re.compile(r"\{\{|\}\}|\[\[|\]\]|\|")
UNCLOSED_BRACES = re.compile(r"(?m)^[ \t]*\{\{[^\n]*(?:\n[ \t]*[|}][^\n]*)*|\{\{+|\}\}+")
PARSER_FUNCTIONS = ("formatnum", "lc", "uc", "lcfirst", "ucfirst")
CONVERTED_NUMBER = re.compile(r"[-+−]?[\d.,/⁄+ ]*\d|[-+−]?\d[\d.,/]*(?:e[-+−]?\d+)?")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

Named = dict[str, str]
Function = Callable[[str, list[str], Named], str]


def expand_templates(text: str, depth: int = 0) -> str:
    """Return the text with `{{...}}` replaced by what a reader sees of it, or by `HOLE`. Linear in the text."""
    if "{{" not in text and "}}" not in text:
        return text
    pieces: list[str] = []
    at = 0
    for start, end, is_template in find_outermost_braces(text):
        pieces.append(text[at:start])
        pieces.append(_show_call(text, start + 2, end - 2, depth) if is_template else HOLE)
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


def _show_call(text: str, start: int, end: int, depth: int) -> str:
    """Return what a reader sees of the template call between `start` and `end`."""
    match = TEMPLATE_NAME.match(text, start, end)
    name = match.group().strip() if match else ""
    rule = find_rule(name)
    if isinstance(rule, str):
        return rule
    if depth >= MAX_TEMPLATE_DEPTH:
        return HOLE
    body = text[start:end]
    if rule is None:
        return _show_parser_function(body, depth)
    return rule(name.lower(), Arguments(body, depth)) or (HOLE if rule.takes_arguments else "")


@lru_cache(maxsize=1 << 14)
def find_rule(name: str) -> Pattern | Call | str | None:
    """Return the rule for a template's name: a string if all its calls show the same, None for a parser function."""
    table = load_templates()
    key = name.replace("_", " ").lower()
    rule = table.rules.get(key)
    if rule is None and key.startswith(table.prefixes):
        rule = next(rule for prefix, rule in table.by_prefix if key.startswith(prefix))
    if rule is None:
        if key.partition(":")[0].rstrip() in PARSER_FUNCTIONS and ":" in key:
            return None
        return name if table.patterns.fullmatch(name) else HOLE
    return rule


def _show_parser_function(body: str, depth: int) -> str:
    name, _, value = body.partition(":")
    name = name.strip().lower()
    text = expand_templates(value.split("|")[0].strip(), depth + 1)
    return {"lc": text.lower(), "uc": text.upper()}.get(name, text) or HOLE


class Arguments:
    """Hold the arguments of a template call; each is expanded on first use."""

    def __init__(self, body: str, depth: int) -> None:
        self._depth = depth
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
            self._shown[key] = expand_templates(raw, self._depth + 1).strip().strip(HOLE) if raw else ""
        return self._shown[key]

    def positional(self) -> list[str]:
        """Return the unnamed arguments, in order."""
        return [self.get(str(i)) for i in range(1, self.count + 1)]

    def named(self) -> Named:
        """Return the named arguments."""
        return {key: self.get(key) for key in self._named if not key.isdecimal()}


def _split_arguments(body: str) -> Iterator[str]:
    """Yield the parts of a call after its name, split at the pipes that are in no inner link or template."""
    if "{{" not in body and "[[" not in body:
        yield from body.split("|")[1:]
        return
    depth, at = 0, -1
    for match in ARGUMENT_SEPARATORS.finditer(body):
        token = match.group()
        if token != "|":
            depth = max(0, depth + (1 if token in ("{{", "[[") else -1))
        elif depth == 0:
            if at >= 0:
                yield body[at : match.start()]
            at = match.end()
    if at >= 0:
        yield body[at:]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hold a compiled `show`: literals, placeholders (tuples of keys) and optional groups (patterns)."""

    pieces: tuple[str | tuple[str, ...] | Pattern, ...]

    @property
    def takes_arguments(self) -> bool:
        return any(not isinstance(piece, str) for piece in self.pieces)

    def __call__(self, name: str, arguments: Arguments) -> str:
        text, filled = self._fill(arguments)
        return text if filled or not self.takes_arguments else ""

    def _fill(self, arguments: Arguments) -> tuple[str, bool]:
        out: list[str] = []
        filled = False
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, Pattern):
                text, inner = piece._fill(arguments)
                if inner:
                    out.append(text)
                filled |= inner
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
    """Hold a rule that is a function of (name, unnamed arguments, named arguments)."""

    function: Function
    takes_arguments: bool = True

    def __call__(self, name: str, arguments: Arguments) -> str:
        return self.function(name, arguments.positional(), arguments.named())


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


@dataclass(frozen=True, slots=True)
class Templates:
    """Hold templates.yaml, compiled: rules by name and by prefix, and the names that are shown as they are."""

    rules: dict[str, Pattern | Call]
    by_prefix: tuple[tuple[str, Pattern | Call], ...]
    prefixes: tuple[str, ...]
    patterns: re.Pattern[str]
    units: dict[str, str]


@cache
def load_templates() -> Templates:
    """Load manifests/wikitext/templates.yaml, once."""
    data, _ = load_yaml(
        data_path("wikitext", "templates.yaml").read_text(encoding="utf-8"), "wikitext/templates.yaml"
    )
    rules: dict[str, Pattern | Call] = {}
    by_prefix: list[tuple[str, Pattern | Call]] = []
    patterns: list[str] = []
    for entry in data["shown"]:
        patterns.extend(entry.get("patterns", ()))
        if "patterns" in entry:
            continue
        rule = Call(TEMPLATE_FUNCTIONS[entry["call"]]) if "call" in entry else compile_pattern(entry["show"])
        rules.update(dict.fromkeys(entry.get("names", ()), rule))
        by_prefix.extend((prefix, rule) for prefix in entry.get("prefixes", ()))
    prefixes = tuple(prefix for prefix, _ in by_prefix)
    return Templates(rules, tuple(by_prefix), prefixes, re.compile("|".join(patterns)), data["units"])


def show_quantity(name: str, positional: list[str], named: Named) -> str:
    """Show the first quantity of {{convert|5|to|10|km|mi}}, as written: "5 to 10 km"."""
    words = {"-": "–", "to(-)": "–", "x": "×", "*": "×", "xx": "×", "+/-": "±", "+": "+", "to-": "–"}
    units = load_templates().units
    out: list[str] = []
    numbers = False
    for at, text in enumerate(positional):
        if CONVERTED_NUMBER.fullmatch(text):
            joined = out and out[-1] in ("–", "×", "±", "+")
            if numbers and not joined and out[-1] not in ("to", "and", "or", "by"):
                break
            out.append(text)
            numbers = True
        elif numbers and (text in words or text in ("to", "and", "or", "by", "–", "×", "±")):
            out.append(words.get(text, text))
        elif numbers:
            out.append(units.get(text, text))
            follows = positional[at + 1 : at + 3]
            if (
                len(follows) == 2
                and CONVERTED_NUMBER.fullmatch(follows[0])
                and follows[1] in ("in", "oz", "lb", "yd", "ft")
            ):
                out += follows
            break
        else:
            return ""
    return re.sub(r" ([–×±+]) ", r"\1", " ".join(out)) if numbers else ""


def show_fraction(name: str, positional: list[str], named: Named) -> str:
    """Show {{frac|3}} as 1/3, {{frac|2|3}} as 2/3, {{frac|1|2|3}} as 1 2/3."""
    positional = [text for text in positional if text]
    if not positional:
        return ""
    whole, above, below = (
        ["", "1", *positional]
        if len(positional) == 1
        else ["", *positional]
        if len(positional) == 2
        else positional
    )[:3]
    return f"{whole} {above}/{below}".strip()


def show_as_of(name: str, positional: list[str], named: Named) -> str:
    """Show {{as of|2014|6|lc=y}} as "as of June 2014"."""
    year, month, day = [*positional, "", "", ""][:3]
    if not year:
        return ""
    if month.isdecimal() and 1 <= int(month) <= 12:
        month = MONTH_NAMES[int(month) - 1]
    words = "Since" if named.get("since") else "As of"
    if named.get("lc"):
        words = words.lower()
    return named.get("alt") or " ".join(text for text in (words, day, month, year) if text)


def show_date(name: str, positional: list[str], named: Named) -> str:
    """Show year, month and day as numbers, in either order, as an ISO date; anything else is joined."""
    positional = [text for text in positional if text][:3]
    numbers = [int(text) if text.isdecimal() and len(text) <= 4 else None for text in positional]
    if len(numbers) == 3 and None not in numbers:
        year, month, day = numbers if (numbers[0] or 0) > 31 else reversed(numbers)
        return f"{year:04d}-{month:02d}-{day:02d}"
    return " ".join(positional[:2] if len(positional) > 2 and (numbers[1] or 0) > 31 else positional)


def show_century(name: str, positional: list[str], named: Named) -> str:
    """Show French centuries, {{s|XIX|e}}; elsewhere {{s|text}} keeps words on a line."""
    if len(positional) < 2 or positional[1] not in ("e", "er", "re", "ers"):
        return positional[0] if positional else ""
    first, last = positional[0] + positional[1], ""
    if len(positional) >= 5:
        last = f" {positional[2] or 'et'} {positional[3]}{positional[4]}"
    words = "" if name.endswith("-") else " siècles" if last else " siècle"
    return first + last + words + (" av. J.-C." if name.startswith("-") else "")


def show_ipa(name: str, positional: list[str], named: Named) -> str:
    """Show a sound that the text is about, {{IPA|a}}; not {{IPA|fr|paʁi}}, which gives the pronunciation of a word."""
    return positional[0] if len(positional) == 1 else ""


TEMPLATE_FUNCTIONS: dict[str, Function] = {
    "convert": show_quantity,
    "fraction": show_fraction,
    "as_of": show_as_of,
    "date": show_date,
    "century": show_century,
    "ipa": show_ipa,
}


def find_template_names(text: str) -> set[str]:
    """Return the names of all templates called in a wikitext, in lower case. Linear."""
    return {name.strip().replace("_", " ").lower() for name in TEMPLATE_CALL.findall(text)}
