"""Extractors of users, named in a manifest as `extraction: {mode: module:Class}`: run in the process that parses.

A class has `version` and `extract(record)`, which returns an `ExtractedText`, a text, or None; and `media_types`, those
of the records it reads (web pages, unless it says otherwise). Other records are read as without it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from corpus import plugins
from corpus.document import Record
from corpus.errors import UserError, describe_error
from corpus.extract import FORMATS, ExtractedText
from corpus.extract.process.budgets import Budgets
from corpus.extract.process.calls import call_plugin, make_call
from corpus.plugins import Plugin, check_version

DEFAULT_MEDIA_TYPES = ("text/html",)
TEST_PAGE = "<!DOCTYPE html><title>A river</title><p>The river rises in the north and reaches the sea after 120 km.</p>"
"""What an extractor must be able to read before a build begins."""


def describe_extractor(name: str, budgets: Budgets) -> dict[str, Any]:
    """Return the version, the code's hash and the media types of an extractor, which is not imported here.

    Raises UserError if it cannot be used.
    """
    plugin = plugins.find_plugin(name, "extractor")
    return dict(_describe(plugin, plugin.code, budgets))


@lru_cache(maxsize=16)
def _describe(plugin: Plugin, code: str, budgets: Budgets) -> Any:
    call = make_call("corpus.extract.plugin_extractor:try_extractor", [plugin.reference], TEST_PAGE)
    return {**call_plugin(plugin.reference, budgets, call, ("extraction", "mode")), "code": code}


# What follows runs in the process that parses.


def try_extractor(name: str, record: Record) -> dict[str, Any]:
    """Load an extractor and let it read a page; return its version and media types."""
    extractor, media_types = _load(name)
    if "text/html" in media_types:
        _extract(replace(record, media_type="text/html", body=str(record.body).encode()), name)
    return {"version": check_version(name, extractor), "media_types": list(media_types)}


def extract_text(record: Record, mode: str) -> ExtractedText | None:
    """Return what an extractor extracts from a record; `mode` is of `make_mode`. Raises UserError where it fails."""
    return _extract(record, _read_mode(mode))


def make_mode(name: str, code: str) -> str:
    """Return the mode of the parser that runs an extractor: its code is in it, so no parser answers with older code."""
    return json.dumps([name, code, plugins.plugin_folders()])


@cache
def _read_mode(mode: str) -> str:
    """Return the extractor that a mode names, with its folder known in this process."""
    name, _, folders = json.loads(mode)
    plugins.add_folders(folders)
    return str(name)


def _extract(record: Record, mode: str) -> ExtractedText | None:
    extractor, _ = _load(mode)
    try:
        extracted = extractor.extract(record)
    except MemoryError:
        raise
    except Exception as error:
        raise UserError(f"{mode} failed: {describe_error(error)}") from error
    if isinstance(extracted, str):
        extracted = ExtractedText(text=extracted)
    if extracted is None:
        return None
    if not isinstance(extracted, ExtractedText) or not isinstance(extracted.text, str):
        raise UserError(
            f"{mode}: `extract` must return ExtractedText, str or None, not {type(extracted).__name__}"
        )
    check_extraction(mode, extracted)
    return extracted


def check_extraction(name: str, extracted: ExtractedText) -> None:
    """Raise UserError if a field of what a plug-in extracted is of a wrong type."""
    for field in ("gate", "url", "license", "date", "language", "opt_out"):
        if not isinstance(getattr(extracted, field), str | None):
            raise UserError(
                f"{name}: `{field}` must be str or None, not {type(getattr(extracted, field)).__name__}"
            )
    metadata = extracted.metadata
    if not isinstance(metadata, dict) or not all(
        isinstance(key, str) and isinstance(value, str) for key, value in metadata.items()
    ):
        raise UserError(f"{name}: `metadata` must map str to str")


@cache
def _load(name: str) -> tuple[Any, tuple[str, ...]]:
    """Import and create an extractor; return it with its media types. Raises UserError for what is wrong with it."""
    loaded = plugins.load_class(plugins.find_plugin(name, "extractor"), "extract(record)")
    media_types = getattr(loaded, "media_types", DEFAULT_MEDIA_TYPES)
    if (
        isinstance(media_types, str)
        or not all(isinstance(each, str) for each in media_types)
        or not media_types
    ):
        raise UserError(
            f"{name}: `media_types` is a list, such as ({', '.join(map(repr, list(FORMATS)[:2]))})"
        )
    return plugins.create(name, loaded), tuple(media_types)
