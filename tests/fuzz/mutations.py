"""Damage as real files have it: bits flipped, pieces cut, moved, repeated, replaced, and foreign bytes put in."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

FOREIGN = [
    b"\0", b"\xff\xfe", b"\x1f\x8b\x08", b"BZh9", b"<", b">", b"&#x110000;", b"]]>", b"<![CDATA[", b"<!ENTITY x '&x;'>",
    b"{", b"}", b"{{", b"[[", b"\\", b"\r\n\r\n", b"Content-Length: -1\r\n", b"WARC/1.0\r\n", b"-1", b"9" * 30,
    b"\xed\xa0\x80",
    b"<page>", b"</page>", b"<row ", b"PK\x03\x04", b"\x1b$B", "中文".encode("gbk"), "ไทย".encode(), b"<div>" * 50,
]  # fmt: skip
Operation = tuple[str, float, float, bytes]
operations: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "repeat", "move", "insert", "replace"]),
        st.floats(0, 1),
        st.floats(0, 1),
        st.sampled_from(FOREIGN) | st.binary(max_size=12),
    ),
    min_size=1,
    max_size=6,
)
DOCUMENTED = (
    "XmlError",
    "ValueError",
    "UnicodeDecodeError",
    "BadZipFile",
    "EpubError",
    "SubmissionError",
    "JSONDecodeError",
)
"""Errors that formats raise on purpose."""
LONG = int(os.environ.get("CORPUS_FUZZ", "1500"))
"""Examples of one sample in a long run."""


def short(examples: int) -> settings:
    """The same few examples every time: for every run of the tests."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )


def long() -> settings:
    """Other examples every time, and the smallest that fails: for `make soak`."""
    return settings(max_examples=LONG, suppress_health_check=list(HealthCheck), print_blob=True)


def mutated(sample: bytes, changes: list[Operation]) -> bytes:
    """A sample with some damage. Places are shares of its length, so that any damage fits any sample."""
    data = bytearray(sample)
    for kind, where, how_much, foreign in changes:
        at = int(where * len(data))
        end = at + 1 + int(how_much**3 * (len(data) - at))
        if kind == "flip" and data:
            data[min(at, len(data) - 1)] ^= 1 << int(how_much * 7)
        elif kind == "cut":
            del data[max(1, at) :]
        elif kind == "drop":
            del data[at:end]
        elif kind == "repeat":
            data[at:at] = data[at : min(end, at + 4096)]
        elif kind == "move":
            piece = data[at:end]
            del data[at:end]
            to = int(how_much * len(data))
            data[to:to] = piece
        elif kind == "insert":
            data[at:at] = foreign
        elif kind == "replace":
            data[at : at + len(foreign)] = foreign
    return bytes(data)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises TimeoutError where the block takes more processor time than that."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} s of processor time")

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
