"""Beam and pyarrow are imported with less only where nobody else can miss it."""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from corpus.pipelines.beam import loading

UNUSED = "this"
"""A module of Python that nothing imports."""


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
