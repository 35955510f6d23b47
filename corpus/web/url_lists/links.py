"""Decide which submissions link to a page of text, with a reason for each that does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus.data import data_path
from corpus.errors import UserError
from corpus.formats.yaml_lines import load_yaml
from corpus.storage.fingerprint import fingerprint

REASONS = ("no_score", "over_18", "self", "media", "excluded_domain", "address", "low_score")
"""Why a submission counts for no URL. `address`: no http(s) URL of a public host; `low_score`: by the rule of
single posts only."""

_HOST = r"^\s*[hH][tT][tT][pP][sS]?://(?:[^/?#@]*@)?(?P<host>[^/?#:@\[\]\s]+)"
_EXTENSION = r"^[^?#]*/[^?#/]*\.(?P<extension>[A-Za-z0-9]{1,5})/?(?:[?#].*)?$"


@dataclass(frozen=True, kw_only=True)
class LinkRules:
    """What counts as a link to text. `min_score` applies to a URL's sum, or with `single_post` to each post."""

    min_score: int = 3
    single_post: bool = False
    over_18: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class _LinkLists:
    media_domains: frozenset[str]
    media_extensions: frozenset[str]
    media_hints: frozenset[str]
    excluded_domains: frozenset[str]
    identity: str


@cache
def link_lists() -> _LinkLists:
    """Return manifests/links.yaml, read once. Raises UserError if the file is malformed."""
    path = data_path("links.yaml")
    data, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    try:
        return _LinkLists(
            frozenset(data["media_domains"].split()),
            frozenset(data["media_extensions"].split()),
            frozenset(data["media_hints"]),
            frozenset(data["excluded_domains"].split()),
            fingerprint(data),
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: not as expected: {error}") from None


def find_reasons(rows: pa.Table, rules: LinkRules) -> dict[str, NDArray[np.bool_]]:
    """Return the rows that each of `REASONS` removes; `rows` have the schema of `corpus.web.url_lists.submissions`."""
    known = link_lists()
    url = rows["url"].combine_chunks()
    host = pc.utf8_lower(pc.struct_field(pc.extract_regex(url, _HOST), "host"))
    media_host = _match_parents(host, known.media_domains)
    excluded = _match_parents(host, known.excluded_domains.union(rules.exclude))
    extension = pc.utf8_lower(pc.struct_field(pc.extract_regex(url, _EXTENSION), "extension"))
    media_file = _to_mask(pc.is_in(extension, pa.array(sorted(known.media_extensions))))
    hint = _to_mask(pc.is_in(rows["hint"], pa.array(sorted(known.media_hints))))
    score = rows["score"]
    return {
        "no_score": _to_mask(pc.is_null(score)),
        "over_18": _to_mask(rows["over_18"]) & (not rules.over_18),
        "self": _to_mask(rows["is_self"]),
        "media": _to_mask(rows["media"]) | media_host | media_file | hint,
        "excluded_domain": excluded,
        "address": ~_to_mask(pc.match_substring(host, ".")),
        "low_score": _to_mask(pc.less(score, rules.min_score)) & rules.single_post,
    }


def read_domains(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the domains of a list, a line each, `#` for comments."""
    domains = {line.partition("#")[0].strip().lower().strip(".") for line in lines}
    return tuple(sorted(domains - {""}))


def _to_mask(values: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)


def _match_parents(hosts: pa.Array, domains: frozenset[str]) -> NDArray[np.bool_]:
    """Return whether each host is one of the domains or below it; each distinct host is examined once."""
    encoded = hosts.dictionary_encode()
    inside = [_is_below(host, domains) for host in encoded.dictionary.to_pylist()]
    return _to_mask(pc.take(pa.array(inside, pa.bool_()), encoded.indices))


def _is_below(host: str, domains: frozenset[str]) -> bool:
    while host:
        if host in domains:
            return True
        host = host.partition(".")[2]
    return False
