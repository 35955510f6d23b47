"""Field names of tabular sources (JSON Lines, Parquet), mapped to those of a record."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from corpus.document import Record

_SURROGATE = re.compile("[\ud800-\udfff]")


class Fields(BaseModel):
    """Which field of a row holds what. Every other field goes to the document's metadata when named there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = "id"
    text: str = "text"
    url: str = "url"
    date: str = "date"
    license: str = "license"
    language: str | None = None
    group: str | None = None
    metadata: list[str] = []

    def names(self) -> list[str]:
        """All field names that are read."""
        given = [
            self.id,
            self.text,
            self.url,
            self.date,
            self.license,
            self.language,
            self.group,
            *self.metadata,
        ]
        return [name for name in given if name is not None]

    def record(
        self,
        row: dict[str, Any],
        file: str,
        offset: int,
        length: int,
        snapshot: str | None,
        license: str | None,
    ) -> Record:
        """The record of a row. Raises ValueError where there is no text.

        The native id is the row's id, else (also where that is empty) its file and offset. Lone surrogates,
        which JSON can write (`"\\ud800"`) and UTF-8 cannot, become U+FFFD in every string that is stored.
        """
        text = row.get(self.text)
        if not isinstance(text, str):
            raise ValueError(f"no text in field {self.text!r}")
        native = row.get(self.id)
        # As it came: the id of a document is a hash of it, and two of them must not become one.
        return Record(
            native_id=str(native) if native not in (None, "") else f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=length,
            body=without_surrogates(text),
            url=as_text(row.get(self.url)),
            date=as_date(row.get(self.date)),
            snapshot=snapshot,
            license=as_text(row.get(self.license)) or license,
            language=as_text(row.get(self.language)) if self.language else None,
            group=as_text(row.get(self.group)) if self.group else None,
            metadata={
                **({"id": without_surrogates(str(native))} if native not in (None, "") else {}),
                **{n: without_surrogates(str(row[n])) for n in self.metadata if row.get(n) is not None},
            },
        )


def as_text(value: Any) -> str | None:
    """A value as a string; None for null and the empty string."""
    return without_surrogates(str(value)) if value not in (None, "") else None


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for every lone surrogate. 2 GB/s where there is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def as_date(value: Any) -> str | None:
    """A date as text: strings as they are, dates in ISO 8601, numbers as seconds since 1970 in UTC."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (OverflowError, ValueError, OSError):
            return str(value)
    return as_text(value)
