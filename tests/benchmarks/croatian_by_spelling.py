"""What Croatian and Bosnian paragraphs have to be told by: words that the other's spelling dictionary does not list.

    apt-get download hunspell-bs hunspell-hr && for file in hunspell-*.deb; do dpkg-deb -x $file DICTIONARIES; done
    CORPUS_DATA=... PYTHONPATH=.venv-peers python -m tests.benchmarks.croatian_by_spelling DICTIONARIES [--prior 4]

Prints, for the Declaration of Human Rights in both, how many paragraphs have no such word, and how many of those that
identification gets wrong. `--prior` adds so much evidence, in natural logarithms of odds, for Croatian (`--favour ind`:
Indonesian), which more is written in than in its relatives, and shows what that costs them. Needs spylls (`make
.venv-peers/.ready`).
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

from spylls.hunspell import Dictionary

from corpus.languages import identify, relatives
from corpus.languages.identify import Identifier
from corpus.languages.labels import labels
from tests.benchmarks import bench
from tests.benchmarks.languages_benchmark import macro, macro_f1
from tests.languages.identify_test import declarations

FILES = {"hrv": "hr_HR", "bos": "bs_BA"}
RELATIVES = {"hrv": ("bos", "hrv", "srp"), "ind": ("ind", "zsm")}


class Speller:
    """The words of a language's spelling dictionary."""

    def __init__(self, folder: Path, language: str) -> None:
        path = next(folder.rglob(f"{FILES[language]}.aff"))
        self.dictionary = Dictionary.from_files(str(path.with_suffix("")))
        self.has = cache(self._has)

    def _has(self, word: str) -> bool:
        return bool(self.dictionary.lookup(word) or self.dictionary.lookup(word.capitalize()))


def count_telling(text: str, own: Speller, other: Speller) -> int:
    """Return how many words of a text its own dictionary has and the other's lacks."""
    words = set(re.findall(r"\w+", text.lower()))
    return sum(own.has(word) and not other.has(word) for word in words)


def favour(language: str, prior: float) -> None:
    """Let relatives be weighed as if a language had so much more evidence than models and words give it."""
    relatives_here = RELATIVES[language]
    weigh = relatives.weigh_words

    def weigh_with_prior(
        code: str, scores: dict[str, float], line: str, scripts: list[str]
    ) -> tuple[str, dict[str, float]]:
        code, scores = weigh(code, scores, line, scripts)
        if code not in relatives_here:
            return code, scores
        odds = {name: math.exp(prior * (name == language)) for name in relatives_here}
        raised = {name: scores.get(name, 0.0) * times for name, times in odds.items()}
        share = sum(scores.get(name, 0.0) for name in odds) / (sum(raised.values()) or 1.0)
        scores = {**scores, **{name: value * share for name, value in raised.items()}}
        return max(raised, key=raised.__getitem__), scores

    vars(identify)["weigh_words"] = weigh_with_prior


def main() -> None:
    """Print both tables."""
    parser = bench.parser(__doc__)
    parser.add_argument("folder", type=Path, help="with hr_HR.aff and bs_BA.aff somewhere in it")
    parser.add_argument("--favour", choices=RELATIVES, default="hrv")
    parser.add_argument("--prior", type=float, default=0.0)
    options = parser.parse_args()
    pages = {code: found for code, found in declarations(bench.sample_data()).items() if found}
    spellers = {code: Speller(options.folder, code) for code in FILES}
    if options.prior:
        favour(options.favour, options.prior)
    both = [code for code, row in labels().languages.items() if row.lid and row.cld2 and code in pages]
    judge = Identifier().identify
    verdicts = {code: [(label[:3], score) for label, score in map(judge, pages[code])] for code in both}
    for code, other in (("hrv", "bos"), ("bos", "hrv")):
        telling = [count_telling(text, spellers[code], spellers[other]) for text in pages[code]]
        wrong = [name != code for name, _ in verdicts[code]]
        without = sum(not count for count in telling)
        missed = sum(not count and missed for count, missed in zip(telling, wrong, strict=True))
        print(
            f"{code}: {sum(wrong)} of {len(wrong)} named wrongly; {without} have no word that the dictionary of "
            f"{other} lacks, {missed} of those named wrongly"
        )
    named = {code: [name for name, _ in verdicts[code]] for code in both}
    shares = ", ".join(f"{name} {macro(named, [name]):.2f}" for name in RELATIVES[options.favour])
    print(
        f"prior {options.prior:g} for {options.favour}: {shares}, macro of {len(both)} languages "
        f"{macro(named, both):.4f}, F1 {macro_f1(verdicts, both):.4f}"
    )


if __name__ == "__main__":
    main()
