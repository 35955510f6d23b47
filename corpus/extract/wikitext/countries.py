"""Name the countries for whose codes wikis have templates: {{CHN}} is a flag and the name of China."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global


class CountryNames(Mapping[str, str]):
    """The names of countries in the language of a wiki by their codes in capitals: ISO 3166's of three letters, and the
    sports committees' that differ (`sports`: GER -> DEU). Read when the first is asked for: 20 ms a language."""

    def __init__(self, language: str, sports: Mapping[str, str]) -> None:
        self._language, self._sports = language, sports

    def __getitem__(self, code: str) -> str:
        return _name_countries(self._language)[self._sports.get(code, code)]

    def __iter__(self) -> Iterator[str]:
        return iter({**_name_countries(self._language), **self._sports})

    def __len__(self) -> int:
        return len(list(iter(self)))


@cache
def _name_countries(language: str) -> Mapping[str, str]:
    """Return the names by codes of three letters; none in a language that CLDR lacks."""
    try:
        names = Locale.parse(language.replace("-", "_")).territories
    except (UnknownLocaleError, ValueError):
        return {}
    aliases: Mapping[str, list[str]] = get_global("territory_aliases")
    return {
        code: names[two[0]]
        for code, two in aliases.items()
        if len(code) == 3 and code.isalpha() and len(two) == 1 and two[0] in names
    }
