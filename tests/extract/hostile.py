"""A format whose parser does to itself what a page tells it to: for tests of supervision."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time

import numpy as np
from lxml import etree

import corpus.extract.html.trafilatura_text  # noqa: F401 - loaded before the limits of records count
from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.html import main_text as real
from corpus.extract.page_readers import load_reader

BURNT_SECONDS = 0.5
"""Processor time that `slow_library` takes to load, and that `load` takes beyond it."""


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Pages with a command in them go wrong, all others are HTML."""
    body = record.body if isinstance(record.body, bytes) else record.body.encode()
    command = re.search(rb"<!--do:(\w+)(?: ([^>]*))?-->", body)
    if command is None:
        return real.extract_text(record, mode)
    if command[1] == b"say":
        return ExtractedText(
            text="t", gate="g", url="u", license="l", date="d", language="x", opt_out="o", metadata={"a": "b"}
        )
    COMMANDS[command[1].decode()]((command[2] or b"").decode())
    return ExtractedText(text=f"survived {command[1].decode()}")


def load(_: str) -> None:
    load_reader("tests.extract.slow_library").burn()


def segfault(_: str) -> None:
    ctypes.string_at(0)


def abort(_: str) -> None:
    os.abort()


def leave(status: str) -> None:
    os._exit(int(status))


def kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path: str) -> None:
    """As if somebody else killed the parser: the next one finds that it happened."""
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        os.kill(os.getpid(), signal.SIGSEGV)


def spin(_: str) -> None:
    while True:
        pass


def sleep(_: str) -> None:
    time.sleep(1000)


def pattern(_: str) -> None:
    re.match(r"(a+)+$", "a" * 60 + "b")


def eat(_: str) -> None:
    held = []
    while True:
        held.append(bytearray(1 << 24))


def eat_natively(_: str) -> None:
    root = etree.Element("root")
    while True:
        etree.SubElement(root, "a").text = "x" * 10_000


def recurse(_: str) -> None:
    recurse("")


def fail(message: str) -> None:
    raise ValueError(message)


def multiply(_: str) -> None:
    """Fail with the number of threads that are there after a product of matrices."""
    large = np.ones((512, 512), np.float32)
    assert (large @ large)[0, 0] == 512
    raise ValueError(len(os.listdir("/proc/self/task")))


def undecodable(_: str) -> None:
    b"\xff".decode()


COMMANDS = {
    found.__name__: found
    for found in (
        segfault, abort, leave, kill, die_once, spin, sleep, pattern, eat, eat_natively, recurse, fail, undecodable,
        multiply, load,
    )
}  # fmt: skip
