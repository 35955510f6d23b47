"""English names of language labels, for people: `cmn_Hans` is Chinese (simplified); and the labels that people mean."""

from __future__ import annotations

import difflib
import re
from functools import cache

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import CODE_LANGUAGE, NO_SCRIPT, UNKNOWN_LANGUAGE, labels, parse_label

MAX_SUGGESTED_LANGUAGES = 3


def name_language(label: str) -> str | None:
    """Return a label's name in English, with the script of languages that are written in several; None for a label
    without a name. Source code is named after its language, a text in none is `no language`."""
    languages, scripts = _read_names()
    code, _, script = label.partition("_")
    if code == CODE_LANGUAGE:
        return f"{script} code" if script else "source code"
    script_name = scripts.get(script)
    if code == UNKNOWN_LANGUAGE:
        return f"unknown ({script_name})" if script_name and script != NO_SCRIPT else "no language"
    name = languages.get(code)
    if name is None:
        return None
    known = labels().languages.get(code)
    several = known is not None and (len(known.scripts) > 1 or script not in known.scripts)
    return f"{name} ({script_name})" if several and script_name else name


def normalize_label(name: str) -> str:
    """Return a language in the form that documents have: `eng_Latn`, or its code alone for any script of it.

    `zh`, `zho` and `cmn` are one. Raises ValueError for what is no language, with what may have been meant.
    """
    parsed = parse_label(name)
    if parsed is None:
        advice = suggest_languages(name) or "say eng_Latn, cmn_Hans, or a code such as eng"
        raise ValueError(f"{name!r} is not a language: {advice}")
    code, script = parsed
    return f"{code}_{script}" if script is not None else code


def suggest_languages(name: str) -> str | None:
    """Return `did you mean cmn (Chinese)?` for a language by its English name or a misspelt label; None for others."""
    names, scripts = _read_names()
    own = _read_own_names().get(" ".join(name.casefold().split()))
    if own is not None:
        return f"did you mean {own} ({name_language(own) or own})?"
    words = re.sub(r"[\s_()-]+", " ", name.casefold()).strip()
    script = next((code for code, title in scripts.items() if title.casefold() in words), None)
    bare = words.replace(scripts[script].casefold(), "").strip() if script and not _is_name(words) else words
    nearest = [code for code, title in names.items() if title.casefold() == bare]
    label_script = script if nearest and script and bare != words else None
    if not nearest:
        titles = {title.casefold(): code for code, title in names.items()}
        close = difflib.get_close_matches(bare, sorted(titles), MAX_SUGGESTED_LANGUAGES, 0.75)
        within = [title for title in titles if len(bare) > 3 and bare in title.split()]
        nearest = list(dict.fromkeys(titles[title] for title in [*within, *close]))[:MAX_SUGGESTED_LANGUAGES]
    if not nearest and (known := labels().code(re.split(r"[\s_-]", name.strip())[0])) is not None:
        nearest = [known] if known in names else []
    if not nearest:
        return None
    meant = [f"{code}_{label_script}" if label_script else code for code in nearest]
    shown = [f"{label} ({names[code]})" for label, code in zip(meant, nearest, strict=True)]
    return f"did you mean {' or '.join(shown)}?"


def suggest_nameable(label: str) -> str | None:
    """Return what may have been meant by a language that no text is identified as; None where texts can be."""
    code = label.partition("_")[0]
    if code == CODE_LANGUAGE or code in labels().nameable:
        return None
    names, _ = _read_names()
    title = names.get(code)
    same = [
        other for other in sorted(labels().nameable) if title and _shares_word(title, names.get(other, ""))
    ]
    alike = [other for other in sorted(labels().nameable) if title is None and other[0] == code[0]]
    close = difflib.get_close_matches(code, alike, MAX_SUGGESTED_LANGUAGES, 0.66)
    nearest = list(dict.fromkeys([*same, *close]))[:MAX_SUGGESTED_LANGUAGES]
    meant = " or ".join(f"{other} ({names[other]})" if other in names else other for other in nearest)
    return f"did you mean {meant}?" if meant else "no language of a similar name is identified"


def _shares_word(one: str, other: str) -> bool:
    return bool(set(one.casefold().split()) & set(other.casefold().split()))


def _is_name(words: str) -> bool:
    return any(title.casefold() == words for title in _read_names()[0].values())


def is_language(label: str) -> bool:
    """Return whether a label names a language, or source code: not a text in none, or in an unknown one."""
    return label.partition("_")[0] != UNKNOWN_LANGUAGE


@cache
def _read_own_names() -> dict[str, str]:
    """Return what languages call themselves, in lower case, and the label of each."""
    name = "language_names.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    return {str(title).casefold(): label for title, label in data["own"].items()}


@cache
def _read_names() -> tuple[dict[str, str], dict[str, str]]:
    """Return manifests/language_names.yaml, read once a process: names by code, and by script."""
    name = "language_names.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    return data["languages"], data["scripts"]
