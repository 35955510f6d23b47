"""Identify the language of a text: by lid.176 and CLD2 together, or by one model of the user's.

The two know different languages: of those here, 114 are known to both, 62 to lid.176 alone, 46 to CLD2
alone. CLD2 is nearly always right where it knows the language; where it does not, it gives a low score or a related
language. lid.176 is unsure of languages that it does not know. So languages of scripts that the text is not in are
left out, and languages that neither knows are told by their letters first (`letters.py`). Where the two agree, that is
the language; else CLD2 decides, unless lid.176 names a language that CLD2 does not know, and lid.176 is sure or CLD2
is not. Where the two are not sure, or the language has close relatives, byte n-grams are asked as well
(`third_voter.py`). Relatives, and languages that no model knows, are told by their own words (`relatives.py`), the
Chinese languages by their own characters (`sinitic.py`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

from corpus.document import Record
from corpus.languages import fasttext_models, models, plugin_identifier
from corpus.languages.labels import (
    NO_SCRIPT,
    UNKNOWN_LANGUAGE,
    ZAWGYI_SCRIPT,
    add_script,
    is_code,
    is_label,
    is_written_in,
    labels,
    parse_label,
)
from corpus.languages.letters import is_zawgyi, tell_language
from corpus.languages.relatives import fingerprint_words, relatives_of, weigh_words
from corpus.languages.scripts import script_counts, script_shares
from corpus.languages.sinitic import SINITIC, STANDARD, tell_sinitic
from corpus.languages.third_voter import CLOSE_RELATIVES, ask_third
from corpus.plugins import is_reference

VERSION = 9
"""Incremented when the same text and models would give another label or score."""

MAX_CACHED_VERDICTS = 4096
"""Verdicts kept: a document's label is asked for first, its score a row group later. 25 MB at most."""

MIN_SCRIPT_SHARE = 0.2
"""Share of the letters from which a script counts as one that the text is in."""

FEW_LANGUAGES = 12
"""Where the scripts of the text have fewer languages than this, lid.176's probabilities are normalized among them."""

FULL_CLD2_SCORE, WEAK_CLD2_SCORE = 1000.0, 400.0
"""CLD2's scores from which it has full weight (the median where it is right is 1,030), and below which it does
not decide against a language that it does not know (it is higher in 97 of 100 texts that CLD2 is right on)."""

CROWDED_SCRIPTS = frozenset({"Latn", "Cyrl", "Arab", "Deva"})
"""Scripts of languages that CLD2 does not know. In others its score carries no information and counts as full."""

ENOUGH_LETTER_BYTES = 60
"""Bytes of letters from which CLD2 has full weight; below, in proportion."""

MIN_UNDIVIDED_PERCENT = 75
"""Percent of the text in one language from which CLD2 decides against lid.176; of a mixed text the
scores do."""

MIN_PART_PERCENT = 25
"""Percent of the text in a second language from which its scores say that it is mixed, and no third model is asked."""

SURE_LID_PROBABILITY = 0.5
"""Probability from which lid.176 decides when it names a language that CLD2 does not know."""

CLD2_WEIGHT = 2.0
"""Weight of CLD2 against lid.176 in the score."""

LONG_LINE_CHARACTERS, EXCERPTS, EXCERPT_CHARACTERS = 720, 6, 30
"""Characters from which a line is long, and its parts and characters of each that lid.176 sees first: it takes a third
of a millisecond for a thousand characters."""

AGREED_SCORE = 0.8
"""Score of a language, by lid.176 on those parts and CLD2 on the whole, from which lid.176 does not see the rest."""


class Belief(NamedTuple):
    """CLD2's view of a language: how sure it is of it (0 to 1), whether its evidence is weak, and
    the percent of the text it finds in it."""

    confidence: float
    weak: bool
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The models' verdict on a text: the language's code (or a whole label), and scores by code.

    `known` are the codes that some model could have named; words may have given others a score.
    """

    code: str
    scores: Mapping[str, float]
    known: frozenset[str]
    label: str | None = None
    script: str | None = None

    def score(self, code: str) -> float:
        if code in self.scores:
            return self.scores[code]
        return 0.0 if code in self.known else math.nan


@dataclass(frozen=True)
class Identifier:
    """Names the language of texts. `model` is the path of a fastText model, or a plug-in as `module:Class`; None for
    lid.176 with CLD2.

    A model's labels may be `eng_Latn` (kept unchanged, but for Chinese, whose script is determined
    here) or codes such as `en` and `eng` (the script is added).
    """

    model: str | None = None

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """What labels and scores depend on besides the text, for fingerprints."""
        common = {
            "version": VERSION,
            "labels": labels().fingerprint,
            "unicode": unicodedata.unidata_version,
            "model": plugin_identifier.identifier_code(self.model)
            if self.model and is_reference(self.model)
            else fasttext_models.file_hash(self.model or models.lid_path()),
        }
        if self.model:
            return common
        return common | {"cld2": models.cld2_version(), "words": fingerprint_words()}

    def identify(self, text: str, hint: str | None = None) -> tuple[str, float]:
        """Return (label, score) of a text: `("cmn_Hans", 0.98)`; `("und_Zyyy", 0.0)` where it has no letters.

        `hint` is the source's label (`eng_Latn`, `en`, `zh-TW`): it decides unless the text is in a script
        of other languages. The score is then what the models give that language, nan where they do
        not know it. Scores act as probabilities: over .9 where the models agree, .3 to .7 where not.
        Costs up to .3 ms, for texts of 1,500 characters and more. Source code is in no human language: its label
        (`code_python`) is returned as the source gives it, with the score nan. Burmese in Zawgyi's encoding is
        `mya_Qaag`, with the score 0.
        """
        if hint is not None and is_code(hint):
            return hint, math.nan
        line = models.sample_text(text)
        counts, present, verdict = _look_at(self.model, line)
        if verdict is None:
            return f"{UNKNOWN_LANGUAGE}_{NO_SCRIPT}", 0.0
        hinted = parse_label(hint) if hint else None
        if hinted is not None and any(is_written_in(hinted[0], script) for script in present):
            if hinted[0] == "mya" and verdict.script == ZAWGYI_SCRIPT:
                return f"mya_{ZAWGYI_SCRIPT}", verdict.score("mya")
            return add_script(hinted[0], counts, line, hinted[1]), verdict.score(hinted[0])
        label = verdict.label or add_script(verdict.code, counts, line, verdict.script)
        return label, verdict.scores[verdict.code]


def _present_scripts(shares: Mapping[str, float]) -> list[str]:
    return [script for script, share in shares.items() if share >= MIN_SCRIPT_SHARE]


@lru_cache(maxsize=MAX_CACHED_VERDICTS)
def _look_at(model: str | None, line: str) -> tuple[Mapping[str, int], list[str], Verdict | None]:
    """Return the letters of each script in a line, the scripts that count, and the models' verdict: None if it has no
    letters."""
    counts = script_counts(line)
    shares = script_shares(counts)
    present = _present_scripts(shares)
    return counts, present, _judge_line(model, line, counts, shares, present) if shares else None


def _judge_line(
    model: str | None, line: str, counts: dict[str, int], shares: Mapping[str, float], present: list[str]
) -> Verdict:
    """Return the models' verdict on a line that has letters."""
    if model and is_reference(model):
        return _ask_plugin(model, line)
    if model:
        return _ask_model(model, line)
    known = labels().scored
    if present[0] == "Mymr" and is_zawgyi(line):
        return Verdict(
            code="mya", scores={"mya": 0.0}, known=known, label=f"mya_{ZAWGYI_SCRIPT}", script=ZAWGYI_SCRIPT
        )
    by_letters = tell_language(line, counts, present)
    if by_letters is not None:
        code, script = by_letters
        return Verdict(
            code=code, scores={code: 0.0 if code == UNKNOWN_LANGUAGE else shares[script]}, known=known
        )
    verdict = _join_models(line, present, shares)
    return _tell_chinese(verdict, line) if verdict.code in SINITIC else verdict


def _tell_chinese(verdict: Verdict, line: str) -> Verdict:
    """Return a verdict on Chinese with the language that the characters of grammar say, whatever models took it for.

    The scores of all Chinese languages together stay what they are.
    """
    spoken = tell_sinitic(line)
    if spoken is None or spoken[0] == verdict.code == STANDARD:
        return verdict
    code, share = spoken
    scores = dict(verdict.scores)
    whole = min(1.0, sum(scores.pop(name, 0.0) for name in SINITIC))
    scores |= {name: whole * (1 - share) / (len(SINITIC) - 1) for name in SINITIC} | {code: whole * share}
    return replace(verdict, code=code, scores=scores)


def _ask_model(model: str, line: str) -> Verdict:
    """Return the verdict of one fastText model: its best label."""
    codes = _read_codes(model)
    scores: dict[str, float] = {}
    best: tuple[str, str] | None = None
    for name, probability in fasttext_models.predict(model, line):
        code = codes.get(name, UNKNOWN_LANGUAGE)
        scores[code] = scores.get(code, 0.0) + probability
        best = best or (code, name)
    code, name = best or (UNKNOWN_LANGUAGE, "")
    kept = name if is_label(name) and code != "cmn" else None
    return Verdict(code=code, scores={code: 0.0} | scores, known=frozenset(codes.values()), label=kept)


@cache
def _read_codes(model: str) -> dict[str, str]:
    """Return what the labels of a fastText model mean: label -> our code, without those that name no language.

    `als` is Tosk Albanian in ISO 639-3, and Alemannic in Wikipedia's codes. A model that has codes of two letters calls
    Albanian `sq`, so its `als` is the other.
    """
    names = fasttext_models.label_names(model)
    codes = {name: parsed[0] for name in names if (parsed := parse_label(name)) is not None}
    if any(re.fullmatch("[a-z]{2}", name) for name in names) and "gsw" not in names:
        codes |= {name: code for name, code in labels().lid.items() if name in codes}
    return codes


def _ask_plugin(name: str, line: str) -> Verdict:
    """Return the verdict of a plug-in: its label, whose script is determined here if it names none."""
    label, score = plugin_identifier.ask_plugin(name, line)
    code, script = parse_label(label) or (UNKNOWN_LANGUAGE, None)
    whole = label if is_label(label) else None
    return Verdict(code=code, scores={code: score}, known=frozenset([code]), label=whole, script=script)


def identify_record(model: str, record: Record) -> tuple[str, float | None]:
    """Return the label and score of a record's text, in the process that parses; None where the score is unknown."""
    label, score = Identifier(model).identify(str(record.body), record.language)
    return label, None if math.isnan(score) else score


def _join_models(line: str, present: list[str], shares: Mapping[str, float]) -> Verdict:
    """Return the verdict of lid.176 and CLD2 on a text in the scripts `present`."""
    names = labels()
    allowed = frozenset().union(*(names.by_script.get(script, frozenset()) for script in present))
    if len(allowed) < 2:
        code = next(iter(allowed), None) or names.scripts.get(present[0], UNKNOWN_LANGUAGE)
        score = 0.0 if code == UNKNOWN_LANGUAGE else shares[present[0]]
        return Verdict(code=code, scores={code: score}, known=names.scored)
    lid, cld2, script = _ask_both(line, allowed, crowded=not CROWDED_SCRIPTS.isdisjoint(present))
    scores = _pool_scores(lid, {code: belief.confidence for code, belief in cld2.items()})
    known = names.scored
    if not scores:
        return Verdict(code=UNKNOWN_LANGUAGE, scores={UNKNOWN_LANGUAGE: 0.0}, known=known)
    code = _decide(lid, cld2, scores)
    agreed = bool(lid) and bool(cld2) and next(iter(lid)) == max(cld2, key=lambda name: cld2[name].confidence)
    if not _is_mixed(cld2, present):
        again = ask_third(code, scores, line, present, agreed=agreed)
        code, scores = weigh_words(*(again or (code, scores)), line, present)
    return Verdict(code=code, scores=scores, known=known, script=script)


def _ask_both(
    line: str, allowed: frozenset[str], crowded: bool
) -> tuple[dict[str, float], dict[str, Belief], str | None]:
    """Return lid.176's probabilities, CLD2's beliefs, and which Chinese script CLD2 names.

    Of a long line lid.176 sees parts alone, where these and CLD2 agree.
    """
    seen, guesses = models.cld2(line)
    weight = min(1.0, seen / ENOUGH_LETTER_BYTES)
    if len(line) >= LONG_LINE_CHARACTERS:
        step = len(line) // EXCERPTS
        parts = " ".join(line[at * step : at * step + EXCERPT_CHARACTERS] for at in range(EXCERPTS))
        lid = _ask_lid(parts, allowed)
        cld2, script = _weigh_guesses(guesses, weight, allowed, lid, crowded)
        if _agree(lid, cld2):
            return lid, cld2, script
    lid = _ask_lid(line, allowed)
    return lid, *_weigh_guesses(guesses, weight, allowed, lid, crowded)


def _agree(lid: Mapping[str, float], cld2: Mapping[str, Belief]) -> bool:
    """Return whether CLD2 finds what lid.176 names first, and the score of that is `AGREED_SCORE` or more."""
    code = next(iter(lid), "")
    belief = cld2.get(code)
    if belief is None or belief.weak:
        return False
    return _pool(lid[code], belief.confidence) >= AGREED_SCORE


def _ask_lid(line: str, allowed: frozenset[str]) -> dict[str, float]:
    """Return lid.176's probabilities of the allowed languages, most probable first."""
    codes = labels().lid
    probabilities = {
        codes[name]: p
        for name, p in fasttext_models.predict(models.lid_path(), line)
        if codes[name] in allowed
    }
    total = sum(probabilities.values())
    return (
        {code: p / total for code, p in probabilities.items()}
        if total and len(allowed) < FEW_LANGUAGES
        else probabilities
    )


def _weigh_guesses(
    guesses: Sequence[models.Guess],
    weight: float,
    allowed: frozenset[str],
    lid: Mapping[str, float],
    crowded: bool,
) -> tuple[dict[str, Belief], str | None]:
    """Return CLD2's beliefs in the allowed languages, and which Chinese script it names.

    A low score may mean that CLD2 does not know the language, so it is less sure; but no less than lid.176 is. `weight`
    is that of its beliefs, by the letters that it saw.
    """
    beliefs: dict[str, Belief] = {}
    script = None
    for guess in guesses:
        code = labels().cld2.get(guess.code, "")
        if code not in allowed or code in beliefs:
            continue
        trust = min(1.0, max(guess.score / FULL_CLD2_SCORE, lid.get(code, 0.0))) if crowded else 1.0
        weak = crowded and guess.score * weight < WEAK_CLD2_SCORE
        beliefs[code] = Belief(weight * trust * guess.percent / 100, weak, guess.percent)
        if code == "cmn":
            script = "Hant" if guess.code == "zh-Hant" else "Hans"
    return beliefs, script


def _is_mixed(cld2: Mapping[str, Belief], present: list[str]) -> bool:
    """Return whether CLD2 is sure that a text is in two languages, and they are no close relatives."""
    parts = {code for code, belief in cld2.items() if belief.percent >= MIN_PART_PERCENT and not belief.weak}
    if len(parts) < 2 or parts <= CLOSE_RELATIVES:
        return False
    return not parts.issubset(relatives_of(min(parts), present))


def _decide(lid: Mapping[str, float], cld2: Mapping[str, Belief], scores: Mapping[str, float]) -> str:
    """Choose the language: see the top of this module."""
    if not lid or not cld2:
        return next(iter(lid or cld2))
    languages = labels().languages
    by_lid, by_cld2 = next(iter(lid)), max(cld2, key=lambda code: cld2[code].confidence)
    _, weak, percent = cld2[by_cld2]
    if by_lid == by_cld2:
        return by_lid
    if languages[by_lid].cld2 is None:
        sure = lid[by_lid] >= SURE_LID_PROBABILITY and (weak or languages[by_cld2].lid is not None)
        return by_lid if sure or weak else by_cld2
    return max(scores, key=scores.__getitem__) if weak or percent < MIN_UNDIVIDED_PERCENT else by_cld2


def _pool_scores(lid: Mapping[str, float], cld2: Mapping[str, float]) -> dict[str, float]:
    """Return one score for each language: the mean of both models, CLD2's weighted double.

    A model that does not know a language gives it what it did not give its own first choice, in proportion
    to how far the other model prefers it: Hausa, of which CLD2 is sure while lid.176 puts .3 on Italian,
    gets .7 from lid.176.
    """
    languages = labels().languages
    first, second = max(lid.values(), default=0.0), max(cld2.values(), default=0.0)
    scores = {}
    for code in {**cld2, **lid}:
        row, lid_score, cld2_score = languages[code], lid.get(code, 0.0), cld2.get(code, 0.0)
        if row.lid is None and second:
            lid_score = (1 - first) * cld2_score / second
        elif row.cld2 is None and first:
            cld2_score = (1 - second) * lid_score / first
        scores[code] = min(1.0, _pool(lid_score, cld2_score))
    return scores


def _pool(lid_score: float, cld2_score: float) -> float:
    return (lid_score + CLD2_WEIGHT * cld2_score) / (1 + CLD2_WEIGHT)
