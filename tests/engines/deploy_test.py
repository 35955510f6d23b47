"""The files that people start clusters with: they parse, and give the command what it takes."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from corpus.pipelines.build.slice import Slice
from corpus.pipelines.cli.beam_options import check_beam_options
from tests.engines.installed import ROOT

DEPLOY = ROOT / "deploy"
SCRIPTS = sorted([*DEPLOY.glob("slurm/*.sbatch"), *ROOT.glob("containers/*.sh")])
MANIFESTS = sorted(DEPLOY.glob("*/*.yaml"))


def containers(manifest: dict[str, object]) -> list[dict[str, list[str]]]:
    """All containers anywhere in a manifest of Kubernetes or Cloud Run."""
    nested = [manifest]
    named = []
    while nested:
        here = nested.pop()
        for key, value in here.items():
            if key == "containers" and isinstance(value, list):
                named += value
            elif isinstance(value, dict):
                nested.append(value)
    return named


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse(script: Path) -> None:
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True).stderr == ""


def run_slices(tmp_path: Path, arguments: list[str], **environment: str) -> str:
    """What the script of slices calls `corpus` with."""
    (tmp_path / "corpus").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "corpus").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **environment}
    command = ["bash", str(DEPLOY / "slurm" / "slices.sbatch"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


def test_a_task_of_an_array_makes_its_slice_and_a_job_without_one_the_build(tmp_path: Path) -> None:
    task = run_slices(tmp_path, ["m.yaml", "out", "100"], SLURM_ARRAY_TASK_ID="17", SLURM_CPUS_PER_TASK="4")
    assert task == "build m.yaml --out out --workers 4 --slice 17/100"
    assert run_slices(tmp_path, ["m.yaml", "out"]) == "build m.yaml --out out --workers 1"
    with pytest.raises(subprocess.CalledProcessError):
        run_slices(tmp_path, ["m.yaml", "out"], SLURM_ARRAY_TASK_ID="17")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_name_images_and_commands_that_there_are(path: Path) -> None:
    manifest = yaml.safe_load(path.read_text("utf-8"))
    for container in containers(manifest):
        words = " ".join([*container.get("command", []), *container.get("args", [])])
        if "corpus" in words:
            assert " build " in f" {words} " and " --out " in words
        if " -- " in words:
            check_beam_options(words.partition(" -- ")[2].split(), "")
        if "--slice" in words:
            count = re.search(r'--slice "\$\(\(JOB_COMPLETION_INDEX \+ 1\)\)/(\d+)"', words)
            assert count and int(count[1]) == manifest["spec"]["completions"]
            assert str(Slice.parse(f"{manifest['spec']['completions']}/{count[1]}"))


def test_what_the_image_copies_is_there_at_the_versions_of_the_tests() -> None:
    text = (ROOT / "containers" / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()[:-1])
    (version,) = re.findall(r"^apache-beam==([\d.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert f"ARG BEAM={version}" in text
    assert f"prism@v{version}" in (ROOT / "docs" / "engines.md").read_text("utf-8")
