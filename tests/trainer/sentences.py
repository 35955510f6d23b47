"""A workspace's tokens folder, written here byte by byte as the contract says, from sentences in five scripts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.trainer.config import ModelConfig, RunConfig
from corpus.trainer.dataset import open_dataset
from corpus.trainer.start import configure_new_run

END_OF_TEXT = "<|endoftext|>"
SENTENCES = {
    "eng_Latn": [
        "The river was high in spring, and the old bridge had lost two of its boards.",
        "She counted the boats in the harbour every morning before the bakery opened.",
        "Nobody in the village remembered who had planted the walnut tree by the well.",
        "When the rain stopped, the children ran down to see how far the water had come.",
    ],
    "cmn_Hans": [
        "春天河水上涨，老桥掉了两块木板。",
        "每天早晨面包店开门以前，她都要数一数港口里的船。",
        "村里没有人记得井边的核桃树是谁种的。",
        "雨停了以后，孩子们跑下去看水涨到了哪里。",
    ],
    "rus_Cyrl": [
        "Весной река поднялась, и старый мост потерял две доски.",
        "Каждое утро, пока булочная ещё закрыта, она считает лодки в гавани.",
        "Никто в деревне не помнит, кто посадил ореховое дерево у колодца.",
        "Когда дождь кончился, дети побежали смотреть, докуда дошла вода.",
    ],
    "tha_Thai": ["ฤดูใบไม้ผลิน้ำในแม่น้ำสูงขึ้น สะพานเก่าหลุดไปสองแผ่น", "ไม่มีใครในหมู่บ้านจำได้ว่าใครปลูกต้นวอลนัทข้างบ่อน้ำ"],
    "arb_Arab": [
        "ارتفع النهر في الربيع وفقد الجسر القديم لوحين من خشبه.",
        "لا أحد في القرية يتذكر من زرع شجرة الجوز بجانب البئر.",
    ],
}


def documents(language: str, count: int) -> list[str]:
    """Texts of one to four sentences, each sentence at each place in turn."""
    sentences = SENTENCES[language]
    return [
        "\n".join(sentences[(number + i) % len(sentences)] for i in range(1 + number % 4))
        for number in range(count)
    ]


def train_tokenizer(vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([line for lines in SENTENCES.values() for line in lines], trainer)
    return tokenizer


def write_shard(
    path: Path, rows: list[tuple[str, list[int], str]], rows_a_batch: int, dtype: pa.DataType
) -> None:
    """One Arrow IPC file of (text, token ids, language) rows, uncompressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "doc_id": [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text, _, _ in rows],
            "bytes": pa.array([len(text.encode()) for text, _, _ in rows], pa.uint32()),
            "language": [language for _, _, language in rows],
            "tokens": pa.array([ids for _, ids, _ in rows], pa.list_(dtype)),
        }
    )
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_a_batch)


def write_workspace(
    root: Path,
    streams: dict[tuple[str, str], dict[str, list[list[tuple[str, str]]]]],
    *,
    vocabulary: int = 400,
    weights: dict[str, float] | None = None,
    rows_a_batch: int = 3,
    dtype: str = "uint16",
) -> Path:
    """`streams` maps (source, folder language) to splits, a split to shards, a shard to (text, language)."""
    tokenizer = train_tokenizer(vocabulary)
    end = tokenizer.token_to_id(END_OF_TEXT)
    (root / "tokenizer").mkdir(parents=True)
    tokenizer.save(str(root / "tokenizer" / "tokenizer.json"))
    shards: list[dict[str, Any]] = []
    for (source, language), splits in streams.items():
        for split, files in splits.items():
            for number, texts in enumerate(files):
                relative = f"split={split}/source={source}/language={language}/shard-{number:05d}.arrow"
                rows = [(text, [*tokenizer.encode(text).ids, end], tag) for text, tag in texts]
                write_shard(root / "tokens" / relative, rows, rows_a_batch, getattr(pa, dtype)())
                shards.append(
                    {
                        "path": relative,
                        "split": split,
                        "source": source,
                        "language": language,
                        "rows": len(rows),
                        "tokens": sum(len(ids) for _, ids, _ in rows),
                        "bytes": sum(len(text.encode()) for text, _, _ in rows),
                        "sha256": hashlib.sha256((root / "tokens" / relative).read_bytes()).hexdigest(),
                    }
                )
    digest = hashlib.sha256((root / "tokenizer" / "tokenizer.json").read_bytes()).hexdigest()
    content = {
        "schema_version": 1,
        "name": "sentences",
        "tokenizer": {"sha256": digest, "path": "../tokenizer/tokenizer.json"},
        "vocabulary_size": tokenizer.get_vocab_size(),
        "dtype": dtype,
        "end_of_text": end,
        "shards": shards,
        "totals": {},
        "mixture": {"weights": weights} if weights else {},
    }
    content["fingerprint"] = hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
    (root / "tokens" / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return root


def shard(language: str, count: int, tag: str | None = None) -> list[tuple[str, str]]:
    return [(text, tag or language) for text in documents(language, count)]


SMALL: dict[str, int] = {
    "context": 24,
    "depth": 2,
    "width": 32,
    "heads": 4,
    "kv_heads": 2,
    "head_width": 8,
    "hidden": 64,
}


def small_run(workspace: Path, **options: Any) -> RunConfig:
    """A run of a model that takes milliseconds a step, in fp32; options as `configure_new_run` takes them."""
    dataset = open_dataset(str(workspace))
    settings = {
        "steps": 12,
        "context": 24,
        "batch_tokens": 96,
        "precision": "fp32",
        "learning_rate": 0.01,
        **options,
    }
    config = configure_new_run(dataset, str(workspace), settings)
    return dataclasses.replace(config, model=ModelConfig(vocabulary=dataset.vocabulary, **SMALL))
