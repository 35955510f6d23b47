"""Parse documents: the process that `corpus.extract.process.supervised` starts and that never runs anything else.

It is two processes. The first imports the formats and then only forks: it has one thread, so forking is safe,
and a parser that died is replaced in milliseconds, its memory shared except for what it changes. The second parses:
jobs in, answers out, in order, each job under the limits of the operating system.

A job names the function that does it, as `module` or `module:function`; without a name it is `extract_text`. Its result
is an `ExtractedText`, None, or a tuple of plain values. What a job prints is dropped.

control   lines of JSON: `{"start": ...}` with the parser's end of the channel beside it, `{"kill": true}`;
          one line is returned for every parser that ended
channel   jobs: two lengths, then a marshalled tuple (module, mode, ...) and the body of the record;
          answers: a length, then a marshalled tuple (kind, ...)
place     a file in memory with the number of the job that is worked on, which tells whose fault an end is

Pages of mode `corpus` that have arrived together are read ahead together, as many as take about `GROUP_SECONDS`.
"""

from __future__ import annotations

import gc
import importlib
import json
import marshal
import mmap
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from corpus.document import Record
from corpus.errors import MAX_ERROR_CHARACTERS, UserError, describe_error, shorten_line
from corpus.extract import READ_AHEAD, ExtractedText, load_entry_point, read_repaired
from corpus.extract.page_readers import when_loaded
from corpus.freed_memory import keep_freed_memory
from corpus.garbage_collection import without_collection

ANSWER_HEADER, JOB_HEADER = struct.Struct("<Q"), struct.Struct("<Qq")
"""Of an answer; of a job's tuple and its body, the latter's with all bits inverted for text in UTF-8."""
PLACE = struct.Struct("<Q")
"""The number of the job that is worked on, of all that this parser was sent."""
RECORD_FIELDS = tuple(field.name for field in fields(Record) if field.name != "body")
TEXT_FIELDS = tuple(field.name for field in fields(ExtractedText))
read_text_fields = attrgetter(*TEXT_FIELDS)
OUT_OF_MEMORY_STATUS = 77
"""Exit status of a parser that ran out of memory: its state can no longer be trusted."""
PARENT_CHECK_SECONDS = 2.0
"""Interval at which the first process checks that the one that started it still exists."""

GROUP_JOBS, GROUP_BYTES, GROUP_SECONDS = 64, 8 << 20, 0.5
"""Pages, bytes of them and seconds of processor time up to which one more is read ahead, if it is there."""
READ_BYTES = 1 << 18
"""Bytes that are received at once."""

TEXT_ANSWER, EMPTY_ANSWER, ERROR_ANSWER, VALUES_ANSWER = 0, 1, 2, 3
"""Kinds of answers: a text with the other fields of an extraction, none, (reason, error), or a tuple of values."""


def main() -> None:
    """Start parsers one after the other until the other end of the control socket, the first argument, is closed."""
    control_fd = int(sys.argv[1])
    keep_freed_memory()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of the socket tells, whoever sends what to the group
    parent = os.getppid()
    with socket.socket(fileno=control_fd) as control:
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 2)
            if not message:
                return
            commands = [json.loads(line) for line in message.splitlines()]
            start = next((command["start"] for command in commands if "start" in command), None)
            if start is None:  # it was to be killed and had died already
                continue
            for module in start["modules"]:
                importlib.import_module(module)
            gc.collect()
            gc.freeze()
            alive, ends = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(alive)
                control.close()
                channel, place = descriptors
                serve(channel, place, int(start["memory"]), float(start["seconds"]))
            os.close(ends)
            for descriptor in descriptors:
                os.close(descriptor)
            wanted = _watch(control, alive, child, parent)
            os.close(alive)
            _, status = os.waitpid(child, 0)  # also of one that nobody wants: its time counts as ours
            if not wanted:
                return
            ended = {
                "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
                "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
            }
            control.sendall(json.dumps(ended).encode() + b"\n")


def _watch(control: socket.socket, alive: int, child: int, parent: int) -> bool:
    """Wait for the end of the parser, and kill it on command; return False if nobody wants the answer any more."""
    while True:
        ready = select.select([control.fileno(), alive], [], [], PARENT_CHECK_SECONDS)[0]
        if control.fileno() in ready and control.recv(1 << 16):
            os.kill(child, signal.SIGKILL)
        elif control.fileno() in ready or os.getppid() != parent:
            os.kill(child, signal.SIGKILL)
            return False
        if alive in ready:
            return True


@dataclass(frozen=True, slots=True)
class _SentJob:
    """A job as it was sent."""

    module: str
    mode: str
    max_text: int
    record: Record

    @property
    def can_be_read_ahead(self) -> bool:
        return self.mode == "corpus" and self.module in READ_AHEAD


class _Arrivals:
    """The jobs that arrive on a channel, in order."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._data = bytearray()
        self._room = memoryview(bytearray(READ_BYTES))

    def take(self, *, wait: bool) -> _SentJob | None:
        """Return the next job; None if there are no more, or if not all of it is there and nobody is to wait."""
        while (job := self._unpack()) is None:
            try:
                size = self._channel.recv_into(self._room, 0, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            if not size:
                return None
            self._data += self._room[:size]
        return job

    def _unpack(self) -> _SentJob | None:
        """Take the first job out of what has arrived; None if it is not whole."""
        data = self._data
        if len(data) < JOB_HEADER.size:
            return None
        length, size = JOB_HEADER.unpack_from(data)
        begin = JOB_HEADER.size + length
        end = begin + (size if size >= 0 else ~size)
        if len(data) < end:
            return None
        with memoryview(data) as view:
            module, mode, max_text, values = marshal.loads(view[JOB_HEADER.size : begin])
            body: Any = bytes(view[begin:end])
        del data[:end]
        if size < 0:
            body = body.decode("utf-8", "surrogatepass")
        record = Record(**dict(zip(RECORD_FIELDS, values, strict=True)), body=body)
        return _SentJob(module, mode, max_text, record)


def serve(channel_fd: int, place_fd: int, memory: int, seconds: float) -> None:
    """Answer jobs until there are no more, then end the process."""
    code = 1
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process, whatever it is doing
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        place = mmap.mmap(place_fd, PLACE.size)
        _limit_memory(memory)
        with socket.socket(fileno=channel_fd) as channel:
            jobs, answered = _Arrivals(channel), 0

            def start_clock() -> None:
                signal.setitimer(signal.ITIMER_PROF, seconds)

            def begin(number: int) -> None:
                PLACE.pack_into(place, 0, answered + number)
                start_clock()

            def answer(group: list[_SentJob]) -> None:
                for number, job in enumerate(group):
                    begin(number)
                    content = marshal.dumps(answer_job(job))
                    channel.sendall(ANSWER_HEADER.pack(len(content)) + content)

            when_loaded(start_clock)
            while (job := jobs.take(wait=True)) is not None:
                group = [job]
                if job.can_be_read_ahead:
                    with without_collection():  # which each page of a group would let begin
                        group = _read_ahead(job, jobs, begin)
                        answer(group)
                else:
                    answer(group)
                answered += len(group)
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY_STATUS
    except (BrokenPipeError, ConnectionResetError):  # nobody waits for the answer
        code = 0
    finally:
        os._exit(code)


def _read_ahead(first: _SentJob, jobs: _Arrivals, begin: Callable[[int], None]) -> list[_SentJob]:
    """Return a job and some that are there behind it, with the pages among them read ahead."""
    ahead = importlib.import_module(READ_AHEAD[first.module])
    ahead.forget_ahead()
    group, size = [first], 0
    until = time.process_time() + GROUP_SECONDS
    while True:
        begin(len(group) - 1)
        last = group[-1]
        ahead.read_ahead(last.record)
        size += len(last.record.body)
        if len(group) == GROUP_JOBS or size > GROUP_BYTES or time.process_time() > until:
            break
        following = jobs.take(wait=False)
        if following is None:
            break
        group.append(following)
        if not following.can_be_read_ahead:
            break
    begin(0)
    if len(group) > 1:
        ahead.estimate_ahead()
    return group


def _limit_memory(memory: int) -> None:
    """Let this process have `memory` bytes more of address space than it has; no limit where there is no /proc."""
    try:
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def answer_job(job: _SentJob) -> tuple[Any, ...]:
    """Return the answer to one job."""
    max_text = job.max_text
    try:
        extraction: Any = read_repaired(load_entry_point(job.module), job.record, job.mode)
        if isinstance(extraction, tuple):
            return VALUES_ANSWER, *extraction
        if extraction is None or not extraction.text:
            return (EMPTY_ANSWER,)
        if len(extraction.text) > max_text:
            return (
                ERROR_ANSWER,
                "bytes",
                f"{len(extraction.text):,} characters of text, over max_text, {max_text:,}",
            )
        return TEXT_ANSWER, *_pack_extraction(extraction)
    except MemoryError:
        raise
    except RecursionError as error:
        return ERROR_ANSWER, "depth", describe_error(error)
    except UnicodeError as error:
        return ERROR_ANSWER, "decode", describe_error(error)
    except UserError as error:  # what a plug-in lacks, in our own words
        return ERROR_ANSWER, "damaged", shorten_line(str(error), MAX_ERROR_CHARACTERS)
    except (Exception, SystemExit) as error:
        return ERROR_ANSWER, "damaged", describe_error(error)


def _pack_extraction(extraction: ExtractedText) -> tuple[Any, ...]:
    """Return the fields of an extraction, as types that marshal can write."""
    return tuple(map(to_marshallable, read_text_fields(extraction)))


def to_marshallable(value: Any) -> Any:
    """Return a field of a record or text as a type that marshal can write: lxml's strings are not quite `str`."""
    if isinstance(value, dict):
        return {str(name): str(item) for name, item in value.items()}
    return str(value) if isinstance(value, str) else value
