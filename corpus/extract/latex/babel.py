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
MAX_LETTER_CHARACTERS = 200_000
"""Characters of a body of which the letters are counted."""
MIN_LETTERS = 5
"""Letters of another script than those of East Asia, below which fonts decide."""
LETTERS_A_CHARACTER = 2.5
"""Letters that say as much as one character of East Asia."""
MIN_KANA_SHARE = 0.1
_MARKUP = re.compile(r"\$[^$]*\$|\\(?:begin|end|label|ref|eqref|cite)\s*(?:\{[^{}]*\}){1,3}|\\[A-Za-z@]+")
_LETTERS = re.compile(r"[^\W\d_]")
_CHINESE = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_CLASS = re.compile(r"\\documentclass\s*\[([^\]]*)\]")
_MAIN = re.compile(r"(?:^|,)\s*main\s*=\s*(\w+)")
_POLISH = re.compile(r"\\usepackage\s*(?:\[[^\]]*\])?\s*\{[^{}]*\bpolski\b")
_PROOFS = {
    "chinese": "证明", "japanese": "証明", "german": "Beweis", "french": "Démonstration", "russian": "Доказательство",
    "ukrainian": "Доведення", "spanish": "Demostración", "italian": "Dimostrazione", "portuguese": "Demonstração",
    "polish": "Dowód", "dutch": "Bewijs", "czech": "Důkaz", "bulgarian": "Доказателство", "greek": "Απόδειξη",
}  # fmt: skip
_THEOREMS = {
    "german": ("Satz", "Lemma", "Proposition", "Korollar", "Definition", "Bemerkung", "Beispiel"),
    "french": ("Théorème", "Lemme", "Proposition", "Corollaire", "Définition", "Remarque", "Exemple"),
    "spanish": ("Teorema", "Lema", "Proposición", "Corolario", "Definición", "Observación", "Ejemplo"),
    "portuguese": ("Teorema", "Lema", "Proposição", "Corolário", "Definição", "Observação", "Exemplo"),
    "italian": ("Teorema", "Lemma", "Proposizione", "Corollario", "Definizione", "Osservazione", "Esempio"),
    "polish": ("Twierdzenie", "Lemat", "Stwierdzenie", "Wniosek", "Definicja", "Uwaga", "Przykład"),
    "russian": ("Теорема", "Лемма", "Предложение", "Следствие", "Определение", "Замечание", "Пример"),
    "ukrainian": ("Теорема", "Лема", "Твердження", "Наслідок", "Означення", "Зауваження", "Приклад"),
    "chinese": ("定理", "引理", "命题", "推论", "定义", "注", "例"),
    "japanese": ("定理", "補題", "命題", "系", "定義", "注意", "例"),
}
"""Theorem, lemma, proposition, corollary, definition, remark, example."""
_PLACES = {
    "theorem": 0, "thm": 0, "lemma": 1, "lem": 1, "proposition": 2, "prop": 2, "corollary": 3, "cor": 3,
    "definition": 4, "defn": 4, "remark": 5, "rem": 5, "example": 6,
}  # fmt: skip
_OTHER_NAMES = {
    "ngerman": "german", "austrian": "german", "naustrian": "german", "francais": "french", "frenchb": "french",
    "russianb": "russian", "ukraineb": "ukrainian", "brazil": "portuguese", "brazilian": "portuguese",
    "portuges": "portuguese", "acadian": "french", "swissgerman": "german", "nswissgerman": "german",
    "mexican": "spanish",
}  # fmt: skip
_UMLAUT = re.compile(r'"([aouAOUs])')
_UMLAUTS = {"a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü", "s": "ß"}
_QUOTES = {
    '"`': "„",
    "\"'": "“",
    '"<': "«",
    '">': "»",
    '"---': "---",
    '"--~': "---~",
    '"--*': "---",
    '"|': "",
    '"=': "-",
    '"~': "-",
    '"-': "",
    '""': "",
}


_OTHER_SHORTHANDS = (
    "spanish",
    "portuguese",
    "italian",
    "dutch",
    "polish",
    "czech",
    "french",
    "catalan",
    "danish",
)
"""Languages of which only those shorthands are read that cannot be straight quotes."""
_HYPHEN = re.compile(r'(?<=[^\W\d_])"([-=~|])(?=[^\W\d_])')
_HYPHENS = {"-": "", "=": "-", "~": "-", "|": "", "portuguese -": "-"}
_GUILLEMETS = re.compile(r'"<([^"<>]{1,500})">')
_LOW_QUOTES = re.compile(r"\"`([^\"`]{1,500})\"'")


def language_of(tex: str) -> str | None:
    """Return the language that a paper is set in, by babel's name; None if it names none, as English ones do."""
    language: str | None = None
    head = tex[:LANGUAGE_SEARCH_CHARACTERS]
    for match in _LANGUAGES.finditer(head):
        if match[6]:
            return "japanese"
        if match[5]:
            eastern = "chinese" if match[5].startswith("ctex") else _read_eastern_language(tex)
            if eastern is not None:
                return eastern
            continue
        named = next(group for group in match.groups() if group)
        main = _MAIN.search(named)
        name = main[1] if main is not None else named.split(",")[-1].strip()
        language = _OTHER_NAMES.get(name, name)
    return language or _read_class_language(head)


def _read_eastern_language(tex: str) -> str | None:
    """Return the language of a paper that loads fonts of East Asia, by most of its text; None for that of another."""
    begin = tex.find("\\begin{document}")
    text = _MARKUP.sub("", tex[max(0, begin) : max(0, begin) + MAX_LETTER_CHARACTERS])
    chinese, kana, hangul = (len(letters.findall(text)) for letters in (_CHINESE, _KANA, _HANGUL))
    others = len(_LETTERS.findall(text)) - chinese - kana - hangul
    eastern = chinese + kana + hangul
    if others >= MIN_LETTERS and eastern * LETTERS_A_CHARACTER < others:
        return None
    if kana > MIN_KANA_SHARE * eastern:
        return "japanese"
    return "korean" if hangul > eastern / 2 else "chinese"


def _read_class_language(head: str) -> str | None:
    """Return the last language among the options of a paper's class, which babel reads where it has none itself."""
    options = _CLASS.search(head)
    names = [name.strip() for name in options[1].split(",")] if options is not None else []
    known = [_OTHER_NAMES.get(name, name) for name in names]
    named = [name for name in known if name in _PROOFS or name in ("english", "american", "british")]
    return named[-1] if named else "polish" if _POLISH.search(head) else None


def find_theorem_names(language: str | None) -> dict[str, str]:
    """Return what the environments of theorems that a paper does not define itself print in its language."""
    names = _THEOREMS.get(language or "")
    return {environment: names[place] for environment, place in _PLACES.items()} if names is not None else {}


def find_proof_word(language: str | None) -> str:
    """Return the word that precedes a proof."""
    return _PROOFS.get(language or "", "Proof")


def replace_shorthands(text: str, language: str | None) -> str:
    """Return the text without babel's shorthands that begin with a straight quote: `"a`, `"---`, `"<`."""
    if '"' not in text:
        return text
    if language in _OTHER_SHORTHANDS:
        text = _HYPHEN.sub(lambda match: _HYPHENS.get(f"{language} {match[1]}", _HYPHENS[match[1]]), text)
        return _GUILLEMETS.sub(r"«\1»", _LOW_QUOTES.sub(r"„\1”", text))
    if language not in ("german", "russian", "ukrainian"):
        return text
    if language == "german":
        text = _UMLAUT.sub(lambda match: _UMLAUTS[match[1]], text)
    for shorthand, instead in _QUOTES.items():
        text = text.replace(shorthand, instead)
    return text
