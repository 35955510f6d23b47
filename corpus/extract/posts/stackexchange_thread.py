"""Extract a thread of Stack Exchange as text: the question, then its answers, the accepted one first, then by score."""

from __future__ import annotations

import re

from corpus.document import Record
from corpus.extract import ExtractedText
from corpus.extract.plain_text import clean_text
from corpus.extract.posts.markdown_marks import strip_links
from corpus.extract.posts.post_html import to_text

VERSION = 4
"""Raised when the text of some thread changes."""

ROW_ELEMENT = re.compile(r"<row(?=\s)(?:\s++[\w:.-]++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+\s*+/?>")
ROW_ATTRIBUTE = re.compile(r"\s([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
CHARACTER_REFERENCE = re.compile(r"&#(?:(\d{1,7})|[xX]([0-9a-fA-F]{1,6}));")
POST_TAG_NAME = re.compile(r"[^<>|\s]+")
DUPLICATE_BANNER = re.compile(
    r"<blockquote>\s*<p>\s*<strong>\s*(?:Possible |Exact )?Duplicates?(?: of)?:?\s*</strong>:?"
    r"(?:\s|<br\s*/?>|<a\s[^<>]*>[^<>]*</a>)*+</p>\s*</blockquote>\s*",
    re.IGNORECASE,
)
"""Titles of other questions that the site itself wrote above one until 2013, in a quotation of its own."""
LICENSES_BY_LAST_DAY = (
    ("2011-04-08", "CC-BY-SA-2.5"),
    ("2018-05-02", "CC-BY-SA-3.0"),
    ("9999", "CC-BY-SA-4.0"),
)
"""Days before which a contribution is under a licence: stackoverflow.com/help/licensing."""


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return `Q: ` and the title, the question, `A: ` and each answer; comments after their post, each behind `C: `.

    The licence is that of every post in it (`CC-BY-SA-3.0 AND CC-BY-SA-4.0`), by the dump's `ContentLicense`
    or the day of the post. The date is the question's. Metadata: title, tags, score, answers, accepted.
    """
    assert isinstance(record.body, bytes)
    rows = [
        {name: double or single for name, double, single in ROW_ATTRIBUTE.findall(row)}
        for row in ROW_ELEMENT.findall(record.body.decode("utf-8", "replace"))
    ]
    comments: dict[str, list[dict[str, str]]] = {}
    posts = []
    for row in rows:
        if "PostTypeId" in row:
            posts.append(row)
        else:
            comments.setdefault(row.get("PostId", ""), []).append(row)
    if not posts:
        raise ValueError("no question in the thread")
    question, answers = posts[0], posts[1:]
    accepted = question.get("AcceptedAnswerId", "")
    answers.sort(
        key=lambda row: (
            row.get("Id") != accepted,
            -_parse_number(row.get("Score")),
            _parse_number(row.get("Id")),
        )
    )
    title = " ".join(unescape_attribute(question.get("Title", "")).split())
    body = _convert_post(question, comments)
    if not body and not title:
        return None
    texts = [f"Q: {title}\n\n{body}" if title else f"Q: {body}"]
    texts += [f"A: {text}" for answer in answers if (text := _convert_post(answer, comments))]
    licenses = sorted({find_post_license(row) for row in rows} - {""})
    return ExtractedText(
        text=clean_text("\n\n".join(texts)),
        license=" AND ".join(licenses) or None,
        date=question.get("CreationDate") or None,
        metadata={
            "title": title,
            "tags": " ".join(POST_TAG_NAME.findall(unescape_attribute(question.get("Tags", "")))),
            "score": str(_parse_number(question.get("Score"))),
            "answers": str(len(answers)),
            "accepted": "yes" if any(row.get("Id") == accepted for row in answers) else "no",
        },
    )


def _convert_post(row: dict[str, str], comments: dict[str, list[dict[str, str]]]) -> str:
    texts = [to_text(DUPLICATE_BANNER.sub("", unescape_attribute(row.get("Body", ""))))]
    for comment in sorted(
        comments.get(row.get("Id", ""), []), key=lambda entry: _parse_number(entry.get("Id"))
    ):
        texts.append(f"C: {strip_links(unescape_attribute(comment.get('Text', ''))).strip()}")
    return "\n\n".join(filter(None, texts))


def find_post_license(row: dict[str, str]) -> str:
    """Return the licence of a post or comment, in SPDX; empty if neither licence nor day is given."""
    content_license = row.get("ContentLicense", "")
    if content_license:
        return "-".join(content_license.split())
    day = row.get("CreationDate", "")[:10]
    return (
        next((name for before, name in LICENSES_BY_LAST_DAY if day < before), "")
        if day[:4].isdecimal()
        else ""
    )


def _parse_number(text: str | None) -> int:
    """Return a score as a number, since "9" is more than "10" as text; 0 if there is none."""
    try:
        return int(text or 0)
    except ValueError:
        return 0


def unescape_attribute(text: str) -> str:
    """Return the value of an attribute, with only the five entities and numeric character references resolved."""
    if "&" not in text:
        return text
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&#xA;", "\n")
    if "&#" in text or "&apos;" in text:
        text = CHARACTER_REFERENCE.sub(_decode_reference, text.replace("&#xD;", "").replace("&apos;", "'"))
    return text.replace("&amp;", "&")


def _decode_reference(match: re.Match[str]) -> str:
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else "\ufffd"
