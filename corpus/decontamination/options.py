"""The manifest's options on evaluation sets: `decontaminate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Action = Literal["cut", "drop", "mark"]
PARTS = ("question", "options", "answer", "passage")
"""The parts of an item, in the order in which they are indexed."""
FIELD_KEYS = (*PARTS, "id")


class _DecontaminationModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EvaluationSet(_DecontaminationModel):
    """A file or a folder of items. `name`: by default the file's or the folder's; `fields`: the column (dotted where it
    is inside another; a list where several) of each part; `action`: instead of that of all sets."""

    path: str
    name: str | None = None
    fields: dict[str, list[str]] | None = None
    action: Action | None = None

    @field_validator("fields", mode="before")
    @classmethod
    def _expand_fields(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for key in value:
            if key not in FIELD_KEYS:
                raise ValueError(f"{key} is no part of an item: say {', '.join(FIELD_KEYS)}")
        return {key: [column] if isinstance(column, str) else column for key, column in value.items()}


class Clearance(_DecontaminationModel):
    """A hit that is none, or a whole set: `hit` is SET, SET/ITEM or SET/ITEM@DOCUMENT; `reason` is for the record."""

    hit: str
    reason: str = ""

    @field_validator("hit")
    @classmethod
    def _check_hit(cls, hit: str) -> str:
        if not hit.strip():
            raise ValueError("a hit is written SET, SET/ITEM or SET/ITEM@DOCUMENT")
        return hit


class CommonOptions(_DecontaminationModel):
    """When an n-gram proves nothing: it is in so many documents of so many groups (sites, pages, repositories)."""

    documents: Annotated[int, Field(ge=2)] = 10
    groups: Annotated[int, Field(ge=1, le=8)] = 5


class DecontaminationOptions(_DecontaminationModel):
    """Which evaluation sets are looked for, and what happens to what holds their items.

    `drop` removes the document, `cut` marks the item and `margin` characters on either side as an edit, `mark` only
    measures. `score` is the least share of an item that makes a hit. `clear` names hits that are none.
    """

    sets: list[EvaluationSet] = []
    action: Action = "drop"
    margin: Annotated[int, Field(ge=0, le=100_000)] = 100
    score: Annotated[float, Field(gt=0, le=1)] = 0.4
    common: CommonOptions = CommonOptions()
    clear: list[Clearance] = []

    @field_validator("sets", mode="before")
    @classmethod
    def _expand_sets(cls, value: Any) -> Any:
        if isinstance(value, str | Mapping):
            value = [value]
        if not isinstance(value, list):
            return value
        return [{"path": each} if isinstance(each, str) else each for each in value]

    @field_validator("clear", mode="before")
    @classmethod
    def _expand_clearances(cls, value: Any) -> Any:
        if isinstance(value, str | Mapping):
            value = [value]
        if not isinstance(value, list):
            return value
        return [{"hit": each} if isinstance(each, str) else each for each in value]

    @property
    def is_empty(self) -> bool:
        return not self.sets

    def action_of(self, place: int) -> Action:
        """Return what happens to documents with items of the set at a place of `sets`."""
        return self.sets[place].action or self.action

    @property
    def drops(self) -> bool:
        """Return whether documents are dropped for the items of any set."""
        return any(self.action_of(place) == "drop" for place in range(len(self.sets)))

    @property
    def cuts(self) -> bool:
        """Return whether the items of any set are cut out of texts."""
        return any(self.action_of(place) == "cut" for place in range(len(self.sets)))

    def clears(self, set_name: str, item: str, document: str) -> str | None:
        """Return the reason for which a hit is cleared, empty if none is given; None if it is not cleared."""
        names = {set_name, f"{set_name}/{item}", f"{set_name}/{item}@{document}"}
        return next((each.reason for each in self.clear if each.hit in names), None)
