"""Parse and make language labels: ISO 639-3 and ISO 15924 (`cmn_Hans`), and what models and sources call them.

Source code has labels of the same shape, `code_python`: `code` stands for all of it, as `cmn` does for Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from string import ascii_lowercase

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.chinese import chinese_script
from corpus.languages.relatives import list_told
from corpus.languages.scripts import main_script
from corpus.storage.fingerprint import fingerprint

UNKNOWN_LANGUAGE = "und"
UNKNOWN_LABEL = "und_Zyyy"
NO_SCRIPT = "Zyyy"
CODE_LANGUAGE = "code"
"""The language part of source code's labels."""

_LABEL = re.compile(r"([a-z]{3})_([A-Z][a-z]{3})")
_CODE = re.compile(rf"{CODE_LANGUAGE}(?:_([a-z0-9]{{1,30}}))?")
_TAG = re.compile(
    r"([A-Za-z]{2,3}|[iI]|simple)(?:[-_](?P<script>[A-Za-z]{4}))?(?:[-_](?P<region>[A-Za-z]{2}|[0-9]{3}))?(?:[-_].*)?"
)
_TRADITIONAL_REGIONS = frozenset({"TW", "HK", "MO"})
_PRIVATE_MIDDLES = ascii_lowercase[: ascii_lowercase.index("t") + 1]
"""Second letters of the codes for private use, qaa to qtz."""
_LAST_PRIVATE_SCRIPT = "Qabx"
_NO_LANGUAGE = (UNKNOWN_LANGUAGE, "mis", "mul", "zxx")
ZAWGYI_SCRIPT = "Qaag"
"""CLDR's code for Burmese in Zawgyi's encoding."""
_MERGED = {
    ZAWGYI_SCRIPT: "Mymr",
    "Hans": "Hani",
    "Hant": "Hani",
    "Hira": "Jpan",
    "Kana": "Jpan",
    "Hrkt": "Jpan",
    "Kore": "Hang",
}
"""Scripts of labels -> what `main_script` calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A row of manifests/identification.yaml: a language, its scripts, what the models call it."""

    code: str
    scripts: tuple[str, ...]
    lid: str | None = None
    cld2: str | None = None
    langid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabet:
    """Letters by which a language is known from the others in its script.

    `letters`, each of `beside` and `without` are regular expressions. A text in the language has at least `share` of
    its letters from the first and from each of the second, and less than half of that from the third. With `below`, it
    has less than that of `letters`. Texts of fewer letters than `least` are not told.
    """

    code: str
    letters: str
    share: float = 0.02
    beside: tuple[str, ...] = ()
    without: str = ""
    below: float | None = None
    least: int = 0


@dataclass(frozen=True)
class Labels:
    """Everything in manifests/identification.yaml."""

    languages: Mapping[str, Language]
    scripts: Mapping[str, str]
    codes: Mapping[str, str]
    names: Mapping[str, str]
    groups: frozenset[str]
    alphabets: Mapping[str, tuple[Alphabet, ...]]

    @cached_property
    def by_script(self) -> dict[str, frozenset[str]]:
        """Script -> the languages written in it that a model knows."""
        codes_by_script: dict[str, set[str]] = {"Jpan": {"jpn"}}
        for language in self.languages.values():
            for script in language.scripts:
                codes_by_script.setdefault(script, set()).add(language.code)
        return {script: frozenset(codes) for script, codes in codes_by_script.items()}

    @cached_property
    def lid(self) -> dict[str, str]:
        """lid.176's label -> our code."""
        return {language.lid: code for code, language in self.languages.items() if language.lid}

    @cached_property
    def cld2(self) -> dict[str, str]:
        """CLD2's code -> our code."""
        return {language.cld2: code for code, language in self.languages.items() if language.cld2} | {
            "zh-Hant": "cmn"
        }

    @cached_property
    def langid(self) -> dict[str, str]:
        """Our code -> the third voter's label."""
        return {code: language.langid for code, language in self.languages.items() if language.langid}

    @cached_property
    def fingerprint(self) -> str:
        rows = {code: [row.scripts, row.lid, row.cld2, row.langid] for code, row in self.languages.items()}
        alphabets = [[script, repr(rows)] for script, rows in sorted(self.alphabets.items())]
        return fingerprint(
            [rows, dict(self.scripts), dict(self.codes), dict(self.names), sorted(self.groups), alphabets]
        )

    @cached_property
    def nameable(self) -> frozenset[str]:
        """The languages that a text can be identified as: by a model, its script, its letters, or its words."""
        return self.scored | list_told()

    @cached_property
    def scored(self) -> frozenset[str]:
        """Those that every text has a score of: all but the ones that are told by their words alone."""
        written = {alphabet.code for rows in self.alphabets.values() for alphabet in rows}
        return frozenset({*self.languages, *self.scripts.values(), *written}) - {UNKNOWN_LANGUAGE}

    def code(self, name: str) -> str | None:
        """Return our code for ISO 639-1, -2 or -3 and for the codes of the models; None for what is no code.

        An unknown code of three letters is returned unchanged, but for groups of languages (`roa`).
        """
        name = name.lower()
        if name in self.languages:
            return name
        for codes in (self.codes, self.lid, self.cld2):
            if name in codes:
                return codes[name]
        if not re.fullmatch("[a-z]{3}", name) or name in _NO_LANGUAGE or name in self.groups:
            return None
        return name


@dataclass(frozen=True, slots=True)
class IsoCodes:
    """Every code that ISO 639-3 gives a language, and ISO 15924 a script: manifests/iso_codes.yaml."""

    languages: frozenset[str]
    scripts: frozenset[str]


@cache
def iso_codes() -> IsoCodes:
    """Return manifests/iso_codes.yaml, read once a process (2 ms), with the codes that are free for private use."""
    name = "iso_codes.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    assigned = {run[:2] + last for run in data["languages"].split() for last in run[2:]}
    private = {f"q{middle}{last}" for middle in _PRIVATE_MIDDLES for last in ascii_lowercase}
    private_scripts = {f"Qa{middle}{last}" for middle in "ab" for last in ascii_lowercase}
    scripts = {script for script in private_scripts if script <= _LAST_PRIVATE_SCRIPT}
    return IsoCodes(frozenset(assigned | private), frozenset(data["scripts"].split()) | scripts)


def is_assigned(code: str) -> bool:
    """Return whether a code of three letters is that of a language: `tha`, `qaa` (private use), and not `zzz`."""
    return code == CODE_LANGUAGE or code in labels().nameable or code in iso_codes().languages


@cache
def labels() -> Labels:
    """Return manifests/identification.yaml, read once a process (40 ms)."""
    name = "identification.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    languages = {
        code: Language(code=code, **{**row, "scripts": tuple(row["scripts"])})
        for code, row in data["languages"].items()
    }
    alphabets = {
        script: tuple(
            Alphabet(**{**row, "code": code, "beside": tuple(row.get("beside", ()))})
            for code, given in rows.items()
            for row in (given if isinstance(given, list) else [given])
        )
        for script, rows in data["letters"].items()
    }
    groups = frozenset(data["groups"].split())
    return Labels(languages, data["scripts"], data["codes"], data["names"], groups, alphabets)


def parse_label(name: str) -> tuple[str, str | None] | None:
    """Return (our code, script or None) of `eng_Latn`, `eng`, `en`, `en-GB`, `zh-Hant`, `zh-TW`, `__label__en`, and of
    names that are not what their parts say: `zh-yue`, `bat-smg`, `sr-ec` (`names` in manifests/identification.yaml).

    None where it is no language. For source code (code, programming language or None): `code_python`, `code`.
    """
    name = name.removeprefix("__label__").strip()
    if source_code := _CODE.fullmatch(name):
        return CODE_LANGUAGE, source_code[1]
    match = _TAG.fullmatch(name)
    if match is None:
        return None
    if (whole := _find_name(name)) is not None:
        return whole
    code = labels().code(match[1])
    if code is None:
        return None
    script = match["script"].capitalize() if match["script"] else None
    if script is None and code == "cmn" and match["region"]:
        script = "Hant" if match["region"].upper() in _TRADITIONAL_REGIONS else "Hans"
    return code, script


def _find_name(name: str) -> tuple[str, str | None] | None:
    """Return (our code, script or None) of a name that has an entry of its own, or whose first parts have: of
    `zh-min-nan-TW` those of `zh-min-nan`."""
    parts = re.split("[-_]", name.lower())
    for count in range(len(parts), 0, -1):
        meaning = labels().names.get("-".join(parts[:count]))
        if meaning is not None:
            code, _, script = meaning.partition("_")
            written = next(
                (part.capitalize() for part in parts[count:] if len(part) == 4 and part.isalpha()), None
            )
            return code, written or script or None
    return None


def language_part(label: str) -> str:
    """Return the language part of a label, without its script; `code` for source code."""
    return label.partition("_")[0]


def is_code(label: str | None) -> bool:
    """Return whether a label is that of source code."""
    return label is not None and language_part(label) == CODE_LANGUAGE


def is_label(name: str) -> bool:
    """Return whether a name is a language and a script, as documents carry them."""
    return _LABEL.fullmatch(name) is not None


def is_written_in(code: str, script: str) -> bool:
    """Return whether a language may be written in a script; True for unknown languages."""
    known = labels().languages.get(code)
    return known is None or _MERGED.get(script, script) in known.scripts


def add_script(code: str, counts: Mapping[str, int], text: str, suggested: str | None = None) -> str:
    """Return the label of a language: its script is the one most of the text is in, of those it is written in.

    Chinese is Hans or Hant by its characters; `suggested` decides where they do not.
    """
    known = labels().languages.get(code)
    script = main_script(counts)
    if code == "cmn":
        form, share = chinese_script(text)
        return f"cmn_{suggested if not share and suggested in ('Hans', 'Hant') else form}"
    if code == "jpn":
        return "jpn_Jpan"
    if known is not None and script not in known.scripts:
        present = [name for name in counts if name in known.scripts]
        script = present[0] if present else known.scripts[0]
    if script == NO_SCRIPT and suggested is not None:
        script = suggested
    return f"{code}_{script}"
