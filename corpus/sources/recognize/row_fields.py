"""Tell which field of rows is the text, the address, the date: for JSON Lines and Parquet.

The layouts of published corpora (manifests/fields/) come first. Otherwise names that people use are looked for, and
where they are missing, values that look the part: the longest strings are the text.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from corpus.languages.labels import parse_label
from corpus.sources.license_names import find_spdx_name
from corpus.sources.recognize.field_names import (
    ARTICLE_WORDS,
    DATE_ENDS,
    DATE_NAMES,
    DATE_WORDS,
    GROUP_NAMES,
    ID_NAMES,
    ID_WORDS,
    LANGUAGE_ENDS,
    LANGUAGE_NAMES,
    LICENSE_NAMES,
    LICENSE_WORDS,
    NUMBER_WORDS,
    SCRIPT_NAMES,
    TEXT_NAMES,
    TEXT_WORDS,
    TITLE_NAMES,
    TITLE_WORDS,
    URL_NAMES,
)
from corpus.sources.tables.fields import layout_names, read_layout, read_value
from corpus.sources.tables.row_dates import read_date

COMMON_NAMES = frozenset({"source", "title", "id"})
"""Names of metadata that many tables have: they tell no layout."""
URL_VALUE = re.compile(r"(?:https?|ftp)://\S+")
DATE_VALUE = re.compile(r"\s*(?:\d{4}(?:[-/.年]?\d{1,2}){0,2}|\w{3}, \d{1,2} \w{3} \d{4})")
WHOLE_DATE = re.compile(r"\s*\d{4}(?:-\d\d-|/\d\d?/|年\d\d?月)\d\d?(?!\d)")
NUMBERS_OF_DATE = re.compile(r"\s*\d{1,2}([-./])\d{1,2}\1\d{4}(?:[ ,T].{0,16})?")
"""06/05/2023, which is a date though nobody knows which."""
WORD_OF_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")
NO_LETTER = re.compile(r"[\s_\-]+")
COUNTRY_VALUE = re.compile(r"[A-Z]{2}")
FIRST_SECOND, LAST_SECOND = 1e8, 1e11
"""Numbers that are read as seconds since 1970: less are years, hours or counts, more are milliseconds."""
SCRIPT_VALUE = re.compile(r"[A-Z][a-z]{3}")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
MIN_TEXT_CHARACTERS = 20
"""Mean length from which a field under another name may be the text."""
MIN_FILLED_SHARE = 0.25
"""Share of rows with a text in it from which a field is preferred to those with longer texts in fewer rows."""
MIN_COMPOUND_LETTERS = 5
"""Letters of a word that is looked for within longer ones: `Erscheinungsdatum`, `Artikelnummer`."""
SHORT_TEXT_CHARACTERS = 120
"""Median length under which rows are sentences rather than documents; half of it where a character is a word or so."""
DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
WORDS = re.compile(rf"\w\W*\s\W*\w|{DENSE.pattern}")


@dataclass(frozen=True)
class FieldGuess:
    """`fields` for a manifest (a mapping, or a layout's name), and what people should know of the rows."""

    fields: dict[str, Any] | str
    has_url: bool
    is_short: bool
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = field(default=())
    filled: Mapping[str, int] = field(default_factory=dict)
    """Rows that have a text in the field of texts, and in fields with longer ones that few rows have."""


def guess_fields(rows: Sequence[Mapping[str, Any]]) -> FieldGuess | None:
    """Return which field of rows holds what; None where none of them is text."""
    flat = _flatten(rows)
    if (layout := _find_layout(rows)) is not None:
        texts = _list_texts(rows, read_layout(layout)["text"])
        return FieldGuess(layout, True, is_short(texts), _describe_markup(texts))
    text, sparse = _find_text(flat, len(rows))
    if text is None:
        return None
    taken = {text}

    def find(
        names: Sequence[str],
        suits: Callable[[Sequence[Any]], bool],
        ends: Sequence[str] = (),
        words: Callable[[str], bool] = lambda name: False,
        by_value: Callable[[Sequence[Any]], bool] | None = None,
    ) -> str | None:
        free = {each: flat[each] for each in flat if each not in taken}
        name = _find_named(free, names, suits) or _find_ending(free, ends, suits)
        if name is None:
            named = [each for each in free if words(each) and suits(free[each])]
            name = named[0] if len(named) == 1 else None
        if name is None and by_value is not None:
            like_it = [each for each in free if by_value(free[each])]
            name = like_it[0] if like_it and (by_value is _are_addresses or len(like_it) == 1) else None
        if name is not None:
            taken.add(name)
        return name

    guess = {
        "text": text,
        "url": find(URL_NAMES, _are_addresses, by_value=_are_addresses),
        "id": find(ID_NAMES, _are_ids, words=_names_id),
        "language": find(LANGUAGE_NAMES, _are_languages, LANGUAGE_ENDS),
        "date": find(DATE_NAMES, _are_dates, DATE_ENDS, partial(_has_word, DATE_WORDS), _are_whole_dates),
        "script": find(
            SCRIPT_NAMES, lambda values: all(SCRIPT_VALUE.fullmatch(str(value)) for value in values)
        ),
        "license": find(
            LICENSE_NAMES, _are_strings, words=partial(_has_word, LICENSE_WORDS), by_value=_are_licenses
        ),
        "group": find(GROUP_NAMES, lambda values: all(isinstance(value, str | int) for value in values)),
    }
    if guess["language"] is None:
        guess["script"] = None
    fields: dict[str, Any] = {key: name for key, name in guess.items() if name is not None}
    if guess["id"] is None and "id" in flat:
        fields["id"] = []  # not one row each: rows are named by file and place
    titles = set(map(_squeeze, TITLE_NAMES))
    kept = [
        name
        for name in flat
        if name not in taken and (_squeeze(name) in titles or _has_word(TITLE_WORDS, name))
    ]
    if kept:
        fields["metadata"] = kept
    others = tuple(
        name for name in flat if name not in taken and name not in kept and name not in fields.values()
    )
    texts = [value for value in flat[text] if isinstance(value, str)]
    return FieldGuess(
        fields,
        guess["url"] is not None,
        is_short(texts),
        _describe_markup(texts),
        others,
        {name: _count_filled(flat[name]) for name in (text, *sparse)},
    )


def is_short(texts: Sequence[str]) -> bool:
    """Return whether texts are sentences or titles rather than documents, by the median of their lengths."""
    lengths = [len(text) + len(DENSE.findall(text[:4000])) for text in texts]
    return bool(lengths) and statistics.median(lengths) < SHORT_TEXT_CHARACTERS


def _flatten(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the values of every field that is not null, by name: `metadata.url` for one of an object."""
    flat: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in _list_values(row, ""):
            flat.setdefault(name, []).append(value)
    return flat


def _list_values(row: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and above.count(".") < 2 and "." not in str(key):
            yield from _list_values(value, f"{name}.")
        elif value not in (None, ""):
            yield name, value


def _find_layout(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the published layout that fits rows best; None where none does.

    A layout fits where the rows have a text and nearly all other fields of it. If a name alone sets it apart (C4's
    `timestamp`), rows may have no other fields either.
    """
    best: tuple[int, int, str] | None = None
    columns = {str(key) for row in rows for key in row}
    for name in layout_names():
        layout = read_layout(name)
        wanted = {key: names for key, names in layout.items() if key != "metadata" and names}
        more = layout.get("metadata", [])
        there = [key for key, names in wanted.items() if _has_value(rows, names)]
        extra = [each for each in more if _has_value(rows, each)]
        own = [key for key in there if wanted[key] != key] + [
            each for each in extra if each not in COMMON_NAMES
        ]
        if "text" not in there or not own or len(there) < max(3, len(wanted) - len(wanted) // 4):
            continue
        if len(own) == 1 and len(there) < 5 and columns != {*wanted.values(), *more}:
            continue
        score = (len(there) + len(extra), -len(wanted), name)
        best = max(best, score) if best is not None else score
    return best[2] if best is not None else None


def _has_value(rows: Sequence[Mapping[str, Any]], names: str | list[str]) -> bool:
    return any(read_value(dict(row), names) is not None for row in rows)


def _list_texts(rows: Sequence[Mapping[str, Any]], names: str | list[str]) -> list[str]:
    values = [read_value(dict(row), names) for row in rows]
    return [value for value in values if isinstance(value, str)]


def _count_filled(values: Sequence[Any]) -> int:
    return sum(isinstance(value, str) and bool(value.strip()) for value in values)


def _find_text(flat: Mapping[str, Sequence[Any]], rows: int) -> tuple[str | None, list[str]]:
    """Return the field of texts, and those with longer texts that too few rows have to be it."""
    lengths = {name: _mean_length(values) for name, values in flat.items() if _may_be_text(values)}
    usual = {
        name: length
        for name, length in lengths.items()
        if _count_filled(flat[name]) >= MIN_FILLED_SHARE * rows
    }
    text, whole = _choose_text(usual), _choose_text(lengths)
    if text is None or whole is None or (text != whole and not _has_words(flat[text])):
        return whole, []
    return text, [name for name in lengths if name not in usual and lengths[name] > lengths[text]]


def _choose_text(lengths: Mapping[str, float]) -> str | None:
    """Return one of fields by the lengths of their texts: one with a usual name that is not much shorter than another,
    else the longest."""
    if not lengths:
        return None
    longest = max(lengths, key=lambda name: lengths[name])
    for wanted in map(_squeeze, TEXT_NAMES):
        for name in lengths:
            if _squeeze(name) == wanted and 4 * lengths[name] >= lengths[longest]:
                return name
    for name in lengths:
        if _has_word(TEXT_WORDS, name) and 4 * lengths[name] >= lengths[longest]:
            return name
    return longest if lengths[longest] >= MIN_TEXT_CHARACTERS else None


def _may_be_text(values: Sequence[Any]) -> bool:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if len(texts) * 2 < len(values) or not texts:
        return False
    addresses = sum(URL_VALUE.fullmatch(text) is not None for text in texts)
    dense = sum(
        len(text) > 60 and not re.search(r"\s|[^\x00-\x7f]", text) for text in texts
    )  # base64, hashes
    return addresses * 2 < len(texts) and dense * 2 < len(texts)


def _has_words(values: Sequence[Any]) -> bool:
    """Return whether most texts are several words, rather than names, keys or paths."""
    return sum(isinstance(value, str) and WORDS.search(value) is not None for value in values) * 2 > len(
        values
    )


def _mean_length(values: Sequence[Any]) -> float:
    """Return the mean length of texts, in letters of an alphabet: a Chinese character counts as two."""
    texts = [value for value in values if isinstance(value, str)]
    return sum(len(text) + len(DENSE.findall(text[:4000])) for text in texts) / len(texts)


def _find_named(
    flat: Mapping[str, Sequence[Any]], names: Sequence[str], suits: Callable[[Sequence[Any]], bool]
) -> str | None:
    for wanted in map(_squeeze, names):
        for name in sorted(flat, key=lambda name: name.count(".")):
            if _squeeze(name) == wanted and suits(flat[name]):
                return name
    return None


def _find_ending(
    flat: Mapping[str, Sequence[Any]], ends: Sequence[str], suits: Callable[[Sequence[Any]], bool]
) -> str | None:
    """Return the one field whose name ends in one of these words; None where there are several."""
    named = [
        name
        for name in flat
        if _list_words(name)[-1:] and _list_words(name)[-1] in ends and suits(flat[name])
    ]
    return named[0] if len(named) == 1 else None


def _names_id(name: str) -> bool:
    """Return whether a name is of an id: by a word for it, or by one for a number and one for an article."""
    return _has_word(ID_WORDS, name) or (_has_word(NUMBER_WORDS, name) and _has_word(ARTICLE_WORDS, name))


def _has_word(words: Sequence[str], name: str) -> bool:
    """Return whether a name has one of these words; in scripts without spaces and in compounds, as a part of a word."""
    parts, whole = _list_words(name), _squeeze(name)
    return any(
        word in parts
        or (not word.isascii() and _is_unspaced(word) and word in whole)
        or (
            len(word) >= MIN_COMPOUND_LETTERS
            and any(part.startswith(word) or part.endswith(word) for part in parts)
        )
        for word in map(_squeeze, words)
    )


def _is_unspaced(word: str) -> bool:
    """Return whether a word is of a script that joins words or splits them at signs: Chinese, Thai, Hindi, Arabic."""
    return DENSE.search(word) is not None or "\u0600" <= word[0] <= "\u0dff"


def _list_words(name: str) -> list[str]:
    """Return the words of the last part of a name, in lower case: `meta.pageLang` and `page_lang` are page, lang."""
    return [word.casefold() for word in WORD_OF_NAME.findall(name.rpartition(".")[2])]


def _squeeze(name: str) -> str:
    """Return the last part of a name without case and what stands between words: `meta.Lang-Code` is langcode."""
    return NO_LETTER.sub("", name.rpartition(".")[2].casefold())


def _are_addresses(values: Sequence[Any]) -> bool:
    return _mostly(
        values, lambda value: isinstance(value, str) and URL_VALUE.fullmatch(value.strip()) is not None
    )


def _are_ids(values: Sequence[Any]) -> bool:
    plain = [value for value in values if isinstance(value, str | int) and not isinstance(value, bool)]
    return len(plain) == len(values) and len(set(plain)) == len(plain)


def _are_languages(values: Sequence[Any]) -> bool:
    """Return whether values are codes of languages; two capitals (TH, US) are those of countries."""
    return _mostly(
        values,
        lambda value: (
            isinstance(value, str) and not COUNTRY_VALUE.fullmatch(value) and parse_label(value) is not None
        ),
    )


def _are_dates(values: Sequence[Any]) -> bool:
    def is_date(value: Any) -> bool:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return FIRST_SECOND < value < LAST_SECOND
        return not isinstance(value, dict | list | bool) and (
            DATE_VALUE.match(str(value)) is not None
            or NUMBERS_OF_DATE.fullmatch(str(value)) is not None
            or read_date(value) is not None
        )

    return _mostly(values, is_date)


def _are_whole_dates(values: Sequence[Any]) -> bool:
    return _mostly(values, lambda value: isinstance(value, str) and WHOLE_DATE.match(value) is not None)


def _are_strings(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str | list) for value in values)


def _are_licenses(values: Sequence[Any]) -> bool:
    return _mostly(values, lambda value: isinstance(value, str) and find_spdx_name(value) is not None)


def _mostly(values: Sequence[Any], suits: Callable[[Any], bool]) -> bool:
    return bool(values) and sum(map(suits, values)) * 5 >= len(values) * 4


def _describe_markup(texts: Sequence[str]) -> tuple[str, ...]:
    """Return a note where texts are HTML, which is read as it stands."""
    if texts and sum(len(TAG.findall(text[:2000])) >= 3 for text in texts) * 2 > len(texts):
        return (
            "the texts look like HTML, and tags are read as text: HTML is extracted from WARC files and of pages as "
            "files (`kind: html`)",
        )
    return ()
