"""Look up how a language is written: punctuation, stop words and phrases, from manifests/languages/.

A file is named after a language (`deu.yaml`) or a language in a script (`cmn_Hant.yaml`). The second inherits
what it leaves out from the first, and that from `default.yaml`; phrases of all are combined. `same_as` names other
languages that use the file unchanged. `rules` are corrections to presets, read by `corpus.rules.presets`; to a file
with `as_presets` those of the default do not apply. `basis` says what its values come from: a line, or what
`corpus calibrate` writes; nothing reads it but people.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.data import cache_data, data_path, list_data, read_data
from corpus.errors import UserError
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import language_part
from corpus.languages.names import normalize_label
from corpus.storage.fingerprint import fingerprint
from corpus.text.hashes import Hashes
from corpus.text.words import hash_words

Characters = npt.NDArray[np.bool_]
"""A set of characters as a table over code points below U+20000."""

DEFAULT_FILE_NAME = "default"
CHARACTER_TABLE_SIZE = 0x20000


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """The conventions of one language: words as sorted hashes, sets of characters as tables, phrases in lower case.

    `abbreviations` are words whose full stop ends no sentence (written without it);
    `terminal_punctuation` ends a sentence; `closing_punctuation` may end a line of prose as well (C4 counts
    quotes); a line that starts with one of `bullets` is an item; `ellipses` are strings; a line with one
    of `policy_phrases` is about cookies or terms, one of `placeholder_phrases` is filler.
    """

    stop_words: Hashes
    abbreviations: Hashes
    terminal_punctuation: Characters
    closing_punctuation: Characters
    bullets: Characters
    ellipses: tuple[str, ...]
    policy_phrases: tuple[str, ...]
    placeholder_phrases: tuple[str, ...]

    @cached_property
    def line_ends(self) -> Characters:
        """Terminal and closing punctuation."""
        return self.terminal_punctuation | self.closing_punctuation


@dataclass(frozen=True, kw_only=True)
class LanguageFile:
    """One file of manifests/languages/ as it is written; None for what it leaves out."""

    name: str
    same_as: tuple[str, ...] = ()
    stop_words: tuple[str, ...] | None = None
    abbreviations: tuple[str, ...] | None = None
    terminal_punctuation: tuple[str, ...] | None = None
    closing_punctuation: tuple[str, ...] | None = None
    bullets: tuple[str, ...] | None = None
    ellipses: tuple[str, ...] | None = None
    policy_phrases: tuple[str, ...] | None = None
    placeholder_phrases: tuple[str, ...] | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    as_presets: bool = False
    basis: str | dict[str, Any] | None = None


def language_files() -> dict[str, LanguageFile]:
    """Return every language file by the names it serves, sorted; a user's own takes the place of one of corpus.

    Raises UserError for a malformed one.
    """
    return _read_files()[0]


def list_replaced_languages() -> list[tuple[str, str]]:
    """Return (language, name of a file of corpus) where a user's own file takes its place for the language; sorted."""
    return _read_files()[1]


@cache_data
def _read_files() -> tuple[dict[str, LanguageFile], list[tuple[str, str]]]:
    """Return what `language_files` and `list_replaced_languages` do."""
    replaced: list[tuple[str, str]] = []
    served: dict[str, LanguageFile] = {}
    own: dict[str, LanguageFile] = {}
    for stem in list_data("languages"):
        text, path = read_data("languages", stem)
        file = _read_file(stem, text, path)
        shipped = data_path("languages", f"{stem}.yaml")
        is_own = path != str(shipped)
        if is_own and shipped.is_file():
            hidden = _read_file(stem, shipped.read_text(encoding="utf-8"), str(shipped))
            replaced += [(name, stem) for name in (stem, *hidden.same_as)]
        if is_own and stem != DEFAULT_FILE_NAME:
            try:
                normalize_label(stem)
            except ValueError as error:
                raise UserError(
                    f"{path}: {error} (a file is named tha.yaml, cmn_Hant.yaml or the like)"
                ) from None
        files = own if is_own else served
        for name in (file.name, *file.same_as):
            if name in files:
                raise UserError(f"{path}: {name} has a file already: {files[name].name}.yaml")
            files[name] = file
    replaced += [(name, served[name].name) for name in served.keys() & own.keys()]
    return dict(sorted({**served, **own}.items())), sorted(replaced)


def language_layers(language: str | None) -> list[LanguageFile]:
    """Return the files that apply to a language, the default first, the most particular last."""
    files = language_files()
    names = [DEFAULT_FILE_NAME, *([language_part(language), language] if language else [])]
    layered: list[LanguageFile] = []
    for name in names:
        if name in files and files[name] not in layered:
            layered.append(files[name])
    return layered


@cache_data
def conventions(language: str | None) -> Conventions:
    """Return the conventions of a label such as `cmn_Hant`; None gives the default's."""
    return Conventions(
        stop_words=np.unique(hash_words(list(_first_value(language, "stop_words")))),
        abbreviations=np.unique(hash_words(list(_first_value(language, "abbreviations")))),
        terminal_punctuation=_character_table(_first_value(language, "terminal_punctuation")),
        closing_punctuation=_character_table(_first_value(language, "closing_punctuation")),
        bullets=_character_table(_first_value(language, "bullets")),
        ellipses=_first_value(language, "ellipses"),
        policy_phrases=_all_phrases(language, "policy_phrases"),
        placeholder_phrases=_all_phrases(language, "placeholder_phrases"),
    )


@cache_data
def identity() -> str:
    """Hash everything here that signals depend on (not the rules), for fingerprints."""
    files = {file.name: file for file in language_files().values()}
    return fingerprint(
        [
            [name, *([list(getattr(file, key) or ()) for key in _LIST_KEYS])]
            for name, file in sorted(files.items())
        ]
    )


def _first_value(language: str | None, key: str) -> tuple[str, ...]:
    for file in reversed(language_layers(language)):
        value: tuple[str, ...] | None = getattr(file, key)
        if value is not None:
            return value
    return ()


def _all_phrases(language: str | None, key: str) -> tuple[str, ...]:
    """Return the phrases of all files together: English boilerplate is on pages of every language."""
    phrases = [phrase.lower() for file in language_layers(language) for phrase in getattr(file, key) or ()]
    return tuple(dict.fromkeys(phrases))


@cache
def _character_table(characters: tuple[str, ...]) -> Characters:
    table = np.zeros(CHARACTER_TABLE_SIZE, np.bool_)
    table[[ord(character) for character in characters]] = True
    table.flags.writeable = False
    return table


_LIST_KEYS = tuple(
    f.name for f in fields(LanguageFile) if f.name not in ("name", "rules", "as_presets", "basis")
)
_OTHER_KEYS: dict[str, type | tuple[type, ...]] = {"rules": dict, "as_presets": bool, "basis": (str, dict)}
_CHARACTER_KEYS = ("terminal_punctuation", "closing_punctuation", "bullets")


def _read_file(name: str, text: str, path: str) -> LanguageFile:
    """Read a file. Lists may be written as a list or as words between spaces; numbers in lists are refused."""
    data, _ = load_yaml(text, path)
    if not isinstance(data, dict | None):
        raise UserError(f"{path}: a language file is a mapping, such as {{stop_words: and the of}}")
    values: dict[str, Any] = {}
    for key, value in (data or {}).items():
        if isinstance(value, _OTHER_KEYS.get(key, ())):
            values[key] = value
        elif key in _LIST_KEYS and isinstance(value, str):
            values[key] = tuple(value.split())
        elif key in _LIST_KEYS and isinstance(value, list) and all(isinstance(item, str) for item in value):
            values[key] = tuple(value)
        else:
            raise UserError(f"{path}: {key}: unknown key or not a list of texts")
        if key in _CHARACTER_KEYS and any(
            len(item) != 1 or ord(item) >= CHARACTER_TABLE_SIZE for item in values[key]
        ):
            raise UserError(f"{path}: {key}: expected single characters below U+20000")
    return LanguageFile(name=name, **values)
