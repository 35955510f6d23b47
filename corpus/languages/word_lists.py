"""Lists of words by language, such as LDNOOBW's: a file for each, named after it (`en`, `zh.txt`, `fr-CA`), a word or
phrase a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from corpus import storage
from corpus.errors import UserError, describe_briefly
from corpus.languages.labels import language_part
from corpus.languages.names import normalize_label
from corpus.storage.folders import is_folder, walk

MAX_PHRASE_CHARACTERS = 200
MAX_LIST_BYTES = 16 << 20


def expand_word_lists(value: Any) -> Any:
    """Return the places that the key `words` names: one, or a list. Raises ValueError for anything else."""
    named = [value] if isinstance(value, str) else value or []
    if not isinstance(named, list) or not all(isinstance(place, str) and place for place in named):
        raise ValueError("lists of words are named by their files, folders or URLs: [lists/ldnoobw]")
    return named


WordLists = Annotated[list[str], BeforeValidator(expand_word_lists)]
"""The type of the key `words`: files, folders and URLs of files."""


def read_word_lists(places: list[str]) -> dict[str, list[str]]:
    """Read lists of words; return the distinct phrases of each language, in NFC, sorted.

    Of a folder the files whose names are languages are read. Lines of white space and those that begin with `#` are no
    phrases. Raises UserError, with the path of the manifest's key, for a list that cannot be read or holds none, and
    for lines that are no words, with their place.
    """
    phrases: dict[str, set[str]] = {}
    for at, place in enumerate(places):
        try:
            read = {name: _read_phrases(name) for name in _list_files(place)}
        except (*storage.DAMAGE, OSError) as error:
            reason = "no such file" if isinstance(error, FileNotFoundError) else describe_briefly(error)
            raise UserError(f"{place}: {reason}", ("words", at)) from None
        except ValueError as error:
            raise UserError(str(error), ("words", at)) from None
        if not any(read.values()):
            raise UserError(
                f"{place}: no list of words, named after its language (en, zh.txt), here", ("words", at)
            )
        for name, those in read.items():
            phrases.setdefault(_find_language(name) or "", set()).update(those)
    return {language: sorted(those) for language, those in sorted(phrases.items()) if those}


def _list_files(place: str) -> Iterator[str]:
    """Yield the files of a place that are named after a language. Raises ValueError for a single one that is not."""
    if is_folder(place):
        yield from (f"{place}/{name}" for name, _ in walk(place) if _find_language(name) is not None)
    elif not storage.exists(place):
        raise FileNotFoundError(place)
    elif _find_language(place) is None:
        raise ValueError(f"{place}: a list of words is named after its language: call it en.txt, or zh")
    else:
        yield place


def _find_language(path: str) -> str | None:
    """Return the code of the language that a file is named after, None if its name is none."""
    name = path.partition("?")[0].rpartition("/")[2].partition(".")[0]
    try:
        return language_part(normalize_label(name))
    except ValueError:
        return None


def _read_phrases(path: str) -> set[str]:
    """Return the phrases of a file. Raises ValueError for lines that are none."""
    with storage.open_decompressed(path) as stream:
        data = stream.read(MAX_LIST_BYTES + 1)
    if len(data) > MAX_LIST_BYTES:
        raise ValueError(f"{path}: over {MAX_LIST_BYTES >> 20} MiB, which is no list of words")
    codec = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        lines = data.decode(codec).splitlines()
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}:{number}: not UTF-8, nor UTF-16 with its mark") from None
    phrases = set()
    for number, line in enumerate(lines, 1):
        phrase = " ".join(unicodedata.normalize("NFC", line).split())
        if not phrase or phrase.startswith("#"):
            continue
        if len(phrase) > MAX_PHRASE_CHARACTERS or "\0" in phrase:
            raise ValueError(f"{path}:{number}: no word or phrase: {phrase[:40]!r}...")
        phrases.add(phrase)
    return phrases
