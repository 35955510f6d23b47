"""Builds that read from and write to remote stores: the bytes of a local build, whatever the stores do."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import corpus
from corpus import storage
from corpus.errors import RunError
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.build import build_workspace
from corpus.pipelines.build.redecide import compare_changes, decide_again
from corpus.storage.lock import hold_lock
from corpus.verify.workspace import verify_workspace
from tests.pipelines.small import digests, killed_build, remote_digests, run_build, write_inputs
from tests.storage import stores
from tests.storage.http_server import Site, serving


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    manifest = write_inputs(tmp_path_factory.mktemp("inputs"), pages=12)
    manifest.write_text(manifest.read_text().replace("4kB", "64kB"))
    return manifest


@pytest.fixture(scope="module")
def built(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a local build; tests that change it take a copy."""
    out = tmp_path_factory.mktemp("built") / "workspace"
    build_workspace(str(inputs), str(out), Running())
    return out


@pytest.fixture(scope="module")
def wanted(built: Path) -> dict[str, str]:
    return digests(built)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_REMOTE_WAIT", "0.01")
    monkeypatch.setenv("CORPUS_REMOTE_TRIES", "4")


@pytest.fixture
def site(quick: None) -> Iterator[Site]:
    with serving() as found:
        yield found


def test_a_workspace_on_s3_has_the_bytes_of_a_local_one(
    inputs: Path, built: Path, wanted: dict[str, str], quick: None
) -> None:
    with stores.s3() as store:
        root = f"{store.root}/w"
        killed_build(inputs, root, 4)
        said: list[str] = []
        build_workspace(str(inputs), root, Running(), said.append)
        assert remote_digests(root) == wanted
        assert json.loads(storage.read_text(f"{root}/status.json"))["state"] == "done"
        assert corpus.open(root).documents().count_rows() == 40
        assert not storage.exists(f"{root}/.lock")
        with hold_lock(root), pytest.raises(RunError, match="another build is running here"):
            build_workspace(str(inputs), root, Running())
        build_workspace(str(inputs), root, Running(), said.append)
        assert said[-1] == "nothing to do: the workspace is complete"
        assert verify_workspace(root).good
        other = {"text.characters.min": 700.0}
        seen = compare_changes(root, None, other, Running(), 3)
        assert seen.gone and seen == compare_changes(str(built), None, other, Running(), 3)
        assert remote_digests(root) == wanted


@pytest.mark.soak
def test_a_workspace_on_s3_is_decided_again_there(
    inputs: Path, built: Path, quick: None, tmp_path: Path
) -> None:
    other = {"text.characters.min": 700.0}
    local = shutil.copytree(built, tmp_path / "local")
    decide_again(str(local), None, other, Running(), lambda line: None)
    with stores.s3() as store:
        root = f"{store.root}/w"
        build_workspace(str(inputs), root, Running())
        decide_again(root, None, other, Running(), lambda line: None)
        assert remote_digests(root) == digests(local)


@pytest.mark.parametrize("until", ["ingest", pytest.param(None, marks=pytest.mark.soak)])
def test_a_workspace_on_google_storage_has_the_bytes_of_a_local_one(
    inputs: Path, wanted: dict[str, str], quick: None, until: str | None
) -> None:
    with stores.gcs() as store:
        build_workspace(str(inputs), f"{store.root}/w", Running(), until=until)
        found = remote_digests(f"{store.root}/w")
        parts = {name for name in wanted if name.split("/")[0] in ("documents", "signals", "quarantine")}
        parts = {name for name in parts if not name.startswith("signals/private/")}  # of the next stage
        compared = parts if until else wanted.keys() | found.keys()
        assert parts and {name: found.get(name) for name in compared} == {
            name: wanted.get(name) for name in compared
        }


@pytest.mark.soak
def test_faults_in_mid_upload_lose_nothing(
    inputs: Path, wanted: dict[str, str], quick: None, told: Callable[[str], None]
) -> None:
    with stores.s3(fault_share=0.05, seed=20260104) as store:
        root = f"{store.root}/w"
        for _ in range(3):  # what is out of reach for too long ends a build with one line; the next goes on
            done = run_build(inputs, root)
            assert done.returncode in (0, 1), done.stderr
            assert "Traceback" not in done.stderr
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr
        assert {name.partition(" ")[0] for name in store.met} == {"503", "cut", "lost"}
        uploads = sum(store.met[f"{fault} PUT"] for fault in ("503", "cut", "lost"))
        assert uploads >= 3
        assert remote_digests(root) == wanted
        told(f"{sum(store.met.values())} requests to S3 failed, {uploads} of them uploads: same bytes")


def serve(site: Site, inputs: Path, **sources: str) -> Path:
    """The inputs on the site, and a manifest beside them that reads them from there."""
    for path in inputs.parent.iterdir():
        site.files[f"/crawl-data/small/{path.name}"] = path.read_bytes()
    manifest = inputs.with_name("remote.yaml")
    text = inputs.read_text()
    for name, paths in sources.items():
        text = text.replace(f'"{name}"', paths)
    manifest.write_text(text)
    return manifest


NAMES = {"*.warc.gz": "warc.paths", "*.xml.bz2": "xml.paths", "*.jsonl": "jsonl.paths"}


def listed(site: Site, inputs: Path) -> dict[str, str]:
    """A list for each pattern, laid out as Common Crawl does it."""
    found = {}
    for pattern, name in NAMES.items():
        lines = [f"crawl-data/small/{path.name}\n" for path in sorted(inputs.parent.glob(pattern))]
        site.files[f"/crawl-data/small/{name}"] = "".join(lines).encode()
        found[pattern] = f'"@{site.url}/crawl-data/small/{name}"'
    return found


def rows(root: Path) -> list[tuple[object, ...]]:
    """Every document but for its id and origin, which carry the name of its file."""
    table = corpus.open(str(root)).documents().to_table()
    return sorted(
        zip(
            *(table[name].to_pylist() for name in ("source", "content_hash", "url", "language")), strict=True
        ),
        key=repr,
    )


def test_input_over_http_is_read_through_faults(
    inputs: Path, built: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = serve(site, inputs, **listed(site, inputs))
    monkeypatch.setenv("CORPUS_REMOTE_TRIES", "12")
    draw = random.Random(5)
    kinds = ["503", "429 retry-after=0", "reset 500", "short 700", "less 300"]
    for path in list(site.files):
        site.faults[path] = [draw.choice([*kinds, "", ""]) for _ in range(12)]
    build_workspace(str(manifest), str(tmp_path / "out"), Running(), until="ingest")
    assert sum(map(len, site.faults.values())) < 12 * len(site.files) - 20
    assert rows(tmp_path / "out") == rows(built)


def test_a_file_that_stays_unreadable_is_named_and_the_rest_goes_on(
    inputs: Path, site: Site, tmp_path: Path
) -> None:
    manifest = serve(site, inputs, **listed(site, inputs))
    refused = "/crawl-data/small/crawl-1.warc.gz"
    site.always[refused] = "503"
    site.files["/crawl-data/small/warc.paths"] += b"crawl-data/small/never.warc.gz\n"
    out = tmp_path / "out"
    build_workspace(str(manifest), str(out), Running())
    workspace = corpus.open(str(out))
    assert workspace.documents().count_rows() == 34
    quarantine = [
        row for row in workspace.stats()["quarantine"].to_table().to_pylist() if row["source"] == "web"
    ]
    assert sum(row["records"] for row in quarantine) == 3  # and the damaged end of the other file
    errors = [
        row["error"] for path in sorted((out / "quarantine").glob("web-*")) for row in storage_rows(path)
    ]
    assert any(f"{site.url}{refused}: the server answers 503" in error for error in errors)
    assert any("never.warc.gz: no such file, though its list names it" in error for error in errors)
    said: list[str] = []
    site.always.clear()
    site.files["/crawl-data/small/warc.paths"] = site.files["/crawl-data/small/warc.paths"][:-31]
    build_workspace(str(manifest), str(out), Running(), said.append, until="ingest")
    assert any(line.startswith("ingest: ") and "crawl-1.warc.gz" in line for line in said)
    assert corpus.open(str(out)).documents().count_rows() == 40


@pytest.fixture
def stalled(inputs: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of archives of which one stops in mid-body, until `site.always` is cleared."""
    monkeypatch.setenv("CORPUS_REMOTE_SILENCE", "0.1")
    monkeypatch.setenv("CORPUS_REMOTE_PATIENCE", "0.2")
    manifest = serve(site, inputs, **listed(site, inputs))
    site.always["/crawl-data/small/crawl-1.warc.gz"] = "stall 1"
    return manifest


def test_a_file_that_stops_in_mid_body_is_asked_for_again_by_the_next_build(
    stalled: Path, built: Path, site: Site, tmp_path: Path
) -> None:
    out, said = tmp_path / "out", []
    build_workspace(str(stalled), str(out), Running(), said.append, until="ingest")
    assert "1 input split was not read to the end: the next build retries" in said
    missing = [row for path in (out / "quarantine").glob("web-*") for row in storage_rows(path)]
    assert [row["reason"] for row in missing if "too slow" in str(row["error"])] == ["remote"]
    assert len(rows(out)) == 34
    site.always.clear()
    build_workspace(str(stalled), str(out), Running(), said.append, until="ingest")
    assert rows(out) == rows(built) and not (out / "unread.json").exists()


@pytest.mark.parametrize("keep_text", ["all", "kept"])
def test_what_was_made_of_half_a_file_is_made_again_of_the_whole(
    keep_text: str, stalled: Path, site: Site, tmp_path: Path
) -> None:
    more = f"keep_text: {keep_text}\ndedup: {{minhash: {{}}}}\nrules: {{gopher.words: {{min: 180}}}}\n"
    stalled.write_text(stalled.read_text() + more)
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    build_workspace(str(stalled), str(out), Running())
    site.always.clear()
    for root in (out, fresh):
        build_workspace(str(stalled), str(root), Running())
    assert digests(out) == digests(fresh)


def storage_rows(path: Path) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    return list(pq.read_table(path).to_pylist())
