"""Indexes of other tools: fields in any order, keys that are no SURTs, files without a legend."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import pytest

from corpus.errors import UserError
from corpus.web.index.lookup import WantedPage, look_up, open_index
from corpus.web.url_lists.index_key import hashes_of

URLS = [
    "http://www.example.org/书/一?q=2",
    "https://beispiel.example/straße",
    "http://пример.example:8080/a",
    "http://a.example/",
]


def wanted(url: str) -> WantedPage:
    return WantedPage(0, url, int(hashes_of([url])[0]), datetime(2020, 1, 1))


def surt(url: str) -> str:
    host, _, path = url.partition("://")[2].removeprefix("www.").partition("/")
    name, colon, port = host.partition(":")
    return f"{','.join(reversed(name.split('.')))}{colon}{port})/{path.lower()}"


def values(url: str, number: int) -> dict[str, str]:
    return {
        "N": surt(url),
        "A": url.partition("://")[2],
        "a": url,
        "b": f"2020010203040{number}",
        "m": "text/html",
        "s": "200",
        "k": "AAAA",
        "V": str(1000 * number),
        "v": "77",
        "S": "500",
        "g": f"{number}.warc.gz",
    }


def write(path: Path, legend: str, *, delimiter: str = " ", has_legend: bool = True) -> str:
    lines = [
        delimiter.join(values(url, number).get(letter, "-") for letter in legend.split())
        for number, url in enumerate(URLS)
    ]
    head = [f"{delimiter}CDX{delimiter}{delimiter.join(legend.split())}"] if has_legend else []
    path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "legend",
    [
        "a b a m s k r M V g u",  # wget
        "a b a m s k r M S V g",
        "A b a m s k r M V g",
        "A b e a m s c k r V v D d g M n",  # the first archives
        "g V b a s m",
        "b a V g",
    ],
)
def test_fields_are_read_in_any_order(tmp_path: Path, legend: str) -> None:
    index = write(tmp_path / "a.cdx", legend)
    for number, url in enumerate(URLS):
        captures, failures = look_up([wanted(url)], [index], "newest")
        assert failures == []
        (capture,) = captures.values()
        assert (capture.url, capture.file, capture.offset) == (url, f"{number}.warc.gz", 1000 * number)


def test_tabs_between_fields_are_read(tmp_path: Path) -> None:
    captures, failures = look_up(
        [wanted(URLS[1])], [write(tmp_path / "a.cdx", "a b V g", delimiter="\t")], "newest"
    )
    assert ([one.file for one in captures.values()], failures) == (["1.warc.gz"], [])


@pytest.mark.parametrize("legend", ["a b a m s k r V g", "a b a m s k r M V g", "a b a m s k r M S V g"])
def test_files_without_a_legend_are_read_by_their_number_of_fields(tmp_path: Path, legend: str) -> None:
    index = write(tmp_path / "a.cdx", legend, has_legend=False)
    captures, failures = look_up([wanted(URLS[2])], [index], "newest")
    assert ([one.file for one in captures.values()], failures) == (["2.warc.gz"], [])


def test_where_the_address_is_missing_the_key_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "a.cdx"
    path.write_text(
        " CDX N b h m s k r V g\norg,example)/p?q=1 20200102030405 example.org text/html 200 A - 12 a.warc.gz\n"
    )
    captures, failures = look_up([wanted("http://www.example.org/p?q=1")], [str(path)], "newest")
    assert ([one.offset for one in captures.values()], failures) == ([12], [])


def test_lines_that_hold_no_capture_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.cdxj"
    path.write_text(
        '!OpenWayback-CDXJ 1.0\n!meta {"a": "b"}\n'
        'org,example)/p 20200102030405 {"url": "http://example.org/p", "offset": "7", "filename": "a.warc.gz"}\n'
    )
    captures, failures = look_up([wanted("http://example.org/p")], [str(path)], "newest")
    assert ([one.offset for one in captures.values()], failures) == ([7], [])


JSON = (
    '{"url": "http://example.org/p", "offset": "7", "filename": "a b.warc.gz", "status": null, "length": "-"}'
)
KEYED_JSON = JSON.replace('"url": "http://example.org/p", ', "")
FIELDS = "20200102030405 http://example.org/p text/html 200 A - 7 a b.warc.gz"
ONE_WORD_FIELDS = FIELDS.replace("a b", "a_b")


@pytest.mark.parametrize(
    "content",
    [
        f"\n\n CDX N b a m s k r V g\n\norg,example)/p {FIELDS}\n\n\n\n",
        f"\ufeff CDX N b a m s k r V g\r\norg,example)/p {FIELDS}\r\n",
        f" CDX  N b a m s k r V g\norg,example)/p  {FIELDS.replace(' text', '   text')}\n",
        f"\tCDX\tN\tb\ta\tm\ts\tk\tr\tV\tg\norg,example)/p {FIELDS}\n".replace(" 2", "\t2").replace(
            " h", "\th"
        ),
        # Keys that no search would find
        f" CDX N b a m s k r V g\norg,example,)/p {FIELDS}\n",
        f" CDX N b a m s k r V g\norg,example,www)/p {FIELDS}\n",
        f" CDX N b a m s k r V g\norg,Example)/P {FIELDS}\n",
        f" CDX N b a m s k r V g\nhttp://(org,example,)/p {FIELDS}\n",
        # Joined files
        f" CDX N b a m s k r V g\n CDX a b V g\nhttp://z.eu/ 2020 5 z.gz\norg,example)/p {ONE_WORD_FIELDS}\n",
        # CDXJ
        f" org,example)/p\t20200102030405   {JSON}  \r\n",
        f"# of a tool\norg,example)/p 2020-01-02T03:04:05.678Z {JSON}\n",
        f'{JSON[:-1]}, "timestamp": "20200102030405"}}\n',
        f"org,example)/p 20200102030405 {KEYED_JSON}\n",
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_lines_are_found_however_a_tool_spells_them(tmp_path: Path, content: str, suffix: str) -> None:
    path = tmp_path / f"a.cdx{suffix}"
    path.write_bytes(gzip.compress(content.encode()) if suffix else content.encode())
    captures, failures = look_up([wanted("http://example.org/p")], [str(path)], "newest")
    (capture,) = captures.values()
    assert (capture.offset, capture.time, capture.is_page, failures) == (7, "20200102030405", True, [])
    assert capture.file in ("a b.warc.gz", "a_b.warc.gz")


def test_lines_that_are_none_do_not_lead_a_search_astray(tmp_path: Path) -> None:
    lines = [
        f"org,site{number:03})/ 2020 http://site{number:03}.org/ - 200 A - {number} a.gz"
        for number in range(90)
    ]
    for place in (0, 3, 45, 88, 90):
        path = tmp_path / f"{place}.cdx"
        path.write_text(
            " CDX N b a m s k r V g\n" + "\n".join([*lines[:place], *[""] * 40, *lines[place:]]) + "\n" * 90
        )
        for number in (0, 2, 44, 45, 89):
            captures, failures = look_up([wanted(f"http://site{number:03}.org/")], [str(path)], "newest")
            assert ([one.offset for one in captures.values()], failures) == ([number], [])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            " CDX N b a m s k r\nx 2020 y text/html 200 A -\n",
            "its legend N b a m s k r has no field for offset, file",
        ),
        (
            'org,example)/ 2020 {"locator": "urn:ipfs/x/y", "mime_type": "text/html"}\n',
            "CDXJ without url, offset and filename",
        ),
        ("how are you\n", "neither CDX nor CDXJ"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "a.cdx"
    path.write_text(content)
    with pytest.raises(UserError) as error:
        open_index(str(path))
    assert str(error.value) == f"{path}: not an index: {reason}"
