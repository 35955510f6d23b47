"""Train quality classifiers: select texts, hold some out, choose the settings of fastText."""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus import storage
from corpus.classifier.quality_model import (
    CLASSIFIER_SIDES,
    ClassifierCard,
    LanguageCard,
    build_line,
    card_path,
    predict_positive_share,
)
from corpus.errors import UserError
from corpus.languages import fasttext_models
from corpus.text.hashes import finalize
from corpus.text.ngrams import hash_ngrams
from corpus.text.words import Words, segment_words, versions

HELD_OUT_DIVISOR = 10
"""One text in this number is held out of training."""

SHINGLE_WORDS = 5
"""Words of the n-grams whose smallest hash groups texts: near-duplicates share most of their n-grams and so nearly
always the smallest. Groups are held out whole, so that none is tested on what was trained on."""

MAX_TEXT_CHARACTERS = 32_000
"""Characters of a text that are segmented into words, of which 2,000 are used."""

MIN_TEXTS_PER_SIDE = 5
"""Least number of texts of each side for a language to be learned. """
MIN_JUDGED_PER_SIDE = 10
"""Least number of held-out texts of each side for an AUC. Of ten each, one without skill is .5 with a standard error of
.13; of one each it is 0 or 1, whatever the model."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options for training a classifier.

    `epochs` None means as many as amount to 20 million words, from 5 to 100. `limit` is the number of texts of each
    side and language that are taken at most; DCLM took 100,000 of each side.
    """

    seed: int = 0
    dimension: int = 32
    epochs: int | None = None
    learning_rate: float = 0.5
    word_ngrams: int = 2
    limit: int = 100_000


class SpooledText(NamedTuple):
    """A text in the spool. Ordered by `rank`, the smallest hash last, for a heap of the smallest."""

    rank: int
    digest: bytes
    shingle: int
    offset: int
    length: int


Pool = dict[str, list[SpooledText]]
"""Language -> texts of one side."""

Scores = npt.NDArray[np.float64]


class LanguageSample(NamedTuple):
    """The texts of a language: as many positive as negative, those trained on and those held out."""

    trained: tuple[list[SpooledText], list[SpooledText]]
    held_out: tuple[list[SpooledText], list[SpooledText]]


def train_classifier(
    positive: Iterable[tuple[str, str]],
    negative: Iterable[tuple[str, str]],
    out: str,
    options: TrainingOptions | None = None,
    sources: Mapping[str, list[str]] | None = None,
) -> ClassifierCard:
    """Train a classifier on (text, language label) pairs of both sides; save it as `out` with its card beside it.

    The order of the texts does not matter: of each side and language those with the smallest hashes are
    taken, as many of one side as of the other. Texts that differ in case, punctuation and spacing alone
    count once, and not at all when both sides have them. The same texts and options give the same bytes.

    `sources` names the origins of the sides, for the card. Memory: 300 bytes a text; the texts themselves
    are held in a temporary file. Raises UserError if no language has `MIN_TEXTS_PER_SIDE` texts on both sides.
    """
    options = options or TrainingOptions()
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "spool"), "w+b") as spool:
        pools = [_gather_texts(texts, spool, options.limit) for texts in (positive, negative)]
        samples, left_out = _balance(*pools)
        if not samples:
            raise UserError(_describe_too_few(pools, left_out))
        lines, model = os.path.join(folder, "lines.txt"), os.path.join(folder, "model.bin")
        texts, words = _write_lines(samples, spool, lines)
        settings = _choose_settings(options, texts, words)
        fasttext_models.train(lines, model, options.seed, **settings)
        trained = fasttext_models.read(model)
        scores = {language: _score_held_out(sample, spool, trained) for language, sample in samples.items()}
        card = ClassifierCard(
            sha256=storage.sha256(model),
            auc=_round_auc(*(np.concatenate(side) for side in zip(*scores.values(), strict=True))),
            languages={
                language: LanguageCard(
                    documents=len(sample.trained[0]) + len(sample.held_out[0]),
                    held_out=sum(map(len, sample.held_out)),
                    auc=_round_auc(*scores[language]),
                )
                for language, sample in samples.items()
            },
            left_out=left_out,
            sources=sources or {},
            training={"seed": options.seed, "texts": texts, "words": words, **settings},
            versions={**versions(), "fasttext": fasttext_models.version()},
        )
        with open(model, "rb") as saved, storage.atomic_output(out) as output:
            while block := saved.read(1 << 20):
                output.write(block)
    storage.write_text(card_path(out), json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n")
    return card


def _describe_too_few(pools: Sequence[Pool], left_out: Mapping[str, list[int]]) -> str:
    """Return why no language can be learned: sides without words, texts that both sides have, or too few."""
    empty = [side for side, pool in zip(CLASSIFIER_SIDES, pools, strict=True) if not pool]
    if len(empty) == len(pools):
        return "neither side has texts with words"
    if empty:
        return f"no {empty[0]} text has words"
    most = sorted(left_out, key=lambda language: (-sum(left_out[language]), language))[:5]
    counts = ", ".join("{} positive and {} negative in {}".format(*left_out[name], name) for name in most)
    why = f"no language has {MIN_TEXTS_PER_SIDE} different texts on both sides: found {counts}"
    digests = [{(language, text.digest) for language in pool for text in pool[language]} for pool in pools]
    shared = len(digests[0] & digests[1])
    if not shared:
        return why
    texts = "text is" if shared == 1 else "texts are"
    return (
        f"{why}, without the {shared:,} that both sides have, which teach nothing"
        if any(sum(numbers) for numbers in left_out.values())
        else f"{shared:,} {texts} on both sides, and no others: give the sides different texts"
    )


def compute_auc(positive: npt.ArrayLike, negative: npt.ArrayLike) -> float:
    """Return the probability that a positive score is above a negative one, ties counting half; nan without either."""
    positives, negatives = np.asarray(positive, np.float64), np.sort(np.asarray(negative, np.float64))
    if not len(positives) or not len(negatives):
        return float("nan")
    above = np.searchsorted(negatives, positives, "left") + np.searchsorted(negatives, positives, "right")
    return float(above.sum() / (2 * len(positives) * len(negatives)))


def _round_auc(positive: npt.ArrayLike, negative: npt.ArrayLike) -> float | None:
    few = min(np.size(positive), np.size(negative)) < MIN_JUDGED_PER_SIDE
    return None if few else round(compute_auc(positive, negative), 6)


def _gather_texts(texts: Iterable[tuple[str, str]], spool: BinaryIO, limit: int) -> Pool:
    """Select the `limit` different texts of each language with the smallest hashes; write their words to the spool."""
    pool: Pool = {}
    held: dict[str, set[bytes]] = {}
    spool.seek(0, os.SEEK_END)
    for text, language in texts:
        words = segment_words(text[:MAX_TEXT_CHARACTERS], language)
        line = build_line(words).encode("utf-8", "replace")
        if not line:
            continue
        digest = hashlib.blake2b(line, digest_size=16).digest()
        heap, known = pool.setdefault(language, []), held.setdefault(language, set())
        rank = -int.from_bytes(digest[:8], "big")
        if digest in known or (len(heap) == limit and rank <= heap[0].rank):
            continue
        entry = SpooledText(rank, digest, _hash_shingle(words), spool.tell(), len(line))
        spool.write(line)
        known.add(digest)
        if len(heap) < limit:
            heapq.heappush(heap, entry)
        else:
            known.discard(heapq.heapreplace(heap, entry).digest)
    return pool


def _hash_shingle(words: Words) -> int:
    """Return the smallest hash of the text's n-grams of words, hashed again so that it is uniform."""
    hashes = hash_ngrams(words.hashes, min(SHINGLE_WORDS, len(words)))
    return int(finalize(finalize(hashes).min(keepdims=True))[0])


def _balance(positive: Pool, negative: Pool) -> tuple[dict[str, LanguageSample], dict[str, list[int]]]:
    """Take as many texts of one side as of the other in each language; return the counts of languages left out too."""
    samples: dict[str, LanguageSample] = {}
    left_out: dict[str, list[int]] = {}
    for language in sorted({*positive, *negative}):
        sides = [{text.digest: text for text in pool.get(language, [])} for pool in (positive, negative)]
        shared = sides[0].keys() & sides[1].keys()
        positives, negatives = (
            sorted((t for t in side.values() if t.digest not in shared), reverse=True) for side in sides
        )
        count = min(len(positives), len(negatives))
        if count < MIN_TEXTS_PER_SIDE:
            left_out[language] = [len(positives), len(negatives)]
        else:
            samples[language] = _hold_out(positives[:count], negatives[:count])
    return samples, left_out


def _hold_out(positive: list[SpooledText], negative: list[SpooledText]) -> LanguageSample:
    """Divide the texts of a language: of each side at most a tenth is held out, in whole groups of near-duplicates,
    those of the smallest hashes that fit."""
    sides = (positive, negative)
    quota = -(-len(positive) // HELD_OUT_DIVISOR)
    groups: dict[int, list[int]] = {}
    for side, texts in enumerate(sides):
        for text in texts:
            groups.setdefault(text.shingle, [0, 0])[side] += 1
    room, chosen = [quota, quota], set()
    for shingle, counts in sorted(groups.items()):
        if counts[0] <= room[0] and counts[1] <= room[1]:
            chosen.add(shingle)
            room = [room[0] - counts[0], room[1] - counts[1]]
    trained = [[text for text in texts if text.shingle not in chosen] for texts in sides]
    held_out = [[text for text in texts if text.shingle in chosen] for texts in sides]
    return LanguageSample((trained[0], trained[1]), (held_out[0], held_out[1]))


def _write_lines(samples: Mapping[str, LanguageSample], spool: BinaryIO, path: str) -> tuple[int, int]:
    """Write the labelled training lines, in an order that mixes sides and languages; return (texts, words)."""
    chosen = [
        (text, side)
        for sample in samples.values()
        for side, texts in zip(CLASSIFIER_SIDES, sample.trained, strict=True)
        for text in texts
    ]
    chosen.sort(key=lambda pair: pair[0].digest)
    words = 0
    with open(path, "wb") as output:
        for text, side in chosen:
            line = _read_line(spool, text)
            words += line.count(b" ") + 1
            output.write(f"{fasttext_models.LABEL_PREFIX}{side} ".encode() + line + b"\n")
    return len(chosen), words


def _choose_settings(options: TrainingOptions, texts: int, words: int) -> dict[str, Any]:
    """Choose fastText's settings. Small collections get more epochs and a smaller table of bigrams: a slot for
    four words, at least 16 K, at most the 2 M that fastText takes by default (256 MB at dimension 32)."""
    slots = 1 << max(14, (words // 4).bit_length())
    return {
        "dim": options.dimension,
        "epoch": options.epochs or max(5, min(100, 20_000_000 // max(1, words))),
        "lr": options.learning_rate,
        "wordNgrams": options.word_ngrams,
        "minCount": 1 if words < 1_000_000 else 3,
        "bucket": min(2_000_000, slots) if options.word_ngrams > 1 else 0,
        "loss": "softmax",
    }


def _score_held_out(sample: LanguageSample, spool: BinaryIO, model: Any) -> tuple[Scores, Scores]:
    """Score the held-out texts of each side."""
    positives, negatives = (
        np.array(
            [predict_positive_share(model, _read_line(spool, text).decode()) for text in texts], np.float64
        )
        for texts in sample.held_out
    )
    return positives, negatives


def _read_line(spool: BinaryIO, text: SpooledText) -> bytes:
    spool.seek(text.offset)
    return spool.read(text.length)
