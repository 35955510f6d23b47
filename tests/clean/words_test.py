"""Lines that are made of the words of interfaces, in sixteen languages, and lines that only have some of them."""

from __future__ import annotations

import re

import pytest

from corpus.clean.boilerplate_lists import _list_first, _read_file, fold_line, lists_of
from corpus.errors import UserError
from tests.clean.clean_test import LISTED, PROSE, clean
from tests.clean.sentences import SENTENCES

MADE_OF_WORDS = {
    "eng_Latn": ["Account Orders Sign Out Sign In", "Enter your email to be the first to know when we open."],
    "cmn_Hans": ["返回首页 相关新闻 返回顶部", "图片如有侵权，请联系删除。"],
    "cmn_Hant": ["回首頁｜關於我們｜隱私權政策", "上一篇文章與下一篇文章"],
    "jpn_Jpan": ["ログインして続きを読む", "アクセスランキングをもっと見る"],
    "kor_Hang": ["이메일로 기사 공유하기", "많이 본 뉴스 더보기"],
    "rus_Cyrl": ["Войти или зарегистрироваться", "На главную < К списку новостей"],
    "arb_Arab": ["من نحن اتصل بنا أعلن معنا", "سياسة الخصوصية الشروط والأحكام"],
    "hin_Deva": ["हमारे न्यूज़लेटर को सब्सक्राइब करें", "गोपनीयता नीति और उपयोग की शर्तें"],
    "tha_Thai": ["ดูข่าวที่เกี่ยวข้องทั้งหมด", "กลับหน้าหลัก ติดต่อเรา"],
    "deu_Latn": [
        "Jetzt anmelden oder ein neues Konto erstellen!",
        "16.05.2024, 11:26 Uhr • Lesezeit: 5 Minuten",
    ],
    "fra_Latn": ["Se connecter/créer un compte", "Voir les contributions"],
    "spa_Latn": ["Inicia sesión Suscríbete", "Suscríbete a nuestros boletines y actualiza tus preferencias"],
    "por_Latn": ["Fazer login ou criar conta", "Página anterior | Próxima página"],
    "vie_Latn": ["Quên mật khẩu? Tạo tài khoản", "Xem tất cả bài viết liên quan"],
    "tur_Latn": ["Sosyal hesap ile üye ol", "Gizlilik ve çerez politikası"],
    "ind_Latn": ["Lupa kata sandi? Buat akun", "Lihat semua berita terkait"],
}
"""Lines of which no list has the wording."""
WITH_OTHER_WORDS = {
    "eng_Latn": [
        "1. Newsletter",
        "2. Terms of Service",
        "Subscribers of the newspaper fell by a third in a year",
    ],
    "cmn_Hans": ["1. 隐私政策", "他写的隐私政策研究在去年获得了三个奖项"],
    "cmn_Hant": ["1. 隱私權政策", "關於我們這一代人的回憶與夢想"],
    "jpn_Jpan": ["1. 利用規約", "新しい利用規約をめぐって議論が国会で続いている"],
    "rus_Cyrl": ["1. Пользовательское соглашение", "Все новости о войне он узнавал из писем брата"],
    "arb_Arab": ["1. سياسة الخصوصية", "جميع الحقوق التي يطالب بها العمال"],
    "hin_Deva": ["1. गोपनीयता नीति", "संबंधित लेख में लेखक ने अपने गाँव का वर्णन किया"],
    "tha_Thai": ["1. นโยบายความเป็นส่วนตัว", "ข่าวล่าสุดจากแม่ทำให้เขาตัดสินใจกลับบ้านทันที"],
    "deu_Latn": ["1. Datenschutzerklärung", "Der Newsletter erscheint seit zwölf Jahren im selben Verlag"],
}


@pytest.mark.parametrize("language", MADE_OF_WORDS)
def test_lines_of_the_words_of_interfaces_go(language: str) -> None:
    prose = PROSE[language]
    for line in MADE_OF_WORDS[language]:
        assert clean(f"{prose}\n{line}\n{prose}", language, "boilerplate") == f"{prose}\n{prose}", line


@pytest.mark.parametrize("language", WITH_OTHER_WORDS)
def test_items_of_lists_and_sentences_with_such_words_stay(language: str) -> None:
    text = "\n".join(WITH_OTHER_WORDS[language])
    assert clean(text, language, "boilerplate") == text


def test_short_sentences_with_such_words_stay() -> None:
    cut = [
        sentence
        for language, sentences in SENTENCES.items()
        for sentence in sentences
        if clean(f"{PROSE[language]}\n{sentence}\n{PROSE[language]}", language, "boilerplate").count("\n") < 2
    ]
    assert len(cut) <= 0.03 * sum(map(len, SENTENCES.values())), cut


@pytest.mark.parametrize(
    ("language", "label", "sentence"),
    [
        ("eng_Latn", "Free newsletter", "his newsletter"),
        ("deu_Latn", "Mehr erfahren hier", "er wollte mehr erfahren"),
        ("fra_Latn", "En savoir plus ici", "elle voulait en savoir plus"),
        ("spa_Latn", "Leer más aquí", "quiero leer más"),
        ("por_Latn", "Ler mais aqui", "ela quer ler mais"),
        ("rus_Cyrl", "Узнать больше здесь", "она хотела узнать больше"),
        ("arb_Arab", "تسجيل الدخول الآن", "كان تسجيل الدخول"),
        ("hin_Deva", "यहाँ लॉग इन", "मैं लॉग इन"),
        ("cmn_Hans", "了解更多新闻", "他想了解更多"),
        ("cmn_Hant", "瞭解更多新聞", "她想瞭解更多"),
        ("jpn_Jpan", "無料会員登録はこちら", "彼は会員登録"),
        ("kor_Hang", "회원가입하기", "그녀는 회원가입"),
        ("tha_Thai", "สมัครสมาชิกฟรี", "เขาสมัครสมาชิก"),
        ("vie_Latn", "Xem thêm tại đây", "em xem thêm"),
        ("tur_Latn", "Ücretsiz abone ol", "annem abone ol"),
        ("ind_Latn", "Baca selengkapnya di sini", "dia baca selengkapnya"),
    ],
)
def test_one_word_is_too_few_beside_persons_and_tenses(language: str, label: str, sentence: str) -> None:
    words = lists_of(language).words
    assert words.find_class(fold_line(label), label) is not None
    assert words.find_class(fold_line(sentence), sentence) is None


def test_vowels_of_hindi_and_arabic_are_of_their_words() -> None:
    words = lists_of("hin_Deva").words
    assert not words._has_no_more("पाएँगे") and words._has_no_more("पढ़ें और देखें")
    assert words.find_class("उत्तर देंगे") is None and words.find_class("उत्तर दें") == "comments"
    assert not lists_of("arb_Arab").words._has_no_more("كَتَبَ")


def test_a_word_is_none_within_another() -> None:
    words = lists_of("eng_Latn").words
    assert words.find_class("subscribe to our newsletter") == "newsletter"
    assert words.find_class("newsletters") == "newsletter"
    assert words.find_class("oursubscribe tomorrow") is None
    assert lists_of("jpn_Jpan").words.find_class("記事を読むにはログインして続きを読む") is not None


def test_no_word_has_a_repetition() -> None:
    for language in LISTED:
        words = lists_of(language).words
        for pattern in (words.spaced, words.unspaced, words.unspaced_others, words.prose):
            assert not re.search(r"[^\\][*+{]", pattern.pattern)


def test_the_patterns_by_first_letter_are_all_that_can_match() -> None:
    assert _list_first("(?:read |see )?more(?: on)? .{1,9}") == {"r", "s", "m"}
    assert _list_first("a?b|(?:c|(?:d|e)x)f") == {"a", "b", "c", "d", "e"}
    for other in ("[ab]c", "(?:a|.)b", "a*b", "(?:a)?.b", "a{0,3}b", "(?:a|)b", r"\(a"):
        assert _list_first(other) == set()
    for language, lines in LISTED.items():
        lists = lists_of(language)
        for line in map(fold_line, (*lines, *MADE_OF_WORDS[language], PROSE[language])):
            by_first = lists.by_first.get(line[:1], lists.by_rest).fullmatch(line)
            by_class = any(pattern.fullmatch(line) for pattern in lists.by_class.values())
            assert (by_first is not None) == by_class, line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"entries": [{"class": "login", "why": "x", "words": "登录"}]}, "words is a list of texts"),
        ({"entries": [{"class": "login", "why": "x", "words": ["ログイン", 1]}]}, "words is a list of texts"),
        ({"entries": [], "others": "и"}, "others: a list of texts is expected"),
        ({"entries": [], "others": [True]}, "others: a list of texts is expected"),
        ({"entries": [], "prose": "вчера"}, "prose: a list of texts is expected"),
        ({"entries": [{"class": "login", "why": "x", "word": ["दर्ज"]}]}, "lines, near, patterns or words"),
    ],
)
def test_words_that_are_no_lists_of_texts_are_one_line(content: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        _read_file("tha", content, "tha.yaml")
    assert str(error.value).startswith("tha.yaml: ") and "\n" not in str(error.value)
