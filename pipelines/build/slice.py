"""Name a fixed share of the input splits of a build: `--slice 3/20`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from corpus.errors import UserError

_TEXT = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Slice:
    """A share of input splits: the `number`-th of `count`, from 1.

    It is those whose names, hashed, have one remainder by `count`: the same whatever the order of files and whoever
    asks.
    """

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> Slice:
        """Return the slice that a text such as 3/20 names. Raises UserError."""
        if numbers := _TEXT.fullmatch(text):
            number, count = int(numbers[1]), int(numbers[2])
            if 1 <= number <= count:
                return Slice(number, count)
        raise UserError(f"--slice {text}: write K/N with K from 1 to N, such as 3/20")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, source: str, split: str) -> bool:
        """Return whether an input split is in this slice."""
        digest = hashlib.blake2b(f"{source}/{split}".encode(), digest_size=8, person=b"corpus.slice").digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1
