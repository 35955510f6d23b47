"""Keys of addresses, as the indexes of web archives have them."""

from __future__ import annotations

import pytest

from corpus.web.index.surt import surt_of

SESSION, STATE = "0123456789abcdef" * 2, "4hqa0555fwsecu455xqckv45"


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        ("", ")/"),
        ("?b=1", ")/?b=1"),
        ("/A/B/", ")/a/b"),
        ("/a//b///", ")/a/b"),
        ("/web/2010/http://other.example//x", ")/web/2010/http:/other.example/x"),
        ("/a/./b/../c", ")/a/c"),
        ("/a/../../b", ")/../b"),
        ("/%41%2f", ")/a"),
        ("/a%2525b%23", ")/a%25b%23"),
        ("/é/%E9 x", ")/%c3%a9/%e9%20x"),
        ("/a?Z=1&b&a=2#part", ")/a?a=2&b&z=1"),
        ("/a?q=%26x%3D1", ")/a?q=&x=1"),
        ("/a??b?c", ")/a??b?c"),
        ("/a?", ")/a"),
        ("/?x=http://y.example//z/../w", ")/?x=http://y.example//z/../w"),
        (f"/?sid={SESSION}&y=2", ")/?y=2"),
        (f"/?y=2&PHPSESSID={SESSION}", ")/?&y=2"),
        ("/?cfid=12&cftoken=34&a=1", ")/?a=1"),
        ("/?sid=123", ")/?sid=123"),
        (f"/a/(S({STATE}))/b/page.aspx", ")/a/b/page.aspx"),
        (f"/({STATE})/page.aspx?x", ")/page.aspx?x"),
        (f"/({STATE})/page.php", f")/({STATE})/page.php"),
    ],
)
def test_the_key_of_a_path_and_query(rest: str, key: str) -> None:
    assert surt_of(f"http://example.org{rest}", "example.org").decode() == f"org,example{key}"


@pytest.mark.parametrize(
    ("address", "host", "key"),
    [
        ("http://WWW2.Example.org/", "www2.example.org", "org,example)/"),
        ("http://www.com/", "www.com", "com)/"),
        ("http://www-1.example.org/", "www-1.example.org", "org,example,www-1)/"),
        ("https://user:pass@example.org:443/", "example.org", "org,example)/"),
        ("https://example.org:80/", "example.org", "org,example:80)/"),
        ("http://bücher.example:8080/", "xn--bcher-kva.example", "example,xn--bcher-kva:8080)/"),
        ("http://10.2.3.4/x", "10.2.3.4", "4,3,2,10)/x"),
        ("http://[2001:db8::1]:81/x", "[2001:db8::1]", "2001:db8::1:81)/x"),
    ],
)
def test_the_key_of_a_host(address: str, host: str, key: str) -> None:
    assert surt_of(address, host).decode() == key
