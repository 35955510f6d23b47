"""Evidence for items of evaluation sets: what stands in the document beside what stands in the item."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.decontamination import item_index
from corpus.decontamination.hits import has_hits, read_hits, read_part, sets_path
from corpus.errors import UserError
from corpus.inspect.html_text import shorten
from corpus.inspect.samples import DocumentPlace, read_documents
from corpus.rules.rule import draw_uniform
from corpus.workspace import Workspace, open_stored

AROUND = 120
"""Characters of a document that are shown on either side of a hit."""
MAX_SHOWN = 1200
"""Characters of a hit, and of an item, that are shown."""
MAX_REPORT_HITS = 40
MAX_REPORT_SETS = 60
VERDICTS = ("hit", "cleared", "common")
"""The verdicts that are shown: those of items like a better one in the same place are not."""
Row = dict[str, Any]


def read_set_table(workspace: Workspace) -> list[Row]:
    """Return the rows of `hits.SETS_SCHEMA`; raises UserError where the build looked for no items."""
    if not has_hits(workspace):
        raise UserError(
            f"{workspace.root} was built without evaluation sets: name them in the manifest, "
            "decontaminate: {sets: [FOLDER]}, and build again"
        )
    rows: list[Row] = read_part(sets_path(workspace)).to_pylist()
    return rows


def list_unsought(workspace: Workspace) -> list[Row]:
    """Return the items that cannot be looked for: `set`, `item` and `reason`."""
    rows = item_index.read_items(workspace.path(item_index.FOLDER), ["set", "item", "reason"]).to_pylist()
    return [row for row in rows if row["reason"] is not None]


def choose_hits(
    workspace: Workspace,
    count: int,
    seed: int = 0,
    source: str | None = None,
    verdicts: Collection[str] = VERDICTS,
) -> list[Row]:
    """Return up to `count` hits of a workspace, drawn by (seed, document), each with the texts of both sides.

    A row is that of `hits.HITS_SCHEMA`, with `source`, `split`, `url`, `kept`, `before`, `passage` and `after` (of the
    document, with the masks that are applied to its text), `texts` (the item's, one after the other) and `pieces` of
    these: [text, whether it is matched].
    """
    read_set_table(workspace)
    best: list[tuple[float, str, int, Row]] = []
    for name, split, rows in read_hits(workspace, verdicts):
        if not rows or (source is not None and name != source):
            continue
        draws = draw_uniform(pa.array([row["id"] for row in rows], pa.string()), seed)
        drawn = [
            (draw, row["id"], row["number"], {**row, "source": name, "split": split})
            for draw, row in zip(draws.tolist(), rows, strict=True)
        ]
        best = heapq.nsmallest(count, [*best, *drawn], key=lambda each: each[:3])
    chosen = [row for *_, row in best]
    return _add_texts(workspace, chosen)


def _add_texts(workspace: Workspace, hits: Sequence[Row]) -> list[Row]:
    places = []
    firsts_by_part: dict[tuple[str, str], list[int]] = {}
    for hit in hits:
        part = (hit["source"], hit["split"])
        firsts = firsts_by_part.setdefault(part, _list_first_rows(workspace, *part))
        group = bisect_right(firsts, hit["row"]) - 1
        places.append(DocumentPlace(0.0, hit["id"], *part, group, hit["row"] - firsts[group]))
    documents = read_documents(workspace, places)
    items = item_index.read_items(workspace.path(item_index.FOLDER))
    for hit, document in zip(hits, documents, strict=True):
        text, item = document["text"] or "", items.slice(hit["number"], 1).to_pylist()[0]
        texts = item_index.join_texts(item)
        masks = [edit for edit in document.get("edits", ()) if edit["replacement"] is not None]
        hit |= {
            "url": document["url"],
            "kept": document["kept"],
            "parts": dict(hit["parts"]),
            "before": _show(text, max(0, hit["start"] - AROUND), hit["start"], masks),
            "passage": _show(text, hit["start"], hit["end"], masks),
            "after": _show(text, hit["end"], hit["end"] + AROUND, masks),
            "texts": texts,
            "pieces": _cut_pieces(texts, hit["item_spans"]),
        }
    return list(hits)


def _show(text: str, start: int, end: int, masks: Sequence[Row]) -> str:
    """Return characters [start, end) of a text with its masks, sorted by place, in place of what they hide."""
    shown: list[str] = []
    done = start
    for mask in masks:
        if mask["start"] < end and mask["end"] > done:
            hidden = max(done, mask["start"])
            shown += (text[done:hidden], mask["replacement"] if hidden == mask["start"] else "")
            done = mask["end"]
    shown.append(text[done:end])
    return "".join(shown)


def _list_first_rows(workspace: Workspace, source: str, split: str) -> list[int]:
    with open_stored(workspace.part("documents", source, split)) as stream:
        metadata = pq.ParquetFile(stream).metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return list(accumulate(sizes[:-1], initial=0))


def _cut_pieces(text: str, spans: Sequence[dict[str, int]]) -> list[tuple[str, bool]]:
    """Return the pieces of a text, each with whether it is in one of the spans."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for span in spans:
        pieces += [(text[done : span["start"]], False), (text[span["start"] : span["end"]], True)]
        done = span["end"]
    pieces.append((text[done:].rstrip("\n"), False))
    return [(piece, matched) for piece, matched in pieces if piece]


def build_contamination_section(workspace: Workspace) -> Row | None:
    """Return the report's section on evaluation sets: the sets, and some hits with both texts; None without sets."""
    if not has_hits(workspace):
        return None
    sets = read_set_table(workspace)
    reasons: dict[tuple[str, str], int] = {}
    for row in list_unsought(workspace):
        key = (row["set"], row["reason"].partition(":")[0])
        reasons[key] = reasons.get(key, 0) + 1
    hits = []
    for row in choose_hits(workspace, MAX_REPORT_HITS):
        names = ("set", "item", "verdict", "action", "score", "parts", "source", "url", "id", "reason")
        hits.append(
            {
                **{name: row[name] for name in names},
                "score": round(float(np.float32(row["score"])), 3),
                "before": row["before"],
                "passage": shorten(row["passage"], MAX_SHOWN),
                "after": row["after"],
                "pieces": _shorten_pieces(row["pieces"]),
            }
        )
    return {
        "sets": [row for row in sets if row["source"] is None][:MAX_REPORT_SETS],
        "sources": [row for row in sets if row["source"] is not None][: 4 * MAX_REPORT_SETS],
        "unsought": [[*key, count] for key, count in sorted(reasons.items())][:MAX_REPORT_SETS],
        "hits": hits,
    }


def _shorten_pieces(pieces: Sequence[tuple[str, bool]]) -> list[list[Any]]:
    shown: list[list[Any]] = []
    left = MAX_SHOWN
    for piece, matched in pieces:
        if left <= 0:
            break
        shown.append([shorten(piece, left), matched])
        left -= len(piece)
    return shown
