"""Every pipeline becomes a Dataflow job, offline, with image, machines and label; it shuffles no pickles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, WorkerOptions
from apache_beam.runners.dataflow.internal.apiclient import Environment

from corpus.dedup.options import DedupOptions
from corpus.dedup.rows import SplitRows
from corpus.manifest import load_manifest
from corpus.pipelines import (
    decide,
    dedup,
    ingest,
    item_hits,
    item_scan,
    redact,
    repeats,
    stored_search,
    tokenize,
)
from corpus.pipelines.beam.fanout import fan_out
from corpus.pipelines.beam.options import Running
from corpus.pipelines.build.shares import UnitParts, units_pipeline
from corpus.pipelines.context import Tools
from corpus.pipelines.decide import Judge
from corpus.rules.presets import load_rules
from corpus.rules.rule import Rule
from corpus.sources.input_split import InputSplit
from corpus.workspace import Workspace

PROJECT = "corpus-example-123"
FLAGS = (
    "--runner=DataflowRunner",
    "--no_auth",
    "--dry_run=True",
    f"--project={PROJECT}",
    "--region=europe-west4",
    f"--temp_location=gs://{PROJECT}-temp/tmp",
    f"--staging_location=gs://{PROJECT}-temp/staging",
    f"--sdk_container_image=europe-docker.pkg.dev/{PROJECT}/corpus/worker:0.1",
    "--sdk_location=container",
)
ROOT = "memory://workspace"
"""A remote filesystem at hand: building a pipeline writes the list of splits there."""
SPLITS = [("web", "00aa"), ("wikipedia", "11bb")]
RUNNING = Running(extra=FLAGS)
TOKENIZE = ("sample", "pieces", "encode", "shards")
PLAIN = {
    "beam:coder:kv:v1",
    "beam:coder:varint:v1",
    "beam:coder:bytes:v1",
    "beam:coder:string_utf8:v1",
    "beam:coder:iterable:v1",
}


def no_rows(source: str, split: str) -> SplitRows:
    """Stands for the rows of a split: building a pipeline reads none."""
    none = np.zeros(0, np.int64)
    two = np.zeros((0, 2), np.uint64)
    return SplitRows(
        row=none,
        content=two,
        url=none.astype(np.uint64),
        priority=none.astype(np.int32),
        quality=none.astype(np.float32),
        length=none,
        id=two,
    )


def echo(item: str) -> Iterator[str]:
    yield item


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[beam.Pipeline], Any]]:
    """The transforms of every pipeline, by its name."""
    folder: Path = tmp_path_factory.mktemp("manifest")
    (folder / "m.yaml").write_text(
        "name: small\nsources:\n  web: {kind: warc, paths: [a.warc.gz]}\n"
        "  wikipedia: {kind: wikipedia, paths: [b.xml.bz2]}\n"
    )
    manifest = load_manifest(str(folder / "m.yaml")).manifest
    splits = [
        InputSplit(source, f"gs://{PROJECT}-in/{name}", name, 0, 1000, "same") for source, name in SPLITS
    ]
    wanted = {"quality.score": {"top_share": 0.1}}
    rules = load_rules({"web": [], "wikipedia": []}, wanted, ["quality.score"])
    judge = Judge(rules=rules, steps=(), seed=0, thresholds={})
    share: dict[str, Rule] = {rule.signal: rule for _, rule in rules.shares()}
    search = redact.PrivateSearch(ROOT, {"web": ["email"], "wikipedia": []}, ["private.email"])
    find = dedup.dedup_pipeline(Workspace(ROOT), SPLITS, no_rows, DedupOptions(), "made", RUNNING, None)
    again = repeats.repeats_pipeline(Workspace(ROOT), SPLITS, DedupOptions(paragraphs=True), RUNNING, None)
    scan = item_scan.ScanJob(ROOT, "index")
    units = UnitParts(ROOT, judge, None, manifest.validation, None)
    return {
        "ingest": ingest.ingest_pipeline(ROOT, Tools(manifest), splits, RUNNING, None),
        "thresholds": decide.thresholds_pipeline(
            ROOT, share, {"quality.score": ["web"]}, SPLITS, f"{ROOT}/stats/t.json", RUNNING, None
        ),
        "redact": stored_search.search_pipeline(search, dict.fromkeys(SPLITS, "made"), RUNNING, None),
        "decontaminate": item_scan.scan_pipeline(scan, SPLITS, RUNNING, None),
        "judge": item_hits.judge_pipeline(item_hits.JudgeJob(scan, "weights", "{}"), SPLITS, RUNNING, None),
        "dedup": find,
        "decide": decide.decide_pipeline(ROOT, judge, 0.005, None, SPLITS, RUNNING, None),
        "validation": units_pipeline(units, SPLITS, f"{ROOT}/units.json", RUNNING, None),
        "repeats": again,
        "merge": lambda start: start | "Merge" >> fan_out(["[]"], echo, RUNNING, None),
        **{name: tokenize.tokenize_pipeline(name, ["[]"], echo, RUNNING, None) for name in TOKENIZE},
    }


NAMES = (
    "ingest",
    "thresholds",
    "redact",
    "decontaminate",
    "judge",
    "dedup",
    "decide",
    "validation",
    "repeats",
    "merge",
    *TOKENIZE,
)
MACHINES = {"ingest": "n2-standard-8", "dedup": "n2-standard-4", "repeats": "n2-standard-4"}


@pytest.fixture(scope="module", params=NAMES)
def job(request: pytest.FixtureRequest, builds: dict[str, Callable[[beam.Pipeline], Any]]) -> Any:
    """The job that the Dataflow runner would send."""
    with mock.patch("apache_beam.io.gcp.gcsio.GcsIO.is_soft_delete_enabled", return_value=False):
        pipeline = beam.Pipeline(options=RUNNING.options(request.param))
        builds[request.param](pipeline)
        return pipeline.run().job


def test_a_job_is_made_offline_with_its_steps(job: Any) -> None:
    components = job.proto_pipeline.components
    labels = {transform.unique_name for transform in components.transforms.values()}
    assert job.google_cloud_options.job_name.startswith("corpus-")
    assert {label.rpartition("/")[2] for label in labels} >= {"Items", "Deal", "Work"}
    images = [
        environment.payload.decode(errors="replace") for environment in components.environments.values()
    ]
    assert any("/corpus/worker:0.1" in image for image in images)


def test_a_job_has_the_image_the_machines_and_the_label_of_its_stage(job: Any) -> None:
    stage = job.google_cloud_options.job_name.removeprefix("corpus-")
    assert dict(job.proto.labels) == {"corpus-stage": stage}
    sent = Environment([], job.options, "2", f"gs://{PROJECT}-temp/p.pb", job.proto_pipeline).proto
    (pool,) = sent.worker_pools
    assert pool.machine_type == MACHINES.get(stage, "e2-standard-4")
    assert pool.disk_size_gb == 50
    (image,) = pool.sdk_harness_container_images
    assert image.container_image.endswith("/corpus/worker:0.1")
    assert image.use_single_core_per_container, "a process of Beam's for every core"


def test_machines_and_disks_that_are_given_stay() -> None:
    given = ("--worker_machine_type=c3-standard-4", "--disk_size_gb=30", "--labels=team=x")
    options = Running(extra=(*FLAGS, *given)).options("ingest")
    workers = options.view_as(WorkerOptions)
    assert (workers.machine_type, workers.disk_size_gb) == ("c3-standard-4", 30)
    assert options.view_as(GoogleCloudOptions).labels == ["team=x", "corpus-stage=ingest"]
    local = Running(extra=("--runner=PortableRunner", "--job_endpoint=localhost:1")).options("ingest")
    assert local.view_as(WorkerOptions).machine_type is None


def test_what_is_shuffled_is_never_pickled(job: Any) -> None:
    components = job.proto_pipeline.components

    def urns(coder: str) -> set[str]:
        found = components.coders[coder]
        return {found.spec.urn}.union(*(urns(inner) for inner in found.component_coder_ids))

    shuffles = [t for t in components.transforms.values() if t.spec.urn == "beam:transform:group_by_key:v1"]
    assert shuffles
    for transform in shuffles:
        for collection in transform.inputs.values():
            assert urns(components.pcollections[collection].coder_id) <= PLAIN, transform.unique_name
