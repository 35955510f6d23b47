"""Signals of single texts, and which rules they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus import filters
from corpus.manifest import load_manifest
from corpus.pipelines.context import Tools
from corpus.rules.presets import load_rules
from corpus.text.page import Page

STEPS = ("text", "url", "gopher", "gopher_repetition", "c4", "fineweb", "prose", "code")
FILTERS = [filters.load_filter(step) for step in STEPS]
SIGNALS = [signal for filter in FILTERS for signal in filter.signals]


def measure(text: str, language: str | None = None, url: str | None = None) -> dict[str, float]:
    """Every heuristic signal of a text."""
    page = Page(text, language, url)
    return {
        signal: float(value)
        for filter in FILTERS
        for signal, value in zip(filter.signals, filter.measure(page), strict=True)
    }


def list_measured(folder: Path, kind: str, rules: str = "") -> set[str]:
    """The steps that a build of one source of a kind measures, with the rules of a manifest."""
    (folder / "own").mkdir()
    manifest = folder / "m.yaml"
    manifest.write_text(f"name: m\nsources: {{own: {{kind: {kind}, paths: [own], rules: []}}}}\n{rules}")
    return set(Tools(load_manifest(str(manifest)).manifest).filters)


@cache
def _measured(text: str, language: str | None) -> pa.Table:
    return table([measure(text, language)])


def table(rows: Sequence[Mapping[str, float]]) -> pa.Table:
    """Rows of signals as they are stored: float32, null where not measured."""
    columns = {
        name: pa.array([row[name] for row in rows], pa.float32(), from_pandas=True) for name in rows[0]
    }
    return pa.table(columns)


def failed(
    text: str, language: str | None, presets: Sequence[str], rules: Mapping[str, Any] | None = None
) -> list[str]:
    """Names of the rules that a text fails."""
    found = load_rules({"web": list(presets)}, rules or {}, SIGNALS)
    lists, _ = found.evaluate(_measured(text, language), pa.array([language], pa.string()), "web")
    names: list[str] = lists.to_pylist()[0]
    return names
