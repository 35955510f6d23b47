"""Train a vocabulary: byte-level BPE from counted pieces.

Pieces (the matches of the pattern in a text) are counted where the text is, one table an input split; only the counts
are passed on. Scripts written without spaces are first split into ICU words, for training only: whole clauses
hardly ever occur twice, so they would teach little and fill the memory. The trainer of `tokenizers` holds
about 100 bytes for each byte of distinct pieces, so the rarest are left out of it beyond `TRAINER_PIECE_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.text.hashes import finalize
from corpus.text.words import segment_words
from corpus.tokens.encode import BYTE_OF_CHARACTER
from corpus.tokens.merges import learn_merges
from corpus.tokens.options import END_OF_TEXT
from corpus.tokens.options import TokenizerOptions as Options
from corpus.tokens.pieces import count_pieces_of

VERSION = 1
"""Increased when the same sample would give another vocabulary."""

TRAINER_PIECE_BYTES = 3 << 20
"""Distinct pieces given to the trainer, in bytes: about 300 MB of its memory."""
MAX_PIECE_BYTES = 128
"""Bytes of a piece, at most; longer pieces are no words, and are left out."""
MAX_HELD_PIECES = 200_000
"""Distinct pieces counted before they are packed."""

PIECE_COUNTS_SCHEMA = pa.schema(
    [pa.field("piece", pa.string(), nullable=False), pa.field("count", pa.int64(), nullable=False)]
)

SPACELESS_PATTERN = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
PIECE_SEPARATOR = "\uffff"
"""Separates pieces in the trainer's input; Unicode guarantees that it is no character."""


_BY_BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def count_pieces(texts: Iterable[str], pattern: str) -> pa.Table:
    """`PIECE_COUNTS_SCHEMA` of the pieces of some texts, sorted. Memory: the distinct pieces.

    Cost: with the default pattern about 30 MB/s, and 10 MB/s of scripts without spaces; with another 4 MB/s.
    """
    tables: list[pa.Table] = []
    held: list[pa.Table] = []
    for pieces, counts in count_pieces_of(texts, pattern):
        held.append(pa.table([pieces, counts], schema=PIECE_COUNTS_SCHEMA))
        if sum(table.num_rows for table in held) > 2 * MAX_HELD_PIECES:
            held = [merge_counts(held)]
            if held[0].num_rows > MAX_HELD_PIECES:
                tables = [merge_counts([*tables, _pack_counts(held.pop())])]
    return merge_counts([*tables, _pack_counts(merge_counts(held))]).sort_by("piece")


def vocabulary_versions() -> dict[str, str]:
    """Return the versions that a trained vocabulary depends on, for its card."""
    return {"tokenizers": tokenizers.__version__, "vocabulary": str(VERSION)}


def merge_counts(tables: list[pa.Table]) -> pa.Table:
    """Sum counts; the result has no particular order."""
    table = pa.concat_tables([PIECE_COUNTS_SCHEMA.empty_table(), *tables])
    sums = table.group_by("piece", use_threads=False).aggregate([("count", "sum")])
    return pa.table([sums.column("piece"), sums.column("count_sum")], schema=PIECE_COUNTS_SCHEMA)


def train_tokenizer(counts: pa.Table, options: Options) -> str:
    """Train on merged counts and return the text of tokenizer.json: the one that `tokenizers` itself would learn."""
    counts = select_most_frequent(counts, TRAINER_PIECE_BYTES)
    tokenizer = _learn_from_counts(counts, options) or _learn_from_text(counts, options)
    cut = pre_tokenizers.Split(Regex(options.pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, _BY_BYTES])
    tokenizer.decoder = decoders.ByteLevel()
    return str(tokenizer.to_str(pretty=True)) + "\n"


def _learn_from_counts(counts: pa.Table, options: Options) -> Tokenizer | None:
    """Return a tokenizer with the merges of these pieces; None if two merges give the same token."""
    end_of_text = options.end_of_text or END_OF_TEXT
    vocabulary = {end_of_text: 0}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary.setdefault(character, len(vocabulary))
    id_of_byte = np.empty(256, np.int32)
    for character, byte in BYTE_OF_CHARACTER.items():
        id_of_byte[byte] = vocabulary[character]
    pieces = pa.array(counts.column("piece").to_pylist(), pa.large_string())
    lengths = pc.binary_length(pieces).to_numpy()
    utf8 = np.frombuffer(pieces.buffers()[2] or b"", np.uint8, int(lengths.sum()))
    merges = learn_merges(
        id_of_byte[utf8],
        lengths,
        counts.column("count").to_numpy(),
        vocabulary,
        options.vocabulary,
        options.min_frequency,
    )
    if merges is None:
        return None
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.add_special_tokens([end_of_text])
    return tokenizer


def _learn_from_text(counts: pa.Table, options: Options) -> Tokenizer:
    """Return the same tokenizer by the trainer of `tokenizers`, to which the counts are written out: slow."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(PIECE_SEPARATOR, "removed"), _BY_BYTES]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=options.vocabulary,
        min_frequency=options.min_frequency,
        special_tokens=[options.end_of_text or END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_repeat_pieces(counts), trainer)
    return tokenizer


def select_most_frequent(counts: pa.Table, size: int) -> pa.Table:
    """Return the most frequent pieces within `size` bytes, in alphabetical order.

    Among equally frequent ones a hash of the position decides, not the alphabet, so that no script is preferred.
    """
    counts = counts.sort_by("piece")
    lengths = pc.binary_length(counts.column("piece")).to_numpy()
    if int(lengths.sum()) <= size:
        return counts
    order = np.lexsort(
        (finalize(np.arange(len(lengths), dtype=np.uint64)), -counts.column("count").to_numpy())
    )
    within = np.cumsum(lengths[order], dtype=np.int64) <= size
    return counts.take(pa.array(np.sort(order[within])))


def _repeat_pieces(counts: pa.Table, size: int = 4096) -> Iterator[str]:
    """Yield each piece as often as it was counted, with `PIECE_SEPARATOR`, in strings of about `size` characters."""
    held: list[str] = []
    characters = 0
    for piece, count in zip(
        counts.column("piece").to_pylist(), counts.column("count").to_pylist(), strict=True
    ):
        once = piece + PIECE_SEPARATOR
        while count:
            times = min(count, max(1, (size - characters) // len(once)))
            held.append(once * times)
            characters += len(once) * times
            count -= times
            if characters >= size:
                yield "".join(held)
                held, characters = [], 0
    yield "".join(held)


def _pack_counts(table: pa.Table) -> pa.Table:
    """Return counts with spaceless scripts split into words; pieces outside 2 to `MAX_PIECE_BYTES` are left out."""
    table = table.filter(pc.invert(pc.match_substring(table.column("piece"), PIECE_SEPARATOR)))
    spaceless = pc.match_substring_regex(table.column("piece"), SPACELESS_PATTERN)
    table = pa.concat_tables([table.filter(pc.invert(spaceless)), _split_into_words(table.filter(spaceless))])
    size = pc.binary_length(table.column("piece"))
    return merge_counts([table.filter(pc.and_(pc.greater(size, 1), pc.less_equal(size, MAX_PIECE_BYTES)))])


def _split_into_words(table: pa.Table) -> pa.Table:
    """Return the ICU words of pieces, each with the space before it and the count of its piece."""
    if not table.num_rows:
        return table
    segmented = segment_words("".join(piece + PIECE_SEPARATOR for piece in table.column("piece").to_pylist()))
    ends = segmented.boundaries[1:]
    ends = ends[segmented.units[ends - 1] != ord(" ")]
    marks = segmented.units[ends - 1] == ord(PIECE_SEPARATOR)
    piece_of = np.cumsum(marks) - marks
    offsets = np.concatenate(([0], np.cumsum(_utf8_sizes(segmented.units))))[np.concatenate(([0], ends))]
    utf8 = pa.py_buffer(segmented.units.tobytes().decode("utf-16-le").encode())
    words = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets.astype(np.int32)), utf8)
    counts = table.column("count").to_numpy()[piece_of]
    return pa.table([words, counts], schema=PIECE_COUNTS_SCHEMA).filter(pa.array(~marks))


def _utf8_sizes(units: npt.NDArray[np.uint16]) -> npt.NDArray[np.int64]:
    """Return the UTF-8 bytes of each UTF-16 unit; two for each half of a surrogate pair."""
    surrogate = (units & 0xF800) == 0xD800
    sizes: npt.NDArray[np.int64] = 1 + (units >= 0x80).astype(np.int64) + ((units >= 0x800) & ~surrogate)
    return sizes
