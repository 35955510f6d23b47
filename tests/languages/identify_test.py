"""Language identification: labels of short real texts, what a hint does, and accuracy on real collections."""

from __future__ import annotations

import html
import io
import json
import math
import re
import tarfile
from collections import defaultdict
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import UserError
from corpus.languages import fasttext_models, models
from corpus.languages.identify import Identifier
from corpus.languages.labels import is_label, labels
from corpus.languages.relatives import list_doubted

TEXTS = {
    "eng_Latn": "The bridge was repaired before the winter, and the ferry stopped running in November.",
    "deu_Latn": "Die Brücke wurde vor dem Winter repariert, und die Fähre fuhr ab November nicht mehr.",
    "fra_Latn": "Le pont a été réparé avant l'hiver, et le bac a cessé de circuler en novembre dernier.",
    "nno_Latn": "Brua vart reparert før vinteren, og ferja slutta å gå i november. Eg veit ikkje kvifor.",
    "vie_Latn": "Cây cầu đã được sửa chữa trước mùa đông và phà ngừng chạy vào tháng mười một.",
    "tur_Latn": "Köprü kıştan önce onarıldı ve feribot kasım ayında seferlerini durdurdu, dediler.",
    "swh_Latn": "Daraja lilitengenezwa kabla ya majira ya baridi, na kivuko kiliacha kufanya kazi.",
    "hau_Latn": "An gyara gadar kafin lokacin sanyi, kuma jirgin ruwa ya daina aiki a watan Nuwamba.",
    "zul_Latn": "Ibhuloho lalungiswa ngaphambi kobusika, futhi isikebhe sama ukusebenza ngoNovemba.",
    "kin_Latn": "Ikiraro cyasanwe mbere y'itumba, kandi ubwato bwahagaritse gukora mu Gushyingo.",
    "rus_Cyrl": "Мост отремонтировали до наступления зимы, и паром перестал ходить в ноябре.",
    "ukr_Cyrl": "Міст відремонтували до настання зими, і пором перестав ходити в листопаді.",
    "bel_Cyrl": "Мост адрамантавалі да надыходу зімы, і паром перастаў хадзіць у лістападзе.",
    "bul_Cyrl": "Мостът беше ремонтиран преди зимата, а фериботът спря да се движи през ноември.",
    "sah_Cyrl": "Саха сирэ — Арассыыйа Федерациятын састаабыгар киирэр өрөспүүбүлүкэ, киинэ — Дьокуускай.",
    "ell_Grek": "Η γέφυρα επισκευάστηκε πριν από τον χειμώνα και το πλοίο σταμάτησε τον Νοέμβριο.",
    "heb_Hebr": "הגשר תוקן לפני החורף, והמעבורת הפסיקה לפעול בחודש נובמבר, כך אמרו בעירייה.",
    "ydd_Hebr": "די בריק איז געוואָרן פאַרריכט פאַרן ווינטער, און דער פּאַראָם האָט אויפֿגעהערט צו גיין.",
    "arb_Arab": "تم إصلاح الجسر قبل حلول الشتاء، وتوقفت العبارة عن العمل في شهر نوفمبر الماضي.",
    "fas_Arab": "این پل پیش از زمستان تعمیر شد و قایق در ماه نوامبر از کار باز ایستاد، می\u200cگویند.",
    "urd_Arab": "پل کی مرمت سردیوں سے پہلے کر دی گئی تھی اور کشتی نے نومبر میں چلنا بند کر دیا۔",
    "hin_Deva": "पुल की मरम्मत सर्दियों से पहले कर दी गई और नौका ने नवंबर में चलना बंद कर दिया।",
    "mar_Deva": "हिवाळ्यापूर्वी पुलाची दुरुस्ती करण्यात आली आणि नोव्हेंबरमध्ये होडी बंद झाली.",
    "ben_Beng": "শীতের আগেই সেতুটি মেরামত করা হয়েছিল এবং নভেম্বরে ফেরি চলাচল বন্ধ হয়ে যায়।",
    "tha_Thai": "สะพานได้รับการซ่อมแซมก่อนฤดูหนาว และเรือข้ามฟากหยุดให้บริการในเดือนพฤศจิกายน",
    "khm_Khmr": "ស្ពានត្រូវបានជួសជុលមុនរដូវរងា ហើយសាឡាងបានឈប់ដំណើរការនៅខែវិច្ឆិកា។",
    "mya_Mymr": "တံတားကို ဆောင်းရာသီမတိုင်မီ ပြုပြင်ခဲ့ပြီး ကူးတို့သည် နိုဝင်ဘာလတွင် ရပ်နားခဲ့သည်။",
    "amh_Ethi": "ድልድዩ ከክረምቱ በፊት ተጠግኗል፣ ጀልባውም በኅዳር ወር መሥራት አቆመ ብለዋል።",
    "tir_Ethi": "እቲ ድልድል ቅድሚ ክረምቲ ተጸጊኑ፣ እታ ጃልባ ድማ ኣብ ሕዳር ስራሕ ኣቋሪጻ።",
    "kat_Geor": "ხიდი ზამთრამდე შეკეთდა და ბორანმა ნოემბერში მუშაობა შეწყვიტა, ამბობენ ქალაქში.",
    "kor_Hang": "다리는 겨울이 오기 전에 수리되었고, 나룻배는 십일월에 운항을 멈추었다.",
    "jpn_Jpan": "橋は冬が来る前に修理され、渡し船は十一月に運航をやめた。",
    "cmn_Hans": "大桥在冬天到来之前修好了，渡船十一月就停开了，居民们都很高兴。",
    "cmn_Hant": "大橋在冬天到來之前修好了，渡船十一月就停開了，居民們都很高興。",
    "sat_Olck": "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ ᱫᱚ ᱥᱟᱱᱛᱟᱲ ᱠᱚᱣᱟᱜ ᱯᱟᱹᱨᱥᱤ ᱠᱟᱱᱟ",
    "iii_Yiii": "ꊿꂷꃅꄿꐨꐥ，ꌅꅍꂾꀕꅉꀋꐚ。",
}
IDENTIFIER = Identifier()


@pytest.mark.parametrize("label", TEXTS)
def test_short_texts(label: str) -> None:
    found, score = IDENTIFIER.identify(TEXTS[label])
    assert found == label
    assert 0.3 < score <= 1.0


@pytest.mark.parametrize("text", ["", " \n", "123 456", "!!! ??? ...", "\x00\ufffe", "👍🏽🎉"])
def test_without_letters(text: str) -> None:
    assert IDENTIFIER.identify(text) == ("und_Zyyy", 0.0)


@pytest.mark.parametrize(
    "label", ["jpn_Jpan", "rus_Cyrl", "fra_Latn", "tha_Thai", "arb_Arab", "cmn_Hans", "hin_Deva"]
)
def test_books_with_listings_where_few_windows_fall(label: str) -> None:
    """Long texts are sampled at more places, since listings may stand at every one of a few."""
    text = TEXTS[label] * (40_000 // len(TEXTS[label]) + 1)
    step = (len(text) - 250) // 5
    for place in range(0, len(text) - 249, step):
        text = text[:place] + (TEXTS["eng_Latn"] * 3)[:250] + text[place + 250 :]
    assert IDENTIFIER.identify(text)[0] == label


def test_impossible_languages_are_vetoed() -> None:
    """Ideographs without kana are no Japanese, whatever a model says of a list of Japanese names."""
    assert IDENTIFIER.identify("東京都、大阪府、京都府、横浜市、名古屋市")[0].startswith("cmn_")
    assert IDENTIFIER.identify("東京都と大阪府と京都府の人口について")[0] == "jpn_Jpan"
    assert (
        IDENTIFIER.identify("「の」字在中文网络上常被用作装饰，比如店名和广告语里都能看到。")[0] == "cmn_Hans"
    )


def test_the_script_of_a_language_with_two() -> None:
    assert (
        IDENTIFIER.identify("Most je popravljen pre zime, a skela je prestala da radi u novembru.", "sr")[0]
        == "srp_Latn"
    )
    assert (
        IDENTIFIER.identify("Мост је поправљен пре зиме, а скела је престала да ради у новембру.")[0]
        == "srp_Cyrl"
    )


def test_capitals_and_line_ends() -> None:
    for text in (
        TEXTS["deu_Latn"].upper(),
        TEXTS["deu_Latn"].replace(" ", "\n"),
        TEXTS["deu_Latn"] + "\x00\x01",
    ):
        assert IDENTIFIER.identify(text)[0] == "deu_Latn"


def test_a_long_text_is_looked_at_all_over() -> None:
    label, score = IDENTIFIER.identify(TEXTS["eng_Latn"] * 10 + TEXTS["rus_Cyrl"] * 200)
    assert label == "rus_Cyrl"
    assert score > 0.5


def test_a_text_in_two_languages_has_a_low_score() -> None:
    mixed, whole = f"{TEXTS['eng_Latn']} {TEXTS['deu_Latn']} " * 5, f"{TEXTS['eng_Latn']} " * 10
    assert IDENTIFIER.identify(mixed)[1] < 0.75 < IDENTIFIER.identify(whole)[1]


def test_what_a_source_says_decides() -> None:
    text = "U ponte l'é stæto acomodòu primma de l'inverno, e a barca a no l'anava ciù."
    label, score = IDENTIFIER.identify(text, "lij_Latn")
    assert label == "lij_Latn"
    assert math.isnan(score)
    assert IDENTIFIER.identify(TEXTS["nno_Latn"], "nb")[0] == "nob_Latn"
    assert IDENTIFIER.identify("人人生而自由", "zh-TW")[0] == "cmn_Hant"
    assert IDENTIFIER.identify(TEXTS["cmn_Hans"], "zh-TW")[0] == "cmn_Hans"


def test_unless_the_script_is_of_other_languages() -> None:
    assert IDENTIFIER.identify(TEXTS["cmn_Hans"], "eng_Latn")[0] == "cmn_Hans"
    assert IDENTIFIER.identify(TEXTS["rus_Cyrl"], "en")[0] == "rus_Cyrl"
    assert IDENTIFIER.identify(TEXTS["eng_Latn"], "nonsense")[0] == "eng_Latn"


def test_the_score_of_a_wrong_hint_is_low() -> None:
    label, score = IDENTIFIER.identify(TEXTS["eng_Latn"], "deu_Latn")
    assert label == "deu_Latn"
    assert score < 0.01
    assert IDENTIFIER.identify(TEXTS["eng_Latn"], "eng_Latn") == IDENTIFIER.identify(TEXTS["eng_Latn"])


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_has_a_label_and_a_score(text: str) -> None:
    label, score = IDENTIFIER.identify(text)
    assert is_label(label)
    assert 0.0 <= score <= 1.0
    assert IDENTIFIER.identify(text) == (label, score)


def test_parameters_name_the_models() -> None:
    assert IDENTIFIER.parameters["model"].startswith("8f3472cfe8738a7b")
    assert set(IDENTIFIER.parameters) == {"version", "labels", "unicode", "model", "cld2", "words"}


def test_any_other_fasttext_model_by_path(tmp_path: Path) -> None:
    import fasttext

    lines = []
    for label in ("eng_Latn", "deu_Latn", "cmn_Hani", "rus_Cyrl"):
        text = TEXTS[label.replace("Hani", "Hans")]
        lines += [f"__label__{label} {' '.join(text)}"] * 20
    (tmp_path / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    options = {"dim": 8, "minn": 0, "maxn": 0, "bucket": 0, "epoch": 50, "thread": 1, "verbose": 0}
    trained = fasttext.train_supervised(str(tmp_path / "train.txt"), **options)
    trained.save_model(str(tmp_path / "own.bin"))

    own = Identifier(str(tmp_path / "own.bin"))
    spaced = " ".join(TEXTS["cmn_Hant"])
    assert own.identify(spaced)[0] == "cmn_Hant"
    assert own.identify(" ".join(TEXTS["deu_Latn"]))[0] == "deu_Latn"
    assert math.isnan(own.identify(" ".join(TEXTS["fra_Latn"]), "fra_Latn")[1])
    assert own.parameters["model"] == fasttext_models.file_hash(str(tmp_path / "own.bin"))
    assert "cld2" not in own.parameters


def test_a_model_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no fastText model at"):
        Identifier(str(tmp_path / "missing.bin")).identify("text")
    (tmp_path / "wrong.bin").write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"wrong\.bin is not a fastText model"):
        Identifier(str(tmp_path / "wrong.bin")).identify("text")


def test_a_checkout_without_the_model_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(models, "LID_PATH", tmp_path / "lid.176.ftz")
    with pytest.raises(UserError, match=r"lid\.176\.ftz is missing: run `make setup`"):
        models.lid_path.__wrapped__()


UNUSUAL = {
    "vie_han",
    "mly_arab",
    "uig_latn",
    "ckb",
    "azj_cyrl",
    "jav_java",
    "san_gran",
    "bos_cyrl",
    "srp_latn",
} | {"lnc", "prv", "auv", "oci_1"}
"""Declarations in scripts or dialects that neither model has seen, and one under a wrong name."""


def declarations(data: Path) -> dict[str, list[str]]:
    """Paragraphs of the Universal Declaration by language: never trained on, only measured."""
    same = {"prs": "fas", "pes": "fas", "zlm": "zsm", "pbu": "pbt", "tgl": "fil", "aii": "syr", "zyb": "zha"}
    found: dict[str, list[str]] = defaultdict(list)
    with tarfile.open(data / "lang/udhr.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            code = Path(member.name).stem
            if stream is None or code[0].isdigit() or code in UNUSUAL:
                continue
            page = stream.read().decode()
            language = re.search(r'data-iso6393="([^"]*)"', page)
            assert language is not None
            paragraphs = [
                html.unescape(re.sub("<[^>]+>", "", p)).strip() for p in re.findall(r"(?s)<p>(.*?)</p>", page)
            ]
            found[same.get(language[1], language[1])] += [p for p in paragraphs if len(p) >= 20][:20]
    return found


def test_accuracy_on_106_languages(data: Path) -> None:
    """Macro accuracy over paragraphs in languages that both models know: .974; alone lid.176 has .840."""
    both = {code for code, row in labels().languages.items() if row.lid and row.cld2}
    texts = {code: paragraphs for code, paragraphs in declarations(data).items() if code in both}
    assert len(texts) > 100
    right = [
        sum(IDENTIFIER.identify(t)[0][:3] == code for t in texts[code]) / len(texts[code]) for code in texts
    ]
    assert sum(right) / len(right) > 0.965


def test_languages_that_lid176_is_blind_to(data: Path) -> None:
    texts = declarations(data)
    for code in ("hau", "zul", "kin", "ibo", "sna", "xho", "sot", "tsn", "fao", "mri", "haw", "tir"):
        right = sum(IDENTIFIER.identify(t)[0][:3] == code for t in texts[code])
        assert right >= 0.85 * len(texts[code]), code


def test_long_texts_in_languages_that_are_doubted_are_not(data: Path) -> None:
    """Words of grammar are few of the different words of a long text, and many of its running words."""
    texts = declarations(data)
    named = list_doubted() - {"ido"}  # which is taken for Esperanto
    known = [code for code in named if code in texts and IDENTIFIER.identify(texts[code][0])[0][:3] == code]
    assert {"kin", "swh", "yor", "lin", "lug", "sna", "ilo"} <= set(known)
    for code in known:
        label, score = IDENTIFIER.identify("\n".join(texts[code]))
        assert label[:3] == code and score > 0.7, (code, label, score)


def test_web_texts_whose_language_people_checked(data: Path) -> None:
    """HPLT's inspection, 20 languages: every natural text but two is in the language that readers say.

    Asturian is left out: it is told from Spanish in a third of the texts alone."""
    path = data / "quality/hplt-release2-inspection/labelled.jsonl.zst"
    lines = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read().decode()
    same = {"zho": "cmn", "ara": "arb", "pes": "fas"}
    wrong = total = 0
    for line in lines.splitlines():
        row = json.loads(line)
        code = row["lang"][:3]
        if int(row["lang_correct"]) and not int(row["unnatural"]) and code != "ast" and row["text"].strip():
            total += 1
            wrong += IDENTIFIER.identify(row["text"])[0][:3] != same.get(code, code)
    assert total > 1800
    assert wrong <= 2
