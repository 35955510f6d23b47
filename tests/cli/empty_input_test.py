"""A build that reads no text says which files are to blame, and how to look at them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from corpus.errors import RunError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import describe_empty_files, make_plan
from corpus.pipelines.cli.build import check_kept

SOURCE = "  {name}:\n    kind: {kind}\n    paths: [{paths}]\n    rules: []\n"


def build(folder: Path, **sources: tuple[str, str]) -> tuple[list[str], str]:
    """Return the lines that a build says about its files, and how it ends."""
    text = "".join(
        SOURCE.format(name=name, kind=kind, paths=paths) for name, (kind, paths) in sources.items()
    )
    manifest = folder / "m.yaml"
    manifest.write_text(f"name: leer\nsources:\n{text}tokenizer: {{vocabulary: 300}}\n", encoding="utf-8")
    said: list[str] = []
    workspace = build_workspace(str(manifest), str(folder / "out"), Running(workers=1), said.append)
    with pytest.raises(RunError) as caught:
        check_kept(workspace)
    return [line for line in said if line.startswith("source ")], str(caught.value).replace(str(folder), "")


def test_a_file_that_is_cut_is_named_with_the_command_that_shows_it(tmp_path: Path) -> None:
    (tmp_path / "空.jsonl").touch()
    (tmp_path / "отрезан.jsonl.gz").write_bytes(gzip.compress(b'{"text": "\xd0\xb4\xd0\xb0"}\n')[:20])
    lines, end = build(tmp_path, empty=("jsonl", "空.jsonl"), cut=("jsonl", "отрезан.jsonl.gz"))
    assert lines == ["source empty: 空.jsonl is an empty file: get it again, or leave it out"]
    assert end == (
        "no text was read: of the records, 1 in quarantine (damaged: the file ends inside a gzip member: "
        "отрезан.jsonl.gz): `corpus sample /out --quarantine` shows those in quarantine; check `kind`, `paths` and "
        "`fields` in the manifest"
    )


def test_input_of_empty_files_is_said_to_be_that(tmp_path: Path) -> None:
    for at in range(5):
        (tmp_path / f"{at}.jsonl").touch()
    lines, end = build(tmp_path, rows=("jsonl", '"*.jsonl"'))
    assert lines == [
        "source rows: 0.jsonl, 1.jsonl, 2.jsonl and 2 more are empty files: get them again, or leave them out"
    ]
    assert end.startswith("no text was read: the input is empty files: check `kind`")
    assert describe_empty_files(make_plan(str(tmp_path / "m.yaml"))) == lines
