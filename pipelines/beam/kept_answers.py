"""Keep what Beam works out of the same steps and options again and again: a fifth of the start of a small build.

It reads the signatures of every method of a step some eight times, and makes a parser of arguments each time that it
looks at an option, some 430 times in the pipelines of one build.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary


def keep_answers() -> None:
    """Let Beam, which has been imported, ask for each answer once a step, and once for options and a kind of them.

    Views of the same options share their values, so one of each kind does for all.
    """
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.transforms import userstate

    userstate.get_dofn_specs = _keep_by_object(userstate.get_dofn_specs)
    PipelineOptions.view_as = _keep_by_object(PipelineOptions.view_as)  # type: ignore[method-assign]


def _keep_by_object(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that asks once for each first argument, while it lives, and each of the others."""
    answers: WeakKeyDictionary[Any, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()

    @wraps(ask)
    def keep(asked: Any, *others: Any) -> Any:
        known = answers.setdefault(asked, {})
        if others not in known:
            known[others] = ask(asked, *others)
        return known[others]

    return keep
