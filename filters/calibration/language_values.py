"""Calibrate one language: measure both sides, choose every bound, count words and marks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus.errors import UserError
from corpus.filters.calibration.calibration_texts import Side
from corpus.filters.calibration.measured_texts import MeasuredTexts, SignalValues, measure_texts
from corpus.filters.calibration.people_labels import JudgedText
from corpus.filters.calibration.signal_cuts import (
    GAIN,
    LOSS,
    Bound,
    Cut,
    cut_by_labels,
    cut_by_quantile,
    cut_identification,
    share_beyond,
)
from corpus.filters.calibration.written_language import Writing, describe_writing
from corpus.languages.labels import language_part
from corpus.rules.known_signals import read_known_signals
from corpus.rules.presets import list_presets, load_rules
from corpus.text.conventions import conventions, language_files

MIN_REFERENCE, MIN_SAMPLE = 200, 500
"""Documents of each side from which bounds are chosen: a quantile of 1 % needs its tail."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
COUNTED_UNITS = ("words", "characters", "lines", "sentences", "signs", "places", "0 or 1", "segments")
"""Units of counts, which depend on how long texts are: no property of a language, so no bound is chosen for them."""
WORD_LENGTH, STOP_WORDS, IDENTIFIER = "gopher.mean_word_length", "gopher.stop_words", "language.score"
JOINT_LOSS = 0.02
"""Share of the reference that all bounds together may lose before a warning."""


@dataclass(frozen=True, kw_only=True)
class CalibrationOptions:
    """What a user may set: see `corpus calibrate --help`."""

    loss: float = LOSS
    gain: float = GAIN
    min_reference: int = MIN_REFERENCE
    min_sample: int = MIN_SAMPLE
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SideFacts:
    """What a side consists of: texts, and of those documents (`documents`) and such of several lines (`paged`)."""

    name: str
    texts: int
    documents: int
    paged: int
    characters: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """All that is known of a language: what its file says and what that rests on.

    `cuts` has every bound that was tried, `off` the bounds that lose more of the reference than they may and do not
    part the sides; `quantiles` those of the reference and of the sample by signal; `values` both sides of it.
    """

    language: str
    reference: SideFacts
    sample: SideFacts
    labels: SideFacts | None
    options: CalibrationOptions
    cuts: Sequence[Cut]
    off: Mapping[str, float]
    writing: Writing
    stop_words_min: int
    word_bounds: tuple[float, float]
    quantiles: Mapping[str, tuple[list[float], list[float]]]
    values: Mapping[str, tuple[SignalValues, SignalValues]]
    joint_loss: float
    joint_removed: float
    warnings: Sequence[str]

    def kept_cuts(self) -> list[Cut]:
        """Return the bounds that go into the file, by name."""
        return sorted((cut for cut in self.cuts if cut.kept), key=lambda cut: (cut.signal, cut.bound))


def calibrate_language(
    language: str,
    reference: Side,
    sample: Side,
    labels: Sequence[JudgedText] = (),
    labels_name: str = "",
    options: CalibrationOptions | None = None,
) -> Calibration:
    """Choose every value of a language. Raises UserError for labels of which none is of the language."""
    options = options or CalibrationOptions()
    sides = [measure_texts(side.texts, language) for side in (reference, sample)]
    facts = [describe_side(side, measured) for side, measured in zip((reference, sample), sides, strict=True)]
    judged, is_bad, labels_facts = _measure_labels(labels, labels_name, language)
    warnings: list[str] = []
    writing = describe_writing(
        reference.texts,
        sides[0].words,
        sides[0].values[WORD_LENGTH][sides[0].values["text.words"] > 0],
        conventions(language_part(language)),
        language,
    )
    cuts: list[Cut] = []
    off: dict[str, float] = {}
    for signal, bound in list_candidates():
        chosen = [_choose_values(measured, signal) for measured in sides]
        if len(chosen[0]) < options.min_reference or len(chosen[1]) < options.min_sample:
            if not needs_documents(signal) and (
                by_labels := _cut_by_labels(signal, bound, chosen, judged, is_bad, options)
            ):
                cuts.append(by_labels)
            continue
        cut = _choose_cut(signal, bound, chosen, judged, is_bad, options)
        cuts.append(cut)
        if not cut.kept:
            lost = _find_present_loss(signal, bound, language, chosen[0])
            if lost > options.loss:
                off[f"{signal}.{bound}"] = lost
    if not cuts:
        warnings.append(_explain_few(facts, options))
    least, stop_cut = _choose_stop_words(sides, writing, options)
    if stop_cut is not None:
        cuts.append(stop_cut)
    if len(writing.stop_words) < 8:
        warnings.append(
            f"only {len(writing.stop_words)} stop words: the reference has too few different words"
        )
    warnings += [
        f"{name} does not part the sides, and its present bound loses {lost:.1%} of the reference: switched off"
        for name, lost in off.items()
    ]
    failing = [_find_failing(measured, [cut for cut in cuts if cut.kept]) for measured in sides]
    joint = [float(each.mean()) if len(each) else 0.0 for each in failing]
    if joint[0] > JOINT_LOSS:
        warnings.append(
            f"all bounds together lose {joint[0]:.1%} of the reference: a lower --loss than {options.loss:g} loses less"
        )
    return Calibration(
        language=language,
        reference=facts[0],
        sample=facts[1],
        labels=labels_facts,
        options=options,
        cuts=cuts,
        off=off,
        writing=writing,
        stop_words_min=least,
        word_bounds=writing.word_bounds,
        quantiles=_list_quantiles(sides),
        values={name: (sides[0].values[name], sides[1].values[name]) for name in sides[0].values},
        joint_loss=joint[0],
        joint_removed=joint[1],
        warnings=warnings,
    )


def describe_side(side: Side, measured: MeasuredTexts) -> SideFacts:
    """Return the facts of a side."""
    return SideFacts(
        name=side.name,
        texts=len(side.texts),
        documents=int(measured.documents().sum()),
        paged=int(measured.paged().sum()),
        characters=sum(map(len, side.texts)),
        digest=side.digest,
    )


def list_candidates() -> list[tuple[str, Bound]]:
    """Return the bounds of all presets on shares and means, sorted: counts depend on how long texts are."""
    known = read_known_signals().signals
    produced = list(known)
    pairs: set[tuple[str, Bound]] = set()
    for preset in list_presets():
        for rule in load_rules({"side": [preset]}, {}, produced).rules["side"]:
            unit = known[rule.signal].unit
            measured = rule.signal.partition(".")[0] not in ("url", "code", "quality", "private", "dedup")
            if rule.bound in ("min", "max") and unit not in COUNTED_UNITS and measured:
                pairs.add((rule.signal, "min" if rule.bound == "min" else "max"))
    return sorted(pairs)


def needs_documents(signal: str) -> bool:
    """Return whether a bound on a signal is chosen from many documents of both sides alone, whatever labels say: on
    shares of lines, repetition, and the identifier's score."""
    return is_of_lines(signal) or signal.startswith(("gopher_repetition.", "c4.", "fineweb.", "language."))


def is_of_lines(signal: str) -> bool:
    """Return whether a signal is a share of lines or paragraphs, which single sentences do not have."""
    name = signal.partition(".")[2]
    return "line" in name or "paragraph" in name


def _choose_values(measured: MeasuredTexts, signal: str) -> SignalValues:
    """Return a signal of the documents that it says something of."""
    mask = measured.paged() if is_of_lines(signal) else measured.documents()
    values = measured.values[signal][mask]
    return values[~np.isnan(values)]


def _choose_cut(
    signal: str,
    bound: Bound,
    chosen: Sequence[SignalValues],
    judged: Mapping[str, SignalValues],
    is_bad: npt.NDArray[np.bool_],
    options: CalibrationOptions,
) -> Cut:
    reference, sample = chosen
    cut = _cut_by_labels(signal, bound, chosen, judged, is_bad, options)
    if cut is not None:
        return cut
    if signal == IDENTIFIER:
        return cut_identification(reference, sample, loss=options.loss)
    return cut_by_quantile(
        signal, bound, reference, sample, loss=options.loss, gain=options.gain, seed=options.seed
    )


def _cut_by_labels(
    signal: str,
    bound: Bound,
    chosen: Sequence[SignalValues],
    judged: Mapping[str, SignalValues],
    is_bad: npt.NDArray[np.bool_],
    options: CalibrationOptions,
) -> Cut | None:
    """Return the cut that labels choose; None without labels, or where they choose none."""
    if signal not in judged:
        return None
    reference, sample = chosen
    return cut_by_labels(
        signal, bound, judged[signal], is_bad, reference, sample, loss=options.loss, seed=options.seed
    )


def _measure_labels(
    labels: Sequence[JudgedText], name: str, language: str
) -> tuple[Mapping[str, SignalValues], npt.NDArray[np.bool_], SideFacts | None]:
    """Measure the labelled texts in the language. Raises UserError if there are labels, but none of them is."""
    if not labels:
        return {}, np.zeros(0, np.bool_), None
    own = [
        item
        for item in labels
        if item.language is None or language_part(item.language) == language_part(language)
    ]
    if not own:
        there = ", ".join(sorted({item.language or "" for item in labels})[:5])
        raise UserError(f"--labels {name}: no label of a text in {language}: they are of {there}")
    measured = measure_texts([item.text for item in own], language)
    is_bad = np.array([item.is_bad for item in own], np.bool_)
    facts = SideFacts(
        name=f"{name} ({int(is_bad.sum()):,} bad)",
        texts=len(own),
        documents=int(measured.documents().sum()),
        paged=int(measured.paged().sum()),
        characters=sum(len(item.text) for item in own),
        digest="",
    )
    values = {
        signal: np.where(measured.paged(), column, np.nan) if is_of_lines(signal) else column
        for signal, column in measured.values.items()
    }
    return values, is_bad, facts


def _choose_stop_words(
    sides: Sequence[MeasuredTexts], writing: Writing, options: CalibrationOptions
) -> tuple[int, Cut | None]:
    """Return how many different stop words of the list a document must have: two, as Gopher asks, or fewer where two
    lose too much of the reference; and that as a cut, where both sides have documents."""
    from corpus.text.hashes import find_places
    from corpus.text.words import hash_words

    table = np.unique(hash_words(list(writing.stop_words)))
    counts = [
        np.array(
            [
                len(np.unique(places[places < len(table)]))
                for places in (
                    find_places(table, measured.words[at])
                    for at in np.flatnonzero(measured.documents()).tolist()
                )
            ],
            np.float64,
        )
        if len(table)
        else np.zeros(0)
        for measured in sides
    ]
    if len(counts[0]) < options.min_reference:
        return (2 if len(table) else 0), None
    least = next((least for least in (2, 1) if share_beyond(counts[0], least, "min") <= options.loss), 0)
    lost, removed = (share_beyond(each, least, "min") for each in counts)
    if not least:
        return 0, None
    return least, Cut(
        signal=STOP_WORDS,
        bound="min",
        value=least,
        interval=(least, least),
        lost=lost,
        removed=removed,
        by="frequency",
        kept=True,
        why=f"of {len(table)} words",
    )


def _find_present_loss(signal: str, bound: Bound, language: str, reference: SignalValues) -> float:
    """Return the share of the reference that the strictest bound of a preset loses today, without a calibrated file of
    the language in its script."""
    produced = list(read_known_signals().signals)
    files, part = language_files(), language_part(language)
    losses = [0.0]
    for preset in list_presets():
        for rule in load_rules({"side": [preset]}, {}, produced).rules["side"]:
            if (rule.signal, rule.bound) != (signal, bound):
                continue
            spared = part in files and files[part].as_presets
            limit = rule.calibrated.get(part, rule.preset if rule.default is None or spared else rule.default)
            if not math.isnan(limit):
                losses.append(share_beyond(reference, limit, bound))
    return max(losses)


def _find_failing(measured: MeasuredTexts, cuts: Sequence[Cut]) -> npt.NDArray[np.bool_]:
    """Return which documents are on the wrong side of some bound."""
    documents, paged = measured.documents(), measured.paged()
    failing = np.zeros(len(documents), np.bool_)
    for cut in cuts:
        if cut.signal == STOP_WORDS:
            continue
        values, limit = measured.values[cut.signal].astype(np.float32), np.float32(cut.value)
        beyond = values < limit if cut.bound == "min" else values > limit
        failing |= beyond & (paged if is_of_lines(cut.signal) else documents)
    return failing[documents]


def _list_quantiles(sides: Sequence[MeasuredTexts]) -> dict[str, tuple[list[float], list[float]]]:
    return {
        signal: (_quantiles(sides[0], signal), _quantiles(sides[1], signal)) for signal in sides[0].values
    }


def _quantiles(measured: MeasuredTexts, signal: str) -> list[float]:
    values = _choose_values(measured, signal)
    if not len(values):
        values = measured.values[signal][~np.isnan(measured.values[signal])]
    if not len(values):
        return []
    return [float(f"{value:.4g}") for value in np.quantile(values, QUANTILES)]


def _explain_few(facts: Sequence[SideFacts], options: CalibrationOptions) -> str:
    return (
        f"{facts[0].documents:,} documents of reference and {facts[1].documents:,} of sample: bounds need "
        f"{options.min_reference:,} and {options.min_sample:,}, so only words, their length and marks are calibrated"
    )
