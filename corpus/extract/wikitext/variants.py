"""Resolve script variants that pages spell out, -{zh-hans:软件; zh-hant:軟體}-, as LanguageConverter reads them.

Text outside of such rules is left in the script in which it is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml

MARKUP = re.compile(r"-\{|\}-|</?[A-Za-z][^<>]*>")
RULE_CODE = re.compile(r"(?<=[-{;|>\s])[a-z]{2,4}(?:-[a-z]{1,9}){0,2}(?=\s{0,3}[:;|])")
RULE_END = re.compile(r"-\{|\}-")
ENTITY_END = re.compile(r"(&[#a-zA-Z0-9]{1,32});")
ENTITY_MARK = "\x02"
MAX_VARIANT_DEPTH = 10
NO_PROSE = re.compile(
    r"-\{[^{}]*\}-|<[^<>\n]*>|https?://[^\s\]]*|\[\[[^\[\]|]*\||&[a-z]+;|[a-z-]+=\"[^\"\n]*\""
)
"""What tells nothing of a page's script: rules, tags, addresses, targets of links."""
COMMON_FLAGS = frozenset("ATRD-HN")

SIMPLIFIED_CHARACTERS = "这国们时为会来说对学发个过还现东车长门马书"
TRADITIONAL_CHARACTERS = "這國們時為會來說對學發個過還現東車長門馬書"
"""Frequent characters that only one of the two scripts has; which of them a page uses more tells its script."""

FREQUENT_LETTERS = {
    "Latn": "aeinor",
    "Cyrl": "аеинор",
    "Arab": "اینەوىرل",
    "Cans": "ᐅᐊᑎᓂᑦᒃ",
    "Tfng": "ⴰⵏⵉⵜⵎⵔ",
    "Mtei": "ꯥꯅꯤꯕꯗ",
    "Beng": "ািনরব",
    "Bali": "ᬦᬲᬓᬶ",
}


@dataclass(frozen=True, slots=True)
class Variants:
    """Hold the variants of a language: their names, what is shown instead of them, and which script has which."""

    names: dict[str, str]
    fallbacks: dict[str, list[str]]
    scripts: dict[str, str]
    default: str
    unconverted: frozenset[str]
    flags: frozenset[str]
    marks: tuple[str, str]
    separator: re.Pattern[str]
    by_code: dict[str, str]


@dataclass(slots=True)
class VariantRule:
    """Hold what a rule says: texts by variant, and by variant those that only replace a certain text (`a=>zh-tw:b`)."""

    text: str
    both_ways: dict[str, str] = field(default_factory=dict)
    one_way: dict[str, dict[str, str]] = field(default_factory=dict)


def show_variants(text: str, wiki: str | None = None, language: str | None = None) -> str:
    """Return the text with every -{...}- as a reader of the page's script sees it.

    `wiki` is a database name (`zhwiki`): on wikis without variants nothing is changed. Without one the codes in
    the rules tell the language. `language` (`cmn_Hant`) names the script if the page itself should not.
    """
    variants = load_variants(_code_of(wiki)) if wiki else _guess_variants(text)
    if variants is None:
        return text
    variant = _choose_variant(text, variants, language)
    return _convert(text, lambda body: show_rule(body, variants, variant))


def _code_of(wiki: str) -> str:
    return re.sub(r"wik(?:i|tionary|ibooks|inews|iquote|isource|iversity|ivoyage)$", "", wiki).replace(
        "_", "-"
    )


def _guess_variants(text: str) -> Variants | None:
    """Return the variants of the language whose codes the rules of a text use most; Chinese ones if none."""
    used = Counter(RULE_CODE.findall(text.lower()))
    counts = {code: sum(used[name] for name in data["names"]) for code, data in _load_data().items()}
    best = max(counts, key=lambda code: (counts[code], code == "zh"))
    return load_variants(best)


def _choose_variant(text: str, variants: Variants, language: str | None) -> str:
    script = (language or "")[4:]
    if script not in variants.scripts:
        outside = NO_PROSE.sub("", text) if "Hans" not in variants.scripts else text
        script = detect_script(outside, tuple(variants.scripts), variants.default)
    return variants.scripts[script]


def detect_script(text: str, scripts: tuple[str, ...] = ("Hans", "Hant"), default: str = "Hans") -> str:
    """Return which of some scripts a text is in, by frequent characters; `default` if neither."""
    if "Hans" in scripts:
        counts = {"Hans": _count(text, SIMPLIFIED_CHARACTERS), "Hant": _count(text, TRADITIONAL_CHARACTERS)}
    else:
        counts = {script: _count(text, FREQUENT_LETTERS[script]) for script in scripts}
    return max(counts, key=lambda script: (counts[script], script == default))


def _count(text: str, characters: str) -> int:
    return sum(map(text.count, characters))


def _convert(text: str, show: Callable[[str], str]) -> str:
    """Return the text with its rules shown, from the inside out; what is never closed stays as it is. Linear."""
    open_rules: list[list[str]] = [[]]
    at = start = 0
    while match := (MARKUP if len(open_rules) == 1 else RULE_END).search(text, at):
        token = match.group()
        if token == "-{":
            if len(open_rules) <= MAX_VARIANT_DEPTH:
                open_rules[-1].append(text[start : match.start()])
                open_rules.append([])
                start = match.end()
        elif token == "}-" and len(open_rules) > 1:
            body = "".join([*open_rules.pop(), text[start : match.start()]])
            open_rules[-1].append(show(body))
            start = match.end()
        at = match.end()
    open_rules[-1].append(text[start:])
    return "-{".join("".join(pieces) for pieces in open_rules)


def show_rule(body: str, variants: Variants, variant: str) -> str:
    """Return what a reader of a variant sees of the rule between -{ and }-."""
    flags, text = _read_flags(body, variants)
    if "R" in flags:
        return text
    if "N" in flags:
        name = text.strip()
        return variants.names.get(variants.by_code.get(name.lower(), name), "")
    if "-" in flags or flags == ["T"]:
        return ""
    is_hidden = "H" in flags
    if not is_hidden and not variants.names.keys().isdisjoint(flags):
        return text
    rule = _read_rule(text.replace("=&gt;", "=>"), variants)
    is_added = is_hidden or "A" in flags
    if not rule.both_ways and not rule.one_way:
        if is_added and text:
            rule.both_ways = dict.fromkeys(variants.names, text)
        elif not is_added:
            return "" if "T" in flags else text
    if "D" in flags:
        is_last = is_hidden or (not is_added and ("T" not in flags or flags.index("T") < flags.index("D")))
        return _describe(rule, variants) if is_last else ""
    if is_hidden or ("T" in flags and not is_added):
        return ""
    return _show_text(rule, variants, variant)


def _read_flags(body: str, variants: Variants) -> tuple[list[str], str]:
    """Return the flags that are known, in their order, and the text behind the first bar; an unknown flag is left out
    with the bar.

    The bar of a link is none: MediaWiki has made it HTML before.
    """
    before, bar, text = body.partition("|")
    if not bar or "[[" in before:
        return [], body
    known = COMMON_FLAGS | variants.flags | variants.names.keys()
    return list(dict.fromkeys(flag for part in before.split(";") if (flag := part.strip()) in known)), text


def _read_rule(text: str, variants: Variants) -> VariantRule:
    """Read `code:text; code:text`, where only a semicolon before a code separates, and that of an entity never does."""
    rule = VariantRule(text)
    if ":" not in text:
        return rule
    marked = ENTITY_END.sub(rf"\1{ENTITY_MARK}", text) if "&" in text else text
    for choice in variants.separator.split(marked):
        code, colon, value = choice.replace(ENTITY_MARK, ";").partition(":")
        if not colon:
            continue
        source, arrow, target = code.partition("=>")
        named = variants.by_code.get((target if arrow else code).strip().lower())
        if named is None:
            return VariantRule(text)
        if arrow and source.strip():
            rule.one_way.setdefault(named, {})[source.strip()] = value.strip()
        elif not arrow and value.strip():
            rule.both_ways[named] = value.strip()
    return rule


def _show_text(rule: VariantRule, variants: Variants, variant: str) -> str:
    if not rule.both_ways and not rule.one_way:
        return rule.text
    main = next(iter(variants.names))
    if (
        main in variants.unconverted
        and variant.startswith(f"{main}-")
        and main != "zh"
        and main in rule.both_ways
    ):
        return rule.both_ways[main]
    for wanted in (variant, main):
        for name in (wanted, *variants.fallbacks.get(wanted, ())):
            if name in rule.both_ways:
                return rule.both_ways[name]
        if wanted in rule.one_way:
            return next(iter(rule.one_way[wanted].values()))
    return next(iter(rule.both_ways.values() or next(iter(rule.one_way.values())).values()))


def _describe(rule: VariantRule, variants: Variants) -> str:
    """Return what the flag D shows: every variant with its text."""
    colon, semicolon = variants.marks
    texts = [f"{variants.names[name]}{colon}{text}{semicolon}" for name, text in rule.both_ways.items()]
    for name, replaced in rule.one_way.items():
        texts += [
            f"{source}⇒{variants.names[name]}{colon}{text}{semicolon}" for source, text in replaced.items()
        ]
    return "".join(texts)


@cache
def load_variants(code: str) -> Variants | None:
    """Return the variants of a wiki by its code (`zh`); None if it has none."""
    data = _load_data().get(code)
    if data is None:
        return None
    by_code: dict[str, str] = {}
    for name in data["names"]:
        by_code[name] = by_code[_standard_code(name).lower()] = name
    spellings = [
        spelling for name in data["names"] for spelling in dict.fromkeys((name, _standard_code(name)))
    ]
    starts = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
    return Variants(
        names=data["names"],
        fallbacks=data.get("fallbacks", {}),
        scripts=data["scripts"],
        default=data.get("default") or next(iter(data["scripts"])),
        unconverted=frozenset(data.get("unconverted", ())),
        flags=frozenset(data.get("flags", ())),
        marks=tuple(data.get("marks", ":;")),
        separator=re.compile(rf";\s*+(?=(?:{starts})\s*:|[^;]*?=>\s*(?:{starts})\s*:|$)"),
        by_code=by_code,
    )


def _standard_code(name: str) -> str:
    """Return the BCP 47 form of a code: zh-Hant, zh-Hant-TW for zh-tw, sr-Cyrl for sr-ec."""
    special = {"sr-ec": "sr-Cyrl", "sr-el": "sr-Latn", "zh-cn": "zh-Hans-CN", "zh-sg": "zh-Hans-SG",
        "zh-my": "zh-Hans-MY",
        "zh-tw": "zh-Hant-TW", "zh-hk": "zh-Hant-HK", "zh-mo": "zh-Hant-MO"}  # fmt: skip
    if name in special:
        return special[name]
    parts = name.split("-")
    forms = [
        part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part for part in parts[1:]
    ]
    return "-".join([parts[0], *forms])


@cache
def _load_data() -> dict[str, Any]:
    path = data_path("wikitext", "variants.yaml")
    data: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"), "wikitext/variants.yaml")[0]
    return data
