"""Handle what babel and CJK classes change in a paper's text: shorthands of a language, and its word for a proof."""

from __future__ import annotations

import re

LANGUAGE_SEARCH_CHARACTERS = 20_000
"""Characters in which a paper names its languages."""

_LANGUAGES = re.compile(
    r"\\usepackage\s*\[([^\]]*)\]\s*\{babel\}|\\(?:setdefault|setmain)language\s*(?:\[[^\]]*\])?\{(\w+)\}"
    r"|\\usepackage\s*(?:\[[^\]]*\])?\s*\{(n?german)\}|\\documentstyle\s*\[[^\]]*?\b(german|russian|french)\b"
    r"|\{(ctex\w*|CJK\w*|xeCJK)\}|\{(u?[jt]s?(?:article|book|report)|luatexja[\w-]*|jlreq)\}"
)
_PROOFS = {
    "chinese": "证明", "japanese": "証明", "german": "Beweis", "french": "Démonstration", "russian": "Доказательство",
    "ukrainian": "Доведення", "spanish": "Demostración", "italian": "Dimostrazione", "portuguese": "Demonstração",
    "polish": "Dowód", "dutch": "Bewijs", "czech": "Důkaz", "bulgarian": "Доказателство", "greek": "Απόδειξη",
}  # fmt: skip
_OTHER_NAMES = {
    "ngerman": "german", "austrian": "german", "naustrian": "german", "francais": "french", "frenchb": "french",
    "russianb": "russian", "ukraineb": "ukrainian", "brazil": "portuguese", "brazilian": "portuguese",
}  # fmt: skip
_UMLAUT = re.compile(r'"([aouAOUs])')
_UMLAUTS = {"a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü", "s": "ß"}
_QUOTES = {
    '"`': "„",
    "\"'": "“",
    '"<': "«",
    '">': "»",
    '"---': "---",
    '"=': "-",
    '"~': "-",
    '"-': "",
    '""': "",
}


def language_of(tex: str) -> str | None:
    """Return the language that a paper is set in, by babel's name; None if it names none, as English ones do."""
    language: str | None = None
    for match in _LANGUAGES.finditer(tex[:LANGUAGE_SEARCH_CHARACTERS]):
        if match[5] or match[6]:
            return "chinese" if match[5] else "japanese"
        named = next(group for group in match.groups() if group)
        name = named.split(",")[-1].strip().removeprefix("main=")
        language = _OTHER_NAMES.get(name, name)
    return language


def find_proof_word(language: str | None) -> str:
    """Return the word that precedes a proof."""
    return _PROOFS.get(language or "", "Proof")


def replace_shorthands(text: str, language: str | None) -> str:
    """Return the text without babel's shorthands that begin with a straight quote: `"a`, `"---`, `"<`."""
    if language not in ("german", "russian", "ukrainian") or '"' not in text:
        return text
    if language == "german":
        text = _UMLAUT.sub(lambda match: _UMLAUTS[match[1]], text)
    for shorthand, instead in _QUOTES.items():
        text = text.replace(shorthand, instead)
    return text
