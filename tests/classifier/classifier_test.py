"""Quality classifiers: what is trained on, what is held out, the same bytes, scores."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.classifier import training
from corpus.classifier.quality_model import Classifier, build_line, card_path
from corpus.classifier.training import TrainingOptions, compute_auc, train_classifier
from corpus.classifier.training_texts import LabelledText, read_texts
from corpus.document import Document
from corpus.document_schema import to_documents_batch
from corpus.errors import UserError
from corpus.extract.html.main_text import extract_main_text
from corpus.formats.encodings import decode
from corpus.languages import fasttext_models
from corpus.languages.identify import Identifier
from corpus.pipelines.cli.model import classifier
from corpus.storage.part_writer import PartWriter
from corpus.text.words import segment_words
from corpus.workspace import Workspace
from tests.cli.running import run

ENCYCLOPEDIA = {
    "eng_Latn": "{0} is a river in the north of the country . Its basin covers {1} square kilometres and was "
    "first described in {1} by the geographer {0} in his survey of the region .",
    "cmn_Hans": "{0}是位于该国北部的一条河流，流域面积{1}平方公里，{1}年由地理学家首次记载，是该地区的重要水源。",
}
SHOP = {
    "eng_Latn": "Buy {0} now and save {1} dollars ! Free shipping on all orders , click here to add {0} to "
    "your cart , best price guaranteed , subscribe to our newsletter today .",
    "cmn_Hans": "立即购买{0}，优惠{1}元！全场包邮，点击加入购物车，正品保证，关注我们的公众号领取优惠券。",
}
NAMES = ["Alta", "Bern", "Cora", "Dova", "Elna", "Fyre", "Gola", "Hima", "Isar", "Juna", "Kela", "Lira"]


def texts(templates: dict[str, str], count: int = 60) -> list[tuple[str, str]]:
    draw = random.Random(len(templates["eng_Latn"]))
    return [
        (
            f"{template.format(draw.choice(NAMES), draw.randrange(10**6))} {' '.join(draw.sample(NAMES, 9))}",
            language,
        )
        for language, template in templates.items()
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("models") / "quality.bin")
    train_classifier(texts(ENCYCLOPEDIA, 120), texts(SHOP, 120), path, TrainingOptions(dimension=8))
    return path


def test_it_tells_the_sides_apart_in_both_languages(model: str) -> None:
    classifier = Classifier(model)
    assert classifier.card.auc is not None
    assert classifier.card.auc > 0.95
    for language in ENCYCLOPEDIA:
        one = segment_words(ENCYCLOPEDIA[language].format("Nova", 7), language)
        other = segment_words(SHOP[language].format("Nova", 7), language)
        assert classifier.score(one, language) > 0.8
        assert classifier.score(other, language) < 0.2


def test_no_score_for_what_it_has_not_learned(model: str) -> None:
    classifier = Classifier(model)
    assert np.isnan(
        classifier.score(segment_words("Ein Fluss im Norden des Landes.", "deu_Latn"), "deu_Latn")
    )
    assert np.isnan(classifier.score(segment_words("Text", None), None))
    assert np.isnan(classifier.score(segment_words("!!!", "eng_Latn"), "eng_Latn"))


def test_the_same_texts_in_any_order_give_the_same_bytes(model: str, tmp_path: Path) -> None:
    positive, negative = texts(ENCYCLOPEDIA, 120), texts(SHOP, 120)
    random.Random(1).shuffle(positive)
    again = str(tmp_path / "again.bin")
    train_classifier(positive + positive[:30], negative, again, TrainingOptions(dimension=8))
    assert Path(again).read_bytes() == Path(model).read_bytes()
    assert Path(card_path(again)).read_bytes() == Path(card_path(model)).read_bytes()
    train_classifier(positive, negative, again, TrainingOptions(dimension=8, seed=1))
    assert Path(again).read_bytes() != Path(model).read_bytes()


def test_the_card_says_what_the_model_is(model: str) -> None:
    card = json.loads(Path(card_path(model)).read_text())
    assert card["sha256"] == hashlib.sha256(Path(model).read_bytes()).hexdigest()
    assert set(card["languages"]) == {"eng_Latn", "cmn_Hans"}
    assert card["languages"]["eng_Latn"]["documents"] == 120
    assert 0 < card["languages"]["eng_Latn"]["held_out"] <= 24
    assert card["training"]["seed"] == 0
    assert {"fasttext", "icu", "words"} <= set(card["versions"])


def test_sides_are_balanced_in_every_language(tmp_path: Path) -> None:
    german = [(f"Dies ist der Satz Nummer {i} über einen Fluss.", "deu_Latn") for i in range(50)]
    negative = [row for row in texts(SHOP) if row[1] == "eng_Latn"][:20]
    card = train_classifier(
        texts(ENCYCLOPEDIA) + german,
        negative,
        str(tmp_path / "m.bin"),
        TrainingOptions(dimension=4, epochs=1),
    )
    assert {language: row.documents for language, row in card.languages.items()} == {"eng_Latn": 20}
    assert card.left_out == {"cmn_Hans": [60, 0], "deu_Latn": [50, 0]}
    assert card.training["texts"] == 40 - card.languages["eng_Latn"].held_out


def test_texts_count_once_and_not_at_all_on_both_sides(tmp_path: Path) -> None:
    same = [("The same text, in other clothes!", "eng_Latn"), ("the  SAME text in other clothes", "eng_Latn")]
    positive = [row for row in texts(ENCYCLOPEDIA) if row[1] == "eng_Latn"]
    negative = [row for row in texts(SHOP) if row[1] == "eng_Latn"]
    path = str(tmp_path / "m.bin")
    options = TrainingOptions(dimension=4, epochs=1)
    assert train_classifier(positive + same, negative, path, options).languages["eng_Latn"].documents == 60
    only_once = (
        train_classifier(positive[:20] + same, negative, path, options).languages["eng_Latn"].documents
    )
    assert only_once == 21
    assert (
        train_classifier(positive[:20] + same, negative + same, path, options).languages["eng_Latn"].documents
        == 20
    )


def test_near_duplicates_are_held_out_together() -> None:
    """Of 200 texts with a word changed near the end, nearly all are on the same side as their originals."""
    draw = random.Random(0)
    together = 0
    for _ in range(200):
        words = [f"w{draw.randrange(5000)}" for _ in range(120)]
        copy = [*words[:110], "changed", *words[111:]]
        one, other = (
            training._hash_shingle(segment_words(" ".join(text), "eng_Latn")) for text in (words, copy)
        )
        together += one == other
    assert together > 180


def test_a_tenth_is_held_out_and_groups_of_near_duplicates_are_not_divided() -> None:
    draw = random.Random(0)
    sides = [
        [training.SpooledText(-i, bytes([side, i]), draw.randrange(40), 0, 0) for i in range(200)]
        for side in range(2)
    ]
    sample = training._hold_out(*sides)
    for trained_on, tested_on in zip(*sample, strict=True):
        assert len(trained_on) + len(tested_on) == 200
        assert 10 <= len(tested_on) <= 20
    trained, held_out = ({text.shingle for texts in part for text in texts} for part in sample)
    assert not trained & held_out


def test_a_side_of_near_duplicates_is_not_held_out_whole() -> None:
    sides = [[training.SpooledText(-i, bytes([side, i]), side, 0, 0) for i in range(30)] for side in range(2)]
    assert training._hold_out(*sides).held_out == ([], [])


def test_too_few_texts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="5 different texts on both sides: found 3 positive and 60 negative"):
        train_classifier(texts(ENCYCLOPEDIA)[:3], texts(SHOP)[:60], str(tmp_path / "m.bin"))
    with pytest.raises(UserError, match="neither side has texts with words"):
        train_classifier([], [("...", "und_Zyyy")], str(tmp_path / "m.bin"))
    with pytest.raises(UserError, match=r"^no negative text has words$"):
        train_classifier(texts(SHOP)[:9], [("...", "und_Zyyy")], str(tmp_path / "m.bin"))
    with pytest.raises(
        UserError, match=r"^60 texts are on both sides, and no others: give the sides different texts"
    ):
        train_classifier(texts(SHOP)[:60], reversed(texts(SHOP)[:60]), str(tmp_path / "m.bin"))
    with pytest.raises(
        UserError, match=r"found 0 positive and 2 negative in .*, without the 58 that both sides have"
    ):
        train_classifier(texts(SHOP)[:58], texts(SHOP)[:60], str(tmp_path / "m.bin"))
    assert not (tmp_path / "m.bin").exists()


def test_a_model_without_its_card_or_with_anothers(model: str, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely.bin"
    lonely.write_bytes(Path(model).read_bytes())
    with pytest.raises(UserError, match=r"no .*lonely\.bin\.card\.json beside the model"):
        _ = Classifier(str(lonely)).card
    card = json.loads(Path(card_path(model)).read_text()) | {"sha256": "0" * 64}
    Path(card_path(str(lonely))).write_text(json.dumps(card))
    with pytest.raises(UserError, match="belongs to another model"):
        _ = Classifier(str(lonely)).card


def test_training_needs_the_fasttext_that_trains(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import fasttext

    monkeypatch.delattr(fasttext, "train_supervised")
    with pytest.raises(UserError, match="pip install --force-reinstall --no-deps fasttext-community"):
        fasttext_models.train("lines", str(tmp_path / "m.bin"), 0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("The Bridge, was REPAIRED!", "the bridge was repaired"),
        ("大桥在冬天修好了。", "大 桥 在 冬天 修好 了"),
        ("ภาษาไทยง่าย", "ภาษา ไทย ง่าย"),
        ("see __label__positive here", "see --label--positive here"),
        ("𝔘nicode 𠮷野家", "𝔘nicode 𠮷野家"),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_fasttext_reads(text: str, line: str) -> None:
    assert build_line(segment_words(text, None)).replace("𠮷 野家", "𠮷野家") == line


def test_only_the_first_words_count() -> None:
    assert build_line(segment_words("one two " * 3000, "eng_Latn")) == " ".join(["one two"] * 1000)


@given(st.lists(st.integers(0, 5), max_size=20), st.lists(st.integers(0, 5), max_size=20))
def test_auc_is_the_share_of_pairs_in_order(positive: list[int], negative: list[int]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in positive for b in negative]
    if pairs:
        assert compute_auc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))
    else:
        assert np.isnan(compute_auc(positive, negative))


def test_texts_of_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n", encoding="utf-8")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.write('{"text": "three", "language": "en"}\n{"text": "four", "language": "?"}\n')
    pq.write_table(pa.table({"text": ["five", None], "language": ["eng_Latn", None]}), tmp_path / "c.parquet")
    (tmp_path / "notes.md").write_text("not a text")
    expected = [("one", None), ("two", None), ("three", "en"), ("four", None), ("five", "eng_Latn")]
    assert [(t.text, t.language) for t in read_texts(str(tmp_path))] == expected
    assert list(read_texts(str(tmp_path / "a.txt"))) == [LabelledText("one"), LabelledText("two")]


def test_texts_that_are_not_there_or_wrong(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no texts found"):
        read_texts(str(tmp_path / "missing.txt"))
    with pytest.raises(UserError, match="is not a workspace"):
        read_texts(f"{tmp_path}:source=web")
    (tmp_path / "bad.jsonl").write_text('{"text": "fine"}\n{"body": "no"}\n')
    with pytest.raises(UserError, match=r"bad\.jsonl:2: not a JSON object with a key `text`"):
        list(read_texts(str(tmp_path / "bad.jsonl")))


def _workspace(root: Path) -> Workspace:
    """Two sources; of `web`, one document is dropped, one is in validation, one behind a gate."""
    workspace = Workspace.create(str(root))
    rows: dict[str, list[tuple[str | None, str | None, bool, str | None]]] = {
        "web": [
            ("kept", "eng_Latn", True, "train"),
            ("dropped", "eng_Latn", False, None),
            ("held for validation", "eng_Latn", True, "valid"),
            (None, None, False, None),
            ("保留的文本", "cmn_Hans", True, "train"),
            ("保留的文本之二", "cmn_Hant", True, "train"),
        ],
        "wikipedia": [("article", "eng_Latn", True, "train")],
    }
    schema = pa.schema([("kept", pa.bool_()), ("split", pa.string())])
    for source, documents in rows.items():
        batch = to_documents_batch(
            Document(id=f"{i:032x}", file="f", offset=0, length=0, text=text, language=language)
            for i, (text, language, _, _) in enumerate(documents)
        )
        with PartWriter(workspace.part("documents", source, "s"), batch.schema, "1") as part:
            part.write(batch)
        decisions: dict[str, Any] = {
            "kept": [row[2] for row in documents],
            "split": [row[3] for row in documents],
        }
        with PartWriter(workspace.part("decisions", source, "s"), schema, "1") as part:
            part.write(pa.table(decisions, schema=schema))
    plan = {"splits": [["web", "s"], ["wikipedia", "s"]], "steps": []}
    Path(workspace.path("plan.json")).write_text(json.dumps(plan))
    return workspace


def test_texts_of_a_workspace_are_what_it_keeps_for_training(tmp_path: Path) -> None:
    root = _workspace(tmp_path / "work").root
    assert [t.text for t in read_texts(f"{root}:source=web")] == ["kept", "保留的文本", "保留的文本之二"]
    assert [t.text for t in read_texts(f"{root}:source=web,language=cmn")] == ["保留的文本", "保留的文本之二"]
    assert [t.text for t in read_texts(f"{root}:language=eng_Latn")] == ["kept", "article"]
    with pytest.raises(UserError, match="has no source 'books': it has web, wikipedia"):
        read_texts(f"{root}:source=books")
    with pytest.raises(
        UserError, match="expected source=NAME or language=LABEL after the workspace, not 'license=mit'"
    ):
        read_texts(f"{root}:license=mit")


def _web_pages(data: Path, count: int) -> list[tuple[str, str]]:
    found = []
    with tarfile.open(data / "html_gold/trafilatura/pages.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            body = stream.read() if stream is not None else b""
            text = extract_main_text(decode(body)[0]) if b'lang="en' in body[:2000] else None
            if text and Identifier().identify(text)[0] == "eng_Latn":
                found.append((text, "eng_Latn"))
            if len(found) == count:
                break
    return found


def test_encyclopedia_against_web_pages(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English Wikipedia articles against English web pages, a third held out of 60 each: AUC over .8."""
    from corpus.document import Failure
    from corpus.extract import extract as extract_record
    from corpus.sources.wikipedia.wiki_dump import Wikipedia

    [dump] = (data / "wiki").rglob("enwiki-latest-pages-articles1.xml*-shortened.bz2")
    source = Wikipedia(kind="wikipedia", paths=[str(dump)])
    articles = [
        (found.text, "eng_Latn")
        for record in source.read(str(dump), dump.name, 0, dump.stat().st_size)
        if not isinstance(record, Failure) and not record.gate and (found := extract_record(record, "fast"))
    ]
    monkeypatch.setattr(training, "HELD_OUT_DIVISOR", 3)
    card = train_classifier(
        articles, _web_pages(data, 60), str(tmp_path / "m.bin"), TrainingOptions(dimension=8, epochs=40)
    )
    assert card.languages["eng_Latn"].documents >= 55
    assert card.auc is not None
    assert card.auc > 0.8


def test_a_language_that_no_text_is_in_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    rows = {
        "a": ("hin_Deva", "नदी उत्तर में निकलती है"),
        "b": ("jpn_Jpan", "川は北から流れてくる"),
        "c": ("rus_Cyrl", "Река течёт"),
    }
    for side in ("good", "bad"):
        lines = [json.dumps({"text": f"{text} {side}", "language": label}) for label, text in rows.values()]
        (tmp_path / f"{side}.jsonl").write_text("\n".join(lines) + "\n")
    places = [str(tmp_path / f"{side}.jsonl") for side in ("good", "bad")]
    with pytest.raises(
        UserError, match=r"^no text is in fra: the 6 texts are in hin_Deva \(2\), jpn_Jpan \(2\), rus"
    ):
        run(
            classifier,
            "--positive", places[0], "--negative", places[1], "--language", "fr", "--out", str(tmp_path / "m.bin"),
        )  # fmt: skip
