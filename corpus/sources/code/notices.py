"""Read what a file says of its own licence: SPDX lines, else a notice in its comments.

A notice is a grant (`under the terms of the GNU General Public License`), a known permission (MIT, BSD, ISC), a
restriction (non-commercial use only) or a refusal (proprietary and confidential). A mere mention of a licence, and
`all rights reserved` alone, say nothing: the repository's licence holds.
"""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.extract.creative_commons import find_cc_license
from corpus.sources.license_names import (
    PROPRIETARY,
    UNKNOWN_LICENSE,
    join_licenses,
    license_lists,
    normalize_license,
    read_spdx_line,
)

VERSION = 2
"""Raised when the licence of some file changes."""
NOTICE_HEAD_BYTES = 4096
"""Bytes of a file that are searched for a notice."""

MIN_NOTICE_CHARACTERS = 8
_HINTS = (
    *(
        b"licen",
        b"permission",
        b"gpl",
        b"lizenz",
        b"proprietary",
        b"confidential",
        b"prohibited",
        b"commercial",
    ),
    *(b"trade secret", b"redistribut", b"use only", b"consent", b"unauthori", b"not be copied"),
)
_OTHER_HINTS = tuple(
    word.encode()
    for word in (
        *(
            "лиценз",
            "未经",
            "未經",
            "無断",
            "商业",
            "商業",
            "商用",
            "机密",
            "協議",
            "协议",
            "ライセンス",
            "許可",
            "许可",
        ),
        *("授权", "授權", "رخصة", "ترخيص", "конфиденциальн"),
    )
)
"""Every notice has one of these, in ASCII or in other scripts."""
_LINE = r"(?:\#|//|--|;|%|!|\*|::|\.\.[ ]|[\"'](?=\s)|(?:dnl|rem|@rem|REM|c|C)(?=[ \t]))[^\n]*"
_COMMENT = re.compile(
    r"^[ \t]*+(?=[/<\"'(\-#=;%!*:.{|@rRuUbBdcC])(?:<\?php[ \t]*)?"
    r"(?:(?:(?:/\*[^\n]*\*/|\(\*[^\n]*\*\))[ \t]*\n[ \t]*){2,}"
    r"|/\*.*?(?:\*/|\Z)|<!--.*?(?:-->|\Z)|[rRuUbB]?\"\"\".*?(?:\"\"\"|\Z)"
    r"|[rRuUbB]?'''.*?(?:'''|\Z)|\(\*.*?(?:\*\)|\Z)|\{-.*?(?:-\}|\Z)|--\[=*\[.*?(?:\]=*\]|\Z)|#\|.*?(?:\|#|\Z)"
    r"|<#.*?(?:#>|\Z)|=(?:begin|pod|head1).*?(?:^=(?:end|cut)|\Z)"
    rf"|{_LINE}(?:\n[ \t]*{_LINE})*)",
    re.MULTILINE | re.DOTALL,
)
"""A comment of any language, or lines of comments (each closed, as `/* so */`, or not) that follow one another."""
_DECORATION = re.compile(
    r"^[ \t]*(?:/\*+|\*+/?|<!--|[#;%!]+|/{2,}|-{2,}(?:\[=*\[)?|\(\*|\{-|dnl\b|@?rem\b|::|\.\.[ ]|[\"']{1,3}"
    r"|[cC](?=[ \t]{2}))"
    r"[ \t]?|[ \t]*(?:\*/|-->|\*\)|\"\"\"|''')[ \t]*$",
    re.MULTILINE,
)

_GRANT = (
    r"(?:\bunder\b|\bunder:|\blicen[sc]ed\b|\blicen[sc]e\s*[:=]|@licen[sc]e\b|\breleased\b|\bdistributed\b"
    r"|\bcovered by\b"
    r"|\bgoverned by\b|\bsubject to\b|\bterms of\b|\bprotected by\b|\bavailable as\b|__licen[sc]e__\s*=|\blicencia\b"
    r"|\blicen[cç]a\b|\blicenza\b|\blicence\b|\blizenz|\bbedingungen\b|\bselon les\b|\bsous\b|\bbajo\b|\bsob\b"
    r"|\bsotto\b|лиценз|услови"
    r"|遵循|遵守|采用|採用|基于|基於|许可|許可|授权|授權|رخصة|ترخيص)"
)
_GNU = re.compile(
    r"(?<![A-Za-z0-9_])GNU\s+Public\s+Licen[sc]e"
    r"|\b(?:GNU\s+)?(?:(?P<kind>Lesser|Library|Affero)\s+)?General\s+Public\s+Licen[sc]e"
    r"|(?<![A-Za-z0-9_])(?:GNU[\s-]+)?(?:(?P<word>Lesser|Library|Affero)\s+)?(?P<letter>[AL])?GPL"
    r"(?![- ]?compatib|['’]?e?d\b|(?-i:[a-uw-zA-UW-Z]))",
    re.IGNORECASE,
)
_GRANTED = re.compile(_GRANT)
_GRANT_WORDS = (
    *(
        "under",
        "licen",
        "released",
        "distributed",
        "covered by",
        "governed by",
        "subject to",
        "terms of",
        "protected by",
    ),
    *(
        "available as",
        "lizenz",
        "bedingungen",
        "selon les",
        "sous",
        "bajo",
        "sob",
        "sotto",
        "лиценз",
        "услови",
    ),
    *("遵循", "遵守", "采用", "採用", "基于", "基於", "许可", "許可", "授权", "授權", "رخصة", "ترخيص"),
)
"""Every grant has one of these."""
MAX_GRANT_CHARACTERS = 190
"""Characters before the name of a licence in which the words that grant it stand."""
_DENYING_WORDS = ("not", "incompatible", "instead")
_NOT_GRANTED = re.compile(
    r"\b(?:not|incompatible|instead)\b(?!\s+(?:only|use this))[^.]{0,60}\Z", re.IGNORECASE
)
_DENIED_GNU = re.compile(r"\b(?:not|incompatible|instead)\b[^.]{0,60}\Z", re.IGNORECASE)
_VERSION_AFTER = re.compile(
    r"(?:[^.]|\.(?=\S)){0,120}?(?:\bvers[^\W\d_]{2,5}\s*|\bверси\w+\s*|\bver\.?\s*|\bv\.?\s*|(?<=GPL)-?v?"
    r"|\A[\s,(-]*v?)(?P<number>[1-3](?:\.\d)?)(?!\d)(?P<plus>\+)?",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(
    r"\bversion\s+(?P<number>[1-3](?:\.\d)?)(?P<later>[^.]{0,60}?)\s+of\s+the\s*\Z", re.IGNORECASE
)
_LATER = re.compile(
    r"\b(?:any|or)\W+(?:later|newer|higher|greater)\b|\bor above\b|\blater version|\bspäter|\bultérieure|\bposterior"
    r"|\bsuccessiv|поздн|以降|以上|更高|更新的|后续|後續|أحدث",
    re.IGNORECASE,
)
_LICENSED_AFTER = re.compile(r"[ \t\dv.+-]{0,10}(?:ライセンス|许可|許可|授权|授權|协议|協議)")
_ONLY = re.compile(r"\A[^.]{0,40}\bonly\b", re.IGNORECASE)
_ANY_VERSION = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-3.0-or-later"}
"""A notice without version stands for any that was published."""

_GRANTED_NAMES = (
    (
        "Apache-2.0",
        "apache",
        r"\bApache(?:\s+Software)?(?:\s+(?:Public\s+)?Licen[sc]e)?[\s,(-]*(?:Version|v\.?)?[\s-]*2(?:\.0)?\b",
    ),
    (
        "MPL-2.0",
        "mozilla|mpl-|mpl |mpl,|mpl2|mplv|mpl/",
        r"\b(?:Mozilla\s+Public\s+Licen[sc]e|MPL)[\s,-]*(?:Version|v\.?)?\s*2(?:\.0)?\b",
    ),
    ("MPL-1.1", "1.1", r"\b(?:Mozilla\s+Public\s+Licen[sc]e\s+Version\s+1\.1\b|MPL 1\.1)"),
    ("EPL-2.0", "eclipse", r"\bEclipse\s+Public\s+Licen[sc]e[\s,-]*(?:Version|v\.?)?\s*2\.0\b"),
    ("EPL-1.0", "eclipse", r"\bEclipse\s+Public\s+Licen[sc]e[\s,-]*(?:Version|v\.?)?\s*1\.0\b"),
    ("LPPL-1.3c", "latex project", r"\bLaTeX\s+Project\s+Public\s+Licen[sc]e\b[^.]{0,60}?\b1\.3c?\b"),
    ("LPPL-1.2", "latex project", r"\bLaTeX\s+Project\s+Public\s+Licen[sc]e\b[^.]{0,60}?\b1\.2\b"),
    ("CDDL-1.0", "common development", r"\bCommon\s+Development\s+and\s+Distribution\s+Licen[sc]e"),
    (
        "EUPL-1.2",
        "eupl|european un",
        r"\b(?:European\s+Union\s+Public\s+Licen[sc]e|EUPL)[\s,-]*(?:Version|v)?\.?\s*1\.2\b",
    ),
    ("BSL-1.0", "boost", r"\bBoost\s+Software\s+Licen[sc]e"),
    ("SSPL-1.0", "server side", r"\bServer\s+Side\s+Public\s+Licen[sc]e"),
    ("BUSL-1.1", "business source", r"\bBusiness\s+Source\s+Licen[sc]e"),
    ("Elastic-2.0", "elastic", r"\bElastic\s+Licen[sc]e(?:\s+2\.0)?"),
    (
        "MIT",
        "mit l|mit/|mit (|mit o|mit a|license mit",
        r"\bMIT(?:\s*/\s*X11|\s+\(Expat\))?(?:\s+open source)?(?=\s+licen[sc]es?\b|\s+(?:and|or)\s+GPL)"
        r"|(?<=@license )MIT\b",
    ),
)  # fmt: skip
"""Licences with words of which one stands in every name of theirs, and their names, which count behind a grant."""
_PERMISSIONS = (
    (
        "MIT",
        "permission is hereby",
        r"Permission is hereby granted, free of charge, to any person obtaining a copy",
    ),
    (
        "ISC",
        "permission to use",
        r"Permission to use, copy, modify,? (?:and/or"
        r"|and) distribute this software for any purpose with or without fee "
        r"is hereby granted",
    ),
    (
        "Zlib",
        "as-is",
        r"provided ['‘’]as-is['‘’], without any express or implied warranty.{0,900}?must be plainly marked",
    ),
    (
        "Artistic-1.0-Perl OR GPL-1.0-or-later",
        "perl",
        r"\b(?:under|on|by) the same (?:terms|licen[sc]e)(?: and conditions)? as "
        r"(?:the )?Perl(?! ?6)(?:\s*5(?:\.[\d.]+)?)?\b",
    ),
    ("Unlicense", "unencumbered", r"This is free and unencumbered software released into the public domain"),
)
"""Licences that are told by their own words."""
_NAMES = tuple(
    (name, tuple(words.split("|")), re.compile(pattern, re.IGNORECASE))
    for name, words, pattern in _GRANTED_NAMES
)
_TEXTS = tuple((name, word, re.compile(pattern, re.IGNORECASE)) for name, word, pattern in _PERMISSIONS)
_BSD = re.compile(r"Redistribution and use in source and binary forms", re.IGNORECASE)
_ENDORSE = re.compile(r"endorse or promote\b", re.IGNORECASE)
_ADVERTISE = re.compile(r"All advertising materials", re.IGNORECASE)
_CHOICE = re.compile(
    r"\bdual\b|\bdual[ -]?licen|\balternatively\b"
    r"|\beither (?!version)(?:of|the|under|a)\b|\bof your choice\b|\bany of the following"
    r"|\byou may choose|\bat your option(?!\)?,? any)",
    re.IGNORECASE,
)
_NONCOMMERCIAL = re.compile(
    r"(?<!commercial and )(?<!commercial or )(?<!commercial, )(?<!commercial/)\bnon-?\s?commercial(?:ly)?\b"
    r"(?!\s*(?:,|/|and|or|as well as)\s*(?:for\s+)?commercial)"
    r"(?=[^.]{0,60}\b(?:use|purposes?|research|only|licen[sc]e|applications?|projects?|provided|basis)\b)"
    r"|\bnot\s+(?:be\s+)?(?:\w+\s+){0,3}?(?:for|in)\s+(?:any\s+)?commercial\s+(?:use|purposes?|products?|applications?)"
    r"|\bcommercial\s+use\s+(?:is\s+|of\s+[^.]{1,40}\s+is\s+)?(?:strictly\s+)?(?:prohibited|forbidden"
    r"|not\s+(?:permitted|allowed))"
    r"|\b(?:academic|research|educational|personal|evaluation)(?:\s+(?:and|or|/)\s*\w+)?\s+(?:use|purposes?)\s+only\b"
    r"|\bfor\s+evaluation\s+(?:purposes|only)|\bcommons\s+clause\b"
    r"|非商业|非商業|非商用|禁止商[用业業]|不得用于商业|不得用於商業|不可商用"
    r"|商用(?:利用)?(?:は)?(?:禁止|不可)|некоммерческ|только для личного",
    re.IGNORECASE,
)
_REFUSING_WORDS = (
    *(
        "proprietary",
        "confidential",
        "secret",
        "unauthori",
        "not be",
        "not distribute",
        "not redistribute",
        "no licen",
    ),
    *(
        "not free",
        "open source",
        "open-source",
        "commercial",
        "unlicensed",
        "closed",
        'rights reserved"',
        "none",
    ),
    *("not open", "未经", "未經", "机密", "機密", "無断", "конфиденциальн"),
)
_RESTRICTING_WORDS = ("commercial", "only", "evaluation", "commons clause", "商", "некоммерческ", "личного")
_EXCLUDING_WORDS = ("is not", "are not", "was not", "excluded")
_REFUSED = re.compile(
    r"\bproprietary\s+(?:and|&)\s+confidential\b|\bconfidential\s+(?:and|&)\s+proprietary\b"
    r"|\A.{0,160}\bproprietary[.\s]*\Z"
    r"|\bproprietary\s+(?:information|software|code|source|materials?|licen[sc]e|rights|to|property|notice|product)\b"
    r"|\bis\s+(?:(?!not\b)\w+\s+){0,2}proprietary\b(?!\s+(?:format|protocol|extension|api))"
    r"|\b(?:company|strictly|highly|private\s+and)\s+confidential\b|\bconfidential\s+(?:information|property"
    r"|material|source)\s+of\b"
    r"|\bcontains?\s+(?:\w+\s+){0,3}trade\s+secrets?\b|\btrade\s+secrets?\s+of\b"
    r"|\bunauthori[sz]ed\s+(?:\w+,?\s+){0,3}?(?:copying|use|reproduction|distribution|disclosure|duplication)\b"
    r"|\b(?:may|must|can|shall)\s?not\s+be\s+(?:copied|reproduced|(?:re)?distributed|disclosed|used|modified"
    r"|shared|transmitted)\b"
    r"(?!\s+(?:to\s+endorse|in\s+advertising|to\s+promote))[^.]{0,160}\b(?:without|unless)\b"
    r"|\bdo\s+not\s+(?:re)?distribute\b|\bis\s+not\s+(?:free|open[- ]source)\s+software\b"
    r"|\blicen[sc]e\s*[:=]\s*[\"']?(?:proprietary|commercial\b|closed|unlicensed\b|none\b(?!\W{0,3}public domain)"
    r"|all rights reserved)"
    r"|\bno\s+licen[sc]e\s+is\s+granted\b|\blicensed\s+under\s+a\s+(?:commercial|proprietary)\b"
    r"|未经(?:[^。]{0,30})(?:许可|授权|允许)[^。]{0,30}(?:不得|禁止|严禁)|未經(?:[^。]{0,30})(?:許可|授權|允許)[^。]{0,30}(?:不得|禁止|嚴禁)"
    r"|商业机密|商業機密|無断(?:転載|複製|使用)[^。]{0,6}禁|конфиденциальн\w* информаци",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\b(?:also|alternatively|or|either|dual|additionally|optionally|otherwise)\b[^.]{0,120}?"
    r"\b(?:commercial|proprietary)(?:[\s-]+[\w-]+){0,2}\s+licen[sc]\w*[^.]{0,80}"
    r"|\b(?:commercial|proprietary)(?:[\s-]+[\w-]+){0,2}\s+licen[sc]\w*(?:\s+\w+){0,2}"
    r"\s+(?:is|are|may be|can be)"
    r"\s+(?:\w+\s+)?(?:available|obtained|purchased|offered|sold|granted)[^.]{0,80}"
    r"|\b(?:to use|for)\b[^.]{0,60}\b(?:commercial|proprietary)\b"
    r"[^.]{0,60}\b(?:contact|purchase|obtain|buy)\b[^.]{0,80}",
    re.IGNORECASE,
)
"""A commercial licence that is to be had besides."""
_INTERNAL = re.compile(r"\b(?:internal\s+use\s+only|only\s+for\s+internal\s+use)\b", re.IGNORECASE)
_NOT_UNDER = re.compile(
    r"\b(?:is|are|was)\s+(?:not|explicitly\s+excluded\s+from|excluded\s+from)\s*(?:covered\s+by"
    r"|licen[sc]ed\s+under|released\s+under|subject\s+to|under)?"
    r"\s+(?:the|this|our|an?|any)\s+(?:[\w-]+['’]?s?\s+){0,4}(?:licen[sc]e|terms)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^[ \t:@\\*-]*(?:__)?licen[sc]e(?:__)?[ \t]*[:=]+[ \t]*[\"']?([A-Za-z][^\n\"']{1,80}?)[\"']?[ \t.]*$",
    re.IGNORECASE | re.MULTILINE,
)
_DUNDER = re.compile(rb"^__licen[sc]e__[ \t]*=[ \t]*[\"'][^\"'\n]{1,80}[\"']", re.MULTILINE)


def read_own_license(body: bytes) -> str | None:
    """Return the licence that a file states for itself, an SPDX expression; `unknown` where it restricts or denies in
    words that no identifier stands for; None where it states nothing."""
    spdx = read_spdx_line(body)
    if spdx is not None:
        return spdx
    head = body[:NOTICE_HEAD_BYTES]
    folded = head.lower()
    hints = [word for word in _HINTS if word in folded]
    if not folded.isascii():
        hints += [word for word in _OTHER_HINTS if word in folded]
    if not hints:
        return None
    stated: list[str] = []
    last = max(map(folded.rfind, hints))  # in bytes: a comment behind it in characters has no hint
    for match in _COMMENT.finditer(head.decode("utf-8", "replace").removeprefix("\ufeff")):
        if match.start() > last:
            break
        comment = match[0]
        if len(comment) < MIN_NOTICE_CHARACTERS:
            continue
        lowered = comment.encode().lower()
        if any(hint in lowered for hint in hints) and (license := read_notice(comment)) is not None:
            stated.append(license)
    if b"__licen" in head and (dunder := _DUNDER.search(head)):
        license = read_notice(dunder[0].decode("ascii", "replace"))
        stated += [license] if license is not None else []
    return join_licenses(stated)


def _has_any(folded: str, words: tuple[str, ...]) -> bool:
    return any(word in folded for word in words)


@lru_cache(maxsize=4096)
def read_notice(comment: str) -> str | None:
    """Return the licence that a comment gives, `unknown` or None as `read_own_license` does. Kept for the next file."""
    text = _DECORATION.sub("", comment)
    joined = " ".join(text.split())
    folded = joined.casefold()
    named = _find_named(text) if "licen" in folded else []
    names = list(dict.fromkeys(named or [*_find_gnu(joined, folded), *_find_known(joined, folded)]))
    creative = find_cc_license(joined) if "commons" in folded or "CC" in joined else None
    if creative is not None and creative not in names:
        names.append(creative)
    if _has_any(folded, _EXCLUDING_WORDS) and _NOT_UNDER.search(joined):
        return UNKNOWN_LICENSE
    if (_has_any(folded, _REFUSING_WORDS) and _is_refused(joined, bool(names))) or (
        "copyright" in folded and _INTERNAL.search(joined)
    ):
        return UNKNOWN_LICENSE if names else PROPRIETARY
    named_restriction = any("-NC" in name for name in names)
    if not named_restriction and _has_any(folded, _RESTRICTING_WORDS) and _NONCOMMERCIAL.search(joined):
        return UNKNOWN_LICENSE
    if "BUSL-1.1" in names:
        return "BUSL-1.1"  # what it becomes on a later day does not hold yet
    if len(names) <= 1:
        return names[0] if names else None
    bracketed = [f"({name})" if " " in name else name for name in names]
    return (" OR " if _CHOICE.search(joined) else " AND ").join(bracketed)


def _is_refused(joined: str, is_named: bool) -> bool:
    """Return whether a notice refuses; the offer of a commercial licence beside another is no refusal."""
    return _REFUSED.search(joined) is not None and not (
        is_named and _REFUSED.search(_OFFER.sub(" ", joined)) is None
    )


def _find_named(text: str) -> list[str]:
    """Return the licences of lines such as `License: MPL-2.0`, as far as their names are known."""
    identifiers = frozenset().union(*license_lists().sets.values())
    names = []
    for match in _NAMED.finditer(text):
        name = normalize_license(match[1].strip(" .,"))
        words = set(re.findall(r"[\w.+-]+", name or "")) - {"AND", "OR", "WITH"}
        if name is not None and words <= identifiers and name != "BSD":
            names.append(name)
    return names


def _find_gnu(joined: str, folded: str) -> list[str]:
    """Return the GNU licences that a notice grants, each with its version, `-only` or `-or-later`."""
    if "gpl" not in folded and "public licen" not in folded:
        return []
    names: list[str] = []
    mentioned: dict[str, str] = {}
    for match in _GNU.finditer(joined):
        before = joined[max(0, match.start() - 200) : match.start()]
        if _has_any(before.lower(), _DENYING_WORDS) and _DENIED_GNU.search(before):
            continue
        kind = (match["kind"] or match["word"] or match["letter"] or "").lower()
        family = "AGPL" if kind.startswith("a") else "LGPL" if kind else "GPL"
        following = _GNU.search(joined, match.end())
        after = joined[match.end() : match.end() + 220]
        if following is not None and _has_grant(joined[match.end() : following.start()]):
            after = joined[match.end() : following.start()][:220]
        name = _format_gnu(family, before, after)
        if _has_grant(before) or _LICENSED_AFTER.match(joined, match.end()):
            names.append(name)
        elif name != _ANY_VERSION[family]:
            mentioned.setdefault(family, name)
    names = [
        mentioned.get(family, name) if name == _ANY_VERSION[family := name.partition("-")[0]] else name
        for name in names
    ]
    versioned = [name for name in names if name != _ANY_VERSION[name.partition("-")[0]]]
    return list(dict.fromkeys(versioned or names))[:3]


def _is_granted(joined: str, at: int) -> bool:
    """Return whether the words before the name of a licence grant it, and do not deny it."""
    before = joined[max(0, at - 200) : at]
    if not _has_grant(before):
        return False
    return not _has_any(before.lower(), _DENYING_WORDS) or _NOT_GRANTED.search(before) is None


def _has_grant(before: str) -> bool:
    """Return whether the sentence that is going on at the end of a text grants something.

    A sentence goes on behind the point of a version or an address.
    """
    if before.endswith("."):
        return False
    begin = max(before.rfind(". "), before.rfind("\u3002")) + 1
    sentence = before[max(begin, len(before) - MAX_GRANT_CHARACTERS) :].lower()
    return _has_any(sentence, _GRANT_WORDS) and _GRANTED.search(sentence) is not None


def _format_gnu(family: str, before: str, after: str) -> str:
    preceding = _VERSION_BEFORE.search(before)
    stated = preceding or _VERSION_AFTER.match(after)
    if stated is None:
        return _ANY_VERSION[family]
    number = stated["number"] if "." in stated["number"] else f"{stated['number']}.0"
    if preceding is not None:
        rest = preceding["later"] + after[:80]
        plus = False
    else:
        rest = after[stated.end() : stated.end() + 90]
        plus = stated["plus"] is not None
    later = plus or (_LATER.search(rest) is not None and not _ONLY.match(rest))
    return f"{family}-{number}-{'or-later' if later else 'only'}"


def _find_known(joined: str, folded: str) -> list[str]:
    names = [name for name, word, pattern in _TEXTS if word in folded and pattern.search(joined)]
    for name, words, pattern in _NAMES:
        if name in names or not _has_any(folded, words):
            continue
        if any(_is_granted(joined, match.start()) for match in pattern.finditer(joined)):
            names.append(name)
    if "redistribution and use" in folded and _BSD.search(joined):
        names.append(
            "BSD-4-Clause"
            if _ADVERTISE.search(joined)
            else "BSD-3-Clause"
            if _ENDORSE.search(joined)
            else "BSD-2-Clause"
        )
    return names
