"""Samples of documents as one HTML page: `corpus sample --html`."""

from __future__ import annotations

from typing import Any

from corpus.edits.regions import Region
from corpus.inspect.differences import Pieces, compare_lines
from corpus.inspect.html_text import escape, unify_line_breaks
from corpus.inspect.readable import format_things
from corpus.inspect.samples import shorten_pieces, split_document
from corpus.inspect.verdicts import (
    MAX_CHARACTERS_SHOWN,
    describe_own_id,
    describe_signals,
    describe_verdict,
    has_pair,
)
from corpus.languages.names import name_language
from corpus.rules.kept_texts import text_or_reason

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
PAGE_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d8dce2, #363c46); --dim: light-dark(#5c6570, #9aa4b1);
  --dropped: light-dark(#ffe1de, #58231f); --kept: light-dark(#d7f3dc, #1d4427); }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 90rem; margin: 2rem auto; padding: 0 1rem;
  background: light-dark(#fff, #14171c); color: light-dark(#1b1f24, #e4e8ee); }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
article { border-top: 1px solid var(--line); padding: 1rem 0; }
header, .dim { color: var(--dim); font-size: .85rem; overflow-wrap: anywhere; }
.kept { color: light-dark(#12702c, #6fd48a); } .dropped { color: light-dark(#b02318, #ff9a90); }
.text { max-width: 62rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; overflow: hidden; unicode-bidi: plaintext; margin: .5rem 0 0; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { font-size: .85rem; overflow-wrap: anywhere; }
td, th { vertical-align: top; text-align: start; padding: .2rem .5rem; border: 1px solid var(--line); }
td { white-space: pre-wrap; overflow-wrap: anywhere; overflow: hidden; unicode-bidi: plaintext; }
del { background: var(--dropped); }
.text del { text-decoration: line-through; } ins { background: var(--kept); text-decoration: none; }
@media (max-width: 44rem) { body { margin: 1rem auto; font-size: 15px; }
  table, tbody, tr, td, th { display: block; width: 100%; } td:empty { display: none; } tr { margin-bottom: .4rem; }
  td + td { border-inline-start: 3px solid var(--kept); }
  td:not([colspan]):first-child { border-inline-start: 3px solid var(--dropped); } }
@media print { article { break-inside: avoid-page; } }
"""


def build_sample_page(rows: list[dict[str, Any]], title: str, full: bool, asked: str | None = None) -> str:
    """Return an HTML page of documents from `corpus.inspect.samples.choose_documents`, each with the value of a signal
    that was asked for."""
    articles = "\n".join(_build_article(row, full, asked) for row in rows)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{PAGE_STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n{articles}\n</body></html>\n"
    )


def _build_article(row: dict[str, Any], full: bool, asked: str | None) -> str:
    origin = row["origin"]
    kind = "kept" if row["kept"] else "dropped"
    label = row["language"] or "-"
    name = name_language(label)
    facts = [row["id"], row["source"], f"{name} {label}" if name else label]
    place = f"{row['url'] or '-'} · {origin['file']} @ {origin['offset']}{describe_own_id(row)}"
    listed = describe_signals(row, asked)
    signals = f"<div>{escape(listed)}</div>" if listed else ""
    head = (
        f'<header>{escape(" · ".join(facts))} · <span class="{kind}">{escape(describe_verdict(row))}</span>'
        f"<div>{escape(place)}</div>{signals}</header>"
    )
    if has_pair(row):
        return f"<article>{head}{_build_pair(row, full)}</article>"
    left = len(text_or_reason(row)) - MAX_CHARACTERS_SHOWN
    more = f'<p class="dim">... {left:,} more characters</p>' if left > 0 and not full else ""
    room = None if full else MAX_CHARACTERS_SHOWN
    excerpt = "".join(_mark_edit(text, region) for text, region in shorten_pieces(split_document(row), room))
    return f'<article>{head}<div class="text">{excerpt}</div>{more}</article>'


def _mark_edit(text: str, region: Region | None) -> str:
    """Return a piece of a text, struck through if it is cut or masked, with what takes its place and why."""
    shown = escape(unify_line_breaks(text))
    if region is None:
        return shown
    why = escape(", ".join(region.kinds))
    mask = f"<ins>{escape(region.replacement)}</ins>" if region.replacement else ""
    return f'<del title="{why}">{shown}</del>{mask}'


def _build_pair(row: dict[str, Any], full: bool) -> str:
    lines = []
    for pair in compare_lines(row["text"], row["stayed"]["text"] or "", row["language"], None if full else 1):
        if pair.skipped:
            left = format_things(pair.skipped, "equal line")
            lines.append(f'<tr><td colspan="2" class="dim">... {left}</td></tr>')
        if pair.one is not None or pair.other is not None:
            cells = _build_side(pair.one, "del") + _build_side(pair.other, "ins")
            lines.append(f"<tr>{cells}</tr>")
    stayed = escape(f"kept: {row['stayed']['url'] or row['stayed']['id']}{describe_own_id(row['stayed'])}")
    return f"<table><tr><th>dropped</th><th>{stayed}</th></tr>{''.join(lines)}</table>"


def _build_side(pieces: Pieces | None, mark: str) -> str:
    parts = [
        f"<{mark}>{escape(text)}</{mark}>" if differs else escape(text) for text, differs in pieces or []
    ]
    return f"<td>{''.join(parts)}</td>"
