"""Read the TeX sources of arXiv's papers, from the bulk tars (`arXiv_src_YYMM_NNN.tar`) or one submission a file.

A bulk tar holds `YYMM/ID.gz`, which is one TeX file or a tar of all files of a paper, and `YYMM/ID.pdf` where the
authors gave no TeX. It is split at its members. Nothing is unpacked here: a record carries the submission as it is
stored, and `corpus.extract.latex.paper` reads it, within bounds.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import ByteSize, Field

from corpus import storage
from corpus.document import Failure, Record
from corpus.extract.latex import paper as latex
from corpus.extract.latex.source import is_text
from corpus.formats.tar import TAR_BLOCK_BYTES, TarLoss, cut_at_members, is_tar, read_members
from corpus.formats.xml import XmlError, parse_tree
from corpus.sources.papers.arxiv_licenses import licenses_identity, read_licenses
from corpus.sources.source import Source
from corpus.storage import open_input

SUBMISSION_MEDIA_TYPE = "application/x-tex-submission"
GZIP_MAGIC = b"\x1f\x8b"
PEEK_BYTES = 4096
NAMES_BYTES = 256 << 10
"""Bytes of a submission that are looked at for the names in it, up to the first that may be a paper's."""
MAX_INFLATED_BYTES = 1 << 30
MANIFEST_NAME = "arXiv_src_manifest.xml"

_NEW_ID = re.compile(r"(\d{4}\.\d{4,5})(v\d+)?")
_OLD_ID = re.compile(r"([a-z-]+(?:\.[A-Z]{2})?)/?(\d{7})(v\d+)?")
_TEX_NAME = re.compile(r"(?i)(?:\.(?:tex|ltx|latex|txt)|(?:^|/)[^/.]+)$")
"""Names that the text of a paper may have; of old ones none at the end."""
_NO_TEX = re.compile(rb"\s*(?:%PDF|%!PS|%!\s|<!DOCTYPE|<html|<\?xml|PK\x03\x04|\x1b%-12345X)", re.IGNORECASE)


class Arxiv(Source):
    """Papers of arXiv, one document each, named by their arXiv id.

    Gates: `arxiv.pdf_only` (no TeX was submitted), `arxiv.no_tex` (PostScript, HTML, encrypted or other data),
    `arxiv.withdrawn`, `arxiv.size` (a submission over `max_bytes`, as it is stored). The licence of a paper is not in
    its sources: `licenses` names arXiv's metadata snapshot (JSON Lines with `id` and `license`), which decides for
    each paper in it; `license` applies to all others. The date is the month in the id. A tar whose size is
    not the one in `arXiv_src_manifest.xml` beside it is reported in quarantine and read as far as possible.
    """

    kind: Literal["arxiv"] = "arxiv"
    licenses: str | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1024, le=1 << 30)] = ByteSize(128 << 20)

    @classmethod
    def version(cls) -> int:
        return 3

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["papers"]

    def parameters(self) -> dict[str, Any]:
        values = {**super().parameters(), "latex": latex.VERSION}
        if self.licenses is not None:
            values["licenses"] = licenses_identity(self.licenses)
        return values

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        if size <= split_size:
            return [(0, size)]
        with open_input(path) as stream:
            return cut_at_members(stream, size, split_size) if _is_bulk(stream) else [(0, size)]

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        if os.path.basename(path) == MANIFEST_NAME:
            return
        with open_input(path) as stream:
            if start or _is_bulk(stream):
                if start == 0 and (problem := _size_problem(path)):
                    yield Failure(file=file, offset=0, length=0, step="read", error=problem)
                stream.seek(start)
                yield from self._members(stream, file, start, end)
                return
            stream.seek(0)
            body = stream.read(self.max_bytes + 1)
            if not body.strip():
                yield Failure(file=file, offset=0, length=len(body), step="read", error="the file is empty")
            else:
                over = len(body) > self.max_bytes
                length = storage.size(path)
                yield self._record(file, 0, length, os.path.basename(file), None if over else body, {})

    def _members(self, stream: BinaryIO, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        def wanted(name: str, size: int) -> bool:
            return not name.lower().endswith(".pdf") and size <= self.max_bytes

        for member in read_members(stream, start, end, wanted):
            if isinstance(member, TarLoss):
                yield Failure(
                    file=file, offset=member.offset, length=member.length, step="read", error=member.error
                )
            else:
                metadata = {"member": member.name}
                yield self._record(file, member.offset, member.length, member.name, member.body, metadata)

    def _record(
        self, file: str, offset: int, length: int, name: str, body: bytes | None, metadata: dict[str, str]
    ) -> Record:
        paper = paper_id(os.path.basename(name))
        record = Record(
            native_id=paper or f"{file}\0{offset}",
            file=file,
            offset=offset,
            length=length,
            media_type=SUBMISSION_MEDIA_TYPE,
            url=f"https://arxiv.org/abs/{paper}" if paper else None,
            date=month_of(paper) if paper else None,
            snapshot=self.snapshot,
            license=(self._license_of(paper) if paper else None) or self.license,
            group=f"arxiv:{paper}" if paper else None,
            metadata=metadata,
        )
        if name.lower().endswith(".pdf"):
            record.gate = "arxiv.pdf_only"
        elif body is None:
            record.gate = "arxiv.size"
        else:
            record.gate = _find_gate(body)
            if record.gate is None:
                record.body = body
        return record

    def _license_of(self, paper: str) -> str | None:
        return read_licenses(self.licenses).of(paper) if self.licenses is not None else None


def _find_gate(body: bytes) -> str | None:
    """Return the gate of a submission that is no paper in TeX, by its first bytes; extraction reports damage."""
    head = body[:PEEK_BYTES]
    if head.startswith(GZIP_MAGIC):
        try:
            head = zlib.decompressobj(31).decompress(head, PEEK_BYTES)
        except zlib.error:
            return None
    if is_tar(head):
        return "arxiv.no_tex" if _is_encrypted(body) else None
    if b"%auto-ignore" in head[:200]:
        return "arxiv.withdrawn"
    return "arxiv.no_tex" if _NO_TEX.match(head) or not is_text(head) else None


def _is_encrypted(body: bytes) -> bool:
    """Return whether a tar holds encrypted TeX (`.tex.cry`) and no other. Cost: inflates `NAMES_BYTES`, and all where
    these hold encrypted TeX alone."""
    return all(_holds_only_encrypted(_inflate(body, size)) for size in (NAMES_BYTES, MAX_INFLATED_BYTES))


def _inflate(body: bytes, size: int) -> bytes:
    """Return up to `size` bytes of a submission, and what comes before damage."""
    if not body.startswith(GZIP_MAGIC):
        return body[:size]
    try:
        return zlib.decompressobj(31).decompress(body, size)
    except zlib.error:
        return b""


def _holds_only_encrypted(tar: bytes) -> bool:
    encrypted = False
    with suppress(tarfile.TarError), tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for member in archive:
            if member.isfile() and _TEX_NAME.search(member.name):
                return False
            encrypted = encrypted or member.name.lower().endswith(".cry")
    return encrypted


def _is_bulk(stream: BinaryIO) -> bool:
    """Return whether a file is a tar of submissions, and not one submission."""
    stream.seek(0)
    if not is_tar(stream.read(TAR_BLOCK_BYTES)):
        return False
    stream.seek(0)
    names = read_members(stream, 0, 64 << 20, lambda name, size: False)
    for _, member in zip(range(50), names, strict=False):
        if not isinstance(member, TarLoss):
            return member.name.lower().endswith((".gz", ".pdf"))
    return True


def paper_id(name: str) -> str | None:
    """Return the arXiv id in a file's name: `math0303001.gz` is math/0303001, `2004.14974v2.gz` is 2004.14974."""
    if match := _NEW_ID.match(name):
        return match[1]
    if match := _OLD_ID.match(name):
        return f"{match[1]}/{match[2]}"
    return None


def month_of(paper: str) -> str | None:
    """Return the month of an id's first version, `2003-03`; None where the id has no such month."""
    digits = paper.rpartition("/")[2][:4]
    year, month = int(digits[:2]), int(digits[2:])
    if not 1 <= month <= 12:
        return None
    return f"{1900 + year if year > 90 else 2000 + year}-{month:02}"


def _size_problem(path: str) -> str | None:
    """Describe how the size of a tar differs from the manifest beside it; None where it does not."""
    folder, _, name = path.replace(os.sep, "/").rpartition("/")
    wanted = _read_tar_sizes(f"{folder}/{MANIFEST_NAME}" if folder else MANIFEST_NAME).get(name)
    size = storage.size(path)
    if wanted is None or wanted == size:
        return None
    return f"{size} bytes, where {MANIFEST_NAME} says {wanted}: fetch it again"


@lru_cache(maxsize=8)
def _read_tar_sizes(path: str) -> dict[str, int]:
    """Return the size in bytes by name of every tar; empty where there is no readable manifest."""
    try:
        root = parse_tree(storage.read_bytes(path)) if storage.exists(path) else None
    except (OSError, XmlError):
        root = None
    size_by_name: dict[str, int] = {}
    for file in root.iter("file") if root is not None else ():
        name, size = file.findtext("filename") or "", file.findtext("size") or ""
        if size.isascii() and size.isdecimal():
            size_by_name[name.rpartition("/")[2]] = int(size)
    return size_by_name
