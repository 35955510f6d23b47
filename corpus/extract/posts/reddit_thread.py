"""Extract a thread of Reddit comments as text: a comment, the replies to it indented below, then the next."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.plain_text import clean_text
from corpus.extract.posts.markdown import strip_markdown
from corpus.formats.recoding import read_controls

VERSION = 5
"""Raised when the text of some thread changes."""

DELETED_BODY = re.compile(
    r"(?:\[\s*(?:deleted|removed)(?:\s+by\s+(?:reddit|user|moderator))?\s*\](?:\([^()]*\))?)?", re.IGNORECASE
)
"""What stands for a comment that is gone; Reddit's own removals once had a link to its rules behind them."""
RAW_REFERENCE = re.compile(r"&(?!#?\w{1,10};)")
"""What no body has that Reddit's interface escaped, as it has neither `<` nor `>`."""
BOT_NAME = re.compile(r"automoderator|.*(?:[-_]bot|_bot_|bot)|bot[-_].*|.*bot[-_]?\d*", re.IGNORECASE)
USER_MENTION = re.compile(r"(?<![\w/])/?u/[\w-]{2,30}", re.IGNORECASE)
USER_PROFILE = re.compile(r"(?<=reddit\.com/)u(?:ser)?/[\w-]{2,30}", re.IGNORECASE)
MAX_REPLY_INDENTS = 12
"""Levels of replies that are indented further than the last; deeper ones have the indent of this one."""


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return the thread, depth first, siblings by age; each comment behind `- `, replies indented by two more spaces.

    Left out by the record's own options: deleted and removed comments, those below `min_score`, those of bots and of
    moderators in office; replies to them move up to what they replied to. The text has no name of an author:
    mentions become `u/[user]`. Markdown's marks go and leave their words; code, quotations and lists are kept.
    The date is the first comment's. Metadata: comments kept and dropped.
    """
    assert isinstance(record.body, bytes)
    options, *rows = _read_rows(record.body)
    comments = {row["id"]: row for row in rows}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for row in comments.values():
        if not _is_kept(row, options):
            continue
        children.setdefault(_find_kept_parent(row, comments, options), []).append(row)
    texts: list[str] = []
    repaired: dict[str, str] = {}
    waiting = [(row, 0) for row in sorted(children.get(None, []), key=_age_key, reverse=True)]
    while waiting:
        row, depth = waiting.pop()
        body = row["body"]
        if (read := read_controls(body)) is not None:
            body, repaired["encoding_repaired"] = read
        text = to_text(body)
        if text:
            margin = "  " * min(depth, MAX_REPLY_INDENTS)
            texts.append(f"{margin}- " + text.replace("\n", f"\n{margin}  "))
        waiting += [
            (reply, depth + 1) for reply in sorted(children.get(row["id"], []), key=_age_key, reverse=True)
        ]
    times = [time for row in rows if (time := _age_key(row)[0])]
    return ExtractedText(
        text=clean_text("\n\n".join(texts)),
        date=datetime.fromtimestamp(min(times), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if times else None,
        metadata={"comments": str(len(texts)), "dropped": str(len(rows) - len(texts)), **repaired},
    )


def _read_rows(body: bytes) -> list[dict[str, Any]]:
    """Return the options of the record, then its comments. Raises ValueError if it is not what the source wrote."""
    rows = [json.loads(line) for line in body.split(b"\n")]
    for row, needed in zip(rows, [{"bots", "min_score"}, *[{"id", "body"}] * (len(rows) - 1)], strict=True):
        if not isinstance(row, dict) or not needed <= row.keys() or not isinstance(row.get("body", ""), str):
            raise ValueError("a line of the thread is damaged")
    return rows


def _is_kept(row: dict[str, Any], options: dict[str, Any]) -> bool:
    if DELETED_BODY.fullmatch(row["body"].strip()):
        return False
    if options["bots"] == "drop" and (
        BOT_NAME.fullmatch(str(row.get("author", ""))) or row.get("distinguished") or row.get("stickied")
    ):
        return False
    score = _parse_number(row.get("score"))
    return score is None or score >= options["min_score"]


def _find_kept_parent(
    row: dict[str, Any], comments: dict[str, dict[str, Any]], options: dict[str, Any]
) -> str | None:
    """Return the nearest kept comment above; None at the submission, outside the file or in a circle."""
    seen = {row["id"]}
    parent = str(row.get("parent_id", ""))
    while parent.startswith("t1_"):
        above = comments.get(parent[3:])
        if above is None or above["id"] in seen:
            return None
        if _is_kept(above, options):
            return str(above["id"]) if not _is_circular(above, comments) else None
        seen.add(above["id"])
        parent = str(above.get("parent_id", ""))
    return None


def _is_circular(row: dict[str, Any], comments: dict[str, dict[str, Any]]) -> bool:
    """Return whether the way up from a comment never ends: real threads have no circles, hostile ones may."""
    if "circles" not in row:
        way: list[dict[str, Any]] = []
        at: dict[str, Any] | None = row
        while at is not None and "circles" not in at:
            at["circles"] = True
            way.append(at)
            parent = str(at.get("parent_id", ""))
            at = comments.get(parent[3:]) if parent.startswith("t1_") else None
        for comment in way:
            comment["circles"] = at is not None and at["circles"]
    return bool(row["circles"])


def _age_key(row: dict[str, Any]) -> tuple[int, str]:
    return _parse_number(row.get("created_utc")) or 0, row["id"]


def _parse_number(value: Any) -> int | None:
    """Return a number, which dumps of some years hold as text."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1 << 36 else None


def to_text(body: str) -> str:
    """Return a comment as its writer sees it, without names and without marks of Markdown; code stays as it is."""
    text = strip_markdown(_read_body(body))
    return USER_PROFILE.sub("u/[user]", USER_MENTION.sub("u/[user]", text)) if "/" in text else text


def _read_body(body: str) -> str:
    """Return what was written: Reddit's interface escapes `<`, `>` and `&`, unless it is asked not to, as it was where
    a body has such a sign. There `&lt;` is what somebody wrote."""
    text = body.replace("\r", "")
    if "<" in text or ">" in text or "&" not in text or RAW_REFERENCE.search(text):
        return text
    return text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
