"""Check the names that a user asks for against those of a workspace, and suggest the nearest."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import UserError
from corpus.inspect.samples import DocumentQuery
from corpus.languages.labels import UNKNOWN_LANGUAGE, language_part
from corpus.languages.names import are_alike, normalize_label
from corpus.ledger.quarantine import read_quarantine_parts
from corpus.ledger.reasons import name_reasons
from corpus.ledger.tables import read_ledger
from corpus.suggestions import MAX_LISTED_NAMES, MAX_SUGGESTED_NAMES, suggest_names
from corpus.workspace import Workspace


def read_language(name: str) -> str:
    """Return the label that documents have of a language by any of its names (`zh`, `zho` and `cmn` are one), or of a
    text in none. Raises ValueError for what is no language, with what may have been meant."""
    return name if name.partition("_")[0] == UNKNOWN_LANGUAGE else normalize_label(name)


def check_names(workspace: Workspace, wanted: DocumentQuery) -> None:
    """Raise UserError, one line with the nearest names, for a source, language, snapshot, rule, gate or domain that the
    workspace does not have. If it has more domains than the 10,000 of the ledger, domains are not checked."""
    tables = read_ledger(workspace, ["counts", "rules", "domains"])
    counts = tables["counts"]
    languages = _unique_names(counts.column("language"))
    rules = _unique_names(tables["rules"].column("rule")) | _read_keys(counts, "failed")
    known = {
        "source": {source for source, _ in workspace.splits()},
        "language": languages | {name.partition("_")[0] for name in languages},
        "snapshot": _unique_names(counts.column("snapshot")) - {""},
        "rule": rules | {name.rpartition(".")[0] for name in rules},
        "gate": _read_keys(counts, "gated"),
    }
    domains = tables["domains"].column("domain")
    if not domains.null_count:
        known["domain"] = _unique_names(domains)
    for key, names in known.items():
        asked = getattr(wanted, key)
        asked = asked.lower() if key == "domain" and asked else asked
        if asked is not None and asked not in names:
            advice = suggest_languages_held(asked, counts) if key == "language" else suggest(asked, names)
            raise UserError(f"no {key} {asked}: {advice}")


def check_source(workspace: Workspace, asked: str | None) -> None:
    """Raise UserError, one line with the nearest names, for a source that the workspace does not have."""
    names = {source for source, _ in workspace.splits()}
    if asked is not None and asked not in names:
        raise UserError(f"no source {asked}: {suggest(asked, names)}")


def explain_no_quarantine(workspace: Workspace, source: str | None, reason: str | None) -> str:
    """Return why no record in quarantine is of this source and has this reason, with the reasons that there are."""
    reasons: set[str] = set()
    for part in read_quarantine_parts(workspace):
        if source in (None, part.column("source")[0].as_py()):
            reasons |= _unique_names(part.column("reason")) | _unique_names(name_reasons(part))
    where = workspace.root if source is None else f"source {source} of {workspace.root}"
    if reason is None or not reasons:
        return f"no record of {where} is in quarantine"
    advice = suggest_names(reason, reasons, "others are")
    return f"no quarantined record of {where} has the reason {reason}: {advice}"


def suggest(asked: str, names: set[str]) -> str:
    """Return the names nearest to an unknown one, or the first few that a workspace has."""
    return suggest_names(asked, names, "the workspace has") if names else "the workspace has none"


def suggest_languages_held(asked: str, counts: pa.Table) -> str:
    """Return what a workspace has for a language that it has not: the same in another script, those whose English names
    share a word with its own, else the languages with most documents. `counts` is the ledger's table.

    Codes that are spelt alike say nothing: Italian (ita) is not Thai (tha).
    """
    documents: Counter[str] = Counter()
    read = counts.filter(pc.equal(counts.column("what"), "read"))
    for row in read.select(["language", "documents"]).to_pylist():
        documents[row["language"]] += row["documents"]
    held = [label for label, _ in sorted(documents.items(), key=lambda item: (-item[1], item[0]))]
    if not held:
        return "the workspace has none"
    close = [label for label in held if language_part(label) == language_part(asked)]
    close = close or [label for label in held if are_alike(asked, label)]
    if close:
        return f"did you mean {' or '.join(close[:MAX_SUGGESTED_NAMES])}?"
    listed = ", ".join(f"{label} ({documents[label]:,})" for label in held[:MAX_LISTED_NAMES])
    more = f" and {len(held) - MAX_LISTED_NAMES:,} more" if len(held) > MAX_LISTED_NAMES else ""
    return f"the workspace has documents in {listed}{more}"


def _unique_names(column: pa.ChunkedArray) -> set[str]:
    return set(pc.unique(column.drop_null()).to_pylist())


def _read_keys(counts: pa.Table, what: str) -> set[str]:
    return _unique_names(counts.filter(pc.equal(counts.column("what"), what)).column("key"))
