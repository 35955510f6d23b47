"""Whether MinHash finds what it ought to: pairs of known likeness, by step, beside 1 - (1 - s^r)^b.

    CORPUS_DATA=... python -m tests.benchmarks.canaries_benchmark --language tha --pairs 2000

Texts are windows of the Declaration of Human Rights in the language; of `code`, this repository's own modules. They are
few, so each of `BATCHES` shares of the pairs has permutations of its own.
"""

from __future__ import annotations

import os
import re
import tarfile
from itertools import count
from pathlib import Path

import numpy as np

from corpus.dedup.canaries import (
    STEP_EDGES,
    VARIANT_KINDS,
    Audit,
    audit_pairs,
    make_variant,
    measure_likeness,
)
from corpus.dedup.options import MinHashOptions
from corpus.text.words import Words, segment_words
from tests.benchmarks import bench

BATCHES = 500
AUDIT_FIELDS = ("likeness", "candidate", "verified")
LANGUAGES = {"eng": "eng", "cmn": "cmn_hans", "tha": "tha", "arb": "arb", "jpn": "jpn"}
WINDOW = {"eng": 3000, "arb": 2500, "tha": 2500, "cmn": 900, "jpn": 1200}


def read_texts(language: str) -> list[str]:
    if language == "code":
        root = Path(__file__).parents[2]
        texts = [path.read_text(encoding="utf-8") for path in sorted(root.glob("[cfpt]*/**/*.py"))]
        return [text for text in texts if 2000 < len(text) < 12000][:300]
    with tarfile.open(Path(os.environ["CORPUS_DATA"], "lang", "udhr.tar.xz")) as archive:
        for member in archive:
            if member.isfile() and re.search(rf"[/_]{LANGUAGES[language]}\.\w+$", member.name):
                stream = archive.extractfile(member)
                assert stream is not None
                content = stream.read().decode("utf-8")
                text = " ".join(re.sub(r"<[^>]+>", " ", content).split())
                size = WINDOW[language]
                return [text[at : at + size] for at in range(0, len(text) - size, size // 8)]
    raise SystemExit(f"no text in {language}")


def measure(language: str, wanted: int, seed: int) -> None:
    options = MinHashOptions()
    label = "code_python" if language == "code" else None
    shape = options.shape(label)
    documents = [segment_words(text, label) for text in read_texts(language)]
    ones: list[Words] = []
    others: list[Words] = []
    tally = np.zeros(len(STEP_EDGES) - 1, np.int64)
    wanted_steps = tally[:5]
    rng = np.random.default_rng(seed)
    for round_number in count():  # one pair at a time: which step it belongs to is known only then
        if (wanted_steps >= wanted).all() or round_number > 60 * wanted:
            break
        step = int(np.argmin(wanted_steps))
        at, beside = rng.integers(0, len(documents), 2).tolist()
        kind = VARIANT_KINDS[round_number % 4]
        target = float(rng.uniform(STEP_EDGES[step], STEP_EDGES[step + 1]))
        text = make_variant(documents[at], kind, target, documents[beside], shape, round_number)
        if text is None:
            continue
        variant = segment_words(text, label)
        alike = measure_likeness([documents[at]], [variant], shape)[0]
        reached = int(np.searchsorted(STEP_EDGES, alike, "right")) - 1
        if 0 <= reached < 5 and tally[reached] < wanted:
            tally[reached] += 1
            ones.append(documents[at])
            others.append(variant)
    print(f"\n{language}: {len(documents)} texts")
    print(f"  {'likeness':>8}{'pairs':>8}{'expected':>10}{'candidates':>12}{'+-':>7}{'verified':>10}")
    audits = [
        audit_pairs(
            ones[at::BATCHES], others[at::BATCHES], shape, options.model_copy(update={"seed": seed + at})
        )
        for at in range(BATCHES)
    ]
    together = Audit(*(np.concatenate([getattr(one, name) for one in audits]) for name in AUDIT_FIELDS))
    for row in together.summarize(options):
        print(
            f"  {row['likeness']:>8.2f}{row['pairs']:>8,}{row['expected']:>10.3f}{row['candidates']:>12.3f}"
            f"{row['interval']:>7.3f}{row['verified']:>10.3f}"
        )


if __name__ == "__main__":
    parser = bench.parser(__doc__)
    parser.add_argument("--language", choices=[*LANGUAGES, "code"], nargs="*", default=[*LANGUAGES, "code"])
    parser.add_argument("--pairs", type=int, default=2000, help="of each step")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for chosen in arguments.language:
        measure(chosen, arguments.pairs, arguments.seed)
