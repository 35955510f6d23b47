"""Find the share of validation of every language, from the documents that are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from corpus import storage
from corpus.pipelines.beam.fanout import fan_out
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.plan_files import write_manifest
from corpus.pipelines.build.run import Build
from corpus.pipelines.decide import Judge, judge_split, read_columns, read_removed, write_lines
from corpus.storage.part_writer import read_documents_fingerprint, read_fingerprint
from corpus.validation import (
    Shares,
    Units,
    Validation,
    choose_shares,
    count_leaving,
    gather_units,
    merge_units,
)
from corpus.workspace import Workspace

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection

UNITS_FILE = "validation-units.json"


def find_shares(build: Build, judge: Judge, clusters: str | None) -> Shares:
    """Return the shares of validation, and write them into manifest.yaml.

    Says which documents that the last build held out would now be trained on. Cost: another pass over the signals that
    rules use; none without validation.
    """
    plan, workspace = build.plan, build.workspace
    options = plan.file.manifest.validation
    before = build.held_before
    units: dict[str, Units] = {}
    if options.share:
        path = workspace.path(UNITS_FILE)
        storage.remove(path)
        work = UnitParts(workspace.root, judge, clusters, options, before)
        running = build.for_stage("decide")
        build.run(
            "validation",
            lambda claims: units_pipeline(work, plan.names, path, running, claims),
            len(plan.names),
            running=running,
        )
        lines = json.loads(storage.read_text(path)) if storage.exists(path) else []  # none if nothing is kept
        units = {label: Units.unpack(bytes.fromhex(packed)) for label, packed in lines}
        storage.remove(path)
    shares = choose_shares(units, options)
    _report_leaving(build, units, shares, before)
    write_manifest(workspace, plan.file.manifest, shares)
    return shares


def _report_leaving(build: Build, units: dict[str, Units], shares: Shares, before: Shares | None) -> None:
    leaving = count_leaving(units, shares, build.plan.file.manifest.validation)
    if not leaving or before is None:
        return
    total = sum(leaving.values())
    named = ", ".join(f"{label} {count:,}" for label, count in list(leaving.items())[:5])
    more = f" and {len(leaving) - 5} more languages" if len(leaving) > 5 else ""
    first = next(iter(leaving))
    share = before.of(first)
    build.say(
        f"validation: {total:,} {'document' if total == 1 else 'documents'} that the last build held out would now be "
        f"trained on ({named}{more}): to keep them out, pin the shares of their languages, such as "
        f"`validation: {{languages: {{{first}: {{share: {share.share:g}, by: {share.by}}}}}}}`"
    )


class UnitParts:
    """Yield the packed units of the kept documents of an input split, by language. Picklable."""

    def __init__(
        self, root: str, judge: Judge, clusters: str | None, options: Validation, before: Shares | None
    ) -> None:
        self.root, self.judge, self.clusters = root, judge, clusters
        self.options, self.before = options, before

    def __call__(self, item: str) -> Iterator[tuple[str, bytes]]:
        source, split = json.loads(item)
        workspace = Workspace(self.root)
        held = self._read_held(workspace, source, split) if self.before is not None else None
        removed = np.array([row["row"] for row in read_removed(self.clusters, source, split)], np.int64)
        first = 0
        by_label: dict[str, list[Units]] = {}
        for group in judge_split(workspace, self.judge, source, split):
            rows = np.flatnonzero(group.passes)
            rows = rows[~np.isin(rows + first, removed)]
            documents = group.documents.take(rows)
            mine = held[rows + first] if held is not None else np.zeros(len(rows), np.bool_)
            first += group.documents.num_rows
            for label, units in gather_units(documents, self.options, mine).items():
                by_label.setdefault(label, []).append(units)
        for label, several in by_label.items():
            yield label, merge_units(several, self.options).pack()

    @staticmethod
    def _read_held(workspace: Workspace, source: str, split: str) -> npt.NDArray[np.bool_] | None:
        """Return which documents the last build held out; None for an input split that is new or was read again."""
        decisions = workspace.part("decisions", source, split)
        made_from = read_documents_fingerprint(decisions)
        if made_from is None or made_from != read_fingerprint(workspace.part("documents", source, split)):
            return None
        sides = read_columns(decisions, ["split"]).column("split")
        held: npt.NDArray[np.bool_] = pc.fill_null(pc.equal(sides, "valid"), False).to_numpy()
        return held


class MergeUnits:
    """Merge the packed units of one language: see `combine_per_key`."""

    def __init__(self, options: Validation) -> None:
        self.options = options

    def create_accumulator(self) -> list[bytes]:
        return []

    def add_input(self, accumulator: list[bytes], element: bytes) -> list[bytes]:
        return self._merge([*accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[list[bytes]]) -> list[bytes]:
        return self._merge([packed for accumulator in accumulators for packed in accumulator])

    def extract_output(self, accumulator: list[bytes]) -> bytes:
        return accumulator[0]

    def _merge(self, packed: Sequence[bytes]) -> list[bytes]:
        return [merge_units([Units.unpack(each) for each in packed], self.options).pack()] if packed else []


def units_pipeline(
    work: UnitParts, splits: Sequence[tuple[str, str]], path: str, running: Running, claims: str | None
) -> Callable[[beam.Pipeline], PCollection[str]]:
    """Return a function that builds the pipeline that writes (language, units in hexadecimal) to `path`."""
    from corpus.pipelines.beam.types import combine_per_key, flat_map, group_by_key, map_each

    items = [json.dumps(split) for split in splits]

    def build(start: beam.Pipeline) -> PCollection[str]:
        written: PCollection[str] = (
            start
            | "Units" >> fan_out(items, work, running, claims, tuple[str, bytes])
            | "Merge" >> combine_per_key(MergeUnits(work.options), tuple[str, bytes])
            | "Line" >> map_each(_write_line, output=tuple[int, str])
            | "Together" >> group_by_key()
            | "Write" >> flat_map(write_lines, path, output=str)
        )
        return written

    return build


def _write_line(element: tuple[str, bytes]) -> tuple[int, str]:
    return 0, json.dumps([element[0], element[1].hex()])
