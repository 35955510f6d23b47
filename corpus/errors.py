"""Errors meant for the person at the terminal, and exceptions as one line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

MAX_ERROR_CHARACTERS = 10_000
"""Characters of an exception that are kept with what failed: an exception may quote all of its input."""
MESSAGE_CHARACTERS = 300
"""Characters of an exception inside a message at the terminal."""


class UserError(Exception):
    """Wrong input of a user: one line that tells what is wrong, where, and what to do.

    `path` is the manifest key that the error concerns, from the root down, if there is one: the
    manifest loader turns it into a file and a line. `others` are further mistakes of the same input, each a line of
    its own; a traceback shows them as notes.
    """

    def __init__(
        self, message: str, path: tuple[str | int, ...] = (), others: Sequence[UserError] = ()
    ) -> None:
        super().__init__(message)
        self.path = path
        self.others = tuple(others)
        for other in self.others:
            self.add_note(str(other))

    @property
    def all(self) -> list[UserError]:
        """Return this mistake and the others, each without others of its own."""
        return [self, *self.others]

    @classmethod
    def join(cls, errors: Sequence[UserError]) -> UserError:
        """Return one error for several mistakes, the first of which is its message; each of them once."""
        each = list({(str(one), one.path): one for error in errors for one in error.all}.values())
        return each[0] if len(each) == 1 else cls(str(each[0]), each[0].path, each[1:])


@contextmanager
def collect_mistakes(mistakes: list[UserError]) -> Iterator[None]:
    """Add the mistakes that a block raises to a list, and go on behind the block."""
    try:
        yield
    except UserError as error:
        mistakes += error.all


class RunError(Exception):
    """A run that cannot be finished for a reason outside the manifest (a full disk, a lock)."""


def describe_error(error: BaseException, most: int = MAX_ERROR_CHARACTERS) -> str:
    """Return an exception as one line that UTF-8 can encode, its type and its message, of at most `most` characters."""
    return shorten_line(f"{type(error).__name__}: {read_message(error)}", most).removesuffix(":")


def describe_briefly(error: BaseException) -> str:
    """Return an exception as one line, short enough to be part of a message."""
    return describe_error(error, MESSAGE_CHARACTERS)


def read_message(error: BaseException) -> str:
    """Return the message of an exception, whose class may be one of a user's that cannot say it."""
    try:
        return str(error)
    except Exception as another:
        return f"(its message cannot be read: {type(another).__name__})"


def shorten_line(text: str, most: int = MESSAGE_CHARACTERS) -> str:
    """Return a text as one line that UTF-8 can encode, of at most `most` characters: cut between words, with … for the
    rest; in the middle of a long word, or of a script without spaces, between letters with the marks on them."""
    line = " ".join(text[: 4 * most + 4].split()) if len(text) > 8 * most else " ".join(text.split())
    if not line.isascii():
        line = line.encode("utf-8", "replace").decode()
    if len(line) <= most and len(text) <= 8 * most:
        return line
    at = min(most - 1, len(line))
    space = line.rfind(" ", 0, at + 1)
    if space > at * 2 // 3:
        at = space
    while at > 1 and at < len(line) and unicodedata.category(line[at])[0] == "M":
        at -= 1
    return f"{line[:at].rstrip(' ,;:')}…"
