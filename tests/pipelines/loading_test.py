"""Beam and pyarrow are imported with less only where nobody else can miss it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from corpus.pipelines.beam import loading

UNUSED = "this"
"""A module of Python that nothing imports."""
OWN_PROCESS = """
import gc
import inspect

from corpus.pipelines.beam.loading import is_whole, load_beam, own_process

usual = gc.get_threshold()
own_process()
assert all(rare > often for rare, often in zip(gc.get_threshold(), usual))
load_beam(local_only=True)
assert not is_whole()

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, get_dofn_specs, is_stateful_dofn

class Counting(beam.DoFn):
    SPEC = ReadModifyWriteStateSpec("seen", VarIntCoder())

    def process(self, item, seen=beam.DoFn.StateParam(SPEC)):
        yield item

counting, plain = Counting(), beam.DoFn()
for _ in range(2):
    assert get_dofn_specs(counting) == ({Counting.SPEC}, set())
    assert is_stateful_dofn(counting) and not is_stateful_dofn(plain)

from apache_beam.transforms import core

class Naming(beam.DoFn):
    def __init__(self, name):
        self.name = name

    def process(self, item, name="甲", *names):
        yield item

    def setup(self):
        return self.name

class Starting(beam.DoFn):
    def start_bundle(self):
        pass

reads, read = [], inspect.signature
inspect.signature = lambda *arguments, **keywords: reads.append(arguments) or read(*arguments, **keywords)
for _ in range(3):
    core.get_function_arguments(Starting(), "start_bundle")
assert len(reads) == 1, reads
inspect.signature = read

for naming in (Naming("乙"), Naming("丙"), beam.DoFn()):
    for _ in range(2):
        expected = (["item", "name"], ["甲"]) if isinstance(naming, Naming) else (["element"], [])
        assert core.get_function_arguments(naming, "process") == expected
        assert core.get_function_arguments(naming, "setup") == ([], [])
assert core.get_function_arguments(beam.ParDo(lambda item, 丁=3: [item]).fn, "process") == (["item", "丁"], [3])
assert core.get_function_arguments(beam.ParDo(len).fn, "process") != core.get_function_arguments(
    beam.ParDo(lambda first, second: []).fn, "process"
)

import base64
import bz2

from apache_beam.internal import pickler

packed = pickler.dumps(Naming("己"))
assert pickler.loads(packed).name == "己"
assert not base64.b64decode(packed).startswith(bz2.compress(b"")[:3])

first, second = PipelineOptions(["--direct_num_workers=3"]), PipelineOptions([])
for _ in range(2):
    assert first.view_as(DirectOptions).direct_num_workers == 3
    assert second.view_as(DirectOptions).direct_num_workers == 1
    assert not second.view_as(StandardOptions).streaming
first.view_as(StandardOptions).streaming = True
assert first.view_as(StandardOptions).streaming and first.get_all_options()["streaming"]
assert first.view_as(DirectOptions).view_as(StandardOptions).streaming
"""
"""What holds in a process that runs nothing but `corpus`."""


def test_what_is_left_out_is_left_out_for_one_thread_and_for_a_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, UNUSED, raising=False)
    with loading._refusing((UNUSED,)), ThreadPoolExecutor(1) as pool:
        with pytest.raises(ModuleNotFoundError, match="is left out here"):
            importlib.import_module(UNUSED)
        assert pool.submit(importlib.import_module, UNUSED).result().__name__ == UNUSED
        monkeypatch.delitem(sys.modules, UNUSED)
    assert importlib.import_module(UNUSED).__name__ == UNUSED
    assert capsys.readouterr().out


def test_beam_is_whole_in_a_process_of_the_user_with_or_without_clouds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loading.load_beam(local_only=True)
    assert loading.is_whole()
    monkeypatch.delitem(sys.modules, "apache_beam.io.gcp.bigquery", raising=False)
    assert loading.is_whole()


def test_beam_answers_the_same_in_a_process_of_our_own() -> None:
    ran = subprocess.run([sys.executable, "-c", OWN_PROCESS], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
