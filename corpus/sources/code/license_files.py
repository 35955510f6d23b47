"""Tell licence files by their names and texts: they say under what a repository is, and are no documents of it.

A name that has nothing but words of the law (LICENSE, COPYING.LESSER, GPL_LICENSE.txt, 许可证.txt) decides by itself.
Where other words stand beside them (BOTTLENECK_LICENSE, licensing-guide.md), or the folder alone is called so
(LICENSES/MIT.txt), the text has to be one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.formats.encodings import decode
from corpus.sources.license_names import license_lists

MAX_LICENSE_BYTES = 1 << 20
"""Bytes of a licence file that are read."""
MAX_TEXT_BYTES = 128 << 10
"""Size up to which prose of any name is compared with licence texts; the longest, by SPDX's list, has 70 KB."""
MIN_LEGAL_SHARE = 0.02
"""Share of words of the law in a text from which a file whose name speaks of licences is one."""

MIN_LEGAL_WORDS = 3
"""Different words of the law that it has at least."""
CHARACTERS_PER_WORD = 6

_STATES_LICENSE = re.compile(
    r"(?:(?:un)?licen[sc]es?|copying|lizenz|licencia|licen[cç]a|licenza|лицензия|许可证|許可證|ライセンス)"
    r"(?P<suffix>[-_.][^/]*)?|(?:mit|bsd|apache|gpl|isc)[-_.]licen[sc]e(?:\.\w+)?"
)
_NO_LICENSE = re.compile(
    r"(?:third|3rd)[-_ ]?part(?:y|ies)|dependenc"
    r"|\.(?:py|pyc|js|jsx|mjs|ts|tsx|go|java|kt|c|h|cc|cpp|hpp|rb|rs|cs|php|pl|sh|css|json|ya?ml|toml|xml|spdx|sql|csv|po)$"
)
_NOTICE = re.compile(r"(?:notices?|copyrights?)(?:\.(?:txt|md|rst))?")
_LEGAL_WORD = re.compile(
    r"(?:un)?licen[sc]es?|copying|copyrights?|copyleft|notices?|eula|lizenz(?:en)?|licencias?|licen[cç]as?|licenza|лицензи[яи]|许可证|許可證"
    r"|许可协议|許可協議|授权协议|授權協議|版权声明|版權聲明|版权|版權|ライセンス|使用許諾|라이선스"
)
_ABOUT_LAW = re.compile(rf"{_LEGAL_WORD.pattern}|licen[sc]ing|legal|patents?")
_BESIDE = re.compile(
    r"third|3rd|part(?:y|ies)|thirdparty|and|or|with|the|of|lesser|exceptions?|runtime|terms"
    r"|mit|x|expat|apache|asl|[al]?gpl|gnu|fdl|gfdl|bsd|clause|isc|mpl|epl|cddl|eupl|cc0?|by|sa|nc|nd|boost|bsl|psf"
    r"|zlib|ofl|wtfpl|mulan(?:psl)?|artistic|\d{1,4}[a-z]?|v"
    r"|de|fr|es|it|pt|br|ru|ja|jp|zh|cn|tw|hk|hans|hant|ko|kr|en|us|uk"
    r"|txt|text|md|markdown|mkd|rst|adoc|asciidoc|org|html?|xhtml|rtf|tex|textile|pod"
)
"""Words that may stand in its name beside those of the law: licences, versions, languages, formats."""
_IN_CAPITALS = re.compile(
    r"(?:[\w.+-]*[-_.])?(?:LICEN[SC]ES?|COPYING)(?:[-_][\w+-]*)?(?:\.(?:txt|md|rst|html?|rtf|adoc))?"
)
"""The licence of a part, among others: BOTTLENECK_LICENSE, LICENSE_DEJAVU."""
_SEPARATORS = re.compile(r"[-_. +()]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=v?\d)|(?<=\d)(?=[A-Z])")
_LEGAL_FOLDER = re.compile(r"licen[sc]es?|legal|copyrights?|lizenzen|许可证|許可證")
_WORDS_OF_LAW = re.compile(
    rb"warrant(?:y|ies)|liab(?:le|ility)|redistribut|licens(?:e|ed|or|ee|ees|ors)\b|\bpermi(?:ssions?|t|tted)\b"
    rb"|copyright|damages|hereby|herein|thereof|infringement|\bgranted\b|\bterminat|royalt|\bpatents?\b|sublicens"
    rb"|merchantab|proprietary|all rights reserved|without restriction",
    re.IGNORECASE,
)
_OTHER_WORDS_OF_LAW = re.compile(
    "许可|許可|授权|授權|版权|版權|著作权|著作權|保证|保證|责任|責任|损害|損害|复制|複製|分发|分發|禁止|無断"
    "|лиценз|гаранти|ответственн|авторск|gewährleist|haftung|lizenz|urheber|garantía|responsab|licencia|garanti[ae]|라이선스|저작권"
)
_MAY_BE_LICENSE = re.compile(rb"warrant|liab(?:le|ility)|as[- ]is\b", re.IGNORECASE)
_GRANTS = re.compile(rb"licen[sc]|permission|redistribut", re.IGNORECASE)


def is_license_file(path: str) -> bool:
    """Return whether a file states the licence of its folder by its name: LICENSE, COPYING.txt, LICENSE-MIT,
    mit-license.md."""
    name = path.rpartition("/")[2].lower()
    return _STATES_LICENSE.fullmatch(name) is not None and not _NO_LICENSE.search(name)


def is_notice_file(path: str) -> bool:
    """Return whether a file may state the licence of its folder where nothing else does: NOTICE, COPYRIGHT.md."""
    return _NOTICE.fullmatch(path.rpartition("/")[2].lower()) is not None


def is_legal_name(path: str) -> bool:
    """Return whether a file's name alone says that it is a licence, a notice, or a list of those of others."""
    name = path.rpartition("/")[2]
    words = _split_name(name)
    legal = [word for word in words if _LEGAL_WORD.fullmatch(word)]
    return _IN_CAPITALS.fullmatch(name) is not None or (
        bool(legal) and all(word in legal or _BESIDE.fullmatch(word) for word in words)
    )


def is_license_text(path: str, body: bytes) -> bool:
    """Return whether the text of a prose file is a licence: it is one that is known, or its name or folder says so and
    its words are those of the law."""
    body = body[:MAX_LICENSE_BYTES]
    folders, _, name = path.rpartition("/")
    is_named = any(_ABOUT_LAW.fullmatch(word) for word in _split_name(name)) or any(
        _LEGAL_FOLDER.fullmatch(folder) for folder in folders.lower().split("/")
    )
    if is_named and _speaks_law(body):
        return True
    if len(body) > MAX_TEXT_BYTES or not (_MAY_BE_LICENSE.search(body) and _GRANTS.search(body)):
        return False
    return bool(identify_licenses(decode(body, html=False)[0]))


def _split_name(name: str) -> list[str]:
    """Return the words of a file's name in lower case: of `ThirdPartyNotices.txt`, third, party, notices, txt."""
    return [word.lower() for word in _SEPARATORS.split(name) if word]


def _speaks_law(body: bytes) -> bool:
    """Return whether a text uses words of the law, several of them and often: a page on licences has the same few."""
    words = [word.lower() for word in _WORDS_OF_LAW.findall(body)]
    length = len(body)
    if not body.isascii():
        text = decode(body, html=False)[0]
        words += [word.encode() for word in _OTHER_WORDS_OF_LAW.findall(text.lower())]
        length = len(text)
    return len(set(words)) >= MIN_LEGAL_WORDS and len(words) * CHARACTERS_PER_WORD >= MIN_LEGAL_SHARE * length


@lru_cache(maxsize=4096)
def identify_licenses(text: str) -> tuple[str, ...]:
    """Return the licences whose texts make up at least 3/4 of a file; none where conditions are added to them."""
    from licenseclassifier import identify_license

    regions = identify_license(text)
    rest, at = [], 0
    for region in regions:
        rest.append(text[at : region.start])
        at = max(at, region.end)
    if license_lists().restrictions.search("\n".join([*rest, text[at:]])):
        return ()
    return tuple(dict.fromkeys(region.id for region in regions))
