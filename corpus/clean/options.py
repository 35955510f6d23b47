"""The rules by which lines are cut, and the key `clean` of a manifest: which of them cut, and which only count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator

from corpus.edits.steps import CLEAN_STEP
from corpus.suggestions import suggest_names

WORDS = f"{CLEAN_STEP}.words"
SIGNALS = (f"{CLEAN_STEP}.kept", WORDS)
"""Of what would be left if all that is found were cut: the share of the characters, and the words, which are counted in
sources with a rule on them."""
CLASSES = (
    "navigation",
    "login",
    "cookies",
    "share",
    "counters",
    "read_more",
    "comments",
    "pagination",
    "newsletter",
    "related",
    "advertisement",
    "shop",
    "copyright",
    "filings",
    "credits",
    "apps",
)
"""Classes of listed lines: the keys of the files in manifests/boilerplate/, and the kinds of their edits."""
LINE_RULES = (
    "c4_terminal",
    "c4_words",
    "c4_tfds_words",
    "c4_long_word",
    "c4_javascript",
    "c4_policy",
    "c4_citation",
    "refinedweb_uppercase",
    "refinedweb_numbers",
    "refinedweb_counter",
    "refinedweb_one_word",
    "refinedweb_phrase",
    "madlad400_words",
    "madlad400_case",
    "madlad400_length",
    "madlad400_technical",
)
_C4 = ("c4_terminal", "c4_words", "c4_long_word", "c4_javascript", "c4_policy", "c4_citation")
PRESETS: Mapping[str, tuple[str, ...]] = {
    "boilerplate": CLASSES,
    "c4": _C4,
    "c4_tfds": tuple("c4_tfds_words" if rule == "c4_words" else rule for rule in _C4),
    "refinedweb": tuple(rule for rule in LINE_RULES if rule.startswith("refinedweb_")),
    "madlad400": tuple(rule for rule in LINE_RULES if rule.startswith("madlad400_")),
}
"""The rules that each name in a manifest stands for."""
RULES = (*CLASSES, *LINE_RULES)
"""In the order in which they are listed."""
MODES = ("cut", "count")
REPEAT_KINDS = {"paragraphs": "paragraph", "lines": "line", "spans": "span"}
"""The options of `dedup` that mark repeated text, each with the kind of its edits."""

Modes: TypeAlias = dict[str, Literal["cut", "count"]]
"""Rules, in the order of `RULES`, and what is done with what they find."""


def expand_rules(value: Any) -> Any:
    """Return rules and their modes: of a name, a list of names, or a mapping of names to `cut`, `count` or `off`.

    A name is a rule or one of `PRESETS`; a rule by its own name goes before the presets that it is in. True is
    `boilerplate`, false nothing. Raises ValueError for anything else.
    """
    if value is None or isinstance(value, bool):
        return None if value is None else expand_rules("boilerplate" if value else [])
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        value = dict.fromkeys(value, "cut") if all(isinstance(name, str) for name in value) else None
    if not isinstance(value, Mapping):
        raise ValueError("rules are named [boilerplate, c4], or {boilerplate: cut, refinedweb: count}")
    modes: dict[str, str] = {}
    for name in sorted(value, key=lambda name: name not in PRESETS):
        modes |= dict.fromkeys(find_rules(name), _check_mode(name, value[name]))
    return {rule: modes[rule] for rule in RULES if modes.get(rule, "off") != "off"}


def find_rules(name: Any) -> tuple[str, ...]:
    """Return the rules that a name stands for. Raises ValueError for none."""
    if name in PRESETS:
        return PRESETS[name]
    if name not in RULES:
        known = suggest_names(str(name), (*PRESETS, *RULES))
        raise ValueError(f"no rule on lines is called {name!r}: {known}")
    return (name,)


def _check_mode(name: str, mode: Any) -> str:
    """Return `cut`, `count` or `off`. Raises ValueError for anything else."""
    if isinstance(mode, bool) or mode is None:
        return "off" if mode is False else "cut"
    if mode not in (*MODES, "off"):
        raise ValueError(f"{name}: {suggest_names(str(mode), (*MODES, 'off'), 'say')}")
    return str(mode)


Clean = Annotated[Modes | None, BeforeValidator(expand_rules)]
"""The type of the key `clean` of a source, and of `lines` below it: None where it is not said."""


class CleanOptions(BaseModel):
    """What is cut. `repeats`: what `dedup` marks as repeated, by the names of its options there; true is all of it.

    `lines`: the rules on lines, of sources that do not say it themselves; None leaves each kind of source its own.
    `spare`: whether verse, dialogue, lists and code stay, whatever rules on how a line is written say of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: tuple[Literal["paragraphs", "lines", "spans"], ...] = ()
    lines: Clean = None
    spare: bool = True

    @field_validator("repeats", mode="before")
    @classmethod
    def _expand_repeats(cls, value: Any) -> Any:
        if isinstance(value, bool) or value is None:
            return tuple(REPEAT_KINDS) if value else ()
        return [value] if isinstance(value, str) else value

    @field_validator("repeats")
    @classmethod
    def _sort_repeats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in REPEAT_KINDS if name in value)
