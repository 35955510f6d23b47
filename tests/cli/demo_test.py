"""The demo builds its sample twice, and reads it once."""

from __future__ import annotations

import json
from pathlib import Path

from corpus.data import data_path
from corpus.manifest import ManifestFile, load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.demo import write_quality_manifest
from corpus.sources.inputs import list_files

ROW = json.dumps({"text": "橋の下を川が流れ、岸には古い宿がならんでいる。"})


def name_files(file: ManifestFile) -> dict[str, list[tuple[str, str]]]:
    return {
        name: [(each.name, each.path) for each in list_files(source.paths, file.folder)]
        for name, source in file.manifest.sources.items()
    }


def test_the_second_manifest_names_files_as_the_first(tmp_path: Path) -> None:
    model = tmp_path / "a.bin"
    model.write_bytes(b"")
    Path(f"{model}.card.json").write_text(json.dumps({"languages": ["jpn_Jpan", "tha_Thai"]}))
    demo, second = data_path("demo.yaml"), tmp_path / "second.yaml"
    write_quality_manifest(demo, model, second)
    assert name_files(load_manifest(str(second))) == name_files(load_manifest(str(demo)))


def test_files_under_new_names_are_not_said_to_be_missing(tmp_path: Path) -> None:
    manifest, out = tmp_path / "m.yaml", tmp_path / "out"
    (tmp_path / "a.jsonl").write_text(f"{ROW}\n")
    text = "name: rows\nsources:\n  a: {kind: jsonl, paths: ['*.jsonl'], rules: [text_only]}\n"
    manifest.write_text(text)
    build_workspace(str(manifest), str(out), Running())
    (tmp_path / "a.jsonl").rename(tmp_path / "b.jsonl")
    said: list[str] = []
    build_workspace(str(manifest), str(out), Running(), said.append)
    assert any(line.startswith("ingest: ") and "new input split" in line for line in said)
    assert not any("missing, and made again" in line for line in said)
    (part,) = (out / "documents" / "source=a").iterdir()
    part.unlink()
    build_workspace(str(manifest), str(out), Running(), said.append)
    (line,) = (line for line in said if "missing, and made again" in line)
    assert part.name in line
