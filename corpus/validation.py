"""Choose the kept documents that are held out for validation, by a fixed hash below a share.

What is hashed is a document's unit: its group, or its content where it has no group (its `group` is then its id, which
comes from a path and the source's name). In a language of fewer than `MIN_GROUPS` groups every document is a unit of
its own. The share is the manifest's; where fewer than `least` units of a language are below it, it is doubled until
they are. A doubled share only adds documents, so nothing that was held out is trained on until a language has grown.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator

from corpus.languages.labels import UNKNOWN_LABEL, language_part
from corpus.languages.names import normalize_labels
from corpus.text.hashes import finalize

if TYPE_CHECKING:
    import pyarrow as pa

SALT = b"corpus validation 1"
"""Never changed, so that a unit is on the same side in every workspace."""
MIN_GROUPS = 20
"""A language with fewer groups is divided by content."""
UNITS_PER_VALIDATION_UNIT = 10
"""A language of few units holds out at least one in so many: one of ten, two of twenty."""
MIN_UNITS = 5
"""A language of fewer units is not raised for; of five to nine, one is enough."""
_ALL = 2**64 - 1
_CONTENT_SALT = np.uint64(int.from_bytes(SALT[-8:], "big"))

Hashes = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class _ShareModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageShare(_ShareModel):
    """The share of a language, and what it is a share of: groups, or contents."""

    share: Annotated[float, Field(ge=0, le=1)]
    by: Literal["group", "content"] = "group"


class Validation(_ShareModel):
    """The share of groups (domains, pages, repositories) whose documents are kept for validation.

    `share` is doubled for a language until at least `least` of its groups (or a tenth of them) are in validation;
    0 leaves it. `languages` sets the share of some, `tha: 0.1` or `tha_Thai: {share: 0.1, by: content}`. `resolved` is
    written into a workspace's manifest.yaml, for languages whose share was raised or is one of contents; it is not
    read from a manifest: under the name `languages` it pins those shares.
    """

    share: Annotated[float, Field(ge=0, lt=1)] = 0.005
    least: Annotated[int, Field(ge=0, le=1000)] = 5
    languages: dict[str, LanguageShare] = {}
    resolved: dict[str, LanguageShare] = {}

    @field_validator("languages", "resolved", mode="before")
    @classmethod
    def _expand_numbers(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: item if isinstance(item, Mapping) else {"share": item} for name, item in value.items()}

    @field_validator("languages")
    @classmethod
    def _normalize_labels(cls, languages: dict[str, LanguageShare]) -> dict[str, LanguageShare]:
        return {label: languages[name] for label, name in normalize_labels(languages).items()}

    def shares(self) -> Shares:
        """Return the shares that a build with these options came to."""
        return Shares(self.share, {**self.resolved, **self.languages})


@dataclass(frozen=True)
class Shares:
    """The share of every language: `languages` by label or bare code, `base` for all others, of groups."""

    base: float
    languages: Mapping[str, LanguageShare]

    def of(self, label: str) -> LanguageShare:
        """Return the share of a label such as `tha_Thai`; its own comes before that of its language."""
        own = self.languages.get(label) or self.languages.get(language_part(label))
        return own or LanguageShare(share=self.base)

    def describe(self, labels: Iterable[str]) -> dict[str, Any]:
        """Return the shares of some labels as JSON values, for fingerprints."""
        return {label: self.of(label).model_dump() for label in sorted(labels)}

    def choose(self, documents: pa.Table) -> Flags:
        """Return which documents are in validation. `documents` has id, group, content_hash and language.

        Cost: about a microsecond a document and one a group.
        """
        labels, codes = encode_languages(documents)
        shares = [self.of(label) for label in labels]
        limits = np.array([_limit(share.share) for share in shares], np.uint64)
        by_content = np.array([share.by == "content" for share in shares], np.bool_)
        if not len(codes):
            return np.zeros(0, np.bool_)
        whole = by_content[codes] | ~has_group(documents)
        units = np.where(whole, hash_contents(documents), hash_groups(documents))
        chosen: Flags = units < limits[codes]
        return chosen


def name_sides(kept: Flags, held: Flags) -> list[str | None]:
    """Return `valid` or `train` for every kept document, None for the others."""
    names: list[str | None] = np.array([None, "train", "valid"], object)[
        kept + (kept & held).astype(int)
    ].tolist()
    return names


def encode_languages(documents: pa.Table) -> tuple[list[str], Integers]:
    """Return the labels of some documents, and the number of each document's label."""
    import pyarrow.compute as pc

    column = pc.fill_null(documents.column("language"), UNKNOWN_LABEL).combine_chunks()
    encoded = column.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def hash_groups(documents: pa.Table) -> Hashes:
    """Return the fixed hash of every document's group."""
    import pyarrow.compute as pc

    groups = pc.fill_null(documents.column("group"), "").combine_chunks().dictionary_encode()
    hashes = np.array([hash_group(group) for group in groups.dictionary.to_pylist()], np.uint64)
    return hashes[groups.indices.to_numpy()] if len(groups) else np.zeros(0, np.uint64)


def hash_contents(documents: pa.Table) -> Hashes:
    """Return the fixed hash of every document's content; 0 where there is none, as behind a gate."""
    import pyarrow.compute as pc

    digits = pc.fill_null(documents.column("content_hash"), "0" * 32).combine_chunks()
    values = np.frombuffer(bytes.fromhex("".join(digits.to_pylist())), ">u8")[::2]
    return finalize(values.astype(np.uint64) ^ _CONTENT_SALT)


def has_group(documents: pa.Table) -> Flags:
    """Return which documents have a group that is more than their own id."""
    import pyarrow.compute as pc

    own: Flags = pc.fill_null(
        pc.not_equal(documents.column("group"), documents.column("id")), False
    ).to_numpy()
    return own


def hash_group(group: str) -> int:
    """Return the fixed hash of a group, uniform below 2 ** 64."""
    digest = hashlib.blake2b(group.encode("utf-8", "surrogatepass"), key=SALT, digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _limit(share: float) -> int:
    """Return the hash below which a unit is in validation at a share. At share 1 one hash in 2 ** 64 is left out."""
    return min(math.ceil(share * 2**64), _ALL)


def list_steps(share: float) -> list[float]:
    """Return the share and its doublings, up to the first of 1 or more, as 1; empty for a share of 0."""
    steps = [share] if share > 0 else []
    while steps and steps[-1] < 1:
        steps.append(min(1.0, steps[-1] * 2))
    return steps


@dataclass(frozen=True)
class Units:
    """What decides on the share of one language: its lowest unit hashes, distinct and sorted, `count_needed` of each.

    groups      of groups
    ungrouped   of the contents of documents without a group
    grouped     of the contents of documents with one
    leaving     documents that the last build held out, by the step at which their group (rows) or
                their content (columns) comes below the share: `steps` + 1 rows and columns
    """

    groups: Hashes
    ungrouped: Hashes
    grouped: Hashes
    leaving: Integers

    def by_group(self) -> bool:
        """Return whether there are enough groups to divide the language by them, or none at all."""
        return len(self.groups) >= MIN_GROUPS

    def units(self, by_group: bool, count: int) -> Hashes:
        """Return the lowest hashes of all units, whichever they are."""
        return _lowest([self.groups if by_group else self.grouped, self.ungrouped], count)

    def pack(self) -> bytes:
        """Return the units as bytes."""
        parts = (self.groups, self.ungrouped, self.grouped, self.leaving.ravel())
        sizes = np.array([len(part) for part in parts], "<i8")
        return sizes.tobytes() + b"".join(
            part.astype(part.dtype.newbyteorder("<")).tobytes() for part in parts
        )

    @staticmethod
    def unpack(packed: bytes) -> Units:
        """Return the units that `pack` made bytes of."""
        ends = 32 + 8 * np.cumsum(np.frombuffer(packed[:32], "<i8"))
        groups, ungrouped, grouped = (
            np.frombuffer(packed[start:end], "<u8")
            for start, end in zip([32, *ends[:2]], ends[:3], strict=True)
        )
        leaving = np.frombuffer(packed[ends[2] :], "<i8")
        side = math.isqrt(len(leaving))
        return Units(groups, ungrouped, grouped, leaving.reshape(side, side))


def count_needed(options: Validation) -> int:
    """Return how many of a language's lowest hashes decide on its share."""
    return max(MIN_GROUPS, UNITS_PER_VALIDATION_UNIT * options.least)


def gather_units(documents: pa.Table, options: Validation, held: Flags) -> dict[str, Units]:
    """Return the units of some kept documents by language. `held`: those that the last build held out."""
    labels, codes = encode_languages(documents)
    real = has_group(documents)
    contents = hash_contents(documents)
    groups = np.where(real, hash_groups(documents), contents)
    limits = np.array([_limit(step) for step in list_steps(options.share)], np.uint64)
    side, count = len(limits) + 1, count_needed(options)
    units = {}
    for code, label in enumerate(labels):
        here = codes == code
        leaving = np.zeros((side, side), np.int64)
        mine = here & held
        steps = [np.searchsorted(limits, hashes[mine], side="right") for hashes in (groups, contents)]
        np.add.at(leaving, (steps[0], steps[1]), 1)
        units[label] = Units(
            _lowest([groups[here & real]], count),
            _lowest([contents[here & ~real]], count),
            _lowest([contents[here & real]], count),
            leaving,
        )
    return units


def merge_units(units: Sequence[Units], options: Validation) -> Units:
    """Return the units of one language that several parts of the documents led to."""
    count = count_needed(options)
    return Units(
        _lowest([one.groups for one in units], count),
        _lowest([one.ungrouped for one in units], count),
        _lowest([one.grouped for one in units], count),
        np.sum([one.leaving for one in units], axis=0),
    )


def _lowest(hashes: Sequence[Hashes], count: int) -> Hashes:
    return np.unique(np.concatenate(hashes))[:count]


def choose_shares(units: Mapping[str, Units], options: Validation) -> Shares:
    """Return the shares of all languages; those that differ from the manifest's share of groups are named."""
    chosen: dict[str, LanguageShare] = {}
    pinned = Shares(options.share, options.languages)
    for label, own in sorted(units.items()):
        if label in options.languages or language_part(label) in options.languages:
            chosen[label] = pinned.of(label)
        elif options.share and options.least:
            by_group = own.by_group()
            share = _raise_share(own.units(by_group, count_needed(options)), options)
            if share != options.share or not by_group:
                chosen[label] = LanguageShare(share=share, by="group" if by_group else "content")
    return Shares(options.share, chosen)


def _raise_share(hashes: Hashes, options: Validation) -> float:
    tenth = max(len(hashes) // UNITS_PER_VALIDATION_UNIT, int(len(hashes) >= MIN_UNITS))
    needed = min(options.least, tenth)
    steps = list_steps(options.share)
    return steps[0] if not needed else next(step for step in steps if _limit(step) > int(hashes[needed - 1]))


def count_leaving(units: Mapping[str, Units], shares: Shares, options: Validation) -> dict[str, int]:
    """Return, by language, the documents that the last build held out and that would now be trained on."""
    counts = {}
    steps = list_steps(options.share)
    for label, own in sorted(units.items()):
        share = shares.of(label)
        below = sum(step <= share.share for step in steps)
        left = own.leaving[below:, :] if share.by == "group" else own.leaving[:, below:]
        if int(left.sum()):
            counts[label] = int(left.sum())
    return counts
