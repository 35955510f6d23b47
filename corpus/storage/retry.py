"""Retry requests: which errors of a remote store are transient, how long to wait, when to give up.

Three environment variables set the bounds, each for one request: CORPUS_REMOTE_TRIES (8), CORPUS_REMOTE_WAIT (the
first wait, .5 s; each is twice the one before, up to a minute, with jitter) and CORPUS_REMOTE_PATIENCE (300 s in
all). Bytes that arrive reset the count: a slow and bad line ends a file only where hardly anything arrives.
"""

from __future__ import annotations

import errno
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from corpus.errors import shorten_line

LONGEST_WAIT_SECONDS = 60.0
PASSING_STATUSES = {403, 408, 425, 429}
"""Transient statuses, besides those from 500 on: Common Crawl answers 403 to a client that asks too often."""
MAX_TRIES_OF_REFUSALS = 5
"""Tries where the answer is probably permanent: a refusal (403), a host that does not answer."""
GONE_STATUSES = {404, 410}
MIN_BYTES_PER_SECOND = 4 << 10
"""Bytes a second below which a body is given up, after the patience of a request."""

T = TypeVar("T")


class RemoteError(OSError):
    """A remote file or store that could not be reached; one line with the address, the reason and the tries."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


class ShortRead(OSError):
    """A body that ended too early."""


def read_setting(name: str, default: float) -> float:
    """Return a number from the environment; the default where it is missing or no number."""
    try:
        return float(os.environ.get(f"CORPUS_REMOTE_{name}", default))
    except ValueError:
        return default


class Patience:
    """The tries of one request. `again` waits before the next one, or raises."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.progress()

    def progress(self) -> None:
        """Reset the count: something arrived."""
        self.tries, self.began = 0, time.monotonic()

    def wait_before_retry(self, error: BaseException) -> None:
        """Sleep before the next try. Raises FileNotFoundError, or RemoteError where there is no next try."""
        status, after = http_answer(error)
        if isinstance(error, FileNotFoundError) or status in GONE_STATUSES:
            raise FileNotFoundError(errno.ENOENT, "no such file", self.path) from None
        reason = describe_error(error, status)
        if not is_transient(error, status):
            raise RemoteError(self.path, reason) from error
        self.tries += 1
        max_tries = int(read_setting("TRIES", 8))
        if status == 403 or isinstance(error, PermissionError) or is_no_answer(error):
            max_tries = min(max_tries, MAX_TRIES_OF_REFUSALS)
        wait = min(LONGEST_WAIT_SECONDS, read_setting("WAIT", 0.5) * 2 ** (self.tries - 1)) * random.uniform(
            0.5, 1.0
        )
        wait = max(wait, after or 0.0)
        late = time.monotonic() - self.began + wait > read_setting("PATIENCE", 300)
        if self.tries >= max_tries or late:
            asked_wait = f", and it asks to wait {after:,.0f} s" if late and after else ""
            tries = f"{self.tries} {'try' if self.tries == 1 else 'tries'}"
            raise RemoteError(self.path, f"{reason} ({tries}{asked_wait})") from error
        logging.getLogger("corpus.storage").warning(
            "%s: %s; again in %.1f s (try %d of %d)", self.path, reason, wait, self.tries + 1, max_tries
        )
        time.sleep(wait)


class Pace:
    """How fast a body arrives: one that gives a byte now and then would otherwise be read without end."""

    def __init__(self) -> None:
        self._began, self._bytes = time.monotonic(), 0

    def count_bytes(self, size: int) -> None:
        self._bytes += size

    def is_slow(self) -> bool:
        """Return whether fewer than `MIN_BYTES_PER_SECOND` bytes a second came, beyond the patience of one request."""
        return (
            time.monotonic() - self._began
            > read_setting("PATIENCE", 300) + self._bytes / MIN_BYTES_PER_SECOND
        )

    def describe(self) -> str:
        return f"{self._bytes:,} bytes came in {time.monotonic() - self._began:,.0f} s: too slow"


def call_with_retries(path: str, act: Callable[[], T]) -> T:
    """Return the result of `act`, retried after transient errors. Raises FileNotFoundError or RemoteError."""
    patience = Patience(path)
    while True:
        try:
            return act()
        except Exception as error:
            patience.wait_before_retry(error)


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def http_answer(error: BaseException) -> tuple[int | None, float | None]:
    """Return the HTTP status behind an error of aiohttp, botocore or gcsfs, and the seconds of its Retry-After."""
    for cause in error_chain(error):
        if type(cause).__module__ == "aiohttp.http_exceptions":
            continue  # the parser's: the 400 of a body that was cut is no answer of the server
        response: Any = getattr(cause, "response", None)
        if isinstance(response, dict):
            metadata = response.get("ResponseMetadata") or {}
            status, headers = metadata.get("HTTPStatusCode"), metadata.get("HTTPHeaders") or {}
        else:
            status = getattr(cause, "status", None) or getattr(cause, "code", None)
            headers = getattr(cause, "headers", None) or {}
        if isinstance(status, str) and status.isdecimal():
            status = int(status)
        if isinstance(status, int) and 100 <= status < 600:
            after = headers.get("Retry-After") or headers.get("retry-after")
            return status, parse_retry_after(after)
    return None, None


def parse_retry_after(after: str | None) -> float | None:
    """Return a Retry-After header, seconds or a date, as seconds from now."""
    if not after:
        return None
    if after.strip().isdecimal():
        return float(after)
    from email.utils import parsedate_to_datetime  # 6 ms, which every command would take to start

    try:
        return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def is_transient(error: BaseException, status: int | None) -> bool:
    """Return whether the same request may succeed later."""
    if status is not None and status >= 400:
        return status in PASSING_STATUSES or status >= 500
    if isinstance(error, FileExistsError) or any(
        "Credentials" in type(one).__name__ for one in error_chain(error)
    ):
        return False
    return isinstance(error, OSError | EOFError) or is_from_network(error)


def is_from_network(error: BaseException) -> bool:
    """Return whether an error is one of the clients' own: aiohttp's, botocore's, urllib3's, gcsfs's."""
    return any(type(one).__module__.partition(".")[0] in CLIENT_PACKAGES for one in error_chain(error))


CLIENT_PACKAGES = {"aiohttp", "botocore", "aiobotocore", "urllib3", "requests", "gcsfs", "google"}


def is_no_answer(error: BaseException) -> bool:
    """Return whether the host does not answer at all."""
    names = {type(one).__name__ for one in error_chain(error)}
    return bool(names & {"ClientConnectorError", "ClientConnectorDNSError", "EndpointConnectionError"})


def describe_error(error: BaseException, status: int | None) -> str:
    """Describe an error in one line."""
    if any("Credentials" in type(one).__name__ for one in error_chain(error)):
        return """no credentials (for a public bucket set FSSPEC_S3='{"anon": true}')"""
    message = getattr(error, "message", None) if status is not None else None
    text = shorten_line(str(message or error).partition(": <")[0], 200) or type(error).__name__
    if status is not None and str(status) not in text:
        return f"the server answers {status} ({text})"
    return f"the server answers {text}" if status is not None and text.startswith(str(status)) else text
