"""Evaluation items planted into real pages: how many are found, beside datatrove's filter and decon's rule.

    CORPUS_DATA=... python -m tests.benchmarks.decontamination_benchmark [--items 1000] [--alone]

1,000 items of six sets (CMMLU, GSM8K, HumanEval, ARC, LAMBADA, PIQA) are planted one a page into the pages of
`web-open.warc.gz`, each item in every way that it can be changed:

    whole      question, options with labels, answer, as they are
    edges      the first and the last words of the question, three in twenty and one at least, replaced by words of
               the page; questions of up to four words as they are
    forms      punctuation, case and width changed: full-width or half-width, no commas, other quotation marks
    scripts    Chinese items in the other script (OpenCC's tables of characters)
    options    options in another order, without labels
    question   the question without options and answer, of items that have some

The others are datatrove's `NGramsDecontFilter` with the n-grams of questions, itself (in `.venv-datatrove`), which says
of a page whether it holds an item; and decon's overlap of 5-grams by IDF with its published thresholds (SIMPLE: .8, 1
up to 20 tokens, answers beside their question), written from its description, with characters as Chinese words, which
it does not have. Precision is of all hits: those planted, and those that nobody planted, which were read (`READ`); one
that is not in that table counts as false. Then the speed of the search, of `corpus index` and of its queries.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import corpus
from corpus.decontamination import comparing, item_index, judging, scanning
from corpus.decontamination.evaluation_sets import identify_sets
from corpus.decontamination.item_layouts import EvaluationItem
from corpus.decontamination.options import DecontaminationOptions
from corpus.suffixes.occurrences import TokenFinder
from corpus.suffixes.token_index import build_index
from tests.benchmarks import bench
from tests.benchmarks.decontamination_rules import SOME_ITEM, Datatrove, OverlapOf5Grams
from tests.benchmarks.planted_items import WAYS, change, plant, read_other_script

SETS = (
    "cmmlu", "gsm8k", "humaneval", "llm-foundry/arc_easy.jsonl.gz", "llm-foundry/lambada_openai.jsonl.gz",
    "llm-foundry/piqa.jsonl.gz",
)  # fmt: skip
ROUNDS = 3
"""Rounds of which the quickest is the speed."""
QUERIES = 1000
READ: dict[frozenset[str], tuple[bool, str]] = {
    frozenset(pair): (is_true, reason)
    for *pair, is_true, reason in (
        (
            "cmmlu/computer_science.csv:44",
            "cmmlu/computer_science.csv:173",
            True,
            "same item, options in another order",
        ),
        ("cmmlu/education.csv:134", "cmmlu/education.csv:44", True, "same item, three of its four options"),
        ("cmmlu/education.csv:115", "cmmlu/education.csv:132", True, "same item, options in another order"),
        ("lambada_openai/2326", "lambada_openai/3096", True, "same passage of a novel, cut elsewhere"),
        ("lambada_openai/2679", "lambada_openai/4304", True, "same passage of a novel, cut elsewhere"),
        ("lambada_openai/4568", "lambada_openai/2255", True, "same passage of a novel, cut elsewhere"),
        (
            "cmmlu/ancient_chinese.csv:78",
            "cmmlu/ancient_chinese.csv:148",
            True,
            "the question alone was planted, which both have word for word",
        ),
        (
            "humaneval/HumanEval/61",
            "humaneval/HumanEval/56",
            False,
            "the same task, with other brackets in text and code",
        ),
        ("cmmlu/logical.csv:87", "cmmlu/logical.csv:112", False, "another question about one syllogism"),
    )
}
"""Whether an item is in what was planted as another, for each pair that some rule took for one, and why."""


@dataclass(frozen=True)
class Planted:
    """A page with an item in it."""

    text: str
    number: int
    page: int


def build_pages(data: Path, folder: str) -> str:
    """A workspace in the folder of all pages of web-open, none dropped, with their tokens."""
    manifest = Path(folder, "pages.yaml")
    archive = data / "warc" / "web-open.warc.gz"
    manifest.write_text(
        f"name: pages\ndedup: false\n"
        f"sources:\n  web: {{kind: warc, paths: [{json.dumps(str(archive))}], rules: []}}\n"
    )
    corpus.build(str(manifest), f"{folder}/pages", workers=2)
    return f"{folder}/pages"


class Ours:
    """Finder, weights from the pages, and verdicts, as in a build."""

    name = "corpus"

    def __init__(self, index: item_index.ItemIndex, options: DecontaminationOptions) -> None:
        self.index, self.options = index, options

    def learn(self, pages: Sequence[str]) -> None:
        counts = scanning.TextScan(pages, self.index, np.ones(len(pages), np.bool_)).pair_counts
        common = np.zeros(len(self.index.grams), np.bool_)
        self.weighed = judging.PairWeights(judging.weigh_pairs(counts, len(pages)), common)

    def find(self, pages: Sequence[str]) -> tuple[list[dict[int, float]], float]:
        """The items that each page holds, with their scores, and CPU seconds."""
        started = time.process_time()
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
        return hits, time.process_time() - started


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


def measure_index(root: str) -> tuple[float, list[float]]:
    """MB a CPU second of `corpus index`, and milliseconds of queries for texts of its documents, first places shown."""
    before = time.process_time()
    facts = build_index(root)
    speed = facts["bytes"] / 1e6 / (time.process_time() - before)
    finder = TokenFinder(root)
    texts = corpus.open(root).documents().to_table(columns=["text"])["text"].to_pylist()
    draw = random.Random(25)
    took = []
    for text in draw.choices([text for text in texts if text and len(text) > 400], k=QUERIES):
        at = draw.randrange(len(text) - 60)
        started = time.perf_counter()
        finder.find(text[at : at + draw.randrange(8, 60)].strip() or "a", 1)
        took.append(1000 * (time.perf_counter() - started))
    return speed, sorted(took)


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--alone", action="store_true", help="without the other rules")
    parser.add_argument("--missed", type=int, default=0, help="print so many that were missed in each way")
    arguments = parser.parse_args()
    data = bench.sample_data()
    options = DecontaminationOptions.model_validate(
        {"sets": [str(data / "benchmarks" / name) for name in SETS]}
    )
    with tempfile.TemporaryDirectory() as folder:
        root = build_pages(data, folder)
        texts = corpus.open(root).documents().to_table(columns=["text"])["text"].to_pylist()
        pages = [text for text in texts if text]
        sets = identify_sets(options)
        started = time.process_time()
        facts = item_index.write_index(folder, options, sets)
        print(
            f"{facts['items']:,} items of {len(SETS)} sets indexed in {time.process_time() - started:.1f} CPU s"
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
        speed, took = measure_index(root)
        print(
            f"corpus index: {speed:.0f} MB of text a CPU second; {QUERIES:,} queries: median "
            f"{took[len(took) // 2]:.2f} ms, the slowest {took[-1]:.1f}"
        )
        ours = Ours(index, options)
        ours.learn(pages)
        compare(items, rows, pages, ours, arguments)


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
        f"{len(chosen):,} items planted, {len(hidden & set(chosen)):,} of them of those that cannot be looked for, "
        f"into {len(pages):,} pages of {sum(len(page.encode()) for page in pages) / 1e6:.1f} MB"
    )
    other = read_other_script()
    planted: dict[str, list[Planted]] = {}
    for way in WAYS:
        planted[way] = []
        for at, number in enumerate(chosen):
            page = pages[at % len(pages)]
            text = change(way, items[number], page, draw, other)
            if text is not None:
                planted[way].append(Planted(plant(text, page, draw), number, at % len(pages)))
    texts = [*pages, *(each.text for of_way in planted.values() for each in of_way)]
    finders: list[Ours | Datatrove | OverlapOf5Grams] = [ours]
    if not arguments.alone:
        finders += [Datatrove(items), OverlapOf5Grams(items)]
    table: dict[str, list[str]] = defaultdict(list)
    for finder in finders:
        hits, seconds = finder.find(texts)
        judge_hits(finder.name, hits, pages, planted, items, table, arguments.missed if finder is ours else 0)
        table["MB a CPU second, these pages"].append(
            f"{sum(len(text.encode()) for text in texts) / 1e6 / seconds:.1f}"
        )
    print(f"\n| planted | {' | '.join(finder.name for finder in finders)} |\n|---|{'---|' * len(finders)}")
    for name, cells in table.items():
        print(f"| {name} | {' | '.join(cells)} |")


def judge_hits(
    name: str, hits: Sequence[Mapping[int, float]], pages: Sequence[str], planted: Mapping[str, Sequence[Planted]],
    items: Sequence[EvaluationItem], table: dict[str, list[str]], missed: int,
) -> None:  # fmt: skip
    """Add a finder's column to the table, and print what it found that nobody planted."""
    base, at, right = hits[: len(pages)], len(pages), 0
    beside: Counter[tuple[str, str]] = Counter()
    for way, of_way in planted.items():
        inside = 0
        for each, here in zip(of_way, hits[at : at + len(of_way)], strict=True):
            is_there = not here.keys().isdisjoint({each.number, SOME_ITEM})
            inside += is_there
            if not is_there and missed > 0:
                print(f"    missed {way}: {items[each.number]}")
                missed -= 1
            for number in here.keys() - base[each.page].keys() - {each.number, SOME_ITEM}:
                beside[items[number].name, items[each.number].name] += 1
        at += len(of_way)
        right += inside
        table[f"{WAYS[way]} ({len(of_way):,})"].append(f"{inside / len(of_way):.3f}")
    true = 0
    print(
        f"\n{name}: {right:,} planted ones found; beside them {beside.total():,} of {len(beside):,} pairs of items"
    )
    for pair, count in beside.most_common():
        is_true, reason = READ.get(frozenset(pair), (False, "not read"))
        true += count * is_true
        print(
            f"    {count} x {pair[0]} where {pair[1]} was planted: {'true' if is_true else 'false'}: {reason}"
        )
    pages_hit = [(at, here) for at, here in enumerate(base) if here]
    print(f"{name}: {len(pages_hit):,} pages hit as they were")
    for at, here in pages_hit[:40]:
        named = ", ".join("an item" if each == SOME_ITEM else items[each].name for each in here)
        print(f"    page {at}, {named}: {pages[at][:60]!r}")
    unplanted = beside.total() + sum(map(len, base))
    table["pages hit as they were"].append(f"{len(pages_hit):,}")
    table["other items beside planted ones, of which true"].append(
        "-" if name == Datatrove.name else f"{beside.total():,}, {true:,}"
    )
    table["precision of all hits"].append(f"{(right + true) / max(1, right + unplanted):.4f}")
    share = f"{true / unplanted:.2f}" if unplanted else "none"
    table["precision of those that nobody planted"].append(share)


if __name__ == "__main__":
    main()
