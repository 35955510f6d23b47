from __future__ import annotations

import bz2
import json
import lzma
import random
import sys
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers

from corpus.errors import UserError
from corpus.tokens import vocabulary
from corpus.tokens.encode import Encoder, load_encoder
from corpus.tokens.options import DEFAULT_PATTERN, TokenizerOptions
from tests.tokens.made import TEXTS

ALPHABET = pre_tokenizers.ByteLevel.alphabet()


@pytest.fixture(scope="module")
def ours() -> Encoder:
    """A vocabulary of 3,000 learned from a few sentences in twelve languages, words repeated and varied."""
    texts = [f"{text[i % 7 :]} {text}" for i in range(30) for text in TEXTS.values()]
    counts = vocabulary.count_pieces(texts, DEFAULT_PATTERN)
    encoder = Encoder(vocabulary.train_tokenizer(counts, TokenizerOptions(vocabulary=3000)).encode())
    assert encoder.engine == "tiktoken"
    return encoder


def bpe(
    pre_tokenizer: Any = None, special: str = "<|endoftext|>", size: int = 800, normalizer: Any = None
) -> dict[str, Any]:
    """A tokenizer.json as others make them: byte-level BPE as GPT-2 has it, if nothing else is said."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[special], initial_alphabet=ALPHABET, show_progress=False
    )
    tokenizer.train_from_iterator([text for text in TEXTS.values() for _ in range(3)], trainer)
    raw: dict[str, Any] = json.loads(tokenizer.to_str())
    return raw


def encoder_of(raw: dict[str, Any], end_of_text: str | None = None) -> Encoder:
    return Encoder(json.dumps(raw).encode(), end_of_text)


def same(encoder: Encoder, text: str) -> bool:
    return np.array_equal(encoder.encode(text), encoder.reference(text))


@pytest.mark.parametrize("language", TEXTS)
def test_both_engines_give_the_same_tokens_in_every_script(ours: Encoder, language: str) -> None:
    text = TEXTS[language]
    assert same(ours, text)
    assert ours.decode(ours.encode(text)) == text
    assert len(ours.encode(text)) < len(text.encode()) / 2


def test_every_character_of_unicode(ours: Encoder) -> None:
    characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for start in range(0, len(characters), 50_000):
        assert same(ours, "".join(characters[start : start + 50_000]))
    assert ours.engines_agree()


mixed = st.text(
    st.one_of(
        st.sampled_from(
            list("aZé'’ \t\n\r\u00a0\u3000-.!?0१๑中文กา\u0e49\u0301ー가\u200c\u200d🇩🇪👩\u0000<|>")
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=80,
)


@settings(max_examples=300)
@given(mixed)
def test_any_text_at_all(ours: Encoder, text: str) -> None:
    assert same(ours, text)
    assert ours.decode(ours.encode(text)) == text


@settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted({c for text in TEXTS.values() for c in text})), max_size=200))
def test_any_shuffle_of_what_was_learned(ours: Encoder, characters: list[str]) -> None:
    assert same(ours, "".join(characters))


@pytest.mark.parametrize(
    "run", ["a", "ก", "中", "ا", " ", "\n", " \n", "!", "1", "\u0301", "🙂", "人人生而自由"]
)
def test_a_hundred_thousand_characters_without_a_word_break(ours: Encoder, run: str) -> None:
    text = run * (100_000 // len(run))
    assert same(ours, text)
    assert same(ours, "x" + text + "x")


def test_more_spaces_than_a_pattern_without_bounds_can_take() -> None:
    prefixed_gpt2 = encoder_of(bpe(normalizer=normalizers.Prepend("x")))
    assert prefixed_gpt2.engine == "tiktoken" and prefixed_gpt2._tiktoken is not None
    text = "a" + " " * 1_000_000 + "b"
    with pytest.raises(ValueError, match=r"[Ss]tack"):
        prefixed_gpt2._tiktoken.encode_to_numpy(text)
    assert same(prefixed_gpt2, text)
    assert prefixed_gpt2.decode(prefixed_gpt2.encode(text)) == "x" + text


def test_names_of_special_tokens_in_a_text_are_text(ours: Encoder) -> None:
    tokens = ours.encode("a <|endoftext|> b")
    assert ours.end_of_text not in tokens and len(tokens) > 5
    assert ours.decode(tokens) == "a <|endoftext|> b"
    assert same(ours, "<|endoftext|>")


def test_a_batch_is_its_texts_on_end_each_closed(ours: Encoder) -> None:
    texts = ["人人生而自由", "", "The quick brown fox"]
    tokens, lengths = ours.encode_batch(texts)
    assert tokens.dtype == np.uint16
    rows = np.split(tokens, np.cumsum(lengths)[:-1])
    assert [ours.decode(row[:-1]) for row in rows] == texts
    assert all(row[-1] == ours.end_of_text for row in rows)
    tokens, lengths = ours.encode_batch([])
    assert (len(tokens), len(lengths), tokens.dtype) == (0, 0, np.uint16)


def test_threads_that_share_an_encoder_get_the_tokens_of_one(ours: Encoder) -> None:
    """Engines run bundles in threads of one process: pieces that two of them meet for the first time at once."""
    texts = list(TEXTS.values())
    batches = [
        [f"{texts[(at + number) % len(texts)][at % 9 :]} {at * number}" for number in range(60)]
        for at in range(40)
    ]
    content = str(ours._hf.to_str()).encode()
    wanted = [Encoder(content).encode_batch(batch)[0].tolist() for batch in batches]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(3):
            shared = Encoder(content)
            with ThreadPoolExecutor(2) as pool:
                made = list(pool.map(shared.encode_batch, batches))
            assert [tokens.tolist() for tokens, _ in made] == wanted
    finally:
        sys.setswitchinterval(before)


def split(pattern: str, behavior: str = "isolated", invert: bool = False) -> Any:
    cut = pre_tokenizers.Split(tokenizers.Regex(pattern), behavior, invert)
    return pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def whole_words_first() -> dict[str, Any]:
    raw = bpe(split(GPT4))
    raw["model"]["ignore_merges"] = True
    return raw


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(lambda: bpe(), id="GPT-2"),
        pytest.param(whole_words_first, id="Llama 3"),
        pytest.param(lambda: bpe(split(GPT4)), id="GPT-4"),
        pytest.param(lambda: bpe(split(GPT4), normalizer=normalizers.NFC()), id="composed first"),
        pytest.param(lambda: bpe(special="</s>", normalizer=normalizers.Prepend("x")), id="another end"),
    ],
)
def test_given_byte_level_tokenizers_run_on_tiktoken(raw: Callable[[], dict[str, Any]]) -> None:
    encoder = encoder_of(raw())
    assert (encoder.engine, encoder.why) == ("tiktoken", None)
    assert encoder.engines_agree()
    for text in [*TEXTS.values(), "I'LL don't  e\u0301\u0323 각 ﬁ ", "\n".join(TEXTS.values())]:
        assert same(encoder, text)


def test_ids_that_do_not_follow_the_merges_are_translated() -> None:
    raw = bpe()
    vocab = raw["model"]["vocab"]
    ids = list(vocab.values())
    random.Random(5).shuffle(ids)
    raw["model"]["vocab"] = dict(zip(vocab, ids, strict=True))
    raw["added_tokens"][0]["id"] = raw["model"]["vocab"]["<|endoftext|>"]
    encoder = encoder_of(raw)
    assert encoder.engine == "tiktoken"
    for text in TEXTS.values():
        assert same(encoder, text)
        assert encoder.decode(encoder.encode(text)) == text


def metaspace() -> dict[str, Any]:
    return bpe(pre_tokenizers.Metaspace())


def two_cuts() -> dict[str, Any]:
    digits = pre_tokenizers.Digits(individual_digits=True)
    return bpe(pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]))


def prefixed() -> dict[str, Any]:
    return bpe(pre_tokenizers.ByteLevel(add_prefix_space=True))


def word_level() -> dict[str, Any]:
    tokenizer = tokenizers.Tokenizer(models.WordLevel({"[UNK]": 0, "</s>": 1, "free": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    raw: dict[str, Any] = json.loads(tokenizer.to_str())
    return raw


def plain_addition() -> dict[str, Any]:
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(bpe()))
    tokenizer.add_tokens([AddedToken("quick brown", special=False)])
    raw: dict[str, Any] = json.loads(tokenizer.to_str())
    return raw


def out_of_order() -> dict[str, Any]:
    raw = bpe()
    raw["model"]["merges"].reverse()
    return raw


def two_ways() -> dict[str, Any]:
    raw = bpe()
    for character in "abc":
        assert character in raw["model"]["vocab"]
    for token in ("ab", "bc", "abc"):
        raw["model"]["vocab"].setdefault(token, len(raw["model"]["vocab"]))
    raw["model"]["merges"] = [["a", "b"], ["b", "c"], ["ab", "c"], ["a", "bc"]]
    return raw


def words_without_merges() -> dict[str, Any]:
    raw = whole_words_first()
    raw["model"]["vocab"]["Donaudampf"] = len(raw["model"]["vocab"])
    return raw


def no_byte() -> dict[str, Any]:
    raw = bpe()
    del raw["model"]["vocab"]["!"]
    return raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (metaspace, "pre-tokenizer"),
        (two_cuts, "pre-tokenizer"),
        (prefixed, "pre-tokenizer"),
        (word_level, "WordLevel, not BPE"),
        (plain_addition, "'quick brown'"),
        (out_of_order, "does not encode to itself"),
        (two_ways, "give the same token"),
        (words_without_merges, "tokens that no merge gives"),
        (no_byte, "lacks byte 0x21"),
    ],
)
def test_any_other_tokenizer_runs_on_tokenizers(raw: Callable[[], dict[str, Any]], why: str) -> None:
    encoder = encoder_of(raw())
    assert encoder.engine == "tokenizers"
    assert encoder.why is not None and why in encoder.why
    for text in TEXTS.values():
        assert same(encoder, text)
    _, lengths = encoder.encode_batch(["born free", ""])
    assert lengths[1] == 1 < lengths[0]


def test_large_vocabularies_take_four_bytes() -> None:
    raw = bpe(size=257)
    vocab, letters = raw["model"]["vocab"], sorted(ALPHABET)
    raw["model"]["merges"] = [[a, b] for a in letters for b in letters]
    for a, b in raw["model"]["merges"]:
        vocab[a + b] = len(vocab)
    encoder = encoder_of(raw)
    assert (encoder.vocabulary_size, encoder.dtype, encoder.engine) == (257 + 65536, np.uint32, "tiktoken")
    tokens, _ = encoder.encode_batch(list(TEXTS.values()))
    assert tokens.dtype == np.uint32 and tokens.max() > 65535


def test_a_tokenizer_without_a_known_end_needs_it_named() -> None:
    raw = bpe(special="<fin>")
    with pytest.raises(UserError, match=r"none of <\|endoftext\|>.*end_of_text"):
        encoder_of(raw)
    assert encoder_of(raw, "<fin>").end_of_text == raw["model"]["vocab"]["<fin>"]
    with pytest.raises(UserError, match="no token '<end>'"):
        encoder_of(raw, "<end>")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"model": {"type": "Nonsense"}}'])
def test_what_is_no_tokenizer_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"tokenizer\.json: not a tokenizer\.json of Hugging Face"):
        load_encoder(str(path))


def real_texts(data: Path) -> Iterator[str]:
    """About 4 MB: declarations in 500 languages, sentences, and encyclopedia pages with their markup."""
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        for member in archive.getmembers()[::4]:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                yield stream.read().decode("utf-8", "replace")
    with lzma.open(
        data / "lang" / "tatoeba" / "tatoeba-nonascii-CC0.csv.xz", "rt", encoding="utf-8"
    ) as lines:
        yield lines.read(500_000)
    for path in sorted((data / "wiki").rglob("*")):
        if path.suffix in (".xml", ".bz2", ".xz"):
            opener: Any = {".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix, open)
            with opener(path, "rb") as dump:
                yield dump.read(100_000).decode("utf-8", "replace")


def test_real_text_in_hundreds_of_languages(data: Path, ours: Encoder) -> None:
    texts = list(real_texts(data))
    assert sum(len(text.encode()) for text in texts) > 3_500_000
    learned = vocabulary.train_tokenizer(
        vocabulary.count_pieces(texts[::3], DEFAULT_PATTERN), TokenizerOptions(vocabulary=20_000)
    )
    encoder = Encoder(learned.encode())
    assert encoder.engine == "tiktoken" and encoder.vocabulary_size == 20_000
    for text in texts:
        assert same(encoder, text), text[:80]
    assert all(same(ours, text) for text in texts[::5])
