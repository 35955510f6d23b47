"""The output folder of an export: checked before anything is written, and described when all is written."""

from __future__ import annotations

import json
from typing import Any

from corpus import storage
from corpus.errors import UserError

DESCRIPTION_FILE = "export.json"
"""Written last: an export without it is unfinished."""


def prepare_folder(out: str) -> str:
    """Prepare the folder `out` for an export and return its path. The files of an earlier export are removed.

    Raises UserError if anything else is in the folder.
    """
    out = storage.local_path(out).rstrip("/")
    if not out:
        raise UserError("--out is empty: name a folder or URL")
    description = storage.join(out, DESCRIPTION_FILE)
    if storage.is_file(out):
        raise UserError(f"--out {out} is a file: name a folder")
    if storage.exists(description):
        for name in _read_described_files(description):
            storage.remove(storage.join(out, name))
        storage.remove(description)
    elif storage.exists(out) and storage.list_files(out):
        raise UserError(f"--out {out}: the folder contains other files: name a new one")
    return out


def _read_described_files(path: str) -> list[str]:
    """Return the files that an export.json names. Raises UserError if one is not below its folder."""
    try:
        names = [str(name) for name in json.loads(storage.read_text(path))["files"]]
    except (ValueError, KeyError, TypeError):
        names = [".."]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise UserError(f"{path} was not written by an export: name a new folder")
    return names


def write_description(
    out: str, description: dict[str, Any], files: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Write export.json, the description and each file with its counts and sha256, and return its contents."""
    for name, entry in files.items():
        entry["sha256"] = storage.sha256(storage.join(out, name))
    content = {**description, "files": dict(sorted(files.items()))}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    storage.write_text(storage.join(out, DESCRIPTION_FILE), text)
    return content
