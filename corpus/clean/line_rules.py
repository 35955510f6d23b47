"""Find lines by how they are written, as the line rules of C4, RefinedWeb and MADLAD-400 do.

C4 (Raffel et al. 2020, the code in TensorFlow Datasets): a line goes that does not end in terminal punctuation or a
quote, or ends in an ellipsis; that has fewer than 5 words (`c4_tfds_words`; datatrove and Dolma ask for 3:
`c4_words`), a word of more than 1,000 characters, the word javascript, or a phrase about cookies and terms; marks of
citations go out of the lines that stay. What it says of whole pages are signals of the filter `c4`.

RefinedWeb (Penedo et al. 2023, appendix G; numbers as DCLM has them): a line goes of whose characters more than half
are upper case; that has digits alone; that is a counter (3 likes); that has less than two words. In lines of at most
10 words phrases go: at the beginning to sign in, at the end to read more, and items in a cart anywhere. Its words for
these are English: here they are those of a language's lists. A page of which that takes more than 5 % of the words
was dropped there: here that is a rule on `clean.kept`.

MADLAD-400 (Kudugunta et al. 2023): lines of fewer than 3 words go. A sentence is questionable of which more than half
of the words begin in upper case, if it has 12 or more; that has less than 20 or more than 500 characters (not in
Chinese and Japanese, for which its authors call this bad); or of whose characters more than a fifth are `0-9{}+/()>`.
Pages with a fifth of such sentences were dropped there. Its test by the language of each sentence, and its list of
substrings, are left out.

Terminal punctuation and phrases are the language's (manifests/languages/), words and sentences ICU's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.clean.boilerplate_lists import fold_line, lists_of
from corpus.languages.labels import language_part
from corpus.text.batch import PageBatch
from corpus.text.tokens import STANDS_APART, Spans
from corpus.text.units import LOWER, NUMBER, SPACE, to_text
from corpus.text.words import find_sentences

MAX_WORD_CHARACTERS = 1000
MAX_UPPERCASE = 0.5
MAX_PHRASE_WORDS = 10
MIN_CASED_WORDS = 12
SENTENCE_CHARACTERS = (20, 500)
MAX_TECHNICAL = 0.2
UNSPACED_LANGUAGES = frozenset(["cmn", "zho", "wuu", "yue", "lzh", "gan", "jpn"])
FORM_RULES = frozenset(
    [
        "c4_terminal",
        "c4_words",
        "c4_tfds_words",
        "refinedweb_uppercase",
        "refinedweb_one_word",
        "madlad400_words",
        "madlad400_case",
        "madlad400_length",
        "madlad400_technical",
    ]
)
"""Rules on how a line is written, which would cut verse, dialogue, lists and code."""
MIN_VERSE_LINES = 4
MAX_VERSE_CHARACTERS = 60
MIN_VERSE_MARKED = 1 / 4
MIN_VERSE_WORDS = 2.5
"""A stanza: so many lines in a row, none of them longer, of which so many have a comma or the like, with so many words
on average."""

_CITATIONS = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_VERSE_MARKS = re.compile("[,;،؛，；、՝—–]")
_ITEM = re.compile(r"(?:[•\-–‣◦▪■●○・·＊*★☆►+]|[(（]?(?:\d{1,3}|[^\W\d_]|[ivxIVX]{2,5})[.)）、．])\s*\S")
_SPEECH = re.compile(r"[—―–-]\s*\S|[「『“\"«„‘’'‹»]|[^\s:：]{1,20}(?: [^\s:：]{1,20})?\s?[:：]\s*\S")
_CODE_END = re.compile(r"[;{}]\s*$|\)\s*:?\s*$")
_TECHNICAL: npt.NDArray[np.bool_] = np.isin(np.arange(0x10000), list(map(ord, "0123456789{}+/()>")))
_UPPER: npt.NDArray[np.bool_] = np.arange(0x10000) != LOWER

Mask = npt.NDArray[np.bool_]


class LineSpan(NamedTuple):
    """Units [start, end) of a batch that a rule finds."""

    start: int
    end: int
    rule: str


def find_by_rules(batch: PageBatch, rules: Collection[str], spare: bool) -> Iterator[LineSpan]:
    """Yield what some of `corpus.clean.options.LINE_RULES` find in a batch of texts of one language."""
    judged = _RuledLines(batch)
    lines = batch.lines
    for rule in rules:
        spans, chosen = judged.find(rule)
        for at in np.flatnonzero(chosen).tolist():
            start, end = int(spans.starts[at]), int(spans.ends[at])
            if not (spare and rule in FORM_RULES):
                yield LineSpan(start, end, rule)
                continue
            line = int(np.searchsorted(lines.starts, start, "right")) - 1
            if not judged.is_spared(line):
                yield LineSpan(start, end, rule)


@dataclass
class _RuledLines:
    """The lines of a batch, judged by rules."""

    batch: PageBatch

    def find(self, rule: str) -> tuple[Spans, Mask]:
        """Return spans, and which of them a rule finds."""
        if rule == "c4_citation":
            return self._everywhere(_find_citations)
        if rule == "refinedweb_phrase":
            return self._everywhere(self._find_phrases)
        if rule in ("madlad400_case", "madlad400_length", "madlad400_technical"):
            return self.sentences, getattr(self, f"_judge_{rule.removeprefix('madlad400_')}")()
        judge: Callable[[], Mask] = getattr(self, f"_judge_{rule}")
        return self.batch.lines, judge()

    def _everywhere(self, search: Callable[[str], Iterator[tuple[int, int]]]) -> tuple[Spans, Mask]:
        """Return the spans that a search finds in the whole text, in units."""
        text = self.batch.text
        spans = np.array(list(search(text)), np.int64).reshape(-1, 2)
        if len(text) != len(self.batch.units) and len(spans):
            sizes = np.fromiter((1 + (ord(each) > 0xFFFF) for each in text), np.int64, len(text))
            spans = np.append(0, np.cumsum(sizes))[spans]
        starts, ends = spans[:, 0].astype(np.int32), spans[:, 1].astype(np.int32)
        return Spans(starts, ends), np.ones(len(starts), np.bool_)

    def _share(self, mask: Mask, spans: Spans) -> npt.NDArray[np.float64]:
        """Return the share of the units of each span in which a mask over units is true."""
        totals = np.append(0, np.cumsum(mask))
        shares: npt.NDArray[np.float64] = (totals[spans.ends] - totals[spans.starts]) / (
            spans.ends - spans.starts
        )
        return shares

    def _judge_c4_terminal(self) -> Mask:
        page = self.batch
        ends = page.ending_in(page.lines, page.conventions.line_ends)
        for ellipsis in page.conventions.ellipses:
            ends &= ~page.ending_with(page.lines, ellipsis)
        return ~ends

    def _judge_c4_words(self) -> Mask:
        return self.batch.words_per_line < 3

    def _judge_c4_tfds_words(self) -> Mask:
        return self.batch.words_per_line < 5

    def _judge_c4_long_word(self) -> Mask:
        page = self.batch
        places = np.concatenate(([-1], np.flatnonzero(STANDS_APART.take(page.units)), [len(page.units)]))
        long = places[:-1][np.diff(places) - 1 > MAX_WORD_CHARACTERS] + 1
        return self._holding(long)

    def _judge_c4_javascript(self) -> Mask:
        return self._with_phrases(("javascript",))

    def _judge_c4_policy(self) -> Mask:
        return self._with_phrases(self.batch.conventions.policy_phrases)

    def _with_phrases(self, phrases: Collection[str]) -> Mask:
        spans = [self.batch.find(phrase) for phrase in phrases if phrase in self.batch.lowered]
        return self._holding(np.concatenate(spans) if spans else np.zeros(0, np.int64))

    def _holding(self, positions: npt.NDArray[np.integer]) -> Mask:
        """Return which lines hold one of some positions."""
        holding = np.zeros(len(self.batch.lines), np.bool_)
        holding[np.searchsorted(self.batch.lines.starts, positions, "right") - 1] = True
        return holding

    def _judge_refinedweb_uppercase(self) -> Mask:
        return self._share(_UPPER.take(self.batch.units), self.batch.lines) > MAX_UPPERCASE

    def _judge_refinedweb_numbers(self) -> Mask:
        digits = (self.batch.kinds & NUMBER) > 0
        shares = self._share(digits, self.batch.lines)
        return np.equal(shares, 1)

    def _judge_refinedweb_counter(self) -> Mask:
        lists = lists_of(self.batch.language)
        short = np.flatnonzero(self.batch.line_lengths <= MAX_VERSE_CHARACTERS)
        counters = np.zeros(len(self.batch.lines), np.bool_)
        counters[
            [at for at in short.tolist() if lists.find_class(fold_line(self.line(at))) == "counters"]
        ] = True
        return counters

    def _judge_refinedweb_one_word(self) -> Mask:
        return self.batch.words_per_line < 2

    def _judge_madlad400_words(self) -> Mask:
        return self.batch.words_per_line < 3

    def _find_phrases(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the phrases that go out of short lines: (start, end) in characters."""
        phrases = lists_of(self.batch.language).phrases
        lowered = text.lower()
        if len(lowered) != len(text):
            return
        words, at = self.batch.words_per_line, 0
        counts = words.tolist()
        start = 0
        for line in re.split("[\n\u2028]", lowered):
            stripped = line.strip()
            if stripped:
                count = counts[at] if at < len(counts) else 0
                at += 1
                if count <= MAX_PHRASE_WORDS:
                    left = start + len(line) - len(line.lstrip())
                    yield from ((left + first, left + last) for first, last in phrases.find(stripped))
            start += len(line) + 1

    @cached_property
    def sentences(self) -> Spans:
        """The sentences of all lines, without the blanks around them."""
        page = self.batch
        lines = page.lines
        borders = find_sentences(page.text, page.language)
        inner = borders[np.searchsorted(lines.starts, borders, "right") > 0]
        of_line = np.searchsorted(lines.starts, inner, "right") - 1
        inner = inner[(inner > lines.starts[of_line]) & (inner < lines.ends[of_line])]
        starts = np.union1d(lines.starts, inner).astype(np.int32)
        of_line = np.searchsorted(lines.starts, starts, "right") - 1
        ends = np.minimum(np.append(starts[1:], len(page.units)), lines.ends[of_line]).astype(np.int32)
        written = np.flatnonzero(~(page.kinds & SPACE).astype(np.bool_))
        ends = written[np.searchsorted(written, ends) - 1] + 1
        return Spans(starts, ends.astype(np.int32))

    def _judge_case(self) -> Mask:
        page, spans = self.batch, self.sentences
        firsts = page.words.starts
        upper = firsts[_UPPER[page.units[firsts]]]
        count = page.starting_in(firsts, spans)
        return (count >= MIN_CASED_WORDS) & (page.starting_in(upper, spans) > count / 2)

    def _judge_length(self) -> Mask:
        if language_part(self.batch.language or "") in UNSPACED_LANGUAGES:
            return np.zeros(len(self.sentences), np.bool_)
        lengths = self.batch.lengths(self.sentences.starts, self.sentences.ends)
        least, most = SENTENCE_CHARACTERS
        return (lengths < least) | (lengths > most)

    def _judge_technical(self) -> Mask:
        return self._share(_TECHNICAL.take(self.batch.units), self.sentences) > MAX_TECHNICAL

    def line(self, at: int) -> str:
        lines = self.batch.lines
        return to_text(self.batch.units[lines.starts[at] : lines.ends[at]])

    def is_spared(self, at: int) -> bool:
        """Return whether a line is an item of a list, speech, code, or one of a stanza."""
        line = self.line(at)
        words = int(self.batch.words_per_line[at])
        if _ITEM.match(line) and words > 1:
            return True
        if _SPEECH.match(line) and words > 2:
            return True
        return self._is_code(at, line) or bool(self._stanzas[at])

    def _is_code(self, at: int, line: str) -> bool:
        """Return whether a line is indented as code is, or ends as a statement does."""
        start = int(self.batch.lines.starts[at])
        before = to_text(self.batch.units[max(0, start - 4) : start])
        return before == "    " or before.endswith("\t") or bool(_CODE_END.search(line) and "(" in line)

    @cached_property
    def _stanzas(self) -> Mask:
        """Which lines are of a stanza."""
        page = self.batch
        lines, short = page.lines, page.line_lengths <= MAX_VERSE_CHARACTERS
        firsts = np.unique(np.searchsorted(lines.starts, page.paragraphs.starts))
        sizes = np.diff(np.append(firsts, len(lines)))
        ends = np.array([bool(_VERSE_MARKS.search(self.line(at))) for at in range(len(lines))], np.bool_)
        all_short = np.logical_and.reduceat(short, firsts)
        ending = np.add.reduceat(ends.astype(np.int64), firsts)
        several = np.add.reduceat(page.words_per_line, firsts) >= MIN_VERSE_WORDS * sizes
        verse = (sizes >= MIN_VERSE_LINES) & all_short & several & (ending >= MIN_VERSE_MARKED * sizes)
        return np.repeat(verse, sizes)


def _find_citations(text: str) -> Iterator[tuple[int, int]]:
    """Yield marks of citations: (start, end) in characters."""
    if "[" in text:
        yield from (match.span() for match in _CITATIONS.finditer(text))
