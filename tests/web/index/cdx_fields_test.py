"""Indexes of other tools: fields in any order, keys that are no SURTs, files without a legend."""

from __future__ import annotations

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
