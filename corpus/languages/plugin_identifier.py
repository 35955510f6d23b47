"""Identifiers of users, named in a manifest as `identification: {model: module:Class}`.

A class has `version` and `identify(text)`, which returns a label (`deu_Latn`, `de`) and its score from 0 to 1. It is
given one line of at most 1,530 characters, in the process that parses.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from corpus import plugins
from corpus.document import Record
from corpus.errors import UserError, describe_error
from corpus.languages.labels import parse_label
from corpus.plugins import check_version

TEST_TEXT = "The river rises in the north and reaches the sea after 120 km."
"""What an identifier must be able to name before a build begins."""


def identifier_code(name: str) -> str:
    """Return the hash of an identifier's code, which is not imported here. Raises UserError if there is none."""
    return plugins.find_plugin(name, "identifier").code


def ask_plugin(name: str, line: str) -> tuple[str, float]:
    """Return the label and score that an identifier gives a line. Raises UserError where it fails."""
    identifier = _load(name)
    try:
        answer = identifier.identify(line)
    except MemoryError:
        raise
    except Exception as error:
        raise UserError(f"{name} failed: {describe_error(error)}") from error
    try:
        label, score = answer
        score = float(score)
    except (TypeError, ValueError):
        raise UserError(
            f"{name}: `identify` must return a label and a score, not {str(answer)[:60]!r}"
        ) from None
    if not isinstance(label, str) or parse_label(label) is None:
        raise UserError(f"{name}: {label!r} is not a language: say deu_Latn, cmn_Hans, or a code such as deu")
    if not math.isfinite(score):
        raise UserError(f"{name}: the score of {label} is {score}, not a number from 0 to 1")
    return label, score


@cache
def _load(name: str) -> Any:
    return plugins.create(name, plugins.load_class(plugins.find_plugin(name, "identifier"), "identify(text)"))


def try_identifier(name: str, record: Record) -> tuple[str, int]:
    """Let an identifier name the language of a record's text; return the label, and the identifier's version."""
    return ask_plugin(name, str(record.body))[0], check_version(name, type(_load(name)))
