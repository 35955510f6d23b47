"""How a trained run writes: script, words and loops of its texts, and how its bits per byte fell.

python -m tests.benchmarks.writing RUN [--samples 4] [--tokens 200] [--temperature 0.8] [--show]

For each language it lets the run go on from a few prompts and counts, over the text after the prompt: the share of
letters in the prompt's script; the share of words (by ICU, with a letter in them) that occur in the training documents
of the run's workspace; and texts with a loop, an 8-gram of tokens that comes back within the text. Bits per byte are
those of the run's log, the first and the last evaluation of each language.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import torch

import corpus
from corpus.inference.generate import Writer
from corpus.inference.run import TrainedModel
from corpus.text.words import segment_words
from tests.benchmarks import bench

PROMPTS = {
    "cmn": (
        "CJK",
        [
            "中国的历史很长，很多人认为",
            "很多人都知道，健康的生活",
            "昨天下午，记者在北京看到",
            "在城市里，人们每天都要",
        ],
    ),
    "eng": (
        "LATIN",
        [
            "The history of the city is long, and many people",
            "In the first years of the war,",
            "She told me that it was",
            "People who live near the river",
        ],
    ),
    "deu": (
        "LATIN",
        [
            "Die Geschichte der Stadt ist lang, und viele",
            "In diesem Jahr haben die Menschen",
            "Wir haben gestern gesehen, dass",
            "Das System ist so gebaut, dass",
        ],
    ),
    "rus": (
        "CYRILLIC",
        [
            "История этого города очень длинная, и люди",
            "В этом году многие жители",
            "После того как они приехали в город,",
            "Я думаю, что каждый человек",
        ],
    ),
}
GRAM = 8


def known_words(workspace: str) -> np.ndarray:
    """Sorted hashes of the lower-cased words of the training documents."""
    opened = corpus.open(workspace)
    ids = opened.shards().scanner(columns=["doc_id"], filter=pc.field("split") == "train").to_table()
    chosen = pc.field("id").isin(ids["doc_id"].combine_chunks())
    found: list[np.ndarray] = []
    for batch in opened.documents().scanner(columns=["id", "text"], filter=chosen).to_batches():
        found += [np.unique(segment_words(text).hashes) for text in batch.column("text").to_pylist() if text]
    return np.unique(np.concatenate(found))


def in_script(text: str, script: str) -> tuple[int, int]:
    """(letters in the script, letters)."""
    letters = {c: n for c, n in Counter(text).items() if c.isalpha()}
    inside = sum(n for c, n in letters.items() if unicodedata.name(c, "").startswith(script))
    return inside, sum(letters.values())


def words_seen(text: str, known: np.ndarray) -> tuple[int, int]:
    """(words that are known, words); those without a letter are left out."""
    found = segment_words(text)
    parts = zip(found.starts.tolist(), found.ends.tolist(), strict=True)
    units = text.encode("utf-16-le", "surrogatepass")
    lettered = [
        any(c.isalpha() for c in units[2 * a : 2 * b].decode("utf-16-le", "replace")) for a, b in parts
    ]
    hashes = found.hashes[np.array(lettered, bool)]
    return int(np.isin(hashes, known).sum()), len(hashes)


def loops(tokens: list[int]) -> bool:
    """Whether an 8-gram of tokens occurs twice."""
    grams = [tuple(tokens[i : i + GRAM]) for i in range(len(tokens) - GRAM + 1)]
    return len(set(grams)) < len(grams)


def fallen(run: Path) -> dict[str, tuple[float, float]]:
    """Bits per byte of each source and language at the first and the last evaluation."""
    lines = map(json.loads, (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
    entries = [entry for entry in lines if entry["kind"] == "evaluate"]
    first, last = (
        {f"{s['source']}/{s['language']}": s["bits_per_byte"] for s in entry["scores"]}
        for entry in (entries[0], entries[-1])
    )
    return {name: (first[name], last[name]) for name in last}


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--samples", type=int, default=4, help="texts a prompt")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--no-repeat", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the texts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    trained = TrainedModel(options.run, torch.device("cpu"), print)
    writer = Writer(trained)
    known = known_words(trained.config.workspace)
    print(f"{options.run} at step {trained.step:,}; {len(known):,} words in its training documents")
    print(f"{'':5} {'texts':>6} {'letters in script':>18} {'words seen':>11} {'with a loop':>12}")
    for language, (script, prompts) in PROMPTS.items():
        inside = letters = seen = words = looping = texts = 0
        for number, prompt in enumerate(prompts):
            for sample in range(options.samples):
                pieces = writer.write(
                    prompt, tokens=options.tokens, temperature=options.temperature, top_p=options.top_p,
                    no_repeat=options.no_repeat,
                    seed=100 * number + sample,
                )  # fmt: skip
                text = "".join(pieces)
                a, b = in_script(text, script)
                inside, letters = inside + a, letters + b
                # The first word may be the end of the prompt's last one, so both are cut together.
                a, b = words_seen(prompt + text, known)
                seen, words = seen + a, words + b
                looping += loops(trained.encode(text))
                texts += 1
                if options.show:
                    print(f"--- {language} {prompt}{text}\n")
        print(
            f"{language:5} {texts:6} {inside / max(1, letters):18.1%} {seen / max(1, words):11.1%} {looping:12}"
        )
    print("bits per byte, first and last evaluation")
    for name, (first, last) in fallen(options.run).items():
        print(f"  {name:24} {first:.3f} -> {last:.3f}{'' if last < first else '  NOT LOWER'}")


if __name__ == "__main__":
    main()
