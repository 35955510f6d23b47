"""Ingest: every split through the recipe, once, into parts.

A document's way is one line: source -> gates -> extract -> language -> signals -> parts. A split's parts
are its documents, the signals of every step, its MinHash signatures and its quarantine; whichever of
them exist with the right fingerprint are not made again, and what is missing is made from the stored
documents where they are whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.dedup.signatures import SignatureWriter, read_signature_fingerprint
from corpus.document import SCHEMA, Document, Failure, Record, content_hash, document_id, to_batch
from corpus.errors import RunError
from corpus.extract import PAGES, Extracted
from corpus.extract.process.supervised import Rejected, parser
from corpus.filters.filter import Filter
from corpus.filters.url import url_gate
from corpus.groups import domain_of
from corpus.ledger.quarantine import QuarantineWriter, plain
from corpus.pipelines.beam.fanout import FanOut
from corpus.pipelines.beam.options import Running
from corpus.pipelines.context import Tools, manifest_to_json, tools_for
from corpus.progress import count
from corpus.sources.input_split import InputSplit
from corpus.storage.part_writer import GROUP_BYTES, GROUP_ROWS, PartWriter, read_fingerprint
from corpus.text.page import Page
from corpus.workspace import Workspace

Beginning = tuple[Document, Record]
Chunk = tuple[pa.RecordBatch | None, list[Page | None]]
"""A row group: its documents where they are to be written, and a page for each, None behind a gate."""

BATCH_PAGES = 32
"""Pages whose arrays are held at once: signatures are cheaper together."""


class IngestWork:
    """Does one split; yields one line of JSON about it. Picklable: it carries strings only."""

    def __init__(self, root: str, manifest_json: str, retries_json: str) -> None:
        self.root, self.manifest_json, self.retries_json = root, manifest_json, retries_json

    def __call__(self, item: str) -> Iterator[str]:
        split = InputSplit.from_json(item)
        rows = ingest(Workspace(self.root), tools_for(self.manifest_json, self.retries_json), split)
        yield json.dumps({"source": split.source, "split": split.name, "rows": rows})


def ingest(workspace: Workspace, tools: Tools, split: InputSplit) -> int:
    """Make the missing parts of one split; the number of rows, or -1 where none was missing."""
    documents = tools.documents_fingerprint(split)
    documents_path = workspace.part("documents", split.source, split.name)
    steps = {step: tools.step_fingerprint(documents, step) for step in tools.filters}
    missing = [
        step
        for step, wanted in steps.items()
        if read_fingerprint(workspace.part(f"signals/{step}", split.source, split.name)) != wanted
    ]
    signatures_path = workspace.part("dedup/signatures", split.source, split.name, "arrow")
    signatures = tools.signatures_fingerprint(documents) if tools.signatures is not None else None
    sign = signatures is not None and read_signature_fingerprint(signatures_path) != signatures
    stored = read_fingerprint(documents_path) == documents
    if stored and not missing and not sign:
        return -1
    if not stored or tools.text_rules is not None:
        # Other documents may come (a remote file that is whole now); or some stored ones have no text to be measured.
        stored, missing, sign = False, list(steps), signatures is not None
    with ExitStack() as stack:
        writers = {
            step: stack.enter_context(
                PartWriter(
                    workspace.part(f"signals/{step}", split.source, split.name),
                    signal_schema(tools.filters[step]),
                    steps[step],
                    documents,
                )
            )
            for step in missing
        }
        signature_writer = None
        if sign and tools.signatures is not None and signatures is not None:
            signature_writer = stack.enter_context(
                SignatureWriter(signatures_path, tools.signatures.schema, signatures)
            )
        writer = None
        chunks: Iterator[Chunk]
        if stored:
            chunks = stored_chunks(documents_path)
        else:
            writer = stack.enter_context(PartWriter(documents_path, SCHEMA, documents))
            chunks = fresh_chunks(workspace, tools, split, documents)
        rows = 0
        for found, pages in chunks:
            rows += len(pages)
            if stored:
                count(len(pages))
            values = {
                step: np.full((len(pages), len(tools.filters[step].signals)), np.nan, np.float32)
                for step in writers
            }
            for first in range(0, len(pages), BATCH_PAGES):
                batch = pages[first : first + BATCH_PAGES]
                for row, page in enumerate(batch, first):
                    if page is not None:
                        measure(tools, page, row, values)
                if signature_writer is not None and tools.signatures is not None:
                    words = [page.words if page is not None else None for page in batch]
                    signature_writer.write(tools.signatures.signatures(words))
                # Their arrays go before the next come.
                pages[first : first + BATCH_PAGES] = [None] * len(batch)
            signals = {step: to_signals(tools.filters[step], table) for step, table in values.items()}
            for step, step_writer in writers.items():
                step_writer.write(signals[step])
            if writer is not None and found is not None:
                if tools.text_rules is not None:
                    found = tools.text_rules.kept(found, signals.values(), split.source)
                writer.write(found)
    return rows


def measure(tools: Tools, page: Page, row: int, values: dict[str, npt.NDArray[np.float32]]) -> None:
    """Put all signals of a page into its row. Raises RunError where a filter fails: filters take any text."""
    for step, table in values.items():
        try:
            table[row] = tools.filters[step].measure(page)
        except Exception as error:
            start = plain(page.text[:60])
            raise RunError(
                f"the filter {step} failed on the text that begins {start!r}: {described(error)}"
            ) from error


def signal_schema(found: Filter) -> pa.Schema:
    return pa.schema([pa.field(name, pa.float32()) for name in found.signals])


def to_signals(found: Filter, values: npt.NDArray[np.float32]) -> pa.RecordBatch:
    """Values float32[rows, signals] as a batch; null where a page was gated or a signal not measured."""
    columns = [pa.array(values[:, at], pa.float32(), from_pandas=True) for at in range(len(found.signals))]
    return pa.RecordBatch.from_arrays(columns, schema=signal_schema(found))


def stored_chunks(path: str) -> Iterator[Chunk]:
    """The pages of a documents part, a row group at a time; None for rows behind a gate."""
    with storage.open_input(path) as stream:
        part = pq.ParquetFile(stream)
        for group in range(part.num_row_groups):
            rows = part.read_row_group(group, columns=["text", "language", "url"]).to_pylist()
            yield (
                None,
                [
                    Page(row["text"], row["language"], row["url"]) if row["text"] is not None else None
                    for row in rows
                ],
            )


def fresh_chunks(workspace: Workspace, tools: Tools, split: InputSplit, made_by: str) -> Iterator[Chunk]:
    """Read a split from its source: writes quarantine, yields the documents and pages of each row group."""
    documents: list[Document] = []
    held = 0
    path = workspace.quarantine_part(split.source, split.name)
    with QuarantineWriter(path, split.source, split.name, made_by) as quarantine:
        for outcome in outcomes(tools, split):
            if isinstance(outcome, Failure):
                quarantine.add(outcome)
                continue
            documents.append(outcome)
            count(1)
            held += len(outcome.text or "")
            if len(documents) >= GROUP_ROWS or held >= GROUP_BYTES:
                yield to_batch(documents), [page_of(document) for document in documents]
                documents, held = [], 0
        if documents:
            yield to_batch(documents), [page_of(document) for document in documents]


def outcomes(tools: Tools, split: InputSplit) -> Iterator[Document | Failure]:
    """What became of every record of a split, in its order."""
    with parser(tools.manifest.extraction.mode, tools.budgets(split)) as parsing:
        for beginning, answer in parsing.each(beginnings(tools, split)):
            if isinstance(beginning, Failure):
                yield beginning
                continue
            document, record = beginning
            if isinstance(answer, Rejected):
                yield failed(record, "extract", answer.reason, answer.error)
                continue
            try:
                yield finished(document, record.language, answer, tools)
            except Exception as error:
                yield failed(record, "language", "damaged", described(error))


def beginnings(tools: Tools, split: InputSplit) -> Iterator[tuple[Beginning | Failure, Record | None]]:
    """Every record of a split as a document without its text, with what is to be parsed where no gate stops it.

    Sources raise whatever they like on hostile input: the rest of the split is placed and kept, never lost.
    """
    if split.error is not None:
        said = plain(split.error)[:500]
        yield Failure(file=split.file, offset=0, length=0, step="read", error=said, reason="remote"), None
        return
    records = tools.source(split).read(split.path, split.file, split.start, split.end)
    at, unread = split.start, storage.unread()
    while True:
        try:
            found = next(records, None)
        except Exception as error:
            length, said = split.end - at, described(error)
            found = Failure(file=split.file, offset=at, length=length, step="read", error=said)
            records = iter(())
        if found is None:
            return
        if isinstance(found, Failure):
            if storage.unread() > unread:
                found.reason, unread = "remote", storage.unread()
            yield found, None
            continue
        at = found.offset
        try:
            document = begun(found, split.source)
        except Exception as error:
            yield failed(found, "read", "damaged", described(error)), None
            continue
        yield (document, found), found if document.gate is None else None


def failed(record: Record, step: str, reason: str, error: str) -> Failure:
    """The failure of a record that its source could read."""
    return Failure(
        file=record.file,
        offset=record.offset,
        length=record.length,
        step=step,
        error=error,
        reason=reason,
        bytes=len(record.body),
        url=record.url,
    )


def described(error: BaseException) -> str:
    """An exception as one line."""
    return plain(f"{type(error).__name__}: {' '.join(str(error).split())}")[:500]


def page_of(document: Document) -> Page | None:
    if document.text is None:
        return None
    return Page(document.text, document.language, document.url)


def begun(record: Record, source: str) -> Document:
    """One record as a document that has no text yet, behind the gate that stops it where one does."""
    document = Document(
        id=document_id(source, record.native_id),
        file=plain(record.file),
        offset=record.offset,
        length=record.length,
        url=plain(record.url) if record.url else None,
        date=plain(record.date) if record.date else None,
        snapshot=record.snapshot,
        license=record.license,
        group=record.group or (domain_of(record.url) if record.url else None),
        metadata={name: plain(value) for name, value in record.metadata.items()},
        gate=record.gate,
    )
    document.group = plain(document.group) if document.group is not None else document.id
    if document.gate is None and document.url is not None and record.media_type in PAGES:
        document.gate = url_gate(document.url)
    return document


def finished(document: Document, language: str | None, found: Extracted | None, tools: Tools) -> Document:
    """A document with the text that was found and its language (`language`: what its source says)."""
    if document.gate is not None:
        return document
    if found is None:
        document.gate = "extract.empty"
        return document
    text = plain(found.text)
    document.license = document.license or found.license
    document.date = document.date or found.date
    document.metadata |= {name: plain(value) for name, value in found.metadata.items()}
    if found.url is not None and found.url != document.url:
        document.metadata["captured_url"] = document.url or ""
        document.url = plain(found.url)
    if found.gate is not None:
        document.gate = found.gate
        return document
    language, _ = tools.identifier.identify(text, language or found.language)
    if not is_wanted(language, tools.manifest.languages):
        document.language = language
        document.gate = "language.unwanted"
        return document
    document.text, document.language, document.content_hash = text, language, content_hash(text)
    return document


def is_wanted(language: str, languages: str | list[str]) -> bool:
    """Whether a label is among those asked for; `cmn` stands for every script of it."""
    return languages == "all" or language in languages or language.partition("_")[0] in languages


def in_order(splits: Iterable[InputSplit]) -> list[InputSplit]:
    """Splits in the order in which they are begun: the largest first."""
    return sorted(splits, key=lambda split: (split.start - split.end, split.source, split.name))


def pipeline(
    root: str, tools: Tools, splits: Iterable[InputSplit], running: Running, claims: str | None
) -> Callable[[beam.Pipeline], beam.PCollection]:
    """The ingest pipeline over `splits`, largest first; its elements are one line of JSON a split."""
    items = [split.to_json() for split in in_order(splits)]
    work = IngestWork(root, manifest_to_json(tools.manifest), json.dumps(tools.retries, sort_keys=True))

    def build(start: beam.Pipeline) -> beam.PCollection:
        return start | "Ingest" >> FanOut(items, work, running, claims)

    return build
