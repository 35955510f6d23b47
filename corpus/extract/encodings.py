"""Bytes of a page to text: by what it declares where that holds, else by what the bytes look like."""

from __future__ import annotations

import codecs
import re
from functools import cache

import cchardet

from corpus.extract.mojibake import mojibake

PRESCAN = 4096
"""Bytes searched for a declaration in the document. Browsers search 1,024; pages put it later."""

_LABELS = {
    "utf-8": "utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf8mb4",
    "utf-16-le": "utf-16 utf-16le ucs-2 unicode unicodefeff csunicode iso-10646-ucs-2",
    "utf-16-be": "utf-16be unicodefffe",
    "utf-32": "utf-32 utf32",
    "cp1252": "windows-1252 cp1252 x-cp1252 ascii us-ascii ansi_x3.4-1968 iso-8859-1 iso8859-1 iso_8859-1 "
    "iso_8859-1:1987 iso88591 iso-ir-100 latin1 latin-1 l1 cp819 ibm819 csisolatin1 ansi",
    "iso8859_2": "iso-8859-2 iso8859-2 iso_8859-2 iso88592 iso-ir-101 latin2 l2 csisolatin2 iso_8859-2:1987",
    "iso8859_3": "iso-8859-3 iso8859-3 iso_8859-3 iso88593 iso-ir-109 latin3 l3 csisolatin3",
    "iso8859_4": "iso-8859-4 iso8859-4 iso_8859-4 iso88594 iso-ir-110 latin4 l4 csisolatin4",
    "iso8859_5": "iso-8859-5 iso8859-5 iso_8859-5 iso88595 iso-ir-144 cyrillic csisolatincyrillic",
    "iso8859_6": "iso-8859-6 iso8859-6 iso_8859-6 iso88596 iso-ir-127 arabic asmo-708 ecma-114 csisolatinarabic "
    "iso-8859-6-e iso-8859-6-i",
    "iso8859_7": "iso-8859-7 iso8859-7 iso_8859-7 iso88597 iso-ir-126 greek greek8 elot_928 ecma-118 sun_eu_greek "
    "csisolatingreek",
    "iso8859_8": "iso-8859-8 iso8859-8 iso_8859-8 iso88598 iso-ir-138 hebrew visual csisolatinhebrew iso-8859-8-e "
    "iso-8859-8-i logical csiso88598i",
    "iso8859_10": "iso-8859-10 iso8859-10 iso885910 iso-ir-157 latin6 l6 csisolatin6",
    "iso8859_13": "iso-8859-13 iso8859-13 iso885913 latin7",
    "iso8859_14": "iso-8859-14 iso8859-14 iso885914 latin8",
    "iso8859_15": "iso-8859-15 iso8859-15 iso_8859-15 iso885915 latin9 l9 csisolatin9",
    "iso8859_16": "iso-8859-16 iso8859-16 latin10",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251 win-1251",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso_8859-9 iso88599 iso-ir-148 latin5 l5 csisolatin5 "
    "iso_8859-9:1989",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "cp874": "windows-874 cp874 dos-874 tis-620 tis620 iso-8859-11 iso8859-11 iso885911",
    "koi8_r": "koi8-r koi koi8 koi8_r cskoi8r",
    "koi8_u": "koi8-u koi8-ru",
    "cp855": "ibm855 cp855 855",
    "cp866": "ibm866 cp866 866 csibm866",
    "mac_roman": "macintosh mac x-mac-roman macroman csmacintosh",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian maccyrillic mac-cyrillic",
    "gb18030": "gb18030 gbk x-gbk gb2312 gb_2312 gb_2312-80 csgb2312 csiso58gb231280 chinese iso-ir-58 cp936 ms936 "
    "windows-936 euc-cn",
    "hz": "hz-gb-2312 hz",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5 big5-eten cp950 windows-950",
    "euc_jp": "euc-jp x-euc-jp x-euc eucjp cseucpkdfmtjapanese",
    "cp932": "shift_jis shift-jis sjis x-sjis csshiftjis ms932 ms_kanji windows-31j cp932",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "iso2022_kr": "iso-2022-kr csiso2022kr",
    "cp949": "euc-kr euckr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
    "windows-949 cp949 uhc",
    "johab": "johab cp1361",
}
"""Python codec -> the labels it stands for, after the WHATWG Encoding Standard (a charset is decoded by
the superset that browsers use: gb2312 as gb18030, iso-8859-1 as windows-1252), with a few more that
archives hold (ibm855, johab, hz, iso-2022-kr)."""

_WIDER = {
    "euc_jp": ("euc_jis_2004",),
    "cp932": ("shift_jis_2004",),
    "iso2022_jp": ("iso2022_jp_ext", "iso2022_jp_2004"),
    "big5hkscs": ("cp950",),
}
"""Codecs to try, in order, for bytes that the first one of a label rejects."""

_MULTIBYTE = frozenset({"gb18030", "big5hkscs", "euc_jp", "cp932", "cp949", "johab"})
