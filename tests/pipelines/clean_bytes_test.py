"""The bytes of cut lines: for any workers, order of files and size of splits, after a kill, and switched off."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.edits.parts import read_edits
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.redecide import decide_again
from corpus.workspace import Workspace
from tests.dedup.texts import STORIES
from tests.pipelines.redact_test import hash_files, hash_shards

LINES = {
    "eng_Latn": "Read more...",
    "cmn_Hans": "推荐阅读：一个冬天",
    "jpn_Jpan": "続きを読む",
    "tha_Thai": "ข่าวที่เกี่ยวข้อง",
    "arb_Arab": "اقرأ المزيد",
    "hin_Deva": "और पढ़ें",
    "rus_Cyrl": "Читать далее →",
}
TEXTS = [f"{STORIES[name].strip()}\nMail: {name}@example.org\n{line}" for name, line in LINES.items()]
FOLDERS = ("edits", "signals/clean", "signals/private", "decisions", "tokens")
EDITS = "redact: [email]\nclean: {lines: {boilerplate: cut, c4_terminal: count}}\n"
KILLED_AT_ITS_THIRD_PART = """
import os, signal, sys
from corpus.pipelines import stored_search
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
write, written = stored_search.write_edits, []
def kill_at_the_third(workspace, step, *rest):
    written.append(step)
    if written.count("clean") == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    write(workspace, step, *rest)
stored_search.write_edits = kill_at_the_third
if __name__ == "__main__":
    build_workspace(sys.argv[1], sys.argv[2], Running(workers=1))
"""


def write_input(
    folder: Path, paths: str = "[a.jsonl, b.jsonl]", size: str = "4kB", edits: str = EDITS
) -> str:
    folder.mkdir(exist_ok=True)
    for at, name in enumerate("ab"):
        lines = [json.dumps({"text": text}) for text in TEXTS[at::2]]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "m.yaml"
    path.write_text(
        f"name: m\nsplit_size: {size}\ntokenizer: {{vocabulary: 400}}\nvalidation: {{share: 0.2}}\n"
        f"sources:\n  s: {{kind: jsonl, paths: {paths}, rules: []}}\ndedup: false\n{edits}",
        encoding="utf-8",
    )
    return str(path)


def build(folder: Path, workers: int = 1) -> Workspace:
    return build_workspace(str(folder / "m.yaml"), str(folder / "out"), Running(workers=workers))


def hash_folders(workspace: Workspace) -> dict[str, dict[str, bytes]]:
    return {folder: hash_files(workspace, folder) for folder in FOLDERS}


def read_spans(workspace: Workspace) -> dict[str, list[tuple[int, int, str]]]:
    """What is found in each text, whatever part it lies in."""
    spans = {}
    for source, split in workspace.splits():
        edits = read_edits(workspace, source, split)
        texts = pq.read_table(workspace.part("documents", source, split))["text"].to_pylist()
        spans |= {text: [edit[:3] for edit in edits.of_row(row)] for row, text in enumerate(texts)}
    return spans


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("built")
    write_input(folder)
    workspace = build(folder)
    assert len(workspace.splits()) > 3
    found = read_spans(workspace)
    for text, line in zip(TEXTS, LINES.values(), strict=True):
        cut = [text[edit[0] : edit[1]] for edit in found[text] if edit[2] not in ("email", "c4_terminal")]
        assert cut == [line]
    return workspace


def test_bytes_depend_on_neither_workers_nor_the_order_of_files(tmp_path: Path, built: Workspace) -> None:
    write_input(tmp_path, "[b.jsonl, a.jsonl]")
    assert hash_folders(build(tmp_path, workers=2)) == hash_folders(built)


def test_spans_do_not_depend_on_the_size_of_splits(tmp_path: Path, built: Workspace) -> None:
    write_input(tmp_path, size="1MB")
    whole = build(tmp_path)
    assert len(whole.splits()) < len(built.splits())
    assert read_spans(whole) == read_spans(built)


def test_a_search_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path, built: Workspace) -> None:
    manifest = write_input(tmp_path)
    script = tmp_path / "killed.py"
    script.write_text(KILLED_AT_ITS_THIRD_PART)
    killed = subprocess.run([sys.executable, str(script), manifest, str(tmp_path / "out")], check=False)
    assert killed.returncode == -9
    assert len(list((tmp_path / "out" / "edits" / "clean").rglob("*.parquet"))) == 2
    assert hash_folders(build(tmp_path)) == hash_folders(built)


def test_tokens_without_edits_are_those_of_a_build_that_never_looked(
    tmp_path: Path, built: Workspace
) -> None:
    off = Workspace(str(shutil.copytree(built.root, tmp_path / "off")))
    changes = {"clean.boilerplate": "off", "clean.c4_terminal": "off", "redact.email": "off"}
    decide_again(off.root, None, changes, Running(workers=1), lambda line: None)
    write_input(tmp_path, edits="redact: []\n")
    plain = build(tmp_path)
    assert hash_files(off, "tokens") == hash_files(plain, "tokens")
    assert hash_shards(off) == hash_shards(plain) != hash_shards(built)
    assert not Path(plain.path("edits")).exists()
