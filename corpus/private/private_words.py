"""The words beside which a number is private: manifests/private.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from corpus.data import data_path
from corpus.errors import UserError
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint

_SPACED = r"(?<![^\W\d_])(?:{})(?![^\W\d_])"
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class PrivateWords:
    """Patterns of the words before phones, and by country before national numbers; `bare` countries need none.
    `numbers` are the checks of a country that has others than idnumbers' usual one."""

    phone: re.Pattern[str]
    national: dict[str, re.Pattern[str]]
    any_national: re.Pattern[str]
    bare: frozenset[str]
    numbers: dict[str, list[str]]
    iban_lengths: dict[str, int]
    identity: str


@cache
def read_words() -> PrivateWords:
    """Read the words, once a process. Raises UserError if the file is malformed."""
    path = data_path("private.yaml")
    data, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    try:
        phones = [
            word for line in data["phone_words"].values() for word in line.split("|" if "|" in line else None)
        ]
        national = {country: entry["words"].split("|") for country, entry in data["national_ids"].items()}
        return PrivateWords(
            phone=_compile(phones),
            national={country: _compile(words) for country, words in national.items()},
            any_national=_compile([word for words in national.values() for word in words]),
            numbers={
                country: [str(name) for name in entry["numbers"]]
                for country, entry in data["national_ids"].items()
                if "numbers" in entry
            },
            bare=frozenset(country for country, entry in data["national_ids"].items() if entry.get("bare")),
            iban_lengths={entry[:2]: int(entry[2:]) for entry in data["iban_lengths"].split()},
            identity=fingerprint(data),
        )
    except (KeyError, AttributeError, TypeError, ValueError, re.error) as error:
        raise UserError(f"{path}: not as expected: {error}") from None


def _compile(words: list[str]) -> re.Pattern[str]:
    """Compile words: those written without spaces also match within a longer run of letters."""
    distinct = sorted(set(words), key=lambda word: (-len(word), word))
    spaced = [word for word in distinct if not _SPACELESS.search(word)]
    spaceless = [word for word in distinct if _SPACELESS.search(word)]
    parts = [_SPACED.format("|".join(spaced))] if spaced else []
    return re.compile("|".join(parts + spaceless), re.IGNORECASE)
