"""Comparisons of small corpora, whole: arms that differ in one thing, controls, verdicts, resumption, refusals."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from corpus.errors import RunError, UserError
from corpus.experiments.arms import Arm, survey_workspace
from corpus.experiments.compare import train_all
from corpus.experiments.comparison import CompareOptions, Experiment
from corpus.experiments.epochs import SourcePlan, match_epochs
from corpus.experiments.experiment_page import write_page
from corpus.experiments.held_out import HeldOutPiece
from corpus.experiments.judge import judge_pair, read_measured, weigh_pair
from corpus.experiments.prepare import choose_measure, prepare
from corpus.experiments.sweep import Machine, Sweep, open_sweep
from corpus.experiments.training_runs import read_result, sample_pieces
from corpus.languages.names import name_language
from corpus.trainer.dataset import open_dataset
from corpus.trainer.loader import TokenStream
from corpus.trainer.mixture import TrainingMixture
from corpus.workspace import Workspace
from tests.experiments.small_workspaces import WORDS, write_small_workspace, write_text

HERE = Machine(device="cpu", workers=0)
SETTINGS = {"context": 32, "batch_tokens": 1024, "precision": "fp32", "learning_rate": 0.01}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[Arm]:
    """Texts with an order that a model can learn, and twice as many of the same words without."""
    root = tmp_path_factory.mktemp("pair")
    good = write_small_workspace(root / "good", documents=60)
    bad = write_small_workspace(root / "bad", documents=120, seed=1, order=False)
    return [Arm(name="good", workspace=str(good)), Arm(name="bad", workspace=str(bad))]


@pytest.fixture(scope="module")
def neutral(tmp_path_factory: pytest.TempPathFactory) -> str:
    """New texts with the order, in all four scripts."""
    generator = np.random.default_rng(99)
    path = tmp_path_factory.mktemp("neutral") / "texts.jsonl"
    rows = [{"language": lang, "text": write_text(lang, generator)} for lang in WORDS for _ in range(40)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def small_options(texts: str, **changes: object) -> CompareOptions:
    settings: dict[str, object] = {
        "tokens": 48_000,
        "sizes": ("d1",),
        "seeds": 3,
        "vocabulary": 400,
        "neutral": (texts,),
        "validation": False,
        "held_out_bytes": 20_000,
        "max_epochs": 30,
        "settings": SETTINGS,
    }
    return CompareOptions(**{**settings, **changes})  # type: ignore[arg-type]


def open_all(experiment: Experiment, machine: Machine = HERE, **more: Any) -> Sweep:
    return open_sweep(experiment.folder, experiment.runs(), experiment.pieces, machine, **more)


@pytest.fixture(scope="module")
def finished(
    pair: list[Arm], neutral: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Experiment, dict]:
    """The whole experiment: 12 runs of 47 steps."""
    experiment = prepare(tmp_path_factory.mktemp("out") / "exp", pair, small_options(neutral))
    sweep = open_all(experiment, machine=Machine(device="cpu", workers=2))
    cost = sweep.measure_cost()
    assert (cost.runs, cost.all_runs, cost.steps) == (12, 12, 12 * 47)
    assert (
        cost.sentence().startswith("12 runs, 564 steps in all: about ") and "2 processes" in cost.sentence()
    )
    return experiment, train_all(experiment, open_all(experiment))


def test_the_better_corpus_is_named_and_controls_hold(finished: tuple[Experiment, dict]) -> None:
    _, result = finished
    verdict = result["sizes"]["d1"]["verdicts"][0]
    assert verdict["better"] == "good" and verdict["sentence"].startswith("good better by ")
    assert {row["language"] for row in verdict["languages"]} == set(WORDS)
    assert all(row["better"] in ("good", None) for row in verdict["languages"])
    assert result["controls"]["shuffled"]["passed"], result["controls"]["shuffled"]
    assert result["controls"]["same"]["passed"], result["controls"]["same"]
    assert "with its" not in result["controls"]["same"]["sentence"]
    assert set(verdict["noise"]) == {"good", "bad"} and min(verdict["noise"].values()) > 0
    curve = result["sizes"]["d1"]["runs"]["good"][0]["curve"]
    assert [point["tokens"] for point in curve] == [10240, 20480, 30720, 40960, 48128]
    assert curve[-1]["bits"] < curve[0]["bits"]


def test_curves_are_measured_on_some_pieces_and_results_on_all(finished: tuple[Experiment, dict]) -> None:
    experiment, _ = finished
    pieces = experiment.pieces
    sample = sample_pieces(pieces)
    assert 1 < len(sample) < len(pieces) and {pieces[at].language for at in sample} == set(WORDS)
    run = read_result(experiment.run_of("d1", "good", 0)) or {}
    bits = np.array(run["nats"]) / np.log(2)
    sizes = np.array([len(piece.text.encode()) for piece in pieces])
    assert run["curve"][-1]["bits"] == pytest.approx(bits[sample].sum() / sizes[sample].sum())
    for source, language, measured in run["cells"]:
        own = [at for at, piece in enumerate(pieces) if (piece.source, piece.language) == (source, language)]
        assert measured == pytest.approx(bits[own].sum() / sizes[own].sum())


def test_validation_documents_of_a_third_arm_are_not_in_a_verdict(finished: tuple[Experiment, dict]) -> None:
    experiment, _ = finished
    cells = [(source, "deu_Latn") for source in ("udhr", "good: web", "bad: web", "third: web")]
    three = replace(
        experiment,
        arms=(*experiment.arms, replace(experiment.arms[0], name="third")),
        weights=dict.fromkeys(cells, 0.15) | {("third: web", "tha_Thai"): 0.4},
    )
    weights = weigh_pair(three, "good", "bad")
    assert list(weights) == cells[:3] and list(weights.values()) == pytest.approx([0.2] * 3)
    first, second = (read_measured(experiment, "d1", name, range(2)) for name in ("good", "bad"))
    assert "neutral" not in judge_pair(first, second, experiment.weights, experiment)


def test_arms_differ_in_their_texts_alone(finished: tuple[Experiment, dict]) -> None:
    experiment, result = finished
    good, bad = (open_dataset(str(experiment.folder / "arms" / name)) for name in ("good", "bad"))
    assert (
        good.tokenizer.resolve() == bad.tokenizer.resolve() and good.tokenizer_sha256 == bad.tokenizer_sha256
    )
    assert good.fingerprint != bad.fingerprint and not good.streams("valid")
    one, other = (fact["sources"] for fact in result["arms"])
    assert one.keys() == other.keys() == {"web", "wiki"}
    for source in one:
        assert one[source]["epochs"] == pytest.approx(other[source]["epochs"], rel=1e-6)
    assert one["web"]["kept"] == 1.0 and other["web"]["kept"] < 0.7


def test_the_page_needs_nothing_else(finished: tuple[Experiment, dict], tmp_path: Path) -> None:
    _, result = finished
    write_page(result, tmp_path / "one.html")
    write_page(json.loads(json.dumps(result)), tmp_path / "two.html")
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert (tmp_path / "two.html").read_text(encoding="utf-8") == page
    assert "<script" not in page and "src=" not in page and "href=" not in page
    verdict = result["sizes"]["d1"]["verdicts"][0]
    for sentence in (verdict["sentence"], *(control["sentence"] for control in result["controls"].values())):
        assert html.escape(sentence) in page
    for row in verdict["languages"]:
        assert f"{name_language(row['language'])} ({row['language']})" in page
    assert page.count("<svg") == 2 and 'class="scroll"><svg' in page


def test_validation_groups_of_either_train_nobody(pair: list[Arm], finished: tuple[Experiment, dict]) -> None:
    """In `bad` document 60 onwards has validation groups that `good` does not have, and both have the first ones."""
    experiment, _ = finished
    held = frozenset().union(*(survey_workspace(arm.workspace).held for arm in pair))
    assert len(held) == 2 * 12
    for name in ("good", "bad"):
        dataset = open_dataset(str(experiment.folder / "arms" / name))
        ids = {
            id
            for stream in dataset.streams("train")
            for id, _, _ in TokenStream(dataset.folder, stream).documents(0, stream.tokens)
        }
        import hashlib

        forbidden = {
            hashlib.blake2b(f"{source} {number}".encode(), digest_size=16).hexdigest()
            for source in ("web", "wiki")
            for number in range(0, 120, 10)
        }
        assert ids and not ids & forbidden


def test_a_group_that_a_build_divided_is_not_held_whole(tmp_path: Path) -> None:
    """Of few repositories a build holds out some files: all others train, in either arm, but for copies of the held."""
    root = write_small_workspace(tmp_path / "few", documents=40, sources=("code",), groups=2)
    survey = survey_workspace(str(root))
    assert survey.documents == 36 and not survey.held & {"code0.example", "code1.example"}
    documents = Workspace.open(str(root)).rows(["id", "content_hash"])
    table = pa.concat_tables([table for _, _, table in documents]).to_pylist()
    assert survey.held == {row[name] for row in table[::10] for name in ("id", "content_hash")}
    path = tmp_path / "neutral.jsonl"
    text = write_text("rus_Cyrl", np.random.default_rng(99))
    path.write_text(json.dumps({"language": "rus_Cyrl", "text": text}) + "\n", encoding="utf-8")
    arms = [Arm(name=name, workspace=str(root)) for name in ("one", "other")]
    experiment = prepare(tmp_path / "exp", arms, small_options(str(path), tokens=4000, controls=False))
    for fact in experiment.facts.values():
        assert fact["documents"] == 36 and fact["cleared"]["groups"] == 0


def test_a_killed_experiment_goes_on_to_the_same_bytes(
    pair: list[Arm], neutral: str, finished: tuple[Experiment, dict], tmp_path: Path
) -> None:
    """The shards are made again, one run is stopped before its result, and only the lost work is done again."""
    experiment, _ = finished
    wanted = (experiment.folder / "result.json").read_bytes()
    lost = Path(experiment.runs()[0].folder)
    first_result = (lost / "result.json").read_bytes()
    (lost / "result.json").unlink()
    (experiment.folder / "result.json").unlink()
    trained: list[str] = []
    again = prepare(experiment.folder, pair, small_options(neutral))
    sweep = open_all(again, finished=lambda run: trained.append(run.folder))
    assert sweep.measure_cost().runs == 1
    train_all(again, sweep)
    assert trained == [str(lost)]
    assert (lost / "result.json").read_bytes() == first_result
    assert (experiment.folder / "result.json").read_bytes() == wanted
    # The same elsewhere, by a process of its own.
    copy = prepare(tmp_path / "copy", pair, small_options(neutral, controls=False))
    planned = copy.runs()[:1]
    machine = Machine(device="cpu", workers=1)
    open_sweep(copy.folder, planned, copy.pieces, machine).train(planned)
    assert Path(planned[0].folder, "result.json").read_bytes() == first_result


def test_another_experiment_in_the_folder_is_refused(
    pair: list[Arm], neutral: str, finished: tuple[Experiment, dict], tmp_path: Path
) -> None:
    experiment, _ = finished
    with pytest.raises(UserError, match="holds an experiment on other arms or settings"):
        prepare(experiment.folder, pair, small_options(neutral, seeds=4))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty and holds no experiment"):
        prepare(tmp_path, pair, small_options(neutral))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 1}, "--seeds 1: one run an arm has no noise"),
        ({"sizes": ("huge",)}, "--size huge: choose from"),
        ({"sizes": ("d1", "d1")}, "name every size once"),
        ({"matching": "target"}, "--epochs target and --target-tokens belong together"),
        ({"matching": "target", "target_tokens": 100}, "--target-tokens 100: must be at least"),
        (
            {"max_epochs": 0.5},
            r"\w+: w\w+ would be read [\d.]+ times in 48,000 tokens, .* give --tokens \d+ or less",
        ),
        ({"neutral": ()}, "no held-out text"),
        ({"neutral": ("no-such-file",)}, "no-such-file: no such file"),
    ],
)
def test_what_would_waste_hours_is_refused_first(
    pair: list[Arm], neutral: str, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        prepare(tmp_path / "exp", pair[::-1], small_options(neutral, **changes))
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.rglob("runs"))


def test_a_mixture_names_every_source(pair: list[Arm], neutral: str, tmp_path: Path) -> None:
    """As in `corpus train`: a misspelt name would weigh the source as if nothing had been said of it."""
    arms = [pair[0], replace(pair[0], name="more", mixture=TrainingMixture(weights={"web": 1, "wikis": 3}))]
    with pytest.raises(UserError, match="does not list the source wiki, only web, wikis"):
        prepare(tmp_path / "exp", arms, small_options(neutral))
    assert not (tmp_path / "exp").exists()


def test_text_in_other_languages_measures_nothing(pair: list[Arm], tmp_path: Path) -> None:
    path = tmp_path / "hindi.jsonl"
    path.write_text(json.dumps({"language": "hi", "text": "सुबह मछुआरे खाली जाल लेकर लौटे।" * 40}) + "\n", "utf-8")
    with pytest.raises(UserError, match=r"no held-out text in the languages of the arms .*tha_Thai"):
        prepare(tmp_path / "exp", pair, small_options(str(path)))


def test_languages_without_held_out_text_are_named(neutral: str) -> None:
    fact = {"languages": [{"language": "tha_Thai", "weight": 0.7}, {"language": "hin_Deva", "weight": 0.3}]}
    fact["languages"].append({"language": "kat_Geor", "weight": 0.001})
    pieces = [HeldOutPiece(source="n", language="tha_Thai", text=f"น้ำ{n}" * 90) for n in range(9)]
    pieces += [HeldOutPiece(source="n", language="kat_Geor", text="მდინარე" * 90)]
    chosen, weights, notes = choose_measure(pieces, [fact], small_options(neutral))
    assert {piece.language for piece in chosen} == {"tha_Thai"} and weights == {("n", "tha_Thai"): 0.7}
    assert notes == [
        "without held-out text, and so not measured: hin_Deva (30.0% of what is drawn): "
        "name texts in them with --neutral"
    ]


def test_an_arm_that_diverges_is_named_before_hours(pair: list[Arm], neutral: str, tmp_path: Path) -> None:
    settings = {**SETTINGS, "learning_rate": 30.0}
    experiment = prepare(tmp_path / "exp", pair, small_options(neutral, settings=settings))
    with pytest.raises(UserError, match=r"good diverges.* give a lower --lr than 30") as refused:
        open_all(experiment).measure_cost()
    assert "\n" not in str(refused.value)


def test_different_tokenizers_are_said_and_replaced(tmp_path: Path, neutral: str) -> None:
    arms = [
        Arm(name=n, workspace=str(write_small_workspace(tmp_path / n, tokenizer=f"{{{n}}}".encode())))
        for n in "AB"
    ]
    lines: list[str] = []
    prepare(tmp_path / "exp", arms, small_options(neutral), lines.append)
    assert "A, B were built with different tokenizers: all are encoded with one of 400 tokens" in lines[0]


def test_a_run_that_fails_stops_the_experiment_with_its_line(
    pair: list[Arm], neutral: str, tmp_path: Path
) -> None:
    experiment = prepare(tmp_path / "exp", pair, small_options(neutral, controls=False, seeds=2))
    sweep = open_all(experiment, machine=Machine(device="cpu", workers=1))
    planned = sweep.runs
    Path(planned[0].arm, "tokens", "dataset.json").write_text("{")
    with pytest.raises(RunError, match=r"good, seed 0: .*dataset.json is damaged"):
        sweep.train(planned[:1])


def test_epochs_are_matched_by_source() -> None:
    sizes = [{"web": 1000, "wiki": 100}, {"web": 4000, "wiki": 100}]
    weights = [{"web": 0.5, "wiki": 0.5}, {"web": 0.5, "wiki": 0.5}]
    own, matched, target = (
        match_epochs(sizes, weights, 4000, how, 8000) for how in ("own", "matched", "target")
    )
    assert [plan["web"].epochs for plan in own] == [2.0, 0.5]
    assert [plan["web"].epochs for plan in matched] == [2.0, 2.0] and matched[1]["web"].kept == 0.25
    assert [plan["wiki"].kept for plan in matched] == [1.0, 1.0]
    assert [plan["web"].epochs for plan in target] == [4.0, 1.0]
    apart = match_epochs([{"a": 1000}, {"b": 4000}], [{"a": 1.0}, {"b": 1.0}], 4000, "matched", None)
    assert apart[1]["b"] == SourcePlan(tokens=4000, kept=0.25, weight=1.0, epochs=4.0)
    once = match_epochs(sizes, weights, 100, "matched", None)
    assert [plan["web"].kept for plan in once] == [1.0, 1.0]  # nothing is read twice: all of it may be read
