"""The manifest's options on lists of addresses: `urls`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class UrlOptions(BaseModel):
    """Lists of hosts and addresses: files, URLs of files, folders and tar archives of them, in any layout that
    `corpus.web.block_lists.layouts` reads. Pages in `block` are stopped before they are read; those in `allow` pass
    whatever lists of hosts and words say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    block: list[str] = []
    allow: list[str] = []

    @field_validator("block", "allow", mode="before")
    @classmethod
    def _accept_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def is_empty(self) -> bool:
        return not self.block and not self.allow
