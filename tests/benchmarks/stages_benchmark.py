"""MinHash signatures and tokens of the same texts beside datatrove, in turn: documents and tokens a CPU second.

    CORPUS_DATA=... python tests/benchmarks/stages_benchmark.py [--rounds 2]

The texts are those of every sixth page of web-open.warc.gz. Ours cuts words and shingles for the signatures;
theirs cuts words too. Tokens: the same tokenizer, learned from these texts; ours writes a tokens part, theirs its file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from corpus.dedup.options import MinHash
from corpus.dedup.signatures import SignatureStep
from corpus.document import Record
from corpus.extract.encodings import decode
from corpus.extract.html import extract
from corpus.sources.warc import Warc
from corpus.text.words import segment
from corpus.tokens import vocabulary
from corpus.tokens.encode import Encoder
from corpus.tokens.options import PATTERN, Tokenizer

HERE = Path(__file__).parent
THEIRS = HERE.parents[1] / ".venv-datatrove" / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    if not THEIRS.exists():
        sys.exit(f"{THEIRS} is missing: `make bench` makes it")
    path = Path(os.environ["CORPUS_DATA"]) / "warc/web-open.warc.gz"
    found = Warc(paths=[str(path)]).read(str(path), path.name, 0, path.stat().st_size)
    records = [record for record in found if isinstance(record, Record) and record.gate is None]
    texts = [
        text for record in records[::6] if (text := extract(decode(bytes(record.body), record.charset)[0]))
    ]
    learned = vocabulary.learn(vocabulary.count_pieces(texts, PATTERN), Tokenizer(vocabulary=32_000))
    encoder, step = Encoder(learned.encode()), SignatureStep(MinHash())
    tokens = len(encoder.encode_batch(texts)[0])

    def signatures() -> None:
        for start in range(0, len(texts), 32):
            step.signatures([segment(text, None) for text in texts[start : start + 32]])

    spent: dict[tuple[str, str], float] = {}

    def note(stage: str, side: str, seconds: float) -> None:
        spent[stage, side] = min(seconds, spent.get((stage, side), seconds))

    with tempfile.TemporaryDirectory() as folder:
        given, tokenizer = Path(folder, "texts.jsonl"), Path(folder, "tokenizer.json")
        given.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        tokenizer.write_text(learned)
        for turn in range(rounds):
            note("signatures", "corpus", cpu(signatures))
            note("tokens", "corpus", cpu(lambda: encoder.encode_batch(texts)))
            script = [str(THEIRS), str(HERE / "peers" / "datatrove_stages.py")]
            done = subprocess.run(
                [*script, str(given), str(tokenizer), f"{folder}/{turn}"], capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(done.stderr[-2000:])
            for stage, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                note(stage, "datatrove", seconds)
    table = Table(title=f"{len(texts)} texts, {tokens:,} tokens")
    for column in ("stage", "", "a CPU second", "ours is"):
        table.add_column(column, justify="left" if column in ("stage", "") else "right")
    for (stage, side), seconds in spent.items():
        amount = f"{len(texts) / seconds:,.0f} documents"
        if stage == "tokens":
            amount = f"{tokens / seconds / 1e6:.2f} Mtokens"
        ratio = seconds / spent[stage, "corpus"]
        table.add_row(stage, side, amount, f"{ratio:.1f} times" if side != "corpus" else "")
    Console(width=100).print(table)


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
