"""Languages, licences and sizes as the Hugging Face hub calls them in the head of a dataset's card."""

from __future__ import annotations

import re
from functools import cache

from corpus.languages.labels import labels, language_part

_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo "
    "es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka "
    "kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng "
    "nl nn nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv "
    "sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
ISO_639_1 = _ISO_639_1.split()
"""All codes of two letters but `no` and `sh`, which stand for several languages."""

_HUB_LICENSES = (
    "afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc "
    "cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 "
    "cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 "
    "cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 "
    "gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 "
    "osl-3.0 pddl postgresql unlicense wtfpl zlib"
)
HUB_LICENSES = frozenset(_HUB_LICENSES.split())
_HUB_NAMES = {
    "agpl-3.0-only": "agpl-3.0", "agpl-3.0-or-later": "agpl-3.0", "gpl-2.0-only": "gpl-2.0",
    "gpl-2.0-or-later": "gpl-2.0", "gpl-3.0-only": "gpl-3.0", "gpl-3.0-or-later": "gpl-3.0",
    "lgpl-2.1-only": "lgpl-2.1", "lgpl-2.1-or-later": "lgpl-2.1", "lgpl-3.0-only": "lgpl-3.0",
    "lgpl-3.0-or-later": "lgpl-3.0", "odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl",
    "gfdl-1.1-or-later": "gfdl", "gfdl-1.2-or-later": "gfdl", "gfdl-1.3-or-later": "gfdl", "gfdl-1.3-only": "gfdl",
}  # fmt: skip
"""SPDX names in small letters -> the hub's."""


@cache
def _two_letter_codes() -> dict[str, str]:
    """Return our code -> the code of two letters."""
    known = labels()
    return {code: two for two in reversed(ISO_639_1) if (code := known.code(two)) is not None}


def name_hub_language(label: str) -> str | None:
    """Return the code that the hub wants for a label: of ISO 639-1 if there is one, else of ISO 639-3.

    `code` for source code; None for text in no known language.
    """
    code = language_part(label)
    if code == "und":
        return None
    return _two_letter_codes().get(code, code)


def name_configuration(label: str) -> str:
    """Return the name of a language's configuration: its code in labels, in manifests and for `--language`, cmn for
    cmn_Hans and cmn_Hant, code for code_python."""
    return re.sub(r"[^\w.+-]", "-", language_part(label))


def name_hub_license(name: str | None) -> str:
    """Return the hub's name of an SPDX licence; `other` if it has none, `unknown` for None."""
    if not name:
        return "unknown"
    lower = name.lower()
    lower = _HUB_NAMES.get(lower, lower)
    return lower if lower in HUB_LICENSES else "other"


def name_size(documents: int) -> str:
    """Return the hub's size category: `1K<n<10K`."""
    steps = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]
    for power, (low, high) in enumerate(zip(["", *steps], steps, strict=False), 3):
        if documents < 10**power:
            return f"{low}<n<{high}" if low else f"n<{high}"
    return "n>1T"
