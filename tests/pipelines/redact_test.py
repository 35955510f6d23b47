"""Private data in a build: found in stored texts, masked where they are read, switched by `corpus decide`."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from rich.console import Console
from tokenizers import Tokenizer

from corpus.classifier.training_texts import read_texts
from corpus.edits.applied import read_applied, read_applied_edits
from corpus.edits.parts import edits_path, read_edits
from corpus.errors import RunError, UserError
from corpus.export.documents import export_documents
from corpus.inspect.sample_page import build_sample_page
from corpus.inspect.samples import DocumentQuery, choose_documents
from corpus.ledger.tables import read_ledger
from corpus.pipelines import stored_search
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.redecide import compare_changes, decide_again
from corpus.pipelines.cli.decide import show_edits
from corpus.pipelines.redact import PrivateSearch
from corpus.text.page import Page
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES

PAGE = Path(__file__).parents[2] / "docs" / "edits.md"
TEXTS = {
    "eng_Latn": "Write to jane.doe@example.org, or to JANE.DOE@example.org; bob@example.org has left.",
    "cmn_Hans": "联系邮箱zhang_wei@163.com，电话：010-64870663，谢谢。",
    "jpn_Jpan": "メール：sato＠example.co.jpまで。サーバーは193.99.144.80です。",
    "tha_Thai": "อีเมล somchai@chula.ac.th ครับ โทร 02-218-2000",
    "arb_Arab": "بريد ahmed@example.com.sa الآن. هاتف: ٠٥٠١٢٣٤٥٦٧",
    "hin_Deva": "ईमेल ravi@example.in पर लिखें। फोन: ९८७६५४३२१०",
    "rus_Cyrl": "Пишите на почту иван@почта.рф или на ivan@example.ru.",
}
MASKED = {
    "eng_Latn": "Write to <email-1>, or to <email-1>; <email-2> has left.",
    "cmn_Hans": "联系邮箱<email-1>，电话：010-64870663，谢谢。",
    "jpn_Jpan": "メール：<email-1>まで。サーバーは<ip-1>です。",
    "tha_Thai": "อีเมล <email-1> ครับ โทร 02-218-2000",
    "arb_Arab": "بريد <email-1> الآن. هاتف: ٠٥٠١٢٣٤٥٦٧",
    "hin_Deva": "ईमेल <email-1> पर लिखें। फोन: ९८७६५४३२१०",
    "rus_Cyrl": "Пишите на почту <email-1> или на <email-2>.",
}
PRIVATE = re.compile(r"[@＠]|193\.99")


def write_input(folder: Path) -> None:
    lines = [json.dumps({"text": f"{STORIES[name].strip()}\n{text}"}) for name, text in TEXTS.items()]
    lines += [json.dumps({"text": STORIES[name]}) for name in TEXTS]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_manifest(folder: Path, more: str = "", name: str = "m") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(
        "name: m\nsplit_size: 4kB\ntokenizer: {vocabulary: 400}\nvalidation: {share: 0.4}\n"
        f"sources:\n  a: {{kind: jsonl, paths: [a.jsonl], rules: []}}\ndedup: false\n{more}\n",
        encoding="utf-8",
    )
    return str(path)


def build(folder: Path, more: str = "", out: str = "out", workers: int = 1) -> Workspace:
    return build_workspace(write_manifest(folder, more, out), str(folder / out), Running(workers=workers))


def read_tokens(workspace: Workspace, side: str | None = None) -> list[str]:
    tokenizer = Tokenizer.from_file(workspace.path("tokenizer", "tokenizer.json"))
    rows = workspace.shards().to_table().to_pylist()
    texts = [
        (row["bytes"], tokenizer.decode(row["tokens"][:-1])) for row in rows if side in (None, row["split"])
    ]
    assert all(size == len(text.encode()) for size, text in texts)
    return sorted(text for _, text in texts)


def hash_files(workspace: Workspace, folder: str) -> dict[str, bytes]:
    root = Path(workspace.root, folder)
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


def hash_shards(workspace: Workspace) -> Any:
    return [workspace.tokens()["shards"], workspace.tokens()["tokenizer"], workspace.tokens()["fingerprint"]]


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("masked")
    write_input(folder)
    return build(folder, "redact: [email, ip]")


def test_edits_signals_and_counts_lie_beside_the_documents(masked: Workspace) -> None:
    stored = masked.documents().to_table().column("text").to_pylist()
    assert sorted(stored) == sorted(
        [
            *(f"{STORIES[name].strip()}\n{text}" for name, text in TEXTS.items()),
            *(STORIES[name].strip() for name in TEXTS),
        ]
    )
    places = {"email": 0, "ip": 0}
    for source, split in masked.splits():
        signals = pq.read_table(masked.part("signals/private", source, split))
        assert signals.column_names == ["private.email", "private.ip"]
        for name in places:
            places[name] += int(sum(signals[f"private.{name}"].to_pylist()))
        for _, edits in read_edits(masked, source, split).documents():
            assert all(edit.kind in places for edit in edits)
    assert places == {"email": 10, "ip": 1} and len(masked.splits()) > 2
    rows = read_ledger(masked, ["edits"])["edits"].to_pylist()
    assert sum(row["spans"] for row in rows) == 11 and all(row["applied"] for row in rows)
    assert {row["language"] for row in rows} == set(TEXTS)
    assert verify_workspace(masked.root).good


def see_signals(workspace: Workspace) -> list[str]:
    documents = workspace.documents().to_table(columns=["text"])["text"].to_pylist()
    words = workspace.signals("gopher").to_table()["gopher.words"].to_pylist()
    assert words == [len(Page(text, None).words) for text in documents]
    return documents


def see_sample(workspace: Workspace) -> list[str]:
    rows = choose_documents(workspace, DocumentQuery(kept=True), 100, 0)
    page = build_sample_page(rows, "title", full=True)
    texts = re.findall(r'<div class="text">(.*?)</div>', page, re.DOTALL)
    assert any("<del" in text and "&lt;email-1&gt;" in text for text in texts)
    return [re.sub(r"<del[^>]*>.*?</del>", "", text) for text in texts]


def see_export(workspace: Workspace) -> list[str]:
    out = Path(workspace.root).parent / "exported"
    export_documents(workspace, str(out))
    try:
        texts = []
        for path in sorted(out.rglob("*.zst")):
            lines = zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read().splitlines()
            texts += [json.loads(line)["text"] for line in lines]
        stated = json.loads((out / "export.json").read_text())
        assert stated["bytes"] == sum(len(text.encode()) for text in texts)
        return texts
    finally:
        shutil.rmtree(out)


def see_tokenizer(workspace: Workspace) -> list[str]:
    paths = [Path(workspace.part("tokenizer/sample/pieces", *split)) for split in workspace.splits()]
    return [piece for path in paths for piece in map(str, pq.read_table(path).column(0).to_pylist())]


READERS: dict[str, Callable[[Workspace], list[str]]] = {
    "signals": see_signals,
    "tokenizer": see_tokenizer,
    "token shards": read_tokens,
    "validation": lambda workspace: read_tokens(workspace, "valid"),
    "training texts of classifiers": lambda workspace: [
        text.text for text in read_texts(f"{workspace.root}:source=a")
    ],
    "exports of documents": see_export,
    "samples": see_sample,
}


def read_table_of_readers() -> dict[str, str]:
    rows = re.findall(r"^\| ([^|]+) \| (stored|edited)[^|]*\|", PAGE.read_text("utf-8"), re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_has_the_texts_that_the_page_says(masked: Workspace, reader: str) -> None:
    texts = READERS[reader](masked)
    assert texts
    wanted = "stored" if any(PRIVATE.search(text) for text in texts) else "edited"
    assert read_table_of_readers()[reader] == wanted


def test_masks_stand_where_the_data_stood(masked: Workspace) -> None:
    with_masks = [f"{STORIES[name].strip()}\n{text}" for name, text in MASKED.items()]
    assert read_tokens(masked) == sorted([*with_masks, *(STORIES[name].strip() for name in TEXTS)])


def test_the_bytes_depend_on_neither_workers_nor_what_was_there_before(
    tmp_path: Path, masked: Workspace
) -> None:
    write_input(tmp_path)
    more = "redact: [email, ip]"
    assert (tmp_path / "a.jsonl").read_bytes() == (Path(masked.root).parent / "a.jsonl").read_bytes()
    two = build(tmp_path, more, workers=2)
    for folder in ("edits", "signals/private", "tokens", "decisions"):
        assert hash_files(two, folder) == hash_files(masked, folder)
    source, split = two.splits()[0]
    Path(edits_path(two, "private", source, split)).unlink()
    Path(two.path("edits", "private", "counts.parquet")).unlink()
    with pytest.raises(RunError, match="were not made from the documents beside them"):
        read_applied_edits(two, source, split)
    build(tmp_path, more)
    for folder in ("edits", "signals/private", "tokens"):
        assert hash_files(two, folder) == hash_files(masked, folder)


def test_a_search_that_was_stopped_leaves_no_parts_of_other_kinds(
    masked: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_input(tmp_path)
    shutil.copytree(masked.root, tmp_path / "out")
    before = [hash_files(masked, name) for name in ("signals", "edits")]

    def stop_after_one(search: PrivateSearch, documents: Any, *_: Any) -> Any:
        list(search(json.dumps(stored_search.list_wanted(search, documents)[0])))
        raise RunError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(stored_search, "search_pipeline", stop_after_one)
        with pytest.raises(RunError, match="stopped"):
            build(tmp_path, "redact: [phone]")
    again = build(tmp_path, "redact: [email, ip]")
    assert [hash_files(again, name) for name in ("signals", "edits")] == before


def test_edits_that_are_not_applied_change_no_token(tmp_path: Path) -> None:
    write_input(tmp_path)
    plain = build(tmp_path, "", "plain")
    counted = build(tmp_path, "redact: {email: count, ip: count, phone: count}", "counted")
    assert hash_shards(plain) == hash_shards(counted)
    assert not Path(plain.path("edits")).exists()
    assert sum(row["spans"] for row in read_ledger(counted, ["edits"])["edits"].to_pylist()) == 15
    running = Running(workers=1)
    decide_again(counted.root, None, {"redact.email": "mask"}, running, lambda line: None)
    assert read_applied(counted) == {"a": {"private": ["email"]}}
    assert hash_shards(counted) != hash_shards(plain) and verify_workspace(counted.root).good
    [row] = {
        row["kind"]: row for row in read_ledger(counted, ["edits"])["edits"].to_pylist() if row["applied"]
    }
    assert row == "email"
    again = build(tmp_path, "redact: {email: mask, ip: count, phone: count}", "again")
    for folder in ("edits", "signals", "decisions", "tokens"):
        assert hash_files(again, folder) == hash_files(counted, folder)
    decide_again(
        counted.root, None, dict.fromkeys(("redact.email", "redact.ip"), "off"), running, lambda line: None
    )
    assert hash_shards(counted) == hash_shards(plain)


def test_what_if_counts_edits_and_reads_no_text(tmp_path: Path) -> None:
    write_input(tmp_path)
    workspace = build(tmp_path, "redact: {email: mask, ip: count}")
    running = Running(workers=1)
    difference = compare_changes(
        workspace.root, None, {"redact.email": "count", "redact.ip": "mask"}, running, 0
    )
    rows = {(row["kind"], row["language"]): row for row in difference.edits}
    assert rows["email", "eng_Latn"]["documents"] == [1, 0] and rows["email", "eng_Latn"]["spans"] == [3, 0]
    assert rows["ip", "jpn_Jpan"]["characters"] == [0, len("193.99.144.80")]
    printed = io.StringIO()
    show_edits(Console(file=printed, width=120), difference, "")
    lines = [line.split() for line in printed.getvalue().splitlines()]
    emails = [line[3:] for line in lines if line[0] == "email" and line[1] != "all"]
    [sums] = [line[2:] for line in lines if line[:2] == ["email", "all"]]
    assert len(emails) > 1 and sums == [str(sum(map(int, column))) for column in zip(*emails, strict=True)]
    assert not difference.rows and read_applied(workspace) == {"a": {"private": ["email"]}}
    with pytest.raises(UserError, match="phone is not among the private data that a was searched for"):
        compare_changes(workspace.root, None, {"redact.phone": "mask"}, running, 0)
    with pytest.raises(UserError, match="did you mean email"):
        compare_changes(workspace.root, None, {"redact.emial": "mask"}, running, 0)
    with pytest.raises(UserError, match="say mask, count or off"):
        compare_changes(workspace.root, None, {"redact.email": "hide"}, running, 0)
    dropped = compare_changes(workspace.root, None, {"private.email.max": 1.0}, running, 0)
    assert sum(row["gone"] for row in dropped.rows) == 2
    rows = {row["language"]: row for row in dropped.edits}
    assert rows["eng_Latn"]["spans"] == [3, 0] and "cmn_Hans" not in rows


def test_a_document_with_too_much_private_data_fails_a_rule(tmp_path: Path) -> None:
    write_input(tmp_path)
    workspace = build(tmp_path, "redact: {email: {drop_above: 2}, ip: {mode: count, drop_above: 0}}")
    failed = [rules for rules in workspace.decisions().to_table()["failed_rules"].to_pylist() if rules]
    assert sorted(failed) == [["private.email.max"], ["private.ip.max"]]
    assert read_applied(workspace) == {"a": {"private": ["email"]}}
    assert verify_workspace(workspace.root).good


LINE = "Subscribe to our newsletter with mail@example.org, and never miss a recipe of the week again!"


def test_repeated_text_is_cut_and_a_document_of_which_nothing_is_left_is_counted(tmp_path: Path) -> None:
    texts = [
        f"{LINE}\n\nStory {at} of a {word} that went home." for at, word in enumerate(("cat", "dog", "cow"))
    ]
    texts.append(LINE)
    lines = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = "dedup: {minhash: false, exact: false, url: false, paragraphs: {documents: 3}}\nredact: email\n"
    more = found + "clean: {repeats: [paragraphs]}"
    path = write_manifest(tmp_path, "", "out")
    Path(path).write_text(Path(path).read_text().replace("dedup: false\n", more + "\n").replace("0.4", "0"))
    workspace = build_workspace(path, str(tmp_path / "out"), Running(workers=1))
    first = f"{LINE.replace('mail@example.org', '<email-1>')}\n\nStory 0 of a cat that went home."
    expected = sorted([first, "Story 1 of a dog that went home.", "Story 2 of a cow that went home."])
    assert read_tokens(workspace) == expected == sorted(see_export(workspace))
    assert sorted(text.text for text in read_texts(f"{workspace.root}:source=a")) == expected
    assert workspace.tokens()["emptied"] == {"a": {"eng_Latn": 1}}
    rows = {row["kind"]: row for row in read_ledger(workspace, ["edits"])["edits"].to_pylist()}
    assert rows["emptied"]["documents"] == 1 and rows["emptied"]["step"] == "edits"
    assert verify_workspace(workspace.root).good
    difference = compare_changes(workspace.root, None, {"clean.repeats": "off"}, Running(workers=1), 0)
    assert [(row["kind"], row["documents"]) for row in difference.edits] == [("paragraph", [3, 0])]
    decide_again(workspace.root, None, {"clean.repeats": "off"}, Running(workers=1), lambda line: None)
    assert read_tokens(workspace) == sorted(text.replace("mail@example.org", "<email-1>") for text in texts)
    assert "emptied" not in workspace.tokens()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("redact: [emal]", "redact: no kind of private data is called 'emal': did you mean email?"),
        ("redact: {email: hide}", "redact: email: say count, mask, off"),
        ("redact: {email: {drop_abov: 1}}", "drop_abov: unknown key: did you mean drop_above?"),
        ("redact: {email: {drop_above: -1}}", "redact.email.drop_above: give a number "),
        ("redact: 7", "redact: private data is named [email, ip]"),
        ("clean: {repeats: true}", "clean.repeats: nothing marks the repeated text that it cuts"),
        ("clean: {repeats: [words]}", "clean.repeats[0]: "),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, more: str, message: str) -> None:
    write_input(tmp_path)
    with pytest.raises(UserError, match=re.escape(message)):
        build(tmp_path, more)
