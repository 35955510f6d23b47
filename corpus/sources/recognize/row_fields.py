"""Tell which field of rows is the text, the address, the date: for JSON Lines and Parquet.

The layouts of published corpora (manifests/fields/) come first. Otherwise names that people use are looked for, and
where they are missing, values that look the part: the longest strings are the text.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpus.languages.labels import parse_label
from corpus.sources.tables.fields import layout_names, read_layout, read_value

TEXT_NAMES = (
    *(
        "text",
        "content",
        "body",
        "raw_content",
        "raw_text",
        "maintext",
        "main_text",
        "article",
        "article_text",
    ),
    *(
        "document",
        "plain_text",
        "full_text",
        "fulltext",
        "page_text",
        "story",
        "passage",
        "sentence",
        "extracted_text",
    ),
    *(
        "正文",
        "内容",
        "內容",
        "文本",
        "全文",
        "文章",
        "本文",
        "テキスト",
        "текст",
        "نص",
        "النص",
        "متن",
        "본문",
        "텍스트",
    ),
    *("पाठ", "ข้อความ", "เนื้อหา", "texte", "texto", "testo", "tekst", "contenu", "contenido", "metin"),
)
ID_NAMES = ("id", "_id", "doc_id", "docid", "document_id", "uid", "uuid", "guid", "key", "pmid", "编号")
URL_NAMES = (
    "url",
    "uri",
    "link",
    "source_url",
    "page_url",
    "permalink",
    "webpage",
    "href",
    "address",
    "网址",
    "链接",
)
DATE_NAMES = (
    *(
        "date",
        "timestamp",
        "created",
        "created_at",
        "published",
        "published_at",
        "date_published",
        "publish_date",
    ),
    *(
        "publication_date",
        "pub_date",
        "created_utc",
        "crawl_date",
        "date_download",
        "time",
        "year",
        "日期",
        "时间",
    ),
)
LANGUAGE_NAMES = ("language", "lang", "lang_code", "language_code", "locale", "语言")
SCRIPT_NAMES = ("script", "language_script")
LICENSE_NAMES = ("license", "licence", "licenses", "rights", "许可")
GROUP_NAMES = ("group", "group_id", "book_id", "thread_id", "series")
TITLE_NAMES = (
    "title",
    "headline",
    "name",
    "author",
    "标题",
    "題名",
    "タイトル",
    "заголовок",
    "العنوان",
    "제목",
)

COMMON_NAMES = frozenset({"source", "title", "id"})
"""Names of metadata that many tables have: they tell no layout."""
URL_VALUE = re.compile(r"(?:https?|ftp)://\S+")
DATE_VALUE = re.compile(r"\s*(?:\d{4}(?:[-/.年]?\d{1,2}){0,2}|\w{3}, \d{1,2} \w{3} \d{4})")
SCRIPT_VALUE = re.compile(r"[A-Z][a-z]{3}")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
MIN_TEXT_CHARACTERS = 20
"""Mean length from which a field under another name may be the text."""
SHORT_TEXT_CHARACTERS = 120
"""Median length under which rows are sentences rather than documents; half of it where a character is a word or so."""
DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class FieldGuess:
    """`fields` for a manifest (a mapping, or a layout's name), and what people should know of the rows."""

    fields: dict[str, Any] | str
    has_url: bool
    is_short: bool
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = field(default=())


def guess_fields(rows: Sequence[Mapping[str, Any]]) -> FieldGuess | None:
    """Return which field of rows holds what; None where none of them is text."""
    flat = _flatten(rows)
    if (layout := _find_layout(rows)) is not None:
        texts = _list_texts(rows, read_layout(layout)["text"])
        return FieldGuess(layout, True, is_short(texts), _describe_markup(texts))
    text = _find_text(flat)
    if text is None:
        return None
    taken = {text}

    def find(
        names: Sequence[str], suits: Callable[[Sequence[Any]], bool], by_value: bool = False
    ) -> str | None:
        name = _find_named({each: flat[each] for each in flat if each not in taken}, names, suits)
        if name is None and by_value:
            name = next((each for each in flat if each not in taken and suits(flat[each])), None)
        if name is not None:
            taken.add(name)
        return name

    guess = {
        "text": text,
        "url": find(URL_NAMES, _are_addresses, by_value=True),
        "id": find(ID_NAMES, _are_ids),
        "language": find(LANGUAGE_NAMES, _are_languages),
        "date": find(DATE_NAMES, _are_dates),
        "script": find(
            SCRIPT_NAMES, lambda values: all(SCRIPT_VALUE.fullmatch(str(value)) for value in values)
        ),
        "license": find(LICENSE_NAMES, lambda values: all(isinstance(value, str | list) for value in values)),
        "group": find(GROUP_NAMES, lambda values: all(isinstance(value, str | int) for value in values)),
    }
    if guess["language"] is None:
        guess["script"] = None
    fields: dict[str, Any] = {key: name for key, name in guess.items() if name is not None}
    if guess["id"] is None and "id" in flat:
        fields["id"] = []  # not one row each: rows are named by file and place
    kept = [name for name in flat if name.rpartition(".")[2] in TITLE_NAMES and name not in taken]
    if kept:
        fields["metadata"] = kept
    others = tuple(
        name for name in flat if name not in taken and name not in kept and name not in fields.values()
    )
    texts = [value for value in flat[text] if isinstance(value, str)]
    return FieldGuess(fields, guess["url"] is not None, is_short(texts), _describe_markup(texts), others)


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


def _find_text(flat: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the field of texts: one with a usual name that is not much shorter than another, else the longest."""
    lengths = {name: _mean_length(values) for name, values in flat.items() if _may_be_text(values)}
    if not lengths:
        return None
    longest = max(lengths, key=lambda name: lengths[name])
    for wanted in TEXT_NAMES:
        for name in lengths:
            if name.rpartition(".")[2].casefold() == wanted and 4 * lengths[name] >= lengths[longest]:
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


def _mean_length(values: Sequence[Any]) -> float:
    """Return the mean length of texts, in letters of an alphabet: a Chinese character counts as two."""
    texts = [value for value in values if isinstance(value, str)]
    return sum(len(text) + len(DENSE.findall(text[:4000])) for text in texts) / len(texts)


def _find_named(
    flat: Mapping[str, Sequence[Any]], names: Sequence[str], suits: Callable[[Sequence[Any]], bool]
) -> str | None:
    for wanted in names:
        for name in sorted(flat, key=lambda name: name.count(".")):
            if name.rpartition(".")[2].casefold() == wanted and suits(flat[name]):
                return name
    return None


def _are_addresses(values: Sequence[Any]) -> bool:
    return _mostly(
        values, lambda value: isinstance(value, str) and URL_VALUE.fullmatch(value.strip()) is not None
    )


def _are_ids(values: Sequence[Any]) -> bool:
    plain = [value for value in values if isinstance(value, str | int) and not isinstance(value, bool)]
    return len(plain) == len(values) and len(set(plain)) == len(plain)


def _are_languages(values: Sequence[Any]) -> bool:
    return _mostly(values, lambda value: isinstance(value, str) and parse_label(value) is not None)


def _are_dates(values: Sequence[Any]) -> bool:
    def is_date(value: Any) -> bool:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return 0 < value < 1e11
        return not isinstance(value, dict | list | bool) and DATE_VALUE.match(str(value)) is not None

    return _mostly(values, is_date)


def _mostly(values: Sequence[Any], suits: Callable[[Any], bool]) -> bool:
    return bool(values) and sum(map(suits, values)) * 5 >= len(values) * 4


def _describe_markup(texts: Sequence[str]) -> tuple[str, ...]:
    """Return a note where texts are HTML, which is read as it stands."""
    if texts and sum(len(TAG.findall(text[:2000])) >= 3 for text in texts) * 2 > len(texts):
        return (
            "the texts look like HTML, and tags are read as text: HTML is extracted from WARC files only",
        )
    return ()
