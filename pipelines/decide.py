"""Decide on every document from stored signals, duplicates and the validation share; write decisions and counts.

This module reads no text: decisions are made from signals and the small columns of documents, so thresholds
can change without reading the input again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.dedup.removed import Clusters, read_sizes
from corpus.document_schema import DECISIONS_SCHEMA
from corpus.holding import ITEMS_SIGNAL, VALIDATION_FAILURE
from corpus.languages.labels import UNKNOWN_LABEL
from corpus.ledger.counts import PART_SCHEMA, PartCounts, find_undated
from corpus.pipelines.beam.fanout import PipelineBuilder, fan_out, fan_out_pipeline
from corpus.pipelines.beam.options import Running
from corpus.progress import count_documents, count_earlier
from corpus.rules.rule import CLUSTER_SIZE, Rule, RuleSet, compute_threshold
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, check_beside, count_rows, read_fingerprint
from corpus.validation import Shares, name_sides
from corpus.workspace import Workspace

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection

VERSION = 5
"""Increased when the same signals would give other decisions or counts."""
DECISION_COLUMNS = [
    "id",
    "content_hash",
    "url",
    "snapshot",
    "language",
    "license",
    "group",
    "gate",
    "characters",
    "bytes",
]
"""Document columns that decisions need: everything but the text."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What decisions depend on, apart from duplicates: rules, the measured steps, seed and thresholds.

    `engines` is whether documents say which engine read them, `dates` whether dates of rows may be unread: then their
    metadata is read, to count them.
    """

    rules: RuleSet
    steps: tuple[str, ...]
    seed: int
    thresholds: Mapping[tuple[str, str], float]
    engines: bool = False
    dates: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """Return all of it, for fingerprints."""
        thresholds = sorted(
            [signal, language, value] for (signal, language), value in self.thresholds.items()
        )
        return {
            "decide": VERSION,
            "rules": self.rules.parameters(),
            "seed": self.seed,
            "thresholds": thresholds,
            **({"engines": True} if self.engines else {}),
            **({"dates": True} if self.dates else {}),
        }


@dataclass(frozen=True)
class RowGroup:
    """One row group of an input split: columns without text, failed rules, rows that passed gates and rules."""

    documents: pa.Table
    failed: pa.Array
    passes: npt.NDArray[np.bool_]
    signals: pa.Table


def judge_split(
    workspace: Workspace, judge: Judge, source: str, split: str, *, all_signals: bool = False
) -> Iterator[RowGroup]:
    """Yield the row groups of an input split with the rules applied; `signals` are those the rules use, or all.

    Memory: one row group without its text.
    """
    documents = pq.ParquetFile(storage.open_input(workspace.part("documents", source, split)))
    wanted = set(judge.rules.signals(source))
    more = ["metadata"] if judge.engines or judge.dates else []
    small = [*DECISION_COLUMNS, *([*more, *(["date"] if judge.dates else [])] if all_signals else [])]
    if all_signals and "opt_out" in documents.schema_arrow.names:
        small.append("opt_out")
    steps = [
        pq.ParquetFile(storage.open_input(workspace.part(f"signals/{step}", source, split)))
        for step in judge.steps
    ]
    try:
        for step, file in zip(judge.steps, steps, strict=True):
            check_beside(documents, file, f"signals of {step} of input split {split} of {source}")
        for group in range(documents.num_row_groups):
            light = documents.read_row_group(group, columns=small, use_threads=False)
            if all_signals and judge.dates:
                undated = find_undated(light.column("date"), light.column("metadata"))
                light = light.drop_columns(["date"] if judge.engines else ["date", "metadata"])
                light = light.append_column("undated", undated)
            count_documents(light.num_rows)
            signals: dict[str, pa.ChunkedArray] = {}
            for step in steps:
                columns = [name for name in step.schema_arrow.names if all_signals or name in wanted]
                if columns:
                    table = step.read_row_group(group, columns=columns, use_threads=False)
                    signals.update(zip(table.column_names, table.columns, strict=True))
            table = pa.table(signals) if signals else pa.table({"": pa.nulls(light.num_rows)})
            failed, passes = judge.rules.early().evaluate(
                table,
                light.column("language"),
                source,
                gates=light.column("gate"),
                ids=light.column("id"),
                seed=judge.seed,
                thresholds=judge.thresholds,
            )
            yield RowGroup(light, failed, passes, table)
    finally:
        for file in [documents, *steps]:
            file.close(force=True)


class ScoreParts:
    """Yield, for every signal with a `top_share` rule, the packed scores of an input split's texts by language.

    `signals` maps each such signal to the sources that the rule is for.
    """

    def __init__(self, root: str, signals: Mapping[str, Collection[str]]) -> None:
        self.root, self.signals = root, signals

    def __call__(self, item: str) -> Iterator[tuple[str, bytes]]:
        source, split = json.loads(item)
        workspace = Workspace(self.root)
        documents = read_columns(workspace.part("documents", source, split), ["language"])
        languages = pc.fill_null(documents.column("language"), "").combine_chunks().dictionary_encode()
        codes = languages.indices.to_numpy()
        for signal in [signal for signal, sources in self.signals.items() if source in sources]:
            path = workspace.part(f"signals/{signal.partition('.')[0]}", source, split)
            scores = read_columns(path, [signal]).column(signal).to_numpy()
            measured = ~np.isnan(scores)
            for code, label in enumerate(languages.dictionary.to_pylist()):
                chosen = scores[measured & (codes == code)].astype("<f4")
                if len(chosen):
                    yield json.dumps([signal, label]), chosen.tobytes()


def read_columns(path: str, columns: list[str]) -> pa.Table:
    with storage.open_input(path) as stream:
        return pq.ParquetFile(stream).read(columns=columns, use_threads=False)


def _compute_share(element: tuple[str, Any], shares: dict[str, Rule]) -> Iterator[str]:
    """Turn (signal and language, packed scores) into a line of JSON: signal, language, threshold."""
    key, packed = element
    signal, language = json.loads(key)
    share = shares[signal].limit(language)
    if not np.isnan(share):
        scores = np.frombuffer(b"".join(packed), "<f4")
        yield json.dumps([signal, language, compute_threshold(scores, share)])


def write_lines(element: tuple[int, Any], path: str) -> Iterator[str]:
    """Write all lines, sorted, as one JSON file."""
    storage.write_text(path, json.dumps(sorted(json.loads(line) for line in element[1])))
    yield path


def thresholds_pipeline(
    root: str,
    shares: dict[str, Rule],
    sources: Mapping[str, Collection[str]],
    splits: list[tuple[str, str]],
    path: str,
    running: Running,
    claims: str | None,
) -> PipelineBuilder:
    """Return a function that builds the pipeline that writes the score at each language's top share to `path`.

    Memory: the scores of one language.
    """
    from corpus.pipelines.beam.types import flat_map, group_by_key, map_each

    work = ScoreParts(root, sources)
    items = [json.dumps(split) for split in splits]

    def build(start: beam.Pipeline) -> PCollection[str]:
        written: PCollection[str] = (
            start
            | "Scores" >> fan_out(items, work, running, claims, tuple[str, bytes])
            | "By language" >> group_by_key()
            | "Threshold" >> flat_map(_compute_share, shares, output=str)
            | "One key" >> map_each(lambda line: (0, line), output=tuple[int, str])
            | "Together" >> group_by_key()
            | "Write" >> flat_map(write_lines, path, output=str)
        )
        return written

    return build


class DecideParts:
    """Write the decisions and counts of one input split per call. Picklable."""

    def __init__(
        self, root: str, judge: Judge, shares: Shares, clusters: str | None, fingerprints: str
    ) -> None:
        self.root, self.judge, self.shares, self.clusters, self.given = (
            root,
            judge,
            shares,
            clusters,
            fingerprints,
        )

    def __call__(self, item: str) -> Iterator[str]:
        source, split = json.loads(item)
        rows = decide_part(
            Workspace(self.root), self.judge, self.shares, self.clusters, self.given, source, split
        )
        yield json.dumps({"source": source, "split": split, "rows": rows})


def read_removed(clusters: str | None, source: str, split: str) -> list[dict[str, Any]]:
    """Return the duplicates of an input split that are removed: `row`, `kept_id` and `level`, by row."""
    if clusters is None:
        return []
    table = Clusters(clusters)
    removed: list[dict[str, Any]] = (
        table.read_split(source, split).select(["row", "kept_id", "level"]).to_pylist()
    )
    table.close()
    return removed


def sizes_beside(clusters: str) -> str:
    """Return the path of the sizes that belong to a clusters file."""
    return f"{clusters.rpartition('/')[0]}/sizes.parquet"


def add_cluster_sizes(signals: pa.Table, kept: npt.NDArray[np.bool_], sizes: list[int]) -> pa.Table:
    """Append the signal `CLUSTER_SIZE`: of kept rows their size, of others null."""
    column = pa.array(np.array(sizes, np.float32), mask=~kept)
    return signals.append_column(CLUSTER_SIZE, column)


def apply_late_rules(
    judge: Judge, source: str, group: RowGroup, signals: pa.Table, kept: npt.NDArray[np.bool_]
) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Return the failed rules of a row group, and which rows stay, after the rules on what duplicates left."""
    rules = judge.rules.late()
    if not rules.rules[source]:
        return group.failed, kept
    others = pa.array(np.full(len(kept), "removed"), pa.string(), mask=kept)
    late, passes = rules.evaluate(signals, group.documents.column("language"), source, gates=others)
    early = group.failed.combine_chunks() if isinstance(group.failed, pa.ChunkedArray) else group.failed
    row = np.arange(len(kept))
    chosen = pa.array(np.where(kept, row + len(kept), row))
    return pa.concat_arrays([early, late.cast(early.type)]).take(chosen), kept & passes


def find_holding(signals: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which rows hold items of evaluation sets; none where these were not looked for."""
    if ITEMS_SIGNAL not in signals.column_names:
        return np.zeros(signals.num_rows, np.bool_)
    holding: npt.NDArray[np.bool_] = signals.column(ITEMS_SIGNAL).to_numpy() > 0
    return holding


def add_failures(failed: pa.Array | pa.ChunkedArray, rows: npt.NDArray[np.bool_]) -> pa.Array:
    """Add `VALIDATION_FAILURE` to the failed rules of some rows, which must not be validation."""
    names = failed.to_pylist()
    added = [
        sorted([*(each or []), VALIDATION_FAILURE]) if row else each
        for each, row in zip(names, rows.tolist(), strict=True)
    ]
    return pa.array(added, pa.list_(pa.string()))


def decide_part(
    workspace: Workspace,
    judge: Judge,
    shares: Shares,
    clusters: str | None,
    given: str,
    source: str,
    split: str,
) -> int:
    """Write the decisions and counts of one input split; return its number of rows, or -1 if they exist already."""
    removed = read_removed(clusters, source, split)
    sizes = None
    if clusters is not None and storage.exists(sizes_beside(clusters)):
        sizes = read_sizes(sizes_beside(clusters), source, split)
    decisions_path = workspace.part("decisions", source, split)
    counts_path = workspace.part("stats/parts", source, split)
    inputs = [read_fingerprint(workspace.part("documents", source, split))]
    inputs += [read_fingerprint(workspace.part(f"signals/{step}", source, split)) for step in judge.steps]
    languages = read_columns(workspace.part("documents", source, split), ["language"]).column(0).unique()
    here = shares.describe(label or UNKNOWN_LABEL for label in languages.to_pylist())
    wanted = fingerprint([given, inputs, removed, here, sorted((sizes or {}).items())])
    if read_fingerprint(decisions_path) == wanted and read_fingerprint(counts_path) == wanted:
        count_earlier(count_rows(decisions_path))
        return -1
    by_row = {row["row"]: row for row in removed}
    first = 0
    counts = PartCounts(judge.rules.rules[source], judge.thresholds)
    outcome = hashlib.blake2b(digest_size=16)
    with PartWriter(decisions_path, DECISIONS_SCHEMA, wanted, inputs[0]) as writer:
        for group in judge_split(workspace, judge, source, split, all_signals=True):
            rows = group.documents.num_rows
            copies = [by_row.get(row) for row in range(first, first + rows)]
            duplicate_of = pa.array([row["kept_id"] if row else None for row in copies], pa.string())
            level = pa.array([row["level"] if row else None for row in copies], pa.string())
            kept = group.passes & duplicate_of.is_null().to_numpy(zero_copy_only=False)
            failed, signals = group.failed, group.signals
            if sizes is not None:
                represented = [sizes.get(row, 1) for row in range(first, first + rows)]
                signals = add_cluster_sizes(signals, kept, represented)
                failed, kept = apply_late_rules(judge, source, group, signals, kept)
            held = shares.choose(group.documents)
            holding = find_holding(signals)
            if (kept & held & holding).any():
                failed = add_failures(failed, kept & held & holding)
                kept = kept & ~(held & holding)
            sides = name_sides(kept, held)
            decided = pa.table(
                [
                    group.documents.column("gate").combine_chunks(),
                    failed,
                    duplicate_of,
                    pa.array(sides, pa.string()),
                    pa.array(kept),
                ],
                schema=DECISIONS_SCHEMA,
            )
            writer.write(decided)
            outcome.update(json.dumps(sides).encode())
            if holding.any():  # these train no tokenizer
                outcome.update(np.packbits(holding).tobytes())
            counts.add(group.documents, decided, level, signals)
            first += rows
        writer.state_outcome(outcome.hexdigest())
    with PartWriter(counts_path, PART_SCHEMA, wanted) as writer:
        writer.write(counts.table())
    return first


def decide_pipeline(
    root: str,
    judge: Judge,
    shares: Shares,
    clusters: str | None,
    splits: list[tuple[str, str]],
    running: Running,
    claims: str | None,
) -> PipelineBuilder:
    """Return a function that builds the decision pipeline over (source, split name) pairs."""
    work = DecideParts(root, judge, shares, clusters, fingerprint(judge.parameters))
    return fan_out_pipeline("Decide", [json.dumps(split) for split in splits], work, running, claims)
