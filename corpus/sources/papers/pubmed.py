"""Read PubMed: full text in JATS (PMC Open Access, publishers) and citations in MEDLINE's XML (the baseline).

A file is cut into its articles and citations by their tags while it streams, and each becomes a record with its own
XML: an unreadable one is lost alone. Files may be plain, .gz and the like, and tar archives of articles
in either. A compressed stream cannot be entered in the middle, so a file is one split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import ByteSize, Field

from corpus.document import Failure, Record
from corpus.extract.pubmed import jats, medline
from corpus.formats.tar import TAR_BLOCK_BYTES, TarLoss, TarMember, is_tar, read_members
from corpus.sources.source import Source
from corpus.storage import DAMAGE, open_checked, open_decompressed

READ_CHUNK_BYTES = 1 << 20
JATS_MEDIA_TYPE, MEDLINE_MEDIA_TYPE = "application/jats+xml", "application/x-medline+xml"
RECORD_OPENING = re.compile(rb"<(PubmedArticle|MedlineCitation|article)(?=[\s>])")
TAIL_BYTES = 32
"""Bytes kept of what holds no record: a tag may continue in the next chunk."""

_PMID = re.compile(rb"<PMID(?: Version=\"(\d+)\")?>\s*(\d+)\s*</PMID>")
_ARTICLE_ID = re.compile(
    rb"<article-id\b[^<>]{0,200}?\bpub-id-type=\"(pmc|pmcid|pmid|doi)\"[^<>]{0,200}>\s*([^<\s]+)\s*</article-id>"
)
_REVISED = re.compile(
    rb"<DateRevised>\s*<Year>(\d+)</Year>\s*<Month>(\d+)</Month>\s*<Day>(\d+)</Day>\s*</DateRevised>"
)
_RETRACTED = re.compile(
    rb"RefType=\"RetractionIn\"|>\s*Retracted Publication\s*<"
    rb"|<article\b[^<>]{0,2000}\barticle-type=\"retracted-article\"|related-article-type=\"(?:retraction-forward|retracted)\""
    rb"|<article-title\b[^<>]{0,200}>\W*(?:RETRACTED|Retracted(?: article)?\s*:)"
)
_TRANSLATED_ARTICLE = re.compile(
    rb"sub-article(?<=[<:]sub-article)\b[^<>]{0,2000}?\barticle-type=[\"']translation[\"']"
)
_TRANSLATION = re.compile(rb"<(/?)(?:trans-abstract|OtherAbstract)(?=[\s>])")
_ABSTRACT_ELSEWHERE = b"Abstract available from the publisher."


class Pubmed(Source):
    """Articles and citations, one document each; abstracts and whole texts in another language are documents of
    their own.

    `retracted: drop` stops retracted ones at the gate `pubmed.retracted`; by default (`mark`) they are marked
    in the metadata. Gate `pubmed.size`: a record over `max_bytes` of XML. The licence is the one
    in the file; `license` here overrides it for all. A record is named by its PMC number or its PMID with version and
    date of revision, its group is its PMID; offsets count decompressed bytes, those of an archive its members.
    """

    kind: Literal["pubmed"] = "pubmed"
    retracted: Literal["mark", "drop"] = "mark"
    max_bytes: Annotated[ByteSize, Field(ge=1024, le=1 << 28)] = ByteSize(32 << 20)

    @classmethod
    def version(cls) -> int:
        return 6

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["text_only"]

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "jats": jats.VERSION, "medline": medline.VERSION}

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        at = 0
        try:
            with open_decompressed(path) as stream:
                head = stream.read(TAR_BLOCK_BYTES)
            if is_tar(head):
                with open_decompressed(path) as stream:
                    for item in self._members(stream, file):
                        at = item.offset + item.length
                        yield item
                return
            with open_checked(path, raises=True) as checked:
                for item in self._records(read_chunks(checked), file, 0, None):
                    at = item.offset + item.length
                    yield item
        except DAMAGE as error:
            message = f"damaged: {error or type(error).__name__}"
            yield Failure(file=file, offset=at, length=0, step="read", error=message)

    def _members(self, stream: BinaryIO, file: str) -> Iterator[Record | Failure]:
        def wanted(name: str, size: int) -> bool:
            return name.lower().endswith((".xml", ".nxml")) and size <= self.max_bytes

        for member in read_members(stream, 0, 1 << 62, wanted):
            if isinstance(member, TarLoss):
                yield _make_failure(file, member.offset, member.length, member.error)
            elif member.body is not None:
                yield from self._records(iter([member.body]), file, member.offset, member)
            elif member.name.lower().endswith((".xml", ".nxml")):
                yield self._oversized(file, member.offset, member.length, member.name)

    def _records(
        self, chunks: Iterator[bytes], file: str, base: int, member: TarMember | None
    ) -> Iterator[Record | Failure]:
        """Yield the records in a stream of XML that begins at `base`; with `member`, placed by the archive's member."""
        has_record = False
        name = member.name if member is not None else None
        for offset, size, body in cut_records(chunks, self.max_bytes):
            has_record = True
            place, length = (offset, size) if member is None else (base, member.length)
            if body is None:
                yield self._oversized(file, place, length, name or f"{file}\0{offset}")
            elif not body.endswith(b">"):
                yield _make_failure(
                    file, place, length, f"{_member_prefix(name)}cut: the record does not end"
                )
            else:
                yield from self._record(body, file, place, length, name)
        if not has_record and (member is not None or base == 0):
            length = member.length if member is not None else 0
            yield _make_failure(file, base, length, f"{_member_prefix(name)}no article or citation in it")

    def _record(
        self, body: bytes, file: str, offset: int, length: int, member: str | None
    ) -> Iterator[Record]:
        is_article = body.startswith(b"<article")
        front = body[: body.find(b"</article-meta>") + 1] if is_article else body
        numbers = _read_article_ids(front) if is_article else {}
        cited = _PMID.search(body) if not is_article else None
        pmid = cited[2].decode() if cited else numbers.get("pmid")
        pmcid = numbers.get("pmcid")
        url = None
        if cited:
            revised = _REVISED.search(body)
            day = b"-".join(revised.groups()).decode() if revised else ""
            native = f"pmid:{pmid}.{(cited[1] or b'1').decode()}:{day}"
        else:
            native = next(
                (f"{name}:{numbers[name]}" for name in ("pmcid", "doi", "pmid") if name in numbers), ""
            )
            native = native or f"{file}\0{offset}\0{member or ''}"
        if pmcid:
            url = f"https://pmc.ncbi.nlm.nih.gov/articles/{pmcid}/"
        elif pmid:
            url = f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
        group = f"pmid:{pmid}" if pmid else native if numbers else None
        hinted = any(word in front for word in (b"etract", b"ETRACT"))
        is_retracted = hinted and _RETRACTED.search(front) is not None
        others = _find_translations(front)
        parts: list[tuple[str, dict[str, str]]] = [("", {})]
        parts += [
            (f"#{at}", {"translation": str(at)})
            for at, other in enumerate(others)
            if _ABSTRACT_ELSEWHERE not in other
        ]
        whole = len(_TRANSLATED_ARTICLE.findall(body)) if is_article else 0
        parts += [(f"#article{at}", {"translated_article": str(at)}) for at in range(whole)]
        for suffix, part in parts:
            metadata = {"retracted": "yes"} if is_retracted else {}
            if member is not None:
                metadata["member"] = member
            metadata |= part
            yield Record(
                native_id=f"{native}{suffix}",
                file=file,
                offset=offset,
                length=length,
                media_type=JATS_MEDIA_TYPE if is_article else MEDLINE_MEDIA_TYPE,
                body=body,
                url=url,
                snapshot=self.snapshot,
                license=self.license,
                group=group,
                metadata=metadata,
                gate="pubmed.retracted" if is_retracted and self.retracted == "drop" else None,
            )

    def _oversized(self, file: str, offset: int, length: int, name: str) -> Record:
        return Record(
            native_id=name,
            file=file,
            offset=offset,
            length=length,
            snapshot=self.snapshot,
            license=self.license,
            gate="pubmed.size",
        )


def _make_failure(file: str, offset: int, length: int, message: str) -> Failure:
    return Failure(file=file, offset=offset, length=length, step="read", error=message)


def _member_prefix(member: str | None) -> str:
    return f"{member}: " if member is not None else ""


def _find_translations(front: bytes) -> list[bytes]:
    """Return the abstracts in other languages, unchanged."""
    abstracts: list[bytes] = []
    begin = None
    for tag in _TRANSLATION.finditer(front):
        if not tag[1]:
            begin = tag.start() if begin is None else begin
        elif begin is not None:
            abstracts.append(front[begin : tag.start()])
            begin = None
    return abstracts


def _read_article_ids(front: bytes) -> dict[str, str]:
    """Return pmid, pmcid (with its letters) and doi of an article."""
    ids: dict[str, str] = {}
    for kind, value in _ARTICLE_ID.findall(front):
        name, text = kind.decode(), value.decode("utf-8", "replace")
        if name.startswith("pmc"):
            name, text = "pmcid", text if text.startswith("PMC") else f"PMC{text}"
        ids.setdefault(name, text)
    return ids


def read_chunks(stream: BufferedReader) -> Iterator[bytes]:
    """Yield what there is: one read at a time, since a longer one that meets damage loses what it has."""
    while chunk := stream.read1(READ_CHUNK_BYTES):
        yield chunk


def cut_records(chunks: Iterator[bytes], max_bytes: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Yield (offset, length, XML) of every article and citation; None for the XML of one over `max_bytes`.

    A record that is interrupted by another, or by the end of the stream, is given up to there: it
    does not end in `>` then. Memory: one record and a chunk.
    """
    held = bytearray()
    base = 0
    name: bytes = b""
    skipped = 0
    for chunk in chunks:
        searched = max(0, len(held) - TAIL_BYTES)
        held += chunk
        at = 0
        while True:
            if not name:
                opening = RECORD_OPENING.search(held, at)
                if opening is None:
                    at = max(at, len(held) - TAIL_BYTES)
                    break
                at, name = opening.start(), opening[1]
                searched = at + 1
            closing = b"</" + name + b">"
            end = held.find(closing, max(searched, at))
            again = held.find(b"<" + name + b">", max(searched, at) + 1, end if end >= 0 else len(held))
            if again >= 0:
                yield (
                    base + at - skipped,
                    again - at + skipped,
                    None if skipped else _strip_end(held[at:again]),
                )
                at, name, skipped = again, b"", 0
                continue
            if end < 0:
                break
            end += len(closing)
            length = end - at + skipped
            whole = not skipped and length <= max_bytes
            yield base + at - skipped, length, bytes(held[at:end]) if whole else None
            at, name, skipped = end, b"", 0
        if name and len(held) - at > max_bytes:
            drop = len(held) - at - TAIL_BYTES
            at, skipped = at + drop, skipped + drop
        del held[:at]
        base += at
    if name:
        yield base - skipped, len(held) + skipped, None if skipped else _strip_end(held)


def _strip_end(record: bytearray) -> bytes:
    return bytes(record).rstrip(b" \r\n\t>")
