"""Hostile documents in a whole build: each costs only itself, and can be looked at and tried again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

import corpus
from corpus.errors import RunError, UserError
from corpus.extract import FORMATS
from corpus.ledger.quarantine import read_quarantine_parts
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.cli.sample import sample
from corpus.pipelines.cli.stats import stats
from tests.cli.running import run
from tests.pipelines.small import SENTENCES, article, digests

MANIFEST = """\
name: hostile
sources:
  web: {kind: warc, paths: ["*.warc.gz"], rules: [], max_bytes: 200MB}
split_size: 2kB
validation: {share: 0.2}
tokenizer: {vocabulary: 400}
"""
HOSTILE = {
    "divs": "<html><body>" + "<div>" * 200_000 + "deep" + "</div>" * 200_000,
    "large": "<html><body><p>" + "x" * 100_000_000,
    "tags": "<html><body>" + "<br>" * 1_000_001,
    "segfault": "<html><!--do:segfault--></html>",
    "hang": "<html><!--do:sleep--></html>",
    "pattern": "<html><!--do:pattern--></html>",
    "memory": "<html><!--do:eat--></html>",
}
EXPECTED = {
    "divs": ("depth", "tags nested 200,002 deep, over max_depth, 2,000"),
    "large": ("bytes", "100,000,015 bytes, over max_bytes, 33,554,432"),
    "tags": ("tags", "1,000,003 tags, over max_tags, 1,000,000"),
    "segfault": ("crash", "the parser died of SIGSEGV"),
    "hang": ("time", "no answer within 2.5 s"),
    "pattern": ("time", "more than 0.5 s of processor time"),
    "memory": ("memory", "more than 134,217,728 bytes of memory"),
}


def page(text: str) -> str:
    paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    return f"<html><body><article>{paragraphs}</article></body></html>"


def write_warc(path: Path, pages: dict[str, str]) -> None:
    with open(path, "wb") as output:
        writer = WARCWriter(output, gzip=True)
        for number, (name, html) in enumerate(pages.items()):
            headers = StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
            )
            record = writer.create_warc_record(
                f"https://{name}.example/",
                "response",
                payload=io.BytesIO(html.encode()),
                http_headers=headers,
                warc_headers_dict={"WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>"},
            )
            writer.write_record(record)


@pytest.fixture(autouse=True)
def _hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "text/html", "tests.extract.hostile")


def good() -> dict[str, str]:
    return {f"{name}-{at}": page(article(name, at)) for at in range(2) for name in SENTENCES}


def quarantined(out: Path) -> dict[str, dict[str, Any]]:
    rows = [row for part in read_quarantine_parts(corpus.open(str(out))) for row in part.to_pylist()]
    return {row["url"].removeprefix("https://").partition(".")[0]: row for row in rows}


def test_every_hostile_page_costs_only_itself(tmp_path: Path) -> None:
    pages = list(good().items())
    mixed = dict(pages[:1])
    for (name, html), one in zip(HOSTILE.items(), pages[1:], strict=False):
        mixed |= {name: html, one[0]: one[1]}
    mixed |= dict(pages[len(HOSTILE) + 1 :])
    write_warc(tmp_path / "pages.warc.gz", mixed)
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST + "extraction: {max_bytes: 32MiB, seconds: 0.5, memory: 128MiB}\n")
    out = tmp_path / "out"
    said: list[str] = []
    build_workspace(str(manifest), str(out), Running(workers=1), said.append, until="ingest")
    found = quarantined(out)
    assert {name: (row["reason"], row["error"]) for name, row in found.items()} == EXPECTED
    assert {(row["source"], row["step"], row["file"]) for row in found.values()} == {
        ("web", "extract", "pages.warc.gz")
    }
    assert found["large"]["bytes"] == 100_000_015
    assert found["divs"]["offset"] > 0 and found["divs"]["length"] > 0
    texts = {row["url"]: row["text"] for row in corpus.open(str(out)).documents().to_table().to_pylist()}
    for name, html in good().items():
        assert texts[f"https://{name}.example/"].split("\n")[0] in html
    assert len(texts) + len(found) == len(mixed)
    assert "2 records exceeded their time limit" in said[-1]
    assert json.loads((out / "status.json").read_text())["time_dependent"] == 2


def small_budget(folder: Path, more: str = "") -> Path:
    """Ten pages, two of them over a budget of 20 kB, each page in a split of its own."""
    pages = good() | {f"long-{at}": page(article("eng", at, 300)) for at in range(2)}
    write_warc(folder / "pages.warc.gz", pages)
    manifest = folder / "manifest.yaml"
    manifest.write_text(MANIFEST + f"extraction: {{max_bytes: 10kB}}\n{more}")
    return manifest


def test_quarantine_is_tried_again_with_larger_budgets(tmp_path: Path) -> None:
    manifest, out = small_budget(tmp_path), tmp_path / "out"
    build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
    assert {name: row["reason"] for name, row in quarantined(out).items()} == {
        "long-0": "bytes",
        "long-1": "bytes",
    }
    before = {path: path.stat().st_mtime_ns for path in (out / "documents").rglob("*.parquet")}
    told: list[str] = []
    build_workspace(str(manifest), str(out), Running(workers=1), told.append, retry_quarantine=True)
    assert [line for line in told if "to read again: larger budgets, or pages.warc.gz changed" in line], told
    assert quarantined(out) == {}
    assert corpus.open(str(out)).documents().count_rows() == 12
    changed = [path for path, written in before.items() if path.stat().st_mtime_ns != written]
    assert 1 <= len(changed) <= 2 < len(before), "only the splits with quarantine are read again"
    assert set(json.loads((out / "retries.json").read_text()).values()) == {4}
    done = digests(out)
    said: list[str] = []
    build_workspace(str(manifest), str(out), Running(workers=1), said.append)
    assert said == ["nothing to do: the workspace is complete"] and digests(out) == done
    with pytest.raises(UserError, match="no record of"):
        build_workspace(str(manifest), str(out), Running(workers=1), retry_quarantine=True)


def test_too_many_failures_end_the_run_with_the_reasons(tmp_path: Path) -> None:
    manifest, out = small_budget(tmp_path, "max_failures: 0.1\n"), tmp_path / "out"
    with pytest.raises(RunError) as ended:
        build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
    line = str(ended.value)
    assert (
        "web: 2 of 12 records (16.7%) are in quarantine, over max_failures 0.1: bytes 2 (pages.warc.gz @ "
        in line
    )
    assert "over max_bytes, 10,000)" in line and "\n" not in line
    with pytest.raises(RunError, match="over max_failures"):
        build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
    manifest.write_text(manifest.read_text().replace("0.1", "0.2"))
    before = {path: path.stat().st_mtime_ns for path in (out / "documents").rglob("*.parquet")}
    build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_quarantine_is_sampled(tmp_path: Path) -> None:
    manifest, out = small_budget(tmp_path), tmp_path / "out"
    build_workspace(str(manifest), str(out), Running(workers=1), until="ingest")
    shown = run(sample, str(out), "--quarantine")
    assert "https://long-0.example/" in shown and "over max_bytes, 10,000" in shown
    (row,) = map(json.loads, run(sample, str(out), "--quarantine", "--json", "-n", "1").splitlines())
    assert (row["reason"], row["step"], row["source"]) == ("bytes", "extract", "web")
    for options, line in (
        (
            ("--reason", "crash"),
            f"no quarantined record of {out} has the reason crash: others are bytes",
        ),
        (("--reason", "byte"), f"no quarantined record of {out} has the reason byte: did you mean bytes?"),
        (("--quarantine", "--source", "wbe"), "no source wbe: did you mean web?"),
    ):
        with pytest.raises(UserError) as caught:
            run(sample, str(out), *options)
        assert str(caught.value) == line


def test_quarantine_is_sampled_by_the_reasons_that_stats_shows(tmp_path: Path) -> None:
    (tmp_path / "bad.arc").write_bytes(b"this is no archive\n" * 40)
    manifest, out = tmp_path / "manifest.yaml", tmp_path / "out"
    (tmp_path / "texts.jsonl").write_text(json.dumps({"text": article("cmn", 1)}))
    manifest.write_text(
        "name: bad\nsources:\n  web: {kind: warc, paths: [bad.arc]}\n"
        "  texts: {kind: jsonl, paths: [texts.jsonl], rules: []}\n"
    )
    build_workspace(str(manifest), str(out), Running(workers=1))
    shown = json.loads(run(stats, str(out), "--by", "quarantine", "--json"))
    reasons = [row["reason"] for row in shown["quarantine"]]
    assert reasons and "damaged" not in reasons
    title = "quarantined records (of damaged ones, the reason says what is wrong)"
    assert title in " ".join(run(stats, str(out), "--by", "quarantine").split())
    for reason in [*reasons, "damaged"]:
        assert "bad.arc" in run(sample, str(out), "--reason", reason, "--json")
