"""Write what a calibration found as a file of manifests/languages/."""

from __future__ import annotations

import json
from collections import defaultdict

from corpus.filters.calibration.language_values import (
    QUANTILES,
    STOP_WORDS,
    WORD_LENGTH,
    Calibration,
    SideFacts,
    is_of_lines,
)
from corpus.filters.calibration.signal_cuts import Cut
from corpus.formats.yaml_lines import load_yaml
from corpus.languages.names import name_language
from corpus.text.conventions import conventions

METHOD = "corpus calibrate, version 1"
"""What `basis.method` begins with in a file that may be written over."""
LINE_CHARACTERS = 110
PAGE_STEPS = ("c4.", "fineweb.", "gopher_repetition.")
"""Steps whose signals say nothing of single sentences."""


def write_file_text(calibration: Calibration, date: str) -> str:
    """Return the text of the language's file. `date` is written into its basis."""
    lines = [f"# {name_language(calibration.language) or calibration.language}: made by `corpus calibrate`."]
    if calibration.writing.stop_words:
        lines += ["stop_words: >-", *_wrap(calibration.writing.stop_words)]
    if calibration.writing.marks:
        lines += ["terminal_punctuation: >-", *_wrap(list_marks(calibration))]
    lines += ["", "rules:", *_list_rules(calibration), "", *_list_basis(calibration, date)]
    return "\n".join(lines) + "\n"


def list_marks(calibration: Calibration) -> list[str]:
    """Return the marks that end a sentence: those that did before, and the new ones."""
    table = conventions(calibration.language.partition("_")[0]).terminal_punctuation
    known = [chr(code) for code in table.nonzero()[0].tolist()]
    return [*known, *calibration.writing.marks]


def is_calibrated(text: str, path: str) -> bool:
    """Return whether the text of a file was written by this command. Raises UserError if it is no YAML."""
    data, _ = load_yaml(text, path)
    basis = data.get("basis") if isinstance(data, dict) else None
    return isinstance(basis, dict) and str(basis.get("method", "")).startswith("corpus calibrate")


def _list_rules(calibration: Calibration) -> list[str]:
    by_signal: dict[str, dict[str, str]] = defaultdict(dict)
    notes: dict[str, list[str]] = defaultdict(list)
    for name in calibration.off:
        signal, _, bound = name.rpartition(".")
        by_signal[signal][bound] = "off"
    for cut in calibration.kept_cuts():
        by_signal[cut.signal][cut.bound] = f"{cut.value:g}"
        notes[cut.signal].append(
            f"{cut.bound} loses {cut.lost:.2%} of the reference, {cut.removed:.1%} of the sample"
        )
    if WORD_LENGTH not in by_signal:
        low, high = calibration.word_bounds
        by_signal[WORD_LENGTH] = {"min": f"{low:g}", "max": f"{high:g}"}
        notes[WORD_LENGTH].append(
            f"Gopher's 3 and 10 by {calibration.writing.word_length:.2f} characters, where English has 4.9"
        )
    if STOP_WORDS not in by_signal:
        by_signal[STOP_WORDS] = {
            "min": f"{calibration.stop_words_min:g}" if calibration.stop_words_min else "off"
        }
    lines = []
    for signal, bounds in sorted(by_signal.items()):
        note = f"  # {'; '.join(notes[signal])}" if notes[signal] else ""
        inner = ", ".join(f"{bound}: {value}" for bound, value in sorted(bounds.items(), reverse=True))
        lines.append(f"  {signal}: {{{inner}}}{note}")
    return lines


def _list_basis(calibration: Calibration, date: str) -> list[str]:
    options = calibration.options
    lines = [
        "basis:",
        f"  method: {METHOD}",
        f"  date: {json.dumps(date)}",
        f"  loss: {options.loss:g}",
        f"  gain: {options.gain:g}",
        f"  reference: {_write_side(calibration.reference)}",
        f"  sample: {_write_side(calibration.sample)}",
    ]
    if calibration.labels is not None:
        lines.append(f"  labels: {_write_side(calibration.labels)}")
    lines += [
        f"  words: {calibration.writing.words}",
        f"  lines: {calibration.writing.lines}",
        f"  word_length: {calibration.writing.word_length:.4g}",
        f"  joint: {{lost: {calibration.joint_loss:.4g}, removed: {calibration.joint_removed:.4g}}}",
    ]
    kept = calibration.kept_cuts()
    if kept:
        lines += ["  cuts:", *(f"    {cut.signal}.{cut.bound}: {_write_cut(cut)}" for cut in kept)]
    if calibration.off:
        lines += [
            "  off:  # share of the reference that the bound loses, where it parts nothing",
            *(f"    {name}: {lost:.4g}" for name, lost in sorted(calibration.off.items())),
        ]
    lines += [f"  levels: [{', '.join(f'{level:g}' for level in QUANTILES)}]", "  quantiles:"]
    few = calibration.reference.documents < options.min_reference
    for signal, (reference, sample) in sorted(calibration.quantiles.items()):
        if few and (is_of_lines(signal) or signal.startswith(PAGE_STEPS)):
            continue
        lines.append(f"    {signal}: {{reference: {_write_list(reference)}, sample: {_write_list(sample)}}}")
    return lines


def _write_side(side: SideFacts) -> str:
    digest = f", digest: {json.dumps(side.digest)}" if side.digest else ""
    name = json.dumps(side.name, ensure_ascii=False)
    return (
        f"{{data: {name}, texts: {side.texts}, documents: {side.documents}, of_several_lines: {side.paged}, "
        f"characters: {side.characters}{digest}}}"
    )


def _write_cut(cut: Cut) -> str:
    low, high = cut.interval
    return (
        f"{{value: {cut.value:g}, interval: [{low:.4g}, {high:.4g}], lost: {cut.lost:.4g}, "
        f"removed: {cut.removed:.4g}, by: {cut.by}}}"
    )


def _write_list(values: list[float]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"


def _wrap(words: tuple[str, ...] | list[str]) -> list[str]:
    lines, held = [], " "
    for word in words:
        if len(held) + len(word) + 1 > LINE_CHARACTERS:
            lines.append(held)
            held = " "
        held += f" {word}"
    return [*lines, held]
