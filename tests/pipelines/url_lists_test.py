"""Lists of addresses in a build: which pages they stop, and what a changed list costs."""

from __future__ import annotations

from pathlib import Path

import pytest

import corpus
from corpus.errors import UserError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from tests.pipelines.quarantine_test import page, write_warc
from tests.pipelines.small import article

MANIFEST = """\
name: lists
sources:
  web: {kind: warc, paths: [pages.warc.gz], rules: [text_only]}
urls: {block: block.txt, allow: [allow.txt]}
opt_outs: [noai]
"""


def read_gates(out: Path) -> dict[str, str | None]:
    rows = corpus.open(str(out)).documents().to_table(columns=["url", "gate"]).to_pylist()
    return {row["url"]: row["gate"] for row in rows}


def test_lists_stop_pages_and_a_changed_list_reads_them_again(tmp_path: Path) -> None:
    pages = {name: page(article("cmn", at)) for at, name in enumerate("abcde")}
    for name, said in (("d", "noai, noimageai"), ("e", "noimageai")):
        pages[name] = pages[name].replace(
            "<body>", f'<head><meta name="Robots" content="{said}"></head><body>', 1
        )
    write_warc(tmp_path / "pages.warc.gz", pages)
    (tmp_path / "block.txt").write_text("0.0.0.0 a.example b.example\nsome words\n")
    (tmp_path / "allow.txt").write_text("||b.example^\n")
    manifest, out = tmp_path / "manifest.yaml", tmp_path / "out"
    manifest.write_text(MANIFEST)
    said: list[str] = []
    build_workspace(str(manifest), str(out), Running(workers=1), said.append, until="ingest")
    assert read_gates(out) == {
        "https://a.example/": "url.block",
        "https://b.example/": None,
        "https://c.example/": None,
        "https://d.example/": "opt_out.noai",
        "https://e.example/": None,
    }
    said_by_pages = corpus.open(str(out)).documents().to_table(columns=["opt_out"])["opt_out"].to_pylist()
    assert said_by_pages == [None, None, None, "noai noimageai", "noimageai"]
    assert any(
        line.endswith(
            "block.txt: 2 addresses; left out: 1 line neither a domain nor an address (at line 2: 'some words')"
        )
        for line in said
    ), said
    (tmp_path / "block.txt").write_text("c.example\n")
    build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
    assert [url for url, gate in read_gates(out).items() if gate == "url.block"] == ["https://c.example/"]
    (tmp_path / "block.txt").unlink()
    with pytest.raises(UserError, match=r"manifest\.yaml:4: urls\.block: .*block\.txt: no such file"):
        build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
