"""All checks of a workspace, by input split and by shard."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.child_process import WorkerPool
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.removed import read_cluster_groups
from corpus.edits.applied import read_applied
from corpus.errors import UserError, shorten_line
from corpus.ledger.tables import read_ledger
from corpus.storage.fingerprint import fingerprint
from corpus.tokens.encode import Encoder, load_encoder
from corpus.validation import Shares, Validation
from corpus.verify.beside import Counts as EditCounts
from corpus.verify.beside import check_edit_counts
from corpus.verify.findings import Findings
from corpus.verify.join import KIND_OLD, Join, Records, build_records
from corpus.verify.parts import WRITTEN, Key, SplitChecks, verify_split
from corpus.verify.shards import verify_shard
from corpus.workspace import LEDGER_TABLES, Workspace, damaged_error

A = TypeVar("A")
B = TypeVar("B")
Counts = Counter[tuple[Key, str]]


def verify_workspace(
    root: str, workers: int = 1, show: Callable[[str, int, int], None] = lambda stage, done, total: None
) -> Findings:
    """Check that a finished workspace is consistent. Raises UserError if its build is not finished, RunError if a file
    is lost or damaged without which nothing can be checked.

    Reads everything once, shards twice. Memory a worker: a row group and 41 bytes for each row of its input split
    or shard; ids are compared through files in a temporary folder, 41 bytes a kept document and as much a shard row.
    """
    workspace = Workspace.open(root)
    if "build" not in (workspace.read_state() or {}):
        running = workspace.describe_running()
        advice = f"{running}: wait for it" if running else "resume it with `corpus build`"
        raise UserError(f"{root} is not a finished build: {advice}")
    manifest = workspace.read_manifest()
    with _damage_of(workspace, "manifest.yaml"):
        shares = Validation.model_validate(manifest["validation"]).shares()
        keep_text = manifest["keep_text"]
        minhash = DedupOptions.model_validate(manifest["dedup"]).minhash
    with _damage_of(workspace, "plan.json"):
        splits, _ = workspace.splits(), workspace.steps()
    dataset = workspace.tokens()
    with _damage_of(workspace, "tokens/dataset.json"):
        expected = 2 * sum(shard["rows"] for shard in dataset["shards"])
    read_applied(workspace)
    findings, counts, edits = Findings(), Counts(), EditCounts()
    _check_no_others(workspace, splits, findings)
    usable = _check_tokenizer(workspace, dataset, findings)
    with Join(expected) as join, _open_map(workers) as mapped:
        work = partial(_verify_split, workspace.root, shares, keep_text, minhash, dataset if usable else None)
        for done, split in enumerate(mapped(work, splits), 1):
            findings.add(split.findings)
            counts.update(split.counts)
            edits.update(split.edits)
            join.add(split.records)
            show("documents", done, len(splits))
        if usable:
            shards = dataset["shards"]
            for done, (shard_findings, records) in enumerate(
                mapped(partial(_verify_shard, workspace.root, dataset), shards), 1
            ):
                findings.add(shard_findings)
                join.add(records)
                show("shards", done, len(shards))
            _add_old_ids(workspace, join)
            join.check(findings)
    broken = _check_tables(workspace, findings)
    if not broken & {"counts", "quarantine"}:
        _check_ledger(workspace, counts, findings)
    check_edit_counts(workspace, edits, findings)
    _check_dataset(workspace, dataset, counts, findings)
    return findings


@contextmanager
def _damage_of(workspace: Workspace, name: str) -> Iterator[None]:
    """Convert what the wrong content of a file raises, without which nothing can be checked, to a RunError that names
    the file."""
    try:
        yield
    except (ValueError, KeyError, TypeError):
        raise damaged_error(workspace.path(name)) from None


@contextmanager
def _open_map(workers: int) -> Iterator[Callable[[Callable[[A], B], Iterable[A]], Iterator[B]]]:
    """Open a `map`, in `workers` processes if there are several; results are in the order of the items."""
    if workers == 1:
        yield map
        return
    with WorkerPool(workers) as pool:
        yield pool.map


def _verify_split(
    root: str,
    shares: Shares,
    keep_text: str,
    minhash: MinHashOptions | None,
    dataset: dict[str, Any] | None,
    split: tuple[str, str],
) -> SplitChecks:
    encoder = None
    if dataset is not None:
        encoder = _load_encoder(root, dataset["tokenizer"]["sha256"], dataset["end_of_text"])
        encoder = encoder if encoder.token_bytes() is None else None
    return verify_split(Workspace(root), *split, shares, keep_text, encoder, minhash)


def _verify_shard(root: str, dataset: dict[str, Any], shard: dict[str, Any]) -> tuple[Findings, Records]:
    encoder = _load_encoder(root, dataset["tokenizer"]["sha256"], dataset["end_of_text"])
    findings, records, _ = verify_shard(Workspace(root), shard, encoder)
    return findings, records


@lru_cache(maxsize=1)
def _load_encoder(root: str, _sha256: str, end_of_text: int) -> Encoder:
    path = Workspace(root).path("tokenizer", "tokenizer.json")
    content = json.loads(storage.read_text(path))
    names = [token["content"] for token in content.get("added_tokens") or [] if token["id"] == end_of_text]
    return load_encoder(path, names[0] if names else None)


def _check_no_others(workspace: Workspace, splits: list[tuple[str, str]], findings: Findings) -> None:
    """Record parts that are not in the plan."""
    for folder in ["documents", "decisions", *(f"signals/{step}" for step in workspace.steps())]:
        known = {workspace.part(folder, *split).removeprefix(workspace.path(folder)) for split in splits}
        for path in storage.list_files(workspace.path(folder)):
            name = path[path.rindex("/source=") :] if "/source=" in path else path
            if name not in known:
                findings.wrong("files", f"{path} belongs to no input split of the plan")


def _check_tables(workspace: Workspace, findings: Findings) -> set[str]:
    """Check that the tables of the ledger, and those beside clusters.parquet, can be read; return the names of those of
    the ledger that cannot."""
    stats = workspace.path("stats")
    needed = {f"{stats}/{name}.parquet" for name in LEDGER_TABLES}
    folders = [stats, workspace.path("dedup"), workspace.path("ids")]
    there = {
        path
        for folder in folders
        for path in storage.list_files(folder)
        if path.endswith(".parquet") and path.rpartition("/")[0] == folder
    }
    findings.looked("files", len(needed))
    for path in sorted(needed - there):
        findings.wrong("files", f"{path} is missing")
    broken = needed - there
    clusters = workspace.path("dedup", "clusters.parquet")  # which is read beside the counts
    for path in sorted(there - {clusters}):
        findings.looked("checksums")
        try:
            with storage.open_input(path) as stream:
                table = pq.ParquetFile(stream, page_checksum_verification=True)
                for group in range(table.num_row_groups):
                    table.read_row_group(group, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            findings.wrong("checksums", f"{path}: {shorten_line(str(error), 200)}")
            broken.add(path)
    return {
        path[len(stats) + 1 :].removesuffix(".parquet") for path in broken if path.startswith(f"{stats}/")
    }


def _check_tokenizer(workspace: Workspace, dataset: dict[str, Any], findings: Findings) -> bool:
    """Check the checksums of tokenizer.json and of dataset.json; return whether tokens can be checked."""
    path = workspace.path("tokenizer", "tokenizer.json")
    findings.looked("files")
    if not storage.exists(path):
        findings.wrong("files", f"{path} is missing: tokens were not checked")
        return False
    findings.looked("checksums", 2)
    content = {key: value for key, value in dataset.items() if key != "fingerprint"}
    if fingerprint(content) != dataset["fingerprint"]:
        findings.wrong("checksums", f"{workspace.path('tokens', 'dataset.json')} does not match its checksum")
    if storage.sha256(path) != dataset["tokenizer"]["sha256"]:
        findings.wrong("checksums", f"{path} is not the tokenizer of the shards: tokens were not checked")
        return False
    return True


def _add_old_ids(workspace: Workspace, join: Join) -> None:
    """Add the documents of earlier builds that are kept in place of some here."""
    path = workspace.path("dedup", "against.parquet")
    if storage.exists(path):
        for group in read_cluster_groups(path):
            join.add(build_records(KIND_OLD, group.column("kept_id").unique()))


def _check_ledger(workspace: Workspace, counts: Counts, findings: Findings) -> None:
    """Check the ledger's counts against independent ones, and its duplicates against clusters.parquet."""
    names = ("gated", "rules", "duplicate", "kept", "read", "failed")
    ledger_counts: Counts = Counter()
    for row in read_ledger(workspace, ["counts"])["counts"].to_pylist():
        if row["what"] in names:
            key = (row["source"], row["language"], row["what"], row["key"] if row["what"] == "failed" else "")
            for number in ("documents",) if row["what"] == "failed" else ("documents", "characters", "bytes"):
                ledger_counts[key, number] += row[number]
    findings.looked("counts", len(ledger_counts))
    counted = {entry for entry in counts if entry[0][2] != WRITTEN}
    for entry in sorted(ledger_counts.keys() | counted):
        if ledger_counts[entry] != counts[entry]:
            place = " ".join(part for part in (*entry[0], entry[1]) if part)
            findings.wrong("counts", f"{place}: {counts[entry]:,}, the ledger says {ledger_counts[entry]:,}")
    clusters = workspace.path("dedup", "clusters.parquet")
    removed = 0
    try:
        if storage.exists(clusters):
            removed = sum(group.num_rows for group in read_cluster_groups(clusters))
    except (pa.ArrowException, OSError) as error:
        findings.wrong("checksums", f"{clusters}: {shorten_line(str(error), 200)}")
    duplicates = sum(
        value for (key, name), value in counts.items() if key[2] == "duplicate" and name == "documents"
    )
    findings.looked("counts")
    if removed != duplicates:
        findings.wrong("counts", f"{duplicates:,} duplicates, clusters.parquet has {removed:,}")
    quarantined = 0
    for path in storage.list_files(workspace.path("quarantine")):
        try:
            with storage.open_input(path) as stream:
                quarantined += (
                    pq.ParquetFile(stream, page_checksum_verification=True).read(use_threads=False).num_rows
                )
        except (pa.ArrowInvalid, OSError) as error:
            findings.wrong("checksums", f"{path}: {shorten_line(str(error), 200)}")
    ledger_records = sum(read_ledger(workspace, ["quarantine"])["quarantine"].column("records").to_pylist())
    findings.looked("counts")
    if ledger_records != quarantined:
        findings.wrong("counts", f"{quarantined:,} records in quarantine, the ledger says {ledger_records:,}")


def _check_dataset(workspace: Workspace, dataset: dict[str, Any], counts: Counts, findings: Findings) -> None:
    """Check dataset.json's totals against its shards and the kept documents with their edits, by source and
    language."""
    kept: Counter[tuple[str, str, str]] = Counter()
    for ((source, language, what, _), name), value in counts.items():
        if what == WRITTEN:
            kept[source, language, {"documents": "rows", "bytes": "bytes"}[name]] += value
    stated: Counter[tuple[str, str, str]] = Counter()
    tokens = 0
    for side in dataset["totals"].values():
        tokens += side["tokens"]
        for source, of_source in side["sources"].items():
            for language, sizes in of_source["languages"].items():
                for name in ("rows", "bytes"):
                    stated[source, language, name] += sizes[name]
    findings.looked("counts", len(kept) + 1)
    for entry in sorted(kept.keys() | stated.keys()):
        if kept[entry] != stated[entry]:
            place = " ".join(entry)
            findings.wrong("counts", f"{place}: {kept[entry]:,} kept, dataset.json says {stated[entry]:,}")
    if tokens != sum(shard["tokens"] for shard in dataset["shards"]):
        findings.wrong(
            "counts", f"dataset.json: its totals have {tokens:,} tokens, its shards a different number"
        )
