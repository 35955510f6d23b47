"""Describe a list of URLs to make: its input, its rules and the files of its output folder."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from corpus import storage
from corpus.pipelines.beam.packed import Kinds
from corpus.storage.fingerprint import fingerprint
from corpus.web.url_lists import index_key, links, submissions
from corpus.web.url_lists.links import LinkRules

VERSION = 1
"""Increased when the same input and rules would give other parts."""

URL_LIST_KINDS = Kinds(
    posts=np.dtype([("hash", "<u8"), ("id", "<u8"), ("score", "<i4")]),
    wanted=np.dtype([("hash", "<u8"), ("score", "<i8"), ("count", "<u4")]),
)
LINKS_SCHEMA = pa.schema(
    [
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("id", pa.uint64(), nullable=False),
        pa.field("score", pa.int32(), nullable=False),
        pa.field("created", pa.int64()),
        pa.field("url", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("subreddit", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class UrlListJob:
    """A list to make: its output folder, its input (path, name, identity of each file), its rules and ranges."""

    out: str
    files: tuple[tuple[str, str, str], ...]
    rules: LinkRules
    ranges: int

    def part(self, at: int) -> str:
        """Return the path of the part of file number `at`."""
        digest = hashlib.blake2b(self.files[at][1].encode("utf-8", "surrogatepass"), digest_size=8)
        return storage.join(self.out, "parts", f"links-{digest.hexdigest()}.parquet")

    def counts(self, at: int) -> str:
        """Return the path of the counts and failures of file number `at`."""
        return self.part(at).removesuffix(".parquet") + ".json"

    def piece(self, number: int) -> str:
        """Return the path of the piece of the list of range `number`."""
        return storage.join(self.out, "parts", f"list-{number:05}.parquet")

    def fingerprint(self, at: int) -> str:
        """Return the fingerprint of the part of file number `at`."""
        rules = {**asdict(self.rules), "min_score": self.rules.min_score if self.rules.single_post else None}
        versions = [VERSION, submissions.VERSION, index_key.VERSION, links.link_lists().identity]
        return fingerprint([versions, rules, self.files[at][1:]])
