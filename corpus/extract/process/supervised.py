"""Extract text in a process of its own: a record that crashes, hangs or swells a parser costs only itself.

`Parser.extract_each(items)` yields, in their order, what `corpus.extract.extract` returns, or a `RejectedRecord` with
a reason. Records are sent to the parser while earlier answers come back, so neither process waits for the other.

The outcome depends on the record alone, never on what was parsed before it, nor on when a process died: a record that
kills or crashes a parser is retried once by itself in a fresh one, and only if that one dies too is it abandoned. Time
is the exception: a record that took more than its seconds is not retried, and its reason, `time`, marks
the build as one that depends on the machine.
"""

from __future__ import annotations

import atexit
import json
import marshal
import mmap
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, NoReturn, TypeVar

from corpus.child_process import python_command
from corpus.document import Record
from corpus.errors import RunError, shorten_line
from corpus.extract import DEFAULT_MODE, PLAIN_TEXT_MODULE, ExtractedText, extract_by, module_of
from corpus.extract.page_readers import list_modules
from corpus.extract.process.budgets import Budgets, find_exceeded_budget
from corpus.extract.process.worker import (
    ANSWER_HEADER,
    EMPTY_ANSWER,
    ERROR_ANSWER,
    JOB_HEADER,
    OUT_OF_MEMORY_STATUS,
    PLACE,
    RECORD_FIELDS,
    TEXT_FIELDS,
    VALUES_ANSWER,
    to_marshallable,
)

WINDOW_RECORDS, WINDOW_BYTES = 128, 16 << 20
"""Records in flight at most; memory is bounded by these bytes and one record."""
MAX_ATTEMPTS_BY_SIGNAL = {int(signal.SIGKILL): 3}
"""How many parsers a record may take down: two, and one more where somebody else may have killed them."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}
"""Environment by which numpy multiplies matrices in the parser's own thread: those of a page are so small that more
threads mostly wait for each other, which costs more than the page. Who has set them otherwise is heeded."""
SEND_BYTES = 1 << 20
"""Bytes of sent data that the kernel is requested to buffer; it may buffer fewer."""
MAX_SEND_BUFFERS = 16
"""Buffers that are sent in one call."""
START_SECONDS = 120.0

Item = TypeVar("Item")
_values = attrgetter(*RECORD_FIELDS)


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """Hold the reason why a record gives no text, one of `document.QUARANTINE_REASONS`, and the error as one line."""

    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class JobValues:
    """Hold what a job gives that extracts no text: plain values."""

    values: tuple[Any, ...]


Answer = ExtractedText | RejectedRecord | JobValues | None


@dataclass(slots=True)
class _Job(Generic[Item]):
    """Hold a record with the item it belongs to; `frame` is what the parser receives, empty once there is an answer."""

    item: Item
    frame: tuple[bytes, ...] = ()
    answer: Answer = None
    deaths: int = 0


class Parser:
    """Parse in another process on behalf of this one. Not for two threads at the same time: see `borrow_parser`.

    `jobs` maps media types to the functions that read them (`module` or `module:function`), where that is not the
    format's own; `mode` is passed to all.
    """

    def __init__(self, mode: str, budgets: Budgets, jobs: Mapping[str, str] | None = None) -> None:
        self.mode, self.budgets, self.jobs = mode, budgets, dict(jobs or {})
        self._starter: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._channel: socket.socket | None = None
        self._modules: dict[str, None] = {}
        self._room = memoryview(bytearray(1 << 16))
        self._reset()

    def _reset(self) -> None:
        self._answered = 0
        self._asked: deque[_Job[Any]] = deque()
        self._later: deque[_Job[Any]] = deque()
        self._out: deque[memoryview] = deque()
        self._in = bytearray()

    @property
    def idle(self) -> bool:
        """Whether every record that was taken has been answered."""
        return not self._asked and not self._later

    def extract_each(self, items: Iterable[tuple[Item, Record | None]]) -> Iterator[tuple[Item, Answer]]:
        """Yield every item with the answer for its record (None without one), in their order.

        Raises RunError if no parser can be started, and whatever `items` raises.
        """
        waiting: deque[_Job[Item]] = deque()
        source, more = iter(items), True
        while True:
            if more and len(waiting) <= WINDOW_RECORDS // 2:
                more = self._fill(waiting, source)
            if not waiting:
                return
            head = waiting.popleft()
            if head.frame:
                self._await(head)
            elif self._out and self._channel is not None:  # so that the parser has the next pages meanwhile
                self._exchange()
            yield head.item, head.answer

    def _fill(self, waiting: deque[_Job[Item]], source: Iterator[tuple[Item, Record | None]]) -> bool:
        """Take records until enough of them are in flight; return whether there may be more."""
        held = sum(len(piece) for job in waiting for piece in job.frame)
        while len(waiting) < WINDOW_RECORDS and (held < WINDOW_BYTES or not waiting):
            item_and_record = next(source, None)
            if item_and_record is None:
                return False
            job = self._make_job(*item_and_record)
            waiting.append(job)
            if job.frame:
                held += sum(map(len, job.frame))
                self._ask(job)
        return True

    def _make_job(self, item: Item, record: Record | None) -> _Job[Item]:
        if record is None:
            return _Job(item)
        refused = find_exceeded_budget(record, self.budgets)
        if refused is not None:
            return _Job(item, answer=RejectedRecord(*refused))
        module = self.jobs.get(record.media_type) or module_of(record)
        mode = DEFAULT_MODE if self.jobs and record.media_type not in self.jobs else self.mode
        if module == PLAIN_TEXT_MODULE and isinstance(record.body, str):  # nothing is parsed, only cleaned
            return _Job(item, answer=extract_by(module, record, mode))
        for name in list_modules(module, mode):
            self._modules[name] = None
        job = marshal.dumps(
            (module, mode, self.budgets.max_text, tuple(map(to_marshallable, _values(record))))
        )
        text = isinstance(record.body, str)
        body = record.body.encode("utf-8", "surrogatepass") if isinstance(record.body, str) else record.body
        return _Job(item, (JOB_HEADER.pack(len(job), ~len(body) if text else len(body)) + job, body))

    def _ask(self, job: _Job[Any]) -> None:
        """Send a job, behind those that wait for the outcome of another."""
        if self._later:
            self._later.append(job)
            return
        if self._channel is None:
            self._start()
        self._asked.append(job)
        self._out += map(memoryview, job.frame)
        self._exchange()

    def _await(self, job: _Job[Any]) -> None:
        """Wait until a job, the first without an answer, has one."""
        deadline = time.monotonic() + self.budgets.wall_seconds
        late = False
        while job.frame:
            if self._channel is None:
                self._start()
            assert self._channel is not None
            if not self._exchange():
                self._replace(late)
                deadline, late = time.monotonic() + self.budgets.wall_seconds, False
                continue
            if not job.frame:
                return
            # The parser takes what is there when it begins a page, so that there is room for more.
            self._poll.modify(self._channel, select.POLLIN | (select.POLLOUT if self._out else 0))
            if self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                continue
            if late:
                self._give_up("it cannot be stopped")
            self._kill()
            late, deadline = True, deadline + START_SECONDS

    def _exchange(self) -> bool:
        """Send and receive what is possible without waiting; return False if the parser has died."""
        assert self._channel is not None
        alive = True
        try:
            while self._out:
                pieces = list(islice(self._out, MAX_SEND_BUFFERS))
                sent = self._channel.sendmsg(pieces)
                for piece in pieces:
                    if sent < len(piece):
                        self._out[0] = piece[sent:]
                        break
                    self._out.popleft()
                    sent -= len(piece)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            alive = False
        try:
            while size := self._channel.recv_into(self._room):
                self._in += self._room[:size]
                if size < len(self._room):
                    break
            else:
                alive = False
        except BlockingIOError:
            pass
        except ConnectionResetError:
            alive = False
        self._read_answers()
        return alive

    def _read_answers(self) -> None:
        """Give the jobs the answers that have arrived."""
        at = 0
        with memoryview(self._in) as data:
            while len(data) - at >= ANSWER_HEADER.size:
                end = at + ANSWER_HEADER.size + ANSWER_HEADER.unpack_from(data, at)[0]
                if len(data) < end:
                    break
                kind, *fields = marshal.loads(data[at + ANSWER_HEADER.size : end])
                at = end
                self._settle(None if kind == EMPTY_ANSWER else _unpack_answer(kind, fields))
        del self._in[:at]

    def _settle(self, answer: Answer) -> None:
        """Give the first job that was sent its answer, and send what waited for it."""
        job = self._asked.popleft()
        self._answered += 1
        job.answer, job.frame = answer, ()
        if self._later and not self._asked:
            self._resume(list(self._later))

    def _replace(self, late: bool) -> None:
        """Handle a parser that died: find out why, decide about the record it was at, and resume with the rest."""
        end = self._read_ending()
        self._out.clear()
        self._in.clear()
        if not self._asked:
            return
        at = PLACE.unpack_from(self._place)[0] - self._answered
        job = self._asked[at]
        del self._asked[at]
        job.deaths += 1
        rest = [*self._asked, *self._later]
        rejected = _judge_ending(end, late, self.budgets)
        if rejected.reason == "time" or job.deaths >= MAX_ATTEMPTS_BY_SIGNAL.get(end["signal"], 2):
            job.answer, job.frame = rejected, ()
            self._resume(rest)
        else:
            self._resume([job])
            self._later = deque(rest)

    def _resume(self, jobs: Sequence[_Job[Any]]) -> None:
        """Give these jobs, none of which is in flight, to the parser."""
        self._asked, self._later = deque(jobs), deque()
        self._out += [memoryview(piece) for job in jobs for piece in job.frame]
        if self._out and self._channel is None:
            self._start()

    def _start(self) -> None:
        """Start a fresh parser."""
        if self._starter is None or self._starter.poll() is not None:
            self._start_starter()
        ours, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as place:
            place.truncate(PLACE.size)
            self._place, self._answered = mmap.mmap(place.fileno(), PLACE.size), 0
            ours.setblocking(False)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
            self._channel, self._poll = ours, select.poll()
            self._poll.register(ours)
            start = {
                "modules": list(self._modules),
                "memory": self.budgets.memory,
                "seconds": self.budgets.seconds,
            }
            assert self._control is not None
            try:
                socket.send_fds(
                    self._control,
                    [json.dumps({"start": start}).encode() + b"\n"],
                    [theirs.fileno(), place.fileno()],
                )
            except OSError:
                self._give_up()

    def _start_starter(self) -> None:
        """Start the process that starts parsers, by this Python with this path to its modules."""
        self.close(forget=False)
        self._control, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        with theirs:
            self._starter = subprocess.Popen(
                python_command("corpus.extract.process.worker", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                env={**ONE_THREAD, **os.environ},
            )

    def _kill(self) -> None:
        """Have the parser killed; `_exchange` reports when it has died."""
        assert self._control is not None
        try:
            self._control.sendall(b'{"kill": true}\n')
        except OSError:
            self._give_up()

    def _read_ending(self) -> dict[str, int]:
        """Return how the parser ended; if the process that starts parsers is gone too, as if killed from outside."""
        assert self._control is not None and self._channel is not None
        self._channel.close()
        self._channel = None
        self._control.settimeout(START_SECONDS)
        line = b""
        try:
            while not line.endswith(b"\n"):
                data = self._control.recv(1 << 12)
                if not data:
                    break
                line += data
        except OSError:
            line = b""
        if line:
            ending: dict[str, int] = json.loads(line)
            return ending
        assert self._starter is not None
        if self._starter.wait(START_SECONDS) not in (-signal.SIGKILL, -signal.SIGTERM):
            self._give_up()
        return {"signal": signal.SIGKILL, "code": 0}

    def _give_up(self, why: str = "it said nothing") -> NoReturn:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines() or [why]
        if self._starter is not None:
            self._starter.kill()
        self.close()
        raise RunError(f"the process that parses documents failed: {shorten_line(lines[-1])}")

    def close(self, forget: bool = True) -> None:
        """End the processes."""
        if forget:
            self._reset()
        for end in (self._channel, self._control):
            if end is not None:
                end.close()
        self._channel = self._control = None
        if self._starter is not None:
            try:
                self._starter.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self._starter.kill()
                self._starter.wait()
            self._log.close()
            self._starter = None


def _unpack_answer(kind: int, fields: list[Any]) -> Answer:
    """Return an answer as the parser sent it."""
    if kind == ERROR_ANSWER:
        return RejectedRecord(*fields)
    if kind == VALUES_ANSWER:
        return JobValues(tuple(fields))
    return ExtractedText(**dict(zip(TEXT_FIELDS, fields, strict=True)))


def _judge_ending(end: dict[str, int], late: bool, budgets: Budgets) -> RejectedRecord:
    """Return what the end of a parser means for the record it was at."""
    if late:
        return RejectedRecord("time", f"no answer within {budgets.wall_seconds:g} s")
    if end["signal"] == signal.SIGPROF:
        return RejectedRecord("time", f"more than {budgets.seconds:g} s of processor time")
    if end["code"] == OUT_OF_MEMORY_STATUS:
        return RejectedRecord("memory", f"more than {budgets.memory:,} bytes of memory")
    if end["signal"] == signal.SIGKILL:
        return RejectedRecord("crash", "the parser was killed again and again: is the machine out of memory?")
    if end["signal"]:
        return RejectedRecord("crash", f"the parser died of {signal.Signals(end['signal']).name}")
    return RejectedRecord("crash", f"the parser ended with status {end['code']}")


_idle_parsers: list[Parser] = []
_lock = threading.Lock()


@contextmanager
def borrow_parser(mode: str, budgets: Budgets, jobs: Mapping[str, str] | None = None) -> Iterator[Parser]:
    """Yield a parser for this thread: one that an earlier block left, if there is one. See `Parser`."""
    jobs = dict(jobs or {})
    with _lock:
        alike = [candidate for candidate in _idle_parsers if candidate.jobs == jobs]
        fitting = [candidate for candidate in alike if (candidate.mode, candidate.budgets) == (mode, budgets)]
        taken = fitting[0] if fitting else None
        others = [] if taken is not None else alike
        _idle_parsers[:] = [
            candidate for candidate in _idle_parsers if candidate is not taken and candidate not in others
        ]
    for other in others:  # one process is enough for a thread, and budgets change rarely
        other.close()
    taken = taken or Parser(mode, budgets, jobs)
    try:
        yield taken
    finally:
        if taken.idle:
            with _lock:
                _idle_parsers.append(taken)
        else:
            taken.close()


@atexit.register
def close_idle_parsers() -> None:
    """End the parsers that no thread uses: at the end of this process."""
    while _idle_parsers:
        _idle_parsers.pop().close()
