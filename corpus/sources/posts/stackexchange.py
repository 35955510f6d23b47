"""Read Stack Exchange: questions with their answers from Posts.xml, plain, compressed or inside the dump's .7z.

Posts.xml is in the order of numbers, so the answers of a question may be anywhere behind it. One pass collects
them (`corpus.storage.spill`), the extractor makes text of them (`stackexchange_thread`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ByteSize, Field

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.errors import UserError
from corpus.extract.posts.stackexchange_thread import VERSION
from corpus.formats.sevenzip import SEVENZIP_MAGIC, SevenZipError, list_members, read_member
from corpus.sources.posts.dump_rows import DUMP_BLOCK_BYTES, DumpRow, RowLoss, parse_attributes, scan_rows
from corpus.sources.source import Source, ranges
from corpus.sources.tables.lines import make_too_long_failure
from corpus.storage import DAMAGE, File, exists, is_compressed, open_checked, open_input, size
from corpus.storage.fingerprint import fingerprint
from corpus.storage.spill import Spill

STACKEXCHANGE_MEDIA_TYPE = "application/vnd.stackexchange.thread+xml"
MAX_SPLITS = 16
"""A split looks for answers to its questions up to the file's end, so each reads half of the file on average."""
MAX_POST_NUMBER = 1 << 28
"""With comments: 4 bytes are held for every number below the highest. Stack Overflow is at 80 million."""
QUESTION_TYPE, ANSWER_TYPE = b"1", b"2"
POST_KEYS = re.compile(
    rb'<row\s+Id="(\d{1,18})"\s+PostTypeId="(\d+)"(?:\s+AcceptedAnswerId="\d*")?(?:\s+ParentId="(\d{1,18})")?'
)
"""The first attributes of a post as every dump writes them; anything else is read attribute by attribute."""
COMMENT_KEYS = re.compile(rb'<row\s+Id="\d*"\s+PostId="(\d{1,18})"')
POST_NUMBER = re.compile(r"\d{1,18}")
ARCHIVE_PART = re.compile(r"-(?:Posts|PostHistory|Comments)$")
SITE_LANGUAGES = {
    **{f"{code}.stackoverflow.com": label for code, label in (("es", "spa_Latn"), ("pt", "por_Latn"))},
    **{f"{code}.stackoverflow.com": label for code, label in (("ja", "jpn_Jpan"), ("ru", "rus_Cyrl"))},
    "rus.stackexchange.com": "rus_Cyrl",
}
"""The sites that are not written in English, or not only."""


class StackExchange(Source):
    """A question and its answers, one document a thread.

    `paths` name `Posts.xml` files (plain, .gz, .xz, .zst, .bz2) and .7z archives that hold one. The site is
    the archive's name or the folder's, else `site`. `comments: true` adds the comments of `Comments.xml`,
    which is next to `Posts.xml`, in its folder or its archive.

    Gates: `stackexchange.type` (tag wikis, elections and other posts that are no question and no answer)
    and `stackexchange.orphan` (an answer whose question is not in the dump). A thread is named by site and
    question, is its own group, and its origin is the row of the question; offsets count decompressed bytes.

    Memory: 128 MB of rows (and 4 bytes a post with comments). The rest of a large dump is kept compressed
    in a nameless temporary file: see `corpus.storage.spill`. A plain file is cut into at most 16 splits; an
    archive is one.
    """

    kind: Literal["stackexchange"] = "stackexchange"
    site: str | None = None
    comments: bool = False
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["text_only"]

    @classmethod
    def default_priority(cls) -> int:
        return 1

    @classmethod
    def version(cls) -> int:
        return 3

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "text": VERSION}

    def identity(self, file: File) -> str:
        comments = sibling_path(file.path, "Comments.xml")
        if not self.comments or is_archive(file.path) or not exists(comments):
            return super().identity(file)
        return fingerprint(
            [super().identity(file), super().identity(File(comments, comments, size(comments)))]
        )

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        archive = is_archive(path)
        if self.comments and not archive and not exists(sibling_path(path, "Comments.xml")):
            raise UserError(
                f"there is no {sibling_path(path, 'Comments.xml')}: put it beside Posts.xml, or leave comments out",
                ("comments",),
            )
        if size <= split_size or archive or is_compressed(path):
            return [(0, size)]
        return ranges(size, max(split_size, -(-size // MAX_SPLITS)))

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        archive = is_archive(path)
        is_whole = archive or is_compressed(path) or (start == 0 and end >= size(path))
        reading = _SplitReader(file, self.site or site_of(path), start, 1 << 62 if is_whole else end, archive)
        with Spill() as spill:
            try:
                with closing(_read_blocks(path, "Posts.xml", start)) as blocks:
                    yield from reading.posts(scan_rows(blocks, start, self.max_bytes), spill, self.comments)
                if self.comments:
                    name = path if archive else sibling_path(path, "Comments.xml")
                    with closing(_read_blocks(name, "Comments.xml", 0)) as blocks:
                        yield from reading.comments(scan_rows(blocks, 0, self.max_bytes), spill)
            except (SevenZipError, *DAMAGE) as error:
                message = f"damaged: {error}"
                yield Failure(file=file, offset=reading.at, length=0, step="read", error=message)
            for bucket in spill.buckets():
                for question, rows in bucket.items():
                    yield from self._thread(question, rows, reading)

    def _thread(
        self, question: int, rows: list[tuple[int, bytes]], reading: _SplitReader
    ) -> Iterator[Record | Failure]:
        """Yield the record of a thread, or those of answers without a question."""
        first = next((row for row in rows if _post_type(row[1]) == QUESTION_TYPE), None)
        if first is None:
            for offset, row in rows:
                if _post_type(row) == ANSWER_TYPE:
                    yield reading.make_gated_record(row, offset, "stackexchange.orphan")
            return
        rest = [row for _, row in rows if row is not first[1]]
        length = sum(map(len, rest)) + len(first[1])
        if length > self.max_bytes:
            yield make_too_long_failure("thread", length, self.max_bytes, reading.file, first[0])
            return
        yield Record(
            native_id=f"{reading.site}:{question}",
            file=reading.file,
            offset=first[0],
            length=len(first[1]),
            media_type=STACKEXCHANGE_MEDIA_TYPE,
            body=b"\n".join([first[1], *rest]),
            url=f"https://{reading.site}/questions/{question}" if "." in reading.site else None,
            snapshot=self.snapshot,
            license=self.license,
            group=f"{reading.site}:{question}",
            language=SITE_LANGUAGES.get(reading.site),
            metadata={"site": reading.site, "question": str(question), **reading.place},
        )


class _SplitReader:
    """One pass over the rows of a split and of what follows it."""

    def __init__(self, file: str, site: str, start: int, end: int, archive: bool) -> None:
        self.file, self.site, self.start, self.end = file, site, start, end
        self.place = {"member": "Posts.xml"} if archive else {}
        self.at = start
        self._threads: npt.NDArray[np.uint32] = np.zeros(0, np.uint32)
        """Post -> question, for comments; 0 for posts of other splits."""

    def posts(
        self, rows: Iterator[DumpRow | RowLoss], spill: Spill, comments: bool
    ) -> Iterator[Record | Failure]:
        """Add questions of the split and answers to them to the spill; yield what is neither.

        The numbers of a split's questions lie between that of its first row and that of the next split's,
        since dumps are in the order of numbers; where they are not, reading stops with a Failure.
        """
        lowest, highest, last = (None if self.start else 0), 1 << 62, -1
        is_empty = not self.start
        for row in rows:
            is_empty = False
            self.at = row.offset
            owned = row.offset < self.end
            if isinstance(row, RowLoss):
                if owned:
                    yield self._failure(row.offset, row.length, row.error)
                continue
            keys = _parse_keys(row.data)
            if keys is None:
                if owned:
                    yield self._failure(row.offset, len(row.data), "a post without a number or a type")
                continue
            number, kind, parent = keys
            if self.start or self.end < 1 << 62:
                if number <= last:
                    message = "posts are not in the order of their numbers: a larger split_size reads the file whole"
                    yield self._failure(row.offset, max(len(row.data), self.end - row.offset), message)
                    return
                last = number
                if parent >= number:
                    if owned:
                        yield self._failure(row.offset, len(row.data), "an answer that precedes its question")
                    continue
            if lowest is None:
                lowest = number
            if not owned and highest == 1 << 62:
                highest = number
            if kind == QUESTION_TYPE:
                thread = number
            elif kind == ANSWER_TYPE:
                thread = parent
            else:
                if owned:
                    yield self.make_gated_record(row.data, row.offset, "stackexchange.type")
                continue
            if lowest <= thread < highest:
                spill.add(thread, row.offset, row.data)
                if comments:
                    self._remember(number, thread)
        if is_empty:
            yield self._failure(0, 0, "no post in it")

    def comments(self, rows: Iterator[DumpRow | RowLoss], spill: Spill) -> Iterator[Record | Failure]:
        """Add the comments on posts of the split to the spill."""
        for row in rows:
            if isinstance(row, RowLoss):
                if not self.start:
                    yield self._failure(row.offset, row.length, f"Comments.xml: {row.error}")
                continue
            match = COMMENT_KEYS.match(row.data)
            post = int(match[1]) if match else _parse_number(parse_attributes(row.data).get("PostId"))
            if post is None:
                if not self.start:
                    yield self._failure(row.offset, len(row.data), "Comments.xml: a comment on no post")
            elif post < len(self._threads) and self._threads[post]:
                spill.add(int(self._threads[post]), row.offset, row.data)

    def _remember(self, post: int, thread: int) -> None:
        if (highest := max(post, thread)) >= MAX_POST_NUMBER:
            raise SevenZipError(f"a post with the number {highest:,}")
        if post >= len(self._threads):
            self._threads = np.concatenate(
                [
                    self._threads,
                    np.zeros(
                        max(1 << 16, post + 1 - len(self._threads)) + len(self._threads) // 2, np.uint32
                    ),
                ]
            )
        self._threads[post] = thread

    def make_gated_record(self, row: bytes, offset: int, gate: str) -> Record:
        keys = _parse_keys(row)
        return Record(
            native_id=f"{self.site}:{keys[0] if keys else offset}",
            file=self.file,
            offset=offset,
            length=len(row),
            media_type=STACKEXCHANGE_MEDIA_TYPE,
            metadata={"site": self.site, **self.place},
            gate=gate,
        )

    def _failure(self, offset: int, length: int, error: str) -> Failure:
        return Failure(file=self.file, offset=offset, length=length, step="read", error=error)


def _parse_keys(row: bytes) -> tuple[int, bytes, int] | None:
    """Return number, type and question (-1 for none) of a post; None where it has no number or type."""
    match = POST_KEYS.match(row)
    if match and (match[3] or match[2] != ANSWER_TYPE):
        return int(match[1]), match[2], int(match[3] or -1)
    values = parse_attributes(row)
    number, kind, parent = (_parse_number(values.get(name)) for name in ("Id", "PostTypeId", "ParentId"))
    if number is None or kind is None or (kind == 2 and parent is None):
        return None
    return number, str(kind).encode(), -1 if parent is None else parent


def _post_type(row: bytes) -> bytes:
    """Return the type of a post; empty for a comment."""
    match = POST_KEYS.match(row)
    if match:
        return match[2]
    if COMMENT_KEYS.match(row):
        return b""
    return parse_attributes(row).get("PostTypeId", "").encode()


def _parse_number(text: str | None) -> int | None:
    return int(text) if text is not None and POST_NUMBER.fullmatch(text) and text.isascii() else None


def is_archive(path: str) -> bool:
    """Return whether a file begins like .7z."""
    with open_input(path) as stream:
        return stream.read(6) == SEVENZIP_MAGIC


def sibling_path(path: str, name: str) -> str:
    """Return the path of a file in the same folder."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{name}"


def site_of(path: str) -> str:
    """Return the site of `.../beer.stackexchange.com/Posts.xml` or `.../stackoverflow.com-Posts.7z`."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".7z")
    if stem != name:
        return ARCHIVE_PART.sub("", stem)
    return folder.rpartition("/")[2].removesuffix(".7z") or name


def _read_blocks(path: str, name: str, start: int) -> Generator[bytes, None, None]:
    """Yield the bytes of a file, or of an archive's member `name`, from `start` on. Raises Damaged or `DAMAGE`."""
    if not is_archive(path):
        with open_input(path, start) if start else open_checked(path, raises=True) as stream:
            read = getattr(stream, "read1", stream.read)
            while block := read(DUMP_BLOCK_BYTES):
                yield block
        return
    with open_input(path) as stream:
        member_names = list_members(stream)
        member = next(
            (entry for entry in member_names if entry.rpartition("/")[2].lower() == name.lower()), None
        )
        if member is None:
            raise SevenZipError(f"no {name} in the archive: it holds {', '.join(member_names) or 'nothing'}")
        yield from read_member(stream, member)
