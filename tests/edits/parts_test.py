"""Edits on disk: sorted, beside their documents, of several steps together."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.document_schema import DOCUMENTS_SCHEMA
from corpus.edits.edit_counts import build_edit_table, count_edits, write_edit_counts
from corpus.edits.parts import EDITS_SCHEMA, edits_path, read_edits, write_edits
from corpus.edits.regions import Edit, apply_edits
from corpus.errors import RunError
from corpus.storage.part_writer import PartWriter, read_outcome
from corpus.workspace import Workspace

TEXTS = ["Главная\nПишите на ann@example.org.\nЕщё", "没有", "电话 10086 请打。"]


def workspace_of_texts(folder: Path) -> Workspace:
    workspace = Workspace(str(folder))
    with PartWriter(workspace.part("documents", "web", "0"), DOCUMENTS_SCHEMA, "documents"):
        pass
    return workspace


def table(*rows: tuple[int, int, int, str, str | None]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(EDITS_SCHEMA.names, row, strict=True)) for row in rows], EDITS_SCHEMA
    )


def finish(workspace: Workspace, step: str, edits: pa.Table) -> None:
    write_edits(workspace, step, "web", "0", edits, "made")
    write_edit_counts(workspace, step, [count_edits(edits, "web", ["rus_Cyrl", None, "cmn_Hans"])], "made")


def test_the_edits_of_all_steps_come_by_document_and_place(tmp_path: Path) -> None:
    workspace = workspace_of_texts(tmp_path)
    finish(workspace, "private", table((2, 3, 8, "phone", "[phone]"), (0, 18, 33, "email", "[email]")))
    finish(workspace, "clean", table((0, 35, 38, "menu", None), (0, 0, 7, "menu", None)))
    edits = read_edits(workspace, "web", "0")
    assert dict(edits.documents()) == {
        0: [Edit(0, 7, "menu"), Edit(18, 33, "email", "[email]"), Edit(35, 38, "menu")],
        2: [Edit(3, 8, "phone", "[phone]")],
    }
    assert edits.of_row(1) == [] and edits.of_row(9) == []
    assert len(read_edits(workspace, "web", "0", ["clean"])) == 2
    applied = [apply_edits(text, edits.of_row(row)) for row, text in enumerate(TEXTS)]
    assert applied == ["Пишите на [email].", "没有", "电话 [phone] 请打。"]


def test_counts_are_those_of_each_kind_and_language(tmp_path: Path) -> None:
    workspace = workspace_of_texts(tmp_path)
    finish(
        workspace, "clean", table((0, 0, 7, "menu", None), (0, 35, 38, "menu", None), (1, 0, 1, "menu", None))
    )
    assert [tuple(row.values()) for row in build_edit_table(workspace).to_pylist()] == [
        ("clean", "menu", "web", "", 1, 1, 1, False),
        ("clean", "menu", "web", "rus_Cyrl", 1, 2, 10, False),
    ]


def test_a_step_counts_once_all_its_parts_are_there(tmp_path: Path) -> None:
    workspace = workspace_of_texts(tmp_path)
    write_edits(workspace, "clean", "web", "0", table((0, 0, 7, "menu", None)), "made")
    assert len(read_edits(workspace, "web", "0")) == 0
    with pytest.raises(RunError, match="edits of private of input split 0 of web"):
        read_edits(workspace, "web", "0", ["private"])


def test_the_same_edits_have_the_same_bytes_and_outcome_in_any_order(tmp_path: Path) -> None:
    workspace = workspace_of_texts(tmp_path)
    path = edits_path(workspace, "clean", "web", "0")
    rows = [(0, 0, 7, "menu", None), (0, 0, 7, "line", None), (0, 0, 7, "line", "x"), (2, 1, 2, "menu", None)]
    contents = set()
    for order in (rows, rows[::-1]):
        write_edits(workspace, "clean", "web", "0", table(*order), "made")
        contents.add((Path(path).read_bytes(), read_outcome(path)))
    assert len(contents) == 1
    write_edits(workspace, "clean", "web", "0", table(*rows[1:]), "made")
    assert read_outcome(path) not in {outcome for _, outcome in contents}


@pytest.mark.parametrize("span", [(-1, 2), (3, 3), (4, 3)])
def test_spans_that_are_none_are_refused(tmp_path: Path, span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="end before they begin"):
        write_edits(
            workspace_of_texts(tmp_path), "clean", "web", "0", table((0, *span, "menu", None)), "made"
        )
