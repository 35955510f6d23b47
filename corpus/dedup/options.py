"""The manifest's options on duplicates: `dedup`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from corpus.languages.labels import is_code

if TYPE_CHECKING:
    from corpus.dedup.shingles import Shape

DEFAULT_THRESHOLD = 0.7
DEFAULT_PERMUTATIONS = 112
DEFAULT_CONTAINMENT = 0.9
DEFAULT_BANDS, DEFAULT_BAND_ROWS = 14, 8
"""FineWeb's banding (datatrove `examples/fineweb.py`): a pair of Jaccard similarity s becomes a candidate
with probability 1 - (1 - s^8)^14: .05 at .5, .21 at .6, .56 at .7, .77 at .75, .92 at .8, .988 at .85."""
FALSE_NEGATIVE_WEIGHT = 0.7
"""The weight of missed pairs in datasketch's optimizer (false candidates, which verification removes, have
the rest): the weight at which its answer for the default threshold and permutations is FineWeb's 14 x 8."""

KINDS_WITHOUT_PAGES = ("wikipedia", "stackexchange", "reddit-comments", "arxiv", "pubmed", "books", "code")
"""Kinds of sources whose documents are no web pages."""
REPEATS = ("paragraphs", "lines", "spans")
"""The options on repeated text, each of which is None by default."""


DEFAULT_FOLDS: Final = ("case", "chinese", "digits", "punctuation", "width")


class MinHashOptions(BaseModel):
    """Options for near-duplicates: documents whose sets of word n-grams have at least `threshold` Jaccard similarity.

    `threshold` is what the full signatures of a candidate pair must agree in (standard error
    sqrt(s (1 - s) / permutations), .043 at .7 and 112). The banding decides which
    pairs become candidates. With neither `bands` nor `rows` given it is the one that datasketch's optimizer finds
    for the threshold and the permutations: FineWeb's 14 x 8 by default, and 23 x 4 at a threshold of .5, where
    14 x 8 would find one such pair in twenty.

    `words` is the n-gram's length where words are spaced; `characters` of Han and kana, and twice as many
    of the alphabets written without spaces (Thai, Lao, Khmer, Burmese, Tibetan ...), are one where they are
    not: `corpus.dedup.shingles` gives the reasons. `lines` is the number of lines of source code that make a shingle;
    with 0 code is compared by words, as prose. `fold` names what counts as the same (`corpus.text.folding.FOLDS`).
    `seed` draws the permutations. `containment`: a document of whose shingles so many stand in a longer one is removed,
    too (`corpus.dedup.sketches`); None looks for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float = Field(default=DEFAULT_THRESHOLD, gt=0, le=1)
    permutations: int | None = Field(default=None, ge=2, le=1024)
    bands: int | None = Field(default=None, ge=1)
    rows: int | None = Field(default=None, ge=1)
    words: int = Field(default=5, ge=1, le=64)
    characters: int = Field(default=8, ge=1, le=256)
    lines: int = Field(default=2, ge=0, le=64)
    fold: tuple[Literal["case", "chinese", "digits", "numbers", "punctuation", "width"], ...] = DEFAULT_FOLDS
    seed: int = Field(default=1, ge=0, lt=1 << 32)
    containment: float | None = Field(default=None, gt=0.5, le=1)

    @field_validator("containment", mode="before")
    @classmethod
    def _expand_containment(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return DEFAULT_CONTAINMENT if value else None
        return value

    @field_validator("fold", mode="before")
    @classmethod
    def _expand_fold(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return DEFAULT_FOLDS if value else ()
        return [value] if isinstance(value, str) else value

    @field_validator("fold")
    @classmethod
    def _sort_fold(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _fill_in(self) -> MinHashOptions:
        bands, rows, permutations = self.bands, self.rows, self.permutations
        if (bands is None) != (rows is None):
            raise ValueError("give both bands and rows, or neither")
        if bands is None or rows is None:
            permutations = permutations or DEFAULT_PERMUTATIONS
            bands, rows = choose_bands(self.threshold, permutations)
        permutations = permutations or bands * rows
        if bands * rows > permutations:
            raise ValueError(
                f"{bands} bands of {rows} rows need {bands * rows} permutations, not {permutations}"
            )
        # The resolved manifest shows what was used, so the gaps are filled in the (frozen) model itself.
        for name, value in (("bands", bands), ("rows", rows), ("permutations", permutations)):
            object.__setattr__(self, name, value)
        return self

    @property
    def banding(self) -> tuple[int, int]:
        """The number of bands and the rows of each."""
        assert self.bands is not None and self.rows is not None
        return self.bands, self.rows

    @property
    def width(self) -> int:
        """The number of permutations in a signature."""
        assert self.permutations is not None
        return self.permutations

    def shape(self, language: str | None) -> Shape:
        """Return what a shingle of a document in this language is."""
        from corpus.dedup.shingles import Shape

        lines = self.lines if is_code(language) else 0
        return Shape(self.words, self.characters, self.fold, lines)

    @property
    def matches(self) -> int:
        """The least number of equal signature values that makes a candidate pair a near-duplicate."""
        return max(1, int(-(-(self.threshold * self.width - 1e-6) // 1)))


class ParagraphOptions(BaseModel):
    """Mark paragraphs of at least `min_characters` that stand in `documents` kept documents, in all but one.

    That is the first, or with `keep: best` the one in the best document: by priority, quality, length and id, as among
    duplicates. A paragraph is what stands between blank lines, and every line by itself. Source code takes part with
    `code`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    documents: int = Field(default=10, ge=2)
    min_characters: int = Field(default=50, ge=1)
    keep: Literal["first", "best"] = "first"
    code: bool = False


class LineOptions(BaseModel):
    """Mark lines of at least `min_characters` that stand on `pages` kept pages of one site, on all but one.

    That is the first, or with `keep: best` the best page (as paragraphs).
    A site is a registered domain. Pages are the documents of `sources`, by default of those whose texts are web pages
    or of unknown kind: not of wikis, posts, papers and books, whose lines of one domain are headings and what people
    write. Source code takes part with `code`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: int = Field(default=10, ge=2)
    min_characters: int = Field(default=1, ge=1)
    keep: Literal["first", "best"] = "first"
    sources: list[str] | None = None
    code: bool = False

    def takes(self, kind: str) -> bool:
        """Return whether documents of sources of a kind are pages, where `sources` does not say."""
        return kind not in KINDS_WITHOUT_PAGES

    @field_validator("sources", mode="before")
    @classmethod
    def _accept_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class SpanOptions(BaseModel):
    """Mark spans that stand in kept documents more than once, each time but the first.

    A span has at least `min_tokens` words where words are spaced, and at least `min_characters` where they are not
    (as `corpus.dedup.shingles` tells them apart), from its first character to its last. Source code, of which a part
    cannot be cut, takes part with `code`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_tokens: int = Field(default=50, ge=16, le=10_000)
    min_characters: int = Field(default=100, ge=32, le=100_000)
    code: bool = False

    @property
    def window(self) -> int:
        """The number of characters that every span has: words of one letter with one space between them."""
        return min(self.min_characters, 2 * self.min_tokens - 1)


class DedupOptions(BaseModel):
    """Options that decide which duplicates are removed. `minhash: false` turns off near-duplicate detection.

    `url` removes documents whose canonical URL (`corpus.dedup.url_key`) a kept document has; a source in which
    many documents share one URL should not declare it as `url`. `closure`: with `best`, a document is removed
    only in favour of a kept document that it was found similar to; with `transitive` (as in FineWeb) only the
    best document of every connected cluster is kept. In a band group of more than `max_group` different contents,
    each is paired with the best ones only (see `corpus.dedup.pairs`), so that the work stays linear.
    `against` names earlier workspaces, and folders that `corpus export --signatures` wrote: what they hold is removed
    here. Their documents are kept whatever these options say.
    `canaries` is how many variants of known likeness are made of each language's documents, to see how many of them
    MinHash finds (`corpus.dedup.planted`); the duplicates found are the same with and without them.
    `paragraphs`, `lines` and `spans` mark what is repeated in the documents that are kept, for cutting
    (`corpus.pipelines.repeats`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    exact: bool = True
    url: bool = True
    minhash: MinHashOptions | None = Field(default_factory=lambda: MinHashOptions())
    closure: Literal["best", "transitive"] = "best"
    max_group: int = Field(default=256, ge=2)
    against: list[str] = []
    canaries: int = Field(default=0, ge=0, le=1_000_000)
    paragraphs: ParagraphOptions | None = None
    lines: LineOptions | None = None
    spans: SpanOptions | None = None

    @field_validator("minhash", "paragraphs", "lines", "spans", mode="before")
    @classmethod
    def _expand_switch(cls, value: Any) -> Any:
        if value is True or value is False:
            return {} if value else None
        if value is not None and not isinstance(value, dict | BaseModel):
            raise ValueError("say true, false, or {option: value}")
        return value

    @field_validator("against", mode="before")
    @classmethod
    def _accept_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_together(self) -> DedupOptions:
        if self.canaries and self.minhash is None:
            raise ValueError("canaries show what MinHash finds: they need `minhash`")
        if self.closure == "transitive" and self.minhash is not None and self.minhash.containment is not None:
            raise ValueError(
                "minhash.containment needs `closure: best`: the best of a cluster may be the shortest"
            )
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """What duplicates depend on besides the documents and those of earlier builds."""
        return drop_unset(self.model_dump(mode="json", exclude={"against", "canaries", *REPEATS}))

    @property
    def repeats(self) -> dict[str, Any]:
        """What the search for repeated text depends on besides the documents; empty if nothing is searched for."""
        dumped = self.model_dump(mode="json", include=set(REPEATS), exclude_none=True)
        for options in dumped.values():
            if options.get("keep") == "first":  # a later key, at its default
                del options["keep"]
        return dumped

    @property
    def keeps_best(self) -> bool:
        """Whether the best copy of repeated paragraphs or lines is kept, so that documents are compared."""
        return "best" in (getattr(options, "keep", None) for options in (self.paragraphs, self.lines))


def drop_unset(dumped: dict[str, Any]) -> dict[str, Any]:
    """Return dumped options without keys that came later and are not set: what depends on them stays as it was."""
    minhash = dumped.get("minhash")
    if minhash is not None and minhash["containment"] is None:
        minhash = {name: value for name, value in minhash.items() if name != "containment"}
    dumped = {**dumped, **({"minhash": minhash} if "minhash" in dumped else {})}
    unset = [] if any(dumped.get(name) for name in REPEATS) else list(REPEATS)
    unset += [] if dumped.get("canaries") else ["canaries"]
    return {name: value for name, value in dumped.items() if name not in unset}


@cache
def choose_bands(threshold: float, permutations: int) -> tuple[int, int]:
    """Return datasketch's (bands, rows) for a threshold, with `FALSE_NEGATIVE_WEIGHT`. Cost: .5 s for 112 permutations.

    There are at least two bands: where one would do (a threshold of 1), identical signatures meet in both.
    """
    if (threshold, permutations) == (DEFAULT_THRESHOLD, DEFAULT_PERMUTATIONS):
        return DEFAULT_BANDS, DEFAULT_BAND_ROWS
    from datasketch import MinHashLSH

    try:
        index = MinHashLSH(
            threshold=threshold,
            num_perm=permutations,
            weights=(1 - FALSE_NEGATIVE_WEIGHT, FALSE_NEGATIVE_WEIGHT),
        )
    except ValueError:  # its answer is a single band
        return 2, permutations // 2
    return int(index.b), int(index.r)
