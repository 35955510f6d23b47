"""Script variants that pages spell out are read as MediaWiki's LanguageConverter reads them."""

from __future__ import annotations

import pytest

from corpus.extract.wikitext.variants import load_variants, show_variants
from corpus.extract.wikitext.wiki_page import to_text


@pytest.mark.parametrize(
    ("wiki", "wikitext", "text"),
    [
        # Flags: codes show the text, unknown ones count for nothing
        ("zhwiki", "这是-{zh-tw|計程車}-", "这是計程車"),
        ("zhwiki", "这是-{zh-hans;zh-hant|出租车}-", "这是出租车"),
        ("zhwiki", "这是-{A;zh-hk|的士}-", "这是的士"),
        ("zhwiki", "这是-{q;Z|的士}-", "这是的士"),
        ("zhwiki", "这是-{R|zh-cn:出租车}-", "这是zh-cn:出租车"),
        ("zhwiki", "这是-{A|zh-cn:出租车;zh-tw:計程車}-", "这是出租车"),
        ("zhwiki", "这是-{H|zh-cn:出租车;zh-tw:計程車}-车", "这是车"),
        ("zhwiki", "这是-{T|zh-cn:出租车}-车", "这是车"),
        ("zhwiki", "这是-{-|zh-cn:出租车}-车", "这是车"),
        ("zhwiki", "这是-{N|zh-tw}-", "这是臺灣"),
        ("zhwiki", "这是-{D|zh-cn:出租车;zh-tw:計程車}-", "这是大陆：出租车；臺灣：計程車；"),
        # Several flags: the one that shows nothing beats codes and what stands before it
        ("zhwiki", "这是-{H;zh-cn|zh-cn:出租车}-车", "这是车"),
        ("zhwiki", "这是-{zh-tw;-|的士}-车", "这是车"),
        ("zhwiki", "这是-{zh-cn;N|zh-Hant-TW}-", "这是臺灣"),
        ("zhwiki", "这是-{A;D|zh-cn:出租车}-车", "这是车"),
        ("zhwiki", "这是-{D;T|zh-cn:出租车}-车", "这是车"),
        ("zhwiki", "这是-{T;D|zh-cn:出租车}-", "这是大陆：出租车；"),
        ("zhwiki", "这是-{H;D|計程車=>zh-cn:出租车}-", "这是計程車⇒大陆：出租车；"),
        ("zhwiki", "这是-{H|的士}-车", "这是车"),
        ("srwiki", "Ово је -{D|sr-ec:река; sr-el:reka}-", "Ово је ћирилица:река;latinica:reka;"),
        ("ganwiki", "个-{D|gan-hans:车}-", "个简体:车;"),
        ("tgwiki", "In -{x=>tg-latn:darjo; tg:daryo}-", "In daryo"),
        # The bar of a link is that of no flag
        ("zhwiki", "这是-{[[出租车列表|出租车]]}-", "这是出租车"),
        ("zhwiki", "这是-{zh-hans:[[甲|出租车]];zh-hant:[[乙|計程車]]}-", "这是出租车"),
        ("zhwiki", "这是-{A|zh-hans:[[甲|出租车]];zh-hant:[[乙|計程車]]}-", "这是出租车"),
        # Rules: only a semicolon before a code separates, and that of an entity never does
        ("zhwiki", "这是-{zh-hans:A&amp;B;zh-hant:甲}-", "这是A&B"),
        ("zhwiki", '这是-{zh-hans:<b style="color:red;top:1">红</b>; zh-hant:紅; }-', "这是红"),
        ("zhwiki", "这是-{zh-hans:一;二;zh-hant:三}-", "这是一;二"),
        ("zhwiki", "这是-{zh-Hans:一;zh-Hant-TW:二}-", "这是一"),
        ("zhwiki", "这是-{計程車=&gt;zh-cn:出租车}-", "这是出租车"),
        ("zhwiki", "这是-{nosuch:一;zh-cn:二}-", "这是nosuch:一;zh-cn:二"),
        ("zhwiki", "这是-{zh-hans:-{zh-cn:内}-;zh-hant:外}-", "这是内"),
        ("zhwiki", "这是-{没有结束", "这是-{没有结束"),
        ("zhwiki", "这是{{lang|zh|-{zh-cn;zh-sg|的士}-}}", "这是的士"),
        ("zhwiki", "這個時間-{zh-hans:出租车;zh-hant:計程車}-", "這個時間計程車"),
        ("zhwikivoyage", "这是-{zh-cn:出租车;zh-tw:計程車}-", "这是出租车"),
        # Other wikis: the wiki's own variant, or that of the page's script
        ("ganwiki", "个-{gan-hant:車;gan-hans:车;gan:本}-", "个本"),
        ("wuuwiki", "这个-{wuu-hant:車;wuu-hans:车}-", "这个车"),
        ("srwiki", "Ово је -{sr-el:reka;sr-ec:река}- и -{URL}-.", "Ово је река и URL."),
        ("srwiki", "Ovo je velika -{sr-ec:река;sr-el:reka}-.", "Ovo je velika reka."),
        ("kkwiki", "Бұл үлкен -{kk-latn:özen;kk-arab:وزەن;kk-cyrl:өзен}-.", "Бұл үлкен өзен."),
        ("crhwiki", "Bu büyük bir -{crh-cyrl:озен;crh-latn:özen}-.", "Bu büyük bir özen."),
        ("kuwiki", "Ev çem e: -{ku-arab:چەم;ku-latn:çem}-.", "Ev çem e: çem."),
        ("uzwiki", "Bu katta -{uz-cyrl:дарё;uz-latn:daryo}-.", "Bu katta daryo."),
        ("tgwiki", "Ин -{tg-latn:darjo;tg:дарё}- аст.", "Ин дарё аст."),
        ("iuwiki", "ᐅᓇ -{ike-latn:kuuk;ike-cans:ᑰᒃ}-", "ᐅᓇ ᑰᒃ"),
        # Wikis without variants have no such markup; without a wiki, the codes tell
        ("enwiki", "In C, x-{a|b}-y.", "In C, x-{a|b}-y."),
        (None, "Ово је велика -{sr-el:reka;sr-ec:река}-.", "Ово је велика река."),
    ],
)
def test_variants(wiki: str | None, wikitext: str, text: str) -> None:
    assert to_text(wikitext, wiki=wiki) == text


def test_a_reader_of_another_variant() -> None:
    assert show_variants("这-{zh-cn:一;zh-tw:二}-", "zhwiki", "cmn_Hant") == "这二"
    assert show_variants("Ово -{sr-ec:река;sr-el:reka}-", "srwiki", "srp_Latn") == "Ово reka"
    assert load_variants("de") is None
