"""Workspaces of a few hundred made documents in four scripts, written as a build writes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.document_schema import DECISIONS_SCHEMA, DOCUMENTS_SCHEMA
from corpus.storage.part_writer import PartWriter
from corpus.workspace import Workspace

WORDS = {
    language: words.split()
    for language, words in {
        "rus_Cyrl": "река мост дуб лодка утро дождь порт доска орех вода булка дым дети село весна осень",
        "arb_Arab": "نهر جسر شجرة قارب صباح مطر ميناء لوح جوز بئر مخبز ماء أطفال قرية ربيع خريف",
        "cmn_Hans": "河流 老桥 大树 小船 早晨 下雨 港口 木板 核桃 水井 面包 清水 孩子 村庄 春天 秋天",
        "tha_Thai": "ปู งู หมู วัว ไก่ เป็ด ม้า นก ปลา มด ผึ้ง แมว ลิง ช้าง กบ เต่า",
    }.items()
}
SPACED = ("rus_Cyrl", "arb_Arab")


def write_text(language: str, generator: np.random.Generator, *, order: bool = True) -> str:
    """A text whose words follow one another by a rule that a model can learn; without `order`, at random."""
    words = [one + two for one in WORDS[language][:4] for two in WORDS[language][8:]]
    lines = []
    for _ in range(int(generator.integers(3, 8))):
        at = int(generator.integers(len(words)))
        line = []
        for _ in range(int(generator.integers(10, 25))):
            line.append(words[at])
            step = int(generator.choice([3, 7, 12])) if order else int(generator.integers(len(words)))
            at = (at + step) % len(words)
        lines.append((" " if language in SPACED else "").join(line))
    return "\n".join(lines)


def write_small_workspace(
    root: Path,
    *,
    documents: int = 120,
    seed: int = 0,
    order: bool = True,
    valid: int = 10,
    sources: tuple[str, ...] = ("web", "wiki"),
    languages: tuple[str, ...] = tuple(WORDS),
    tokenizer: bytes | None = None,
    groups: int | None = None,
) -> Path:
    """Write a workspace of `documents` a source, of which every `valid`-th is held out.

    Each is a group of its own, or belongs to one of `groups`.
    """
    generator = np.random.default_rng(seed)
    workspace = Workspace.create(str(root))
    splits = [[source, "0"] for source in sources]
    (root / "plan.json").write_text(json.dumps({"splits": splits, "steps": []}), encoding="utf-8")
    for source in sources:
        rows, decided = [], []
        for number in range(documents):
            language = languages[number % len(languages)]
            text = write_text(language, generator, order=order)
            id = hashlib.blake2b(f"{source} {number}".encode(), digest_size=16).hexdigest()
            rows.append(
                {
                    "id": id,
                    "content_hash": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
                    "text": text,
                    "characters": len(text),
                    "bytes": len(text.encode()),
                    "language": language,
                    "group": f"{source}{number % (groups or documents)}.example",
                    "origin": {"file": "f", "offset": number, "length": 1},
                }
            )
            decided.append(
                {"failed_rules": [], "split": "valid" if number % valid == 0 else "train", "kept": True}
            )
        with PartWriter(
            workspace.part("documents", source, "0"), DOCUMENTS_SCHEMA, f"{source}{seed}"
        ) as writer:
            writer.write(pa.Table.from_pylist(rows, schema=DOCUMENTS_SCHEMA))
        decisions = workspace.part("decisions", source, "0")
        with PartWriter(decisions, DECISIONS_SCHEMA, "decided", f"{source}{seed}") as writer:
            writer.write(pa.Table.from_pylist(decided, schema=DECISIONS_SCHEMA))
    (root / "tokens").mkdir()
    (root / "tokens" / "dataset.json").write_text(
        json.dumps({"mixture": {}, "shards": [], "totals": {}}), encoding="utf-8"
    )
    if tokenizer is not None:
        (root / "tokenizer").mkdir()
        (root / "tokenizer" / "tokenizer.json").write_bytes(tokenizer)
    return root
