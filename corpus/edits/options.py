"""The key `clean` of a manifest: what is cut from texts where they are read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

REPEAT_KINDS = {"paragraphs": "paragraph", "lines": "line", "spans": "span"}
"""The options of `dedup` that mark repeated text, each with the kind of its edits."""


class CleanOptions(BaseModel):
    """What is cut. `repeats`: what `dedup` marks as repeated, by the names of its options there; true is all of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: tuple[Literal["paragraphs", "lines", "spans"], ...] = ()

    @field_validator("repeats", mode="before")
    @classmethod
    def _expand_repeats(cls, value: Any) -> Any:
        if isinstance(value, bool) or value is None:
            return tuple(REPEAT_KINDS) if value else ()
        return [value] if isinstance(value, str) else value

    @field_validator("repeats")
    @classmethod
    def _sort_repeats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in REPEAT_KINDS if name in value)
