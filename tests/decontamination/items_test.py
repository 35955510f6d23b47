"""Items of evaluation sets in the layouts that they are published in, and sets that are none."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.decontamination import item_index
from corpus.decontamination.evaluation_sets import identify_sets, list_sets, read_set
from corpus.decontamination.item_layouts import EvaluationItem, read_item
from corpus.decontamination.options import DecontaminationOptions
from corpus.errors import UserError

LAYOUTS: dict[str, tuple[dict[str, Any], tuple[str, list[str], str, str]]] = {
    "word problems": (
        {"question": "How many legs have six cows?", "answer": "6 * 4 = 24"},
        ("How many legs have six cows?", [], "6 * 4 = 24", ""),
    ),
    "programs": (
        {
            "task_id": "X/1",
            "prompt": "def double(n):",
            "canonical_solution": "    return 2 * n",
            "test": "assert",
        },
        ("def double(n):", [], "return 2 * n", ""),
    ),
    "options as columns": (
        {"": "0", "Question": "哪个是金属？", "A": "铁", "B": "木", "C": "纸", "D": "布", "Answer": "A"},
        ("哪个是金属？", ["铁", "木", "纸", "布"], "", ""),
    ),
    "options as a list, answer by number": (
        {"query": "Ice is", "choices": ["cold water", "hot air"], "gold": 0},
        ("Ice is", ["cold water", "hot air"], "", ""),
    ),
    "options under text, as on the hub": (
        {"question": "Pick", "choices": {"text": ["one", "two"], "label": ["A", "B"]}, "answerKey": "B"},
        ("Pick", ["one", "two"], "", ""),
    ),
    "options inside the question": (
        {
            "id": "q7",
            "question": {"stem": "Pick", "choices": [{"text": "one", "label": "A"}, {"text": "two"}]},
        },
        ("Pick", ["one", "two"], "", ""),
    ),
    "two ways": (
        {"goal": "Open a jar", "sol1": "Twist.", "sol2": "Sing."},
        ("Open a jar", ["Twist.", "Sing."], "", ""),
    ),
    "a gap at the end": (
        {"context": "He sat down on the old", "continuation": "chair"},
        ("He sat down on the old", [], "chair", ""),
    ),
    "a passage with a question": (
        {
            "context": "Rome lies on the Tiber.",
            "question": "Where is Rome?",
            "answers": {"text": ["on the Tiber"]},
        },
        ("Where is Rome?", [], "on the Tiber", "Rome lies on the Tiber."),
    ),
    "endings": (
        {"ctx": "She opens the door and", "endings": ["leaves.", "boils."], "label": "0"},
        ("She opens the door and", ["leaves.", "boils."], "", ""),
    ),
    "options written as JSON": (
        {"question": "Which?", "options": '["this one", "that one"]', "answer": "A"},
        ("Which?", ["this one", "that one"], "", ""),
    ),
    "as lm-eval logs it": (
        {"doc_id": 3, "doc": {"question": "Why is the sky blue?", "answer": "scattering"}, "target": "x"},
        ("Why is the sky blue?", [], "scattering", ""),
    ),
    "HTML": (
        {"question": "<p>What is H<sub>2</sub>O?</p>", "answer": "water &amp; ice<br/>"},
        ("What is H2O?", [], "water & ice", ""),
    ),
    "scripts and styles": (
        {
            "question": "<STYLE type='text/css'>p { color: red }\n</STYLE><p>冬天的冰</p>"
            "<script>\nif (a < b) go('</p>')\n</script >ใคร",
            "choices": ["<style>i{}</style>ответ", "<script>x()</script>"],
            "answer": "A page has <script> once.<br>",
        },
        ("冬天的冰 ใคร", ["ответ"], "A page has   once.", ""),
    ),
    "signs that are no HTML": ({"question": "Is a < b && b > c?"}, ("Is a < b && b > c?", [], "", "")),
}


def plain(item: EvaluationItem) -> tuple[str, list[str], str, str]:
    return " ".join(item.question.split()), list(item.options), item.answer, item.passage


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read_by_the_names_of_its_columns(name: str) -> None:
    row, expected = LAYOUTS[name]
    assert plain(read_item(row, "1", None)) == expected


def test_own_layouts_are_read_by_fields() -> None:
    row = {"meta": {"key": 9}, "task": {"ask": "Welche Farbe?", "say": "Rot"}, "x": "Lila", "y": "Gelb"}
    fields = {"question": ["task.ask"], "answer": ["task.say"], "options": ["x", "y"]}
    assert plain(read_item(row, "1", fields)) == ("Welche Farbe?", ["Lila", "Gelb"], "Rot", "")
    with pytest.raises(ValueError, match="no text under nothing"):
        read_item(row, "1", {"question": ["nothing"]})


@pytest.mark.parametrize("row", [{}, {"score": 4.5}, {"question": ""}, {"question": None, "label": 1}])
def test_a_row_without_text_says_what_it_has(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no text among its columns"):
        read_item(row, "1", None)


LONG = [f"How far does train number {word} travel in the valley before it reaches the northern station?"
        for word in ("four", "twelve", "sixty")]  # fmt: skip


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def options_of(*places: Any, **more: Any) -> DecontaminationOptions:
    sets = [str(place) if isinstance(place, Path) else place for place in places]
    return DecontaminationOptions(sets=sets, **more)


def test_files_and_folders_of_all_formats_are_read(tmp_path: Path) -> None:
    rows = [{"question": text} for text in LONG]
    write_rows(tmp_path / "set" / "a.jsonl", rows)
    (tmp_path / "set" / "deep").mkdir()
    (tmp_path / "set" / "deep" / "b.json").write_text(json.dumps({"data": rows}))
    (tmp_path / "set" / "c.jsonl.gz").write_bytes(gzip.compress((tmp_path / "set" / "a.jsonl").read_bytes()))
    (tmp_path / "set" / "d.csv").write_text(
        'id,question,A,B\nq1,"Line one,\nline two",yes,no\n', encoding="utf-8-sig"
    )
    (tmp_path / "set" / "e.tsv").write_text("question\tanswer\nWho?\tme\n")
    pq.write_table(pa.table({"question": LONG, "answer": ["1", "2", "3"]}), tmp_path / "set" / "f.parquet")
    (tmp_path / "set" / "README.md").write_text("not an item")
    (files,) = list_sets(options_of(tmp_path / "set"))
    items = list(read_set(files, options_of(tmp_path / "set").sets[0]))
    assert files.name == "set"
    assert [item.name for item in items if item.name.startswith(("c", "d", "e"))] == [
        "c.jsonl.gz:1", "c.jsonl.gz:2", "c.jsonl.gz:3", "d.csv:q1", "deep/b.json:1", "deep/b.json:2", "deep/b.json:3",
        "e.tsv:1",
    ]  # fmt: skip
    assert len(items) == 14
    assert items[3].item is not None


def test_quoted_line_breaks_are_part_of_a_cell_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text(
        f'question,answer\n"{LONG[0]}\n\n第二行","a ""b""\r\nc"\n{LONG[1]},"last\nline"', encoding="utf-8"
    )
    items = [read.item for read in read_set(list_sets(options_of(path))[0], options_of(path).sets[0])]
    assert [(item.question, item.answer) for item in items if item is not None] == [
        (f"{LONG[0]}\n\n第二行", 'a "b"\r\nc'), (LONG[1], "last\nline"),
    ]  # fmt: skip


def test_what_cannot_be_looked_for_is_listed_with_its_reason(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "mixed.jsonl",
        [
            {"question": LONG[0]},
            {"question": "Only three words"},
            {"question": f"<p>{LONG[0].upper()}</p>"},
            {"score": 3},
            "a string",
            {"question": "三个字"},
        ],
    )
    options = options_of(path)
    item_index.write_index(str(tmp_path / "index"), options, identify_sets(options))
    reasons = item_index.read_items(str(tmp_path / "index"), ["reason"])["reason"].to_pylist()
    assert [reason and reason.partition(":")[0] for reason in reasons] == [
        None, "too short", "a duplicate", "no text among its columns", "a row that is no object with keys", "too short",
    ]  # fmt: skip
    assert reasons[2] == "a duplicate: of mixed/1"
    assert item_index.describe_index(str(tmp_path / "index")) == [
        "mixed: 5 of 6 items cannot be looked for (2 too short, 1 a duplicate, 1 no text among its columns)"
    ]


def test_the_same_sets_elsewhere_are_the_same_and_changed_ones_are_not(tmp_path: Path) -> None:
    one = write_rows(tmp_path / "a" / "same.jsonl", [{"question": LONG[0]}])
    other = write_rows(tmp_path / "b" / "same.jsonl", [{"question": LONG[0]}])
    assert identify_sets(options_of(one)) == identify_sets(options_of(other))
    write_rows(other, [{"question": LONG[1]}])
    assert identify_sets(options_of(one)) != identify_sets(options_of(other))
    fields = {"path": str(one), "fields": {"question": "question"}}
    assert identify_sets(options_of(fields)) != identify_sets(options_of(one))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or folder"),
        ({}, "no evaluation items: expected .jsonl"),
        ({"notes.txt": "words"}, "no evaluation items: expected .jsonl"),
        ({"a.jsonl": ""}, "none of its 0 items can be looked for: it has no rows"),
        ({"a.jsonl": '{"question": "two words"}\n'}, "none of its 1 items can be looked for: too short"),
        ({"a.jsonl": '{"question": "x"}\n{"question": '}, "a.jsonl, row 2: cannot be read"),
        ({"a.json": "[1, 2"}, "a.json, row 1: cannot be read"),
        ({"a.parquet": "PAR1 no"}, "a.parquet, row 1: cannot be read"),
        ({"a.jsonl.gz": "no gzip"}, "a.jsonl.gz, row 1: cannot be read"),
        ({"a.jsonl": b"\xff\xfe\x00"}, "a.jsonl, row 1: cannot be read"),
        (
            {"a.jsonl": '{"ask": "x", "to": "y"}'},
            "no text among its columns: ask, to: `fields` says which is the question",
        ),
        (
            {"a.csv": 'id,question\n1,what\n2,"why is\n3,how\n'},
            "a.csv, row 2: cannot be read: Error: its quotation mark",
        ),
        (
            {"a.tsv": 'question\n"why is it'},
            "a.tsv, row 1: cannot be read: Error: its quotation mark is never closed",
        ),
    ],
)
def test_a_set_that_is_none_is_one_line(content: dict[str, Any] | None, message: str, tmp_path: Path) -> None:
    place = tmp_path / "set"
    if content is not None:
        place.mkdir()
        for name, text in content.items():
            (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    options = options_of(place)
    with pytest.raises(UserError) as raised:
        item_index.write_index(str(tmp_path / "index"), options, identify_sets(options))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.path == ("decontaminate", "sets", 0)


def test_two_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    one = write_rows(tmp_path / "a" / "test.jsonl", [{"question": LONG[0]}])
    other = write_rows(tmp_path / "b" / "test.jsonl", [{"question": LONG[1]}])
    with pytest.raises(UserError, match="two sets are called test: give one of them a `name`"):
        list_sets(options_of(one, other))
    assert [each.name for each in list_sets(options_of(one, {"path": str(other), "name": "more"}))] == [
        "test",
        "more",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("broken.csv.gz", b"\x1f\x8b no gzip", "broken.csv.gz, row 1: cannot be read: "),
        ("broken.jsonl", b'{"question": "Is it?"}\n{"quest', "broken.jsonl, row 2: cannot be read: "),
        ("none.json", b'{"ids": 7}', "none of its 1 items can be looked for: no text among its columns: ids"),
        ("short.tsv", "question\n短\n".encode(), "none of its 1 items can be looked for: too short: 1 words"),
        ("empty.jsonl", b"\n", "none of its 0 items can be looked for: it has no rows"),
    ],
)
def test_sets_that_cannot_be_looked_for_are_refused(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "good.jsonl").write_text(json.dumps({"question": LONG[0]}), encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    sets = [str(tmp_path / "good.jsonl"), str(tmp_path / name)]
    item_index.check_sets(DecontaminationOptions(sets=sets[:1]))  # type: ignore[arg-type]
    with pytest.raises(UserError, match=re.escape(message)) as raised:
        item_index.check_sets(DecontaminationOptions(sets=sets))  # type: ignore[arg-type]
    assert raised.value.path == ("decontaminate", "sets", 1)
