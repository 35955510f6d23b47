"""Labels of pages in ten languages beside text that could be taken for them."""

from __future__ import annotations

import pytest

from tests.clean.clean_test import PROSE, clean

NARROWED = {
    "eng_Latn": (
        [
            "View all our latest articles",
            "4.6 out of 5 stars 89,620",
            "12 people found this helpful",
            "Save 20% on your first order",
        ],
        [
            "Step 2",
            "Copyright (C) year name of author",
            "45% of respondents say they would buy it",
            "10 people found dead after the flood",
            "We met the commission in Brussels",
            "The question is not whether he knew",
            "10 products for dry skin",
            "Over 20,000 people applied",
            "Check out her videos on YouTube. They are good.",
            "Find most sizes in XS-XL, and more at home",
            "Report problems to the vendor",
        ],
    ),
    "cmn_Hans": (
        [
            "查看全部精彩评论",
            "热门新闻排行榜",
            "请使用最新版本的浏览器浏览",
            "57人参与11评论",
            "未成年人专项举报",
        ],
        [
            "浏览器是一种软件",
            "图书馆里浏览书籍的人",
            "未成年人保护法",
            "评论称，双方仍需努力",
            "你可以查看每个设备的编号",
            "继续看他写信",
            "发表于2019年",
            "价格：30元",
            "共3个地区参加",
            "09/07",
            "30人参加",
            "，你需要查看的是下面的回复",
        ],
    ),
    "cmn_Hant": (
        ["看更多相關新聞", "更多精彩影片", "分享到Facebook、Line"],
        ["看更多的書，走更遠的路。", "瀏覽器是一種軟體", "廣告（advertising）的歷史", "未經任何人複製的手稿"],
    ),
    "jpn_Jpan": (
        [
            "この記事をシェアする",
            "関連記事をもっと見る",
            "今週の人気記事ランキング",
            "12件のレビュー",
            "前のページへ戻る",
        ],
        [
            "デザイン思考とは",
            "所要時間は約30分",
            "合計：5000",
            "テーマ：戦争と平和",
            "提供：国立天文台",
            "翻訳：山田太郎",
            "登録すると便利になる",
            "応援に参加した人々",
            "動画をブラウザで再生する方法",
            "投稿者 山田：2005",
            "商品説明",
        ],
    ),
    "kor_Hang": (
        ["인기 뉴스 더보기", "기사 공유", "추천 동영상"],
        ["최근 기사에서 그는 말했다", "다른 글씨", "내용을 자세히 보기로 했다"],
    ),
    "rus_Cyrl": (
        ["Читать все новости по теме", "Поделиться ссылкой в соцсетях", "Самые читаемые материалы"],
        ["Читать книги вслух", "Новые дома на окраине", "Поделиться хлебом с соседом"],
    ),
    "arb_Arab": (
        ["أحدث المقالات", "أخبار أخرى", "الأكثر قراءة"],
        ["أحدث الهواتف في السوق", "أخبار الحرب", "كل المدينة تعرفه"],
    ),
    "hin_Deva": (
        ["संबंधित समाचार", "सभी खबरें देखें", "इस खबर को दोस्तों के साथ शेयर करें"],
        ["सभी लोग आए", "अन्य देश"],
    ),
    "tha_Thai": (
        ["ดูข่าวทั้งหมด", "บทความที่เกี่ยวข้อง", "ข่าวล่าสุดวันนี้"],
        ["ข่าวดีของชาวนา", "ดูดาวบนฟ้า", "เรื่องเล่าของแม่"],
    ),
    "deu_Latn": (
        [
            "Alle Artikel anzeigen",
            "Diesen Beitrag per E-Mail versenden",
            "Zum Vergrößern",
            "Weitere Meldungen aus dem Ressort",
        ],
        [
            "Um das Gerät zu starten, müssen Sie den Knopf drücken.",
            "Viele Menschen lesen gern Bücher.",
            "Sie haben das Recht auf Auskunft, und weitere Rechte.",
            "Zum Vergleich die Zahlen von 2019",
            "Die Verbreitung von Gerüchten ist verboten.",
            "Sie können die Beiträge der Gäste verfolgen.",
            "Bleiben Sie in Kontakt mit der Schule.",
        ],
    ),
    "fra_Latn": (
        [
            "Voir toutes nos actualités",
            "Partager cet article sur Facebook",
            "Articles les plus lus",
            "Cliquez sur l'image",
        ],
        [
            "Cliquez sur Démarrer pour lancer le programme.",
            "10 personnes dans un appartement",
            "Pas de réponse du gouvernement",
            "Lire sur une tablette",
            "Aimer à perdre la raison",
            "Pour poursuivre ses études à Paris",
            "Publié le 3 mai 2020",
            "Déjà membre du club de la ville",
        ],
    ),
    "spa_Latn": (
        [
            "Ver todas las noticias",
            "Compartir esta nota por WhatsApp",
            "Lo más leído hoy",
            "Haz clic aquí para verlo",
        ],
        [
            "Conoce los mejores destinos del año",
            "De aquí a diez años",
            "Ser el primero de la clase",
            "10 personas en el barco",
            "Para ver la cuenta de gastos",
            "Publicado en 2010 por la editorial",
            "Recibe el premio en el canal",
            "Se prohíbe la venta sin permiso",
            "Redacción: Ana Ruiz",
        ],
    ),
}


@pytest.mark.parametrize("language", NARROWED)
def test_labels_go_and_what_could_be_text_stays(language: str) -> None:
    labels, texts = NARROWED[language]
    for label in labels:
        assert clean(f"{PROSE[language]}\n{label}", language, "boilerplate") == PROSE[language], label
    for text in texts:
        assert clean(text, language, "boilerplate") == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("```\nsort by priority\nRead more\n```\nRead more", "```\nsort by priority\nRead more\n```"),
        ("– „Ok.“\nRead more", "– „Ok.“"),
        ("Learn more\nIntegrations\nConnects with many apps so that teams stay aligned.", None),
        (
            "He wanted to know\nmore about this.\nThe end was near.",
            "He wanted to know\nmore about this.\nThe end was near.",
        ),
        ("News,\nHome\nis where we rest.", "News,\nHome\nis where we rest."),
        ("# Read more\n/share\n>>> login", "# Read more\n/share\n>>> login"),
    ],
)
def test_code_speech_and_headings_of_text_stay(text: str, kept: str | None) -> None:
    expected = text.partition("\n")[2] if kept is None else kept
    assert clean(text, "eng_Latn", "boilerplate") == expected


@pytest.mark.parametrize(
    "text",
    [
        "« Je ne sais pas encore,\nmais je reviendrai demain »",
        "«Я не знаю,\nно вернусь завтра »",
        "»Jag kommer strax »",
        "2 H2 + O2 →\n2 H2O",
        "Step one →\nStep two",
        "cin >>\ncout <<",
        "git clone foo >>\nlog",
    ],
)
def test_quotations_over_lines_equations_and_commands_are_no_links(text: str) -> None:
    long = "He asked her to share the cookies, read more books and log in to the house register."
    whole = f"{long}\n{text}\n{long}"
    assert clean(whole, "eng_Latn", "boilerplate") == whole


def test_a_heading_stays_with_its_sentence_and_code_without_the_end_of_its_fence() -> None:
    long = "He asked her to share the cookies, read more books and log in to the house register."
    text = f"{long}\nContact\nCall us at the office on Monday mornings, okay now.\nShare on Facebook"
    assert clean(text, "eng_Latn", "boilerplate") == text.removesuffix("\nShare on Facebook")
    code = f"{long}\n```\nhome\nprivacy policy\ncontact us\nsign in"
    assert clean(code, "eng_Latn", "boilerplate") == code


def test_links_end_with_an_arrow_and_headings_of_nothing_with_the_text() -> None:
    long = PROSE["eng_Latn"]
    for line in (
        "Read previous issues →",
        "Search now »",
        "點擊進入>>",
        "Más en Opinión ›",
        "Подробнее о книге ❯",
    ):
        assert clean(f"{long}\n{line}\n{long}", "eng_Latn", "boilerplate") == f"{long}\n{long}"
    for line in (
        "He said « go home »",
        "find the posts →\nsum them up →\nsend them",
        "std::cin >> number >>",
        "- 12/01 A mouse that stowed away flies to Oslo alone »",
        "6.3 Articles",
        "\x1c",
    ):
        assert clean(f"{long}\n{line}\n{long}", "eng_Latn", "boilerplate") == f"{long}\n{line}\n{long}"
    assert clean(f"{long}\nTags", "eng_Latn", "boilerplate") == long
    for text in (f"Tags\n{long}", "we went on and on,\nuntil we came\nhome", f"{long}\napples\nTags"):
        assert clean(text, "eng_Latn", "boilerplate") == text


@pytest.mark.parametrize(
    "language", ["eng_Latn", "cmn_Hans", "cmn_Hant", "jpn_Jpan", "rus_Cyrl", "hin_Deva", "deu_Latn"]
)
def test_a_label_goes_at_the_edges_of_a_longer_text_alone(language: str) -> None:
    label = {"cmn_Hans": "新闻", "cmn_Hant": "新聞", "jpn_Jpan": "ニュース", "rus_Cyrl": "темы"}.get(
        language, "News"
    )
    prose = PROSE[language]
    short = prose[:30]
    page = "\n".join([short, *(f"{prose} {number}" for number in range(10)), short])
    assert clean(f"{label}\n{page}\n{short}", language, "boilerplate") == f"{page}\n{short}"
    assert clean(f"{page}\n{label}\n{short}", language, "boilerplate") == f"{page}\n{short}"
    lines = page.split("\n")
    for kept in (
        f"{label}\n{prose * 2}\n{page}",
        "\n".join([*lines[:6], label, *lines[6:]]),
        f"{label}\n{short}",
    ):
        assert clean(kept, language, "boilerplate") == kept


NOTICES = [
    "© 2024 Winter & Co.",
    "© 2024 Bildungswerk Winter",
    "© 2024 国家图书馆",
    "© 2019 Fotohaus Winter GmbH",
    "© Winter Verlag, alle Rechte vorbehalten",
    "© Зимний дом. Все права защищены",
]
CREDITS = [
    "© Anna Winter / dpa",
    "© Getty Images",
    "© 2024 Reuters / Li Wei",
    "© Foto: Zentralarchiv",
    "© 新华社",
    "© ТАСС / Анна Зимина",
    "© ภาพ: สมชาย",
    "© تصوير: صورة خاصة",
    "© फोटो: आशा",
    "© Anna Winter",
]


def test_credits_of_pictures_stay_and_notices_of_rights_go() -> None:
    prose = PROSE["eng_Latn"]
    for line in NOTICES:
        assert clean(f"{prose}\n{line}\n{prose}", "eng_Latn", "boilerplate") == f"{prose}\n{prose}", line
    for line in CREDITS:
        text = f"{prose}\n{line}\n{prose}"
        assert clean(text, "eng_Latn", "boilerplate") == text, line
    assert clean(f"{prose}\nContact us\n© Winter Verlag", "eng_Latn", "boilerplate") == prose


@pytest.mark.parametrize(
    "terms",
    [
        "Permission is granted to copy and change this book as long as this notice stands in it.",
        "Dieses Handbuch ist freie Software; Sie dürfen es weitergeben und ändern.",
        "Este manual es software libre; puede redistribuirlo y modificarlo.",
        "Это руководство — часть свободной программы, его можно менять.",
        "本手册是自由软件，您可以修改并重新分发。",
        "このマニュアルはフリーソフトウェアであり、変更して配ることができます。",
        "Sổ tay này là phần mềm tự do; bạn có thể sửa đổi và phân phối lại.",
    ],
)
def test_a_notice_of_rights_stays_in_the_terms_of_a_licence(terms: str) -> None:
    text = f"Copyright © 2004 Anna Winter\n\n{terms}"
    assert clean(text, "eng_Latn", "boilerplate") == text
    prose = PROSE["eng_Latn"]
    assert clean(f"Copyright © 2004 Anna Winter\n{prose}", "eng_Latn", "boilerplate") == prose
