"""A web of made-up hosts on one loopback port: every name resolves to it, the Host header tells them apart."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq
from aiohttp import web

from corpus.web.fetch.options import FetchOptions

TEXTS = {
    "zh": "早上好，世界。今天天气很好，我们去图书馆看书，然后在河边散步。",
    "tw": "早安，世界。今天天氣很好，我們去圖書館看書，然後在河邊散步。",
    "ja": "おはようございます。今日は天気がよいので、図書館で本を読んで、川辺を散歩します。",
    "th": "สวัสดีชาวโลก วันนี้อากาศดี เราไปห้องสมุดแล้วเดินเล่นริมแม่น้ำ",
    "ar": "صباح الخير أيها العالم. الطقس جميل اليوم، نذهب إلى المكتبة ثم نتمشى على ضفة النهر.",
    "hi": "सुप्रभात दुनिया। आज मौसम अच्छा है, हम पुस्तकालय जाते हैं और नदी के किनारे टहलते हैं।",
    "ru": "Доброе утро, мир. Сегодня хорошая погода, мы идём в библиотеку, а потом гуляем у реки.",
    "en": "Good morning, world. The weather is fine today, so we go to the library and walk by the river.",
}


def page(language: str, number: int = 0) -> str:
    paragraphs = "".join(f"<p>{TEXTS[language]} ({number}.{at})</p>" for at in range(4))
    return f"<html><head><title>{language} {number}</title></head><body><article>{paragraphs}</article></body></html>"


@dataclass
class Site:
    """The server, in a thread; `asked` counts requests by (host, path), `times` says when."""

    certificate: tuple[Path, Path] | None = None
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=dict)
    open_now: Counter[str] = field(default_factory=Counter)
    most_open: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    port: int = 0
    latency: float = 0.0

    def __enter__(self) -> Site:
        started = threading.Event()

        def serve() -> None:
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._start())
            started.set()
            self._loop.run_forever()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        context = None
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context, backlog=2048)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def url(self, host: str, path: str) -> str:
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}{path}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        path = request.path_qs
        self.asked[host, path] += 1
        self.times.setdefault(host, []).append(time.monotonic())
        self.agents.add(request.headers.get("User-Agent", ""))
        self.open_now[host] += 1
        self.most_open[host] = max(self.most_open[host], self.open_now[host])
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._route(request, host, path)
        except ConnectionError:  # the client has had enough, as it should
            return web.Response()
        finally:
            self.open_now[host] -= 1

    async def _route(self, request: web.Request, host: str, path: str) -> web.StreamResponse:
        if path == "/robots.txt":
            return await self._robots(request, host)
        name, _, value = path.lstrip("/").partition("/")
        if name == "page":
            return web.Response(text=page(value.partition("?")[0]), content_type="text/html")
        if name == "gzip":
            body = gzip.compress(page(value).encode())
            return web.Response(body=body, content_type="text/html", headers={"Content-Encoding": "gzip"})
        if name == "chunked":
            response = web.StreamResponse(headers={"Content-Type": "text/html; charset=utf-8"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            for piece in page(value).split("<p>"):
                await response.write(f"<p>{piece}".encode())
            return response
        if name == "status":
            return web.Response(status=int(value), text="no", content_type="text/html")
        if name == "image":
            return web.Response(body=b"\x89PNG", content_type="image/png")
        if name == "to":
            return web.Response(status=302, headers={"Location": "/" + value})
        if name == "far":
            return web.Response(status=301, headers={"Location": value})
        if name == "circle":
            return web.Response(
                status=302, headers={"Location": "/circle/b" if value == "a" else "/circle/a"}
            )
        if name == "chain":
            return web.Response(status=302, headers={"Location": f"/chain/{int(value) + 1}"})
        if name == "huge":
            return web.Response(body=b"<html>" + b"x" * (3 << 20), content_type="text/html")
        if name == "slow":
            await asyncio.sleep(30)
        if name == "trickle" or name == "endless":
            response = web.StreamResponse(headers={"Content-Type": "text/html"})
            await response.prepare(request)
            while True:
                await response.write(b"x" * (1 << 16) if name == "endless" else b"x")
                await asyncio.sleep(0 if name == "endless" else 0.2)
        if name == "cut":
            response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"<html>half of a p")
            assert request.transport is not None
            request.transport.abort()
            return response
        if name == "busy":
            if self.asked[host, path] < 3:
                return web.Response(status=503, headers={"Retry-After": "0"})
            return web.Response(text=page("en"), content_type="text/html")
        if name == "away":
            return web.Response(status=429, headers={"Retry-After": "86400"})
        return web.Response(status=404, text="not here")

    async def _robots(self, request: web.Request, host: str) -> web.StreamResponse:
        kind = host.partition(".")[0]
        if kind == "forbids":
            return web.Response(text="User-agent: *\nDisallow: /\n")
        if kind == "partly":
            return web.Response(text="User-agent: *\nDisallow: /page/\nAllow: /page/th$\n")
        if kind == "names":
            return web.Response(text="User-agent: corpus-fetch\nDisallow: /\n\nUser-agent: *\nAllow: /\n")
        if kind == "delays":
            return web.Response(text="User-agent: *\nCrawl-delay: 0.5\n")
        if kind == "patient":
            return web.Response(text="User-agent: *\nCrawl-delay: 86400\n")
        if kind == "broken":
            return web.Response(status=500)
        if kind == "secret":
            return web.Response(status=403)
        if kind == "moved":
            return web.Response(
                status=301, headers={"Location": f"http://forbids.example:{self.port}/robots.txt"}
            )
        if kind == "strange":
            return web.Response(body=b"\xff\xfe\x00Disallow" * 10 + b"\nUser-agent: *\nDisallow: /page/ru\n")
        if kind == "large":
            return web.Response(text="User-agent: *\n" + "Disallow: /no\n" * 50_000 + "Disallow: /\n")
        if kind == "packed":
            body = gzip.compress(b"User-agent: *\nDisallow: /page/ru\n")
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        if kind == "garbled":
            return web.Response(body=b"\x1f\x8b\x08 no gzip", headers={"Content-Encoding": "gzip"})
        if kind == "bomb":
            return web.Response(body=gzip.compress(b"#\n" * (12 << 20)), headers={"Content-Encoding": "gzip"})
        if kind == "nowhere":
            return web.Response(status=301, headers={"Location": "http://[::1/robots.txt"})
        if kind == "ages":
            return web.Response(text=f"User-agent: *\nRequest-rate: 1/{'9' * 400}s\n")
        if kind == "sleeps":
            await asyncio.sleep(30)
        return web.Response(status=404)


def options(**given: object) -> FetchOptions:
    """Options for the loopback web: the guard opened for it alone, every name at 127.0.0.1, no waiting."""
    loopback = {
        "contact": "mailto:crawl@example.org",
        "allow_addresses": ["127.0.0.0/8"],
        "resolve": {"*": "127.0.0.1"},
        "delay": 0,
        "rate": 5000,
        "retry_wait": 0,
        "timeout": 0.8,
        "read_timeout": 0.5,
        "max_bytes": "1MiB",
    }
    return FetchOptions.model_validate({**loopback, **given})


def write_list(path: Path, urls: list[str]) -> str:
    pq.write_table(pa.table({"url": pa.array(urls, pa.string())}), path)
    return str(path)


@contextmanager
def served(**given: object) -> Iterator[Site]:
    with Site(**given) as site:  # type: ignore[arg-type]
        yield site
