"""Read Reddit comments: `RC_*` dumps (Pushshift's and its successors), collected into threads.

Comments are in the order of their times, so those of a thread are spread over the file: one pass collects them
(`corpus.storage.spill`), the extractor orders them (`corpus.extract.posts.reddit_thread`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Field

from corpus.document import MAX_DOCUMENT_BYTES, Failure, Record
from corpus.errors import describe_error
from corpus.extract.posts.reddit_thread import VERSION
from corpus.sources.source import Source
from corpus.sources.tables.lines import make_too_long_failure, read_lines
from corpus.storage.spill import Spill

REDDIT_MEDIA_TYPE = "application/vnd.reddit.thread+json"
THREADS_PER_BUCKET = 1 << 13
"""Threads in a bucket of the spill. Submission numbers are assigned consecutively over all of Reddit."""
SUBMISSION_ID = re.compile(r"t3_([0-9a-z]{1,12})")
COMMENT_FIELDS = ("id", "parent_id", "score", "created_utc", "body", "author", "distinguished", "stickied")
"""Fields handed to extraction, where `author` identifies bots and deleted comments and never reaches the text."""
MAX_COMMENT_BYTES = 1 << 20


class RedditComments(Source):
    """A thread of comments, one document: what one file has of it, in the order of the conversation.

    Comments below `min_score` are dropped, as are deleted and removed ones and those of bots and moderators in
    office (`bots: keep` keeps these); replies to them are kept. `subreddits` selects subreddits; comments
    elsewhere are not read. Reddit's content is under no open licence: `license` states what you have agreed on.

    A thread is named by its submission and the file; its group is the submission, so a thread that continues in
    next month's file falls on one side of validation. Its origin is the line of its first comment; offsets count
    decompressed bytes. Memory: 128 MB of comments; the rest is kept compressed in a nameless temporary file.
    """

    kind: Literal["reddit-comments"] = "reddit-comments"
    min_score: int = 1
    bots: Literal["drop", "keep"] = "drop"
    subreddits: list[str] | None = None
    max_bytes: Annotated[ByteSize, Field(ge=1, le=1 << 30)] = ByteSize(MAX_DOCUMENT_BYTES)

    @classmethod
    def default_rules(cls) -> list[str]:
        return ["text_only"]

    @classmethod
    def version(cls) -> int:
        return 3

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "text": VERSION}

    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        wanted = {name.casefold().removeprefix("r/") for name in self.subreddits} if self.subreddits else None
        with Spill(width=THREADS_PER_BUCKET) as spill:
            for line in read_lines(path, file, start, 1 << 62, MAX_COMMENT_BYTES, "comment"):
                if isinstance(line, Failure):
                    yield line
                elif line[1].strip():
                    failure = self._put(line[1], line[0], file, spill, wanted)
                    if failure is not None:
                        yield failure
            for bucket in spill.buckets():
                for number, rows in bucket.items():
                    yield self._thread(number, rows, file)

    def _put(
        self, line: bytes, offset: int, file: str, spill: Spill, wanted: set[str] | None
    ) -> Failure | None:
        """Add a comment to the spill, unless it is of an unwanted subreddit. Returns a Failure for a broken line."""
        try:
            row = json.loads(line)
            link = SUBMISSION_ID.fullmatch(row["link_id"])
            subreddit = str(row["subreddit"])
            if link is None or not isinstance(row["id"], str) or not isinstance(row["body"], str):
                raise ValueError("no link_id, id and body")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"not a comment: {describe_error(error)}"
            return Failure(file=file, offset=offset, length=len(line), step="read", error=message)
        if wanted is None or subreddit.casefold() in wanted:
            kept = {name: row[name] for name in COMMENT_FIELDS if row.get(name) is not None}
            kept["subreddit"], kept["length"] = subreddit, len(line)
            spill.add(int(link[1], 36), offset, json.dumps(kept).encode())
        return None

    def _thread(self, number: int, rows: list[tuple[int, bytes]], file: str) -> Record | Failure:
        size = sum(len(row) for _, row in rows)
        offset = rows[0][0]
        first = json.loads(rows[0][1])
        if size > self.max_bytes:
            return make_too_long_failure("thread", size, self.max_bytes, file, offset, first["length"])
        link, subreddit = to_base36(number), first["subreddit"]
        options = {"min_score": self.min_score, "bots": self.bots}
        return Record(
            native_id=f"t3_{link}:{file}",
            file=file,
            offset=offset,
            length=first["length"],
            media_type=REDDIT_MEDIA_TYPE,
            body=b"\n".join([json.dumps(options).encode(), *(row for _, row in rows)]),
            url=f"https://www.reddit.com/r/{subreddit}/comments/{link}/",
            snapshot=self.snapshot,
            license=self.license,
            group=f"reddit:t3_{link}",
            metadata={"subreddit": subreddit, "thread": f"t3_{link}"},
        )


def to_base36(number: int) -> str:
    """Write a number in base 36, as Reddit does."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"
