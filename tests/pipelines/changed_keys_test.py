"""Which work a changed key of a manifest causes, by the fingerprints: the table of docs/manifest.md."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus.data import data_path
from corpus.dedup.options import DedupOptions, MinHashOptions
from corpus.extract import PAGE_MEDIA_TYPES
from corpus.manifest import Manifest
from corpus.pipelines.build.plan import BuildPlan, make_plan
from corpus.pipelines.build.stages import ingest_parameters
from corpus.pipelines.context import reduce_languages
from corpus.pipelines.ingest import read_records
from corpus.sources import KINDS_WITHOUT_PAGES
from corpus.sources.source import Source

PAGE = Path(__file__).parents[2] / "docs" / "manifest.md"
READS, SOME, MEASURES, DECIDES, TOKENIZES, NOTHING = (
    "reads",
    "some",
    "measures",
    "decides",
    "tokenizes",
    "nothing",
)
CHANGES: dict[str, list[tuple[str, Any]]] = {
    READS: [
        ("languages", ["tha"]),
        ("urls", {"block": ["block.txt"]}),
        ("opt_outs", ["noai"]),
        ("extraction", {"seconds": 7}),
        ("identification", {"model": "lid.bin"}),
        ("keep_text", "kept"),
        ("sources.a.kind", "text"),
        ("sources.a.snapshot", "2026-30"),
        ("sources.a.license", "MIT"),
        ("sources.a.fields", {"text": "body"}),
        ("sources.a.max_bytes", 7000),
    ],
    SOME: [("sources.a.paths", ["a.jsonl", "b.jsonl"]), ("sources.a.base", "."), ("split_size", "2kB")],
    MEASURES: [
        ("filters", {"tests.pipelines.changed_keys_test:Letters": {}}),
        ("quality", {"model": "quality.bin"}),
        ("words", ["en"]),
        ("dedup.minhash", {"permutations": 64}),
        ("dedup.minhash", {"words": 4}),
        ("dedup.minhash", {"characters": 9}),
        ("dedup.minhash", {"seed": 2}),
        ("dedup.minhash", {"fold": ["case"]}),
        ("dedup.minhash", {"lines": 3}),
        ("dedup.minhash", {"containment": 0.9}),
    ],
    DECIDES: [
        ("rules", {"text.words": {"min": 9}}),
        ("validation", {"share": 0.3}),
        ("seed", 5),
        ("redact", ["email"]),
        ("sources.a.redact", {"phone": "count"}),
        ("clean", {"repeats": True}),
        ("sources.a.rules", []),
        ("sources.a.priority", 4),
        ("decontaminate", {"sets": ["items.jsonl"], "action": "cut"}),
        ("dedup.exact", False),
        ("dedup.url", False),
        ("dedup.closure", "transitive"),
        ("dedup.max_group", 9),
        ("dedup.minhash", {"threshold": 0.9}),
        ("dedup.minhash", {"bands": 16, "rows": 7}),
        ("dedup.paragraphs", True),
        ("dedup.lines", {"pages": 7}),
        ("dedup.spans", {"min_tokens": 60}),
        ("dedup.canaries", 50),
        ("dedup.against", ["old"]),
    ],
    TOKENIZES: [
        ("tokenizer", {"vocabulary": 300}),
        ("tokens", {"min_language_tokens": 7}),
        ("mixture", {"temperature": 0.5}),
    ],
    NOTHING: [("max_failures", 0.5), ("sources.a.max_failures", 0.5)],
}
UNTRIED = {"identification", "quality", "filters", "dedup.against", "clean"}
"""Keys that name a model, a class or a workspace, or cut what another key marks: the manifest is refused without it."""


def make(folder: Path, key: str | None = None, value: Any = None) -> BuildPlan:
    manifest: dict[str, Any] = {
        "name": "keys",
        "sources": {"a": {"kind": "jsonl", "paths": ["a.jsonl"], "rules": ["text_only"]}},
        "split_size": "4kB",
    }
    if key is not None:
        *above, last = key.split(".")
        place = manifest
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    path = folder / "m.yaml"
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return make_plan(str(path), lambda line: None)


def depends(plan: BuildPlan) -> dict[str, Any]:
    """What each kind of work depends on, the earliest first."""
    manifest = plan.file.manifest
    prints = dict(zip(map(tuple, plan.names), plan.document_fingerprints, strict=True))
    return {
        READS: prints,
        MEASURES: ingest_parameters(plan),
        DECIDES: [
            plan.rules.parameters(),
            manifest.dedup.parameters,
            manifest.dedup.model_dump(),
            manifest.decontaminate,
            manifest.validation,
            manifest.seed,
            manifest.clean,
            [source.redact for source in manifest.sources.values()],
            [source.priority for source in manifest.sources.values()],
        ],
        TOKENIZES: [manifest.tokenizer, manifest.tokens, manifest.mixture],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        rows = [
            json.dumps({"text": f"第{at}座桥很旧。" * 9, "body": "x"}, ensure_ascii=False) for at in range(60)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    item = {"question": "Which of the three bridges over the river did the miller build of oak?"}
    (tmp_path / "items.jsonl").write_text(json.dumps(item) + "\n", encoding="utf-8")
    (tmp_path / "en").write_text("bridge\n", encoding="utf-8")
    (tmp_path / "block.txt").write_text("blocked.example\n", encoding="utf-8")
    return tmp_path


def test_each_key_repeats_the_work_that_the_page_says(folder: Path) -> None:
    before = depends(make(folder))
    for level, changes in CHANGES.items():
        for key, value in changes:
            if key in UNTRIED:
                continue
            after = depends(make(folder, key, value))
            changed = [name for name in before if after[name] != before[name]]
            if level == SOME:
                kept = {name: made for name, made in after[READS].items() if before[READS].get(name) == made}
                assert key != "sources.a.paths" or kept == before[READS], key
                assert set(changed) <= {READS}, key
            else:
                assert (changed or [NOTHING])[0] == level, f"{key}: {changed}"


def test_the_page_has_every_key() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("## What a changed key costs")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ")][1:]
    words = {
        READS: ("reads all input", "reads the sources of web pages", "reads this source"),
        SOME: ("reads files that are new",),
        MEASURES: ("measures the new signals", "computes signatures"),
        DECIDES: ("decides:",),
        TOKENIZES: ("trains the vocabulary", "writes shards"),
        NOTHING: ("checks the bound", "nothing:"),
    }
    named: dict[str, str] = {}
    for keys, work in rows:
        level = next(level for level, starts in words.items() if work.strip().startswith(starts))
        for name in re.findall(r"`([\w.]+)`", keys):
            named.setdefault(f"{name} {level}", level)
    for level, changes in CHANGES.items():
        for key, value in changes:
            name = key.removeprefix("sources.a.")
            name = name if name.startswith("dedup.minhash") and level == MEASURES else name.partition(".")[0]
            assert f"{name} {level}" in named, f"{key} is not among what {level}"
            if level == MEASURES and name == "dedup.minhash":
                assert all(f"{part} {level}" in named for part in value)
    tried = {
        key.removeprefix("sources.a.").partition(".")[0] for changes in CHANGES.values() for key, _ in changes
    }
    assert set(Manifest.model_fields) - {"name", "sources"} <= tried
    assert set(Source.model_fields) <= tried
    dedup = {key for changes in CHANGES.values() for key, _ in changes if key.startswith("dedup.")}
    assert {f"dedup.{name}" for name in DedupOptions.model_fields} == dedup
    minhash = {
        part
        for changes in CHANGES.values()
        for key, value in changes
        if key == "dedup.minhash"
        for part in value
    }
    assert minhash == set(MinHashOptions.model_fields)


@pytest.mark.parametrize(
    "languages", [["zh", "eng"], ["eng", "cmn", "cmn_Hans"], ["cmn_Hant", "cmn", "eng_Latn", "eng"]]
)
def test_lists_of_languages_that_keep_the_same_are_the_same(folder: Path, languages: list[str]) -> None:
    wanted = depends(make(folder, "languages", ["eng", "zh"]))
    assert depends(make(folder, "languages", languages)) == wanted
    assert reduce_languages("all") == "all"
    assert reduce_languages(["cmn_Hans", "cmn_Hant"]) == ["cmn_Hans", "cmn_Hant"]


@pytest.mark.parametrize("mode", ["fast", "recall", "resiliparse"])
def test_another_way_of_reading_pages_concerns_sources_of_pages_alone(folder: Path, mode: str) -> None:
    (folder / "a.html").write_text("<p>舊橋</p>", encoding="utf-8")
    (folder / "a.csv").write_text("text\n舊橋\n", encoding="utf-8")
    sources = {
        "pages": {"kind": "html", "paths": ["a.html"]},
        "rows": {"kind": "jsonl", "paths": ["a.jsonl"]},
        "table": {"kind": "csv", "paths": ["a.csv"]},
        "texts": {"kind": "text", "paths": ["a.csv"]},
    }
    for extraction, changed in (({"mode": mode}, {"pages"}), ({"mode": mode, "seconds": 7}, set(sources))):
        prints = []
        for each in ({}, extraction):
            path = folder / "m.yaml"
            path.write_text(yaml.safe_dump({"name": "keys", "sources": sources, "extraction": each}))
            prints.append(depends(make_plan(str(path)))[READS])
        one, other = prints
        assert {name for name, _ in one if one[name, _] != other[name, _]} == changed


def test_only_kinds_that_give_pages_are_read_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `KINDS_WITHOUT_PAGES` says, held against the records of every kind of the sample."""
    monkeypatch.setenv("CORPUS_DATA", str(data))
    monkeypatch.setenv("CORPUS_PACKAGES", str(Path(__file__).parent))
    plan = make_plan(str(data_path("all-sources.yaml")))
    given: dict[str, set[str]] = {}
    for split in plan.splits:
        kind = plan.file.manifest.sources[split.source].kind
        if kind not in given:
            records = islice((record for _, record in read_records(plan.tools, split) if record), 20)
            given[kind] = {record.media_type for record in records}
    pages = {kind for kind, types in given.items() if types & set(PAGE_MEDIA_TYPES)}
    assert pages >= {"warc", "html"} and pages.isdisjoint(KINDS_WITHOUT_PAGES)
    assert len(given) >= 9
