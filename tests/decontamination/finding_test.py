"""Items in documents: found however they are written, and told from what only resembles them."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.decontamination import comparing, item_index, judging, scanning
from corpus.decontamination.evaluation_sets import identify_sets
from corpus.decontamination.options import DecontaminationOptions

Verdicts = dict[str, tuple[str, float]]


class Search:
    """The index of some items, and the weights that the texts of a corpus give."""

    def __init__(
        self, folder: Path, items: list[dict[str, Any]], corpus: list[str], everywhere: int = 0
    ) -> None:
        path = folder / "set.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
        self.options = DecontaminationOptions(sets=[str(path)])  # type: ignore[list-item]
        facts = item_index.write_index(str(folder / "index"), self.options, identify_sets(self.options))
        item_index.open_index.cache_clear()
        self.index = item_index.open_index(str(folder / "index"), facts["fingerprint"])
        counts = scanning.TextScan(corpus, self.index, np.ones(len(corpus), np.bool_)).pair_counts
        many = np.full(len(self.index.grams), everywhere, np.int64)
        self.weighed = judging.PairWeights(
            judging.weigh_pairs(counts, len(corpus)), judging.find_common_grams(many, many, self.options)
        )

    def judge(self, document: str) -> Iterator[tuple[comparing.Candidate, judging.HitVerdict]]:
        for shared in scanning.TextScan(["Something else.", document], self.index).shared:
            assert shared.document == 1
            for each in comparing.find_candidates(document, shared, self.index):
                assert 0 <= each.start < each.end <= len(document)
                yield (
                    each,
                    judging.judge_candidate(each.item, each.matched, self.index, self.weighed, self.options),
                )

    def list_hits(self, document: str) -> list[tuple[int, str]]:
        """(item, from 1; what stands there) of every hit, in the order of their places."""
        hits = [each for each, verdict in self.judge(document) if verdict.kind == judging.HIT]
        return [
            (each.item + 1, document[each.start : each.end])
            for each in sorted(hits, key=lambda hit: hit.start)
        ]


def search(
    folder: Path,
    items: list[dict[str, Any]],
    document: str,
    corpus: list[str] | None = None,
    everywhere: int = 0,
) -> Verdicts:
    """Look for items in a document; the weights come from `corpus`. `everywhere`: documents and groups of all grams.

    Returns the best (verdict, score) by item.
    """
    verdicts: Verdicts = {}
    for each, verdict in Search(folder, items, [*(corpus or []), document], everywhere).judge(document):
        name = str(each.item + 1)
        if name not in verdicts or verdict.score > verdicts[name][1]:
            verdicts[name] = (verdict.kind, verdict.score)
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


def test_every_place_of_every_item_is_found_in_any_script(tmp_path: Path) -> None:
    items = [item for item, _, _ in ITEMS.values()]
    texts = [[write_out(item).strip(), reworded, formed] for item, reworded, formed in ITEMS.values()]
    searched = Search(tmp_path, items, [AROUND])
    between = "\n\nWhat stands here has nothing to do with any of it, and goes on 🦊 until the next one.\n\n"
    for far in (1, 12):  # near one another, and farther than an item reaches
        order = [(number, text) for way in range(3) for number, text in enumerate(of[way] for of in texts)]
        document = (between * far).join(text for _, text in order)
        hits = searched.list_hits(document)
        assert [number for number, _ in hits] == [number + 1 for number, _ in order]
        for (_, hit), (_, text) in zip(hits, order, strict=True):
            assert hit in text and len(hit) > 0.6 * len(text)
        one = (between * far).join([texts[1][0]] * 5)
        assert searched.list_hits(one) == [(2, texts[1][0])] * 5


def test_a_question_and_its_options_are_one_place_and_the_question_again_another(tmp_path: Path) -> None:
    item = ITEMS["Chinese"][0]
    options = " ".join(item["choices"])
    aside = "这一段话说的是另外一些事情，和上面没有关系，只是碰巧写在这里而已。"
    searched = Search(tmp_path, [item], [AROUND])
    place = f"{item['question']}{aside}{options}"
    assert searched.list_hits(f"{place}\n{aside}{aside}\n{place}") == [(1, place), (1, place)]
    phrase = item["question"][:9]
    assert searched.list_hits(f"{phrase}{aside}\n{place}\n{aside}{phrase}") == [(1, place)]


def test_all_items_of_a_set_that_is_one_page_are_found(tmp_path: Path) -> None:
    words = [f"{first}{second}{third}e" for first in "bdfgk" for second in "aiou" for third in "lmnprst"]
    draw = random.Random(25)
    items = [
        {"question": " ".join(draw.choices(words, k=9)), "answer": draw.choice(words)} for _ in range(400)
    ]
    searched = Search(tmp_path, items, [AROUND])
    document = "\n".join(write_out(item) for item in items)
    hits = searched.list_hits(document)
    assert {number for number, _ in hits} == set(range(1, 401))
    assert sum(len(text) for _, text in hits) > 0.85 * len(document)  # all but answers of one word


def test_options_of_one_word_and_items_of_a_few_are_known(tmp_path: Path) -> None:
    tools = {
        "question": "Which of these is used to see a star?",
        "choices": ["microscope", "telescope", "stethoscope"],
    }
    spoon = {"question": "ladle", "choices": ["can serve soup", "can serve planks"]}
    colours = {"question": "彩虹最外层是", "choices": ["红", "紫", "绿", "蓝"]}
    searched = Search(tmp_path, [tools, spoon, colours], [AROUND])
    labelled = ["\n".join([item["question"], *(f"{'ABCD'[at]}. {each}" for at, each in enumerate(item["choices"]))])
                for item in (tools, spoon, colours)]  # fmt: skip
    assert [number for number, _ in searched.list_hits("\n\n".join(map(AROUND.format, labelled)))] == [
        1,
        2,
        3,
    ]
    reworded = "We ask which of these is used to see at night? microscope, telescope, stethoscope"
    assert [number for number, _ in searched.list_hits(AROUND.format(reworded))] == [1]
    for other in (
        "Which of these is older? A sextant is used to see how high a star is, a telescope to look at it.",
        "A ladle can serve soup, and a plank can serve as a bench",
        "The microscope, the telescope and the stethoscope were built by one workshop.",
        "彩虹最外层是什么颜色？",
    ):
        assert searched.list_hits(AROUND.format(other)) == []


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


def test_a_question_is_a_hit_without_its_long_answer(tmp_path: Path) -> None:
    steps = [
        f"Step {at}: carry {number} of them over to the {number}th pier"
        for at, number in enumerate(range(11, 31))
    ]
    item = {
        "question": "Josh buys a boat for eighty coins, puts fifty coins in repairs and sells it again; what is left?",
        "answer": ". ".join(steps),
    }
    chinese = {
        "question": "老王花八十枚铜钱买下一条旧木船又花五十枚修好它然后卖掉请问最后剩下多少铜钱",
        "answer": "。".join(
            f"第{number}步把{number}条缆绳从第{number}个码头搬到下一个码头去" for number in range(11, 31)
        ),
    }
    for at, each in enumerate((item, chinese)):
        folder = tmp_path / str(at)
        folder.mkdir()
        assert kinds(search(folder, [each], AROUND.format(each["question"]))) == {"1": judging.HIT}
        half = each["question"][: len(each["question"]) // 4]
        assert kinds(search(folder, [each], AROUND.format(half))) == {}


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
        (shared,) = scanning.TextScan([text], index).shared
        (candidate,) = comparing.find_candidates(text, shared, index)
        assert text[candidate.start : candidate.end] == write_out(item).strip()
        assert candidate.matched.all()


def test_a_document_of_nothing_but_one_item_over_and_over(tmp_path: Path) -> None:
    item = ITEMS["Russian"][0]
    verdicts = search(tmp_path, [item], (write_out(item) + "\n") * 2_000)
    assert kinds(verdicts) == {"1": "hit"}
