"""Run a plan's first documents through all stages in a temporary folder, and forecast the whole build from them."""

from __future__ import annotations

import bisect
import itertools
import os
import re
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.document import Failure, Record
from corpus.ledger import quarantine
from corpus.ledger.tables import read_ledger
from corpus.ledger.views import group_outcomes, summarize_rules
from corpus.manifest import Manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build import stages as work
from corpus.pipelines.build.plan import BuildPlan
from corpus.pipelines.build.plan_files import write_plan
from corpus.pipelines.build.probe import Failures
from corpus.pipelines.build.run import Build
from corpus.pipelines.context import Tools
from corpus.pipelines.ingest import ingest_part
from corpus.progress import Status
from corpus.sources.input_split import InputSplit
from corpus.sources.source import Source
from corpus.sources.wikipedia.mediawiki_chunks import is_splittable
from corpus.storage.checked import peeking
from corpus.storage.compressed import DAMAGE, open_decompressing
from corpus.text.page import Page
from corpus.tokens.encode import load_encoder
from corpus.tokens.mixture import resolve_mixture
from corpus.workspace import Workspace

MIN_PLACES = 8
"""Minimum number of splits of each source that documents are taken from, evenly over its bytes."""
RECORDS_PER_PLACE = 10
"""Records taken of a split at least, where a source has so many splits."""
MAX_COUNTED_RATIO = 50
"""Times the records taken of a split that are looked at: they are taken evenly from those, and their share is known."""
SMALL_SHARE = 0.2
"""Share of the records of a split that are taken at most, where nobody says how many documents to build."""
LEAST_OF_SOURCE = 40
"""Records of a source that may be taken whatever their share."""
PROBE_BYTES = 8 << 20
"""Decompressed bytes by which the ratio of a compressed file is measured."""
FAILURE_COLUMNS = ("file", "offset", "length", "step", "error", "reason")
MIN_SHADOWED_TEXTS = 5
"""Texts that must fail a rule before the dry run calls it shadowed."""


@dataclass
class Forecast:
    """The forecast of a build from `documents` that were read, which are `share` of the input by bytes, in `measured`
    seconds; `stopped` names the sources of which time left some unread.

    `sources` and `languages` are rows of read, kept, bytes and tokens, scaled to the whole; `seconds` that reading and
    encoding take one process on a machine as busy as this one, and `largest` those of the largest input split, which
    processes cannot share; `disk` bytes by folder; `memory` of one process, with
    those that parse for it, in bytes; `mixture` rows of source, language, tokens, weight and epochs; `rules` those of
    the documents read, unscaled; `shadowed` (rule, the other one, texts); `failures` rows of source, reason,
    records and first places of what would go to quarantine, among the records looked at.
    """

    documents: int = 0
    share: float = 0.0
    measured: float = 0.0
    stopped: list[str] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    languages: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    shadowed: list[tuple[str, str, int]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    disk: dict[str, int] = field(default_factory=dict)
    memory: int = 0
    mixture: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)


def dry_run(
    plan: BuildPlan,
    documents: int,
    show: Callable[[str, int, int], None] = lambda stage, done, total: None,
    *,
    seconds: float | None = None,
    is_small: bool = False,
) -> Forecast:
    """Build about `documents` records, equally many of each source, and scale the results to the whole input.

    They are taken evenly from input splits all over a source, and evenly from each split. What a small source or split
    lacks is taken from the larger ones. With `seconds` reading stops then, each source having its part of the time;
    with `is_small` no more than `SMALL_SHARE` of a source is taken that has some records, so that a small input costs
    less than its build. Cost: that of building them, and some seconds; all files are in a temporary folder that is
    removed.
    """
    started = time.monotonic()
    sizes: dict[str, int] = defaultdict(int)
    for split in plan.splits:
        sizes[split.source] += split.end - split.start
    sources = sorted(sizes, key=lambda source: (sizes[source], source))
    taken = TakenShare()
    manifest = _limit_sources(plan.file.manifest, taken)
    tools = Tools(manifest)
    forecast = Forecast()
    with tempfile.TemporaryDirectory(prefix="corpus-plan-") as folder:
        workspace = Workspace.create(folder)
        warm_up(tools)
        splits: list[InputSplit] = []
        covered: dict[str, float] = defaultdict(float)
        spent: dict[str, float] = defaultdict(float)
        failures = Failures()
        done = peak = 0
        for number, source in enumerate(sources):
            quota = max(1, (documents - done) // (len(sources) - number))
            pieces = [piece for split in plan.splits if split.source == source for piece in split.pieces]
            chosen = choose_splits(pieces, quota)
            taken.least = -(-LEAST_OF_SOURCE // len(chosen)) if is_small else None
            if seconds is not None:
                now = time.monotonic()
                taken.deadline = now + max(0.0, started + seconds - now) / (len(sources) - number)
            for at, split in enumerate(chosen):
                if quota <= 0:
                    break
                if at and taken.is_late:
                    forecast.stopped.append(source)
                    break
                taken.share, taken.counting, taken.most = 1.0, 0.0, -(-quota // (len(chosen) - at))
                taken.failures = []
                began = time.monotonic()
                with peeking():
                    count = max(0, ingest_part(workspace, tools, split))
                spent[source] += time.monotonic() - began - taken.counting
                covered[source] += taken.share * (split.end - split.start)
                for failure in taken.failures:
                    failures.add(source, failure)
                splits.append(split)
                peak = max(peak, peak_memory())
                quota, done = quota - count, done + count
                show("dry run", min(done, documents), documents)
        show("dry run", done, done)
        splits.sort(key=lambda split: (split.source, split.name))
        small = replace(plan, splits=splits, tools=tools, file=replace(plan.file, manifest=manifest))
        builder = Build(small, workspace, Running(workers=1), Status(folder), lambda line: None)
        write_plan(workspace, small)
        stages = {"decide": work.decide_and_mark, "tokenize": work.run_tokenize, "count": work.run_count}
        for at, (name, run_stage) in enumerate(stages.items()):
            show(name, at, len(stages))
            run_stage(builder)
        show("count", len(stages), len(stages))
        for row in itertools.chain.from_iterable(
            part.to_pylist() for part in quarantine.read_quarantine_parts(workspace)
        ):
            failures.add(row["source"], Failure(**{name: row[name] for name in FAILURE_COLUMNS}))
        forecast.failures = failures.rows()
        _fill_forecast(forecast, plan, workspace, covered, spent)
    forecast.measured = round(time.monotonic() - started, 1)
    forecast.memory = max(peak, peak_memory())
    return forecast


def peak_memory() -> int:
    """Return the peak memory in bytes of this process and of the processes it started, those that parse for it."""
    own, ended = (
        resource.getrusage(kind).ru_maxrss * 1024 for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own + max(ended, sum(map(_read_peak_memory, _iterate_descendants(os.getpid()))))


def _iterate_descendants(process: int) -> Iterator[int]:
    """Yield the running descendants of a process; none if the system has no /proc."""
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _read_or_empty(path).split():
            yield int(child)
            yield from _iterate_descendants(int(child))


def _read_peak_memory(process: int) -> int:
    """Return the peak memory in bytes of a process; 0 if it has ended."""
    match = re.search(r"^VmHWM:\s*(\d+) kB", _read_or_empty(Path(f"/proc/{process}/status")), re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def _read_or_empty(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended
        return ""


def warm_up(tools: Tools) -> None:
    """Load everything that is loaded at its first use, so that the time is not counted."""
    language, _ = tools.identifier.identify("one two three")
    page = Page("one two three", language)
    for step_filter in tools.filters.values():
        step_filter.measure(page)
    if tools.signatures is not None:
        tools.signatures.signatures([page.words])


def spread_splits(splits: Sequence[InputSplit]) -> Iterator[InputSplit]:
    """Yield all splits of a source: first those at even steps of its bytes, then at half these steps, and so on."""
    ordered = sorted(splits, key=lambda split: (split.file, split.start))
    ends = list(itertools.accumulate(max(1, split.end - split.start) for split in ordered))
    seen: set[int] = set()
    places = MIN_PLACES
    while len(seen) < len(ordered) and places < 64 * len(ordered):
        for place in range(places):
            at = bisect.bisect_right(ends, (2 * place + 1) * ends[-1] // (2 * places))
            if at not in seen:
                seen.add(at)
                yield ordered[at]
        places *= 2
    yield from (split for at, split in enumerate(ordered) if at not in seen)


def choose_splits(splits: Sequence[InputSplit], quota: int) -> list[InputSplit]:
    """Return splits all over a source to take `quota` records from, the smallest first."""
    places = MIN_PLACES
    while places * 2 * RECORDS_PER_PLACE <= quota:
        places *= 2
    chosen = itertools.islice(spread_splits(splits), places)
    return sorted(chosen, key=lambda split: (split.end - split.start, split.name))


@dataclass
class TakenShare:
    """The records to take of a split at most, the share of it that was taken, the seconds spent looking, and the
    failures that were seen.

    Where `least` is set, more records than that are taken only up to `SMALL_SHARE` of those there. `deadline` is when
    to stop, on the clock of `time.monotonic`.
    """

    most: int = 1
    share: float = 1.0
    counting: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    least: int | None = None
    deadline: float | None = None

    @property
    def is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def count_wanted(self, there: int) -> int:
        """Return how many of so many records of a split to take."""
        most = min(self.most, there)
        return most if self.least is None else min(most, max(self.least, round(there * SMALL_SHARE)))


def _limit_sources(manifest: Manifest, taken: TakenShare) -> Manifest:
    """Return the manifest with sources that yield some records of a split, evenly over those that are looked at."""

    def limit(source: Source) -> Source:
        kind = type(source)

        def read(self: Any, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
            began = time.monotonic()
            there, last = 0, None
            looked_at = MAX_COUNTED_RATIO * taken.most
            for last in itertools.islice(kind.read(self, path, file, start, end), looked_at):
                there += 1
                if isinstance(last, Failure):
                    taken.failures.append(last)
            given = taken.count_wanted(there)
            wanted = {at * there // max(1, given) for at in range(given)}
            taken.share = given / max(1, there)
            if last is not None and there == looked_at:
                taken.share *= _share_before(path, start, end, last.offset + last.length)
            taken.counting = time.monotonic() - began
            done = 0
            for number, record in enumerate(
                itertools.islice(kind.read(self, path, file, start, end), max(wanted, default=-1) + 1)
            ):
                if number in wanted:
                    if done and taken.is_late:
                        taken.share *= done / given
                        break
                    done += 1
                    yield record

        first = type(kind.__name__, (kind,), {"read": read, "__module__": kind.__module__})
        assert issubclass(first, Source)
        return first.model_construct(**dict(source))

    sources = {name: limit(source) for name, source in manifest.sources.items()}
    return manifest.model_copy(update={"sources": sources})


def _share_before(path: str, start: int, end: int, place: int) -> float:
    """Return the share of a split's bytes before an offset in it."""
    stored = place / _compression_ratio(path) if _has_stream_offsets(path) else place - start
    return min(1.0, max(1.0, stored) / max(1, end - start))


def _has_stream_offsets(path: str) -> bool:
    """Return whether offsets in a file are those of its decompressed stream: true for all compressed files except WARCs
    and dumps, whose members are addressed by their stored offset."""
    if path.endswith(".xml.bz2"):
        return not is_splittable(path)
    return path.endswith((".gz", ".xz", ".zst", ".bz2")) and not any(
        mark in path for mark in (".warc", ".arc", ".wet", ".wat")
    )


def _compression_ratio(path: str) -> float:
    """Return the decompressed bytes per stored byte at the beginning of a file."""
    with storage.open_input(path) as raw:
        stream = open_decompressing(raw)
        decompressed_bytes = 0
        try:
            while decompressed_bytes < PROBE_BYTES and (block := stream.read(1 << 16)):
                decompressed_bytes += len(block)
        except DAMAGE:
            pass
        return max(1.0, decompressed_bytes / max(1, raw.tell()))


def _fill_forecast(
    forecast: Forecast,
    plan: BuildPlan,
    workspace: Workspace,
    covered: dict[str, float],
    spent: dict[str, float],
) -> None:
    """Fill the forecast from the temporary workspace, scaled by the part of each source that was read."""
    sizes: dict[str, int] = defaultdict(int)
    for split in plan.splits:
        sizes[split.source] += split.end - split.start
    factor = {source: max(1.0, sizes[source] / max(1.0, covered[source])) for source in sizes}
    tables = read_ledger(workspace, ["counts", "tokens", "overlaps", "rules"])
    numbers = ("read", "kept", "bytes", "tokens")
    languages: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(numbers, 0.0))
    tokens: dict[tuple[str, str], float] = {}
    for source, times in sorted(factor.items()):
        counts, here = (
            tables[name].filter(pc.equal(tables[name].column("source"), source))
            for name in ("counts", "tokens")
        )
        row: dict[str, Any] = next(iter(group_outcomes(counts, here, "source")), dict.fromkeys(numbers, 0))
        forecast.documents += row["read"]
        scaled = {name: round(row[name] * times) for name in numbers}
        forecast.sources.append({"source": source, "input": sizes[source], **scaled})
        for row in group_outcomes(counts, here, "language"):
            for name in numbers:
                languages[row["language"]][name] += row[name] * times
        for row in here.to_pylist():
            if row["split"] == "train":
                tokens[source, row["language"]] = row["tokens"] * times
    forecast.share = min(1.0, sum(covered.values()) / max(1, sum(sizes.values())))
    forecast.languages = sorted(
        ({"language": name, **{key: round(row[key]) for key in numbers}} for name, row in languages.items()),
        key=lambda row: (-row["bytes"], row["language"]),
    )
    forecast.seconds = {"ingest": sum(seconds * factor[source] for source, seconds in spent.items())}
    pace = {source: spent[source] / max(1.0, covered[source]) for source in spent}
    each = [pace.get(split.source, 0.0) * (split.end - split.start) for split in plan.splits]
    forecast.seconds["largest"] = max(each, default=0.0)
    forecast.seconds["encode"] = _time_encoding(workspace) * sum(row["bytes"] for row in forecast.sources)
    forecast.disk = _estimate_sizes(workspace, factor, len(plan.splits))
    forecast.rules = summarize_rules(tables["counts"], tables["rules"])
    forecast.shadowed = _find_shadowed(tables["overlaps"].to_pylist(), forecast.rules)
    drawn = resolve_mixture(plan.file.manifest.mixture, {key: round(count) for key, count in tokens.items()})
    forecast.mixture = [asdict(row) for row in drawn]


def _time_encoding(workspace: Workspace) -> float:
    """Return the seconds to encode a byte, measured on about `PROBE_BYTES` bytes of the kept texts."""
    dataset = workspace.tokens()
    if not dataset["shards"]:
        return 0.0
    encoder = load_encoder(workspace.path("tokenizer", "tokenizer.json"))
    size, spent = 0, 0.0
    for _, _, table in workspace.rows(["text"]):
        texts = table.filter(table.column("kept")).column("text").to_pylist()
        began = time.monotonic()
        encoder.encode_batch(texts)
        spent += time.monotonic() - began
        size += sum(len(text.encode()) for text in texts)
        if size > PROBE_BYTES:
            break
    return spent / max(1, size)


def _find_shadowed(
    overlaps: list[dict[str, Any]], counted: list[dict[str, Any]]
) -> list[tuple[str, str, int]]:
    """Return rules whose failing texts all fail another rule too, with the narrowest such rule, and the texts."""
    failed = {row["rule"]: row["failed"] for row in counted}
    both: dict[tuple[str, str], int] = defaultdict(int)
    for row in overlaps:
        both[row["rule"], row["other"]] += row["documents"]
        both[row["other"], row["rule"]] += row["documents"]
    covering_rule: dict[str, str] = {}
    for (rule, other), documents in sorted(both.items()):
        whole = (
            failed[rule] >= MIN_SHADOWED_TEXTS and documents == failed[rule] and failed[other] > failed[rule]
        )
        if whole and failed[other] < failed.get(covering_rule.get(rule, ""), 1 << 62):
            covering_rule[rule] = other
    return [(rule, other, failed[rule]) for rule, other in sorted(covering_rule.items())]


def _estimate_sizes(workspace: Workspace, factor: dict[str, float], splits: int) -> dict[str, int]:
    """Return bytes by folder: Parquet footers for every split, everything else times the factor of its source."""
    whole = sum(factor.values()) / max(1, len(factor))
    sizes: dict[str, float] = defaultdict(float)
    footers: dict[str, list[int]] = defaultdict(list)
    for path in storage.list_files(workspace.root):
        inside = path.removeprefix(workspace.root).strip("/")
        folder = inside.partition("/")[0]
        if folder in ("documents", "signals", "decisions", "dedup", "tokens"):
            source = inside.partition("source=")[2].partition("/")[0]
            footer = read_footer(path) if path.endswith(".parquet") else 0
            footers[inside.partition("/source=")[0]].append(footer)
            sizes[folder] += (storage.size(path) - footer) * factor.get(source, whole)
    for folder, lengths in footers.items():
        sizes[folder.partition("/")[0]] += splits * sum(lengths) / len(lengths)
    return {folder: round(size) for folder, size in sorted(sizes.items())}


def read_footer(path: str) -> int:
    """Return the bytes of a Parquet file's footer, which do not grow with its rows."""
    with storage.open_input(path) as stream:
        return int(pq.ParquetFile(stream).metadata.serialized_size)
