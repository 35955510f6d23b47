"""A dry run: the first documents of a plan through everything, in a temporary folder, and what that foretells."""

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
from corpus.ledger.tables import read_ledger
from corpus.ledger.views import grouped, rules
from corpus.manifest import Manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build import stages as work
from corpus.pipelines.build.plan import Plan, write_plan
from corpus.pipelines.build.run import Build
from corpus.pipelines.context import Tools
from corpus.pipelines.ingest import ingest
from corpus.progress import Status
from corpus.sources.input_split import InputSplit
from corpus.sources.source import Source
from corpus.sources.wikipedia.mediawiki_chunks import is_splittable
from corpus.storage.compressed import DAMAGE, decompressed
from corpus.text.page import Page
from corpus.tokens.encode import load
from corpus.tokens.mixture import resolve
from corpus.workspace import Workspace

PLACES = 8
"""Splits of each source that documents are taken from, at the least, evenly over its bytes."""
COUNTED = 50
"""Times the records taken of a split that are counted after them, to know what share they are."""
PROBE = 8 << 20
"""Decompressed bytes by which the ratio of a compressed file is measured."""
SURE = 5
"""Texts that must fail a rule before the dry run calls it shadowed."""


@dataclass
class Forecast:
    """What a build would come to, from `documents` that were read, which were `share` of the input by bytes.

    `sources` and `languages` are rows of read, kept, bytes and tokens, scaled to the whole; `seconds` that reading and
    encoding take one process on a machine as busy as this one; `disk` bytes by folder; `memory` of one process, with
    those that parse for it, in bytes; `mixture` rows of source, language, tokens, weight and epochs; `rules` those of
    the documents read, unscaled; `shadowed` (rule, the other one, texts).
    """

    documents: int = 0
    share: float = 0.0
    sources: list[dict[str, Any]] = field(default_factory=list)
    languages: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    shadowed: list[tuple[str, str, int]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    disk: dict[str, int] = field(default_factory=dict)
    memory: int = 0
    mixture: list[dict[str, Any]] = field(default_factory=list)


def dry_run(
    plan: Plan, documents: int, show: Callable[[str, int, int], None] = lambda stage, done, total: None
) -> Forecast:
    """Take about `documents` records, as many of each source, through the whole build, and scale what they gave.

    Cost: that of building them, some seconds more; everything lies in a temporary folder and goes with it.
    """
    sources = sorted({split.source for split in plan.splits})
    quota = {source: max(1, documents // len(sources)) for source in sources}
    places = {source: min(PLACES, sum(split.source == source for split in plan.splits)) for source in sources}
    each = {source: -(-quota[source] // places[source]) for source in sources}
    taken = Taken()
    manifest = _limited(plan.file.manifest, each, taken)
    tools = Tools(manifest)
    found = Forecast()
    with tempfile.TemporaryDirectory(prefix="corpus-plan-") as folder:
        workspace = Workspace.create(folder)
        warm_up(tools)
        splits: list[InputSplit] = []
        covered: dict[str, float] = defaultdict(float)
        spent: dict[str, float] = defaultdict(float)
        done = beside = 0
        for source in sources:
            rows = 0
            for split in spread([split for split in plan.splits if split.source == source]):
                if rows >= quota[source]:
                    break
                taken.share, taken.counting = 1.0, 0.0
                began = time.monotonic()
                count = max(0, ingest(workspace, tools, split))
                spent[source] += time.monotonic() - began - taken.counting
                covered[source] += taken.share * (split.end - split.start)
                splits.append(split)
                beside = max(beside, peak_memory())
                rows, done = rows + count, done + count
                show("dry run", min(done, documents), documents)
        splits.sort(key=lambda split: (split.source, split.name))
        small = replace(plan, splits=splits, tools=tools, file=replace(plan.file, manifest=manifest))
        builder = Build(small, workspace, Running(workers=1), Status(folder), lambda line: None)
        write_plan(workspace, small)
        for stage in (work.decide, work.tokenize, work.count):
            stage(builder)
        _scale(found, plan, workspace, covered, spent)
    found.memory = max(beside, peak_memory())
    return found


def peak_memory() -> int:
    """The most bytes that this process has held, and with it the processes it started: those that parse for it."""
    own, ended = (
        resource.getrusage(kind).ru_maxrss * 1024 for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own + max(ended, sum(map(_held, _descendants(os.getpid()))))


def _descendants(process: int) -> Iterator[int]:
    """Processes below a process that are there now; none where the system has no /proc."""
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _read(path).split():
            yield int(child)
            yield from _descendants(int(child))


def _held(process: int) -> int:
    """The most bytes that a process has held; 0 for one that is gone."""
    found = re.search(r"^VmHWM:\s*(\d+) kB", _read(Path(f"/proc/{process}/status")), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended
        return ""


def warm_up(tools: Tools) -> None:
    """Load what loads when it is first used, so that it is not counted."""
    language, _ = tools.identifier.identify("one two three")
    page = Page("one two three", language)
    for found in tools.filters.values():
        found.measure(page)
    if tools.signatures is not None:
        tools.signatures.signatures([page.words])


def spread(splits: Sequence[InputSplit]) -> Iterator[InputSplit]:
    """All splits of a source, those first that lie at even steps of its bytes, then at half these steps, and so on."""
    ordered = sorted(splits, key=lambda split: (split.file, split.start))
    ends = list(itertools.accumulate(max(1, split.end - split.start) for split in ordered))
    seen: set[int] = set()
    places = PLACES
    while len(seen) < len(ordered) and places < 64 * len(ordered):
        for place in range(places):
            at = bisect.bisect_right(ends, (2 * place + 1) * ends[-1] // (2 * places))
            if at not in seen:
                seen.add(at)
                yield ordered[at]
        places *= 2
    yield from (split for at, split in enumerate(ordered) if at not in seen)


@dataclass
class Taken:
    """How much of a split was taken, and the seconds that finding this out took."""

    share: float = 1.0
    counting: float = 0.0


def _limited(manifest: Manifest, each: dict[str, int], taken: Taken) -> Manifest:
    """The manifest with sources that give the first records of a split, and count those that follow."""

    def limit(source: Source, most: int) -> Source:
        kind = type(source)

        def read(self: Any, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
            records = kind.read(self, path, file, start, end)
            given = 0
            for record in itertools.islice(records, most):
                given += 1
                yield record
            began = time.monotonic()
            last, following = None, 0
            for last in itertools.islice(records, COUNTED * most):  # noqa: B007 - the last one is looked at
                following += 1
            taken.share = given / max(1, given + following)
            if last is not None and following == COUNTED * most:
                taken.share *= _passed(path, start, end, last.offset + last.length)
            taken.counting = time.monotonic() - began

        first = type(kind.__name__, (kind,), {"read": read, "__module__": kind.__module__})
        return first.model_construct(**dict(source))

    sources = {name: limit(source, each.get(name, 1)) for name, source in manifest.sources.items()}
    return manifest.model_copy(update={"sources": sources})


def _passed(path: str, start: int, end: int, place: int) -> float:
    """The share of a split's bytes before a place in it."""
    stored = place / _ratio(path) if _by_stream(path) else place - start
    return min(1.0, max(1.0, stored) / max(1, end - start))


def _by_stream(path: str) -> bool:
    """Whether places in a file are those of its decompressed stream: all compressed ones but WARCs and dumps, whose
    members are reached where they are stored."""
    if path.endswith(".xml.bz2"):
        return not is_splittable(path)
    return path.endswith((".gz", ".xz", ".zst", ".bz2")) and not any(
        mark in path for mark in (".warc", ".arc", ".wet", ".wat")
    )


def _ratio(path: str) -> float:
    """Decompressed bytes for one stored byte, over the beginning of a file."""
    with storage.open_input(path) as raw:
        stream = decompressed(raw)
        given = 0
        try:
            while given < PROBE and (block := stream.read(1 << 16)):
                given += len(block)
        except DAMAGE:
            pass
        return max(1.0, given / max(1, raw.tell()))


def _scale(
    found: Forecast, plan: Plan, workspace: Workspace, covered: dict[str, float], spent: dict[str, float]
) -> None:
    """Everything that the temporary workspace tells, times what was not read of each source."""
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
        row = next(iter(grouped(counts, here, "source")), dict.fromkeys(numbers, 0))
        found.documents += row["read"]
        scaled = {name: round(row[name] * times) for name in numbers}
        found.sources.append({"source": source, "input": sizes[source], **scaled})
        for row in grouped(counts, here, "language"):
            for name in numbers:
                languages[row["language"]][name] += row[name] * times
        for row in here.to_pylist():
            if row["split"] == "train":
                tokens[source, row["language"]] = row["tokens"] * times
    found.share = min(1.0, sum(covered.values()) / max(1, sum(sizes.values())))
    found.languages = sorted(
        ({"language": name, **{key: round(row[key]) for key in numbers}} for name, row in languages.items()),
        key=lambda row: (-row["bytes"], row["language"]),
    )
    found.seconds = {"ingest": sum(seconds * factor[source] for source, seconds in spent.items())}
    found.seconds["encode"] = _encoding(workspace) * sum(row["bytes"] for row in found.sources)
    found.disk = _sizes(workspace, factor, len(plan.splits))
    found.rules = rules(tables["counts"], tables["rules"])
    found.shadowed = _shadowed(tables["overlaps"].to_pylist(), found.rules)
    drawn = resolve(plan.file.manifest.mixture, {key: round(count) for key, count in tokens.items()})
    found.mixture = [asdict(row) for row in drawn]


def _encoding(workspace: Workspace) -> float:
    """Seconds to encode a byte, over at most `PROBE` bytes of the texts that were kept."""
    dataset = workspace.tokens()
    if not dataset["shards"]:
        return 0.0
    encoder = load(workspace.path("tokenizer", "tokenizer.json"))
    size, spent = 0, 0.0
    for _, _, table in workspace.rows(["text"]):
        texts = table.filter(table.column("kept")).column("text").to_pylist()
        began = time.monotonic()
        encoder.encode_batch(texts)
        spent += time.monotonic() - began
        size += sum(len(text.encode()) for text in texts)
        if size > PROBE:
            break
    return spent / max(1, size)


def _shadowed(overlaps: list[dict[str, Any]], counted: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Rules whose every failing text failed one other rule too, with the one of these that fails least besides."""
    failed = {row["rule"]: row["failed"] for row in counted}
    both: dict[tuple[str, str], int] = defaultdict(int)
    for row in overlaps:
        both[row["rule"], row["other"]] += row["documents"]
        both[row["other"], row["rule"]] += row["documents"]
    found: dict[str, str] = {}
    for (rule, other), documents in sorted(both.items()):
        whole = failed[rule] >= SURE and documents == failed[rule] and failed[other] > failed[rule]
        if whole and failed[other] < failed.get(found.get(rule, ""), 1 << 62):
            found[rule] = other
    return [(rule, other, failed[rule]) for rule, other in sorted(found.items())]


def _sizes(workspace: Workspace, factor: dict[str, float], splits: int) -> dict[str, int]:
    """Bytes by folder: the footers of Parquet files for every split, all else times the factor of its source."""
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
    for folder, found in footers.items():
        sizes[folder.partition("/")[0]] += splits * sum(found) / len(found)
    return {folder: round(size) for folder, size in sorted(sizes.items())}


def read_footer(path: str) -> int:
    """Bytes of a Parquet file that do not grow with its rows."""
    with storage.open_input(path) as stream:
        return int(pq.ParquetFile(stream).metadata.serialized_size)
