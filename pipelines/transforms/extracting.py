"""Extract the text of records, in a supervised process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from corpus.document import Document, Record
from corpus.errors import UserError, describe_error
from corpus.extract import DEFAULT_MODE, ExtractedText
from corpus.extract.process.supervised import borrow_parser
from corpus.manifest import Extraction, Manifest
from corpus.pipelines.beam.types import PCollection, Transform, par_do_tagged, tag_output
from corpus.pipelines.context import Tools, load_tools, tools_to_json
from corpus.pipelines.ingest import add_extraction, describe_rejection, make_failure
from corpus.pipelines.transforms.batches import BatchedWork
from corpus.pipelines.transforms.elements import DocumentRow, FailureRow, RecordRow, to_failure, to_row
from corpus.pipelines.transforms.reading import FAILURES, as_failures, explain
from corpus.sources import source_class


class DocumentsExtracted(NamedTuple):
    """What `Extract` gives: two collections."""

    documents: PCollection[DocumentRow]
    failures: PCollection[FailureRow]


class Extract(Transform):
    """Extract the text of records: to `DocumentsExtracted(documents, failures)`, one of the two for each record.

    Needs `id`, `body` and `media_type`; see `RecordRow` for the rest. `mode` and the budgets (`max_bytes`,
    `max_text`, `max_tags`, `max_depth`, `memory`, `seconds`) are those of a manifest's `extraction`. A gated record,
    and one without text, becomes a document with its `gate` and no text. One that crashes its parser or
    exceeds a budget is a failure, and costs only itself: every worker has a parser in a process of its own.

    Raises UserError, in one line, for a wrong option. Memory: a batch of 256 records or 16 MiB, and a parser.
    """

    def __init__(self, mode: str = DEFAULT_MODE, **budgets: Any) -> None:
        super().__init__()
        try:
            extraction = Extraction.model_validate({"mode": mode, **budgets})
        except ValidationError as error:
            raise UserError(explain(error, "Extract")) from None
        source = source_class("text").model_validate({"kind": "text", "paths": ["-"]})
        manifest = Manifest(name="extract", sources={"none": source}, extraction=extraction)
        self.tools_json = tools_to_json(Tools(manifest))

    def expand(self, records: PCollection[Any]) -> Any:
        output = records | "Parse" >> par_do_tagged(_ParseRecords(self.tools_json), DocumentRow, FAILURES)
        return DocumentsExtracted(output.main, output[FAILURES] | "Failures" >> as_failures())


class _ParseRecords(BatchedWork):
    def __init__(self, tools_json: str) -> None:
        self.tools_json = tools_json

    def setup(self) -> None:
        self.tools = load_tools(self.tools_json)

    def weigh(self, element: Any) -> int:
        return len(to_row(RecordRow, element, "body").body)

    def work(self, elements: Sequence[Any]) -> Iterator[object]:
        extraction = self.tools.manifest.extraction
        rows = (to_row(RecordRow, element, "body") for element in elements)
        mode = self.tools.extraction_mode
        with borrow_parser(mode, extraction.budgets, self.tools.extraction_jobs) as parsing:
            for (row, record), answer in parsing.extract_each(map(_begin, rows)):
                if not isinstance(answer, ExtractedText | None):
                    failure = make_failure(record, "extract", *describe_rejection(answer))
                    yield tag_output(FAILURES, to_failure(failure))
                    continue
                try:
                    outcome: object = _finish_row(row, answer)
                except Exception as error:
                    failure = make_failure(record, "extract", "damaged", describe_error(error))
                    outcome = tag_output(FAILURES, to_failure(failure))
                yield outcome


def _begin(row: RecordRow) -> tuple[tuple[RecordRow, Record], Record | None]:
    """Return a row with its record, and the record once more if it is to be parsed."""
    record = Record(
        native_id=row.id,
        file=row.file,
        offset=row.offset,
        length=row.length,
        media_type=row.media_type,
        body=row.body.decode("utf-8", "surrogatepass") if row.is_text else row.body,
        url=row.url,
        date=row.date,
        snapshot=row.snapshot,
        license=row.license,
        opt_out=row.opt_out,
        group=row.group,
        charset=row.charset,
        language=row.language,
        metadata=dict(row.metadata),
        gate=row.gate,
    )
    return (row, record), record if row.gate is None else None


def _finish_row(row: RecordRow, extracted: ExtractedText | None) -> DocumentRow:
    """Return the document of a record with what was extracted from it."""
    document = Document(
        id=row.id,
        file=row.file,
        offset=row.offset,
        length=row.length,
        url=row.url,
        date=row.date,
        snapshot=row.snapshot,
        license=row.license,
        opt_out=row.opt_out,
        group=row.group,
        metadata=dict(row.metadata),
        gate=row.gate,
    )
    text = add_extraction(document, extracted)
    return DocumentRow(
        id=document.id,
        text=text or None,
        gate=document.gate,
        url=document.url,
        date=document.date,
        snapshot=document.snapshot,
        license=document.license,
        opt_out=document.opt_out,
        group=document.group,
        metadata=document.metadata,
        language_hint=row.language or (extracted.language if extracted is not None else None),
        file=document.file,
        offset=document.offset,
        length=document.length,
        priority=row.priority,
    )
