"""Tables of pages in mode `corpus`: cells of several rows, and captions."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.extract.html.blocks.features import measure_sizes
from corpus.extract.html.blocks.main_blocks import join_structures
from corpus.extract.html.blocks.page_blocks import read_blocks
from corpus.extract.html.blocks.walked_tables import MAX_SPANNED_COLUMNS


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "<tr><th>船<th>長さ<th>単位<tr><td rowspan=2>やまと<td>1<td>kg<tr><td>2<td>g<tr><td>B<td>3<td>t",
            ["| 船 | 長さ | 単位 |", "| やまと | 1 | kg |", "|  | 2 | g |", "| B | 3 | t |"],
        ),
        (
            "<tr><th>a<th>б<tr><td rowspan=3>Альфа<td>один<tr><td>два<tr><td>три<tr><td>x<td>y",
            ["| a | б |", "| Альфа | один |", "|  | два |", "|  | три |", "| x | y |"],
        ),
        (
            "<tr><td rowspan=2>a<td rowspan=3>ข<td>c<tr><td>d<tr><td>e<td>f<tr><td>g<td>h<td>i",
            ["| a | ข | c |", "|  |  | d |", "| e |  | f |", "| g | h | i |"],
        ),
        (
            "<tr><td>a<td rowspan=2>ب<tr><td>ج<tr><td>c<td>d",
            ["| a | ب |", "| ج |  |", "| c | d |"],
        ),
        (
            "<tr><th colspan=2>路線<th rowspan=2>料金<tr><th>から<th>まで<tr><td>港<td>島<td>500円",
            ["| 路線 | 料金 |", "| から | まで |  |", "| 港 | 島 | 500円 |"],
        ),
        (
            "<tr><td colspan=2 rowspan=2>ا<td>ب<tr><td>ج<tr><td rowspan=2>१<td colspan=2>२<tr><td>३<td>४",
            ["| ا | ب |", "|  | ج |", "| १ | २ |", "|  | ३ | ४ |"],
        ),
        (
            "<tr><td colspan=0 rowspan=2>д<td>е<tr><td>ж<tr><td colspan=99999999 rowspan=2>з<td>и<tr><td>к<td>л",
            ["| д | е |", "|  | ж |", "| з | и |", "|  | к | л |"],
        ),
        (
            "<tr><td rowspan=0>a<td>b<tr><td rowspan=9999999>c<td>d<tr><td rowspan=x>e<td>f",
            ["| a | b |", "| c | d |", "| e | f |"],
        ),
    ],
)
def test_rows_beside_a_cell_of_several_keep_their_columns(rows: str, expected: list[str]) -> None:
    assert read_blocks(f"<body><table>{rows}</table>").texts == expected


def test_empty_cells_of_a_hostile_table_are_bounded() -> None:
    page = read_blocks(f"<body><table><caption>字</caption>{'<tr><td rowspan=9999>a<td>b' * 3_000}</table>")
    assert page.texts[-1] == f"|{'  |' * MAX_SPANNED_COLUMNS} a | b |"


@pytest.mark.parametrize("caption", ["<caption>學費", "<caption><p>學費</p><p>全年"])
def test_a_caption_stays_with_its_table(caption: str) -> None:
    table = "<tr><th>課<th>費<tr><td>一<td>三十<tr><td>二<td>四十"
    page = read_blocks(f"<body><p>Before.</p><table>{caption}</caption>{table}</table><p>Behind.</p>")
    captions = len(page.texts) - 5
    logits = np.array([-300, *[-200] * captions, 10, 10, 10, -300])
    joined = join_structures(page, logits, measure_sizes(page)).tolist()
    assert joined[0] == joined[-1] == -300
    assert len(set(joined[1:-1])) == 1 and joined[1] > 10
