"""Tell languages by their letters, where the models know none, or not that language in that script.

A model that knows one language of a script calls every text in that script by it, with full score: Shan is Burmese to
lid.176 and to CLD2, Cree is Inuktitut. The alphabets differ, though: see `letters` in manifests/identification.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from corpus.languages.labels import Alphabet, labels

_ZAWGYI = re.compile(
    "\u1039(?![\u1000-\u1021\u103f])|(?<![\u1000-\u1021\u1025-\u109f])\u1031(?=[\u1000-\u1021])"
)
"""What Unicode's order of Burmese never has: a virama that stacks nothing (Zawgyi's visible one), and the vowel sign e
in front of its consonant, at the start of a syllable."""
_ZAWGYI_SIGNS = re.compile("[\u1031\u1039]")
MIN_ZAWGYI_SHARE = 0.2
"""Share of those two signs that stand where Zawgyi has them: .4 to .9 in Zawgyi, under .01 in Unicode."""


def tell_language(line: str, counts: Mapping[str, int], present: Iterable[str]) -> tuple[str, str] | None:
    """Return (code, script) of the language whose letters a line has, `und` for one that is not a known one.

    `counts` are the letters of each script in the line, `present` the scripts that it is in. None where its letters
    tell nothing: 10 to 20 us for 1,500 characters.
    """
    for script in present:
        if script == "Mymr" and is_zawgyi(line):
            continue  # whose stacked consonants have the places of Shan letters
        for alphabet in labels().alphabets.get(script, ()):
            if _is_written_with(line, counts.get(script, 0), alphabet):
                return alphabet.code, script
    return None


def is_zawgyi(text: str) -> bool:
    """Return whether a text is Burmese as the font Zawgyi encodes it, which has other letters in Unicode's places."""
    if "\u1031" not in text and "\u1039" not in text:
        return False
    odd = len(_ZAWGYI.findall(text))
    return odd > 1 and odd >= MIN_ZAWGYI_SHARE * len(_ZAWGYI_SIGNS.findall(text))


def _is_written_with(line: str, total: int, alphabet: Alphabet) -> bool:
    """Return whether a line has enough (or too few) of the letters of an alphabet, of `total` in its script."""
    if total < alphabet.least:
        return False
    own = len(_compile(alphabet.letters).findall(line))
    if alphabet.below is not None:
        return own < alphabet.below * total
    if own < max(1.0, alphabet.share * total):
        return False
    if any(len(_compile(letters).findall(line)) < alphabet.share * total for letters in alphabet.beside):
        return False
    return not alphabet.without or len(_compile(alphabet.without).findall(line)) < alphabet.share / 2 * total


@cache
def _compile(letters: str) -> re.Pattern[str]:
    return re.compile(letters)
