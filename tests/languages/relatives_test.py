"""Languages told by their own words: sentences of ours, of which the other languages have other words for much."""

from __future__ import annotations

import pytest

from corpus.languages.identify import Identifier
from corpus.languages.relatives import relatives_of, weigh_words

SENTENCES = {
    "hrv_Latn": (
        "Tijekom prošlog tjedna tvrtka je izvijestila da će tisuću zaposlenih otići u mirovinu, a "
        "sveučilište traži nove sudionike u znanosti."
    ),
    "srp_Latn": (
        "Prošle nedelje je fabrika saopštila da će hiljadu radnika otići u penziju, a univerzitet "
        "uvek traži nove učesnike u nauci gde god može."
    ),
    "bos_Latn": (
        "Prošle sedmice je fabrika saopćila da će hiljadu uposlenika otići u penziju, a univerzitet "
        "uvijek traži nove učesnike u nauci gdje god može."
    ),
    "ind_Latn": (
        "Kantor polisi itu buka setiap hari Senin karena kebutuhan warga berbeda, dan biaya layanan "
        "kesehatan gratis."
    ),
    "zsm_Latn": (
        "Pejabat polis itu dibuka setiap hari Isnin kerana maklumat penduduk berbeza, dan kos "
        "perkhidmatan kesihatan percuma."
    ),
    "sco_Latn": (
        "Ilka bairn in oor toun kens that the auld kirk wis biggit afore the war, an naebody haes "
        "telt thaim whaur the stanes cam frae."
    ),
    "eng_Latn": (
        "Every child in our town knows that the old church was built before the war, and nobody has "
        "told them where the stones came from."
    ),
    "tpi_Latn": (
        "Olgeta manmeri bilong dispela ples i gat wok bilong ol, na wanpela lo tasol i stap bilong mipela."
    ),
    "bis_Latn": (
        "Evri man blong ples ia oli gat wok blong olgeta, mo wan loa nomo i stap blong yumi wetem "
        "olgeta raet blong hem."
    ),
    "crh_Latn": (
        "Er kes öz ana tilinde oquv ve bilgi almaq aqqına saiptir, qanun olarnıñ menfaatlarını qorçalay."
    ),
    "tur_Latn": (
        "Herkes kendi ana dilinde okuma ve bilgi alma hakkına sahiptir, kanun onların çıkarlarını korur."
    ),
    "por_Latn": (
        "Todas as pessoas têm direito à escola na sua língua, com as leis que ajudam os cidadãos deste país."
    ),
    "ast_Latn": (
        "El conceyu aprobó un plan d'estudios nel que los neños del norte lleen na so llingua, anque muncha "
        "xente diz que ye mui poco."
    ),
    "spa_Latn": (
        "El concejo aprobó un plan de estudios en el que los niños del norte leen en su lengua, aunque mucha "
        "gente dice que es muy poco."
    ),
    "fur_Latn": (
        "Ducj i fruts a àn dirit di lei te lôr lenghe, cence che nissun ur disi ce che a àn di fâ, "
        "e des voltis ancje plui."
    ),
    "hin_Deva": "हर बच्चे को अपनी भाषा में पढ़ने का अधिकार है और किसी को भी उसे रोकने का हक नहीं होगा।",
    "bho_Deva": ("हर लइका के आपन भाषा में पढ़े के हक बा आउर केहू ओकरा के रोक ना सके, सभे खातिर नियम एके होखे।"),
}


@pytest.mark.parametrize("label", SENTENCES)
def test_words_tell_relatives(label: str) -> None:
    assert Identifier().identify(SENTENCES[label])[0] == label


def test_kabuverdianu_is_no_portuguese() -> None:
    line = "tudu algen ten direitu di skola na se lingua, ku kes lei ki ta djuda pesoa di es mundu"
    assert weigh_words("por", {"por": 0.9}, line, ["Latn"])[0] == "kea"


def test_a_language_that_no_model_knows_is_named_by_its_words_with_the_score_of_its_relative() -> None:
    code, scores = weigh_words("bis", {"bis": 0.9, "fra": 0.1}, SENTENCES["tpi_Latn"].lower(), ["Latn"])
    assert code == "tpi"
    assert 0.8 < scores["tpi"] <= 0.9
    assert sum(scores.values()) == pytest.approx(1.0)


def test_one_word_is_not_enough_against_a_sure_model() -> None:
    assert weigh_words("eng", {"eng": 1.0}, "He sang a lang tune", ["Latn"])[0] == "eng"
    assert weigh_words("eng", {"eng": 1.0}, "He sang a lang tune, gang hame", ["Latn"])[0] == "sco"


def test_a_hinted_language_that_words_alone_tell_has_a_score_where_its_relatives_were_weighed() -> None:
    label, score = Identifier().identify(SENTENCES["bis_Latn"], "tpi_Latn")
    assert label == "tpi_Latn"
    assert 0 <= score < 0.1
    assert Identifier().identify(SENTENCES["tpi_Latn"], "tpi_Latn") == Identifier().identify(
        SENTENCES["tpi_Latn"]
    )


def test_nothing_is_weighed_in_other_languages_and_scripts() -> None:
    scores = {"cmn": 1.0}
    assert weigh_words("cmn", scores, "这是一个句子", ["Hani"]) == ("cmn", scores)
    assert weigh_words("srp", {"srp": 1.0}, "где је књига", ["Cyrl"]) == ("srp", {"srp": 1.0})
    assert relatives_of("tha", ["Thai"]) == ()
    assert relatives_of("hrv", ["Latn"]) == ("bos", "hrv", "srp")


def test_what_lacks_all_words_of_a_doubted_language_has_a_low_score() -> None:
    line = "sigi kelen dɔ kɔnɔ mɔgɔ bɛɛ kakan danbe josira fɛ hakili taasi bangera"
    code, scores = weigh_words("cor", {"cor": 0.9}, line, ["Latn"])
    assert code == "cor"
    assert scores["cor"] < 0.5
    kernewek = "yma gwir dhe bub den oll a vywnans ha frankedh hag a dhiogeledh personel yn y vro y honan gans y deylu"
    assert weigh_words("cor", {"cor": 0.9}, kernewek, ["Latn"])[1]["cor"] == 0.9
