"""Write references to what has numbers in a paper as they are printed: `2.1`, `(3)`, `Theorems 2.1 and 2.2`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from corpus.extract.latex.commands import LIST_WORDS, RANGE_WORDS

_KEYS = r"\s*\{([^{}]{1,400})\}"
REFERENCE = re.compile(
    rf"\\(ref|eqref|[cC]ref|[aA]utoref|[vV]ref|[fF]ref|prettyref|(?:fig|tab|sec|thm|lem)ref|labelcref|zref|refeq|rf"
    rf"|nameref|name[cC]ref|lcnamecref)(?![A-Za-z@])\*?(?:\[[^\[\]]*\])?{_KEYS}"
    rf"|\\([cC]ref|[vV]ref)range(?![A-Za-z@])\*?{_KEYS}{_KEYS}"
)
_NAMED = frozenset(
    (
        "cref",
        "Cref",
        "autoref",
        "Autoref",
        "fref",
        "Fref",
        "prettyref",
        "figref",
        "tabref",
        "secref",
        "thmref",
        "lemref",
    )
)
"""Commands that print the name of what they refer to."""
_STANDARD = frozenset(("cref", "Cref", "autoref", "Autoref", "vref", "Vref"))
"""Those of packages; others are of classes that are not known here, and some print the number only."""
_NAMED_BY_CLEVEREF = frozenset(("vref", "Vref"))
_FORMAT = re.compile(r"\\(cref)format\s*\{(\w+)\}\s*\{((?:[^{}]|\{[^{}]{0,100}\}){0,100})\}")
_OWN_NAME = re.compile(
    r"\\crefname\s*\{(\w+)\}\s*\{((?:[^{}]|\{[^{}]{0,100}\}){0,100})\}\s*\{((?:[^{}]|\{[^{}]{0,100}\}){0,100})\}"
)
_CLEVEREF = re.compile(r"\{(?:[^{}]*,)?\s*cleveref\s*[,}]")
_BRACKETED = ("equation",)
"""Kinds whose numbers stand in brackets."""
_SECTIONS = ("part", "chapter", "section", "appendix")
_PREFIXES = {"eq": "equation", "fig": "figure", "tab": "table", "tbl": "table"}
"""What labels of a kind begin with, before a colon."""
_PREFIX = re.compile(r"([a-z]+)[:._-]")
_NAMES = {
    "": {
        "part": ("Part", "Parts"), "chapter": ("Chapter", "Chapters"), "section": ("Section", "Sections"),
        "appendix": ("Appendix", "Appendices"), "equation": ("Equation", "Equations"), "figure": ("Figure", "Figures"),
        "table": ("Table", "Tables"), "algorithm": ("Algorithm", "Algorithms"), "listing": ("Listing", "Listings"),
        "lstlisting": ("Listing", "Listings"), "item": ("Item", "Items"), "footnote": ("Footnote", "Footnotes"),
    },
    "german": {
        "part": ("Teil", "Teile"), "chapter": ("Kapitel", "Kapitel"), "section": ("Abschnitt", "Abschnitte"),
        "appendix": ("Anhang", "Anhänge"), "equation": ("Gleichung", "Gleichungen"),
        "figure": ("Abbildung", "Abbildungen"), "table": ("Tabelle", "Tabellen"), "item": ("Punkt", "Punkte"),
        "algorithm": ("Algorithmus", "Algorithmen"), "footnote": ("Fußnote", "Fußnoten"),
    },
    "french": {
        "part": ("Partie", "Parties"), "chapter": ("Chapitre", "Chapitres"), "section": ("Section", "Sections"),
        "appendix": ("Annexe", "Annexes"), "equation": ("Équation", "Équations"), "figure": ("Figure", "Figures"),
        "table": ("Tableau", "Tableaux"), "algorithm": ("Algorithme", "Algorithmes"), "item": ("Point", "Points"),
    },
    "spanish": {
        "part": ("Parte", "Partes"), "chapter": ("Capítulo", "Capítulos"), "section": ("Sección", "Secciones"),
        "appendix": ("Apéndice", "Apéndices"), "equation": ("Ecuación", "Ecuaciones"),
        "figure": ("Figura", "Figuras"), "table": ("Tabla", "Tablas"), "algorithm": ("Algoritmo", "Algoritmos"),
        "item": ("Punto", "Puntos"),
    },
    "portuguese": {
        "part": ("Parte", "Partes"), "chapter": ("Capítulo", "Capítulos"), "section": ("Seção", "Seções"),
        "appendix": ("Apêndice", "Apêndices"), "equation": ("Equação", "Equações"), "figure": ("Figura", "Figuras"),
        "table": ("Tabela", "Tabelas"), "algorithm": ("Algoritmo", "Algoritmos"), "item": ("Item", "Itens"),
    },
    "italian": {
        "part": ("Parte", "Parti"), "chapter": ("Capitolo", "Capitoli"), "section": ("Sezione", "Sezioni"),
        "appendix": ("Appendice", "Appendici"), "equation": ("Equazione", "Equazioni"),
        "figure": ("Figura", "Figure"), "table": ("Tabella", "Tabelle"), "algorithm": ("Algoritmo", "Algoritmi"),
        "item": ("Punto", "Punti"),
    },
    "dutch": {
        "part": ("Deel", "Delen"), "chapter": ("Hoofdstuk", "Hoofdstukken"), "section": ("Paragraaf", "Paragrafen"),
        "appendix": ("Bijlage", "Bijlagen"), "equation": ("Vergelijking", "Vergelijkingen"),
        "figure": ("Figuur", "Figuren"), "table": ("Tabel", "Tabellen"), "algorithm": ("Algoritme", "Algoritmen"),
    },
    "polish": {
        "part": ("Część", "Części"), "chapter": ("Rozdział", "Rozdziały"), "section": ("Sekcja", "Sekcje"),
        "appendix": ("Dodatek", "Dodatki"), "equation": ("Równanie", "Równania"), "figure": ("Rysunek", "Rysunki"),
        "table": ("Tabela", "Tabele"), "algorithm": ("Algorytm", "Algorytmy"),
    },
    "russian": {
        "part": ("Часть", "Части"), "chapter": ("Глава", "Главы"), "section": ("Раздел", "Разделы"),
        "appendix": ("Приложение", "Приложения"), "equation": ("Уравнение", "Уравнения"),
        "figure": ("Рисунок", "Рисунки"), "table": ("Таблица", "Таблицы"), "algorithm": ("Алгоритм", "Алгоритмы"),
    },
    "ukrainian": {
        "part": ("Частина", "Частини"), "chapter": ("Глава", "Глави"), "section": ("Розділ", "Розділи"),
        "appendix": ("Додаток", "Додатки"), "equation": ("Рівняння", "Рівняння"), "figure": ("Рисунок", "Рисунки"),
        "table": ("Таблиця", "Таблиці"), "algorithm": ("Алгоритм", "Алгоритми"),
    },
    "chinese": {
        "part": ("部分", "部分"), "chapter": ("章", "章"), "section": ("节", "节"), "appendix": ("附录", "附录"),
        "equation": ("式", "式"), "figure": ("图", "图"), "table": ("表", "表"), "algorithm": ("算法", "算法"),
    },
    "japanese": {
        "part": ("部", "部"), "chapter": ("章", "章"), "section": ("節", "節"), "appendix": ("付録", "付録"),
        "equation": ("式", "式"), "figure": ("図", "図"), "table": ("表", "表"),
        "algorithm": ("アルゴリズム", "アルゴリズム"),
    },
}  # fmt: skip
"""Language -> kind of what is referred to -> its name for one and for several."""
_ENGLISH = ("", "english", "american", "british", "USenglish", "UKenglish", "canadian", "australian")
_PLURAL_ENDINGS = (("is", "es"), ("ss", "sses"), ("s", "s"), ("y", "ies"), ("ch", "ches"), ("", "s"))
"""Of English names: the first one that fits, and what takes its place."""


@dataclass(frozen=True, slots=True)
class LabelTarget:
    """Hold what a label stands for: its number as printed, its kind, the name of that, the title it stands below."""

    kind: str
    number: str
    name: str = ""
    """Of a theorem; those of other kinds are known by their language."""
    title: str = ""


class ReferenceWriter:
    """Write references to the labels of one paper."""

    def __init__(self, targets: dict[str, LabelTarget], head: str, language: str | None) -> None:
        self.targets, self.language = targets, language or ""
        self.own_names = {match[1]: (match[2], match[3]) for match in _OWN_NAME.finditer(head)}
        self.own_formats = {match[2]: match[3] for match in _FORMAT.finditer(head)}
        self.has_cleveref = _CLEVEREF.search(head) is not None

    def write_all(self, text: str) -> str:
        """Return a text with its references written out; those to labels that it does not have are left."""
        return REFERENCE.sub(self.write, text)

    def write(self, reference: re.Match[str]) -> str:
        """Return one reference as it is printed, as TeX; unchanged if nothing is known of what it refers to."""
        if reference[3]:
            return self._write_range(reference)
        command = reference[1]
        keys = [key.strip() for key in reference[2].split(",")]
        if not any(self._find(key) for key in keys):
            return reference[0]
        if command == "nameref":
            return self._join([target.title for target in self._known(keys) if target.title]) or reference[0]
        if "namecref" in command.lower():
            name = self._name(self._known(keys)[0], len(keys) > 1)
            return name.lower() if command == "lcnamecref" else _capitalize(name) if "C" in command else name
        if command in _NAMED or (self.has_cleveref and command in _NAMED_BY_CLEVEREF):
            written = self._write_named(keys, command)
            return written if command in _STANDARD else _drop_repeated(reference, written)
        numbers = [self._number(key, bracketed=command in ("eqref", "labelcref", "refeq")) for key in keys]
        return ", ".join(numbers) if command != "labelcref" else self._join(numbers)

    def _find(self, key: str) -> LabelTarget | None:
        """Return what a label stands for; None if it is no label, or none of the kind that it says."""
        target = self.targets.get(key)
        if target is None:
            return None
        prefix = _PREFIX.match(key)
        is_misplaced = prefix is not None and prefix[1] in _PREFIXES and target.kind in _SECTIONS
        return None if is_misplaced else target

    def _known(self, keys: Iterable[str]) -> list[LabelTarget]:
        return [target for target in map(self._find, keys) if target is not None]

    def _number(self, key: str, bracketed: bool) -> str:
        target = self._find(key)
        if target is None:
            return f"(\\ref{{{key}}})" if bracketed else f"\\ref{{{key}}}"
        return _bracket(target.number) if bracketed else target.number

    def _write_named(self, keys: list[str], command: str) -> str:
        """Return numbers behind the names of their kinds: `Theorems 2.1 and 2.2 and Section 4`."""
        groups: dict[str, list[str]] = {}
        for key in keys:
            target = self._find(key)
            groups.setdefault(self._group(target) if target is not None else "", []).append(key)
        written: list[str] = []
        for name, of_name in groups.items():
            first = self._find(of_name[0])
            if first is None:
                written += [f"\\ref{{{key}}}" for key in of_name]
                continue
            numbers = [self._printed(key, command) for key in of_name]
            own = self.own_formats.get(first.kind) if command in ("cref", "vref") else None
            if own is not None:
                written.append(self._join([_fill(own, number) for number in numbers]))
            else:
                name = self._name(first, len(numbers) > 1)
                name = _capitalize(name) if command[0].isupper() else name
                written.append(f"{name} {self._join(numbers)}" if name else self._join(numbers))
        return self._join(written)

    def _printed(self, key: str, command: str) -> str:
        target = self.targets[key]
        is_bracketed = target.kind in _BRACKETED and not command.lower().startswith("auto")
        return _bracket(target.number) if is_bracketed else target.number

    def _write_range(self, reference: re.Match[str]) -> str:
        first, last = self._find(reference[4].strip()), self._find(reference[5].strip())
        if first is None or last is None:
            return reference[0]
        word = RANGE_WORDS.get(self.language, RANGE_WORDS[""])
        command = reference[3]
        numbers = word.join(self._printed(reference[place].strip(), command) for place in (4, 5))
        name = self._name(first, is_plural=True)
        return f"{_capitalize(name) if command[0].isupper() else name} {numbers}" if name else numbers

    def _group(self, target: LabelTarget) -> str:
        """Return what labels have in common that one name stands for."""
        return self._name(target, is_plural=False) or target.kind

    def _name(self, target: LabelTarget, is_plural: bool) -> str:
        """Return the name of a kind, in the words of the paper, else of its language, else in English."""
        if (own := self.own_names.get(target.kind)) is not None:
            return own[is_plural]
        if target.name:
            return _write_plural(target.name) if is_plural and self._is_english() else target.name
        names = _NAMES.get(self.language, {}).get(target.kind) or _NAMES[""].get(target.kind)
        return names[is_plural] if names is not None else target.kind.capitalize()

    def _is_english(self) -> bool:
        return self.language in _ENGLISH

    def _join(self, parts: list[str]) -> str:
        """Return a list of things in the words of the paper's language."""
        last = LIST_WORDS.get(self.language, LIST_WORDS[""])
        return f"{', '.join(parts[:-1])}{last}{parts[-1]}" if len(parts) > 1 else "".join(parts)


def _write_plural(name: str) -> str:
    """Return the plural of an English name; other names as they are."""
    if not name.isascii() or not name[-1:].isalpha():
        return name
    ending, plural = next(pair for pair in _PLURAL_ENDINGS if name.endswith(pair[0]))
    return name[: len(name) - len(ending)] + plural


def _drop_repeated(reference: re.Match[str], written: str) -> str:
    """Return a reference without the name that stands before it in the text already."""
    name, _, numbers = written.partition(" ")
    before = reference.string[max(0, reference.start() - len(name) - 3) : reference.start()]
    return numbers if numbers and before.rstrip(" ~\n").casefold().endswith(name.casefold()) else written


def _bracket(number: str) -> str:
    return number if number.startswith("(") and number.endswith(")") else f"({number})"


def _capitalize(name: str) -> str:
    return name[:1].upper() + name[1:]


def _fill(template: str, number: str) -> str:
    """Return a format of cleveref with a number in it; its other arguments are for links."""
    return template.replace("#1", number).replace("#2", "").replace("#3", "")
