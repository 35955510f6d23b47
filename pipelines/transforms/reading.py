"""Read the records of a source."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import apache_beam as beam
from pydantic import ValidationError

from corpus.document import Document, Failure, Record
from corpus.errors import UserError
from corpus.manifest import Manifest
from corpus.manifest import load_source as load_manifest_source
from corpus.pipelines.beam.types import (
    PCollection,
    Transform,
    create,
    flat_map,
    group_by_key,
    map_each,
    par_do_tagged,
    tag_output,
)
from corpus.pipelines.context import Tools, load_tools, tools_to_json
from corpus.pipelines.ingest import read_records
from corpus.pipelines.transforms.elements import FailureRow, RecordRow, to_failure
from corpus.sources.input_split import UNREADABLE, InputSplit
from corpus.sources.inputs import list_files
from corpus.sources.source import Source
from corpus.storage import File, RemoteError, is_remote
from corpus.suggestions import describe_wrong_value

FAILURES = "failures"
"""The tag of what could not be read or parsed."""


class RecordsRead(NamedTuple):
    """What `ReadRecords` gives: two collections."""

    records: PCollection[RecordRow]
    failures: PCollection[FailureRow]


LOCAL_RUNNERS = frozenset(
    {"FnApiRunner", "DirectRunner", "SwitchingDirectRunner", "BundleBasedDirectRunner", "PrismRunner"}
)
"""Beam's runners whose workers see the files of this machine."""


class ReadRecords(Transform):
    """Read the records of a source: a Pipeline to `RecordsRead(records, failures)`.

    `source` is a source as in a manifest: `{"kind": "warc", "paths": ["crawl/*.warc.gz"]}` (`corpus docs manifest`),
    with relative paths from the current folder. `name` is what a manifest calls it: ids are hashes of it and of the
    source's own ids, so with the same name they are those of a build. Files are cut into splits of about `split_size`
    bytes, read by as many workers as there are.

    Raises UserError, in one line, for a wrong option. Files are listed by a worker, and each is planned by the
    one it is dealt to, so that the pipeline's size does not depend on their number: paths that name nothing
    fail the pipeline. A remote file that cannot be reached is a failure, as is every damaged place: what is
    behind it is read where the format allows. Memory: one record, or what the format holds at a time.
    """

    def __init__(
        self, source: Mapping[str, Any], name: str = "records", split_size: int | str = 16_000_000
    ) -> None:
        super().__init__()
        loaded = load_source(name, source)
        try:
            manifest = Manifest.model_validate(
                {"name": "records", "sources": {name: loaded}, "split_size": split_size}
            )
        except ValidationError as error:
            raise UserError(explain(error, "ReadRecords")) from None
        self.tools_json = tools_to_json(Tools(manifest))
        self.source = loaded

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        if type(start.pipeline.runner).__name__ in LOCAL_RUNNERS:
            check_source_files(self.source)
        deal = tuple[int, str]
        output = (
            start
            | "Source" >> create([os.getcwd()], str)
            | "List files" >> flat_map(list_source_files, self.tools_json, output=deal)
            | "Deal files" >> group_by_key()
            | "Plan splits" >> flat_map(plan_source_files, self.tools_json, output=deal)
            | "Deal splits" >> group_by_key()
            | "Read" >> par_do_tagged(_ReadSplits(self.tools_json), RecordRow, FAILURES)
        )
        return RecordsRead(output.main, output[FAILURES] | "Failures" >> as_failures())


def as_failures() -> Transform:
    """Return the transform that types a tagged output: Beam knows no type of its elements and would pickle them."""
    return map_each(_same, output=FailureRow)


def _same(element: object) -> object:
    return element


def load_source(name: str, options: Mapping[str, Any]) -> Source:
    """Return a source from its options in a manifest. Raises UserError in one line."""
    try:
        source = load_manifest_source(name, options, os.getcwd())
    except UserError as error:
        raise UserError(f"ReadRecords: {error}", error.path) from None
    try:
        source.prepare(None)
    except UserError as error:
        raise UserError(f"ReadRecords: {'.'.join(map(str, error.path))}: {error}") from None
    return source


def check_source_files(source: Source) -> None:
    """Raise UserError, in one line, if a local path of a source names no file here. URLs are left to the workers."""
    local = [path for path in source.paths if not is_remote(path.removeprefix("@"))]
    try:
        list_files(local, os.getcwd(), source.base, source.folders)
    except UserError as error:
        raise UserError(f"ReadRecords: {error}", error.path) from None


def explain(error: ValidationError, transform: str) -> str:
    """Return the first of pydantic's errors in one line."""
    problem = error.errors()[0]
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{transform} has no option {key!r}"
    return f"{transform}: {key}: {describe_wrong_value(problem)} (it is {problem['input']!r})"


def _only_source(tools_json: str) -> tuple[str, Source, int]:
    """Return (name, source, split size) of tools with one source."""
    manifest = load_tools(tools_json).manifest
    ((name, source),) = manifest.sources.items()
    return name, source, int(manifest.split_size)


def list_source_files(folder: str, tools_json: str) -> Iterator[tuple[int, str]]:
    """Yield (number, file as JSON) of every file of the source, its relative paths taken from `folder`."""
    _, source, _ = _only_source(tools_json)
    for number, file in enumerate(list_files(source.paths, folder, source.base, source.folders)):
        yield number, json.dumps(asdict(file))


def plan_source_files(element: tuple[int, Iterable[str]], tools_json: str) -> Iterator[tuple[int, str]]:
    """Yield (a number of its own, split as JSON) of every split of some files."""
    name, source, split_size = _only_source(tools_json)
    for text in element[1]:
        file = File(**json.loads(text))
        splits = []
        error = file.error
        if error is None:
            try:
                ranges = source.plan(file.path, file.size, split_size)
                splits = [InputSplit(name, file.path, file.name, *each, "") for each in ranges]
            except RemoteError as failure:
                error = str(failure)
        if error is not None:
            splits = [InputSplit(name, file.path, file.name, 0, 0, UNREADABLE, error)]
        for split in splits:
            yield int(split.name, 16) >> 1, split.to_json()


class _ReadSplits(beam.DoFn):
    def __init__(self, tools_json: str) -> None:
        self.tools_json = tools_json

    def setup(self) -> None:
        self.tools = load_tools(self.tools_json)
        ((_, source),) = self.tools.manifest.sources.items()
        self.priority = source.priority

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[Any]:
        for text in element[1]:
            for beginning, _ in read_records(self.tools, InputSplit.from_json(text)):
                if isinstance(beginning, Failure):
                    yield tag_output(FAILURES, to_failure(beginning))
                else:
                    yield to_record_row(*beginning, self.priority)


def to_record_row(document: Document, record: Record, priority: int) -> RecordRow:
    """Return a record as a row, with what is known of its document."""
    is_text = isinstance(record.body, str)
    body = record.body.encode("utf-8", "surrogatepass") if isinstance(record.body, str) else record.body
    return RecordRow(
        id=document.id,
        body=body if document.gate is None else b"",
        media_type=record.media_type,
        is_text=is_text,
        charset=record.charset,
        language=record.language,
        url=document.url,
        date=document.date,
        snapshot=document.snapshot,
        license=document.license,
        opt_out=document.opt_out,
        group=document.group,
        metadata=document.metadata,
        gate=document.gate,
        file=document.file,
        offset=document.offset,
        length=document.length,
        priority=priority,
    )
