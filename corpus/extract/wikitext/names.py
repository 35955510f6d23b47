"""Look up the names that wikis use, in every available language: namespaces, magic words, templates, section titles."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

from corpus.data import data_path
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint

Names = frozenset[str]

WIKITEXT_DATA_FILES = ("names.yaml", "templates.yaml", "variants.yaml", "wikis.yaml")


@dataclass(frozen=True, kw_only=True)
class WikiNames:
    """Hold names in NFC and lower case; links with a prefix in `hidden` (files, categories, languages) show nothing,
    those with one in `elsewhere` show themselves without it.
    """

    file: Names
    category: Names
    languages: Names
    elsewhere: Names
    hidden: Names
    redirect: Names
    disambiguation: Names
    back_matter: Names


@cache
def load_wiki_names(code: str | None = None) -> WikiNames:
    """Return the names that hold on one wiki (`de`), English ones included; those of all wikis for None or unknown."""
    data = _load_data("names")
    parts = [data["en"], data[code]] if code in data else list(data.values())

    def every(key: str) -> Names:
        return frozenset(fold_name(name) for part in parts for name in part.get(key, ()))

    file, category, languages = every("file"), every("category"), frozenset(load_wiki_languages())
    return WikiNames(
        file=file,
        category=category,
        languages=languages,
        elsewhere=languages | frozenset(_load_data("wikis")["projects"]),
        hidden=file | category | languages,
        redirect=every("redirect"),
        disambiguation=every("disambiguation"),
        back_matter=every("back_matter"),
    )


@cache
def load_wiki_languages() -> dict[str, str | None]:
    """Return the language of each wiki by its code; None if the code does not determine it."""
    languages: dict[str, str | None] = _load_data("wikis")["languages"]
    return languages


@cache
def data_identity() -> str:
    """Return a hash of the data files of wikitext, for fingerprints."""
    return fingerprint(
        [data_path("wikitext", name).read_text(encoding="utf-8") for name in WIKITEXT_DATA_FILES]
    )


def fold_name(name: str) -> str:
    """Return a name in NFC and lower case, with spaces for underscores."""
    return unicodedata.normalize("NFC", name).replace("_", " ").strip().lower()


@cache
def _load_data(name: str) -> dict[str, Any]:
    path = data_path("wikitext", f"{name}.yaml")
    value: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"), f"wikitext/{name}.yaml")[0]
    return value
