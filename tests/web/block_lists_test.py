"""Lists of addresses: every layout, the packed sets, and the gate in a build."""

from __future__ import annotations

import tarfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from corpus.errors import UserError
from corpus.filters.url import find_url_gate
from corpus.web.block_lists.address_lists import (
    AddressLists,
    describe_report,
    identify_lists,
    open_packed,
    pack_lists,
    read_lists,
)
from corpus.web.block_lists.address_set import AddressSet
from corpus.web.block_lists.layouts import ListReport, normalize_host, read_keys
from corpus.web.block_lists.options import UrlOptions


def keys_of(text: str) -> tuple[list[str], dict[str, int]]:
    report = ListReport()
    keys = [
        f"@@{key.text}" if key.is_exception else key.text
        for key in read_keys(text.encode().splitlines(), report)
    ]
    assert report.keys == len(keys)
    assert all(first.startswith("line ") for _, first in report.left_out.values())
    return keys, {reason: count for reason, (count, _) in report.left_out.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\ufeffcasino.example\n\n# note\n  Spiel.Example.  # a comment\n",
            ["casino.example", "spiel.example"],
        ),
        ("*.wild.example\n.squid.example\n", ["wild.example", "squid.example"]),
        ("xn--bcher-kva.example\nпример.рф\n例子.中国\n", ["bücher.example", "пример.рф", "例子.中国"]),
        (
            "0.0.0.0 a.example b.example\n127.0.0.1\tc.example # d\n::1 e.example",
            ["a.example", "b.example", "c.example", "e.example"],
        ),
        ("192.0.2.7\n2001:DB8::0:1\n", ["192.0.2.7", "2001:db8::1"]),
        (
            "||ads.example^\n||docs.example/Part/%7Euser/\n|https://one.example/a|\n||zip^",
            ["ads.example", "docs.example/Part/~user", "one.example/a", "zip"],
        ),
        ("||page.example^$document,important\n@@||good.example^", ["page.example", "@@good.example"]),
        (
            "https://Site.example:8443/x/y.html?q=1#top\nshop.example/sub/",
            ["site.example/x/y.html", "shop.example/sub"],
        ),
        (
            "address=/a.example/b.example/0.0.0.0\nlocal=/c.example/\nserver=/d.example/",
            ["a.example", "b.example", "c.example", "d.example"],
        ),
        (
            'local-zone: "u.example." always_nxdomain\nlocal-data: "v.example A 0.0.0.0"',
            ["u.example", "v.example"],
        ),
        (
            "$TTL 300\n@ SOA localhost. root.localhost. 1 2 3 4 5\nz.example CNAME .\n*.z.example CNAME .\n"
            "ok.example CNAME rpz-passthru.",
            ["z.example", "z.example", "@@ok.example"],
        ),
        ("32.7.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-ip CNAME .", ["192.0.2.7"]),
        ('zone "bind.example" { type master; file "null"; };', ["bind.example"]),
        ("local-zone: 'q.example' static\nlocal-zone: r.example. always_null", ["q.example", "r.example"]),
        (
            "DOMAIN-SUFFIX,a.example,REJECT\nDOMAIN,b.example\n+.c.example\npayload:\n  - '+.d.example'\n- e.example\n"
            "domain:f.example @ads\nfull:g.example",
            ["a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example"],
        ),
        (
            "hxxps://h[.]example/Login\ni.example // seen\nhttp://j.example?q=1",
            ["h.example/Login", "i.example", "j.example"],
        ),
        (
            "XN--BCHER-KVA.example\nBU\u0308CHER.example\nxn--fa-hia.example\n例子。中国",
            ["bücher.example"] * 2 + ["faß.example", "例子.中国"],
        ),
        ("one.example\rtwo.example\rthree.example", ["one.example", "two.example", "three.example"]),
        ("co.uk\n*.com.br\ngithub.io\n||co.uk^", ["github.io", "co.uk"]),
        (
            "[Adblock Plus 2.0]\n! Title\nads.css\n-ad-300x600.\n||host.example^\n@@||host.example/ok^\np.js$script",
            ["host.example", "@@host.example/ok"],
        ),
    ],
)
def test_layouts(text: str, expected: list[str]) -> None:
    assert keys_of(text)[0] == expected


def test_what_says_nothing_about_pages_is_counted_by_reason() -> None:
    keys, left_out = keys_of(
        "||track.example^$third-party\nsite.example##.banner\nnews.example#@#div\n/ads[0-9]+/\n||part*.example^\n"
        "localhost\n127.0.0.1 localhost\n10.0.0.5 printer.example\nserver=/lan.example/10.0.0.1\n"
        "two words\nftp://files.example/\na..b.example\n10.0.0.0/8\naddress=/own.example/10.0.0.1\n"
        'local-data: "own.example A 10.0.0.1"\nDOMAIN-KEYWORD,casino\n' + "x" * 5000 + "\nreal.example\n"
    )
    assert keys == ["real.example"]
    assert left_out == {
        "about parts of pages": 3,
        "a pattern": 3,
        "a name without a domain": 2,
        "a name with an address of its own": 3,
        "a network of addresses": 1,
        "a setting of a name server": 1,
        "neither a domain nor an address": 3,
        "too long for an address": 1,
    }


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_lists_in_every_encoding(codec: str, line_end: str) -> None:
    text = line_end.join(["0.0.0.0 a.example", "пример.рф", "# note", "b.example", "не домен", ""])
    report = ListReport()
    lines = text.encode(codec).splitlines(keepends=True)
    assert [key.text for key in read_keys(lines, report, "f")] == ["a.example", "пример.рф", "b.example"]
    assert report.left_out == {"neither a domain nor an address": (1, "f:5: 'не домен'")}


def test_hostile_lines_take_linear_time() -> None:
    begun = time.process_time()
    pieces = (
        "a.",
        "a-",
        "||a^",
        'local-data: "x ',
        "A 1 ",
        'zone "',
        "address=/",
        "CNAME ",
        "xn--",
        "##",
        "[.]",
    )
    keys_of("\n".join((piece * 4096)[:4090] for piece in pieces for _ in range(5)))
    assert time.process_time() - begun < 2


def test_addresses_are_compared_whatever_their_spelling() -> None:
    lists = AddressLists(
        make_set("bücher.example", "192.0.2.7", "2001:db8::1", "site.example/a b"), make_set()
    )
    for url in (
        "HTTP://WWW.BÜCHER.example.:8080/", "https://xn--bcher-kva.example/x", "http://user:word@192.0.2.7:99/",
        "https://[2001:DB8:0::1]/", "https://m.site.example//a%20b/c?d#e",
    ):  # fmt: skip
        host = urlsplit(url)
        place = normalize_host(host.netloc)
        assert place is not None and lists.block.has(place, host.path.replace("//", "/")), url


def make_set(*keys: str) -> AddressSet:
    return AddressSet.build(keys)


def test_a_set_holds_hosts_below_and_paths_below() -> None:
    some = make_set("bad.example", "shared.example/evil/corner", "192.0.2.7", "例子.中国")
    assert some.has("bad.example", "/") and some.has("deep.www.bad.example", "/x")
    assert not some.has("notbad.example", "/") and not some.has("example", "/")
    assert some.has("shared.example", "/evil/corner") and some.has(
        "www.shared.example", "/evil/corner/page%20one.html"
    )
    assert not some.has("shared.example", "/evil") and not some.has("shared.example", "/evil/corners")
    assert some.has("192.0.2.7", "/") and not some.has("1.192.0.2.7", "/")
    assert some.has("新闻.例子.中国", "")
    assert not make_set().has("any.example", "/")


def test_every_key_of_a_large_set_is_in_it_and_no_other() -> None:
    keys = [f"host{number}.site{number % 997}.example" for number in range(20_000)]
    large = AddressSet.build(keys)
    assert len(large) == len(keys)
    assert all(large.has(key, "/") for key in keys[::37])
    assert not any(large.has(f"other{number}.example", "/") for number in range(2_000))
    assert np.array_equal(large.hashes, AddressSet.build(reversed(keys)).hashes)


def test_files_folders_and_archives_give_the_same(tmp_path: Path) -> None:
    category = tmp_path / "lists" / "adult"
    category.mkdir(parents=True)
    (category / "domains").write_text("a.example\nb.example\n")
    (category / "urls").write_text("c.example/rooms\n")
    (category / "expressions").write_text("(some|pattern)\n")
    with tarfile.open(tmp_path / "adult.tar.gz", "w:gz") as archive:
        archive.add(category, "adult")
    (tmp_path / "plain.txt").write_text("c.example/rooms\nb.example\na.example\n")
    sets = [
        read_lists(UrlOptions.model_validate({"block": str(tmp_path / name)}))[0].block.hashes
        for name in ("lists", "adult.tar.gz", "plain.txt")
    ]
    assert all(np.array_equal(sets[0], each) for each in sets)


def test_exceptions_and_allowed_addresses_pass_every_list(tmp_path: Path) -> None:
    (tmp_path / "block").write_text("||casino.example^\n@@||museum.casino.example^\n")
    (tmp_path / "allow").write_text("porn.example/health\npornhub.com\n")
    options = UrlOptions(block=[str(tmp_path / "block")], allow=[str(tmp_path / "allow")])
    lists, _ = read_lists(options)
    assert find_url_gate("https://www.casino.example/a", lists) == "url.block"
    assert find_url_gate("https://museum.casino.example/a", lists) is None
    assert find_url_gate("https://porn.example/health/1", lists) is None
    assert find_url_gate("https://porn.example/other", lists) == "url.word"
    assert find_url_gate("https://pornhub.com/", lists) is None
    assert find_url_gate("https://pornhub.com/") == "url.domain"
    assert find_url_gate("ftp://pornhub.com/", lists) == "url.scheme"


def test_packed_lists_are_made_once_and_refused_where_they_are_others(tmp_path: Path) -> None:
    (tmp_path / "block").write_text("a.example\nnot a domain\n")
    options = UrlOptions(block=[str(tmp_path / "block")])
    folder, identity = str(tmp_path / "urls"), identify_lists(options)
    reports = pack_lists(folder, options, identity)
    assert reports is not None
    assert describe_report("block", reports[str(tmp_path / "block")]) == (
        "block: 1 addresses; left out: 1 line neither a domain nor an address (at line 2: 'not a domain')"
    )
    assert pack_lists(folder, options, identity) is None
    assert open_packed(folder, identity).block.has("www.a.example", "/")
    (tmp_path / "block").write_text("b.example\n")
    assert identify_lists(options) != identity
    with pytest.raises(UserError, match="made from other lists"):
        open_packed(folder, identify_lists(options))
    (tmp_path / "urls" / "allow.npy").write_bytes(b"damaged")
    open_packed.cache_clear()
    with pytest.raises(UserError, match=r"allow\.npy.*run `corpus build` again"):
        open_packed(folder, identity)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no address in this list"),
        (
            b"\x00\xff\xfe\x01 binary\n",
            "no address in this list: 1 line neither a domain nor an address, at line 1",
        ),
        (None, "no such file"),
        (b"\x1f\x8b\x08cut", "cannot read the list"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / ("list.gz" if content and content.startswith(b"\x1f\x8b") else "list")
    if content is not None:
        path.write_bytes(content)
    options = UrlOptions(allow=[str(path)])
    with pytest.raises(UserError, match=expected) as caught:
        identify_lists(options)
        read_lists(options)
    assert caught.value.path == ("urls", "allow", 0)
