"""Encode text: a Hugging Face tokenizer.json run by tiktoken, six times faster, with the same tokens.

tiktoken merges whichever neighbours join to a known token, lowest rank first; tokenizers merges only the
listed pairs, in their order. The two agree on every text if each token, encoded alone by the listed
merges, gives itself: inside any longer text, neighbours that join to a token have been made from its
bytes by the merges before it, just as alone, so they are the pair the list names. `Encoder` checks this
for every token when it loads (.05 s for 32,000), ranks by the order of the merges, and translates to ids
where these differ. Text is split before merging by one pattern in two regex engines: `engines_agree` compares them.
"""

from __future__ import annotations

import hashlib
import json
import threading
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tiktoken
import tokenizers

from corpus.errors import UserError
from corpus.storage import read_bytes
from corpus.tokens.options import DEFAULT_PATTERN, END_OF_TEXT
from corpus.tokens.pieces import BATCH_CHARACTERS, batch_texts, cut_texts

Array = npt.NDArray[Any]

VERSION = 1
"""Increased when the same tokenizer would give other tokens."""

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""The pattern of the ByteLevel pre-tokenizer when it splits text itself (Radford et al. 2019)."""

MAX_CUT_CHARACTERS = 4 * BATCH_CHARACTERS
"""Characters of a text that is cut by arrays, at most: they need 20 times its memory."""
MAX_KNOWN_PIECES = 1 << 19
"""Pieces whose tokens are remembered, at most."""

END_OF_TEXT_NAMES = (END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>", "<|eos|>", "[EOS]")
"""Names of the token that ends a document, looked up in this order in an existing tokenizer."""


def _map_byte_characters() -> dict[str, int]:
    """Return the byte that each character represents in a byte-level vocabulary, as in GPT-2."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(0x100 + i): b for i, b in enumerate(hidden)}


BYTE_OF_CHARACTER = _map_byte_characters()


class Encoder:
    """Encodes texts with one tokenizer; one instance per process, for any number of threads.

    `end_of_text` is the id that ends every row, `unknown` the id that stands for text outside the vocabulary (None
    where any text can be written), `vocabulary_size` the largest id plus one, `dtype` uint16 where all ids fit, else
    uint32. `engine` is "tiktoken", or "tokenizers" if tiktoken cannot give the same tokens (`why` holds the reason) or
    if it was requested.
    """

    def __init__(self, content: bytes, end_of_text: str | None = None, engine: str | None = None) -> None:
        self.sha256 = sha256(content)
        try:
            raw = json.loads(content)
            self._hf = tokenizers.Tokenizer.from_str(content.decode())
        except Exception as error:  # tokenizers raises a bare Exception
            raise UserError(
                f"not a tokenizer.json of Hugging Face tokenizers: {str(error).splitlines()[0]}"
            ) from None
        self._hf.no_truncation()
        self._hf.no_padding()
        self._hf.encode_special_tokens = True
        ids = self._hf.get_vocab(with_added_tokens=True)
        self.vocabulary_size = max(ids.values(), default=-1) + 1
        self.dtype: np.dtype[Any] = np.dtype(np.uint16 if self.vocabulary_size <= 1 << 16 else np.uint32)
        self.end_of_text_token = _choose_end_of_text(ids, end_of_text)
        self.end_of_text: int = ids[self.end_of_text_token]
        self.unknown_token = _find_unknown(raw["model"])
        self.unknown = ids.get(self.unknown_token) if self.unknown_token is not None else None
        self.why = _explain_unsupported(raw) if engine != "tokenizers" else "asked for"
        self._tiktoken: tiktoken.Encoding | None = None
        self._ids: Array | None = None
        if self.why is None:
            self._tiktoken, self._ids, self.why = _build_tiktoken(raw, self._hf)
        self.engine = "tiktoken" if self.why is None else "tokenizers"
        self._known_pieces: _KnownPieces | None = None
        plain = self._tiktoken is not None and self._normalizer is None
        if plain and _read_pattern(raw["pre_tokenizer"]) == DEFAULT_PATTERN:
            assert self._tiktoken is not None
            self._known_pieces = _KnownPieces(self._tiktoken)

    @cached_property
    def _normalizer(self) -> Any:
        return self._hf.normalizer

    def encode(self, text: str) -> Array:
        """Return the tokens of a text as uint32, without end-of-text; names of special tokens in it are plain text."""
        if self.engine == "tokenizers":
            return self.reference(text)
        assert self._tiktoken is not None
        normal = text if self._normalizer is None else self._normalizer.normalize_str(text)
        try:
            ranks: Array = self._tiktoken.encode_to_numpy(normal, disallowed_special=())
        except ValueError:
            # A pattern without bounds runs out of stack on about a million spaces; the other engine does not.
            return self.reference(text)
        return ranks if self._ids is None else self._ids[ranks]

    def encode_batch(self, texts: Sequence[str]) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return the tokens of all texts, concatenated, as `dtype`, and the number of each; end-of-text ends each."""
        pieces: list[Array] = [np.empty(0, self.dtype)]
        lengths: list[Array] = [np.empty(0, np.int64)]
        for some in batch_texts(texts):
            by_pieces = self._known_pieces is not None and max(map(len, some)) <= MAX_CUT_CHARACTERS
            tokens, counts = self._encode_pieces(some) if by_pieces else self._encode_each(some)
            pieces.append(tokens)
            lengths.append(counts)
        return np.concatenate(pieces), np.concatenate(lengths)

    def _encode_each(self, texts: Sequence[str]) -> tuple[Array, npt.NDArray[np.int64]]:
        end = np.array([self.end_of_text], np.uint32)
        pieces: list[Array] = []
        for text in texts:
            pieces += (self.encode(text), end)
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces)).reshape(-1, 2).sum(1)
        return np.concatenate(pieces, dtype=self.dtype, casting="unsafe"), lengths

    def _encode_pieces(self, texts: Sequence[str]) -> tuple[Array, npt.NDArray[np.int64]]:
        """Encode texts of the default pattern: cut them by arrays, and look each distinct piece up once."""
        assert self._known_pieces is not None
        pieces, counts = cut_texts(texts)
        ranks, per_piece = self._known_pieces.encode(pieces)
        ends = np.concatenate(([0], np.cumsum(per_piece)))[np.cumsum(counts)]
        tokens = ranks if self._ids is None else self._ids[ranks]
        lengths = np.diff(ends, prepend=0) + 1
        return np.insert(tokens.astype(self.dtype), ends, self.end_of_text), lengths

    def reference(self, text: str) -> Array:
        """Return the tokens that tokenizers itself gives for `text`: the reference, slow."""
        # Without offsets, which the other method finds for every token: half the time.
        return np.array(self._hf.encode_batch_fast([text], add_special_tokens=False)[0].ids, np.uint32)

    def decode(self, tokens: Sequence[int] | Array) -> str:
        """Return the text of tokens, special ones left out."""
        return str(self._hf.decode([int(token) for token in tokens], skip_special_tokens=True))

    def token_bytes(self) -> list[bytes | None] | None:
        """Return the bytes of each token by its id, None for special tokens and unused ids; or None instead of the list
        if joining them does not restore the text: if the tokenizer normalizes, or is not byte-level."""
        if self._tiktoken is None or self._normalizer is not None:
            return None
        bytes_by_id: list[bytes | None] = [None] * self.vocabulary_size
        ranks = (
            range(self._tiktoken.n_vocab)
            if self._ids is not None
            else self._tiktoken._mergeable_ranks.values()
        )
        for rank in ranks:
            id = rank if self._ids is None else int(self._ids[rank])
            bytes_by_id[id] = self._tiktoken.decode_single_token_bytes(rank)
        return bytes_by_id

    def engines_agree(self) -> bool:
        """Return whether both engines agree on a probe of characters inside and outside of words.

        Only the contents of character classes can differ, by the Unicode version that each engine was built with:
        the merges themselves are checked when the encoder loads. Cost: about .4 s.
        """
        return all(
            np.array_equal(self.encode(text), self.reference(text)) for text in _generate_probe_texts()
        )


class _KnownPieces:
    """The tokens of the pieces met so far: most pieces of a text are words that came before.

    Memory: about 100 bytes a piece, up to `MAX_KNOWN_PIECES`.
    """

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encode_piece = (
            encoding._core_bpe.encode_single_piece
        )  # the public way matches the pattern again
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._number_of: dict[bytes, int] = {}
        self._ranks = array("I")
        self._starts = array("q", [0])

    def encode(self, pieces: pa.StringArray) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return the ranks of all pieces, concatenated, and the number of each; one thread at a time."""
        distinct = pieces.cast(pa.binary()).dictionary_encode()
        with self._lock:
            return self._look_up(distinct.dictionary.to_pylist(), distinct.indices.to_numpy())

    def _look_up(self, words: list[bytes], indices: Array) -> tuple[Array, npt.NDArray[np.int64]]:
        if len(self._number_of) + len(words) > MAX_KNOWN_PIECES:
            self._forget()
        numbers = np.fromiter(map(self._number_of.get, words, repeat(-1)), np.int64, len(words))
        for row in np.flatnonzero(numbers < 0).tolist():
            numbers[row] = self._number_of[words[row]] = len(self._number_of)
            self._ranks.extend(self._encode_piece(words[row]))
            self._starts.append(len(self._ranks))
        ranks, starts = np.frombuffer(self._ranks, np.uint32), np.frombuffer(self._starts, np.int64)
        numbers = numbers[indices]
        firsts = starts[numbers]
        lengths = starts[numbers + 1] - firsts
        ends = np.cumsum(lengths)
        places = np.repeat(firsts - ends + lengths, lengths)
        places += np.arange(len(places))
        return ranks[places], lengths


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a tokenizer.json in hex, which identifies a tokenizer everywhere."""
    return hashlib.sha256(content).hexdigest()


def load_encoder(path: str, end_of_text: str | None = None, engine: str | None = None) -> Encoder:
    """Load the encoder of a tokenizer.json. Raises UserError, with its path, if it is invalid or has no end-of-text."""
    try:
        return Encoder(read_bytes(path), end_of_text, engine)
    except UserError as error:
        raise UserError(f"{path}: {error}", ("tokenizer",)) from None


def _choose_end_of_text(ids: dict[str, int], asked: str | None) -> str:
    for name in [asked] if asked is not None else END_OF_TEXT_NAMES:
        if name in ids:
            return name
    if asked is not None:
        raise UserError(f"the tokenizer has no token {asked!r} to end documents with: name one that it has")
    raise UserError(
        f"the tokenizer has none of {', '.join(END_OF_TEXT_NAMES)} to end documents with: name its own by "
        "`tokenizer: {path: ..., end_of_text: ...}`"
    )


def _find_unknown(model: dict[str, Any]) -> str | None:
    """Return the name of the unknown token, which Unigram models give as an id."""
    name, id = model.get("unk_token"), model.get("unk_id")
    if isinstance(id, int) and isinstance(model.get("vocab"), list) and id < len(model["vocab"]):
        name = model["vocab"][id][0]
    return str(name) if name is not None else None


def _read_pattern(pre_tokenizer: dict[str, Any] | None) -> str | None:
    """Return the one pattern by which a byte-level pre-tokenizer splits text, or None if it does anything else."""
    steps = [pre_tokenizer or {}]
    if steps[0].get("type") == "Sequence":
        steps = steps[0]["pretokenizers"]
    last = steps[-1]
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        return None
    cuts = last.get("use_regex", True)
    if len(steps) == 1:
        return GPT2_PATTERN if cuts else None
    split = steps[0]
    isolated = split.get("type") == "Split" and split["behavior"] == "Isolated" and not split["invert"]
    if len(steps) != 2 or cuts or not isolated:
        return None
    pattern = split["pattern"].get("Regex")
    return str(pattern) if pattern is not None else None


def _explain_unsupported(raw: dict[str, Any]) -> str | None:
    """Return why tiktoken cannot run a tokenizer.json, as far as its settings show; None if it may."""
    model = raw["model"]
    if model.get("type", "BPE") != "BPE" or "merges" not in model:
        return f"its model is {model.get('type')}, not BPE"
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(option):
            return f"its model has {option}"
    if _read_pattern(raw.get("pre_tokenizer")) is None:
        return "its pre-tokenizer is not one pattern before bytes"
    plain = [token["content"] for token in raw.get("added_tokens") or [] if not token["special"]]
    return f"it has added tokens that are not special: {plain[0]!r}" if plain else None


def _build_tiktoken(
    raw: dict[str, Any], hf: tokenizers.Tokenizer
) -> tuple[tiktoken.Encoding | None, Array | None, str | None]:
    """Return (encoding, ids by rank if they differ from ranks, None), or (None, None, the reason)."""
    model = raw["model"]
    ids: dict[str, int] = model["vocab"]
    joined = ["".join(m) if isinstance(m, list) else m.replace(" ", "", 1) for m in model["merges"]]
    missing = [character for character in BYTE_OF_CHARACTER if character not in ids]
    if missing:
        return None, None, f"its vocabulary lacks byte {BYTE_OF_CHARACTER[missing[0]]:#04x}"
    if len(set(joined)) < len(joined):
        return None, None, "two of its merges give the same token"
    merge = hf.model
    ignore_merges = merge.ignore_merges
    if ignore_merges:
        special = {token["content"] for token in raw.get("added_tokens") or []}
        if set(ids) - special - set(BYTE_OF_CHARACTER) - set(joined):
            return None, None, "it has tokens that no merge gives"
    merge.ignore_merges = False  # of the tokenizer itself: put back below
    broken = next((token for token in joined if len(merge.tokenize(token)) != 1), None)
    merge.ignore_merges = ignore_merges
    if broken is not None:
        return None, None, f"its token {broken!r} does not encode to itself"
    tokens = [*BYTE_OF_CHARACTER, *joined]
    by_rank = np.array([ids[token] for token in tokens], np.uint32)
    same = bool((np.diff(by_rank[256:].astype(np.int64)) > 0).all())
    ranks = by_rank.tolist() if same else range(len(tokens))
    mergeable = {
        bytes(map(BYTE_OF_CHARACTER.__getitem__, t)): rank for t, rank in zip(tokens, ranks, strict=True)
    }
    pattern = _read_pattern(raw["pre_tokenizer"]) or ""
    try:
        encoding = tiktoken.Encoding("", pat_str=pattern, mergeable_ranks=mergeable, special_tokens={})
    except ValueError as error:
        return None, None, f"its pattern does not suit tiktoken: {str(error).splitlines()[0]}"
    return encoding, None if same else by_rank, None


def _generate_probe_texts() -> Iterator[str]:
    """Yield every character below U+323B0 between letters, digits, signs and spaces; of large blocks one in 64."""
    large = [
        *range(0x3400, 0xA000),
        *range(0xAC00, 0xD800),
        *range(0x17000, 0x18D00),
        *range(0x20000, 0x323B0),
    ]
    small = [*range(0x3400), *range(0xA000, 0xAC00), *range(0xF900, 0x17000), *range(0x18D00, 0x20000)]
    characters = [chr(code) for code in [*small, *large[::64]]]
    for start in range(0, len(characters), 4096):
        yield "".join(f"a{c}1 {c}." for c in characters[start : start + 4096])
    yield "I'll don't DON'T l'eau  x\t\ty \r\n\r\n z   \n  12345 a1b22 ...!!! \u00a0\u3000 end  "
