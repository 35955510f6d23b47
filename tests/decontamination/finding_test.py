"""Items in documents: found however they are written, and told from what only resembles them."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.decontamination import item_index, judging, scanning
from corpus.decontamination.evaluation_sets import identify_sets
from corpus.decontamination.options import DecontaminationOptions
from corpus.text.hashes import find_places

Verdicts = dict[str, tuple[str, float]]


def search(
    folder: Path,
    items: list[dict[str, Any]],
    document: str,
    corpus: list[str] | None = None,
    everywhere: int = 0,
) -> Verdicts:
    """Look for items in a document; the weights come from `corpus`. `everywhere`: documents and groups of all grams.

    Returns (verdict, score) by item.
    """
    path = folder / "set.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    options = DecontaminationOptions(sets=[str(path)])  # type: ignore[list-item]
    facts = item_index.write_index(str(folder / "index"), options, identify_sets(options))
    item_index.open_index.cache_clear()
    index = item_index.open_index(str(folder / "index"), facts["fingerprint"])
    counts = np.zeros(len(index.vocabulary), np.int64)
    for pairs in scanning.hash_distinct_pairs([*(corpus or []), document]):
        place = find_places(index.vocabulary, pairs)
        counts[place[place >= 0]] += 1
    many = np.full(len(index.grams), everywhere, np.int64)
    weighed = judging.PairWeights(
        judging.weigh_pairs(counts, len(corpus or []) + 1), judging.find_common_grams(many, many, options)
    )
    verdicts: Verdicts = {}
    for shared in scanning.find_shared_grams(["Something else.", document], index):
        for each in scanning.find_candidates(document, shared, index):
            assert shared.document == 1
            verdict = judging.judge_candidate(each.item, each.matched, index, weighed, options)
            verdicts[str(each.item + 1)] = (verdict.kind, verdict.score)
            assert 0 <= each.start < each.end <= len(document)
    return verdicts


def kinds(verdicts: Verdicts) -> dict[str, str]:
    return {name: kind for name, (kind, _) in verdicts.items() if kind != judging.WEAK}


AROUND = "Here begins an unrelated page about gardens.\n\n{}\n\nAnd here it ends, with a recipe for soup.\n"
ITEMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "English": (
        {
            "question": "A baker sells nine loaves before noon and twice as many after lunch; "
            "how many are left of forty?",
            "answer": "After lunch he sells eighteen loaves, so thirteen of the forty are left.",
        },
        "A cook hands out nine loaves before noon and twice as many after lunch; how many are left of fifty?\n"
        "After lunch he sells eighteen loaves, so thirteen of the forty are left.",
        "A BAKER SELLS NINE LOAVES before noon (and twice as many after lunch)... How many are left of forty?",
    ),
    "Chinese": (
        {
            "question": "下列哪一种气体在夜间由植物的叶片大量吸收并用于呼吸作用",
            "choices": ["氧气分子", "氮气分子", "氢气分子", "氦气分子"],
        },
        "请问哪一种气体在夜间由植物的叶片大量吸收并用于下面\nA. 氧气分子\nB. 氮气分子\nC. 氢气分子\nD. 氦气分子",
        "下列，哪一種氣體在夜間由植物的葉片大量吸收並用於呼"
        "吸作用\nＢ．氮氣分子　Ａ．氧氣分子　Ｄ．氦氣分子　Ｃ．氫氣分子",
    ),
    "Japanese": (
        {
            "question": "東京から京都まで新幹線で移動するときに途中で通過する最も高い山の名前は何ですか",
            "answer": "富士山です",
        },
        "さて京都まで新幹線で移動するときに途中で通過する最も高い山の名前を教えて"
        "富士山です",
        "「東京から京都まで、新幹線で移動するときに、途中で通過する、最も高い山の名前は何ですか？」富士山です。",
    ),
    "Thai": (
        {
            "question": "ประเทศใดในทวีปเอเชียมีจำนวนประชากรมากที่สุดตามข้อมูลสำมะโนประชากรเมื่อปีที่แล้ว",
            "answer": "ประเทศอินเดีย",
        },
        "อยากรู้ว่าในทวีปเอเชียมีจำนวนประชากรมากที่สุดตามข้อมูลสำมะโนประชากรเมื่อปีก่อน ประเทศอินเดีย",
        "ประเทศใดในทวีปเอเชีย มีจำนวนประชากรมากที่สุดตามข้อมูลสำมะโนประชากรเมื่อปีที่แล้ว? ประเทศอินเดีย",
    ),
    "Arabic": (
        {
            "question": "ما هو النهر الذي يمر عبر ثلاث عواصم عربية قبل أن يصل إلى بحيرة كبيرة في الجنوب",
            "answer": "نهر قديم جدا",
        },
        "أي نهر الذي يمر عبر ثلاث عواصم عربية قبل أن يصل إلى بحيرة كبيرة هناك نهر قديم جدا",
        "ما هو النهر الذي يمرّ عبر ثلاث عواصم عربية، قبل أن يصل إلى بحيرة كبيرة في الجنوب؟",
    ),
    "Hindi": (
        {
            "question": "किस नदी के किनारे पुराने राजा ने अपनी सबसे बड़ी लाल पत्थर की इमारत बनवाई थी",
            "answer": "यमुना नदी",
        },
        "उस नदी के किनारे पुराने राजा ने अपनी सबसे बड़ी लाल पत्थर की इमारत देखी यमुना नदी",
        "किस नदी के किनारे पुराने राजा ने, अपनी सबसे बड़ी लाल पत्थर की इमारत, बनवाई थी?",
    ),
    "Russian": (
        {
            "question": "Сколько часов поезд стоит на последней станции перед тем как повернуть обратно к морю",
            "answer": "четыре часа ровно",
        },
        "Много часов поезд стоит на последней станции перед тем как повернуть обратно домой, четыре часа ровно",
        "СКОЛЬКО ЧАСОВ поезд стоит на последней станции, перед тем, как повернуть обратно к морю?",
    ),
}  # fmt: skip


def write_out(item: dict[str, Any]) -> str:
    return "\n".join([item["question"], *item.get("choices", []), item.get("answer", "")])


@pytest.mark.parametrize("language", ITEMS)
def test_an_item_is_a_hit_whole_reworded_and_in_other_forms(language: str, tmp_path: Path) -> None:
    item, reworded, formed = ITEMS[language]
    others = [each for name, (each, _, _) in ITEMS.items() if name != language]
    whole = search(tmp_path, [item, *others], AROUND.format(write_out(item)))
    assert kinds(whole) == {"1": "hit"}
    assert whole["1"][1] > 0.95
    assert kinds(search(tmp_path, [item, *others], AROUND.format(formed))) == {"1": "hit"}
    less = search(tmp_path, [item, *others], AROUND.format(reworded))
    assert kinds(less) == {"1": "hit"}
    assert less["1"][1] < whole["1"][1]
    assert kinds(search(tmp_path, [item, *others], AROUND.format(""))) == {}


def test_options_count_in_any_order_and_without_them_a_quotation_in_a_question_is_no_hit(
    tmp_path: Path,
) -> None:
    quotation = "all happy families are alike and every unhappy family is unhappy in a way of its own"
    item = {
        "question": f"Which novel begins with these words: {quotation}?",
        "choices": ["the one about a lady on a train", "the one about a prince at war", "the one about a clerk's coat"],
    }  # fmt: skip
    assert kinds(search(tmp_path, [item], AROUND.format(quotation.capitalize()))) == {}
    mixed = "\n".join(
        [item["question"], *(f"({at}) {each}" for at, each in enumerate(item["choices"][::-1], 1))]
    )
    assert kinds(search(tmp_path, [item], AROUND.format(mixed))) == {"1": "hit"}


def test_a_passage_alone_is_no_hit_and_beside_its_question_it_is_on_record(tmp_path: Path) -> None:
    passage = (
        "The old lighthouse at the cape was lit for the first time in a storm, when two fishermen carried oil up its "
        "three hundred steps because the keeper had not come back from the harbour."
    )
    item = {
        "passage": passage,
        "question": "Who carried the oil up to the lamp during that first night?",
        "answer": "Two fishermen",
    }
    assert kinds(search(tmp_path, [item], AROUND.format(passage))) == {}
    assert kinds(search(tmp_path, [item], AROUND.format(f"{passage}\n{item['question']} Two fishermen"))) == {
        "1": "hit"
    }


def test_a_short_answer_counts_only_beside_its_question(tmp_path: Path) -> None:
    item = {
        "question": "Name the capital city of that island",
        "choices": ["New Harbour Town", "Old Harbour Town"],
    }
    beside = AROUND.format("Name the capital city of that island. Old Harbour Town, or New Harbour Town?")
    far = AROUND.format(f"New Harbour Town, Old Harbour Town. {'Some quite other words follow now. ' * 90}")
    assert kinds(search(tmp_path, [item], beside)) == {"1": "hit"}
    assert kinds(search(tmp_path, [item], far)) == {}


def test_what_is_in_many_documents_of_many_groups_proves_nothing_unless_the_item_is_whole(
    tmp_path: Path,
) -> None:
    proverb = {
        "question": "A rolling stone gathers no moss but a sitting hen lays all the eggs for breakfast"
    }
    page = AROUND.format(proverb["question"])
    assert kinds(search(tmp_path, [proverb], page)) == {"1": "hit"}
    assert kinds(search(tmp_path, [proverb], page, everywhere=9)) == {"1": "hit"}
    assert kinds(search(tmp_path, [proverb], page, everywhere=10)) == {"1": "common"}
    leaked = ITEMS["English"][0]
    assert kinds(search(tmp_path, [leaked], AROUND.format(write_out(leaked)), everywhere=99)) == {"1": "hit"}


def test_phrases_that_the_corpus_or_the_set_is_full_of_weigh_little(tmp_path: Path) -> None:
    phrase = "which of the following statements about the result of the experiment is true"
    items = [{"question": f"{phrase} {2 * word} {3 * word}"} for word in string.ascii_letters]
    assert kinds(search(tmp_path, items, AROUND.format(f"We asked: {phrase}, and nobody knew."))) == {}
    assert kinds(search(tmp_path, items[:1], AROUND.format(f"{phrase} aa aaa"), corpus=[phrase] * 900)) == {}


def test_items_like_one_that_stands_there_are_its_shadows() -> None:
    starts, ends = np.array([0, 5, 200, 210]), np.array([100, 90, 300, 290])
    shadows = judging.find_shadows(starts, ends, np.array([1.0, 0.6, 0.8, 0.79]))
    assert shadows.tolist() == [False, True, False, False]
    none = np.zeros(0, np.int64)
    assert judging.find_shadows(none, none, np.zeros(0)).tolist() == []


def test_hits_are_where_they_stand_in_long_documents_and_beside_characters_of_two_units(
    tmp_path: Path,
) -> None:
    item = ITEMS["Chinese"][0]
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(item) + "\n")
    options = DecontaminationOptions(sets=[str(path)])  # type: ignore[list-item]
    facts = item_index.write_index(str(tmp_path / "index"), options, identify_sets(options))
    index = item_index.open_index(str(tmp_path / "index"), facts["fingerprint"])
    for before in (100, scanning.PIECE_UNITS - 40, 3 * scanning.PIECE_UNITS + 17):
        text = "🦊 " * (before // 3) + "\n" + write_out(item) + "\n" + "the end " * 30_000
        (shared,) = scanning.find_shared_grams([text], index)
        (candidate,) = scanning.find_candidates(text, shared, index)
        assert text[candidate.start : candidate.end] == write_out(item).strip()
        assert candidate.matched.all()


def test_a_document_of_nothing_but_one_item_over_and_over(tmp_path: Path) -> None:
    item = ITEMS["Russian"][0]
    verdicts = search(tmp_path, [item], (write_out(item) + "\n") * 2_000)
    assert kinds(verdicts) == {"1": "hit"}
