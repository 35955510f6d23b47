"""Supervised extraction: whatever a record does to its parser, it alone is lost, and always for the same reason."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.child_process import list_descendants
from corpus.document import Record
from corpus.errors import RunError
from corpus.extract import FORMATS, ExtractedText, extract
from corpus.extract.html.pages_ahead import read_ahead, take_ahead
from corpus.extract.process.budgets import Budgets, find_exceeded_budget, measure_nesting
from corpus.extract.process.supervised import Parser, RejectedRecord, borrow_parser
from corpus.sources.web.warc import Warc

SMALL = Budgets(max_bytes=4 << 20, max_tags=300_000, memory=256 << 20, seconds=0.4)
UNDECODABLE = "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
TEXTS = [
    "The river runs through the old town.",
    "这条河从老城中间流过，所以很早以前就有人在这里居住。",
    "這條河從老城中間流過，所以很早以前就有人在這裡居住。",
    "図書館は三百年前からの手紙を保管している。",
    "แม่น้ำที่ไหลผ่านเมืองเก่าเป็นเหตุผลที่ผู้คนมาอาศัยอยู่ที่นี่",
    "كان النهر الذي يجري في المدينة القديمة هو السبب.",
    "नदी पुराने शहर से होकर बहती है।",
    "Каждое утро пекарь открывает лавку.",
]


@pytest.fixture(autouse=True)
def _hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "text/x-hostile", "tests.extract.hostile")


@pytest.fixture(scope="module")
def small() -> Iterator[Parser]:
    found = Parser("fast", SMALL)
    yield found
    found.close()


def record(number: int, body: bytes | str, media_type: str = "text/x-hostile") -> Record:
    return Record(native_id=str(number), file="f", offset=number, length=1, media_type=media_type, body=body)


def page(text: str) -> str:
    return f"<html><body><article><p>{text}</p></article></body></html>"


def command(line: str) -> str:
    return f"<html><!--do:{line}--></html>"


def outcomes(parsing: Parser, bodies: list[str]) -> list[object]:
    found = parsing.extract_each((at, record(at, body)) for at, body in enumerate(bodies))
    answers: list[object] = []
    for at, answer in found:
        assert at == len(answers)
        answers.append(answer.text if isinstance(answer, ExtractedText) else answer)
    return answers


@pytest.mark.parametrize(
    ("line", "reason", "error"),
    [
        ("segfault", "crash", "the parser died of SIGSEGV"),
        ("abort", "crash", "the parser died of SIGABRT"),
        ("leave 3", "crash", "the parser ended with status 3"),
        ("kill", "crash", "the parser was killed again and again: is the machine out of memory?"),
        ("spin", "time", "more than 0.4 s of processor time"),
        ("pattern", "time", "more than 0.4 s of processor time"),
        ("sleep", "time", "no answer within 2 s"),
        ("recurse", "depth", "RecursionError: maximum recursion depth exceeded"),
        ("fail what a parser says", "damaged", "ValueError: what a parser says"),
        ("undecodable", "decode", UNDECODABLE),
    ],
)  # fmt: skip
def test_a_hostile_record_costs_only_itself(small: Parser, line: str, reason: str, error: str) -> None:
    bodies = [page(text) for text in TEXTS]
    found = outcomes(small, [*bodies[:4], command(line), *bodies[4:], command(line)])
    texts = [one for one in found if not isinstance(one, RejectedRecord)]
    rejected = [one for one in found if isinstance(one, RejectedRecord)]
    assert texts == list(TEXTS) and [isinstance(found[at], RejectedRecord) for at in (4, -1)] == [True, True]
    # On a busy machine the wall clock may come first.
    errors = {error, "no answer within 2 s"} if reason == "time" else {error}
    assert all(one.reason == reason and one.error in errors for one in rejected)


@pytest.mark.parametrize("line", ["eat", "eat_natively"])
def test_a_parser_that_eats_memory_is_held_back(line: str) -> None:
    """In Python and in native code; with time enough, or a busy machine would give that as the reason."""
    found = outcomes(Parser("fast", Budgets(memory=200 << 20, seconds=20)), [command(line), page(TEXTS[0])])
    assert found == [RejectedRecord("memory", "more than 209,715,200 bytes of memory"), TEXTS[0]]


@pytest.mark.parametrize(
    ("budgets", "reason"),
    [
        (Budgets(seconds=0.4, max_tags=10_000_000), "time"),
        (Budgets(seconds=60, max_tags=10_000_000, memory=100 << 20), "memory"),
    ],
)
def test_a_page_that_is_too_much_among_pages_read_ahead_costs_only_itself(
    budgets: Budgets, reason: str
) -> None:
    """Wherever it stands among those that are read together, and a hostile record behind it."""
    pages = [page(f"<p>{text}" * 9) for text in TEXTS]
    large = page("<p>a" * 2_000_000)
    bodies = [record(at, body, "text/html") for at, body in enumerate([*pages[:3], large, *pages[3:], large])]
    bodies += [record(9, command("segfault")), record(10, pages[0], "text/html")]
    parser = Parser("corpus", budgets)
    found = [answer for _, answer in parser.extract_each((None, body) for body in bodies)]
    parser.close()
    rejected = [at for at, answer in enumerate(found) if isinstance(answer, RejectedRecord)]
    assert rejected == [3, 9, 10]
    assert [found[at].reason for at in rejected] == [reason, reason, "crash"]  # type: ignore[union-attr]
    for at, answer in enumerate(found):
        if at not in rejected:
            assert answer == extract(bodies[at], "corpus")


@pytest.mark.parametrize("depth", [1_000, 12_500])
def test_a_page_read_ahead_is_asked_for_its_depth_where_its_bytes_do_not_show_it(depth: int) -> None:
    """In UTF-16 whose first kilobyte has no zeros, and in UTF-7."""
    wide = ("\ufeff" + "中" * 600 + "<div>" * depth + TEXTS[0]).encode("utf-16-le")
    seven = b'<meta charset="utf-7">' + b"+ADw-div+AD4-" * depth + TEXTS[0].encode()
    for body in (wide, seven):
        page_ahead = record(0, body, "text/html")
        assert find_exceeded_budget(page_ahead, Budgets()) is None
        read_ahead(page_ahead)
        ahead = take_ahead(page_ahead)
        assert ahead is not None and (ahead.walked is None) == (depth > 12_000)


def test_who_died_once_by_chance_is_parsed_again(small: Parser, tmp_path: Path) -> None:
    line = f"die_once {tmp_path / 'died'}"
    bodies = [*map(page, TEXTS), command(line), *map(page, TEXTS)]
    assert outcomes(small, bodies) == [*TEXTS, "survived die_once", *TEXTS]


def test_whoever_is_killed_the_answers_are_the_same(small: Parser) -> None:
    bodies = [page(f"{TEXTS[at % len(TEXTS)]} ({at})") for at in range(200)]
    wanted = [f"{TEXTS[at % len(TEXTS)]} ({at})" for at in range(200)]

    def killing() -> Iterator[tuple[int, Record]]:
        for at, body in enumerate(bodies):
            processes = list_descendants(os.getpid())
            if at % 40 == 20 and processes:
                os.kill(processes[at // 40 % len(processes)], signal.SIGKILL)
            yield at, record(at, body)

    answers = [
        answer.text for _, answer in small.extract_each(killing()) if isinstance(answer, ExtractedText)
    ]
    assert answers == wanted


def test_it_gives_what_extraction_in_place_gives(data: Path) -> None:
    path = data / "warc" / "web-open.warc.gz"
    records = [
        found
        for found in Warc(kind="warc", paths=[str(path)]).read(str(path), path.name, 0, 700_000)
        if isinstance(found, Record) and found.gate is None
    ]
    assert len(records) > 15
    with borrow_parser("fast", Budgets()) as parsing:
        for one, answer in parsing.extract_each((one, one) for one in records):
            assert answer == extract(one, "fast")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["text/html", "text/x-wiki", "text/plain", "application/jats+xml"]),
            st.text(max_size=200) | st.binary(max_size=200),
        ),
        max_size=5,
    )
)
def test_any_record_has_an_answer(pairs: list[tuple[str, str | bytes]]) -> None:
    with borrow_parser("fast", Budgets()) as parsing:
        items = [(at, record(at, body, kind)) for at, (kind, body) in enumerate(pairs)]
        found = list(parsing.extract_each(items))
    assert [at for at, _ in found] == list(range(len(pairs)))


def test_all_that_a_format_says_comes_back(small: Parser) -> None:
    ((_, answer),) = small.extract_each([(0, record(0, command("say")))])
    assert answer == ExtractedText(
        text="t", gate="g", url="u", license="l", date="d", language="x", opt_out="o", metadata={"a": "b"}
    )
    assert all(getattr(answer, field.name) for field in fields(ExtractedText))


def test_a_list_of_50000_links_is_no_trouble() -> None:
    links = "".join(f'<li><a href="/{at}">Link number {at} of the list</a></li>' for at in range(50_000))
    body = f"<html><body><h1>Links</h1><ul>{links}</ul></body></html>"
    with borrow_parser("fast", Budgets()) as parsing:
        ((_, answer),) = parsing.extract_each([(0, record(0, body, "text/html"))])
    assert isinstance(answer, ExtractedText) and "Link number 49999 of the list" in answer.text


@pytest.mark.parametrize("body", ["", "長い川", "\ud800"])
def test_text_stays_text_however_short(body: str) -> None:
    wiki = record(0, body, "text/x-wiki")
    with borrow_parser("fast", Budgets()) as parsing:  # the tables of wikitext take a while to load
        assert list(parsing.extract_each([("a", wiki)])) == [("a", extract(wiki, "fast"))]


def test_items_without_a_record_keep_their_place(small: Parser) -> None:
    items = [("a", record(0, page(TEXTS[1]))), ("b", None), ("c", record(1, page(TEXTS[2])))]
    assert [(name, answer and answer.text) for name, answer in small.extract_each(items)] == [  # type: ignore[union-attr]
        ("a", TEXTS[1]),
        ("b", None),
        ("c", TEXTS[2]),
    ]


def test_a_text_over_its_budget_is_rejected() -> None:
    with borrow_parser("fast", Budgets(max_text=1000)) as parsing:
        ((_, answer),) = parsing.extract_each([(0, record(0, page("many words " * 1000), "text/html"))])
    assert answer == RejectedRecord("bytes", "10,999 characters of text, over max_text, 1,000")


def test_large_records_go_both_ways(small: Parser) -> None:
    long = ". ".join(f"{TEXTS[at % 8]} {at}" for at in range(20_000))
    found = list(small.extract_each((at, record(at, long.encode(), "text/plain")) for at in range(8)))
    assert [answer.text == long for _, answer in found if isinstance(answer, ExtractedText)] == [True] * 8


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted there")
def test_matrices_are_multiplied_in_one_thread(small: Parser) -> None:
    assert outcomes(small, [command("multiply")]) == [RejectedRecord("damaged", "ValueError: 1")]


def test_a_format_that_cannot_be_imported_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "text/x-missing", "corpus.extract.missing")
    with (
        pytest.raises(
            RunError, match=r"failed: ModuleNotFoundError: No module named 'corpus\.extract\.missing'"
        ),
        borrow_parser("fast", SMALL) as parsing,
    ):
        list(parsing.extract_each([(0, record(0, "x", "text/x-missing"))]))


def test_no_process_is_left(small: Parser) -> None:
    mine = Parser("fast", SMALL)
    before = set(list_descendants(os.getpid()))
    assert outcomes(mine, [page(TEXTS[0])]) == [TEXTS[0]]
    started = set(list_descendants(os.getpid())) - before
    assert len(started) == 2
    mine.close()
    deadline = time.monotonic() + 10
    while (left := started & set(list_descendants(os.getpid()))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>" + b"<div>" * 200_000 + b"deep" + b"</div>" * 200_000, "depth"),
        (b"<html>" + b"<font>unclosed " * 3_000, "depth"),
        ("<html>".encode("utf-16") + ("<div>" * 3_000).encode("utf-16-le"), "depth"),
        (b"<html>" + b"<br>" * 1_000_001, "tags"),
        (b"<html>" + b"x" * (33 << 20), "bytes"),
        (b"<html><ul>" + b"<li><a href=/>item</a>" * 50_000 + b"</ul>", None),
        (b"<html>" + b"<p>a<br>b<img src=x><hr>" * 10_000, None),
        (b"<html>" + b"<div><p>closed</p></div>" * 50_000, None),
        (b"<html><!-- " + b"<div>" * 100_000 + b" -->", None),
        (b"</div>" * 100_000 + b"<div>" * 1_500, None),
        (b"plain text < 5 " * 100_000, None),
        (b"<html><p " + b"".join(b"a%d=1 " % n for n in range(11_000)) + b">", "tags"),
        (b"<html><p " + b"".join(b"a%d " % n for n in range(11_000)) + b">", "tags"),
        (b"<html><svg d='" + b"M 0 0 " * 100_000 + b"'><p title = \"" + b"a=1 " * 100_000 + b'">', None),
        (b"<html><p>" + b"a=1 words of a text " * 100_000, None),
        (b"<p " + b"=" * 1_000_000 + b'"' * 1_000_000 + b"'" * 100_001 + b" /" * 100_000, None),
    ],
)
def test_budgets_that_show_before_parsing(body: bytes, reason: str | None) -> None:
    refused = find_exceeded_budget(record(0, body, "text/html"), Budgets(max_bytes=32 << 20))
    assert (refused and refused[0]) == reason


def test_nesting_counts_tags_open_at_once() -> None:
    assert measure_nesting(b"") == 0
    assert measure_nesting(b"<a><b></b><c><d></d></c></a>") == 3
    assert measure_nesting(b"<ul><li>1<li>2<ul><li>3</ul></ul>") == 2
    assert measure_nesting(b"<DIV><div></DIV></div></div><div>") == 2
    assert measure_nesting("<ruby>漢<rp>(<rt>かん<rp>)</ruby><ruby>字<rt>じ</ruby>".encode()) == 1
    assert measure_nesting("<RT>漢<rt>字<rp>".encode()) == 3
    assert measure_nesting(b"<select><optgroup><option>1<optgroup></select>") == 1
    assert measure_nesting(b"<optgroup><option>1<optgroup>") == 2
    assert measure_nesting("<div><div>中文".encode("utf-16")) == 2
    assert measure_nesting(b"<my-element-a><my-element-b></my-element-a></my-element-a><i>") == 2
    assert measure_nesting(b"<a><!-- <b> --><b><!-- </b><!-- --><b></b></b><!--<i><i><i>") == 3
    assert measure_nesting(b"<a><!--><b><!---><c><!-- <d>") == 3
    assert measure_nesting(b"<SCRIPT>'<!--'</SCRIPT><a><b></b><script>'-->'</script><b><c>") == 3
    assert measure_nesting(b"<script>x</script><!-- <a><a><a> --><script><!-- <a> //--></script><b>") == 1
    assert measure_nesting(b"".join(b"<x%d>" % number for number in range(5_000))) == 5_000


@given(st.binary(max_size=300) | st.text("<>/abdivp !-", max_size=300).map(str.encode))
def test_nesting_takes_any_bytes(body: bytes) -> None:
    assert 0 <= measure_nesting(body) <= body.count(b"<")


def test_end_tags_without_a_beginning_close_nothing() -> None:
    """The parser drops them, so what is open stays open: 3,000 levels that a count of both kinds would not see."""
    assert measure_nesting(b"<a</<a") == 2
    assert measure_nesting(b"<div></b>" * 3_000) == 3_000
    refused = find_exceeded_budget(record(0, b"<div></b>" * 3_000, "text/html"), Budgets())
    assert refused is not None and refused[0] == "depth"
