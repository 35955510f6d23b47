"""Which edits of a workspace are applied where its texts are read: DIR/edits/applied.json, {source: {step: [kinds]}}.

Tokenizer, shards, exports, samples and training texts of classifiers have texts with these edits; signals,
near-duplicates and ids are those of the stored texts. Without the file, and for sources that it does not name, texts
are as stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from corpus import storage
from corpus.edits.parts import EDITS_SCHEMA, SplitEdits, read_edits
from corpus.workspace import Workspace

AppliedKinds: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]
"""source -> step -> kinds of its edits."""
EMPTIED_KIND = "emptied"
"""The rule by which a kept document of which edits leave nothing is left out of tokens and exports."""


def applied_path(workspace: Workspace) -> str:
    return workspace.path("edits", "applied.json")


def write_applied(workspace: Workspace, applied: AppliedKinds) -> None:
    """Write which edits are applied; remove the file where none are."""
    content = {
        source: {step: sorted(kinds) for step, kinds in sorted(steps.items()) if kinds}
        for source, steps in sorted(applied.items())
    }
    content = {source: steps for source, steps in content.items() if steps}
    if content:
        storage.write_text(applied_path(workspace), json.dumps(content, indent=1) + "\n")
    else:
        storage.remove(applied_path(workspace))


def read_applied(workspace: Workspace) -> dict[str, dict[str, list[str]]]:
    """Return which edits are applied, by source and step; empty without any."""
    path = applied_path(workspace)
    if not storage.exists(path):
        return {}
    return workspace.read_json("edits", "applied.json")


def read_applied_edits(
    workspace: Workspace, source: str, split: str, applied: AppliedKinds | None = None
) -> SplitEdits | None:
    """Return the edits of an input split that are applied, None where there are none. Raises RunError as `read_edits`.

    `applied`: what `read_applied` returns, read here without it.
    """
    applied = read_applied(workspace) if applied is None else applied
    steps = applied.get(source)
    if not steps:
        return None
    edits = read_edits(workspace, source, split, sorted(steps), steps)
    return edits if len(edits) else None


def digest_edits(edits: SplitEdits) -> str:
    """Return a hash of edits and their places."""
    digest = hashlib.blake2b(digest_size=16)
    for name in EDITS_SCHEMA.names:
        values = getattr(edits, name)
        digest.update(repr(values if isinstance(values, list) else values.tolist()).encode())
    return digest.hexdigest()
