"""Find Creative Commons licences, and the public domain, in what a document states about itself.

A statement that denies (`not under a Creative Commons licence`, `all rights reserved`) or that is about a part alone
(`the cover is CC BY`) gives no licence.
"""

from __future__ import annotations

import re

CREATIVE_COMMONS_HOST = "creativecommons.org"
"""A page without it states no Creative Commons licence in a form that can be distinguished from text about one."""

_ADDRESS = re.compile(
    r"creativecommons\.org/(?:licen[cs]es/(?P<terms>(?:by|nc|nd|sa)(?:-(?:by|nc|nd|sa))*)/(?P<version>\d\.\d)"
    r"(?:/(?P<port>[a-z]{2,3})(?![a-z]))?|publicdomain/(?P<domain>zero|mark)/(?P<public>\d\.\d)|licen[cs]es/publicdomain)",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"\bCC[ -]?(?P<terms>BY(?:-(?:NC|ND|SA))*)(?:[ -](?P<version>\d\.\d))?\b|\b(?P<zero>CC[ -]?0)\b"
)
_WORDS = re.compile(
    r"Creative\s+Commons\s+(?P<public>CC0|Zero|Public\s+Domain)"
    r"|Creative\s+Commons\s+Attribution(?P<terms>(?:[\s,–-]*(?:and\s+)?"
    r"(?:Non-?\s?Commercial|No-?\s?Deriv(?:ative|ate)?s?(?:\s+Works)?|Share-?\s?Alike))*)"
    r"(?:\s+(?:Works\s+)?(?:International\s+|Unported\s+|Generic\s+)?(?:Public\s+)?"
    r"(?:Licen[cs]e,?)?\s*\(?(?:CC[ -]BY[A-Z-]*\s*)?(?:version\s+|v\.?\s*)?(?P<version>\d\.\d))?",
    re.IGNORECASE,
)
_PART = re.compile(r"(commercial)|(deriv)|(alike)", re.IGNORECASE)
_ORDER = ("BY", "NC", "ND", "SA")


_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)|[\u3002\uff01\uff1f\uff1b]|\n+")
_RESERVED = re.compile(
    r"\ball rights(?: are)?(?: strictly)? reserved|\balle rechte(?: sind)? vorbehalten|\balle rechten voorbehouden"
    r"|\btous (?:les )?droits r[eé]serv[eé]s|\btodos los derechos(?: est[aá]n| son)? reservados"
    r"|\btutti i diritti(?: sono)? riservati"
    r"|\btodos os direitos(?: est[aã]o| s[aã]o)? reservados"
    r"|\bwszelkie prawa zastrzeżone|все права защищены"
    r"|版权所有|版權所有|保留所有权利|保留所有權利|無断転載を?禁|不許複製"
    r"|جميع الحقوق محفوظة|सर्वाधिकार सुरक्षित|สงวนลิขสิทธิ์",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not?|never|neither|nor|nicht|keine?[mnrs]?|pas|aucune?|jamais|niet|geen|não|nunca|non"
    r"|ikke|inte|nie|ei|не)\b"
    r"|\b(?:isn|aren|wasn|hasn|doesn)['\u2019]t\b|不(?:属|屬|是|在|适|適)|非|未|没有|沒有|并不|並不|ليست?|غير|لا |ไม่)"
    r"(?:(?!copyright|protect|restrict|rights|\bonly\b|known|geschütz|rechte|protég|droits?|版权|版權|著作)[^.;:!?]){0,80}\Z",
    re.IGNORECASE,
)
"""A negation in the same clause; but what is `not protected by copyright` is not denied."""
_DENIED_AFTER = re.compile(
    r"[^.,;!?\u3002]{0,40}?(?:\b(?:does|do|did) not (?:apply|cover|extend|hold|include)"
    r"|\b(?:doesn|isn)['\u2019]t (?:apply|cover|valid)|\b(?:is|are) not (?:applicable|granted|valid|part)"
    r"|\bno longer (?:applies|applicable|valid|granted)|\bnicht\b|\b(?:has|have) (?:expired|been (?:revoked|withdrawn))"
    r"|では?ありません|では?ない|では?なく|に?は?属し(?:ません|ていない)|नहीं|不适用|不適用)",
    re.IGNORECASE,
)
_EXCEPTION = re.compile(
    r"\b(?:if|unless|where(?:ver)?|except|(?:in|as|so) ?far as|to the extent"
    r"|so(?:weit|fern)|insoweit|wenn|falls|wo|außer|sauf|si|lorsqu\w*|où|à moins"
    r"|salvo|donde|mientras|cuando|excepto|a menos|se|onde|caso|quando|exceto|ove|dove|laddove|qualora|eccetto"
    r"|tenzij|indien|voor ?zover|waar|als|jeśli|jeżeli|o ile|gdzie|chyba|если|кроме|где"
    r"|om|där|såvida|hvis|hvor|dersom|såfremt|med mindre|jos|ellei)\b[^.;:!?,\n]{0,40}?"
    r"\b(?:nor|not?|nichts?|keine?[mnrs]?|pas|aucune?|rien|niets?|geen|não|nada|non?|nulla|ikke|inte|nie|nic|ei|не|ничего)\b"
    r"(?=[^.;:!?\n]{0,40}?(?:\bother|differ|contra|expli|expre|spe[cz]ifi|\bstated|\bnoted|indi[cq]|\bmark|label|men[ct]i"
    r"|\bander|abweich|gegenteil|ausdrück|gesondert|separat|kennzeich|\bangegeb|vermerk|ausgewies|erwähn|vermeld|aangegev"
    r"|\bautre|préci|spéci|\botr[ao]|señal|\boutr|divers|\baltr|segnal|inaczej|zaznacz|wskaz|określ"
    r"|\bино|\bдруг|указан|оговор|отмеч|обратн|\ban(?:na|ne|de)[nt]|\bange|\bangi|toisin|muut))"
    r"|\bnot otherwise\b"
    r"|除非|(?:若|如|倘|凡|假如)[^，。；！？]{0,8}?(?:非|未|没有|沒有|不)|(?:未|没有|沒有)(?:作|做|经|經)?(?:特别|特別|特殊|另|其他|其它|明)"
    r"|(?:ما لم|إلا إذا|إلا إن|إذا لم)[^،؛.!؟]{0,30}?غير|(?:หาก|ถ้า|เว้นแต่|กรณีที่)[^.!?]{0,10}?ไม่",
    re.IGNORECASE,
)
"""The beginning of a clause that leaves out what is marked otherwise (`unless ...`, `soweit nicht anders ...`)."""
MAX_CLAUSE_CHARACTERS = 200
_TERM_NAME = re.compile(
    r"\b(?:non|no|pas d[e'\u2019]|nicht|keine|niet|geen|não|ikke|inte|ei)[ -]*(?:l['\u2019])?"
    r"(?:utilisation |uso |opere |obras? |bruk )?"
    r"(?:com+er[ct]|kom+er[ctz]|deriv|afgeleid|bearbeit|modifi|kauppal|bearbetn)|(?:非|不)(?:商|营|營|営)",
    re.IGNORECASE,
)
"""Terms of a licence that are named by a negation."""
_PART_NAME = re.compile(
    r"\b(?P<part>(?:book |front |back )?(?:covers?|jackets?)|illustrations?|images?|photos?|photographs?|pictures?"
    r"|figures?|fonts?|typefaces?|artwork|drawings?|icons?|logos?|maps?|music|audio|video|recordings?|metadata|umschlag\w*|titelbild\w*"
    r"|abbildung(?:en)?|couverture|portada|cubierta|copertina|capa|omslag\w*|okładk\w*"
    r"|обложк\w*|иллюстрац\w*)\b"
    r"|(?P<cjk>表紙|封面|挿絵|插图|插圖|插画|图片|圖片|写真|الغلاف)"
    r"|\b(?P<whole>texts?|books?|e-?books?|works?|content|articles?|edition|publication|material|page|site|website|document"
    r"|stor(?:y|ies)|novel|paper|buch|werk|livre|œuvre|ouvrage|texte|libro|obra|livro|opera|boek|книг\w*|текст\w*)\b"
    r"|(?P<cjk_whole>本文|本書|本书|本作|作品|全文|文本)",
    re.IGNORECASE,
)
_OF_WHOLE = re.compile(
    r"\b(?:of|for|from|in|on|to|du|de|del|della|des|dieses|van) (?:the|this|our|l[ea]|ce|cette|est[ea]|el|questo|it)? ?"
    r"(?:text|e-?book|book|work|edition|publication|article|page|site|buches|livre|libro|livro|boek)\b",
    re.IGNORECASE,
)
_ADDRESS_START = re.compile(r"\W*(?:https?://)?(?:www\.)?\Z", re.IGNORECASE)
_POINTER = re.compile(
    r"\b(?:to view|view a copy|see|visit|details|more information|full text)\b", re.IGNORECASE
)
_PUBLIC_DOMAIN = re.compile(
    r"\bpublic[ -]domain\b|\bdomaine public\b|\bgemeinfrei|\bdominio p[uú]b+lico\b|\bp[uú]b+lico dominio\b"
    r"|\bdom[ií]nio p[uú]blico\b"
    r"|\bpubliek domein\b|\bdomeni[ae] publiczn|\bdomini p[uú]blic\b|общественн\w+ достояни"
    r"|パブリック\u30fb?ドメイン|公有领域|公有領域|公共领域|公共領域|公版"
    r"|الملك(?:ية)? العام|सार्वजनिक डोमेन|สาธารณสมบัติ",
    re.IGNORECASE,
)
_DOMAIN_ELSEWHERE = re.compile(
    r"\s+(?:only\s+)?in\s+"
    r"(?!the\s+(?:US|U\.S|United|public)|USA|U\.S|US\b|United|all\b|most\b|many\b|every|its?\b|this\b)\w",
    re.IGNORECASE,
)
_CLAIM = re.compile(r"(?:\u00a9|\(c\)|\bcopyright\b)[^.;]{0,40}\b(?:1[89]|20)\d\d\b", re.IGNORECASE)


def find_cc_license(text: str) -> str | None:
    """Return the licence that an address or a phrase names (`CC-BY-4.0`, `CC0-1.0`), None if there is none.

    An address takes precedence over words. The name has no version (`CC-BY-NC`) if none is stated; ports to a country's
    law keep it (`CC-BY-2.0-UK`). Statements that deny a licence, or give one to a part, are left out; where all rights
    are reserved, there is none.
    """
    if not _names_license(text):
        return None
    if _RESERVED.search(text):
        return None
    return _read_license(" \n".join(_list_granting(text)))


def states_public_domain(text: str) -> bool:
    """Return whether a statement puts the work in the public domain: of the United States, or naming no country.

    A denial, a claim of copyright beside it, another country alone, or a part such as the cover make it False.
    """
    if not _PUBLIC_DOMAIN.search(text) or _RESERVED.search(text) or _CLAIM.search(text):
        return False
    granted = denied = False
    for sentence in _SENTENCE_END.split(text):
        for match in _PUBLIC_DOMAIN.finditer(sentence):
            refused = is_denied(sentence[: match.start()], sentence[match.end() :])
            if refused or _DOMAIN_ELSEWHERE.match(sentence, match.end()):
                denied = True
            elif not is_of_part(sentence[: match.start()]):
                granted = True
    return granted and not denied


def is_denied(before: str, after: str) -> bool:
    """Return whether the words around the name of a licence deny it, or reserve all rights."""
    if _RESERVED.search(before) or _RESERVED.search(after):
        return True
    before = _ADDRESS_START.sub("", before)
    if not (_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after)):
        return False
    clause = _TERM_NAME.sub(" ", _EXCEPTION.sub(" ", before[-MAX_CLAUSE_CHARACTERS:]))
    return bool(
        _DENIED_BEFORE.search(clause)
        or _DENIED_AFTER.match(_EXCEPTION.sub(" ", after[:MAX_CLAUSE_CHARACTERS]))
    )


def _names_license(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_ADDRESS, _WORDS, _SHORT))


def _list_granting(text: str) -> list[str]:
    """Return the sentences that name a licence of the whole work; `see ...` counts as the sentence before it does."""
    granting: list[str] = []
    granted = True
    for sentence in _SENTENCE_END.split(text):
        match = _ADDRESS.search(sentence) or _WORDS.search(sentence) or _SHORT.search(sentence)
        if match is None:
            continue
        first = min(
            named.start()
            for pattern in (_ADDRESS, _WORDS, _SHORT)
            if (named := pattern.search(sentence)) is not None
        )
        before = sentence[:first]
        if not (_POINTER.search(before) and not granted):
            granted = not (is_denied(before, sentence[match.end() :]) or is_of_part(before))
        if granted:
            granting.append(sentence)
    return granting


def is_of_part(before: str) -> bool:
    """Return whether the first thing that a sentence names is a part of a work, and no whole stands beside it."""
    names = list(_PART_NAME.finditer(_OF_WHOLE.sub("", before)))
    return bool(names) and not any(match["whole"] or match["cjk_whole"] for match in names)


def _read_license(text: str) -> str | None:
    if match := _ADDRESS.search(text):
        if match["domain"]:
            return f"CC0-{match['public']}" if match["domain"].lower() == "zero" else "CC-PDDC"
        if not match["terms"]:
            return "CC-PDDC"
        name = _format_spdx_name(match["terms"].upper().split("-"), match["version"])
        return f"{name}-{match['port'].upper()}" if match["port"] else name
    if match := _WORDS.search(text):
        if match["public"]:
            return "CC0-1.0"
        terms = ["BY"]
        for part in _PART.finditer(match["terms"]):
            terms.append("NC" if part[1] else "ND" if part[2] else "SA")
        return _format_spdx_name(terms, match["version"])
    if match := _SHORT.search(text):
        return "CC0-1.0" if match["zero"] else _format_spdx_name(match["terms"].split("-"), match["version"])
    return None


def _format_spdx_name(terms: list[str], version: str | None) -> str:
    """Return `CC-BY-NC-SA-4.0`: the terms in the usual order."""
    ordered = [term for term in _ORDER if term in terms]
    return "-".join(["CC", *ordered, *([version] if version else [])])
