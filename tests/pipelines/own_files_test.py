"""Data files of a user's own: a workspace has copies of those that a build uses, and those replaced are named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from corpus import data
from corpus.data import data_path
from corpus.manifest import load_manifest
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.plan import describe_replaced, make_plan
from corpus.pipelines.build.redecide import decide_again

PRESET = "description: d\nsource: s\n"
FILES = {
    "rules/inner.yaml": f"{PRESET}rules: {{text.words: {{min: 2}}}}\n",
    "rules/mine.yaml": f"{PRESET}include: [inner, text_only]\n",
    "rules/unused.yaml": f"{PRESET}rules: {{text.words: {{min: 9000}}}}\n",
    "fields/posts.yaml": "fields: {text: 正文}\n",
    "fields/unused.yaml": "fields: {text: body}\n",
    "mixtures/later.yaml": "temperature: 0.7\n",
    "languages/vol.yaml": "stop_words: la kaj de estas\n",
}
ARABIC = yaml.safe_load(data_path("languages", "arb.yaml").read_text(encoding="utf-8"))["same_as"].split()
USED = {
    "rules/inner.yaml",
    "rules/mine.yaml",
    "fields/posts.yaml",
    "mixtures/later.yaml",
    "languages/vol.yaml",
}
SOURCE = "  posts: {kind: jsonl, paths: [posts.jsonl], rules: [mine], fields: posts}\n"


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[str]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    rows = ({"正文": f"第{at}天，河水漲了三尺，船夫把纜繩繫在柳樹上。"} for at in range(6))
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "m.yaml").write_text(f"name: posts\nsources:\n{SOURCE}")
    yield str(tmp_path / "m.yaml")
    data.use_own_files({})


def list_copies(root: Path) -> set[str]:
    return {f"{folder}/{path.name}" for folder in data.OWN_FOLDERS for path in (root / folder).glob("*")}


def test_a_workspace_has_copies_of_what_is_used_alone(manifest: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_workspace(manifest, str(out), Running())
    assert list_copies(out) == USED
    assert set(load_manifest(manifest).own_files) == USED
    stored = load_manifest(str(out / "manifest.yaml"))
    assert {name for name in stored.own_files if name.startswith("rules/")} == {
        "rules/inner.yaml",
        "rules/mine.yaml",
    }
    (tmp_path / "rules" / "another.yaml").write_text(PRESET)
    said: list[str] = []
    build_workspace(manifest, str(out), Running(), said.append)
    assert any(line.startswith("nothing to do") for line in said)
    decide_again(str(out), manifest, {"text.words.min": 3}, Running(), said.append)
    assert list_copies(out) == USED


def test_a_preset_that_is_no_longer_used_goes(manifest: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_workspace(manifest, str(out), Running())
    Path(manifest).write_text(f"name: posts\nsources:\n{SOURCE.replace('mine', 'unused')}")
    build_workspace(manifest, str(out), Running())
    assert list_copies(out) == USED - {"rules/inner.yaml", "rules/mine.yaml"} | {"rules/unused.yaml"}


def test_what_takes_the_place_of_a_file_of_corpus_is_named_once(manifest: str, tmp_path: Path) -> None:
    assert describe_replaced(make_plan(manifest).file) == []
    (tmp_path / "languages" / "tha.yaml").write_text("stop_words: ที่ และ\n", encoding="utf-8")
    (tmp_path / "languages" / "arb.yaml").write_text("stop_words: في من\n", encoding="utf-8")
    (tmp_path / "rules" / "text_only.yaml").write_text(PRESET)
    (tmp_path / "rules" / "fineweb.yaml").write_text(PRESET)  # no source has it
    (tmp_path / "languages" / "deu.yaml").write_bytes(data_path("languages", "deu.yaml").read_bytes())
    said: list[str] = []
    build_workspace(manifest, str(tmp_path / "out"), Running(), said.append)
    assert said[:3] == [
        "languages/arb.yaml of corpus gives way to your file for "
        f"{', '.join(sorted(['arb', *ARABIC]))}: what yours leaves out is as for every language",
        "languages/tha.yaml of corpus gives way to your file for tha: what yours leaves out is as for every language",
        "rules/text_only.yaml of corpus gives way to your file: rename yours to have both",
    ]
    assert sum("gives way" in line for line in said) == 3
