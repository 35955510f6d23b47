"""Find paragraphs, lines and spans that kept documents repeat, and store them as edits: DIR/edits/repeats.

Elements are packed arrays (`corpus.pipelines.beam.packed`), in files of the run on one machine, and through the
engine's shuffle elsewhere, as in `corpus.pipelines.dedup`. Texts are read from the parts where they lie:

    splits     `survey`    hashes of paragraphs and lines, anchors of spans       -> hash range
               `match`     counts paragraphs and lines; equal anchors are aligned -> block of the earlier document
    block      `lend`      cuts out the passages around these                     -> block of the later document
    block      `extend`    reads its texts and compares them with the passages    -> the same block
    block      `write`     the edits of its splits
    (one)      `count`     documents, spans and characters by source and language

Of what is repeated the first stays, in the order of the splits and their rows; of paragraphs and lines the one in the
best document where that is asked for. Only documents that are kept take part:
so this comes after the decisions, and no document stands for text that another one loses.

Memory: `match` 40 bytes for each line and for every 31st character of its range, three times; `lend` and `extend` 24
bytes for each alignment of their block, and 64 MiB of passages and 80 MiB of texts at a time. A text is read three
times at the most, whatever is repeated in it: for its anchors, to lend from it, and to be compared. A passage reaches
4,096 characters beyond the equal grams, and two documents are compared once where they are aligned: what is lent grows
as what is repeated, times the three earlier ones that an anchor is paired with.

The edits depend on neither the number of partitions, nor that of workers, nor the way of the shuffle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from corpus import storage
from corpus.dedup.options import DedupOptions
from corpus.edits.parts import counts_path, edits_path
from corpus.edits.steps import REPEATS_STEP
from corpus.pipelines import repeat_steps as steps
from corpus.pipelines.beam.fanout import do_nothing, fan_out
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.packed import Element, Gathered
from corpus.pipelines.beam.shuffle import Shuffle, choose_shuffle, end_range, run_item, run_range
from corpus.pipelines.repeat_steps import RepeatPlan
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import read_fingerprint, read_outcome
from corpus.workspace import Workspace

if TYPE_CHECKING:
    import apache_beam as beam

    from corpus.pipelines.beam.types import PCollection, Transform

VERSION = 2
"""Increased when the same documents would give other edits."""
SPLITS_PER_RANGE = 4
MAX_RANGES = 4096


def repeats_pipeline(
    workspace: Workspace,
    splits: Iterable[tuple[str, str]],
    options: DedupOptions,
    running: Running,
    claims: str | None,
    partitions: int | None = None,
    in_runs: bool | None = None,
    sites: Collection[str] | None = None,
    priorities: Mapping[str, int] | None = None,
    quality: tuple[str, str] | None = None,
) -> Callable[[beam.Pipeline], None]:
    """Return a function that builds the search for repeated text among the kept documents of some splits.

    `splits` (source, split) in any order, with documents and decisions. If all edits were made from these with these
    options, the pipeline does nothing. `partitions`: the number of hash ranges, and of blocks at the most; by default
    one for 4 splits, at most 4,096. `sites`: the sources whose documents are pages of sites; by default
    all. `priorities` of sources, and `quality`, step and signal of a score, say which document is the best, for
    `keep: best`. `in_runs`: see `corpus.pipelines.dedup`. Beam's counters `repeats/...` hold the
    numbers of documents, characters and alignments.
    """
    ordered = sorted(set(splits))
    made_of = [_identify(workspace, *split) for split in ordered]
    best = [dict(priorities or {}), quality and _identify_scores(workspace, ordered, quality)]
    pages = sorted({source for source, _ in ordered if sites is None or source in sites})
    digest = fingerprint(
        [VERSION, options.repeats, pages, ordered, made_of, *(best if options.keeps_best else [])]
    )
    paths = [
        counts_path(workspace, REPEATS_STEP),
        *(edits_path(workspace, REPEATS_STEP, *split) for split in ordered),
    ]
    if all(read_fingerprint(path) == digest for path in paths):
        RepeatPlan.remove_names(workspace)  # of a run that was killed at the very end
        return do_nothing
    storage.remove(counts_path(workspace, REPEATS_STEP))
    plan = RepeatPlan(
        root=workspace.root,
        options=options,
        splits=len(ordered),
        partitions=partitions
        or max(4 * running.workers, min(MAX_RANGES, -(-len(ordered) // SPLITS_PER_RANGE))),
        digest=digest,
        sites=tuple(pages),
        priorities=dict(priorities or {}),
        quality=quality,
    )
    plan.write_names(ordered)
    shuffle = choose_shuffle(running, claims, in_runs)
    return partial(add_repeat_steps, plan=plan, running=running, claims=claims, shuffle=shuffle)


def _identify(workspace: Workspace, source: str, split: str) -> list[str | None]:
    """Return what the repeated text of a split depends on: its documents, and which of them are kept."""
    decisions = workspace.part("decisions", source, split)
    return [
        read_fingerprint(workspace.part("documents", source, split)),
        read_outcome(decisions) or read_fingerprint(decisions),
    ]


def _identify_scores(
    workspace: Workspace, splits: Iterable[tuple[str, str]], quality: tuple[str, str]
) -> list[str | None]:
    return [read_fingerprint(workspace.part(f"signals/{quality[0]}", *split)) for split in splits]


def add_repeat_steps(
    root: beam.Pipeline, plan: RepeatPlan, running: Running, claims: str | None, shuffle: Shuffle
) -> None:
    """Put all steps of the module's table on a pipeline; the list of splits must exist when they run."""
    from corpus.pipelines.beam.types import create, flat_map, flatten, group_by_key, keep_if

    def step(name: str, function: Callable[..., Iterator[Element]]) -> Transform:
        given = (shuffle, name.lower(), function, plan)
        named: Transform = name >> flat_map(run_range, *given, output=tuple[int, bytes])
        return named

    def gather(name: str, *inputs: PCollection[Element]) -> PCollection[Gathered]:
        joined = inputs[0] if len(inputs) == 1 else inputs | f"{name}: together" >> flatten()
        gathered: PCollection[Gathered] = joined | f"{name}: gather" >> group_by_key()
        return gathered

    def only(kind: str, elements: PCollection[Element], label: str) -> PCollection[Element]:
        of_kind = keep_if(steps.REPEAT_KINDS.is_kind, kind, output=tuple[int, bytes])
        chosen: PCollection[Element] = elements | f"{label}: {kind}" >> of_kind
        return chosen

    survey = root | "Survey" >> fan_out(
        [f"{split}:{split + 1}" for split in range(plan.splits)],
        partial(run_item, shuffle=shuffle, step="survey", work=partial(steps.survey_step, plan=plan)),
        running,
        claims,
        result_type=tuple[int, bytes],
    )
    hashed = [only(kind, survey, "Match") for kind in ("paragraphs", "lines", "anchors")]
    matched = gather("Match", *hashed) | step("Match", steps.match_step)
    lent = gather("Lend", only("alignments", matched, "Lend")) | step("Lend", steps.lend_step)
    extended = gather("Extend", lent) | step("Extend", steps.extend_step)
    spans = [only("spans", each, name) for name, each in (("Survey", survey), ("Match", matched))]
    last = flat_map(end_range, shuffle, steps.write_step, plan, output=tuple[int, bytes])
    written = gather("Write", *spans, extended) | "Write" >> last
    always = root | "Even if none" >> create([(0, b"")], tuple[int, bytes])
    gather("Count", always, written) | "Count" >> flat_map(steps.count_step, plan, output=tuple[int, bytes])
