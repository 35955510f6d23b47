"""Imports point down, floor by floor; no circles; nothing heavy where it is not needed; what is imported is there.

An import that climbs fails wherever it stands: at the top of a module, inside a function or under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

from tests.lint.imports import ROOT, all_imports, arrows, circles, module_graph, modules, packages, tree

FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "corpus.errors",
        "corpus.extras",
        "corpus.environment",
        "corpus.document",
        "corpus.groups",
        "corpus.child_process",
        "corpus.freed_memory",
        "corpus.garbage_collection",
        "corpus.suggestions",
        "corpus.unicode_ranges",
    ),
    ("corpus.storage", "corpus.data", "corpus.plugins", "corpus.document_schema", "corpus.processor_time"),
    ("corpus.formats", "corpus.progress", "corpus.workspace", "corpus.holding"),
    ("corpus.languages", "corpus.edits"),
    ("corpus.text",),
    (
        "corpus.extract",
        "corpus.rules",
        "corpus.dedup",
        "corpus.classifier",
        "corpus.validation",
        "corpus.manifest_mistakes",
    ),
    ("corpus.decontamination",),
    ("corpus.tokens", "corpus.web", "corpus.ledger", "corpus.private", "corpus.clean"),
    ("corpus.sources", "corpus.trainer"),
    ("corpus.manifest", "corpus.inference", "corpus.inspect", "corpus.suffixes"),
    ("corpus.verify", "corpus.export", "corpus.api", "corpus.experiments"),
    ("corpus.filters",),
    ("corpus.pipelines.beam", "corpus.pipelines.against", "corpus.pipelines.split_plan"),
    (
        "corpus.pipelines.dedup_steps",
        "corpus.pipelines.repeat_steps",
        "corpus.pipelines.decide",
        "corpus.pipelines.item_scan",
        "corpus.pipelines.tokenize",
        "corpus.pipelines.url_lists",
    ),
    ("corpus.pipelines.canary_steps", "corpus.pipelines.containment_steps", "corpus.pipelines.item_hits"),
    (
        "corpus.pipelines.dedup",
        "corpus.pipelines.repeats",
        "corpus.pipelines.stored_search",
        "corpus.pipelines.decontaminate",
        "corpus.pipelines.context",
    ),
    ("corpus.pipelines.clean", "corpus.pipelines.redact"),
    ("corpus.pipelines.measure",),
    ("corpus.pipelines.ingest",),
    ("corpus.pipelines.build", "corpus.pipelines.transforms"),
    ("corpus.pipelines.cli",),
    ("corpus.__main__",),
)
"""Rooms from the ground up. A room imports from lower floors alone, and from inside itself."""

CLIMBS = {
    **{
        ("corpus", room): "the public names of the package, imported when they are asked for"
        for room in (
            "corpus.api",
            "corpus.document",
            "corpus.errors",
            "corpus.extract",
            "corpus.sources",
            "corpus.text",
            "corpus.workspace",
        )
    },
    (
        "corpus.workspace",
        "corpus.trainer",
    ): "`torch()`, which users find at a workspace; imported when it is called",
    ("corpus.inspect", "corpus"): "the version number",
    ("corpus.pipelines.cli", "corpus"): "the version number, and `open` as a user has it",
}
"""Imports that need no floor, each with its reason."""

BEAM = ("corpus.pipelines",)
TORCH = ("corpus.trainer", "corpus.inference", "corpus.experiments", "corpus.pipelines.cli")
LIGHT = {
    "corpus": ("apache_beam", "torch", "pandas", "pyarrow", "fasttext", "trafilatura"),
    "corpus.workspace": ("apache_beam", "torch", "fasttext", "trafilatura"),
    "corpus.manifest": ("apache_beam", "torch", "pandas", "fasttext", "trafilatura"),
    "corpus.pipelines.cli": ("apache_beam", "torch", "pandas", "pyarrow", "fasttext", "trafilatura"),
}
"""Module -> packages that importing it must not load: they take longer than showing a line of help."""


@cache
def room(name: str) -> str | None:
    """The room that a module is or lies in; None for the two packages that only hold rooms."""
    rooms = [each for floor in FLOORS for each in floor]
    return next((each for each in rooms if name == each or name.startswith(f"{each}.")), None)


def unplaced() -> Iterator[str]:
    for name, path in modules().items():
        if room(name) is None and name not in ("corpus", "corpus.pipelines"):
            yield f"{path.relative_to(ROOT)}: stands on no floor: add its room to FLOORS in tests/lint/layers.py"


def climbing() -> Iterator[str]:
    height = {each: number for number, floor in enumerate(FLOORS) for each in floor}
    for each in all_imports():
        start, end = room(each.importer) or each.importer, room(each.imported) or each.imported
        if start == end or (start, end) in CLIMBS:
            continue
        if end not in height or start not in height or height[end] >= height[start]:
            path = modules()[each.importer].relative_to(ROOT)
            yield f"{path}:{each.line}: {start} imports {each.imported}, which is not below it"


def round_and_round() -> Iterator[str]:
    for group in circles(module_graph()):
        yield f"these modules import each other: {', '.join(group)}"
    for package in packages():
        for group in circles(arrows(package)):
            yield f"these parts of {package} import each other: {', '.join(group)}"


def foreign() -> Iterator[str]:
    """Beam outside the pipelines, torch outside the trainer, and our own folders by names that load them twice."""
    for name, path in modules().items():
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Import):
                tops = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                tops = {node.module.partition(".")[0]}
            else:
                continue
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            if "apache_beam" in tops and not name.startswith(BEAM):
                yield f"{place}: Beam is imported outside {', '.join(BEAM)}"
            if "torch" in tops and not name.startswith(TORCH):
                yield f"{place}: torch is imported outside {', '.join(TORCH)}"
            for top in tops & {"filters", "pipelines"}:
                yield f"{place}: write corpus.{top}: by its bare name it would be loaded a second time"


def missing() -> Iterator[str]:
    """Names that are imported from our own modules and are not there."""
    for name, path in modules().items():
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "corpus":
                for alias in node.names:
                    if f"{node.module}.{alias.name}" in modules():
                        continue
                    if node.module not in modules() or alias.name not in defined(node.module):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}: no {alias.name} in {node.module}"


@cache
def defined(name: str) -> frozenset[str]:
    """Every name that a module binds."""
    names: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return frozenset(names)


def heavy() -> Iterator[str]:
    for module, unwanted in LIGHT.items():
        probe = f"import sys, {module}; print(*[name for name in {unwanted} if name in sys.modules])"
        loaded = subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout.strip()
        if loaded:
            yield f"import {module} loads {loaded}"


def main() -> int:
    checks = (unplaced, climbing, round_and_round, foreign, missing, heavy)
    wrong = [line for check in checks for line in check()]
    print("\n".join(wrong) or f"layers: every import points down {len(FLOORS)} floors, without circles")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
