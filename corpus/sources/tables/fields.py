"""Map the field names of tabular sources (JSON Lines, Parquet) to those of a record."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from corpus.data import list_data, read_data
from corpus.document import Record
from corpus.formats.yaml_lines import load_yaml
from corpus.sources.tables.row_dates import read_date
from corpus.suggestions import suggest_names

_SURROGATE = re.compile("[\ud800-\udfff]")


FieldNames = str | list[str]
"""The name of a field, or names of which the first that a row has counts. A name is a field's, else a path into
nested ones: `metadata.url`, `lang.0` (an entry of a list); text that is a JSON object is looked into as well."""


class Fields(BaseModel):
    """Which field of a row holds what. Other fields become the document's metadata where `metadata` names them.

    `fields: fineweb` in a manifest takes a layout of manifests/fields/; `{preset: fineweb, metadata: [dump]}` one
    with changes. `language` and `script` together make a label (`deu` and `Latn`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: FieldNames = "id"
    text: FieldNames = "text"
    url: FieldNames = "url"
    date: FieldNames = "date"
    license: FieldNames = "license"
    language: FieldNames | None = None
    script: FieldNames | None = None
    group: FieldNames | None = None
    snapshot: FieldNames | None = None
    metadata: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        if isinstance(given, str):
            return read_layout(given)
        if isinstance(given, dict) and "preset" in given:
            changes = {name: value for name, value in given.items() if name != "preset"}
            return {**read_layout(given["preset"]), **changes}
        return given

    def names(self) -> list[str]:
        """Return all names that are looked up, each once."""
        fields: list[FieldNames | None] = [
            *(self.id, self.text, self.url, self.date, self.license),
            *(self.language, self.script, self.group, self.snapshot),
        ]
        every_name = [name for names in fields if names is not None for name in _alternatives(names)]
        return list(dict.fromkeys([*every_name, *self.metadata]))

    def columns(self, there: Collection[str]) -> list[str]:
        """Return the columns of a table that hold a field: by their names, or by the first step of a path."""
        return list(
            dict.fromkeys(
                column for name in self.names() if (column := _find_column(name, there)) is not None
            )
        )

    def has_text(self, there: Collection[str]) -> bool:
        """Return whether a table with these columns may have text."""
        return any(_find_column(name, there) is not None for name in _alternatives(self.text))

    def list_unmatched(self, rows: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
        """Return the names that none of these rows has a value for, by key: only of keys that are given."""
        unmatched: dict[str, list[str]] = {}
        for key in (key for key in type(self).model_fields if key in self.model_fields_set):
            given = getattr(self, key)
            choices = given if key == "metadata" else [given]
            absent = [
                " or ".join(_alternatives(names))
                for names in choices
                if names and all(read_value(row, names) is None for row in rows)
            ]
            if absent:
                unmatched[key] = absent
        return unmatched

    def list_unread_dates(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Return the dates of rows that state one which cannot be read for certain, as they are."""
        return [
            stated
            for row in rows
            if (stated := as_text(value := read_value(row, self.date))) is not None
            and read_date(value, self._language(row)) is None
        ]

    def lacks_text(self, rows: Sequence[dict[str, Any]]) -> bool:
        """Return whether none of these rows has the field of the text, or all that do hold no strings in it.

        Rows without any field, and fields that are null in every row, do not count.
        """
        values = [read_value(row, self.text) for row in rows if row]
        if any(isinstance(value, str) for value in values) or not values:
            return False
        return any(value is not None for value in values) or not any(
            has_field(row, name) for row in rows for name in _alternatives(self.text)
        )

    def record(
        self,
        row: dict[str, Any],
        file: str,
        offset: int,
        length: int,
        snapshot: str | None,
        license: str | None,
    ) -> Record:
        """Return the record of a row. Raises ValueError where there is no text.

        The native id is the row's id, else (also where that is empty) its file and offset. Lone surrogates,
        which JSON can write (`"\\ud800"`) and UTF-8 cannot, become U+FFFD in every string that is stored. The licence
        is the SPDX name of what the row states; if that has none, it is null and the statement is metadata `license`.
        The date is read where it is certain (see `read_date`); else it is null and the statement is metadata `date`.
        """
        text = read_value(row, self.text)
        if not isinstance(text, str):
            raise ValueError(f"no text in field {' or '.join(map(repr, _alternatives(self.text)))}")
        native = read_value(row, self.id)
        metadata = {name: value for name in self.metadata if (value := read_value(row, name)) is not None}
        given_date = read_value(row, self.date)
        language = self._language(row)
        date = read_date(given_date, language)
        if date is None and (date_as_stated := as_text(given_date)) is not None:
            metadata = {"date": date_as_stated, **metadata}
        stated = as_text(read_value(row, self.license))
        if stated is None:
            spdx = None
        else:
            from corpus.sources.license_names import find_spdx_name

            spdx = find_spdx_name(stated)
        if stated is not None and spdx is None:
            metadata = {"license": stated, **metadata}
        # As it came: the id of a document is a hash of it, and two of them must not become one.
        return Record(
            native_id=str(native) if native not in (None, "") else f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=length,
            body=without_surrogates(text),
            url=as_text(read_value(row, self.url)),
            date=date,
            snapshot=snapshot or as_text(read_value(row, self.snapshot)),
            license=spdx if stated is not None else license,
            language=language,
            group=as_text(read_value(row, self.group)),
            metadata={
                **({"id": without_surrogates(str(native))} if native not in (None, "") else {}),
                **{name: without_surrogates(str(value)) for name, value in metadata.items()},
            },
        )

    def _language(self, row: dict[str, Any]) -> str | None:
        language, script = read_value(row, self.language), read_value(row, self.script)
        if not isinstance(language, str) or not language:
            return None
        return without_surrogates(f"{language}_{script}" if isinstance(script, str) and script else language)


def layout_names() -> list[str]:
    """Return the names of the layouts in manifests/fields/, sorted."""
    return list_data("fields")


def read_layout(name: Any) -> dict[str, Any]:
    """Return the `fields` of a layout. Raises ValueError for an unknown one."""
    if name not in layout_names():
        raise ValueError(f"no layout named {name!r}: {suggest_names(str(name), layout_names())}")
    text, path = read_data("fields", name)
    data, _ = load_yaml(text, path)
    if not isinstance(data, dict) or not isinstance(data.get("fields"), dict):
        raise ValueError(f"{path}: a layout has the key `fields`, a mapping")
    layout: dict[str, Any] = data["fields"]
    return layout


def _alternatives(names: FieldNames) -> list[str]:
    return [names] if isinstance(names, str) else names


def _find_column(name: str, there: Collection[str]) -> str | None:
    if name in there:
        return name
    first = name.partition(".")[0]
    return first if first in there else None


def read_value(row: dict[str, Any], names: FieldNames | None) -> Any:
    """Return the value of the first name that a row has one for; None where it has none."""
    if names is None:
        return None
    if isinstance(names, str):
        return row.get(names) if "." not in names or names in row else _read_path(row, names)
    return next((value for name in names if (value := read_value(row, name)) is not None), None)


def has_field(row: dict[str, Any], name: str) -> bool:
    """Return whether a row has a field, or the last step of a path, be it null."""
    if name in row:
        return True
    above, _, last = name.rpartition(".")
    parent = _parse_object(read_value(row, above)) if above else None
    return (isinstance(parent, dict) and last in parent) or (isinstance(parent, list) and last.isdecimal())


def list_field_names(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the names of the fields of rows, the most frequent first; of nested ones their paths."""
    counts: Counter[str] = Counter()
    for row in rows:
        for name, value in row.items():
            inner = [key for key in value if "." not in str(key)] if isinstance(value, dict) else []
            counts.update([f"{name}.{key}" for key in inner] or [str(name)])
    return [name for name, _ in counts.most_common()]


def _read_path(row: dict[str, Any], path: str) -> Any:
    value: Any = row
    for step in path.split("."):
        value = _parse_object(value)
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _parse_object(value: Any) -> Any:
    """Return the object that a string holds as JSON; None where it is damaged, and any other value as it is."""
    if not (isinstance(value, str) and value.startswith("{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def as_text(value: Any) -> str | None:
    """Return a value as a string; None for null and the empty string."""
    return without_surrogates(str(value)) if value not in (None, "") else None


def without_surrogates(text: str) -> str:
    """Return the text with U+FFFD for every lone surrogate. 2 GB/s where there is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text
