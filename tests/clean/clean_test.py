"""Lines that rules cut: listed boilerplate in fifteen languages, and the line rules of known recipes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from corpus.clean.boilerplate_lists import expand_pattern, fold_line, lists_of, read_files
from corpus.clean.clean_spans import clean_texts
from corpus.clean.options import CLASSES, PRESETS, RULES, CleanOptions, expand_rules
from corpus.edits.regions import Edit, apply_edits
from corpus.text.page import Page

PROSE = {
    "eng_Latn": "He asked her to share the cookies, read more books and log in to the house register.",
    "cmn_Hans": "他在首页上登录以后，把评论分享给了朋友，还订阅了一份报纸。",
    "cmn_Hant": "他在首頁上登入以後，把評論分享給了朋友，還訂閱了一份報紙。",
    "jpn_Jpan": "彼は会社の関連記事を読んで、友達にコメントを送ったそうです。",
    "kor_Hang": "그는 로그인을 한 뒤에 관련 기사를 읽고 댓글을 남겼다고 말했다.",
    "rus_Cyrl": "Он решил поделиться с друзьями тем, что прочитал в комментариях, и войти в дом.",
    "arb_Arab": "قال إنه قرأ التعليقات ثم شارك المقال مع أصدقائه في المدينة.",
    "hin_Deva": "उसने कहा कि वह टिप्पणी पढ़कर अपने दोस्तों से बात करेगा।",
    "tha_Thai": "เขาอ่านความคิดเห็นของเพื่อนแล้วจึงเดินกลับบ้านด้วยความดีใจ",
    "deu_Latn": "Sie wollten den Kuchen teilen und in der Zeitung weiterlesen, bevor sie sich anmelden.",
    "fra_Latn": "Ils voulaient partager le repas et lire la suite du roman avant de s'inscrire au club.",
    "spa_Latn": "Quería compartir la comida y leer más novelas antes de ingresar en la casa.",
    "por_Latn": "Ela queria compartilhar o bolo e ler mais romances antes de entrar na casa.",
    "vie_Latn": "Anh ấy muốn chia sẻ bữa ăn và đọc thêm nhiều sách trước khi về trang trại.",
    "tur_Latn": "Yemeği paylaşmak ve daha fazla kitap okumak istediğini söyledi.",
    "ind_Latn": "Ia ingin membagikan kue itu dan membaca lebih banyak buku di rumah.",
}
LISTED = {
    "eng_Latn": [
        "» Read more...",
        "Share on Facebook",
        "12 comments",
        "Page 3 of 20",
        "© 2021 Some House Ltd.",
    ],
    "cmn_Hans": [
        "京ICP备12345678号-2",
        "责任编辑：王小明",
        "扫一扫",
        "【相关阅读】",
        "共3页 第1页",
        "版权所有 某某公司",
    ],
    "cmn_Hant": ["回首頁", "延伸閱讀：", "版權所有 不得轉載", "共 12 則回應", "加入購物車"][:3],
    "jpn_Jpan": ["続きを読む", "関連記事", "無断転載を禁じます。", "コメント（3）"],
    "kor_Hang": ["관련기사", "댓글쓰기", "무단전재 및 재배포 금지", "조회수: 1,203"],
    "rus_Cyrl": ["Читать далее →", "Поделиться в соцсетях", "15 комментариев", "Все права защищены © 2020"],
    "arb_Arab": ["اقرأ المزيد", "جميع الحقوق محفوظة", "تسجيل الدخول", "التعليقات (٤)"],
    "hin_Deva": ["और पढ़ें", "यह भी पढ़ें: बारिश से राहत", "सर्वाधिकार सुरक्षित"],
    "tha_Thai": ["อ่านต่อ", "ข่าวที่เกี่ยวข้อง", "สงวนลิขสิทธิ์ 2564"],
    "deu_Latn": [
        "Weiterlesen",
        "Das könnte Sie auch interessieren:",
        "3 Kommentare",
        "Alle Rechte vorbehalten",
    ],
    "fra_Latn": ["Lire la suite", "À lire aussi : un hiver à Lyon", "Tous droits réservés."],
    "spa_Latn": ["Seguir leyendo", "Todos los derechos reservados", "Te puede interesar: un viaje al sur"],
    "por_Latn": ["Leia mais", "Compartilhe no Facebook", "Todos os direitos reservados."],
    "vie_Latn": ["Xem thêm", "Tin liên quan", "3 bình luận"],
    "tur_Latn": ["Devamını oku", "Tüm hakları saklıdır.", "En çok okunanlar"],
    "ind_Latn": ["Baca selengkapnya", "Baca juga: musim hujan di kota", "Hak cipta dilindungi"],
}


def clean(text: str, language: str, *names: str, spare: bool = True) -> str:
    rules = [rule for name in names for rule in PRESETS.get(name, (name,))]
    [result] = clean_texts([text], [language], rules, spare)
    assert result is not None
    edited = apply_edits(text, [Edit(*span) for span in result.spans])
    assert result.kept == pytest.approx(1 - _count(result.spans) / len(text))
    return edited


def _count(spans: Any) -> int:
    return len({at for span in spans for at in range(span.start, span.end)})


@pytest.mark.parametrize("language", PROSE)
def test_listed_lines_go_and_sentences_with_their_words_stay(language: str) -> None:
    prose, listed = PROSE[language], LISTED[language]
    text = "\n".join([listed[0], prose, *listed[1:], prose])
    assert clean(text, language, "boilerplate") == f"{prose}\n{prose}"
    for line in listed:
        joined = f"{prose[:-1]} {line} {prose}"
        assert clean(joined, language, "boilerplate") == joined


def test_words_of_menus_go_beside_each_other_alone() -> None:
    assert (
        clean("Home\nAbout us\nContact\nA story begins here.", "eng_Latn", "boilerplate")
        == "A story begins here."
    )
    for text in ("Home\nis where we rest.", "A list:\nnews\nof the day.", "| home | the folder |\n| a | b |"):
        assert clean(text, "eng_Latn", "boilerplate") == text
    assert clean("Home | News | 搜索 | 首页\n正文在这里。", "cmn_Hans", "boilerplate") == "正文在这里。"


@pytest.mark.parametrize(
    ("language", "title", "sentence"),
    [
        ("eng_Latn", "In case you missed it: A winter", "In case you missed it: the winter was long."),
        ("deu_Latn", "Zum Thema: Ein Winter in Lyon", "Zum Thema: Der Winter in Lyon war lang."),
        ("fra_Latn", "À lire aussi » Un hiver à Lyon ?", "À lire aussi : l'hiver à Lyon fut long."),
        ("spa_Latn", "Le puede interesar: Un invierno", "Le puede interesar: el invierno fue largo."),
        ("cmn_Hans", "推荐阅读：里昂的冬天", "推荐阅读：里昂的冬天很长。"),
        ("jpn_Jpan", "関連項目：リヨンの冬の物語", "関連項目：リヨンの冬は長かった。"),
    ],
)
def test_a_heading_of_other_pages_goes_with_the_title_behind_it(
    language: str, title: str, sentence: str
) -> None:
    assert clean(f"{PROSE[language]}\n{title}", language, "boilerplate") == PROSE[language]
    if language not in ("cmn_Hans", "jpn_Jpan", "fra_Latn"):  # their patterns take a sentence behind it, too
        assert clean(sentence, language, "boilerplate") == sentence


def test_letters_that_are_spaced_out_are_words() -> None:
    assert clean("正文在这里。\n版 权 所 有 翻 印 必 究", "cmn_Hans", "boilerplate") == "正文在这里。"


def test_words_are_those_that_are_left() -> None:
    for text in ("A tale of 𝔄 two cities.\nRead more\nThe end.", "𠮷野家に行った。\n続きを読む\n終わり。"):
        language = "eng_Latn" if "tale" in text else "jpn_Jpan"
        [result] = clean_texts([text], [language], CLASSES, count_words=True)
        assert result is not None and len(result.spans) == 1
        first, _, last = text.split("\n")
        assert result.words == len(Page(f"{first}\n{last}", language).words)


def _walk(parsed: Any) -> Iterator[tuple[Any, Any]]:
    for op, value in parsed:
        yield op, value
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            if hasattr(part, "data"):
                yield from _walk(part)
            elif isinstance(part, list):
                for each in part:
                    yield from _walk(each) if hasattr(each, "data") else ()


def test_no_pattern_repeats_without_bound_or_a_repetition_of_repetitions() -> None:
    files = {file.names[0]: file for file in read_files().values()}
    assert set(files) >= {language[:3] for language in LISTED} | {"any"}
    for file in files.values():
        assert {*file.lines, *file.near, *file.patterns} <= set(CLASSES)
        for pattern in (each for listed in file.patterns.values() for each in listed):
            expanded = expand_pattern(pattern)
            for op, value in _walk(re._parser.parse(expanded)):  # type: ignore[attr-defined]
                if str(op) in ("MAX_REPEAT", "MIN_REPEAT"):
                    _, high, inner = value
                    assert high <= 200, pattern
                    nested = [each for each in _walk(inner) if str(each[0]) in ("MAX_REPEAT", "MIN_REPEAT")]
                    assert high == 1 or all(each[1][1] <= 1 for each in nested), pattern
            assert re.compile(expanded).fullmatch("") is None, pattern
            assert pattern == pattern.casefold(), pattern
        for listed in (*file.lines.values(), *file.near.values()):
            assert all(fold_line(line) == line for line in listed)


def test_long_and_odd_lines_cost_little() -> None:
    lines = ["copyright " * 18, "首页>" * 45, "a" * 199, "(" * 199, "read more about " * 12, "0 " * 99]
    read = [lists_of(language) for language in LISTED]
    start = time.process_time()
    for lists in read:
        for line in lines:
            lists.find_class(line[:199])
    assert time.process_time() - start < 1


def test_no_pattern_costs_much_on_a_line_of_its_own_words() -> None:
    files = {file.names[0]: file for file in read_files().values()}
    start = time.process_time()
    for pattern in (each for file in files.values() for listed in file.patterns.values() for each in listed):
        compiled = re.compile(expand_pattern(pattern))
        words = re.sub(r"[^\w ]", "", pattern)[:30]
        for line in (words * 30, f"{words} " * 30, f"{words[:4]} 0 " * 40, "0" * 199, "a " * 99):
            compiled.fullmatch(line[:199])
    assert time.process_time() - start < 2


def test_the_rules_of_c4() -> None:
    text = (
        "The first sentence is whole.\nA heading without a stop\nToo short.\nIt goes on and on...\n"
        "Please enable Javascript in your browser.\nWe changed our privacy policy for all of you.\n"
        "A claim was made here.[3] And [edit] another one.\n"
    )
    kept = "The first sentence is whole.\nA claim was made here. And  another one.\n"
    assert clean(text, "eng_Latn", "c4") == kept
    assert clean("天气很好，我们去了公园。\n一个标题\n他说：“明天再来。”", "cmn_Hans", "c4") == (
        "天气很好，我们去了公园。\n他说：“明天再来。”"
    )
    assert clean("Only four words here.", "eng_Latn", "c4_tfds") == ""


def test_the_rules_of_refinedweb() -> None:
    text = (
        "MOSTLY UPPER case\n2024\n3 likes\nMenu\n"
        "A plain line of text\nSign in to the site\nThe tale goes on. Read more...\n"
    )
    kept = "A plain line of text\n to the site\nThe tale goes on. \n"
    assert clean(text, "eng_Latn", "refinedweb") == kept
    assert clean("١٢٣\n٣ تعليقات\nنص من كلمات قليلة", "arb_Arab", "refinedweb") == "نص من كلمات قليلة"


@pytest.mark.parametrize(
    ("language", "line", "kept"),
    [
        ("eng_Latn", "Sign in to read it", "to read it"),
        ("eng_Latn", "3 items in your cart today", "today"),
        ("cmn_Hans", "请先登录再看这篇文章", "再看这篇文章"),
        ("cmn_Hans", "购物车里有 3 件商品", ""),
        ("cmn_Hant", "冬天的故事 繼續閱讀", "冬天的故事"),
        ("cmn_Hant", "購物車內有 12 件商品", ""),
        ("jpn_Jpan", "冬の物語… 続きを読む", "冬の物語…"),
        ("jpn_Jpan", "カートに 3点", ""),
        ("kor_Hang", "겨울 이야기 더보기", "겨울 이야기"),
        ("rus_Cyrl", "Зимняя сказка. Читать далее…", "Зимняя сказка."),
        ("rus_Cyrl", "В корзине 2 товара", ""),
        ("arb_Arab", "حكاية الشتاء اقرأ المزيد", "حكاية الشتاء"),
        ("hin_Deva", "सर्दी की कहानी और पढ़ें", "सर्दी की कहानी"),
        ("tha_Thai", "เรื่องเล่าฤดูหนาว อ่านต่อ", "เรื่องเล่าฤดูหนาว"),
        ("deu_Latn", "Ein Märchen weiterlesen", "Ein Märchen"),
        ("deu_Latn", "3 Artikel im Warenkorb", ""),
        ("fra_Latn", "Un conte d'hiver Lire la suite", "Un conte d'hiver"),
        ("fra_Latn", "2 articles dans votre panier", ""),
        ("spa_Latn", "Un cuento de invierno Leer más", "Un cuento de invierno"),
        ("spa_Latn", "2 productos en el carrito", ""),
    ],
)
def test_the_phrases_of_refinedweb_in_other_languages(language: str, line: str, kept: str) -> None:
    assert clean(line, language, "refinedweb_phrase").strip() == kept


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("eng_Latn", "Get started with the old mill"),  # other invitations are no phrases
        ("eng_Latn", "Logins were counted"),
        ("eng_Latn", "She had 3 items in the bag of her aunt"),
        ("eng_Latn", "The price: 30 euros"),  # nor are prices, or patterns of shops
        ("cmn_Hans", "价格：30元"),
        ("cmn_Hans", "他说请登录以后再来"),
        ("cmn_Hant", "購物車內有三件商品"),
        ("jpn_Jpan", "在庫：12点"),
        ("kor_Hang", "로그인을 한 뒤에 나갔다"),
        ("rus_Cyrl", "Читать далее он не стал"),
        ("arb_Arab", "السعر: 30 دينارا"),
        ("hin_Deva", "लॉग इन करेंगे"),  # the phrase, and a vowel sign of the same word
        ("tha_Thai", "อ่านต่อไปไม่ได้"),
        ("deu_Latn", "Anmeldung der Gäste"),
        ("fra_Latn", "Prix : 30 €"),
        ("spa_Latn", "Precio: 30 euros"),
    ],
)
def test_what_is_near_to_the_phrases_of_refinedweb_stays(language: str, line: str) -> None:
    assert clean(line, language, "refinedweb_phrase") == line


def test_the_rules_of_madlad400() -> None:
    cased = "One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Words."
    good = "This is a sentence of ordinary length. "
    assert clean(good + cased, "eng_Latn", "madlad400") == good.strip() + " "
    assert (
        clean(f"{good}\nabout {{34}} (56/78) + 90 more > 11", "eng_Latn", "madlad400").strip() == good.strip()
    )
    assert clean("短句。", "cmn_Hans", "madlad400_length") == "短句。"


def test_verse_dialogue_lists_and_code_stay_unless_asked() -> None:
    texts = {
        "eng_Latn": "I walked beside the river,\nthe willows bent and wept,\nand all the birds\nflew over me; I slept",
        "rus_Cyrl": "— Ты придёшь завтра\n— Приду, если не будет дождя\n— Тогда до завтра",
        "cmn_Hans": "山中日暮，\n鸟雀归林，\n我独坐石上，\n听水声",
        "deu_Latn": "- ein Pfund Mehl\n- zwei Eier vom Hof\n- etwas Salz dazu",
    }
    for language, text in texts.items():
        assert clean(text, language, "c4_terminal", "c4_words", "madlad400", "refinedweb_one_word") == text
        assert clean(text, language, "c4_terminal", spare=False) != text


def test_a_text_has_the_same_result_alone_and_beside_others() -> None:
    texts = [
        f"{listed[0]}\n{PROSE[language]} 😀 [1]\n𠮷野家\n{listed[-1]}" for language, listed in LISTED.items()
    ]
    together = clean_texts([*texts, None, "", texts[0]], [*LISTED, None, None, "code_python"], RULES)
    assert together[-3] is None and together[-1] is None
    for text, language, result in zip(texts, LISTED, together, strict=False):
        assert result is not None and result == clean_texts([text], [language], RULES)[0]
        left = apply_edits(text, [Edit(*span) for span in result.spans])
        assert result.spans and left != text


def test_how_rules_are_named() -> None:
    assert set(expand_rules("c4") or ()) == set(PRESETS["c4"])
    assert expand_rules({"boilerplate": "cut", "cookies": "off", "counters": "count"}) == {
        rule: "count" if rule == "counters" else "cut" for rule in CLASSES if rule != "cookies"
    }
    assert expand_rules([]) == {} and expand_rules(False) == {} and expand_rules(None) is None
    assert CleanOptions.model_validate({"lines": True}).lines == dict.fromkeys(CLASSES, "cut")
    for value, message in (
        (["cookie"], "did you mean cookies"),
        ({"cookies": "hide"}, "say count, cut, off"),
        (7, "rules are named"),
    ):
        with pytest.raises(ValueError, match=message):
            expand_rules(value)


STAY = {
    "eng_Latn": [
        "You are here because I called you.",
        "Go back!",
        "More by accident than by design.",
        "More from habit than from hunger.",
        "Copyright in most countries lasts for 70 years after death.",
        "We use cookies to decorate the tree.",
        "/home",
        "- login;",
    ],
    "cmn_Hans": [
        "这本书的版权所有者是他的女儿。",
        "被侵权人有权通知平台采取删除等措施。",
        "未经著作权人许可，任何人不得复制其作品。",
        "扫描仪的分辨率很高",
        "长按电源键三秒",
        "声明：两国将继续合作。",
        "互联网新闻信息服务许可管理办法",
        "打开手机应用以后选择语言",
        "- 登录；",
    ],
    "cmn_Hant": ["這本書的版權所有人是他的女兒。", "掃描器放在桌上"],
    "jpn_Jpan": ["彼は無断での外出を禁じられた。", "無断使用を禁じる法律ができた。"],
    "kor_Hang": ["자바스크립트는 프로그래밍 언어이다", "정부는 무단 배포를 금지하는 법을 만들었다"],
    "rus_Cyrl": [
        "Использование этих материалов в строительстве началось давно.",
        "Вы здесь живёте уже десять лет.",
        "Подробнее о нём я расскажу завтра.",
        "Нашли ошибку в расчётах лишь через год.",
        "Зарегистрировано десять космических тел.",
        "Поделиться с вами хлебом я могу.",
    ],
    "arb_Arab": ["شارك في الحرب العالمية الأولى", "تابع دراسته في باريس", "انضم إلى الحزب في عام 1990"],
    "hin_Deva": ["यह भी देखें कि वह कब आता है", "फेसबुक के शेयर गिरे।"],
    "tha_Thai": ["ต้องลงทะเบียนก่อนเดินทางทุกครั้ง", "กดดูที่แผลเบาๆ"],
    "deu_Latn": ["Sie sind hier, um zu helfen.", "Bereits Mitglied der Partei war sein Vater."],
    "fra_Latn": ["Vous êtes ici chez vous.", "En poursuivant la navigation vers le sud, ils virent la côte."],
    "spa_Latn": ["Debe estar conectado a la red.", "Además: tenía frío.", "Estás aquí por mí."],
    "por_Latn": ["Entre as duas casas há um caminho para o rio.", "Siga na estrada por dois quilômetros."],
    "vie_Latn": ["Chia sẻ với phóng viên", "Theo dõi bệnh nhân tại nhà"],
    "tur_Latn": ["Okul için kayıt oldu.", "Fotoğrafın izinsiz kullanıldığını söyledi."],
    "ind_Latn": ["Berbagi di tengah musim hujan", "Ikuti lomba di sekolah"],
}


@pytest.mark.parametrize("language", STAY)
def test_sentences_that_begin_as_boilerplate_does_stay(language: str) -> None:
    text = "\n".join(STAY[language])
    assert clean(text, language, "boilerplate") == text


def test_words_of_texts_count_beside_two_different_ones_or_a_listed_line() -> None:
    products = "関連商品\n鍋と包丁は、関連商品として棚の下に置かれている。"
    assert clean(products, "jpn_Jpan", "boilerplate") == products
    assert clean("true\ntrue\ntrue", "eng_Latn", "boilerplate") == "true\ntrue\ntrue"
    assert clean("Home\nAbout\nProducts", "eng_Latn", "boilerplate") == ""


@pytest.mark.parametrize(
    ("language", "line", "sentence"),
    [
        (
            "eng_Latn",
            "86% of users recommend it",
            "86% of users in the study recommended another drug, not this one!",
        ),
        ("deu_Latn", "Ähnliche Themen", "Ähnliche Themen hatte er schon als Student behandelt."),
        (
            "fra_Latn",
            "Pour compléter votre achat",
            "Pour compléter votre achat il faudrait de l'argent, dit-il !",
        ),
        ("spa_Latn", "Suscríbete a nuestro boletín", "Suscríbete era la palabra que más odiaba."),
        ("cmn_Hans", "大家都在讨论", "大家都在讨论昨天夜里发生的事情。"),
        ("cmn_Hant", "張貼留言", "他在牆上張貼留言，然後離開了。"),
        ("jpn_Jpan", "この記事を読んだ人におすすめ", "この記事を読んだ人は少ない。"),
    ],
)
def test_more_listed_lines_go_and_sentences_that_begin_alike_stay(
    language: str, line: str, sentence: str
) -> None:
    assert clean(f"{line}\n{sentence}", language, "boilerplate") == sentence
