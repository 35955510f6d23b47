"""The report: one HTML page about the results of a build, which needs no other file and no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from corpus import storage
from corpus.data import data_path
from corpus.inspect.cuts import sample_beside_cuts
from corpus.inspect.edits_section import build_edits_section
from corpus.inspect.evidence import build_contamination_section
from corpus.inspect.html_text import shorten
from corpus.inspect.report_data import build_head_data, build_report_data
from corpus.ledger.tables import read_canary_tables, read_ledger
from corpus.ledger.views import summarize_canaries
from corpus.workspace import Workspace

REPORT_TABLES = (
    "counts",
    "tokens",
    "rules",
    "histograms",
    "overlaps",
    "duplicates",
    "domains",
    "licenses",
    "quarantine",
)
MAX_PAGE_BYTES = 4_500_000
"""Bytes of a page at most: 10 sources in 150 languages with 40 rules fit with 30 groups of their own."""
MAX_PAGE_GROUPS = 400
"""Pairs of source and language with numbers of their own, at most."""
SAMPLES_PER_SIDE = 3
"""Documents on either side of a rule's bound."""


def write_report(workspace: Workspace, path: str | None = None, timings: dict[str, Any] | None = None) -> str:
    """Write the page (by default DIR/report.html) and return its path. Without `timings` (a run of timings.json) the
    bytes depend on the results alone. Memory: the ledger; reads at most 48 row groups of documents for the samples."""
    target = path or workspace.path("report.html")
    storage.write_text(target, build_report_page(workspace, timings))
    return target


def build_report_page(workspace: Workspace, timings: dict[str, Any] | None = None) -> str:
    """Return the page's HTML, under 5 MB."""
    tables = read_ledger(workspace, REPORT_TABLES) | read_canary_tables(workspace)
    workspace.read_manifest()  # which says so if it is lost or damaged
    manifest = storage.read_text(workspace.path("manifest.yaml"))
    cuts = sample_beside_cuts(workspace, tables["rules"], SAMPLES_PER_SIDE)
    shards = workspace.tokens()
    head = {**build_head_data(tables, shards, manifest, workspace.input_sizes()), "timings": timings}
    contamination = build_contamination_section(workspace)
    sections = {
        "edits": build_edits_section(workspace),
        "canaries": summarize_canaries(tables["canaries"]),
        **({"contamination": contamination} if contamination else {}),
    }
    most = MAX_PAGE_GROUPS
    while True:
        content = render_page({**head, **build_report_data(tables, shards, cuts, most), **sections})
        size = len(content.encode())
        if size <= MAX_PAGE_BYTES or most == 1:
            return content
        most = max(1, min(most // 2, most * MAX_PAGE_BYTES // size))


def render_page(data: dict[str, Any], script: str = "report.js", kind: str = "corpus report") -> str:
    """Return a page with its data. Only scripts with a known hash may run, so nothing in the data can."""
    scripts = [_read_asset("uplot.js"), _read_asset(script)]
    hashes = " ".join(f"'sha256-{_hash_script(script)}'" for script in scripts)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {hashes}"
    encoded = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        encoded = encoded.replace(character, f"\\u{ord(character):04x}")
    title = html.escape(shorten(f"{data['name']}: {kind}", 100))
    styles = _read_asset("uplot.css") + _read_asset("report.css")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{styles}</style>\n</head>\n<body>\n"
        "<noscript>This page draws itself: it needs JavaScript, from this file alone.</noscript>\n"
        f'<script type="application/json" id="data">{encoded}</script>\n'
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def _read_asset(name: str) -> str:
    return data_path("report", name).read_text(encoding="utf-8").strip()


def _hash_script(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
