"""English names of language labels, for people: `cmn_Hans` is Chinese (simplified); and the labels that people mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import (
    CODE_LANGUAGE,
    NO_SCRIPT,
    UNKNOWN_LANGUAGE,
    is_assigned,
    iso_codes,
    labels,
    parse_label,
)

MAX_SUGGESTED_LANGUAGES = 3
PROGRAMMING_LANGUAGES = {
    name.lower(): name
    for name in (
        *(
            "ABAP",
            "ActionScript",
            "AppleScript",
            "AutoHotkey",
            "AWK",
            "BASIC",
            "CMake",
            "COBOL",
            "CoffeeScript",
            "CSS",
        ),
        *(
            "CUDA",
            "GDScript",
            "GLSL",
            "GraphQL",
            "HCL",
            "HLSL",
            "HTML",
            "IDL",
            "INI",
            "JavaScript",
            "JSON",
            "JSX",
        ),
        *(
            "LabVIEW",
            "LaTeX",
            "LLVM",
            "MATLAB",
            "MDX",
            "NASM",
            "OCaml",
            "OpenCL",
            "OpenSCAD",
            "PHP",
            "PL/SQL",
        ),
        *(
            "PostScript",
            "PowerShell",
            "PureScript",
            "QML",
            "reStructuredText",
            "SAS",
            "SCSS",
            "SPARQL",
            "SQL",
            "SVG",
        ),
        *(
            "SystemVerilog",
            "TeX",
            "TOML",
            "TSX",
            "TypeScript",
            "VBA",
            "VHDL",
            "WebAssembly",
            "XML",
            "XSLT",
            "YAML",
        ),
    )
} | {
    "cpp": "C++",
    "csharp": "C#",
    "fsharp": "F#",
    "objective-c": "Objective-C",
    "objectivec": "Objective-C",
    "objective-c++": "Objective-C++",
    "objectivecpp": "Objective-C++",
    "commonlisp": "Common Lisp",
    "common-lisp": "Common Lisp",
    "emacslisp": "Emacs Lisp",
    "vim": "Vim script",
    "batch": "Batch file",
    "protobuf": "Protocol Buffers",
    "shell": "Shell",
    "cplusplus": "C++",
    "visualbasic": "Visual Basic",
}
"""Names as people write them, by those in labels (`code_javascript`), where a capital letter is not enough."""
_DIRECTIONS = frozenset(
    f"{direction}{ending}" for direction in ("north", "south", "east", "west") for ending in ("", "ern")
) | {"central", "upper", "lower", "plains", "church"}
"""Words in names of languages that do not make two of them alike."""


def name_language(label: str) -> str | None:
    """Return a label's name in English, with the script of languages that are written in several; None for a label
    without a name. Source code is named after its language, a text in none is `no language`."""
    languages, scripts = _read_names()
    code, _, script = label.partition("_")
    if code == CODE_LANGUAGE:
        return f"{_name_programming_language(script)} code" if script else "source code"
    script_name = scripts.get(script)
    if code == UNKNOWN_LANGUAGE:
        return f"unknown ({script_name})" if script_name and script != NO_SCRIPT else "no language"
    name = languages.get(code)
    if name is None:
        return None
    known = labels().languages.get(code)
    several = known is not None and (len(known.scripts) > 1 or script not in known.scripts)
    return f"{name} ({script_name})" if several and script_name else name


def _name_programming_language(name: str) -> str:
    """Return the name of a programming language as people write it."""
    return PROGRAMMING_LANGUAGES.get(name, name.capitalize())


class WrongLanguageError(ValueError):
    """A name in a list of languages that is none, or is another's; `at` is its place in the list, from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def normalize_label(name: object) -> str:
    """Return a language in the form that documents have: `eng_Latn`, or its code alone for any script of it.

    `zh`, `zho` and `cmn` are one. Raises ValueError for what is no language, with what may have been meant: also for a
    code or a script that ISO 639-3 and ISO 15924 do not know.
    """
    if not isinstance(name, str):
        raise ValueError(
            f"{_show_value(name)} is not a language: write it in quotes if it is meant as text: 'no'"
        )
    parsed = parse_label(name)
    if parsed is None or not is_assigned(parsed[0]):
        advice = suggest_languages(name) or "say eng_Latn, cmn_Hans, or a code such as eng"
        raise ValueError(f"{name!r} is not a language: {advice}")
    code, script = parsed
    if script is not None and code != CODE_LANGUAGE and script not in iso_codes().scripts:
        raise ValueError(f"{name!r} is not a language in a script: {_suggest_scripts(code, script)}")
    return f"{code}_{script}" if script is not None else code


def normalize_labels(names: Iterable[object]) -> dict[str, str]:
    """Return a list of languages as label -> the name given. Raises WrongLanguageError, which names all that are wrong:
    what is no language, and a second name of a language that is there already."""
    labels_given: dict[str, str] = {}
    wrong: list[WrongLanguageError] = []
    for at, name in enumerate(names):
        try:
            label = normalize_label(name)
        except ValueError as error:
            wrong.append(WrongLanguageError(str(error), at))
            continue
        if label in labels_given:
            other = labels_given[label]
            message = f"{name!r} and {other!r} are one language, {label}: leave one out"
            wrong.append(WrongLanguageError(message, at))
        labels_given.setdefault(label, str(name))
    if wrong:
        raise WrongLanguageError("; ".join(map(str, wrong)), wrong[0].at)
    return labels_given


def suggest_languages(name: str) -> str | None:
    """Return `did you mean cmn (Chinese)?` for a language by its English name or a misspelt label; None for others."""
    bare_name, _, script_code = re.sub("-", "_", name.strip()).partition("_")
    if script_code in iso_codes().scripts and bare_name:
        return suggest_languages(bare_name)
    names, scripts = _read_names()
    own = _read_meant_labels().get(" ".join(name.casefold().split()))
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
    code = re.split(r"[_-]", name.strip())[0]
    if not nearest and (known := labels().code(code)) is not None:
        nearest = [known] if known in names else []
    if not nearest:
        nearest = _find_close_codes(code.lower())
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
    nearest = (same or _find_close_codes(code))[:MAX_SUGGESTED_LANGUAGES]
    meant = " or ".join(f"{other} ({names[other]})" if other in names else other for other in nearest)
    return f"did you mean {meant}?" if meant else "no language of a similar name is identified"


def _find_close_codes(code: str) -> list[str]:
    """Return identified languages whose codes are nearly this one, from the same first letter."""
    alike = [other for other in sorted(labels().nameable) if other[:1] == code[:1]]
    return difflib.get_close_matches(code, alike, MAX_SUGGESTED_LANGUAGES, 0.66)


def _suggest_scripts(code: str, script: str) -> str:
    """Return the labels that a language has, for one in a script that there is not."""
    known = labels().languages.get(code)
    own = known.scripts if known is not None else ()
    own = ("Hans", "Hant") if code == "cmn" else own
    nearest = list(own) or difflib.get_close_matches(
        script, sorted(iso_codes().scripts), MAX_SUGGESTED_LANGUAGES, 0.66
    )
    meant = " or ".join(f"{code}_{name}" for name in nearest[:MAX_SUGGESTED_LANGUAGES])
    return f"did you mean {meant}?" if meant else f"ISO 15924 has no script {script}"


def _show_value(value: object) -> str:
    """Return a value that YAML took for something else than text as it was written."""
    return {"False": "no", "True": "yes", "None": "null"}.get(str(value), str(value))


def are_alike(one: str, other: str) -> bool:
    """Return whether the English names of two labels share a word: Norwegian Bokmål and Norwegian Nynorsk do."""
    names, _ = _read_names()
    titles = [names.get(label.partition("_")[0], "") for label in (one, other)]
    return _shares_word(*titles)


def _shares_word(one: str, other: str) -> bool:
    return bool(set(one.casefold().split()) & set(other.casefold().split()) - _DIRECTIONS)


def _is_name(words: str) -> bool:
    return any(title.casefold() == words for title in _read_names()[0].values())


def is_language(label: str) -> bool:
    """Return whether a label names a language, or source code: not a text in none, or in an unknown one."""
    return label.partition("_")[0] != UNKNOWN_LANGUAGE


@cache
def _read_meant_labels() -> dict[str, str]:
    """Return what languages call themselves, and codes of countries, in lower case, and the label of each."""
    name = "language_names.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    return {str(title).casefold(): label for title, label in (data["own"] | data["countries"]).items()}


@cache
def _read_names() -> tuple[dict[str, str], dict[str, str]]:
    """Return manifests/language_names.yaml, read once a process: names by code, and by script."""
    name = "language_names.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    return data["languages"], data["scripts"]
