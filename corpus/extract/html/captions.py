"""Tell captions that are sentences from credits and labels of pictures.

A caption that says something is text of its page; "Foto: Anna Berg", "© dpa", "写真：朝日新聞社" and "Fig. 3" are none.
"""

from __future__ import annotations

import re

MIN_SENTENCE_BYTES = 24
"""Bytes of UTF-8 of a caption that can be a sentence."""
MIN_UNENDED_BYTES = 60
"""The same of one without a full stop that names no picture agency, as most captions of newspapers are."""
MAX_BEHIND_SENTENCE = 40
"""Characters behind the last full stop of a caption: a name."""
MAX_CREDIT_CHARACTERS = 160
"""Characters of a credit: a longer caption that begins with one says something too."""


def _group_by_first(alternatives: str) -> str:
    """Return the same alternatives grouped by their first letters, of which a pattern tries one group alone."""
    groups: dict[str, list[str]] = {}
    for alternative in re.split(r"\|(?![^(]*\))", alternatives):
        is_letter = alternative[0].isalpha() and alternative[1:2] not in ("?", "*")
        groups.setdefault(alternative[0].casefold() if is_letter else "", []).append(alternative)
    return "|".join(
        f"{letter}(?:{'|'.join(one[1:] for one in group)})" if letter else "|".join(group)
        for letter, group in groups.items()
    )


_LABELS = _group_by_first(
    # English, German, Dutch, Scandinavian, Finnish, Hungarian, Turkish, Indonesian, Vietnamese
    r"(?:photos?|images?|pictures?|video|media|file|cover)?\s?credits?|photo(?:s|graphs?|grapher|graphy)?|images?|"
    r"pictures?|pics?|sources?|courtesy|fotos?|fotograf(?:ie|ías?|ia)?|fotocredits?|bild(?:er|quelle|nachweis)?|quellen?|"
    r"grafik|titelbild|beeld|bron|billeder?|bilder?|kilde|kuvat?|lähde|fotók?|kép|forrás|fotoğraf|kaynak|gambar|sumber|"
    r"ảnh|nguồn|"
    # Romance, Greek, Slavic, Baltic
    r"crédits?(?:\s+photos?)?|photographies?|imagen(?:es)?|imagem|immagin[ei]|fuentes?|fontes?|créditos?|"
    r"φωτογραφ\w+|φωτό|πηγή|zdjęci\w+|fot|źródło|snímek|zdroj|sursa|фото(?:графия|графії)?|снимок|снимка|источник|"
    r"джерело|світлина|извор|слика|nuotr|avots|allikas|"
    # Arabic, Persian, Urdu, Hebrew, South and South East Asian
    r"صور[ةه]?|الصورة|تصوير|المصدر|مصدر|عکس|منبع|تصویر|צילום|תמונה|קרדיט|फ़ोटो|फोटो|चित्र|तस्वीर|छायाचित्र|स्रोत|ছবি|"
    r"படம்|ภาพ|ที่มา|ภาพจาก|"
    # Chinese, Japanese, Korean
    r"图片?(?:来源|源)?|圖片?(?:來源|源)?|照片|摄影|攝影|摄|攝|来源|來源|资料图片?|資料圖片?|供图|供圖|写真|画像|撮影|提供|出典|"
    r"사진|이미지|출처|자료"
)
_AGENCIES = (
    r"AP|AFP|EPA|EFE|ANSA|DPA|APA|TASS|ТАСС|РИА Новости|Reuters|Getty(?: Images)?|Shutterstock|Alamy|iStock(?:photo)?|"
    r"Unsplash|Pixabay|Pexels|Flickr|Wikimedia(?: Commons)?|Adobe Stock|Depositphotos|Imago|Picture[- ]Alliance|"
    r"Corbis|Bloomberg|Xinhua|Press Association|Associated Press|Keystone|Scanpix|"
    r"ullstein|新华社|新華社|中新社|共同通信|"
    r"時事|朝日新聞(?:社)?|연합뉴스|뉴시스"
)
_CAPTION_LABEL = re.compile(
    r"(?:(?:image|media|photo|picture|video|figure)\scaption|bildunterschrift|légende\s(?:de\sl)?['’\s]?image|pie\sde\sfoto"
    r"|legenda\sda\sfoto|подпись\sк\sфото|підпис\sдо\sфото|keterangan\sgambar|تعليق\sعلى\sالصورة|توضیح\sتصویر|इमेज\sकैप्शन"
    r"|คำบรรยายภาพ|图像加注文字|圖像加註文字|画像説明|사진\s설명)(?![\w])[\s:：,，،、]*",
    re.IGNORECASE,
)
"""What pages say before a caption for those who hear it."""
_BY = re.compile(r"\s(?:by|via|from|von|par|por|courtesy|credits?)\b", re.IGNORECASE)
_LABELLED = re.compile(
    rf"(?:(?<!\w)|(?-i:(?<=[a-z])(?=[A-Z])))(?:{_LABELS})\.?\s*"
    rf"(?:[:：/／|]|{_BY.pattern})",
    re.IGNORECASE,
)
_CREDIT_START = re.compile(rf"[\s(\[（【]*(?:{_LABELLED.pattern}|©|\([cC]\)\s)", re.IGNORECASE)
_ENDING = r"[\s.]*$"
_CREDIT_BEHIND_SIGN = re.compile(
    rf"(?:[(\[（【][^()\[\]（）【】]*(?:{_LABELLED.pattern}|©|\b(?:{_AGENCIES})\b|提供|摄|攝|撮影)[^()\[\]（）【】]*[)\]）】]"
    rf"|[-–—|/／,]\s*(?:{_AGENCIES})(?:\s*/[^.!?]{{0,40}})?){_ENDING}",
    re.IGNORECASE,
)
"""A credit in brackets, or an agency's name behind a dash."""
_CREDIT_LABEL = re.compile(rf"{_LABELLED.pattern}|©", re.IGNORECASE)
_LABEL_SIGNS = ":：/／|©"
"""What stands behind a label, if no sign does: several times as fast to find as a label."""
_LABELLED_CREDIT = re.compile(rf"(?:{_CREDIT_LABEL.pattern})[^.!?。！？]{{0,80}}{_ENDING}", re.IGNORECASE)
_AGENCY = re.compile(rf"\b(?:{_AGENCIES})\b")
_SENTENCE_END = re.compile("[.!?…。！？｡।॥؟۔።။៕։](?:[\"'”’»«)\\]』」）]|$|\\s)|[!?。！？।]")
_UNENDED_SCRIPTS = re.compile("[\u0e00-\u0eff\u0f00-\u0fff\u1780-\u17ff\u3040-\u30ff\u4e00-\u9fff]")
"""Thai, Lao, Tibetan, Khmer, Japanese and Chinese, whose captions have no full stop."""
MIN_UNENDED_CHARACTERS = 10
"""Characters of a caption in one of these scripts that can be a sentence."""


def find_caption(text: str) -> str | None:
    """Return what a caption says, without the credit behind it and in one line; None for a mere credit or label."""
    caption = " ".join(text.split())
    if (label := _CAPTION_LABEL.match(caption)) is not None:
        caption = caption[label.end() :]
    if len(caption) < MIN_UNENDED_CHARACTERS:
        return None
    last = max(0, len(caption) - MAX_CREDIT_CHARACTERS)
    credit = _find_credit(caption, last)
    said = caption[:credit].rstrip(" -–—|/／·,") if credit is not None else caption
    if len(said.encode("utf-8", "replace")) < MIN_SENTENCE_BYTES:
        return None
    if len(said) <= MAX_CREDIT_CHARACTERS and _CREDIT_START.match(said):
        return None
    ends = [end.start() for end in _SENTENCE_END.finditer(said)]
    if ends and len(said) - ends[-1] <= MAX_BEHIND_SENTENCE:
        return said
    if credit is not None or _AGENCY.search(said):
        return None
    if len(_UNENDED_SCRIPTS.findall(said)) >= MIN_UNENDED_CHARACTERS:
        return said
    return said if len(said.encode("utf-8", "replace")) >= MIN_UNENDED_BYTES else None


def _find_credit(caption: str, start: int) -> int | None:
    """Return where the credit begins that a caption ends in, at `start` or behind it."""
    starts = []
    if (credit := _CREDIT_BEHIND_SIGN.search(caption, start)) is not None:
        starts.append(credit.start())
    if not any(sign in caption for sign in _LABEL_SIGNS) and _BY.search(caption, start) is None:
        return min(starts, default=None)
    if (label := _CREDIT_LABEL.search(caption, start)) is not None:
        labelled = _LABELLED_CREDIT.search(caption, label.start())
        starts += [labelled.start()] if labelled is not None else []
    return min(starts, default=None)
