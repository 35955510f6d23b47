"""Read plain text files, uncompressed or compressed: one document for each file, paragraph or line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import ByteSize, Field, field_validator, model_validator

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.sources.source import Source
from corpus.sources.tables.lines import make_damage_failure, make_too_long_failure
from corpus.storage import DAMAGE, open_checked

TEXT_BLOCK_BYTES = 1 << 16
WIDE_CODECS = ("utf-16", "utf-32")
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Text(Source):
    """A document is a whole file, a paragraph (`unit: paragraph`, blank lines between), or a line.

    Text is UTF-8 unless `encoding` says otherwise or the bytes show it. Offsets count decompressed bytes.
    A document of more than `max_bytes` is a failure, never cut into several, and reading continues behind it.
    So is one that a damaged stretch of a compressed file interrupts, or its end that comes too early.
    For larger files (a book collection in one file, a dump of a forum) use `unit: paragraph`, or `line`:
    a build holds many times the bytes of a document, so a larger `max_bytes` takes memory.
    """

    kind: Literal["text"] = "text"
    unit: Literal["file", "paragraph", "line"] = "file"
    encoding: str | None = None
    language: str | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @field_validator("encoding")
    @classmethod
    def _charset(cls, label: str | None) -> str | None:
        from corpus.formats.encodings import check_encoding

        return check_encoding(label)

    @field_validator("language")
    @classmethod
    def _label(cls, language: str | None) -> str | None:
        from corpus.languages.names import normalize_label

        if language is not None:
            normalize_label(language)
        return language

    @model_validator(mode="after")
    def _lines_of_bytes(self) -> Text:
        if self.unit != "file" and self._wide is not None:
            raise ValueError(
                f"files in {self.encoding} are read whole: say unit: file, or convert them to UTF-8"
            )
        return self

    @property
    def _wide(self) -> str | None:
        """The codec, where it is one that line ends cannot be found in byte by byte."""
        from corpus.formats.encodings import codec_of

        codec = codec_of(self.encoding)
        return codec if codec is not None and codec.startswith(WIDE_CODECS) else None

    @classmethod
    def version(cls) -> int:
        return 3

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        offset, begin = 0, 0
        pending: list[bytes] = []
        is_new_line = True
        lost: str | None = None
        with open_checked(path) as stream:
            while True:
                try:
                    piece = stream.readline(TEXT_BLOCK_BYTES)
                except DAMAGE as error:
                    yield make_damage_failure(file, begin, offset - begin, str(error))
                    return
                if not piece and stream.damage is not None:
                    offset += stream.damage.length
                    lost = lost or stream.damage.error
                    pending, is_new_line = [], False
                    if stream.resume():
                        continue
                if offset == 0 and self.unit != "file" and piece.startswith(UTF16_MARKS):
                    message = "a file in UTF-16 is read whole: say unit: file, or convert it to UTF-8"
                    yield Failure(file=file, offset=0, length=0, step="read", error=message)
                    return
                offset += len(piece)
                if offset - begin <= self.max_bytes and lost is None:
                    pending.append(piece)
                else:
                    pending.clear()
                is_line_end = piece.endswith(b"\n")
                ends = not piece or (
                    is_line_end
                    and (
                        self.unit == "line"
                        or (self.unit == "paragraph" and is_new_line and not piece.strip())
                    )
                )
                is_new_line = is_line_end
                if not ends:
                    continue
                if lost is not None:
                    yield make_damage_failure(file, begin, offset - begin, lost)
                elif offset - begin > self.max_bytes:
                    yield make_too_long_failure(self.unit, offset - begin, self.max_bytes, file, begin)
                elif (body := b"".join(pending)).strip():
                    yield self._record(body, file, begin)
                pending, begin, lost = [], offset, None
                if not piece:
                    return

    def _record(self, body: bytes, file: str, offset: int) -> Record:
        codec = self._wide
        # Pages that claim to be UTF-16 rarely are, so nobody believes them; a manifest is to be believed.
        is_marked = body.startswith((codecs.BOM_UTF8, *UTF16_MARKS))
        return Record(
            native_id=file if self.unit == "file" else f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=len(body),
            body=body.decode(codec, "replace") if codec is not None and not is_marked else body,
            charset=self.encoding,
            language=self.language,
            snapshot=self.snapshot,
            license=self.license,
        )
