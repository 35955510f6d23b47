"""Language identification: lid.176 alone, CLD2 alone, and joined, on paragraphs of the Universal Declaration.

Needs CORPUS_DATA; prints macro accuracy over sets of languages and texts a second, in one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table

from corpus.languages import fasttext_models, models
from corpus.languages.identify import Identifier
from corpus.languages.labels import labels
from tests.benchmarks import bench
from tests.languages.identify_test import declarations

Namer = Callable[[str], str]


def by_lid(text: str) -> str:
    return labels().lid[fasttext_models.predict(models.lid_path(), models.sample_text(text), 1)[0][0]]


def by_cld2(text: str) -> str:
    _, guesses = models.cld2(models.sample_text(text))
    return labels().cld2.get(guesses[0].code, "und") if guesses else "und"


def by_both(text: str) -> str:
    return Identifier().identify(text)[0][:3]


def macro(named: dict[str, list[str]], codes: Iterable[str]) -> float:
    shares = [sum(name == code for name in named[code]) / len(named[code]) for code in codes]
    return sum(shares) / len(shares)


def main() -> None:
    bench.parser(__doc__).parse_args()
    folder = bench.sample_data()
    rows = labels().languages
    texts = {code: found for code, found in declarations(folder).items() if code in rows and found}
    sets = {
        "all": list(texts),
        "known to both": [code for code in texts if rows[code].lid and rows[code].cld2],
        "lid.176 only": [code for code in texts if not rows[code].cld2],
        "CLD2 only": [code for code in texts if not rows[code].lid],
    }
    table = Table("model", *(f"{name} ({len(codes)})" for name, codes in sets.items()), "texts/s")
    for model, namer in {"lid.176": by_lid, "CLD2": by_cld2, "joined": by_both}.items():
        namer("warm up")
        start = time.perf_counter()
        named = {code: list(map(namer, found)) for code, found in texts.items()}
        rate = sum(map(len, texts.values())) / (time.perf_counter() - start)
        table.add_row(model, *(f"{macro(named, codes):.3f}" for codes in sets.values()), f"{rate:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
