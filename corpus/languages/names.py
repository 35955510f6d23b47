"""English names of language labels, for people: `cmn_Hans` is Chinese (simplified)."""

from __future__ import annotations

from functools import cache

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import CODE_LANGUAGE, NO_SCRIPT, UNKNOWN_LANGUAGE, labels


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


def is_language(label: str) -> bool:
    """Return whether a label names a language, or source code: not a text in none, or in an unknown one."""
    return label.partition("_")[0] != UNKNOWN_LANGUAGE


@cache
def _read_names() -> tuple[dict[str, str], dict[str, str]]:
    """Return manifests/language_names.yaml, read once a process: names by code, and by script."""
    name = "language_names.yaml"
    data, _ = load_yaml(data_path(name).read_text(encoding="utf-8"), name)
    return data["languages"], data["scripts"]
