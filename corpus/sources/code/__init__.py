"""Read source code from folders, git repositories, archives, packages and tables: one document a file.

The files, in the order in which data meets them:

    contents.py         what a repository holds, whatever it is packed in
    folder.py           a folder of files, or a single file
    git.py              a git repository, read from its objects
    archive.py          zip and tar archives
    table.py            Parquet with one row a file
    gates.py            vendored, generated, minified and binary files
    languages.py        the programming language of a file
    packages.py         name, version and licence from package metadata
    license_files.py    which files are licences: they are read as evidence, and are no documents
    licenses.py         the licences of a repository and its folders
    wanted_licenses.py  which licences are wanted: allow and deny lists
    notices.py          what a file says of its own licence
    reuse.py            what REUSE.toml, NAME.license and dep5 say of single files
    joined.py           the files of a repository as one document
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ByteSize, Field, field_validator

from corpus.document import Failure, Record
from corpus.errors import describe_error
from corpus.extract.source_code import VERBATIM_MEDIA_TYPE
from corpus.extras import install_advice
from corpus.languages.labels import CODE_LANGUAGE
from corpus.private.options import RedactKind, expand_redact
from corpus.sources.code import gates, languages, licenses
from corpus.sources.code.archive import CodeArchive, is_archive
from corpus.sources.code.contents import RepositoryContents, RepositoryInfo
from corpus.sources.code.folder import FileContents, FolderContents
from corpus.sources.code.git import GitContents, find_git_folder
from corpus.sources.code.joined import join_repositories
from corpus.sources.code.license_files import is_license_text
from corpus.sources.code.notices import VERSION as NOTICES_VERSION
from corpus.sources.code.notices import read_own_license
from corpus.sources.code.table import Columns, is_table, read_rows
from corpus.sources.code.wanted_licenses import Licenses
from corpus.sources.license_names import UNKNOWN_LICENSE, normalize_license
from corpus.sources.source import Source
from corpus.sources.tables.parquet import Parquet
from corpus.storage import File, folders, open_input
from corpus.storage.folders import is_folder

CODE_MEDIA_TYPE = "text/x-code"
MAX_FILE_BYTES = 1 << 20
"""Larger files are data nearly always; The Stack leaves them out too."""
MAX_REPOSITORY_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a file of a repository is: `unique` distinguishes it from every other of the source."""

    file: str
    offset: int
    unique: str


def expand_code_redact(value: Any) -> Any:
    """Return the long form of the key `redact` of code: true and false stay what they are."""
    return value if isinstance(value, bool) else expand_redact(value)


class Code(Source):
    """Files of repositories, each with repository, path, commit and licence.

    A path is a folder (a git repository, bare or cloned, is read at `revision`, any other folder file by file), an
    archive, a Parquet file in the manner of The Stack, or a single file. `licenses` selects the licences that are
    kept. With `content` files whose name tells no language are identified by content (the extra `code`); with `redact`
    secrets and e-mail addresses are replaced as files are read; if it names kinds of private data instead, these are
    searched for in the stored texts, as in other sources. `documents: repositories` joins the files of a repository, in
    the order of `order`, into documents of at most `max_document` bytes. Files over `max_bytes` stop at a gate.
    """

    folders: ClassVar[bool] = True

    kind: Literal["code"] = "code"
    documents: Literal["files", "repositories"] = "files"
    order: Literal["path", "dependency"] = "path"
    licenses: Licenses = Licenses()
    revision: str = "HEAD"
    content: Annotated[bool, Field(validate_default=True)] = True
    redact: Annotated[dict[str, RedactKind] | bool, BeforeValidator(expand_code_redact)] = True  # type: ignore[assignment]
    columns: Columns = Columns()
    max_bytes: Annotated[ByteSize, Field(ge=1, le=64 << 20)] = ByteSize(MAX_FILE_BYTES)
    max_document: Annotated[ByteSize, Field(ge=1, le=64 << 20)] = ByteSize(MAX_REPOSITORY_BYTES)

    @field_validator("content")
    @classmethod
    def _can_look(cls, content: bool) -> bool:
        if content and not languages.has_magika():
            raise ValueError(
                f"telling languages by content needs magika: {install_advice('code')}, or say content: false"
            )
        return content

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["code"]

    @property
    def private_data(self) -> dict[str, RedactKind]:
        return self.redact if isinstance(self.redact, dict) else {}

    @property
    def masks_records(self) -> bool:
        return self.redact is True

    def parameters(self) -> dict[str, Any]:
        return {
            **super().parameters(),
            "redact": self.masks_records,
            "languages": languages.versions(self.content),
            "licenses_by": {**licenses.versions(), "notices": NOTICES_VERSION},
            "paths": gates.path_lists().identity,
            "dulwich": metadata.version("dulwich"),
        }

    def identity(self, file: File) -> str:
        """Return the commit of a git repository; of another folder, the identity of all its files."""
        if place := find_git_folder(file.path):
            return f"git {GitContents(place, file.name, self.revision).commit}"
        return folders.identity(file.path) if is_folder(file.path) else super().identity(file)

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if place := find_git_folder(path):
            return [(0, GitContents(place, path).size)]
        if is_folder(path):
            # A document of a repository needs all its files.
            return folders.plan_ranges(path, split_size if self.documents == "files" else 1 << 62)
        with open_input(path) as stream:
            head = stream.read(4)
        if is_table(head):
            return Parquet(paths=[path]).plan(path, size, split_size)
        return [(0, size)]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        records = self._files(path, file, start, end)
        yield from (
            records
            if self.documents == "files"
            else join_repositories(records, self.order, int(self.max_document))
        )

    def _files(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        contents = self._contents(path, file, start, end)
        if contents is None:
            yield from self._rows(path, file, start, end)
            return
        about = contents.about()
        for source_file in contents.files():
            if isinstance(source_file, Failure):
                yield source_file
                continue
            name = about.path(source_file.path)
            place = _Place(
                file=source_file.origin,
                offset=source_file.offset,
                unique=f"{file}\0{source_file.path}\0{about.commit or source_file.offset}",
            )
            gate = gates.path_gate(name) or ("code.large" if source_file.size > self.max_bytes else None)
            if gate is not None:
                yield self._record(
                    place, about, name, b"", source_file.size, partial(about.license_of, name), gate
                )
                continue
            try:
                body = source_file.read()
            except (
                Exception
            ) as error:  # whatever a damaged object raises: the file is named, the next ones are read
                message = describe_error(error)
                yield Failure(
                    file=source_file.origin,
                    offset=source_file.offset,
                    length=source_file.size,
                    step="read",
                    error=message,
                )
                continue
            yield self._record(place, about, name, body, len(body), partial(about.license_of, name))

    def _contents(self, path: str, file: str, start: int, end: int) -> RepositoryContents | None:
        """Return the reader of an input; None for a table."""
        if place := find_git_folder(path):
            return GitContents(place, file, self.revision)
        if is_folder(path):
            return FolderContents(path, file, start, end)
        with open_input(path) as stream:
            head = stream.read(512)
        if is_table(head):
            return None
        return CodeArchive(path, file, end) if is_archive(path, head) else FileContents(path, file, end)

    def _rows(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        for outcome in read_rows(path, file, start, end, self.columns):
            if isinstance(outcome, Failure):
                yield outcome
                continue
            row, known = outcome
            about = RepositoryInfo(
                repository=known.get("repository", file), commit=known.get("commit"), date=row.date
            )
            place = _Place(file=file, offset=row.offset, unique=f"{file}\0{row.offset}")
            body = str(row.body).encode()
            license_of = partial(_prefer_own, _join_licenses(known.get("license")))
            gate = gates.path_gate(known["path"]) if "path" in known else None
            yield self._record(place, about, known.get("path", ""), body, len(body), license_of, gate)

    def _record(
        self,
        place: _Place,
        about: RepositoryInfo,
        path: str,
        body: bytes,
        size: int,
        license_of: Callable[[str | None], str | None],
        gate: str | None = None,
    ) -> Record:
        stated = license_of(read_own_license(body)) or self.license
        license = None if stated == UNKNOWN_LICENSE else stated
        language = None
        if gate is None and len(body) > self.max_bytes:
            gate = "code.large"
        if gate is None and not self.licenses.permit(license):
            gate = "code.license"
        if gate is None and gates.is_binary(body):
            gate = "code.binary"
        if gate is None and body:
            identified = languages.identify_language(path, body, self.content)
            language = identified.name
            gate = {"data": "code.data", "binary": "code.binary", "unknown": "code.language"}.get(
                identified.kind
            )
            if identified.kind == "code" and identified.name is not None:
                gate = gates.content_gate(body, identified.name)
            elif gate is None and is_license_text(path, body):
                gate = "code.license_text"
            is_code = identified.kind == "code"
        else:
            is_code = False
        known = {
            "repository": about.repository,
            "path": path,
            "commit": about.commit,
            "version": about.version,
            "programming_language" if is_code else "format": language,
        }
        return Record(
            native_id=place.unique,
            file=place.file,
            offset=place.offset,
            length=size,
            media_type=CODE_MEDIA_TYPE if self.masks_records else VERBATIM_MEDIA_TYPE,
            body=b"" if gate is not None else body,
            date=about.date,
            snapshot=self.snapshot,
            license=license,
            group=about.repository,
            language=f"{CODE_LANGUAGE}_{language}" if is_code and gate is None else None,
            metadata={name: value for name, value in known.items() if value is not None},
            gate=gate,
        )


def _prefer_own(license: str | None, own: str | None) -> str | None:
    return own or license


def _join_licenses(value: str | None) -> str | None:
    """Join a table's licences, one or a list printed as Python does, into one expression: all of them hold."""
    if value is None or not value.startswith("["):
        return normalize_license(value)
    names = [
        normalize_license(name)
        for name in value.strip("[]").replace("'", "").replace('"', "").split(",")
        if name.strip()
    ]
    known = [f"({name})" if " " in name else name for name in dict.fromkeys(names) if name is not None]
    return " AND ".join(known) if known and None not in names else None
