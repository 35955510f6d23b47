"""The transforms for pipelines of others: what a build gives, on any runner, in any order, with every failure shown."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import apache_beam as beam
import pytest
import yaml
from apache_beam.coders import RowCoder
from apache_beam.transforms.window import FixedWindows, IntervalWindow, TimestampedValue

import corpus
from corpus import plugins, storage
from corpus.document import content_hash
from corpus.errors import UserError
from corpus.extract import FORMATS
from corpus.filters import FILTERS, ON_REQUEST
from corpus.ledger.quarantine import read_quarantine_parts
from corpus.manifest import load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.beam.types import coder_of
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.transforms import (
    ApplyRules,
    DocumentRow,
    Extract,
    FailureRow,
    IdentifyLanguage,
    Measure,
    NearDuplicates,
    ReadRecords,
    RecordRow,
    Tokenize,
    TokensRow,
    batches,
)
from corpus.tokens.encode import load_encoder
from tests.dedup.texts import STORIES, edited
from tests.pipelines.dataflow_test import PLAIN, PROJECT
from tests.pipelines.dataflow_test import RUNNING as DATAFLOW
from tests.pipelines.quarantine_test import HOSTILE, page, write_warc
from tests.pipelines.small import article, write_inputs
from tests.plugins.lab import TEXTS, write_lab

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "manifests" / "demo"
STEPS = [step for step in FILTERS if step not in {"quality", "words", *ON_REQUEST}]
LANGUAGES = sorted(STORIES)


def write_rows(folder: Path, **collections: Any) -> None:
    """Write rows as lines of JSON, one folder for each name."""
    for name, rows in collections.items():
        lines = rows | f"{name}: JSON" >> beam.Map(to_json)
        lines | f"{name}: write" >> beam.io.WriteToText(str(folder / name / "part"))


def to_json(row: Any) -> str:
    return json.dumps(row._asdict())


def read_rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows that `write_rows` has written, sorted."""
    lines = [line for path in (folder / name).iterdir() for line in path.read_text().splitlines()]
    return [json.loads(line) for line in sorted(lines)]


KEPT: list[Any] = []
"""What the pipelines of `collect` have given: they run in this process."""


def keep(row: Any) -> None:
    KEPT.append(row)


def collect(transform: Callable[[Any], Any], elements: Iterable[Any]) -> list[Any]:
    """What a transform gives for elements, in any order."""
    KEPT.clear()
    with beam.Pipeline(options=Running().options("test")) as pipeline:
        transform(pipeline | "Elements" >> beam.Create(list(elements))) | "Keep" >> beam.Map(keep)
    return list(KEPT)


def stories() -> list[DocumentRow]:
    """Every story, and the same on another page with a line below it: the longer one is kept."""
    rows = []
    for language in LANGUAGES:
        rows.append(DocumentRow(f"{language}-plain", STORIES[language], url=f"https://a.example/{language}"))
        rows.append(DocumentRow(f"{language}-edited", edited(language), url=f"https://b.example/{language}"))
    return rows


# --- rows ---


ROWS = [
    RecordRow("é1", b"\x00\xff<\xe4\xb8>", metadata={"заголовок": "渡し船", "ไทย": ""}, offset=1 << 40),
    DocumentRow(
        "a", "渡船\n\U00020000", signals={"x.y": 0.5}, failed_rules=["x.y.max"], metadata={"k": "हिन्दी"}
    ),
    DocumentRow("gated", gate="warc.status", language_score=None),
    FailureRow("f", 1, 2, "read", "damaged", "عطل", None, None),
    TokensRow("a", [0, 1, 70_000, 1 << 31]),
    TokensRow("none", []),
]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_survives_its_coder_and_is_never_pickled(row: Any) -> None:
    coder = coder_of(type(row))
    assert isinstance(coder, RowCoder)
    decoded = coder.decode(coder.encode(row))
    assert {name: list(v) if isinstance(v, tuple) else v for name, v in decoded._asdict().items()} == {
        name: list(v) if isinstance(v, tuple) else v for name, v in row._asdict().items()
    }


def test_nan_survives_as_signal_and_score() -> None:
    coder = coder_of(DocumentRow)
    decoded = coder.decode(coder.encode(DocumentRow("a", signals={"x.y": math.nan}, language_score=math.nan)))
    assert math.isnan(decoded.signals["x.y"]) and math.isnan(decoded.language_score)


@pytest.mark.parametrize(
    "element",
    [
        beam.Row(id="a", text="Паром ходит через реку четыре раза в день.", more=1),
        {"id": "a", "text": "Паром ходит через реку четыре раза в день."},
    ],
)
def test_elements_of_other_types_are_taken(element: Any) -> None:
    (row,) = collect(lambda rows: rows | IdentifyLanguage() | Measure(["text"]), [element])
    assert row.language == "rus_Cyrl" and row.signals["text.words"] == 8


def test_an_element_without_a_text_fails_in_one_line() -> None:
    with pytest.raises(Exception, match="an element needs the field text: dict has none"):
        collect(lambda rows: rows | IdentifyLanguage(), [{"id": "a"}])


# --- the same as a build ---


MANIFEST = """\
name: same
sources:
  web: {kind: warc, paths: ["*.warc.gz"], rules: [language]}
  wikipedia: {kind: wikipedia, paths: ["*.xml.bz2"]}
  mine: {kind: jsonl, paths: ["*.jsonl"], rules: [], fields: {language: stated}}
split_size: 4kB
validation: {share: 0.2}
"""
SAME = ("text", "gate", "url", "date", "snapshot", "license", "opt_out", "group", "metadata", "language")


def read_everything(pipeline: beam.Pipeline, manifest: Path) -> tuple[Any, Any]:
    """(documents with everything known about them, failures) of a manifest's sources."""
    documents, failures = [], []
    for name, source in load_manifest(str(manifest)).manifest.sources.items():
        options = yaml.safe_load(MANIFEST)["sources"][name]
        options["paths"] = [f"{manifest.parent}/{path}" for path in options["paths"]]
        read = pipeline | f"Read {name}" >> ReadRecords(options, name=name, split_size="4kB")
        extracted = read.records | f"Extract {name}" >> Extract()
        documents.append(
            extracted.documents
            | f"Identify {name}" >> IdentifyLanguage()
            | f"Measure {name}" >> Measure(STEPS)
            | f"Rules {name}" >> ApplyRules(source.rules or [])
        )
        failures += [read.failures, extracted.failures]
    return documents | "Documents" >> beam.Flatten() | NearDuplicates(), failures | "Fail" >> beam.Flatten()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_transforms_give_what_a_build_gives(tmp_path: Path, workers: int) -> None:
    manifest = write_inputs(tmp_path / "in")
    manifest.write_text(MANIFEST)
    with open(tmp_path / "in" / "stories.jsonl", "w") as output:
        for row in stories():
            stated = "uk" if row.id.startswith("rus") else None  # taken at its word: the script is right
            output.write(
                json.dumps({"id": row.id, "text": row.text, "url": row.url, "stated": stated}) + "\n"
            )
    workspace = build_workspace(str(manifest), str(tmp_path / "out"), Running(workers=1), until="decide")
    built = corpus.open(workspace.root)
    with beam.Pipeline(options=Running(workers=workers).options("test")) as pipeline:
        documents, failures = read_everything(pipeline, manifest)
        write_rows(tmp_path / "rows", documents=documents, failures=failures)
    rows = {row["id"]: row for row in read_rows(tmp_path / "rows", "documents")}
    wanted = built.documents().to_table().to_pylist()
    decisions = built.decisions().to_table().to_pylist()
    assert len(wanted) == len(rows) == len(read_rows(tmp_path / "rows", "documents")) > 90
    for document, decision in zip(wanted, decisions, strict=True):
        row = rows[document["id"]]
        document["metadata"] = dict(document["metadata"])
        assert {name: row[name] for name in SAME} == {name: document[name] for name in SAME}
        assert (row["file"], row["offset"], row["length"]) == tuple(document["origin"].values())
        assert row["duplicate_of"] == decision["duplicate_of"]
        assert row["failed_rules"] == (decision["failed_rules"] or [])
    assert sum(row["duplicate_of"] is not None for row in rows.values()) > len(LANGUAGES)
    assert "ukr_Cyrl" in {row["language"] for row in rows.values()}
    for step in STEPS:
        columns = built.signals(step).to_table().drop_columns("source")
        for document, signals in zip(wanted, columns.to_pylist(), strict=True):
            row = rows[document["id"]]["signals"]
            got = {name: None if math.isnan(row.get(name, math.nan)) else row[name] for name in signals}
            assert got == signals
    quarantine = [row for part in read_quarantine_parts(built) for row in part.to_pylist()]
    failed = read_rows(tmp_path / "rows", "failures")
    names = FailureRow._fields
    assert sorted(str([row[name] for name in names]) for row in failed) == sorted(
        str([row[name] for name in names]) for row in quarantine
    )
    assert len(failed) == 3


# --- failures ---


def test_every_hostile_page_is_a_failure_and_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "text/html", "tests.extract.hostile")
    bodies = {name: HOSTILE[name].encode() for name in ("segfault", "memory", "pattern", "divs")}
    good = {language: page(STORIES[language]).encode() for language in LANGUAGES}
    rows = [RecordRow(name, body, file=name) for name, body in [*bodies.items(), *good.items()]]
    rows.append(RecordRow("stopped", gate="warc.status"))
    rows.append(RecordRow("empty", b"<html></html>"))
    random.Random(1).shuffle(rows)
    with beam.Pipeline(options=Running().options("test")) as pipeline:
        extracted = pipeline | beam.Create(rows) | Extract(seconds=0.5, memory="128MiB")
        write_rows(tmp_path, documents=extracted.documents, failures=extracted.failures)
    assert {row["file"]: (row["step"], row["reason"]) for row in read_rows(tmp_path, "failures")} == {
        "segfault": ("extract", "crash"),
        "memory": ("extract", "memory"),
        "pattern": ("extract", "time"),
        "divs": ("extract", "depth"),
    }
    documents = {row["id"]: row for row in read_rows(tmp_path, "documents")}
    assert Counter(row["gate"] for row in documents.values()) == {
        None: len(LANGUAGES),
        "warc.status": 1,
        "extract.empty": 1,
    }
    for language in LANGUAGES:
        assert documents[language]["text"] == STORIES[language].strip()


def test_two_worker_processes_with_a_budget(tmp_path: Path) -> None:
    pages = {f"{name[:3]}{name[4:]}".lower(): page(STORIES[name]) for name in LANGUAGES}
    write_warc(tmp_path / "in.warc.gz", pages | {"long": page(article("eng", 1, 300))})
    with beam.Pipeline(options=Running(workers=2).options("test")) as pipeline:
        source = {"kind": "warc", "paths": [str(tmp_path / "*.warc.gz")]}
        read = pipeline | ReadRecords(source, split_size="2kB")
        extracted = read.records | Extract(max_bytes="10kB")
        documents = extracted.documents | IdentifyLanguage()
        write_rows(tmp_path / "out", documents=documents, failures=extracted.failures)
    (failure,) = read_rows(tmp_path / "out", "failures")
    assert (failure["reason"], failure["url"]) == ("bytes", "https://long.example/")
    assert failure["offset"] > 0 and failure["length"] > 0 and failure["bytes"] > 10_000
    rows = read_rows(tmp_path / "out", "documents")
    assert sorted(row["language"] for row in rows) == LANGUAGES
    assert all(row["language_score"] > 0.3 for row in rows)


def test_paths_that_name_nothing_fail_the_pipeline(tmp_path: Path) -> None:
    with (
        pytest.raises(Exception, match="no such file"),
        beam.Pipeline(options=Running().options("t")) as start,
    ):
        start | ReadRecords({"kind": "warc", "paths": [str(tmp_path / "*.warc.gz")]})


# --- windows ---


class _Describe(beam.DoFn):
    def process(
        self, row: Any, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterator[tuple[str, int, IntervalWindow]]:
        yield row.id if hasattr(row, "id") else row.file, int(timestamp), window


@pytest.mark.parametrize("together", [7, 256])
def test_time_and_window_are_kept_by_documents_and_failures(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a batch ends inside the bundle or with it."""
    monkeypatch.setattr(batches, "BATCH_ELEMENTS", together)
    rows = [RecordRow(str(at), page(STORIES[LANGUAGES[at % 8]]).encode(), file=str(at)) for at in range(40)]
    rows = [row._replace(body=b"x" * 20_000) if at % 7 == 0 else row for at, row in enumerate(rows)]

    def windowed(start: Any) -> Any:
        timed = start | beam.Map(lambda row: TimestampedValue(row, int(row.id) * 10))
        extracted = timed | beam.WindowInto(FixedWindows(60)) | Extract(max_bytes="10kB")
        documents = extracted.documents | IdentifyLanguage() | Measure(["gopher"])
        both = (documents | ApplyRules(["gopher_quality"]), extracted.failures) | beam.Flatten()
        return both | beam.ParDo(_Describe())

    got = collect(windowed, rows)
    assert sorted(got) == sorted(
        (str(at), at * 10, IntervalWindow(at * 10 // 60 * 60, at * 10 // 60 * 60 + 60)) for at in range(40)
    )


def test_duplicates_in_windows_are_refused() -> None:
    with pytest.raises(UserError, match="compares all documents: put them into the global window"):
        (
            beam.Pipeline(options=Running().options("t"))
            | beam.Create(stories())
            | beam.WindowInto(FixedWindows(60))
            | NearDuplicates()
        )


# --- duplicates ---


def marks(rows: Iterable[Any]) -> dict[str, str | None]:
    """The id of each document -> that of the one kept in its place."""
    return {row.id: row.duplicate_of for row in rows}


EXPECTED = {f"{language}-plain": f"{language}-edited" for language in LANGUAGES}


def test_near_duplicates_in_eight_languages_whatever_the_order_and_partitions() -> None:
    rows = stories()
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        given = marks(
            collect(lambda start, seed=seed: start | NearDuplicates(partitions=[1, 5, 32][seed]), rows)
        )
        assert given == dict.fromkeys((f"{language}-edited" for language in LANGUAGES), None) | EXPECTED


def test_bundles_and_processes_change_nothing(tmp_path: Path) -> None:
    with beam.Pipeline(options=Running(workers=2).options("test")) as pipeline:
        rows = pipeline | beam.Create(stories()) | beam.Reshuffle() | NearDuplicates()
        write_rows(tmp_path, rows=rows)
    rows = read_rows(tmp_path, "rows")
    assert {row["id"]: row["duplicate_of"] for row in rows if row["duplicate_of"]} == EXPECTED


def test_which_documents_take_part_and_which_is_kept() -> None:
    text = STORIES["hin_Deva"]
    rows = [
        DocumentRow("short", text),
        DocumentRow("failed", text + "!", failed_rules=["x.y.max"]),
        DocumentRow("gated", gate="warc.status"),
        DocumentRow("scored", text, signals={"quality.score": 0.5}),
        DocumentRow("low", edited("hin_Deva"), priority=-1),
        DocumentRow("alone", STORIES["jpn_Jpan"]),
        DocumentRow("0" * 31 + "1", STORIES["tha_Thai"], url="https://a.example/x?utm_source=y"),
        DocumentRow("0" * 31 + "2", STORIES["rus_Cyrl"], url="http://A.example/x/"),
        DocumentRow("same", STORIES["arb_Arab"]),
        DocumentRow("same", STORIES["cmn_Hant"]),
    ]
    none = dict.fromkeys(("failed", "gated", "scored", "alone", "same"), None)
    given = marks(collect(lambda start: start | NearDuplicates(quality="quality.score"), rows))
    longer = max("12", key=lambda last: len(rows[5 + int(last)].text or ""))
    shorter = "12".replace(longer, "")
    urls = {"0" * 31 + longer: None, "0" * 31 + shorter: "0" * 31 + longer}
    assert given == none | {"short": "scored", "low": "scored"} | urls
    apart = marks(collect(lambda start: start | NearDuplicates(url=False), rows))
    assert apart["0" * 31 + "1"] is apart["0" * 31 + "2"] is None
    exact = marks(collect(lambda start: start | NearDuplicates(threshold=1.0, url=False), rows))
    assert exact["low"] is None and exact["short"] != exact["scored"]


def test_no_documents_give_none() -> None:
    assert collect(lambda start: start | beam.Filter(bool) | NearDuplicates(), [0]) == []


# --- tokens ---


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tokenizer.json trained on the stories."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet
    )
    made.train_from_iterator(STORIES.values(), trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return str(path)


@pytest.mark.parametrize("remote", [False, True])
def test_tokens_are_those_of_the_tokenizer(tokenizer: str, remote: bool) -> None:
    encoder = load_encoder(tokenizer)
    if remote:
        storage.write_bytes("memory://tokenizers/tokenizer.json", Path(tokenizer).read_bytes())
        tokenizer = "memory://tokenizers/tokenizer.json"
    rows = collect(
        lambda start: start | Tokenize(tokenizer), [*stories(), DocumentRow("gated", gate="warc.status")]
    )
    texts = {row.id: row.text or "" for row in stories()}
    assert {row.id for row in rows} == set(texts)
    for row in rows:
        assert encoder.decode(row.tokens) == texts[row.id]
        assert list(row.tokens) == encoder.reference(texts[row.id]).tolist()


# --- options ---


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReadRecords({"kind": "wark", "paths": ["x"]}), "ReadRecords: kind: unknown kind 'wark'"),
        (lambda: ReadRecords({"kind": "warc"}), "ReadRecords: paths: this key is required"),
        (lambda: ReadRecords({"kind": "warc", "paths": ["a"], "x": 1}), "ReadRecords: x: unknown key"),
        (lambda: ReadRecords({"kind": "warc", "paths": ["a"]}, name="a b"), "'a b' is not a name"),
        (lambda: ReadRecords({"kind": "warc", "paths": ["a"]}, split_size="x"), "split_size"),
        (lambda: Extract("slow"), "Extract: mode: "),
        (lambda: Extract(max_bites=1), "Extract has no option 'max_bites'"),
        (lambda: Measure(["gofer"]), "unknown filter 'gofer'"),
        (lambda: Measure(["text"], {"gopher": {}}), "options for 'gopher', which it does not measure"),
        (lambda: ApplyRules(["gofer"]), "no rules named 'gofer'"),
        (
            lambda: ApplyRules(rules={"quality.score": {"top_share": 0.1}}),
            "needs the scores of a whole corpus",
        ),
        (
            lambda: NearDuplicates(threshold=2),
            "NearDuplicates: minhash.threshold: give a number of at most 1",
        ),
        (lambda: NearDuplicates(partitions=0), "partitions: at least 1"),
        (
            lambda: NearDuplicates(containment=0.9),
            "containment: documents inside longer ones are found in builds alone",
        ),
        (lambda: Tokenize("/none.json"), "Tokenize: cannot read /none.json: No such file or directory"),
    ],
)
def test_a_wrong_option_is_one_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)


def test_a_rule_on_a_signal_that_was_not_measured_fails_the_pipeline() -> None:
    with pytest.raises(Exception, match="was not measured: add 'gopher' to Measure"):
        collect(lambda start: start | Measure(["text"]) | ApplyRules(["gopher_quality"]), stories())


# --- any runner ---


def add_all(pipeline: beam.Pipeline, tokenizer: str) -> None:
    """Every transform, typed from one end to the other."""
    read = pipeline | ReadRecords({"kind": "warc", "paths": [f"gs://{PROJECT}-in/*.warc.gz"]})
    extracted = read.records | Extract()
    measured = extracted.documents | IdentifyLanguage() | Measure(STEPS) | ApplyRules(["gopher_quality"])
    documents = measured | NearDuplicates()
    tokens = documents | Tokenize(tokenizer)
    types: Mapping[type, list[Any]] = {
        RecordRow: [read.records],
        FailureRow: [read.failures, extracted.failures],
        DocumentRow: [extracted.documents, measured, documents],
        TokensRow: [tokens],
    }
    for row_type, collections in types.items():
        assert [collection.element_type for collection in collections] == [row_type] * len(collections)


def test_it_becomes_a_dataflow_job_whose_shuffles_are_never_pickled(tokenizer: str) -> None:
    with mock.patch("apache_beam.io.gcp.gcsio.GcsIO.is_soft_delete_enabled", return_value=False):
        pipeline = beam.Pipeline(options=DATAFLOW.options("transforms"))
        add_all(pipeline, tokenizer)
        job = pipeline.run().job
    components = job.proto_pipeline.components

    def urns(coder: str) -> set[str]:
        given = components.coders[coder]
        return {given.spec.urn}.union(*(urns(inner) for inner in given.component_coder_ids))

    shuffles = [t for t in components.transforms.values() if t.spec.urn == "beam:transform:group_by_key:v1"]
    assert len(shuffles) > 10
    for transform in shuffles:
        for collection in transform.inputs.values():
            assert urns(components.pcollections[collection].coder_id) <= PLAIN, transform.unique_name


# --- the page ---


def example() -> str:
    """The program in docs/beam.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "beam.md").read_text("utf-8"), re.DOTALL)
    return str(code)


def test_the_example_runs(tmp_path: Path, tokenizer: str) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example(), "docs/beam.md", "exec"), names)
    names["run"](str(DEMO), tokenizer, str(tmp_path), Running().options("example"))

    def read(name: str) -> list[dict[str, Any]]:
        lines = [line for path in tmp_path.glob(f"{name}-*") for line in path.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    documents = {row["id"]: row for row in read("documents")}
    tokens = {row["id"]: row["tokens"] for row in read("tokens")}
    assert len(documents) > 400 and read("failures") == []
    assert len({row["language"] for row in documents.values()}) > 15
    kept = {id for id, row in documents.items() if names["is_kept"](beam.Row(**row))}
    assert set(tokens) == kept and len(kept) > 200
    replaced = [row for row in documents.values() if row["duplicate_of"] is not None]
    assert len(replaced) > 30 and {row["duplicate_of"] for row in replaced} <= kept
    encoder = load_encoder(tokenizer)
    for id in list(kept)[:20]:
        assert content_hash(encoder.decode(tokens[id])) == content_hash(documents[id]["text"])


@pytest.mark.parametrize("has_tokenizer", [False, True])
def test_the_example_started_elsewhere_ends_in_one_line(
    tmp_path: Path, tokenizer: str, has_tokenizer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if has_tokenizer:
        (tmp_path / "demo-workspace" / "tokenizer").mkdir(parents=True)
        shutil.copy(tokenizer, "demo-workspace/tokenizer/tokenizer.json")
    code = example().replace(
        'str(data_path("demo"))', '"nowhere"' if has_tokenizer else 'str(data_path("demo"))'
    )
    with pytest.raises(SystemExit) as ended:
        exec(compile(code, "docs/beam.md", "exec"), {"__name__": "__main__"})
    line = str(ended.value.code)
    if has_tokenizer:
        assert line.startswith("ReadRecords: no such file: nowhere/*.warc.gz (looked for ")
    else:
        assert (
            line == "Tokenize: cannot read demo-workspace/tokenizer/tokenizer.json: No such file or directory"
        )


@pytest.mark.parametrize(
    ("paths", "line"),
    [
        (["nowhere/*.jsonl"], "no such file: nowhere/\\*.jsonl"),
        (["there.jsonl", "gone.jsonl"], "no such file: gone.jsonl"),
        (["@gone.txt"], "cannot read the list .*gone.txt"),
    ],
)
def test_input_that_is_not_there_is_said_before_the_pipeline_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.jsonl").write_text('{"text": "河"}\n')
    with pytest.raises(UserError, match=f"^ReadRecords: {line}"):
        beam.Pipeline(options=Running().options("missing")) | ReadRecords({"kind": "jsonl", "paths": paths})


def test_the_page_names_every_field() -> None:
    text = (ROOT / "docs" / "beam.md").read_text("utf-8")
    for row_type in (RecordRow, DocumentRow, FailureRow, TokensRow):
        assert [field for field in row_type._fields if f"`{field}`" not in text] == []


def test_plugins_of_a_users_own_are_read_and_measured(tmp_path: Path) -> None:
    """A source and a filter that lie in a folder of plug-ins."""
    lab = write_lab(tmp_path / "lab")
    (lab / "mylab").rename(lab / "lab_of_transforms")
    plugins.add_folders([str(lab)])
    source = {"kind": "lab_of_transforms.sources:Sections", "paths": [str(lab / "poems" / "*.txt")]}
    step = "lab_of_transforms.signals:Readability"
    with beam.Pipeline(options=Running().options("plugins")) as pipeline:
        records = pipeline | ReadRecords(source, name="poems")
        extracted = records.records | Extract()
        measured = (
            extracted.documents
            | IdentifyLanguage()
            | Measure([step, "text"])
            | ApplyRules(rules={"readability.words_per_sentence": {"max": 9}}, steps=[step])
        )
        write_rows(tmp_path, measured=measured)
    rows = {row["text"]: row["signals"] for row in read_rows(tmp_path, "measured")}
    failing = {row["text"]: row["failed_rules"] for row in read_rows(tmp_path, "measured")}
    assert failing[TEXTS[0]] == ["readability.words_per_sentence.max"]
    assert sorted(rows) == sorted(TEXTS)
    assert rows[TEXTS[0]]["readability.words_per_sentence"] == 9.5
    assert rows[TEXTS[0]]["readability.failed"] == 0 and rows[TEXTS[1]]["text.words"] > 10
    with pytest.raises(UserError, match=r"lab_of_transforms\.signals has no Nothing"):
        Measure(["lab_of_transforms.signals:Nothing"])
    with pytest.raises(UserError, match="takes a fastText model, not the plug-in"):
        IdentifyLanguage("lab_of_transforms.lid:Mine")
