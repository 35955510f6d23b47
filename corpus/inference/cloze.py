"""Evaluate multiple choice by likelihood: which answer does the model find most likely after the question.

The answers' texts are compared, not letters: small models do not know what "B" stands for. The layouts read:

- CMMLU's CSV: `Question,A,B,C,D,Answer`;
- ARC's JSON Lines: `{"question": {"stem", "choices": [{"text", "label"}]}, "answerKey"}`, or flattened as
  `{"question", "choices": {"text": [], "label": []}, "answerKey"}`;
- PIQA's JSON Lines: `{"goal", "sol1", "sol2", "label"}`, labels in a file `NAME-labels.lst` beside it if not inside;
- llm-foundry's JSON Lines: `{"query", "choices", "gold"}`.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import stdtrit

from corpus.errors import UserError
from corpus.inference.run import TrainedModel
from corpus.ledger.views import find_interval
from corpus.storage import DAMAGE, open_decompressed
from corpus.trainer.device import autocast

CLOZE_BATCH_TOKENS = 16_384
Z95 = 1.959964
"""Standard deviations of a normal distribution on either side of its mean that hold 95 % of it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """The text before the answers, the answers as they follow it, and the index of the right one."""

    context: str
    choices: tuple[str, ...]
    gold: int


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """The result for one file, or for some of its questions: shares of the questions answered right.

    `accuracy` ranks answers by probability, `accuracy_by_bytes` by probability to the power of one over the answer's
    bytes, so that short answers have no advantage; `chance` is the expected share by guessing.

    `probability` is the mean probability of the right answer among the answers of its question, from 0 to 1, and
    `probability_by_bytes` that with the same power: both move where a small model still ranks as by chance.
    `probability_error` is the standard error of the latter, None for a single question.
    """

    name: str
    questions: int
    accuracy: float
    accuracy_by_bytes: float
    chance: float
    probability: float
    probability_by_bytes: float
    probability_error: float | None

    @property
    def error(self) -> float:
        """Return the standard error of `accuracy_by_bytes`."""
        share = self.accuracy_by_bytes
        return math.sqrt(share * (1 - share) / self.questions)

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of `accuracy_by_bytes` (Wilson 1927), which holds for few questions, too."""
        return find_interval(round(self.accuracy_by_bytes * self.questions), self.questions, Z95)

    @property
    def probability_interval(self) -> tuple[float, float]:
        """Return the 95 % interval of `probability_by_bytes`, by Student's t; for a single question, 0 to 1."""
        if self.probability_error is None:
            return 0.0, 1.0
        half = float(stdtrit(self.questions - 1, 0.975)) * self.probability_error
        return max(0.0, self.probability_by_bytes - half), min(1.0, self.probability_by_bytes + half)


def read_questions(path: str) -> list[Question]:
    """Read the questions of a file in one of the layouts; raise UserError with the line that fits none."""
    number = 1
    try:
        with open_decompressed(path) as stream:
            text = stream.read().decode("utf-8-sig")
        questions = []
        if path.removesuffix(".gz").endswith(".csv"):
            for row in csv.DictReader(io.StringIO(text)):
                number += 1
                questions.append(_read_cmmlu(row))
        else:
            labels = _read_labels(path)
            for number, line in enumerate((line for line in text.split("\n") if line.strip()), 1):
                questions.append(_read_json(json.loads(line), labels, number - 1))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError, IndexError, *DAMAGE) as error:
        raise UserError(
            f"{path}, line {number}: not in the layout of CMMLU, ARC, PIQA or llm-foundry "
            f"({type(error).__name__}: {error})"
        ) from None
    if not questions:
        raise UserError(f"{path} has no questions")
    return questions


def _make_question(context: str, choices: Sequence[str], gold: int) -> Question:
    if not (0 <= gold < len(choices) and all(choices)):
        raise ValueError(f"answer {gold} of {len(choices)}")
    return Question(context=context, choices=tuple(choices), gold=gold)


def _read_cmmlu(row: dict[str, str]) -> Question:
    letters = [letter for letter in "ABCDEFGHIJ" if row.get(letter)]
    return _make_question(
        f"{row['Question']}\n答案：", [row[a] for a in letters], letters.index(row["Answer"].strip())
    )


def _read_json(row: dict[str, Any], labels: list[int] | None, number: int) -> Question:
    if "query" in row:
        return _make_answer_question(row["query"].rstrip(), row["choices"], int(row["gold"]))
    if "goal" in row:
        gold = int(row["label"]) if "label" in row else (labels or [])[number]
        return _make_answer_question(f"Question: {row['goal']}", [row["sol1"], row["sol2"]], gold)
    question, choices = row["question"], row.get("choices")
    if isinstance(question, dict):
        question, choices = question["stem"], question["choices"]
    if isinstance(choices, list):
        choices = {key: [choice[key] for choice in choices] for key in ("text", "label")}
    if choices is None:
        raise KeyError("choices")
    gold = choices["label"].index(row["answerKey"])
    return _make_answer_question(f"Question: {question}", choices["text"], gold)


def _make_answer_question(context: str, choices: Sequence[str], gold: int) -> Question:
    return _make_question(f"{context}\nAnswer:", [f" {choice.strip()}" for choice in choices], gold)


def _read_labels(path: str) -> list[int] | None:
    beside = Path(path).with_name(Path(path).name.split(".")[0] + "-labels.lst")
    return [int(line) for line in beside.read_text().split()] if beside.exists() else None


def _count_shared(first: list[int], second: list[int]) -> int:
    """Return how many tokens two texts share at their beginning, fewer than all of the second."""
    same = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    return min(same, len(second) - 1)


def answer_questions(
    trained: TrainedModel, questions: Sequence[Question], name: str, *, bf16: bool
) -> Accuracy:
    """Measure how many questions the model answers right."""
    return summarize_answers(questions, measure_answers(trained, questions, bf16=bf16), name)


@torch.no_grad()
def measure_answers(
    trained: TrainedModel, questions: Sequence[Question], *, bf16: bool
) -> list[npt.NDArray[np.float64]]:
    """Return the nats of every answer of every question.

    An answer's tokens are those after the beginning that it shares with the context's tokens, so a token that merges
    with the context's end counts; a question longer than the model's context loses its beginning.
    """
    context = trained.config.model.context
    rows: list[tuple[int, int, list[int], int]] = []
    for number, question in enumerate(questions):
        before = trained.encode(question.context)
        for choice, text in enumerate(question.choices):
            ids = trained.encode(question.context + text)
            answered = min(len(ids) - _count_shared(before, ids), context)
            tokens = [trained.config.end_of_text, *ids]
            rows.append((number, choice, tokens[-context - 1 :], answered))
    rows.sort(key=lambda row: len(row[2]))
    nats = [np.zeros(len(question.choices)) for question in questions]
    place = 0
    while place < len(rows):
        # Rows of like length together, so that little of a batch is padding.
        longest = len(rows[place][2])
        part = rows[place : place + max(1, CLOZE_BATCH_TOKENS // (2 * longest))]
        place += len(part)
        longest = len(part[-1][2])
        inputs = np.full((len(part), longest), trained.config.end_of_text, np.int64)
        targets = np.full((len(part), longest - 1), -1, np.int64)
        for row, (_, _, ids, answered) in enumerate(part):
            inputs[row, : len(ids)] = ids
            targets[row, len(ids) - 1 - answered : len(ids) - 1] = ids[-answered:]
        with autocast(trained.device, bf16):
            losses = trained.model.nats(
                torch.from_numpy(inputs[:, :-1]).to(trained.device),
                torch.from_numpy(targets).to(trained.device),
            )
        for (number, choice, _, _), value in zip(part, losses.double().sum(dim=1).tolist(), strict=True):
            nats[number][choice] = value
    return nats


def summarize_answers(
    questions: Sequence[Question], nats: Sequence[npt.NDArray[np.float64]], name: str
) -> Accuracy:
    """Return the shares of questions answered right, and how probable the right answers are among the answers, given
    the nats of these."""
    sizes = [np.array([len(choice.encode()) for choice in question.choices]) for question in questions]
    by_bytes = [n / s for n, s in zip(nats, sizes, strict=True)]
    golds = [question.gold for question in questions]
    shares = _share_probability(by_bytes, golds)
    count = len(questions)
    return Accuracy(
        name=name,
        questions=count,
        accuracy=float(np.mean([n.argmin() == g for n, g in zip(nats, golds, strict=True)])),
        accuracy_by_bytes=float(np.mean([n.argmin() == g for n, g in zip(by_bytes, golds, strict=True)])),
        chance=float(np.mean([1 / len(question.choices) for question in questions])),
        probability=float(_share_probability(nats, golds).mean()),
        probability_by_bytes=float(shares.mean()),
        probability_error=float(shares.std(ddof=1) / math.sqrt(count)) if count > 1 else None,
    )


def _share_probability(
    nats: Sequence[npt.NDArray[np.float64]], golds: Sequence[int]
) -> npt.NDArray[np.float64]:
    """Return, for each question, the probability of its right answer divided by that of all its answers."""
    weights = [np.exp(each.min() - each) for each in nats]
    return np.array([each[gold] / each.sum() for each, gold in zip(weights, golds, strict=True)])
