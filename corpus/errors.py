"""Errors meant for the person at the terminal."""

from __future__ import annotations


class UserError(Exception):
    """Wrong input of a user: one line that tells what is wrong, where, and what to do.

    `path` is the manifest key that the error concerns, from the root down, if there is one: the
    manifest loader turns it into a file and a line.
    """

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


class RunError(Exception):
    """A run that cannot be finished for a reason outside the manifest (a full disk, a lock)."""
