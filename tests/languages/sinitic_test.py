"""Standard, classical, Cantonese and Wu Chinese apart: by the characters of grammar, and by verse."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from corpus.languages.identify import Identifier
from corpus.languages.sinitic import tell_sinitic
from corpus.text.conventions import conventions, language_layers
from tests.filters.prose import PROSE

TEXTS = {
    "cmn": [
        "这家店的老板说，他已经在这里做了三十年的面条，从来没有换过地方。",
        "這家店的老闆說，他已經在這裡做了三十年的麵條，從來沒有換過地方。",
        "据统计，全市粮食产量较上年增长3.2%，其中稻谷增产明显。",
        "东汉以来，诸侯之国渐少，而郡县之制大行，这就是史家所说的变化。",
        "明天晚上七点在学校礼堂开会，请大家准时参加。",
    ],
    "lzh": [
        "王问于臣曰：“国何以治？”对曰：“民足食则治，民无食则乱。君子务农，不务战也。”",
        "昔者有渔人，居于江上，不知岁月之更，见客至，甚喜，乃烹鱼而食之。",
        "夫水之性，柔而能胜刚；人之心，静而能知远。是以圣人不争。",
        "山高月小夜沉沉，\n水远舟轻何处寻。\n一曲清歌人不见，\n满江烟雨到如今。",
        "春風入舊園，花落鳥無言。\n獨坐東窗下，孤燈照酒痕。",
        "秋去也。\n雁过西楼，叶落谁家院。\n灯火阑珊人不寐，一夜霜如霰。\n旧事休提。\n酒冷香残，帘外潇潇雨。",
    ],
    "yue": [
        "我哋琴日去咗嗰間新開嘅茶餐廳，啲嘢食都幾好味，不過等咗好耐。",
        "佢话听日唔得闲，叫我哋唔使等佢，自己食饭先啦。",
        "你係咪想搵嗰本書呀？我擺咗喺枱上面喇。",
    ],
    "wuu": [
        "阿拉今朝到城隍庙去白相，侬阿要一道去？搿搭个小笼馒头蛮好吃。",
        "伊拉屋里向侪是书，侬覅客气，随便看好了，弗要紧个。",
    ],
}


@pytest.mark.parametrize("code", TEXTS)
def test_a_text_is_in_the_language_of_its_particles(code: str) -> None:
    for text in TEXTS[code]:
        spoken = tell_sinitic(text)
        assert spoken is not None and spoken[0] == code, text
        assert 0.5 <= spoken[1] <= 1
        label, score = Identifier().identify(text)
        assert label.startswith(code) and score > 0.3, (text, label, score)


@pytest.mark.parametrize(
    "text",
    [
        "伊拉克和阿拉伯国家的代表在阿拉斯加举行了会谈，双方都没有让步。",  # 伊拉, 阿拉
        "仰韶、龙山、良渚、河姆渡、大汶口、红山、马家窑、齐家、三星堆、二里头",  # clauses of a length
        "全场五折，买三送一，免费包邮，七天退货，正品保证，假一罚十，扫码下单，微信客服123456",
        "他们说这是一首诗。\n我的心里有你。\n你的眼睛里有海。\n我们的夜晚很长。",  # verse of today
    ],
)
def test_what_looks_like_another_is_standard(text: str) -> None:
    spoken = tell_sinitic(text)
    assert spoken is not None and spoken[0] == "cmn", spoken


def test_other_texts_say_nothing() -> None:
    assert tell_sinitic("") is tell_sinitic("你好") is tell_sinitic("English") is None
    for label in ("jpn_Jpan", "tha_Thai", "eng_Latn"):
        assert Identifier().identify(PROSE[label])[0] == label
    assert Identifier().identify(TEXTS["yue"][0], "zh")[0] == "cmn_Hant"  # what a source states decides


def test_a_long_text_takes_few_bytes_a_character() -> None:
    text = "".join(TEXTS["lzh"] + TEXTS["cmn"]) * 1000
    tell_sinitic(text)
    tracemalloc.start()
    tell_sinitic(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(text)


def test_each_has_values_of_its_own() -> None:
    for code in TEXTS:
        assert language_layers(f"{code}_Hani")[-1].name == code
        assert len(conventions(f"{code}_Hani").stop_words) >= 20
        assert conventions(f"{code}_Hani").terminal_punctuation[ord("。")]


def test_poems_and_classics_and_the_encyclopedia(data: Path) -> None:
    poems = [
        "\n".join(poem["paragraphs"])
        for name in ("全唐诗__poet.tang.0", "宋词__ci.song.0")
        for poem in json.loads(gzip.decompress((data / f"zh/chinese-poetry/{name}.json.gz").read_bytes()))[
            ::4
        ]
    ]
    chapters = json.loads((data / "zh/chinese-poetry/论语__lunyu.json").read_text(encoding="utf-8"))
    classics = ["\n".join(chapter["paragraphs"]) for chapter in chapters]
    for texts, least in ((poems, 0.96), (classics, 1.0)):
        named = [Identifier().identify(text)[0] for text in texts]
        assert sum(label == "lzh_Hani" for label in named) >= least * len(named)
