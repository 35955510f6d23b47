"""Multiple choice in the layouts people have, and likelihoods against sums by hand; any text in bits per byte."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.errors import UserError
from corpus.inference.cloze import Question, answer_questions, read_questions, summarize_answers
from corpus.inference.run import TrainedModel
from corpus.inference.texts import measure_files, read_texts
from corpus.trainer import loop
from tests.trainer.running import QUIET
from tests.trainer.sentences import documents, small_run

SKY = Question(context="Question: What is blue?\nAnswer:", choices=(" the sky", " grass"), gold=0)


@pytest.fixture(scope="module")
def trained(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    run = tmp_path_factory.mktemp("cloze") / "run"
    loop.train(small_run(workspace, steps=150, batch_tokens=192), run, device="cpu", console=QUIET)
    return TrainedModel(run, torch.device("cpu"), print)


@pytest.mark.parametrize(
    "line",
    [
        {"query": "Question: What is blue?\n", "choices": ["the sky", "grass"], "gold": 0},
        {"goal": "What is blue?", "sol1": "the sky", "sol2": "grass", "label": 0},
        {
            "question": {
                "stem": "What is blue?",
                "choices": [{"text": "the sky", "label": "A"}, {"text": "grass", "label": "B"}],
            },
            "answerKey": "A",
        },
        {
            "question": "What is blue?",
            "choices": {"text": ["the sky", "grass"], "label": ["1", "2"]},
            "answerKey": "1",
        },
    ],
    ids=["llm-foundry", "PIQA", "ARC", "ARC flattened"],
)
def test_layouts_of_json_lines_give_the_same_question(tmp_path: Path, line: dict[str, object]) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps(line) + "\n\n", encoding="utf-8")
    assert read_questions(str(tmp_path / "q.jsonl")) == [SKY]
    with gzip.open(tmp_path / "q.jsonl.gz", "wt") as file:
        file.write(json.dumps(line))
    assert read_questions(str(tmp_path / "q.jsonl.gz")) == [SKY]


def test_piqas_labels_may_lie_beside_it(tmp_path: Path) -> None:
    rows = [{"goal": "Open a tin", "sol1": "with a key", "sol2": "with a song"}] * 2
    (tmp_path / "valid.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "valid-labels.lst").write_text("0\n1\n")
    assert [question.gold for question in read_questions(str(tmp_path / "valid.jsonl"))] == [0, 1]


def test_cmmlus_csv(tmp_path: Path) -> None:
    text = ',Question,A,B,C,D,Answer\n0,"水在多少度""结冰""",0度,10度,50度,100度,A\n'
    (tmp_path / "q.csv").write_text(text, encoding="utf-8")
    (found,) = read_questions(str(tmp_path / "q.csv"))
    choices = ("0度", "10度", "50度", "100度")
    assert found == Question(context='水在多少度"结冰"\n答案：', choices=choices, gold=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"query": "q", "choices": ["a"], "gold": 3}', "line 1: not in the layout of CMMLU, ARC, PIQA"),
        ('{"query": "q", "choices": ["a"], "gold": 0}\n{"text": 5}', "line 2: not in the layout"),
        ("not json", "line 1: not in the layout"),
        ("", "has no questions"),
    ],
)
def test_what_fits_no_layout_is_named_by_its_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "q.jsonl").write_text(content)
    with pytest.raises(UserError) as caught:
        read_questions(str(tmp_path / "q.jsonl"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_real_files_are_read(data: Path) -> None:
    folder = data / "benchmarks"
    piqa = read_questions(str(folder / "llm-foundry" / "piqa.jsonl.gz"))
    assert len(piqa) == 1838
    assert {len(question.choices) for question in piqa} == {2}
    arts = read_questions(str(folder / "cmmlu" / "arts.csv"))
    assert len(arts) > 100
    assert all(len(question.choices) == 4 for question in arts)


def nats(trained: TrainedModel, context: str, choice: str) -> float:
    """By hand: the answer's tokens one after the other."""
    ids = [trained.config.end_of_text, *trained.encode(context + choice)]
    before = trained.encode(context)
    start = next((i for i, token in enumerate(before) if token != ids[i + 1]), len(before)) + 1
    scores = trained.model.logits(torch.tensor([ids[:-1]]))[0].detach().double().log_softmax(dim=1)
    return -sum(float(scores[i - 1, ids[i]]) for i in range(start, len(ids)))


def test_the_likeliest_answer_is_the_one_with_the_smallest_sum(trained: TrainedModel) -> None:
    choices = ("河", "老桥掉了", "水")
    by_hand = [nats(trained, "春天", choice) for choice in choices]
    sizes = [len(choice.encode()) for choice in choices]
    best = min(range(3), key=lambda i: by_hand[i])
    best_by_bytes = min(range(3), key=lambda i: by_hand[i] / sizes[i])
    for gold in range(3):
        found = answer_questions(
            trained, [Question(context="春天", choices=choices, gold=gold)], "q", bf16=False
        )
        assert (found.accuracy, found.accuracy_by_bytes) == (gold == best, gold == best_by_bytes)
        likely = [math.exp(-each) for each in by_hand]
        by_bytes = [math.exp(-each / size) for each, size in zip(by_hand, sizes, strict=True)]
        assert found.probability == pytest.approx(likely[gold] / sum(likely), rel=1e-3)
        assert found.probability_by_bytes == pytest.approx(by_bytes[gold] / sum(by_bytes), rel=1e-3)
        assert found.probability_error is None
    assert found.chance == pytest.approx(1 / 3)


def test_probabilities_are_means_over_questions_and_bear_any_likelihood() -> None:
    questions = [
        Question(context="", choices=("一", "二"), gold=1),
        Question(context="", choices=("aa", "bb", "cc"), gold=0),
        Question(context="", choices=("x", "y"), gold=0),
    ]
    nats = [np.array([3 * math.log(3), 0.0]), np.zeros(3), np.array([5_000.0, 4_000.0])]
    answers = summarize_answers(questions, nats, "q")
    assert answers.probability == pytest.approx((27 / 28 + 1 / 3 + 0) / 3)
    assert answers.probability_by_bytes == pytest.approx((3 / 4 + 1 / 3 + 0) / 3)
    assert answers.probability_error == pytest.approx(np.std([3 / 4, 1 / 3, 0], ddof=1) / math.sqrt(3))
    assert (answers.accuracy, answers.chance) == (
        pytest.approx(2 / 3),
        pytest.approx((0.5 + 1 / 3 + 0.5) / 3),
    )


def test_a_model_knows_the_sentences_that_it_was_trained_on(trained: TrainedModel) -> None:
    true, false = "河水上涨", "面包店开"
    right = Question(context="春天", choices=(false, true), gold=1)
    other = Question(context="每天早晨", choices=("面包店开", "河水上涨"), gold=0)
    assert answer_questions(trained, [right, other] * 20, "q", bf16=False).accuracy == 1.0


def test_text_is_measured_by_file_and_language(trained: TrainedModel, tmp_path: Path) -> None:
    texts = documents("rus_Cyrl", 3) + documents("tha_Thai", 2)
    (tmp_path / "one.txt").write_text(texts[0], encoding="utf-8")
    with gzip.open(tmp_path / "many.jsonl.gz", "wt", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            language = "rus_Cyrl" if number < 3 else "tha_Thai"
            file.write(json.dumps({"body": text, "language": language}) + "\n")
    paths = [str(tmp_path / "one.txt"), str(tmp_path / "many.jsonl.gz")]
    found = measure_files(trained, paths, field="body", bf16=False, samples=4)
    assert [(Path(s.source).name, s.language, s.documents) for s in found] == [
        ("many.jsonl.gz", "rus_Cyrl", 3),
        ("many.jsonl.gz", "tha_Thai", 2),
        ("one.txt", "", 1),
    ]
    assert found[0].bytes == sum(len(text.encode()) for text in texts[:3])
    short = "Весной река"
    (tmp_path / "short.txt").write_text(short, encoding="utf-8")
    (score,) = measure_files(trained, [str(tmp_path / "short.txt")], field="body", bf16=False, samples=4)
    expected = nats(trained, "", short) / math.log(2) / len(short.encode())
    assert score.bits_per_byte == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": "x"}\n{"body": "x"}\n', "line 2: no field 'text': name the text field"),
        ("a.jsonl", b'{"text": 5}\n', "line 1 cannot be read ('text' is not text)"),
        ("a.jsonl", b"[1]\n", "line 1 cannot be read"),
        ("a.txt", b"\xff\xfe", "cannot be read"),
        ("a.jsonl.gz", b"\x1f\x8bnothing", "cannot be read"),
    ],
)
def test_text_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        list(read_texts(str(tmp_path / name), "text"))
    assert message in str(caught.value)
    with pytest.raises(UserError, match="no such file"):
        list(read_texts(str(tmp_path / "other.txt"), "text"))
