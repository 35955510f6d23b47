"""Reddit comments: threads in the order of the conversation, without names, without what was deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard

from corpus.document import Failure, Record
from corpus.extract import ExtractedText, extract
from corpus.extract.posts.reddit_thread import to_text
from corpus.sources.posts.reddit_comments import RedditComments


def comment(
    name: str, parent: str, body: str, at: int, link: str = "zz9", **more: object
) -> dict[str, object]:
    return {
        "id": name,
        "parent_id": parent,
        "link_id": f"t3_{link}",
        "subreddit": more.pop("subreddit", "茶"),
        "body": body,
        "author": more.pop("author", "Ada_Keeper"),
        "score": more.pop("score", 2),
        "created_utc": at,
        **more,
    }


THREAD = [
    comment("a", "t3_zz9", "Первый", 100),
    comment("x", "t3_zz8", "elsewhere", 101, link="zz8", subreddit="tea"),
    comment("d", "t3_zz9", "二番目", 400, score="7"),
    comment("b", "t1_a", "ตอบ\n\n&gt; quoted", 200),
    comment("c", "t1_b", "[deleted]", 250, author="[deleted]"),
    comment("e", "t1_c", "replied to what is gone", 500),
    comment("f", "t1_a", "voted down", 210, score=-4),
    comment("g", "t3_zz9", "I am a bot", 90, author="AutoModerator"),
    comment("h", "t1_nowhere", "an orphan", 600, created_utc="600"),
    comment("i", "t1_b", "رد", 190),
]


def written(folder: Path, rows: list[object] = THREAD) -> Path:  # type: ignore[assignment]
    path = folder / "RC_2030-01.zst"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_bytes(zstandard.compress(("\n".join(lines) + "\n").encode()))
    return path


def read(path: Path, **options: object) -> tuple[dict[str, ExtractedText], list[Failure]]:
    found = list(RedditComments(paths=["x"], **options).read(str(path), path.name, 0, path.stat().st_size))
    records = [one for one in found if isinstance(one, Record)]
    texts = {one.metadata["thread"]: extract(one, "fast") for one in records}
    return {name: text for name, text in texts.items() if text}, [
        one for one in found if isinstance(one, Failure)
    ]


def test_a_thread_reads_as_the_conversation_went(tmp_path: Path) -> None:
    found, failures = read(written(tmp_path))
    assert failures == [] and set(found) == {"t3_zz9", "t3_zz8"}
    assert found["t3_zz9"].text == (
        "- Первый\n\n  - ตอบ\n\n    > quoted\n\n    - رد\n\n    - replied to what is gone\n\n- 二番目\n\n- an orphan"
    )
    assert found["t3_zz9"].date == "1970-01-01T00:01:30Z"
    assert found["t3_zz9"].metadata == {"comments": "6", "dropped": "3"}


def test_comments_that_were_decoded_wrongly_are_read_again(tmp_path: Path) -> None:
    rows: list[object] = [
        comment("a", "t3_zz9", "I\u00e2\u0080\u0099m late", 100),
        comment("b", "t1_a", "\u00d0\u009f\u00d1\u0080\u00d0\u00b8, café", 200),
        comment("c", "t1_a", "It\u0092s here", 300),
        comment("d", "t1_a", "déjà vu", 400),
    ]
    texts, _ = read(written(tmp_path, rows))
    assert texts["t3_zz9"].text == "- I’m late\n\n  - При, café\n\n  - It’s here\n\n  - déjà vu"
    assert texts["t3_zz9"].metadata["encoding_repaired"] == "windows-1252 as latin-1"


def test_records_carry_subreddit_and_thread(tmp_path: Path) -> None:
    path = written(tmp_path)
    record = next(iter(RedditComments(paths=["x"], license="X").read(str(path), path.name, 0, 0)))
    assert isinstance(record, Record)
    assert (record.native_id, record.group) == ("t3_zz8:RC_2030-01.zst", "reddit:t3_zz8")
    assert record.metadata == {"subreddit": "tea", "thread": "t3_zz8"}
    assert (record.url, record.license) == ("https://www.reddit.com/r/tea/comments/zz8/", "X")


def test_scores_bots_and_subreddits_are_settable(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert "voted down" in read(path, min_score=-10)[0]["t3_zz9"].text
    assert "I am a bot" in read(path, bots="keep")[0]["t3_zz9"].text
    assert set(read(path, subreddits=["r/Tea"])[0]) == {"t3_zz8"}


def test_no_name_of_an_author_is_in_the_text(tmp_path: Path) -> None:
    rows: list[object] = [comment("a", "t3_zz9", "as u/Ada_Keeper and /u/bob-7 said", 1)]
    rows += [
        comment("b", "t3_zz9", "see https://www.reddit.com/user/Ada_Keeper/ and old.reddit.com/u/bob-7", 2)
    ]
    text = read(written(tmp_path, rows))[0]["t3_zz9"].text
    assert text == (
        "- as u/[user] and u/[user] said\n\n- see https://www.reddit.com/u/[user]/ and old.reddit.com/u/[user]"
    )


MARKDOWN = {
    '[words](https://x.example/a_(b) "t") and ![alt](y)': "words and alt",
    "**bold**, *slanted*, 2*3*4 and a * b": "bold, slanted, 2*3*4 and a * b",
    "a &lt;b&gt; &amp;amp; &amp;lt;c&amp;gt; &amp;nbsp;d": "a <b> & <c> \xa0d",
    "    code *stays* &amp;amp;\n\n\n\nend": "    code *stays* &amp;\n\nend",
    "一\n\n&amp;#x200B;\n\n二": "一\n\n二",
    "&gt; `a &lt; b` &amp;lt;": "> `a < b` <",
    "> `a &lt; b` &lt; &amp; &#x200B;*c*": "> `a &lt; b` < & \u200bc",
    "as /u/some\\_one\\_x, [u/bob](http://x) and *u/Bob*": "as u/[user], u/[user] and u/[user]",
}


@pytest.mark.parametrize("body", MARKDOWN)
def test_markdown_leaves_its_words(body: str) -> None:
    assert to_text(body) == MARKDOWN[body]


@pytest.mark.parametrize(
    "body",
    [
        "[removed]",
        "[Removed by Reddit]",
        "[ Removed by Reddit ](https://x.example/rules)",
        "[deleted by user]",
    ],
)
def test_comments_that_are_gone_leave_nothing(body: str, tmp_path: Path) -> None:
    rows: list[object] = [
        comment("a", "t3_zz9", body, 1),
        comment("b", "t1_a", "[removed] is what it said", 2),
    ]
    found = read(written(tmp_path, rows))[0]["t3_zz9"]
    assert found.text == "- [removed] is what it said"
    assert found.metadata == {"comments": "1", "dropped": "1"}


def test_broken_lines_are_placed(tmp_path: Path) -> None:
    rows: list[object] = [
        THREAD[0],
        '{"id": ',
        '{"link_id": "t3_x"}',
        '{"link_id": 5, "id": "a", "body": "b"}',
        "[]",
    ]
    found, failures = read(written(tmp_path, rows))
    assert set(found) == {"t3_zz9"}
    assert [one.error.partition(":")[0] for one in failures] == ["not a comment"] * 4
    assert failures[0].offset == len(json.dumps(THREAD[0], ensure_ascii=False).encode()) + 1


def test_circles_end(tmp_path: Path) -> None:
    rows: list[object] = [
        comment("a", "t1_b", "one", 1),
        comment("b", "t1_a", "two", 2),
        comment("c", "t1_c", "me", 3),
    ]
    assert read(written(tmp_path, rows))[0]["t3_zz9"].text == "- one\n\n- two\n\n- me"


def test_real_threads_of_2005(data: Path) -> None:
    found, failures = read(data / "reddit" / "RC_2005-12.zst")
    assert failures == [] and len(found) == 318
    scribe = found["t3_17913"]
    assert '\n\n  - What is "(nudge nudge) Scribe"?\n\n    - Scribe User Manual\n' in scribe.text
    assert scribe.metadata == {"comments": "16", "dropped": "7"}
    assert not any("[deleted]" in one.text for one in found.values())
