"""Hold one document's text, tokenized once and shared by every filter."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from corpus.document import Document
from corpus.text.conventions import CHARACTER_TABLE_SIZE, Characters, Conventions, conventions
from corpus.text.hashes import AnyPositions, Hashes, Positions, contains, hash_spans, order_hashes
from corpus.text.ngrams import Indices, find_later_copies
from corpus.text.tokens import RuleTokens, Spans, tokenize
from corpus.text.units import LETTER, LOWER, SPACE, Kinds, Units, find_pairs, to_text, to_units
from corpus.text.words import Words, exact_prefix, find_sentences, segment_words


class Page:
    """A text and what can be counted in it; every property is computed when first asked for, and once.

    Offsets are UTF-16 code units; lengths are in characters (code points). `language_score` is the score with which
    `language` was found, None if that is not known.
    """

    def __init__(
        self,
        text: str,
        language: str | None = None,
        url: str | None = None,
        document: Document | None = None,
        language_score: float | None = None,
    ) -> None:
        self.text = text
        self.language = language
        self.url = url
        self.document = document
        self.language_score = language_score

    @cached_property
    def words(self) -> Words:
        """Segments with a letter or a number, and everything between them."""
        return segment_words(self.text, self.language)

    @cached_property
    def conventions(self) -> Conventions:
        """Punctuation, stop words and phrases of the page's language."""
        return conventions(self.language)

    @property
    def units(self) -> Units:
        return self.words.units

    @property
    def kinds(self) -> Kinds:
        return self.words.kinds

    @cached_property
    def tokens(self) -> RuleTokens:
        """Words, punctuation marks and symbols, as rule-based tokenizers cut them."""
        return tokenize(self.words)

    @cached_property
    def token_hashes(self) -> Hashes:
        """Hash of each token as it is written (upper and lower case differ)."""
        return self.hashes(self.tokens)

    @cached_property
    def lines(self) -> Spans:
        """Lines with something in them, without the white space around them."""
        return self._lines[0]

    @cached_property
    def line_hashes(self) -> Hashes:
        return self.hashes(self.lines)

    @cached_property
    def line_lengths(self) -> Positions:
        """Characters of each of `lines`."""
        return self.lengths(self.lines.starts, self.lines.ends)

    @cached_property
    def line_copies(self) -> Indices:
        """Which of `lines` equal an earlier one, in no particular order."""
        return find_later_copies(self.line_hashes)

    @cached_property
    def terminal_lines(self) -> npt.NDArray[np.bool_]:
        """Which of `lines` end in the language's terminal punctuation."""
        return self.ending_in(self.lines, self.conventions.terminal_punctuation)

    @cached_property
    def line_total(self) -> int:
        """Lines including empty ones, but for an empty last one."""
        return self.text.count("\n") + (not self.text.endswith("\n")) if self.text else 0

    @cached_property
    def paragraphs(self) -> Spans:
        """Lines with no empty line between them, as one range each."""
        lines, numbers = self._lines
        first = np.ones(len(lines) + 1, np.bool_)
        first[1:-1] = np.diff(numbers) > 1
        return Spans(lines.starts[first[:-1]], lines.ends[first[1:]])

    @cached_property
    def sentences(self) -> Positions:
        """Start of the first word of each sentence that has a word; ICU's sentences, but the full stop of an initial or
        an abbreviation ends none."""
        words = self.words
        borders = find_sentences(self.text, self.language)
        firsts = np.searchsorted(words.starts, borders)
        begun = firsts[:-1] < firsts[1:]
        before = np.maximum(firsts[:-1] - 1, 0)
        inner = np.flatnonzero(begun & (firsts[:-1] > 0))
        before = before[inner]
        ends = words.ends[before]
        short = ends - words.starts[before] == 1
        stopped = (self.units[ends] == ord(".")) & (self.units[borders[:-1][inner] - 1] != ord("\n"))
        stopped &= self._share_page(words.starts[before], borders[:-1][inner])
        stopped &= short & (self.kinds[ends - 1] == LETTER) | contains(
            self.conventions.abbreviations, words.hashes[before]
        )
        begun[inner[stopped]] = False
        return words.starts[firsts[:-1][begun]]

    @cached_property
    def lowered(self) -> str:
        """The text lower-cased unit by unit, so that it keeps its length."""
        return to_text(LOWER.take(self.units))

    @cached_property
    def word_lengths(self) -> Positions:
        """Characters of each word."""
        return self.lengths(self.words.starts, self.words.ends)

    @cached_property
    def _ordered_words(self) -> tuple[Indices, Hashes]:
        """Words in the order of their hashes, and these."""
        return order_hashes(self.words.hashes)

    def locate_words(self, table: Hashes) -> tuple[Indices, Indices]:
        """Return which words are in a sorted table of distinct hashes, in no particular order, and where in the table.

        The words are put in order once, however many tables there are: each then costs by its own length.
        """
        order, ordered = self._ordered_words
        firsts = np.searchsorted(ordered, table)
        counts = np.searchsorted(ordered, table, "right") - firsts
        entries = np.repeat(np.arange(len(table)), counts)
        before = np.cumsum(counts) - counts
        return order[np.arange(len(entries)) + (firsts - before)[entries]], entries

    @cached_property
    def words_per_line(self) -> Positions:
        """Words in each of `lines`."""
        return self.starting_in(self.words.starts, self.lines)

    def hashes(self, ranges: Spans) -> Hashes:
        """Return the hash of each range, exactly as it is written."""
        return hash_spans(self._prefix, ranges.starts, ranges.ends)

    def to_characters(self, positions: AnyPositions) -> AnyPositions:
        """Return the characters before each of some positions."""
        return positions if self._second is None else positions - self._second[positions]

    def lengths(self, starts: Positions, ends: Positions) -> Positions:
        """Return the characters of ranges of units."""
        lengths = ends - starts
        return lengths if self._second is None else lengths - (self._second[ends] - self._second[starts])

    def starting_in(self, positions: Positions, ranges: Spans) -> Positions:
        """Return how many of the sorted `positions` are in each range."""
        first, last = np.searchsorted(positions, ranges.starts), np.searchsorted(positions, ranges.ends)
        counts: Positions = last - first
        return counts

    def ending_in(self, ranges: Spans, characters: Characters) -> npt.NDArray[np.bool_]:
        """Return which ranges end in one of a set of characters; none may be empty."""
        last = self.units[ranges.ends - 1].astype(np.int32)
        if self._second is not None:
            paired = np.flatnonzero((last & 0xFC00) == 0xDC00)
            high = self.units[np.maximum(ranges.ends[paired] - 2, 0)].astype(np.int32)
            whole = (high & 0xFC00) == 0xD800
            paired, high = paired[whole], high[whole]
            last[paired] = np.minimum(
                ((high - 0xD7C0) << 10) + (last[paired] - 0xDC00), CHARACTER_TABLE_SIZE - 1
            )
        is_member: npt.NDArray[np.bool_] = characters[last]
        return is_member

    def ending_with(self, ranges: Spans, suffix: str) -> npt.NDArray[np.bool_]:
        """Return which ranges end with a string."""
        if suffix not in self.text:
            return np.zeros(len(ranges), np.bool_)
        wanted = to_units(suffix)
        result = ranges.ends - ranges.starts >= len(wanted)
        for place, unit in enumerate(wanted[::-1].tolist(), start=1):
            result &= self.units[np.maximum(ranges.ends - place, 0)] == unit
        return result

    def find(self, phrase: str) -> Positions:
        """Return where a lower-case phrase occurs in the text, whatever the case there."""
        starts: list[int] = []
        place = self.lowered.find(phrase)
        while place >= 0:
            starts.append(place)
            place = self.lowered.find(phrase, place + len(phrase))
        positions = np.array(starts, np.int32)
        if self._second is not None and starts:
            characters = np.flatnonzero(np.diff(self._second, prepend=0)[:-1] == 0)
            positions = characters[positions].astype(np.int32)
        return positions

    @cached_property
    def _prefix(self) -> Hashes:
        return exact_prefix(self.units)

    @cached_property
    def _second(self) -> Positions | None:
        """How many second halves of surrogate pairs precede each unit; None where there are no pairs."""
        if len(self.text) == len(self.units):
            return None
        before = np.zeros(len(self.units) + 1, np.int32)
        np.cumsum(find_pairs(self.units)[:-1], out=before[2:])
        return before

    @cached_property
    def _lines(self) -> tuple[Spans, Positions]:
        """Lines with something in them, and the number of each among all lines."""
        breaks = self._find_line_breaks()
        starts = np.concatenate((np.zeros(1, np.int32), breaks + 1))
        ends = np.append(breaks, np.int32(len(self.units)))
        written = np.flatnonzero(~(self.kinds & SPACE).astype(np.bool_)).astype(np.int32)
        first = np.searchsorted(written, starts)
        last = np.searchsorted(written, ends)
        numbers = np.flatnonzero(first < last).astype(np.int32)
        return Spans(written[first[numbers]], written[last[numbers] - 1] + 1), numbers

    def _find_line_breaks(self) -> Positions:
        """Return where lines end, but for the last."""
        return np.flatnonzero(self.units == 10).astype(np.int32)

    def _share_page(self, positions: Positions, others: Positions) -> npt.NDArray[np.bool_]:
        """Return which pairs of positions are in one page, of a batch of them."""
        return np.ones(len(positions), np.bool_)
