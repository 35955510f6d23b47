"""Crawl: many hosts concurrently, each asked for one page at a time, every outcome recorded.

A page is done when its records and then its entry are written, so a run that was killed is resumed with the pages
that have no entry, and asks again only for those that were in progress. Output is synced to disk a few
times a second: that much is lost if the machine itself stops.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
from numpy.typing import NDArray

from corpus import storage
from corpus.errors import RunError, UserError, shorten_line
from corpus.storage.fingerprint import file_identity, fingerprint
from corpus.storage.lock import hold_lock
from corpus.storage.part_writer import read_fingerprint
from corpus.web.fetch.exchange import REDIRECT_STATUSES, RETRIED_STATUSES, FetchClient, FetchStop, retry_after
from corpus.web.fetch.frontier import Frontier, host_of
from corpus.web.fetch.options import FetchOptions
from corpus.web.fetch.outcomes import LEDGER_FILE, Journal, LedgerEntry, make_url_line, write_ledger
from corpus.web.fetch.robots import MAX_ROBOTS_BYTES, Robots, parse_robots
from corpus.web.fetch.warc_writer import Exchange, WarcFolder
from corpus.web.url_lists.url_list import find_list, open_list

COMMIT_SECONDS = 0.2
"""Seconds between two syncs of the output to disk."""
HOST_FAILURES = {"dns", "connect", "tls", "timeout"}
"""Outcomes that concern the host rather than the page."""
RETRIED_OUTCOMES = {"connect", "timeout", "protocol"}
MAX_KEPT_HOSTS = 20_000
"""Hosts whose robots.txt is kept in memory."""
ShowProgress = Callable[[int, int], None]


def fetch_list(
    list_path: str,
    folder: str,
    options: FetchOptions,
    say: Callable[[str], None] = lambda line: None,
    show: ShowProgress | None = None,
) -> dict[str, int]:
    """Fetch every URL of a list into WARCs in a local folder, or resume; return the counts by outcome.

    Ends with `ledger.parquet`, a row a URL. Raises UserError for a folder that another list was fetched into,
    RunError where the folder cannot be written.
    """
    if storage.is_remote(folder):
        raise UserError(f"{folder}: pages are fetched into a local folder")
    if options.ca_file is not None and not os.path.isfile(options.ca_file):
        raise UserError(f"{options.ca_file}: no such certificate file")
    list_path = find_list(list_path)
    open_list(list_path).close()
    folder = storage.local_path(folder)
    identity = file_identity(storage.stat(list_path, list_path))
    with hold_lock(folder):
        try:
            return _fetch(list_path, folder, identity, options, say, show)
        except* OSError as group:
            error = _first_error(group)
            raise RunError(f"{folder}: {error}: resume with the same command") from error


def _fetch(
    list_path: str,
    folder: str,
    identity: str,
    options: FetchOptions,
    say: Callable[[str], None],
    show: ShowProgress | None,
) -> dict[str, int]:
    journal = Journal(folder, identity)
    try:
        if journal.identity != identity:
            raise UserError(f"{folder}: another list was fetched here: name a new folder")
        frontier = Frontier(list_path, folder)
        try:
            done = journal.done(frontier.rows)
            ledger_fingerprint = fingerprint([identity, "ledger 1"])
            if done.all() and read_fingerprint(os.path.join(folder, LEDGER_FILE)) == ledger_fingerprint:
                say(f"{folder}: nothing to do: every URL has been tried")
            else:
                if done.any():
                    say(f"{folder}: resuming; {int(done.sum()):,} of {frontier.rows:,} URLs have been tried")
                archive = WarcFolder(folder, journal.ends, int(options.warc_size), options.user_agent)
                try:
                    asyncio.run(Crawl(options, frontier, archive, journal, done, show).run())
                finally:
                    archive.close()
            return write_ledger(folder, frontier.rows, _number_hashes(frontier.hashes), ledger_fingerprint)
        finally:
            frontier.close()
    finally:
        journal.close()


def _number_hashes(hashes: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    return ((row, int(hashed)) for row, hashed in enumerate(hashes))


@dataclass(slots=True)
class _Host:
    """The state of a host: one request at a time, `ready` (loop time) before the next.

    `gone` has the reason why an origin of it (a scheme and port) was given up, `given_up` why the whole host was.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ready: float = 0.0
    failures: int = 0
    given_up: str | None = None
    robots: dict[str, Robots] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    users: int = 0


class Crawl:
    """One run over the pages of a frontier that are not done."""

    def __init__(
        self,
        options: FetchOptions,
        frontier: Frontier,
        archive: WarcFolder,
        journal: Journal,
        done: NDArray[np.bool_],
        show: ShowProgress | None,
    ) -> None:
        self.options, self.frontier, self.archive, self.journal = options, frontier, archive, journal
        self.done, self.show = done, show
        self._hosts: dict[str, _Host] = {}
        self._next = 0.0
        self._seen = self._synced = int(done.sum())

    async def run(self) -> None:
        """Fetch what is left. Everything fetched is on disk however this ends."""
        groups = (rows[~self.done[rows]] for rows in self.frontier.hosts())
        waiting = (rows for rows in groups if len(rows))
        async with FetchClient(self.options) as self._client:
            committer = asyncio.create_task(self._commit_often())
            try:
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(self.options.hosts):
                        tasks.create_task(self._work(waiting))
            finally:
                committer.cancel()
                with suppress(asyncio.CancelledError):
                    await committer
                self._commit()

    async def _work(self, waiting: Iterator[NDArray[np.int64]]) -> None:
        """Process hosts, one after the other, until none is left."""
        for rows in waiting:
            for row in rows.tolist():
                entry = await self._page(row, self.frontier.url(row))
                self.journal.append([make_url_line(entry)], self.archive.flush())
                self._seen += 1

    async def _commit_often(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            self._commit()

    def _commit(self) -> None:
        """Sync the records to disk, then the entries that name them."""
        if self._seen != self._synced:
            self._synced = self._seen
            self.archive.sync()
            self.journal.sync()
        if self.show is not None:
            self.show(self._seen, self.frontier.rows)

    async def _page(self, row: int, url: str) -> LedgerEntry:
        """Follow a URL to its page: every hop is checked against robots.txt and the guard like the first."""
        entry = LedgerEntry(row=row, url=url, outcome="address", final_url=url)
        current, visited = url, {url}
        try:
            while True:
                entry.final_url = current
                exchange = await self._polite(current, entry)
                entry.status, entry.date = exchange.status, exchange.date
                entry.file, entry.offset, entry.length = self.archive.write(exchange)
                target = exchange.header("location").strip()
                if exchange.status not in REDIRECT_STATUSES or not target:
                    entry.outcome = "fetched" if 200 <= exchange.status < 300 else "status"
                    return entry
                current = urljoin(current, target).partition("#")[0]
                entry.redirects += 1
                if current in visited:
                    raise FetchStop("redirects", f"in a circle, back to {current}")
                if entry.redirects > self.options.max_redirects:
                    raise FetchStop("redirects", f"more than {self.options.max_redirects}")
                visited.add(current)
        except FetchStop as stop:
            entry.outcome, entry.reason = stop.outcome, stop.reason
            entry.status = stop.status if stop.status is not None else entry.status
        except ValueError as error:
            entry.outcome, entry.reason = "address", shorten_line(f"not a URL: {error}")
        entry.file = entry.offset = entry.length = None
        return entry

    @asynccontextmanager
    async def _host(self, name: str) -> AsyncIterator[_Host]:
        """Hold a host, so that nobody else asks it."""
        host = self._hosts.setdefault(name, _Host())
        host.users += 1
        try:
            async with host.lock:
                yield host
        finally:
            host.users -= 1
            if len(self._hosts) > MAX_KEPT_HOSTS:
                now = asyncio.get_running_loop().time()
                for idle in [n for n, h in self._hosts.items() if not h.users and h.ready <= now]:
                    del self._hosts[idle]

    async def _polite(self, url: str, entry: LedgerEntry) -> Exchange:
        """Fetch one page of a host, in its turn and if it is allowed. Raises Stop."""
        name = host_of(url)
        if not name or urlsplit(url).scheme not in ("http", "https"):
            raise FetchStop("address", f"no web address: {shorten_line(url, 200)}")
        async with self._host(name) as host:
            if host.given_up is not None:
                raise FetchStop("host", host.given_up)
            origin = _origin(url)
            if origin in host.gone:
                raise FetchStop("host", host.gone[origin])
            robots = await self._robots(host, origin)
            entry.robots = robots.decision(url, self.options.agent)
            if entry.robots in ("disallowed", "unreachable"):
                raise FetchStop("robots", robots.reason or "forbidden")
            if (robots.delay or 0) > self.options.max_delay:
                raise FetchStop("crawl_delay", f"{robots.delay:g} s between requests")
            return await self._try(host, url, robots.delay, entry)

    async def _try(self, host: _Host, url: str, delay: float | None, entry: LedgerEntry) -> Exchange:
        """Fetch a page, retried where that can help. Raises Stop."""
        for attempt in range(self.options.retries + 1):
            wait = self.options.retry_wait * 2**attempt
            last = attempt == self.options.retries
            entry.attempts += 1
            try:
                async with self._turn(host, delay):
                    exchange = await self._client.get(url, types=self.options.content_types)
            except FetchStop as stop:
                if stop.outcome in HOST_FAILURES:
                    host.failures += 1
                    if host.failures >= self.options.host_failures:
                        host.given_up = f"failed {host.failures} times in a row, last with {stop.outcome}"
                        raise
                if last or stop.outcome not in RETRIED_OUTCOMES:
                    raise
            else:
                host.failures = 0
                asked_wait = retry_after(exchange)
                if exchange.status not in RETRIED_STATUSES:
                    return exchange
                if asked_wait is not None and asked_wait > self.options.max_retry_wait:
                    host.given_up = f"wants to be left alone for {asked_wait:g} s"
                    return exchange
                if last:
                    return exchange
                wait = asked_wait if asked_wait is not None else wait
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _turn(self, host: _Host, delay: float | None) -> AsyncIterator[None]:
        """Wait for the time of one request: after the host's delay, within the rate of all."""
        loop = asyncio.get_running_loop()
        if host.ready > loop.time():
            await asyncio.sleep(host.ready - loop.time())
        slot = max(loop.time(), self._next)
        self._next = slot + 1 / self.options.rate
        if slot > loop.time():
            await asyncio.sleep(slot - loop.time())
        try:
            yield
        finally:
            host.ready = loop.time() + max(self.options.delay, delay or 0.0)

    async def _robots(self, host: _Host, origin: str) -> Robots:
        """Return the rules of an origin, asked for once. Raises Stop where the host itself cannot be asked."""
        if origin in host.robots:
            return host.robots[origin]
        date = None
        try:
            exchange = await self._robots_exchange(host, f"{origin}/robots.txt")
            date = exchange.date
            robots = parse_robots(
                exchange.status, exchange.body, self.options.agent, exchange.header("content-encoding")
            )
        except FetchStop as stop:
            if stop.outcome in HOST_FAILURES or stop.outcome == "address":
                # A port that is closed or a bad certificate says nothing of the host's other ports.
                reason = host.gone[origin] = f"{stop.outcome}: {stop.reason}"
                if stop.outcome not in ("connect", "tls"):
                    host.given_up = reason
                self._note(origin, Robots("unreachable", reason=reason), date)
                raise
            robots = Robots("unreachable", reason=f"{stop.outcome}: {stop.reason}")
        host.robots[origin] = robots
        self._note(origin, robots, date)
        return robots

    async def _robots_exchange(self, host: _Host, url: str) -> Exchange:
        """Fetch /robots.txt through its redirects, five at most (RFC 9309). Raises Stop."""
        for _ in range(6):
            for attempt in range(self.options.retries + 1):
                try:
                    async with self._turn(host, None):
                        exchange = await self._client.get(url, most=MAX_ROBOTS_BYTES, cut=True)
                except FetchStop as stop:
                    if attempt == self.options.retries or stop.outcome not in RETRIED_OUTCOMES:
                        raise
                else:
                    if exchange.status not in RETRIED_STATUSES or attempt == self.options.retries:
                        break
                await asyncio.sleep(min(self.options.max_retry_wait, self.options.retry_wait * 2**attempt))
            self.archive.write(exchange)
            target = exchange.header("location").strip()
            if exchange.status not in REDIRECT_STATUSES or not target:
                return exchange
            try:
                url = urljoin(url, target)
            except ValueError as error:
                raise FetchStop("protocol", f"a redirect to what is no URL: {error}") from None
        return Exchange(**{**_exchange_fields(exchange), "status": 404})

    def _note(self, origin: str, robots: Robots, date: str | None) -> None:
        line = {"kind": "robots", "origin": origin, "state": robots.state, "delay": robots.delay}
        self.journal.append([{**line, "reason": robots.reason or None, "date": date}])


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL: the scope of a robots.txt."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def _exchange_fields(exchange: Exchange) -> dict[str, Any]:
    return {name: getattr(exchange, name) for name in Exchange.__dataclass_fields__}


def _first_error(group: BaseExceptionGroup[OSError]) -> OSError:
    """Return the first error of a group, however deep."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, OSError)
    return error
