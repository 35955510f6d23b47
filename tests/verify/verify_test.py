"""`corpus verify`: nothing to say of a finished build, and the right thing of every damage."""

from __future__ import annotations

import json
import platform
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import tokenizers
from tokenizers import normalizers

import corpus
from corpus.data import data_path
from corpus.document import content_hash
from corpus.document_schema import DOCUMENTS_SCHEMA
from corpus.errors import RunError, UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.changes import explain_changes
from corpus.pipelines.build.plan import make_plan
from corpus.pipelines.build.rebuild import rebuild_splits
from corpus.pipelines.cli.sample import sample
from corpus.pipelines.cli.stats import stats
from corpus.pipelines.cli.verify import verify
from corpus.storage.fingerprint import fingerprint
from corpus.storage.part_writer import FINGERPRINT_KEY, PartWriter
from corpus.tokens.encode import Encoder
from corpus.verify import join
from corpus.verify.findings import CHECKS, Findings
from corpus.verify.parts import is_documented
from corpus.verify.text import decode_rows, vocabulary_bytes
from corpus.verify.workspace import verify_workspace as check
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.ledger.demo import demo_workspace


@pytest.fixture(scope="module")
def sound() -> Workspace:
    return corpus.open(str(demo_workspace()))


@pytest.fixture
def copy(sound: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(sound.root, tmp_path / "copy")
    return corpus.open(str(tmp_path / "copy"))


def change(path: str, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Write a part again with other rows, as if it had been made so; its row groups stay."""
    file = pq.ParquetFile(path)
    metadata = dict(file.schema_arrow.metadata)
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    table = edit(file.read())
    file.close()
    with PartWriter(path, table.schema.with_metadata(metadata), metadata[FINGERPRINT_KEY].decode()) as writer:
        writer.schema = writer.schema.with_metadata(metadata)
        first = 0
        for size in sizes:
            writer.write(table.slice(first, size))
            first += size


def put(table: pa.Table, name: str, row: int, value: Any) -> pa.Table:
    values = table.column(name).to_pylist()
    values[row] = value
    column = pa.array(values, table.schema.field(name).type)
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)


def largest(workspace: Workspace, folder: str = "documents") -> str:
    paths = [workspace.part(folder, *split) for split in workspace.splits()]
    return max(paths, key=lambda path: Path(path).stat().st_size)


def wrong(found: Findings) -> dict[str, str]:
    """The checks that do not hold, each with its first problem."""
    return {name: one.problems[0] for name, one in found.checks.items() if one.wrong}


def test_a_finished_build_holds_and_everything_was_looked_at(sound: Workspace) -> None:
    found = check(sound.root)
    assert wrong(found) == {}
    looked = {name: one.looked for name, one in found.checks.items()}
    kept = sum(shard["rows"] for shard in sound.tokens()["shards"])
    assert looked["decisions"] == sound.documents().count_rows()
    assert looked["validation"] == looked["shards"] == looked["tokens"] == kept
    assert all(looked[name] for name in CHECKS if name != "rebuild")


def test_more_processes_find_the_same(sound: Workspace) -> None:
    assert check(sound.root, workers=2) == check(sound.root)


def test_the_command_prints_a_table_of_80_columns(sound: Workspace) -> None:
    printed = run(verify, sound.root)
    assert max(map(len, printed.splitlines())) <= 80
    assert "every kept document is in exactly one row" in printed
    found = json.loads(run(verify, sound.root, "--json"))
    assert list(found) == list(CHECKS) and not any(one["wrong"] for one in found.values())


def test_a_missing_part_and_one_too_many(copy: Workspace) -> None:
    path = Path(largest(copy))
    path.rename(path.with_name("part-0123456789abcdef.parquet"))
    found = wrong(check(copy.root))
    assert "part-0123456789abcdef.parquet belongs to no input split of the plan" in found["files"]
    assert "counts" in found and "shards" in found
    with pytest.raises(RunError, match=r"fails \d of 11 checks: files.*; begin with files: what is missing"):
        run(verify, copy.root)


def test_one_flipped_bit_of_a_part(copy: Workspace) -> None:
    path = Path(largest(copy))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert (
        f"documents/source={path.parent.name.partition('=')[2]}/{path.name}, row group"
        in (wrong(check(copy.root))["checksums"])
    )


def test_one_flipped_bit_of_a_shard(copy: Workspace) -> None:
    shard = Path(copy.path("tokens", copy.tokens()["shards"][0]["path"]))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert "its SHA-256 is not that of dataset.json" in wrong(check(copy.root))["checksums"]


def test_a_shard_cut_short(copy: Workspace) -> None:
    shard = Path(copy.path("tokens", copy.tokens()["shards"][0]["path"]))
    shard.write_bytes(shard.read_bytes()[:-1000])
    found = wrong(check(copy.root))
    assert "checksums" in found and "is not in any shard" in found["shards"]


@pytest.mark.parametrize("language", ["cmn_Hans", "jpn_Jpan", "tha_Thai", "arb_Arab", "hin_Deva", "rus_Cyrl"])
def test_another_text(copy: Workspace, language: str) -> None:
    """The stored hash gives away a text that was changed; a changed hash as well, the tokens."""
    for source, split in copy.splits():
        table = pq.read_table(copy.part("documents", source, split), partitioning=None)
        kept = pq.read_table(copy.part("decisions", source, split), partitioning=None)["kept"]
        rows = np.flatnonzero(
            pc.and_(kept, pc.equal(table["language"], language)).fill_null(False).to_numpy()
        )
        if len(rows):
            break
    row = int(rows[0])
    text = table["text"][row].as_py()
    other = text[1:] + text[0]
    path = copy.part("documents", source, split)
    change(path, lambda table: put(table, "text", row, other))
    found = wrong(check(copy.root))
    assert found == {
        "checksums": f"documents/source={source}/part-{split}.parquet: the text does not match its checksum: rows {row}"
    }
    change(path, lambda table: put(table, "content_hash", row, content_hash(other)))
    found = wrong(check(copy.root))
    assert "do not decode to its text" in found["tokens"]
    assert set(found) <= {"tokens", "validation", "checksums"}, (
        "validation is by content where groups are few"
    )
    assert "dedup/signatures/" in found.get("checksums", "dedup/signatures/"), (
        "of which a sample is made again"
    )


def test_decisions_that_do_not_follow(copy: Workspace) -> None:
    path = largest(copy, "decisions")
    kept = pq.read_table(path, partitioning=None)["kept"].to_pylist()
    out, back = kept.index(True), kept.index(False)
    change(path, lambda table: put(put(table, "kept", out, False), "split", out, None))
    found = wrong(check(copy.root))
    assert "kept against its gate, rules or duplicates" in found["decisions"]
    assert "is in a shard but not kept" in found["shards"]
    assert "counts" in found
    change(path, lambda table: put(put(table, "kept", back, True), "split", back, "train"))
    assert any("is not in any shard" in problem for problem in check(copy.root).checks["shards"].problems)


def test_a_validation_document_in_training(copy: Workspace) -> None:
    for source, split in copy.splits():
        sides = pq.read_table(copy.part("decisions", source, split), partitioning=None)["split"].to_pylist()
        if "valid" in sides:
            break
    change(
        copy.part("decisions", source, split),
        lambda table: put(table, "split", sides.index("valid"), "train"),
    )
    found = wrong(check(copy.root))
    assert "a group in the wrong split" in found["validation"]
    assert "another split, source, language or size" in found["shards"]


def test_parts_of_other_documents(copy: Workspace) -> None:
    one, other = (copy.part("signals/gopher", *split) for split in copy.splits()[:2])
    shutil.copy(one, other)
    assert "was not made from the documents beside it" in wrong(check(copy.root))["fingerprints"]


def test_another_column(copy: Workspace) -> None:
    change(largest(copy), lambda table: table.rename_columns(["name", *table.column_names[1:]]))
    assert "has other columns: name, content_hash" in wrong(check(copy.root))["schema"]


def test_parts_of_earlier_versions_lack_later_columns() -> None:
    earlier = DOCUMENTS_SCHEMA.remove(DOCUMENTS_SCHEMA.get_field_index("opt_out"))
    assert is_documented("documents", DOCUMENTS_SCHEMA) and is_documented("documents", earlier)
    assert not is_documented("documents", earlier.remove(0))


def test_a_ledger_that_tells_other_numbers(copy: Workspace) -> None:
    path = copy.path("stats", "counts.parquet")
    table = pq.read_table(path)
    row = table["what"].to_pylist().index("kept")
    change(path, lambda table: put(table, "documents", row, table["documents"][row].as_py() + 1))
    found = wrong(check(copy.root))
    assert list(found) == ["counts"] and "the ledger says" in found["counts"]


def test_another_tokenizer(copy: Workspace) -> None:
    path = Path(copy.path("tokenizer", "tokenizer.json"))
    path.write_text(path.read_text().replace("\n", "\n\n", 1))
    assert "is not the tokenizer of the shards" in wrong(check(copy.root))["checksums"]
    dataset = Path(copy.path("tokens", "dataset.json"))
    dataset.write_text(dataset.read_text().replace('"name": "demo"', '"name": "other"'))
    assert "dataset.json does not match its checksum" in wrong(check(copy.root))["checksums"]


def test_an_unfinished_build_is_told_in_a_line(copy: Workspace) -> None:
    Path(copy.path("state.json")).unlink()
    with pytest.raises(UserError, match="is not a finished build: resume it with `corpus build`"):
        check(copy.root)


def test_ids_are_compared_in_files_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = pa.array([f"{number:032x}" for number in range(0, 1000 << 64, 1 << 64)])
    monkeypatch.setattr(join, "RECORDS_PER_BUCKET", 100)
    findings = Findings()
    with join.Join(2000) as joined:
        assert joined.buckets == 20
        joined.add(join.build_records(join.KIND_KEPT, ids))
        joined.add(join.build_records(join.KIND_ROW, ids.slice(1)))
        joined.add(join.build_records(join.KIND_ROW, ids.slice(5, 2)))
        joined.add(join.build_records(join.KIND_STANDS, pa.array(["f" * 32, ids[3].as_py()])))
        joined.check(findings)
    assert sorted(findings.checks["shards"].problems) == sorted(
        [
            f"kept document {0:032x} is not in any shard",
            *(f"document {number << 64:032x} is in 2 rows of shards" for number in (5, 6)),
        ]
    )
    assert findings.checks["ids"].problems == [
        f"document {'f' * 32} has duplicates that refer to it but is not kept"
    ]
    assert findings.checks["ids"].looked == 1002


def test_tokens_give_texts_back() -> None:
    encoder = Encoder(Path(corpus_tokenizer()).read_bytes())
    texts = ["河から 遠く", "", "ไทย ไม่เว้นวรรค", "שלום مرحبا", "emoji 👩‍👩‍👧 \x00\t\n", "नमस्ते दुनिया"]
    rows = [[*encoder.encode(text).tolist(), encoder.end_of_text] for text in texts]
    batch = pa.record_batch([pa.array(rows, pa.list_(pa.uint16()))], ["tokens"])
    vocabulary = vocabulary_bytes(encoder)
    assert [text.decode() for text in decode_rows(batch, vocabulary)] == texts
    assert [text.decode() for text in decode_rows(batch.slice(2, 2), vocabulary)] == texts[2:4]


def corpus_tokenizer() -> str:
    return corpus.open(str(demo_workspace())).path("tokenizer", "tokenizer.json")


def test_a_tokenizer_that_normalizes_is_compared_by_its_tokens(tmp_path: Path) -> None:
    normalizing = tokenizers.Tokenizer.from_file(corpus_tokenizer())
    normalizing.normalizer = normalizers.NFKC()
    normalizing.save(str(tmp_path / "nfkc.json"))
    (tmp_path / "in.jsonl").write_text(
        "\n".join(json.dumps({"text": f"ﬁve ｆｕｌｌ ①② {number} 全角ﾊﾝｶｸ"}) for number in range(5))
    )
    (tmp_path / "m.yaml").write_text(
        "name: nfkc\nsources: {mine: {kind: jsonl, paths: [in.jsonl], rules: []}}\ntokenizer: nfkc.json\n"
        "dedup: false\n"
    )

    built = build_workspace(str(tmp_path / "m.yaml"), str(tmp_path / "out"), Running(workers=1))
    found = check(built.root)
    assert wrong(found) == {} and found.checks["tokens"].looked == 5


def test_splits_made_again_have_the_same_bytes(sound: Workspace) -> None:
    found = rebuild_splits(sound.root, 2)  # from where the manifest lay: its paths are relative
    assert wrong(found) == {}
    assert found.checks["rebuild"].looked >= 2 * (3 + len(sound.steps()))


def test_what_is_not_made_again_the_same_is_told(copy: Workspace) -> None:
    for split in copy.splits():
        change(copy.part("signals/text", *split), lambda table: put(table, "text.words", 0, 7.0))
    found = rebuild_splits(copy.root, 1, manifest=str(data_path("demo.yaml")))
    assert "signals/text/source=" in wrong(found)["rebuild"] and "bytes differ" in wrong(found)["rebuild"]
    assert found.checks["rebuild"].wrong == 1
    assert "built with" not in wrong(found)["rebuild"], "the environment is the same"


def test_a_rebuild_by_another_python_says_that_it_is_the_python(
    copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    timings = Path(copy.path("timings.json"))
    timings.write_text(timings.read_text().replace(platform.python_version(), "3.9.1"))
    same = rebuild_splits(copy.root, 1, manifest=str(data_path("demo.yaml")))
    assert wrong(same) == {}, "the same bytes need no words about versions"
    another = f"built with Python 3.9.1; here: Python {platform.python_version()}"
    for split in copy.splits():
        change(copy.part("signals/text", *split), lambda table: put(table, "text.words", 0, 7.0))
    found = rebuild_splits(copy.root, 1, manifest=str(data_path("demo.yaml")))
    assert f"bytes differ ({another})" in wrong(found)["rebuild"]
    monkeypatch.setattr(unicodedata, "unidata_version", "3.0")
    found = rebuild_splits(copy.root, 1, manifest=str(data_path("demo.yaml")))
    assert f"made by other versions, or from another input or manifest ({another})" in wrong(found)["rebuild"]
    plan = make_plan(str(data_path("demo.yaml")))
    (line, *_) = explain_changes(copy, plan, copy.read_state() or {}, [])
    assert line.endswith(f"input splits to read again: all input changed, or {another}")


def test_an_input_that_is_not_there_is_told_with_what_to_do(copy: Workspace) -> None:
    path = Path(copy.path("manifest.yaml"))
    path.write_text(path.read_text().replace(".gz", ".gone"))
    with pytest.raises(
        UserError, match=r"name its manifest with --manifest \(it was built from /.*demo\.yaml\)"
    ):
        rebuild_splits(copy.root, 1)
    Path(copy.path("timings.json")).unlink()
    with pytest.raises(UserError, match="name its manifest with --manifest, as relative paths need"):
        rebuild_splits(copy.root, 1)


def test_a_description_hashes_without_its_own_hash(sound: Workspace) -> None:
    said = {key: value for key, value in sound.tokens().items() if key != "fingerprint"}
    assert fingerprint(said) == sound.tokens()["fingerprint"]


@pytest.mark.parametrize(
    "pattern",
    [
        "tokens/split=*/**/*.arrow",
        "dedup/clusters.parquet",
        "tokenizer/card.json",
        "manifest.yaml",
        "dedup/signatures/**/*.arrow",
    ],
)
def test_a_file_that_is_removed_is_made_anew_by_the_same_build(copy: Workspace, pattern: str) -> None:
    path = sorted(Path(copy.root).glob(pattern))[0]
    before = path.read_bytes()
    path.unlink()
    said: list[str] = []
    build_workspace(str(data_path("demo.yaml")), copy.root, Running(workers=1), said.append)
    assert path.read_bytes() == before and wrong(check(copy.root)) == {}
    assert any(path.name in line and line.startswith("missing, and made again") for line in said)


@pytest.mark.parametrize("name", ["manifest.yaml", "tokens/dataset.json", "plan.json"])
def test_a_damaged_description_is_named_with_what_mends_it(copy: Workspace, name: str) -> None:
    Path(copy.path(name)).write_text("{")
    with pytest.raises(RunError) as caught:
        check(copy.root)
    advice = "remove it and run the same `corpus build`, which makes it anew"
    assert str(caught.value) == f"{copy.path(name)} is damaged: {advice}"


DESCRIPTIONS = ["manifest.yaml", "plan.json", "tokens/dataset.json", "workspace.json"]


@pytest.mark.parametrize("name", [*DESCRIPTIONS, "state.json"])
@pytest.mark.parametrize("content", ["", "garbage\n", "[1]\n", "{}\n", "\x00\xff"])
def test_damage_is_told_in_the_same_line_of_each_description(
    copy: Workspace, name: str, content: str
) -> None:
    Path(copy.path(name)).write_text(content, encoding="latin-1")
    if (name, content) == ("state.json", "{}\n"):
        with pytest.raises(UserError, match="is not a finished build"):
            check(copy.root)
        return
    with pytest.raises(RunError, match=rf"^{copy.path(name)} is damaged: remove it and run the same"):
        check(copy.root)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_lost_description_is_told_and_made_anew(copy: Workspace, name: str) -> None:
    path = Path(copy.path(name))
    before = path.read_bytes()
    path.unlink()
    with pytest.raises(
        RunError, match=r"^\S+ has lost its [\w. ]+: run its `corpus build` again, which makes"
    ):
        check(copy.root)
    build_workspace(str(data_path("demo.yaml")), copy.root, Running(workers=1))
    assert path.read_bytes() == before and wrong(check(copy.root)) == {}


@pytest.mark.parametrize("name", ["counts", "domains", "quarantine"])
@pytest.mark.parametrize("content", [None, "", "garbage\n"])
def test_a_table_of_the_ledger_that_cannot_be_read_is_a_finding(
    copy: Workspace, name: str, content: str | None
) -> None:
    path = Path(copy.path("stats", f"{name}.parquet"))
    path.unlink() if content is None else path.write_text(content)
    found = wrong(check(copy.root))
    assert list(found) == ["files" if content is None else "checksums"]
    assert next(iter(found.values())).startswith(f"{path} is missing" if content is None else f"{path}: ")
    if name == "counts":
        line = f"{copy.root} has lost" if content is None else f"{path} is damaged: remove it"
        with pytest.raises(RunError, match=f"^{line}"):
            run(stats, copy.root)


@pytest.mark.parametrize("folder", ["documents", "decisions", "signals/gopher"])
def test_a_damaged_part_is_named_where_documents_are_shown(copy: Workspace, folder: str) -> None:
    for source, split in copy.splits():
        Path(copy.part(folder, source, split)).write_text("garbage\n")
    with pytest.raises(RunError, match=rf"^{copy.path(folder)}/source=\S+\.parquet is damaged: remove it"):
        run(sample, copy.root)
