"""Train a vocabulary: byte-level BPE from counted pieces.

Pieces (the matches of the pattern in a text) are counted where the text is, one table an input split; only the counts
are passed on. Scripts written without spaces are first split into ICU words, for training only: whole clauses
hardly ever occur twice, so they would teach little and fill the memory. The trainer of `tokenizers` holds
about 100 bytes for each byte of distinct pieces, so the rarest are left out of it beyond `TRAINER_PIECE_BYTES`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.text.hashes import finalize
from corpus.text.words import segment_words
from corpus.tokens.options import END_OF_TEXT
from corpus.tokens.options import TokenizerOptions as Options

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


def count_pieces(texts: Iterable[str], pattern: str) -> pa.Table:
    """`PIECE_COUNTS_SCHEMA` of the pieces of some texts, sorted. Cost: about 5 MB/s. Memory: the distinct pieces."""
    split = pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str
    counts: Counter[str] = Counter()
    tables: list[pa.Table] = []
    for text in texts:
        counts.update([piece for piece, _ in split(text)])
        if len(counts) > MAX_HELD_PIECES:
            tables = [merge_counts([*tables, _pack_counts(counts)])]
            counts.clear()
    return merge_counts([*tables, _pack_counts(counts)]).sort_by("piece")


def vocabulary_versions() -> dict[str, str]:
    """Return the versions that a trained vocabulary depends on, for its card."""
    return {"tokenizers": tokenizers.__version__, "vocabulary": str(VERSION)}


def merge_counts(tables: list[pa.Table]) -> pa.Table:
    """Sum counts; the result has no particular order."""
    table = pa.concat_tables([PIECE_COUNTS_SCHEMA.empty_table(), *tables])
    sums = table.group_by("piece", use_threads=False).aggregate([("count", "sum")])
    return pa.table([sums.column("piece"), sums.column("count_sum")], schema=PIECE_COUNTS_SCHEMA)


def train_tokenizer(counts: pa.Table, options: Options) -> str:
    """Train on merged counts and return the text of tokenizer.json, the same with any number of threads."""
    tokenizer = Tokenizer(models.BPE())
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(PIECE_SEPARATOR, "removed"), by_bytes]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=options.vocabulary,
        min_frequency=options.min_frequency,
        special_tokens=[options.end_of_text or END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_repeat_pieces(select_most_frequent(counts, TRAINER_PIECE_BYTES)), trainer)
    cut = pre_tokenizers.Split(Regex(options.pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, by_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    return str(tokenizer.to_str(pretty=True)) + "\n"


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


def _pack_counts(counts: Counter[str]) -> pa.Table:
    """Convert counts to a table: spaceless scripts split into words, pieces outside 2 to `MAX_PIECE_BYTES` left out."""
    pieces = pa.array(counts.keys(), pa.string())
    table = pa.table([pieces, pa.array(counts.values(), pa.int64())], schema=PIECE_COUNTS_SCHEMA)
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
