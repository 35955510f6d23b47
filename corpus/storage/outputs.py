"""Check, before any work, that a file or folder of the user's choice can be written."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress

from corpus.errors import UserError
from corpus.storage import is_remote, local_path

INNER_PATH_BYTES = 300
"""Bytes that the path of a file may have inside a folder that is written."""
FALLBACK_NAME_BYTES, FALLBACK_PATH_BYTES = 255, 4096
"""Where a disk does not say how long names and paths may be."""
FULL_BYTES = 1 << 20
"""Room that is left on a disk that is as good as full: a write that failed may have been larger."""
SHOWN_CHARACTERS = 60
"""Characters that are shown of a path that is too long."""
_ADVICE = {
    errno.ENOSPC: "free some room, or name a place on another disk",
    errno.EDQUOT: "free some room, or name a place on another disk",
    errno.EACCES: "name a place that you can write to",
    errno.EPERM: "name a place that you can write to",
    errno.EROFS: "name a place that you can write to",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.ENOTDIR: "name a path whose folders are no files",
    errno.EISDIR: "name a file",
    errno.ELOOP: "name a path without links that lead to themselves",
}


def check_output_folder(option: str, path: str) -> None:
    """Raise UserError, with the option that names it, if `path` is no folder and none can be made there.

    What is in the folder is not looked at, nor is anything remote but a web server, which cannot be written to.
    """
    if _is_elsewhere(option, path, "a folder"):
        return
    whole = os.path.abspath(local_path(path))
    _check_length(option, path, whole, INNER_PATH_BYTES)
    if os.path.isdir(whole):
        _check_access(option, path, whole)
    else:
        _check_parents(option, path, whole, "a folder")


def check_output_file(option: str, path: str) -> None:
    """Raise UserError, with the option that names it, if no file can be written at `path`."""
    if _is_elsewhere(option, path, "a file"):
        return
    whole = os.path.abspath(local_path(path))
    if os.path.isdir(whole) or path.endswith("/"):
        raise UserError(f"{option} {path} is a folder: name a file in it")
    _check_length(option, path, whole, 0)
    if os.path.exists(whole) and not stat.S_ISREG(os.stat(whole).st_mode):
        raise UserError(f"{option} {path} is a device or a pipe: name a file")
    if os.path.isfile(whole):
        _check_access(option, path, os.path.dirname(whole))
    else:
        _check_parents(option, path, whole, "a file")


def _is_elsewhere(option: str, path: str, what: str) -> bool:
    """Return whether a path is a URL of a store. Raises UserError for an empty one, and for a web server."""
    if not path:
        raise UserError(f"{option} is empty: name {what}")
    if path.startswith(("http://", "https://")):
        raise UserError(
            f"{option} {path}: a web server cannot be written to: name {what}, s3://... or gs://..."
        )
    return is_remote(path)


def _check_length(option: str, path: str, whole: str, inside: int) -> None:
    """Raise UserError if the path, with what will be below it, is longer than its disk takes."""
    place = _find_existing(whole)
    names, paths = FALLBACK_NAME_BYTES, FALLBACK_PATH_BYTES
    with suppress(OSError, ValueError):
        names, paths = os.pathconf(place, "PC_NAME_MAX"), os.pathconf(place, "PC_PATH_MAX")
    shown = f"{option} {path[:SHOWN_CHARACTERS]}..."
    longest = max(len(os.fsencode(name)) for name in whole.split("/"))
    if longest > names:
        raise UserError(
            f"{shown}: a name of {longest:,} bytes is too long ({names:,} at most): name a shorter one"
        )
    size = len(os.fsencode(whole))
    if size + inside > paths:
        below = ", with the files below it," if inside else ""
        raise UserError(f"{shown}: a path of {size:,} bytes{below} is too long: name a shorter one")


def _check_parents(option: str, path: str, whole: str, what: str) -> None:
    """Raise UserError if what does not exist cannot be made: a file is in the way, or a folder takes nothing new."""
    place = _find_existing(whole)
    if os.path.islink(place) and not os.path.exists(place):
        raise UserError(
            f"{option} {path}: {place} is a link that leads nowhere: remove it, or name {what} elsewhere"
        )
    if not os.path.isdir(place):
        raise UserError(f"{option} {path}: the file {place} is in the way: name {what} elsewhere")
    _check_access(option, path, place)


def _check_access(option: str, path: str, folder: str) -> None:
    """Raise UserError if nothing can be written into a folder."""
    if os.access(folder, os.W_OK | os.X_OK) and not _is_virtual(folder):
        return
    name = "" if os.path.abspath(local_path(path)) == folder else f"{folder} "
    read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    why = "is on a disk that is read only" if read_only else "cannot be written to"
    raise UserError(f"{option} {path}: {name}{why}: name a place that you can write to")


def _is_virtual(folder: str) -> bool:
    """Return whether a folder is one of the system's own, which take no files whatever their permissions say."""
    return os.path.realpath(folder).startswith(("/proc/", "/sys/")) or os.path.realpath(folder) in (
        "/proc",
        "/sys",
    )


def _find_existing(whole: str) -> str:
    """Return the path itself if there is something, be it a link that leads nowhere, else the next folder above."""
    place = whole
    while not os.path.lexists(place) and place != "/":
        place = os.path.dirname(place)
    return place


def describe_os_error(error: OSError) -> str:
    """Return what an operating system refused as one line: where, what, and what to do."""
    if error.errno is None or error.strerror is None:
        return str(error)
    place = name_place(error)
    advice = _ADVICE.get(error.errno)
    return ": ".join([*([place] if place else []), error.strerror, *([advice] if advice else [])])


def name_place(error: OSError) -> str | None:
    """Return what an operating system refused to work on; of a full disk that it does not name, the one that is full of
    those that are written to without a name: that of the output, or of temporary files. None where nothing tells."""
    for place in (error.filename, error.filename2):
        if place is not None:
            return str(place)
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    with suppress(OSError, ValueError):
        if stat.S_ISREG(os.fstat(1).st_mode) and _is_full(1):
            return "the file that the output goes to"
    with suppress(OSError):
        folder = tempfile.gettempdir()
        if _is_full(folder):
            return f"the folder of temporary files, {folder} (TMPDIR names another)"
    return None


def _is_full(place: str | int) -> bool:
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize < FULL_BYTES
