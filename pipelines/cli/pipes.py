"""Standard output and error into a pipe whose reader goes away (`corpus stats DIR | head`)."""

from __future__ import annotations

import os
import sys
from typing import Any

PIPE_STATUS = 141
"""Exit status of a command that ended because nobody reads: that of programs which SIGPIPE ends."""
WORKING_COMMANDS = frozenset(
    {"build", "decide", "train", "fetch", "urls", "export", "card", "model", "demo", "init", "report", "plot"}
)
"""Commands that make something: they go on when nobody reads what they print."""


class PipeStream:
    """A stream of text that survives its reader: what follows goes nowhere, or ends the process with `PIPE_STATUS`."""

    def __init__(self, stream: Any, goes_on: bool) -> None:
        self._stream, self._goes_on = stream, goes_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return int(self._stream.write(text))
        except BrokenPipeError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._leave()

    def _leave(self) -> None:
        """Point the stream at nothing, so that the rest of what it holds is lost without another error."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if not self._goes_on:
            raise SystemExit(PIPE_STATUS)


def watch_pipes(arguments: list[str]) -> None:
    """Put `PipeStream` in place of both standard streams, for the command that is named first in `arguments`."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    goes_on = command in WORKING_COMMANDS
    sys.stdout, sys.stderr = PipeStream(sys.stdout, goes_on), PipeStream(sys.stderr, goes_on)
