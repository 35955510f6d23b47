"""Two other rules that find evaluation items: datatrove's filter, and decon's rule written from its description."""

from __future__ import annotations

import json
import math
import re
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from corpus.decontamination.item_layouts import EvaluationItem
from tests.benchmarks import bench

SOME_ITEM = -1
"""What stands for the item of a page of which a rule says only that it holds one."""


def tokenize_plainly(text: str) -> list[str]:
    """Lower-case words without punctuation; characters where the text is Chinese."""
    return re.findall(r"[㐀-鿿]|[^\W㐀-鿿_]+", text.lower())


class Datatrove:
    """datatrove's filter for 12-grams of question, of answer, and across both; a page holds an item or none."""

    name = "datatrove, 12-grams"

    def __init__(self, items: Sequence[EvaluationItem]) -> None:
        self.items = items

    def find(self, pages: Sequence[str]) -> tuple[list[dict[int, float]], float]:
        """The pages that hold an item, and CPU seconds."""
        peer = Path(__file__).parent / "peers" / "datatrove_decont.py"
        with tempfile.TemporaryDirectory() as folder:
            items, texts, out = (str(Path(folder, name)) for name in ("items", "texts", "out"))
            with open(items, "w", encoding="utf-8") as lines:
                for item in self.items:
                    language = "zho" if re.search(r"[㐀-鿿]", item.question) else "eng"
                    label = "\n".join([*item.options, item.answer]).strip()
                    row = {"language": language, "query": item.question, "label": label}
                    lines.write(json.dumps(row) + "\n")
            with open(texts, "w", encoding="utf-8") as lines:
                lines.writelines(json.dumps({"text": page}) + "\n" for page in pages)
            command = [bench.datatrove(), str(peer), items, texts, out]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            flagged = set(json.loads(Path(out).read_text(encoding="utf-8")))
        took = json.loads(done.stdout.splitlines()[-1])["filter"]
        return [{SOME_ITEM: 1.0} if at in flagged else {} for at in range(len(pages))], took


class OverlapOf5Grams:
    """Decon's rule: 5-grams of the question by IDF, .8 of them and all of a short item, its answer beside it."""

    name = "decon's rule, 5-grams"
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

    def find(self, pages: Sequence[str]) -> tuple[list[dict[int, float]], float]:
        """The items that each page holds, with their scores, and CPU seconds."""
        started = time.process_time()
        hits = [self._find(tokenize_plainly(page)) for page in pages]
        return hits, time.process_time() - started

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
