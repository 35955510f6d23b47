"""Name the reasons of failures, so that records with the same damage count together wherever it is."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

MAX_REASON_CHARACTERS = 120
ERROR_KIND_PATTERN = r"(?s)^(?:[a-z0-9+]+://\S+: )?([^:]*(?::[^:]*)?).*$"
"""Matches an error up to its second colon, without the address before it: the kind and message, not the details."""
_NUMBER = r"[0-9][0-9,]*"
_UNITS = "bytes?|characters?|records?|members?|rows?|columns?|lines?|pages?|files?|objects?"
VARYING_PATTERNS = (
    (r"(^|[ (=])(?:'[^']*[/.][^']*'|\"[^\"]*[/.][^\"]*\")", r"\1'…'"),
    (r"\b0x[0-9A-Fa-f]+\b|\b[0-9a-f]{16,64}\b", "…"),
    (
        rf"\b(position|byte|char|column|line|row|offset|at|from|member|block|page|index|object) {_NUMBER}\b",
        r"\1 …",
    ),
    (rf"\b{_NUMBER} of {_NUMBER}\b", "… of …"),
    (rf"\b{_NUMBER}( {_UNITS})\b", r"…\1"),
    (r"\b[0-9]+(?:,[0-9]{3})+\b|\b[0-9]{5,}\b", "…"),
)
"""What differs between records with the same damage, and what stands for it: names of files, hashes, places, sizes.
Understood by RE2 and by Python."""
_COMPILED = tuple((re.compile(pattern, re.ASCII), by) for pattern, by in VARYING_PATTERNS)


def name_reason(reason: str, error: str) -> str:
    """Return the reason of a failure as the ledger has it: that of the build, and for damaged records the error up to
    its second colon, without the places and sizes of the one record."""
    if reason != "damaged":
        return reason[:MAX_REASON_CHARACTERS]
    kind = re.sub(ERROR_KIND_PATTERN, r"\1", error)
    for pattern, by in _COMPILED:
        kind = pattern.sub(by, kind)
    return kind[:MAX_REASON_CHARACTERS]


def name_reasons(part: pa.Table) -> pa.ChunkedArray:
    """Return `name_reason` of each row of a table with `reason` and `error`."""
    kinds = pc.replace_substring_regex(part.column("error"), ERROR_KIND_PATTERN, "\\1")
    for pattern, by in VARYING_PATTERNS:
        kinds = pc.replace_substring_regex(kinds, pattern, by)
    named = pc.if_else(pc.equal(part.column("reason"), "damaged"), kinds, part.column("reason"))
    return pc.utf8_slice_codeunits(named, 0, MAX_REASON_CHARACTERS)
