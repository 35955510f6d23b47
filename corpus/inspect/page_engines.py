"""Say what has read the web pages of each source, where documents do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from corpus.extract import DEFAULT_MODE, EXTRACTION_MODES
from corpus.sources import KINDS, KINDS_WITHOUT_PAGES
from corpus.workspace import Workspace

WET_NAME = re.compile(r"(?:^|[./])wet(?:\.[^/]*)?$", re.IGNORECASE)
"""Names, patterns and lists (`@wet.paths.gz`) of archives of texts, which a crawl has extracted itself."""


def find_engines(workspace: Workspace) -> dict[str, str]:
    """Return what has read the pages of each source that do not say so in their metadata, by the manifest.

    Without sources that have no pages, or of which that is not known: those of a plug-in, and archives of texts.
    """
    manifest = workspace.read_manifest()
    mode = (manifest.get("extraction") or {}).get("mode", DEFAULT_MODE)
    named = {name: _find_engine(source, mode) for name, source in manifest["sources"].items()}
    return {name: engine for name, engine in named.items() if engine is not None}


def _find_engine(source: Mapping[str, Any], mode: str) -> str | None:
    kind, paths = source["kind"], source.get("paths") or []
    if kind in KINDS_WITHOUT_PAGES or kind not in KINDS:
        return None
    if paths and all(WET_NAME.search(path) for path in paths):
        return None
    if kind == "news":  # in any mode
        return "trafilatura"
    if mode == "corpus":  # whose documents say it
        return None
    return "trafilatura" if mode in EXTRACTION_MODES and mode != "resiliparse" else mode
