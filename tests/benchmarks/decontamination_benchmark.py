"""Evaluation items planted into real pages in five ways: how many are found, beside two other rules; MB a CPU second.

    CORPUS_DATA=... python -m tests.benchmarks.decontamination_benchmark [--items 1000] [--pages FILE.jsonl]

1,000 items of six sets (CMMLU, GSM8K, HumanEval, ARC, LAMBADA, PIQA) are planted one a page into the pages of
`web-open.warc.gz`, each item in every way that it can be changed:

    whole      question, options with labels, answer, as they are
    edges      the first and the last words of the question, three in twenty and one at least, replaced by words of
               the page; questions of up to four words as they are
    forms      punctuation, case and width changed: full-width or half-width, no commas, other quotation marks
    scripts    Chinese items in the other script (OpenCC's tables of characters)
    options    options in another order, without labels

The others are rules written from their descriptions, on words as they define them, and in Chinese on characters, which
they do not: any shared 12-gram of question or answer (datatrove's `NGramsDecontFilter` with queries); and decon's
overlap of 5-grams by IDF with its published thresholds (SIMPLE: .8, 1 up to 20 tokens, answers beside their question).
Hits that nobody planted are printed, to be read.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import corpus
from corpus.data import data_path
from corpus.decontamination import comparing, item_index, judging, scanning
from corpus.decontamination.evaluation_sets import identify_sets, list_sets, read_set
from corpus.decontamination.item_layouts import EvaluationItem
from corpus.decontamination.options import DecontaminationOptions
from tests.benchmarks import bench

SETS = (
    "cmmlu", "gsm8k", "humaneval", "llm-foundry/arc_easy.jsonl.gz", "llm-foundry/lambada_openai.jsonl.gz",
    "llm-foundry/piqa.jsonl.gz",
)  # fmt: skip
WAYS = ("whole", "edges", "forms", "scripts", "options")
EDGE = 0.15
ROUNDS = 3
"""Rounds of which the quickest is the speed."""


@dataclass(frozen=True)
class Planted:
    """A page with an item in it."""

    text: str
    number: int


def read_pages(data: Path, given: str | None) -> list[str]:
    """The texts of the pages of web-open; from a file of JSON Lines if one is given."""
    if given is not None:
        with open(given, encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder, "pages.yaml")
        archive = data / "warc" / "web-open.warc.gz"
        manifest.write_text(
            f"name: pages\ndedup: false\n"
            f"sources:\n  web: {{kind: warc, paths: [{json.dumps(str(archive))}], rules: []}}\n"
        )
        corpus.build(str(manifest), f"{folder}/pages", workers=2)
        texts = corpus.open(f"{folder}/pages").documents().to_table(columns=["text"])["text"].to_pylist()
    return [text for text in texts if text]


def split_words(text: str) -> list[str]:
    """Words of spaced text, single characters of Chinese, and all that is between them."""
    return re.findall(r"[㐀-鿿]|[^\W㐀-鿿]+|\W+", text)


def render(item: EvaluationItem, *, labels: bool = True) -> str:
    options = [
        f"{'ABCDEFGHIJ'[at]}. {option}" if labels else f"- {option}" for at, option in enumerate(item.options)
    ]
    return "\n".join(filter(None, [item.passage, item.question, *options, item.answer]))


def reword_edges(item: EvaluationItem, page: str, draw: random.Random) -> EvaluationItem:
    words = split_words(item.question)
    places = [at for at, word in enumerate(words) if word.strip() and word[0].isalnum()]
    others = [word for word in split_words(page) if word.isalpha() and len(word) > 1] or ["word"]
    han = [word for word in split_words(page) if re.fullmatch(r"[㐀-鿿]", word)]
    some = list("这里另有些别的话要说明以及其中若干处")
    count = max(1, round(EDGE * len(places))) if len(places) > 4 else 0
    for at in {*places[:count], *places[max(0, len(places) - count) :]}:
        pool = (han or some) if re.fullmatch(r"[㐀-鿿]", words[at]) else others
        words[at] = draw.choice(pool)
    return EvaluationItem(
        name=item.name,
        question="".join(words),
        options=item.options,
        answer=item.answer,
        passage=item.passage,
    )


WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
MARKS = str.maketrans(
    {
        "，": ", ",
        "。": ". ",
        "？": "?",
        "“": '"',
        "”": '"',
        "’": "'",
        "（": " (",
        "）": ") ",
        ",": " ",
        ";": ":",
    }
)


def change_forms(text: str, draw: random.Random) -> str:
    text = text.translate(MARKS) if draw.random() < 0.7 else re.sub(r"[^\w\s]", " ", text)
    changes: list[Callable[[str], str]] = [str.upper, str.title, str]
    text = draw.choice(changes)(text)
    return text.translate(WIDE) if draw.random() < 0.5 else unicodedata.normalize("NFKC", text)


def read_other_script() -> dict[int, str]:
    """By each Chinese character another of its class."""
    other: dict[int, str] = {}
    for line in data_path("chinese_variants.txt").read_text(encoding="utf-8").splitlines():
        for group in [] if line.startswith("#") else line.split():
            for at, character in enumerate(group):
                other[ord(character)] = group[(at + 1) % len(group)]
    return other


def change(
    way: str, item: EvaluationItem, page: str, draw: random.Random, other: dict[int, str]
) -> str | None:
    """The item as it is planted; None if it cannot be changed so."""
    if way == "whole":
        return render(item)
    if way == "edges":
        return render(reword_edges(item, page, draw))
    if way == "forms":
        return change_forms(render(item), draw)
    if way == "scripts":
        text = render(item)
        return text.translate(other) if re.search(r"[㐀-鿿]", text) else None
    if len(item.options) < 2:
        return None
    options = list(item.options)
    while tuple(options) == item.options:
        draw.shuffle(options)
    changed = EvaluationItem(
        name=item.name, question=item.question, options=tuple(options), answer=item.answer
    )
    return render(changed, labels=False)


def plant(text: str, page: str, draw: random.Random) -> str:
    lines = page.split("\n")
    at = draw.randrange(len(lines) + 1)
    return "\n".join([*lines[:at], text, *lines[at:]])


class Ours:
    """Finder, weights from the pages, and verdicts, as in a build."""

    name = "corpus"

    def __init__(self, index: item_index.ItemIndex, options: DecontaminationOptions) -> None:
        self.index, self.options = index, options

    def learn(self, pages: Sequence[str]) -> None:
        counts = scanning.TextScan(pages, self.index, np.ones(len(pages), np.bool_)).pair_counts
        common = np.zeros(len(self.index.grams), np.bool_)
        self.weighed = judging.PairWeights(judging.weigh_pairs(counts, len(pages)), common)

    def find(self, pages: Sequence[str]) -> list[dict[int, float]]:
        """The items that each page holds, with their scores."""
        hits: list[dict[int, float]] = [{} for _ in pages]
        for shared in scanning.TextScan(pages, self.index).shared:
            judged = [
                (
                    each,
                    judging.judge_candidate(each.item, each.matched, self.index, self.weighed, self.options),
                )
                for each in comparing.find_candidates(pages[shared.document], shared, self.index)
            ]
            of_page = [(each, verdict.score) for each, verdict in judged if verdict.kind == judging.HIT]
            starts, ends = (
                np.array([getattr(each, name) for each, _ in of_page]) for name in ("start", "end")
            )
            shadows = judging.find_shadows(starts, ends, np.array([score for _, score in of_page]))
            for (each, score), shadow in zip(of_page, shadows.tolist(), strict=True):
                if not shadow:
                    hits[shared.document][each.item] = score
        return hits


def tokenize_plainly(text: str) -> list[str]:
    """Lower-case words without punctuation; characters where the text is Chinese."""
    return re.findall(r"[㐀-鿿]|[^\W㐀-鿿_]+", text.lower())


class TwelveGrams:
    """Any shared 12-gram of question or answer, or of what stands between them."""

    name = "12-grams, any shared"

    def __init__(self, items: Sequence[EvaluationItem]) -> None:
        self.grams: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for number, item in enumerate(items):
            question, answer = (
                tokenize_plainly(item.question),
                tokenize_plainly("\n".join([*item.options, item.answer])),
            )
            for tokens in (question, answer, question[-11:] + answer[:11]):
                for at in range(len(tokens) - 11):
                    self.grams[tuple(tokens[at : at + 12])].add(number)

    def learn(self, pages: Sequence[str]) -> None:
        pass

    def find(self, pages: Sequence[str]) -> list[dict[int, float]]:
        hits = []
        for page in pages:
            tokens = tokenize_plainly(page)
            shared: set[int] = set()
            for at in range(len(tokens) - 11):
                shared |= self.grams.get(tuple(tokens[at : at + 12]), set())
            hits.append(dict.fromkeys(shared, 1.0))
        return hits


class OverlapOf5Grams:
    """Decon's rule: 5-grams of the question by IDF, .8 of them and all of a short item, its answer beside it."""

    name = "5-grams by IDF (decon)"
    MISSES, WINDOW = 11, 100

    def __init__(self, items: Sequence[EvaluationItem]) -> None:
        self.questions = [tokenize_plainly(item.question) for item in items]
        gold = [item.answer or (" ".join(item.options)) for item in items]
        self.answers = [tokenize_plainly(each) for each in gold]
        self.of: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for number, tokens in enumerate(self.questions):
            if len(tokens) + len(self.answers[number]) >= 20 and len(set(tokens)) >= 4:
                for at in range(len(tokens) - 4):
                    self.of[tuple(tokens[at : at + 5])].add(number)
        self.idf = {gram: math.log(1 + len(items) / len(numbers)) for gram, numbers in self.of.items()}
        self.total = [
            sum(self.idf.get(gram, 0) for gram in self._grams(tokens, 5)) for tokens in self.questions
        ]

    @staticmethod
    def _grams(tokens: Sequence[str], length: int) -> set[tuple[str, ...]]:
        return {tuple(tokens[at : at + length]) for at in range(len(tokens) - length + 1)}

    def learn(self, pages: Sequence[str]) -> None:
        pass

    def find(self, pages: Sequence[str]) -> list[dict[int, float]]:
        return [self._find(tokenize_plainly(page)) for page in pages]

    def _find(self, tokens: Sequence[str]) -> dict[int, float]:
        clusters: dict[int, tuple[int, int, set[tuple[str, ...]]]] = {}
        best: dict[int, float] = {}
        for at in range(len(tokens) - 4):
            gram = tuple(tokens[at : at + 5])
            for number in self.of.get(gram, ()):
                start, last, matched = clusters.get(number, (at, at, set()))
                if at - last > self.MISSES:
                    self._settle(number, start, last, matched, tokens, best)
                    start, matched = at, set()
                matched.add(gram)
                clusters[number] = (start, at, matched)
        for number, (start, last, matched) in clusters.items():
            self._settle(number, start, last, matched, tokens, best)
        return best

    def _settle(
        self, number: int, start: int, last: int, matched: set[tuple[str, ...]], tokens: Sequence[str],
        best: dict[int, float],
    ) -> None:  # fmt: skip
        question = sum(map(self.idf.__getitem__, matched)) / max(self.total[number], 1e-9)
        answer = self.answers[number]
        window = tokens[start : last + 5 + max(self.WINDOW, 2 * len(answer))]
        length = len(self.questions[number]) + len(answer)
        if not answer:
            score = question
        elif len(answer) <= 3:
            joined = "\n".join(window[last - start : last - start + 55])
            score = 0.75 * question + 0.25 * float("\n".join(answer) in joined)
        else:
            grams = self._grams(answer, 3)
            score = 0.75 * question + 0.25 * len(grams & self._grams(window, 3)) / max(1, len(grams))
        needed = 1 - 0.2 * min(1.0, max(0.0, (length - 20) / 30))
        if score >= needed - 1e-6:
            best[number] = max(best.get(number, 0), score)


def measure_speed(pages: Sequence[str], index: item_index.ItemIndex) -> tuple[float, float, float]:
    """MB a CPU second of the search for shared grams; with comparisons; and with the pairs of all pages, too."""
    size = sum(len(page.encode()) for page in pages) / 1e6
    counted = np.ones(len(pages), np.bool_)
    scanning.TextScan(pages[:50], index, counted[:50])  # tables are made at the first use
    took = dict.fromkeys(("shared", "compared", "counted"), math.inf)
    for _ in range(ROUNDS):
        for sampled in (None, counted):
            before = time.process_time()
            scan = scanning.TextScan(pages, index, sampled)
            shared = list(scan.shared)
            if sampled is not None:
                scan.pair_counts  # noqa: B018 - computed here
            looked = time.process_time()
            for each in shared:
                comparing.find_candidates(pages[each.document], each, index)
            compared = time.process_time() - looked
            if sampled is None:
                took["shared"] = min(took["shared"], looked - before)
                took["compared"] = min(took["compared"], compared)
            else:
                took["counted"] = min(took["counted"], looked - before + compared)
    return size / took["shared"], size / (took["shared"] + took["compared"]), size / took["counted"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--pages")
    parser.add_argument("--alone", action="store_true", help="without the other rules")
    parser.add_argument("--missed", type=int, default=0, help="print so many that were missed in each way")
    arguments = parser.parse_args()
    data = bench.sample_data()
    pages = read_pages(data, arguments.pages)
    options = DecontaminationOptions.model_validate(
        {"sets": [str(data / "benchmarks" / name) for name in SETS]}
    )
    items: list[EvaluationItem] = []
    for files in list_sets(options):
        items += [read.item for read in read_set(files, options.sets[files.place]) if read.item is not None]
    with tempfile.TemporaryDirectory() as folder:
        sets = identify_sets(options)
        started = time.process_time()
        facts = item_index.write_index(folder, options, sets)
        print(
            f"{facts['items']:,} items of {len(SETS)} sets indexed in {time.process_time() - started:.1f} s"
        )
        index = item_index.open_index(folder, facts["fingerprint"])
        rows = item_index.read_items(folder).to_pylist()
        items = [
            EvaluationItem(
                name=f"{row['set']}/{row['item']}", question=row["question"], options=tuple(row["options"] or ()),
                answer=row["answer"] or "", passage=row["passage"] or "",
            )
            for row in rows
        ]  # fmt: skip
        speeds = measure_speed(pages, index)
        print(
            f"{speeds[0]:.0f} MB a CPU second for shared grams, {speeds[1]:.0f} with all comparisons, "
            f"{speeds[2]:.0f} with the pairs of all pages counted"
        )
        compare(items, rows, pages, Ours(index, options), arguments)


def choose_items(rows: Sequence[dict[str, object]], count: int, draw: random.Random) -> list[int]:
    """So many of each set, of all its items but duplicates."""
    by_set: dict[object, list[int]] = defaultdict(list)
    for row in rows:
        if not str(row["reason"]).startswith("a duplicate"):
            by_set[row["set"]].append(int(str(row["number"])))
    chosen: list[int] = []
    for at, numbers in enumerate(sorted(by_set.values(), key=len)):
        share = (count - len(chosen)) // (len(by_set) - at)
        chosen += draw.sample(numbers, min(share, len(numbers)))
    return chosen


def compare(
    items: Sequence[EvaluationItem], rows: Sequence[dict[str, object]], pages: Sequence[str], ours: Ours,
    arguments: argparse.Namespace,
) -> None:  # fmt: skip
    draw = random.Random(25)
    chosen = choose_items(rows, arguments.items, draw)
    hidden = {int(str(row["number"])) for row in rows if row["reason"] is not None}
    print(
        f"{len(chosen):,} items planted, {len(hidden & set(chosen)):,} of them of those that cannot be looked for"
    )
    other = read_other_script()
    planted: dict[str, list[Planted]] = {}
    for way in WAYS:
        planted[way] = []
        for at, number in enumerate(chosen):
            page = pages[at % len(pages)]
            text = change(way, items[number], page, draw, other)
            if text is not None:
                planted[way].append(Planted(plant(text, page, draw), number))
    others: list[TwelveGrams | OverlapOf5Grams] = (
        [] if arguments.alone else [TwelveGrams(items), OverlapOf5Grams(items)]
    )
    for finder in (ours, *others):
        started = time.process_time()
        finder.learn(pages)
        base = finder.find(pages)
        line: list[str] = []
        wrong: Counter[tuple[int, int]] = Counter()
        unplanted = [
            (at, number, score) for at, hits in enumerate(base) for number, score in sorted(hits.items())
        ]
        right = 0
        for way in WAYS:
            finds = finder.find([each.text for each in planted[way]])
            inside = [each.number in hits for each, hits in zip(planted[way], finds, strict=True)]
            can = [hit for each, hit in zip(planted[way], inside, strict=True) if each.number not in hidden]
            right += sum(inside)
            line.append(f"{way} {np.mean(inside):.3f} ({np.mean(can):.3f} of {len(can):,})")
            for each, hits in zip(planted[way], finds, strict=True):
                for number in set(hits) - {each.number} - set(base[chosen.index(each.number) % len(pages)]):
                    wrong[number, each.number] += 1
            missed = [
                each
                for each, hit in zip(planted[way], inside, strict=True)
                if not hit and each.number not in hidden
            ]
            if finder is ours:
                for each in missed[: arguments.missed]:
                    print(
                        f"    missed {way}: {rows[each.number]['set']}/{rows[each.number]['item']} {items[each.number]}"
                    )
        print(f"{finder.name}: recall {', '.join(line)}")
        print(
            f"    {len(unplanted):,} hits in pages as they were; {wrong.total():,} of other items beside planted ones "
            f"({len(wrong):,} pairs of items); {right:,} of planted; {time.process_time() - started:.0f} CPU s"
        )
        for at, number, score in unplanted[: 40 if finder is ours else 12]:
            print(f"    page {at}, {items[number].name}, {score:.2f}: {items[number].question[:160]!r}")
        if finder is ours:
            for (number, beside), count in wrong.most_common(40):
                print(
                    f"    {count} x {items[number].name} beside {items[beside].name}: {items[number].question[:90]!r}"
                )


if __name__ == "__main__":
    main()
