"""Read and write remote files through fsspec: read by ranges, resumed in mid-file, written whole or not at all.

A file is read in ranges that grow from 64 KiB to 8 MiB while it is read in one direction, so that looking at a
head costs little and reading a split few requests. A range that fails is resumed at the byte where it stopped (see
`corpus.storage.retry`). An HTTP server without ranges is read in one stream, restarted where it breaks.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast

from corpus.errors import UserError
from corpus.extras import install_advice
from corpus.storage.retry import (
    MIN_BYTES_PER_SECOND,
    Pace,
    Patience,
    RemoteError,
    ShortRead,
    call_with_retries,
    describe_error,
    error_chain,
    http_answer,
    is_transient,
    read_setting,
)

FIRST_RANGE_BYTES = 64 << 10
LARGEST_RANGE_BYTES = 8 << 20
"""Bytes of a request. Reading 64 MB from loopback with 50 ms a request takes 1.8 s in ranges that grow to 8 MiB, 5.6 s
up to 1 MiB, 2.8 s up to 4 MiB and 2.0 s up to 32 MiB, which takes four times the memory."""
BODY_PIECE_BYTES = 256 << 10
MAX_SPOOL_BYTES = 32 << 20
"""Bytes of an output held in memory; beyond, it is held on the local disk. It is uploaded when it is whole."""
UPLOAD_PART_BYTES = 32 << 20
PROTOCOL_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcp", "gcs": "gcp"}
"""The extra of this package that installs the client of a protocol."""

os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
# gcsfs, which reads this when it is first imported, would ask another service for the kind of every bucket, and
# wait a minute where that does not answer. Plain objects are all that is needed here.


@dataclass(frozen=True, slots=True)
class RemoteStat:
    """A store's description of a file: its size, something that changes with the content (or None), ranges or not."""

    size: int
    checksum: str | None
    ranges: bool = True

    def is_of(self, size: int | None, checksum: str | None) -> bool:
        """Return whether an answer with such a size and checksum (None: not given) is of the same content."""
        return size in (None, self.size) and (None in (checksum, self.checksum) or checksum == self.checksum)


class ContentChanged(Exception):
    """An answer of another content than the first one."""


class _FailedReads(threading.local):
    """How many reads this thread has given up."""

    count = 0


FAILED_READS = _FailedReads()


def filesystem(path: str) -> tuple[Any, str]:
    """Return the fsspec filesystem of a URL and the path inside it. It caches no listings: other processes write too.

    Raises UserError where nothing is installed that knows the URL.
    """
    import fsspec

    try:
        return cast(
            "tuple[Any, str]", fsspec.core.url_to_fs(path, use_listings_cache=False, **_timeout_options(path))
        )
    except ImportError as error:
        extra = PROTOCOL_EXTRAS.get(path.partition("://")[0])
        advice = install_advice(extra) if extra else str(error)
        raise UserError(f"{path}: no installed package reads such addresses: {advice}") from None
    except ValueError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    except Exception as error:  # of one that connects at once, such as FTP
        reason = error.strerror if isinstance(error, OSError) else None
        raise RemoteError(path, reason or describe_error(error, None)) from error


def _timeout_options(path: str) -> dict[str, Any]:
    """Return options that limit silence, unless fsspec's configuration sets its own: gcsfs would wait without end."""
    import fsspec

    protocol = path.partition("://")[0]
    configured = fsspec.config.conf.get(protocol, {})
    if protocol in ("gs", "gcs") and "requests_timeout" not in configured:
        return {"requests_timeout": _silence_timeout()}
    if protocol in ("s3", "s3a") and "config_kwargs" not in configured:
        silence = read_setting("SILENCE", 60)
        once = {"max_attempts": 0}  # trying again is ours
        return {"config_kwargs": {"connect_timeout": silence, "read_timeout": silence, "retries": once}}
    return {}


def _silence_timeout() -> Any:
    """Return aiohttp's timeout: none in all, one on silence, and one on waiting for a free connection."""
    import aiohttp

    silence = read_setting("SILENCE", 60)
    return aiohttp.ClientTimeout(total=None, connect=2 * silence, sock_connect=silence, sock_read=silence)


def _sync(fs: Any, size: int, function: Any, *arguments: Any) -> Any:
    """Run a coroutine of this module for `size` bytes, with a timeout: what they take at the slowest."""
    from fsspec.asyn import sync

    limit = read_setting("PATIENCE", 300) + 2 * read_setting("SILENCE", 60) + size / MIN_BYTES_PER_SECOND
    return sync(fs.loop, function, *arguments, timeout=limit)


def is_http(path: str) -> bool:
    return path.startswith(("http://", "https://"))


def stat(path: str) -> RemoteStat:
    """Return size and checksum by one request. Raises FileNotFoundError or RemoteError."""
    fs, inner = filesystem(path)
    if is_http(path):
        return call_with_retries(path, lambda: cast(RemoteStat, _sync(fs, 0, _stat_http, fs, inner)))
    info = call_with_retries(path, lambda: fs.info(inner))
    if info.get("type") == "directory":
        raise FileNotFoundError(2, "no such file", path)
    checksum = next((info[key] for key in ("ETag", "md5Hash", "crc32c", "etag") if info.get(key)), None)
    return RemoteStat(int(info["size"] or 0), str(checksum).strip('"') if checksum is not None else None)


def exists(path: str) -> bool:
    """Return whether there is a file or folder. A store that does not answer is an error, not False."""
    try:
        if is_http(path):
            stat(path)
        else:
            fs, inner = filesystem(path)
            call_with_retries(path, lambda: fs.info(inner))
    except FileNotFoundError:
        return False
    return True


def is_file(path: str) -> bool:
    """Return whether there is a file at exactly this URL."""
    try:
        stat(path)
    except FileNotFoundError:
        return False
    return True


def open_input(path: str, offset: int = 0) -> BinaryIO:
    """Open the bytes of a remote file, seekable, at `offset`. Reading raises FileNotFoundError or RemoteError."""
    stream = io.BufferedReader(RemoteInput(path), FIRST_RANGE_BYTES)
    if offset:
        stream.seek(offset)
    return cast(BinaryIO, stream)


_RANGES_BY_SERVER: dict[str, bool] = {}


def read_range(path: str, start: int, end: int) -> bytes:
    """Return bytes [start, end) of a file that is known to be that long, without asking for its size first.

    Whether a server supports ranges is asked once a server. Raises FileNotFoundError or RemoteError.
    """
    site = "/".join(path.split("/", 3)[:3])
    if is_http(path) and site not in _RANGES_BY_SERVER:
        _RANGES_BY_SERVER[site] = stat(path).ranges
    with RemoteInput(path, RemoteStat(end, None, _RANGES_BY_SERVER.get(site, True))) as stream:
        return stream.read_range(start, end)


class RemoteInput(io.RawIOBase):
    """A remote file as a raw stream; one range of it in memory."""

    def __init__(self, path: str, file_stat: RemoteStat | None = None) -> None:
        self.path = path
        self._fs, self._inner = filesystem(path)
        self._stat = file_stat or stat(path)
        self._at = 0
        self._begin, self._held = 0, b""
        self._next = FIRST_RANGE_BYTES
        self._whole: _WholeBody | None = None
        if is_http(path) and not self._stat.ranges:
            self._whole = _WholeBody(self._fs, self._inner, self._stat)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stat.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        size = self._stat.size
        if self._at >= size or not len(buffer):
            return 0
        if not self._begin <= self._at < self._begin + len(self._held):
            follows = self._at == self._begin + len(self._held) and self._held
            self._next = min(self._next * 2, LARGEST_RANGE_BYTES) if follows else FIRST_RANGE_BYTES
            self._begin, self._held = self._at, b""
            self._held = self._fetch(self._at, min(size, self._at + max(self._next, len(buffer))))
        first = self._at - self._begin
        piece = self._held[first : first + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def read_range(self, start: int, end: int) -> bytes:
        """Return bytes [start, end), asked for by one request where nothing goes wrong; none of them is cached."""
        return self._fetch(start, min(end, self._stat.size))

    def _fetch(self, start: int, end: int) -> bytes:
        """Return all bytes from `start` to `end`, with as many requests as that takes."""
        patience, pace = Patience(self.path), Pace()
        pieces: list[bytes] = []
        try:
            while start < end:
                data, error = self._fetch_some(start, end, pace)
                if data:
                    pieces.append(data)
                    start += len(data)
                    patience.progress()
                if start < end and pace.is_slow():
                    raise RemoteError(self.path, f"at byte {start:,}, {pace.describe()}")
                if start < end and (error is not None or not data):
                    patience.wait_before_retry(error or ShortRead(f"short read: nothing at byte {start:,}"))
        except (RemoteError, FileNotFoundError):
            FAILED_READS.count += 1
            raise
        return b"".join(pieces)

    def _fetch_some(self, start: int, end: int, pace: Pace) -> tuple[bytes, Exception | None]:
        """Return what one request gives of a range, and what ended it early."""
        answer: tuple[bytes, Exception | None]
        try:
            location, arguments = (self._fs, self._inner), (start, end, pace)
            if self._whole is not None:
                answer = _sync(self._fs, end - start, self._whole.read, *arguments)
            elif is_http(self.path):
                answer = _sync(self._fs, end - start, _read_http_range, *location, self._stat, *arguments)
            elif self.path.startswith(("s3://", "s3a://")):
                answer = _sync(self._fs, end - start, _read_s3_range, *location, self._stat, *arguments)
            else:
                data = bytes(self._fs.cat_file(self._inner, start=start, end=end))[: end - start]
                pace.count_bytes(len(data))
                answer = data, None
            return answer
        except ContentChanged:
            raise RemoteError(self.path, "it changed while it was read: begin again") from None
        except Exception as error:
            return b"", error

    def close(self) -> None:
        if self._whole is not None and not self.closed:
            _sync(self._fs, 0, self._whole.close)
        self._held = b""
        super().close()


def _request_options(fs: Any) -> dict[str, Any]:
    """Return the options of a GET: bytes as they are stored, a limit on silence."""
    return {**fs.kwargs, "auto_decompress": False, "timeout": _silence_timeout()}


def _request_headers(fs: Any, **ours: str) -> dict[str, str]:
    return {**fs.kwargs.get("headers", {}), "Accept-Encoding": "identity", **ours}


async def _stat_http(fs: Any, url: str) -> RemoteStat:
    """Send a GET of the first byte: it gives more than HEAD, which some servers refuse, and others answer wrongly."""
    session = await fs.set_session()
    options = {**_request_options(fs), "headers": _request_headers(fs, Range="bytes=0-0")}
    async with session.get(fs.encode_url(url), **options) as response:
        if response.status == 416:  # an empty file has no first byte
            return RemoteStat(0, _response_checksum(response))
        response.raise_for_status()
        whole = response.headers.get("Content-Range", "").rpartition("/")[2]
        if response.status == 206 and whole.isdecimal():
            return RemoteStat(int(whole), _response_checksum(response))
        length = response.headers.get("Content-Length", "")
        if response.status == 200 and length.isdecimal():
            return RemoteStat(int(length), _response_checksum(response), ranges=False)
        raise RemoteError(url, "the server does not say how long it is: fetch it first")


def _response_checksum(response: Any) -> str | None:
    """Return the ETag of a response, else its date of change."""
    checksum = response.headers.get("ETag") or response.headers.get("Last-Modified")
    return str(checksum).removeprefix("W/").strip('"') if checksum else None


async def _read_http_range(
    fs: Any, url: str, file_stat: RemoteStat, start: int, end: int, pace: Pace
) -> tuple[bytes, Exception | None]:
    """Return what arrives of [start, end), and what ended it early. Raises Changed where it is of another file."""
    session = await fs.set_session()
    options = {**_request_options(fs), "headers": _request_headers(fs, Range=f"bytes={start}-{end - 1}")}
    async with session.get(fs.encode_url(url), **options) as response:
        response.raise_for_status()
        if response.status != 206:
            raise ShortRead(f"status {response.status} in answer to a range")
        place, _, whole = (
            response.headers.get("Content-Range", "").removeprefix("bytes").strip(" =").partition("/")
        )
        begins = place.partition("-")[0]
        if not file_stat.is_of(
            int(whole) if file_stat.checksum and whole.isdecimal() else None, _response_checksum(response)
        ):
            raise ContentChanged
        if begins.isdecimal() and int(begins) != start:
            raise ShortRead(f"a range from byte {begins} in answer to {start}")
        return await _collect(response.content, end - start, pace)


async def _read_s3_range(
    fs: Any, inner: str, file_stat: RemoteStat, start: int, end: int, pace: Pace
) -> tuple[bytes, Exception | None]:
    """Do as `_read_http_range`. The store compares the checksum; without one there is no comparison."""
    bucket, key, version = fs.split_path(inner)
    version_id = {"VersionId": version} if version else {}
    if_match = {"IfMatch": f'"{file_stat.checksum}"'} if file_stat.checksum else {}
    span = f"bytes={start}-{end - 1}"
    try:
        answer = await fs._call_s3(
            "get_object", Bucket=bucket, Key=key, Range=span, **version_id, **if_match, **fs.req_kw
        )
    except Exception as error:
        if http_answer(error)[0] == 412:
            raise ContentChanged from None
        raise
    async with answer["Body"] as body:
        return await _collect(body, end - start, pace)


async def _collect(body: Any, max_bytes: int, pace: Pace) -> tuple[bytes, Exception | None]:
    """Return up to `max_bytes` bytes of a body, and what ended it early."""
    pieces: list[bytes] = []
    try:
        while max_bytes > 0 and (piece := await body.read(min(max_bytes, BODY_PIECE_BYTES))):
            pieces.append(piece)
            max_bytes -= len(piece)
            pace.count_bytes(len(piece))
            if pace.is_slow():
                break
    except Exception as error:
        if not is_transient(error, None):
            raise
        return b"".join(pieces), error
    return b"".join(pieces), None


class _WholeBody:
    """The body of a server without ranges, held open; read forwards, requested again to go back."""

    def __init__(self, fs: Any, url: str, file_stat: RemoteStat) -> None:
        self._fs, self._url, self._stat = fs, url, file_stat
        self._response: Any = None
        self._at = 0

    async def read(self, start: int, end: int, pace: Pace) -> tuple[bytes, Exception | None]:
        if self._response is None or start < self._at:
            await self.close()
            session = await self._fs.set_session()
            options = {**_request_options(self._fs), "headers": _request_headers(self._fs)}
            response = await session.get(self._fs.encode_url(self._url), **options)
            if response.status >= 400:
                response.release()
                response.raise_for_status()
            length = response.headers.get("Content-Length", "")
            if not self._stat.is_of(
                int(length) if length.isdecimal() else None, _response_checksum(response)
            ):
                response.release()
                raise ContentChanged
            self._response, self._at = response, 0
        while self._at < start:
            piece, error = await _collect(
                self._response.content, min(start - self._at, BODY_PIECE_BYTES), pace
            )
            self._at += len(piece)
            if error is not None or not piece:
                await self.close()
                return b"", error or ShortRead(f"the body ends at byte {self._at:,}")
        data, error = await _collect(self._response.content, end - start, pace)
        self._at += len(data)
        if error is not None or len(data) < end - start:
            await self.close()
        return data, error

    async def close(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = None


@contextmanager
def atomic_output(path: str) -> Iterator[BinaryIO]:
    """Open a stream whose content becomes `path` when the block ends without an error; uploads are retried."""
    with tempfile.SpooledTemporaryFile(max_size=MAX_SPOOL_BYTES) as spool:
        yield cast(BinaryIO, spool)
        call_with_retries(path, lambda: upload(path, spool))


def upload(path: str, content: IO[bytes]) -> None:
    """Write a whole object: one PUT, or a multipart upload that is completed at its end or aborted."""
    fs, inner = filesystem(path)
    content.seek(0, io.SEEK_END)
    size = content.tell()
    content.seek(0)
    if size <= MAX_SPOOL_BYTES:
        fs.pipe_file(inner, content.read())
        return
    stream = fs.open(inner, "wb", autocommit=False, block_size=UPLOAD_PART_BYTES)
    try:
        while block := content.read(UPLOAD_PART_BYTES):
            stream.write(block)
        stream.close()
        stream.commit()
    except BaseException:
        stream.discard()
        raise


def create(path: str, content: bytes) -> bool:
    """Write a small object unless there is one; return whether it was written. Of concurrent calls one succeeds."""
    fs, inner = filesystem(path)
    if exists(path):
        return False
    try:
        call_with_retries(path, lambda: fs.pipe_file(inner, content, mode="create"))
    except (FileExistsError, RemoteError) as error:
        if any(isinstance(cause, FileExistsError) for cause in error_chain(error)) or http_answer(error)[
            0
        ] in (
            409,
            412,
        ):
            return False
        raise
    return True


def remove(path: str) -> None:
    """Remove an object; nothing happens where there is none."""
    fs, inner = filesystem(path)
    try:
        call_with_retries(path, lambda: fs.rm_file(inner))
    except FileNotFoundError:
        return


def list_files(folder: str) -> list[str]:
    """Return the names of all files below a folder, relative to it, sorted."""
    fs, inner = filesystem(folder)
    base = inner.rstrip("/") + "/"
    try:
        names = call_with_retries(folder, lambda: fs.find(inner))
    except FileNotFoundError:
        return []
    return sorted(name.removeprefix(base) for name in names if name.startswith(base) and name != base)


def glob(pattern: str) -> list[str]:
    """Return the URLs that a pattern names, sorted."""
    fs, inner = filesystem(pattern)
    names = call_with_retries(pattern, lambda: fs.glob(inner))
    return sorted(fs.unstrip_protocol(name) for name in names)
