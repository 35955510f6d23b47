"""Tell tables that lay out a page from tables of data while a page is walked.

The rules are those of `corpus.extract.html.layout_tables`, on blocks instead of a tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from corpus.extract.html.layout_tables import (
    MAX_EXAMINED_CELLS,
    MIN_MENU_LINK_SHARE,
    MIN_TEXT_CELL_BYTES,
    MIN_TEXT_SHARE,
)

_DATA_PARTS = frozenset(("caption", "colgroup", "thead", "tfoot"))
MAX_SPAN_DIGITS = 5
MAX_SPANNED_COLUMNS = 100
"""Columns in which cells may reach into rows below: else the empty cells of a hostile table grow with its square."""
_PRESENTATION = ("presentation", "none")


@dataclass(slots=True)
class Row:
    """A row: its element and path, of each cell the range of its blocks and whether it is a heading, and of those that
    span several columns or rows their place and how many of both."""

    element: int = -1
    path: int = -1
    cells: list[tuple[int, int, bool]] = field(default_factory=list)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)


class OpenTable:
    """What is known of a table from its beginning to its end."""

    __slots__ = ("begin", "data_parts", "is_code", "nested", "open", "role", "rows")

    def __init__(self, begin: int, attributes: Mapping[str, str | None]) -> None:
        self.begin = begin
        self.role = (attributes.get("role") or "").lower()
        self.rows: list[Row] = []
        self.open: tuple[int, bool] | None = None
        self.nested = False
        self.is_code = False
        self.data_parts = False

    def open_row(self) -> None:
        self.rows.append(Row())

    def close_row(self, element: int, path: int) -> None:
        """Note the place of a row with text."""
        if self.rows:
            self.rows[-1].element, self.rows[-1].path = element, path

    def open_cell(self, block: int, heading: bool, attributes: Mapping[str, str | None]) -> None:
        """Begin a cell of as many columns and rows as its attributes say."""
        self.open = (block, heading)
        if self.rows and ("colspan" in attributes or "rowspan" in attributes):
            spanned = _read_span(attributes.get("colspan")), _read_span(attributes.get("rowspan"))
            self.rows[-1].spans[len(self.rows[-1].cells)] = spanned

    def close_cell(self, block: int) -> None:
        if self.open is not None and self.rows:
            begin, heading = self.open
            self.rows[-1].cells.append((begin, block, heading))
        self.open = None

    def note_part(self, tag: str) -> None:
        if tag in _DATA_PARTS:
            self.data_parts = True

    def is_data(self, texts: list[str], linked: list[int], kinds: list[int], code: int) -> bool:
        """Return whether the rows of this table are rows of data: `texts`, `linked`, `kinds` are those of blocks."""
        cells = [cell for row in self.rows for cell in row.cells]
        if self.role in _PRESENTATION or len(cells) <= 1:
            return False
        if self.nested or code in kinds[self.begin :]:
            return False
        if self.data_parts or self.role in ("table", "grid", "treegrid") or len(cells) > MAX_EXAMINED_CELLS:
            return True
        if any(heading for _, _, heading in cells):
            return True
        sizes = [sum(len(text.encode("utf-8", "replace")) for text in texts[a:b]) for a, b, _ in cells]
        largest = max(sizes)
        if largest < MIN_TEXT_CELL_BYTES:
            return True
        total = sum(sizes)
        laid_out = sum(
            size
            for size, (a, b, _) in zip(sizes, cells, strict=True)
            if size >= MIN_TEXT_CELL_BYTES and (b - a > 1 or any("\n" in text for text in texts[a:b]))
        )
        if laid_out >= MIN_TEXT_SHARE * total:
            return False
        filled = sum(size > 2 for size in sizes)
        menus = sum(
            size
            for size, (a, b, _) in zip(sizes, cells, strict=True)
            if size > 2 and sum(linked[a:b]) >= MIN_MENU_LINK_SHARE * sum(map(len, texts[a:b]))
        )
        return not (filled == 1 or (menus > 0 and largest >= MIN_TEXT_SHARE * (total - menus)))

    def list_rows(self) -> Iterator[tuple[Row, list[tuple[int, int]]]]:
        """Yield each row with the range of blocks of each cell: none where a cell above it spans this row."""
        below: dict[int, tuple[int, int]] = {}  # column -> columns and rows that a cell above still takes
        for row in self.rows:
            above, below = below, {at: (wide, high - 1) for at, (wide, high) in below.items() if high > 1}
            cells: list[tuple[int, int]] = []
            column = 0
            for at in range(len(row.cells) + 1):
                while column in above:
                    cells.append((0, 0))
                    column += above[column][0]
                if at < len(row.cells):
                    cells.append(row.cells[at][:2])
                    wide, high = row.spans.get(at, (1, 1))
                    if high > 1 and column < MAX_SPANNED_COLUMNS:
                        below[column] = (wide, high - 1)
                    column += wide
            yield row, cells

    def has_cells_beside(self) -> bool:
        """Return whether a row has text in two cells, between which a bar stands."""
        return any(sum(end > begin for begin, end, _ in row.cells) > 1 for row in self.rows)

    def list_menus(self, texts: list[str], linked: list[int]) -> list[int]:
        """Return the blocks of a layout's cells that are links alone, beside one of text."""
        menus: list[int] = []
        beside_text = False
        for row in self.rows:
            for begin, end, _ in row.cells:
                size = sum(map(len, texts[begin:end]))
                if size and sum(linked[begin:end]) >= MIN_MENU_LINK_SHARE * size:
                    menus += range(begin, end)
                elif (
                    sum(len(text.encode("utf-8", "replace")) for text in texts[begin:end])
                    >= MIN_TEXT_CELL_BYTES
                ):
                    beside_text = True
        return menus if beside_text else []


def _read_span(written: str | None) -> int:
    """Return how many columns or rows a cell spans; 1 where that is no number, or more than a browser takes."""
    number = (written or "").strip()
    return max(1, int(number)) if number.isdecimal() and len(number) <= MAX_SPAN_DIGITS else 1


def join_cells(cells: list[str]) -> str:
    """Return a row as a line."""
    return cells[0] if len(cells) == 1 else f"| {' | '.join(cells)} |"
