"""Pages in mode `corpus`: raised and lowered text, and quotations whose marks a browser adds."""

from __future__ import annotations

import pytest

from corpus.extract.html.blocks.page_blocks import read_blocks


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2<sup>24</sup> addresses, 10<sup>−6</sup> m<sup>2</sup>", "2²⁴ addresses, 10⁻⁶ m²"),
        ("H<sub>2</sub>SO<sub>4</sub>, v<sub>max</sub>", "H₂SO₄, v_max"),
        ("e<sup>x<sup>2</sup></sup> und CO<sub>2</sub>-Ausstoß", "e^(x²) und CO₂-Ausstoß"),
        ("264 عنوان من 2<sup>64</sup>", "264 عنوان من 2⁶⁴"),
        ("水は H<sub>2</sub>O、光速は 3×10<sup>8</sup> m/s", "水は H₂O、光速は 3×10⁸ m/s"),
        ("площадь 5 м<sup>2</sup>, 20 <sup>o</sup>C", "площадь 5 м², 20 °C"),
        ("ข้อ<sup>1</sup> และ<sup><a href='#2'>2</a></sup>", "ข้อ¹ และ²"),
        ("क्षेत्रफल 5 मी<sup>2</sup>", "क्षेत्रफल 5 मी²"),
        ("the 19<sup>th</sup>, $1,946<sup>.95</sup>, Acme<sup>®</sup>", "the 19th, $1,946.95, Acme®"),
        ("a note<sup><a href='#1'>[1]</a></sup>, two.<sup>Footnote §</sup>", "a note[1], two. Footnote §"),
        ("<sup>1</sup> Kjell, 1901", "¹ Kjell, 1901"),
        ("f<code>(x<sup>2</sup>)</code>", "f(x²)"),
    ],
)
def test_raised_and_lowered_text_stays_so(written: str, shown: str) -> None:
    assert read_blocks(f"<body><p>{written}</p>").texts == [shown]
    assert (
        read_blocks(f"<body><table><tr><td>{written}</td><td>1</td></tr></table>")
        .texts[0]
        .startswith(f"| {shown} |")
    )


def test_code_and_what_holds_paragraphs_are_left_as_they_are() -> None:
    assert read_blocks("<body><pre>a<sup>2</sup> = <q>b</q></pre>").texts == ["a2 = b"]
    assert read_blocks("<body><sup>open<p>one</p><p>two</p>").texts == ["open", "one", "two"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<q>Go</q>, she said, <q>or <q>stay</q> here</q>.", "“Go”, she said, “or ‘stay’ here”."),
        ("他說<q>好</q>。", "他說“好”。"),
        ("„<q>Geh</q>“, «<q>va</q>», <q>“go”</q> <q> </q>", "„Geh“, «va», “go”"),
    ],
)
def test_quotations_have_their_marks_once(written: str, shown: str) -> None:
    assert read_blocks(f"<body><p>{written}</p>").texts == [shown]
