"""New documents against those of earlier builds: workspaces, and sets of signatures without texts."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasketch import LeanMinHash

import corpus
from corpus.dedup.minhash import EMPTY_VALUE
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.dedup.signature_set import SignatureSetReader, serialize_signatures, set_schema
from corpus.errors import RunError, UserError
from corpus.export.signature_sets import export_signatures
from corpus.pipelines.cli.export import export
from corpus.pipelines.cli.sample import sample
from corpus.verify.workspace import verify_workspace
from corpus.workspace import Workspace
from tests.cli.running import run
from tests.dedup.texts import STORIES, edited

LANGUAGES = sorted(STORIES)


def write(folder: Path, name: str, texts: dict[str, tuple[str, str]], more: str = "") -> Path:
    """A manifest of documents: id -> (text, URL)."""
    lines = [json.dumps({"id": id, "text": text, "url": url}) for id, (text, url) in texts.items()]
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = folder / f"{name}.yaml"
    manifest.write_text(
        f"name: {name}\ntokenizer: {{vocabulary: 400}}\nvalidation: {{share: 0}}\n{more}\n"
        f"sources:\n  {name}: {{kind: jsonl, paths: [{name}.jsonl], rules: []}}\n"
    )
    return manifest


def build(manifest: Path, keeps: bool = True) -> dict[str, str | None]:
    """Build a corpus, which `keeps` some documents or none; return the level at which each was removed."""
    out = manifest.with_suffix("")
    with nullcontext() if keeps else pytest.raises(RunError, match="no document was kept"):
        corpus.build(str(manifest), str(out), workers=1)
    report = verify_workspace(str(out))
    assert report.good, report
    workspace = Workspace.open(str(out))
    removed = {row["row"]: row for row in clusters(out)}
    assert len(workspace.splits()) == 1
    texts = [
        json.loads(line)["id"] for line in manifest.with_suffix(".jsonl").read_text("utf-8").splitlines()
    ]
    return {id: removed[row]["level"] if row in removed else None for row, id in enumerate(texts)}


def clusters(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / "dedup" / "clusters.parquet").to_pylist()
    return rows


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a built corpus, old, of a story in each language, and its signatures, set."""
    folder = tmp_path_factory.mktemp("old")
    texts = {language: (STORIES[language], f"https://old.example/{language}") for language in LANGUAGES}
    # Two that resemble each other: the longer one is kept.
    texts["twin"] = (edited(LANGUAGES[0]), "https://old.example/twin")
    manifest = write(folder, "old", texts)
    levels = build(manifest)
    assert sorted(levels.values(), key=str) == [None] * len(LANGUAGES) + ["minhash"]
    exported = export_signatures(Workspace.open(str(folder / "old")), str(folder / "set"))
    assert exported["documents"] == len(LANGUAGES)
    return folder


@pytest.mark.parametrize("place", ["old", "set"])
@pytest.mark.parametrize("closure", ["best", "transitive"])
def test_what_earlier_builds_hold_is_removed(old: Path, place: str, closure: str) -> None:
    texts = {}
    for language in LANGUAGES[1:]:
        texts[f"near {language}"] = (edited(language) + " +", f"https://new.example/{language}")
        texts[f"same {language}"] = (STORIES[language], f"https://new.example/2/{language}")
    texts["moved"] = (
        " ".join(map(str, range(300, 900))),
        f"https://old.example/{LANGUAGES[-1]}?utm_source=x",
    )
    texts["new"] = (" ".join(map(str, range(300))), "https://new.example/none")
    texts["new again"] = (" ".join(map(str, range(300))), "https://new.example/none/2")
    manifest = write(old, f"{place}{closure}", texts, f"dedup: {{against: [{place}], closure: {closure}}}")
    levels = build(manifest)
    assert {id: level for id, level in levels.items() if id.startswith("near")}.keys() == {
        f"near {language}" for language in LANGUAGES[1:]
    }
    assert {level for id, level in levels.items() if id.startswith("near")} == {"minhash"}
    assert {level for id, level in levels.items() if id.startswith("same")} == {"exact"}
    assert levels["moved"] == "url"
    assert sorted((levels["new"] or "", levels["new again"] or "")) == ["", "exact"]
    out = manifest.with_suffix("")
    old_ids = set(pq.read_table(old / "old" / "documents").column("id").to_pylist())
    new_ids = set(pq.read_table(out / "documents").column("id").to_pylist())
    kept = {row["kept_id"] for row in clusters(out)}
    listed = set(pq.read_table(out / "dedup" / "against.parquet").column("kept_id").to_pylist())
    assert len(kept & old_ids) == len(LANGUAGES) - 1
    assert listed == kept & old_ids == kept - new_ids
    assert {row["cluster_size"] for row in clusters(out) if row["kept_id"] in old_ids} == {3, 4}


@pytest.mark.parametrize("place", ["old", "set"])
def test_samples_name_what_stands_in_an_earlier_build(old: Path, tmp_path: Path, place: str) -> None:
    texts = {f"near {language}": (edited(language) + " +", "") for language in LANGUAGES[1:3]}
    texts["old url"] = (STORIES[LANGUAGES[0]], f"https://old.example/{LANGUAGES[0]}")
    texts["new"] = (" ".join(map(str, range(300))), "https://new.example/none")
    texts["new again"] = (" ".join(map(str, range(300))), "https://new.example/none/2")
    build(write(tmp_path, "m", texts, f"dedup: {{against: [{old / place}]}}"))
    out = str(tmp_path / "m")
    listed = pq.read_table(tmp_path / "m" / "dedup" / "against.parquet").to_pylist()
    places = {row["removed_id"]: (row["kept_id"], str(old / place)) for row in listed}
    assert len(places) == 3
    rows = [json.loads(line) for line in run(sample, out, "--duplicates", "--json").splitlines()]
    assert len(rows) == 4
    for row in rows:
        if row["id"] in places:
            kept, where = places[row["id"]]
            assert row["stands"] == f"[{kept}] in {where}"
            stayed = {"id": kept, "place": where}
            assert row["stayed"] == {**dict.fromkeys(("source", "url", "text", "origin")), **stayed}
        else:
            assert row["stayed"]["place"] is None and row["stayed"]["text"] == texts["new"][0]
    page = tmp_path / "page.html"
    for options in (("--dropped",), ("--duplicates",), ("--dropped", "--html", str(page))):
        printed = run(sample, out, "--no-pager", *options)
        shown = page.read_text("utf-8") if "--html" in options else printed
        for kept, where in places.values():
            assert f"dropped as a duplicate of [{kept}] in {where}" in shown
    kept, _ = places[rows[0]["id"]] if rows[0]["id"] in places else next(iter(places.values()))
    assert f"[{kept}] in " in run(sample, out, "--no-pager", "--cluster", kept)
    assert len(corpus.sample(out, kept=False)) == 4


def test_samples_name_what_was_dropped_after_the_search(tmp_path: Path) -> None:
    texts = {name: (STORIES[LANGUAGES[0]], f"https://new.example/{name}") for name in ("one", "other")}
    texts["new"] = (" ".join(map(str, range(300))), "")
    manifest = write(tmp_path, "m", texts, "rules: {dedup.cluster_size: {max: 1}}")
    manifest.write_text(manifest.read_text("utf-8").replace(", rules: []", ""), "utf-8")
    assert "exact" in build(manifest).values()
    [row] = [
        json.loads(line) for line in run(sample, str(tmp_path / "m"), "--duplicates", "--json").splitlines()
    ]
    assert row["stands"] == f"{row['stayed']['url']} [{row['duplicate_of']}]"
    assert row["stayed"]["text"] == texts["one"][0].strip() and row["stayed"]["place"] is None


def test_signatures_of_escaped_urls_in_several_row_groups(tmp_path: Path) -> None:
    """Wikipedia's URLs have percent-escapes; not every document has words, or a URL."""
    texts = {
        language: (STORIES[language], f"https://xx.wikipedia.org/wiki/%E0%B8%81_{language}")
        for language in LANGUAGES
    }
    texts |= {"none": ("... !!! ...", ""), "no url": (" ".join(map(str, range(300))), "")}
    assert set(build(write(tmp_path, "m", texts)).values()) == {None}
    workspace = Workspace.open(str(tmp_path / "m"))
    export_signatures(workspace, str(tmp_path / "whole"))
    path = Path(workspace.part("documents", *workspace.splits()[0]))
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table, path, row_group_size=2)
    assert export_signatures(workspace, str(tmp_path / "set"))["documents"] == len(texts)
    [one], [other] = ((tmp_path / name).rglob("*.arrow") for name in ("whole", "set"))
    assert one.read_bytes() == other.read_bytes()
    with pa.ipc.open_file(str(other)) as file:
        read = file.read_all()
    assert read.column("minhash").null_count == 1
    assert read.column("url_key").to_pylist().count(0) == 2
    again = build(write(tmp_path, "again", texts, "dedup: {against: [set]}"), keeps=False)
    assert set(again.values()) == {"exact"}


def test_a_set_is_read_by_datasketch(old: Path) -> None:
    [path] = (old / "set").rglob("*.arrow")
    with pa.ipc.open_file(str(path)) as file:
        table = file.read_all()
    options = MinHashOptions()
    read = [LeanMinHash.deserialize(row, byteorder="<") for row in table.column("minhash").to_pylist()]
    values = SignatureSetReader(str(path), options).read(np.arange(len(table)))
    assert len(read) == len(LANGUAGES)
    for lean, row in zip(read, values, strict=True):
        assert (lean.scheme, lean.seed) == ("affine32", options.seed)
        np.testing.assert_array_equal(np.asarray(lean.hashvalues, np.uint32), row)
    buffer = bytearray(read[0].bytesize("<"))
    read[0].serialize(buffer, "<")
    assert bytes(buffer) == table.column("minhash")[0].as_py()


def test_documents_without_words_have_no_signature(tmp_path: Path) -> None:
    options = MinHashOptions()
    values = np.random.default_rng(1).integers(0, 1 << 32, (20, options.width), dtype=np.uint32)
    values[[0, 7, 8, 19]] = EMPTY_VALUE
    column = serialize_signatures(values, options)
    assert column.null_count == 4
    schema = set_schema(options)
    bare = pa.schema([schema.field("minhash")], metadata=schema.metadata)
    with pa.ipc.new_file(str(tmp_path / "bare.arrow"), bare) as writer:
        writer.write_table(pa.Table.from_arrays([column], schema=bare))
    reader = SignatureSetReader(str(tmp_path / "bare.arrow"), options)
    np.testing.assert_array_equal(reader.read(np.arange(20)), values)
    rows = reader.load_rows(1)
    assert len(np.unique(rows.content)) == len(np.unique(rows.id)) == 40


def test_places_that_cannot_be_used_are_one_line(old: Path, tmp_path: Path) -> None:
    shutil.copytree(old / "set", tmp_path / "cut")
    [path] = (tmp_path / "cut").rglob("*.arrow")
    path.write_bytes(path.read_bytes()[:-200])
    (tmp_path / "empty").mkdir()
    shutil.copytree(old / "old", tmp_path / "torn")
    [part] = (tmp_path / "torn" / "dedup" / "signatures").rglob("*.arrow")
    part.write_bytes(b"ARROW1")
    shutil.copytree(old / "old", tmp_path / "undecided")
    shutil.rmtree(tmp_path / "undecided" / "decisions")
    cases = {
        "nowhere": ("", "nowhere is neither a workspace nor a folder"),
        "empty": ("", "empty is neither a workspace nor a folder"),
        "cut": ("", "cut"),
        "torn": ("", "torn"),
        "undecided": ("", "has no decisions on "),
        str(old / "set"): (", minhash: {words: 4}", "the manifest asks for "),
        str(old / "old"): (", minhash: {seed: 2}", "the manifest asks for "),
    }
    for place, (more, expected) in cases.items():
        manifest = write(tmp_path, "m", {"a": ("b", "")}, f"dedup: {{against: {place}{more}}}")
        with pytest.raises(UserError) as raised:
            corpus.build(str(manifest), str(tmp_path / "out"))
        assert f"{manifest}:4: dedup.against: " in str(raised.value), raised.value
        assert expected in str(raised.value)
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(old: Path, tmp_path: Path) -> None:
    printed = run(export, str(old / "old"), "--signatures", "--out", str(tmp_path / "sigs"))
    assert " ".join(printed.split()).endswith(f": signatures of {len(LANGUAGES)} documents in 1 file")


def test_nothing_else_depends_on_the_option() -> None:
    assert DedupOptions().parameters == DedupOptions(against=["x"]).parameters
    assert "against" not in DedupOptions().parameters


def test_earlier_builds_beside_canaries_and_longer_documents(old: Path, tmp_path: Path) -> None:
    """Sets have no sketches and canaries no part in earlier builds: what these hold is removed as without."""
    texts = {language: (STORIES[language], "") for language in LANGUAGES}
    texts["twin"] = (edited(LANGUAGES[1]), "")
    found = []
    for name, more in (("plain", ""), ("more", ", canaries: 9, minhash: {containment: 0.9}")):
        manifest = write(tmp_path, name, texts, f"dedup: {{against: [{old / 'set'}, {old / 'old'}]{more}}}")
        found.append(build(manifest, keeps=False))
    assert found[0] == found[1]
    assert set(found[0].values()) == {"exact", "minhash"}
