"""The output folder of an export: claimed before anything is written, and described when all is written.

```
OUT/export.json                what is in the finished export, with the sha256 of every file
OUT/export.unfinished.json     while it is being written: the files that are or will be there, and of which export
```

Files appear whole or not at all, so those that an interrupted export left are taken over by the same export.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Collection, Iterable
from typing import Any

from corpus import storage
from corpus.errors import UserError
from corpus.storage.outputs import check_output_folder

DESCRIPTION_FILE = "export.json"
"""Written last: an export without it is unfinished."""
UNFINISHED_FILE = "export.unfinished.json"
CARD_FILES = ("README.md", "croissant.json")
"""What `corpus card` writes beside an export. The description's `card` has the sha256 that they may have."""


def check_folder(out: str) -> str:
    """Return the path of the folder `out` if an export may be written there: new, empty, or with an earlier export.

    Raises UserError if anything else is in the folder. Changes nothing.
    """
    out = storage.local_path(out).rstrip("/")
    check_output_folder("--out", out)
    if not _list_own_files(out) and storage.exists(out) and storage.list_files(out):
        raise UserError(f"--out {out}: the folder contains other files: name a new one")
    return out


def claim_folder(out: str, planned: Collection[str], fingerprint: str | None = None) -> set[str]:
    """Prepare the folder for an export of the `planned` files; return those that are there already.

    The files of an earlier export are removed, and its card if nobody changed it. Those of an interrupted export with
    the same `fingerprint` stay: they are whole. Raises UserError, before anything is removed, if another file has a
    planned name.
    """
    own = _list_own_files(out)
    for name in planned:
        if name not in own and storage.exists(storage.join(out, name)):
            raise UserError(f"--out {out}: {name} is not of an earlier export: name a new folder")
    unfinished = storage.join(out, UNFINISHED_FILE)
    state = _read_json(unfinished) if storage.exists(unfinished) else {}
    finished = storage.exists(storage.join(out, DESCRIPTION_FILE))
    resumed = not finished and fingerprint is not None and state.get("fingerprint") == fingerprint
    kept = {name for name in planned if resumed and storage.exists(storage.join(out, name))}
    names = sorted({*planned, *own} - {DESCRIPTION_FILE, UNFINISHED_FILE})
    content = {"fingerprint": fingerprint, "files": names}
    if not resumed:  # what is there is of another export: no fingerprint until it is gone
        storage.write_text(
            unfinished, json.dumps({**content, "fingerprint": None}, ensure_ascii=False) + "\n"
        )
        storage.remove(storage.join(out, DESCRIPTION_FILE))
        for name in own - {DESCRIPTION_FILE, UNFINISHED_FILE}:
            storage.remove(storage.join(out, name))
        _remove_empty_folders(out, own)
    _remove_temporary_files(out, names)
    storage.write_text(unfinished, json.dumps(content, ensure_ascii=False) + "\n")
    return kept


def _list_own_files(out: str) -> set[str]:
    """Return the names of the files of the export in a folder, finished or not; none where there is no export.

    Raises UserError if a description is not an export's.
    """
    own: set[str] = set()
    for name in (DESCRIPTION_FILE, UNFINISHED_FILE):
        path = storage.join(out, name)
        if storage.exists(path):
            description = _read_json(path)
            if name == DESCRIPTION_FILE and "export" not in description:
                raise UserError(f"{path} was not written by an export: name a new folder")
            own |= {name, *map(str, description["files"])}
            own |= {card for card in CARD_FILES if is_own_card(out, card, description)}
    return own


def _read_json(path: str) -> dict[str, Any]:
    """Return a description's contents. Raises UserError if it names a file that is not below its folder."""
    try:
        description: dict[str, Any] = json.loads(storage.read_text(path))
        names = [str(name) for name in description["files"]]
    except (ValueError, KeyError, TypeError):
        names = [".."]
    if any(not name or name.startswith("/") or ".." in name.split("/") for name in names):
        raise UserError(f"{path} was not written by an export: name a new folder")
    return description


def _remove_empty_folders(out: str, names: Iterable[str]) -> None:
    """Remove the folders that files of these names were in, if nothing else is. Object stores have none."""
    if storage.is_remote(out):
        return
    for name in names:
        folder = os.path.dirname(name)
        while folder and os.path.isdir(path := os.path.join(out, folder)) and not os.listdir(path):
            os.rmdir(path)
            folder = os.path.dirname(folder)


def _remove_temporary_files(out: str, names: Iterable[str]) -> None:
    """Remove what a killed export left of files that it had begun. Object stores have no such files."""
    if storage.is_remote(out):
        return
    for name in names:
        folder, _, last = storage.join(out, name).rpartition("/")
        for path in storage.expand_pattern(f"{glob.escape(folder)}/.{glob.escape(last)}.*.tmp"):
            storage.remove(path)


def read_description(folder: str) -> dict[str, Any]:
    """Return the contents of export.json. Raises UserError if the folder has no finished export."""
    path = storage.join(folder, DESCRIPTION_FILE)
    if not storage.exists(path):
        advice = "`corpus export DIR --documents --format parquet --out FOLDER` makes one of a workspace"
        if storage.exists(storage.join(folder, UNFINISHED_FILE)):
            raise UserError(f"{folder} is an unfinished export: run its `corpus export` again")
        if storage.exists(storage.join(folder, "workspace.json")):
            raise UserError(f"{folder} is a workspace, not an export: {advice}")
        raise UserError(f"{folder} is not an export: {advice}")
    return _read_json(path)


def write_description(
    out: str, description: dict[str, Any], files: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Write export.json, the description and each file with its counts and sha256, and return its contents."""
    for name, entry in files.items():
        entry["sha256"] = storage.sha256(storage.join(out, name))
    content = {**description, "files": dict(sorted(files.items()))}
    _write_json(out, content)
    storage.remove(storage.join(out, UNFINISHED_FILE))
    return content


def _write_json(out: str, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    storage.write_text(storage.join(out, DESCRIPTION_FILE), text)


def is_own_card(out: str, name: str, description: dict[str, Any]) -> bool:
    """Return whether a file of a card is as `corpus card` wrote it."""
    known = description.get("card", {}).get(name, [])
    path = storage.join(out, name)
    return bool(known) and storage.exists(path) and storage.sha256(path) in known


def write_card_files(out: str, contents: dict[str, bytes]) -> None:
    """Write files of a card beside an export, in the place of those of an earlier card.

    Raises UserError, before anything is written, if one of them is not as `corpus card` wrote it. A card that was
    interrupted can be written again.
    """
    description = read_description(out)
    for name in CARD_FILES:
        if storage.exists(storage.join(out, name)) and not is_own_card(out, name, description):
            raise UserError(
                f"{out}/{name} is not as `corpus card` wrote it: move it elsewhere, then make the card again"
            )
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    before = description.get("card", {})
    either = {name: [*before.get(name, []), sums[name]] for name in contents}
    _write_json(out, {**description, "card": {**before, **either}})
    for name in CARD_FILES:
        path = storage.join(out, name)
        if name in contents:
            storage.write_bytes(path, contents[name])
        else:
            storage.remove(path)
    _write_json(out, {**description, "card": {name: [sums[name]] for name in contents}})
