"""XML from strangers: bombs stay small, nothing is fetched, every well-formed record is read."""

from __future__ import annotations

import io
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.formats.xml import XmlError, parse_tree, read_elements

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r a="&l9;">before &l9; after</r>'
QUADRATIC = f'<!DOCTYPE r [<!ENTITY a "{"x" * 60_000}">]><r>{"&a;" * 60_000}</r>'
DEFAULTS = f'<!DOCTYPE r [<!ATTLIST b c CDATA "{"x" * 60_000}">]><r>{"<b/>" * 60_000}</r>'


def test_a_billion_laughs_are_a_few_characters() -> None:
    assert parse_tree(BILLION.encode()).text == "before &l9; after"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_no_encoding_hides_a_bomb(encoding: str) -> None:
    assert parse_tree(BILLION.encode(encoding)).text == "before &l9; after"


def test_an_encoding_that_only_libxml2_knows_hides_no_bomb() -> None:
    hidden = b'<?xml version="1.0" encoding="utf-7"?>' + BILLION[21:].replace("<", "+ADw-").encode()
    assert b"<!ENTITY" not in hidden
    with pytest.raises(XmlError):
        parse_tree(hidden)


@pytest.mark.parametrize("bomb", [QUADRATIC, DEFAULTS], ids=["quadratic", "default-attributes"])
def test_a_bomb_takes_no_more_memory_than_its_own_tree(bomb: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    root = parse_tree(bomb.encode())
    assert sum(len(piece) for piece in root.itertext()) <= len(bomb)
    assert all(not child.attrib for child in root)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB; expanded: 3,600,000


def test_external_entities_and_dtds_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (tmp_path / "evil.dtd").write_text('<!ENTITY x "declared elsewhere">')
    for doctype in (
        f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>',
        f'<!DOCTYPE r SYSTEM "{tmp_path}/evil.dtd">',
        f'<!DOCTYPE r [<!ENTITY % p SYSTEM "file://{tmp_path}/evil.dtd"> %p;]>',
    ):
        assert parse_tree(f"{doctype}<r>&x;</r>".encode()).text == "&x;"
    inclusion = (
        f'<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{secret}" parse="text"/></r>'
    )
    assert "".join(parse_tree(inclusion.encode()).itertext()) == ""


def test_a_subset_ends_where_its_own_grammar_says() -> None:
    subset = """[<!-- ]> ' --><!ENTITY q "]>'"><?z ']?>%p;]"""
    tricky = f"""<!-- [ --><?p ]> ?><!DOCTYPE r PUBLIC "-//X//[" 'y>]' {subset} ><r>&q;t</r>"""
    assert parse_tree(tricky.encode()).text == "&q;t"


def test_entities_of_a_dtd_that_is_elsewhere_become_characters() -> None:
    doctype = '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS//EN" "JATS.dtd">'
    text = "<p>&alpha;&#946;<i>&le; 5</i>&mu;g &unknown; &amp;alpha; <![CDATA[&pi;]]></p>"
    root = parse_tree(f"{doctype}{text}".encode())
    assert "".join(root.itertext()) == "αβ≤ 5μg &unknown; &alpha; &pi;"
    assert root.text == "αβ" and root[0].tail == "μg &unknown; &alpha; &pi;"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", "这条河从老城中间流过"),
        ("big5", "圖書館保存著三百年來的信件"),
        ("shift_jis", "図書館は手紙を保管している"),
        ("windows-1251", "Каждое утро пекарь"),
        ("tis-620", "ทุกเช้าคนทำขนมปังเปิดร้าน"),
        ("windows-1256", "كان النهر"),
        ("utf-8", "नदी पुराने शहर से बहती है"),
        ("utf-16", "नदी पुराने शहर से बहती है"),
    ],
)
def test_documents_are_read_in_the_encoding_they_declare(encoding: str, text: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><r>{text}</r>'
    assert parse_tree(document.encode(encoding)).text == text


def rows(count: int) -> bytes:
    return (
        "<rows>" + "".join(f'<row n="{n}"><b>行 {n}</b></row>\n' for n in range(count)) + "</rows>"
    ).encode()


def test_the_elements_of_a_dump_come_one_by_one() -> None:
    found = [(row.get("n"), row[0].text) for row in read_elements(io.BytesIO(rows(10_000)), "row")]
    assert found == [(str(n), f"行 {n}") for n in range(10_000)]


def test_every_element_before_damage_is_given() -> None:
    cut = rows(10_000)[:-200]
    found = []
    with pytest.raises(XmlError, match="line 99"):
        for row in read_elements(io.BytesIO(cut), "row"):
            found.append(row.get("n"))
    assert len(found) > 9_900


def test_memory_is_bounded_by_one_element() -> None:
    dump = io.BytesIO(rows(300_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in read_elements(dump, "row")) == 300_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", "Document is empty"),
        (b"   ", "Document is empty|not found"),
        (b"no XML at all", "Start tag expected"),
        (b"<r><a></r>", "mismatch"),
        (b"<a>" * 200_000, "Excessive depth"),
        (b"<!DOCTYPE r [" + b"<!-- x -->" * 200_000, "no element in the first"),
        (b"<!DOCTYPE r [<!ENTITY a 'b'>", "ends inside its DOCTYPE"),
        (b"<r>" + b"x" * 200_000 + b"</r>", "over 100000"),
    ],
)
def test_what_cannot_be_read_is_an_xml_error(document: bytes, error: str) -> None:
    with pytest.raises(XmlError, match=error):
        parse_tree(document, max_bytes=100_000 if b"xxx" in document else 32 << 20)


def test_an_element_over_its_budget_is_an_error() -> None:
    with pytest.raises(XmlError, match="more than 100000 bytes"):
        next(
            read_elements(
                io.BytesIO(b"<rows><row>" + b"x" * 500_000 + b"</row></rows>"), "row", max_bytes=100_000
            )
        )


PIECES = [
    "<!DOCTYPE r ",
    "[",
    "]",
    ">",
    "<!ENTITY a 'b'",
    '"',
    "'",
    "<!--",
    "-->",
    "<?x",
    "?>",
    "<r>",
    "</r>",
    "&a;",
]


@given(st.binary(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join).map(str.encode))
def test_nothing_but_an_xml_error_is_raised(document: bytes) -> None:
    for recover in (False, True):
        try:
            root = parse_tree(document, recover=recover)
        except XmlError:
            continue
        "".join(root.itertext()).encode()
