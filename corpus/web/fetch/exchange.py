"""Do one HTTP exchange: a request, its answer within limits, or the outcome that it ends with."""

from __future__ import annotations

import asyncio
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType

import aiohttp
from yarl import URL

from corpus.errors import shorten_line
from corpus.web.fetch.address_guard import AddressGuard, BlockedAddress, GuardedResolver
from corpus.web.fetch.options import FetchOptions
from corpus.web.fetch.warc_writer import Exchange

RETRIED_STATUSES = {429, 502, 503, 504}
REDIRECT_STATUSES = {301, 302, 303, 307, 308}
MAX_CONCURRENT_LOOKUPS = 32
"""Concurrent name lookups: each waits in a thread."""


class FetchStop(Exception):
    """An exchange without a page: its outcome (one of `corpus.web.fetch.outcomes.FETCH_OUTCOMES`) and why."""

    def __init__(self, outcome: str, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.status = outcome, shorten_line(reason), status


class _Response(aiohttp.ClientResponse):
    """A response that keeps its peer's address after its connection has returned to the pool."""

    peer: str | None = None

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        place = connection.transport.get_extra_info("peername") if connection.transport is not None else None
        self.peer = place[0] if place else None
        return await super().start(connection)


class FetchClient:
    """Exchanges under one set of options. An async context manager."""

    def __init__(self, options: FetchOptions) -> None:
        self._options = options
        self._guard = AddressGuard(options.allow_addresses)

    async def __aenter__(self) -> FetchClient:
        options = self._options
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_CONCURRENT_LOOKUPS))
        context = ssl.create_default_context()
        if options.ca_file is not None:
            context.load_verify_locations(options.ca_file)
        connector = aiohttp.TCPConnector(
            limit=options.hosts,
            limit_per_host=1,
            ssl=context,
            use_dns_cache=False,
            resolver=GuardedResolver(self._guard, options.resolve),
            socket_factory=self._guard.socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            response_class=_Response,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": options.user_agent,
                "Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1",
                "Accept-Encoding": "gzip, deflate, br",
            },
            timeout=aiohttp.ClientTimeout(
                total=options.timeout, sock_connect=options.connect_timeout, sock_read=options.read_timeout
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(
        self, url: str, most: int | None = None, types: tuple[str, ...] = (), cut: bool = False
    ) -> Exchange:
        """Return the answer to a GET of exactly this URL; a redirect is an answer.

        A body of more than `most` bytes (`max_bytes` by default) is truncated with `cut`, else raises Stop. With
        `types` a page (status 2xx) of another content type raises Stop, its body not read.
        """
        try:
            return await self._get(url, most or int(self._options.max_bytes), types, cut)
        except FetchStop:
            raise
        except TimeoutError as error:
            raise FetchStop("timeout", str(error) or f"over {self._options.timeout:g} s") from None
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise FetchStop("tls", str(error)) from None
        except (aiohttp.InvalidURL, UnicodeError, ValueError) as error:
            raise FetchStop("address", f"not a URL that can be asked: {error}") from None
        except aiohttp.ClientConnectorError as error:
            cause = error.os_error
            if isinstance(cause, BlockedAddress) or "is not a public address" in str(cause):
                raise FetchStop("address", str(cause)) from None
            kind = "dns" if isinstance(error, aiohttp.ClientConnectorDNSError) else "connect"
            raise FetchStop(kind, str(cause)) from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            raise FetchStop("connect", f"{type(error).__name__}: {error}") from None
        except (aiohttp.ClientError, EOFError) as error:
            reason = " ".join(str(error).split())
            raise FetchStop("protocol", f"{type(error).__name__}: {reason}") from None

    async def _get(self, url: str, most: int, types: tuple[str, ...], cut: bool) -> Exchange:
        request_url = URL(url).with_fragment(None).with_user(None)
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        async with self._session.get(request_url, allow_redirects=False) as response:
            exchange = Exchange(
                url=str(request_url),
                date=date,
                address=response.peer if isinstance(response, _Response) else None,
                request_line=f"GET {request_url.raw_path_qs} HTTP/1.1",
                request_headers=[(str(k), str(v)) for k, v in response.request_info.headers.items()],
                version=f"HTTP/{response.version.major}.{response.version.minor}"
                if response.version
                else "HTTP/1.1",
                status=response.status,
                reason=" ".join((response.reason or "").split()),
                headers=[
                    (k.decode("latin-1"), v.decode("utf-8", "replace")) for k, v in response.raw_headers
                ],
                body=b"",
            )
            kind = exchange.header("content-type").partition(";")[0].strip().lower()
            if types and kind and kind not in types and 200 <= exchange.status < 300:
                response.close()
                raise FetchStop("content_type", shorten_line(kind, 100), exchange.status)
            declared = exchange.header("content-length")
            if not cut and declared.isdecimal() and int(declared) > most:
                response.close()
                raise FetchStop("size", f"{int(declared):,} bytes", exchange.status)
            pieces: list[bytes] = []
            size = 0
            async for piece in response.content.iter_chunked(1 << 16):
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    response.close()
                    if cut:
                        exchange.truncated = True
                        break
                    raise FetchStop("size", f"over {most:,} bytes", exchange.status)
            exchange.body = b"".join(pieces)[: most if cut else None]
            return exchange


def retry_after(exchange: Exchange) -> float | None:
    """Return the seconds that an answer asks to wait, None where it does not."""
    value = exchange.header("retry-after").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except ValueError:
        return None
