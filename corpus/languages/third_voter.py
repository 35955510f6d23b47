"""Weigh what lid.176 and CLD2 say against a third opinion, where they do not agree or the language has close relatives.

Each candidate has evidence, as in a conditional logit: the log of the two models' score, whether they chose it, the log
of its probability by byte n-grams, and whether that is the highest. The weights are the same for all languages. They
were learned from sentences of news and web pages in 74 languages and of Tatoeba in 97; the Declaration of Human Rights,
on which docs/languages.md measures, has chosen none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache

from corpus.languages.byte_ngrams import predict_by_ngrams
from corpus.languages.labels import labels
from corpus.languages.relatives import relatives_of

SURE_SCORE = 0.9
"""Score from which the two models are not doubted, but for close relatives."""
CLOSE_RELATIVES = frozenset(
    {"bos", "hrv", "srp", "ind", "zsm", "nob", "nno", "dan", "mkd", "bul", "nso", "sot", "xho", "zul"}
)
"""Languages whose relatives the two models are sure of as well."""
SERBO_CROATIAN, ITS_LANGUAGES = "hbs", ("bos", "hrv", "srp")
"""Lid.176 was taught Serbo-Croatian beside the languages that it consists of; a third of its share is given to each."""

ALSO_LATIN = frozenset({"srp", "uig"})
"""Languages that byte n-grams know in Latin as well; they know every other only in its commonest script."""

SCORE_WEIGHT, CHOSEN_WEIGHT, DOUBT_WEIGHT = 1.0, 0.8, -1.0
NGRAMS_WEIGHT, FIRST_WEIGHT, UNKNOWN_WEIGHT = 0.53, 0.88, -1.0
"""Weights of the evidence; `DOUBT_WEIGHT` is of what the chosen one's score lacks to 1, `UNKNOWN_WEIGHT` that of a
language without a probability by n-grams."""
UNSEEN_SCORE = 0.15
"""What a score may have beyond the two models' own: n-grams are as sure of languages that none of the three knows. With
it 40 in 100 texts in such languages have .5 and more, without the third 39, and with the n-grams' certainty 62."""
LEAST_SCORE, LEAST_PROBABILITY = 1e-2, 1e-4
MOST_BY_NGRAMS = 4
"""Languages that byte n-grams may add to the candidates."""


def ask_third(
    code: str, scores: Mapping[str, float], line: str, present: Iterable[str], *, agreed: bool
) -> tuple[str, dict[str, float]] | None:
    """Return (language, scores of the candidates) of a line in the scripts `present` that two models
    call `code`; None where the third is not asked: they agree or are sure, or it does not know that language."""
    known = frozenset().union(*map(_known_in, present))
    if code not in known and code != SERBO_CROATIAN:
        return None
    if (agreed or scores[code] >= SURE_SCORE) and code not in CLOSE_RELATIVES:
        return None
    by_ngrams = predict_by_ngrams(line, known)
    if not by_ngrams:
        return None
    first = next(iter(by_ngrams))
    two = dict(scores)
    if SERBO_CROATIAN in two:
        share = two.pop(SERBO_CROATIAN) / len(ITS_LANGUAGES)
        two |= {name: max(two.get(name, 0.0), share) for name in ITS_LANGUAGES}
    evidence = {}
    for name in dict.fromkeys([*two, *list(by_ngrams)[:MOST_BY_NGRAMS]]):
        total = SCORE_WEIGHT * math.log(max(two.get(name, 0.0), LEAST_SCORE))
        if name == code:
            total += CHOSEN_WEIGHT + DOUBT_WEIGHT * (1 - two[name])
        if name in known:
            total += NGRAMS_WEIGHT * math.log(max(by_ngrams.get(name, 0.0), LEAST_PROBABILITY))
        else:
            total += UNKNOWN_WEIGHT
        evidence[name] = total + FIRST_WEIGHT * (name == first)
    most = max(evidence.values())
    shares = {name: math.exp(total - most) for name, total in evidence.items()}
    whole = sum(shares.values())
    relatives = relatives_of(code if code != SERBO_CROATIAN else ITS_LANGUAGES[0], present)
    of_relatives = sum(two.get(name, 0.0) for name in relatives)
    believed = {
        name: share
        / whole
        * min(1.0, UNSEEN_SCORE + (of_relatives if name in relatives else two.get(name, 0.0)))
        for name, share in shares.items()
    }
    return max(shares, key=shares.__getitem__), believed


@cache
def _known_in(script: str) -> frozenset[str]:
    """Return the languages that byte n-grams know in a script."""
    rows = labels().languages
    return frozenset(
        code
        for code in labels().langid
        if rows[code].scripts[0] == script or (script == "Latn" and code in ALSO_LATIN)
    )
