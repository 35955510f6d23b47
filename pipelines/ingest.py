"""Ingest every input split once into its parts.

A record passes: source -> gates -> extract -> language -> signals -> parts. The parts of an input split are
its documents, the signals of every step, its MinHash signatures and its quarantine. Parts that exist with
the right fingerprint are not made again, and missing ones are made from the stored documents if these are
complete.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.dedup.signatures import SignatureWriter, read_signature_fingerprint
from corpus.document import Document, Failure, Record, content_hash, document_id
from corpus.document_schema import DOCUMENTS_SCHEMA, to_documents_batch
from corpus.errors import MAX_ERROR_CHARACTERS, describe_error, shorten_line
from corpus.extract import PAGE_MEDIA_TYPES, ExtractedText
from corpus.extract.opt_outs import find_opt_out_gate
from corpus.extract.process.calls import borrow_caller, call_each, make_call
from corpus.extract.process.supervised import JobValues, Parser, RejectedRecord, borrow_parser
from corpus.filters.url import find_url_gate
from corpus.groups import registered_domain
from corpus.ledger.quarantine import QuarantineWriter, replace_surrogates
from corpus.pipelines.beam.fanout import PipelineBuilder, fan_out_pipeline
from corpus.pipelines.beam.options import Running
from corpus.pipelines.context import Tools, load_tools, tools_to_json
from corpus.pipelines.measure import list_windows, measure_in_parser, measure_pages, signal_schema, to_signals
from corpus.progress import count_documents, count_earlier
from corpus.sources import is_plugin_kind
from corpus.sources.input_split import InputSplit
from corpus.sources.plugin_source import read_watched
from corpus.sources.source import Source
from corpus.storage.part_writer import (
    PART_GROUP_BYTES,
    PART_GROUP_ROWS,
    PartWriter,
    count_rows,
    read_fingerprint,
)
from corpus.text.page import Page
from corpus.web.block_lists.address_lists import AddressLists
from corpus.workspace import Workspace

StartedDocument = tuple[Document, Record]
RowGroupChunk = tuple[pa.RecordBatch | None, list[Page | None], pa.Array]
"""A row group: its documents if they are to be written; a page for each, None if a gate stopped it; their origins."""

IDENTIFY_CALL = "corpus.languages.identify:identify_record"


class IngestParts:
    """Ingest one input split per call; yield one line of JSON about it. Picklable: it holds strings only."""

    def __init__(self, root: str, tools_json: str) -> None:
        self.root, self.tools_json = root, tools_json

    def __call__(self, item: str) -> Iterator[str]:
        split = InputSplit.from_json(item)
        rows = ingest_part(Workspace(self.root), load_tools(self.tools_json), split)
        yield json.dumps({"source": split.source, "split": split.name, "rows": rows})


class RecordsAtWork:
    """A context that adds to an error which records were at work: those of a row group, or those that follow it."""

    def __init__(self) -> None:
        self.origins: pa.Array | None = None

    def __enter__(self) -> RecordsAtWork:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or self.origins is None or not len(self.origins):
            return
        first, last = self.origins[0].as_py(), self.origins[-1].as_py()
        error.add_note(
            f"at the records from {first['file']} offset {first['offset']} to {last['offset']} or the next"
        )


def ingest_part(workspace: Workspace, tools: Tools, split: InputSplit) -> int:
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
        count_earlier(count_rows(documents_path))
        return -1
    if not stored or tools.text_rules is not None:
        # Other documents may come (a remote file that is whole now); or some stored ones have no text to be measured.
        stored, missing, sign = False, list(steps), signatures is not None
    with ExitStack() as stack:
        at_work = stack.enter_context(RecordsAtWork())
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
        quarantines = {
            step: stack.enter_context(
                QuarantineWriter(
                    workspace.quarantine_part(split.source, split.name, step),
                    split.source,
                    split.name,
                    steps[step],
                )
            )
            for step in missing
            if step in tools.calls
        }
        signature_writer = None
        if sign and tools.signatures is not None and signatures is not None:
            signature_writer = stack.enter_context(
                SignatureWriter(signatures_path, tools.signatures.schema, signatures)
            )
        writer = None
        chunks: Iterator[RowGroupChunk]
        if stored:
            chunks = read_stored_chunks(documents_path)
        else:
            writer = stack.enter_context(PartWriter(documents_path, DOCUMENTS_SCHEMA, documents))
            chunks = read_fresh_chunks(workspace, tools, split, documents)
        rows = 0
        for documents_batch, pages, origins in chunks:
            rows += len(pages)
            at_work.origins = origins
            if stored:
                count_documents(len(pages))
            values = {
                step: np.full((len(pages), len(tools.filters[step].signals)), np.nan, np.float32)
                for step in writers
            }
            for first, last in list_windows(pages):
                batch = pages[first:last]
                measure_pages(tools, batch, first, values)
                if quarantines:
                    measure_in_parser(tools, split, batch, first, origins, values, quarantines)
                if signature_writer is not None and tools.signatures is not None:
                    words = [page.words if page is not None else None for page in batch]
                    languages = [page.language if page is not None else None for page in batch]
                    signature_writer.write(tools.signatures.signatures(words, languages))
                # Their arrays go before the next come.
                pages[first:last] = [None] * len(batch)
            signals = {step: to_signals(tools.filters[step], table) for step, table in values.items()}
            for step, step_writer in writers.items():
                step_writer.write(signals[step])
            if writer is not None and documents_batch is not None:
                if tools.text_rules is not None:
                    documents_batch = tools.text_rules.kept(documents_batch, signals.values(), split.source)
                writer.write(documents_batch)
        tools.check_plugins()
    return rows


def read_stored_chunks(path: str) -> Iterator[RowGroupChunk]:
    """Yield the pages of a documents part, a row group at a time; None for rows that a gate stopped."""
    with storage.open_input(path) as stream:
        part = pq.ParquetFile(stream)
        for group in range(part.num_row_groups):
            table = part.read_row_group(group, columns=["text", "language", "url", "origin"])
            rows = table.select(["text", "language", "url"]).to_pylist()
            pages = [
                Page(row["text"], row["language"], row["url"]) if row["text"] is not None else None
                for row in rows
            ]
            yield None, pages, table.column("origin").combine_chunks()


def read_fresh_chunks(
    workspace: Workspace, tools: Tools, split: InputSplit, made_by: str
) -> Iterator[RowGroupChunk]:
    """Read an input split from its source: write its quarantine, yield documents and pages by row group."""
    documents: list[Document] = []
    held = 0
    path = workspace.quarantine_part(split.source, split.name)
    with QuarantineWriter(path, split.source, split.name, made_by) as quarantine:
        for outcome in process_records(tools, split):
            if isinstance(outcome, Failure):
                quarantine.add(outcome)
                continue
            documents.append(outcome)
            count_documents(1)
            held += len(outcome.text or "")
            if len(documents) >= PART_GROUP_ROWS or held >= PART_GROUP_BYTES:
                yield make_row_group(documents)
                documents, held = [], 0
        if documents:
            yield make_row_group(documents)


def make_row_group(documents: list[Document]) -> RowGroupChunk:
    batch = to_documents_batch(documents)
    return batch, [make_page(document) for document in documents], batch.column("origin")


def process_records(tools: Tools, split: InputSplit, most: int | None = None) -> Iterator[Document | Failure]:
    """Yield the document or failure of every record of an input split, or of the first `most`, in order."""
    budgets = tools.budgets(split)
    with borrow_parser(tools.extraction_mode, budgets, tools.extraction_jobs) as parsing:
        answers = parsing.extract_each(islice(read_records(tools, split), most))
        if tools.identifier_plugin is not None:
            with borrow_caller(budgets) as caller:
                yield from identify_in_parser(tools, tools.identifier_plugin, caller, answers)
            return
        for beginning, answer in answers:
            if isinstance(beginning, Failure):
                yield beginning
                continue
            document, record = beginning
            if not isinstance(answer, ExtractedText | None):
                yield make_failure(record, "extract", *describe_rejection(answer))
                continue
            try:
                yield finish_document(document, record.language, answer, tools)
            except Exception as error:
                yield make_failure(record, "language", "damaged", describe_error(error))


def describe_rejection(answer: RejectedRecord | JobValues) -> tuple[str, str]:
    """Return (reason, error) of an answer that is no extraction."""
    if isinstance(answer, RejectedRecord):
        return answer.reason, answer.error
    return "damaged", "the parser returned values, not a text"


ParserAnswer = tuple[StartedDocument | Failure, ExtractedText | RejectedRecord | JobValues | None]


def identify_in_parser(
    tools: Tools, plugin: str, caller: Parser, answers: Iterable[ParserAnswer]
) -> Iterator[Document | Failure]:
    """Yield the document or failure of every record; a plug-in identifies the language in the process that parses."""

    def calls() -> Iterator[tuple[tuple[StartedDocument, str] | Failure, Record | None]]:
        for beginning, answer in answers:
            if isinstance(beginning, Failure):
                yield beginning, None
                continue
            document, record = beginning
            if not isinstance(answer, ExtractedText | None):
                yield make_failure(record, "extract", *describe_rejection(answer)), None
                continue
            try:
                text = add_extraction(document, answer, tools.manifest.opt_outs)
            except Exception as error:
                yield make_failure(record, "language", "damaged", describe_error(error)), None
                continue
            hint = record.language or (answer.language if answer is not None else None)
            yield ((document, record), text), make_call(IDENTIFY_CALL, [plugin], text, hint) if text else None

    for outcome, answer in call_each(caller, calls()):
        if isinstance(outcome, Failure):
            yield outcome
            continue
        (document, record), text = outcome
        if isinstance(answer, RejectedRecord):
            yield make_failure(record, "language", answer.reason, answer.error)
        else:
            yield add_language(document, text, answer[0], tools) if answer is not None else document


def read_records(
    tools: Tools, split: InputSplit
) -> Generator[tuple[StartedDocument | Failure, Record | None], None, None]:
    """Yield every record of an input split as a document without text, with the record to parse if no gate stops it.

    Sources may raise any exception on hostile input: the rest of the file, or of the split's part of it, is then one
    failure with its offset.
    """
    source, seconds = tools.source(split), tools.budgets(split).wall_seconds
    for piece in split.pieces:
        yield from read_piece(source, piece, seconds, tools.lists)


def read_piece(
    source: Source, split: InputSplit, seconds: float, lists: AddressLists | None = None
) -> Generator[tuple[StartedDocument | Failure, Record | None], None, None]:
    """Yield the records of a split of one file, as `read_records` does. A plug-in has `seconds` for each."""
    if split.error is not None:
        message = shorten_line(split.error, MAX_ERROR_CHARACTERS)
        yield Failure(file=split.file, offset=0, length=0, step="read", error=message, reason="remote"), None
        return
    if is_plugin_kind(source.kind):
        options, place = source.model_dump(mode="json"), (split.path, split.file, split.start, split.end)
        records = read_watched(source.kind, options, place, seconds)
    else:
        records = source.read(split.path, split.file, split.start, split.end)
    at, unread = split.start, storage.count_failed_reads()
    while True:
        try:
            record = next(records, None)
        except Exception as error:
            length, message = max(0, split.end - at), describe_error(error)
            reason = "damaged"
            if is_plugin_kind(source.kind):
                message = shorten_line(str(error), MAX_ERROR_CHARACTERS)
                crashed = "crash" if isinstance(error, ChildProcessError) else "damaged"
                reason = "time" if isinstance(error, TimeoutError) else crashed
            record = Failure(
                file=split.file, offset=at, length=length, step="read", error=message, reason=reason
            )
            records = iter(())
        if record is None:
            return
        if isinstance(record, Failure):
            if storage.count_failed_reads() > unread:
                record.reason, unread = "remote", storage.count_failed_reads()
            yield record, None
            continue
        at = record.offset
        try:
            document = start_document(record, split.source, lists)
        except Exception as error:
            yield make_failure(record, "read", "damaged", describe_error(error)), None
            continue
        yield (document, record), record if document.gate is None else None


def make_failure(record: Record, step: str, reason: str, error: str) -> Failure:
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


def make_page(document: Document) -> Page | None:
    if document.text is None:
        return None
    return Page(document.text, document.language, document.url, language_score=document.language_score)


def start_document(record: Record, source: str, lists: AddressLists | None = None) -> Document:
    """Return a record as a document without text, with the gate that stops it if there is one."""
    document = Document(
        id=document_id(source, record.native_id),
        file=replace_surrogates(record.file),
        offset=record.offset,
        length=record.length,
        url=replace_surrogates(record.url) if record.url else None,
        date=replace_surrogates(record.date) if record.date else None,
        snapshot=replace_surrogates(record.snapshot) if record.snapshot else record.snapshot,
        license=replace_surrogates(record.license) if record.license else record.license,
        opt_out=replace_surrogates(record.opt_out) if record.opt_out else None,
        group=record.group or (registered_domain(record.url) if record.url else None),
        metadata={
            replace_surrogates(name): replace_surrogates(value) for name, value in record.metadata.items()
        },
        gate=replace_surrogates(record.gate) if record.gate else record.gate,
    )
    document.group = replace_surrogates(document.group) if document.group is not None else document.id
    if document.gate is None and document.url is not None and record.media_type in PAGE_MEDIA_TYPES:
        document.gate = find_url_gate(document.url, lists)
    return document


def finish_document(
    document: Document, language: str | None, extracted: ExtractedText | None, tools: Tools
) -> Document:
    """Add the extracted text and its language to a document (`language`: as the source states it)."""
    text = add_extraction(document, extracted, tools.manifest.opt_outs)
    if not text or extracted is None:
        return document
    label, document.language_score = tools.identifier.identify(text, language or extracted.language)
    return add_language(document, text, label, tools)


def add_extraction(
    document: Document, extracted: ExtractedText | None, opt_outs: Collection[str] = ()
) -> str:
    """Add what was extracted to a document, but for the text; return that, "" if a gate stops the document.

    `opt_outs` are the kinds of `corpus.extract.opt_outs` that stop a document.
    """
    if document.gate is not None:
        return ""
    if extracted is None:
        document.gate = "extract.empty"
        return ""
    if extracted.opt_out is not None:
        document.opt_out = replace_surrogates(extracted.opt_out) or None
    text = replace_surrogates(extracted.text)
    document.license = document.license or (
        replace_surrogates(extracted.license) if extracted.license else None
    )
    document.date = document.date or (replace_surrogates(extracted.date) if extracted.date else None)
    document.metadata |= {
        replace_surrogates(name): replace_surrogates(value) for name, value in extracted.metadata.items()
    }
    if extracted.url is not None and extracted.url != document.url:
        document.metadata["captured_url"] = document.url or ""
        document.url = replace_surrogates(extracted.url)
    document.gate = find_opt_out_gate(document.opt_out, opt_outs) or (
        replace_surrogates(extracted.gate) if extracted.gate is not None else None
    )
    return text if document.gate is None else ""


def add_language(document: Document, text: str, language: str, tools: Tools) -> Document:
    """Add a text and its language to a document, unless the language is not wanted."""
    if not is_wanted(language, tools.manifest.languages):
        document.language = language
        document.gate = "language.unwanted"
        return document
    document.text, document.language, document.content_hash = text, language, content_hash(text)
    return document


def is_wanted(language: str, languages: str | list[str]) -> bool:
    """Return whether a label is among the wanted ones; `cmn` stands for all its scripts."""
    return languages == "all" or language in languages or language.partition("_")[0] in languages


def order_splits(splits: Iterable[InputSplit]) -> list[InputSplit]:
    """Return splits in the order in which they are started: the largest first."""
    return sorted(splits, key=lambda split: (split.start - split.end, split.source, split.name))


def ingest_pipeline(
    root: str, tools: Tools, splits: Iterable[InputSplit], running: Running, claims: str | None
) -> PipelineBuilder:
    """Return a function that builds the ingest pipeline over `splits`, largest first; one line of JSON per split."""
    items = [split.to_json() for split in order_splits(splits)]
    return fan_out_pipeline("Ingest", items, IngestParts(root, tools_to_json(tools)), running, claims)
