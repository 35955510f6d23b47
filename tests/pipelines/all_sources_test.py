"""manifests/all-sources.yaml: every source kind in one build, and what comes out by source, licence and language."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.manifest import load_manifest
from corpus.sources import KINDS
from corpus.sources.input_split import plan_splits
from corpus.sources.inputs import list_files
from tests.sources import code_test

MANIFEST = Path(__file__).parents[2] / "manifests" / "all-sources.yaml"
ELSEWHERE = {"csv", "parquet", "text"}
"""Kinds that need no sample of their own: rows as those of `jsonl`, and plain files."""

packages = code_test.packages


def test_it_has_every_kind_and_all_of_it_is_there(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text("print('a')\n")
    monkeypatch.setenv("CORPUS_DATA", str(data))
    monkeypatch.setenv("CORPUS_PACKAGES", str(tmp_path))
    found = load_manifest(str(MANIFEST))
    manifest = found.manifest
    assert {source.kind for source in manifest.sources.values()} >= {
        "warc",
        "wikipedia",
        "books",
        "stackexchange",
    }
    missing = set(KINDS) - {source.kind for source in manifest.sources.values()}
    assert missing <= ELSEWHERE | {"urls", "news", "reddit-comments"}
    for name in ("gutenberg", "epub", "stackexchange", "imports"):
        source = manifest.sources[name]
        assert plan_splits(name, source, list_files(source.paths, found.folder), manifest.split_size)


@pytest.mark.soak
def test_one_build_of_everything(data: Path, packages: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "CORPUS_DATA": str(data), "CORPUS_PACKAGES": str(packages)}
    root = str(tmp_path / "workspace")
    command = [
        sys.executable,
        "-m",
        "corpus.pipelines.cli",
        "build",
        str(MANIFEST),
        "--out",
        root,
        "--workers",
        "2",
    ]
    subprocess.run(command, check=True, env=environment, timeout=1800)
    tables = ["--by", "source,license,language,quarantine", "--json"]
    shown = subprocess.run(
        [sys.executable, "-m", "corpus.pipelines.cli", "stats", root, *tables],
        check=True,
        capture_output=True,
        env=environment,
    )
    found = json.loads(shown.stdout)
    kept = {row["source"]: row["kept"] for row in found["source"]}
    assert set(kept) >= set(load_names()) and all(kept[name] > 0 for name in load_names())
    assert (kept["stackexchange"], kept["gutenberg"], kept["epub"], kept["articles"]) == (469, 2, 5, 8)
    licenses = {row["license"] for row in found["license"]}
    assert licenses >= {
        "CC-BY-SA-4.0",
        "CC-BY-SA-3.0",
        "CC0-1.0",
        "CC-BY-4.0",
        "LicenseRef-Public-Domain-US",
        "MIT",
    }
    languages = {row["language"] for row in found["language"] if row["kept"]}
    assert languages >= {
        "eng_Latn",
        "ben_Beng",
        "jpn_Jpan",
        "cmn_Hans",
        "arb_Arab",
        "rus_Cyrl",
        "nld_Latn",
        "code_python",
    }
    assert sum(row["records"] for row in found["quarantine"] if row["source"] == "epub") == 3


def load_names() -> list[str]:
    """The sources of the manifest."""
    import yaml

    return list(yaml.safe_load(MANIFEST.read_text())["sources"])
