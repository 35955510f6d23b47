"""The kinds of private data, and the key `redact` of a manifest: which of them are masked, counted, or drop a
document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from corpus.suggestions import suggest_names

KINDS = ("key", "email", "ip", "iban", "card", "national_id", "wallet", "phone")
"""In the order in which one wins where two overlap."""
MODES = ("mask", "count")


class RedactKind(BaseModel):
    """What is done with a kind of private data: masked where texts are read, or only counted.

    A document with more than `drop_above` places of the kind fails the rule `private.KIND.max`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["mask", "count"] = "mask"
    drop_above: Annotated[int, Field(ge=0)] | None = None


SIGNAL_STEP = "private"
"""The step of the signals: of each kind, the places in a document."""


def name_signals(kinds: Iterable[str]) -> list[str]:
    """Return the names of the signals of some kinds."""
    return [f"{SIGNAL_STEP}.{kind}" for kind in kinds]


WEB_REDACT = {kind: RedactKind() for kind in ("email", "ip")}
"""What is masked in pages of the web unless a manifest says otherwise."""


def expand_redact(value: Any) -> Any:
    """Return the long form of the key `redact`: a mapping of kinds, in the order of `KINDS`, to their options.

    It may be a kind, a list of kinds, or a mapping of kinds to `mask`, `count`, `off` or options; `all` (or true) is
    every kind, false none. Raises ValueError for anything else.
    """
    if value is None or isinstance(value, bool) or value == "all":
        return None if value is None else {kind: {} for kind in KINDS} if value else {}
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        value = dict.fromkeys(value, "mask") if all(isinstance(kind, str) for kind in value) else None
    if not isinstance(value, Mapping):
        raise ValueError("private data is named [email, ip], or {email: mask, phone: count}")
    for kind in value:
        if kind not in KINDS:
            raise ValueError(f"no kind of private data is called {kind!r}: {suggest_names(str(kind), KINDS)}")
    return {
        kind: _expand_mode(kind, value[kind]) for kind in KINDS if kind in value and not _is_off(value[kind])
    }


def _is_off(value: Any) -> bool:
    return value is False or value == "off"


def _expand_mode(kind: str, value: Any) -> Any:
    if value is None or value is True:
        return {}
    if isinstance(value, str):
        if value not in MODES:
            raise ValueError(f"{kind}: {suggest_names(value, (*MODES, 'off'), 'say')}")
        return {"mode": value}
    if not isinstance(value, dict | BaseModel):
        raise ValueError(f"{kind}: say mask, count, off, or {{drop_above: 5}}")
    return value


Redact = Annotated[dict[str, RedactKind] | None, BeforeValidator(expand_redact)]
"""The type of the key `redact`: kinds to options once it is read, None where it is not said."""
