"""A workspace and its datasets in a notebook: small tables, everything escaped, and still real Arrow datasets."""

from __future__ import annotations

import json
import pickle
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import corpus
from corpus import storage
from corpus.errors import UserError
from corpus.inspect.notebook import TableHead, make_browsable
from corpus.workspace import Workspace
from tests.ledger.demo import demo_workspace

TEXTS = [
    "春天河水上涨，老桥掉了两块木板。",
    "नदी का पानी बढ़ गया और पुराना पुल टूट गया।",
    "ลูก ๆ วิ่งไปดูว่าน้ำมาถึงไหน",
    "لا أحد يتذكر من زرع الشجرة.",
]
EVIL = "<script>alert('x')</script>\u202egnp.exe"


class Page(HTMLParser):
    """The tags, attributes and cells of a piece of HTML; every element that is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.cells: list[list[str]] = []
        self.feed(html)
        assert not self.open
        assert set(self.tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
        assert self.attributes <= {"style", "dir"}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag == "tr":
            self.cells.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] in ("td", "th"):
            self.cells[-1].append(data)


def show(thing: Any) -> Page:
    return Page(thing._repr_html_())


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return corpus.open(str(demo_workspace()))


def small_dataset(folder: Path, table: pa.Table) -> ds.FileSystemDataset:
    path = folder / "source=维基" / "part.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    partitioning = ds.partitioning(pa.schema([("source", pa.string())]), flavor="hive")
    return make_browsable(ds.dataset([str(path)], format="parquet", partitioning=partitioning))


def test_a_finished_workspace_is_a_small_table(workspace: Workspace) -> None:
    rows = dict(show(workspace).cells)
    counts = workspace.stats()["counts"].to_table()
    read, kept = (
        pc.sum(counts.filter(pc.equal(counts["what"], what))["documents"]).as_py()
        for what in ("read", "kept")
    )
    totals = workspace.tokens()["totals"]
    assert rows["build"] == "finished"
    assert rows["sources"] == "2: web, wikipedia"
    assert rows["documents"] == f"{read:,} read, {kept:,} kept"
    assert rows["tokens"] == f"{totals['train']['tokens']:,} train, {totals['valid']['tokens']:,} valid"
    assert rows["languages"].startswith("18: eng_Latn ")
    assert rows["kept text"].endswith(" kB")


def test_in_a_terminal_it_is_a_few_lines(workspace: Workspace) -> None:
    lines = repr(workspace).splitlines()
    assert lines[0] == f"Workspace demo at {workspace.root}"
    assert lines[1].split() == ["build", "finished"]
    assert len(lines) == 7
    assert max(map(len, lines)) < 120


def test_an_overview_reads_no_documents(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    original = storage.open_input
    monkeypatch.setattr(
        storage, "open_input", lambda path, *rest: (opened.append(path), original(path, *rest))[1]
    )
    monkeypatch.setattr(Workspace, "_open_dataset", None)
    workspace._repr_html_()
    assert workspace.path("plan.json") in opened
    assert {path.removeprefix(f"{workspace.root}/") for path in opened} <= {
        "plan.json", "state.json", "status.json", "manifest.yaml", "tokens/dataset.json", "stats/counts.parquet",
    }  # fmt: skip


def test_an_unfinished_workspace_says_how_far_it_is(tmp_path: Path) -> None:
    made = Workspace.create(str(tmp_path / "ข่าว"))
    assert dict(show(made).cells) == {"workspace": made.root, "build": "not finished"}
    assert repr(made).startswith("Workspace ข่าว at ")
    Path(made.path("plan.json")).write_text(
        json.dumps({"splits": [["网页", "a"], ["网页", "b"]], "steps": []})
    )
    Path(made.path("status.json")).write_text(json.dumps({"stage": "ingest", "done": 1, "total": 2}))
    Path(made.path("state.json")).write_text("{}")
    rows = dict(show(made).cells)
    assert rows["build"] == "not finished: ingest, 1 of 2"
    assert rows["sources"] == "1: 网页"
    assert "documents" not in rows


@pytest.mark.parametrize(
    "content", ["", "[]", "3", "{", '{"splits": 3, "totals": {"train": 1}, "stage": {}}']
)
def test_damaged_files_count_as_missing(tmp_path: Path, content: str) -> None:
    made = Workspace.create(str(tmp_path))
    for name in ("plan.json", "state.json", "status.json", "manifest.yaml", "tokens/dataset.json"):
        storage.write_text(made.path(name), content)
    storage.write_text(made.path("stats", "counts.parquet"), content)
    assert dict(show(made).cells)["build"] == "not finished"
    assert "not finished" in repr(made)


def test_names_from_outside_are_escaped_everywhere(tmp_path: Path) -> None:
    made = Workspace.create(str(tmp_path))
    names = [[EVIL, "a"], *([f"源{number}", "b"] for number in range(40))]
    storage.write_text(made.path("plan.json"), json.dumps({"splits": names, "steps": []}))
    dataset = {"name": EVIL * 50, "totals": {EVIL: {"tokens": 3}}}
    storage.write_text(made.path("tokens", "dataset.json"), json.dumps(dataset))
    storage.write_text(made.path("status.json"), json.dumps({"stage": EVIL, "done": EVIL}))
    html = made._repr_html_()
    assert "&lt;script&gt;" in html
    assert "\u202e" not in html + repr(made)
    assert len(html) < 2_000
    assert dict(Page(html).cells)["sources"].endswith("and 35 more")
    evil = pa.table({EVIL: [EVIL], "n": [[EVIL] * 99]})
    for shown in (small_dataset(tmp_path / "d", evil), small_dataset(tmp_path / "d", evil).head()):
        Page(shown._repr_html_())
        assert "\u202e" not in shown._repr_html_() + repr(shown)


def test_datasets_are_still_arrow_datasets(workspace: Workspace) -> None:
    documents = workspace.documents()
    everything = [documents, workspace.decisions(), workspace.signals("gopher"), workspace.shards()]
    for dataset in [*everything, *workspace.stats().values()]:
        assert isinstance(dataset, ds.FileSystemDataset)
        assert dataset.files
        assert "files" in repr(dataset) or "1 file" in repr(dataset)
    plain = ds.dataset(
        documents.files, partitioning=ds.partitioning(pa.schema([("source", pa.string())]), flavor="hive")
    )
    assert documents.schema.equals(plain.schema, check_metadata=True)
    assert documents.to_table().equals(plain.to_table())
    thai = pc.field("language") == "tha_Thai"
    assert 0 < documents.filter(thai).count_rows() == plain.count_rows(filter=thai) < documents.count_rows()
    assert documents.scanner(columns=["id"], filter=thai).to_table() == plain.to_table(["id"], filter=thai)
    web = documents.filter(pc.field("source") == "web")
    assert web.to_table(["id"]).num_rows == plain.count_rows(filter=pc.field("source") == "web")
    assert sum(batch.num_rows for batch in documents.to_batches(columns=["id"])) == plain.count_rows()
    copy = pickle.loads(pickle.dumps(documents))
    assert type(copy) is type(documents)
    assert copy.to_table().equals(plain.to_table())


def test_a_dataset_shows_its_columns_and_its_rows(workspace: Workspace) -> None:
    documents = workspace.documents()
    page = show(documents)
    assert page.cells[0] == ["column", "type"]
    assert ["text", "string"] in page.cells
    assert ["source", "string"] in page.cells
    assert f"{documents.count_rows():,} rows in {len(documents.files)} files" in documents._repr_html_()
    filtered = documents.filter(pc.field("language") == "tha_Thai")
    assert "filtered rows in" in filtered._repr_html_()
    assert isinstance(filtered.head(2), TableHead)


def test_rows_of_many_files_are_not_counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.inspect.notebook.MAX_COUNTED_FILES", 2)
    assert repr(workspace.documents()).startswith("BrowsableDataset: rows not counted, 7 files")


def test_head_is_a_table_of_short_texts(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": [text * 1000 for text in TEXTS],
            "tokens": [list(range(10_000)), [1, 2], [], None],
            "score": [0.123456789, None, float("nan"), 1e9],
            "raw": [b"\0" * 70, b"", None, b"a"],
            "kept": [True, False, None, True],
        }
    )
    head = small_dataset(tmp_path, table).head(4)
    html = head._repr_html_()
    page = Page(html)
    assert len(html) < 5_000
    assert page.cells[0] == ["text", "tokens", "score", "raw", "kept", "source"]
    assert [row[0][:20] for row in page.cells[1:]] == [(text * 2)[:20] for text in TEXTS]
    assert all(len(cell) < 70 for row in page.cells for cell in row)
    assert page.cells[1][1:] == [
        "[0, 1, 2, 3, 4, 5, 6, 7, ... 10,000 in all]",
        "0.1235",
        "70 bytes",
        "True",
        "维基",
    ]
    assert page.cells[3][1:] == ["[]", "nan", "null", "null", "维基"]
    assert page.cells[4][1:] == ["null", "1e+09", "1 bytes", "True", "维基"]
    lines = repr(head).splitlines()
    assert len(lines) == 6
    assert lines[1].startswith("春天河水上涨")
    assert lines[-1].startswith("4 rows")


def test_long_and_wide_heads_say_what_they_leave_out(tmp_path: Path) -> None:
    wide = pa.table({f"gopher.signal_{number}": list(range(50)) for number in range(40)})
    head = small_dataset(tmp_path, wide).head(50)
    page = show(head)
    assert len(page.cells) == 21
    assert len(page.cells[0]) == 24
    assert "50 rows, 30 more rows not shown, 17 more columns not shown" in head._repr_html_()
    lines = repr(head).splitlines()
    assert max(map(len, lines)) <= 112
    assert lines[-1] == "50 rows, 30 more rows not shown, 35 more columns not shown"


def test_head_has_what_an_arrow_table_has(workspace: Workspace) -> None:
    documents = workspace.documents()
    head = documents.head(3, columns=["id", "text"])
    expected = documents.to_table(columns=["id", "text"]).slice(0, 3)
    assert head == expected
    assert head == documents.head(3, columns=["id", "text"])
    assert head.to_pylist() == expected.to_pylist()
    assert head["id"] == expected["id"]
    assert (len(head), head.num_rows, head.column_names) == (3, 3, ["id", "text"])
    assert pa.table(head) == expected
    assert pickle.loads(pickle.dumps(head)) == head
    assert "to_pylist" in dir(head)
    assert len(documents.head()) == 5
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql("SELECT count(*) FROM head").fetchall() == [(3,)]


def test_a_wrong_step_is_told_with_those_there_are(workspace: Workspace, tmp_path: Path) -> None:
    steps = ", ".join(workspace.steps())
    with pytest.raises(UserError, match=f"has no step goffer: did you mean gopher[?] its steps are {steps}$"):
        workspace.signals("goffer")
    with pytest.raises(UserError, match=f"has no step 语言: its steps are {steps}$"):
        workspace.signals("语言")
    made = Workspace.create(str(tmp_path))
    with pytest.raises(UserError, match="its build is not finished"):
        made.signals("gopher")
    plan = {"splits": [["web", "a"]], "steps": ["text", "gopher"]}
    storage.write_text(made.path("plan.json"), json.dumps(plan))
    with pytest.raises(
        UserError, match=r"has no step gofer: did you mean gopher[?] its steps are text, gopher"
    ):
        made.signals("gofer")
    with pytest.raises(UserError, match="has no signals/gopher yet: its build is not finished"):
        made.signals("gopher")


def test_statistics_of_an_unfinished_build_are_an_error_like_the_others(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no statistics yet: its build is not finished: resume it"):
        Workspace.create(str(tmp_path)).stats()
