"""Join the edits of a text into regions, and apply them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_LAST_BREAK = re.compile(r"\s*\n")
_BLANKS = re.compile(r"[^\S\n]*")


class Edit(NamedTuple):
    """Characters [start, end) of a text, and what takes their place: `replacement`, or nothing if it is None."""

    start: int
    end: int
    kind: str
    replacement: str | None = None


class Region(NamedTuple):
    """Characters [start, end) that no other region touches, the text in their place, and the kinds of their edits."""

    start: int
    end: int
    replacement: str
    kinds: tuple[str, ...]


def join_edits(edits: Iterable[Edit], length: int) -> list[Region]:
    """Join the edits of a text of `length` characters, in any order, into regions by ascending place.

    Edits that overlap are one region, and so are cuts that touch. A mask inside a cut goes with it. One that reaches
    beyond the cut stays, in place of all that both cover, so that no part of what it hides can be read. Of masks that
    overlap, the one that begins first (of two that begin together, the longer one) replaces all.
    Raises ValueError for an edit outside of the text.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, -edit.end, edit.kind, edit.replacement or ""))
    for edit in ordered:
        if not 0 <= edit.start < edit.end <= length:
            raise ValueError(f"an edit of characters {edit.start} to {edit.end} of a text of {length}")
    regions: list[Region] = []
    group: list[Edit] = []
    end = 0
    for edit in ordered:
        if group and (edit.start > end or (edit.start == end and not _are_cuts(group, edit))):
            regions.append(_join_group(group))
            group = []
        group.append(edit)
        end = max(end, edit.end) if len(group) > 1 else edit.end
    if group:
        regions.append(_join_group(group))
    return regions


def _are_cuts(group: Sequence[Edit], edit: Edit) -> bool:
    return edit.replacement is None and all(each.replacement is None for each in group)


def _join_group(group: Sequence[Edit]) -> Region:
    """Return the region of edits that overlap, in the order of `join_edits`."""
    cuts = list(_join_spans(edit for edit in group if edit.replacement is None))
    masks: list[Edit] = []
    for edit in group:
        inside = any(start <= edit.start and edit.end <= end for start, end in cuts)
        if edit.replacement is not None and not inside and not (masks and edit.start < masks[-1].end):
            masks.append(edit)
        elif masks and edit.replacement is not None and not inside:
            masks[-1] = masks[-1]._replace(end=max(masks[-1].end, edit.end))
    return Region(
        group[0].start,
        max(edit.end for edit in group),
        "".join(mask.replacement or "" for mask in masks),
        tuple(dict.fromkeys(edit.kind for edit in group)),
    )


def _join_spans(edits: Iterable[Edit]) -> Iterator[tuple[int, int]]:
    """Yield the spans that edits, by ascending start, cover together."""
    start = end = -1
    for edit in edits:
        if edit.start > end:
            if end >= 0:
                yield start, end
            start, end = edit.start, edit.end
        end = max(end, edit.end)
    if end >= 0:
        yield start, end


def find_regions(text: str, edits: Iterable[Edit]) -> list[Region]:
    """Return the regions of a text whose characters other text replaces, by ascending place.

    Where whole lines go, so do the line breaks on one of their sides, the side with fewer of them: the lines before
    and after stand as far apart as the farther of the two stood from what was between them.
    """
    regions = _merge_neighbours(join_edits(edits, len(text)), text, breaks=False)
    regions = [_widen_to_lines(text, region, *room) for region, room in _add_room(regions, text)]
    regions = _merge_neighbours(regions, text, breaks=True)
    return [
        _take_breaks(text, region, *room) if _is_whole(region, text) else region
        for region, room in _add_room(regions, text)
    ]


def _add_room(regions: Sequence[Region], text: str) -> Iterator[tuple[Region, tuple[int, int]]]:
    """Yield each region with where the one before it ends and the one after it starts."""
    ends = [0, *(region.end for region in regions)]
    starts = [*(region.start for region in regions[1:]), len(text)]
    for region, end, start in zip(regions, ends, starts, strict=False):
        yield region, (end, start)


def _merge_neighbours(regions: Iterable[Region], text: str, *, breaks: bool) -> list[Region]:
    """Merge cuts with nothing but blanks between them; with `breaks`, whole lines with line breaks between them."""
    merged: list[Region] = []
    for region in regions:
        last = merged[-1] if merged else None
        if last is not None and not (last.replacement or region.replacement):
            gap = text[last.end : region.start]
            lines = breaks and _is_whole(last, text) and _is_whole(region, text)
            if not gap.strip() and (lines or (gap and "\n" not in gap)):
                kinds = tuple(dict.fromkeys(last.kinds + region.kinds))
                merged[-1] = Region(last.start, region.end, "", kinds)
                continue
        merged.append(region)
    return merged


def _widen_to_lines(text: str, region: Region, low: int, high: int) -> Region:
    """Return the region with the blanks around it, within `low` and `high`, if it is all that lines have, and nothing
    replaces it."""
    begin = text.rfind("\n", low, region.start) + 1 or low
    match = _BLANKS.match(text, region.end, high)
    end = match.end() if match else region.end
    wide = region._replace(start=begin, end=end)
    return wide if not text[begin : region.start].strip() and _is_whole(wide, text) else region


def _is_whole(region: Region, text: str) -> bool:
    """Return whether a region that nothing replaces begins and ends as lines do."""
    begins = region.start == 0 or text[region.start - 1] == "\n"
    return begins and not region.replacement and (region.end == len(text) or text[region.end] == "\n")


def _take_breaks(text: str, region: Region, low: int, high: int) -> Region:
    """Return whole lines with the line breaks, and the blank lines, on one of their sides, within `low` and `high`."""
    after = _LAST_BREAK.match(text, region.end, high)
    end = after.end() if after else region.end
    kept = low + len(text[low : region.start].rstrip())
    first = text.find("\n", kept, region.start)
    start = first if first >= 0 else region.start
    if not text[: region.start].strip():
        return region._replace(start=low, end=end)
    if not text[region.end :].strip():
        return region._replace(start=start, end=high)
    if text.count("\n", start, region.start) < text.count("\n", region.end, end):
        return region._replace(start=start)
    return region._replace(end=end)


def split_text(text: str, edits: Iterable[Edit]) -> Iterator[tuple[str, Region | None]]:
    """Yield a text in pieces, each with the region that it is, None for what stays. Raises ValueError as
    `join_edits`."""
    done = 0
    for region in find_regions(text, edits):
        if region.start > done:
            yield text[done : region.start], None
        yield text[region.start : region.end], region
        done = region.end
    if done < len(text):
        yield text[done:], None


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with its edits applied: see `join_edits` and `find_regions`. Raises ValueError as the first."""
    pieces: list[str] = []
    done = 0
    for region in find_regions(text, edits):
        pieces += (text[done : region.start], region.replacement)
        done = region.end
    return "".join((*pieces, text[done:]))
