"""The folder an export goes to: checked before the first byte, and described when the last is written."""

from __future__ import annotations

import json
from typing import Any

from corpus import storage
from corpus.errors import UserError

DESCRIPTION = "export.json"
"""Written last: a folder without it is not finished."""


def prepare(out: str) -> str:
    """The folder `out`, fit to be written to: new, empty, or an earlier export, whose description goes first.

    Raises UserError where something else is in it.
    """
    out = storage.local(out).rstrip("/")
    if not out:
        raise UserError("--out is empty: name a folder or URL")
    description = storage.join(out, DESCRIPTION)
    if storage.is_file(out):
        raise UserError(f"--out {out} is a file: name a folder")
    if storage.exists(description):
        for name in _read_described_files(description):
            storage.remove(storage.join(out, name))
        storage.remove(description)
    elif storage.exists(out) and storage.list_files(out):
        raise UserError(f"--out {out}: the folder has other things in it: name a new one")
    return out


def _read_described_files(path: str) -> list[str]:
    """The files that an export.json names, all of them below its folder."""
    try:
        names = [str(name) for name in json.loads(storage.read_text(path))["files"]]
    except (ValueError, KeyError, TypeError):
        names = [".."]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise UserError(f"{path} is not what an export writes: name a new folder")
    return names


def describe(out: str, description: dict[str, Any], files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Write export.json: what was exported, and each file with what is in it and its sha256."""
    for name, entry in files.items():
        entry["sha256"] = storage.sha256(storage.join(out, name))
    content = {**description, "files": dict(sorted(files.items()))}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    storage.write_text(storage.join(out, DESCRIPTION), text)
    return content
