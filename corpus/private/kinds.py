"""Find private data of several kinds in one search, and say what stands in its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from importlib import metadata
from typing import NamedTuple

from corpus.extract.secrets import find_secrets, to_bytes
from corpus.private.accounts import find_ibans
from corpus.private.digit_regions import find_digit_regions
from corpus.private.emails import find_emails
from corpus.private.national_numbers import find_national_numbers
from corpus.private.networks import find_addresses
from corpus.private.options import KINDS
from corpus.private.private_numbers import find_cards, find_phones, find_runs
from corpus.private.private_words import read_words
from corpus.private.wallets import find_wallets

VERSION = 3
"""Increased when other spans would be found in the same text."""
WORD_KINDS = frozenset(["iban", "national_id", "phone"])
"""Kinds whose search reads manifests/private.yaml."""
NUMBER_KINDS = frozenset(["ip", "iban", "card", "national_id", "phone"])


class PrivateSpan(NamedTuple):
    """Characters of a text that are private data of a kind."""

    start: int
    end: int
    kind: str


def find_private(text: str, kinds: Collection[str] = KINDS) -> list[PrivateSpan]:
    """Find private data of some kinds; spans in order, none over another.

    Cost: 20 MB/s and more where there is none; every search begins with fixed strings or digits.
    """
    spans: list[PrivateSpan] = []
    regions = find_digit_regions(text) if not NUMBER_KINDS.isdisjoint(kinds) else []
    of_text = to_bytes(text) if "key" in kinds or "wallet" in kinds else None
    if "key" in kinds:
        spans += [PrivateSpan(start, end, "key") for start, end, _ in find_secrets(text, of_text)]
    if "email" in kinds:
        spans += [PrivateSpan(*span, "email") for span in find_emails(text)]
    if "ip" in kinds:
        spans += [PrivateSpan(*span, "ip") for span in find_addresses(text, regions)]
    if "iban" in kinds:
        spans += [PrivateSpan(*span, "iban") for span in find_ibans(text, regions)]
    if "wallet" in kinds and of_text is not None:
        spans += [PrivateSpan(*span, "wallet") for span in find_wallets(text, of_text)]
    if regions and not {"card", "national_id", "phone"}.isdisjoint(kinds):
        runs = find_runs(text, regions)
        if "card" in kinds:
            spans += [PrivateSpan(*span, "card") for span in find_cards(text, runs)]
        if "national_id" in kinds:
            spans += [
                PrivateSpan(*span, "national_id") for span in find_national_numbers(text, regions, runs)
            ]
        if "phone" in kinds:
            spans += [PrivateSpan(*span, "phone") for span in find_phones(text, runs)]
    return _without_overlaps(spans)


def name_masks(text: str, spans: Iterable[PrivateSpan]) -> list[str]:
    """Return what takes the place of each span: `<email-1>` for the first address of a document wherever it stands,
    `<email-2>` for the next, and so for each kind. Case, spaces and marks between digits make no other value."""
    numbers: dict[str, dict[str, int]] = {}
    masks = []
    for start, end, kind in spans:
        of_kind = numbers.setdefault(kind, {})
        number = of_kind.setdefault(_reduce_value(text[start:end], kind), len(of_kind) + 1)
        masks.append(f"<{kind.replace('_', '-')}-{number}>")
    return masks


def _reduce_value(value: str, kind: str) -> str:
    """Return one form of all ways to write a value."""
    folded = unicodedata.normalize("NFKC", value)
    if kind in ("key", "wallet"):
        return folded
    folded = folded.casefold()
    return folded if kind in ("email", "ip") else "".join(filter(str.isalnum, folded))


def identify_search(kinds: Collection[str]) -> list[object]:
    """Return what the spans of some kinds depend on besides the text."""
    libraries = [
        *(["tldextract"] if "email" in kinds else []),
        *(["phonenumberslite"] if "phone" in kinds else []),
    ]
    libraries += ["idnumbers"] if "national_id" in kinds else []
    words = read_words().identity if WORD_KINDS.intersection(kinds) else None
    return [VERSION, sorted(kinds), words, {name: metadata.version(name) for name in libraries}]


def _without_overlaps(spans: list[PrivateSpan]) -> list[PrivateSpan]:
    """Leave out what overlaps a span of an earlier kind, or an earlier span of its kind. In linear time."""
    if len(spans) < 2:
        return spans
    taken = bytearray(max(span.end for span in spans))
    chosen: list[PrivateSpan] = []
    for span in sorted(spans, key=lambda span: (KINDS.index(span.kind), span.start, -span.end)):
        if 1 not in taken[span.start : span.end]:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            chosen.append(span)
    return sorted(chosen)
