"""Read the lists of boilerplate lines in manifests/boilerplate/: one file for each language, and `any` for all.

A file has entries, each with its `class` (`corpus.clean.options.CLASSES`), `why` these lines are no text, and

    lines      whole lines, as `fold_line` writes them
    near       whole lines that are words of texts, too: they count beside other listed lines alone
    patterns   whole lines as regular expressions of folded lines, in which `<name>` is up to 40 characters without the
               end of a sentence and `<text>` up to 90; a number is 0
    words      words, or several in a row, that pages say and texts seldom do: a line of at most 80 characters is named
               if it has one of them and nothing else but the file's `others`, or if one fills half of it and it does
               not end as a sentence; any line of which two different ones fill 35 %. One is too few in a line with a
               word of the file's `prose`: persons and tenses (he, was) that sentences have and interfaces do not

It may have `phrases` that go out of short lines by RefinedWeb's rule: those that `begin` one, that `end` one, in lower
case, and regular expressions of what goes `anywhere`.

English lines stand on pages of every language, so those of `eng` and `any` hold everywhere; `prose` is each file's own,
since words such as `was` and `her` are other ones elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from corpus.clean.boilerplate_words import LineWords, compile_words
from corpus.clean.options import CLASSES
from corpus.data import data_path
from corpus.errors import UserError
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.labels import language_part
from corpus.storage.fingerprint import fingerprint

FOLDER = "boilerplate"
COMMON_FILES = ("any", "eng")
"""The files that hold for texts of every language."""
PLACEHOLDERS = {"<name>": r"(?:[^.!?。！？\n]{1,40})", "<text>": r"(?:[^!?。！？\n]{1,90})"}
PHRASE_PLACES = ("begin", "end", "anywhere")
MAX_LINE_CHARACTERS = 200
"""Lines that are longer when they are folded are no boilerplate."""
MAX_UNFOLDED_CHARACTERS = 250
"""Nor are lines that are longer as they stand: they are not even folded."""
DECORATION = (
    " \t\u00a0\u3000\u200b\u200e\u200f\u00ad\ufeff»›>→▶►▸▾▼▲△◀◄‹«<←↑↓⇒➔➤❯❮|¦｜"
    "•·・*※-–—―:：.。…,，;；!！¡?？¿؟،_=~+#/\\\"'“”‘’„`^◆◇■□▪●○★☆✔✓✕✖×✉☰≡⋮⋯【】〖〗[]"
)
"""Characters that are taken from both ends of a line before it is looked up."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WIDE_BLANKS = re.compile("[^\\S\n]{2,}|[\t\u00a0\u3000]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Chinese characters."""
_PLAIN_START = re.compile(r"[\w ©™ⓒ]")
_PARTS = re.compile(r"\\.|\[\]?[^\]]*\]|.", re.DOTALL)
"""What a pattern is written in: an escaped character, a set of characters, any other."""
_OTHER_BLANKS = ("  ", "\t", "\u00a0", "\u3000")


def fold_text(text: str) -> str:
    """Return a text in lower case with 0 for every number and single blanks; its lines are those of the text."""
    folded = _NUMBER.sub("0", text.casefold())
    if any(blank in folded for blank in _OTHER_BLANKS):
        folded = _WIDE_BLANKS.sub(" ", folded)
    return folded


def fold_line(line: str) -> str:
    """Return a line as lists have it: folded as `fold_text` does, without decoration at its ends."""
    return fold_text(line).strip(DECORATION)


@dataclass(frozen=True)
class LinePhrases:
    """Phrases that go out of short lines: those that `begin` one, `end` one, and those that go `anywhere`."""

    begin: tuple[str, ...]
    end: tuple[str, ...]
    anywhere: re.Pattern[str]

    def find(self, line: str) -> Iterator[tuple[int, int]]:
        """Yield where the phrases stand in a line in lower case: (start, end)."""
        if line.startswith(self.begin):
            length = max(len(phrase) for phrase in self.begin if line.startswith(phrase))
            if _is_apart(line[length - 1 : length + 1]):
                yield 0, length
        bare = line.rstrip(DECORATION)
        if bare.endswith(self.end):
            start = len(bare) - max(len(phrase) for phrase in self.end if bare.endswith(phrase))
            if start == 0 or _is_apart(bare[start - 1 : start + 1]):
                yield start, len(line)
        yield from (match.span() for match in self.anywhere.finditer(line))


def _is_apart(pair: str) -> bool:
    """Return whether a word may end between two characters: one is none of a word, or is written without spaces."""
    if len(pair) < 2 or any(_UNSPACED.match(each) for each in pair):
        return True
    return not all(unicodedata.category(each)[0] in "LMN" for each in pair)


@dataclass(frozen=True)
class LineLists:
    """The lines and patterns that hold for a language.

    `lines` and `near` map whole folded lines to their classes. `by_first` has those of the patterns that can match a
    line, by its first letter, and `by_rest` those for lines with any other; `by_class` has all of each class.
    """

    lines: Mapping[str, str]
    near: Mapping[str, str]
    by_first: Mapping[str, re.Pattern[str]]
    by_rest: re.Pattern[str]
    by_class: Mapping[str, re.Pattern[str]]
    phrases: LinePhrases
    words: LineWords

    def find_class(self, line: str) -> str | None:
        """Return the class of a folded line that counts by itself, None for any other."""
        if line in self.lines:
            return self.lines[line]
        if line in self.near or self.by_first.get(line[:1], self.by_rest).fullmatch(line) is None:
            return None
        return next(name for name, pattern in self.by_class.items() if pattern.fullmatch(line))


@dataclass(frozen=True, eq=False)
class _File:
    """One file: by class, the lines, those that need others beside them, patterns and words; by place, phrases."""

    names: tuple[str, ...]
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def read_files() -> Mapping[str, _File]:
    """Return the files by the names that they serve. Raises UserError, one line, for one that is not as described."""
    files: dict[str, _File] = {}
    for path in sorted(data_path(FOLDER).glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        content, _ = load_yaml(text, str(path))
        file = _read_file(path.stem, content, str(path))
        for name in file.names:
            if name in files:
                raise UserError(f"{path}: {name} has a file already")
            files[name] = file
    return files


def _read_file(stem: str, content: Any, path: str) -> _File:
    """Return the content of a file. Raises UserError as `read_files`."""
    if not isinstance(content, dict) or not isinstance(content.get("entries"), list):
        raise UserError(f"{path}: a list of `entries` is expected")
    kept: dict[str, dict[str, tuple[str, ...]]] = {"lines": {}, "near": {}, "patterns": {}, "words": {}}
    for entry in content["entries"]:
        if not isinstance(entry, dict) or entry.keys() - {"class", "why", *kept} or not entry.get("why"):
            raise UserError(f"{path}: an entry has class, why, and lines, near, patterns or words: {entry!r}")
        if entry.get("class") not in CLASSES:
            raise UserError(f"{path}: no class is called {entry.get('class')!r}")
        for key, by_class in kept.items():
            values = entry.get(key, [])
            if not _are_texts(values):
                raise UserError(f"{path}: {entry['class']}: {key} is a list of texts")
            by_class[entry["class"]] = (*by_class.get(entry["class"], ()), *values)
    beside = {key: content.get(key, []) for key in ("others", "prose")}
    for key, values in beside.items():
        if not _are_texts(values):
            raise UserError(f"{path}: {key}: a list of texts is expected")
    phrases = content.get("phrases", {})
    if (
        not isinstance(phrases, dict)
        or phrases.keys() - PHRASE_PLACES
        or not all(map(_are_texts, phrases.values()))
    ):
        raise UserError(f"{path}: phrases: lists of texts called {', '.join(PHRASE_PLACES)} are expected")
    kept["phrases"] = {place: tuple(listed) for place, listed in phrases.items()}
    return _File(
        (stem, *str(content.get("same_as") or "").split()),
        others=tuple(beside["others"]),
        prose=tuple(beside["prose"]),
        **kept,
    )


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def expand_pattern(pattern: str) -> str:
    """Return a pattern of a file as a regular expression."""
    for name, meaning in PLACEHOLDERS.items():
        pattern = pattern.replace(name, meaning)
    return pattern


def lists_of(language: str | None) -> LineLists:
    """Return what holds for a label such as `cmn_Hant`, by its language."""
    name = language_part(language) if language else ""
    return _compile_lists(name if name in read_files() else "")


@cache
def _compile_lists(name: str) -> LineLists:
    """Return what holds for a language with a file, or with `` for all others."""
    files = read_files()
    chosen = list(dict.fromkeys(files[each] for each in (*COMMON_FILES, name) if each in files))
    lines: dict[str, str] = {}
    near: dict[str, str] = {}
    words: dict[str, str] = {}
    patterns: dict[str, list[str]] = {}
    for file in chosen:
        lines |= {fold_line(line): kind for kind, listed in file.lines.items() for line in listed}
        near |= {fold_line(line): kind for kind, listed in file.near.items() for line in listed}
        words |= {fold_line(word): kind for kind, listed in file.words.items() for word in listed}
        for kind, listed in file.patterns.items():
            patterns.setdefault(kind, []).extend(map(expand_pattern, listed))
    by_first, by_rest = _join_by_first(pattern for listed in patterns.values() for pattern in listed)
    return LineLists(
        lines=lines,
        near={line: kind for line, kind in near.items() if line not in lines},
        by_first=by_first,
        by_rest=by_rest,
        by_class={kind: _join(listed) for kind, listed in patterns.items() if listed},
        phrases=LinePhrases(
            begin=_list_phrases(chosen, "begin"),
            end=_list_phrases(chosen, "end"),
            anywhere=_join(_list_phrases(chosen, "anywhere")),
        ),
        words=compile_words(
            words,
            others={fold_line(word) for file in chosen for word in file.others},
            prose={fold_line(word) for word in files[name].prose} if name else (),
        ),
    )


def _list_phrases(files: Iterable[_File], place: str) -> tuple[str, ...]:
    """Return the phrases that files have for a place, sorted."""
    return tuple(sorted({phrase for file in files for phrase in file.phrases.get(place, ())}))


def _join(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return one alternation of patterns; of none, one that matches nothing.

    The first characters of its branches are compared before any of them is entered.
    """
    return re.compile("|".join(sorted(set(patterns))) or r"(?!)")


def _join_by_first(patterns: Iterable[str]) -> tuple[Mapping[str, re.Pattern[str]], re.Pattern[str]]:
    """Return alternations of patterns by the first letter of a line that they can match, and one for other lines."""
    by_letter: dict[str, list[str]] = {}
    rest: list[str] = []
    for pattern in patterns:
        letters = _list_first(pattern)
        for letter in letters:
            by_letter.setdefault(letter, []).append(pattern)
        if not letters:
            rest.append(pattern)
    return {letter: _join((*own, *rest)) for letter, own in by_letter.items()}, _join(rest)


def _list_first(pattern: str) -> set[str]:
    """Return the letters that a pattern can begin with; none where they are not plain from how it is written."""
    letters: set[str] = set()
    for branch in _split_top(pattern):
        first = _list_first_of_branch(branch)
        if not first:
            return set()
        letters |= first
    return letters


def _list_first_of_branch(branch: str) -> set[str]:
    """Return the letters that one branch of a pattern can begin with, as `_list_first`."""
    if branch.startswith("(?:"):
        group = _split_top(branch[3:], ")")[0]
        first, behind = _list_first(group), branch[3 + len(group) + 1 :]
    else:
        first, behind = ({branch[0]} if _PLAIN_START.match(branch) is not None else set()), branch[1:]
    if behind.startswith(("*", "{")):
        return set()
    if first and behind.startswith("?"):
        more = _list_first_of_branch(behind[1:])
        return first | more if more else set()
    return first


def _split_top(pattern: str, mark: str = "|") -> list[str]:
    """Return what stands between the marks of a pattern that are in no group of it, as text."""
    branches = [""]
    depth = 0
    for part in _PARTS.findall(pattern):
        if part == mark and depth == 0:
            branches.append("")
            continue
        depth += (part == "(") - (part == ")")
        branches[-1] += part
    return branches


@cache
def identity() -> str:
    """Hash the lists, for fingerprints."""
    paths = sorted(data_path(FOLDER).glob("*.yaml"))
    return fingerprint([[path.stem, path.read_text(encoding="utf-8")] for path in paths])
