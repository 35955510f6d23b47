"""Stack Exchange dumps: threads whole and in order, whatever the file, its damage and its splits."""

from __future__ import annotations

import gzip
import hashlib
from html import escape
from pathlib import Path

import py7zr
import pytest
import yaml

from corpus.document import Failure, Record
from corpus.errors import UserError
from corpus.extract import ExtractedText, extract
from corpus.manifest import load_manifest
from corpus.sources.posts.stackexchange import StackExchange, site_of
from corpus.storage import File
from corpus.storage.spill import Spill

SITE = "tee.stackexchange.com"


def row(**attributes: object) -> str:
    return (
        "  <row " + " ".join(f'{name}="{escape(str(value))}"' for name, value in attributes.items()) + " />"
    )


def question(number: int, body: str, day: str = "2015-05-05", **more: object) -> str:
    title = more.pop("Title", f"Frage {number}?")
    times = {"CreationDate": f"{day}T00:00:00.000", "Score": 1}
    return row(Id=number, PostTypeId=1, **times, Body=body, Title=title, Tags="<tee><水>", **more)


def answer(number: int, parent: int, body: str, score: int = 0, day: str = "2015-05-05") -> str:
    times = {"CreationDate": f"{day}T00:00:00.000", "Score": score}
    return row(Id=number, PostTypeId=2, ParentId=parent, **times, Body=body)


POSTS = [
    question(1, "<p>Wie lange ziehen?</p>", AcceptedAnswerId=6),
    question(2, "<p>绿茶要多少度的水？</p>", "2010-01-01"),
    answer(3, 1, "<p>neun</p>", 9),
    answer(4, 1, "<p>zehn</p>", 10),
    row(Id=5, PostTypeId=4, CreationDate="2015-05-05T00:00:00.000", Score=0, Body="About tea."),
    answer(6, 1, "<p>angenommen</p>", -1, "2019-01-01"),
    answer(7, 2, "<p>八十度。</p>", 1),
    question(8, "<p>ชาเย็นทำอย่างไร</p>"),
    answer(9, 2, "<p>Семьдесят пять.</p>", 2),
    answer(10, 5, "<p>to nobody</p>"),
]
HEAD = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE posts SYSTEM "http://dtd.invalid/posts.dtd">\n<posts>\n'


def written(path: Path, rows: list[str] = POSTS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "\n".join(rows) + "\n</posts>", encoding="utf-8")
    return path


def read(path: Path, split_size: int = 1 << 40, **options: object) -> list[Record | Failure]:
    source = StackExchange(paths=["x"], **options)
    found: list[Record | Failure] = []
    for start, end in source.plan(str(path), path.stat().st_size, split_size):
        found += source.read(str(path), path.name, start, end)
    return found


def threads(found: list[Record | Failure]) -> dict[str, ExtractedText]:
    records = [one for one in found if isinstance(one, Record) and not one.gate]
    texts = {record.native_id: extract(record, "fast") for record in records}
    assert len(texts) == len(records)
    return {name: text for name, text in texts.items() if text is not None}


def test_the_accepted_answer_is_first_then_numbers_decide(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml")
    found = threads(read(path))
    assert list(found) == [f"{SITE}:1", f"{SITE}:2", f"{SITE}:8"]
    assert found[f"{SITE}:1"].text == (
        "Q: Frage 1?\n\nWie lange ziehen?\n\nA: angenommen\n\nA: zehn\n\nA: neun"
    )
    assert found[f"{SITE}:2"].text == "Q: Frage 2?\n\n绿茶要多少度的水？\n\nA: Семьдесят пять.\n\nA: 八十度。"
    assert found[f"{SITE}:1"].metadata == {
        "title": "Frage 1?",
        "tags": "tee 水",
        "score": "1",
        "answers": "3",
        "accepted": "yes",
    }


def test_the_banner_of_a_duplicate_goes(tmp_path: Path) -> None:
    links = '<a href="https://x.example/q/7">Other &amp; question</a> <br>\n  <a href="/q/8">三番目</a>  '
    banner = f"<blockquote>\n  <p><strong>Possible Duplicate:</strong><br>\n  {links}</p>\n</blockquote>\n\n"
    kept = "<blockquote><p><strong>Possible Duplicate:</strong> says the sign.</p></blockquote>"
    path = written(tmp_path / SITE / "Posts.xml", [question(1, f"{banner}<p>茶？</p>{kept}")])
    text = threads(read(path))[f"{SITE}:1"].text
    assert text == "Q: Frage 1?\n\n茶？\n\n> Possible Duplicate: says the sign."


def test_the_licence_of_a_thread_is_that_of_all_its_posts_by_date(tmp_path: Path) -> None:
    found = threads(read(written(tmp_path / SITE / "Posts.xml")))
    assert [one.license for one in found.values()] == [
        "CC-BY-SA-3.0 AND CC-BY-SA-4.0",
        "CC-BY-SA-2.5 AND CC-BY-SA-3.0",
        "CC-BY-SA-3.0",
    ]
    stated = [question(1, "<p>a</p>", ContentLicense="CC BY-SA 4.0")]
    assert (
        threads(read(written(tmp_path / SITE / "Posts.xml", stated)))[f"{SITE}:1"].license == "CC-BY-SA-4.0"
    )


def test_records_say_where_they_are_from(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml")
    record = next(one for one in read(path) if isinstance(one, Record) and one.native_id.endswith(":2"))
    data = path.read_bytes()
    assert data[record.offset : record.offset + record.length].startswith(b'<row Id="2"')
    assert (record.url, record.group) == (f"https://{SITE}/questions/2", f"{SITE}:2")
    assert record.metadata == {"site": SITE, "question": "2"}


@pytest.mark.parametrize("split_size", [1, 300, 700, 1500])
def test_splits_change_nothing(tmp_path: Path, split_size: int) -> None:
    path = written(
        tmp_path / SITE / "Posts.xml", [*POSTS, *(answer(i, 8, f"<p>{i}</p>") for i in range(20, 40))]
    )
    whole, cut = read(path), read(path, split_size)
    assert len(StackExchange(paths=["x"]).plan(str(path), path.stat().st_size, split_size)) > 1
    key = [
        sorted((r.native_id, r.offset, r.body, r.gate) for r in one if isinstance(r, Record))
        for one in (whole, cut)
    ]
    assert key[0] == key[1]
    assert not [one for one in cut if isinstance(one, Failure)]


def test_what_is_no_thread_is_kept_behind_its_gate(tmp_path: Path) -> None:
    gated = {
        r.native_id: r.gate
        for r in read(written(tmp_path / SITE / "Posts.xml"))
        if isinstance(r, Record) and r.gate
    }
    assert gated == {f"{SITE}:5": "stackexchange.type", f"{SITE}:10": "stackexchange.orphan"}


def test_a_7z_archive_and_compressed_files_give_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml")
    expected = {name: one.text for name, one in threads(read(path)).items()}
    archive = tmp_path / f"{SITE}.7z"
    with py7zr.SevenZipFile(archive, "w", filters=[{"id": py7zr.FILTER_BZIP2}]) as file:
        file.writestr("<badges/>" * 10_000, "Badges.xml")
        file.write(path, "Posts.xml")
    packed = tmp_path / "packed" / SITE / "Posts.xml.gz"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for one in (archive, packed):
        assert {name: found.text for name, found in threads(read(one, 1)).items()} == expected
    assert not list(tmp_path.glob("*.tmp"))


def test_a_damaged_archive_is_named_and_what_was_read_is_kept(tmp_path: Path) -> None:
    path = written(
        tmp_path / SITE / "Posts.xml",
        [question(i, hashlib.sha512(b"%d" % i).hexdigest()) for i in range(1, 10_000)],
    )
    archive = tmp_path / f"{SITE}.7z"
    with py7zr.SevenZipFile(archive, "w", filters=[{"id": py7zr.FILTER_BZIP2}]) as file:
        file.write(path, "Posts.xml")
    whole = archive.read_bytes()
    middle = len(whole) * 4 // 5
    archive.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    found = read(archive)
    assert [one.error.partition(":")[0] for one in found if isinstance(one, Failure)] == ["damaged"] * 1
    assert len(found) > 1000
    for bad in (b"7z\xbc\xaf\x27\x1c", whole[:200], whole[:32] + bytes(300)):
        archive.write_bytes(bad)
        (failure,) = read(archive)
        assert isinstance(failure, Failure) and "not a 7z archive" in failure.error
    with py7zr.SevenZipFile(archive, "w", filters=[{"id": py7zr.FILTER_DEFLATE}]) as file:
        file.write(path, "Posts.xml")
    (failure,) = read(archive)
    assert isinstance(failure, Failure) and "none of LZMA, LZMA2, BZip2 and PPMd" in failure.error
    with py7zr.SevenZipFile(archive, "w") as file:
        file.writestr("x", "Votes.xml")
    (failure,) = read(archive)
    assert isinstance(failure, Failure) and "no Posts.xml in the archive: it holds Votes.xml" in failure.error


def test_damage_costs_its_row_only(tmp_path: Path) -> None:
    rows = [
        POSTS[0],
        '  <row Id="2" PostTypeId="1" Body="never closed />',
        '  <row Body="x" />',
        POSTS[7],
        '  <row Id="9" Pos',
    ]
    path = tmp_path / SITE / "Posts.xml"
    written(path, rows)
    path.write_bytes(path.read_bytes().removesuffix(b"\n</posts>"))
    found = read(path)
    assert list(threads(found)) == [f"{SITE}:1", f"{SITE}:8"]
    data = path.read_bytes()
    lost = [(one.offset, one.error) for one in found if isinstance(one, Failure)]
    assert lost == [
        (data.index(b'<row Id="2"'), "not a row of a dump: its attributes do not end"),
        (data.index(b'<row Body="x"'), "a post without a number or a type"),
        (data.index(b'<row Id="9"'), "the file ends inside a row"),
    ]


def test_posts_out_of_order_are_read_whole_and_refused_in_splits(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml", [POSTS[6], POSTS[1], *POSTS[7:8], POSTS[0]])
    assert len(threads(read(path))) == 3
    failures = [one.error for one in read(path, 1) if isinstance(one, Failure)]
    assert any("not in the order of their numbers" in error for error in failures)


def test_comments_stand_behind_their_post(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml")
    with pytest.raises(UserError, match=r"no .*Comments\.xml"):
        read(path, comments=True)
    comments = [
        row(
            Id=11,
            PostId=4,
            Score=0,
            Text="**zweiter** [$x<y$](http://a.b/c_d) _so_ `snake_case_x`",
            CreationDate="2019-01-01T00:00:00",
            UserDisplayName="Eve",
        ),
        row(Id=9, PostId=4, Score=0, Text="erster", CreationDate="2015-01-01T00:00:00"),
        row(Id=12, PostId=1, Score=0, Text="zur Frage", CreationDate="2015-01-01T00:00:00"),
        row(Id=13, PostId=99, Score=0, Text="to nobody", CreationDate="2015-01-01T00:00:00"),
    ]
    (path.parent / "Comments.xml").write_text(
        "<comments>\n" + "\n".join(comments) + "\n</comments>", encoding="utf-8"
    )
    for split_size in (1, 1 << 40):
        found = threads(read(path, split_size, comments=True))
        assert found[f"{SITE}:1"].text == (
            "Q: Frage 1?\n\nWie lange ziehen?\n\nC: zur Frage\n\nA: angenommen\n\nA: zehn\n\nC: erster\n\n"
            "C: zweiter $x<y$ so `snake_case_x`\n\nA: neun"
        )
        assert len(found) == 3


@pytest.mark.parametrize("text", ["", "not a dump", HEAD + "</posts>"])
def test_a_file_without_posts_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(text)
    assert [one.error for one in read(path) if isinstance(one, Failure)] == ["no post in it"]


def test_changed_comments_are_another_input(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml")
    file = File(str(path), path.name, path.stat().st_size)
    source, without = StackExchange(paths=["x"], comments=True), StackExchange(paths=["x"])
    found = []
    for text in ("<comments/>", "<comments></comments>", "<comments/>"):
        (path.parent / "Comments.xml").write_text(text)
        found.append((source.identity(file), without.identity(file)))
    assert found[0] == found[2] != found[1]
    assert found[0][1] == found[1][1]


@pytest.mark.parametrize("post", [question(1 << 31, "<p>?</p>"), answer(5, 1 << 31, "<p>!</p>")])
def test_a_post_with_an_impossible_number_takes_no_memory(post: str, tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml", [*POSTS[:4], post])
    (path.parent / "Comments.xml").write_text("<comments/>")
    found = read(path, comments=True)
    assert f"{SITE}:1" in threads(found)
    assert [one.error for one in found if isinstance(one, Failure)] == [
        "damaged: a post with the number 2,147,483,648"
    ]


def test_an_endless_row_is_bounded(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml", [question(1, "x" * 3_000_000), POSTS[7]])
    found = read(path, max_bytes=100_000)
    assert list(threads(found)) == [f"{SITE}:8"]
    assert all("max_bytes" in one.error for one in found if isinstance(one, Failure))


def test_what_does_not_fit_in_memory_comes_back_in_order() -> None:
    rows = [(key * 7919 % 5003, key, b"%d" % key * 5) for key in range(20_000)]
    with Spill(memory=10_000, width=64) as spill:
        for key, place, data in rows:
            spill.add(key, place, data)
        assert spill.spilled_bytes > 0
        found = [
            (key, place, data)
            for bucket in spill.buckets()
            for key, held in bucket.items()
            for place, data in held
        ]
    assert found == sorted(rows, key=lambda item: item[0])


def test_names_of_sites() -> None:
    assert site_of("/x/beer.stackexchange.com/Posts.xml") == "beer.stackexchange.com"
    assert site_of("/x/stackoverflow.com-Posts.7z") == "stackoverflow.com"
    assert site_of("s3://x/ru.stackoverflow.com.7z") == "ru.stackoverflow.com"


def test_a_manifest_takes_the_kind(tmp_path: Path) -> None:
    path = written(tmp_path / SITE / "Posts.xml")
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        yaml.safe_dump({"name": "m", "sources": {"se": {"kind": "stackexchange", "paths": [str(path)]}}})
    )
    assert load_manifest(str(manifest)).manifest.sources["se"].rules == ["text_only"]


def test_real_threads_read_as_on_the_site(data: Path) -> None:
    path = data / "stackexchange" / "coffee.stackexchange.com" / "Posts.xml"
    found = read(path)
    records = [one for one in found if isinstance(one, Record)]
    assert not [one for one in found if isinstance(one, Failure)]
    assert len([one for one in records if not one.gate]) == 225
    texts = threads(found)
    assert all(
        "<p>" not in one.text and "&lt;" not in one.text and "&#x" not in one.text for one in texts.values()
    )
    caffeine = texts["coffee.stackexchange.com:79"]
    answers = caffeine.text.split("\n\nA: ")
    assert answers[0].startswith(
        "Q: How can I figure out how much caffeine is in my cup?\n\nI haven't been able"
    )
    assert answers[1].startswith("I read everyone's answer and did some of my own research")
    assert "1. Determine what kind of coffee you are working with." in caffeine.text
    assert "\n   - Instant - 3,142 mg\n" in caffeine.text
    assert (caffeine.license, caffeine.metadata["tags"]) == ("CC-BY-SA-3.0", "brewing-process caffeine")


def test_real_threads_with_comments(data: Path) -> None:
    path = data / "stackexchange" / "beer.stackexchange.com" / "Posts.xml"
    found = threads(read(path, comments=True))
    assert len(found) == 244
    apis = found["beer.stackexchange.com:666"].text
    assert (
        "\n\nC: I don't know if it's on topic either, but it's a very interesting question, for sure.\n\n"
        in apis
    )
    assert "\n1. Brewery DB has an API that can return JSON, XML, or PHP" in apis
