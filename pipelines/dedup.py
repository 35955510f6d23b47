"""Deduplicate the documents of all input splits: signatures and hashes in, DIR/dedup/clusters.parquet out.

Elements are packed arrays (`corpus.pipelines.beam.packed`). Neighbouring splits form blocks; a document's number
gives its split, and so its block. Hashes are divided into ranges. So every step processes one block or one
range at a time:

    splits     `keys`      loads their rows                                         -> content hash range
    range      `contents`  equal contents: the lowest document number stands        -> block, URL range
    range      `same_url`  contents that share a URL are linked                     -> merge
    block      `bands`     reads the signatures of its contents                     -> band hash range
    range      `pairs`     contents that share a band are candidates                -> block of the higher
    block      `ask`       reads the higher ones' signatures, a pair once           -> block of the lower
    block      `verify`    reads the lower ones', compares; similar ones are linked -> merge, block
    (one)      `merge`     links to connected components                            -> block
    block      `members`   every document of a component                            -> block, component range
    block      `ranks`     loads their rows: what makes one better than another     -> component range
    range      `walk`      which documents are kept, and which removed for whom     -> block
    block      `write`     a file of the removed documents of its splits
    (one)      `join`      one file of all

What the steps exchange lies in files of the run on one machine, and goes through the engine's shuffle elsewhere
(`corpus.pipelines.beam.shuffle`). So no process holds more than its range or block: some 300 bytes a document, and
`partitions` says how many ranges there are. What can outgrow a range is divided further: candidate pairs of a block
into passes, the links of `merge` beyond 8 million into ranges of their nodes, on disk (`corpus.dedup.components`), and
the documents and edges of `walk` beyond 4 million into ranges of their rank (`corpus.dedup.walk`), so that one giant
component is no problem. `join` copies one row group after the other.

With `options.against` the parts of earlier builds are splits after the build's own: their documents are better than all
others and never removed, and not compared with each other.

With `options.canaries` there are some steps more, and no other result:

    range      `choose`    which documents canaries are made of                     -> split of canaries
    split      `plant`     makes them, writes them with their signatures            -> content hash range
               `contents`  names the content of each one's document                 -> block; `bands`, `audit`
               `pairs`     pairs them beside the real ones                          -> `ask` and `verify`, as the others
    block      `audit`     a file of what became of its canaries

With `minhash.containment` documents inside longer ones are looked for, too:

    block      `bands`     makes anchors of its contents' samples, too              -> hash range
    range      `pairs`     contents that share an anchor may stand in each other    -> block of the higher
    block      `contained` reads the samples of both and compares them              -> `merge`, `members`

The result depends on neither the number of partitions, nor that of workers, nor the way of the shuffle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from corpus import storage
from corpus.dedup.options import DedupOptions
from corpus.pipelines import canary_steps, containment_steps
from corpus.pipelines import dedup_steps as steps
from corpus.pipelines.against import identify_old_parts, list_old_parts
from corpus.pipelines.beam.fanout import do_nothing, fan_out
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.packed import Element, Gathered
from corpus.pipelines.beam.shuffle import Shuffle, choose_shuffle, end_range, run_item, run_range
from corpus.pipelines.dedup_steps import DedupPlan, LoadRows, clusters_path
from corpus.pipelines.split_plan import share_of
from corpus.storage.fingerprint import fingerprint as fingerprint_of
from corpus.storage.part_writer import read_fingerprint
from corpus.workspace import Workspace

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection, Transform

VERSION = 1
"""Increased when the same input would give other clusters."""
CANARIES_VERSION = 1
"""Increased when other canaries would be planted, or something else said of them."""
SPLITS_PER_BLOCK = 32
SPLITS_PER_CANARIES = 2
"""Splits of whose documents the canaries are made by one worker."""
MAX_BLOCKS = 1024
MAX_KEYS_ITEMS = 4096
"""Items of the first step: single splits in a smaller build."""


def dedup_pipeline(
    workspace: Workspace,
    splits: Iterable[tuple[str, str]],
    load: LoadRows,
    options: DedupOptions,
    fingerprint: str,
    running: Running,
    claims: str | None,
    partitions: int | None = None,
    in_runs: bool | None = None,
) -> Callable[[beam.Pipeline], None]:
    """Return a function that builds the search for duplicates among the splits' documents on a Beam pipeline.

    `splits` (source, split) in any order; `load` gives the rows to compare (those that no rule or gate
    dropped) and must be picklable; their signatures are read from the splits' signature parts.
    `fingerprint` identifies the input: if DIR/dedup/clusters.parquet was made from it with these options, the
    pipeline does nothing. `partitions`: see the module; by default one per 32 splits, at most
    1,024. `in_runs`: whether what the steps exchange lies in files in the folder `claims`, as it does by default with
    the local engine, or goes through the engine (`corpus.pipelines.beam.shuffle`). Beam's counters `dedup/...` hold
    the numbers of documents, candidate pairs and similar pairs.
    """
    ordered = sorted(set(splits))
    old = list_old_parts(options)
    inputs = {"version": VERSION, "input": fingerprint, "splits": ordered, "options": options.parameters}
    digest = fingerprint_of({**inputs, "old": identify_old_parts(old)} if old else inputs)
    canaries = min(MAX_BLOCKS, -(-len(ordered) // SPLITS_PER_CANARIES)) if options.canaries else 0
    audit = fingerprint_of([CANARIES_VERSION, digest, options.canaries]) if canaries else ""
    ordered += old
    plan = DedupPlan(
        root=workspace.root,
        options=options,
        splits=len(ordered) + canaries,
        partitions=partitions
        or max(4 * running.workers, min(MAX_BLOCKS, -(-len(ordered) // SPLITS_PER_BLOCK))),
        digest=digest,
        old=len(old),
        canaries=canaries,
        audit=audit,
    )
    results = {clusters_path(workspace): digest, steps.sizes_path(workspace): digest}
    if canaries:
        results[steps.audit_path(workspace)] = audit
    if all(read_fingerprint(path) == made_by for path, made_by in results.items()):
        if not canaries:
            storage.remove(steps.audit_path(workspace))
        steps.remove_leftovers(workspace)  # of a run that was killed at the very end
        return do_nothing
    steps.remove_leftovers(workspace)  # of a run that was killed, with other blocks perhaps
    plan.write_names(ordered)
    shuffle = choose_shuffle(running, claims, in_runs)
    return partial(add_dedup_steps, plan=plan, load=load, running=running, claims=claims, shuffle=shuffle)


def add_dedup_steps(
    root: beam.Pipeline,
    plan: DedupPlan,
    load: LoadRows,
    running: Running,
    claims: str | None,
    shuffle: Shuffle,
) -> None:
    """Put all steps of the module's table on a pipeline; the list of splits must exist when they run."""
    from corpus.pipelines.beam.types import create, flat_map, flatten, group_by_key, keep_if

    def step(name: str, function: Callable[..., Iterator[Element]], *arguments: object) -> Transform:
        given = (shuffle, name.lower().replace(" ", "-"), function, plan, *arguments)
        named: Transform = name >> flat_map(run_range, *given, output=tuple[int, bytes])
        return named

    def last_step(name: str, function: Callable[..., Iterator[Element]]) -> Transform:
        named: Transform = name >> flat_map(end_range, shuffle, function, plan, output=tuple[int, bytes])
        return named

    def gather(name: str, *inputs: PCollection[Element]) -> PCollection[Gathered]:
        joined = inputs[0] if len(inputs) == 1 else inputs | f"{name}: together" >> flatten()
        gathered: PCollection[Gathered] = joined | f"{name}: gather" >> group_by_key()
        return gathered

    def only(kind: str, elements: PCollection[Element], reader: str) -> PCollection[Element]:
        of_kind = keep_if(steps.DEDUP_KINDS.is_kind, kind, output=tuple[int, bytes])
        chosen: PCollection[Element] = elements | f"{reader}: {kind}" >> of_kind
        return chosen

    count = max(1, min(plan.first_canary, MAX_KEYS_ITEMS))
    shares = [share_of(plan.first_canary, number, count) for number in range(count)]
    items = [f"{item_range.start}:{item_range.stop}" for item_range in shares]
    pick = canary_steps.pick_step if plan.canaries else None
    load_keys = partial(steps.keys_step, plan=plan, load=load, pick=pick)
    keys = root | "Keys" >> fan_out(
        items,
        partial(run_item, shuffle=shuffle, step="keys", work=load_keys),
        running,
        claims,
        result_type=tuple[int, bytes],
    )
    every_key = [keys]
    if plan.canaries:
        chosen = gather("Choose", only("picks", keys, "Choose")) | step("Choose", canary_steps.choose_step)
        planted = gather("Plant", chosen) | step("Plant", canary_steps.plant_step)
        every_key = [only("keys", keys, "Contents"), planted]
    contents = gather("Contents", *every_key) | step("Contents", steps.contents_step)
    linked = [gather("Same URL", only("urls", contents, "Same URL")) | step("Same URL", steps.same_url_step)]
    known = [only("copies", contents, "Members")]
    audited: list[PCollection[Element]] = []
    if plan.options.minhash is not None:
        signed = [only("contents", contents, "Bands")]
        if plan.canaries:
            signed.append(only("plants", contents, "Bands"))
        bands = gather("Bands", *signed) | step("Bands", steps.bands_step)
        candidates = gather("Pairs", bands) | step("Pairs", steps.pairs_step)
        alike = candidates if plan.minhash.containment is None else only("pairs", candidates, "Ask")
        asked = gather("Ask", alike) | step("Ask", steps.ask_step)
        verified = gather("Verify", asked) | step("Verify", steps.verify_step)
        linked.append(only("links", verified, "Merge"))
        known.append(only("edges", verified, "Members"))
        if plan.minhash.containment is not None:
            nested = gather("Contained", only("nested", candidates, "Contained"))
            contained = nested | step("Contained", containment_steps.contained_step)
            linked.append(only("links", contained, "Merge of contained"))
            known += [only(kind, contained, "Members of contained") for kind in ("edges", "late")]
        if plan.canaries:
            compared = [only("plants", contents, "Audit"), only("audits", verified, "Audit")]
            audited.append(gather("Audit", *compared) | last_step("Audit", canary_steps.audit_step))
    roots = gather("Merge", *linked) | step("Merge", steps.merge_step)
    members = gather("Members", roots, *known) | step("Members", steps.members_step)
    ranks = gather("Ranks", only("memberships", members, "Ranks")) | step("Ranks", steps.ranks_step, load)
    removed = gather("Walk", ranks, only("edges", members, "Walk")) | step("Walk", steps.walk_step)
    pieces = gather("Write", removed) | last_step("Write", steps.write_step)
    always = root | "Even if none" >> create([(0, b"")], tuple[int, bytes])
    gather("Join", always, pieces, *audited) | "Join" >> flat_map(
        steps.join_step, plan, output=tuple[int, bytes]
    )
