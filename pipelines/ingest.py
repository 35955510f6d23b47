"""Ingest every input split once into its parts.

A record passes: source -> gates -> extract -> language -> signals -> parts. The parts of an input split are
its documents, the signals of every step, its MinHash signatures and its quarantine. Parts that exist with
the right fingerprint are not made again, and missing ones are made from the stored documents if these are
complete.
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
from corpus.pipelines.beam.types import PCollection
from corpus.pipelines.context import Tools, manifest_to_json, tools_for
from corpus.progress import count
from corpus.sources.input_split import InputSplit
from corpus.storage.part_writer import GROUP_BYTES, GROUP_ROWS, PartWriter, read_fingerprint
from corpus.text.page import Page
from corpus.workspace import Workspace

Beginning = tuple[Document, Record]
Chunk = tuple[pa.RecordBatch | None, list[Page | None]]
"""A row group: its documents if they are to be written, and a page for each, None if a gate stopped it."""

BATCH_PAGES = 32
"""Pages whose arrays are held together: signatures are cheaper in batches."""


class IngestWork:
    """Ingest one input split per call; yield one line of JSON about it. Picklable: it holds strings only."""

    def __init__(self, root: str, manifest_json: str, retries_json: str) -> None:
        self.root, self.manifest_json, self.retries_json = root, manifest_json, retries_json

    def __call__(self, item: str) -> Iterator[str]:
        split = InputSplit.from_json(item)
        rows = ingest(Workspace(self.root), tools_for(self.manifest_json, self.retries_json), split)
        yield json.dumps({"source": split.source, "split": split.name, "rows": rows})


def ingest(workspace: Workspace, tools: Tools, split: InputSplit) -> int:
    """Make the missing parts of one input split; return the number of rows, or -1 if none was missing."""
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
        for documents_batch, pages in chunks:
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
            if writer is not None and documents_batch is not None:
                if tools.text_rules is not None:
                    documents_batch = tools.text_rules.kept(documents_batch, signals.values(), split.source)
                writer.write(documents_batch)
    return rows


def measure(tools: Tools, page: Page, row: int, values: dict[str, npt.NDArray[np.float32]]) -> None:
    """Write all signals of a page into its row. Raises RunError if a filter fails: filters accept any text."""
    for step, table in values.items():
        try:
            table[row] = tools.filters[step].measure(page)
        except Exception as error:
            start = plain(page.text[:60])
            raise RunError(
                f"the filter {step} failed on the text that begins {start!r}: {described(error)}"
            ) from error


def signal_schema(step_filter: Filter) -> pa.Schema:
    return pa.schema([pa.field(name, pa.float32()) for name in step_filter.signals])


def to_signals(step_filter: Filter, values: npt.NDArray[np.float32]) -> pa.RecordBatch:
    """Return values float32[rows, signals] as a batch; null if a gate stopped the page or a signal was not measured."""
    columns = [
        pa.array(values[:, at], pa.float32(), from_pandas=True) for at in range(len(step_filter.signals))
    ]
    return pa.RecordBatch.from_arrays(columns, schema=signal_schema(step_filter))


def stored_chunks(path: str) -> Iterator[Chunk]:
    """Yield the pages of a documents part, a row group at a time; None for rows that a gate stopped."""
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
    """Read an input split from its source: write its quarantine, yield documents and pages by row group."""
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
    """Yield the document or failure of every record of an input split, in order."""
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
    """Yield every record of an input split as a document without text, with the record to parse if no gate stops it.

    Sources may raise any exception on hostile input: the rest of the split is then one failure with its offset.
    """
    if split.error is not None:
        message = plain(split.error)[:500]
        yield Failure(file=split.file, offset=0, length=0, step="read", error=message, reason="remote"), None
        return
    records = tools.source(split).read(split.path, split.file, split.start, split.end)
    at, unread = split.start, storage.unread()
    while True:
        try:
            record = next(records, None)
        except Exception as error:
            length, message = split.end - at, described(error)
            record = Failure(file=split.file, offset=at, length=length, step="read", error=message)
            records = iter(())
        if record is None:
            return
        if isinstance(record, Failure):
            if storage.unread() > unread:
                record.reason, unread = "remote", storage.unread()
            yield record, None
            continue
        at = record.offset
        try:
            document = begun(record, split.source)
        except Exception as error:
            yield failed(record, "read", "damaged", described(error)), None
            continue
        yield (document, record), record if document.gate is None else None


def failed(record: Record, step: str, reason: str, error: str) -> Failure:
    """Return the failure of a record that its source could read."""
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
    """Describe an exception in one line."""
    return plain(f"{type(error).__name__}: {' '.join(str(error).split())}")[:500]


def page_of(document: Document) -> Page | None:
    if document.text is None:
        return None
    return Page(document.text, document.language, document.url)


def begun(record: Record, source: str) -> Document:
    """Return a record as a document without text, with the gate that stops it if there is one."""
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


def finished(document: Document, language: str | None, extracted: Extracted | None, tools: Tools) -> Document:
    """Add the extracted text and its language to a document (`language`: as the source states it)."""
    if document.gate is not None:
        return document
    if extracted is None:
        document.gate = "extract.empty"
        return document
    text = plain(extracted.text)
    document.license = document.license or extracted.license
    document.date = document.date or extracted.date
    document.metadata |= {name: plain(value) for name, value in extracted.metadata.items()}
    if extracted.url is not None and extracted.url != document.url:
        document.metadata["captured_url"] = document.url or ""
        document.url = plain(extracted.url)
    if extracted.gate is not None:
        document.gate = extracted.gate
        return document
    language, _ = tools.identifier.identify(text, language or extracted.language)
    if not is_wanted(language, tools.manifest.languages):
        document.language = language
        document.gate = "language.unwanted"
        return document
    document.text, document.language, document.content_hash = text, language, content_hash(text)
    return document


def is_wanted(language: str, languages: str | list[str]) -> bool:
    """Return whether a label is among the wanted ones; `cmn` stands for all its scripts."""
    return languages == "all" or language in languages or language.partition("_")[0] in languages


def in_order(splits: Iterable[InputSplit]) -> list[InputSplit]:
    """Return splits in the order in which they are started: the largest first."""
    return sorted(splits, key=lambda split: (split.start - split.end, split.source, split.name))


def pipeline(
    root: str, tools: Tools, splits: Iterable[InputSplit], running: Running, claims: str | None
) -> Callable[[beam.Pipeline], PCollection[str]]:
    """Return a function that builds the ingest pipeline over `splits`, largest first; one line of JSON per split."""
    items = [split.to_json() for split in in_order(splits)]
    work = IngestWork(root, manifest_to_json(tools.manifest), json.dumps(tools.retries, sort_keys=True))

    def build(start: beam.Pipeline) -> PCollection[str]:
        done: PCollection[str] = start | "Ingest" >> FanOut(items, work, running, claims)
        return done

    return build
