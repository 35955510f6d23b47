"""Turn decisions into token shards, in three steps that can each be resumed.

sample     for every split, count its training documents by language and key, then the pieces of those in
           the sample; the vocabulary is learned from the sums, in this process
encode     encode the kept documents of every split into a token part
assemble   plan the shards from the parts' indexes, in this process; write each from whole batches

Only names, counts and hashes are Beam elements; texts and tokens are read from and written to files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import pyarrow as pa

from corpus import storage
from corpus.edits.applied import digest_edits, read_applied, read_applied_edits
from corpus.errors import RunError, UserError
from corpus.pipelines.beam.fanout import PipelineBuilder, fan_out_pipeline
from corpus.pipelines.beam.options import Running
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import PartWriter, read_fingerprint, read_outcome
from corpus.text import words
from corpus.tokens import dataset, encode, parts, sample, shards, vocabulary
from corpus.tokens.encode import Encoder
from corpus.tokens.options import MixtureOptions, TokenizerOptions, TokensOptions
from corpus.workspace import Workspace, read_table

SplitKey = tuple[str, str]
"""(source, split name)."""
RunPipeline = Callable[..., None]
"""run(name, build, total, weights=...): `build(claims)` returns what puts the transforms on a Pipeline; it has `total`
items of these sizes."""

HISTOGRAMS_FOLDER = "tokenizer/sample/histograms"
PIECES_FOLDER = "tokenizer/sample/pieces"
TOKEN_PARTS_FOLDER = "tokens/parts"
SHARD_RECORDS_FOLDER = "tokens/parts/shards"
SHARD_PLAN_FILE = "tokens/parts/plan.json"
READER_THREADS = 16
"""Threads that read small files; on an object store each read takes tens of milliseconds."""


@dataclass(frozen=True, kw_only=True)
class TokenizeJob:
    """What to tokenize and how. `splits` is in the order of their documents in the shards, `run` runs pipelines."""

    workspace: Workspace
    name: str
    splits: Sequence[SplitKey]
    tokenizer: TokenizerOptions
    tokens: TokensOptions
    mixture: MixtureOptions
    seed: int
    running: Running
    run: RunPipeline

    def fan_out(
        self,
        name: str,
        items: Sequence[str],
        work: Callable[[str], Iterable[str]],
        weights: Sequence[int] | None = None,
    ) -> None:
        """Do the work for every item; start no pipeline if there is none. `weights`: the sizes of the items."""
        if items:
            self.run(
                name,
                lambda claims: tokenize_pipeline(name, items, work, self.running, claims),
                len(items),
                weights=weights,
            )


def tokenize_pipeline(
    name: str,
    items: Sequence[str],
    work: Callable[[str], Iterable[str]],
    running: Running,
    claims: str | None,
) -> PipelineBuilder:
    """Return a function that builds a pipeline that does `work` for every item; it yields the items done."""
    return fan_out_pipeline(name.capitalize(), items, work, running, claims)


def tokenize_splits(job: TokenizeJob) -> dict[str, Any]:
    """Run all three steps; return the content of tokens/dataset.json. Without kept documents there are no shards."""
    inputs = read_inputs(job.workspace, job.splits)
    encoder = sample_and_train(job, inputs)
    encode_splits(job, inputs, encoder)
    return assemble_shards(job, inputs, encoder)


def read_inputs(workspace: Workspace, splits: Sequence[SplitKey]) -> dict[SplitKey, str]:
    """Return a fingerprint of what is read of every split: its documents, which are kept, the edits that are applied.

    Rules that keep the same documents change no token, nor do edits that are not applied. Raises RunError if
    something is missing.
    """
    applied = read_applied(workspace)

    def read(split: SplitKey) -> str:
        input_fingerprints = [
            read_fingerprint(workspace.part("documents", *split)),
            read_outcome(workspace.part("decisions", *split)),
        ]
        if None in input_fingerprints:
            raise RunError(f"input split {split[1]} of {split[0]} has no documents or decisions: build again")
        edits = read_applied_edits(workspace, *split, applied)
        return fingerprint([*input_fingerprints, *([digest_edits(edits)] if edits is not None else [])])

    return dict(zip(splits, _read_each(read, splits), strict=True))


# --- sample ---


def check_kept_tokenizer(workspace: Workspace, options: TokenizerOptions) -> None:
    """Raise UserError if the vocabulary that `keep: true` would keep was trained with other options."""
    card_path = workspace.path("tokenizer", "card.json")
    if not options.keep or not storage.exists(card_path):
        return
    before, now = json.loads(storage.read_text(card_path)).get("options") or {}, options.training()
    other = [name for name in now if name in before and before[name] != now[name]]
    if other:
        named = ", ".join(f"{name} is {now[name]}, it was {before[name]}" for name in other)
        raise UserError(
            f"keep: true keeps the vocabulary of {workspace.root}, which was trained with other options ({named}): "
            "give it those, or leave out keep",
            ("tokenizer", other[0]),
        )


class HistogramParts:
    """Count the training documents of one split per call, by language and key. Picklable."""

    def __init__(self, root: str, seed: int) -> None:
        self.root, self.seed = root, seed

    def __call__(self, item: str) -> Iterator[str]:
        source, split, wanted = json.loads(item)
        workspace = Workspace(self.root)
        table = sample.build_histogram(*_input_paths(workspace, source, split), self.seed)
        with PartWriter(
            workspace.part(HISTOGRAMS_FOLDER, source, split), sample.HISTOGRAM_SCHEMA, wanted
        ) as writer:
            writer.write(table)
        yield item


class PieceParts:
    """Count the pieces of the sampled documents of one split per call. Picklable."""

    def __init__(self, root: str, seed: int, cuts: Mapping[str, int], pattern: str) -> None:
        self.root, self.seed, self.cuts, self.pattern = root, seed, cuts, pattern

    def __call__(self, item: str) -> Iterator[str]:
        source, split, wanted = json.loads(item)
        workspace = Workspace(self.root)
        edits = read_applied_edits(workspace, source, split)
        paths = _input_paths(workspace, source, split)
        texts = sample.read_sampled_texts(*paths, self.seed, self.cuts, edits)
        table = vocabulary.count_pieces(texts, self.pattern)
        with PartWriter(
            workspace.part(PIECES_FOLDER, source, split), vocabulary.PIECE_COUNTS_SCHEMA, wanted
        ) as writer:
            writer.write(table)
        yield item


def sample_and_train(job: TokenizeJob, inputs: Mapping[SplitKey, str]) -> Encoder:
    """Write tokenizer/tokenizer.json, trained on a sample or as given, and its description, card.json.

    A tokenizer that was made from the same inputs, options and seed is kept, and any with `keep: true`.

    Memory of learning: see
    `vocabulary`; .7 GB with the default options, whatever the size of the corpus.
    """
    options, workspace = job.tokenizer, job.workspace
    path, card_path = workspace.path("tokenizer", "tokenizer.json"), workspace.path("tokenizer", "card.json")
    given_tokenizer = storage.read_bytes(options.path) if options.path is not None else None
    if given_tokenizer is None:
        versions = [vocabulary.VERSION, sample.VERSION, words.VERSION]
        wanted = fingerprint([versions, options.training(), job.seed, sorted(inputs.values())])
    else:
        wanted = fingerprint([encode.VERSION, encode.sha256(given_tokenizer), options.end_of_text])
    if storage.exists(card_path) and storage.exists(path):
        card = json.loads(storage.read_text(card_path))
        kept = options.keep and card["kind"] == "trained"
        if (kept or card["fingerprint"] == wanted) and storage.sha256(path) == card["sha256"]:
            return encode.load_encoder(path, card["end_of_text"], card["engine"])
    storage.remove(card_path)
    if given_tokenizer is None:
        content, learned = _train_tokenizer(job, inputs)
        encoder = Encoder(content, options.end_of_text)
    else:
        assert options.path is not None
        content, learned = given_tokenizer, {}
        encoder = encode.load_encoder(options.path, options.end_of_text)
    if encoder.engine == "tiktoken" and not encoder.engines_agree():
        encoder = Encoder(content, encoder.end_of_text_token, "tokenizers")
    storage.write_bytes(path, content)
    card = {
        "schema_version": 1,
        "kind": "trained" if given_tokenizer is None else "given",
        "sha256": encoder.sha256,
        "vocabulary_size": encoder.vocabulary_size,
        "end_of_text": encoder.end_of_text_token,
        "engine": encoder.engine,
        "engine_reason": encoder.why,
        **learned,
        "fingerprint": wanted,
    }
    storage.write_text(card_path, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return encoder


def _train_tokenizer(job: TokenizeJob, inputs: Mapping[SplitKey, str]) -> tuple[bytes, dict[str, Any]]:
    """Learn a tokenizer from a sample; return the bytes of its tokenizer.json, and the card's entries about it."""
    options, workspace = job.tokenizer, job.workspace
    made_by = {split: fingerprint([sample.VERSION, job.seed, inputs[split]]) for split in job.splits}
    histograms = HistogramParts(workspace.root, job.seed)
    job.fan_out("sample", _list_missing(job, HISTOGRAMS_FOLDER, made_by), histograms)
    table = _sum_parts(job, HISTOGRAMS_FOLDER, made_by, sample.merge_histograms)
    cuts = sample.choose_cuts(table, int(options.sample_bytes), options.alpha)
    made_by = {
        split: fingerprint([vocabulary.VERSION, words.VERSION, options.pattern, cuts, made_by[split]])
        for split in job.splits
    }
    pieces = PieceParts(workspace.root, job.seed, cuts, options.pattern)
    job.fan_out("pieces", _list_missing(job, PIECES_FOLDER, made_by), pieces)
    counts = _sum_parts(job, PIECES_FOLDER, made_by, vocabulary.merge_counts)
    learned = {
        "options": options.training(),
        "seed": job.seed,
        "versions": {**vocabulary.vocabulary_versions(), **words.versions()},
        "distinct_pieces": counts.num_rows,
        "sample": sample.measure_sample(table, cuts),
    }
    return vocabulary.train_tokenizer(counts, options).encode(), learned


def _list_missing(job: TokenizeJob, folder: str, made_by: Mapping[SplitKey, str]) -> list[str]:
    """Return the items, as JSON, of splits whose part in `folder` is missing or has another fingerprint."""
    stored_fingerprints = _read_each(
        lambda split: read_fingerprint(job.workspace.part(folder, *split)), job.splits
    )
    return [
        json.dumps([*split, made_by[split]])
        for split, stored in zip(job.splits, stored_fingerprints, strict=True)
        if stored != made_by[split]
    ]


def _sum_parts(
    job: TokenizeJob,
    folder: str,
    made_by: Mapping[SplitKey, str],
    merge: Callable[[list[pa.Table]], pa.Table],
) -> pa.Table:
    """Return the sum of the parts of all splits, merged a few at a time."""
    total = merge([])
    for start in range(0, len(job.splits), READER_THREADS):
        some = job.splits[start : start + READER_THREADS]
        paths = [job.workspace.part(folder, *split) for split in some]
        for split, stored in zip(some, _read_each(read_fingerprint, paths), strict=True):
            if stored != made_by[split]:
                raise RunError(f"{folder} lacks input split {split[1]} of {split[0]}: build again")
        total = merge([total, *_read_each(read_table, paths)])
    return total


# --- encode ---


class EncodeParts:
    """Write the token part of one split per call. Picklable."""

    def __init__(self, root: str, end_of_text: str, engine: str, sha256: str, batch_tokens: int) -> None:
        self.root, self.batch_tokens = root, batch_tokens
        self.encoder = (Workspace(root).path("tokenizer", "tokenizer.json"), end_of_text, engine, sha256)

    def __call__(self, item: str) -> Iterator[str]:
        source, split, wanted = json.loads(item)
        workspace = Workspace(self.root)
        parts.encode_part(
            shards.part_path(workspace.path(TOKEN_PARTS_FOLDER), source, split),
            *_input_paths(workspace, source, split),
            _load_encoder(*self.encoder),
            wanted,
            self.batch_tokens,
            read_applied_edits(workspace, source, split),
        )
        yield item


@lru_cache(maxsize=1)
def _load_encoder(path: str, end_of_text: str, engine: str, sha256: str) -> Encoder:
    """Return the encoder of this process, loaded once."""
    encoder = encode.load_encoder(path, end_of_text, engine)
    if encoder.sha256 != sha256:
        raise RunError(f"{path} is not the tokenizer that this run began with: build again")
    return encoder


def encode_splits(job: TokenizeJob, inputs: Mapping[SplitKey, str], encoder: Encoder) -> None:
    """Write the token parts that are missing, largest first. Memory: see `parts.encode_part`."""
    batch_tokens = batch_tokens_of(job.tokens)
    wanted = part_fingerprints(inputs, encoder, batch_tokens)
    folder = job.workspace.path(TOKEN_PARTS_FOLDER)
    paths = {split: shards.part_path(folder, *split) for split in job.splits}
    stored = dict(zip(job.splits, _read_each(parts.read_part_fingerprint, list(paths.values())), strict=True))
    missing = [split for split in job.splits if stored[split] != wanted[split]]
    sizes = dict(
        zip(
            missing,
            _read_each(lambda split: storage.size(job.workspace.part("documents", *split)), missing),
            strict=True,
        )
    )
    ordered = sorted(missing, key=lambda split: (-sizes[split], split))
    items = [json.dumps([*split, wanted[split]]) for split in ordered]
    root = job.workspace.root
    work = EncodeParts(root, encoder.end_of_text_token, encoder.engine, encoder.sha256, batch_tokens)
    job.fan_out("encode", items, work, [sizes[split] for split in ordered])


def batch_tokens_of(options: TokensOptions) -> int:
    """Return the tokens of a part's batches: few compared with a shard, so that shards fill up."""
    return min(parts.PART_BATCH_TOKENS, max(1, options.max_shard_tokens // 16))


def part_fingerprints(
    inputs: Mapping[SplitKey, str], encoder: Encoder, batch_tokens: int
) -> dict[SplitKey, str]:
    """Return the fingerprint of the token part of every split."""
    common = [parts.VERSION, encode.VERSION, encoder.sha256, encoder.end_of_text, batch_tokens]
    return {split: fingerprint([*common, made_by]) for split, made_by in inputs.items()}


# --- assemble ---


class ShardParts:
    """Write one shard of the plan per call. Picklable."""

    def __init__(self, root: str, plan: str, dtype: str) -> None:
        self.root, self.plan, self.dtype = root, plan, dtype

    def __call__(self, item: str) -> Iterator[str]:
        workspace = Workspace(self.root)
        shard = shards.read_plan(workspace.path(SHARD_PLAN_FILE), self.plan)[item]
        shards.write_shard(
            *_shard_paths(workspace, shard), shard, workspace.path(TOKEN_PARTS_FOLDER), self.dtype
        )
        yield item


def assemble_shards(job: TokenizeJob, inputs: Mapping[SplitKey, str], encoder: Encoder) -> dict[str, Any]:
    """Plan the shards, write the missing ones, remove those of an earlier plan; then write dataset.json.

    While shards change there is no dataset.json, so no reader mixes two plans.
    """
    workspace = job.workspace
    indexed = _read_parts(job, part_fingerprints(inputs, encoder, batch_tokens_of(job.tokens)))
    check_unknown(indexed, encoder, job.tokenizer.max_unknown)
    planned = shards.plan_shards(indexed, job.tokens)
    streams = shards.assign_streams(indexed, job.tokens)
    description_path = workspace.path("tokens", "dataset.json")
    missing = [shard for shard, digest in _read_records(workspace, planned) if digest is None]
    stale = _list_stale(job, planned)
    if missing or stale:
        storage.remove(description_path)
    for path in stale:
        storage.remove(path)
    if missing:
        whole = fingerprint([shard.fingerprint for shard in planned])
        shards.write_plan(workspace.path(SHARD_PLAN_FILE), planned)
        largest_first = sorted(missing, key=lambda shard: (-shard.tokens, shard.path))
        work = ShardParts(workspace.root, whole, encoder.dtype.name)
        sizes = [shard.tokens for shard in largest_first]
        job.fan_out("shards", [shard.path for shard in largest_first], work, sizes)
    digests: dict[str, str] = {}
    for shard, digest in _read_records(workspace, planned):
        if digest is None:
            raise RunError(f"tokens/{shard.path} was not written: build again")
        digests[shard.path] = digest
    description = dataset.describe_dataset(
        name=job.name,
        encoder=encoder,
        shards=planned,
        digests=digests,
        parts=indexed,
        streams=streams,
        mixture=job.mixture,
        emptied=_count_emptied(job),
    )
    storage.write_text(description_path, json.dumps(description, indent=1, ensure_ascii=False) + "\n")
    return description


def _count_emptied(job: TokenizeJob) -> dict[str, dict[str, int]]:
    """Return how many kept documents by source and language are in no shard, since edits leave nothing of them."""
    applied = read_applied(job.workspace)
    splits = [split for split in job.splits if split[0] in applied]
    folder = job.workspace.path(TOKEN_PARTS_FOLDER)
    counts: dict[str, Counter[str]] = {}
    for split, emptied in zip(
        splits,
        _read_each(lambda split: parts.read_emptied(shards.part_path(folder, *split)), splits),
        strict=True,
    ):
        if emptied:
            counts.setdefault(split[0], Counter()).update(emptied)
    return {source: dict(sorted(languages.items())) for source, languages in sorted(counts.items())}


def check_unknown(indexed: Sequence[shards.Part], encoder: Encoder, bound: float) -> None:
    """Raise RunError if the tokenizer does not know the text of some language."""
    unknown = dataset.count_unknown(indexed)
    totals: Counter[str] = Counter()
    for _, _, _, index in indexed:
        for batch in index:
            totals[batch.language] += batch.tokens
    shares = {language: count / totals[language] for language, count in unknown.items()}
    above = sorted(
        (language for language, share in shares.items() if share > bound),
        key=lambda language: -shares[language],
    )
    if above:
        named = ", ".join(f"{language} {shares[language]:.1%}" for language in above[:5])
        more = f" and {len(above) - 5} more languages" if len(above) > 5 else ""
        raise RunError(
            f"the tokenizer turns unknown text into {encoder.unknown_token}, more than {bound:.1%} of the "
            f"tokens of {named}{more}: take a tokenizer of bytes, leave these languages out, or raise "
            "`tokenizer: {max_unknown: ...}`"
        )


def _read_parts(job: TokenizeJob, wanted: Mapping[SplitKey, str]) -> list[shards.Part]:
    """Read every token part's index, in the order of the splits."""

    def read(split: SplitKey) -> shards.Part:
        path = shards.part_path(job.workspace.path(TOKEN_PARTS_FOLDER), *split)
        if parts.read_part_fingerprint(path) != wanted[split]:
            raise RunError(f"input split {split[1]} of {split[0]} was not encoded: build again")
        return (*split, wanted[split], parts.read_index(path))

    return _read_each(read, job.splits)


def _read_records(
    workspace: Workspace, planned: Sequence[shards.PlannedShard]
) -> list[tuple[shards.PlannedShard, str | None]]:
    """Return every shard with its sha256, None if it does not exist as planned."""
    digests = _read_each(
        lambda shard: shards.read_shard_sha256(*_shard_paths(workspace, shard), shard), planned
    )
    return list(zip(planned, digests, strict=True))


def _shard_paths(workspace: Workspace, shard: shards.PlannedShard) -> tuple[str, str]:
    """Return the paths of a shard and of its record."""
    return workspace.path("tokens", shard.path), workspace.path(SHARD_RECORDS_FOLDER, shard.path + ".json")


def _list_stale(job: TokenizeJob, planned: Sequence[shards.PlannedShard]) -> list[str]:
    """Return the files below tokens/ that belong neither to the plan nor to a split."""
    workspace = job.workspace
    expected = {workspace.path("tokens", "dataset.json"), workspace.path(SHARD_PLAN_FILE)}
    expected |= {path for shard in planned for path in _shard_paths(workspace, shard)}
    expected |= {shards.part_path(workspace.path(TOKEN_PARTS_FOLDER), *split) for split in job.splits}
    # A filesystem may spell its URLs in another way than we do: only what follows tokens/ counts.
    names = {path.rpartition("/tokens/")[2] for path in storage.list_files(workspace.path("tokens"))}
    return sorted({workspace.path("tokens", name) for name in names} - expected)


def _input_paths(workspace: Workspace, source: str, split: str) -> tuple[str, str]:
    return workspace.part("documents", source, split), workspace.part("decisions", source, split)


A = TypeVar("A")
B = TypeVar("B")


def _read_each(read: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """Return `read(item)` of every item, in order, with several threads."""
    with ThreadPoolExecutor(READER_THREADS) as pool:
        return list(pool.map(read, items))
